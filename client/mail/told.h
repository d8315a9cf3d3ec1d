/* Lists of pairs in what maild tells beyond IMAP. */
#ifndef CLIENT_MAIL_TOLD_H
#define CLIENT_MAIL_TOLD_H

#include "client/mail/imapc.h"

enum { TOLD_MAX = 100000 }; /* rows of one answer */

/* Rows of one kind in the making. */
struct told {
	const char *name; /* of the answer: "XRECEIPT" */
	size_t size; /* of a row */
	/* Fills a row, zeroed before. False: it is none. */
	bool (*row)(const struct imap_answer *a, const struct imap_node *pairs, void *ret);
	void *list; /* owned */
	size_t count, room;
};
/* For imapc_run(): arg is a struct told. */
int told_heard(void *arg, const struct imap_answer *a);

/* The value of a pair as clean text; "" for NIL and what is absent. */
void told_text(const struct imap_answer *a, const struct imap_node *pairs, const char *name,
	char *ret, size_t size);
bool told_flag(const struct imap_answer *a, const struct imap_node *pairs, const char *name);
int64_t told_time_us(const struct imap_answer *a, const struct imap_node *pairs, const char *name);
uint64_t told_number(const struct imap_answer *a, const struct imap_node *pairs, const char *name);

/* -ENOTSUP: this server knows nothing of the kind. */
int told_can(const struct imapc *m);

#endif
