/*
 * The bytes of a message. DATA: lines to the lone dot, unstuffed on the way (RFC 5321 section
 * 4.5.2); a bare CR or LF is where two readers could see different ends, so it ends the session.
 * BDAT: counted chunks (RFC 3030). Both go behind room for the fields that are added.
 */
#include "services/maild/smtp/smtp.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/timefmt.h"

#include <errno.h>

enum {
	PAUSE_S = 180, /* without a byte, RFC 5321 section 4.5.3.2.5 */
	WHOLE_S = 3600, /* for all of a message */
	LINGER_S = 5, /* for the rest of a message that was refused in its midst */
};

static const unsigned char room[SMTP_FIELDS_MAX];

static int begin_message(struct smtp_session *s)
{
	uint64_t declared = s->envelope.size;

	buf_done(&s->message);
	s->message = BUF_INIT(SMTP_FIELDS_MAX + (size_t)s->size_limit);
	/* The limit is known to hold for what was declared. */
	if (declared > 0 && buf_reserve(&s->message, SMTP_FIELDS_MAX + (size_t)declared) == NULL)
		return buf_error(&s->message);
	buf_add(&s->message, span_of(room, sizeof(room)));
	return buf_error(&s->message);
}

static int fill(struct smtp_session *s, int64_t end_ms)
{
	smtp_wait_s(s, PAUSE_S);
	if (s->until_ms > end_ms) {
		s->until_ms = end_ms;
		conn_set_deadline(s->conn, end_ms);
	}
	return smtp_fill(s);
}

/* The same where the input may not end. */
static int fill_more(struct smtp_session *s, int64_t end_ms)
{
	int r = fill(s, end_ms);

	return r == 0 ? -ECONNRESET : r;
}

static void consume(struct smtp_session *s, size_t len)
{
	struct span taken;

	if (len > 0)
		(void)conn_read_some(s->conn, len, &taken);
}

/* -- what may not be in a message -------------------------------------------------------------- */

int smtp_bytes_check(struct span message)
{
	struct span rest = message, run;

	if (message.len > 0 && memchr(message.p, 0, message.len) != NULL)
		return -EILSEQ;
	while (rest.len > 0) {
		const unsigned char *cr = memchr(rest.p, '\r', rest.len);
		size_t len = cr != NULL ? (size_t)(cr - rest.p) : rest.len;

		run = span_of(rest.p, len);
		if (run.len > 0 && memchr(run.p, '\n', run.len) != NULL)
			return -EPROTO;
		if (cr == NULL)
			return 0;
		if (rest.len - len < 2 || cr[1] != '\n')
			return -EPROTO;
		rest = span_of(cr + 2, rest.len - len - 2);
	}
	return 0;
}

/* A message that cannot be taken for its bytes or its size. */
static int refuse_message(struct smtp_session *s, int error)
{
	smtp_envelope_reset(s);
	switch (error) {
	case -EMSGSIZE:
		return smtp_say(s, 552, "5.3.4",
			"The message is too large: it has at most %llu bytes here.",
			(unsigned long long)s->size_limit);
	case -EPROTO:
		return smtp_say(s, 550, "5.6.0",
			"A bare CR or LF is in the message: lines end in CR LF. It was not taken.");
	case -EILSEQ:
		return smtp_say(s, 550, "5.6.0", "A NUL is in the message. It was not taken.");
	default:
		return smtp_say_failure(s, error, "a message cannot be taken");
	}
}

/* BDAT's last line may lack its end. */
static void end_line(struct buf *message)
{
	if (message->len == SMTP_FIELDS_MAX || message->p[message->len - 1] == '\n')
		return;
	message->max += 2;
	buf_add_str(message, "\r\n");
}

static int take_message(struct smtp_session *s)
{
	struct span all = buf_span(&s->message);
	int r = smtp_bytes_check(span_of(all.p + SMTP_FIELDS_MAX, all.len - SMTP_FIELDS_MAX));

	if (r == 0) {
		end_line(&s->message);
		r = buf_error(&s->message);
	}
	if (r < 0)
		return refuse_message(s, r);
	return smtp_deliver(s);
}

/* -- DATA -------------------------------------------------------------------------------------- */

/* What is too large is read to its end and dropped: the client hears it where it listens. 1: it is
 * whole; -EMSGSIZE, -ENOMEM: dropped; -EPROTO: a bare CR or LF comes next. */
static int read_dot(struct smtp_session *s)
{
	_cleanup_(buf_done) struct buf waste = BUF_INIT(CONN_IN_MAX);
	int64_t end_ms = time_monotonic_ms() + WHOLE_S * INT64_C(1000);
	struct frame_dot dot = {0};
	struct buf *to = &s->message;
	int over = 0;

	for (;;) {
		size_t used = 0;
		int r = frame_dot_read(&dot, conn_pending(s->conn), to, &used);

		consume(s, used);
		if ((r == -EMSGSIZE || r == -ENOMEM) && to == &s->message) {
			over = r;
			buf_done(&s->message);
			to = &waste;
			continue;
		}
		if (r != 0)
			return r == 1 && over != 0 ? over : r;
		buf_reset(&waste);
		r = fill_more(s, end_ms);
		if (r < 0)
			return r;
	}
}

