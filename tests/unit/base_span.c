/* Spans: comparing, trimming, splitting, copying. */
#include "base/span.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct span none = {NULL, 0};

static void test_equality(void **state)
{
	(void)state;
	assert_true(span_eq(none, SPAN_LIT("")));
	assert_true(span_eq(none, span_str(NULL)));
	assert_true(span_eq(SPAN_LIT("a\0b"), span_of("a\0b", 3)));
	assert_false(span_eq(SPAN_LIT("a\0b"), SPAN_LIT("a\0c")));
	assert_false(span_eq(SPAN_LIT("ab"), SPAN_LIT("abc")));
	assert_true(span_eq_str(SPAN_LIT("abc"), "abc"));
	assert_false(span_eq_str(SPAN_LIT("abc"), "abC"));
}

static void test_case_folding_is_ascii_letters_only(void **state)
{
	(void)state;
	assert_true(span_caseeq_str(SPAN_LIT("EhLo-1"), "eHlO-1"));
	assert_true(span_caseeq_str(SPAN_LIT("AZ"), "az"));
	assert_true(span_caseeq_str(none, ""));
	assert_false(span_caseeq_str(SPAN_LIT("ab"), "abc"));
	/* The neighbours of the letters differ from what a mere bit 0x20 would make of them. */
	assert_false(span_caseeq_str(SPAN_LIT("@["), "`{"));
	assert_false(span_caseeq_str(SPAN_LIT("\xc4"), "\xe4"));
}

static void test_starts(void **state)
{
	(void)state;
	assert_true(span_starts(SPAN_LIT("abc"), "ab"));
	assert_true(span_starts(SPAN_LIT("abc"), "abc"));
	assert_true(span_starts(none, ""));
	assert_false(span_starts(SPAN_LIT("abc"), "abcd"));
	assert_false(span_starts(SPAN_LIT("abc"), "b"));
	assert_false(span_starts(none, "a"));
}

static void test_trim(void **state)
{
	(void)state;
	assert_true(span_eq_str(span_trim(SPAN_LIT(" \t a b\t ")), "a b"));
	assert_true(span_eq_str(span_trim(SPAN_LIT("a")), "a"));
	assert_true(span_eq_str(span_trim(SPAN_LIT("\r\na\n")), "\r\na\n"));
	assert_int_equal(span_trim(SPAN_LIT(" \t ")).len, 0);
	assert_int_equal(span_trim(none).len, 0);
}

static void test_split(void **state)
{
	struct span rest = SPAN_LIT("a,,b,"), head = none;

	(void)state;
	assert_true(span_split(&rest, ',', &head));
	assert_true(span_eq_str(head, "a"));
	assert_true(span_eq_str(rest, ",b,"));
	assert_true(span_split(&rest, ',', &head));
	assert_int_equal(head.len, 0);
	assert_true(span_split(&rest, ',', &head));
	assert_true(span_eq_str(head, "b"));
	assert_int_equal(rest.len, 0);
	assert_false(span_split(&rest, ',', &head));
	assert_true(span_eq_str(head, "b"));
	rest = none;
	assert_false(span_split(&rest, ',', &head));
	rest = SPAN_LIT("whole");
	assert_true(span_split(&rest, ',', &head));
	assert_true(span_eq_str(head, "whole"));
	assert_int_equal(rest.len, 0);
}

static void test_copy(void **state)
{
	char small[4] = "old", one[1] = {'x'};

	(void)state;
	assert_int_equal(span_copy_str(SPAN_LIT("abcd"), small, sizeof(small)), -ENOBUFS);
	assert_string_equal(small, "old");
	assert_int_equal(span_copy_str(SPAN_LIT("a\0b"), small, sizeof(small)), -EINVAL);
	assert_string_equal(small, "old");
	assert_int_equal(span_copy_str(SPAN_LIT("abc"), small, sizeof(small)), 0);
	assert_string_equal(small, "abc");
	assert_int_equal(span_copy_str(none, one, sizeof(one)), 0);
	assert_string_equal(one, "");
	assert_int_equal(span_copy_str(SPAN_LIT("a"), one, sizeof(one)), -ENOBUFS);
	assert_int_equal(span_copy_str(none, one, 0), -ENOBUFS);
}

static void test_secret_comparison(void **state)
{
	(void)state;
	assert_true(span_eq_secret(none, SPAN_LIT("")));
	assert_true(span_eq_secret(SPAN_LIT("secret\0x"), SPAN_LIT("secret\0x")));
	assert_false(span_eq_secret(SPAN_LIT("secret"), SPAN_LIT("secres")));
	assert_false(span_eq_secret(SPAN_LIT("secret"), SPAN_LIT("tecret")));
	assert_false(span_eq_secret(SPAN_LIT("secret"), SPAN_LIT("secre")));
	assert_false(span_eq_secret(SPAN_LIT("\x80"), SPAN_LIT("\0")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equality),
		cmocka_unit_test(test_case_folding_is_ascii_letters_only),
		cmocka_unit_test(test_starts),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_secret_comparison),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
