/* A session of chatd over memory: what it says is a text to look at. */
#ifndef TESTS_UNIT_LIB_CHATD_FAKE_H
#define TESTS_UNIT_LIB_CHATD_FAKE_H

#include "services/chatd/chatd.h"

struct chatd_fake {
	struct service service;
	struct chatd c;
	struct buf out;
};

/* "ann" (account ann) at irc.test, registered, with these capabilities. */
void chatd_fake_begin(struct chatd_fake *f, uint64_t caps);
void chatd_fake_end(struct chatd_fake *f);

/* What was said since the last call; it lives until then. */
const char *chatd_fake_said(struct chatd_fake *f);

#endif
