/*
 * MODE: which changes the words of a line are, what of them is refused before the store is asked,
 * and what is said about those that the store refuses. Store and replies are played by this test.
 */
#include "services/chatd/people.h"
#include "services/chatd/show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* What the store was asked and the client told: "+o bob|", "472 Z|". */
static struct buf log_;
static enum chat_answer each[CHAT_CHANGES_MAX];
static bool inside, found, somebody;
static struct chatd session;
static struct service service;
static const struct chat_channel garden = {.id = 7,
	.name = "#garden",
	.modes = CHAT_MODE_TOPIC | CHAT_MODE_NO_CTCP | CHAT_MODE_KEY | CHAT_MODE_LIMIT,
	.key = "sesame",
	.limit = 9,
	.created_us = 5000000};

/* -- what chatd would do ----------------------------------------------------------------------- */

struct chat_actor chatd_actor(struct chatd *c)
{
	return (struct chat_actor){.session = 1, .who = c->me.who, .now_us = 1};
}

static void log_changes(const struct chat_mode_args *a)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct chat_change *ch = &a->changes[i];

		buf_addf(&log_, "%c%c", ch->set ? '+' : '-', ch->mode);
		if (ch->text.len > 0)
			buf_addf(&log_, " %.*s", CHATD_SPAN(ch->text));
		if (ch->limit > 0)
			buf_addf(&log_, " %lu", (unsigned long)ch->limit);
		buf_add_str(&log_, "|");
	}
}

int chatd_act(struct chatd *c, enum store_op op, void *args, void *result)
{
	struct chat_mode_result *r = result;

	(void)c;
	if (op == STORE_OP_CHAT_USER) {
		const struct chat_user_args *a = args;

		buf_addf(&log_, "set %u unset %u|", (unsigned)a->set, (unsigned)a->unset);
		return 1;
	}
	assert_int_equal(op, STORE_OP_CHAT_MODE);
	log_changes(args);
	memcpy(r->each, each, sizeof(each));
	return 1;
}

int chatd_view(struct chatd *c, int (*fn)(struct store_txn *txn, void *arg), void *arg)
{
	(void)c;
	(void)fn;
	(void)arg;
	return 1; /* lists are empty */
}

int chatd_channel(struct chatd *c, struct span name, const char *verb, struct chat_channel *ret)
{
	(void)c;
	(void)verb;
	assert_true(irc_eq(name, SPAN_LIT("#garden")));
	if (found)
		*ret = garden;
	return found;
}

int chatd_person(struct chatd *c, struct span nick, struct chat_user *ret, bool *ret_found)
{
	(void)c;
	(void)nick;
	(void)ret;
	*ret_found = somebody;
	return 1;
}

const struct chatd_room *chatd_room(const struct chatd *c, uint64_t id)
{
	static const struct chatd_room room = {.id = 7, .name = "#garden"};

	(void)c;
	assert_int_equal(id, room.id);
	return inside ? &room : NULL;
}

void chatd_refuse(struct chatd *c, enum chat_answer answer, const char *verb, const char *channel,
	const char *nick)
{
	(void)c;
	buf_addf(&log_, "refused %u %s %s %s|", (unsigned)answer, verb, channel, nick);
}

void chatd_numeric(struct chatd *c, unsigned number, const char *format, ...)
{
	char text[512];
	va_list args;

	(void)c;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (strstr(text, " :") != NULL)
		*strstr(text, " :") = '\0';
	buf_addf(&log_, "%u %s|", number, text);
}

/* -- talking to it ----------------------------------------------------------------------------- */

static const char *said(const char *line)
{
	struct irc_message m;
	struct chatd_call call = {&session, &m};

	buf_reset(&log_);
	assert_int_equal(irc_parse(span_str(line), IRC_CLIENT_TAGS_MAX, &m), 0);
	assert_int_equal(chatd_cmd_mode(&call), 0);
	return buf_str(&log_);
}

static int begin(void **state)
{
	(void)state;
	log_ = BUF_INIT(1 << 16);
	service = SERVICE_INIT;
	session = (struct chatd){.service = &service};
	(void)snprintf(session.me.nick, sizeof(session.me.nick), "ann");
	memset(each, 0, sizeof(each));
	inside = found = somebody = true;
	return 0;
}

static int done(void **state)
{
	(void)state;
	buf_done(&log_);
	return 0;
}

/* -- channels ---------------------------------------------------------------------------------- */

