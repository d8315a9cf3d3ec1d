/* Answers: untagged ones, and the tagged one that ends a command, with the news before it. */
#include "services/maild/imap/imap.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { FORMAT_FIRST = 256, PIECE_MAX = 64 << 10, UNSENT_MAX = 128 << 10 };
_Static_assert(PIECE_MAX + UNSENT_MAX < CONN_OUT_MAX, "a connection that does not wait by itself");

/* The connection holds what is not much: so it is here that a client is waited for. */
void imap_write(struct imap *s, struct span bytes)
{
	while (bytes.len > 0 && s->error == 0) {
		size_t now = bytes.len < PIECE_MAX ? bytes.len : PIECE_MAX;

		s->error = conn_write(s->conn, span_of(bytes.p, now));
		bytes = span_of(bytes.p + now, bytes.len - now);
		s->unsent += now;
		if (s->error == 0 && s->unsent > UNSENT_MAX)
			(void)imap_flush(s);
	}
}

__attribute__((format(printf, 2, 0))) static void format(
	struct buf *b, const char *text, va_list args)
{
	va_list again;
	unsigned char *p = buf_reserve(b, FORMAT_FIRST);
	int len;

	va_copy(again, args);
	len = vsnprintf((char *)p, p != NULL ? FORMAT_FIRST : 0, text, args);
	if (len >= FORMAT_FIRST) {
		p = buf_reserve(b, (size_t)len + 1);
		if (p != NULL)
			(void)vsnprintf((char *)p, (size_t)len + 1, text, again);
	}
	va_end(again);
	if (p != NULL && len > 0)
		buf_commit(b, (size_t)len);
}

/* "HEAD WORD text" CR LF. */
__attribute__((format(printf, 4, 0))) static void say(
	struct imap *s, const char *head, const char *word, const char *text, va_list args)
{
	struct buf *b = &s->line;

	buf_reset(b);
	buf_add_str(b, head);
	buf_add_byte(b, ' ');
	buf_add_str(b, word);
	format(b, text, args);
	buf_add_str(b, "\r\n");
	if (buf_error(b) != 0)
		s->error = buf_error(b);
	imap_write(s, buf_span(b));
}

void imap_untagged(struct imap *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(s, "*", "", format, args);
	va_end(args);
}

/* What is new in the selected mailbox comes before the command's end. */
static int tell_news(struct imap_call *c)
{
	unsigned flags = c->command != NULL ? c->command->flags : 0;
	bool no_expunge = (flags & IMAP_NO_EXPUNGE) != 0 && !c->uid;

	if ((flags & IMAP_QUIET) != 0 || c->s->state != IMAP_SELECTED)
		return 0;
	return imap_sync(c->s, no_expunge);
}

int imap_ok(struct imap_call *c, const char *format, ...)
{
	va_list args;
	int r = tell_news(c);

	c->s->bad = 0;
	va_start(args, format);
	say(c->s, c->s->tag, "OK ", format, args);
	va_end(args);
	return r;
}

int imap_no(struct imap_call *c, const char *format, ...)
{
	va_list args;
	int r = tell_news(c);

	c->s->bad = 0;
	va_start(args, format);
	say(c->s, c->s->tag, "NO ", format, args);
	va_end(args);
	return r;
}

int imap_bad(struct imap_call *c, const char *format, ...)
{
	va_list args;

	c->s->bad++;
	va_start(args, format);
	say(c->s, c->s->tag, "BAD ", format, args);
	va_end(args);
	return 0;
}

static void log_failure(const struct imap_call *c, int error)
{
	log_event(LOG_LEVEL_ERR, "a command failed",
		log_fields({"COMMAND", span_str(c->command != NULL ? c->command->name : "?")},
			{"ERROR", span_str(err_text(error))}));
}

int imap_failed(struct imap_call *c, int error)
{
	switch (error) {
	case -EDQUOT:
		return imap_no(c, "[OVERQUOTA] Your quota does not leave room for that");
	case -ENOENT:
		return imap_no(c, "[NONEXISTENT] There is no such mailbox");
	case -EEXIST:
		return imap_no(c, "[ALREADYEXISTS] There is such a mailbox already");
	case -EINVAL:
		return imap_no(c, "[CANNOT] No mailbox can have that name");
	case -ENOSPC:
		log_failure(c, error);
		return imap_no(c, "[UNAVAILABLE] There is no room left on this server");
	case -ENOBUFS:
		return imap_no(c, "[LIMIT] That is more than is kept here");
	default:
		log_failure(c, error);
		if (err_is_temporary(error))
			return imap_no(c, "[UNAVAILABLE] Not possible at the moment, try again");
		return imap_no(c, "[SERVERBUG] That failed here; the administrator can look");
	}
}
