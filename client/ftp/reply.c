/* Commands out, replies in: several lines, bounded, in order. See session.h. */
#include "client/ftp/session.h"

#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>
#include <stdarg.h>

/* 1yz replies to one command: a server could go on for ever. */
enum { MARKS_MAX = 16 };

static const struct frame_rule rule = {.max = FTP_LINE_MAX, .bare_lf_ok = true};

void session_wait(struct session *s)
{
	s->deadline_ms = time_monotonic_ms() +
		INT64_C(1000) * (s->pool->c->timeout_s + (int64_t)s->patience_s);
}

static bool line_is_one(const char *line)
{
	return strchr(line, '\r') == NULL && strchr(line, '\n') == NULL;
}

int session_ask(struct session *s, session_then then, const char *format, ...)
{
	char line[FTP_LINE_MAX + 1];
	va_list ap;
	int n, r;

	va_start(ap, format);
	n = vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof line || !line_is_one(line))
		return -EINVAL;
	if (s->asked_count == SESSION_ASKED_MAX)
		return -ENOBUFS;
	s->asked[s->asked_count++] = then;
	session_wait(s);
	s->patience_s = 0;
	r = conn_write(s->conn, span_of(line, (size_t)n));
	explicit_bzero(line, sizeof line);
	return r == 0 ? conn_write(s->conn, SPAN_LIT("\r\n")) : r;
}

/* One more line of the reply. 1: it is whole, with *ret; 0: not yet. */
static int line_take(struct session *s, struct span line, struct reply *ret)
{
	struct ftp_reply_line l;
	bool done = false;
	size_t before = s->lines.len;

	if (ftp_reply_parse(line, s->inside, &l, &done) < 0)
		return -EPROTO;
	if (s->inside == 0)
		s->inside = l.code;
	buf_add(&s->lines, l.text);
	buf_add_byte(&s->lines, '\n');
	if (buf_error(&s->lines) < 0)
		return buf_error(&s->lines) == -ENOBUFS ? -EMSGSIZE : buf_error(&s->lines);
	if (!done)
		return 0;
	*ret = (struct reply){.code = s->inside,
		.text = span_of(s->lines.p + before, s->lines.len - 1 - before),
		.lines = buf_span(&s->lines)};
	s->inside = 0;
	return 1;
}

/* 421 may come at any time, and is the last thing said. */
static int reply_give(struct session *s, const struct reply *r)
{
	session_then then = s->asked[0];

	if (r->code == 421 || s->asked_count == 0) {
		session_note(s, r);
		return r->code == 421 ? -ECONNRESET : -EPROTO;
	}
	if (r->code < 200 && ++s->marks > MARKS_MAX)
		return -EPROTO;
	if (r->code >= 200) {
		s->asked_count--;
		memmove(s->asked, s->asked + 1, s->asked_count * sizeof s->asked[0]);
		s->marks = 0;
		s->deadline_ms = INT64_MAX;
	}
	if (r->code < 200 || s->asked_count > 0)
		session_wait(s);
	return then(s, r);
}

/* The next reply: 1; -EAGAIN; negative. */
static int reply_next(struct session *s, struct reply *ret)
{
	struct span line;
	int r;

	if (s->inside == 0)
		buf_reset(&s->lines);
	while ((r = conn_step_line(s->conn, &rule, &line)) == 1) {
		r = line_take(s, line, ret);
		if (r != 0)
			return r;
	}
	return r == 0 ? -ECONNRESET : r;
}

/* A scripted server has said everything beforehand, its word on an upload that only begins, too. */
static bool is_listening(const struct session *s)
{
	const struct data *d = &s->data;

	if (s->state == SESSION_ENDED || !s->pool->scripted)
		return s->state != SESSION_ENDED;
	if (d->plan != NULL && d->plan->upload && d->begun && d->state < DATA_DRAIN)
		return false;
	return s->asked_count > 0;
}

int session_read(struct session *s)
{
	while (is_listening(s)) {
		struct reply reply;
		int r = reply_next(s, &reply);

		if (r == -EAGAIN) {
			r = conn_step_fill(s->conn);
			if (r == 0)
				return -ECONNRESET;
			if (r < 0)
				return r == -EAGAIN ? 0 : r;
			continue;
		}
		if (r == 1)
			r = reply_give(s, &reply);
		if (r < 0)
			return r;
	}
	return 0;
}

void session_note(struct session *s, const struct reply *r)
{
	struct buf text = BUF_INIT(sizeof s->reason - 1);
	struct span said = r->text;

	/* Escaping makes four of one at worst. */
	if (said.len > (sizeof s->reason - 1) / 4 && !text_is_clean(said))
		said.len = (sizeof s->reason - 1) / 4;
	else if (said.len >= sizeof s->reason - 16)
		said.len = sizeof s->reason - 16;
	/* Quotes are part of what people read; only what could steer a terminal is escaped. */
	if (text_is_clean(said))
		buf_add(&text, said);
	else
		text_escape(&text, said);
	s->code = r->code;
	snprintf(s->reason, sizeof s->reason, "%s", buf_str(&text));
	buf_done(&text);
}

static bool is_digest(struct span hex, unsigned char ret[32])
{
	struct buf b = BUF_INIT(32);
	bool is = hex.len == 64 && text_unhex(&b, hex) == 0 && b.len == 32;

	if (is)
		memcpy(ret, b.p, 32);
	buf_done(&b);
	return is;
}

bool reply_stored(struct span text, unsigned char ret[32])
{
	static const char word[] = "SHA-256 ";
	const size_t len = sizeof word - 1;

	/* The last one: a name before it may look alike. */
	for (size_t i = text.len; i >= len + 64; i--) {
		const unsigned char *p = text.p + i - len - 64;

		if (memcmp(p, word, len) == 0)
			return is_digest(span_of(p + len, 64), ret);
	}
	return false;
}

bool reply_hash(struct span text, unsigned char ret[32])
{
	struct span name, range, hex;

	return span_split(&text, ' ', &name) && span_caseeq_str(name, "SHA-256") &&
		span_split(&text, ' ', &range) && span_split(&text, ' ', &hex) &&
		is_digest(hex, ret);
}

int reply_facts(const struct reply *r, struct ftp_entry *ret, unsigned *ret_facts)
{
	struct span rest = r->lines, line, name;

	/* The facts are the line that begins with a blank (RFC 3659 section 7.2). */
	while (span_split(&rest, '\n', &line))
		if (line.len > 1 && line.p[0] == ' ')
			return ftp_facts_read(
				span_of(line.p + 1, line.len - 1), ret, ret_facts, &name);
	return -EPROTO;
}
