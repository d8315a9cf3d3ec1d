/* What LIST shows, and what clients said made fit to be said again. */
#include "base/timefmt.h"
#include "services/chatd/show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MINUTE_US (60 * TIME_S_US)
#define NOW_US (1000 * MINUTE_US)

/* Made 10 minutes ago, its topic set 5 minutes ago, three people are there. */
static const struct chat_channel garden = {.id = 1,
	.name = "#Garden",
	.present = 3,
	.joined = 9,
	.created_us = NOW_US - 10 * MINUTE_US,
	.topic_us = NOW_US - 5 * MINUTE_US};

static const struct {
	const char *words;
	bool passes;
} cases[] = {
	{"", true},
	{",,", true},
	{"#garden", true},
	{"#gard", false},
	{"*ARD*", true},
	{"#kitchen,*den", true},
	{"#kitchen,#hall", false},
	{"!*den", false},
	{"!#kitchen", true},
	{"!#kitchen,!*den", false},
	{"#garden,!*den", false},
	{">2", true},
	{">3", false},
	{"<4", true},
	{"<3", false},
	{">0,<4", true},
	{">0,<3", false},
	{"C>9", true},
	{"C>10", true},
	{"C>11", false},
	{"C<11", true},
	{"C<10", false},
	{"C<0", false},
	{"C>0", true},
	{"T>5", true},
	{"T>6", false},
	{"T<6", true},
	{"T<0", false},
	{"C>9,T<6,>2,*den", true},
	{"C>9,T<6,>2,*den,!*gard*", false},
	{"<", false}, /* no number: nothing is less */
	{">x", false},
	{"C>", false},
	{"C<99999999999999999999", false},
	{"c>9", false}, /* a mask, which no channel matches */
	{"C", false},
};

static void test_conditions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (chatd_list_passes(span_str(cases[i].words), &garden, NOW_US) != cases[i].passes)
			fail_msg("%s", cases[i].words);
}

static void test_without_topic(void **state)
{
	struct chat_channel c = garden;

	(void)state;
	c.topic_us = 0;
	assert_false(chatd_list_passes(SPAN_LIT("T>0"), &c, NOW_US));
	assert_false(chatd_list_passes(SPAN_LIT("T<1000000"), &c, NOW_US));
	assert_true(chatd_list_passes(SPAN_LIT("C>0"), &c, NOW_US));
}

/* The clock was set back. */
static void test_made_tomorrow(void **state)
{
	struct chat_channel c = garden;

	(void)state;
	c.created_us = NOW_US + 1000 * MINUTE_US;
	assert_true(chatd_list_passes(SPAN_LIT("C>0"), &c, NOW_US));
	assert_true(chatd_list_passes(SPAN_LIT("C<1"), &c, NOW_US));
	assert_false(chatd_list_passes(SPAN_LIT("C>1"), &c, NOW_US));
}

static void test_words(void **state)
{
	char lots[400];

	(void)state;
	memset(lots, 'x', sizeof(lots));
	assert_string_equal(chatd_word(SPAN_LIT("#a")).text, "#a");
	assert_string_equal(chatd_word(SPAN_LIT("a b")).text, "a");
	assert_string_equal(chatd_word(SPAN_LIT("")).text, "*");
	assert_string_equal(chatd_word(SPAN_LIT(" ")).text, "*");
	assert_string_equal(chatd_word(SPAN_LIT(":a")).text, "*");
	assert_int_equal(strlen(chatd_word(span_of(lots, sizeof(lots))).text), 199);
	memcpy(lots + 198, "\xc3\xa9", 2); /* it would be cut in two */
	assert_int_equal(strlen(chatd_word(span_of(lots, sizeof(lots))).text), 198);
}

static void test_cut(void **state)
{
	(void)state;
	assert_int_equal(chatd_cut(SPAN_LIT("abc"), 3).len, 3);
	assert_int_equal(chatd_cut(SPAN_LIT("abc"), 2).len, 2);
	assert_int_equal(chatd_cut(SPAN_LIT("a\xe2\x82\xac"), 3).len, 1);
	assert_int_equal(chatd_cut(SPAN_LIT("a\xe2\x82\xac"), 4).len, 4);
	assert_int_equal(chatd_cut(span_of(NULL, 0), 0).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_without_topic),
		cmocka_unit_test(test_made_tomorrow),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
