/* Account names: [a-z][a-z0-9_-]{0,31}, folded to lower case, the same in all services. */
#ifndef AUTH_NAME_H
#define AUTH_NAME_H

#include "store/account.h"

/* Folds and checks. -EINVAL: malformed. ret untouched on failure. Reserved names pass here. */
int name_fold(struct span s, char ret[ACCOUNT_NAME_SIZE]);

/* Names that no sign-up may take: root, admin, postmaster ..., service names, localhost, and the
 * first label and whole of host and domain. */
bool name_is_reserved(const char *name, const char *domain);

#endif
