/* People come and go: a session becomes one of a person's, and with the last one the person goes.
 */
#include "store/chat_people_i.h"
#include "store/chat_room_i.h"

#include <errno.h>
#include <stdio.h>

enum { ID_LEN = 8 };

#define FLAGS_AT_FIRST                                                                         \
	(CHAT_USER_INVISIBLE | CHAT_USER_WALLOPS | CHAT_USER_BOT | CHAT_USER_REGISTERED_ONLY | \
		CHAT_USER_OPER)

/* -- sessions ---------------------------------------------------------------------------------- */

int chat_session_add(struct store_txn *txn, struct chat_user *u, const struct chat_session *s)
{
	int rc = chat_session_write(txn, s);

	if (rc == 0)
		u->sessions++;
	return rc;
}

int chat_session_delete(struct store_txn *txn, const struct chat_session *s)
{
	struct key key = key_chat_session_row(s->who, s->id);
	struct key by_id = key_chat_session_id(s->id);
	int rc = row_del(txn, &key);

	return rc < 0 ? rc : row_del(txn, &by_id);
}

/* The registration with which everybody is woken. */
static struct bell_args bell_of(const struct chat_session *s)
{
	struct bell_args b = {.session_id = s->id};

	memcpy(b.bell, s->bell, sizeof(b.bell));
	(void)snprintf(b.topic, sizeof(b.topic), "%s", CHAT_TOPIC_BELL);
	(void)snprintf(b.service, sizeof(b.service), "%s", CHAT_SERVICE);
	return b;
}

/* -- ATTACH ------------------------------------------------------------------------------------ */

int chat_guest_make(struct store_txn *txn, char ret_who[CHAT_WHO_SIZE])
{
	struct key key = key_meta(CHAT_META_GUEST);
	uint64_t n = 0;
	int rc = row_counter(txn, &key, &n);

	if (rc == 0)
		rc = row_counter_put(txn, &key, ++n);
	if (rc < 0)
		return rc;
	memset(ret_who, 0, CHAT_WHO_SIZE);
	(void)snprintf(ret_who, CHAT_WHO_SIZE, "*%llu", (unsigned long long)n);
	return 0;
}

/* Comes as asked for. What it had said of itself when it was here before is forgotten. */
static int user_of(struct store_txn *txn, const struct chat_attach_args *a, struct chat_user *ret)
{
	struct chat_user u;
	int rc = 0;

	memset(&u, 0, sizeof(u)); /* it becomes part of a result, which is compared whole */
	if (a->account[0] == '\0')
		rc = chat_guest_make(txn, u.who);
	else
		chat_text_fit(span_str(a->account), u.who, sizeof(u.who));
	chat_text_fit(a->nick, u.nick, sizeof(u.nick));
	chat_text_fit(a->ident, u.ident, sizeof(u.ident));
	chat_text_fit(a->host, u.host, sizeof(u.host));
	chat_text_fit(a->realname, u.realname, sizeof(u.realname));
	chat_spell(&u, a->account, a->spelled);
	u.flags = a->flags & FLAGS_AT_FIRST;
	u.since_us = a->by.now_us;
	u.spoke_us = a->by.now_us;
	*ret = u;
	return rc;
}

/* The event of who has come, and the channels that see it. */
static int tell_arrival(struct store_txn *txn, const struct chat_attach_args *a,
	const struct chat_user *u, struct chat_result *r)
{
	_cleanup_(buf_done) struct buf channels = BUF_INIT(ROW_MAX);
	struct chat_event e;
	int rc = chat_channel_ids(txn, u->who, &channels);

	if (rc < 0)
		return rc;
	e = chat_user_event(CHAT_ONLINE, u, &channels);
	e.session = a->by.session;
	return chat_append(txn, a->by.now_us, &e, r, NULL);
}

static int arrive(struct store_txn *txn, const struct chat_attach_args *a, struct chat_user *u,
	struct chat_result *r)
{
	int rc = chat_nick_judge(txn, a->nick, a->account);

