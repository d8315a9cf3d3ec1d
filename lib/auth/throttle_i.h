/* Counting failures, and the audit rows of refusals. Inside lib/auth only. */
#ifndef AUTH_THROTTLE_I_H
#define AUTH_THROTTLE_I_H

#include "auth/auth.h"
#include "store/throttle.h"

/* The keys of one try: source first, then who is tried; the count of keys that there are. */
size_t throttle_keys(const struct auth_source *from, struct span name, struct throttle_key ret[2]);

/* The longest wait of the keys. */
int throttle_longest_ms(struct store *s, const struct throttle_key *keys, size_t count,
	int64_t now_us, int64_t *ret_ms);

/*
 * Counts a failure of the keys. Where none of them had to wait before, one row goes to the audit:
 * floods are throttled, so they do not fill the store. account may be NULL.
 */
struct refusal {
	const struct throttle_key *keys;
	size_t count;
	const char *account; /* an existing one, or NULL */
	const char *what; /* for the audit */
};
void throttle_refuse(struct store *s, const struct auth_source *from, const struct refusal *r);

#endif
