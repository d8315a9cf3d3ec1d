/*
 * quintet ftp's engine: a pool of FTP sessions (RFC 959, 4217, 3659) on one poll loop. The user
 * interface makes tasks, the pool does them, several at once, and tells how far they are. A lost
 * line is taken up again by itself: the session logs in anew and the transfer goes on where it was.
 *
 *	ftp.h      tasks (task.c)
 *	pool.h     the pool: who does what when (pool.c), its loop (loop.c)
 *	session.h  one control connection: its life (session.c), commands and replies (reply.c),
 *		   log-in (login.c)
 *	data.h     its data connection (data.c) and one transfer over it (transfer.c)
 *	work.h     what a transfer keeps over lost lines: parts (part.c), digests (work.c)
 *	get.c put.c list.c simple.c  the tasks' own steps
 *	ui: cmd.c (cmd_ftp, one-shot subcommands), shell.c (interactive), sync.c, walk.c (recursion,
 *	globs), progress.c, complete.c
 */
#ifndef CLIENT_FTP_FTP_H
#define CLIENT_FTP_FTP_H

#include "client/client.h"
#include "client/profile.h"
#include "proto/ftp.h"

#define FTP_SESSIONS_MAX 8

enum ftp_task_kind {
	FTP_LIST, /* remote folder -> entries (MLSD) */
	FTP_STAT, /* remote -> entry (MLST) */
	FTP_GET, /* remote file -> local path or out_fd */
	FTP_PUT, /* local file -> remote path */
	FTP_REMOVE, /* file (DELE) */
	FTP_MKDIR,
	FTP_RMDIR, /* an empty folder */
	FTP_RMTREE, /* a folder and all in it (SITE RMTREE twice) */
	FTP_RENAME, /* remote -> to */
	FTP_DIGEST, /* SHA-256 of remote (HASH) */
	FTP_SET_TIME, /* MFMT of remote to entry.modify_us */
	FTP_TEXT, /* line, a raw command: the reply's text (STAT, AVBL, SITE HELP, FEAT) */
};

enum ftp_task_state { FTP_WAITING, FTP_RUNNING, FTP_DONE, FTP_FAILED };

struct ftp_task {
	enum ftp_task_kind kind;
	char *remote; /* absolute; malloc'ed and owned by the task, as the next three */
	char *to;
	char *local;
	char *line;
	int local_dir_fd; /* local is below it (openat): AT_FDCWD from ftp_task_new(); borrowed */
	int out_fd; /* FTP_GET into it in place of local (cat); -1 none; borrowed */
	bool fresh; /* FTP_GET, FTP_PUT: begin at 0 even if a part is there */
	bool keep_time; /* set the file's time as at the source */
	bool no_overwrite; /* FTP_GET: -EEXIST when local exists */

	/* how far; for progress */
	enum ftp_task_state state;
	uint64_t size; /* of the whole, once known */
	uint64_t at; /* bytes there, those from before included */
	uint64_t began_at; /* where this run of it began */
	int64_t began_ms;
	unsigned attempts; /* connections used up */

	/* results */
	int error; /* 0, or negative errno; -EREMOTEIO: the server refused, see code and reason */
	unsigned code;
	char reason[256]; /* escaped, for people */
	struct ftp_entry entry; /* FTP_STAT, FTP_PUT and FTP_GET: as it is now */
	unsigned char digest[32]; /* FTP_DIGEST, FTP_GET, FTP_PUT */
	bool verified; /* FTP_GET, FTP_PUT: the server's digest is the same */
	struct buf text; /* FTP_TEXT; FTP_LIST: MLSD lines with CR LF taken off, each ended by LF */

	void *tag; /* the user interface's own */
	struct ftp_task *next; /* the pool's own, as the next */
	struct ftp_work *work;
};

struct ftp_task *ftp_task_new(enum ftp_task_kind kind, const char *remote); /* NULL: no memory */
void ftp_task_free(struct ftp_task *t);

/* How to reach and who to be. */
struct ftp_options {
	unsigned sessions; /* 1 to FTP_SESSIONS_MAX */
	const char *user; /* NULL: the profile's */
	struct span password; /* empty: by certificate */
	bool want_digest; /* verify every transfer by SHA-256: on unless --no-verify */
	unsigned retries; /* of a lost line, per task; each after a growing pause */
};

struct ftp_pool;

/*
 * Makes the pool and opens its first session, so that a wrong password or an unreachable server is
 * told at once (on standard error): an exit code, CLIENT_OK with *ret. profile and options.password
 * are borrowed for the pool's life. The door is "ftps" of the profile's directory (implicit TLS).
 */
int ftp_pool_open(struct client *c, const struct profile *p, const struct ftp_options *options,
	struct ftp_pool **ret);
void ftp_pool_close(struct ftp_pool *p); /* QUIT on all; waiting tasks are freed */
void ftp_pool_closep(struct ftp_pool **p);

/* Takes the task over until it comes back by ftp_pool_take(). */
void ftp_pool_add(struct ftp_pool *p, struct ftp_task *t);

/*
 * Runs the loop until a task is done or failed (1), all are (0: none is left), every_ms have passed
 * (2; 0: never; for progress), or -ECANCELED after a signal: then tasks under way are abandoned in
 * an orderly way (parts stay) and the sessions closed; all tasks come back by ftp_pool_take(), with
 * -ECANCELED, and the pool may be used on: sessions are opened anew for the next task. The signal
 * itself is left in client->signal_fd for the caller to read. watch_fd (-1: none): readable returns
 * 3 (the person's keyboard); with one it waits although no task is there (2 after every_ms), and
 * keeps the idle sessions alive or lets them go, to be opened again when they are needed.
 */
int ftp_pool_run(struct ftp_pool *p, unsigned every_ms, int watch_fd);

/* Gives up this one task of the pool, in an orderly way (a part stays): it comes back by
 * ftp_pool_take() with -ECANCELED. The session it was on is closed; the others go on. */
void ftp_pool_drop(struct ftp_pool *p, struct ftp_task *t);

/* Is any session there, or coming about? */
bool ftp_pool_is_alive(const struct ftp_pool *p);

/* A task that is done or failed, the caller's from now on; NULL none. */
struct ftp_task *ftp_pool_take(struct ftp_pool *p);

/* Tasks under way, for progress; nonzero ends it. */
int ftp_pool_each(struct ftp_pool *p, int (*each)(void *arg, const struct ftp_task *t), void *arg);

/* Adds one task and runs until it is done: for simple commands. An exit code told on standard error
 * if not CLIENT_OK; the task is back with the caller. */
int ftp_pool_do(struct ftp_pool *p, struct ftp_task *t);

/* The first session's current folder as the server said at log-in ("/shared"). */
const char *ftp_pool_home(const struct ftp_pool *p);

/* "TLSv1.3, TLS_AES_128_GCM_SHA256, data connections resumed": the visible check. */
const char *ftp_pool_security(const struct ftp_pool *p);

/* The exit code of a failed task (client_exit_of, CLIENT_NO for refusals, CLIENT_UNTRUSTED for a
 * digest that differs), told on standard error. */
int ftp_task_told(const struct ftp_task *t);

#endif
