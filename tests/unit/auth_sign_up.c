/* Sign-up under each policy, invites and their tokens. */
#include "base/timefmt.h"
#include "tests/unit/lib/auth_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define GOOD_PASSWORD "staple battery"

static int sign_up(struct auth_fixture *f, const char *name, const char *token)
{
	const char *reason = NULL;
	int r = auth_sign_up(
		f->s, &f->from, span_str(name), SPAN_LIT(GOOD_PASSWORD), span_str(token), &reason);

	if (r < 0)
		assert_non_null(reason);
	return r;
}

/* A token in the store; name "" for any. */
static void make_invite(
	struct auth_fixture *f, const char *name, int64_t expires_us, uint32_t uses, char token[64])
{
	struct invite invite = {
		.created_us = time_now_us(), .expires_us = expires_us, .uses_left = uses};

	(void)snprintf(invite.name, sizeof(invite.name), "%s", name);
	assert_int_equal(auth_token_new(token, 64, invite.hash), 0);
	assert_int_equal(store_call(f->s, STORE_OP_INVITE_CREATE, &invite, NULL), 0);
}

static void test_closed(void **state)
{
	struct auth_fixture *f = *state;
	char token[64];

	auth_fixture_policy(f, "signup", "closed");
	make_invite(f, "", INT64_MAX, 1, token);
	assert_int_equal(sign_up(f, "carol", ""), -EPERM);
	assert_int_equal(sign_up(f, "carol", token), -EPERM);
}

static void test_open(void **state)
{
	struct auth_fixture *f = *state;
	struct auth_identity who;
	struct audit_row row;

	auth_fixture_policy(f, "signup", "open");
	assert_int_equal(sign_up(f, "Carol", ""), 0);
	assert_int_equal(auth_password(f->s, &f->from, SPAN_LIT("carol"), SPAN_LIT(GOOD_PASSWORD),
				 &who, NULL),
		0);
	assert_int_equal(auth_fixture_audit(f, "account-create", &row), 3);
	assert_string_equal(row.account, "carol");
	assert_int_equal(sign_up(f, "carol", ""), -EEXIST);
	assert_int_equal(sign_up(f, "CAROL", ""), -EEXIST);
}

static void test_refused(void **state)
{
	static const struct {
		const char *name, *password;
	} rows[] = {{"", GOOD_PASSWORD}, {"9lives", GOOD_PASSWORD}, {"a b", GOOD_PASSWORD},
		{"admin", GOOD_PASSWORD}, {"Root", GOOD_PASSWORD}, {"example", GOOD_PASSWORD},
		{"quintet-cad", GOOD_PASSWORD}, {"carol", "short"}, {"carol", ""},
		{"carol", "with\ncontrol"}, {"caroline", "Caroline"}};
	struct auth_fixture *f = *state;
	struct account account;

	auth_fixture_policy(f, "signup", "open");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *reason = NULL;

		assert_int_equal(auth_sign_up(f->s, &f->from, span_str(rows[i].name),
					 span_str(rows[i].password), (struct span){0}, &reason),
			-EINVAL);
		assert_non_null(reason);
	}
	assert_int_equal(account_get(f->s, "carol", &account), -ENOENT);
	/* Under open sign-up a bad token is still a bad token. */
	assert_int_equal(sign_up(f, "carol", "abcd-efgh-abcd-efgh-abcd-efgh"), -EKEYREJECTED);
}

static void test_invite(void **state)
{
	struct auth_fixture *f = *state;
	char any[64], named[64], old[64], twice[64];

	make_invite(f, "", INT64_MAX, 1, any);
	make_invite(f, "dave", INT64_MAX, 1, named);
	make_invite(f, "", time_now_us() - TIME_S_US, 1, old);
	make_invite(f, "", INT64_MAX, 2, twice);
	assert_int_equal(sign_up(f, "carol", ""), -EKEYREJECTED);
	assert_int_equal(sign_up(f, "carol", "no token"), -EKEYREJECTED);
	assert_int_equal(sign_up(f, "carol", "abcd-efgh-abcd-efgh-abcd-efgh"), -EKEYREJECTED);
	assert_int_equal(sign_up(f, "carol", old), -EKEYREJECTED);
	assert_int_equal(sign_up(f, "carol", named), -EKEYREJECTED);
	/* A taken or reserved name does not use the token up. */
	assert_int_equal(sign_up(f, "ann", any), -EEXIST);
	assert_int_equal(sign_up(f, "admin", any), -EINVAL);
	assert_int_equal(sign_up(f, "carol", any), 0);
	assert_int_equal(sign_up(f, "erin", any), -EKEYREJECTED);
	assert_int_equal(sign_up(f, "dave", named), 0);
	assert_int_equal(sign_up(f, "erin", twice), 0);
	assert_int_equal(sign_up(f, "frank", twice), 0);
	assert_int_equal(sign_up(f, "grace", twice), -EKEYREJECTED);
}

