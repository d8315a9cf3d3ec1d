/* See submit.h. */
#include "client/mail/submit.h"

#include "base/num.h"
#include "base/text.h"
#include "client/mail/imapc.h"
#include "proto/smtp.h"

#include <errno.h>

enum {
	REPLY_LINES_MAX = 200, /* of one reply */
	DATA_S = 300, /* RFC 5321 section 4.5.3.2: until the word on a letter */
	BYE_S = 2,
	CHUNK = 65536,
	BURST = 100, /* recipients whose replies may be outstanding */
};

struct submit {
	struct link link;
	struct conn *conn;
	unsigned timeout_s;
	bool eight_bit, utf8, pipelining, has_size;
	bool plain, external;
	uint64_t size; /* the longest letter; 0: not told */
	unsigned code, class; /* of the last reply */
	char said[512];
	bool lost;
};

int submit_new(struct client *c, struct conn *conn, struct submit **ret)
{
	struct submit *s = calloc(1, sizeof *s);

	if (s == NULL) {
		conn_free(conn);
		return -ENOMEM;
	}
	s->link = LINK_INIT;
	s->conn = conn;
	s->timeout_s = c != NULL ? c->timeout_s : 30;
	*ret = s;
	return 0;
}

void submit_free(struct submit *s)
{
	if (s == NULL)
		return;
	conn_free(s->conn);
	s->link.conn = NULL;
	link_done(&s->link);
	free(s);
}

const char *submit_said(const struct submit *s)
{
	return s->said;
}

/* -- replies ----------------------------------------------------------------------------------- */

/* The lines of the reply to EHLO. */
static void offer(struct submit *s, struct span line)
{
	struct span word;

	if (!span_split(&line, ' ', &word))
		return;
	if (span_caseeq_str(word, "8BITMIME")) {
		s->eight_bit = true;
	} else if (span_caseeq_str(word, "SMTPUTF8")) {
		s->utf8 = true;
	} else if (span_caseeq_str(word, "PIPELINING")) {
		s->pipelining = true;
	} else if (span_caseeq_str(word, "SIZE")) {
		s->has_size = true;
		(void)num_parse_u64(line, 0, UINT64_MAX, &s->size);
	} else if (span_caseeq_str(word, "AUTH")) {
		while (span_split(&line, ' ', &word)) {
			s->plain |= span_caseeq_str(word, "PLAIN");
			s->external |= span_caseeq_str(word, "EXTERNAL");
		}
	}
}

static void keep(struct submit *s, const struct smtp_reply *r)
{
	char text[400];

	imapc_clean(r->text, text, sizeof text);
	s->code = r->code;
	if (r->class != 0)
		snprintf(s->said, sizeof s->said, "%s (%u %u.%u.%u)", text, r->code, r->class,
			r->subject, r->detail);
	else
		snprintf(s->said, sizeof s->said, "%s (%u)", text, r->code);
}

/* One reply, all its lines: its code, or negative. */
static int reply(struct submit *s, bool ehlo)
{
	static const struct frame_rule rule = {.max = 4096, .bare_lf_ok = true};
	struct smtp_reply r;

	for (int n = 0; n < REPLY_LINES_MAX; n++) {
		struct span line;
		int e = conn_read_line(s->conn, &rule, &line);

		if (e == 0)
			return -ECONNRESET;
		if (e < 0)
			return e;
		if (smtp_reply_parse(line, &r) < 0)
			return -EPROTO;
		if (ehlo && n > 0)
			offer(s, r.text);
		if (!r.more) {
			keep(s, &r);
			return (int)r.code;
		}
	}
	return -EPROTO;
}

/* Sends a line and reads its reply. */
static int ask(struct submit *s, bool ehlo, const char *line)
{
	int r;

	conn_set_timeout_s(s->conn, s->timeout_s);
	r = conn_printf(s->conn, "%s\r\n", line);
	if (r == 0)
		r = conn_flush(s->conn);
	return r == 0 ? reply(s, ehlo) : r;
}

/* -- log-in ------------------------------------------------------------------------------------ */

static int greet(struct submit *s)
{
	int r = reply(s, false);

	if (r >= 0 && r != 220)
		return -EACCES;
	if (r > 0)
		r = ask(s, true, "EHLO [127.0.0.1]");
	if (r < 0)
		return r;
	return r == 250 ? 0 : -EACCES;
}

