/* quintet chat: options, and which of its parts is meant. */
#include "client/ask.h"
#include "client/chat/once.h"
#include "client/chat/ui.h"

#include <limits.h>

struct given {
	const char *user, *password_file, *nick, *downloads, *send;
	struct once_options once;
};

typedef int (*once_run)(struct client *c, const struct profile *p, const struct talk_options *o,
	const struct once_options *own, const struct client_words *words);

enum {
	O_COUNT = 1,
	O_SINCE = 2,
	O_NOTICE = 4,
	O_JOIN = 8,
	O_EVENTS = 16,
	O_DOWNLOADS = 32,
	O_SEND = 64
};

static const struct once {
	struct client_command base; /* run is not used */
	once_run run;
	unsigned options;
	size_t min_words, max_words;
	bool text_follows; /* behind the first word nothing is an option */
} onces[] = {
	{{"send", NULL, "chat send [--notice] [--join] NICK|#CHANNEL [TEXT ...]",
		 "say something, or the lines of standard input"},
		once_send, O_NOTICE | O_JOIN, 1, SIZE_MAX, true},
	{{"tail", NULL, "chat tail [-n COUNT] [--events] NICK|#CHANNEL ...",
		 "print what is said, as it comes"},
		once_tail, O_COUNT | O_EVENTS, 1, 64, false},
	{{"history", NULL, "chat history [-n COUNT] [--since TIME] [--events] NICK|#CHANNEL",
		 "print what was said"},
		once_history, O_COUNT | O_SINCE | O_EVENTS, 1, 1, false},
};

enum { SESSION_ROWS = 3, OWN_ROWS = 7, ROWS = SESSION_ROWS + OWN_ROWS + 1 };

static void rows_fill(struct client_option rows[ROWS], struct given *g, unsigned options)
{
	const struct client_option session[SESSION_ROWS] = {
		{"user", 'u', "NAME", &g->user, NULL, "the account, by password"},
		{"password-file", 'P', "FILE", &g->password_file, NULL,
			"its password: FILE's first line; - standard input"},
		{"nick", 0, "NICK", &g->nick, NULL, "the nick; the account's name by default"},
	};
	const struct client_option own[OWN_ROWS] = {
		{"count", 'n', "COUNT", &g->once.count, NULL, "how many messages"},
		{"since", 's', "TIME", &g->once.since, NULL,
			"from then on: RFC 3339, or 90m, 12h, 7d ago"},
		{"notice", 0, NULL, NULL, &g->once.notice, "as a notice"},
		{"join", 0, NULL, NULL, &g->once.join, "go into the channel first"},
		{"events", 0, NULL, NULL, &g->once.events, "joins, topics and the like too"},
		{"downloads", 0, "FOLDER", &g->downloads, NULL,
			"where files go that come in calls; the present folder"},
		{"send", 0, "FILE", &g->send, NULL, "send this file"},
	};
	size_t n = 0;

	for (size_t i = 0; i < SESSION_ROWS; i++)
		rows[n++] = session[i];
	for (size_t i = 0; i < OWN_ROWS; i++)
		if ((options >> i & 1) != 0)
			rows[n++] = own[i];
	rows[n] = (struct client_option){.name = NULL};
}

/* Who is meant to talk, and what is asked for that: an exit code. */
static int session_options(struct client *c, struct profile *p, const struct given *g,
	struct buf *password, struct talk_options *ret)
{
	int r = profile_need(c, p);

	if (r != CLIENT_OK)
		return r;
	ret->nick = g->nick;
	if (g->user == NULL && g->password_file == NULL && p->cert_pem.len > 0)
		return CLIENT_OK;
	r = ask_password(c, g->password_file, false, password);
	ret->user = g->user != NULL ? g->user : p->user;
	ret->password = buf_span(password);
	return r;
}

static const struct once *once_find(const char *name)
{
	for (size_t i = 0; i < sizeof onces / sizeof onces[0]; i++)
		if (strcmp(name, onces[i].base.name) == 0)
			return &onces[i];
	return NULL;
}

