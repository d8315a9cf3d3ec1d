/* Accounts, invites, CMP references: results, refusals, generations, audit rows. */
#include "tests/unit/lib/store_fixture.h"

#include "base/hash.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct account_create_args creation(const char *name)
{
	struct account_create_args c = {
		.password = "$y$x", .now_us = FIXTURE_NOW, .peer = "192.0.2.7", .service = "cad"};

	(void)snprintf(c.name, sizeof(c.name), "%s", name);
	return c;
}

static void test_create_and_read(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct account_create_args c = creation("ada");
	struct audit_row row;
	struct account a;

	assert_int_equal(account_get(s, "ada", &a), -ENOENT);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), -EEXIST);
	assert_int_equal(account_get(s, "ada", &a), 0);
	assert_string_equal(a.name, "ada");
	assert_string_equal(a.password, "$y$x");
	assert_int_equal(a.created_us, FIXTURE_NOW);
	assert_int_equal(a.account_gen, 1);
	assert_int_equal(a.password_gen, 1);
	assert_int_equal(fixture_audit(s, &row), 1);
	assert_string_equal(row.event, "account-create");
	assert_string_equal(row.account, "ada");
	assert_string_equal(row.by, "192.0.2.7");
	assert_string_equal(row.detail, "service=cad invite=no flags=0");
	assert_int_equal(account_get(s, "", &a), -ENOENT);
	c = creation("");
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), -EINVAL);
	c = creation("ben");
	memset(c.peer, 'x', sizeof(c.peer));
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), -EINVAL);
	c = creation("ben");
	memset(c.password, 'x', sizeof(c.password));
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), -EINVAL);
}

/* An invite is in the store under its token's hash. */
static void bring(struct account_create_args *c, const char *token, unsigned char *ret_hash)
{
	c->need_invite = true;
	(void)snprintf(c->invite, sizeof(c->invite), "%s", token);
	assert_int_equal(hash_sha256(span_str(token), ret_hash), 0);
}

static void test_invite(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct invite i = {.created_us = FIXTURE_NOW, .uses_left = 2};
	struct account_create_args c = creation("ada");
	struct invite got;
	struct account a;

	bring(&c, "seven", i.hash);
	i.expires_us = FIXTURE_NOW + FIXTURE_DAY;
	i.flags = ACCOUNT_ADMIN;
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), -EKEYREJECTED);
	assert_int_equal(store_call(s, STORE_OP_INVITE_CREATE, &i, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_INVITE_CREATE, &i, NULL), -EEXIST);
	c.now_us = i.expires_us;
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), -EKEYREJECTED);
	c.now_us = FIXTURE_NOW;
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), 0);
	assert_int_equal(account_get(s, "ada", &a), 0);
	assert_int_equal(a.flags, ACCOUNT_ADMIN);
	/* A taken name costs no use. */
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), -EEXIST);
	assert_int_equal(invite_get(s, i.hash, &got), 0);
	assert_int_equal(got.uses_left, 1);
	c = creation("ben");
	bring(&c, "seven", i.hash);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), 0);
	assert_int_equal(invite_get(s, i.hash, &got), -ENOENT);
	c = creation("eve");
	bring(&c, "seven", i.hash);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), -EKEYREJECTED);
	assert_int_equal(account_get(s, "eve", &a), -ENOENT);
}

/* Whoever can read the store knows the hash of an administrator's invite, and is not let in. */
static void test_invite_read(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct invite i = {.created_us = FIXTURE_NOW, .uses_left = 1, .flags = ACCOUNT_ADMIN};
	struct account_create_args c = creation("mallory");

	memset(i.hash, 'h', sizeof(i.hash));
	i.expires_us = FIXTURE_NOW + FIXTURE_DAY;
	assert_int_equal(store_call(s, STORE_OP_INVITE_CREATE, &i, NULL), 0);
	c.need_invite = true;
	memcpy(c.invite, i.hash, sizeof(i.hash));
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), -EKEYREJECTED);
	memset(c.invite, 'h', sizeof(c.invite)); /* without an end */
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), -EINVAL);
}

static int count_invite(void *arg, const struct invite *i)
{
	(void)i;
	++*(unsigned *)arg;
	return 0;
}

