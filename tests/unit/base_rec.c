/* Packed records: round trip, every truncation, lying lengths, the sticky error. */
#include "base/rec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void put_sample(struct buf *b)
{
	buf_add_byte(b, 0xfe);
	buf_add_u16(b, 0xabcd);
	buf_add_u32(b, UINT32_MAX);
	buf_add_u64(b, UINT64_MAX - 1);
	rec_put_i64(b, INT64_MIN);
	rec_put_bytes(b, SPAN_LIT("a\0b"));
	rec_put_str(b, "name");
	buf_add_str(b, "raw");
}

/* Reads the sample; the result is that of rec_end(). */
static int read_sample(struct span bytes)
{
	struct rec r = rec_of(bytes);
	char name[5];
	bool same = rec_u8(&r) == 0xfe;

	same = rec_u16(&r) == 0xabcd && same;
	same = rec_u32(&r) == UINT32_MAX && same;
	same = rec_u64(&r) == UINT64_MAX - 1 && same;
	same = rec_i64(&r) == INT64_MIN && same;
	same = span_eq(rec_bytes(&r, 3), SPAN_LIT("a\0b")) && same;
	rec_str(&r, name, sizeof(name));
	same = strcmp(name, "name") == 0 && same;
	same = span_eq_str(rec_raw(&r, 3), "raw") && same;
	if (rec_end(&r) == 0)
		assert_true(same);
	return rec_end(&r);
}

static void test_round_trip(void **state)
{
	struct buf b = BUF_INIT(1000);

	(void)state;
	put_sample(&b);
	assert_int_equal(buf_error(&b), 0);
	assert_int_equal(read_sample(buf_span(&b)), 0);
	buf_add_byte(&b, 0);
	assert_int_equal(read_sample(buf_span(&b)), -EBADMSG);
	buf_done(&b);
}

static void test_every_truncation_is_refused(void **state)
{
	struct buf b = BUF_INIT(1000);

	(void)state;
	put_sample(&b);
	for (size_t len = 0; len < b.len; len++) {
		/* A copy of its own, so that a read behind it is seen. */
		unsigned char *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy + 1, b.p, len);
		assert_int_equal(read_sample(span_of(copy + 1, len)), -EBADMSG);
		free(copy);
	}
	buf_done(&b);
}

static void test_error_sticks_and_gives_zeros(void **state)
{
	struct rec r = rec_of(SPAN_LIT("\1\2\3"));
	char s[4] = "old";

	(void)state;
	assert_int_equal(rec_u32(&r), 0);
	assert_int_equal(rec_u8(&r), 0);
	assert_int_equal(rec_raw(&r, 1).len, 0);
	assert_int_equal(rec_raw(&r, 0).len, 0);
	assert_int_equal(rec_bytes(&r, 10).len, 0);
	rec_str(&r, s, sizeof(s));
	assert_string_equal(s, "");
	assert_int_equal(rec_end(&r), -EBADMSG);
}

static void test_lengths_that_lie(void **state)
{
	struct rec more_than_there = rec_of(SPAN_LIT("\0\0\0\4abc"));
	struct rec most = rec_of(SPAN_LIT("\xff\xff\xff\xff"
					  "abc"));
	struct rec over_max = rec_of(SPAN_LIT("\0\0\0\3abc"));

	(void)state;
	assert_int_equal(rec_bytes(&more_than_there, 100).len, 0);
	assert_int_equal(rec_end(&more_than_there), -EBADMSG);
	assert_int_equal(rec_bytes(&most, SIZE_MAX).len, 0);
	assert_int_equal(rec_end(&most), -EBADMSG);
	assert_int_equal(rec_bytes(&over_max, 2).len, 0);
	assert_int_equal(rec_end(&over_max), -EBADMSG);
}

static void test_strings(void **state)
{
	struct rec fits = rec_of(SPAN_LIT("\0\0\0\3abc")), too_long = fits;
	struct rec nul = rec_of(SPAN_LIT("\0\0\0\3a\0c")), empty = rec_of(SPAN_LIT("\0\0\0\0"));
	char s[4] = "old", small[3] = "ol";

	(void)state;
	rec_str(&fits, s, sizeof(s));
	assert_string_equal(s, "abc");
	assert_int_equal(rec_end(&fits), 0);
	rec_str(&too_long, small, sizeof(small));
	assert_string_equal(small, "");
	assert_int_equal(rec_end(&too_long), -EBADMSG);
	rec_str(&nul, s, sizeof(s));
	assert_string_equal(s, "");
	assert_int_equal(rec_end(&nul), -EBADMSG);
	rec_str(&empty, s, sizeof(s));
	assert_string_equal(s, "");
	assert_int_equal(rec_end(&empty), 0);
}

static void test_put_refuses_what_its_length_cannot_say(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	/* The bytes are never looked at. */
	rec_put_bytes(&b, span_of("", (size_t)UINT32_MAX + 1));
	assert_int_equal(buf_error(&b), -ENOBUFS);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_truncation_is_refused),
		cmocka_unit_test(test_error_sticks_and_gives_zeros),
		cmocka_unit_test(test_lengths_that_lie),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_put_refuses_what_its_length_cannot_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
