/*
 * quintet mail's IMAP connection and its submissions, against servers of words: what is sent, what
 * is made of the answers, and what a hostile server gets.
 */
#include "base/cleanup.h"
#include "client/mail/imapc.h"
#include "client/mail/submit.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct scene {
	struct buf sent;
	struct imapc *m;
	struct submit *s;
};

static void begin(struct scene *s, const char *server)
{
	struct conn *conn = NULL;

	*s = (struct scene){.sent = BUF_INIT(1 << 20)};
	assert_int_equal(conn_new_memory(span_str(server), 7, &s->sent, &conn), 0);
	assert_int_equal(imapc_new(NULL, conn, &s->m), 0);
}

static void begin_submit(struct scene *s, const char *server)
{
	struct conn *conn = NULL;

	*s = (struct scene){.sent = BUF_INIT(1 << 20)};
	assert_int_equal(conn_new_memory(span_str(server), 0, &s->sent, &conn), 0);
	assert_int_equal(submit_new(NULL, conn, &s->s), 0);
}

static void end(struct scene *s)
{
	imapc_free(s->m);
	submit_free(s->s);
	buf_done(&s->sent);
}

static int login(struct scene *s, const char *password)
{
	return imapc_login(s->m, "ann", span_str(password));
}

/* Only what is wanted went out, and nothing else since the last look. */
static void assert_sent(struct scene *s, const char *wanted)
{
	assert_string_equal(buf_str(&s->sent), wanted);
	buf_reset(&s->sent);
}

/* -- log-in ------------------------------------------------------------------------------------ */

static void test_log_in(void **state)
{
	struct scene s;

	(void)state;
	begin(&s,
		"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=EXTERNAL AUTH=PLAIN] hello\r\n"
		"q1 OK [CAPABILITY IMAP4rev1 ENABLE QRESYNC UTF8=ACCEPT LITERAL+] welcome\r\n"
		"* ENABLED QRESYNC UTF8=ACCEPT\r\nq2 OK done\r\n");
	assert_int_equal(login(&s, ""), 0);
	assert_true(s.m->qresync && s.m->condstore && s.m->utf8);
	assert_true(imapc_can(s.m, "literal+"));
	assert_false(imapc_can(s.m, "SASL-IR"));
	assert_sent(&s, "q1 AUTHENTICATE EXTERNAL =\r\nq2 ENABLE QRESYNC UTF8=ACCEPT\r\n");
	end(&s);
	/* A session that can just what a stranger can is not asked once more. */
	begin(&s,
		"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=EXTERNAL] hello\r\n"
		"q1 OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=EXTERNAL] welcome\r\n");
	assert_int_equal(login(&s, ""), 0);
	assert_sent(&s, "q1 AUTHENTICATE EXTERNAL =\r\n");
	end(&s);
	/* Without SASL-IR, capabilities in answers of their own, nothing to enable. */
	begin(&s,
		"* OK hello\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nq1 OK\r\n+ \r\nq2 OK in\r\n"
		"* CAPABILITY IMAP4rev1 IDLE\r\nq3 OK\r\n");
	assert_int_equal(login(&s, "secret"), 0);
	assert_true(imapc_can(s.m, "IDLE"));
	assert_sent(&s,
		"q1 CAPABILITY\r\nq2 AUTHENTICATE PLAIN\r\nAGFubgBzZWNyZXQ=\r\nq3 CAPABILITY\r\n");
	end(&s);
}

static void test_no_log_in(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, "* BYE too many of you\r\n");
	assert_int_equal(login(&s, ""), -EACCES);
	assert_string_equal(imapc_said(s.m), "too many of you");
	end(&s);
	begin(&s,
		"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello\r\n"
		"q1 NO [AUTHENTICATIONFAILED] wrong \033[31mpassword\r\n");
	assert_int_equal(login(&s, "x"), -EACCES);
	assert_string_equal(imapc_code(s.m), "AUTHENTICATIONFAILED");
	assert_null(strchr(imapc_said(s.m), '\033'));
	end(&s);
	begin(&s, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] no certificates\r\n");
	assert_int_equal(login(&s, ""), -ENOTSUP);
	end(&s);
	/* A server that asks again and again gets no secret twice. */
	begin(&s,
		"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n+ \r\n+ more\r\nq1 BAD cancelled\r\n");
	assert_int_equal(login(&s, "x"), -EACCES);
	assert_sent(&s, "q1 AUTHENTICATE PLAIN\r\nAGFubgB4\r\n*\r\n");
	end(&s);
}

/* -- commands ---------------------------------------------------------------------------------- */

static int count(void *arg, const struct imap_answer *a)
{
	(void)a;
	++*(int *)arg;
	return 0;
}