static void test_invite_bound(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct invite i = {.name = "zoe", .created_us = FIXTURE_NOW, .uses_left = 1};
	struct account_create_args c = creation("eve");
	unsigned count = 0;

	i.expires_us = FIXTURE_NOW + FIXTURE_DAY;
	bring(&c, "nine", i.hash);
	assert_int_equal(store_call(s, STORE_OP_INVITE_CREATE, &i, NULL), 0);
	assert_int_equal(invite_each(s, count_invite, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), -EKEYREJECTED);
	assert_int_equal(store_call(s, STORE_OP_INVITE_REMOVE, i.hash, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_INVITE_REMOVE, i.hash, NULL), -ENOENT);
	i.uses_left = 0;
	assert_int_equal(store_call(s, STORE_OP_INVITE_CREATE, &i, NULL), -EINVAL);
}

static void test_password(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct account_password_args p = {.name = "ada",
		.password = "$y$new",
		.now_us = FIXTURE_NOW + 5,
		.peer = "::1",
		.service = "cad"};
	struct account a;

	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_PASSWORD, &p, NULL), -ENOENT);
	fixture_account(s, "ada");
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_PASSWORD, &p, NULL), 0);
	assert_int_equal(account_get(s, "ada", &a), 0);
	assert_int_equal(a.password_gen, 2);
	assert_int_equal(a.password_us, FIXTURE_NOW + 5);
	assert_string_equal(a.password, "$y$new");
	p.only_rehash = true;
	(void)snprintf(p.old, sizeof(p.old), "$y$other");
	(void)snprintf(p.password, sizeof(p.password), "$y$stronger");
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_PASSWORD, &p, NULL), -ESTALE);
	(void)snprintf(p.old, sizeof(p.old), "$y$new");
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_PASSWORD, &p, NULL), 0);
	assert_int_equal(account_get(s, "ada", &a), 0);
	assert_int_equal(a.password_gen, 2);
	assert_string_equal(a.password, "$y$stronger");
}

static void test_flags(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct account_flags_args f = {.name = "ada", .set = ACCOUNT_LOCKED, .now_us = FIXTURE_NOW};
	struct account a;

	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_FLAGS, &f, NULL), -ENOENT);
	fixture_account(s, "ada");
	for (int i = 0; i < 2; i++) { /* locking twice counts once */
		assert_int_equal(store_call(s, STORE_OP_ACCOUNT_FLAGS, &f, NULL), 0);
		assert_int_equal(account_get(s, "ada", &a), 0);
		assert_int_equal(a.flags, ACCOUNT_LOCKED);
		assert_int_equal(a.account_gen, 2);
	}
	f.set = ACCOUNT_ADMIN;
	f.clear = ACCOUNT_LOCKED;
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_FLAGS, &f, NULL), 0);
	assert_int_equal(account_get(s, "ada", &a), 0);
	assert_int_equal(a.flags, ACCOUNT_ADMIN);
	assert_int_equal(a.account_gen, 2);
}

static void test_remove(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct account_remove_args r = {.name = "ada", .now_us = FIXTURE_NOW};
	struct account_create_args c = creation("ada");
	struct account_remove_result res;
	unsigned char serial[CERT_SERIAL_LEN];
	struct account a;

	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_REMOVE, &r, &res), -ENOENT);
	fixture_account(s, "ada");
	fixture_account(s, "adam");
	fixture_cert(s, "ada", 1, FIXTURE_NOW + FIXTURE_DAY);
	fixture_cert(s, "ada", 2, FIXTURE_NOW + 2 * FIXTURE_DAY);
	fixture_cert(s, "adam", 3, FIXTURE_NOW + FIXTURE_DAY);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_REMOVE, &r, &res), 0);
	assert_int_equal(res.revoked, 2);
	assert_int_equal(account_get(s, "ada", &a), -ENOENT);
	fixture_serial(2, serial);
	assert_int_equal(cert_check(s, serial, &a), -EKEYREVOKED);
	fixture_serial(3, serial);
	assert_int_equal(cert_check(s, serial, &a), 0);
	assert_string_equal(a.name, "adam");
	/* The name stays taken for 90 days, except for the administrator; generations go on. */
	c.now_us = FIXTURE_NOW + 90 * FIXTURE_DAY - 1;
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), -EEXIST);
	c.now_us++;
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), 0);
	assert_int_equal(account_get(s, "ada", &a), 0);
	assert_int_equal(a.account_gen, 2);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_REMOVE, &r, &res), 0);
	assert_int_equal(res.revoked, 0);
	c.now_us = FIXTURE_NOW + 1;
	c.admin_act = true;
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), 0);
	assert_int_equal(account_get(s, "ada", &a), 0);
	assert_int_equal(a.account_gen, 3);
}

