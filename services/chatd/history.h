/* CHATHISTORY: what its files share. */
#ifndef CHATD_HISTORY_H
#define CHATD_HISTORY_H

#include "services/chatd/people.h"

enum { HISTORY_POINTS_MAX = 2 };

/* "msgid=" or "timestamp=" of a command. */
struct history_point {
	bool none; /* "*" */
	bool by_time;
	int64_t at_us;
	uint64_t seq;
	unsigned check;
	uint64_t first, behind; /* positions: see place() */
};

struct history {
	struct chatd *c;
	const char *subcommand; /* as it was given */
	bool star;
	struct history_point points[HISTORY_POINTS_MAX];
	size_t point_count, limit;
	bool found; /* the target: there, and the client may read it */
	bool unknown; /* a point is none of this log */
	int (*run)(struct store_txn *txn, struct history *h);
	struct chatd_past past;
};

/* "FAIL CHATHISTORY code subcommand context :text"; context p NULL: none. */
void history_refuse(
	const struct history *h, const char *code, struct span context, const char *text);
/* A limit as given, at most CHATD_HISTORY_MAX; false: refused. */
bool history_limit(const struct history *h, struct span text, size_t *ret);
/* "timestamp=..." */
bool history_time(struct span text, int64_t *ret_us);

/* targets.c */
int history_targets(struct history *h, const struct irc_message *m);

#endif
