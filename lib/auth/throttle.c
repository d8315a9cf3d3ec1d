/* The throttle as log-in uses it. Its times are those of the store's rows. */
#include "auth/name.h"
#include "auth/throttle_i.h"
#include "base/hash.h"
#include "base/timefmt.h"
#include "store/audit.h"

#include <errno.h>
#include <limits.h>

/* Names are keys as folded; what is no name is a key by its digest, so that it counts as well. */
static int name_key(struct span name, struct throttle_key *ret)
{
	char folded[ACCOUNT_NAME_SIZE];
	struct throttle_key key = {.kind = THROTTLE_ACCOUNT};

	if (name_fold(name, folded) == 0) {
		key.len = strlen(folded);
		memcpy(key.key, folded, key.len);
	} else {
		key.len = HASH_SHA256_LEN;
		if (hash_sha256(name, key.key) < 0)
			return -EIO;
	}
	*ret = key;
	return 0;
}

size_t throttle_keys(const struct auth_source *from, struct span name, struct throttle_key ret[2])
{
	size_t count = 0;

	if (from->bucket.len > 0 && from->bucket.len <= THROTTLE_KEY_MAX) {
		ret[0] = (struct throttle_key){.kind = THROTTLE_SOURCE, .len = from->bucket.len};
		memcpy(ret[0].key, from->bucket.p, from->bucket.len);
		count++;
	}
	if (name.len > 0 && name_key(name, &ret[count]) == 0)
		count++;
	return count;
}

int throttle_longest_ms(struct store *s, const struct throttle_key *keys, size_t count,
	int64_t now_us, int64_t *ret_ms)
{
	int64_t longest = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t wait = 0;
		int r = throttle_wait_ms(s, &keys[i], now_us, &wait);

		if (r < 0)
			return r;
		if (wait > longest)
			longest = wait;
	}
	*ret_ms = longest;
	return 0;
}

static void copy_cut(const char *text, char *ret, size_t size)
{
	struct span s = span_str(text);

	if (s.len >= size)
		s.len = size - 1;
	(void)span_copy_str(s, ret, size);
}

static void audit(
	struct store *s, const struct auth_source *from, const struct refusal *r, int64_t now_us)
{
	struct audit_row row = {.at_us = now_us, .event = "login-refused"};

	copy_cut(r->account, row.account, sizeof(row.account));
	copy_cut(from->peer, row.by, sizeof(row.by));
	(void)snprintf(row.detail, sizeof(row.detail), "%s: %s",
		from->service != NULL ? from->service : "", r->what);
	(void)store_call(s, STORE_OP_AUDIT_APPEND, &row, NULL);
}

void throttle_refuse(struct store *s, const struct auth_source *from, const struct refusal *r)
{
	struct throttle_args args = {.count = r->count, .now_us = time_now_us()};
	int64_t wait_ms = 0;
	/* When the store cannot tell, the row is the better choice: its append will tell. */
	bool first = throttle_longest_ms(s, r->keys, r->count, args.now_us, &wait_ms) < 0 ||
		wait_ms == 0;

	memcpy(args.keys, r->keys, r->count * sizeof(args.keys[0]));
	(void)store_call(s, STORE_OP_THROTTLE_FAIL, &args, NULL);
	if (first)
		audit(s, from, r, args.now_us);
}

int auth_throttle_wait_s(
	struct store *s, const struct auth_source *from, struct span name, unsigned *ret_wait_s)
{
	struct throttle_key keys[2];
	size_t count = throttle_keys(from, name, keys);
	int64_t ms = 0;
	int r = throttle_longest_ms(s, keys, count, time_now_us(), &ms);

	if (r < 0)
		return r;
	*ret_wait_s = ms > INT_MAX ? INT_MAX : (unsigned)((ms + 999) / 1000);
	return 0;
}

void auth_failed(
	struct store *s, const struct auth_source *from, struct span name, const char *what)
{
	struct throttle_key keys[2];
	struct refusal refusal = {.keys = keys, .what = what};
	struct account account;
	char folded[ACCOUNT_NAME_SIZE];

	refusal.count = throttle_keys(from, name, keys);
	/* Only names that exist are written down: what is typed for one may be a password. */
	if (name_fold(name, folded) == 0 && account_get(s, folded, &account) == 0)
		refusal.account = folded;
	throttle_refuse(s, from, &refusal);
}

void auth_succeeded(struct store *s, const struct auth_source *from, struct span name)
{
	struct throttle_args args = {.now_us = time_now_us()};
	struct throttle_key keys[2];
	size_t count = throttle_keys(from, name, keys);

	/* The source keeps its count: one good account must not pay for guesses at others. Where
	 * nothing is to be cleared no commit is spent: most log-ins only read. */
	for (size_t i = 0; i < count; i++)
		if (keys[i].kind == THROTTLE_ACCOUNT && throttle_remembered(s, &keys[i]) != 0)
			args.keys[args.count++] = keys[i];
	if (args.count > 0)
		(void)store_call(s, STORE_OP_THROTTLE_CLEAR, &args, NULL);
}
