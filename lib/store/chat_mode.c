/* MODE of a channel: each change on what the one before it left, one event for all that change
 * something. */
#include "store/chat_room_i.h"

#include "base/text.h"

#include <errno.h>

struct job {
	struct store_txn *txn;
	struct chat_room room;
	struct chat_result *r;
	struct chat_mode_line line;
	bool changed; /* the channel's row */
};

struct mode;
struct mode {
	char letter;
	uint32_t bit; /* of modes, or of roles */
	enum chat_rank least;
	int (*run)(struct job *j, const struct mode *mode, const struct chat_change *change);
};

/* A change that is made: the next event is begun where the line has no more room. */
static int tell(struct job *j, const struct chat_change *change, struct span word)
{
	int rc = 0;

	if (!chat_mode_line_fits(&j->line, word))
		rc = chat_mode_line_append(j->txn, &j->line, &j->room, false, j->r);
	if (rc == 0)
		chat_mode_line_add(&j->line, change->set, change->mode, word);
	return rc;
}

static int set_bit(struct job *j, const struct mode *mode, bool set)
{
	uint32_t *modes = &j->room.channel.modes;

	if (((*modes & mode->bit) != 0) == set)
		return CHAT_NOTHING;
	*modes = set ? *modes | mode->bit : *modes & ~mode->bit;
	j->changed = true;
	return 0;
}

static int run_flag(struct job *j, const struct mode *mode, const struct chat_change *change)
{
	int rc = set_bit(j, mode, change->set);

	return rc != 0 ? rc : tell(j, change, span_of(NULL, 0));
}

static bool key_ok(struct span key)
{
	return key.len > 0 && key.len < CHAT_KEY_SIZE && key.p[0] != ':' && text_is_clean(key) &&
		memchr(key.p, ' ', key.len) == NULL && memchr(key.p, ',', key.len) == NULL;
}

/* A key in the place of another is told as any. Whoever takes it off need not know it. */
static int run_key(struct job *j, const struct mode *mode, const struct chat_change *change)
{
	struct chat_channel *c = &j->room.channel;
	int rc;

	if (!change->set) {
		rc = set_bit(j, mode, false);
		memset(c->key, 0, sizeof(c->key));
		return rc != 0 ? rc : tell(j, change, SPAN_LIT("*"));
	}
	if (!key_ok(change->text))
		return CHAT_KEY_WRONG;
	if (set_bit(j, mode, true) == CHAT_NOTHING && span_eq_str(change->text, c->key))
		return CHAT_NOTHING;
	rc = span_copy_str(change->text, c->key, sizeof(c->key));
	j->changed = true;
	return rc < 0 ? rc : tell(j, change, change->text);
}

static int run_limit(struct job *j, const struct mode *mode, const struct chat_change *change)
{
	_cleanup_(buf_done) struct buf number = BUF_INIT(sizeof("4294967295"));
	struct chat_channel *c = &j->room.channel;
	int rc;

	if (!change->set) {
		rc = set_bit(j, mode, false);
		c->limit = 0;
		return rc != 0 ? rc : tell(j, change, span_of(NULL, 0));
	}
	if (change->limit == 0 ||
		(set_bit(j, mode, true) == CHAT_NOTHING && c->limit == change->limit))
		return CHAT_NOTHING;
	c->limit = change->limit;
	j->changed = true;
	buf_addf(&number, "%u", (unsigned)c->limit);
	rc = buf_error(&number);
	return rc < 0 ? rc : tell(j, change, buf_span(&number));
}

static int run_list(struct job *j, const struct mode *mode, const struct chat_change *change)
{
	const enum chat_list list = (enum chat_list)mode->letter;
	struct chat_list_entry e = {.at_us = j->room.by->now_us};
	int rc;

	if (!change->set) {
		rc = chat_list_take(j->txn, j->room.channel.id, list, change->text, &e);
		return rc != 0 ? rc : tell(j, change, span_str(e.mask));
	}
	if (span_copy_str(change->text, e.mask, sizeof(e.mask)) < 0)
		return CHAT_FORBIDDEN;
	chat_mask_of(&j->room.me, e.by);
	rc = chat_list_add(j->txn, j->room.channel.id, list, &e);
	return rc != 0 ? rc : tell(j, change, change->text);
}

/* -- roles ------------------------------------------------------------------------------------- */

/* Whom the change is about: a member, or an account that keeps a role without being one. */
static int find_member(
	struct job *j, struct span nick, struct chat_user *ret_user, struct chat_member *ret)
{
	int rc = chat_addressee_find(j->txn, nick, ret_user);

	if (rc == -ENOENT)
		return CHAT_NO_SUCH_NICK;
	if (rc == 0)
		rc = chat_member_get(j->txn, j->room.channel.id, ret_user->who, ret);
	if (rc < 0)
		return rc;
	return ret->joined || ret->roles != 0 ? 0 : CHAT_NOT_MEMBER;
}

