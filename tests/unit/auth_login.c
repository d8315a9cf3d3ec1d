/*
 * Log-in by password and certificate, and whether an identity still holds. Each test has a store of
 * its own. An unknown name is compared with a known one in result, throttle and cost.
 */
#include "auth/password.h"
#include "base/timefmt.h"
#include "store/throttle.h"
#include "tests/unit/lib/auth_fixture.h"

#include <crypt.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int log_in(
	struct auth_fixture *f, const char *name, const char *password, struct auth_identity *who)
{
	unsigned wait_s = 0;

	return auth_password(f->s, &f->from, span_str(name), span_str(password), who, &wait_s);
}

static void test_password(void **state)
{
	struct auth_fixture *f = *state;
	struct auth_identity who = {0};
	struct audit_row row;

	assert_int_equal(log_in(f, "ann", AUTH_PASSWORD_TEXT, &who), 0);
	assert_int_equal(who.proof, AUTH_PASSWORD);
	assert_string_equal(who.account.name, "ann");
	assert_int_equal(log_in(f, "ANN", AUTH_PASSWORD_TEXT, &who), 0);
	memset(&who, 0x55, sizeof(who));
	assert_int_equal(log_in(f, "ann", "wrong horse", &who), -EACCES);
	assert_int_equal(who.account.name[0], 0x55);
	assert_int_equal(auth_fixture_audit(f, "login-refused", &row), 1);
	assert_string_equal(row.account, "ann");
	assert_string_equal(row.by, "192.0.2.1");
	assert_string_equal(row.detail, "test: wrong password");
	/* A name that is none, an account without a password, and a password typed as the name. */
	assert_int_equal(log_in(f, "correct horse battery", "staple staple", &who), -EACCES);
	assert_int_equal(auth_fixture_audit(f, "login-refused", &row), 2);
	assert_string_equal(row.account, "");
	assert_string_equal(row.detail, "test: unknown name");
	assert_int_equal(log_in(f, "", "", &who), -EACCES);
}

static void test_locked(void **state)
{
	struct auth_fixture *f = *state;
	struct auth_identity who;

	auth_fixture_flags(f, "ann", ACCOUNT_LOCKED, 0);
	auth_fixture_flags(f, "bob", ACCOUNT_HOST, 0);
	assert_int_equal(log_in(f, "ann", AUTH_PASSWORD_TEXT, &who), -EACCES);
	assert_int_equal(log_in(f, "bob", AUTH_PASSWORD_TEXT, &who), -EACCES);
	auth_fixture_flags(f, "ann", 0, ACCOUNT_LOCKED);
	assert_int_equal(log_in(f, "ann", AUTH_PASSWORD_TEXT, &who), 0);
}

