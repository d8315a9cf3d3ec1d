/* IRC's lines, tags, names, modes and ids: what they mean, and everything that must be refused. */
#include "proto/irc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void assert_span(struct span s, const char *wanted)
{
	if (!span_eq_str(s, wanted))
		fail_msg("\"%.*s\" is not \"%s\"", (int)s.len, (const char *)s.p, wanted);
}

static void test_line(void **state)
{
	static const struct {
		const char *line, *tags, *source, *verb;
		size_t count;
		const char *params[4];
		bool trailing;
	} rows[] = {
		{"PING", "", "", "PING", 0, {NULL}, false},
		{"PING x", "", "", "PING", 1, {"x"}, false},
		{"NO_SUCH x", "", "", "NO_SUCH", 1, {"x"}, false},
		{"PRIVMSG #a :b c", "", "", "PRIVMSG", 2, {"#a", "b c"}, true},
		{"PRIVMSG #a :", "", "", "PRIVMSG", 2, {"#a", ""}, true},
		{"PRIVMSG #a ::b", "", "", "PRIVMSG", 2, {"#a", ":b"}, true},
		{"  NICK   a  ", "", "", "NICK", 1, {"a"}, false},
		{":a!b@c NICK :d", "", "a!b@c", "NICK", 1, {"d"}, true},
		{"@x=1;y :a 001 b c:d", "x=1;y", "a", "001", 2, {"b", "c:d"}, false},
		{"@x   NICK a", "x", "", "NICK", 1, {"a"}, false},
		{"@ NICK a", "", "", "NICK", 1, {"a"}, false},
		{": NICK a", "", "", "NICK", 1, {"a"}, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct irc_message m;

		assert_int_equal(irc_parse(span_str(rows[i].line), 100, &m), 0);
		assert_span(m.tags, rows[i].tags);
		assert_span(m.source, rows[i].source);
		assert_span(m.verb, rows[i].verb);
		assert_int_equal(m.count, rows[i].count);
		assert_int_equal(m.trailing, rows[i].trailing);
		for (size_t k = 0; k < m.count; k++)
			assert_span(m.params[k], rows[i].params[k]);
	}
}

static void test_no_line(void **state)
{
	static const struct {
		const char *line;
		size_t len;
		int wanted;
	} rows[] = {
		{"", 0, -ENOMSG},
		{"   ", 3, -ENOMSG},
		{"@a=b", 4, -EBADMSG},
		{"@a=b ", 5, -EBADMSG},
		{":source", 7, -EBADMSG},
		{":", 1, -EBADMSG},
		{"NI\0CK", 5, -EBADMSG},
		{"NICK a\rb", 8, -EBADMSG},
		{"NICK a\nb", 8, -EBADMSG},
		{"N1CK a", 6, -EBADMSG},
		{"12 a", 4, -EBADMSG},
		{"1234 a", 6, -EBADMSG},
		{"@abcdef NICK", 12, -EMSGSIZE},
	};
	struct irc_message m;
	char line[IRC_BODY_MAX + 2];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(
			irc_parse(span_of(rows[i].line, rows[i].len), 5, &m), rows[i].wanted);
	memset(line, 'a', sizeof(line));
	assert_int_equal(irc_parse(span_of(line, IRC_BODY_MAX), 5, &m), 0);
	assert_int_equal(irc_parse(span_of(line, IRC_BODY_MAX + 1), 5, &m), -EMSGSIZE);
}

static void test_many_params(void **state)
{
	struct irc_message m;

	(void)state;
	assert_int_equal(
		irc_parse(span_str("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 :17"), 0, &m), 0);
	assert_int_equal(m.count, IRC_PARAMS_MAX);
	assert_span(m.params[13], "14");
	assert_span(m.params[14], "15 16 :17");
}

static void test_tags(void **state)
{
	struct span tags = span_str("a=1;b;;c=x=y;b=2"), key, value;
	static const char *const keys[] = {"a", "b", "c", "b"};
	static const char *const values[] = {"1", "", "x=y", "2"};

	(void)state;
	assert_int_equal(irc_tag_find(tags, "b", &value), 0);
	assert_span(value, "2");
	assert_int_equal(irc_tag_find(tags, "x", &value), -ENOENT);
	for (size_t i = 0; i < COUNT(keys); i++) {
		assert_true(irc_tag_next(&tags, &key, &value));
		assert_span(key, keys[i]);
		assert_span(value, values[i]);
	}
	assert_false(irc_tag_next(&tags, &key, &value));
	assert_true(irc_tag_key_ok(SPAN_LIT("+draft/reply")));
	assert_true(irc_tag_key_ok(SPAN_LIT("a.b/c-d")));
	assert_false(irc_tag_key_ok(SPAN_LIT("+")));
	assert_false(irc_tag_key_ok(SPAN_LIT("")));
	assert_false(irc_tag_key_ok(SPAN_LIT("a+b")));
	assert_false(irc_tag_key_ok(SPAN_LIT("a b")));
}

static void test_names(void **state)
{
	static const char *const nicks[] = {"a", "Ann", "[x]", "a-1", "^_^", "{|}`\\"};
	static const char *const no_nicks[] = {
		"", "1a", "-a", "a b", "a!b", "a@b", "#a", "a:", "\xc3\xa4", "abcdefghi"};
	static const char *const channels[] = {"#a", "#a-b.c", "#\xc3\xa4", "##", "#1"};
	static const char *const no_channels[] = {
		"", "#", "a", "&a", "#a b", "#a,b", "#a:b", "#a\a", "#a\x7f", "#\xff", "#abcdefgh"};

	(void)state;
	for (size_t i = 0; i < COUNT(nicks); i++)
		assert_true(irc_nick_ok(span_str(nicks[i]), 8));
	for (size_t i = 0; i < COUNT(no_nicks); i++)
		assert_false(irc_nick_ok(span_str(no_nicks[i]), 8));
	for (size_t i = 0; i < COUNT(channels); i++)
		assert_true(irc_channel_ok(span_str(channels[i]), 8));
	for (size_t i = 0; i < COUNT(no_channels); i++)
		assert_false(irc_channel_ok(span_str(no_channels[i]), 8));
	assert_true(irc_eq(SPAN_LIT("aB[}"), SPAN_LIT("Ab[}")));
	assert_false(irc_eq(SPAN_LIT("a["), SPAN_LIT("a{")));
	assert_false(irc_eq(SPAN_LIT("a"), SPAN_LIT("ab")));
}

static void test_ident(void **state)
{
	static const struct {
		const char *user, *wanted;
	} rows[] = {{"ann", "ann"}, {"a n!n@", "ann"}, {"", "user"}, {"!@\xff", "user"},
		{"abcdefghij", "abcdefgh"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = BUF_INIT(100);

		irc_ident(&b, span_str(rows[i].user), 8);
		assert_string_equal(buf_str(&b), rows[i].wanted);
		buf_done(&b);
	}
}

static void test_source(void **state)
{
	struct irc_source s = irc_source_of(SPAN_LIT("a!b@c"));

	(void)state;
	assert_span(s.nick, "a");
	assert_span(s.user, "b");
	assert_span(s.host, "c");
	s = irc_source_of(SPAN_LIT("irc.example.org"));
	assert_span(s.nick, "irc.example.org");
	assert_int_equal(s.user.len + s.host.len, 0);
	s = irc_source_of(SPAN_LIT("a@c"));
	assert_span(s.nick, "a");
	assert_span(s.host, "c");
}

static void test_mask(void **state)
{
	static const struct {
		const char *mask, *wanted;
	} rows[] = {
		{"a", "a!*@*"},
		{"a!b", "a!b@*"},
		{"a!b@c", "a!b@c"},
		{"b@c", "*!b@c"},
		{"@c", "*!*@c"},
		{"x.y", "*!*@x.y"},
		{"user/ann", "*!*@user/ann"},
		{"!@", "*!*@*"},
		{"m:a", "m:a!*@*"},
		{"m:a!b@c", "m:a!b@c"},
		{"~a:ann", "~a:ann"},
		{"a:ann", "a:ann"},
		{"m:a:ann", "m:a:ann"},
	};
	static const char *const refused[] = {"", "a b", "a\x01", "\xff", "m:"};
	struct buf b = BUF_INIT(100);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		assert_int_equal(irc_mask(span_str(rows[i].mask), 50, &b), 0);
		assert_string_equal(buf_str(&b), rows[i].wanted);
	}
	buf_reset(&b);
	for (size_t i = 0; i < COUNT(refused); i++)
		assert_int_equal(irc_mask(span_str(refused[i]), 50, &b), -EINVAL);
	assert_int_equal(irc_mask(SPAN_LIT("abcdef"), 9, &b), -EMSGSIZE);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

static void test_ids(void **state)
{
	static const char *const refused[] = {"", "-", "1", "1-", "1-123", "1-12345", "0-1234",
		"01-1234", "-1234", "1-12G4", "1-12A4", "18446744073709551616-1234", "a-1234",
		"1-1234-"};
	char id[IRC_MSGID_SIZE];
	uint64_t seq;
	unsigned check;

	(void)state;
	irc_msgid_write(UINT64_MAX, 0x7fffffffffffabcd, id);
	assert_string_equal(id, "18446744073709551615-abcd");
	assert_int_equal(irc_msgid_parse(span_str(id), &seq, &check), 0);
	assert_true(seq == UINT64_MAX);
	assert_true(irc_msgid_is(check, 0x1abcd));
	assert_false(irc_msgid_is(check, 0xabce));
	for (size_t i = 0; i < COUNT(refused); i++)
		assert_int_equal(irc_msgid_parse(span_str(refused[i]), &seq, &check), -EINVAL);
}

static void test_times(void **state)
{
	static const char *const refused[] = {"", "2026-11-21", "2026-11-21T10:00:00",
		"2026-11-21T10:00:00+01:00", "2026-13-21T10:00:00.000Z", "xZ"};
	char text[IRC_TIME_SIZE];
	int64_t at_us;

	(void)state;
	irc_time_write(INT64_C(1795255200123456), text);
	assert_string_equal(text, "2026-11-21T10:00:00.123Z");
	assert_int_equal(irc_time_parse(span_str(text), &at_us), 0);
	assert_true(at_us == INT64_C(1795255200123000));
	assert_int_equal(irc_time_parse(SPAN_LIT("2026-11-21T10:00:00Z"), &at_us), 0);
	assert_true(at_us == INT64_C(1795255200000000));
	for (size_t i = 0; i < COUNT(refused); i++)
		assert_int_equal(irc_time_parse(span_str(refused[i]), &at_us), -EINVAL);
	irc_time_write(INT64_MAX, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
}

static const struct irc_mode_types types = {
	.lists = "beI", .always = "k", .when_set = "l", .never = "imnst", .prefix = "ohv"};

static void test_modes(void **state)
{
	const struct span words[] = {SPAN_LIT("+ob-lk"), SPAN_LIT("ann"), SPAN_LIT("*!*@x"),
		SPAN_LIT("key"), SPAN_LIT("+bXl")};
	struct irc_mode m[8];

	(void)state;
	assert_int_equal(irc_modes(&types, words, COUNT(words), m, COUNT(m)), 7);
	assert_true(m[0].set && m[0].letter == 'o' && m[0].has_argument);
	assert_span(m[0].argument, "ann");
	assert_span(m[1].argument, "*!*@x");
	assert_true(!m[2].set && m[2].letter == 'l' && !m[2].has_argument);
	assert_span(m[3].argument, "key");
	assert_true(m[4].letter == 'b' && !m[4].has_argument);
	assert_true(m[5].letter == 'X' && !m[5].known);
	assert_true(m[6].known && !m[6].has_argument);
	assert_int_equal(irc_modes(&types, words, COUNT(words), m, 2), 2);
	assert_int_equal(irc_modes(&types, words, 0, m, COUNT(m)), 0);
}

static void test_isupport(void **state)
{
	struct irc_message m;
	struct span value;

	(void)state;
	assert_int_equal(
		irc_parse(SPAN_LIT(":s 005 nick WHOX MONITOR=100 X= :are supported"), 0, &m), 0);
	assert_int_equal(irc_isupport(&m, "MONITOR", &value), 0);
	assert_span(value, "100");
	assert_int_equal(irc_isupport(&m, "WHOX", &value), 0);
	assert_int_equal(value.len, 0);
	assert_int_equal(irc_isupport(&m, "nick", &value), -ENOENT);
	assert_int_equal(irc_isupport(&m, "MON", &value), -ENOENT);
}

static void test_ctcp(void **state)
{
	struct span verb, rest;

	(void)state;
	assert_true(irc_ctcp(SPAN_LIT("\001ACTION waves  twice\001"), &verb, &rest));
	assert_span(verb, "ACTION");
	assert_span(rest, "waves  twice");
	assert_true(irc_ctcp(SPAN_LIT("\001VERSION"), &verb, &rest));
	assert_span(verb, "VERSION");
	assert_int_equal(rest.len, 0);
	assert_false(irc_ctcp(SPAN_LIT("\001\001"), &verb, &rest));
	assert_false(irc_ctcp(SPAN_LIT("\001"), &verb, &rest));
	assert_false(irc_ctcp(SPAN_LIT("\001 x\001"), &verb, &rest));
	assert_false(irc_ctcp(SPAN_LIT("x\001"), &verb, &rest));
	assert_false(irc_ctcp(SPAN_LIT(""), &verb, &rest));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_no_line),
		cmocka_unit_test(test_many_params),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_ident),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_isupport),
		cmocka_unit_test(test_ctcp),
	};

	return cmocka_run_group_tests_name("proto_irc", tests, NULL, NULL);
}
