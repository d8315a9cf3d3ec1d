/*
 * What the arguments and results of operations look like, field by field, so that they can travel
 * between processes: one description serves writing and reading. Bytes that come in are believed
 * in nothing: every length, number of elements, truth value, enumeration and end of a string is
 * checked, so that whatever a caller sends is what a caller in the same process could have passed.
 */
#ifndef STORE_SHAPE_H
#define STORE_SHAPE_H

#include "base/buf.h"
#include "store/ops.h"

enum { SHAPE_MESSAGE_MAX = 8 << 20 }; /* encoded arguments of one operation */

/* The arguments of that operation, appended. -EINVAL: they are nothing that could be read again
 * (too long, a string without its end); -ENOMEM. */
int shape_put(enum store_op op, const void *args, struct buf *b);

/*
 * The other way round: *ret is the argument struct, its spans and pointers lead into bytes or into
 * memory of the same arena, so bytes must outlive it. -EBADMSG; -ENOMEM.
 */
struct shape_arena {
	void *blocks; /* owned; {NULL} to begin with */
};
int shape_take(enum store_op op, struct span bytes, struct shape_arena *arena, void **ret);
void shape_done(struct shape_arena *arena); /* also after a failure */

/* Do the arguments say that it is now_us, but for slack_us, wherever they say what time it is?
 * Other times (of files, of a message, the end of an invite) are not looked at. */
bool shape_is_timely(enum store_op op, const void *args, int64_t now_us, int64_t slack_us);

/* Results are plain: the same struct, as bytes. Its size is op_find(op)->result_size. */

/* A digest of all shapes, names and result sizes: two programs that have the same understand each
 * other. */
uint64_t shape_version(void);

#endif
