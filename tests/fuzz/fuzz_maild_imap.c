/*
 * maild's whole IMAP session over a connection in memory, in a store with some mail. Two bytes
 * choose how many bytes of the peer come at a time, and what was said before (log-in, ENABLE,
 * SELECT); the rest is what the peer says. A line "> COMMAND || COMMAND" is another session's of
 * the same account, between this one's commands. Whatever it is, the answers are IMAP, their
 * numbers are those of messages that are there, and the store's rows agree.
 */
#include "tests/fuzz/lib/world.h"

#include "base/timefmt.h"
#include "proto/imap.h"
#include "service/internal.h"
#include "services/maild/imap/imap.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IN_MAX = 1 << 16, OUT_MAX = 1 << 26, HEAD = 2, OTHERS_MAX = 16, THOROUGH_EVERY = 32 };

#define MIME_MESSAGE                                                                               \
	"From: Bob <bob@example.org>\r\nTo: ann@example.org\r\nSubject: =?utf-8?q?Gr=C3=BCn?=\r\n" \
	"Date: Thu, 1 Jan 2026 10:00:00 +0100\r\nMessage-ID: <1@example.org>\r\n"                  \
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello.\r\n--b\r\n"            \
	"Content-Type: message/rfc822\r\n\r\nSubject: inside\r\n\r\nText.\r\n--b--\r\n"
#define PLAIN_MESSAGE                                                                     \
	"From: carl@example.org\r\nSubject: Re: plain\r\nReferences: <1@example.org>\r\n" \
	"Disposition-Notification-To: carl@example.org\r\n\r\nOnly text.\r\n"

static const struct service_def def = {.name = "maild", .bell = true};
static const struct service_door door = {
	.name = "imaps", .tls = true, .idle_s = 1000, .login_s = 1000};
static const char *const preludes[] = {
	"",
	"l LOGIN ann \"" WORLD_PASSWORD "\"\r\n",
	"l LOGIN ann \"" WORLD_PASSWORD "\"\r\nl SELECT INBOX\r\n",
	"l LOGIN ann \"" WORLD_PASSWORD "\"\r\nl ENABLE QRESYNC\r\nl SELECT INBOX\r\n",
	"l LOGIN ann \"" WORLD_PASSWORD
	"\"\r\nl ENABLE IMAP4rev2 UTF8=ACCEPT\r\nl SELECT INBOX\r\n",
	"l LOGIN ann \"" WORLD_PASSWORD "\"\r\nl EXAMINE INBOX (CONDSTORE)\r\n",
};

static struct world world;
static unsigned others, inputs;

/* -- sessions ---------------------------------------------------------------------------------- */

static void run_session(struct span in, size_t step, struct buf *out)
{
	static const unsigned char bucket[] = {198, 51, 100, 78};
	struct service s = SERVICE_INIT;
	int r;

	s.def = &def;
	s.door = &door;
	s.settings = world.settings;
	s.store = world.store;
	s.started_ms = time_monotonic_ms();
	s.source = (struct auth_source){.bucket = span_of(bucket, sizeof(bucket)),
		.peer = "198.51.100.78",
		.service = "maild",
		.runtime = world.settings.runtime,
		.domain = world.settings.domain};
	require(conn_new_memory(in, step, out, &s.conn) == 0);
	r = imap_run(&s);
	require(r == 0 || r == -ECONNRESET || r == -EINTR);
	(void)conn_close(s.conn);
	service_live_end(&s);
	s.store = NULL;
	service_done(&s);
}

/* -- what was said ----------------------------------------------------------------------------- */

static struct span next_answer(struct span *rest)
{
	struct span answer = span_of(rest->p, 0);

	for (;;) {
		const unsigned char *end = memmem(rest->p, rest->len, "\r\n", 2);
		struct imap_literal literal;
		size_t len;

		require(end != NULL);
		len = (size_t)(end - rest->p);
		answer.len += len;
		if (imap_literal_end(span_of(rest->p, len), &literal) != 1) {
			*rest = span_of(end + 2, rest->len - len - 2);
			return answer;
		}
		require(literal.size <= rest->len - len - 2);
		answer.len += 2 + (size_t)literal.size;
		*rest = span_of(end + 2 + literal.size, rest->len - len - 2 - (size_t)literal.size);
	}
}

