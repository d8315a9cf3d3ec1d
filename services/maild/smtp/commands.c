/*
 * The command table and its gate: is it known, may this peer say it now, has it the argument that
 * it needs; then its handler. And what the server says about itself: EHLO, HELP.
 */
#include "services/maild/smtp/smtp.h"

#include <errno.h>

#define NEEDS_ALL (SMTP_GREETED | SMTP_LOGIN)

static int cmd_ehlo(struct smtp_call *c);
static int cmd_helo(struct smtp_call *c);
static int cmd_noop(struct smtp_call *c);
static int cmd_help(struct smtp_call *c);
static int cmd_quit(struct smtp_call *c);
static int cmd_starttls(struct smtp_call *c);
static int cmd_foreign(struct smtp_call *c);

/* BDAT asks for log-in and so on by itself: what follows it is no command. */
/* clang-format off */
static const struct smtp_verb verbs[] = {
	{"EHLO", cmd_ehlo, 0, "NAME"},
	{"HELO", cmd_helo, 0, "NAME"},
	{"AUTH", smtp_cmd_auth, SMTP_GREETED | SMTP_SECRET, "PLAIN | LOGIN | EXTERNAL [ANSWER]"},
	{"MAIL", smtp_cmd_mail, NEEDS_ALL, "FROM:<ADDRESS> [SIZE=N] [BODY=8BITMIME] [SMTPUTF8]"},
	{"RCPT", smtp_cmd_rcpt, NEEDS_ALL, "TO:<ADDRESS>"},
	{"DATA", smtp_cmd_data, NEEDS_ALL | SMTP_NO_ARGUMENT, ""},
	{"BDAT", smtp_cmd_bdat, 0, "N [LAST]"},
	{"RSET", smtp_cmd_rset, SMTP_NO_ARGUMENT, ""},
	{"NOOP", cmd_noop, 0, ""},
	{"VRFY", smtp_cmd_vrfy, NEEDS_ALL, "NAME"},
	{"HELP", cmd_help, 0, ""},
	{"QUIT", cmd_quit, SMTP_NO_ARGUMENT, ""},
	{"STARTTLS", cmd_starttls, 0, NULL},
	/* Of RFC 5321 and others, and not offered. */
	{"EXPN", NULL, 0, NULL},
	{"TURN", NULL, 0, NULL},
	{"ETRN", NULL, 0, NULL},
	{"BURL", NULL, 0, NULL},
	/* A browser that was led here must not find that its form makes sense. */
	{"GET", cmd_foreign, SMTP_SECRET, NULL},
	{"HEAD", cmd_foreign, SMTP_SECRET, NULL},
	{"POST", cmd_foreign, SMTP_SECRET, NULL},
	{"PUT", cmd_foreign, SMTP_SECRET, NULL},
	{"OPTIONS", cmd_foreign, SMTP_SECRET, NULL},
	{"CONNECT", cmd_foreign, SMTP_SECRET, NULL},
	{"USER", cmd_foreign, SMTP_SECRET, NULL},
};
/* clang-format on */

/* -- the gate ---------------------------------------------------------------------------------- */

static const struct smtp_verb *find(struct span name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (span_caseeq_str(name, verbs[i].name))
			return &verbs[i];
	return NULL;
}

static void log_command(const struct smtp_verb *verb, struct span rest)
{
	if ((verb->flags & SMTP_SECRET) != 0)
		rest = SPAN_LIT("...");
	log_event(LOG_LEVEL_DEBUG, "command",
		log_fields({"COMMAND", span_str(verb->name)}, {"ARGUMENT", rest}));
}

static int run(struct smtp_call *c, const struct smtp_verb *verb)
{
	struct smtp_session *s = c->s;

	log_command(verb, c->rest);
	if (verb->run == NULL)
		return smtp_refuse(s, 502, "5.5.1", "This is not offered here.");
	if ((verb->flags & SMTP_GREETED) != 0 && !s->greeted)
		return smtp_refuse(s, 503, "5.5.1", "EHLO comes first.");
	if ((verb->flags & SMTP_LOGIN) != 0 && !s->logged_in)
		return smtp_refuse(s, 530, "5.7.0", "Please log in first (AUTH).");
	if ((verb->flags & SMTP_NO_ARGUMENT) != 0 && c->rest.len > 0)
		return smtp_refuse(s, 501, "5.5.4", "This takes no argument.");
	return verb->run(c);
}

