/* What channels should be. */
#include "tests/unit/lib/chat_model.h"

const char *const model_nicks[MODEL_PEOPLE] = {"ann", "bob", "cat", "dan", "eve", "g1", "g2", "g3"};
const char *const model_names[MODEL_CHANNELS] = {"#a", "#b", "#c", "#d", "#e"};
const char *const model_keys[2] = {"one", "two"};

enum { NONE, VOICE, HALF, OP, FOUNDER, HOUSE };

static bool is_guest(int who)
{
	return who >= MODEL_ACCOUNTS;
}

/* By nick, or an account by its name though it is away. */
static bool can_be_found(const struct model *m, int who)
{
	return m->present[who] || !is_guest(who);
}

static int rank(const struct model_channel *c, int who)
{
	const unsigned roles = c->members[who].roles;

	if (c->founder == who)
		return FOUNDER;
	return (roles & CHAT_OP) != 0        ? OP
		: (roles & CHAT_HALFOP) != 0 ? HALF
		: (roles & CHAT_VOICE) != 0  ? VOICE
					     : NONE;
}

static int rank_of_actor(const struct model_channel *c, struct model_act a)
{
	return a.override ? HOUSE : rank(c, a.who);
}

unsigned model_joined(const struct model_channel *c)
{
	unsigned count = 0;

	for (int i = 0; i < MODEL_PEOPLE; i++)
		count += c->members[i].joined;
	return count;
}

unsigned model_present(const struct model *m, const struct model_channel *c)
{
	unsigned count = 0;

	for (int i = 0; i < MODEL_PEOPLE; i++)
		count += c->members[i].joined && m->present[i];
	return count;
}

static void clear(struct model_channel *c)
{
	*c = (struct model_channel){.founder = MODEL_NOBODY};
}

static void leave(struct model_channel *c, int who)
{
	c->members[who].joined = false;
	if (is_guest(who))
		c->members[who].roles = 0;
	if (model_joined(c) == 0 && c->founder == MODEL_NOBODY)
		clear(c);
}

/* What stands in the way of any act in a channel. */
static enum chat_answer open_channel(const struct model *m, struct model_act a)
{
	const struct model_channel *c = &m->channels[a.channel];

	if (!c->exists)
		return CHAT_NO_SUCH_CHANNEL;
	return c->members[a.who].joined || a.override ? CHAT_DONE : CHAT_NOT_JOINED;
}

/* -- JOIN, PART -------------------------------------------------------------------------------- */

static enum chat_answer make(struct model *m, struct model_act a)
{
	struct model_channel *c = &m->channels[a.channel];
	unsigned founded = 0;

	for (int i = 0; i < MODEL_CHANNELS; i++)
		founded += m->channels[i].exists && m->channels[i].founder == a.who;
	if (founded >= MODEL_FOUNDED_MAX)
		return CHAT_TOO_MANY;
	clear(c);
	c->exists = true;
	c->founder = is_guest(a.who) ? MODEL_NOBODY : a.who;
	c->modes = CHAT_MODE_NO_EXTERNAL | CHAT_MODE_TOPIC;
	c->members[a.who] = (struct model_member){.joined = true, .roles = CHAT_OP};
	return CHAT_DONE;
}

static enum chat_answer gate(const struct model *m, struct model_act a, int key)
{
	const struct model_channel *c = &m->channels[a.channel];
	const struct model_member *who = &c->members[a.who];

	if (rank_of_actor(c, a) >= HALF || who->invited)
		return CHAT_DONE;
	if ((c->modes & CHAT_MODE_REGISTERED) != 0 && is_guest(a.who))
		return CHAT_REGISTERED_ONLY;
	if (who->banned && !who->excepted)
		return CHAT_BANNED;
	if ((c->modes & CHAT_MODE_INVITE_ONLY) != 0 && !who->invex)
		return CHAT_INVITE_NEEDED;
	if ((c->modes & CHAT_MODE_KEY) != 0 && c->key != key)
		return CHAT_KEY_WRONG;
	if ((c->modes & CHAT_MODE_LIMIT) != 0 && model_present(m, c) >= c->limit)
		return CHAT_FULL;
	return CHAT_DONE;
}

