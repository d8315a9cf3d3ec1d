/* Requests of calls and files: what they mean, and everything that must be refused. */
#include "proto/dcc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TOKEN "00112233445566778899aabbccddeeff"

static void test_read(void **state)
{
	static const struct {
		const char *text;
		enum dcc_kind kind, of;
		const char *name, *address;
		uint16_t port;
		uint64_t size;
	} rows[] = {
		{"SCHAT chat 0 0 " TOKEN, DCC_SCHAT, DCC_SCHAT, "", "", 0, 0},
		{"schat CHAT 16843009 0 " TOKEN, DCC_SCHAT, DCC_SCHAT, "", "", 0, 0},
		{"SCHAT chat 2130706433 5000 " TOKEN, DCC_SCHAT, DCC_SCHAT, "", "127.0.0.1", 5000,
			0},
		{"SCHAT chat fe80::1 5000 " TOKEN, DCC_SCHAT, DCC_SCHAT, "", "fe80::1", 5000, 0},
		{"SCHAT chat 0:0::1 1 " TOKEN, DCC_SCHAT, DCC_SCHAT, "", "::1", 1, 0},
		{"SSEND a.txt 0 0 12 " TOKEN, DCC_SSEND, DCC_SCHAT, "a.txt", "", 0, 12},
		{"SSEND \"a b\" 0 0 0 " TOKEN, DCC_SSEND, DCC_SCHAT, "a b", "", 0, 0},
		{"SSEND x 2130706433 9 9223372036854775807 " TOKEN, DCC_SSEND, DCC_SCHAT, "x",
			"127.0.0.1", 9, INT64_MAX},
		{"REJECT SCHAT chat " TOKEN, DCC_REJECT, DCC_SCHAT, "", "", 0, 0},
		{"REJECT SSEND \"a b\" " TOKEN, DCC_REJECT, DCC_SSEND, "a b", "", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dcc d;

		assert_int_equal(dcc_parse(span_str(rows[i].text), &d), 0);
		assert_int_equal(d.kind, rows[i].kind);
		assert_int_equal(d.of, rows[i].of);
		assert_string_equal(d.name, rows[i].name);
		assert_string_equal(d.address, rows[i].address);
		assert_int_equal(d.port, rows[i].port);
		assert_true(d.size == rows[i].size);
		assert_string_equal(d.token, TOKEN);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int wanted;
	} rows[] = {
		{"", -EBADMSG},
		{"CHAT chat 1 2", -ENOMSG},
		{"SEND a 1 2 3", -ENOMSG},
		{"REJECT CHAT chat", -ENOMSG},
		{"SCHAT", -EBADMSG},
		{"SCHAT chat 0 0", -EBADMSG},
		{"SCHAT talk 0 0 " TOKEN, -EBADMSG},
		{"SCHAT chat 0 0 " TOKEN " x", -EBADMSG},
		{"SCHAT chat 0 0 " TOKEN " ", 0}, /* a blank at the end is nothing */
		{"SCHAT chat 0 0 0011", -EBADMSG},
		{"SCHAT chat 0 0 00112233445566778899AABBCCDDEEFF", -EBADMSG},
		{"SCHAT chat 0 0 " TOKEN "0", -EBADMSG},
		{"SCHAT chat 0 5000 " TOKEN, -EBADMSG},
		{"SCHAT chat 3758096385 5000 " TOKEN, -EBADMSG}, /* 224.0.0.1 */
		{"SCHAT chat 4294967295 5000 " TOKEN, -EBADMSG},
		{"SCHAT chat 4294967296 5000 " TOKEN, -EBADMSG},
		{"SCHAT chat 127.0.0.1 5000 " TOKEN, -EBADMSG},
		{"SCHAT chat :: 5000 " TOKEN, -EBADMSG},
		{"SCHAT chat ff02::1 5000 " TOKEN, -EBADMSG},
		{"SCHAT chat ::ffff:127.0.0.1 5000 " TOKEN, -EBADMSG},
		{"SCHAT chat 2130706433 65536 " TOKEN, -EBADMSG},
		{"SCHAT chat 2130706433 -1 " TOKEN, -EBADMSG},
		{"SSEND a/b 0 0 1 " TOKEN, -EBADMSG},
		{"SSEND .. 0 0 1 " TOKEN, -EBADMSG},
		{"SSEND . 0 0 1 " TOKEN, -EBADMSG},
		{"SSEND \"a 0 0 1 " TOKEN, -EBADMSG},
		{"SSEND \"\" 0 0 1 " TOKEN, -EBADMSG},
		{"SSEND a\x1b 0 0 1 " TOKEN, -EBADMSG},
		{"SSEND \xff 0 0 1 " TOKEN, -EBADMSG},
		{"SSEND a 0 0 9223372036854775808 " TOKEN, -EBADMSG},
		{"SSEND a 0 0 " TOKEN, -EBADMSG},
	};
	struct dcc d;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (dcc_parse(span_str(rows[i].text), &d) != rows[i].wanted)
			fail_msg("%s", rows[i].text);
}

static void test_write(void **state)
{
	static const char *const rows[] = {
		"SCHAT chat 0 0 " TOKEN,
		"SCHAT chat 2130706433 5000 " TOKEN,
		"SCHAT chat 2001:db8::1 5000 " TOKEN,
		"SSEND \"a b\" 0 0 12 " TOKEN,
		"SSEND x 167772161 80 12 " TOKEN,
		"REJECT SCHAT chat " TOKEN,
		"REJECT SSEND x " TOKEN,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = BUF_INIT(500), wanted = BUF_INIT(500);
		struct dcc d;

		assert_int_equal(dcc_parse(span_str(rows[i]), &d), 0);
		dcc_write(&b, &d);
		buf_addf(&wanted, "\001DCC %s\001", rows[i]);
		assert_string_equal(buf_str(&b), buf_str(&wanted));
		buf_done(&b);
		buf_done(&wanted);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests_name("proto_dcc", tests, NULL, NULL);
}
