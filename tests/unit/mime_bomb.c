/*
 * Messages that are made to cost more than they weigh: nested, repeated, never ended. Work is
 * counted in steps of the parsers (MIME_WORK), so that no clock decides: what is twice as large may
 * cost about twice as much.
 */
#include "tests/unit/lib/mime_check.h"

enum { SMALL = 20000, PER_BYTE = 100 };

/* Writes a message of about that many bytes. */
typedef void (*maker)(struct buf *b, size_t size);

static void repeat_to(struct buf *b, size_t size, const char *piece)
{
	while (b->len < size)
		buf_add_str(b, piece);
}

static void deep_multiparts(struct buf *b, size_t size)
{
	for (unsigned i = 0; b->len < size; i++)
		buf_addf(b, "Content-Type: multipart/mixed; boundary=b%u.\n\n--b%u.\n", i, i);
}

static void one_boundary_deep(struct buf *b, size_t size)
{
	repeat_to(b, size, "Content-Type: multipart/mixed; boundary=x\n\n--x\n");
}

static void deep_messages(struct buf *b, size_t size)
{
	repeat_to(b, size, "Content-Type: message/rfc822\n\n");
}

static void many_parts(struct buf *b, size_t size)
{
	buf_add_str(b, "Content-Type: multipart/digest; boundary=x\n\n");
	repeat_to(b, size, "--x\n");
}

static void many_lines_like_boundaries(struct buf *b, size_t size)
{
	deep_multiparts(b, size / 2 < 2000 ? size / 2 : 2000);
	repeat_to(b, size, "--b\n");
}

static void many_params(struct buf *b, size_t size)
{
	buf_add_str(b, "Content-Type: a/b");
	for (unsigned i = 0; b->len < size; i++)
		buf_addf(b, "; x*%u*=a", i);
	buf_add_str(b, "\n\n");
}

static void many_params_each(struct buf *b, size_t size)
{
	buf_add_str(b, "Content-Type: multipart/mixed; boundary=x\n\n");
	while (b->len < size) {
		buf_add_str(b, "--x\nContent-Disposition: a");
		for (unsigned i = 0; i < 90; i++)
			buf_addf(b, ";x*%u=", i);
		buf_add_str(b, "\n\n");
	}
}

static void many_fields(struct buf *b, size_t size)
{
	repeat_to(b, size, "a:\n");
}

static void one_field(struct buf *b, size_t size)
{
	buf_add_str(b, "Subject: ");
	repeat_to(b, size, "=?a?Q?");
}

static void folded_field(struct buf *b, size_t size)
{
	buf_add_str(b, "Content-Type:");
	repeat_to(b, size, "\n (");
}

static void many_addresses(struct buf *b, size_t size)
{
	buf_add_str(b, "From: ");
	repeat_to(b, size, "(\"<@,");
}

static void many_address_fields(struct buf *b, size_t size)
{
	repeat_to(b, size, "To: a:b@c,d\nCc: \"\n");
}

static void many_references(struct buf *b, size_t size)
{
	buf_add_str(b, "References: ");
	repeat_to(b, size, "<\"<a@b>");
}

static void many_blobs(struct buf *b, size_t size)
{
	buf_add_str(b, "Subject: ");
	repeat_to(b, size, "[a][fwd: Re: ");
}

static void many_quotes(struct buf *b, size_t size)
{
	buf_add_str(b, "Content-Language: ");
	repeat_to(b, size, "((),\"");
}

static const maker makers[] = {deep_multiparts, one_boundary_deep, deep_messages, many_parts,
	many_lines_like_boundaries, many_params, many_params_each, many_fields, one_field,
	folded_field, many_addresses, many_address_fields, many_references, many_blobs,
	many_quotes};

/* All that a server does with a message; how many steps it took. */
static uint64_t work_of(maker make, size_t size)
{
	_cleanup_(buf_done) struct buf message = BUF_INIT(64 << 20);
	_cleanup_(buf_done) struct buf record = BUF_INIT(4 << 20);
	struct mime_record r;
	struct mime m;

	make(&message, size);
	mime_work = 0;
	assert_int_equal(mime_parse(buf_span(&message), &m), 0);
	assert_true(m.count <= MIME_PARTS_MAX);
	assert_int_equal(mime_record_write(&m, &record), 0);
	assert_int_equal(mime_record_open(buf_span(&record), &r), 0);
	for (size_t i = 0; i < m.count; i++)
		assert_true(m.parts[i].depth <= MIME_DEPTH_MAX);
	mime_done(&m);
	return mime_work;
}

