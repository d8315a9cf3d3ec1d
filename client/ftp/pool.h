/*
 * The inside of the pool: its sessions, the tasks that wait, and those that are over. Sessions come
 * back to it with what became of their task.
 */
#ifndef CLIENT_FTP_POOL_H
#define CLIENT_FTP_POOL_H

#include "client/ftp/ftp.h"

struct addrinfo;
struct session;
struct tls_client;

struct ftp_queue {
	struct ftp_task *first, *last;
};

struct ftp_pool {
	struct client *c;
	const struct profile *profile;
	struct ftp_options options;
	char user[64];
	struct tls_client *tls;
	struct addrinfo *addresses;
	struct session *sessions[FTP_SESSIONS_MAX];
	unsigned limit; /* sessions that the server seems to allow */
	int64_t limit_until_ms; /* then more are tried again */
	struct ftp_queue waiting, finished;
	char home[FTP_PATH_SIZE];
	char security[160];
	bool scripted; /* a test's sessions: over memory, all the server will ever say is there */
};

void pool_push(struct ftp_queue *q, struct ftp_task *t);
void pool_push_front(struct ftp_queue *q, struct ftp_task *t);
/* Takes this one out, if it is there. */
bool pool_remove(struct ftp_queue *q, struct ftp_task *t);

/* The task is done (0) or has failed; its reason is set, or what error means is. */
void pool_finish(struct ftp_pool *p, struct ftp_task *t, int error);

/* The line was lost, or the server asked for patience: the task waits and is tried again, as often
 * as the options say; then it has failed with error. */
void pool_again(struct ftp_pool *p, struct ftp_task *t, int error);

/* Sweeps, and gives waiting tasks to idle and new sessions. *until_ms is lowered to when the next
 * is due. */
void pool_dispatch(struct ftp_pool *p, int64_t *until_ms);

/* Removes sessions that ended, with what that means for their tasks. */
void pool_sweep(struct ftp_pool *p);

/* Everything comes back with -ECANCELED and the sessions end at once. */
void pool_cancel(struct ftp_pool *p);

#endif
