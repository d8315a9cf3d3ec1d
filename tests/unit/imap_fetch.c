/* FETCH items, sections and modifiers. */
#include "proto/imap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static unsigned char held[4096];

static struct imap_in in_str(const char *s)
{
	size_t len = strlen(s);

	assert_true(len <= sizeof(held));
	memcpy(held, s, len);
	return (struct imap_in){.p = held, .len = len};
}

static void test_sections(void **state)
{
	static const struct {
		const char *asked, *answered;
		enum imap_item item;
		bool peek;
	} rows[] = {
		{"body[]", "BODY[]", IMAP_ITEM_SECTION, false},
		{"BODY.PEEK[HEADER]", "BODY[HEADER]", IMAP_ITEM_SECTION, true},
		{"BODY[1.2.mime]<5.10>", "BODY[1.2.MIME]<5>", IMAP_ITEM_SECTION, false},
		{"BODY[3.TEXT]<0.1>", "BODY[3.TEXT]<0>", IMAP_ITEM_SECTION, false},
		{"body.peek[header.fields (From \"x y\" {2}\r\nTo)]",
			"BODY[HEADER.FIELDS (From \"x y\" To)]", IMAP_ITEM_SECTION, true},
		{"body[4.header.fields.not (a)]", "BODY[4.HEADER.FIELDS.NOT (a)]",
			IMAP_ITEM_SECTION, false},
		{"rfc822", "RFC822", IMAP_ITEM_SECTION, false},
		{"rfc822.header", "RFC822.HEADER", IMAP_ITEM_SECTION, true},
		{"rfc822.text", "RFC822.TEXT", IMAP_ITEM_SECTION, false},
		{"BINARY[1]<2.3>", "BINARY[1]<2>", IMAP_ITEM_BINARY, false},
		{"binary.peek[]", "BINARY[]", IMAP_ITEM_BINARY, true},
		{"BINARY.SIZE[1.2]", "BINARY.SIZE[1.2]", IMAP_ITEM_BINARY_SIZE, true},
		{"BINARY[2.TEXT]", "BINARY[2.TEXT]", IMAP_ITEM_BINARY, false},
	};
	struct buf b = BUF_INIT(256);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_in in = in_str(rows[i].asked);
		struct imap_fetch f;

		assert_int_equal(imap_in_fetch(&in, &f), 0);
		assert_int_equal(f.count, 1);
		assert_int_equal(f.items[0].item, rows[i].item);
		assert_int_equal(f.items[0].peek, rows[i].peek);
		buf_reset(&b);
		imap_put_section(&b, &f.items[0]);
		assert_string_equal(buf_str(&b), rows[i].answered);
		imap_fetch_done(&f);
	}
	buf_done(&b);
}

