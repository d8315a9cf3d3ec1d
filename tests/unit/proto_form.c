/* Form bodies and the service directory. */
#include "proto/form.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_form(void **state)
{
	struct form f;
	struct span v;

	(void)state;
	assert_int_equal(
		form_parse(SPAN_LIT("name=ann&password=a%26b+c%3d%C3%A4&empty=&x-y_2=%00"), &f), 0);
	assert_int_equal(f.count, 4);
	assert_true(span_eq_str(form_value(&f, "name"), "ann"));
	assert_true(span_eq_str(form_value(&f, "password"), "a&b c=\xc3\xa4"));
	v = form_value(&f, "empty");
	assert_non_null(v.p);
	assert_int_equal(v.len, 0);
	assert_true(span_eq(form_value(&f, "x-y_2"), SPAN_LIT("\0")));
	assert_null(form_value(&f, "nam").p);
	form_done(&f);
	assert_null(form_value(&f, "name").p);
	form_done(&f);
	assert_int_equal(form_parse(SPAN_LIT(""), &f), 0);
	assert_int_equal(f.count, 0);
	form_done(&f);
}

static void test_form_bad(void **state)
{
	static const struct {
		const char *body;
		int error;
	} rows[] = {
		{"name", -EINVAL},
		{"=ann", -EINVAL},
		{"&", -EINVAL},
		{"a=b&", -EINVAL},
		{"&a=b", -EINVAL},
		{"a=b&&c=d", -EINVAL},
		{"Name=ann", -EINVAL},
		{"na%6de=ann", -EINVAL},
		{"na me=ann", -EINVAL},
		{"a=%", -EINVAL},
		{"a=%2", -EINVAL},
		{"a=%zz", -EINVAL},
		{"a=b&a=c", -EEXIST},
		{"a=b&c=d&a=", -EEXIST},
		{"abcdefghijklmnopqrstuvwxyz123456=x", -EINVAL},
		{"a=0&b=1&c=2&d=3&e=4&f=5&g=6&h=7&i=8&j=9&k=a&l=b&m=c&n=d&o=e&p=f&q=g", -E2BIG},
	};
	struct buf big = BUF_INIT(32768);
	struct form f;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (form_parse(span_str(rows[i].body), &f) != rows[i].error)
			fail_msg("%s", rows[i].body);
	assert_int_equal(form_parse(SPAN_LIT("abcdefghijklmnopqrstuvwxyz12345=x"), &f), 0);
	form_done(&f);
	buf_add_str(&big, "a=");
	while (big.len < 16384)
		buf_add_byte(&big, 'x');
	assert_int_equal(form_parse(buf_span(&big), &f), 0);
	assert_int_equal(form_value(&f, "a").len, 16382);
	form_done(&f);
	buf_add_byte(&big, 'x');
	assert_int_equal(form_parse(buf_span(&big), &f), -E2BIG);
	buf_done(&big);
}

/* What form_add() writes is what form_parse() reads, for every byte. */
static void test_form_round_trip(void **state)
{
	struct buf body = BUF_INIT(8192);
	unsigned char all[256];
	struct form f;

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)i;
	form_add(&body, "name", SPAN_LIT("ann"));
	form_add(&body, "all", span_of(all, sizeof(all)));
	assert_int_equal(form_parse(buf_span(&body), &f), 0);
	assert_int_equal(f.count, 2);
	assert_true(span_eq(form_value(&f, "all"), span_of(all, sizeof(all))));
	form_done(&f);
	buf_done(&body);
}

#define HEX64 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEAD "domain example.org\nhost pc.example.org\nroot-sha256 " HEX64 "\n"

static void test_directory(void **state)
{
	struct directory d, again;
	struct buf text = BUF_INIT(4096);

	(void)state;
	assert_int_equal(directory_parse(SPAN_LIT(HEAD "door daytime daytimes 9013\r\n"
						       "\nfuture thing of tomorrow\n"
						       "door ca https 9443"),
				 &d),
		0);
	assert_string_equal(d.domain, "example.org");
	assert_string_equal(d.host, "pc.example.org");
	assert_int_equal(d.root_sha256[31], 0x1f);
	assert_int_equal(d.door_count, 2);
	assert_int_equal(directory_door(&d, "daytime")->port, 9013);
	assert_string_equal(directory_door(&d, "ca")->protocol, "https");
	assert_null(directory_door(&d, "c"));
	assert_int_equal(directory_write(&text, &d), 0);
	assert_int_equal(directory_parse(buf_span(&text), &again), 0);
	assert_memory_equal(&d, &again, sizeof(d));
	buf_done(&text);
}

static void test_directory_bad(void **state)
{
	static const char *const rows[] = {
		"",
		"domain example.org\n",
		"host a\nroot-sha256 " HEX64 "\n",
		HEAD "domain example.org\n",
		HEAD "root-sha256 " HEX64 "\n",
		"domain a b\nhost a\nroot-sha256 " HEX64 "\n",
		"domain \nhost a\nroot-sha256 " HEX64 "\n",
		"domain -a\nhost a\nroot-sha256 " HEX64 "\n",
		"domain a/../b\nhost a\nroot-sha256 " HEX64 "\n",
		"domain a\nhost a\nroot-sha256 " HEX64 "00\n",
		"domain a\nhost a\nroot-sha256 00\n",
		HEAD "door ca https\n",
		HEAD "door ca https 0\n",
		HEAD "door ca https 65536\n",
		HEAD "door ca https 09443\n",
		HEAD "door ca https 9443 \n",
		HEAD "door ca https 9443 more\n",
		HEAD "door  https 9443\n",
		HEAD "door ca https 1\ndoor ca https 2\n",
		HEAD "door a-name-that-is-much-too-long https 1\n",
		HEAD "x \x1b[31m\n",
		HEAD "x \xff\n",
	};
	struct directory d = {.domain = "untouched"};
	struct buf text = BUF_INIT(16384);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (directory_parse(span_str(rows[i]), &d) != -EBADMSG)
			fail_msg("%s", rows[i]);
	assert_string_equal(d.domain, "untouched");
	buf_add_str(&text, HEAD);
	for (unsigned i = 0; i < DIRECTORY_MAX_DOORS; i++)
		buf_addf(&text, "door d%u https 1\n", i);
	assert_int_equal(directory_parse(buf_span(&text), &d), 0);
	buf_add_str(&text, "door one-more https 1\n");
	assert_int_equal(directory_parse(buf_span(&text), &d), -EBADMSG);
	buf_reset(&text);
	buf_add_str(&text, HEAD);
	while (text.len <= 8192)
		buf_add_str(&text, "#\n");
	assert_int_equal(directory_parse(buf_span(&text), &d), -EBADMSG);
	buf_done(&text);
	/* What could not be read is not written. */
	d = (struct directory){.domain = "a b", .host = "h"};
	assert_int_equal(directory_write(&text, &d), -EINVAL);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_form_bad),
		cmocka_unit_test(test_form_round_trip),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_directory_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
