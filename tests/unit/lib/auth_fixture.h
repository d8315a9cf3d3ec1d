/* A store with an authority, and the accounts and certificates of auth's tests. */
#ifndef TESTS_AUTH_FIXTURE_H
#define TESTS_AUTH_FIXTURE_H

#include "auth/auth.h"
#include "tests/unit/lib/pki_fixture.h"
#include "tests/unit/lib/store_fixture.h"

#define AUTH_PASSWORD_TEXT "correct horse"

struct auth_fixture {
	struct store_fixture *store;
	struct store *s;
	struct auth_source from; /* 192.0.2.1 by "test", no cap, domain example.org */
	struct fixture_ca ca;
};

/* For cmocka: *state is a struct auth_fixture; accounts "ann" and "bob", both with the password. */
int auth_fixture_setup(void **state);
int auth_fixture_teardown(void **state);

/* Issues by template and records it as issued to the account. */
void auth_fixture_issue(struct auth_fixture *f, const char *account, const struct pki_template *t,
	struct fixture_cert *c);
/* A user's certificate of the account. */
void auth_fixture_cert(struct auth_fixture *f, const char *account, struct fixture_cert *c);

void auth_fixture_policy(struct auth_fixture *f, const char *name, const char *value);
void auth_fixture_flags(struct auth_fixture *f, const char *name, uint32_t set, uint32_t clear);
void auth_fixture_revoke(struct auth_fixture *f, const struct fixture_cert *c);
void auth_fixture_password(struct auth_fixture *f, const char *name, const char *password);

/* How many rows of the event the audit holds; the last one's detail and account when asked for. */
unsigned auth_fixture_audit(struct auth_fixture *f, const char *event, struct audit_row *ret_last);

#endif