enum chat_answer model_join(struct model *m, struct model_act a, int key)
{
	struct model_channel *c = &m->channels[a.channel];
	enum chat_answer answer;

	if (!c->exists)
		return make(m, a);
	if (c->members[a.who].joined)
		return CHAT_NOTHING;
	answer = gate(m, a, key);
	if (answer == CHAT_DONE) {
		c->members[a.who].joined = true;
		c->members[a.who].invited = false;
	}
	return answer;
}

enum chat_answer model_part(struct model *m, struct model_act a)
{
	enum chat_answer answer = open_channel(m, a);

	if (answer == CHAT_DONE)
		leave(&m->channels[a.channel], a.who);
	return answer;
}

/* -- about others ------------------------------------------------------------------------------ */

enum chat_answer model_kick(struct model *m, struct model_act a, int whom)
{
	struct model_channel *c = &m->channels[a.channel];
	const int mine = rank_of_actor(c, a), theirs = rank(c, whom);
	enum chat_answer answer = open_channel(m, a);

	if (answer != CHAT_DONE)
		return answer;
	if (mine < HALF)
		return CHAT_NOT_OP;
	if (!can_be_found(m, whom))
		return CHAT_NO_SUCH_NICK;
	if (!c->members[whom].joined)
		return CHAT_NOT_MEMBER;
	if (whom != a.who && ((theirs == FOUNDER && mine < HOUSE) || (theirs >= HALF && mine < OP)))
		return CHAT_NOT_OP;
	if (theirs != FOUNDER)
		c->members[whom].roles = 0;
	leave(c, whom);
	return CHAT_DONE;
}

enum chat_answer model_invite(struct model *m, struct model_act a, int whom)
{
	struct model_channel *c = &m->channels[a.channel];
	enum chat_answer answer = open_channel(m, a);

	if (answer != CHAT_DONE)
		return answer;
	if (!can_be_found(m, whom))
		return CHAT_NO_SUCH_NICK;
	if (c->members[whom].joined)
		return CHAT_ALREADY_MEMBER;
	if ((c->modes & CHAT_MODE_INVITE_ONLY) != 0 && rank_of_actor(c, a) < HALF)
		return CHAT_NOT_OP;
	/* Another member's is only told. */
	if (rank_of_actor(c, a) >= HALF)
		c->members[whom].invited = true;
	return CHAT_DONE;
}

/* -- about the channel ------------------------------------------------------------------------- */

enum chat_answer model_topic(struct model *m, struct model_act a)
{
	const struct model_channel *c = &m->channels[a.channel];
	enum chat_answer answer = open_channel(m, a);

	if (answer == CHAT_DONE && (c->modes & CHAT_MODE_TOPIC) != 0 && rank_of_actor(c, a) < HALF)
		answer = CHAT_NOT_OP;
	return answer;
}

enum chat_answer model_rename(struct model *m, struct model_act a, int name)
{
	enum chat_answer answer = open_channel(m, a);

	if (answer != CHAT_DONE)
		return answer;
	if (rank_of_actor(&m->channels[a.channel], a) < OP)
		return CHAT_NOT_OP;
	if (name == a.channel)
		return CHAT_NOTHING;
	if (m->channels[name].exists)
		return CHAT_NAME_USED;
	m->channels[name] = m->channels[a.channel];
	clear(&m->channels[a.channel]);
	return CHAT_DONE;
}

enum chat_answer model_drop(struct model *m, int channel)
{
	if (!m->channels[channel].exists)
		return CHAT_NO_SUCH_CHANNEL;
	clear(&m->channels[channel]);
	return CHAT_DONE;
}

/* -- MODE -------------------------------------------------------------------------------------- */