int smtp_command(struct smtp_session *s, struct span line)
{
	struct smtp_call c = {.s = s};
	struct smtp_command command;
	const struct smtp_verb *verb;

	s->service->commands++;
	if (smtp_parse(line, &command) < 0)
		return smtp_refuse(s, 500, "5.5.2", "That is no command; try HELP.");
	verb = find(command.verb);
	if (verb == NULL)
		return smtp_refuse(s, 500, "5.5.1", "Unknown command; try HELP.");
	if (line.len > SMTP_LINE_MAX && verb->run != smtp_cmd_auth)
		return smtp_refuse(s, 500, "5.5.2", "The line is too long.");
	c.rest = span_trim(command.rest);
	return run(&c, verb);
}

/* -- about the server -------------------------------------------------------------------------- */

static void begin_anew(struct smtp_session *s, bool extended)
{
	smtp_envelope_reset(s);
	s->bad = 0;
	s->greeted = true;
	s->extended = extended;
}

/* EXTERNAL is offered to whom it can serve: programs try what is offered. */
static const char *mechanisms(const struct smtp_session *s)
{
	const struct tls_info *tls = conn_tls(s->conn);

	return tls != NULL && tls->peer_der.len > 0 ? "PLAIN LOGIN EXTERNAL" : "PLAIN LOGIN";
}

static int cmd_ehlo(struct smtp_call *c)
{
	static const char *const extensions[] = {
		"8BITMIME", "SMTPUTF8", "PIPELINING", "CHUNKING", "ENHANCEDSTATUSCODES", "HELP"};
	struct smtp_session *s = c->s;
	int r;

	if (c->rest.len == 0)
		return smtp_refuse(s, 501, "5.5.4", "EHLO takes the name of your host.");
	begin_anew(s, true);
	r = smtp_say_more(s, 250, "", "%s", s->service->settings.host);
	if (r == 0)
		r = smtp_say_more(s, 250, "", "AUTH %s", mechanisms(s));
	for (size_t i = 0; r == 0 && i < sizeof(extensions) / sizeof(extensions[0]); i++)
		r = smtp_say_more(s, 250, "", "%s", extensions[i]);
	return r < 0 ? r : smtp_say(s, 250, "", "SIZE %llu", (unsigned long long)s->size_limit);
}

static int cmd_helo(struct smtp_call *c)
{
	if (c->rest.len == 0)
		return smtp_refuse(c->s, 501, "5.5.4", "HELO takes the name of your host.");
	begin_anew(c->s, false);
	return smtp_say(c->s, 250, "", "%s", c->s->service->settings.host);
}

static int cmd_noop(struct smtp_call *c)
{
	c->s->bad = 0;
	return smtp_say(c->s, 250, "2.0.0", "Done.");
}

static int cmd_help(struct smtp_call *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (verbs[i].help != NULL)
			r = smtp_say_more(
				c->s, 214, "2.0.0", "%s %s", verbs[i].name, verbs[i].help);
	return r < 0 ? r : smtp_say(c->s, 214, "2.0.0", "See maild(8).");
}

static int cmd_quit(struct smtp_call *c)
{
	smtp_end(c->s, "quit");
	return smtp_say(c->s, 221, "2.0.0", "Goodbye.");
}

static int cmd_starttls(struct smtp_call *c)
{
	return smtp_refuse(c->s, 503, "5.5.1", "TLS is on already.");
}

static int cmd_foreign(struct smtp_call *c)
{
	smtp_end(c->s, "another protocol");
	return smtp_say(c->s, 421, "4.7.0", "This is SMTP: goodbye.");
}
