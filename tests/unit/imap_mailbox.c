/* Mailbox names, LIST's patterns and options, STATUS items, NOTIFY. */
#include "proto/imap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static unsigned char held[70 << 10];

static struct imap_in in_str(const char *s)
{
	size_t len = strlen(s);

	assert_true(len <= sizeof(held));
	memcpy(held, s, len);
	return (struct imap_in){.p = held, .len = len};
}

static void test_names(void **state)
{
	static const struct {
		const char *utf8, *wire;
	} rows[] = {
		{"Sent", "Sent"},
		{"a&b&&", "a&-b&-&-"},
		{"p\xc3\xa4\xc3\xa4", "p&AOQA5A-"},
		{"\xe6\x97\xa5\xe6\x9c\xac/x", "&ZeVnLA-/x"},
		{"~\xe5\x8f\xb0-", "~&U,A--"},
		{"\xf0\x9f\x98\x80", "&2D3eAA-"},
		{"a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80z", "a&APwgrNg93gA-z"},
	};
	struct buf b = BUF_INIT(64);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		imap_name_encode(&b, span_str(rows[i].utf8));
		assert_string_equal(buf_str(&b), rows[i].wire);
		buf_reset(&b);
		assert_int_equal(imap_name_decode(span_str(rows[i].wire), &b), 0);
		assert_string_equal(buf_str(&b), rows[i].utf8);
	}
	buf_done(&b);
}

/* What another spelling says as well, and what says nothing. */
static void test_no_names(void **state)
{
	static const char *const bad[] = {"&", "a&", "&Jjo", "&Jjo!-", "&U,BTFw-&ZeVnLIqe-",
		"&AGE-", "&A-", "&AA-", "&AAAA-", "&ACY-", "p\xc3\xa4", "&2D0-", "&3gA-",
		"&2D3YPQ-", "&AOR-", "&AOQA-", "a\tb", "&AOQ=-", "&AAo\n-"};
	struct buf b = BUF_INIT(64);

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(imap_name_decode(span_str(bad[i]), &b), -EINVAL);
	buf_done(&b);
}

static void test_mailbox(void **state)
{
	static const struct {
		const char *wire;
		bool utf8;
		int r;
		const char *name;
	} rows[] = {
		{"inbox", false, 0, "INBOX"},
		{"\"iNBox/x\"", false, 0, "INBOX/x"},
		{"inboxes", false, 0, "inboxes"},
		{"{4}\r\nA&-B", false, 0, "A&B"},
		{"A&-B", true, 0, "A&-B"},
		{"\"A & \xc3\xa4\"", true, 0, "A & \xc3\xa4"},
		{"\"\xc3\xa4\"", false, -EINVAL, ""},
		{"!#$&'+", false, -EINVAL, ""},
		{"\"\"", false, -EINVAL, ""},
		{"&AAE-", false, -EINVAL, ""},
		{"\"a", false, -EBADMSG, ""},
		{"(a)", false, -EBADMSG, ""},
		{"a*", false, 0, "a"},
	};
	struct buf b = BUF_INIT(64);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_in in = in_str(rows[i].wire);

		in.utf8 = rows[i].utf8;
		buf_reset(&b);
		assert_int_equal(imap_in_mailbox(&in, &b), rows[i].r);
		if (rows[i].r == 0)
			assert_string_equal(buf_str(&b), rows[i].name);
		assert_int_equal(in.at == 0, rows[i].r == -EBADMSG);
	}
	buf_done(&b);
}

static void test_put_mailbox(void **state)
{
	static const struct {
		const char *name;
		bool utf8;
		const char *wire;
	} rows[] = {
		{"INBOX", false, "INBOX"},
		{"a b", false, "\"a b\""},
		{"a]", false, "a]"},
		{"nil", false, "\"nil\""},
		{"", false, "\"\""},
		{"p\xc3\xa4&", false, "p&AOQ-&-"},
		{"p\xc3\xa4&", true, "\"p\xc3\xa4&\""},
		{"100%", false, "\"100%\""},
	};
	struct buf b = BUF_INIT(64);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		imap_put_mailbox(&b, span_str(rows[i].name), rows[i].utf8);
		assert_string_equal(buf_str(&b), rows[i].wire);
	}
	buf_done(&b);
}

