/* Tables and pairs as JSON: keys, numbers, nulls, escaping. And the offset's three values as text.
 */
#include "client/daytime.h"
#include "client/table.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void rows(void **state)
{
	static const struct table_column columns[] = {
		{"A NAME", NULL}, {"TOOK", "ms"}, {"PORT", ""}, {NULL, NULL}};
	_cleanup_(buf_done) struct buf out = BUF_INIT(4096);
	struct table t;

	(void)state;
	table_init(&t, columns);
	table_json(&t, &out);
	assert_string_equal(buf_str(&out), "[]");
	buf_reset(&out);
	table_add(&t, (const char *const[]){"x\"\\y", "12", "80"});
	table_add(&t, (const char *const[]){"", "", "+5"});
	table_json(&t, &out);
	assert_string_equal(buf_str(&out),
		"[{\"a_name\":\"x\\\"\\\\y\",\"took_ms\":12,\"port\":80},\n"
		" {\"a_name\":\"\",\"took_ms\":null,\"port\":5}]");
	table_done(&t);
}

/* A table too large to hold says so instead of printing a part. */
static void overflow(void **state)
{
	static const struct table_column columns[] = {{"A", NULL}, {NULL, NULL}};
	char cell[1001];
	struct table t;

	(void)state;
	memset(cell, 'x', sizeof cell - 1);
	cell[sizeof cell - 1] = '\0';
	table_init(&t, columns);
	for (int i = 0; i < 2000; i++)
		table_add(&t, (const char *const[]){cell});
	assert_true(table_print(&t, true) < 0);
	assert_true(table_print(&t, false) < 0);
	table_done(&t);
}

static void pairs(void **state)
{
	const struct table_pair list[] = {{"valid until", "2026", NULL}, {"left", NULL, NULL},
		{"offset", "-0.5", "s"}, {"SHA-256", "ab", NULL}};
	_cleanup_(buf_done) struct buf out = BUF_INIT(4096);

	(void)state;
	table_pairs_json(list, 4, &out);
	assert_string_equal(
		buf_str(&out), "{\"valid_until\":\"2026\",\"offset_s\":-0.5,\"sha_256\":\"ab\"}");
}

static void offset_text(void **state)
{
	static const struct {
		int64_t offset_ns, bound_ns;
		const char *offset, *bound;
	} rows[] = {
		{0, 0, "+0.000000", "0.000002"},
		{-400, 1, "+0.000000", "0.000002"},
		{1999, 1001, "+0.000001", "0.000003"},
		{-1500000000, INT64_C(16000000000), "-1.500000", "16.000002"},
		{INT64_MIN, INT64_MAX, "-9223372036.854775", "9223372036.854777"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct daytime_measure m = {rows[i].offset_ns, rows[i].bound_ns, i % 2 == 0};
		struct daytime_measure_text text;

		daytime_measure_show(&m, &text);
		assert_string_equal(text.offset, rows[i].offset);
		assert_string_equal(text.bound, rows[i].bound);
		assert_string_equal(text.state, i % 2 == 0 ? "synchronised" : "unsynchronised");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(overflow),
		cmocka_unit_test(pairs),
		cmocka_unit_test(offset_text),
	};

	return cmocka_run_group_tests_name("client_table", tests, NULL, NULL);
}
