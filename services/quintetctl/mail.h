/* quintetctl: what its commands for mail lend to the others. */
#ifndef QUINTETCTL_MAIL_H
#define QUINTETCTL_MAIL_H

#include "ctl.h"
#include "store/mail.h"

/* What an account has, or all together (NULL). 0 or negative errno. */
int mail_count(struct ctl *c, const char *account, struct mail_totals *ret);

#endif
