/* Passwords: libxcrypt yescrypt, never sent hashed, never logged. */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include "base/span.h"

#define PASSWORD_MIN 8
#define PASSWORD_MAX 1024
#define PASSWORD_HASH_SIZE 128

/* -EINVAL with a reason for people in *ret_reason (static): too short, too long, a control
 * character, equal to the name. UTF-8. */
int password_acceptable(struct span password, const char *name, const char **ret_reason);

/* yescrypt "$y$", cost 5, under the same cap as password_check. -ENOMEM, -EIO, -EAGAIN. */
int password_hash(struct span password, const char *runtime, char ret[PASSWORD_HASH_SIZE]);

/*
 * 0 when it matches, -EACCES when not; hash "" or NULL (no such account, no password) costs the
 * same and never matches. The number of hashes at once over all processes is capped by lock files
 * in runtime (one per allowed hash; waits up to 5 s, then -EAGAIN). runtime NULL: no cap (tests,
 * init).
 */
int password_check(struct span password, const char *hash, const char *runtime);

/* Is the hash of a weaker kind or cost than password_hash() makes now? */
bool password_is_outdated(const char *hash);

#endif