	if (rc == 0)
		rc = user_of(txn, a, u);
	if (rc == 0)
		rc = chat_nick_free(txn, u->who, a->by.now_us, r);
	if (rc == 0)
		rc = chat_nick_claim(txn, u->nick, u->who);
	if (rc == 0)
		rc = tell_arrival(txn, a, u, r);
	if (rc == 0)
		rc = chat_presence(txn, u->who, 1);
	chat_ring_all(r);
	return rc;
}

/* A session that the store knows, and that is nobody's yet. */
static int session_is_free(struct store_txn *txn, const struct chat_attach_args *a)
{
	struct key key = key_session_row(CHAT_SERVICE, a->by.session);
	struct chat_session s;
	struct span value;
	int rc = row_get(txn, &key, &value);

	if (rc == 0)
		rc = chat_session_read(txn, a->by.session, &s);
	if (rc == 0)
		return -EINVAL;
	return rc == -ENOENT && row_get(txn, &key, &value) == 0 ? 0 : rc;
}

static int add_session(struct store_txn *txn, const struct chat_attach_args *a, struct chat_user *u,
	struct chat_session *s)
{
	struct bell_args bell;
	int rc;

	s->id = a->by.session;
	s->secure = a->secure;
	memcpy(s->who, u->who, sizeof(s->who));
	memcpy(s->spki_sha256, a->spki_sha256, sizeof(s->spki_sha256));
	chat_text_fit(a->device, s->device, sizeof(s->device));
	if (a->bell != NULL && span_copy_str(span_str(a->bell), s->bell, sizeof(s->bell)) < 0)
		return -EINVAL;
	rc = chat_session_add(txn, u, s);
	if (rc < 0 || s->bell[0] == '\0')
		return rc;
	bell = bell_of(s);
	return op_bell_add(txn, &bell, NULL);
}

static int attach(
	struct store_txn *txn, const struct chat_attach_args *a, struct chat_attach_result *res)
{
	struct chat_session s = {.id = 0};
	struct account account;
	int rc = session_is_free(txn, a);

	if (rc == 0 && a->account[0] != '\0')
		rc = chat_account_read(txn, a->account, &account);
	if (rc < 0)
		return rc;
	rc = a->account[0] != '\0' ? chat_user_read(txn, a->account, &res->user) : -ENOENT;
	if (rc < 0 && rc != -ENOENT)
		return rc;
	res->arrived = rc == -ENOENT || res->user.sessions == 0;
	rc = res->arrived ? arrive(txn, a, &res->user, &res->result) : 0;
	if (rc == 0)
		rc = add_session(txn, a, &res->user, &s);
	if (rc == 0)
		rc = chat_user_write(txn, &res->user);
	return rc == 0 ? chat_seen_read(txn, s.who, s.device, &res->seen) : rc;
}

int op_chat_attach(struct store_txn *txn, const void *args, void *result)
{
	const struct chat_attach_args *a = args;
	struct chat_attach_result *res = result;
	int rc;

	if (a->by.session == 0 || a->account == NULL || strlen(a->account) >= ACCOUNT_NAME_SIZE)
		return -EINVAL;
	rc = attach(txn, a, res);
	if (rc > 0) /* a refusal tells nothing of anybody */
		memset(res, 0, sizeof(*res));
	return chat_room_done(txn, &res->result, rc);
}

/* -- leaving ----------------------------------------------------------------------------------- */

int chat_leave_all(
	struct store_txn *txn, const char *who, const struct buf *channels, int64_t now_us)
{
	int rc = 0;

	for (size_t at = 0; rc == 0 && at + ID_LEN <= channels->len; at += ID_LEN)
		rc = chat_leave(txn, key_number(span_of(channels->p + at, ID_LEN)), who, now_us);
	return rc;
}

int chat_guest_forget(struct store_txn *txn, const struct chat_user *u)
{
	int rc = chat_invites_remove(txn, 0, u->who);

	if (rc == 0)
		rc = chat_notes_remove(txn, 0, u->who);
	return rc < 0 ? rc : chat_user_remove(txn, u->who);
}