static void test_commands(void **state)
{
	_cleanup_(imapc_words_done) struct imapc_words w;
	struct scene s;
	int heard = 0;

	(void)state;
	begin(&s,
		"* 3 EXISTS\r\n* OK still {5}\r\nq1 OK fine\r\nq2 NO [OVERQUOTA] full\r\n"
		"+ go\r\n* 4 EXISTS\r\n+ go on\r\nq3 OK [APPENDUID 1 2] done\r\n");
	assert_int_equal(imapc_runf(s.m, count, &heard, "NOOP"), 0);
	assert_int_equal(heard, 2);
	assert_int_equal(imapc_runf(s.m, NULL, NULL, "CREATE x"), -EREMOTEIO);
	assert_string_equal(imapc_code(s.m), "OVERQUOTA");
	assert_string_equal(imapc_why(s.m, -EREMOTEIO), "full");
	assert_int_equal(imapc_runf(s.m, NULL, NULL, "NOOP\r\nq9 DELETE INBOX"), -EINVAL);
	imapc_words_begin(s.m, &w);
	imapc_say(&w, "LOGIN ");
	imapc_say_string(&w, SPAN_LIT("a\"b\\"));
	imapc_say(&w, " ");
	imapc_say_string(&w, SPAN_LIT("line\r\nend"));
	imapc_say(&w, " ");
	imapc_say_mailbox(&w, SPAN_LIT("Entw\xc3\xbcrfe"));
	imapc_say_string(&w, SPAN_LIT("\xc3\xbc"));
	assert_int_equal(imapc_say_run(s.m, &w, NULL, NULL), 0);
	assert_sent(&s,
		"q1 NOOP\r\nq2 CREATE x\r\nq3 LOGIN \"a\\\"b\\\\\" {9}\r\nline\r\nend "
		"\"Entw&APw-rfe\"{2}\r\n\xc3\xbc\r\n");
	end(&s);
}

static void test_refused_literal(void **state)
{
	const struct imapc_piece pieces[] = {
		{SPAN_LIT("APPEND x "), false}, {SPAN_LIT("bytes"), true}};
	struct scene s;

	(void)state;
	begin(&s, "q1 NO [TOOBIG] no\r\nq2 OK\r\n");
	assert_int_equal(imapc_run(s.m, pieces, 2, NULL, NULL), -EREMOTEIO);
	assert_string_equal(imapc_code(s.m), "TOOBIG");
	assert_int_equal(imapc_runf(s.m, NULL, NULL, "NOOP"), 0);
	assert_sent(&s, "q1 APPEND x {5}\r\nq2 NOOP\r\n");
	end(&s);
}

static void test_pipelined(void **state)
{
	const struct imapc_piece noop = {SPAN_LIT("NOOP"), false};
	struct scene s;
	uint32_t one, two;

	(void)state;
	begin(&s, "q2 NO second\r\nq1 OK first\r\n");
	assert_int_equal(imapc_send(s.m, &noop, 1, &one), 0);
	assert_int_equal(imapc_send(s.m, &noop, 1, &two), 0);
	assert_int_equal(imapc_wait(s.m, one, NULL, NULL), 0);
	assert_int_equal(imapc_wait(s.m, two, NULL, NULL), -EREMOTEIO);
	end(&s);
}

static void test_idle(void **state)
{
	struct scene s;

	(void)state;
	begin(&s,
		"* OK [CAPABILITY IMAP4rev1 IDLE] x\r\n+ idling\r\n* OK still here\r\n* 4 EXISTS\r\n"
		"* 1 RECENT\r\nq1 OK\r\nq2 OK\r\n");
	assert_int_equal(imapc_next(s.m), 1);
	assert_int_equal(imapc_idle(s.m, 1000, -1, NULL, NULL), 1);
	assert_int_equal(imapc_runf(s.m, NULL, NULL, "NOOP"), 0);
	assert_sent(&s, "q1 IDLE\r\nDONE\r\nq2 NOOP\r\n");
	end(&s);
}

/* -- hostile servers --------------------------------------------------------------------------- */

static void hostile(const char *server, int error)
{
	struct scene s;

	begin(&s, server);
	assert_int_equal(imapc_runf(s.m, NULL, NULL, "NOOP"), error);
	/* Lost for good. */
	assert_int_equal(imapc_runf(s.m, NULL, NULL, "NOOP"), error);
	assert_int_equal(imapc_idle(s.m, 10, -1, NULL, NULL), error);
	end(&s);
}

static void test_hostile(void **state)
{
	struct buf endless = BUF_INIT(8 << 20);

	(void)state;
	hostile("", -ECONNRESET);
	hostile("* 1 FETCH (BODY[] {5}\r\nab", -ECONNRESET);
	hostile("* 1 FETCH (BODY[] {99999999999}\r\nab", -EMSGSIZE);
	hostile("* 1 FETCH (BODY[] {99999999999999999999999}\r\nab", -EBADMSG);
	hostile("* LIST ((((\r\n", -EBADMSG);
	hostile("q7 OK from the future\r\n", -EPROTO);
	hostile("zzz OK who?\r\n", -EPROTO);
	buf_add_str(&endless, "* SEARCH");
	while (endless.len < 5 << 20)
		buf_add_str(&endless, " 123456789 123456789 123456789");
	hostile(buf_str(&endless), -EMSGSIZE);
	buf_done(&endless);
}

/* -- submission -------------------------------------------------------------------------------- */

