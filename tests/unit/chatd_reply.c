/* What every line to a client goes through: tags by capability, labels, batches, the length of a
 * line. */
#include "tests/unit/lib/chatd_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define CAP(name) (UINT64_C(1) << (name))
#define LABELED (CAP(CAP_LABELED_RESPONSE) | CAP(CAP_BATCH))

enum { AT_S = 1795258118 }; /* 2026-11-21T10:48:38Z */
#define AT_US (AT_S * INT64_C(1000000) + 7000)

static void say(struct chatd_fake *f, const struct chatd_tags *tags, const char *line)
{
	chatd_send(&f->c, tags, span_str(line));
}

static void test_forms(void **state)
{
	struct chatd_fake f;

	(void)state;
	chatd_fake_begin(&f, 0);
	chatd_numeric(&f.c, 1, ":Welcome, %s", "Ann");
	assert_string_equal(chatd_fake_said(&f), ":irc.test 001 Ann :Welcome, Ann\r\n");
	chatd_server(&f.c, "PONG irc.test :%d", 5);
	assert_string_equal(chatd_fake_said(&f), ":irc.test PONG irc.test :5\r\n");
	chatd_notice(&f.c, "hello");
	assert_string_equal(chatd_fake_said(&f), ":irc.test NOTICE Ann :hello\r\n");
	chatd_standard(&f.c, "FAIL", "JOIN", "CODE", "#a", "no");
	assert_string_equal(chatd_fake_said(&f), ":irc.test FAIL JOIN CODE #a :no\r\n");
	chatd_standard(&f.c, "WARN", "*", "CODE", "", "no");
	assert_string_equal(chatd_fake_said(&f), ":irc.test WARN * CODE :no\r\n");
	f.c.registered = false;
	chatd_numeric(&f.c, 451, ":Not yet");
	assert_string_equal(chatd_fake_said(&f), ":irc.test 451 * :Not yet\r\n");
	chatd_fake_end(&f);
}

static void test_tags_by_capability(void **state)
{
	static const struct {
		uint64_t caps;
		const char *said;
	} rows[] = {
		{0, "X\r\n"},
		{CAP(CAP_SERVER_TIME), "@time=2026-11-21T10:48:38.007Z X\r\n"},
		{CAP(CAP_ACCOUNT_TAG), "@account=bob X\r\n"},
		{CAP(CAP_MESSAGE_TAGS), "@msgid=5-0001;bot;+a=b X\r\n"},
		{CAP(CAP_ACCOUNT_TAG) | CAP(CAP_MESSAGE_TAGS),
			"@account=bob;msgid=5-0001;bot;+a=b X\r\n"},
	};
	const struct chatd_tags tags = {.at_us = AT_US,
		.msgid = "5-0001",
		.account = SPAN_LIT("bob"),
		.bot = true,
		.client = SPAN_LIT("+a=b")};
	struct chatd_fake f;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		chatd_fake_begin(&f, rows[i].caps);
		say(&f, &tags, "X");
		assert_string_equal(chatd_fake_said(&f), rows[i].said);
		chatd_fake_end(&f);
	}
}

/* Within a second only the milliseconds are written anew. */
static void test_time_goes_on(void **state)
{
	struct chatd_tags tags = {.at_us = AT_US};
	struct chatd_fake f;

	(void)state;
	chatd_fake_begin(&f, CAP(CAP_SERVER_TIME));
	say(&f, &tags, "X");
	tags.at_us = AT_US + 992000;
	say(&f, &tags, "X");
	tags.at_us = AT_US + 993000;
	say(&f, &tags, "X");
	assert_string_equal(chatd_fake_said(&f),
		"@time=2026-11-21T10:48:38.007Z X\r\n"
		"@time=2026-11-21T10:48:38.999Z X\r\n"
		"@time=2026-11-21T10:48:39.000Z X\r\n");
	chatd_fake_end(&f);
}

static void test_labels(void **state)
{
	struct chatd_fake f;

	(void)state;
	chatd_fake_begin(&f, LABELED);
	chatd_answer_begin(&f.c, SPAN_LIT("a1"));
	chatd_answer_end(&f.c);
	assert_string_equal(chatd_fake_said(&f), "@label=a1 :irc.test ACK\r\n");

	chatd_answer_begin(&f.c, SPAN_LIT("a2"));
	chatd_server(&f.c, "ONE");
	assert_string_equal(chatd_fake_said(&f), "");
	chatd_answer_end(&f.c);
	assert_string_equal(chatd_fake_said(&f), "@label=a2 :irc.test ONE\r\n");

	chatd_answer_begin(&f.c, SPAN_LIT("a3"));
	chatd_server(&f.c, "ONE");
	chatd_server(&f.c, "TWO");
	chatd_server(&f.c, "THREE");
	chatd_answer_end(&f.c);
	assert_string_equal(chatd_fake_said(&f),
		"@label=a3 :irc.test BATCH +1 labeled-response\r\n"
		"@batch=1 :irc.test ONE\r\n"
		"@batch=1 :irc.test TWO\r\n"
		"@batch=1 :irc.test THREE\r\n"
		":irc.test BATCH -1\r\n");
	chatd_fake_end(&f);
}

