/* Inside lib/store only: rows of chat, looked at by store_check() and the fuzzer. */
#ifndef STORE_CHAT_CHECK_H
#define STORE_CHAT_CHECK_H

#include "store/chat_i.h"

/* A row of any table of chat. -EBADMSG, also for a table that is not one of chat's. Pure. */
int chat_row_decode(struct span key, struct span value);
/* A row of KEY_META. -ENOENT: not one of chat's. Pure. */
int chat_meta_row_decode(struct span name, struct span value);

/*
 * What other rows should say of this one, which decodes. A sentence for people when they do not,
 * else NULL.
 */
const char *chat_row_check(struct store_txn *txn, struct span key, struct span value);
/* The same for a row of KEY_META. */
const char *chat_meta_row_check(struct store_txn *txn, struct span name, struct span value);

#endif