#define HELLO                                                                       \
	"220 hi\r\n250-host\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n" \
	"250-AUTH EXTERNAL PLAIN\r\n250 SMTPUTF8\r\n235 2.7.0 in\r\n"

static const struct span two[] = {SPAN_LIT("bob@x"), SPAN_LIT("cid@x")};
static const struct submit_letter letter = {
	"ann@x", two, 2, SPAN_LIT("Subject: x\r\n\r\n.dot\r\nend\r\n")};

static void test_submit(void **state)
{
	struct scene s;

	(void)state;
	begin_submit(&s, HELLO "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 2.0.0 kept\r\n");
	assert_int_equal(submit_login(s.s, "ann", SPAN_LIT("")), 0);
	assert_int_equal(submit_send(s.s, &letter), 0);
	assert_sent(&s,
		"EHLO [127.0.0.1]\r\nAUTH EXTERNAL =\r\nMAIL FROM:<ann@x> SIZE=25\r\n"
		"RCPT TO:<bob@x>\r\nRCPT TO:<cid@x>\r\nDATA\r\n"
		"Subject: x\r\n\r\n..dot\r\nend\r\n.\r\n");
	end(&s);
}

/* Nobody gets it when one cannot; and the line goes on. */
static void test_submit_refusals(void **state)
{
	struct submit_letter eight = letter, large = letter, utf8 = letter;
	const struct span who[] = {SPAN_LIT("j\xc3\xb6rg@x")};
	char bytes[1200];
	struct scene s;

	(void)state;
	begin_submit(&s,
		HELLO "250 ok\r\n550 5.1.1 no bob\r\n250 ok\r\n250 reset\r\n"
		      "250 ok\r\n450 4.2.2 later\r\n250 ok\r\n250 reset\r\n"
		      "550 5.7.1 not you\r\n503 no\r\n503 no\r\n250 reset\r\n"
		      "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n552 5.2.2 full\r\n250 reset\r\n"
		      "250 reset\r\n");
	assert_int_equal(submit_login(s.s, "ann", SPAN_LIT("pw")), 0);
	assert_int_equal(submit_send(s.s, &letter), -EREMOTEIO);
	assert_string_equal(submit_said(s.s), "bob@x: no bob (550 5.1.1)");
	assert_null(strstr(buf_str(&s.sent), "DATA"));
	assert_int_equal(submit_send(s.s, &letter), -EBUSY);
	assert_int_equal(submit_send(s.s, &letter), -EREMOTEIO);
	assert_string_equal(submit_said(s.s), "ann@x: not you (550 5.7.1)");
	assert_int_equal(submit_send(s.s, &letter), -EREMOTEIO);
	assert_string_equal(submit_said(s.s), "full (552 5.2.2)");
	memset(bytes, 'x', sizeof bytes);
	large.message = span_of(bytes, sizeof bytes);
	assert_int_equal(submit_send(s.s, &large), -EREMOTEIO);
	assert_non_null(strstr(submit_said(s.s), "larger"));
	end(&s);
	/* What the server cannot take is not given to it. */
	begin_submit(&s, "220 hi\r\n250-x\r\n250 AUTH EXTERNAL\r\n235 in\r\n250 r\r\n250 r\r\n");
	assert_int_equal(submit_login(s.s, "ann", SPAN_LIT("")), 0);
	eight.message = SPAN_LIT("Subject: x\r\n\r\n\xc3\xbc\r\n");
	assert_int_equal(submit_send(s.s, &eight), -EREMOTEIO);
	utf8.to = who;
	utf8.to_count = 1;
	assert_int_equal(submit_send(s.s, &utf8), -EREMOTEIO);
	assert_null(strstr(buf_str(&s.sent), "MAIL FROM"));
	end(&s);
}

static void test_submit_log_in(void **state)
{
	struct scene s;

	(void)state;
	begin_submit(&s, "220 hi\r\n250-x\r\n250 AUTH PLAIN\r\n535 5.7.8 wrong\r\n");
	assert_int_equal(submit_login(s.s, "ann", SPAN_LIT("pw")), -EACCES);
	assert_string_equal(submit_said(s.s), "wrong (535 5.7.8)");
	end(&s);
	begin_submit(&s, "220 hi\r\n250-x\r\n250 AUTH PLAIN\r\n");
	assert_int_equal(submit_login(s.s, "ann", SPAN_LIT("")), -ENOTSUP);
	end(&s);
	begin_submit(&s, "554 go away\r\n");
	assert_int_equal(submit_login(s.s, "ann", SPAN_LIT("")), -EACCES);
	end(&s);
	begin_submit(&s, "nonsense\r\n");
	assert_int_equal(submit_login(s.s, "ann", SPAN_LIT("")), -EPROTO);
	end(&s);
	begin_submit(&s, HELLO "250 ok\r\n250 ok\r\n");
	assert_int_equal(submit_login(s.s, "ann", SPAN_LIT("")), 0);
	assert_int_equal(submit_send(s.s, &letter), -ECONNRESET);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_in),
		cmocka_unit_test(test_no_log_in),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_refused_literal),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_submit),
		cmocka_unit_test(test_submit_refusals),
		cmocka_unit_test(test_submit_log_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
