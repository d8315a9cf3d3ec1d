/* The protocol of calls: what is read, refused and skipped, in whatever pieces it comes. */
#include "client/peer/wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define DIGEST "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static int next(const char *text, struct wire *w)
{
	struct wire_reader r = {0};
	size_t used = 0;
	int e = wire_next(&r, span_str(text), w, &used);

	if (e == 1)
		assert_int_equal(used, strlen(text));
	return e;
}

static void good(void **state)
{
	struct wire w = {.kind = WIRE_PING};

	(void)state;
	assert_int_equal(next("HELLO 1 " DIGEST "\r\n", &w), 1);
	assert_int_equal(w.kind, WIRE_HELLO);
	assert_int_equal(w.digest[0], 0xba);
	assert_int_equal(next("SAY  two blanks \r\n", &w), 1);
	assert_true(span_eq_str(w.text, " two blanks "));
	assert_int_equal(next("OFFER 4294967295 9223372036854775807 a b.txt\r\n", &w), 1);
	assert_int_equal(w.id, UINT32_MAX);
	assert_int_equal(w.number, INT64_MAX);
	assert_true(span_eq_str(w.text, "a b.txt"));
	assert_int_equal(next("ACCEPT 1 0 -\r\n", &w), 1);
	assert_false(w.has_digest);
	assert_int_equal(next("ACCEPT 1 3 " DIGEST "\r\n", &w), 1);
	assert_true(w.has_digest);
	assert_int_equal(next("BYE\r\n", &w), 1);
	assert_int_equal(w.kind, WIRE_BYE);
}

static void bad(void **state)
{
	static const char *const lines[] = {
		"HELLO 2 " DIGEST "\r\n",
		"HELLO 1 abc\r\n",
		"HELLO 1 " DIGEST " \r\n",
		"HELLO 1  " DIGEST "\r\n",
		"SAY \r\n",
		"SAY\r\n",
		"SAY a\tb\r\n",
		"SAY \xff\r\n",
		"SAY a\n",
		"SAY a\rb\r\n",
		" SAY a\r\n",
		"\r\n",
		"PING x\r\n",
		"PING \r\n",
		"OFFER 0 1 x\r\n",
		"OFFER 4294967296 1 x\r\n",
		"OFFER 01 1 x\r\n",
		"OFFER 1 -1 x\r\n",
		"OFFER 1 9223372036854775808 x\r\n",
		"OFFER 1 1 a/b\r\n",
		"OFFER 1 1 .\r\n",
		"OFFER 1 1 ..\r\n",
		"OFFER 1 1\r\n",
		"ACCEPT 1 0 " DIGEST "\r\n",
		"ACCEPT 1 3 -\r\n",
		"DATA 1 0\r\n",
		"DATA 1 16385\r\n",
		"DONE 1\r\n",
		"STORED 1 1\r\n",
	};
	struct wire w;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		if (next(lines[i], &w) != -EBADMSG) {
			print_error("taken: %s\n", lines[i]);
			fail();
		}
}

static void too_long(void **state)
{
	char line[WIRE_LINE_MAX + 16];
	struct wire w;

	(void)state;
	memset(line, 'a', sizeof line);
	memcpy(line, "SAY ", 4);
	line[sizeof line - 1] = '\0';
	assert_int_equal(next(line, &w), -EBADMSG);
	memcpy(line + 4 + WIRE_TEXT_MAX, "\r\n", 3);
	assert_int_equal(next(line, &w), 1);
	memcpy(line + 5 + WIRE_TEXT_MAX, "\r\n", 3);
	line[4 + WIRE_TEXT_MAX] = 'a';
	assert_int_equal(next(line, &w), -EBADMSG);
}

/* Data is counted, whatever is in it, and may come in pieces; unknown words are skipped. */
static void data(void **state)
{
	static const char text[] = "NEWS of later\r\nDATA 7 6\r\nBYE\r\n\r\nPONG\r\n";
	struct span in = span_str(text);
	struct wire_reader r = {0};
	struct wire w;
	size_t used = 0;

	(void)state;
	assert_int_equal(wire_next(&r, span_of(in.p, 20), &w, &used), 0);
	assert_int_equal(used, 15);
	in = span_of(in.p + used, in.len - used);
	assert_int_equal(wire_next(&r, span_of(in.p, 12), &w, &used), 1);
	assert_int_equal(w.kind, WIRE_DATA);
	assert_int_equal(w.id, 7);
	assert_true(span_eq_str(w.text, "BY"));
	in = span_of(in.p + used, in.len - used);
	assert_int_equal(wire_next(&r, in, &w, &used), 1);
	assert_true(span_eq_str(w.text, "E\r\n\r"));
	in = span_of(in.p + used, in.len - used);
	/* What the count has cut off is a line that is none. */
	assert_int_equal(wire_next(&r, in, &w, &used), -EBADMSG);
}

static void written(void **state)
{
	struct buf b = BUF_INIT(WIRE_LINE_MAX + 2);
	const struct wire say = {.kind = WIRE_SAY, .text = SPAN_LIT("a\r\nQUIT\033 \xff")};
	const struct wire offer = {
		.kind = WIRE_OFFER, .id = 3, .number = 5, .text = SPAN_LIT("../x")};
	char long_text[3000];
	struct wire w = {.kind = WIRE_SAY}, again;

	(void)state;
	wire_write(&b, &say);
	assert_string_equal(buf_str(&b), "SAY a??QUIT? ?\r\n");
	buf_reset(&b);
	wire_write(&b, &offer);
	assert_string_equal(buf_str(&b), "OFFER 3 5 ..?x\r\n");
	memset(long_text, 'b', sizeof long_text);
	w.text = span_of(long_text, sizeof long_text);
	buf_reset(&b);
	wire_write(&b, &w);
	assert_int_equal(buf_error(&b), 0);
	assert_int_equal(next(buf_str(&b), &again), 1);
	assert_int_equal(again.text.len, WIRE_TEXT_MAX);
	buf_done(&b);
}

/* Lines of a text, and long ones at the borders of characters. */
static void parts_of_a_text(void **state)
{
	char text[3 * WIRE_TEXT_MAX];
	struct span rest = SPAN_LIT("one\r\n\n  \ntwo"), part;

	(void)state;
	assert_true(wire_say_next(&rest, &part) && span_eq_str(part, "one"));
	assert_true(wire_say_next(&rest, &part) && span_eq_str(part, "two"));
	assert_false(wire_say_next(&rest, &part));
	for (size_t i = 0; i + 2 < sizeof text; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	rest = span_of(text, sizeof text / 3 * 3);
	while (wire_say_next(&rest, &part)) {
		assert_true(part.len <= WIRE_TEXT_MAX);
		assert_int_equal(part.len % 3, 0);
	}
	assert_int_equal(rest.len, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
		cmocka_unit_test(too_long),
		cmocka_unit_test(data),
		cmocka_unit_test(written),
		cmocka_unit_test(parts_of_a_text),
	};

	return cmocka_run_group_tests_name("client_peer_wire", tests, NULL, NULL);
}
