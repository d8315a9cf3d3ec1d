/* WHO and its answers: 352, and 354 with the fields that the client chose (WHOX). */
#ifndef CHATD_WHO_H
#define CHATD_WHO_H

#include "services/chatd/people.h"

enum { WHOX_TOKEN_MAX = 3 };

struct who {
	struct chatd *c;
	struct span mask;
	bool operators; /* only these */
	bool extended; /* WHOX */
	uint32_t fields; /* bits of the table in whox.c */
	struct span token;
	int64_t now_us;
	const char *channel; /* whose members are listed; "*" */
	bool within; /* the client is in it */
	struct store_txn *txn;
	struct buf out;
};

/* The second parameter: "o", "%fields,token", "o%fields". */
void whox_parse(struct span text, struct who *w);
/* 354 of somebody. */
void whox_add(struct who *w, const struct chat_user *u, unsigned roles);
/* "H", "G", '*' for operators, 'B' for bots, the roles' signs. */
void who_flags(const struct who *w, const struct chat_user *u, unsigned roles, struct buf *b);

#endif
