/*
 * The data connection of a session and the one transfer over it: EPSV or PASV, always to the
 * control connection's own address; TLS after the server's 150, accepted only when it resumed the
 * control connection's session; bytes by the plan's functions; the end, which is over when both the
 * data connection and the server's last word are there.
 */
#ifndef CLIENT_FTP_DATA_H
#define CLIENT_FTP_DATA_H

#include "base/span.h"

#include <stdint.h>
#include <sys/types.h>

struct conn;
struct session;

enum {
	DATA_BUFFER = 256 * 1024,
	DATA_SLICE = 4 * DATA_BUFFER, /* moved in one step, then others have their turn */
};

enum data_state {
	DATA_NONE, /* no transfer, or its address is being asked for */
	DATA_CONNECT,
	DATA_CONNECTED, /* until the server's 150 */
	DATA_TLS,
	DATA_MOVE,
	DATA_BYE, /* an upload's close_notify is on its way */
	DATA_DRAIN, /* and the server's is awaited */
	DATA_OVER,
};

struct data_plan {
	bool upload;
	bool eager; /* a download's bytes are taken as they come, not by full buffers */
	const char *verb; /* RETR, STOR, MLSD */
	/* A download's next bytes: how many of them were taken. Fewer than all: the task's out_fd
	 * has to be writable first. Negative: the local side has failed. */
	ssize_t (*take)(struct session *s, struct span bytes);
	/* An upload's next bytes; 0: the end. */
	ssize_t (*give)(struct session *s, unsigned char *p, size_t len);
	/*
	 * How it went, as session_then: 0; -EREMOTEIO: the server refused (session.code, .reason);
	 * with data.local what take() or give() said; else the line was lost.
	 */
	int (*over)(struct session *s, int error);
};

struct data {
	enum data_state state;
	const struct data_plan *plan; /* NULL: no transfer */
	uint64_t at;
	int fd; /* connecting; afterwards the conn owns it */
	struct conn *conn;
	unsigned char *buffer; /* DATA_BUFFER bytes, made for the first transfer */
	size_t len, used; /* filled, and of that moved on */
	bool begun; /* 150 was said */
	bool answered; /* the last word was said */
	bool waiting; /* for out_fd */
	bool more; /* there is work without waiting */
	bool local;
	int error;
	unsigned code; /* the last word's */
};

/* -- transfer.c -------------------------------------------------------------------------------- */

/* Begins a transfer of the task's remote path from byte `at` on. As session_then. */
int transfer_begin(struct session *s, const struct data_plan *plan, uint64_t at);

/* Goes on as far as it can. 0, or negative: the session cannot go on. */
int transfer_step(struct session *s);

/* Ends the moving; the server's last word is still awaited. */
void transfer_stop(struct session *s, int error, bool local);

/* The plan's over() for failures that are not local: tried again or final, as session_then. */
int transfer_failed(struct session *s, int error);

/* -- data.c ------------------------------------------------------------------------------------ */

/* Begins to connect to that port of the server. */
int data_connect(struct session *s, uint16_t port);

/* Begins TLS on the connected socket. */
int data_begin_tls(struct session *s);
/* 0: established and bound to this log-in; -EAGAIN; -EKEYREJECTED; others. */
int data_step_tls(struct session *s);

/* Moves bytes: 0 when the direction's end is reached, -EAGAIN, or negative (data.local tells whose
 * fault). */
int data_download(struct session *s);
int data_upload(struct session *s);

/* Hands over to the plan what is in the buffer: as data_download(). */
int data_drain(struct session *s);

/* Closes without goodbye; the buffer stays. */
void data_close(struct data *d);
void data_done(struct data *d);

#endif