static void test_without_password(void **state)
{
	struct auth_fixture *f = *state;
	struct auth_identity who;
	struct account account;
	const char *reason = NULL;
	char token[64];

	make_invite(f, "carol", INT64_MAX, 1, token);
	assert_int_equal(auth_sign_up(f->s, &f->from, SPAN_LIT("carol"), (struct span){0},
				 span_str(token), &reason),
		0);
	assert_int_equal(account_get(f->s, "carol", &account), 0);
	assert_string_equal(account.password, "");
	assert_int_equal(auth_password(f->s, &f->from, SPAN_LIT("carol"), SPAN_LIT(""), &who, NULL),
		-EACCES);
}

/* Guessing tokens is throttled by source; the good token waits as well. */
static void test_guessing(void **state)
{
	struct auth_fixture *f = *state;
	char token[64];
	unsigned tries = 0;

	auth_fixture_policy(f, "throttle_source", "5");
	make_invite(f, "", INT64_MAX, 1, token);
	while (tries < 20 && sign_up(f, "carol", "abcd-efgh-abcd-efgh-abcd-efgh") == -EKEYREJECTED)
		tries++;
	assert_int_equal(tries, 5);
	assert_int_equal(sign_up(f, "carol", token), -EBUSY);
}

static void test_tokens(void **state)
{
	unsigned char hash[INVITE_HASH_LEN], again[INVITE_HASH_LEN];
	char token[64], other[64], typed[64];

	(void)state;
	assert_int_equal(auth_token_new(token, sizeof(token), hash), 0);
	assert_int_equal(auth_token_new(other, sizeof(other), again), 0);
	assert_string_not_equal(token, other);
	assert_int_equal(strlen(token), 29);
	assert_int_equal(auth_token_hash(span_str(token), again), 0);
	assert_memory_equal(hash, again, sizeof(hash));
	/* Capitals, blanks for dashes, and digits that look like letters. */
	for (size_t i = 0; i < sizeof(typed); i++) {
		char c = token[i];

		if (c >= 'a' && c <= 'z')
			c = (char)(c & ~0x20);
		if (c == '-')
			c = ' ';
		if (c == 'O')
			c = '0';
		if (c == 'L')
			c = '1';
		typed[i] = c;
		if (c == '\0')
			break;
	}
	assert_int_equal(auth_token_hash(span_str(typed), again), 0);
	assert_memory_equal(hash, again, sizeof(hash));
	assert_int_equal(auth_token_hash(SPAN_LIT(""), again), -EINVAL);
	assert_int_equal(auth_token_hash(SPAN_LIT("abcd-efgh"), again), -EINVAL);
	assert_int_equal(
		auth_token_hash(SPAN_LIT("abcd-efgh-abcd-efgh-abcd-ef.h"), again), -EINVAL);
	for (size_t i = 0; i < 100; i++)
		token[i % 60] = 'a';
	assert_int_equal(auth_token_hash(span_of(token, 60), again), 0);
	assert_int_equal(auth_token_new(token, 29, again), -ENOBUFS);
}

#define ON_A_STORE(test) \
	cmocka_unit_test_setup_teardown(test, auth_fixture_setup, auth_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_STORE(test_closed),
		ON_A_STORE(test_open),
		ON_A_STORE(test_refused),
		ON_A_STORE(test_invite),
		ON_A_STORE(test_without_password),
		ON_A_STORE(test_guessing),
		cmocka_unit_test(test_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
