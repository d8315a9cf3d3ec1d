/*
 * What becomes of an account's chat when the account is removed. Everything that it had goes: its
 * sessions (a QUIT, if it is there), memberships, roles, and what it said to others in private and
 * they to it, since the name may come to somebody else one day. Channels that it founded are
 * nobody's then; they stay while somebody is in them. A locked account keeps all this: its sessions
 * end as their identity does.
 */
#include "store/chat_people_i.h"
#include "store/chat_room_i.h"

#include <errno.h>

/* -- sessions and memberships ------------------------------------------------------------------ */

static int drop_sessions(struct store_txn *txn, const char *who)
{
	struct key prefix = key_chat_session(who);
	struct chat_session s;
	struct span key, value;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&prefix), &key, &value)) == 0) {
		rc = chat_session_decode(key, value, &s);
		if (rc == 0)
			rc = chat_session_delete(txn, &s);
		if (rc < 0)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

/* While it is there others see it go. Its row stays until it has left all channels. */
static int say_goodbye(struct store_txn *txn, const struct chat_user *u, const struct buf *channels,
	int64_t now_us)
{
	struct chat_event e = chat_user_event(CHAT_QUIT, u, channels);
	struct chat_result r = {.head = 0};
	int rc;

	if (u->sessions == 0)
		return 0;
	e.text = SPAN_LIT("The account was removed");
	rc = chat_append(txn, now_us, &e, &r, NULL);
	return rc < 0 ? rc : chat_nick_release(txn, u->nick, u->who);
}

static int leave_channels(struct store_txn *txn, const char *account, int64_t now_us)
{
	_cleanup_(buf_done) struct buf channels = BUF_INIT(ROW_MAX);
	struct chat_user u;
	int rc = chat_user_read(txn, account, &u);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	rc = chat_channel_ids(txn, account, &channels);
	if (rc == 0)
		rc = say_goodbye(txn, &u, &channels, now_us);
	if (rc == 0)
		rc = chat_leave_all(txn, account, &channels, now_us);
	return rc < 0 ? rc : chat_user_remove(txn, account);
}

/* Rows that only kept a role. */
static int drop_roles(struct store_txn *txn, const char *account)
{
	struct key prefix = key_chat_joined(account);
	struct span key, value;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&prefix), &key, &value)) == 0) {
		rc = chat_member_delete(txn, key_number(key_tail(key, sizeof(uint64_t))), account);
		if (rc < 0)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

/* -- founded channels -------------------------------------------------------------------------- */

struct founded {
	const char *account;
	struct buf ids;
};

static int gather_founded(void *arg, const struct chat_channel *c)
{
	struct founded *f = arg;

	if (strcmp(c->founder, f->account) == 0)
		buf_add_u64(&f->ids, c->id);
	return buf_error(&f->ids);
}

static int release_one(struct store_txn *txn, uint64_t id)
{
	struct chat_channel c;
	int rc = chat_channel_read(txn, id, &c);

	if (rc < 0)
		return rc;
	if (c.joined == 0)
		return chat_channel_vanish(txn, &c);
	memset(c.founder, 0, sizeof(c.founder));
	return chat_channel_write(txn, &c);
}

static int release_founded(struct store_txn *txn, const char *account)
{
	struct founded f = {account, BUF_INIT(ROW_MAX)};
	const size_t len = sizeof(uint64_t);
	int rc = chat_channels_each(txn, gather_founded, &f);

	for (size_t at = 0; rc == 0 && at + len <= f.ids.len; at += len)
		rc = release_one(txn, key_number(span_of(f.ids.p + at, len)));
	buf_done(&f.ids);
	return rc;
}

/* -- talks ------------------------------------------------------------------------------------- */

/* Nobody reads them any more; the events themselves go with their time. */
static int drop_talks(struct store_txn *txn, const char *account)
{
	struct key prefix = key_chat_talk(account), at = prefix, log;
	char peer[CHAT_WHO_SIZE];
	struct span key, value;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&at), &key, &value)) == 0) {
		at = key_copy(key);
		at.p[at.len++] = 0; /* the smallest key behind it */
		rc = span_copy_str(
			span_of(key.p + prefix.len, key.len - prefix.len), peer, sizeof(peer));
		log = key_chat_log(0, account, peer);
		if (rc == 0)
			rc = chat_remove_prefix(txn, &log);
		if (rc < 0)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

int chat_account_gone(struct store_txn *txn, const char *account, int64_t now_us)
{
	int rc = drop_sessions(txn, account);

	if (rc == 0)
		rc = leave_channels(txn, account, now_us);
	if (rc == 0)
		rc = release_founded(txn, account);
	if (rc == 0)
		rc = drop_roles(txn, account);
	if (rc == 0)
		rc = drop_talks(txn, account);
	if (rc == 0)
		rc = chat_invites_remove(txn, 0, account);
	return rc < 0 ? rc : chat_notes_remove(txn, 0, account);
}
