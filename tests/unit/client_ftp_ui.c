/* quintet ftp's pure parts: words, patterns, widths, the progress line, what a sync plans. */
#include "client/ftp/complete.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* -- words ------------------------------------------------------------------------------------- */

static void words(void **state)
{
	static const struct {
		const char *line;
		size_t count;
		const char *v[4];
	} rows[] = {
		{"", 0, {NULL}},
		{" \t ", 0, {NULL}},
		{"ls", 1, {"ls"}},
		{"  get  a\tb ", 3, {"get", "a", "b"}},
		{"get 'a b' \"c d\"", 3, {"get", "a b", "c d"}},
		{"get a\\ b", 2, {"get", "a b"}},
		{"get ''", 2, {"get", ""}},
		{"get a'b'c\"d\"", 2, {"get", "abcd"}},
		{"get \"it's\" 'say \"x\"'", 3, {"get", "it's", "say \"x\""}},
		{"get \"a\\\"b\" \"c\\d\"", 3, {"get", "a\"b", "c\\\\d"}},
		{"get *.txt '*.txt'", 3, {"get", "*.txt", "\\*.txt"}},
		{"get \\*x\\[1] \"?\"", 3, {"get", "\\*x\\[1]", "\\?"}},
		{"get 'a\\b'", 2, {"get", "a\\\\b"}},
		{"rm -- -x", 3, {"rm", "--", "-x"}},
		{"get end\\", 2, {"get", "end\\\\"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct words w = WORDS_INIT;

		assert_int_equal(words_split(rows[i].line, &w), 0);
		assert_int_equal(w.count, rows[i].count);
		for (size_t k = 0; k < w.count; k++)
			assert_string_equal(w.v[k], rows[i].v[k]);
		words_done(&w);
	}
}

static void words_bad(void **state)
{
	static const char *const lines[] = {"get 'a", "get \"a", "\"", "'", "get \"a\\\""};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct words w = WORDS_INIT;

		assert_int_equal(words_split(lines[i], &w), -EINVAL);
		words_done(&w);
	}
}

/* Whatever a name is, quoting it gives one plain word that means it. */
static void words_round(void **state)
{
	static const char *const names[] = {"plain", "a b", "it's", "\"q\"", "back\\slash", "*?[x]",
		"-dash", "tab\tx", "\xc3\xbc \xe6\x97\xa5", "#", "a\\ b", "\\"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		_cleanup_(buf_done) struct buf line = BUF_INIT(256);
		_cleanup_(buf_done) struct buf plain = BUF_INIT(256);
		struct words w = WORDS_INIT;

		buf_add_str(&line, "get ");
		word_quote(&line, span_str(names[i]));
		assert_int_equal(words_split(buf_str(&line), &w), 0);
		assert_int_equal(w.count, 2);
		assert_false(word_is_pattern(w.v[1]));
		word_plain(&plain, w.v[1]);
		assert_string_equal(buf_str(&plain), names[i]);
		words_done(&w);
	}
}

static void words_cursor(void **state)
{
	static const struct {
		const char *line;
		size_t cursor, start, index;
		const char *plain, *command;
	} rows[] = {
		{"", 0, 0, 0, "", ""},
		{"ge", 2, 0, 0, "ge", ""},
		{"GET ", 4, 4, 1, "", "get"},
		{"get ab cd", 6, 4, 1, "ab", "get"},
		{"get ab cd", 5, 4, 1, "a", "get"},
		{"get ab cd", 9, 7, 2, "cd", "get"},
		{"put 'a b", 8, 4, 1, "a b", "put"},
		{"put a\\ b", 8, 4, 1, "a b", "put"},
		{"put x \"\xc3\xbc", 9, 6, 2, "\xc3\xbc", "put"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct words_last last;

		assert_int_equal(words_last(rows[i].line, rows[i].cursor, &last), 0);
		assert_int_equal(last.start, rows[i].start);
		assert_int_equal(last.index, rows[i].index);
		assert_string_equal(buf_str(&last.plain), rows[i].plain);
		if (last.index > 0)
			assert_string_equal(last.command, rows[i].command);
		buf_done(&last.plain);
	}
}

/* -- patterns ---------------------------------------------------------------------------------- */

static void globs(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} rows[] = {
		{"*", "abc", true},
		{"*", "", true},
		{"*", ".abc", false},
		{".*", ".abc", true},
		{"\\.a*", ".abc", true},
		{"?bc", ".bc", false},
		{"[.]bc", ".bc", false},
		{"a*c", "abbbc", true},
		{"a*c", "abbbd", false},
		{"a*b*c", "axbxbxc", true},
		{"*.txt", "a.txt", true},
		{"*.txt", "a.txt.gz", false},
		{"?", "\xc3\xbc", true},
		{"??", "\xc3\xbc", false},
		{"?", "\xff", true},
		{"[\xc3\xa4-\xc3\xbc]", "\xc3\xb6", true},
		{"[a-c]x", "bx", true},
		{"[a-c]x", "dx", false},
		{"[!a-c]x", "dx", true},
		{"[^a-c]x", "bx", false},
		{"[]]", "]", true},
		{"[!]]", "]", false},
		{"[a-]", "-", true},
		{"[abc", "[abc", true},
		{"[abc", "a", false},
		{"[\\]]", "]", true},
		{"\\*", "*", true},
		{"\\*", "x", false},
		{"\\?", "?", true},
		{"a\\", "a\\", true},
		{"abc", "abc", true},
		{"abc", "ab", false},
		{"ab", "abc", false},
		{"**", "x", true},
		{"", "", true},
		{"", "x", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (glob_match(rows[i].pattern, span_str(rows[i].name)) != rows[i].matches)
			fail_msg("%s against %s", rows[i].pattern, rows[i].name);
	assert_true(word_is_pattern("a*"));
	assert_true(word_is_pattern("a\\\\[x]"));
	assert_false(word_is_pattern("a\\*\\?\\["));
}

/* Recursion would need longer than anybody lives. */
static void glob_bomb(void **state)
{
	char pattern[401], name[256];

	(void)state;
	for (size_t i = 0; i < 400; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[400] = '\0';
	memset(name, 'a', 255);
	name[255] = '\0';
	assert_true(glob_match(pattern, span_str(name)));
	name[254] = 'b';
	assert_false(glob_match(pattern, span_str(name)));
}

/* -- columns ----------------------------------------------------------------------------------- */

static void widths(void **state)
{
	struct span kanji = span_str("\xe6\x97\xa5\xe6\x9c\xac"), accent = span_str("e\xcc\x81x");

	(void)state;
	assert_int_equal(width_of(span_str("abc")), 3);
	assert_int_equal(width_of(span_str("\xc3\xbc")), 1);
	assert_int_equal(width_of(kanji), 4);
	assert_int_equal(width_of(accent), 2);
	assert_int_equal(width_of(span_str("\xf0\x9f\x98\x80")), 2);
	assert_int_equal(width_of(span_str("\xff\xc3")), 2);
	assert_int_equal(width_of(span_of(NULL, 0)), 0);
	assert_int_equal(width_head(kanji, 3).len, 3);
	assert_int_equal(width_head(kanji, 4).len, 6);
	assert_int_equal(width_head(kanji, 1).len, 0);
	assert_int_equal(width_tail(kanji, 3).len, 3);
	assert_int_equal(width_tail(accent, 1).len, 1);
	assert_int_equal(width_behind(accent, 0), 3);
	assert_int_equal(width_before(accent, 3), 0);
	assert_int_equal(width_before(accent, 4), 3);
	assert_int_equal(width_before(kanji, 6), 3);
}

/* -- progress ---------------------------------------------------------------------------------- */

static void bytes_text(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {{0, "0 B"}, {1023, "1023 B"}, {1024, "1.0 KiB"}, {1536, "1.5 KiB"},
		{1048575, "1023.9 KiB"}, {1048576, "1.0 MiB"}, {UINT64_C(5368709120), "5.0 GiB"},
		{UINT64_MAX, "15.9 EiB"}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(64);

		progress_bytes(&b, rows[i].bytes);
		assert_string_equal(buf_str(&b), rows[i].text);
	}
}

static void rates(void **state)
{
	struct progress_meter m = {.count = 0};

	(void)state;
	assert_int_equal(progress_rate(&m), 0);
	progress_sample(&m, 1000, 0);
	assert_int_equal(progress_rate(&m), 0);
	progress_sample(&m, 2000, 5000);
	assert_int_equal(progress_rate(&m), 5000);
	/* What was long ago does not count. */
	progress_sample(&m, 60000, 5000);
	assert_int_equal(progress_rate(&m), 0);
	for (int i = 1; i < 100; i++)
		progress_sample(&m, 60000 + i * 200, 5000 + (uint64_t)i * 1000);
	assert_int_equal(progress_rate(&m), 5000);
	/* Going back, as after a lost line, is no rate. */
	progress_sample(&m, 80000, 0);
	assert_int_equal(progress_rate(&m), 0);
	m.count = 0;
	progress_sample(&m, 0, 0);
	progress_sample(&m, 1000, UINT64_MAX);
	assert_true(progress_rate(&m) > UINT64_MAX / 1001);
}

static void progress_exact(void **state)
{
	const struct progress_view half = {
		.name = "file.bin", .at = 50, .size = 100, .known = true, .rate = 10};
	const struct progress_view many = {.name = "a", .others = 3, .size = 0, .known = true};
	_cleanup_(buf_done) struct buf b = BUF_INIT(1024);

	(void)state;
	progress_line(&b, &half, 70);
	assert_string_equal(buf_str(&b),
		"file.bin               50% [==========>          ]       10 B/s   0:05");
	assert_int_equal(b.len, 70);
	buf_reset(&b);
	progress_line(&b, &half, 40);
	assert_string_equal(buf_str(&b), "file.bin         50%       10 B/s   0:05");
	buf_reset(&b);
	progress_line(&b, &half, 12);
	assert_string_equal(buf_str(&b), "..e.bin  50%");
	buf_reset(&b);
	progress_line(&b, &half, 5);
	assert_string_equal(buf_str(&b), "  50%");
	buf_reset(&b);
	progress_line(&b, &many, 30);
	assert_non_null(strstr(buf_str(&b), "a (+3)"));
	assert_non_null(strstr(buf_str(&b), "100%"));
}

/* No width and no name makes a line that is longer than the terminal. */
static void progress_fits(void **state)
{
	static const char *const names[] = {"", "x",
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e.txt",
		"e\xcc\x81"
		"e\xcc\x81"
		"e\xcc\x81"
		"e\xcc\x81"
		"e\xcc\x81"
		"e\xcc\x81"
		"e\xcc\x81"
		"e\xcc\x81",
		"a very long name indeed, much longer than anybody should give to a file.tar.gz"};
	static const uint64_t numbers[] = {0, 1, 1000, UINT64_MAX / 2, UINT64_MAX};

	(void)state;
	for (size_t n = 0; n < sizeof names / sizeof names[0]; n++)
		for (size_t i = 0; i < 125; i++)
			for (size_t width = 0; width < 130; width++) {
				_cleanup_(buf_done) struct buf b = BUF_INIT(4096);
				const struct progress_view v = {.name = names[n],
					.others = i % 2,
					.at = numbers[i % 5],
					.size = numbers[i / 5 % 5],
					.rate = numbers[i / 25],
					.known = i % 3 != 0};

				progress_line(&b, &v, width);
				assert_int_equal(buf_error(&b), 0);
				assert_true(width_of(buf_span(&b)) <= width);
			}
}

/* -- trees and plans --------------------------------------------------------------------------- */

static void add(struct walk *w, const char *path, uint64_t size, int digest)
{
	size_t len = strlen(path);
	bool folder = path[len - 1] == '/';
	struct walk_entry e = {.path = strndup(path, folder ? len - 1 : len),
		.folder = folder,
		.size = size,
		.has_digest = digest != 0};

	memset(e.digest, digest, sizeof e.digest);
	assert_int_equal(walk_add(w, &e), 0);
}

static void order(void **state)
{
	struct walk w = {.v = NULL};
	static const char *const sorted[] = {"a", "a/b", "a/b/c", "a/z", "a b", "a-b", "a.b", "b"};

	(void)state;
	for (size_t i = 8; i > 0; i--)
		add(&w, sorted[i - 1], 0, 0);
	walk_sort(&w);
	for (size_t i = 0; i < 8; i++)
		assert_string_equal(w.v[i].path, sorted[i]);
	walk_done(&w);
}

static void listing(void **state)
{
	struct walk w = {.v = NULL};
	size_t bad;

	(void)state;
	assert_int_equal(walk_parse(SPAN_LIT("type=cdir;size=1; .\ntype=pdir; ..\n"
					     "type=file;size=7;modify=20261121065500; a b\n"
					     "type=dir; sub\n"
					     "type=file;size=1; ../evil\ntype=file;size=1; x/y\n"
					     "type=file;size=1; ..\ntype=file;size=1; a\x1b[2J\n"),
				 "top", &w, &bad),
		0);
	assert_int_equal(bad, 4);
	assert_int_equal(w.count, 2);
	assert_string_equal(w.v[0].path, "top/a b");
	assert_int_equal(w.v[0].size, 7);
	assert_true(w.v[1].folder);
	assert_true(walk_parse(SPAN_LIT("nonsense\n"), "", &w, &bad) < 0);
	walk_done(&w);
}

static void names(void **state)
{
	char longest[257];

	(void)state;
	memset(longest, 'x', 256);
	longest[256] = '\0';
	assert_true(walk_name_is_good(SPAN_LIT("a")));
	assert_true(walk_name_is_good(SPAN_LIT("...")));
	assert_true(walk_name_is_good(SPAN_LIT("-rf")));
	assert_false(walk_name_is_good(SPAN_LIT("")));
	assert_false(walk_name_is_good(SPAN_LIT(".")));
	assert_false(walk_name_is_good(SPAN_LIT("..")));
	assert_false(walk_name_is_good(SPAN_LIT("a/b")));
	assert_false(walk_name_is_good(SPAN_LIT("a\0b")));
	assert_false(walk_name_is_good(span_str(longest)));
}

/* The plan as text: one letter and the path for each step. */
static void plan_text(const struct walk *from, const struct walk *to, bool delete, struct buf *ret)
{
	static const char letters[] = {[PLAN_SAME] = '=',
		[PLAN_FOLDER] = '/',
		[PLAN_NEW] = '+',
		[PLAN_DIFFERS] = '!',
		[PLAN_DIGEST] = '?',
		[PLAN_DELETE] = '-',
		[PLAN_CLASH] = 'x'};
	struct plan p;

	assert_int_equal(plan_make(from, to, delete, &p), 0);
	for (size_t i = 0; i < p.count; i++)
		buf_addf(ret, "%c%s ", letters[p.v[i].act],
			p.v[i].from != NULL ? p.v[i].from->path : p.v[i].to->path);
	plan_done(&p);
}

static void plans(void **state)
{
	struct walk from = {.v = NULL}, to = {.v = NULL};
	_cleanup_(buf_done) struct buf b = BUF_INIT(1024);

	(void)state;
	plan_text(&from, &to, true, &b);
	assert_string_equal(buf_str(&b), "");
	add(&from, "d/", 0, 0);
	add(&from, "d/new", 1, 0);
	add(&from, "dig", 5, 1);
	add(&from, "dig2", 5, 1);
	add(&from, "n/", 0, 0);
	add(&from, "same", 5, 7);
	add(&from, "size", 5, 7);
	add(&to, "d/", 0, 0);
	add(&to, "d/old", 1, 0);
	add(&to, "dig", 5, 0);
	add(&to, "dig2", 5, 2);
	add(&to, "same", 5, 7);
	add(&to, "size", 6, 7);
	add(&to, "z/", 0, 0);
	add(&to, "z/a", 1, 0);
	plan_text(&from, &to, false, &b);
	assert_string_equal(buf_str(&b), "=d +d/new ?dig !dig2 /n =same !size ");
	buf_reset(&b);
	plan_text(&from, &to, true, &b);
	assert_string_equal(buf_str(&b), "=d +d/new -d/old ?dig !dig2 /n =same !size -z -z/a ");
	walk_done(&from);
	walk_done(&to);
}

static void plan_clash(void **state)
{
	struct walk from = {.v = NULL}, to = {.v = NULL};
	_cleanup_(buf_done) struct buf b = BUF_INIT(1024);

	(void)state;
	add(&from, "a/", 0, 0);
	add(&from, "a/1", 1, 0);
	add(&from, "b", 1, 0);
	add(&to, "a", 3, 0);
	add(&to, "b/", 0, 0);
	add(&to, "b/2", 2, 0);
	plan_text(&from, &to, false, &b);
	assert_string_equal(buf_str(&b), "xa xb ");
	buf_reset(&b);
	plan_text(&from, &to, true, &b);
	assert_string_equal(buf_str(&b), "-a /a +a/1 -b +b -b/2 ");
	walk_done(&from);
	walk_done(&to);
}

/* -- completion -------------------------------------------------------------------------------- */

static void completion(void **state)
{
	struct walk all = {.v = NULL}, fit = {.v = NULL};

	(void)state;
	assert_int_equal(complete_common(&all), 0);
	add(&all, ".hidden", 0, 0);
	add(&all, "report-1", 0, 0);
	add(&all, "report-2", 0, 0);
	add(&all, "x\xc3\xa4", 0, 0);
	add(&all, "x\xc3\xbc", 0, 0);
	assert_int_equal(complete_filter(&all, SPAN_LIT("re"), &fit), 0);
	assert_int_equal(fit.count, 2);
	assert_int_equal(complete_common(&fit), 7);
	walk_done(&fit);
	/* Half a character is not put into the line. */
	assert_int_equal(complete_filter(&all, SPAN_LIT("x"), &fit), 0);
	assert_int_equal(complete_common(&fit), 1);
	walk_done(&fit);
	assert_int_equal(complete_filter(&all, SPAN_LIT(""), &fit), 0);
	assert_int_equal(fit.count, 4);
	walk_done(&fit);
	assert_int_equal(complete_filter(&all, SPAN_LIT("."), &fit), 0);
	assert_int_equal(fit.count, 1);
	walk_done(&fit);
	walk_done(&all);
}

static void commands(void **state)
{
	(void)state;
	assert_string_equal(ui_command_find("LIST")->base.name, "ls");
	assert_string_equal(ui_command_find("Stor")->base.name, "put");
	assert_string_equal(ui_command_find("GET")->base.name, "get");
	assert_string_equal(ui_command_find("DELETE")->base.name, "rm");
	assert_string_equal(ui_command_find("close")->base.name, "quit");
	assert_null(ui_command_find("nonsense"));
	assert_null(ui_command_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(words_bad),
		cmocka_unit_test(words_round),
		cmocka_unit_test(words_cursor),
		cmocka_unit_test(globs),
		cmocka_unit_test(glob_bomb),
		cmocka_unit_test(widths),
		cmocka_unit_test(bytes_text),
		cmocka_unit_test(rates),
		cmocka_unit_test(progress_exact),
		cmocka_unit_test(progress_fits),
		cmocka_unit_test(order),
		cmocka_unit_test(listing),
		cmocka_unit_test(names),
		cmocka_unit_test(plans),
		cmocka_unit_test(plan_clash),
		cmocka_unit_test(completion),
		cmocka_unit_test(commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