/* The words of send, tail or history; negative: go on. */
static int once_words(struct client *c, const struct once *k, char **argv, int argc,
	struct given *g, struct client_words *ret)
{
	struct client_option rows[ROWS];
	int used = 1, code;

	c->command = &k->base;
	rows_fill(rows, g, k->options);
	if (k->text_follows) {
		code = client_options_front(c, argc, argv, rows, &used);
		*ret = (struct client_words){argv + used, (size_t)(argc - used)};
		/* "--" in front of the target. */
		if (code < 0 && ret->count > 0 && strcmp(ret->v[0], "--") == 0) {
			ret->v++;
			ret->count--;
		}
	} else {
		code = client_options(c, argc, argv, rows, k->max_words, ret);
	}
	if (code < 0 && ret->count < k->min_words)
		return client_usage(c, "%s: who or what channel?", k->base.name);
	return code;
}

static int once(struct client *c, const struct once *k, char **argv, int argc, struct given *g)
{
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	_cleanup_(buf_wipe) struct buf password = BUF_INIT(ASK_SECRET_MAX);
	struct talk_options o = {.retries = 5};
	struct client_words words = {NULL, 0};
	int code = once_words(c, k, argv, argc, g, &words);

	if (code >= 0)
		return code;
	code = session_options(c, &p, g, &password, &o);
	return code == CLIENT_OK ? k->run(c, &p, &o, &g->once, &words) : code;
}

static int session(struct client *c, const struct chatui_start *start, const struct given *g)
{
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	_cleanup_(buf_wipe) struct buf password = BUF_INIT(ASK_SECRET_MAX);
	struct talk_options o = {.retries = UINT_MAX, .scrollback = 50, .people = true};
	int code = session_options(c, &p, g, &password, &o);

	return code == CLIENT_OK ? chatui_run(c, &p, &o, start) : code;
}

static int call(struct client *c, char **argv, int argc, struct given *g)
{
	static const struct client_command base = {"call", NULL,
		"chat call [--send FILE] [--downloads FOLDER] NICK", "talk to somebody directly"};
	_cleanup_(buf_done) struct buf whom = BUF_INIT(8192);
	struct client_option rows[ROWS];
	struct client_words words = {NULL, 0};
	int code;

	c->command = &base;
	rows_fill(rows, g, O_DOWNLOADS | O_SEND);
	code = client_options(c, argc, argv, rows, 1, &words);
	if (code >= 0)
		return code;
	if (words.count == 0 || strchr(words.v[0], ' ') != NULL)
		return client_usage(c, "call: whom?");
	buf_add_str(&whom, words.v[0]);
	if (g->send != NULL)
		buf_addf(&whom, " %s", g->send);
	if (buf_error(&whom) < 0)
		return client_usage(c, "call: that is too long");
	return session(
		c, &(struct chatui_start){.call = buf_str(&whom), .downloads = g->downloads}, g);
}

int cmd_chat(struct client *c, int argc, char **argv)
{
	struct given g = {.user = NULL};
	struct chatui_start start = {.call = NULL};
	struct client_option rows[ROWS];
	const struct once *k;
	int used = 1, code;

	rows_fill(rows, &g, O_DOWNLOADS);
	code = client_options_front(c, argc, argv, rows, &used);
	if (code >= 0)
		return code;
	k = used < argc ? once_find(argv[used]) : NULL;
	if (k != NULL)
		return once(c, k, argv + used, argc - used, &g);
	if (used < argc && strcmp(argv[used], "call") == 0)
		return call(c, argv + used, argc - used, &g);
	start.channels = (struct client_words){argv + used, (size_t)(argc - used)};
	start.downloads = g.downloads;
	for (size_t i = 0; i < start.channels.count; i++)
		if (start.channels.v[i][0] != '#')
			return client_usage(c, "chat has no command \"%s\"", start.channels.v[i]);
	return session(c, &start, &g);
}