int submit_login(struct submit *s, const char *user, struct span password)
{
	_cleanup_(buf_wipe) struct buf plain = BUF_INIT(4096), line = BUF_INIT(8192);
	int r;

	conn_set_timeout_s(s->conn, s->timeout_s);
	r = greet(s);
	if (r < 0)
		return r;
	if (password.len == 0 ? !s->external : !s->plain)
		return -ENOTSUP;
	if (password.len == 0) {
		buf_add_str(&line, "AUTH EXTERNAL =");
	} else {
		buf_add_byte(&plain, '\0');
		buf_add_str(&plain, user);
		buf_add_byte(&plain, '\0');
		buf_add(&plain, password);
		buf_add_str(&line, "AUTH PLAIN ");
		text_base64(&line, buf_span(&plain), 0);
	}
	if (buf_error(&plain) < 0 || buf_error(&line) < 0)
		return -EINVAL;
	r = ask(s, false, buf_str(&line));
	if (r == 334)
		r = ask(s, false, "*");
	if (r < 0)
		return r;
	return r == 235 ? 0 : -EACCES;
}

static int login_failed(const struct submit *s, int error)
{
	const char *host = s->link.host;

	if (error == -EACCES)
		return client_fail(s->code / 100 == 4 || s->code == 421 ? ERR_EXIT_TEMP : CLIENT_NO,
			"%s takes no mail from us: %s", host, s->said);
	if (error == -ENOTSUP)
		return client_fail(
			CLIENT_NO, "%s offers no way to log in that is known here", host);
	return client_fail(
		client_exit_of(error), "%s: the log-in failed: %s", host, client_why(error));
}

int submit_open(struct client *c, const struct profile *p, const struct mail_login *login,
	struct submit **ret)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	bool by_password = login != NULL && login->password.len > 0;
	const char *user = login != NULL && login->user != NULL ? login->user : p->user;
	struct submit *s = NULL;
	int r = link_open_door(c, p, "submissions", NULL, !by_password, &l);

	if (r != CLIENT_OK)
		return r;
	r = submit_new(c, l.conn, &s);
	l.conn = NULL;
	if (r < 0)
		return client_fail(ERR_EXIT_TEMP, "%s", err_text(r));
	s->link = l;
	l = LINK_INIT;
	r = submit_login(s, user, by_password ? login->password : SPAN_LIT(""));
	if (r < 0) {
		r = login_failed(s, r);
		submit_free(s);
		return r;
	}
	*ret = s;
	return CLIENT_OK;
}

void submit_close(struct submit *s)
{
	if (s == NULL)
		return;
	if (!s->lost) {
		s->timeout_s = BYE_S;
		if (ask(s, false, "QUIT") == 221)
			(void)conn_close(s->conn);
	}
	submit_free(s);
}

void submit_closep(struct submit **s)
{
	submit_close(*s);
	*s = NULL;
}

/* -- a letter ---------------------------------------------------------------------------------- */

static bool is_ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] >= 0x80)
			return false;
	return true;
}

static struct span header_of(struct span message)
{
	const unsigned char *end =
		message.len > 0 ? memmem(message.p, message.len, "\r\n\r\n", 4) : NULL;

	return end != NULL ? span_of(message.p, (size_t)(end - message.p)) : message;
}

/* Refused here, before it is sent: in the same form. */
static int refuse(struct submit *s, const char *why)
{
	s->code = 550;
	snprintf(s->said, sizeof s->said, "%s", why);
	return -EREMOTEIO;
}

static int judge(const struct submit *s)
{
	return s->code / 100 == 4 ? -EBUSY : -EREMOTEIO;
}

static bool needs_utf8(const struct submit_letter *l)
{
	bool plain = is_ascii(span_str(l->from)) && is_ascii(header_of(l->message));

	for (size_t i = 0; plain && i < l->to_count; i++)
		plain = is_ascii(l->to[i]);
	return !plain;
}

static int mail_from(struct submit *s, const struct submit_letter *l)
{
	bool utf8 = needs_utf8(l), eight = !is_ascii(l->message);
	int r = 0;

	if (s->size != 0 && l->message.len > s->size)
		return refuse(s, "the message is larger than the server takes");
	if (utf8 && !s->utf8)
		return refuse(s, "the server takes ASCII addresses only");
	if (eight && !s->eight_bit)
		return refuse(s, "the server takes 7-bit messages only");
	r = conn_printf(s->conn, "MAIL FROM:<%s>", l->from);
	if (r == 0 && s->has_size)
		r = conn_printf(s->conn, " SIZE=%zu", l->message.len);
	if (r == 0)
		r = conn_printf(s->conn, "%s%s\r\n", eight ? " BODY=8BITMIME" : "",
			utf8 ? " SMTPUTF8" : "");
	return r;
}

static int rcpt(struct submit *s, struct span to)
{
	int r = conn_printf(s->conn, "RCPT TO:<");

	if (r == 0)
		r = conn_write(s->conn, to);
	return r == 0 ? conn_printf(s->conn, ">\r\n") : r;
}

