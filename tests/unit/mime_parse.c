/* The tree of parts and header fields: where each begins and ends, and what is none. */
#include "tests/unit/lib/mime_check.h"

static void assert_body(const struct mime *m, size_t part, const char *wanted, uint32_t lines)
{
	assert_true(part < m->count);
	assert_span(mime_body(m, &m->parts[part]), wanted);
	assert_int_equal(m->parts[part].body_lines, lines);
}

static void test_plain(void **state)
{
	struct mime m;

	(void)state;
	assert_int_equal(mime_parse(SPAN_LIT("A: b\r\n\r\nhello\r\nyou"), &m), 0);
	assert_int_equal(m.count, 1);
	assert_int_equal(m.parts[0].kind, MIME_LEAF);
	assert_span(mime_header(&m, &m.parts[0]), "A: b\r\n\r\n");
	assert_body(&m, 0, "hello\r\nyou", 1);
	mime_done(&m);
	assert_int_equal(mime_parse(SPAN_LIT(""), &m), 0);
	assert_int_equal(m.count, 1);
	assert_body(&m, 0, "", 0);
	mime_done(&m);
	assert_int_equal(mime_parse(SPAN_LIT("A: b\nno end"), &m), 0);
	assert_span(mime_header(&m, &m.parts[0]), "A: b\nno end");
	assert_body(&m, 0, "", 0);
	mime_done(&m);
	assert_int_equal(mime_parse(SPAN_LIT("\nbody\n\n"), &m), 0);
	assert_body(&m, 0, "body\n\n", 2);
	mime_done(&m);
}

#define MIXED(boundary) "Content-Type: multipart/mixed; boundary=\"" boundary "\"\r\n\r\n"

static void test_multipart(void **state)
{
	struct mime m;

	(void)state;
	assert_int_equal(mime_parse(SPAN_LIT(MIXED("x") "before\r\n--x\r\n\r\none\r\n--x \t\r\n"
							"A: b\r\n\r\n\r\n--x\r\n--x--\r\nbehind\r\n"
							"--x\r\n"),
				 &m),
		0);
	assert_int_equal(m.count, 4);
	assert_int_equal(m.parts[0].kind, MIME_MULTIPART);
	assert_int_equal(m.parts[0].first, 1);
	assert_int_equal(m.parts[1].next, 2);
	assert_int_equal(m.parts[2].next, 3);
	assert_int_equal(m.parts[3].next, MIME_NONE);
	assert_body(&m, 1, "one", 0);
	assert_body(&m, 2, "", 0);
	assert_span(mime_header(&m, &m.parts[2]), "A: b\r\n\r\n");
	assert_body(&m, 3, "", 0);
	mime_done(&m);
}

/* A boundary may begin with another one; a line behind which more stands is a worse match. */
static void test_boundaries(void **state)
{
	struct mime m;

	(void)state;
	assert_int_equal(mime_parse(SPAN_LIT(MIXED("a") "--a\r\n" MIXED(
					    "ab") "--ab\r\n\r\ninner\r\n"
						  "--ab--\r\n--a\r\n\r\nouter\r\n--a--"),
				 &m),
		0);
	assert_int_equal(m.count, 4);
	assert_int_equal(m.parts[2].parent, 1);
	assert_body(&m, 2, "inner", 0);
	assert_int_equal(m.parts[3].parent, 0);
	assert_body(&m, 3, "outer", 0);
	mime_done(&m);
	/* An outer boundary ends what is inside, an inner one of the same name is the inner's. */
	assert_int_equal(mime_parse(SPAN_LIT(MIXED("a") "--a\n" MIXED("b") "--b\n\nin\n--a\n\nout\n"
									   "--b\n--a--\n"),
				 &m),
		0);
	assert_int_equal(m.count, 4);
	assert_body(&m, 2, "in", 0);
	assert_body(&m, 3, "out\n--b", 1);
	mime_done(&m);
	/* RFC 2046 section 5.1.1: it is enough that the line begins so. */
	assert_int_equal(
		mime_parse(SPAN_LIT(MIXED("xy") "--xyz\r\n\r\none\r\n-xy\r\n--x\r\n--xy--"), &m),
		0);
	assert_int_equal(m.count, 2);
	assert_body(&m, 1, "one\r\n-xy\r\n--x", 2);
	mime_done(&m);
}