static int64_t cpu_ns(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* The least CPU time of some refusals. */
static int64_t refusal_cost_ns(struct auth_fixture *f, const char *name)
{
	int64_t least = INT64_MAX;
	struct auth_identity who;

	for (unsigned i = 0; i < 5; i++) {
		int64_t start = cpu_ns(), spent;

		assert_int_equal(log_in(f, name, "wrong horse", &who), -EACCES);
		spent = cpu_ns() - start;
		least = spent < least ? spent : least;
	}
	return least;
}

static void test_unknown_costs_the_same(void **state)
{
	struct auth_fixture *f = *state;
	int64_t known, unknown, malformed;

	auth_fixture_policy(f, "throttle_source", "1000");
	known = refusal_cost_ns(f, "ann");
	unknown = refusal_cost_ns(f, "zoe");
	malformed = refusal_cost_ns(f, "no name at all");
	if (unknown * 3 < known * 2 || unknown * 2 > known * 3)
		fail_msg("unknown %lld, known %lld", (long long)unknown, (long long)known);
	if (malformed * 3 < known * 2 || malformed * 2 > known * 3)
		fail_msg("malformed %lld, known %lld", (long long)malformed, (long long)known);
}

/* Refusals until the throttle answers; which try that was. */
static unsigned tries_until_busy(struct auth_fixture *f, const char *name, unsigned *wait_s)
{
	struct auth_identity who;

	for (unsigned i = 0; i < 50; i++) {
		int r = auth_password(
			f->s, &f->from, span_str(name), SPAN_LIT("wrong horse"), &who, wait_s);

		if (r == -EBUSY)
			return i;
		assert_int_equal(r, -EACCES);
	}
	return 50;
}

/* The same number of tries for a name that is there and one that is not. */
static void test_throttled_per_account(void **state)
{
	/* ann last: what is asked of her below must come before her second of waiting is over. */
	static const char *const names[] = {"zoe", "Not A Name", "ann"};
	struct auth_fixture *f = *state;
	struct auth_identity who;

	auth_fixture_policy(f, "throttle_source", "1000");
	auth_fixture_policy(f, "throttle_account", "3");
	for (size_t i = 0; i < 3; i++) {
		unsigned wait_s = 0;

		assert_int_equal(tries_until_busy(f, names[i], &wait_s), 3);
		assert_in_range(wait_s, 1, 2);
	}
	/* The right password waits too; other accounts do not. */
	assert_int_equal(log_in(f, "ann", AUTH_PASSWORD_TEXT, &who), -EBUSY);
	assert_int_equal(log_in(f, "bob", AUTH_PASSWORD_TEXT, &who), 0);
	assert_int_equal(sleep(2), 0);
	assert_int_equal(log_in(f, "ann", AUTH_PASSWORD_TEXT, &who), 0);
	/* A success cleared the account: as many tries as at first. */
	unsigned wait_s = 0;
	assert_int_equal(tries_until_busy(f, "ann", &wait_s), 3);
}

static void test_throttled_per_source(void **state)
{
	struct auth_fixture *f = *state;
	struct auth_identity who;
	unsigned wait_s = 0, rows;

	auth_fixture_policy(f, "throttle_source", "4");
	assert_int_equal(log_in(f, "ann", "wrong horse", &who), -EACCES);
	assert_int_equal(log_in(f, "bob", "wrong horse", &who), -EACCES);
	assert_int_equal(log_in(f, "zoe", "wrong horse", &who), -EACCES);
	/* A success at one account does not pay for guesses at others. */
	assert_int_equal(log_in(f, "bob", AUTH_PASSWORD_TEXT, &who), 0);
	assert_int_equal(log_in(f, "eve", "wrong horse", &who), -EACCES);
	assert_int_equal(log_in(f, "bob", AUTH_PASSWORD_TEXT, &who), -EBUSY);
	/* While it waits, nothing is hashed, counted or written down. */
	rows = auth_fixture_audit(f, "login-refused", NULL);
	assert_int_equal(rows, 4);
	int64_t start = cpu_ns();
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(log_in(f, "ann", "wrong horse", &who), -EBUSY);
	assert_true(cpu_ns() - start < INT64_C(200000000));
	assert_int_equal(auth_fixture_audit(f, "login-refused", NULL), rows);
	assert_int_equal(auth_throttle_wait_s(f->s, &f->from, SPAN_LIT("ann"), &wait_s), 0);
	assert_in_range(wait_s, 1, 2);
	/* Another source is not concerned. */
	f->from.bucket = SPAN_LIT("\xc0\x00\x02\x02");
	assert_int_equal(log_in(f, "bob", AUTH_PASSWORD_TEXT, &who), 0);
}

/* Failures of long ago are forgotten, those of a minute ago count: times put in. */
static void test_decay(void **state)
{
	struct auth_fixture *f = *state;
	struct throttle_args old = {.count = 1, .now_us = time_now_us() - 3600 * TIME_S_US};
	struct auth_identity who;

	old.keys[0] = (struct throttle_key){.kind = THROTTLE_ACCOUNT, .key = "ann", .len = 3};
	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(store_call(f->s, STORE_OP_THROTTLE_FAIL, &old, NULL), 0);
	assert_int_equal(log_in(f, "ann", AUTH_PASSWORD_TEXT, &who), 0);
	old.now_us = time_now_us() - TIME_S_US / 2;
	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(store_call(f->s, STORE_OP_THROTTLE_FAIL, &old, NULL), 0);
	assert_int_equal(log_in(f, "ann", AUTH_PASSWORD_TEXT, &who), -EBUSY);
}

static void test_rehash(void **state)
{
	struct auth_fixture *f = *state;
	struct account_password_args args = {.name = "ann", .now_us = time_now_us()};
	struct crypt_data *data = calloc(1, sizeof(*data));
	struct account before, after;
	struct auth_identity who;
	const char *weak;

	assert_non_null(data);
	weak = crypt_r(AUTH_PASSWORD_TEXT, "$6$rounds=1000$saltsalt$", data);
	assert_non_null(weak);
	(void)snprintf(args.password, sizeof(args.password), "%s", weak);
	free(data);
	assert_int_equal(store_call(f->s, STORE_OP_ACCOUNT_PASSWORD, &args, NULL), 0);
	assert_int_equal(account_get(f->s, "ann", &before), 0);
	assert_true(password_is_outdated(before.password));
	assert_int_equal(log_in(f, "ann", "wrong horse", &who), -EACCES);
	assert_int_equal(account_get(f->s, "ann", &after), 0);
	assert_string_equal(before.password, after.password);
	/* Only cad writes passwords. */
	assert_int_equal(log_in(f, "ann", AUTH_PASSWORD_TEXT, &who), 0);
	assert_int_equal(account_get(f->s, "ann", &after), 0);
	assert_string_equal(before.password, after.password);
	f->from.service = "cad";
	assert_int_equal(log_in(f, "ann", AUTH_PASSWORD_TEXT, &who), 0);
	assert_int_equal(account_get(f->s, "ann", &after), 0);
	assert_false(password_is_outdated(after.password));
	/* The same password: no session ends by it. */
	assert_int_equal(before.password_gen, after.password_gen);
	assert_int_equal(auth_still_valid(f->s, &who), 0);
	assert_int_equal(log_in(f, "ann", AUTH_PASSWORD_TEXT, &who), 0);
}

static void test_password_still_valid(void **state)
{
	struct auth_fixture *f = *state;
	struct account_remove_args remove_args = {.name = "bob", .now_us = time_now_us()};
	struct account_remove_result removed;
	struct auth_identity ann, bob;

	assert_int_equal(log_in(f, "ann", AUTH_PASSWORD_TEXT, &ann), 0);
	assert_int_equal(log_in(f, "bob", AUTH_PASSWORD_TEXT, &bob), 0);
	assert_int_equal(auth_still_valid(f->s, &ann), 0);
	auth_fixture_password(f, "ann", "another horse");
	assert_int_equal(auth_still_valid(f->s, &ann), -EACCES);
	assert_int_equal(auth_still_valid(f->s, &bob), 0);
	assert_int_equal(log_in(f, "ann", "another horse", &ann), 0);
	auth_fixture_flags(f, "ann", ACCOUNT_LOCKED, 0);
	assert_int_equal(auth_still_valid(f->s, &ann), -EACCES);
	/* Unlocked again, the old session stays ended. */
	auth_fixture_flags(f, "ann", 0, ACCOUNT_LOCKED);
	assert_int_equal(auth_still_valid(f->s, &ann), -EACCES);
	assert_int_equal(store_call(f->s, STORE_OP_ACCOUNT_REMOVE, &remove_args, &removed), 0);
	assert_int_equal(auth_still_valid(f->s, &bob), -EACCES);
}

static void test_role_still_valid(void **state)
{
	struct auth_fixture *f = *state;
	struct auth_identity who = {.proof = AUTH_PASSWORD};

	assert_int_equal(account_get(f->s, "bob", &who.account), 0);
	auth_fixture_flags(f, "bob", ACCOUNT_ADMIN, 0);
	assert_int_equal(auth_still_valid(f->s, &who), 0);
	assert_int_equal(account_get(f->s, "bob", &who.account), 0);
	assert_int_equal(auth_still_valid(f->s, &who), 0);
	auth_fixture_flags(f, "bob", 0, ACCOUNT_ADMIN);
	assert_int_equal(auth_still_valid(f->s, &who), -EACCES);
}

static void test_certificate(void **state)
{
	struct auth_fixture *f = *state;
	struct auth_identity who = {0};
	struct fixture_cert c;
	const char *reason = NULL;

	auth_fixture_cert(f, "ann", &c);
	assert_int_equal(auth_certificate(f->s, &f->from, buf_span(&c.der), &who, &reason), 0);
	assert_int_equal(who.proof, AUTH_CERTIFICATE);
	assert_string_equal(who.account.name, "ann");
	assert_memory_equal(who.serial, c.serial, sizeof(who.serial));
	assert_int_equal(auth_still_valid(f->s, &who), 0);
	/* A new password ends password sessions only. */
	auth_fixture_password(f, "ann", "another horse");
	assert_int_equal(auth_still_valid(f->s, &who), 0);
	auth_fixture_revoke(f, &c);
	assert_int_equal(auth_still_valid(f->s, &who), -EACCES);
	assert_int_equal(
		auth_certificate(f->s, &f->from, buf_span(&c.der), &who, &reason), -EKEYREJECTED);
	assert_string_equal(reason, "the certificate was revoked");
	fixture_cert_free(&c);
}

static void expect_refused(struct auth_fixture *f, struct span der, const char *expected)
{
	struct auth_identity who;
	const char *reason = "";

	assert_int_equal(auth_certificate(f->s, &f->from, der, &who, &reason), -EKEYREJECTED);
	assert_string_equal(reason, expected);
}

static void test_certificate_refused(void **state)
{
	static const enum pki_profile others[] = {PKI_HOST, PKI_TSA, PKI_OCSP, PKI_CMP};
	struct auth_fixture *f = *state;
	struct fixture_cert c;
	struct pki_template t;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		fixture_key(&c);
		t = fixture_template(&f->ca, others[i], &c);
		t.cn = "ann";
		auth_fixture_issue(f, "ann", &t, &c);
		expect_refused(f, buf_span(&c.der), "the certificate is not a user's");
		fixture_cert_free(&c);
	}
	expect_refused(f, buf_span(&f->ca.issuing.der), "the certificate is not a user's");
	/* In bob's name, but the row says ann. */
	fixture_key(&c);
	t = fixture_template(&f->ca, PKI_USER, &c);
	t.cn = "bob";
	auth_fixture_issue(f, "ann", &t, &c);
	expect_refused(f, buf_span(&c.der), "the certificate is not the account's");
	fixture_cert_free(&c);
	/* Never recorded. */
	fixture_leaf(&f->ca, PKI_USER, &c);
	expect_refused(f, buf_span(&c.der), "the certificate is not one of this authority");
	expect_refused(f, span_of(c.der.p, c.der.len - 1), "the certificate cannot be read");
	fixture_cert_free(&c);
	/* Expired, not yet valid: TLS says so too, but a session may present it late. */
	fixture_key(&c);
	t = fixture_template(&f->ca, PKI_USER, &c);
	t.not_after_us = f->ca.now_us - TIME_S_US;
	auth_fixture_issue(f, "ann", &t, &c);
	expect_refused(f, buf_span(&c.der), "the certificate has expired");
	fixture_cert_free(&c);
	auth_fixture_cert(f, "ann", &c);
	auth_fixture_flags(f, "ann", ACCOUNT_LOCKED, 0);
	expect_refused(f, buf_span(&c.der), "the account is locked or gone");
	fixture_cert_free(&c);
}

