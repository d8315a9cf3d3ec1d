/* SASL: PLAIN taken apart, both mechanisms answered, nobody acting for anybody. */
#include "auth/sasl.h"

#include "base/timefmt.h"
#include "tests/unit/lib/auth_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_find(void **state)
{
	enum sasl_mechanism m = SASL_EXTERNAL;

	(void)state;
	assert_int_equal(sasl_find(SPAN_LIT("plain"), &m), 0);
	assert_int_equal(m, SASL_PLAIN);
	assert_int_equal(sasl_find(SPAN_LIT("EXTERNAL"), &m), 0);
	assert_int_equal(m, SASL_EXTERNAL);
	assert_int_equal(sasl_find(SPAN_LIT("PLAIN\0"), &m), -ENOENT);
	assert_int_equal(sasl_find(SPAN_LIT("LOGIN"), &m), -ENOENT);
	assert_int_equal(sasl_find(SPAN_LIT(""), &m), -ENOENT);
}

static void test_parse_good(void **state)
{
	struct span authzid, name, password;

	(void)state;
	assert_int_equal(
		sasl_parse_plain(SPAN_LIT("\0ann\0secret"), &authzid, &name, &password), 0);
	assert_int_equal(authzid.len, 0);
	assert_true(span_eq_str(name, "ann"));
	assert_true(span_eq_str(password, "secret"));
	assert_int_equal(sasl_parse_plain(SPAN_LIT("bob\0ann\0s"), &authzid, &name, &password), 0);
	assert_true(span_eq_str(authzid, "bob"));
}

static void test_parse_bad(void **state)
{
	static const struct span rows[] = {
		SPAN_LIT(""),
		SPAN_LIT("\0"),
		SPAN_LIT("\0\0"),
		SPAN_LIT("\0\0\0"),
		SPAN_LIT("ann"),
		SPAN_LIT("\0ann"),
		SPAN_LIT("\0ann\0"),
		SPAN_LIT("\0\0secret"),
		SPAN_LIT("ann\0secret"),
		SPAN_LIT("\0ann\0sec\0ret"),
		SPAN_LIT("\0ann\0secret\0"),
		SPAN_LIT("\0\0ann\0secret"),
		SPAN_LIT("\0ann\0\xff\xfe"),
		SPAN_LIT("\0\xff\0secret"),
		SPAN_LIT("\xff\0ann\0secret"),
	};
	struct span authzid = SPAN_LIT("x"), name = authzid, password = authzid;
	struct buf big = BUF_INIT(8192);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (sasl_parse_plain(rows[i], &authzid, &name, &password) != -EBADMSG)
			fail_msg("row %zu", i);
	assert_true(span_eq_str(authzid, "x"));
	buf_add(&big, SPAN_LIT("\0ann\0"));
	for (size_t i = 0; i < 1024; i++)
		buf_add_byte(&big, 'x');
	assert_int_equal(sasl_parse_plain(buf_span(&big), &authzid, &name, &password), 0);
	buf_add_byte(&big, 'x');
	assert_int_equal(sasl_parse_plain(buf_span(&big), &authzid, &name, &password), -EBADMSG);
	buf_reset(&big);
	for (size_t i = 0; i < 256; i++)
		buf_add_byte(&big, 'x');
	buf_add(&big, SPAN_LIT("\0ann\0secret"));
	assert_int_equal(sasl_parse_plain(buf_span(&big), &authzid, &name, &password), -EBADMSG);
	buf_done(&big);
}

static int answer(struct auth_fixture *f, enum sasl_mechanism mechanism, struct span message,
	struct span der, struct auth_identity *who)
{
	const struct sasl_message m = {mechanism, message, der};
	const char *reason = NULL;
	int r = sasl_answer(f->s, &f->from, &m, who, &reason);

	if (r < 0)
		assert_non_null(reason);
	return r;
}

static void test_plain(void **state)
{
	struct auth_fixture *f = *state;
	struct auth_identity who = {0};
	const struct span none = {NULL, 0};

	assert_int_equal(
		answer(f, SASL_PLAIN, SPAN_LIT("\0ann\0" AUTH_PASSWORD_TEXT), none, &who), 0);
	assert_string_equal(who.account.name, "ann");
	assert_int_equal(
		answer(f, SASL_PLAIN, SPAN_LIT("ANN\0ann\0" AUTH_PASSWORD_TEXT), none, &who), 0);
	memset(&who, 0x55, sizeof(who));
	assert_int_equal(answer(f, SASL_PLAIN, SPAN_LIT("\0ann\0wrong"), none, &who), -EACCES);
	assert_int_equal(answer(f, SASL_PLAIN, SPAN_LIT("\0zoe\0wrong"), none, &who), -EACCES);
	assert_int_equal(
		answer(f, SASL_PLAIN, SPAN_LIT("bob\0ann\0" AUTH_PASSWORD_TEXT), none, &who),
		-EACCES);
	assert_int_equal(
		answer(f, SASL_PLAIN, SPAN_LIT("no name\0ann\0" AUTH_PASSWORD_TEXT), none, &who),
		-EACCES);
	assert_int_equal(answer(f, SASL_PLAIN, SPAN_LIT("ann"), none, &who), -EBADMSG);
	assert_int_equal(who.account.name[0], 0x55);
	auth_fixture_policy(f, "throttle_account", "1");
	assert_int_equal(answer(f, SASL_PLAIN, SPAN_LIT("\0bob\0wrong"), none, &who), -EACCES);
	assert_int_equal(
		answer(f, SASL_PLAIN, SPAN_LIT("\0bob\0" AUTH_PASSWORD_TEXT), none, &who), -EBUSY);
}

static void test_external(void **state)
{
	struct auth_fixture *f = *state;
	struct auth_identity who = {0};
	struct fixture_cert c;
	const struct span none = {NULL, 0};

	auth_fixture_cert(f, "ann", &c);
	assert_int_equal(answer(f, SASL_EXTERNAL, none, buf_span(&c.der), &who), 0);
	assert_int_equal(who.proof, AUTH_CERTIFICATE);
	assert_string_equal(who.account.name, "ann");
	assert_int_equal(answer(f, SASL_EXTERNAL, SPAN_LIT("Ann"), buf_span(&c.der), &who), 0);
	memset(&who, 0x55, sizeof(who));
	assert_int_equal(
		answer(f, SASL_EXTERNAL, SPAN_LIT("bob"), buf_span(&c.der), &who), -EACCES);
	assert_int_equal(
		answer(f, SASL_EXTERNAL, SPAN_LIT("ann\0bob"), buf_span(&c.der), &who), -EBADMSG);
	assert_int_equal(
		answer(f, SASL_EXTERNAL, SPAN_LIT("\xff"), buf_span(&c.der), &who), -EBADMSG);
	assert_int_equal(answer(f, SASL_EXTERNAL, SPAN_LIT("ann"), none, &who), -EKEYREJECTED);
	auth_fixture_revoke(f, &c);
	assert_int_equal(answer(f, SASL_EXTERNAL, none, buf_span(&c.der), &who), -EKEYREJECTED);
	assert_int_equal(who.account.name[0], 0x55);
	fixture_cert_free(&c);
}

#define ON_A_STORE(test) \
	cmocka_unit_test_setup_teardown(test, auth_fixture_setup, auth_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_parse_good),
		cmocka_unit_test(test_parse_bad),
		ON_A_STORE(test_plain),
		ON_A_STORE(test_external),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
