/*
 * Commands as they come: lines, and the literals between them, which are asked for ("+ ...") or
 * come by themselves (LITERAL+, RFC 7888). A command is gathered whole before it is looked at, with
 * tight bounds until the log-in; only the messages of APPEND are left to it.
 */
#include "services/maild/imap/imap.h"

#include "base/timefmt.h"

#include <errno.h>

enum {
	EARLY_LINE_MAX = 36 << 10, /* ID may have 30 pairs of up to 1,024 bytes (RFC 2971) */
	EARLY_LITERAL_MAX = 4 << 10,
	EARLY_COMMAND_MAX = 40 << 10,
	LINE_MAX_HERE = IMAP_LINE_MAX - 2, /* with its end it has to fit the connection's buffer */
	PIECE_MAX = 32 << 10,
};

static bool is_early(const struct imap *s)
{
	return s->state == IMAP_NOT_AUTHENTICATED;
}

int imap_read_line(struct imap *s, struct span *ret)
{
	const struct frame_rule rule = {
		.max = is_early(s) ? EARLY_LINE_MAX : LINE_MAX_HERE, .bare_lf_ok = true};

	for (;;) {
		int r = conn_step_line(s->conn, &rule, ret);

		if (r != -EAGAIN) {
			s->active_ms = time_monotonic_ms();
			return r;
		}
		r = imap_wait(s, INT64_MAX);
		/* Between commands only. */
		if (r == 0 && s->notifying != NULL && s->command.len == 0 &&
			service_rung(s->service))
			r = imap_notify_tell(s);
		if (r < 0)
			return r;
	}
}

/* At least a byte is there. */
static int need_input(struct imap *s)
{
	while (conn_pending(s->conn).len == 0) {
		int r = conn_step_fill(s->conn);

		if (r == 0)
			return -ECONNRESET;
		if (r == -EAGAIN)
			r = imap_wait(s, INT64_MAX);
		if (r < 0)
			return r;
	}
	return 0;
}

int imap_read_bytes(struct imap *s, uint64_t size, struct buf *ret)
{
	while (size > 0) {
		struct span piece = {NULL, 0};
		int r = need_input(s);

		if (r == 0)
			r = conn_read_some(
				s->conn, size < PIECE_MAX ? (size_t)size : PIECE_MAX, &piece);
		if (r <= 0)
			return r == 0 ? -ECONNRESET : r;
		if (ret != NULL)
			buf_add(ret, piece);
		if (ret != NULL && buf_error(ret) != 0)
			return buf_error(ret);
		size -= piece.len;
		s->active_ms = time_monotonic_ms();
	}
	return 0;
}

/* -- what is refused ---------------------------------------------------------------------------
 */

/* More is not read away for nobody's use. */
static uint64_t skip_max(const struct imap *s)
{
	return is_early(s) ? EARLY_COMMAND_MAX : 2 * s->size_limit;
}

int imap_skip_literal(struct imap *s, const struct imap_literal *literal)
{
	struct imap_literal next = *literal;
	struct span line;
	int r;

	while (next.plus) {
		if (next.size > skip_max(s))
			return -E2BIG;
		r = imap_read_bytes(s, next.size, NULL);
		if (r < 0)
			return r;
		r = imap_read_line(s, &line);
		if (r == 0)
			return -ECONNRESET;
		/* A line that is none ends the command as well as any. */
		if (r < 0)
			return r == -EMSGSIZE || r == -EPROTO ? 0 : r;
		if (imap_literal_end(line, &next) != 1)
			return 0;
	}
	return 0;
}

/* "TAG BAD ..." of a command that is not even whole. */
static int refuse(struct imap *s, const char *text)
{
	struct imap_in in = {.p = s->command.p, .len = s->command.len};
	struct span tag;

	s->bad++;
	if (s->command.len > 0 && imap_in_tag(&in, &tag) == 0 && tag.len <= IMAP_TAG_MAX)
		(void)conn_printf(s->conn, "%.*s BAD %s\r\n", (int)tag.len, tag.p, text);
	else
		imap_untagged(s, "BAD %s", text);
	return 0;
}