/* What is left of who is gone: of a guest nothing, of an account all but its presence, or, where
 * policy says so, its memberships. */
static int leave_behind(
	struct store_txn *txn, struct chat_user *u, const struct buf *channels, int64_t now_us)
{
	char always_on[POLICY_VALUE_SIZE];
	bool stays;
	int rc = policy_text_read(txn, "chat_always_on", always_on);

	if (rc < 0)
		return rc;
	stays = !chat_is_guest(u->who) && strcmp(always_on, "yes") == 0;
	if (stays) /* the counts take absence from a row that is absent, and the members */
		rc = chat_presence(txn, u->who, -1);
	else
		rc = chat_leave_all(txn, u->who, channels, now_us);
	if (rc < 0)
		return rc;
	if (chat_is_guest(u->who))
		return chat_guest_forget(txn, u);
	u->since_us = now_us;
	return chat_user_write(txn, u);
}

int chat_depart(struct store_txn *txn, struct chat_user *u, uint64_t session, struct span text,
	int64_t now_us, struct chat_result *r)
{
	_cleanup_(buf_done) struct buf channels = BUF_INIT(ROW_MAX);
	struct chat_event e;
	uint64_t seq = 0;
	int rc = chat_channel_ids(txn, u->who, &channels);

	if (rc < 0)
		return rc;
	e = chat_user_event(CHAT_QUIT, u, &channels);
	e.session = session;
	e.text = text;
	rc = chat_append(txn, now_us, &e, r, &seq);
	if (rc == 0)
		rc = chat_whowas_note(txn, u, seq, now_us);
	if (rc == 0)
		rc = chat_nick_release(txn, u->nick, u->who);
	chat_ring_all(r);
	return rc < 0 ? rc : leave_behind(txn, u, &channels, now_us);
}

static int leave(struct store_txn *txn, const struct chat_session *s, struct span text,
	int64_t now_us, struct chat_result *r)
{
	struct chat_user u;
	int rc = chat_user_read(txn, s->who, &u);

	if (rc == 0)
		rc = chat_session_delete(txn, s);
	if (rc < 0)
		return rc;
	if (u.sessions > 1) {
		u.sessions--;
		return chat_user_write(txn, &u);
	}
	u.sessions = 0;
	return chat_depart(txn, &u, s->id, text, now_us, r);
}

int chat_session_gone(struct store_txn *txn, uint64_t session, int64_t now_us)
{
	struct chat_result r = {.head = 0};
	struct chat_session s;
	int rc = chat_session_read(txn, session, &s);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	return leave(txn, &s, SPAN_LIT("Connection lost"), now_us, &r);
}

static int detach(struct store_txn *txn, const struct chat_detach_args *a,
	const struct chat_session *s, struct chat_result *r)
{
	struct bell_args bell = bell_of(s);
	char text[CHAT_TOPIC_SIZE];
	int rc = a->seen > 0 ? chat_seen_note(txn, s, a->seen, a->by.now_us) : 0;

	if (rc == 0 && s->bell[0] != '\0')
		rc = op_bell_remove(txn, &bell, NULL);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	chat_text_fit(a->text, text, sizeof(text));
	return leave(txn, s, span_str(text), a->by.now_us, r);
}

/* A session that was taken off before (its account was removed) has nothing to leave. */
int op_chat_detach(struct store_txn *txn, const void *args, void *result)
{
	const struct chat_detach_args *a = args;
	struct chat_session s;
	int rc = chat_session_read(txn, a->by.session, &s);

	if (rc == -ENOENT) {
		chat_ring_all(result); /* others may not know yet that it left */
		return chat_room_done(txn, result, CHAT_NOTHING);
	}
	if (rc == 0 && (a->by.who == NULL || strcmp(a->by.who, s.who) != 0))
		return -EINVAL;
	if (rc == 0)
		rc = detach(txn, a, &s, result);
	return chat_room_done(txn, result, rc);
}
