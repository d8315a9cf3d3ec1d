/*
 * From lines to posts: what waits and what does not, targets, tags, CTCP, floods in between, and
 * messages of several lines. The store and the replies are played by this test.
 */
#include "services/chatd/show.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* What was posted and said, in the order of it: "P #a 0 hello|", "401 bob|". */
static struct buf log_;
static unsigned calls; /* of the store */
static size_t room_for; /* so many posts, then a flood; refilled by each call */
static enum chat_answer refusal;
static struct chatd session;
static struct service service;

/* -- what chatd would do ----------------------------------------------------------------------- */

struct chat_actor chatd_actor(struct chatd *c)
{
	return (struct chat_actor){.session = 1, .who = c->me.who, .now_us = 1};
}

static void log_post(const struct chat_post *p)
{
	static const char kinds[] = "?PNT";

	buf_addf(&log_, "%c%c%.*s %u ", kinds[p->kind], p->status != 0 ? p->status : ' ',
		CHATD_SPAN(p->target), p->flags);
	buf_add(&log_, p->text);
	if (p->tags.len > 0)
		buf_addf(&log_, " @%.*s", CHATD_SPAN(p->tags));
	buf_add_str(&log_, "|");
}

int chatd_act(struct chatd *c, enum store_op op, void *args, void *result)
{
	const struct chat_post_args *a = args;
	struct chat_post_result *r = result;
	static const char *const verbs[] = {NULL, "PRIVMSG", "NOTICE", "TAGMSG"};

	assert_int_equal(op, STORE_OP_CHAT_POST);
	assert_string_equal(c->verb, verbs[a->posts[0].kind]);
	calls++;
	for (size_t i = 0; i < a->count; i++) {
		r->each[i] = i < room_for ? refusal : CHAT_FLOOD;
		if (r->each[i] == CHAT_DONE)
			log_post(&a->posts[i]);
	}
	r->result.answer = r->each[0];
	return r->result.answer == CHAT_DONE;
}

/* The certificate that was shown holds, until a test says otherwise. */
static int certificate_holds;

int auth_still_valid(struct store *s, const struct auth_identity *who)
{
	(void)s;
	(void)who;
	return certificate_holds;
}

int chatd_view(struct chatd *c, int (*fn)(struct store_txn *txn, void *arg), void *arg)
{
	(void)c;
	(void)fn;
	(void)arg;
	fail();
	return 0;
}

void chatd_refuse(struct chatd *c, enum chat_answer answer, const char *verb, const char *channel,
	const char *nick)
{
	(void)c;
	buf_addf(&log_, "refused %u %s %s%s|", (unsigned)answer, verb, channel, nick);
}

void chatd_numeric(struct chatd *c, unsigned number, const char *format, ...)
{
	(void)c;
	(void)format;
	buf_addf(&log_, "%u|", number);
}

void chatd_standard(struct chatd *c, const char *type, const char *verb, const char *code,
	const char *context, const char *format, ...)
{
	(void)c;
	(void)format;
	buf_addf(&log_, "%s %s %s%s%s%s|", type, verb, code, context[0] != '\0' ? " " : "", context,
		c->answering.label[0] != '\0' ? " labeled" : "");
}

void chatd_answer_begin(struct chatd *c, struct span label)
{
	(void)span_copy_str(label, c->answering.label, sizeof(c->answering.label));
}

/* -- talking to it ----------------------------------------------------------------------------- */

static void line(const char *text)
{
	struct irc_message m;
	struct chatd_call call = {&session, &m};
	struct span batch, label;

	assert_int_equal(irc_parse(span_str(text), IRC_CLIENT_TAGS_MAX, &m), 0);
	session.answering.label[0] = '\0';
	if (irc_tag_find(m.tags, "label", &label) == 0)
		chatd_answer_begin(&session, label);
	if (irc_tag_find(m.tags, "batch", &batch) == 0)
		assert_int_equal(chatd_batch_line(&session, &m, batch), 0);
	else if (irc_is(m.verb, "BATCH"))
		assert_int_equal(chatd_cmd_batch(&call), 0);
	else
		assert_int_equal(chatd_cmd_message(&call), 0);
}

static const char *end(void)
{
	assert_int_equal(chatd_post(&session), 0);
	assert_string_equal(session.verb, "*");
	return buf_str(&log_);
}

static const char *said(const char *text)
{
	buf_reset(&log_);
	line(text);
	return end();
}

