/* A keeper of its own in a child, behind a socket in a scratch folder, for the tests of callers. */
#ifndef TESTS_UNIT_KEEPER_FIXTURE_H
#define TESTS_UNIT_KEEPER_FIXTURE_H

#include "tests/unit/lib/store_fixture.h"

struct keeper_fixture {
	char dir[64]; /* scratch */
	char state[80]; /* dir/state */
	char sock[80];
	char log[80]; /* of all its lives */
	int listener_fd;
	pid_t pid; /* 0: none runs */
};

/* A keeper does not run as root: the whole test program becomes somebody else. First in main(). */
void keeper_fixture_user(void);

/* For cmocka: *state is a struct keeper_fixture with an empty store; the keeper runs. */
int keeper_fixture_setup(void **state);
int keeper_fixture_teardown(void **state); /* asserts that it leaves when it is asked to */

/* option: "--idle-exit=0" or NULL. */
void keeper_fixture_start(struct keeper_fixture *f, const char *option);
/* SIGTERM; its exit status. */
int keeper_fixture_stop(struct keeper_fixture *f);

/* A store whose writes go to it. */
struct store *keeper_fixture_open(const struct keeper_fixture *f);
/* A connection without a store behind it. */
int keeper_fixture_dial(const struct keeper_fixture *f);

#endif
