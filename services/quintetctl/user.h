/* quintetctl: what the commands about accounts share. Both say what is wrong. */
#ifndef QUINTETCTL_USER_H
#define QUINTETCTL_USER_H

#include "ctl.h"

/* The services' certificates hang on that account: it has no password, and must not be locked. */
int user_not_the_house(const char *name);

/* The status for what a look-up of that account gave. */
int user_failed(int error, const char *name);

#endif
