/* The calendar and the forms of time, from year 1 to 9999. */
#include "base/timefmt.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FIRST_S INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST_S INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static const struct {
	const char *text;
	int64_t s;
} instants[] = {
	{"0001-01-01T00:00:00Z", FIRST_S},
	{"0004-02-29T12:00:00Z", INT64_C(-62035848000)},
	{"1582-10-15T00:00:00Z", INT64_C(-12219292800)},
	{"1900-02-28T23:59:59Z", INT64_C(-2203891201)},
	{"1900-03-01T00:00:00Z", INT64_C(-2203891200)},
	{"1969-12-31T23:59:59Z", -1},
	{"1970-01-01T00:00:00Z", 0},
	{"2000-02-29T00:00:00Z", 951782400},
	{"2000-03-01T00:00:00Z", 951868800},
	{"2038-01-19T03:14:08Z", INT64_C(2147483648)},
	{"2100-02-28T23:59:59Z", INT64_C(4107542399)},
	{"2100-03-01T00:00:00Z", INT64_C(4107542400)},
	{"9999-12-31T23:59:59Z", LAST_S},
};

static void assert_taken(struct buf *b, const char *want)
{
	assert_int_equal(buf_error(b), 0);
	assert_string_equal(buf_str(b), want);
	buf_reset(b);
}

static void test_instants_both_ways(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	for (size_t i = 0; i < COUNT(instants); i++) {
		int64_t us;

		time_rfc3339_utc(&b, instants[i].s * TIME_S_US);
		assert_taken(&b, instants[i].text);
		time_rfc3339_utc(&b, instants[i].s * TIME_S_US + 999999);
		assert_taken(&b, instants[i].text);
		assert_int_equal(time_parse_rfc3339(span_str(instants[i].text), &us), 0);
		assert_true(us == instants[i].s * TIME_S_US);
	}
	buf_done(&b);
}

/* Every day of all years: one after the other, weekday included, and back. */
static void test_every_day(void **state)
{
	struct time_parts p, before = {.year = 0, .month = 12, .day = 31, .weekday = 0};
	int64_t days = 0, back;

	(void)state;
	for (int64_t s = FIRST_S; s <= LAST_S; s += 86400, days++) {
		bool same_month, same_year;

		assert_int_equal(time_utc(s * TIME_S_US, &p), 0);
		same_month = p.month == before.month;
		same_year = p.year == before.year;
		if (!(same_month && same_year && p.day == before.day + 1) &&
			!(same_year && p.month == before.month + 1 && p.day == 1 &&
				before.day >= 28) &&
			!(p.year == before.year + 1 && p.month == 1 && p.day == 1 &&
				before.month == 12 && before.day == 31))
			fail_msg("%04d-%02d-%02d", p.year, p.month, p.day);
		assert_int_equal(p.weekday, (before.weekday + 1) % 7);
		assert_int_equal(time_from_parts(&p, &back), 0);
		assert_true(back == s * TIME_S_US);
		before = p;
	}
	assert_int_equal(days, 3652059);
	assert_int_equal(before.year, 9999);
	assert_int_equal(before.weekday, 5);
}

static void test_parts(void **state)
{
	struct time_parts p;

	(void)state;
	assert_int_equal(time_utc(-1, &p), 0);
	assert_int_equal(p.year, 1969);
	assert_int_equal(p.second, 59);
	assert_int_equal(p.nanosecond, 999999000);
	assert_string_equal(time_weekday(&p), "Wednesday");
	assert_int_equal(time_utc(INT64_C(1700000000123456), &p), 0);
	assert_int_equal(p.hour * 10000 + p.minute * 100 + p.second, 221320);
	assert_int_equal(p.nanosecond, 123456000);
	assert_string_equal(time_weekday(&p), "Tuesday");
}

