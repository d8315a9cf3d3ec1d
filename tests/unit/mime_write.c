/* Composing: what is written must be read again as what it was, and stay within its lines. */
#include "proto/mime.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { OUT_MAX = 1 << 20 };

/* Every line ends in CR LF and is no longer than wanted. */
static void check_lines(const struct buf *b, size_t longest)
{
	struct span rest = buf_span(b), line;

	assert_int_equal(buf_error(b), 0);
	assert_true(b->len >= 2 && b->p[b->len - 1] == '\n');
	while (rest.len > 0 && span_split(&rest, '\n', &line)) {
		assert_true(line.len > 0 && line.p[line.len - 1] == '\r');
		assert_true(line.len - 1 <= longest);
		assert_null(memchr(line.p, '\r', line.len - 1));
	}
}

static size_t count_fields(struct span header)
{
	struct mime_field f;
	size_t n = 0;

	while (mime_field_next(&header, &f))
		n++;
	return n;
}

static void test_field(void **state)
{
	static const struct {
		const char *text, *read;
	} rows[] = {
		{"", ""},
		{"hello", "hello"},
		{"gr\xc3\xbc\xc3\x9f\x65", "gr\xc3\xbc\xc3\x9f\x65"},
		{"a\r\nBcc: eve@x", "a Bcc: eve@x"},
		{"one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
		 "fifteen sixteen",
			"one two three four five six seven eight nine ten eleven twelve thirteen "
			"fourteen fifteen sixteen"},
		{"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"
		 "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
			"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"
			"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
		{"=?utf-8?q?no_word?=", "=?utf-8?q?no_word?="},
	};
	struct buf b = BUF_INIT(OUT_MAX), read = BUF_INIT(OUT_MAX);
	struct mime_field f;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		buf_reset(&read);
		mime_put_field(&b, "Subject", span_str(rows[i].text));
		check_lines(&b, 78);
		assert_int_equal(count_fields(buf_span(&b)), 1);
		assert_int_equal(mime_field(buf_span(&b), "subject", 0, &f), 0);
		mime_words_decode(&read, f.value);
		/* Line ends in a text become blanks, one for each byte. */
		if (i != 3)
			assert_string_equal(buf_str(&read), rows[i].read);
	}
	buf_done(&b);
	buf_done(&read);
}

#define MAILBOX(n, a)                                             \
	{                                                         \
		{(const unsigned char *)(n), sizeof(n) - 1},      \
		{                                                 \
			(const unsigned char *)(a), sizeof(a) - 1 \
		}                                                 \
	}

static void test_addresses(void **state)
{
	static const struct mime_mailbox list[] = {
		MAILBOX("", "bob@example.org"),
		MAILBOX("Bob B.", "bob@example.org"),
		MAILBOX("J\xc3\xb6rg", "joerg@example.org"),
		MAILBOX("", "a b@example.org"),
		MAILBOX("Eve\r\nBcc: x@y", "eve\r\n@exam\r\nple.org>, <z@y"),
		MAILBOX("A rather long name of somebody", "a.rather.long.address@mail.example.org"),
		MAILBOX("Another rather long name", "another.rather.long.address@mail.example.org"),
	};
	static const char *const names[] = {"", "Bob B.", "J\xc3\xb6rg", "", NULL,
		"A rather long name of somebody", "Another rather long name"};
	static const char *const locals[] = {"bob", "bob", "joerg", "a b", NULL,
		"a.rather.long.address", "another.rather.long.address"};
	struct mime_addresses a;
	struct buf b = BUF_INIT(OUT_MAX);
	struct mime_field f;

	(void)state;
	mime_put_addresses(&b, "To", list, COUNT(list));
	check_lines(&b, 100);
	assert_int_equal(count_fields(buf_span(&b)), 1);
	assert_int_equal(mime_field(buf_span(&b), "To", 0, &f), 0);
	assert_int_equal(mime_addresses_parse(f.value, false, &a), 0);
	assert_int_equal(a.count, COUNT(list));
	for (size_t i = 0; i < COUNT(list); i++) {
		if (names[i] == NULL)
			continue;
		assert_true(span_eq_str(a.list[i].name, names[i]));
		assert_true(span_eq_str(a.list[i].local, locals[i]));
	}
	mime_addresses_done(&a);
	buf_done(&b);
}

static void test_made_up(void **state)
{
	struct buf a = BUF_INIT(256), b = BUF_INIT(256);
	struct span rest, id;
	int32_t offset;
	int64_t us;

	(void)state;
	assert_int_equal(mime_msgid_new("example.org>\r\n", &a), 0);
	assert_int_equal(mime_msgid_new("example.org", &b), 0);
	assert_int_equal(a.len, b.len);
	assert_false(span_eq(buf_span(&a), buf_span(&b)));
	rest = buf_span(&a);
	assert_true(mime_msgid_next(&rest, &id));
	assert_true(span_eq(id, buf_span(&a)));
	buf_reset(&a);
	assert_int_equal(mime_boundary_new(&a), 0);
	assert_int_equal(a.len, 24);
	buf_reset(&a);
	mime_put_date(&a, INT64_C(1700000000000000));
	check_lines(&a, 78);
	assert_int_equal(mime_date_parse(span_of(a.p + 6, a.len - 6), &us, &offset), 0);
	assert_int_equal(us, INT64_C(1700000000000000));
	buf_done(&a);
	buf_done(&b);
}