static void test_linear(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(makers); i++) {
		uint64_t small = work_of(makers[i], SMALL), large = work_of(makers[i], SMALL * 8);

		if (large > small * 20 || large > (uint64_t)SMALL * 8 * PER_BYTE)
			fail_msg("maker %zu: %llu, %llu", i, (unsigned long long)small,
				(unsigned long long)large);
		assert_true(small > 0);
	}
}

/* The limits hold: depth, parts, and what is beyond is still there as bytes. */
static void test_limits(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);
	struct mime m;

	(void)state;
	many_parts(&b, 100000);
	assert_int_equal(mime_parse(buf_span(&b), &m), 0);
	assert_int_equal(m.count, MIME_PARTS_MAX);
	assert_int_equal(m.parts[m.count - 1].body + m.parts[m.count - 1].body_len, b.len);
	mime_done(&m);
	buf_reset(&b);
	deep_multiparts(&b, 10000);
	assert_int_equal(mime_parse(buf_span(&b), &m), 0);
	assert_int_equal(m.count, MIME_DEPTH_MAX + 1);
	assert_int_equal(m.parts[MIME_DEPTH_MAX].kind, MIME_LEAF);
	assert_int_equal(m.parts[MIME_DEPTH_MAX].body + m.parts[MIME_DEPTH_MAX].body_len, b.len);
	mime_done(&m);
}

/* A thousand parts, all that can be said of each as long as can be: the row fits its budget. */
static void test_row_of_largest(void **state)
{
	static const char *const names[] = {"Content-ID", "Content-Description",
		"Content-Transfer-Encoding", "Content-MD5", "Content-Location", "Content-Language"};
	_cleanup_(buf_done) struct buf b = BUF_INIT(32 << 20), record = BUF_INIT(4 << 20);
	struct mime_record r;
	struct mime m;

	(void)state;
	buf_add_str(&b, "To: ");
	for (int i = 0; i < 60; i++)
		add_times(&b, "\"\xff\\\"\\\"\\\"\\\"\\\"\\\"\" <\xff@\xff>, ", 30);
	buf_add_str(&b, "\nContent-Type: multipart/mixed; boundary=x\n\n");
	for (int i = 0; i < 1000; i++) {
		buf_add_str(&b, "--x\nContent-Type: a/b; xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=\"");
		add_times(&b, "\xff\\\"", 50);
		buf_add_str(&b, "\"; y=z\n");
		for (size_t k = 0; k < COUNT(names); k++) {
			buf_addf(&b, "%s: ", names[k]);
			add_times(&b, "\"", 400);
			buf_add_str(&b, "\n");
		}
		buf_add_str(&b, "\n");
	}
	assert_int_equal(mime_parse(buf_span(&b), &m), 0);
	assert_int_equal(m.count, MIME_PARTS_MAX);
	assert_int_equal(mime_record_write(&m, &record), 0);
	assert_int_equal(mime_record_open(buf_span(&record), &r), 0);
	assert_true(r.bodystructure.len > 100000 && r.bodystructure.len <= 1 << 20);
	assert_true(span_starts(r.bodystructure, "((\"a\" \"b\" (\"xxxxx"));
	assert_int_equal(r.bodystructure.p[r.bodystructure.len - 1], ')');
	mime_done(&m);
}

static void test_html(void **state)
{
	static const char *const pieces[] = {"<", "<a \"", "<a b=\"", "<a b='\"", "<!--",
		"<script>", "<a href=http://x>", "&amp", "<p>", "<pre>", "<img alt=\""};

	(void)state;
	for (size_t i = 0; i < COUNT(pieces); i++) {
		_cleanup_(buf_done) struct buf html = BUF_INIT(1 << 20), text = BUF_INIT(8 << 20);

		repeat_to(&html, 100000, pieces[i]);
		mime_work = 0;
		mime_html_text(&text, buf_span(&html));
		assert_int_equal(buf_error(&text), 0);
		assert_true(mime_work <= html.len * 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_row_of_largest),
		cmocka_unit_test(test_html),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