static void test_instants_out_of_range(void **state)
{
	struct time_parts p = {.year = 77};
	struct buf b = BUF_INIT(100);

	(void)state;
	assert_int_equal(time_utc(FIRST_S * TIME_S_US - 1, &p), -ERANGE);
	assert_int_equal(time_utc((LAST_S + 1) * TIME_S_US, &p), -ERANGE);
	assert_int_equal(time_utc(INT64_MIN, &p), -ERANGE);
	assert_int_equal(time_utc(INT64_MAX, &p), -ERANGE);
	assert_int_equal(time_local(INT64_MAX, &p), -ERANGE);
	assert_int_equal(time_local(INT64_MIN, &p), -ERANGE);
	assert_int_equal(p.year, 77);
	time_rfc3339_utc(&b, INT64_MIN);
	assert_taken(&b, "0001-01-01T00:00:00Z");
	time_rfc3339_utc(&b, INT64_MAX);
	assert_taken(&b, "9999-12-31T23:59:59Z");
	time_http(&b, INT64_MAX);
	assert_taken(&b, "Fri, 31 Dec 9999 23:59:59 GMT");
	buf_done(&b);
}

static void test_parts_out_of_range(void **state)
{
	static const struct time_parts good[] = {
		{.year = 1, .month = 1, .day = 1},
		{.year = 1, .month = 1, .day = 1, .offset_s = -86399},
		{.year = 9999,
			.month = 12,
			.day = 31,
			.hour = 23,
			.minute = 59,
			.second = 59,
			.nanosecond = 999999999},
		{.year = 2024, .month = 2, .day = 29, .offset_s = 86399},
	};
	static const struct time_parts bad[] = {
		{.year = 0, .month = 1, .day = 1},
		{.year = 10000, .month = 1, .day = 1},
		{.year = 2000, .month = 0, .day = 1},
		{.year = 2000, .month = 13, .day = 1},
		{.year = 2000, .month = 1, .day = 0},
		{.year = 2000, .month = 1, .day = 32},
		{.year = 2000, .month = 4, .day = 31},
		{.year = 2000, .month = 2, .day = 30},
		{.year = 2023, .month = 2, .day = 29},
		{.year = 1900, .month = 2, .day = 29},
		{.year = 2000, .month = 1, .day = 1, .hour = 24},
		{.year = 2000, .month = 1, .day = 1, .hour = -1},
		{.year = 2000, .month = 1, .day = 1, .minute = 60},
		{.year = 2000, .month = 1, .day = 1, .minute = -1},
		{.year = 2000, .month = 1, .day = 1, .second = 60},
		{.year = 2000, .month = 1, .day = 1, .second = -1},
		{.year = 2000, .month = 1, .day = 1, .nanosecond = 1000000000},
		{.year = 2000, .month = 1, .day = 1, .nanosecond = -1},
		{.year = 2000, .month = 1, .day = 1, .offset_s = 86400},
		{.year = 2000, .month = 1, .day = 1, .offset_s = -86400},
		{.year = INT32_MAX, .month = INT32_MIN, .day = INT32_MAX, .offset_s = INT32_MIN},
		/* Well-formed, but outside in UTC. */
		{.year = 1, .month = 1, .day = 1, .offset_s = 60},
		{.year = 9999, .month = 12, .day = 31, .hour = 23, .minute = 59, .offset_s = -60},
	};
	int64_t us = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(time_from_parts(&bad[i], &us), -ERANGE);
	assert_true(us == 77);
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(time_from_parts(&good[i], &us), 0);
}

static void test_rfc3339_digits_and_offset(void **state)
{
	struct time_parts p = {.year = 2026,
		.month = 3,
		.day = 9,
		.hour = 7,
		.minute = 5,
		.second = 4,
		.nanosecond = 1999999,
		.offset_s = -12600};
	struct buf b = BUF_INIT(100);

	(void)state;
	time_rfc3339(&b, &p, 0);
	assert_taken(&b, "2026-03-09T07:05:04-03:30");
	time_rfc3339(&b, &p, 3);
	assert_taken(&b, "2026-03-09T07:05:04.001-03:30");
	time_rfc3339(&b, &p, 6);
	assert_taken(&b, "2026-03-09T07:05:04.001999-03:30");
	p.offset_s = 0;
	time_rfc3339(&b, &p, 9);
	assert_taken(&b, "2026-03-09T07:05:04.001999999+00:00");
	buf_done(&b);
}