static void check_text(const char *text, const char *encoding, const char *read)
{
	struct buf b = BUF_INIT(OUT_MAX), out = BUF_INIT(OUT_MAX);
	struct mime_field f;
	struct mime m;

	mime_put_text(&b, span_str(text), "plain");
	check_lines(&b, 78);
	assert_int_equal(mime_parse(buf_span(&b), &m), 0);
	assert_int_equal(
		mime_field(mime_header(&m, &m.parts[0]), "Content-Transfer-Encoding", 0, &f), 0);
	assert_true(span_eq_str(span_trim(span_of(f.value.p, f.value.len - 2)), encoding));
	assert_int_equal(mime_text(&m, &m.parts[0], &out), 0);
	assert_string_equal(buf_str(&out), read);
	mime_done(&m);
	buf_done(&b);
	buf_done(&out);
}

static void test_text(void **state)
{
	char line[201], wanted[203];

	(void)state;
	check_text("hello\nworld", "7bit", "hello\r\nworld\r\n");
	check_text("a\r\n\r\nb\rc\n", "7bit", "a\r\n\r\nb\r\nc\r\n");
	check_text("", "7bit", "");
	check_text("gr\xc3\xbc\xc3\x9f\x65 = 1\n", "quoted-printable",
		"gr\xc3\xbc\xc3\x9f\x65 = 1\r\n");
	check_text("trailing \nFrom me\n.\n", "quoted-printable", "trailing \r\nFrom me\r\n.\r\n");
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	(void)snprintf(wanted, sizeof(wanted), "%s\r\n", line);
	check_text(line, "quoted-printable", wanted);
}

/* Lines of all lengths around the limit, of bytes that need three letters and of such that do not.
 */
static void test_long_lines(void **state)
{
	char line[170], wanted[172];

	(void)state;
	for (size_t len = 70; len < sizeof(line); len++) {
		for (size_t i = 0; i < len; i++)
			line[i] = i % 7 == 3 ? '=' : i % 5 == 0 ? ' ' : 'a';
		line[len] = '\0';
		(void)snprintf(wanted, sizeof(wanted), "%s\r\n", line);
		check_text(line, len > 78 || line[len - 1] == ' ' ? "quoted-printable" : "7bit",
			wanted);
	}
}

static void check_attachment(
	const char *filename, const char *named, const char *type, const char *typed)
{
	unsigned char bytes[200];
	struct mime_attachment a = {
		.type = type, .filename = span_str(filename), .bytes = {bytes, sizeof(bytes)}};
	struct buf b = BUF_INIT(OUT_MAX), name = BUF_INIT(4096), out = BUF_INIT(OUT_MAX);
	struct mime_decoder d = {.encoding = MIME_BASE64};
	struct mime_type t;
	struct mime m;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	mime_put_attachment(&b, &a);
	check_lines(&b, 90);
	assert_int_equal(mime_parse(buf_span(&b), &m), 0);
	assert_int_equal(mime_type_of(&m, &m.parts[0], &t), 0);
	assert_string_equal(t.subtype, typed);
	assert_int_equal(mime_filename(&m, &m.parts[0], &name), named != NULL ? 0 : -ENOENT);
	if (named != NULL)
		assert_string_equal(buf_str(&name), named);
	assert_int_equal(m.parts[0].encoding, MIME_BASE64);
	assert_int_equal(mime_decode(&d, mime_body(&m, &m.parts[0]), &out), 0);
	assert_int_equal(mime_decode_end(&d, &out), 0);
	assert_true(span_eq(buf_span(&out), span_of(bytes, sizeof(bytes))));
	mime_type_done(&t);
	mime_done(&m);
	buf_done(&b);
	buf_done(&name);
	buf_done(&out);
}

static void test_attachment(void **state)
{
	static const char longer[] = "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac"
				     "\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5"
				     "\xe6\x9c\xac\xe8\xaa\x9e a'b*c%d.pdf";

	(void)state;
	check_attachment("a.png", "a.png", "image/png", "png");
	check_attachment("", NULL, "image/png", "png");
	check_attachment("a b.tar.gz", "a b.tar.gz", "application/gzip", "gzip");
	check_attachment("/etc/passwd", "passwd", "text/plain", "plain");
	check_attachment("x\r\nBcc: y", "xBcc: y", "image/png\r\nBcc: y", "octet-stream");
	check_attachment("b\xc3\xa4r.txt", "b\xc3\xa4r.txt", "message/rfc822", "octet-stream");
	check_attachment(longer, longer, "application/pdf", "pdf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_field),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_made_up),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_attachment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