static void check_items(const char *text, const enum imap_item *items, size_t count)
{
	struct imap_in in = in_str(text);
	struct imap_fetch f;

	assert_int_equal(imap_in_fetch(&in, &f), 0);
	assert_int_equal(f.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(f.items[i].item, items[i]);
	imap_fetch_done(&f);
}

static void test_items(void **state)
{
	static const enum imap_item full[] = {IMAP_ITEM_FLAGS, IMAP_ITEM_INTERNALDATE,
		IMAP_ITEM_SIZE, IMAP_ITEM_ENVELOPE, IMAP_ITEM_BODY};
	static const enum imap_item all[] = {IMAP_ITEM_UID, IMAP_ITEM_BODYSTRUCTURE,
		IMAP_ITEM_MODSEQ, IMAP_ITEM_EMAILID, IMAP_ITEM_THREADID, IMAP_ITEM_SAVEDATE,
		IMAP_ITEM_PREVIEW, IMAP_ITEM_PREVIEW, IMAP_ITEM_BODY, IMAP_ITEM_SECTION};

	(void)state;
	check_items("fast", full, 3);
	check_items("ALL", full, 4);
	check_items("Full", full, 5);
	check_items("(flags internaldate rfc822.size envelope body)", full, 5);
	check_items("flags", full, 1);
	check_items(
		"(uid bodystructure modseq emailid threadid savedate preview preview (lazy) body "
		"body[])",
		all, COUNT(all));
}

static void test_modifiers(void **state)
{
	struct imap_in in = in_str("(FLAGS) (changedsince 0 vanished partial -100:-1)");
	struct imap_fetch f;

	(void)state;
	assert_int_equal(imap_in_fetch(&in, &f), 0);
	assert_true(f.changed && f.changed_since == 0 && f.vanished && f.partial);
	assert_int_equal(f.partial_first, -1);
	assert_int_equal(f.partial_last, -100);
	imap_fetch_done(&f);
	in = in_str("PREVIEW (LAZY)");
	assert_int_equal(imap_in_fetch(&in, &f), 0);
	assert_true(f.items[0].lazy);
	imap_fetch_done(&f);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {"", "()", "(UID", "UID FLAGS", "(UID  FLAGS)",
		"(UID FLAGS )", "( UID)", "FOO", "(ALL)", "ALL UID", "BODY.PEEK", "BODY[", "BODY[1",
		"BODY[]<", "BODY[]<1>", "BODY[]<1.0>", "BODY[]<1.>", "BODY[]<.1>",
		"BODY[]<99999999999999999999.1>", "BODY[0]", "BODY[1.]", "BODY[.1]", "BODY[1..2]",
		"BODY[MIME]", "BODY[FOO]", "BODY[1.FOO]", "BODY[HEADER.1]", "BODY[HEADER.FIELDS]",
		"BODY[HEADER.FIELDS ()]", "BODY[HEADER.FIELDS (a]", "BODY[1TEXT]",
		"BODY[4294967296]", "BINARY", "BINARY[MIME]", "BINARY.SIZE[1]<0.1>", "RFC822[]",
		"UID[]", "RFC822.PEEK", "PREVIEW (LAZ)", "PREVIEW ()", "FLAGS (VANISHED)",
		"FLAGS ()", "FLAGS (CHANGEDSINCE)", "FLAGS (CHANGEDSINCE x)",
		"FLAGS (CHANGEDSINCE 9223372036854775808)", "FLAGS (FOO 1)",
		"FLAGS (CHANGEDSINCE 1) x", "FLAGS (PARTIAL 1:-1)", "FLAGS (PARTIAL 0:1)",
		"FLAGS (PARTIAL 1)", "FLAGS (PARTIAL 1:*)"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct imap_in in = in_str(bad[i]);
		struct imap_fetch f;

		assert_int_equal(imap_in_fetch(&in, &f), -EBADMSG);
		assert_int_equal(in.at, 0);
	}
}

static void check_repeated(
	const char *head, const char *middle, const char *tail, size_t times, int r)
{
	struct buf b = BUF_INIT(64 << 10);
	struct imap_in in;
	struct imap_fetch f;

	buf_add_str(&b, head);
	for (size_t i = 0; i < times; i++)
		buf_add_str(&b, middle);
	buf_add_str(&b, tail);
	in = (struct imap_in){.p = b.p, .len = b.len};
	assert_int_equal(imap_in_fetch(&in, &f), r);
	if (r == 0)
		imap_fetch_done(&f);
	buf_done(&b);
}

static void test_bounds(void **state)
{
	(void)state;
	check_repeated("(", "UID ", "UID)", IMAP_ITEMS_MAX - 1, 0);
	check_repeated("(", "UID ", "UID)", IMAP_ITEMS_MAX, -EBADMSG);
	check_repeated("BODY[", "1.", "1]", IMAP_SECTION_MAX - 1, 0);
	check_repeated("BODY[", "1.", "1]", IMAP_SECTION_MAX, -EBADMSG);
	check_repeated("BODY[HEADER.FIELDS (", "a ", "a)]", 5000, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_modifiers),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
