/* A store of its own in a scratch folder, for the tests of lib/store. */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "store/account.h"
#include "store/audit.h"
#include "store/cert.h"
#include "store/store.h"

#include <sys/types.h>

#define FIXTURE_NOW INT64_C(1700000000000000)
#define FIXTURE_DAY (INT64_C(86400) * 1000000)

struct store_fixture {
	char dir[64]; /* scratch */
	char state[80]; /* dir/state */
	struct store *s;
};

/* For cmocka's setup and teardown: *state is a struct store_fixture, its store open for writing. */
int store_fixture_setup(void **state);
int store_fixture_teardown(void **state);

/* A scratch folder without a store, and its removal with all that is in it. */
void scratch_make(char *ret, size_t size);
void scratch_remove(const char *dir);

/* Closes and opens again. */
void store_fixture_reopen(struct store_fixture *f, enum store_mode mode);

/*
 * Forks a process that opens the store itself and exits with what fn returns. The parent's handle
 * is closed before and opened again after, since an environment does not live across a fork.
 */
pid_t fixture_fork(struct store_fixture *f, int (*fn)(struct store *s, void *arg), void *arg);
/* Waits; the exit status, or minus the signal. */
int fixture_wait(pid_t pid);

/*
 * Runs fn in a process and mount namespace of its own, with a small tmpfs on a scratch folder; its
 * failures end that process with 1. Without the permission to mount, that is said and passes.
 */
void fixture_small_disk(const char *options, void (*fn)(const char *dir));

/* An account with a password hash of no meaning; fails the test when it cannot be made. */
void fixture_account(struct store *s, const char *name);

/* An issued certificate whose serial begins with n. Its row in *ret when not NULL. */
void fixture_cert(struct store *s, const char *account, unsigned n, int64_t not_after_us);
void fixture_serial(unsigned n, unsigned char ret[CERT_SERIAL_LEN]);

/* How many audit rows there are, and the newest. */
unsigned fixture_audit(struct store *s, struct audit_row *ret_last);

#endif
