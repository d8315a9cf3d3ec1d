/*
 * quintet ftp's interface: a listing from a server that means harm, a pattern, a command line, keys
 * at the editor, a name on a narrow terminal. The first byte says which.
 */
#include "client/ftp/complete.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* No name that comes out of a listing leads anywhere but below its folder. */
static void listing(struct span text)
{
	struct walk w = {.v = NULL};
	size_t bad;

	(void)walk_parse(text, "top", &w, &bad);
	for (size_t i = 0; i < w.count; i++) {
		check(strncmp(w.v[i].path, "top/", 4) == 0);
		check(walk_name_is_good(span_str(w.v[i].path + 4)));
	}
	walk_sort(&w);
	(void)complete_common(&w);
	walk_done(&w);
}

static void pattern(const char *text)
{
	size_t half = strlen(text) / 2;
	char head[256];

	if (half < sizeof head && span_copy_str(span_of(text, half), head, sizeof head) == 0)
		(void)glob_match(head, span_str(text + half));
	(void)word_is_pattern(text);
}

static void command(const char *text)
{
	struct words w = WORDS_INIT;
	struct words_last last;

	if (words_split(text, &w) == 0)
		for (size_t i = 0; i < w.count; i++) {
			_cleanup_(buf_done) struct buf plain = BUF_INIT(WORDS_LINE_MAX);

			word_plain(&plain, w.v[i]);
			check(plain.len <= strlen(text));
		}
	words_done(&w);
	(void)words_last(text, strlen(text), &last);
	check(last.start <= strlen(text));
	buf_done(&last.plain);
}

static void keys(struct span typed)
{
	_cleanup_(line_done) struct line l = LINE_INIT;

	line_next(&l, false);
	for (size_t i = 0; i < typed.len; i++) {
		_cleanup_(buf_done) struct buf out = BUF_INIT(65536);

		if (line_key(&l, typed.p[i]) == LINE_ENTER)
			line_next(&l, true);
		check(l.cursor <= l.text.len);
		line_draw(&l, "/shared> ", 4 + i % 60, &out);
		check(buf_error(&out) == 0);
	}
}

static void bar(const char *name)
{
	for (size_t width = 0; width < 100; width += 7) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(16384);
		const struct progress_view v = {
			.name = name, .at = width, .size = 70, .known = true, .rate = width};

		progress_line(&b, &v, width);
		check(width_of(buf_span(&b)) <= width);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(cleanup_free) char *text = size > 0 ? calloc(1, size) : NULL;

	if (text == NULL || size > 4096)
		return 0;
	memcpy(text, data + 1, size - 1);
	switch (data[0]) {
	case 'l':
		listing(span_of(data + 1, size - 1));
		break;
	case 'p':
		pattern(text);
		break;
	case 'c':
		command(text);
		break;
	case 'k':
		keys(span_of(data + 1, size - 1));
		break;
	case 'b':
		bar(text);
		break;
	default:
		break;
	}
	return 0;
}
