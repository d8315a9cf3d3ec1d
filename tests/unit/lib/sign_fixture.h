/*
 * A signer for tests: a store with an authority in it, the keys that belong to it, no process
 * around. Used by the tests of the signer and of cad.
 */
#ifndef TESTS_UNIT_SIGN_FIXTURE_H
#define TESTS_UNIT_SIGN_FIXTURE_H

#include "services/cad/signer/cmp_talk.h"
#include "tests/unit/lib/pki_fixture.h"

#define SIGN_FIXTURE_PASSWORD "correct horse battery"

struct sign_fixture {
	char dir[64];
	struct service s;
	struct sign g;
	struct fixture_ca ca;
	struct fixture_cert cmp;
	struct buf answer; /* payload of the last call */
	uint32_t wait_s;
	const char *reason;
};

/* For cmocka: accounts "ann" and "bob" exist, with SIGN_FIXTURE_PASSWORD; sign-up by invite. */
int sign_fixture_setup(void **state);
int sign_fixture_teardown(void **state);

/* One request; its status. */
int sign_fixture_call(struct sign_fixture *f, const struct signer_request *r);

/* A request of that kind from 192.0.2.7. */
struct signer_request sign_fixture_request(enum signer_kind kind);

void sign_fixture_policy(struct sign_fixture *f, const char *name, const char *value);
void sign_fixture_account(struct sign_fixture *f, const char *name);

/* An invite for any name; its token goes to ret (64 bytes). */
void sign_fixture_invite(struct sign_fixture *f, char ret[64]);
/* A CMP reference for an account, and its secret. */
void sign_fixture_cmp_ref(struct sign_fixture *f, const char *reference, const char *account,
	char ret_secret[SIGN_CMP_PASSWORD_SIZE]);

/* Enrols by password with a new key and returns the certificate. */
void sign_fixture_enroll(struct sign_fixture *f, const char *name, struct fixture_cert *ret);
void sign_fixture_revoke(struct sign_fixture *f, const struct fixture_cert *c, int reason);

/* The row of a certificate; its state. */
enum cert_state sign_fixture_state(struct sign_fixture *f, const struct fixture_cert *c);

#endif
