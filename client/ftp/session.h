/*
 * One control connection as a state machine that never waits: connect, TLS, log-in, then one task
 * after the other. A command is asked with the function that gets its reply; that function asks the
 * next, begins a transfer, or says that the task is over.
 */
#ifndef CLIENT_FTP_SESSION_H
#define CLIENT_FTP_SESSION_H

#include "client/ftp/data.h"
#include "client/ftp/pool.h"
#include "net/conn.h"

#include <poll.h>

enum {
	SESSION_REPLY_MAX = 1 << 20, /* bytes of one reply, all its lines */
	SESSION_ASKED_MAX = 8, /* commands whose replies are not there yet */
	SESSION_FDS = 3, /* control, data, and where a download goes */
};

enum session_state {
	SESSION_CONNECT,
	SESSION_TLS,
	SESSION_LOGIN,
	SESSION_READY, /* idle, or at a task */
	SESSION_ENDED,
};

enum session_feature {
	SESSION_HAS_MLST = 1,
	SESSION_HAS_HASH = 2, /* HASH, with SHA-256 */
	SESSION_HAS_RANGE = 4, /* RANG, for a HASH of the first bytes */
	SESSION_HAS_MFMT = 8,
	SESSION_HAS_UTF8 = 16,
	SESSION_HASH_OTHER = 32, /* another algorithm than SHA-256 is chosen at first */
};

struct reply {
	unsigned code;
	struct span text; /* of its last line */
	struct span lines; /* all, without codes, each ended by LF */
};

struct session;

/* 0, or negative: the session cannot go on. */
typedef int (*session_then)(struct session *s, const struct reply *r);

struct session {
	struct ftp_pool *pool;
	enum session_state state;
	bool was_ready; /* it got through the log-in */
	const struct addrinfo *next; /* addresses not yet tried */
	int64_t address_end_ms; /* when the next of them is tried; INT64_MAX: there is none */
	int fd; /* connecting; afterwards the conn owns it */
	struct conn *conn;
	int64_t deadline_ms; /* until then the server has to move on; INT64_MAX: nothing is due */

	session_then asked[SESSION_ASKED_MAX]; /* oldest first */
	size_t asked_count;
	unsigned patience_s; /* added to the next command's deadline */
	unsigned inside; /* the code of the reply that is being read */
	unsigned marks; /* 1yz replies to the command */
	struct buf lines; /* of that reply */

	unsigned features; /* enum session_feature */
	bool no_epsv;
	struct data data;

	struct ftp_task *task; /* NULL: idle */
	int (*busy)(struct session *s); /* local work in slices: 1 more, 0 done, negative */

	int error; /* why it ended, or the last refusal: -EREMOTEIO with the next two */
	unsigned code;
	char reason[256];
};

/* -- its life (session.c) ----------------------------------------------------------------------
 */

/* Begins to connect. -ENOMEM; other failures are told by the state SESSION_ENDED. */
int session_new(struct ftp_pool *p, struct session **ret);
/* Closes at once; the task is the caller's to take out before. */
void session_free(struct session *s);

/* Goes on as far as it can. */
void session_step(struct session *s);

/* What it waits for, SESSION_FDS of them; *until_ms is lowered to its deadline. True: there is work
 * without waiting. */
bool session_poll(const struct session *s, struct pollfd *fds, int64_t *until_ms);

/* Did the deadline come? Then it has ended, or tries the next address. */
void session_tick(struct session *s, int64_t now_ms);

/* The line is lost or useless. */
void session_lose(struct session *s, int error);

/* Is it still good for a task? Looks whether the server said goodbye meanwhile. */
bool session_is_idle(struct session *s);

/* -- commands and replies (reply.c) ------------------------------------------------------------
 */

/* Sends a command; then() gets its reply, and each 1yz before it. -EINVAL: the line would be
 * several, or is too long. */
int session_ask(struct session *s, session_then then, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The server has until timeout and patience_s from now. */
void session_wait(struct session *s);

/* Reads the replies that are there. 0, or why the session cannot go on. */
int session_read(struct session *s);

/* Keeps code and text of a refusal. */
void session_note(struct session *s, const struct reply *r);

/* The digest behind "SHA-256 " in the last word on an upload, and that of a HASH reply: "SHA-256
 * 0-49 HEX NAME" (draft-bryan-ftpext-hash). */
bool reply_stored(struct span text, unsigned char ret[32]);
bool reply_hash(struct span text, unsigned char ret[32]);

/* The facts line of an MLST reply. -EPROTO. */
int reply_facts(const struct reply *r, struct ftp_entry *ret, unsigned *ret_facts);

/* -- log-in (login.c) --------------------------------------------------------------------------
 */

/* Waits for the greeting and goes on until the session is ready. */
int session_login(struct session *s);

/* -- what a task says of itself; each returns 0 ------------------------------------------------
 */

/* Done, or failed for good with a reason of its own. */
int session_finish(struct session *s, int error);
int session_fail(struct session *s, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* As the reply says: 4yz is tried again, 5yz is final. */
int session_refused(struct session *s, const struct reply *r);
/* To be tried again, by any session. */
int session_again(struct session *s, int error);

/* -- the tasks' own steps ----------------------------------------------------------------------
 */

/* task.c: begins the session's task. */
int task_begin(struct session *s);
/* The session is about to be gone in mid-task: what came is kept. */
void task_stop(struct session *s);

int get_begin(struct session *s);
int put_begin(struct session *s);
int list_begin(struct session *s);
int stat_begin(struct session *s);
int remove_begin(struct session *s);
int mkdir_begin(struct session *s);
int rmdir_begin(struct session *s);
int rmtree_begin(struct session *s);
int rename_begin(struct session *s);
int digest_begin(struct session *s);
int set_time_begin(struct session *s);
int text_begin(struct session *s);

#endif
