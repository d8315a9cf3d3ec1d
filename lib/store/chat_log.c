/*
 * Reading the log of chat: all events in their order, and what is kept of one target. Times never
 * go back along the log, so a time is found by halving positions.
 */
#include "store/chat_i.h"

#include "base/cleanup.h"

#include <errno.h>

enum { ID_LEN = 8 };

bool chat_event_in(const struct chat_event *e, uint64_t id)
{
	unsigned char wanted[ID_LEN];

	if (id == 0)
		return false;
	for (size_t i = 0; i < sizeof(wanted); i++)
		wanted[i] = (unsigned char)(id >> 8 * (sizeof(wanted) - 1 - i));
	for (size_t at = 0; at + ID_LEN <= e->channels.len; at += ID_LEN)
		if (memcmp(e->channels.p + at, wanted, sizeof(wanted)) == 0)
			return true;
	return false;
}

bool chat_line_next(struct span *rest, struct span *ret_line, bool *ret_concat)
{
	struct span line;

	if (!span_split(rest, '\n', &line) || line.len == 0)
		return false;
	*ret_concat = line.p[0] == 1;
	*ret_line = span_of(line.p + 1, line.len - 1);
	return true;
}

/* -- all events -------------------------------------------------------------------------------- */

int chat_event_read(struct store_txn *txn, uint64_t seq, struct chat_event *ret)
{
	struct key key = key_chat_event(seq);
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : chat_event_decode(key_span(&key), value, ret);
}

int chat_events_each(struct store_txn *txn, uint64_t seq,
	int (*each)(void *arg, const struct chat_event *e), void *arg)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key table = key_table(KEY_CHAT_EVENT);
	struct key from = key_chat_event(seq + 1);
	struct chat_event e;
	struct span key, value;
	int rc = seq == UINT64_MAX ? -ENOENT
				   : kv_iter_open(txn, key_span(&table), key_span(&from), &it);

	if (rc == -ENOENT)
		return 0;
	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = chat_event_decode(key, value, &e);
		if (rc == 0)
			rc = each(arg, &e);
	}
	return rc;
}

/* The first event at or behind a position. -ENOENT. */
static int event_from(struct store_txn *txn, uint64_t seq, struct chat_event *ret)
{
	struct key table = key_table(KEY_CHAT_EVENT);
	struct key from = key_chat_event(seq);
	struct span key, value;
	int rc = kv_seek(txn, key_span(&table), key_span(&from), &key, &value);

	return rc < 0 ? rc : chat_event_decode(key, value, ret);
}

/* The first position in the whole log whose time is at_us or later; head + 1 when there is none.
 * Some may be gone. */
static int first_at(struct store_txn *txn, int64_t at_us, uint64_t *ret)
{
	struct chat_event e;
	uint64_t low = 1, high = 0, middle;
	int rc = chat_head(txn, &high);

	high++;
	while (rc == 0 && low < high) {
		middle = low + (high - low) / 2;
		rc = event_from(txn, middle, &e);
		if (rc == -ENOENT || (rc == 0 && e.at_us >= at_us)) {
			high = middle;
			rc = 0;
		} else if (rc == 0) {
			low = e.seq + 1;
		}
	}
	if (rc == 0)
		*ret = low;
	return rc;
}

/* -- a target ---------------------------------------------------------------------------------- */

static bool is_message(struct span mark)
{
	return mark.len > 0 && (mark.p[0] == CHAT_PRIVMSG || mark.p[0] == CHAT_NOTICE);
}

static uint64_t mark_seq(struct span key)
{
	return key_number(key_tail(key, ID_LEN));
}

/* Where the last max of the range begin. */
static int newest_from(struct store_txn *txn, const struct key *log, const struct chat_range *range,
	uint64_t *ret_after)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key end = *log;
	struct span key, value;
	uint64_t after = range->after, seq;
	size_t count = 0;
	int rc;

	if (range->before != 0)
		end = chat_log_mark(log, range->before);
	rc = kv_iter_open(txn, key_span(log), key_span(&end), &it);
	while (rc == 0 && count < range->max && (rc = kv_iter_prev(&it, &key, &value)) == 1) {
		seq = mark_seq(key);
		if (seq <= range->after)
			break;
		rc = 0;
		if (range->messages_only && !is_message(value))
			continue;
		if (++count == range->max)
			after = seq - 1;
	}
	if (rc < 0)
		return rc;
	*ret_after = after;
	return 0;
}

int chat_log_each(struct store_txn *txn, const struct chat_target *target,
	const struct chat_range *range, int (*each)(void *arg, const struct chat_event *e),
	void *arg)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	uint64_t after = range->after, seq;
	struct chat_event e;
	struct span key, value;
	struct key log, from;
	size_t count = 0;
	int rc = chat_log_key(target, &log);

	if (rc == 0 && range->newest)
		rc = newest_from(txn, &log, range, &after);
	if (rc == 0 && after < UINT64_MAX) {
		from = chat_log_mark(&log, after + 1);
		rc = kv_iter_open(txn, key_span(&log), key_span(&from), &it);
	}
	while (rc == 0 && it.cursor != NULL && count < range->max &&
		(rc = kv_iter_next(&it, &key, &value)) == 1) {
		seq = mark_seq(key);
		if (range->before != 0 && seq >= range->before)
			return 0;
		rc = 0;
		if (range->messages_only && !is_message(value))
			continue;
		count++;
		rc = chat_event_read(txn, seq, &e);
		if (rc == 0)
			rc = each(arg, &e);
	}
	return rc;
}

int chat_log_at(
	struct store_txn *txn, const struct chat_target *target, int64_t at_us, uint64_t *ret)
{
	struct span key, value;
	struct key log, from;
	uint64_t seq = 0, head = 0;
	int rc = chat_log_key(target, &log);

	if (rc == 0)
		rc = chat_head(txn, &head);
	if (rc == 0)
		rc = first_at(txn, at_us, &seq);
	if (rc < 0)
		return rc;
	from = chat_log_mark(&log, seq);
	rc = kv_seek(txn, key_span(&log), key_span(&from), &key, &value);
	if (rc == 0 || rc == -ENOENT)
		*ret = rc == 0 ? mark_seq(key) : head + 1;
	return rc == -ENOENT ? 0 : rc;
}

int chat_log_newest(struct store_txn *txn, const struct chat_target *target, struct chat_event *ret)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct span key, value;
	struct key log;
	int rc = chat_log_key(target, &log);

	if (rc == 0)
		rc = kv_iter_open(txn, key_span(&log), key_span(&log), &it);
	while (rc == 0 && (rc = kv_iter_prev(&it, &key, &value)) == 1) {
		if (is_message(value))
			return chat_event_read(txn, mark_seq(key), ret);
		rc = 0;
	}
	return rc == 0 ? -ENOENT : rc;
}
