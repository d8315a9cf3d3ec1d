/* Policy and the throttle that it governs. */
#include "store/policy.h"

#include "store/throttle.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

static int set(struct store *s, const char *name, const char *value)
{
	struct policy_set_args p = {.now_us = FIXTURE_NOW, .by = "root"};

	(void)snprintf(p.name, sizeof(p.name), "%s", name);
	(void)snprintf(p.value, sizeof(p.value), "%s", value);
	return store_call(s, STORE_OP_POLICY_SET, &p, NULL);
}

static void test_table(void **state)
{
	(void)state;
	assert_true(policy_count > 0);
	for (size_t i = 0; i < policy_count; i++) {
		const struct policy_row *row = &policy_table[i];

		assert_int_equal(policy_validate(row, span_str(row->standard)), 0);
		assert_true(strlen(row->meaning) > 10);
		assert_true(strlen(row->name) < sizeof(((struct policy_set_args *)0)->name));
		assert_ptr_equal(policy_find(row->name), row);
		if (i > 0)
			assert_true(strcmp(policy_table[i - 1].name, row->name) < 0);
	}
	assert_null(policy_find("nothing"));
}

static void test_set(void **state)
{
	struct store_fixture *f = *state;
	struct store *s = f->s;
	char text[POLICY_VALUE_SIZE];
	struct audit_row row;
	uint64_t n = 0;

	assert_int_equal(policy_text(s, "signup", text), 0);
	assert_string_equal(text, "invite");
	assert_int_equal(policy_text(s, "nothing", text), -ENOENT);
	assert_int_equal(policy_number(s, "nothing", &n), -ENOENT);
	assert_int_equal(policy_number(s, "signup", &n), -EINVAL);
	assert_int_equal(set(s, "nothing", "1"), -ENOENT);
	assert_int_equal(set(s, "signup", "ope"), -EINVAL);
	assert_int_equal(set(s, "signup", "closed|invite"), -EINVAL);
	assert_int_equal(set(s, "signup", "open"), 0);
	assert_int_equal(policy_text(s, "signup", text), 0);
	assert_string_equal(text, "open");
	assert_int_equal(fixture_audit(s, &row), 1);
	assert_string_equal(row.event, "policy-set");
	assert_string_equal(row.detail, "signup=open");
	assert_string_equal(row.by, "root");
	assert_int_equal(set(s, "cert_days", "0"), -ERANGE);
	assert_int_equal(set(s, "cert_days", "399"), -ERANGE);
	assert_int_equal(set(s, "cert_days", "x"), -EINVAL);
	assert_int_equal(set(s, "cert_days", "7"), 0);
	assert_int_equal(policy_number(s, "cert_days", &n), 0);
	assert_int_equal(n, 7);
	assert_int_equal(set(s, "throttle_decay_s", "2m"), 0);
	store_fixture_reopen(f, STORE_READ);
	assert_int_equal(policy_number(f->s, "throttle_decay_s", &n), 0);
	assert_int_equal(n, 120);
	assert_int_equal(set(f->s, "throttle_decay_s", ""), 0); /* upgrades to writing by itself */
	assert_int_equal(policy_number(f->s, "throttle_decay_s", &n), 0);
	assert_int_equal(n, 30);
	assert_int_equal(set(f->s, "throttle_decay_s", ""), 0);
}

/* -- throttle ---------------------------------------------------------------------------------- */

static const struct throttle_key account = {THROTTLE_ACCOUNT, "ada", 3};
static const struct throttle_key source = {THROTTLE_SOURCE, "192.0.2.1", 9};

static void fail_both(struct store *s, int64_t now_us)
{
	struct throttle_args a = {.keys = {account, source}, .count = 2, .now_us = now_us};

	assert_int_equal(store_call(s, STORE_OP_THROTTLE_FAIL, &a, NULL), 0);
}

static int64_t wait_ms(struct store *s, const struct throttle_key *key, int64_t now_us)
{
	int64_t ms = -1;

	assert_int_equal(throttle_wait_ms(s, key, now_us, &ms), 0);
	return ms;
}

static void test_throttle(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct throttle_args clear = {.keys = {account}, .count = 1, .now_us = FIXTURE_NOW};
	int64_t now = FIXTURE_NOW;

	assert_int_equal(wait_ms(s, &account, now), 0);
	for (int i = 0; i < 9; i++)
		fail_both(s, now);
	assert_int_equal(wait_ms(s, &account, now), 0);
	fail_both(s, now);
	assert_int_equal(wait_ms(s, &account, now), 1000);
	assert_int_equal(wait_ms(s, &account, now + SECOND / 2), 500);
	assert_int_equal(wait_ms(s, &account, now + SECOND), 0);
	assert_int_equal(wait_ms(s, &source, now), 0); /* 20 for a source */
	fail_both(s, now);
	assert_int_equal(wait_ms(s, &account, now), 2000);
	fail_both(s, now);
	assert_int_equal(wait_ms(s, &account, now), 4000);
	for (int i = 0; i < 20; i++)
		fail_both(s, now);
	assert_int_equal(wait_ms(s, &account, now), 900 * 1000); /* the most */
	assert_true(wait_ms(s, &source, now) > 0);
	assert_int_equal(wait_ms(s, &account, now - 86400 * SECOND), 900 * 1000);
	assert_int_equal(store_call(s, STORE_OP_THROTTLE_CLEAR, &clear, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_THROTTLE_CLEAR, &clear, NULL), 0);
	assert_int_equal(wait_ms(s, &account, now), 0);
	assert_true(wait_ms(s, &source, now) > 0);
}

static void test_throttle_decay(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	int64_t now = FIXTURE_NOW;

	for (int i = 0; i < 10; i++)
		fail_both(s, now);
	/* One is forgotten every 30 s: after 60 s the eleventh failure is the ninth again. */
	now += 60 * SECOND;
	fail_both(s, now);
	assert_int_equal(wait_ms(s, &account, now), 0);
	fail_both(s, now);
	assert_int_equal(wait_ms(s, &account, now), 1000);
	assert_int_equal(set(s, "throttle_account", "1"), 0);
	now += 3600 * SECOND;
	fail_both(s, now);
	assert_int_equal(wait_ms(s, &account, now), 1000);
}

static void test_throttle_refusals(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct throttle_args a = {.keys = {account}, .count = 3};
	struct throttle_key bad = {.kind = THROTTLE_ACCOUNT, .len = THROTTLE_KEY_MAX + 1};
	int64_t ms;

	assert_int_equal(store_call(s, STORE_OP_THROTTLE_FAIL, &a, NULL), -EINVAL);
	assert_int_equal(store_call(s, STORE_OP_THROTTLE_CLEAR, &a, NULL), -EINVAL);
	a.count = 1;
	a.keys[0] = bad;
	assert_int_equal(store_call(s, STORE_OP_THROTTLE_FAIL, &a, NULL), -EINVAL);
	assert_int_equal(throttle_wait_ms(s, &bad, 0, &ms), -EINVAL);
	bad.len = 0; /* an empty name is a key too */
	assert_int_equal(throttle_wait_ms(s, &bad, 0, &ms), 0);
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		with_store(test_set),
		with_store(test_throttle),
		with_store(test_throttle_decay),
		with_store(test_throttle_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
