/* See commands.h. */
#include "client/peer/commands.h"

#include "base/cleanup.h"

#include <errno.h>

struct typed {
	struct peers *p;
	struct call *call; /* in whose window it was typed; NULL */
	const char *words;
};

static void tell(const struct typed *t, const char *text)
{
	talk_note(t->p->talk, t->call != NULL ? t->call->window : NULL, "%s", text);
}

/* -- files ------------------------------------------------------------------------------------- */

/* "~/x" is in the person's home, and quotes may stand around it. */
static void path_read(const char *words, struct buf *ret)
{
	size_t len = strlen(words);
	const char *home = getenv("HOME");

	if (len > 1 && *words == '"' && words[len - 1] == '"') {
		words++;
		len -= 2;
	}
	if (len > 1 && words[0] == '~' && words[1] == '/' && home != NULL) {
		buf_add_str(ret, home);
		words++;
		len--;
	}
	buf_add(ret, span_of(words, len));
}

static int file_open(const struct typed *t, const char *words, char ret_name[DCC_NAME_SIZE])
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	uint64_t size;
	int fd = -1, r;

	path_read(words, &path);
	r = buf_error(&path) < 0 ? -ENAMETOOLONG : give_open(buf_str(&path), &fd, &size);
	if (r < 0) {
		talk_note(t->p->talk, t->call != NULL ? t->call->window : NULL,
			"%s cannot be sent: %s", buf_str(&path),
			r == -EINVAL ? "it is no plain file" : err_text(r));
		return r;
	}
	give_name(buf_str(&path), ret_name);
	return fd;
}

static void send_in(struct call *c, int fd, const char *name)
{
	int r = c->leaving ? -EPIPE : give_begin(c, fd, name);

	if (c->leaving)
		cleanup_close(&fd);
	if (r < 0)
		call_note(c, "%s is not offered: %s", name,
			r == -ENOSPC          ? "too many files are on their way"
				: r == -EPIPE ? "the call is over"
					      : err_text(r));
	else
		call_note(c, "%s is offered to %s", name, c->nick);
}

/* -- asking ------------------------------------------------------------------------------------ */

/* May a request go out now? */
static bool can_ask(const struct typed *t, const char *nick)
{
	if (!talk_is_ready(t->p->talk)) {
		tell(t, "there is no line to the server now, and calls begin there");
	} else if (!talk_has_calls(t->p->talk)) {
		tell(t, "this server does not vouch for who calls, so there are no calls here");
	} else if (irc_eq(span_str(nick), span_str(talk_nick(t->p->talk)))) {
		tell(t, "that is yourself");
	} else if (!irc_nick_ok(span_str(nick), PEER_NAME_SIZE - 1)) {
		tell(t, "that is no nick");
	} else {
		return peers_ready(t->p);
	}
	return false;
}

/* The first word; *rest: what stands behind it. */
static bool word_first(const char *words, char ret[PEER_NAME_SIZE], const char **rest)
{
	size_t len = strcspn(words, " ");

	if (len == 0 || span_copy_str(span_of(words, len), ret, PEER_NAME_SIZE) < 0)
		return false;
	*rest = words + len + strspn(words + len, " ");
	return true;
}

static void send_to(const struct typed *t, const char *nick, const char *words)
{
	struct call *c = call_with(t->p, nick);
	char name[DCC_NAME_SIZE];
	int fd;

	if (c == NULL && !can_ask(t, nick))
		return;
	fd = file_open(t, words, name);
	if (fd < 0)
		return;
	if (c != NULL)
		send_in(c, fd, name);
	else
		ask_call(t->p, nick, fd, name);
}

static void cmd_call(const struct typed *t)
{
	char nick[PEER_NAME_SIZE];
	const char *rest;
	struct call *c;

	if (!word_first(t->words, nick, &rest)) {
		tell(t, "/call NICK [FILE]");
		return;
	}
	if (*rest != '\0') {
		send_to(t, nick, rest);
		return;
	}
	c = call_with(t->p, nick);
	if (c != NULL)
		(void)talk_call_open(t->p->talk, c->window, true);
	else if (can_ask(t, nick))
		ask_call(t->p, nick, -1, "");
}

static void cmd_send(const struct typed *t)
{
	char nick[PEER_NAME_SIZE], name[DCC_NAME_SIZE];
	const char *rest;
	int fd;

	if (t->call != NULL && *t->words != '\0') {
		fd = file_open(t, t->words, name);
		if (fd >= 0)
			send_in(t->call, fd, name);
	} else if (t->call == NULL && word_first(t->words, nick, &rest) && *rest != '\0') {
		send_to(t, nick, rest);
	} else {
		tell(t, t->call != NULL ? "/send FILE" : "/send NICK FILE");
	}
}

/* -- answering --------------------------------------------------------------------------------- */

/* A file of the call in whose window it is typed, or a call. */
static void answer(const struct typed *t, bool yes)
{
	struct offer *o;

	if (t->call != NULL && take_answer(t->call, t->words, yes))
		return;
	o = ask_waiting(t->p, *t->words != '\0' ? t->words : NULL);
	if (o != NULL)
		ask_answered(o, yes);
	else
		tell(t, "nobody asks for a call here, and no file is offered");
}

static void cmd_accept(const struct typed *t)
{
	answer(t, true);
}

static void cmd_decline(const struct typed *t)
{
	answer(t, false);
}

static void cmd_get(const struct typed *t)
{
	if (t->call == NULL)
		tell(t, "/get is for the window of a call");
	else if (!take_answer(t->call, t->words, true))
		tell(t, "no such file is offered");
}

static void cmd_hangup(const struct typed *t)
{
	struct call *c = *t->words != '\0' ? call_with(t->p, t->words) : t->call;

	if (c != NULL)
		call_hang_up(c);
	else if (!ask_take_back(t->p, *t->words != '\0' ? t->words : NULL))
		tell(t, "there is no call to end");
}

bool peer_command(struct peers *p, const char *window, const char *name, const char *words)
{
	static const struct {
		const char *name;
		void (*run)(const struct typed *t);
	} commands[] = {{"call", cmd_call}, {"send", cmd_send}, {"accept", cmd_accept},
		{"decline", cmd_decline}, {"get", cmd_get}, {"hangup", cmd_hangup}};
	const struct typed t = {.p = p, .call = call_find(p, window), .words = words};

	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(commands[i].name, name) == 0) {
			commands[i].run(&t);
			return true;
		}
	return false;
}
