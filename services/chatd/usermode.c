/* MODE of a nick: one's own flags. */
#include "services/chatd/people.h"
#include "services/chatd/show.h"

static const struct {
	unsigned char letter;
	enum chat_user_flag flag;
} letters[] = {
	{'B', CHAT_USER_BOT},
	{'R', CHAT_USER_REGISTERED_ONLY},
	{'i', CHAT_USER_INVISIBLE},
	{'o', CHAT_USER_OPER},
	{'w', CHAT_USER_WALLOPS},
};
enum { LETTERS = sizeof(letters) / sizeof(*letters) };

static int refuse_other(struct chatd *c, struct span nick)
{
	struct chat_user u;
	bool found = false;
	int r = chatd_person(c, nick, &u, &found);

	if (r <= 0)
		return r;
	if (found)
		chatd_numeric(c, 502, ":Modes of others are theirs to change");
	else
		chatd_refuse(c, CHAT_NO_SUCH_NICK, "MODE", "", chatd_word(nick).text);
	return 0;
}

void chatd_say_modes(struct chatd *c)
{
	char text[LETTERS + 2] = "+";
	size_t len = 1;

	for (size_t i = 0; i < LETTERS; i++)
		if ((c->me.flags & letters[i].flag) != 0)
			text[len++] = (char)letters[i].letter;
	text[len] = '\0';
	chatd_numeric(c, 221, "%s", text);
}

static uint32_t flag_of(unsigned char letter)
{
	for (size_t i = 0; i < LETTERS; i++)
		if (letters[i].letter == letter)
			return letters[i].flag;
	return 0;
}

/* The later of two changes of one letter holds. +o is not to be had here: OPER gives it. False: an
 * unknown letter was among them. */
static bool read_changes(struct span word, struct chat_user_args *args)
{
	bool set = true, known = true;

	for (size_t i = 0; i < word.len; i++) {
		uint32_t flag = flag_of(word.p[i]);

		if (word.p[i] == '+' || word.p[i] == '-') {
			set = word.p[i] == '+';
			continue;
		}
		known = known && flag != 0;
		if (set && flag == CHAT_USER_OPER)
			continue;
		args->set = set ? args->set | flag : args->set & ~flag;
		args->unset = set ? args->unset & ~flag : args->unset | flag;
	}
	return known;
}

int chatd_user_mode(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chatd *c = call->c;
	struct chat_user_args args = {.by = chatd_actor(c), .what = CHAT_SET_FLAGS};
	struct chat_result result = {.answer = CHAT_DONE};
	int r;

	if (!irc_eq(m->params[0], span_str(c->me.nick)))
		return refuse_other(c, m->params[0]);
	if (m->count < 2) {
		chatd_say_modes(c);
		return 0;
	}
	if (!read_changes(m->params[1], &args))
		chatd_numeric(c, 501, ":Unknown letter of a mode");
	if (args.set == 0 && args.unset == 0)
		return 0;
	r = chatd_act(c, STORE_OP_CHAT_USER, &args, &result);
	if (r == 0 && result.answer != CHAT_DONE)
		chatd_refuse(c, result.answer, "MODE", "", c->me.nick);
	return r < 0 ? r : 0;
}