/* One may lay down one's own role; the founder's is never taken. */
static int judge_role(
	const struct job *j, const struct mode *mode, bool set, const struct chat_member *m)
{
	const bool own = strcmp(m->who, j->room.me.who) == 0;

	if (j->room.rank < mode->least && (set || !own))
		return CHAT_NOT_OP;
	if (!set && mode->bit == CHAT_OP && chat_rank_of(&j->room.channel, m) == CHAT_RANK_FOUNDER)
		return CHAT_FORBIDDEN;
	return ((m->roles & mode->bit) != 0) == set ? CHAT_NOTHING : 0;
}

static int run_role(struct job *j, const struct mode *mode, const struct chat_change *change)
{
	struct chat_member m = {.joined = false};
	struct chat_user u = {.sessions = 0};
	int rc;

	if (j->room.rank < mode->least && change->set)
		return CHAT_NOT_OP;
	rc = find_member(j, change->text, &u, &m);
	if (rc == 0)
		rc = judge_role(j, mode, change->set, &m);
	if (rc != 0)
		return rc;
	m.roles = change->set ? m.roles | mode->bit : m.roles & ~mode->bit;
	rc = chat_member_keep(j->txn, &m);
	/* One's own next change is judged by what this one has left. */
	if (strcmp(m.who, j->room.me.who) == 0 && j->room.rank != CHAT_RANK_HOUSE)
		j->room.rank = chat_rank_of(&j->room.channel, &m);
	return rc < 0 ? rc : tell(j, change, span_str(u.sessions > 0 ? u.nick : u.who));
}

/* -- the operation ----------------------------------------------------------------------------- */

static const struct mode modes[] = {
	{'o', CHAT_OP, CHAT_RANK_OP, run_role},
	{'h', CHAT_HALFOP, CHAT_RANK_OP, run_role},
	{'v', CHAT_VOICE, CHAT_RANK_HALFOP, run_role},
	{CHAT_LIST_BAN, 0, CHAT_RANK_HALFOP, run_list},
	{CHAT_LIST_EXCEPT, 0, CHAT_RANK_HALFOP, run_list},
	{CHAT_LIST_INVEX, 0, CHAT_RANK_HALFOP, run_list},
	{'k', CHAT_MODE_KEY, CHAT_RANK_HALFOP, run_key},
	{'l', CHAT_MODE_LIMIT, CHAT_RANK_HALFOP, run_limit},
	{'i', CHAT_MODE_INVITE_ONLY, CHAT_RANK_HALFOP, run_flag},
	{'m', CHAT_MODE_MODERATED, CHAT_RANK_HALFOP, run_flag},
	{'n', CHAT_MODE_NO_EXTERNAL, CHAT_RANK_HALFOP, run_flag},
	{'s', CHAT_MODE_SECRET, CHAT_RANK_HALFOP, run_flag},
	{'t', CHAT_MODE_TOPIC, CHAT_RANK_HALFOP, run_flag},
	{'C', CHAT_MODE_NO_CTCP, CHAT_RANK_HALFOP, run_flag},
	{'R', CHAT_MODE_REGISTERED, CHAT_RANK_HALFOP, run_flag},
};

static const struct mode *find_mode(char letter)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (modes[i].letter == letter)
			return &modes[i];
	return NULL;
}

static int run_change(struct job *j, const struct chat_change *change)
{
	const struct mode *mode = find_mode(change->mode);

	if (mode == NULL)
		return -EINVAL;
	if (mode->run != run_role && j->room.rank < mode->least)
		return CHAT_NOT_OP;
	return mode->run(j, mode, change);
}

static int run_changes(struct job *j, const struct chat_mode_args *a, struct chat_mode_result *ret)
{
	int rc = 0;

	for (size_t i = 0; i < a->count; i++) {
		rc = run_change(j, &a->changes[i]);
		if (rc < 0)
			return rc;
		ret->each[i] = (enum chat_answer)rc;
	}
	rc = chat_mode_line_append(j->txn, &j->line, &j->room, false, j->r);
	if (rc == 0 && j->changed)
		rc = chat_channel_write(j->txn, &j->room.channel);
	if (rc < 0 || j->r->first == 0)
		return rc < 0 ? rc : CHAT_NOTHING;
	chat_ring_channel(j->r, j->room.channel.id, "");
	return 0;
}

static int run_mode(struct store_txn *txn, const void *args, void *result)
{
	const struct chat_mode_args *a = args;
	struct chat_mode_result *ret = result;
	struct job j = {.txn = txn, .r = &ret->result, .line = CHAT_MODE_LINE_INIT};
	int rc;

	if (a->count > CHAT_CHANGES_MAX)
		return -EINVAL;
	rc = chat_room_open(txn, &a->by, a->channel, a->override, &j.room);
	if (rc > 0)
		for (size_t i = 0; i < a->count; i++)
			ret->each[i] = (enum chat_answer)rc;
	if (rc == 0)
		rc = run_changes(&j, a, ret);
	chat_mode_line_done(&j.line);
	return chat_room_done(txn, &ret->result, rc);
}

int op_chat_mode(struct store_txn *txn, const void *args, void *result)
{
	return chat_flood_run(txn, args, result, true, run_mode);
}
