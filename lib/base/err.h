/*
 * How programs end, and what an error is called. Library functions return negative errno values;
 * these are the ones with a meaning of their own here:
 *   -ETIMEDOUT  a deadline passed         -EPROTO   the peer broke the protocol
 *   -ECONNRESET the peer is gone          -EPIPE    truncated or closed while writing
 *   -EKEYREJECTED a certificate or proof was refused
 *   -EBADMSG    a stored record or message does not decode
 *   -ESTALE     the store's schema is of another version
 *   -EHOSTDOWN  the keeper cannot be reached, or does not answer
 *   -EBUSY, -EAGAIN, -ENOMEM, -ENOSPC, -EDQUOT  temporary
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err_exit {
	ERR_EXIT_OK = 0, /* done, or the peer's fault */
	ERR_EXIT_BUG = 1, /* our bug */
	ERR_EXIT_CONFIG = 100, /* configuration or usage: permanent */
	ERR_EXIT_TEMP = 111, /* try again later */
};

/* A temporary condition (store busy, no memory, disk or map full)? error is negative. */
int err_is_temporary(int error);

/* The exit status of a service for a library result (0 or negative errno). */
int err_exit_status(int error);

/* A short text for a negative errno; points to static memory or a static per-call-site-free table.
 */
const char *err_text(int error);

#endif