static void test_offset(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	time_offset(&b, 0);
	assert_taken(&b, "+00:00");
	time_offset(&b, 3600);
	assert_taken(&b, "+01:00");
	time_offset(&b, -1800);
	assert_taken(&b, "-00:30");
	time_offset(&b, 50400);
	assert_taken(&b, "+14:00");
	buf_done(&b);
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} rows[] = {
		{"1970-01-01T00:00:00+00:00", 0},
		{"1970-01-01T00:00:00-00:00", 0},
		{"1970-01-01t00:00:00z", 0},
		{"1970-01-01 00:00:00Z", 0},
		{"1970-01-01T01:00:00+01:00", 0},
		{"1969-12-31T16:29:59.999999-07:30", -1},
		{"1970-01-01T00:00:00.5Z", 500000},
		{"1970-01-01T00:00:00.000001Z", 1},
		{"1970-01-01T00:00:00.000000999Z", 0},
		{"1970-01-01T00:00:00.999999999Z", 999999},
		{"1970-01-01T23:59:00+23:59", 0},
		{"2016-12-31T23:59:60Z", INT64_C(1483228800000000)},
		{"2016-12-31T15:59:60.25-08:00", INT64_C(1483228800250000)},
		{"1990-07-01T00:59:60+01:00", INT64_C(646790400000000)},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t us = 77;

		assert_int_equal(time_parse_rfc3339(span_str(rows[i].text), &us), 0);
		assert_true(us == rows[i].us);
	}
}

static void test_parse_refusals(void **state)
{
	static const char *const malformed[] = {"", "1970", "1970-01-01", "1970-01-01T00:00:00",
		"1970-01-01T00:00Z", "1970-1-01T00:00:00Z", "970-01-01T00:00:00Z",
		"10000-01-01T00:00:00Z", "-1970-01-01T00:00:00Z", "1970-01-01X00:00:00Z",
		"1970-01-01T00:00:00.Z", "1970-01-01T00:00:00,5Z",
		"1970-01-01T00:00:00.1234567890Z", "1970-01-01T00:00:00Zx", " 1970-01-01T00:00:00Z",
		"1970-01-01T00:00:00Z ", "1970-01-01T00:00:00+0100", "1970-01-01T00:00:00+01",
		"1970-01-01T00:00:00+01:0", "1970-01-01T00:00:00+01:000",
		"1970-01-01T00:00:00 01:00", "1970/01/01T00:00:00Z", "1970-01-01T00-00-00Z",
		"1970-01-01T+1:00:00Z", "1970-01-01T00:00:0aZ"};
	static const char *const outside[] = {"0000-01-01T00:00:00Z", "1970-00-01T00:00:00Z",
		"1970-13-01T00:00:00Z", "1970-01-32T00:00:00Z", "2023-02-29T00:00:00Z",
		"1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z", "1970-01-01T00:00:61Z",
		"1970-01-01T00:00:60Z", "1970-01-01T00:59:60Z", "1970-01-01T23:59:60Z",
		"2016-12-31T22:59:60Z", "2016-12-31T23:59:60+01:00", "9999-12-31T23:59:60Z",
		"1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+00:60",
		"0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"};
	int64_t us = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(malformed); i++)
		assert_int_equal(time_parse_rfc3339(span_str(malformed[i]), &us), -EINVAL);
	for (size_t i = 0; i < COUNT(outside); i++)
		assert_int_equal(time_parse_rfc3339(span_str(outside[i]), &us), -ERANGE);
	assert_int_equal(time_parse_rfc3339(SPAN_LIT("1970-01-01T00:00:00Z\0"), &us), -EINVAL);
	assert_true(us == 77);
}

