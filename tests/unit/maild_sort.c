/* SORT's order: by number and text, forward and reverse, ties by position. */
#include "services/maild/imap/sort.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct row {
	int64_t arrival, date; /* date 0: none */
	uint64_t size;
	const char *from, *subject;
} rows[] = {
	{30, 500, 10, "bob", "zebra"},
	{10, 0, 30, "ann", "ape"},
	{20, 15, 20, "", "ape"},
	{40, 15, 20, "bobby", ""},
	{30, 700, 10, "ann", "apes"},
	{50, 900, 40, "_", "[x]"},
};

static void expect(const struct imap_sort *sort, const char *order)
{
	struct sort_list l;
	char text[64] = "";
	size_t len = 0;

	assert_int_equal(sort_begin(sort, &l), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mail_message m = {.date_us = rows[i].arrival, .size = rows[i].size};
		struct mime_record r = {.date_us = rows[i].date != 0 ? rows[i].date : INT64_MIN,
			.from = span_str(rows[i].from),
			.from_display = span_str(rows[i].subject),
			.subject = span_str(rows[i].subject)};
		struct gathered g = {(uint32_t)i, &m, sort_needs_record(sort) ? &r : NULL};

		assert_int_equal(sort_add(&l, &g), 0);
	}
	assert_int_equal(sort_order(&l), 0);
	for (size_t i = 0; i < l.count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u", l.at[i] + 1);
	assert_string_equal(text, order);
	sort_done(&l);
}

static void test_numbers(void **state)
{
	struct imap_sort arrival = {.keys = {{IMAP_SORT_ARRIVAL, false}}, .count = 1};
	struct imap_sort reverse = {.keys = {{IMAP_SORT_ARRIVAL, true}}, .count = 1};
	struct imap_sort size = {
		.keys = {{IMAP_SORT_SIZE, false}, {IMAP_SORT_ARRIVAL, true}}, .count = 2};

	(void)state;
	assert_false(sort_needs_record(&size));
	expect(&arrival, "231546");
	expect(&reverse, "641532");
	expect(&size, "154326");
}

/* What has no date of its own counts as sent when it came. */
static void test_dates(void **state)
{
	struct imap_sort date = {.keys = {{IMAP_SORT_DATE, false}}, .count = 1};

	(void)state;
	assert_true(sort_needs_record(&date));
	expect(&date, "234156");
}

static void test_text(void **state)
{
	struct imap_sort from = {.keys = {{IMAP_SORT_FROM, false}}, .count = 1};
	struct imap_sort subject = {
		.keys = {{IMAP_SORT_SUBJECT, true}, {IMAP_SORT_FROM, false}}, .count = 2};
	struct imap_sort display = {.keys = {{IMAP_SORT_DISPLAYFROM, false}}, .count = 1};

	(void)state;
	expect(&from, "325146");
	expect(&subject, "615324");
	expect(&display, "423516");
}

static void test_nothing(void **state)
{
	struct imap_sort none = {.count = 0};
	struct imap_sort size = {.keys = {{IMAP_SORT_SIZE, false}}, .count = 1};
	struct sort_list l;

	(void)state;
	assert_true(sort_begin(&none, &l) < 0);
	assert_int_equal(sort_begin(&size, &l), 0);
	assert_int_equal(sort_order(&l), 0);
	assert_int_equal(l.count, 0);
	sort_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
