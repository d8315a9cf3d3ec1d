/* Who has talked to whom in private, and what is left of a person or channel that goes. */
#include "store/chat_i.h"

#include <errno.h>

enum { TALK_VERSION = 1 };

int chat_talk_decode(struct span value, bool *ret_wrote)
{
	struct rec r = row_open(value, TALK_VERSION);
	uint8_t wrote = rec_u8(&r);

	if (rec_end(&r) < 0 || wrote > 1)
		return -EBADMSG;
	*ret_wrote = wrote == 1;
	return 0;
}

/* -ENOENT: they never talked. */
static int talk_get(struct store_txn *txn, const struct key *key, bool *ret_wrote)
{
	struct span value;
	int rc = row_get(txn, key, &value);

	return rc < 0 ? rc : chat_talk_decode(value, ret_wrote);
}

/* The row of one with the other; written only where it says something new. */
static int talk_put(struct store_txn *txn, const char *who, const char *peer, bool wrote)
{
	struct key key = key_chat_talk_row(who, peer);
	struct buf b;
	bool before = false;
	int rc = talk_get(txn, &key, &before);

	if (rc == 0 && (before || !wrote))
		return 0;
	if (rc < 0 && rc != -ENOENT)
		return rc;
	b = row_begin(TALK_VERSION);
	buf_add_byte(&b, wrote);
	return row_put(txn, &key, &b);
}

int chat_peers_note(struct store_txn *txn, const char *from, const char *to)
{
	int rc = talk_put(txn, from, to, true);

	return rc < 0 || strcmp(from, to) == 0 ? rc : talk_put(txn, to, from, false);
}

int chat_peers_wrote(struct store_txn *txn, const char *from, const char *to)
{
	struct key key = key_chat_talk_row(from, to);
	bool wrote = false;
	int rc = talk_get(txn, &key, &wrote);

	if (rc == -ENOENT)
		return 0;
	return rc < 0 ? rc : wrote;
}

/* The other one, out of the key of a row below prefix. */
static int peer_of(struct span key, const struct key *prefix, char ret[CHAT_WHO_SIZE])
{
	struct span name = span_of(key.p + prefix->len, key.len - prefix->len);

	return span_copy_str(name, ret, CHAT_WHO_SIZE) < 0 ? -EBADMSG : 0;
}

int chat_peers_each(struct store_txn *txn, const char *who,
	int (*each)(void *arg, const char *peer, const struct chat_event *newest), void *arg)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_chat_talk(who);
	struct chat_target target = {.channel = 0};
	struct chat_event newest;
	struct span key, value;
	int rc = span_copy_str(span_str(who), target.a, sizeof(target.a));

	if (rc == 0)
		rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);
	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = peer_of(key, &prefix, target.b);
		if (rc < 0)
			break;
		if (chat_is_guest(target.a) && chat_is_guest(target.b)) {
			rc = 0;
			continue;
		}
		rc = chat_log_newest(txn, &target, &newest);
		if (rc == 0)
			rc = each(arg, target.b, &newest);
		else if (rc == -ENOENT) /* its time is over */
			rc = 0;
	}
	return rc;
}

/* -- what is left ------------------------------------------------------------------------------ */

static int remove_prefix(struct store_txn *txn, const struct key *prefix)
{
	struct key row;
	struct span key, value;
	int rc;

	while ((rc = kv_seek(txn, key_span(prefix), key_span(prefix), &key, &value)) == 0) {
		row = key_copy(key);
		rc = row_del(txn, &row);
		if (rc < 0)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

/* The rows of a person's talks, on both sides; what was said goes with its time. */
static int remove_talks(struct store_txn *txn, const char *who)
{
	struct key prefix = key_chat_talk(who), mine, theirs;
	char peer[CHAT_WHO_SIZE];
	struct span key, value;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&prefix), &key, &value)) == 0) {
		rc = peer_of(key, &prefix, peer);
		if (rc < 0)
			return rc;
		mine = key_copy(key);
		theirs = key_chat_talk_row(peer, who);
		rc = row_del(txn, &mine);
		if (rc == 0)
			rc = row_del(txn, &theirs);
		if (rc < 0 && rc != -ENOENT)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

int chat_notes_remove(struct store_txn *txn, uint64_t channel, const char *who)
{
	struct key prefix = key_chat_meta(channel, who), bucket;
	int rc = remove_prefix(txn, &prefix);

	if (rc < 0 || channel != 0)
		return rc;
	rc = remove_talks(txn, who);
	prefix = key_chat_mark(who);
	if (rc == 0)
		rc = remove_prefix(txn, &prefix);
	prefix = key_chat_device(who);
	if (rc == 0)
		rc = remove_prefix(txn, &prefix);
	bucket = key_chat_flood(CHAT_FLOOD_PERSON, span_str(who));
	if (rc == 0)
		rc = row_del(txn, &bucket);
	return rc == -ENOENT ? 0 : rc;
}
