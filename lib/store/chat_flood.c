/*
 * What may be posted, and done: a bucket of messages that leaks, and bytes a day, for the person
 * and for all who come from its source. An account's bytes are its own; a guest is another one
 * every time, so the bytes of guests count for the source.
 */
#include "store/chat_i.h"

#include <errno.h>

enum {
	FLOOD_VERSION = 1,
	MILLI = 1000,
	SOURCE_SHARE = 4, /* people of one source at a time */
	BYTES_PER_MESSAGE = 1024, /* a longer one counts as several */
};

#define DAY_US (INT64_C(86400) * 1000000)

int chat_bucket_decode(struct span value, struct chat_bucket *ret)
{
	struct rec r = row_open(value, FLOOD_VERSION);
	struct chat_bucket b = {.level_milli = rec_u64(&r)};

	b.at_us = rec_i64(&r);
	b.day = rec_u64(&r);
	b.bytes = rec_u64(&r);
	if (rec_end(&r) < 0)
		return -EBADMSG;
	*ret = b;
	return 0;
}

static int bucket_write(
	struct store_txn *txn, const struct key *key, const struct chat_bucket *bucket)
{
	struct buf b = row_begin(FLOOD_VERSION);

	buf_add_u64(&b, bucket->level_milli);
	rec_put_i64(&b, bucket->at_us);
	buf_add_u64(&b, bucket->day);
	buf_add_u64(&b, bucket->bytes);
	return row_put(txn, key, &b);
}

static uint64_t day_of(int64_t now_us)
{
	return now_us > 0 ? (uint64_t)(now_us / DAY_US) : 0;
}

/* The level now; a clock that was set back lets nothing leak. */
static uint64_t leaked(const struct chat_bucket *b, uint64_t rate, int64_t now_us)
{
	uint64_t passed_us, gone;

	if (now_us <= b->at_us || rate == 0)
		return b->level_milli;
	passed_us = (uint64_t)now_us - (uint64_t)b->at_us;
	gone = passed_us > UINT64_MAX / rate ? UINT64_MAX : passed_us * rate / MILLI;
	return gone >= b->level_milli ? 0 : b->level_milli - gone;
}

bool chat_bucket_empty(const struct chat_bucket *b, uint64_t rate, int64_t now_us)
{
	return (b->bytes == 0 || b->day != day_of(now_us)) &&
		(rate == 0 || leaked(b, rate, now_us) == 0);
}

/* One of the two buckets as it is now. */
static int open_one(struct store_txn *txn, struct chat_flood *f, size_t n)
{
	struct chat_bucket *b = &f->of[n].bucket;
	struct span value;
	int rc = row_get(txn, &f->of[n].key, &value);

	f->of[n].used = true;
	*b = (struct chat_bucket){.at_us = f->now_us};
	if (rc == 0)
		rc = chat_bucket_decode(value, b);
	if (rc == -ENOENT)
		rc = 0;
	if (rc < 0)
		return rc;
	b->level_milli = leaked(b, f->rate * f->of[n].share, f->now_us);
	b->at_us = f->now_us;
	if (b->day != day_of(f->now_us)) {
		b->day = day_of(f->now_us);
		b->bytes = 0;
	}
	return 0;
}

int chat_flood_open(struct store_txn *txn, const struct chat_actor *by, struct span source,
	struct chat_flood *ret)
{
	struct chat_flood f = {.now_us = by->now_us};
	bool guest = chat_is_guest(by->who);
	int rc = policy_number_read(txn, "chat_flood_rate", &f.rate);

	if (rc == 0)
		rc = policy_number_read(txn, "chat_flood_burst", &f.burst);
	if (rc == 0)
		rc = policy_number_read(txn, "chat_quota_day", &f.quota);
	if (rc == 0 && (f.rate > 0 || f.quota > 0)) {
		f.of[0].key = key_chat_flood(CHAT_FLOOD_PERSON, span_str(by->who));
		f.of[0].share = 1;
		f.of[0].quota = !guest || source.len == 0;
		rc = open_one(txn, &f, 0);
	}
	if (rc == 0 && source.len > 0 && (f.rate > 0 || (f.quota > 0 && guest))) {
		f.of[1].key = key_chat_flood(CHAT_FLOOD_SOURCE, source);
		f.of[1].share = SOURCE_SHARE;
		f.of[1].quota = guest;
		rc = open_one(txn, &f, 1);
	}
	if (rc == 0)
		*ret = f;
	return rc;
}

/* What a message of that length counts, at most what a full bucket holds. */
static uint64_t weight(const struct chat_flood *f, size_t bytes)
{
	uint64_t messages = 1 + bytes / BYTES_PER_MESSAGE;

	return (messages < f->burst ? messages : f->burst) * MILLI;
}

enum chat_answer chat_flood_take(struct chat_flood *f, size_t bytes, uint32_t *ret_wait_ms)
{
	uint64_t more = weight(f, bytes), level, limit, wait = 0, longest = 0;

	for (size_t n = 0; n < 2; n++) {
		if (!f->of[n].used)
			continue;
		if (f->quota > 0 && f->of[n].quota && f->of[n].bucket.bytes + bytes > f->quota)
			return CHAT_QUOTA;
		level = f->of[n].bucket.level_milli + more;
		limit = f->burst * f->of[n].share * MILLI;
		if (f->rate > 0 && level > limit)
			wait = (level - limit) / (f->rate * f->of[n].share) + 1;
		longest = wait > longest ? wait : longest;
	}
	if (longest > 0) {
		*ret_wait_ms = longest < UINT32_MAX ? (uint32_t)longest : UINT32_MAX;
		return CHAT_FLOOD;
	}
	for (size_t n = 0; n < 2; n++) {
		f->of[n].bucket.level_milli += f->rate > 0 ? more : 0;
		f->of[n].bucket.bytes += f->of[n].quota ? bytes : 0;
	}
	return CHAT_DONE;
}

int chat_flood_close(struct store_txn *txn, const struct chat_flood *f)
{
	int rc = 0;

	for (size_t n = 0; rc == 0 && n < 2; n++)
		if (f->of[n].used)
			rc = bucket_write(txn, &f->of[n].key, &f->of[n].bucket);
	return rc;
}

/* -- what is no message ------------------------------------------------------------------------ */

/* What was refused, or was so already, has written nothing and is not counted. */
static int charge(struct store_txn *txn, struct chat_flood *f, const struct chat_result *r)
{
	if (r->first == 0)
		return 0;
	for (size_t n = 0; n < 2; n++)
		f->of[n].bucket.bytes += f->of[n].quota ? r->bytes : 0;
	return chat_flood_close(txn, f);
}

int chat_flood_run(struct store_txn *txn, const void *args, void *result, bool orderly,
	int (*op)(struct store_txn *txn, const void *args, void *result))
{
	const struct chat_actor *by = args;
	struct chat_result *r = result;
	struct chat_flood f = {.rate = 0};
	uint32_t wait_ms = 0;
	int rc;

	if (by->session == 0 || by->who == NULL)
		return op(txn, args, result);
	rc = chat_flood_open(txn, by, by->source, &f);
	if (rc < 0)
		return rc;
	if (orderly)
		f.quota = 0;
	r->answer = chat_flood_take(&f, 1, &wait_ms);
	if (r->answer != CHAT_DONE) {
		r->wait_ms = wait_ms;
		return chat_result_open(txn, r);
	}
	rc = op(txn, args, result);
	return rc < 0 ? rc : charge(txn, &f, r);
}
