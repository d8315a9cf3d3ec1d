/*
 * The whole submission session over a connection in memory, in the house of mail_world.h. Two bytes
 * choose how many bytes of the peer come at a time, and whether ann has greeted and logged in
 * already; the rest is what the peer says, with what mail_world_act() does between its lines.
 * Whatever it is, the answers are replies; at any time there are as many new messages as were said
 * to be delivered; and they come from ann, have the fields that a message has, and no bare CR, LF
 * or NUL.
 */
#include "tests/fuzz/lib/mail_world.h"

#include "base/num.h"
#include "services/maild/smtp/smtp.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LOGIN "EHLO x\r\nAUTH PLAIN AGFubgBjb3JyZWN0IGhvcnNl\r\n"

enum {
	OUT_MAX = 1 << 24,
	IN_MAX = 1 << 17,
	INPUT_MAX = 1 << 15, /* so that all messages lie in the store */
	HEAD = 2,
	THOROUGH_EVERY = 64,
	LINE_MAX_BYTES = 512,
};

static const struct service_door door = {
	.name = "submissions", .tls = true, .idle_s = 1000, .login_s = 1000};
static unsigned inputs;

struct peer {
	struct span rest, piece; /* to be said; of the line that is under way */
	size_t step;
	struct service *service;
	struct buf out;
	size_t read; /* of out */
	struct smtp_reply reply; /* the last line of it */
	uint64_t messages; /* that there have to be in the house */
	bool visited; /* others brought mail too */
};

/* -- what was said ----------------------------------------------------------------------------- */

static void count_delivered(struct peer *p)
{
	static const char words[] = "Delivered to ";
	struct span rest = p->reply.text, number;
	uint64_t count;

	if (p->reply.code != 250 || !span_starts(rest, words))
		return;
	rest = span_of(rest.p + strlen(words), rest.len - strlen(words));
	require(span_split(&rest, ' ', &number));
	require(num_parse_u64(number, 1, MAIL_RECIPIENTS_MAX, &count) == 0);
	p->messages += count;
}

static void hear(struct peer *p)
{
	struct span out = span_of(p->out.p + p->read, p->out.len - p->read), line = {0};

	while (span_split(&out, '\n', &line)) {
		unsigned inside = p->reply.more ? p->reply.code : 0;

		require(line.len > 0 && line.len < LINE_MAX_BYTES && line.p[line.len - 1] == '\r');
		line.len--;
		for (size_t i = 0; i < line.len; i++)
			require(line.p[i] >= 0x20 && line.p[i] != 0x7f);
		require(smtp_reply_parse(line, &p->reply) == 0);
		require(inside == 0 || inside == p->reply.code);
		count_delivered(p);
	}
	p->read = p->out.len;
	require(!p->reply.more);
}

/* -- what was delivered ------------------------------------------------------------------------ */

static int read_totals(struct store_txn *txn, void *arg)
{
	return mail_totals(txn, NULL, arg);
}

static uint64_t count_messages(void)
{
	struct mail_totals totals;

	require(store_view(mail_world()->store, read_totals, &totals) == 0);
	return totals.messages;
}

static int check_message(void *arg, const struct mail_message *m)
{
	static const char *const names[] = {
		"Return-Path", "Received", "From", "Date", "Message-ID"};
	const struct smtp_house house = {
		.account = "ann", .domain = "example.org", .host = "mail.example.org"};
	struct buf text = BUF_INIT(IN_MAX), who = BUF_INIT(4096);
	struct mime_field field;
	struct span header;

	(void)arg;
	require(maild_body_read(mail_world()->store, m->blob, 0, (size_t)m->size, &text) == 0);
	require(smtp_bytes_check(buf_span(&text)) == 0);
	require(span_starts(buf_span(&text), "Return-Path: <"));
	header = span_of(text.p, smtp_header_length(buf_span(&text)));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		require(mime_field(header, names[i], 0, &field) == 0);
	require(mime_field(header, "Bcc", 0, &field) == -ENOENT);
	require(smtp_header_authors(header, &house, &who) == 0);
	buf_done(&text);
	buf_done(&who);
	return 0;
}

/* What came behind that which was there before. */
static int check_inboxes(struct store_txn *txn, void *arg)
{
	static const struct {
		const char *account;
		uint32_t from;
	} people[] = {{"ann", MAIL_LETTERS + 1}, {"bob", 2}};

	for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
		struct mail_box box;
		int r = mail_box_find(txn, people[i].account, SPAN_LIT("INBOX"), &box);

		require(r == 0 || r == -ENOENT);
		if (r == 0)
			require(mail_messages_each(
					txn, box.id, people[i].from, check_message, arg) == 0);
	}
	return 0;
}

/* -- what is said ------------------------------------------------------------------------------ */

static struct span next_line(const struct peer *p)
{
	const unsigned char *end = memchr(p->rest.p, '\n', p->rest.len);

	return span_of(p->rest.p, end != NULL ? (size_t)(end - p->rest.p) + 1 : p->rest.len);
}

static void pass(struct peer *p, size_t len)
{
	p->rest = span_of(p->rest.p + len, p->rest.len - len);
}

static void let_others(struct peer *p)
{
	while (p->rest.len > 0) {
		struct span line = next_line(p), words = line;

		while (words.len > 0 &&
			(words.p[words.len - 1] == '\n' || words.p[words.len - 1] == '\r'))
			words.len--;
		if (!mail_world_act(words))
			return;
		p->visited = p->visited || span_starts(words, "deliver> ");
		p->messages = count_messages();
		pass(p, line.len);
	}
}

static struct span next(void *arg)
{
	struct peer *p = arg;
	struct span now;

	(void)conn_flush(p->service->conn);
	hear(p);
	require(count_messages() == p->messages);
	if (p->piece.len == 0) {
		let_others(p);
		if (p->rest.len == 0)
			return p->piece;
		p->piece = next_line(p);
		pass(p, p->piece.len);
	}
	now = p->piece;
	if (p->step > 0 && now.len > p->step)
		now.len = p->step;
	p->piece = span_of(p->piece.p + now.len, p->piece.len - now.len);
	return now;
}

static void session(struct peer *p)
{
	struct service s;
	int r;

	mail_world_begin(&s, &door);
	p->service = &s;
	p->out = BUF_INIT(OUT_MAX);
	p->messages = count_messages();
	require(conn_new_source(next, p, &p->out, &s.conn) == 0);
	r = smtp_run(&s);
	/* poll() is not begun again after libFuzzer's alarm. */
	require(r == 0 || r == -ECONNRESET || r == -EINTR);
	(void)conn_close(s.conn);
	hear(p);
	require(count_messages() == p->messages);
	mail_world_end(&s);
	buf_done(&p->out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in = BUF_INIT(IN_MAX);
	struct peer p = {.visited = false};

	if (size < HEAD || size > INPUT_MAX)
		return 0;
	mail_world_reset();
	if ((data[1] & 1) == 0)
		buf_add_str(&in, LOGIN);
	buf_add(&in, span_of(data + HEAD, size - HEAD));
	p.rest = buf_span(&in);
	p.step = data[0];
	session(&p);
	if (!p.visited)
		require(store_view(mail_world()->store, check_inboxes, NULL) == 0);
	mail_world_check(inputs++ % THOROUGH_EVERY == 0);
	buf_done(&in);
	return 0;
}