static int begin(void **state)
{
	(void)state;
	log_ = BUF_INIT(1 << 20);
	calls = 0;
	room_for = CHAT_POSTS_MAX;
	refusal = CHAT_DONE;
	service = SERVICE_INIT;
	session = (struct chatd){.service = &service, .verb = "*", .caps = ~UINT64_C(0)};
	(void)snprintf(session.me.nick, sizeof(session.me.nick), "ann");
	(void)snprintf(session.me.ident, sizeof(session.me.ident), "ann");
	(void)snprintf(session.me.host, sizeof(session.me.host), "user.ann");
	return 0;
}

static int done(void **state)
{
	(void)state;
	chatd_post_done(&session);
	chatd_multiline_done(&session);
	buf_done(&log_);
	return 0;
}

/* -- one line ---------------------------------------------------------------------------------- */

static void test_kinds_and_targets(void **state)
{
	(void)state;
	assert_string_equal(said("PRIVMSG #a :hello you"), "P #a 0 hello you|");
	assert_string_equal(said("privmsg bob hello"), "P bob 0 hello|");
	assert_string_equal(said("NOTICE #a,,bob :x"), "N #a 0 x|N bob 0 x|");
	assert_string_equal(said("PRIVMSG @#a,+#b,%#c :x"), "P@#a 0 x|P+#b 0 x|P%#c 0 x|");
	assert_string_equal(said("PRIVMSG @a :x"), "P @a 0 x|");
	assert_string_equal(said("PRIVMSG 1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8 :x"),
		"P 1 0 x|P 2 0 x|P 3 0 x|P 4 0 x|P 5 0 x|P 6 0 x|P 7 0 x|P 8 0 x|P 9 0 x|"
		"P 0 0 x|P 1 0 x|P 2 0 x|P 3 0 x|P 4 0 x|P 5 0 x|P 6 0 x|407|");
}

static void test_what_is_missing(void **state)
{
	(void)state;
	assert_string_equal(said("PRIVMSG"), "411|");
	assert_string_equal(said("PRIVMSG :"), "411|");
	assert_string_equal(said("PRIVMSG bob"), "412|");
	assert_string_equal(said("PRIVMSG bob :"), "412|");
	assert_string_equal(said("NOTICE bob"), "");
	assert_string_equal(said("@+a TAGMSG"), "411|");
	assert_string_equal(said("TAGMSG bob"), "");
	assert_int_equal(calls, 0);
}

static void test_tags(void **state)
{
	(void)state;
	assert_string_equal(said("@a=1;+b=2;+c;+d/e=;+b@d=1;time=x PRIVMSG bob :x"),
		"P bob 0 x @+b=2;+c;+d/e|");
	assert_string_equal(said("@+draft/react=y TAGMSG bob"), "T bob 0  @+draft/react=y|");
	assert_string_equal(said("@+typing=active TAGMSG bob"), "T bob 16  @+typing=active|");
	assert_string_equal(said("@+typing=done;+x TAGMSG bob"), "T bob 0  @+typing=done;+x|");
	session.caps = 0;
	assert_string_equal(said("@+b=2 PRIVMSG bob :x"), "P bob 0 x|");
	assert_string_equal(said("@+b=2 TAGMSG bob"), "");
}

static void test_ctcp(void **state)
{
	(void)state;
	assert_string_equal(said("PRIVMSG bob :\1ACTION waves\1"), "P bob 0 \1ACTION waves\1|");
	assert_string_equal(said("PRIVMSG bob :\1VERSION\1"), "P bob 16 \1VERSION\1|");
	assert_string_equal(said("PRIVMSG bob :\1DCC SCHAT x\1"), "P bob 16 \1DCC SCHAT x\1|");
	session.has_key = true;
	assert_string_equal(said("PRIVMSG bob :\1DCC SCHAT x\1"), "P bob 80 \1DCC SCHAT x\1|");
	assert_string_equal(said("PRIVMSG bob :\1VERSION\1"), "P bob 16 \1VERSION\1|");
	certificate_holds = -EACCES;
	assert_string_equal(said("PRIVMSG bob :\1DCC SCHAT x\1"), "P bob 16 \1DCC SCHAT x\1|");
	certificate_holds = 0;
}

