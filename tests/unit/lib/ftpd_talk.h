/*
 * ftpd's whole session over a control connection in memory, with a store, a file tree, and data
 * connections that a script feeds. Asserts on failure.
 */
#ifndef TESTS_UNIT_LIB_FTPD_TALK_H
#define TESTS_UNIT_LIB_FTPD_TALK_H

#include "services/ftpd/ftpd.h"
#include "tests/unit/lib/auth_fixture.h"

struct ftpd_talk {
	struct auth_fixture *auth;
	struct auth_identity ann; /* as her certificate proves */
	struct service_door door;
	size_t step; /* bytes of the peer that come at once; 0 all */
	int64_t age_ms; /* of the connection when the session begins */

	/* of every data connection */
	struct span upload; /* what the peer sends */
	int connect_waits, secure_waits; /* so many looks until it is there, and until TLS is */
	struct buf download; /* what all of them were sent */

	/* after a session */
	int result;
	char reason[64];
	unsigned commands;
	struct buf said;
};

/* For cmocka: *state is a struct ftpd_talk on the implicit door; "ann" and "bob" have
 * AUTH_PASSWORD_TEXT. */
int ftpd_talk_setup(void **state);
int ftpd_talk_teardown(void **state);
/* Between tests: the door, the script and what was said are as at the start. */
void ftpd_talk_reset(struct ftpd_talk *t);

/* A session from first to last byte; the peer says the lines and then its clean end. What it heard:
 * in t->said, and as the codes of its whole replies, "220 331 230", in static memory. */
const char *ftpd_talk(struct ftpd_talk *t, const char *lines);
/* As ann, by her certificate; the greeting and her log-in are not in the codes. */
const char *ftpd_talk_as_ann(struct ftpd_talk *t, const char *lines);
/* The door "ftp" before TLS; t->result is ftpd_clear()'s. */
const char *ftpd_talk_clear(struct ftpd_talk *t, const char *lines);

/* Was that said? */
bool ftpd_talk_heard(const struct ftpd_talk *t, const char *text);

#endif
