/*
 * Nicks: one for each person who is there, nobody's twice, and an account's name for nobody but the
 * account. Also who had a nick before (WHOWAS).
 */
#include "store/chat_people_i.h"
#include "store/chat_room_i.h"

#include "base/num.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>

enum { SPARE_TRIES = 1000 };

/* -- rows -------------------------------------------------------------------------------------- */

int chat_nick_claim(struct store_txn *txn, const char *nick, const char *who)
{
	struct key key = key_chat_nick(span_str(nick));

	return kv_put(txn, key_span(&key), span_str(who));
}

int chat_nick_release(struct store_txn *txn, const char *nick, const char *who)
{
	struct key key = key_chat_nick(span_str(nick));
	struct span value;
	int rc = row_get(txn, &key, &value);

	if (rc == 0 && span_eq_str(value, who))
		rc = row_del(txn, &key);
	return rc == -ENOENT ? 0 : rc;
}

/* What no line of IRC could carry is no nick, nor what looks like a channel or a guest. */
static bool is_nick(struct span nick)
{
	if (nick.len == 0 || nick.len >= CHAT_NICK_SIZE || !text_is_clean(nick))
		return false;
	if (strchr("#*:", nick.p[0]) != NULL)
		return false;
	for (size_t i = 0; i < nick.len; i++)
		if (strchr(" !@,", nick.p[i]) != NULL)
			return false;
	return true;
}

static bool same_nick(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (key_fold(a.p[i]) != key_fold(b.p[i]))
			return false;
	return true;
}

int chat_nick_reserved(struct store_txn *txn, struct span nick, const char *who)
{
	char name[ACCOUNT_NAME_SIZE] = "";
	struct account a;
	int rc;

	if (nick.len >= sizeof(name) || same_nick(nick, span_str(who)))
		return 0;
	for (size_t i = 0; i < nick.len; i++)
		name[i] = (char)key_fold(nick.p[i]);
	rc = account_read(txn, name, &a);
	return rc == -ENOENT ? 0 : rc < 0 ? rc : 1;
}

int chat_nick_judge(struct store_txn *txn, struct span nick, const char *who)
{
	struct chat_user holder;
	int rc;

	if (!is_nick(nick))
		return -EINVAL;
	if (same_nick(nick, span_str(who)))
		return 0;
	rc = chat_nick_find(txn, nick, &holder);
	if (rc == 0 && strcmp(holder.who, who) != 0)
		return CHAT_NICK_USED;
	if (rc < 0 && rc != -ENOENT)
		return rc;
	rc = chat_nick_reserved(txn, nick, who);
	return rc == 1 ? CHAT_NICK_RESERVED : rc;
}

/* A guest's own number is mostly free; an account begins with 1. */
int chat_nick_spare(struct store_txn *txn, const char *who, char ret[CHAT_NICK_SIZE])
{
	char nick[CHAT_NICK_SIZE] = "";
	uint64_t n = 1;
	int rc = CHAT_NICK_USED;

	if (chat_is_guest(who) && num_parse_u64(span_str(who + 1), 1, UINT64_MAX, &n) < 0)
		return -EBADMSG;
	for (int i = 0; i < SPARE_TRIES && rc > 0; i++) {
		memset(nick, 0, sizeof(nick));
		(void)snprintf(nick, sizeof(nick), "guest%llu", (unsigned long long)n++);
		rc = chat_nick_judge(txn, span_str(nick), who);
	}
	if (rc > 0)
		rc = -EUSERS;
	if (rc == 0)
		memcpy(ret, nick, sizeof(nick));
	return rc;
}

/* -- who was it -------------------------------------------------------------------------------- */

int chat_remove_prefix(struct store_txn *txn, const struct key *prefix)
{
	struct span key, value;
	int rc;

	while ((rc = kv_seek(txn, key_span(prefix), key_span(prefix), &key, &value)) == 0) {
		rc = kv_del(txn, key);
		if (rc < 0)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

/* The row behind the last that is kept. One comes, so at most one goes. */
static int find_surplus(struct store_txn *txn, const struct key *prefix, struct key *ret)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(prefix), key_span(prefix), &it);

	for (int n = 0; rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1; n++) {
		rc = 0;
		if (n < CHAT_WHOWAS_MAX)
			continue;
		*ret = key_copy(key);
		return 1;
	}
	return rc;
}