static void test_pattern(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool yes;
	} rows[] = {
		{"*", "a/b", true},
		{"%", "a/b", false},
		{"%", "a", true},
		{"%/%", "a/b", true},
		{"%/%", "a", false},
		{"%/%", "a/b/c", false},
		{"a%", "abc", true},
		{"a%b", "axxb", true},
		{"a%b", "ax/b", false},
		{"a*b", "ax/b", true},
		{"*test4", "m/test3/test4", true},
		{"%t*4", "m/test3/test4", false},
		{"m/%t*4", "m/test3/test4", true},
		{"*a%b", "xa/ab", true},
		{"%a%b/%", "aab/c", true},
		{"*a%b*c", "a/ab/c", true},
		{"", "", true},
		{"", "a", false},
		{"%", "", true},
		{"a", "A", false},
		{"inbox", "INBOX", true},
		{"inB%", "INBOX", true},
		{"inbox/x", "INBOX/x", true},
		{"inbox/x", "INBOX/X", false},
		{"inboxes", "INBOXES", false},
		{"ab*", "a", false},
		{"a**%%*", "a", true},
		{"%%a", "bca", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(imap_pattern(span_str(rows[i].pattern), span_str(rows[i].name)),
			rows[i].yes);
}

/* Against a matcher that tries everything, on short random words of few letters. */
static bool match_slowly(const char *p, const char *n)
{
	if (*p == '\0')
		return *n == '\0';
	if (*p != '*' && *p != '%')
		return *n == *p && match_slowly(p + 1, n + 1);
	if (match_slowly(p + 1, n))
		return true;
	return *n != '\0' && (*p == '*' || *n != '/') && match_slowly(p, n + 1);
}

static void test_pattern_model(void **state)
{
	static const char letters[] = "ab/%*";
	uint32_t seed = 20261121;
	char pattern[8], name[9];

	(void)state;
	print_message("seed %u\n", seed);
	for (size_t round = 0; round < 200000; round++) {
		size_t i;

		for (i = 0; i < sizeof(pattern) - 1; i++) {
			seed = seed * 1664525 + 1013904223;
			pattern[i] = letters[(seed >> 16) % 5];
		}
		pattern[(seed >> 24) % sizeof(pattern)] = '\0';
		pattern[i] = '\0';
		for (i = 0; i < sizeof(name) - 1; i++) {
			seed = seed * 1664525 + 1013904223;
			name[i] = letters[(seed >> 16) % 3];
		}
		name[(seed >> 24) % sizeof(name)] = '\0';
		name[i] = '\0';
		assert_int_equal(imap_pattern(span_str(pattern), span_str(name)),
			match_slowly(pattern, name));
	}
}

static void test_list(void **state)
{
	struct imap_in in = in_str(
		"(subscribed Recursivematch) \"\" (\"Sent\" p&AOQ-* !#$&'+*) return (Children status (messages unseen) special-use)");
	struct imap_list l;

	(void)state;
	assert_int_equal(imap_in_list(&in, &l), 0);
	assert_true(l.extended);
	assert_int_equal(l.options,
		IMAP_LIST_SUBSCRIBED | IMAP_LIST_RECURSIVEMATCH | IMAP_RETURN_CHILDREN |
			IMAP_RETURN_STATUS | IMAP_RETURN_SPECIAL_USE);
	assert_int_equal(l.status, IMAP_STATUS_MESSAGES | IMAP_STATUS_UNSEEN);
	assert_int_equal(l.pattern_count, 3);
	assert_memory_equal(l.patterns.p, "Sent\0p\xc3\xa4*\0!#$&'+*", 18);
	imap_list_done(&l);
	in = in_str("a/ %");
	assert_int_equal(imap_in_list(&in, &l), 0);
	assert_false(l.extended);
	assert_string_equal(buf_str(&l.reference), "a/");
	imap_list_done(&l);
	in = in_str("\"\" NIL");
	assert_int_equal(imap_in_list(&in, &l), 0);
	imap_list_done(&l);
	in = in_str("() \"\" \"\" return ()");
	assert_int_equal(imap_in_list(&in, &l), 0);
	assert_true(l.extended && l.options == 0);
	imap_list_done(&l);
}

static void test_no_list(void **state)
{
	static const char *const bad[] = {"", "\"\"", "\"\" ", "\"\" a b", "\"\" ()",
		"(sideways) \"\" \"\"", "(recursivematch) \"\" \"\"",
		"(recursivematch remote) \"\" \"\"", "\"\" \"\" return (sideways)", "\"\" a return",
		"\"\" a return children", "\"\" a return (status)", "\"\" a return (status ())",
		"\"\" (a b", "% a", "\"\" a  return ()"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct imap_in in = in_str(bad[i]);
		struct imap_list l;

		assert_int_equal(imap_in_list(&in, &l), -EBADMSG);
		assert_int_equal(in.at, 0);
	}
}

static void test_status(void **state)
{
	struct imap_in in = in_str("(messages RECENT uidnext uidvalidity unseen highestmodseq size "
				   "appendlimit mailboxid deleted deleted-storage)");
	unsigned items;

	(void)state;
	assert_int_equal(imap_in_status(&in, &items), 0);
	assert_int_equal(items, 2047);
	in = in_str("(messages)x");
	assert_int_equal(imap_in_status(&in, &items), 0);
	assert_int_equal(items, IMAP_STATUS_MESSAGES);
	in = in_str("()");
	assert_int_equal(imap_in_status(&in, &items), -EBADMSG);
	in = in_str("messages");
	assert_int_equal(imap_in_status(&in, &items), -EBADMSG);
}

static void test_notify(void **state)
{
	struct imap_in in = in_str("SET STATUS (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS "
				   "(From)]) MessageExpunge FlagChange)) (subtree (inbox \"a b\") "
				   "(MailboxName)) (personal NONE)");
	struct imap_notify n;

	(void)state;
	assert_int_equal(imap_in_notify(&in, &n), 0);
	assert_true(n.status && n.count == 3);
	assert_true(n.groups[0].has_fetch && n.groups[0].fetch.count == 2);
	assert_int_equal(
		n.groups[0].events, IMAP_EVENT_NEW | IMAP_EVENT_EXPUNGE | IMAP_EVENT_FLAGS);
	assert_int_equal(n.groups[1].filter, IMAP_FILTER_SUBTREE);
	assert_memory_equal(n.groups[1].names.p, "INBOX\0a b", 10);
	assert_int_equal(n.groups[2].events, 0);
	imap_notify_done(&n);
	in = in_str("none");
	assert_int_equal(imap_in_notify(&in, &n), 0);
	assert_int_equal(n.count, 0);
	imap_notify_done(&n);
}

static void test_no_notify(void **state)
{
	static const struct {
		const char *text;
		int r;
	} rows[] = {
		{"", -EBADMSG},
		{"SET", -EBADMSG},
		{"NONE ", -EBADMSG},
		{"SET STATUS", -EBADMSG},
		{"SET (selected)", -EBADMSG},
		{"SET (selected ())", -EBADMSG},
		{"SET (selected (MessageNew))", -EBADMSG},
		{"SET (selected (MessageExpunge))", -EBADMSG},
		{"SET (selected (FlagChange))", -EBADMSG},
		{"SET (selected (MailboxName))", -EBADMSG},
		{"SET (personal (MessageNew (UID) MessageExpunge))", -EBADMSG},
		{"SET (mailboxes () (MailboxName))", -EBADMSG},
		{"SET (mailboxes (MailboxName))", -EBADMSG},
		{"SET (nowhere (MailboxName))", -EBADMSG},
		{"SET (selected NONE) (selected-delayed NONE)", -EBADMSG},
		{"SET (personal (MailboxMetadataChange))", -ENOTSUP},
		{"SET (personal (Rumours))", -ENOTSUP},
		{"SET (personal NONE) ", -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_in in = in_str(rows[i].text);
		struct imap_notify n;

		assert_int_equal(imap_in_notify(&in, &n), rows[i].r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_names),
		cmocka_unit_test(test_mailbox),
		cmocka_unit_test(test_put_mailbox),
		cmocka_unit_test(test_pattern),
		cmocka_unit_test(test_pattern_model),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_no_list),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_no_notify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