/* Both capabilities are needed; too long a label is none. */
static void test_no_labels(void **state)
{
	char label[66];
	struct chatd_fake f;

	(void)state;
	memset(label, 'x', sizeof(label));
	chatd_fake_begin(&f, LABELED);
	chatd_answer_begin(&f.c, span_of(label, 65));
	chatd_answer_end(&f.c);
	assert_string_equal(chatd_fake_said(&f), "");
	chatd_fake_end(&f);
	chatd_fake_begin(&f, CAP(CAP_LABELED_RESPONSE));
	chatd_answer_begin(&f.c, SPAN_LIT("a"));
	chatd_server(&f.c, "ONE");
	chatd_server(&f.c, "TWO");
	chatd_answer_end(&f.c);
	assert_string_equal(chatd_fake_said(&f), ":irc.test ONE\r\n:irc.test TWO\r\n");
	chatd_fake_end(&f);
}

/* What others did meanwhile is not part of the answer. */
static void test_aside(void **state)
{
	struct chatd_fake f;

	(void)state;
	chatd_fake_begin(&f, LABELED);
	chatd_answer_begin(&f.c, SPAN_LIT("a"));
	f.c.answering.aside = true;
	chatd_server(&f.c, "OTHERS");
	f.c.answering.aside = false;
	chatd_server(&f.c, "OWN");
	chatd_answer_end(&f.c);
	assert_string_equal(chatd_fake_said(&f), ":irc.test OTHERS\r\n@label=a :irc.test OWN\r\n");
	chatd_fake_end(&f);
}

/* An answer that is a batch has the label on that; one inside of a longer answer is nested. */
static void test_batches(void **state)
{
	struct chatd_tags tags = {.at_us = 0};
	struct chatd_fake f;
	char ref[16];

	(void)state;
	chatd_fake_begin(&f, LABELED);
	chatd_answer_begin(&f.c, SPAN_LIT("a"));
	chatd_batch_begin(&f.c, "chathistory", "#x", ref);
	tags.batch = ref;
	say(&f, &tags, "ONE");
	chatd_batch_end(&f.c, ref);
	chatd_answer_end(&f.c);
	assert_string_equal(chatd_fake_said(&f),
		"@label=a :irc.test BATCH +1 chathistory #x\r\n@batch=1 ONE\r\n"
		":irc.test BATCH -1\r\n");
	chatd_answer_begin(&f.c, SPAN_LIT("b"));
	chatd_server(&f.c, "FIRST");
	chatd_batch_begin(&f.c, "x", "", ref);
	say(&f, &tags, "ONE");
	chatd_batch_end(&f.c, ref);
	chatd_answer_end(&f.c);
	assert_string_equal(chatd_fake_said(&f),
		"@label=b :irc.test BATCH +3 labeled-response\r\n@batch=3 :irc.test FIRST\r\n"
		"@batch=3 :irc.test BATCH +2 x\r\n@batch=2 ONE\r\n"
		"@batch=3 :irc.test BATCH -2\r\n:irc.test BATCH -3\r\n");
	chatd_fake_end(&f);
	chatd_fake_begin(&f, 0);
	chatd_batch_begin(&f.c, "x", "", ref);
	chatd_batch_end(&f.c, ref);
	assert_string_equal(ref, "");
	assert_string_equal(chatd_fake_said(&f), "");
	chatd_fake_end(&f);
}

/* 510 bytes, and never half a character; no line end comes from what others wrote. */
static void test_length(void **state)
{
	const struct span smile = SPAN_LIT("\xf0\x9f\x98\x83");
	const struct chatd_tags none = {.at_us = 0};
	char line[600];
	struct chatd_fake f;
	const char *said;

	(void)state;
	chatd_fake_begin(&f, 0);
	memset(line, 'x', sizeof(line));
	chatd_send(&f.c, &none, span_of(line, sizeof(line)));
	said = chatd_fake_said(&f);
	assert_int_equal(strlen(said), IRC_BODY_MAX + 2);
	for (size_t i = 0; i < smile.len; i++)
		line[IRC_BODY_MAX - 2 + i] = (char)smile.p[i];
	chatd_send(&f.c, &none, span_of(line, sizeof(line)));
	said = chatd_fake_said(&f);
	assert_int_equal(strlen(said), IRC_BODY_MAX - 2 + 2);
	assert_int_equal(said[IRC_BODY_MAX - 3], 'x');
	chatd_send(&f.c, &none, span_of("a\rb\nc\0d", 7));
	assert_string_equal(chatd_fake_said(&f), "a b c d\r\n");
	chatd_numeric(&f.c, 1, ":%.*s", 600, line);
	assert_true(strlen(chatd_fake_said(&f)) <= IRC_BODY_MAX + 2);
	chatd_fake_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_tags_by_capability),
		cmocka_unit_test(test_time_goes_on),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_no_labels),
		cmocka_unit_test(test_aside),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
