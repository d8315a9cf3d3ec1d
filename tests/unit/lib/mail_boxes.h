/* What tests do with mailboxes in the store, in one call each: its code. */
#ifndef TESTS_UNIT_MAIL_BOXES_H
#define TESTS_UNIT_MAIL_BOXES_H

#include "store/mail.h"

int boxes_open(struct store *s, const char *account);
int boxes_create(struct store *s, const char *account, const char *name, enum mail_use use);
int boxes_delete(struct store *s, const char *account, const char *name);
int boxes_rename(struct store *s, const char *account, const char *from, const char *to);
int boxes_subscribe(struct store *s, const char *account, const char *name, bool on);

/* All of them, separated by blanks: "+" behind a name is subscribed to, then the number of its use;
 * in brackets: no mailbox. Static. */
const char *boxes_list(struct store *s, const char *account);

/* Everything that has had its time by then. */
void boxes_sweep(struct store *s, int64_t now_us);

#endif
