/* The lines of the daytime dialogue: round trips, offset and bound, everything that must be
 * refused.
 */
#include "proto/daytime.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_exchange_round_trip(void **state)
{
	static const struct daytime_exchange rows[] = {
		{1, 2, 3, 0, 4, true},
		{-1, 0, INT64_MAX, 0, 0, false},
		{INT64_MIN, INT64_MIN, INT64_MIN, 0, INT64_MAX, true},
		{INT64_C(1795224822123456789), INT64_C(1795224822123500000),
			INT64_C(1795224822123600000), 0, INT64_C(16000000000), false},
	};
	struct buf b = BUF_INIT(DAYTIME_LINE_MAX);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct daytime_exchange back = {.t4_ns = 99};

		buf_reset(&b);
		assert_int_equal(daytime_write_exchange(&b, &rows[i]), 0);
		assert_int_equal(daytime_read_exchange(buf_span(&b), &back), 0);
		assert_true(back.t1_ns == rows[i].t1_ns);
		assert_true(back.t2_ns == rows[i].t2_ns);
		assert_true(back.t3_ns == rows[i].t3_ns);
		assert_true(back.server_error_ns == rows[i].server_error_ns);
		assert_int_equal(back.synchronised, rows[i].synchronised);
	}
	buf_done(&b);
}

static void test_bad_exchanges(void **state)
{
	static const char *const bad[] = {"", "exchange", "exchange 1 2 3 4", "exchange 1 2 3 4 ",
		"exchange 1 2 3 synchronised", "exchange 1 2 3 -4 synchronised",
		"exchange 1 2 3 4 synchronised ", "exchange 1 2 3 4 synchronised 5",
		"exchange  1 2 3 4 synchronised", "Exchange 1 2 3 4 synchronised",
		"exchange 01 2 3 4 synchronised", "exchange +1 2 3 4 synchronised",
		"exchange 1 2 3 4 Synchronised", "exchange 1 2 3 4 unsync",
		"exchange 9223372036854775808 2 3 4 synchronised",
		"exchange 1.5 2 3 4 synchronised", " exchange 1 2 3 4 synchronised",
		"error: 1 2 3 4 synchronised"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct daytime_exchange x = {.t1_ns = 42};

		if (daytime_read_exchange(span_str(bad[i]), &x) != -EBADMSG || x.t1_ns != 42)
			fail_msg("taken: %s", bad[i]);
	}
}

static void test_offset(void **state)
{
	static const struct {
		struct daytime_exchange x;
		int64_t offset_ns, bound_ns;
	} rows[] = {
		/* 100 there, 50 inside, 100 back, clocks equal */
		{{1000, 1100, 1150, 1250, 7, true}, 0, 107},
		/* the same with the server 5000 ahead, then behind */
		{{1000, 6100, 6150, 1250, 0, true}, 5000, 100},
		{{6000, 1100, 1150, 6250, 0, false}, -5000, 100},
		/* all the delay on one way: the bound just holds the truth */
		{{1000, 1200, 1250, 1250, 0, true}, 100, 100},
		/* an odd sum: the bound is rounded up, the offset cut */
		{{0, 1, 1, 1, 0, true}, 0, 1},
	};
	int64_t offset_ns, bound_ns;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(daytime_offset(&rows[i].x, &offset_ns, &bound_ns), 0);
		assert_true(offset_ns == rows[i].offset_ns);
		assert_true(bound_ns == rows[i].bound_ns);
	}
}

static void test_impossible_exchanges(void **state)
{
	static const struct daytime_exchange rows[] = {
		{1000, 2000, 2100, 999, 0, true}, /* the client's clock ran backwards */
		{1000, 2000, 1999, 1100, 0, true}, /* the server's */
		{1000, 2000, 2200, 1100, 0, true}, /* answered faster than it took to make */
		{INT64_MIN, INT64_MAX, INT64_MAX, INT64_MAX, 0, true},
		{INT64_MAX, INT64_MIN, 0, INT64_MAX, 0, true},
		{0, 0, 0, INT64_MAX, INT64_MAX, true},
	};
	int64_t offset_ns = 42, bound_ns = 42;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(daytime_offset(&rows[i], &offset_ns, &bound_ns), -ERANGE);
	assert_true(offset_ns == 42 && bound_ns == 42);
}

static void test_lines(void **state)
{
	static const struct {
		const char *line;
		int64_t at_us;
	} rows[] = {
		{"Saturday 2026-11-21 01:33:42 +00:00", INT64_C(1795224822000000)},
		{"Saturday 2026-11-21 01:33:42 +05:45", INT64_C(1795204122000000)},
		{"Friday 2026-11-20 22:03:42 -03:30", INT64_C(1795224822000000)},
		{"Thursday 1970-01-01 00:00:00 +00:00", 0},
		{"Wednesday 1969-12-31 12:00:00 -12:00", 0},
	};
	int64_t at_us;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(daytime_read_line(span_str(rows[i].line), &at_us), 0);
		assert_true(at_us == rows[i].at_us);
	}
}

static void test_bad_lines(void **state)
{
	static const char *const bad[] = {"", "Saturday", "Sunday 2026-11-21 01:33:42 +00:00",
		"saturday 2026-11-21 01:33:42 +00:00", "Saturday 2026-11-21 01:33:42",
		"Saturday 2026-11-21 01:33:42 Z", "Saturday 2026-11-21 24:33:42 +00:00",
		"Saturday 2026-02-30 01:33:42 +00:00", "Saturday 2026-11-21 01:33:42 +00:00 ",
		"Saturday  2026-11-21 01:33:42 +00:00", "Saturday 2026-11-21T01:33:42 +00:00",
		"Saturday 2026-11-21 01:33:42 +24:00", "Saturday 2026-11-21 01:33:42 +0x:00",
		"error: no such zone"};
	int64_t at_us = 42;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (daytime_read_line(span_str(bad[i]), &at_us) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
	assert_true(at_us == 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchange_round_trip),
		cmocka_unit_test(test_bad_exchanges),
		cmocka_unit_test(test_offset),
		cmocka_unit_test(test_impossible_exchanges),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_bad_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
