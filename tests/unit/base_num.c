/* Strict numbers: the last good value, the first bad one, and overflow. */
#include "base/num.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* What is no number in any of the four parsers. */
static const char *const nonsense[] = {"", " ", " 1", "1 ", "+1", "00", "01", "007", "0x1", "1.0",
	"1e3", "--1", "-", "-01", "s", "K", "1\n", "\t1", "a", "1a", "/", ":", "1:", "\xd9\xa1"};

static void test_u64(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max, want;
		int result;
	} rows[] = {
		{"0", 0, 0, 0, 0},
		{"1", 0, 0, 0, -ERANGE},
		{"9", 10, 20, 0, -ERANGE},
		{"10", 10, 20, 10, 0},
		{"20", 10, 20, 20, 0},
		{"21", 10, 20, 0, -ERANGE},
		{"18446744073709551615", 0, UINT64_MAX, UINT64_MAX, 0},
		{"18446744073709551616", 0, UINT64_MAX, 0, -ERANGE},
		{"18446744073709551620", 0, UINT64_MAX, 0, -ERANGE},
		{"99999999999999999999999999", 0, UINT64_MAX, 0, -ERANGE},
		{"99999999999999999999999999x", 0, UINT64_MAX, 0, -EINVAL},
		{"-1", 0, UINT64_MAX, 0, -EINVAL},
		{"-0", 0, UINT64_MAX, 0, -EINVAL},
		{"1s", 0, UINT64_MAX, 0, -EINVAL},
		{"1K", 0, UINT64_MAX, 0, -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t v = 77;

		assert_int_equal(
			num_parse_u64(span_str(rows[i].text), rows[i].min, rows[i].max, &v),
			rows[i].result);
		assert_true(v == (rows[i].result == 0 ? rows[i].want : 77));
	}
}

static void test_i64(void **state)
{
	static const struct {
		const char *text;
		int64_t min, max, want;
		int result;
	} rows[] = {
		{"0", -1, 1, 0, 0},
		{"-1", -1, 1, -1, 0},
		{"-2", -1, 1, 0, -ERANGE},
		{"2", -1, 1, 0, -ERANGE},
		{"-0", -1, 1, 0, -EINVAL},
		{"9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX, 0},
		{"9223372036854775808", INT64_MIN, INT64_MAX, 0, -ERANGE},
		{"-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN, 0},
		{"-9223372036854775809", INT64_MIN, INT64_MAX, 0, -ERANGE},
		{"-18446744073709551616", INT64_MIN, INT64_MAX, 0, -ERANGE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t v = 77;

		assert_int_equal(
			num_parse_i64(span_str(rows[i].text), rows[i].min, rows[i].max, &v),
			rows[i].result);
		assert_true(v == (rows[i].result == 0 ? rows[i].want : 77));
	}
}

static void test_nonsense_is_refused_everywhere(void **state)
{
	uint64_t u = 77;
	int64_t i = 77;

	(void)state;
	for (size_t n = 0; n < sizeof(nonsense) / sizeof(nonsense[0]); n++) {
		struct span s = span_str(nonsense[n]);

		assert_int_equal(num_parse_u64(s, 0, UINT64_MAX, &u), -EINVAL);
		assert_int_equal(num_parse_i64(s, INT64_MIN, INT64_MAX, &i), -EINVAL);
		assert_int_equal(num_parse_duration_s(s, UINT64_MAX, &u), -EINVAL);
		assert_int_equal(num_parse_size(s, UINT64_MAX, &u), -EINVAL);
	}
	assert_int_equal(num_parse_u64(SPAN_LIT("1\0"), 0, 9, &u), -EINVAL);
	assert_int_equal(num_parse_u64(span_of(NULL, 0), 0, 9, &u), -EINVAL);
	assert_int_equal(num_parse_i64(span_of(NULL, 0), 0, 9, &i), -EINVAL);
	assert_int_equal(num_parse_size(span_of(NULL, 0), 9, &u), -EINVAL);
	assert_true(u == 77 && i == 77);
}

struct unit_row {
	const char *text;
	uint64_t max, want;
	int result;
};

static void check_units(
	int (*parse)(struct span, uint64_t, uint64_t *), const struct unit_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t v = 77;

		assert_int_equal(parse(span_str(rows[i].text), rows[i].max, &v), rows[i].result);
		assert_true(v == (rows[i].result == 0 ? rows[i].want : 77));
	}
}

static void test_durations(void **state)
{
	static const struct unit_row rows[] = {
		{"0", 0, 0, 0},
		{"90", 100, 90, 0},
		{"90s", 90, 90, 0},
		{"91s", 90, 0, -ERANGE},
		{"2m", 120, 120, 0},
		{"2m", 119, 0, -ERANGE},
		{"1h", 3600, 3600, 0},
		{"30d", UINT64_MAX, 2592000, 0},
		{"52w", UINT64_MAX, 31449600, 0},
		{"30500568904943w", UINT64_MAX, UINT64_C(18446744073709526400), 0},
		{"30500568904944w", UINT64_MAX, 0, -ERANGE},
		{"1S", 100, 0, -EINVAL},
		{"1y", 100, 0, -EINVAL},
		{"1ms", 100, 0, -EINVAL},
		{"-1s", 100, 0, -EINVAL},
	};

	(void)state;
	check_units(num_parse_duration_s, rows, sizeof(rows) / sizeof(rows[0]));
}

static void test_sizes(void **state)
{
	static const struct unit_row rows[] = {
		{"0K", 0, 0, 0},
		{"1023", 1024, 1023, 0},
		{"1K", 1024, 1024, 0},
		{"1K", 1023, 0, -ERANGE},
		{"25M", UINT64_MAX, 26214400, 0},
		{"1G", UINT64_MAX, 1073741824, 0},
		{"16777215T", UINT64_MAX, UINT64_C(0xffffff0000000000), 0},
		{"16777216T", UINT64_MAX, 0, -ERANGE},
		{"1k", 9999, 0, -EINVAL},
		{"1KB", 9999, 0, -EINVAL},
		{"K1", 9999, 0, -EINVAL},
	};

	(void)state;
	check_units(num_parse_size, rows, sizeof(rows) / sizeof(rows[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),
		cmocka_unit_test(test_i64),
		cmocka_unit_test(test_nonsense_is_refused_everywhere),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