/* How many messages the client knows of, by what it was told. */
static void count_answer(const struct imap_answer *a, size_t *messages)
{
	const struct imap_node *number = a->nodes, *word;
	size_t n = 0;

	if (span_eq_str(a->code, "CLOSED"))
		*messages = 0;
	if (a->count < 2 || number->next == UINT32_MAX || number->value != IMAP_VALUE_ATOM)
		return;
	word = &a->nodes[number->next];
	for (size_t i = 0; i < number->text.len; i++) {
		if (number->text.p[i] < '0' || number->text.p[i] > '9')
			return;
		n = n * 10 + (number->text.p[i] - '0');
	}
	if (span_eq_str(word->text, "EXISTS"))
		*messages = n;
	else if (span_eq_str(word->text, "FETCH"))
		require(n >= 1 && n <= *messages);
	else if (span_eq_str(word->text, "EXPUNGE")) {
		require(n >= 1 && n <= *messages);
		--*messages;
	}
}

static void check_answers(struct span out)
{
	size_t messages = 0;

	while (out.len > 0) {
		struct span answer = next_answer(&out);
		unsigned char *copy = malloc(answer.len + 1);
		struct imap_answer a;

		require(copy != NULL);
		memcpy(copy, answer.p, answer.len);
		require(imap_answer_parse(copy, answer.len, &a) == 0);
		count_answer(&a, &messages);
		imap_answer_done(&a);
		free(copy);
	}
}

/* -- the other session ------------------------------------------------------------------------- */

static bool is_between(struct span line)
{
	struct buf in = BUF_INIT(IN_MAX * 2), out = BUF_INIT(OUT_MAX);
	struct span rest;

	if (!span_starts(line, "> ") || others++ >= OTHERS_MAX)
		return false;
	buf_add_str(&in, preludes[2]);
	for (rest = span_of(line.p + 2, line.len - 2); rest.len > 0;) {
		const unsigned char *end = memmem(rest.p, rest.len, " || ", 4);
		size_t len = end != NULL ? (size_t)(end - rest.p) : rest.len;
		size_t skip = end != NULL ? len + 4 : len;

		buf_addf(&in, "o ");
		buf_add(&in, span_of(rest.p, len));
		buf_add_str(&in, "\r\n");
		rest = span_of(rest.p + skip, rest.len - skip);
	}
	imap_between = NULL;
	run_session(buf_span(&in), 0, &out);
	imap_between = is_between;
	check_answers(buf_span(&out));
	buf_done(&in);
	buf_done(&out);
	return true;
}

/* -- the world, made once ---------------------------------------------------------------------- */

static void remove_world(void)
{
	world_end(&world);
}

static void make_mail(void)
{
	struct buf in = BUF_INIT(IN_MAX), out = BUF_INIT(OUT_MAX);

	buf_add_str(&in, preludes[1]);
	for (int i = 0; i < 3; i++) {
		buf_addf(&in, "a APPEND INBOX (\\Seen k%d) {%zu+}\r\n%s\r\n", i,
			sizeof(MIME_MESSAGE) - 1, MIME_MESSAGE);
		buf_addf(&in, "a APPEND INBOX {%zu+}\r\n%s\r\n", sizeof(PLAIN_MESSAGE) - 1,
			PLAIN_MESSAGE);
	}
	buf_add_str(&in,
		"a CREATE a/b/c\r\na SUBSCRIBE x/y\r\na SELECT INBOX\r\na COPY 1:2 Trash\r\n"
		"a STORE 3 +FLAGS (\\Deleted)\r\na EXPUNGE\r\na LOGOUT\r\n");
	run_session(buf_span(&in), 0, &out);
	check_answers(buf_span(&out));
	require(memmem(out.p, out.len, "a BAD", 5) == NULL);
	require(memmem(out.p, out.len, "a NO", 4) == NULL);
	buf_done(&in);
	buf_done(&out);
}

static void reset(void)
{
	if (world.file.len == 0) {
		world_begin(&world, "mail.example.org");
		require(atexit(remove_world) == 0);
		world_account(&world, "ann", 0);
		world_policy(&world, "mail_size", "65536");
		make_mail();
		world_keep(&world);
	}
	world_reset(&world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in = BUF_INIT(IN_MAX * 2), out = BUF_INIT(OUT_MAX);

	if (size < HEAD || size > IN_MAX)
		return 0;
	reset();
	buf_add_str(&in, preludes[data[1] % (sizeof(preludes) / sizeof(preludes[0]))]);
	buf_add(&in, span_of(data + HEAD, size - HEAD));
	others = 0;
	imap_between = is_between;
	run_session(buf_span(&in), (size_t)(data[0] & 15) * (data[0] & 15), &out);
	imap_between = NULL;
	check_answers(buf_span(&out));
	if (++inputs % THOROUGH_EVERY == 0)
		world_check(&world);
	world_clock(false);
	buf_done(&in);
	buf_done(&out);
	return 0;
}
