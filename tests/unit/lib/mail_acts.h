/* What tests of mail in the store do and look at, in one call each. Failures end the test, but for
 * what returns a code. */
#ifndef TESTS_UNIT_MAIL_ACTS_H
#define TESTS_UNIT_MAIL_ACTS_H

#include "store/mail.h"

enum { MAIL_ACTS_MAX = 512 }; /* messages that are looked at at once */

/* A body of that text, small enough to stay in the store; the text must outlive it. */
struct mail_body mail_acts_body(const char *text);

/* A delivery by sender to names separated by blanks, with a key made of the text ("" none): what
 * the tests do not care about is filled in. */
struct mail_delivery {
	char names[MAIL_RECIPIENTS_MAX][ACCOUNT_NAME_SIZE];
	struct mail_deliver_args a;
};
void mail_acts_delivery(
	struct mail_delivery *d, const char *sender, const char *recipients, const char *text);
/* Delivers; all of it in one: the code. */
int mail_acts_send(struct store *s, const struct mail_delivery *d, struct mail_deliver_result *ret);
int mail_acts_deliver(
	struct store *s, const char *sender, const char *recipients, const char *text);

struct mail_box mail_acts_box(struct store *s, const char *account, const char *name);
/* Everything that is there, in UID order. */
struct mail_listing {
	size_t count;
	struct mail_message messages[MAIL_ACTS_MAX];
};
void mail_acts_list(struct store *s, uint64_t box, struct mail_listing *ret);
/* A row, gone or not: -ENOENT. */
int mail_acts_message(struct store *s, uint64_t box, uint32_t uid, struct mail_message *ret);
/* The changes behind since: "uid" or "-uid" for one that is gone, separated by blanks; static. */
const char *mail_acts_changes(struct store *s, uint64_t box, uint64_t since);
/* "KIND from msgid" of each notice, newest first, one a line; static. */
const char *mail_acts_notices(struct store *s, const char *account);
/* "recipient read|declined|automatic|-" of each row of what was sent, newest first; static. */
const char *mail_acts_sent(struct store *s, const char *account, const char *msgid);
/* The receipts that are due; at most max to ret, all counted. */
size_t mail_acts_due(struct store *s, const char *account, struct mail_due *ret, size_t max);
struct mail_usage mail_acts_usage(struct store *s, const char *account);

/* Appends to a mailbox: the code. */
int mail_acts_append(struct store *s, const char *account, uint64_t box, const char *text,
	struct mail_flag_names flags, struct mail_added *ret);
/* Flags of one message; keyword: NULL for none. */
struct mail_flagging {
	const char *account;
	uint64_t box;
	uint32_t uid;
	enum mail_flags_how how;
	uint32_t system;
	const char *keyword;
};
int mail_acts_flag(struct store *s, struct mail_flagging f, struct mail_flags_result *ret);
int mail_acts_expunge(struct store *s, const char *account, uint64_t box, uint32_t uid);

void mail_acts_policy(struct store *s, const char *name, const char *value);
void mail_acts_receipts(struct store *s, const char *account, enum mail_receipts receipts);

/* Asserts that everything in the store agrees, and prints what does not. */
void mail_acts_check(struct store *s);

#endif