/* A bad certificate shown a hundred times fills no table and bars no password. */
static void test_bad_certificate_flood(void **state)
{
	struct auth_fixture *f = *state;
	struct auth_identity who;
	struct fixture_cert c;
	unsigned rows;

	auth_fixture_cert(f, "ann", &c);
	auth_fixture_revoke(f, &c);
	for (unsigned i = 0; i < 100; i++)
		expect_refused(f, buf_span(&c.der), "the certificate was revoked");
	rows = auth_fixture_audit(f, "login-refused", NULL);
	assert_in_range(rows, 1, 12);
	assert_int_equal(log_in(f, "ann", AUTH_PASSWORD_TEXT, &who), 0);
	fixture_cert_free(&c);
}

#define ON_A_STORE(test) \
	cmocka_unit_test_setup_teardown(test, auth_fixture_setup, auth_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_STORE(test_password),
		ON_A_STORE(test_locked),
		ON_A_STORE(test_unknown_costs_the_same),
		ON_A_STORE(test_throttled_per_account),
		ON_A_STORE(test_throttled_per_source),
		ON_A_STORE(test_decay),
		ON_A_STORE(test_rehash),
		ON_A_STORE(test_password_still_valid),
		ON_A_STORE(test_role_still_valid),
		ON_A_STORE(test_certificate),
		ON_A_STORE(test_certificate_refused),
		ON_A_STORE(test_bad_certificate_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
