/*
 * maild's whole IMAP session over a connection in memory, on a store with mail in it. Two bytes
 * choose how many bytes of the peer come at a time, and what ann has said before; the rest is what
 * she says. A line "other> COMMAND || COMMAND" is not hers: another session of hers says that just
 * then; others are mail_world_act()'s. Whatever it is, the answers are those of mail_client.h.
 */
#include "tests/fuzz/lib/mail_client.h"

#include "services/maild/maild.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	OUT_MAX = 1 << 28,
	IN_MAX = 1 << 14,
	HEAD = 2,
	OTHERS_MAX = 16,
	THOROUGH_EVERY = 64,
};

#define LOGIN "l LOGIN ann \"" WORLD_PASSWORD "\"\r\n"
#define NOTIFY                                                                                  \
	"n NOTIFY SET (SELECTED (MessageNew MessageExpunge FlagChange)) (PERSONAL (MessageNew " \
	"MessageExpunge MailboxName SubscriptionChange))\r\n"

static const struct service_door door = {
	.name = "imaps", .tls = true, .idle_s = 1000, .login_s = 1000};
static unsigned others, inputs;

/* What is said before, by the bits of the second byte. */
static const char *const before[] = {
	LOGIN,
	"e ENABLE QRESYNC\r\n",
	"r ENABLE IMAP4rev2 UTF8=ACCEPT\r\n",
	"s SELECT INBOX\r\n",
	"f FETCH 1:* (UID FLAGS)\r\n",
	"x XSET RECEIPTS ALWAYS\r\n",
	NOTIFY,
	"q GETQUOTAROOT INBOX\r\n",
};

static void session(struct mail_client *c)
{
	struct service s;
	int r;

	mail_world_begin(&s, &door);
	c->account = "ann";
	c->service = &s;
	c->out = BUF_INIT(OUT_MAX);
	require(conn_new_source(mail_client_next, c, &c->out, &s.conn) == 0);
	r = imap_run(&s);
	/* poll() is not begun again after libFuzzer's alarm. */
	if (r != 0 && r != -ECONNRESET && r != -EINTR) {
		(void)fprintf(stderr, "the session ended by: %s\n", err_text(r));
		abort();
	}
	(void)conn_close(s.conn);
	mail_client_end(c);
	mail_world_end(&s);
}

static void let_other(struct span rest)
{
	struct buf in = BUF_INIT(4 * IN_MAX);
	struct mail_client c = {.step = 0};

	buf_add_str(&in, LOGIN);
	while (rest.len > 0) {
		const unsigned char *end = memmem(rest.p, rest.len, " || ", 4);
		size_t len = end != NULL ? (size_t)(end - rest.p) : rest.len;
		size_t skip = end != NULL ? len + 4 : len;

		buf_add_str(&in, "o ");
		buf_add(&in, span_of(rest.p, len));
		buf_add_str(&in, "\r\n");
		rest = span_of(rest.p + skip, rest.len - skip);
	}
	c.rest = buf_span(&in);
	session(&c);
	buf_done(&in);
}

static bool is_between(struct span line)
{
	static const char head[] = "other> ";

	if (!span_starts(line, head))
		return mail_world_act(line);
	if (others++ >= OTHERS_MAX)
		return false;
	let_other(span_of(line.p + strlen(head), line.len - strlen(head)));
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in = BUF_INIT(2 * IN_MAX);
	struct mail_client c = {.between = is_between};

	if (size < HEAD || size > IN_MAX)
		return 0;
	mail_world_reset();
	others = 0;
	for (unsigned i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		if ((data[1] >> i & 1) != 0)
			buf_add_str(&in, before[i]);
	buf_add(&in, span_of(data + HEAD, size - HEAD));
	c.rest = buf_span(&in);
	c.step = data[0] & 15;
	c.step *= c.step;
	session(&c);
	mail_world_check(inputs++ % THOROUGH_EVERY == 0);
	buf_done(&in);
	return 0;
}
