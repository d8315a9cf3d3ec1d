/*
 * Failures per source and per account, decaying with time (DESIGN section 6). One setting, five
 * services: policy keys throttle_source, throttle_account (failures) and throttle_decay_s.
 */
#ifndef STORE_THROTTLE_H
#define STORE_THROTTLE_H

#include "store/store.h"

#define THROTTLE_KEY_MAX 40

enum throttle_kind { THROTTLE_SOURCE = 1, THROTTLE_ACCOUNT = 2 };

struct throttle_key {
	enum throttle_kind kind;
	unsigned char key[THROTTLE_KEY_MAX]; /* peer bucket, or account name as given */
	size_t len;
};

/* How long this key has to wait before the next try counts: 0 when it may go on. A view. */
int throttle_wait_ms(
	struct store *s, const struct throttle_key *key, int64_t now_us, int64_t *ret_ms);

/* 1 when the store remembers failures of this key, waited for or not; 0 when there is nothing that
 * STORE_OP_THROTTLE_CLEAR would clear. A view. */
int throttle_remembered(struct store *s, const struct throttle_key *key);

/* STORE_OP_THROTTLE_FAIL takes the keys of one failure; STORE_OP_THROTTLE_CLEAR those of a success.
 */
struct throttle_args {
	struct throttle_key keys[2];
	size_t count;
	int64_t now_us;
};

#endif
