/* Migration, by a schema 0 that only test builds know: policy values as bare text under 'p'. */
#include "store/policy.h"
#include "store/row.h"
#include "store/store_i.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

/* Turns the fixture's store into one of schema 0 that has two policy values. */
static void make_old(struct store *s)
{
	struct key signup = key_policy("signup"), days = key_policy("cert_days");
	struct store_txn *txn = NULL;

	signup.p[0] = 'p';
	days.p[0] = 'p';
	assert_int_equal(kv_begin(s->env, true, 0, &txn), 0);
	assert_int_equal(kv_put(txn, key_span(&signup), SPAN_LIT("open")), 0);
	assert_int_equal(kv_put(txn, key_span(&days), SPAN_LIT("12")), 0);
	assert_int_equal(schema_write(txn, 0), 0);
	assert_int_equal(kv_commit(txn), 0);
}

static void test_migrate(void **state)
{
	struct store_fixture *f = *state;
	char text[POLICY_VALUE_SIZE];
	struct store *s = NULL;
	struct audit_row row;
	uint64_t days = 0;

	make_old(f->s);
	assert_int_equal(policy_text(f->s, "signup", text), -ESTALE);
	store_close(f->s);
	f->s = NULL;
	assert_int_equal(store_open(f->state, STORE_READ, &s), -ESTALE);
	assert_non_null(strstr(store_open_reason(), "quintetctl migrate"));
	assert_int_equal(store_migrate(f->state), 1);
	assert_int_equal(store_migrate(f->state), 0);
	assert_int_equal(store_open(f->state, STORE_READ, &f->s), 0);
	assert_int_equal(policy_text(f->s, "signup", text), 0);
	assert_string_equal(text, "open");
	assert_int_equal(policy_number(f->s, "cert_days", &days), 0);
	assert_int_equal(days, 12);
	assert_int_equal(fixture_audit(f->s, &row), 1);
	assert_string_equal(row.event, "migrate");
	assert_string_equal(row.detail, "schema=1");
	assert_int_equal(store_check(f->s, NULL, NULL), 0);
}

/* One that has the store open meanwhile is refused before and works after. */
static void test_beside_an_open_store(void **state)
{
	struct store_fixture *f = *state;
	char text[POLICY_VALUE_SIZE];
	pid_t pid;

	make_old(f->s);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(store_migrate(f->state) != 1);
	assert_int_equal(fixture_wait(pid), 0);
	assert_int_equal(policy_text(f->s, "signup", text), 0);
	assert_string_equal(text, "open");
}

static void test_no_store(void **state)
{
	struct store_fixture *f = *state;
	char path[100];

	(void)snprintf(path, sizeof(path), "%s/none", f->dir);
	assert_int_equal(store_migrate(path), -ENOENT);
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_migrate),
		with_store(test_beside_an_open_store),
		with_store(test_no_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