static int collect(void *arg, const struct account *a)
{
	char *names = arg;
	size_t len = strlen(names);

	(void)snprintf(names + len, 64 - len, "%s ", a->name);
	return strcmp(a->name, "zoe") == 0 ? 42 : 0;
}

static void test_each(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	char names[64] = "";

	fixture_account(s, "zoe");
	fixture_account(s, "ada");
	fixture_account(s, "ben");
	fixture_account(s, "zz");
	assert_int_equal(account_each(s, "", collect, names), 42);
	assert_string_equal(names, "ada ben zoe ");
	names[0] = '\0';
	assert_int_equal(account_each(s, "ada", collect, names), 42);
	assert_string_equal(names, "ben zoe ");
	names[0] = '\0';
	assert_int_equal(account_each(s, "zoe", collect, names), 0);
	assert_string_equal(names, "zz ");
}

static int write_inside(void *arg, const struct account *a)
{
	struct account_flags_args f = {.set = ACCOUNT_ADMIN};
	struct account again;

	memcpy(f.name, a->name, sizeof(f.name));
	assert_int_equal(store_call(arg, STORE_OP_ACCOUNT_FLAGS, &f, NULL), -EDEADLK);
	return account_get(arg, a->name, &again); /* a view inside a view is fine */
}

static void test_no_write_inside_a_view(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;

	fixture_account(s, "ada");
	assert_int_equal(account_each(s, "", write_inside, s), 0);
}

static void test_cmp(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct cmp_ref c = {.reference = "ref-1", .name = "zoe", .created_us = FIXTURE_NOW};
	struct cmp_consume_args u = {.reference = "ref-1", .now_us = FIXTURE_NOW};
	struct account_flags_args f = {.name = "zoe", .set = ACCOUNT_LOCKED, .now_us = FIXTURE_NOW};
	struct cmp_ref got;
	struct account a;

	c.expires_us = FIXTURE_NOW + FIXTURE_DAY;
	assert_int_equal(store_call(s, STORE_OP_CMP_CONSUME, &u, NULL), -ENOENT);
	assert_int_equal(store_call(s, STORE_OP_CMP_CREATE, &c, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_CMP_CREATE, &c, NULL), -EEXIST);
	assert_int_equal(cmp_ref_get(s, "ref-1", &got), 0);
	assert_string_equal(got.name, "zoe");
	assert_int_equal(cmp_ref_get(s, "", &got), -ENOENT);
	assert_int_equal(cmp_ref_get(s, "ref-2", &got), -ENOENT);
	u.now_us = c.expires_us;
	assert_int_equal(store_call(s, STORE_OP_CMP_CONSUME, &u, NULL), -ENOENT);
	u.now_us = FIXTURE_NOW;
	assert_int_equal(store_call(s, STORE_OP_CMP_CONSUME, &u, NULL), 0);
	assert_int_equal(account_get(s, "zoe", &a), 0);
	assert_string_equal(a.password, "");
	assert_int_equal(store_call(s, STORE_OP_CMP_CONSUME, &u, NULL), -ENOENT);
	assert_int_equal(store_call(s, STORE_OP_CMP_CREATE, &c, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_FLAGS, &f, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_CMP_CONSUME, &u, NULL), -EACCES);
	c.name[0] = '\0';
	assert_int_equal(store_call(s, STORE_OP_CMP_CREATE, &c, NULL), -EINVAL);
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_create_and_read),
		with_store(test_invite),
		with_store(test_invite_read),
		with_store(test_invite_bound),
		with_store(test_password),
		with_store(test_flags),
		with_store(test_remove),
		with_store(test_each),
		with_store(test_no_write_inside_a_view),
		with_store(test_cmp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