static const struct {
	const char *words, *log;
} lines[] = {
	{"+m", "+m|"},
	{"+im-t", "+i|+m|-t|"},
	{"-+s", "+s|"},
	{"m", "+m|"},
	{"+ov-h a b c", "+o a|+v b|-h c|"},
	{"+o a +v b", "+o a|+v b|"},
	{"+k-l sesame", "+k sesame|-l|"},
	{"-k", "-k|"},
	{"-k whatever", "-k whatever|"},
	{"+l 12", "+l 12|"},
	{"+b bad", "+b bad!*@*|"},
	{"+b bad@host", "+b *!bad@host|"},
	{"-b user/x", "-b *!*@user/x|"},
	{"+e ~a:ann", "+e ~a:ann|"},
	{"+b m:bad", "+b m:bad!*@*|"},
	{"+I a!b@c", "+I a!b@c|"},
	/* what is wrong is said, the others go on */
	{"+Zm", "472 Z|+m|"},
	{"+:", "472 ?|"},
	{"+o", "696 #garden o *|"},
	{"+om a", "+o a|+m|"},
	{"+o :", "696 #garden o *|"},
	{"+k", "696 #garden k *|"},
	{"+k :a b", "696 #garden k *|"},
	{"+k a,b", "696 #garden k *|"},
	{"+k ::a", "696 #garden k *|"},
	{"+k 123456789012345678901234567890123", "696 #garden k *|"},
	{"+l", "696 #garden l *|"},
	{"+l 0", "696 #garden l 0|"},
	{"+l -1", "696 #garden l -1|"},
	{"+l 2147483648", "696 #garden l 2147483648|"},
	{"+b :a b", "696 #garden b a|"},
	/* lists that are asked for */
	{"b", "368 #garden|"},
	{"+bbeI", "368 #garden|349 #garden|347 #garden|"},
	{"+b :", "368 #garden|"},
	{"+m-b", "+m|368 #garden|"},
};

static void test_words(void **state)
{
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		(void)snprintf(line, sizeof(line), "MODE #garden %s", lines[i].words);
		assert_string_equal(said(line), lines[i].log);
	}
}

static void test_no_more_than_fit(void **state)
{
	char line[128] = "MODE #garden +";
	size_t len = strlen(line);

	(void)state;
	for (size_t i = 0; i < CHAT_CHANGES_MAX + 5; i++)
		line[len++] = 'm';
	(void)said(line);
	assert_int_equal(log_.len, CHAT_CHANGES_MAX * strlen("+m|"));
}

static void test_what_holds(void **state)
{
	(void)state;
	assert_string_equal(said("MODE #Garden"), "324 #garden +Cklt sesame 9|329 #garden 5|");
	inside = false;
	assert_string_equal(said("MODE #garden"), "324 #garden +Cklt * 9|329 #garden 5|");
	found = false;
	assert_string_equal(said("MODE #garden"), "");
}

static void test_refused_by_the_store(void **state)
{
	char expected[256];

	(void)state;
	each[0] = each[2] = CHAT_NOT_OP;
	each[1] = CHAT_NOT_MEMBER;
	each[3] = CHAT_TOO_MANY;
	each[4] = CHAT_NOTHING;
	(void)snprintf(expected, sizeof(expected),
		"+m|+o bob|+i|+b x!*@*|+t|refused %d MODE #garden *|"
		"refused %d MODE #garden bob|478 #garden b|",
		CHAT_NOT_OP, CHAT_NOT_MEMBER);
	assert_string_equal(said("MODE #garden +moibt bob x"), expected);
}

static void test_lists_are_for_members(void **state)
{
	char expected[64];

	(void)state;
	inside = false;
	(void)snprintf(expected, sizeof(expected), "refused %d MODE #garden |", CHAT_NOT_JOINED);
	assert_string_equal(said("MODE #garden b"), expected);
	session.me.flags = CHAT_USER_OPER;
	session.oper_proved = true;
	assert_string_equal(said("MODE #garden b"), "368 #garden|");
}

/* -- people ------------------------------------------------------------------------------------ */

static void test_people(void **state)
{
	char expected[64];

	(void)state;
	session.me.flags = CHAT_USER_INVISIBLE | CHAT_USER_BOT;
	assert_string_equal(said("MODE ANN"), "221 +Bi|");
	(void)snprintf(expected, sizeof(expected), "set %d unset %d|",
		CHAT_USER_WALLOPS | CHAT_USER_REGISTERED_ONLY, CHAT_USER_BOT);
	assert_string_equal(said("MODE ann +wR-B"), expected);
	(void)snprintf(expected, sizeof(expected), "set 0 unset %d|", CHAT_USER_OPER);
	assert_string_equal(said("MODE ann -o"), expected);
	assert_string_equal(said("MODE ann +o"), "");
	(void)snprintf(expected, sizeof(expected), "set 0 unset %d|", CHAT_USER_INVISIBLE);
	assert_string_equal(said("MODE ann +i-i"), expected);
	assert_string_equal(said("MODE ann +xyz"), "501 :Unknown letter of a mode|");
	assert_string_equal(said("MODE bob +i"), "502 :Modes of others are theirs to change|");
	somebody = false;
	(void)snprintf(expected, sizeof(expected), "refused %d MODE  bob|", CHAT_NO_SUCH_NICK);
	assert_string_equal(said("MODE bob"), expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_words, begin, done),
		cmocka_unit_test_setup_teardown(test_no_more_than_fit, begin, done),
		cmocka_unit_test_setup_teardown(test_what_holds, begin, done),
		cmocka_unit_test_setup_teardown(test_refused_by_the_store, begin, done),
		cmocka_unit_test_setup_teardown(test_lists_are_for_members, begin, done),
		cmocka_unit_test_setup_teardown(test_people, begin, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