static void test_message(void **state)
{
	struct mime m;

	(void)state;
	assert_int_equal(
		mime_parse(SPAN_LIT(MIXED("x") "--x\nContent-Type: message/rfc822\n\nSubject: "
					       "inner\n\ntext\n--x\nContent-Type: "
					       "message/rfc822\nContent-Transfer-Encoding: "
					       "base64\n\nU3ViamVjdDogeA==\n--x--\n"),
			&m),
		0);
	assert_int_equal(m.count, 4);
	assert_int_equal(m.parts[1].kind, MIME_MESSAGE);
	assert_int_equal(m.parts[1].first, 2);
	assert_body(&m, 1, "Subject: inner\n\ntext", 2);
	assert_span(mime_header(&m, &m.parts[2]), "Subject: inner\n\n");
	assert_body(&m, 2, "text", 0);
	assert_int_equal(m.parts[3].kind, MIME_LEAF);
	assert_int_equal(m.parts[3].encoding, MIME_BASE64);
	mime_done(&m);
	/* Nothing inside: the message is there all the same, and empty. */
	assert_int_equal(mime_parse(SPAN_LIT("Content-Type: message/rfc822\n"), &m), 0);
	assert_int_equal(m.count, 2);
	assert_body(&m, 1, "", 0);
	mime_done(&m);
}

static void test_digest(void **state)
{
	struct mime m;
	struct mime_type type;

	(void)state;
	assert_int_equal(
		mime_parse(SPAN_LIT("Content-Type: multipart/digest; boundary=x\n\n--x\n\nA: b\n\nc"
				    "\n--x\nContent-Type: text/plain\n\nd\n--x--\n"),
			&m),
		0);
	assert_int_equal(m.count, 4);
	assert_int_equal(m.parts[1].kind, MIME_MESSAGE);
	assert_body(&m, 2, "c", 0);
	assert_int_equal(m.parts[3].kind, MIME_LEAF);
	assert_int_equal(mime_type_of(&m, &m.parts[1], &type), 0);
	assert_string_equal(type.type, "message");
	assert_string_equal(type.subtype, "rfc822");
	assert_int_equal(type.params.count, 0);
	mime_type_done(&type);
	mime_done(&m);
}

/* -- fields ------------------------------------------------------------------------------------ */

#define HEADER                                                                            \
	"From someone Mon Jan 1 00:00:00 2024\r\nA: 1\r\n  more\r\nno field\r\nb : 2\r\n" \
	"a:\r\n\t3\r\n: x\r\nA b: y\r\n\r\nC: 4\r\n"

static void test_fields(void **state)
{
	static const char *const names[] = {"A", "b", "a"};
	static const char *const values[] = {" 1\r\n  more\r\n", " 2\r\n", "\r\n\t3\r\n"};
	struct span rest = SPAN_LIT(HEADER);
	struct mime_field field;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_true(mime_field_next(&rest, &field));
		assert_span(field.name, names[i]);
		assert_span(field.value, values[i]);
	}
	assert_false(mime_field_next(&rest, &field));
	assert_false(mime_field_next(&rest, &field));
	assert_int_equal(mime_field(SPAN_LIT(HEADER), "a", 1, &field), 0);
	assert_span(field.whole, "a:\r\n\t3\r\n");
	assert_int_equal(mime_field(SPAN_LIT(HEADER), "a", 2, &field), -ENOENT);
	assert_int_equal(mime_field(SPAN_LIT(HEADER), "C", 0, &field), -ENOENT);
}

static void test_unfold(void **state)
{
	static const char *const rows[][2] = {
		{" a\r\n b\r\n", "a b"},
		{"\r\n\ta\n\tb \t\r\n", "a\tb"},
		{"", ""},
		{" \r\n", ""},
		{" a  b", "a  b"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(100);

		mime_unfold(&b, span_str(rows[i][0]));
		assert_buf(&b, rows[i][1]);
	}
}

static void test_pick(void **state)
{
	static const struct span names[] = {SPAN_LIT("A"), SPAN_LIT("None")};
	_cleanup_(buf_done) struct buf b = BUF_INIT(1000);

	(void)state;
	mime_header_pick(&b, SPAN_LIT(HEADER), names, 2, false);
	assert_buf(&b, "A: 1\r\n  more\r\na:\r\n\t3\r\n\r\n");
	buf_reset(&b);
	mime_header_pick(&b, SPAN_LIT(HEADER), names, 2, true);
	assert_buf(&b, "b : 2\r\n\r\n");
	buf_reset(&b);
	mime_header_pick(&b, SPAN_LIT("a: b"), names, 1, false);
	assert_buf(&b, "a: b\r\n\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_multipart),
		cmocka_unit_test(test_boundaries),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_unfold),
		cmocka_unit_test(test_pick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