int chat_whowas_note(struct store_txn *txn, const struct chat_user *u, uint64_t seq, int64_t now_us)
{
	struct key prefix = key_chat_whowas(span_str(u->nick)), surplus;
	struct chat_whowas w = {.left_us = now_us};
	int rc;

	memcpy(w.nick, u->nick, sizeof(w.nick));
	memcpy(w.ident, u->ident, sizeof(w.ident));
	memcpy(w.host, u->host, sizeof(w.host));
	memcpy(w.realname, u->realname, sizeof(w.realname));
	if (!chat_is_guest(u->who))
		memcpy(w.account, u->who, sizeof(w.account) - 1);
	rc = chat_whowas_write(txn, &w, seq);
	if (rc == 0)
		rc = find_surplus(txn, &prefix, &surplus);
	return rc == 1 ? row_del(txn, &surplus) : rc;
}

/* -- NICK -------------------------------------------------------------------------------------- */

int chat_nick_change(struct store_txn *txn, const struct chat_actor *by, const struct chat_user *u,
	const char *nick, struct chat_result *r)
{
	_cleanup_(buf_done) struct buf channels = BUF_INIT(ROW_MAX);
	struct chat_user after = *u;
	struct chat_event e;
	uint64_t seq = 0;
	int rc = chat_channel_ids(txn, u->who, &channels);

	if (rc < 0)
		return rc;
	e = chat_user_event(CHAT_NICK, u, &channels);
	e.session = by->session;
	e.subject = span_str(nick);
	rc = chat_append(txn, by->now_us, &e, r, &seq);
	if (rc == 0 && !same_nick(span_str(u->nick), span_str(nick)))
		rc = chat_whowas_note(txn, u, seq, by->now_us);
	if (rc == 0)
		rc = chat_nick_release(txn, u->nick, u->who);
	if (rc == 0)
		rc = chat_nick_claim(txn, nick, u->who);
	chat_text_fit(span_str(nick), after.nick, sizeof(after.nick));
	return rc < 0 ? rc : chat_user_write(txn, &after);
}

int chat_nick_free(
	struct store_txn *txn, const char *account, int64_t now_us, struct chat_result *r)
{
	const struct chat_actor nobody = {.now_us = now_us};
	char nick[CHAT_NICK_SIZE] = "";
	struct chat_user u;
	int rc = chat_nick_find(txn, span_str(account), &u);

	if (rc < 0 || strcmp(u.who, account) == 0)
		return rc == -ENOENT ? 0 : rc;
	if (!chat_is_guest(u.who))
		chat_text_fit(span_str(u.who), nick, sizeof(nick));
	else
		rc = chat_nick_spare(txn, u.who, nick);
	return rc < 0 ? rc : chat_nick_change(txn, &nobody, &u, nick, r);
}

struct ban_check {
	struct store_txn *txn;
	const struct chat_user *u;
};

/* In this channel one is banned, and nothing lifts it. */
static int is_banned_in(void *arg, const struct chat_member *m, const struct chat_channel *c)
{
	const struct ban_check *b = arg;
	int rc;

	if (m->roles != 0)
		return 0;
	rc = chat_list_matches(b->txn, c->id, CHAT_LIST_BAN, b->u, false);
	if (rc <= 0)
		return rc;
	rc = chat_list_matches(b->txn, c->id, CHAT_LIST_EXCEPT, b->u, false);
	return rc < 0 ? rc : rc == 0;
}

static int run_nick(struct store_txn *txn, const void *args, void *result)
{
	const struct chat_nick_args *a = args;
	struct chat_result *r = result;
	struct chat_user me;
	struct ban_check ban = {txn, &me};
	char nick[CHAT_NICK_SIZE] = "";
	int rc = a->by.session != 0 ? chat_actor_read(txn, &a->by, &me) : -EINVAL;

	if (rc == 0)
		rc = chat_nick_judge(txn, a->nick, me.who);
	if (rc < 0)
		return rc;
	if (rc == 0 && span_eq_str(a->nick, me.nick))
		rc = CHAT_NOTHING;
	if (rc == 0 && (rc = chat_joined_each(txn, me.who, is_banned_in, &ban)) == 1)
		rc = CHAT_BANNED;
	if (rc == 0)
		rc = chat_nick_free(txn, me.who, a->by.now_us, r);
	if (rc == 0) {
		chat_text_fit(a->nick, nick, sizeof(nick));
		rc = chat_nick_change(txn, &a->by, &me, nick, r);
		chat_ring_all(r);
	}
	return chat_room_done(txn, r, rc);
}

int op_chat_nick(struct store_txn *txn, const void *args, void *result)
{
	return chat_flood_run(txn, args, result, false, run_nick);
}