static enum chat_answer change_role(
	struct model *m, struct model_act a, bool set, unsigned role, int whom)
{
	struct model_channel *c = &m->channels[a.channel];
	struct model_member *w = &c->members[whom];
	const bool may = rank_of_actor(c, a) >= (role == CHAT_VOICE ? HALF : OP);

	if (set && !may)
		return CHAT_NOT_OP;
	if (!can_be_found(m, whom))
		return CHAT_NO_SUCH_NICK;
	if (!w->joined && w->roles == 0)
		return CHAT_NOT_MEMBER;
	if (!may && whom != a.who)
		return CHAT_NOT_OP;
	if (!set && role == CHAT_OP && c->founder == whom)
		return CHAT_FORBIDDEN;
	if (((w->roles & role) != 0) == set)
		return CHAT_NOTHING;
	w->roles ^= role;
	return CHAT_DONE;
}

static enum chat_answer change_mask(bool *entry, bool set)
{
	if (*entry == set)
		return CHAT_NOTHING;
	*entry = set;
	return CHAT_DONE;
}

static enum chat_answer change_value(
	struct model_channel *c, bool set, unsigned mode, unsigned number)
{
	const unsigned now = mode == CHAT_MODE_KEY ? (unsigned)c->key : c->limit;
	const bool is_set = (c->modes & mode) != 0;

	if (set == is_set && (!set || now == number))
		return CHAT_NOTHING;
	c->modes = set ? c->modes | mode : c->modes & ~mode;
	if (mode == CHAT_MODE_KEY)
		c->key = (int)number;
	else
		c->limit = number;
	return CHAT_DONE;
}

static const struct {
	char letter;
	unsigned mode;
} flags[] = {{'i', CHAT_MODE_INVITE_ONLY}, {'m', CHAT_MODE_MODERATED}, {'n', CHAT_MODE_NO_EXTERNAL},
	{'s', CHAT_MODE_SECRET}, {'t', CHAT_MODE_TOPIC}, {'C', CHAT_MODE_NO_CTCP},
	{'R', CHAT_MODE_REGISTERED}};

static enum chat_answer change_channel(struct model_channel *c, bool set, char mode, int x)
{
	struct model_member *w = &c->members[x];

	switch (mode) {
	case 'b':
		return change_mask(&w->banned, set);
	case 'e':
		return change_mask(&w->excepted, set);
	case 'I':
		return change_mask(&w->invex, set);
	case 'k':
		return change_value(c, set, CHAT_MODE_KEY, (unsigned)x);
	case 'l':
		return change_value(c, set, CHAT_MODE_LIMIT, (unsigned)x);
	default:
		break;
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].letter == mode)
			return change_value(c, set, flags[i].mode, c->limit);
	return CHAT_FORBIDDEN;
}

enum chat_answer model_mode(
	struct model *m, struct model_act a, bool set, char mode, int whom_or_number)
{
	struct model_channel *c = &m->channels[a.channel];
	enum chat_answer answer = open_channel(m, a);

	if (answer != CHAT_DONE)
		return answer;
	if (mode == 'o' || mode == 'h' || mode == 'v')
		return change_role(m, a, set,
			mode == 'o'           ? CHAT_OP
				: mode == 'h' ? CHAT_HALFOP
					      : CHAT_VOICE,
			whom_or_number);
	if (rank_of_actor(c, a) < HALF)
		return CHAT_NOT_OP;
	return change_channel(c, set, mode, whom_or_number);
}

/* -- coming and going -------------------------------------------------------------------------- */

void model_come(struct model *m, int who)
{
	m->present[who] = true;
}

void model_go(struct model *m, int who)
{
	m->present[who] = false;
	for (int i = 0; i < MODEL_CHANNELS; i++) {
		struct model_channel *c = &m->channels[i];

		if (is_guest(who))
			c->members[who].invited = false;
		if (c->members[who].joined && (is_guest(who) || !m->always_on))
			leave(c, who);
	}
}
