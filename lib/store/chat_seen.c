/* CHAT_SEEN: what each device of an account has been sent for certain. */
#include "store/chat_i.h"

#include <errno.h>

enum { DEVICE_VERSION = 1 };

int chat_device_decode(struct span value, struct chat_device *ret)
{
	struct rec r = row_open(value, DEVICE_VERSION);
	struct chat_device d = {.seq = rec_u64(&r)};

	d.at_us = rec_i64(&r);
	if (rec_end(&r) < 0)
		return -EBADMSG;
	*ret = d;
	return 0;
}

static int device_get(struct store_txn *txn, const struct key *key, struct chat_device *ret)
{
	struct span value;
	int rc = row_get(txn, key, &value);

	return rc < 0 ? rc : chat_device_decode(value, ret);
}

int chat_seen_read(struct store_txn *txn, const char *who, const char *device, uint64_t *ret_seq)
{
	struct key key = key_chat_device_row(who, span_str(device));
	struct chat_device d = {.seq = 0};
	int rc = chat_is_guest(who) ? -ENOENT : device_get(txn, &key, &d);

	if (rc < 0 && rc != -ENOENT)
		return rc;
	*ret_seq = d.seq;
	return 0;
}

/* Room for another device: the one unused for longest goes when there are too many. */
static int make_room(struct store_txn *txn, const char *who)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_chat_device(who), oldest = {.len = 0};
	int64_t oldest_us = INT64_MAX;
	struct chat_device d;
	struct span key, value;
	size_t count = 0;
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = chat_device_decode(value, &d);
		count++;
		if (rc == 0 && d.at_us < oldest_us) {
			oldest = key_copy(key);
			oldest_us = d.at_us;
		}
	}
	return rc < 0 || count < CHAT_DEVICES_MAX ? rc : row_del(txn, &oldest);
}

int chat_seen_note(
	struct store_txn *txn, const struct chat_session *s, uint64_t seq, int64_t now_us)
{
	struct key key = key_chat_device_row(s->who, span_str(s->device));
	struct chat_device d = {.seq = 0};
	struct buf b;
	int rc;

	if (chat_is_guest(s->who))
		return 0;
	rc = device_get(txn, &key, &d);
	if (rc == -ENOENT)
		rc = make_room(txn, s->who);
	if (rc < 0)
		return rc;
	b = row_begin(DEVICE_VERSION);
	buf_add_u64(&b, seq > d.seq ? seq : d.seq);
	rec_put_i64(&b, now_us);
	return row_put(txn, &key, &b);
}

int op_chat_seen(struct store_txn *txn, const void *args, void *result)
{
	const struct chat_seen_args *a = args;
	struct chat_result *ret = result;
	struct chat_session s = {.id = 0};
	struct chat_user me;
	int rc = chat_result_open(txn, ret);

	if (rc == 0)
		rc = chat_actor_read(txn, &a->by, &me);
	if (rc == 0)
		rc = chat_session_read(txn, a->by.session, &s);
	if (rc < 0)
		return rc;
	if (a->seq > ret->head)
		return -EINVAL;
	ret->answer = chat_is_guest(s.who) ? CHAT_NOTHING : CHAT_DONE;
	return chat_seen_note(txn, &s, a->seq, a->by.now_us);
}