static int refuse_line(struct imap *s, int fault)
{
	return refuse(s,
		fault == -EMSGSIZE ? "[TOOBIG] The line is too long"
				   : "The line has a NUL or a lone CR in it");
}

/* -- commands ---------------------------------------------------------------------------------- */

/*
 * Is the literal at the command's end a message of APPEND? The first argument may be a literal too:
 * the mailbox. Then it stands right behind the verb.
 */
static bool is_message(struct imap *s)
{
	struct imap_in in = {.p = s->command.p, .len = s->command.len};
	struct span word;

	if (is_early(s) || imap_in_tag(&in, &word) < 0 || imap_in_space(&in) < 0 ||
		!imap_in_word(&in, "APPEND") || imap_in_space(&in) < 0)
		return false;
	return in.at < in.len && in.p[in.at] != '{' && in.p[in.at] != '~'
		? true
		: memchr(in.p + in.at, '\n', in.len - in.at) != NULL;
}

/* A literal that is no message, into the command. 0; 1: refused; or negative. */
static int take_literal(struct imap *s, const struct imap_literal *literal)
{
	size_t most = is_early(s) ? EARLY_LITERAL_MAX : IMAP_LITERAL_MAX;
	size_t all = is_early(s) ? EARLY_COMMAND_MAX : IMAP_COMMAND_MAX;
	int r;

	if (literal->binary || literal->size > most || s->command.len + literal->size + 2 > all) {
		(void)refuse(s,
			literal->binary ? "No literal8 here" : "[TOOBIG] The literal is too long");
		r = imap_skip_literal(s, literal);
		return r < 0 ? r : 1;
	}
	if (!literal->plus)
		imap_write(s, SPAN_LIT("+ Go on\r\n"));
	buf_add(&s->command, SPAN_LIT("\r\n"));
	return imap_read_bytes(s, literal->size, &s->command);
}

/* One line more of the command. 1: it is whole; 0: a literal was taken; 2: refused; or negative. */
static int take_line(struct imap *s, struct imap_call *c, struct span line)
{
	int r = imap_literal_end(line, &c->literal);

	buf_add(&s->command, line);
	if (buf_error(&s->command) != 0 || s->command.len > IMAP_COMMAND_MAX) {
		(void)refuse(s, "[TOOBIG] The command is too long");
		r = r == 1 ? imap_skip_literal(s, &c->literal) : 0;
		return r < 0 ? r : 2;
	}
	if (r < 0) {
		(void)refuse(s, "The size of that literal cannot be");
		return 2;
	}
	if (r == 0)
		return 1;
	if (is_message(s)) {
		c->unread = true;
		return 1;
	}
	r = take_literal(s, &c->literal);
	return r == 1 ? 2 : r;
}

int imap_read_command(struct imap *s, struct imap_call *c)
{
	struct span line;
	int r;

	buf_reset(&s->command);
	do {
		r = imap_read_line(s, &line);
		if (r == -EMSGSIZE || r == -EPROTO)
			return refuse_line(s, r);
		if (r == 0 && s->command.len > 0)
			return -ECONNRESET;
		if (r == 0) {
			s->service->end_reason = "end of input";
			s->logout = true;
			return 0;
		}
		/* Empty lines are no mistake worth an answer: some clients end literals so. */
		if (r == 1 && line.len == 0 && s->command.len == 0)
			return 0;
		if (r == 1)
			r = take_line(s, c, line);
	} while (r == 0);
	if (r != 1)
		return r < 0 ? r : 0;
	c->in = (struct imap_in){.p = s->command.p,
		.len = s->command.len,
		.utf8 = (s->enabled & (IMAP_UTF8 | IMAP_REV2)) != 0};
	return 1;
}