/* ":ann!ann@user/ann PRIVMSG bob :" are 31 bytes. */
static void test_whole_or_not_at_all(void **state)
{
	char text[520];

	(void)state;
	(void)snprintf(text, sizeof(text), "PRIVMSG bob :%0*d", IRC_BODY_MAX - 31, 0);
	assert_int_equal(strncmp(said(text), "P bob 0 000", 11), 0);
	(void)snprintf(text, sizeof(text), "PRIVMSG bob,x :%0*d", IRC_BODY_MAX - 30, 0);
	assert_int_equal(strncmp(said(text), "417|P x 0 0", 11), 0);
}

/* -- several lines ----------------------------------------------------------------------------- */

static void test_collected(void **state)
{
	(void)state;
	line("PRIVMSG #a :1");
	line("PRIVMSG #a :2");
	line("NOTICE bob :3");
	assert_int_equal(calls, 0);
	assert_string_equal(end(), "P #a 0 1|P #a 0 2|N bob 0 3|");
	assert_int_equal(calls, 1);
	assert_string_equal(said("@label=x PRIVMSG #a :1"), "P #a 0 1|");
	assert_int_equal(calls, 2);
	assert_null(session.pending);
}

/* Errors keep their place. */
static void test_error_among_them(void **state)
{
	(void)state;
	line("PRIVMSG #a :1");
	line("PRIVMSG #a :");
	line("PRIVMSG #a :2");
	assert_string_equal(end(), "P #a 0 1|412|P #a 0 2|");
}

static void test_no_more_than_fit(void **state)
{
	char expected[CHAT_POSTS_MAX * 16 + 64] = "";
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i <= CHAT_POSTS_MAX; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "PRIVMSG #a :%u", i);
		line(text);
		len += (size_t)snprintf(expected + len, sizeof(expected) - len, "P #a 0 %u|", i);
	}
	assert_int_equal(calls, 1);
	assert_string_equal(end(), expected);
	assert_int_equal(calls, 2);
}

/* What is behind a flood is tried again by itself. */
static void test_flood(void **state)
{
	(void)state;
	room_for = 2;
	for (unsigned i = 0; i < 5; i++)
		line("PRIVMSG #a :x");
	assert_string_equal(end(), "P #a 0 x|P #a 0 x|P #a 0 x|P #a 0 x|P #a 0 x|");
	assert_int_equal(calls, 3);
	room_for = 0; /* and it does not turn for ever */
	assert_string_equal(said("PRIVMSG #a :x"), "");
	assert_int_equal(calls, 4);
}

static void test_refused(void **state)
{
	char expected[128];

	(void)state;
	refusal = CHAT_NO_SUCH_NICK;
	line("PRIVMSG bob :x");
	line("NOTICE bob :x");
	line("@+a TAGMSG #a");
	(void)snprintf(expected, sizeof(expected), "refused %d PRIVMSG bob|refused %d TAGMSG #a|",
		CHAT_NO_SUCH_NICK, CHAT_NO_SUCH_NICK);
	assert_string_equal(end(), expected);
	refusal = CHAT_QUOTA;
	(void)snprintf(expected, sizeof(expected), "refused %d NOTICE bob|", CHAT_QUOTA);
	assert_string_equal(said("NOTICE bob :x"), expected);
}

/* -- multiline --------------------------------------------------------------------------------- */

static void test_multiline(void **state)
{
	static const char whole[] = "P #a 32 \0one\n\0\n\1 two\n @+x=1|";

	(void)state;
	line("@label=q;+x=1 BATCH +1 draft/multiline #a");
	assert_string_equal(session.answering.label, ""); /* nothing to be answered yet */
	line("@batch=1 PRIVMSG #a :one");
	line("@batch=1 PRIVMSG #A :");
	line("@batch=1;draft/multiline-concat PRIVMSG #a : two");
	assert_int_equal(calls, 0);
	line("BATCH -1");
	assert_string_equal(session.answering.label, "q");
	(void)end();
	assert_int_equal(log_.len, sizeof(whole) - 1);
	assert_memory_equal(log_.p, whole, log_.len);
	assert_null(session.input);
}