/* The true end of a message, "\r\n.\r\n", and nothing else. Returns whether it has been seen. */
static bool sees_end(unsigned *matched, struct span bytes)
{
	static const unsigned char end[] = {'\r', '\n', '.', '\r', '\n'};

	for (size_t i = 0; i < bytes.len && *matched < sizeof(end); i++) {
		if (bytes.p[i] == end[*matched])
			(*matched)++;
		else
			*matched = bytes.p[i] == '\r' ? 1 : 0;
	}
	return *matched == sizeof(end);
}

/*
 * Nothing that follows is run, wherever a reader might think that the message ended: the session
 * is over. What is under way is read a while, or the client would lose the reply.
 */
static int refuse_smuggler(struct smtp_session *s)
{
	unsigned matched = 0;
	int r = refuse_message(s, -EPROTO);

	smtp_end(s, "bare CR or LF in a message");
	smtp_wait_s(s, LINGER_S);
	while (r >= 0) {
		struct span have = conn_pending(s->conn);

		if (sees_end(&matched, have))
			return 0;
		consume(s, have.len);
		r = smtp_fill(s);
		if (r == 0)
			return 0;
	}
	return r == -ETIMEDOUT || r == -ECONNRESET ? 0 : r;
}

/* 0; 1: refused; negative as conn. */
static int check_envelope(struct smtp_session *s)
{
	const struct smtp_envelope *e = &s->envelope;
	int r;

	if (e->begun && e->count > 0)
		return 0;
	if (!e->begun)
		r = smtp_refuse(s, 503, "5.5.1", "MAIL comes first.");
	else if (e->refused > 0)
		r = smtp_say(s, 554, "5.5.1", "There is no recipient: all were refused.");
	else
		r = smtp_refuse(s, 503, "5.5.1", "RCPT comes first.");
	return r < 0 ? r : 1;
}

int smtp_cmd_data(struct smtp_call *c)
{
	struct smtp_session *s = c->s;
	int r;

	if (s->chunked)
		return smtp_refuse(s, 503, "5.5.1", "The message has begun with BDAT.");
	r = check_envelope(s);
	if (r != 0)
		return r < 0 ? r : 0;
	r = begin_message(s);
	if (r < 0)
		return smtp_say_failure(s, r, "there is no memory for a message");
	r = smtp_say(s, 354, "", "Go on; a line with a dot alone ends it.");
	if (r == 0)
		r = read_dot(s);
	if (r == 1)
		return take_message(s);
	if (r == -EPROTO)
		return refuse_smuggler(s);
	return r == -EMSGSIZE || r == -ENOMEM ? refuse_message(s, r) : r;
}

/* -- BDAT -------------------------------------------------------------------------------------- */

struct chunk {
	uint64_t size;
	bool last;
};

static int parse_chunk(struct span rest, struct chunk *ret)
{
	struct span number = {0};

	(void)span_split(&rest, ' ', &number);
	rest = span_trim(rest);
	if (num_parse_u64(number, 0, UINT64_MAX, &ret->size) < 0 ||
		(rest.len > 0 && !span_caseeq_str(rest, "LAST")))
		return -EINVAL;
	ret->last = rest.len > 0;
	return 0;
}

/* Reads a chunk's bytes to the message, or drops them (to NULL). */
static int read_chunk(struct smtp_session *s, uint64_t left, struct buf *to)
{
	int64_t end_ms = time_monotonic_ms() + WHOLE_S * INT64_C(1000);

	while (left > 0) {
		struct span have = conn_pending(s->conn);
		size_t now = have.len < left ? have.len : (size_t)left;
		int r;

		if (to != NULL)
			buf_add(to, span_of(have.p, now));
		consume(s, now);
		left -= now;
		if (left == 0)
			break;
		r = fill_more(s, end_ms);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A chunk that is not wanted is still no command. */
static int drop_chunk(struct smtp_session *s, const struct chunk *chunk)
{
	return read_chunk(s, chunk->size, NULL);
}

static int take_chunk(struct smtp_session *s, const struct chunk *chunk)
{
	int r = s->chunked ? 0 : begin_message(s);

	s->chunked = true;
	if (r == 0 && chunk->size > s->message.max - s->message.len)
		r = -EMSGSIZE;
	if (r < 0) {
		buf_done(&s->message);
		int e = drop_chunk(s, chunk);

		return e < 0 ? e : refuse_message(s, r);
	}
	r = read_chunk(s, chunk->size, &s->message);
	if (r < 0)
		return r;
	if (buf_error(&s->message) != 0)
		return refuse_message(s, buf_error(&s->message));
	if (!chunk->last)
		return smtp_say(
			s, 250, "2.0.0", "%llu bytes taken.", (unsigned long long)chunk->size);
	return take_message(s);
}

int smtp_cmd_bdat(struct smtp_call *c)
{
	struct smtp_session *s = c->s;
	struct chunk chunk;
	int r;

	/* Where the next command begins cannot be told, or is not worth the reading. */
	if (!s->logged_in || parse_chunk(c->rest, &chunk) < 0) {
		smtp_end(s, "BDAT out of order");
		return s->logged_in ? smtp_say(s, 501, "5.5.4", "It goes BDAT N [LAST]: goodbye.")
				    : smtp_say(s, 530, "5.7.0", "Please log in first: goodbye.");
	}
	if (s->envelope.begun && s->envelope.count > 0)
		return take_chunk(s, &chunk);
	r = drop_chunk(s, &chunk);
	if (r == 0)
		r = check_envelope(s);
	return r < 0 ? r : 0;
}
