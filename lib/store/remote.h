/*
 * Inside lib/store, and for the keeper: how calls go to the keeper over its Unix stream socket, and
 * what its answers look like. Frames, numbers big-endian:
 *
 *	call:	u32 bytes that follow, u64 shape_version(), u16 operation, u8 again (0 or 1),
 *		16 bytes caller, u64 number, then shape_put()'s
 *	answer:	u32 bytes that follow, u64 number, i32 rc (0 or negative errno), then the result
 *		(result_size bytes when rc is 0 or the operation is one of OP_TELLS; else nothing)
 *
 * A connection has one call under way at a time. The keeper may close one that is idle; the next
 * call then dials again. A call whose connection broke is sent again on a new one with `again`
 * set, for up to REMOTE_PATIENCE_MS, and is carried out once.
 */
#ifndef STORE_REMOTE_H
#define STORE_REMOTE_H

#include "base/buf.h"
#include "store/batch.h"

enum {
	REMOTE_HEAD_LEN = 4 + 8 + 2 + 1 + STORE_CALLER_ID_LEN + 8,
	REMOTE_PATIENCE_MS = 30000,
};

struct remote; /* one per store handle */

/* Nothing is dialled yet. path may be relative. -ENOMEM; -ENAMETOOLONG: no Unix socket's name. */
int remote_new(const char *path, struct remote **ret);
void remote_free(struct remote *r);

/*
 * One call, until its answer: what store_call() returns. result has room for OP_RESULT_MAX. Besides
 * the operation's own errors: -EHOSTDOWN no keeper is there (nothing was done), -ETIMEDOUT (it may
 * have been done), -EPERM the keeper does not let this user do that, -ESTALE it is of another
 * version, -EIO.
 */
int remote_call(struct remote *r, enum store_op op, const void *args, void *result);

/* -- frames: pure, for both sides and their fuzzers -------------------------------------------- */

struct remote_call_head {
	uint64_t version;
	enum store_op op;
	bool again;
	struct store_ticket ticket;
	struct span args; /* points into the frame */
};
/* The next whole frame at the beginning of bytes: 1, and its length with its head in *ret_len; 0:
 * more is needed, *ret_len in all (0: not known yet). -EBADMSG: it will never be one; -EMSGSIZE: it
 * is over SHAPE_MESSAGE_MAX. */
int remote_frame(struct span bytes, size_t *ret_len);

/* A call, appended; -EINVAL, -ENOMEM or b's own error as shape_put(): b is then as it was. */
int remote_call_write(struct buf *b, enum store_op op, const void *args,
	const struct store_ticket *ticket, bool again);
/* -EBADMSG: no call. The arguments are not looked at, nor the version: only when that is
 * shape_version() do op and args mean anything (op may be any 16 bits before). */
int remote_call_read(struct span frame, struct remote_call_head *ret);

/* item's ticket, rc and result, appended. -ENOMEM or b's own error. */
int remote_answer_write(struct buf *b, const struct store_batch_item *item);
/* The answer to a call of op. -EBADMSG: none, or of another length than op's result has. */
struct remote_answer {
	uint64_t number;
	int rc;
	struct span result; /* empty, or op's result_size bytes; points into the frame */
};
int remote_answer_read(struct span frame, enum store_op op, struct remote_answer *ret);

#endif
