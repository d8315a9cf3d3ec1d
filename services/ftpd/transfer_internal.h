/*
 * The inside of a transfer. transfer.c is the machine; what is sent or received is a table of
 * functions: download.c (a file), listing.c (a folder), receive.c (an upload).
 */
#ifndef FTPD_TRANSFER_INTERNAL_H
#define FTPD_TRANSFER_INTERNAL_H

#include "services/ftpd/data.h"
#include "services/ftpd/transfer.h"

enum {
	TRANSFER_CHUNK = 262144, /* bytes held of a file */
	TRANSFER_STEP_MAX = 16 * TRANSFER_CHUNK, /* moved in one step */
	TRANSFER_TEXT_MAX = FTPD_REPLY_MAX - 16, /* of a reply; a path may have to be quoted */
};

/* How long each stage is waited for. */
struct transfer_patience {
	int64_t connect_ms, secure_ms;
	int64_t stall_ms; /* without a byte */
	int64_t goodbye_ms; /* for the peer's end, once everything has arrived there */
};
#ifdef QUINTET_TEST
extern struct transfer_patience transfer_patience; /* tests wait less */
#endif

enum transfer_stage {
	TRANSFER_PREPARE,
	TRANSFER_CONNECT,
	TRANSFER_SECURE,
	TRANSFER_MOVE,
	TRANSFER_GOODBYE, /* everything was moved */
	TRANSFER_DRAIN, /* an upload that is refused: what still comes is dropped for a moment */
};

struct transfer;

struct transfer_kind {
	const char *verb; /* for STAT and the log */
	bool incoming;
	/* A slice of work before the connection; as upload_prepare(). NULL: none. */
	int (*prepare)(struct transfer *t);
	/* The text behind 150. */
	void (*announce)(const struct transfer *t, struct buf *b);
	/* Outgoing: puts the next bytes into t->bytes and t->len, 1; 0: there are no more;
	 * -ENODATA: fewer than were promised; else negative errno. */
	int (*fill)(struct transfer *t);
	/* Everything is through: the text behind 226, or the error. */
	int (*finish)(struct transfer *t, struct buf *b);
	/* Frees what was given. keep: an upload's bytes may be continued later. */
	void (*release)(struct transfer *t, bool keep);
};

struct transfer {
	const struct transfer_kind *kind;
	enum transfer_stage stage;
	bool now; /* the last step stopped by itself */
	int64_t began_ms, until_ms;
	struct conn *conn; /* the data's; NULL before it is secured */
	uint64_t moved;

	unsigned char *bytes; /* TRANSFER_CHUNK of them, from the first use on */
	size_t len; /* filled */
	size_t at; /* of these sent */

	unsigned code; /* of the final reply once it is known; 0: none yet */
	const char *reason; /* its text, static memory */
	bool keep; /* what was received may be continued */
	bool said_bye, peer_ended, arrived; /* in GOODBYE and DRAIN */
	int unsent; /* bytes in the kernel when last looked at */

	char path[FTP_PATH_SIZE];
	struct upload *upload;
	int fd; /* of a download, -1: none */
	uint64_t offset, left;
	struct tree_list *list;
	struct tree *tree;
	char prefix[FTP_PATH_SIZE + 1]; /* of NLST's lines, "" or ending in a slash */
	enum transfer_form form;
	unsigned facts;
	int64_t now_us;
	bool begun, listed; /* the folder's own lines; the list's end */
};

/* What a stage comes to; negative: the session cannot go on. */
enum transfer_step { TRANSFER_WAIT, TRANSFER_ON, TRANSFER_OVER };

/* The next stage, with its patience; TRANSFER_ON. */
int transfer_enter(struct transfer *t, enum transfer_stage stage);

/* Sets the final reply; TRANSFER_OVER. */
int transfer_fail(struct transfer *t, unsigned code, const char *reason);

/* A new transfer or NULL, with its reply sent (*ret_r): no data address, PROT missing, no memory.
 */
struct transfer *transfer_new(struct ftpd *f, const struct transfer_kind *kind, int *ret_r);

/* t->bytes is there afterwards. -ENOMEM. */
int transfer_buffer(struct transfer *t);

/* The stage MOVE of both directions. */
int transfer_send(struct ftpd *f, struct transfer *t);
int transfer_receive(struct ftpd *f, struct transfer *t);

/* Something was moved: the stall begins anew. */
void transfer_moved(struct transfer *t, size_t count);

/* For -EAGAIN: wait on, or end it when the stage's time is over. */
int transfer_wait(struct transfer *t, unsigned code, const char *reason);

#endif
