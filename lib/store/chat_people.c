/* Reading people: who is there, by which nick, with which sessions, and how many. */
#include "store/chat_people_i.h"
#include "store/chat_room_i.h"

#include "base/match.h"

#include <errno.h>
#include <stdio.h>

enum { COUNTS_VERSION = 1, ID_LEN = 8 };

/* -- one person -------------------------------------------------------------------------------- */

int chat_user_read(struct store_txn *txn, const char *who, struct chat_user *ret)
{
	struct key key;
	struct span value;
	int rc;

	if (who[0] == '\0' || strlen(who) >= CHAT_WHO_SIZE)
		return -ENOENT;
	key = key_chat_user(who);
	rc = row_get(txn, &key, &value);
	return rc < 0 ? rc : chat_user_decode(key_span(&key), value, ret);
}

/* A value that is somebody's name: of a nick, of a session's number. */
static int read_who(struct span value, char ret[CHAT_WHO_SIZE])
{
	return value.len == 0 || span_copy_str(value, ret, CHAT_WHO_SIZE) < 0 ? -EBADMSG : 0;
}

int chat_nick_find(struct store_txn *txn, struct span nick, struct chat_user *ret)
{
	struct key key = key_chat_nick(nick);
	char who[CHAT_WHO_SIZE] = "";
	struct span value;
	int rc;

	if (nick.len == 0 || nick.len >= CHAT_NICK_SIZE || key.bad)
		return -ENOENT;
	rc = row_get(txn, &key, &value);
	if (rc == 0)
		rc = read_who(value, who);
	return rc < 0 ? rc : chat_user_read(txn, who, ret);
}

int chat_account_read(struct store_txn *txn, const char *name, struct account *ret)
{
	struct account a = {.flags = 0};
	int rc = account_read(txn, name, &a);

	if (rc == 0 && (a.flags & ACCOUNT_HOST) != 0)
		rc = -ENOENT;
	if (rc == 0)
		*ret = a;
	return rc;
}

/* An account that is not there, known by its name: its last nick may be another's by now. */
static int absent_account(struct store_txn *txn, struct span nick, struct chat_user *ret)
{
	char name[ACCOUNT_NAME_SIZE] = "";
	struct chat_user u;
	struct account a;
	int rc;

	if (nick.len >= sizeof(name) || memchr(nick.p, '\0', nick.len) != NULL)
		return -ENOENT;
	for (size_t i = 0; i < nick.len; i++)
		name[i] = (char)key_fold(nick.p[i]);
	rc = chat_account_read(txn, name, &a);
	if (rc == 0 && (a.flags & ACCOUNT_LOCKED) != 0)
		rc = -ENOENT;
	if (rc < 0)
		return rc;
	rc = chat_user_read(txn, name, &u);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (rc == 0 && u.sessions > 0)
		return -ENOENT;
	if (rc == -ENOENT) {
		u = (struct chat_user){.flags = 0};
		memcpy(u.who, name, sizeof(name));
		(void)snprintf(u.ident, sizeof(u.ident), "%.*s", CHAT_IDENT_SIZE - 1, name);
		(void)snprintf(u.host, sizeof(u.host), "user.%s", name);
	}
	memcpy(u.nick, name, sizeof(u.nick));
	*ret = u;
	return 0;
}

int chat_addressee_find(struct store_txn *txn, struct span nick, struct chat_user *ret)
{
	int rc = chat_nick_find(txn, nick, ret);

	return rc == -ENOENT && nick.len > 0 ? absent_account(txn, nick, ret) : rc;
}

int chat_users_each(
	struct store_txn *txn, int (*each)(void *arg, const struct chat_user *u), void *arg)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key table = key_table(KEY_CHAT_NICK);
	char who[CHAT_WHO_SIZE] = "";
	struct chat_user u;
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&table), key_span(&table), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = read_who(value, who);
		if (rc == 0)
			rc = chat_user_read(txn, who, &u);
		if (rc == 0)
			rc = each(arg, &u);
	}
	return rc;
}

/* -- sessions ---------------------------------------------------------------------------------- */

int chat_sessions_each(struct store_txn *txn, const char *who,
	int (*each)(void *arg, const struct chat_session *s), void *arg)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_chat_session(who);
	struct chat_session s;
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = chat_session_decode(key, value, &s);
		if (rc == 0)
			rc = each(arg, &s);
	}
	return rc;
}