static const struct {
	const char *lines[4];
	const char *said;
} faults[] = {
	{{"BATCH 1"}, "FAIL BATCH MULTILINE_INVALID|"},
	{{"BATCH +"}, "FAIL BATCH MULTILINE_INVALID|"},
	{{"BATCH +1 draft/multiline"}, "FAIL BATCH MULTILINE_INVALID|"},
	{{"BATCH +1 chathistory #a"}, "FAIL BATCH MULTILINE_INVALID|"},
	{{"BATCH -1"}, "FAIL BATCH MULTILINE_INVALID|"},
	{{"@batch=1 PRIVMSG #a :x"}, "FAIL BATCH MULTILINE_INVALID|"},
	{{"BATCH +1 draft/multiline #a", "BATCH -1"}, "FAIL BATCH MULTILINE_INVALID|"},
	{{"@label=x BATCH +1 draft/multiline #a", "BATCH -1"},
		"FAIL BATCH MULTILINE_INVALID labeled|"},
	{{"BATCH +1 draft/multiline #a", "@batch=1 PRIVMSG #a :", "BATCH -1"},
		"FAIL BATCH MULTILINE_INVALID|"},
	{{"BATCH +1 draft/multiline #a", "@batch=2 PRIVMSG #a :x", "@batch=1 PRIVMSG #a :x",
		 "BATCH -1"},
		"FAIL BATCH MULTILINE_INVALID|"},
	{{"BATCH +1 draft/multiline #a", "@batch=1 PRIVMSG #b :x", "@batch=1 PRIVMSG #b :x",
		 "BATCH -1"},
		"FAIL BATCH MULTILINE_INVALID_TARGET #a #b|"},
	{{"BATCH +1 draft/multiline #a", "@batch=1 PRIVMSG #a :x", "@batch=1 NOTICE #a :x",
		 "BATCH -1"},
		"FAIL BATCH MULTILINE_INVALID|"},
	{{"BATCH +1 draft/multiline #a", "@batch=1 TOPIC #a :x"}, "FAIL BATCH MULTILINE_INVALID|"},
	{{"BATCH +1 draft/multiline #a", "@batch=1;draft/multiline-concat PRIVMSG #a :x",
		 "BATCH -1"},
		"FAIL BATCH MULTILINE_INVALID|"},
	{{"BATCH +1 draft/multiline #a", "@batch=1 PRIVMSG #a :x",
		 "@batch=1;draft/multiline-concat PRIVMSG #a :", "BATCH -1"},
		"FAIL BATCH MULTILINE_INVALID|"},
};

static void test_multiline_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		buf_reset(&log_);
		for (size_t n = 0; n < 4 && faults[i].lines[n] != NULL; n++)
			line(faults[i].lines[n]);
		assert_string_equal(end(), faults[i].said);
		assert_int_equal(calls, 0);
		chatd_multiline_done(&session);
	}
}

static void test_multiline_limits(void **state)
{
	char text[IRC_BODY_MAX];

	(void)state;
	line("BATCH +1 draft/multiline #a");
	for (unsigned i = 0; i <= CHATD_LINES_MAX + 1; i++)
		line("@batch=1 PRIVMSG #a :x");
	line("BATCH -1");
	assert_string_equal(end(), "FAIL BATCH MULTILINE_MAX_LINES 100|");
	buf_reset(&log_);
	(void)snprintf(text, sizeof(text), "@batch=1 PRIVMSG #a :%0400d", 0);
	line("BATCH +1 draft/multiline #a");
	for (unsigned i = 0; i <= CHATD_MULTILINE_MAX / 401; i++)
		line(text);
	line("BATCH -1");
	assert_string_equal(end(), "FAIL BATCH MULTILINE_MAX_BYTES 8192|");
	assert_int_equal(calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kinds_and_targets, begin, done),
		cmocka_unit_test_setup_teardown(test_what_is_missing, begin, done),
		cmocka_unit_test_setup_teardown(test_tags, begin, done),
		cmocka_unit_test_setup_teardown(test_ctcp, begin, done),
		cmocka_unit_test_setup_teardown(test_whole_or_not_at_all, begin, done),
		cmocka_unit_test_setup_teardown(test_collected, begin, done),
		cmocka_unit_test_setup_teardown(test_error_among_them, begin, done),
		cmocka_unit_test_setup_teardown(test_no_more_than_fit, begin, done),
		cmocka_unit_test_setup_teardown(test_flood, begin, done),
		cmocka_unit_test_setup_teardown(test_refused, begin, done),
		cmocka_unit_test_setup_teardown(test_multiline, begin, done),
		cmocka_unit_test_setup_teardown(test_multiline_faults, begin, done),
		cmocka_unit_test_setup_teardown(test_multiline_limits, begin, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
