/*
 * The door "ftp" before TLS. Little is said here and nothing is believed: what came in clear behind
 * AUTH is refused, so that nobody on the line can slip commands into the protected session.
 */
#include "services/ftpd/ftpd.h"

#include "base/cleanup.h"

#include <errno.h>

enum { GOODBYE_S = 2, GO_ON = 0, HANDSHAKE, OVER };

static const struct frame_rule line_rule = {.max = FTP_LINE_MAX, .bare_lf_ok = true};

static int say(struct service *s, unsigned code, const char *text)
{
	return conn_printf(s->conn, "%u %s\r\n", code, text);
}

/* The reason is for the log, the text for the peer. */
static int goodbye(struct service *s, const char *reason, const char *text)
{
	s->end_reason = reason;
	conn_set_timeout_s(s->conn, GOODBYE_S);
	(void)say(s, 421, text);
	return OVER;
}

/* -- commands ----------------------------------------------------------------------------------
 */

static int clear_feat(struct service *s, struct span argument)
{
	_cleanup_(buf_done) struct buf lines = BUF_INIT(FTPD_REPLY_MAX);
	struct span rest, line;
	int r = conn_printf(s->conn, "211-Features:\r\n");

	(void)argument;
	ftpd_features_write(&lines, NULL);
	if (buf_error(&lines) != 0)
		return buf_error(&lines);
	rest = buf_span(&lines);
	while (r == 0 && span_split(&rest, '\n', &line))
		r = conn_printf(s->conn, " %.*s\r\n", (int)line.len, (const char *)line.p);
	return r < 0 ? r : say(s, 211, "End");
}

static int clear_auth(struct service *s, struct span argument)
{
	static const char *const ways[] = {"TLS", "TLS-C", "SSL"};
	bool known = false;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		known = known || span_caseeq_str(span_trim(argument), ways[i]);
	if (!known)
		return say(s, 504, "AUTH TLS is the way here.");
	if (conn_pending(s->conn).len > 0) {
		log_event(LOG_LEVEL_WARNING, "bytes in clear behind AUTH", NULL);
		return goodbye(s, "bytes in clear behind AUTH",
			"Bytes came in clear behind AUTH, nothing of it was done: goodbye.");
	}
	return say(s, 234, "TLS may begin.") < 0 ? -ECONNRESET : HANDSHAKE;
}

static int clear_quit(struct service *s, struct span argument)
{
	(void)argument;
	s->end_reason = "quit";
	return say(s, 221, "Goodbye.") < 0 ? -ECONNRESET : OVER;
}

static int clear_help(struct service *s, struct span argument)
{
	(void)argument;
	return say(s, 214, "Before TLS: FEAT, AUTH TLS, QUIT, HELP, NOOP, SYST.");
}

static int clear_noop(struct service *s, struct span argument)
{
	(void)argument;
	return say(s, 200, "Still here.");
}

static int clear_syst(struct service *s, struct span argument)
{
	(void)argument;
	return say(s, 215, FTPD_SYSTEM);
}

static const struct clear_verb {
	const char *name;
	int (*run)(struct service *s, struct span argument); /* GO_ON, HANDSHAKE, OVER; negative */
} verbs[] = {
	{"FEAT", clear_feat},
	{"AUTH", clear_auth},
	{"QUIT", clear_quit},
	{"HELP", clear_help},
	{"NOOP", clear_noop},
	{"SYST", clear_syst},
};

/* -- lines -------------------------------------------------------------------------------------
 */

/* *bad counts what was wrong in a row. */
static int run_line(struct service *s, struct span line, unsigned *bad)
{
	struct ftp_command command;

	s->commands++;
	if (ftp_line_is_foreign(line))
		return goodbye(s, "another protocol", "This is FTP: goodbye.");
	if (ftp_command_parse(line, &command) < 0) {
		++*bad;
		return say(s, 500, "That is no command; try HELP.");
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(command.verb, verbs[i].name) == 0) {
			*bad = 0;
			return verbs[i].run(s, command.argument);
		}
	++*bad;
	return say(s, 530, "Nothing more in clear: AUTH TLS first.");
}

static int read_and_run(struct service *s, unsigned *bad)
{
	struct span line;
	int r = conn_read_line(s->conn, &line_rule, &line);

	if (r == 1)
		return run_line(s, line, bad);
	if (r == 0) {
		s->end_reason = "end of input";
		return OVER;
	}
	if (r == -ETIMEDOUT)
		return goodbye(s, "no TLS in time", "AUTH TLS did not come in time: goodbye.");
	if (r != -EMSGSIZE && r != -EPROTO)
		return r;
	++*bad;
	return say(s, 500,
		r == -EMSGSIZE ? "The line is too long."
			       : "The line has a NUL or a lone CR in it.");
}

int ftpd_clear(struct service *s)
{
	unsigned bad = 0;
	int r;

	conn_set_deadline(s->conn, s->started_ms + (int64_t)s->door->login_s * 1000);
	r = conn_printf(s->conn, "220 Quintet files on %s; AUTH TLS first, please.\r\n",
		s->settings.domain);
	while (r == GO_ON) {
		r = read_and_run(s, &bad);
		if (r == GO_ON && bad >= FTPD_BAD_MAX)
			r = goodbye(s, "too many bad commands", "Too many bad commands: goodbye.");
	}
	return r == HANDSHAKE ? 0 : r < 0 ? r : 1;
}
