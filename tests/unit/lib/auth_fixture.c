#include "tests/unit/lib/auth_fixture.h"

#include "auth/password.h"
#include "base/timefmt.h"
#include "store/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void make_account(struct auth_fixture *f, const char *name)
{
	struct account_create_args args = {.admin_act = true, .now_us = time_now_us()};

	(void)snprintf(args.name, sizeof(args.name), "%s", name);
	assert_int_equal(password_hash(SPAN_LIT(AUTH_PASSWORD_TEXT), NULL, args.password), 0);
	assert_int_equal(store_call(f->s, STORE_OP_ACCOUNT_CREATE, &args, NULL), 0);
}

int auth_fixture_setup(void **state)
{
	struct auth_fixture *f = calloc(1, sizeof(*f));
	void *store = NULL;

	assert_non_null(f);
	assert_int_equal(store_fixture_setup(&store), 0);
	f->store = store;
	f->s = f->store->s;
	f->from = (struct auth_source){.bucket = SPAN_LIT("\xc0\x00\x02\x01"),
		.peer = "192.0.2.1",
		.service = "test",
		.domain = "example.org"};
	fixture_ca_make(&f->ca);
	make_account(f, "ann");
	make_account(f, "bob");
	*state = f;
	return 0;
}

int auth_fixture_teardown(void **state)
{
	struct auth_fixture *f = *state;
	void *store = f->store;

	assert_int_equal(store_fixture_teardown(&store), 0);
	fixture_ca_free(&f->ca);
	free(f);
	return 0;
}

void auth_fixture_issue(struct auth_fixture *f, const char *account, const struct pki_template *t,
	struct fixture_cert *c)
{
	struct cert row = {.profile = CERT_PROFILE_USER,
		.ca_id = 1,
		.created_us = time_now_us(),
		.not_before_us = t->not_before_us,
		.not_after_us = t->not_after_us};
	struct cert_issued_args issued = {.now_us = time_now_us()};

	fixture_issue(&f->ca, t, c);
	memcpy(row.serial, c->serial, sizeof(row.serial));
	memcpy(issued.serial, c->serial, sizeof(issued.serial));
	(void)snprintf(row.account, sizeof(row.account), "%s", account);
	issued.der = buf_span(&c->der);
	assert_int_equal(store_call(f->s, STORE_OP_CERT_INTENT, &row, NULL), 0);
	assert_int_equal(store_call(f->s, STORE_OP_CERT_ISSUED, &issued, NULL), 0);
}

void auth_fixture_cert(struct auth_fixture *f, const char *account, struct fixture_cert *c)
{
	struct pki_template t;
	char email[64];

	fixture_key(c);
	t = fixture_template(&f->ca, PKI_USER, c);
	(void)snprintf(email, sizeof(email), "%s@example.org", account);
	t.cn = account;
	t.email = email;
	auth_fixture_issue(f, account, &t, c);
}

void auth_fixture_policy(struct auth_fixture *f, const char *name, const char *value)
{
	struct policy_set_args args = {.now_us = time_now_us()};

	(void)snprintf(args.name, sizeof(args.name), "%s", name);
	(void)snprintf(args.value, sizeof(args.value), "%s", value);
	assert_int_equal(store_call(f->s, STORE_OP_POLICY_SET, &args, NULL), 0);
}

void auth_fixture_flags(struct auth_fixture *f, const char *name, uint32_t set, uint32_t clear)
{
	struct account_flags_args args = {.set = set, .clear = clear, .now_us = time_now_us()};

	(void)snprintf(args.name, sizeof(args.name), "%s", name);
	assert_int_equal(store_call(f->s, STORE_OP_ACCOUNT_FLAGS, &args, NULL), 0);
}

void auth_fixture_revoke(struct auth_fixture *f, const struct fixture_cert *c)
{
	struct cert_revoke_args args = {.reason = 1, .now_us = time_now_us()};

	memcpy(args.serial, c->serial, sizeof(args.serial));
	assert_int_equal(store_call(f->s, STORE_OP_CERT_REVOKE, &args, NULL), 0);
}

void auth_fixture_password(struct auth_fixture *f, const char *name, const char *password)
{
	struct account_password_args args = {.now_us = time_now_us()};

	(void)snprintf(args.name, sizeof(args.name), "%s", name);
	assert_int_equal(password_hash(span_str(password), NULL, args.password), 0);
	assert_int_equal(store_call(f->s, STORE_OP_ACCOUNT_PASSWORD, &args, NULL), 0);
}

struct audit_walk {
	const char *event;
	unsigned count;
	struct audit_row *last;
};

static int count_row(void *arg, const struct audit_row *r)
{
	struct audit_walk *w = arg;

	if (strcmp(r->event, w->event) != 0)
		return 0;
	w->count++;
	if (w->last != NULL)
		*w->last = *r;
	return 0;
}

unsigned auth_fixture_audit(struct auth_fixture *f, const char *event, struct audit_row *ret_last)
{
	struct audit_walk w = {event, 0, ret_last};

	assert_int_equal(audit_each(f->s, 0, count_row, &w), 0);
	return w.count;
}