static void test_http_and_mail(void **state)
{
	struct time_parts p;
	struct buf b = BUF_INIT(100);

	(void)state;
	time_http(&b, INT64_C(784111777000000));
	assert_taken(&b, "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_int_equal(time_utc(INT64_C(784111777000000), &p), 0);
	time_rfc5322(&b, &p);
	assert_taken(&b, "Sun, 6 Nov 1994 08:49:37 +0000");
	p.offset_s = -12600;
	time_rfc5322(&b, &p);
	assert_taken(&b, "Sun, 6 Nov 1994 08:49:37 -0330");
	buf_done(&b);
}

static void set_zone(const char *zone)
{
	assert_int_equal(setenv("TZ", zone, 1), 0);
	tzset();
}

static void test_local(void **state)
{
	struct time_parts p;
	struct buf b = BUF_INIT(100);
	int64_t back;

	(void)state;
	/* POSIX rules, so that no zone file is needed: central Europe with its summer time. */
	set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_int_equal(time_local(INT64_C(1711846799500000), &p), 0);
	time_rfc3339(&b, &p, 3);
	assert_taken(&b, "2024-03-31T01:59:59.500+01:00");
	assert_int_equal(time_local(INT64_C(1711846800000000), &p), 0);
	time_rfc3339(&b, &p, 0);
	assert_taken(&b, "2024-03-31T03:00:00+02:00");
	assert_int_equal(p.weekday, 0);
	/* The last hour of the last year is already the next one there. */
	assert_int_equal(time_local(LAST_S * TIME_S_US, &p), -ERANGE);
	assert_int_equal(time_local((LAST_S - 3600) * TIME_S_US, &p), 0);
	/* An offset with seconds in it is rounded, the instant stays. */
	set_zone("LMT-0:19:32");
	assert_int_equal(time_local(INT64_C(-3000000000000000), &p), 0);
	assert_int_equal(p.offset_s, 19 * 60);
	assert_int_equal(time_from_parts(&p, &back), 0);
	assert_true(back == INT64_C(-3000000000000000));
	set_zone("UTC0");
	buf_done(&b);
}

static void test_spans(void **state)
{
	static const struct {
		int64_t s;
		const char *text;
	} rows[] = {{0, "0 s"}, {12, "12 s"}, {59, "59 s"}, {60, "1 min"}, {61, "1 min 1 s"},
		{3599, "59 min 59 s"}, {3600, "1 h"}, {3601, "1 h"}, {3660, "1 h 1 min"},
		{86400, "1 d"}, {86400 * 3 + 3600 * 4 + 59, "3 d 4 h"}, {-301, "-5 min 1 s"},
		{INT64_MAX, "106751991167300 d 15 h"}, {INT64_MIN, "-106751991167300 d 15 h"}};
	struct buf b = BUF_INIT(100);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		time_span_text(&b, rows[i].s);
		assert_taken(&b, rows[i].text);
	}
	buf_done(&b);
}

static void test_clocks_agree(void **state)
{
	int64_t ns = time_now_ns(), us = time_now_us(), ms = time_monotonic_ms();

	(void)state;
	assert_true(us >= ns / 1000 && us - ns / 1000 < 10 * TIME_S_US);
	assert_true(us > INT64_C(1700000000) * TIME_S_US);
	assert_true(time_monotonic_ms() >= ms && ms > 0);
}

static void test_specs(void **state)
{
	static const struct {
		struct timespec t;
		int64_t us, ns;
	} rows[] = {
		{{0, 0}, 0, 0},
		{{1, 999999999}, 1999999, 1999999999},
		{{-2, 500000000}, -1500000, -1500000000},
		{{LAST_S, 999999999}, LAST_S * 1000000 + 999999, INT64_MAX},
		{{FIRST_S, 0}, FIRST_S * 1000000, INT64_MIN},
		{{INT64_MAX, 999999999}, INT64_MAX, INT64_MAX},
		{{INT64_MIN, 0}, INT64_MIN, INT64_MIN},
		{{9223372036, 854775807}, INT64_C(9223372036854775), INT64_MAX},
		{{9223372036, 854775808}, INT64_C(9223372036854775), INT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(time_spec_us(&rows[i].t) == rows[i].us);
		assert_true(time_spec_ns(&rows[i].t) == rows[i].ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_instants_both_ways),
		cmocka_unit_test(test_every_day),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_instants_out_of_range),
		cmocka_unit_test(test_parts_out_of_range),
		cmocka_unit_test(test_rfc3339_digits_and_offset),
		cmocka_unit_test(test_offset),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refusals),
		cmocka_unit_test(test_http_and_mail),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_clocks_agree),
		cmocka_unit_test(test_specs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
