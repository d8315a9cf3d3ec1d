/* Inside lib/store only: what cert.c and cert_ops.c share. */
#ifndef STORE_CERT_I_H
#define STORE_CERT_I_H

#include "store/cert.h"
#include "store/store.h"

int cert_write(struct store_txn *txn, const struct cert *c);

/* The not_after in a key that ends in time and serial; INT64_MAX when it is too short. */
int64_t cert_index_time(struct span key);

/* Removes an intent with its index rows. */
int cert_forget(struct store_txn *txn, const struct cert *c);

#endif