int chat_whowas_each(struct store_txn *txn, struct span nick,
	int (*each)(void *arg, const struct chat_whowas *w), void *arg)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_chat_whowas(nick);
	struct chat_whowas w;
	struct span key, value;
	int rc;

	if (nick.len == 0 || nick.len >= CHAT_NICK_SIZE || prefix.bad)
		return 0;
	rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);
	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = chat_whowas_decode(key, value, &w);
		if (rc == 0)
			rc = each(arg, &w);
	}
	return rc;
}

/* -- counts: kept beside the rows of people, since everybody who comes is told them -------------
 */

int chat_counts_decode(struct span value, struct chat_counts *ret)
{
	struct rec r = row_open(value, COUNTS_VERSION);
	struct chat_counts c = {.users = rec_u64(&r)};

	c.invisible = rec_u64(&r);
	c.opers = rec_u64(&r);
	c.users_max = rec_u64(&r);
	if (rec_end(&r) < 0)
		return -EBADMSG;
	*ret = c;
	return 0;
}

static int counts_read(struct store_txn *txn, struct chat_counts *ret)
{
	struct key key = key_meta(CHAT_META_COUNTS);
	struct span value;
	int rc = row_get(txn, &key, &value);

	if (rc == 0)
		return chat_counts_decode(value, ret);
	if (rc == -ENOENT) {
		*ret = (struct chat_counts){.users = 0};
		rc = 0;
	}
	return rc;
}

static int counts_write(struct store_txn *txn, const struct chat_counts *c)
{
	struct key key = key_meta(CHAT_META_COUNTS);
	struct buf b = row_begin(COUNTS_VERSION);

	buf_add_u64(&b, c->users);
	buf_add_u64(&b, c->invisible);
	buf_add_u64(&b, c->opers);
	buf_add_u64(&b, c->users_max);
	return row_put(txn, &key, &b);
}

/* What a person adds to the counts. */
static struct chat_counts share_of(const struct chat_user *u)
{
	struct chat_counts c = {.users = 0};

	if (u == NULL || u->sessions == 0)
		return c;
	c.users = 1;
	c.invisible = (u->flags & CHAT_USER_INVISIBLE) != 0;
	c.opers = (u->flags & CHAT_USER_OPER) != 0;
	return c;
}

/* A count that was wrong (store_check() tells) stops nobody from leaving. */
static uint64_t changed(uint64_t count, uint64_t before, uint64_t after)
{
	return count + after < before ? 0 : count + after - before;
}

int chat_counts_change(struct store_txn *txn, const char *who, const struct chat_user *after)
{
	struct chat_counts old = {.users = 0}, new = share_of(after), all = {.users = 0};
	struct chat_user u;
	int rc = chat_user_read(txn, who, &u);

	if (rc == 0)
		old = share_of(&u);
	else if (rc != -ENOENT)
		return rc;
	if (old.users == new.users && old.invisible == new.invisible &&old.opers == new.opers)
		return 0;
	rc = counts_read(txn, &all);
	if (rc < 0)
		return rc;
	all.users = changed(all.users, old.users, new.users);
	all.invisible = changed(all.invisible, old.invisible, new.invisible);
	all.opers = changed(all.opers, old.opers, new.opers);
	if (all.users > all.users_max)
		all.users_max = all.users;
	return counts_write(txn, &all);
}

static int count_channel(void *arg, const struct chat_channel *c)
{
	struct chat_counts *counts = arg;

	counts->channels += c->present > 0;
	return 0;
}

int chat_count(struct store_txn *txn, struct chat_counts *ret)
{
	struct chat_counts c = {.users = 0};
	int rc = counts_read(txn, &c);

	if (rc == 0)
		rc = chat_channels_each(txn, count_channel, &c);
	if (rc == 0)
		*ret = c;
	return rc;
}

int chat_user_remove(struct store_txn *txn, const char *who)
{
	struct key key = key_chat_user(who);
	int rc = chat_counts_change(txn, who, NULL);

	return rc < 0 ? rc : row_del(txn, &key);
}

void chat_spell(struct chat_user *u, const char *account, struct span spelled)
{
	memset(u->spelled, 0, sizeof(u->spelled));
	chat_text_fit(match_eq(spelled, span_str(account)) ? spelled : span_str(account),
		u->spelled, sizeof(u->spelled));
}
