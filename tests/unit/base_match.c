/* Masks and folded equality, also against a plain recursive definition of what a mask means. */
#include "base/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { ROUNDS = 50000, SHORT = 10, LONG = 20000 };

static const struct span none = {NULL, 0};

static void test_equality(void **state)
{
	(void)state;
	assert_true(match_eq(SPAN_LIT("Nick-[1]"), SPAN_LIT("nICK-[1]")));
	assert_true(match_eq(none, SPAN_LIT("")));
	assert_true(match_eq(SPAN_LIT("a\0B"), SPAN_LIT("A\0b")));
	assert_false(match_eq(SPAN_LIT("ab"), SPAN_LIT("abc")));
	assert_false(match_eq(SPAN_LIT("ab"), SPAN_LIT("ac")));
	/* Letters of ASCII only: not the brackets of RFC 1459, not those of Latin-1. */
	assert_false(match_eq(SPAN_LIT("@["), SPAN_LIT("`{")));
	assert_false(match_eq(SPAN_LIT("\xc4"), SPAN_LIT("\xe4")));
}

static const struct {
	const char *mask, *text;
	bool matches;
} cases[] = {
	{"", "", true},
	{"", "a", false},
	{"a", "", false},
	{"*", "", true},
	{"***", "", true},
	{"?", "", false},
	{"?", "a", true},
	{"?", "ab", false},
	{"*?", "", false},
	{"*?", "abc", true},
	{"?*?", "a", false},
	{"?*?", "ab", true},
	{"abc", "aBC", true},
	{"a*c", "ac", true},
	{"a*c", "abcbc", true},
	{"a*c", "abcb", false},
	{"*b*", "aaa", false},
	{"*b*", "aaB", true},
	{"a*b*c", "aXbYbZc", true},
	{"a*b*c", "aXcYb", false},
	{"*ab", "aab", true},
	{"*aab*", "aaaab", true},
	{"bar!*@*", "Bar!me@user/bar", true},
	{"*!*@user/BAR", "Bar!me@user/bar", true},
	{"*!*@user/bar", "Bar!me@user/bard", false},
	{"*!?me@*", "Bar!me@user/bar", false},
	{"\\*", "*", false}, /* no escapes */
	{"\\*", "\\anything", true},
	{"*\xc3\xa9*", "caf\xc3\xa9s", true},
};

static void test_masks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (match_mask(span_str(cases[i].mask), span_str(cases[i].text)) !=
			cases[i].matches)
			fail_msg("%s on %s", cases[i].mask, cases[i].text);
	assert_true(match_mask(SPAN_LIT("a?b*"), SPAN_LIT("a\0bc\0")));
	assert_true(match_mask(SPAN_LIT("*"), none));
	assert_true(match_mask(none, none));
}

static bool plainly(struct span mask, struct span text)
{
	const struct span mask_rest = {mask.p + 1, mask.len - 1};
	const struct span text_rest = {text.p + 1, text.len - 1};

	if (mask.len == 0)
		return text.len == 0;
	if (mask.p[0] == '*')
		return plainly(mask_rest, text) || (text.len > 0 && plainly(mask, text_rest));
	return text.len > 0 && (mask.p[0] == '?' || mask.p[0] == text.p[0]) &&
		plainly(mask_rest, text_rest);
}

static struct span any(unsigned char *p, const char *letters, size_t count)
{
	size_t len = (size_t)(random() % SHORT);

	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)letters[(size_t)random() % count];
	return span_of(p, len);
}

static void test_against_definition(void **state)
{
	const unsigned seed = (unsigned)time(NULL);
	unsigned char mask[SHORT], text[SHORT];
	unsigned matched = 0;

	(void)state;
	print_message("seed %u\n", seed);
	srandom(seed);
	for (unsigned i = 0; i < ROUNDS; i++) {
		const struct span m = any(mask, "ab*?", 4), t = any(text, "ab", 2);

		assert_int_equal(match_mask(m, t), plainly(m, t));
		matched += match_mask(m, t);
	}
	assert_true(matched > 0 && matched < ROUNDS);
}

/* Where going back to every star would take for ever. */
static void test_many_stars(void **state)
{
	static unsigned char mask[LONG], text[LONG];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < sizeof(mask); i++)
		mask[i] = i % 2 == 0 ? '*' : 'a';
	assert_true(match_mask(span_of(mask, sizeof(mask)), span_of(text, sizeof(text))));
	mask[sizeof(mask) - 1] = 'b';
	assert_false(match_mask(span_of(mask, sizeof(mask)), span_of(text, sizeof(text))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equality),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_against_definition),
		cmocka_unit_test(test_many_stars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