/* The refusals of recipients, one after the other in what was said. */
struct refusals {
	struct buf text;
	bool any, for_now;
};

static void refusals_done(struct refusals *f)
{
	buf_done(&f->text);
}

static void refusals_add(struct refusals *f, const struct submit *s, struct span to)
{
	char address[260];

	imapc_clean(to, address, sizeof address);
	f->for_now = (!f->any || f->for_now) && s->code / 100 == 4;
	buf_addf(&f->text, "%s%s: %s", f->any ? "; " : "", address, s->said);
	f->any = true;
}

/* Up to BURST recipients in one go, and their replies; MAIL's in front of the first. */
static int burst(
	struct submit *s, const struct submit_letter *l, size_t from, size_t to, struct refusals *f)
{
	int r = 0, sender = 250;

	for (size_t i = from; r >= 0 && i < to; i++)
		r = rcpt(s, l->to[i]);
	if (r == 0)
		r = conn_flush(s->conn);
	if (r == 0 && from == 0 && s->pipelining) {
		r = sender = reply(s, false);
		if (r > 0 && sender / 100 != 2)
			refusals_add(f, s, span_str(l->from));
	}
	for (size_t i = from; r >= 0 && i < to; i++) {
		r = reply(s, false);
		/* Without a sender there are no recipients: that says nothing of them. */
		if (r > 0 && r / 100 != 2 && sender / 100 == 2)
			refusals_add(f, s, l->to[i]);
	}
	return r < 0 ? r : 0;
}

static int envelope(struct submit *s, const struct submit_letter *l, struct refusals *f)
{
	size_t step = s->pipelining ? BURST : 1;
	int r;

	conn_set_timeout_s(s->conn, s->timeout_s);
	r = mail_from(s, l);
	if (r == 0 && !s->pipelining) {
		r = conn_flush(s->conn);
		if (r == 0)
			r = reply(s, false);
		if (r > 0 && r / 100 != 2)
			return judge(s);
		r = r < 0 ? r : 0;
	}
	for (size_t i = 0; r == 0 && i < l->to_count; i += step) {
		conn_set_timeout_s(s->conn, s->timeout_s);
		r = burst(s, l, i, i + step < l->to_count ? i + step : l->to_count, f);
	}
	return r;
}

/* The whole text dot-stuffed, in pieces: the server may be slow. */
static int text_give(struct submit *s, struct span message)
{
	_cleanup_(buf_done) struct buf dotted = BUF_INIT(2 * (size_t)MAIL_MESSAGE_MAX);
	struct span rest;
	int r = frame_dot_write(&dotted, message);

	rest = buf_span(&dotted);
	while (r == 0 && rest.len > 0) {
		size_t n = rest.len < CHUNK ? rest.len : CHUNK;

		conn_set_timeout_s(s->conn, s->timeout_s);
		r = conn_write(s->conn, span_of(rest.p, n));
		if (r == 0)
			r = conn_flush(s->conn);
		rest = span_of(rest.p + n, rest.len - n);
	}
	return r;
}

static int data(struct submit *s, const struct submit_letter *l)
{
	int r = ask(s, false, "DATA");

	if (r < 0)
		return r;
	if (r != 354)
		return judge(s);
	r = text_give(s, l->message);
	if (r < 0)
		return r;
	conn_set_timeout_s(s->conn, s->timeout_s > DATA_S ? s->timeout_s : DATA_S);
	r = reply(s, false);
	if (r < 0)
		return r;
	return r / 100 == 2 ? 0 : judge(s);
}

/* Nothing may be left of it for the next one; what was said of it stays. */
static int reset(struct submit *s, int error)
{
	char said[sizeof s->said];
	int r;

	memcpy(said, s->said, sizeof said);
	r = ask(s, false, "RSET");
	memcpy(s->said, said, sizeof said);
	return r < 0 ? r : error;
}

int submit_send(struct submit *s, const struct submit_letter *l)
{
	_cleanup_(refusals_done) struct refusals f = {.text = BUF_INIT(8192)};
	int r;

	if (l->to_count == 0)
		return -EINVAL;
	r = envelope(s, l, &f);
	if (r == 0 && f.any) {
		imapc_clean(buf_span(&f.text), s->said, sizeof s->said);
		r = f.for_now ? -EBUSY : -EREMOTEIO;
	} else if (r == 0) {
		r = data(s, l);
	}
	if (r == -EREMOTEIO || r == -EBUSY)
		r = reset(s, r);
	if (r < 0 && r != -EREMOTEIO && r != -EBUSY)
		s->lost = true;
	return r;
}
