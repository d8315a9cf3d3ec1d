/*
 * The keeper: one process that writes the store for all (DESIGN section 8). Callers come over a
 * Unix socket; what has come in whole when it looks is done in one commit, and only then answered.
 * See keeper(8); the frames are in store/remote.h, who may do what in rights.h.
 */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include "base/buf.h"
#include "net/activate.h"
#include "service/service.h"
#include "services/keeper/rights.h"
#include "store/batch.h"
#include "store/shape.h"

enum {
	KEEPER_CALLERS_MAX = 4096,
	KEEPER_CALLS_MAX = 256, /* of one commit */
	KEEPER_BYTES_MAX = 4 << 20, /* the same: of their frames, beyond the first */
	KEEPER_COMMIT_MS = 50, /* the same: after which the others wait for the next */
	KEEPER_IDLE_EXIT_S = 10,
	KEEPER_KINDS = CALLER_ALL + 1,
};

/* One connection. It has one call under way at a time. */
struct caller {
	int fd;
	size_t slot; /* its place in the table */
	enum keeper_caller kind;
	pid_t pid;
	struct buf in;
	size_t need; /* the frame's length; 0: not known yet */
	size_t lent; /* of the large frames' memory of its kind */
	unsigned ticks; /* seconds it has been idle, or had half a frame, that we had time for it */
	bool queued; /* a whole frame waits */
	bool paused; /* not read: it waits for memory for a large frame */
	struct caller *next; /* in the queue of its kind */
};

struct keeper_queue {
	struct caller *first, **end;
};

/* The calls of one commit. of[i] asked for items[i]. */
struct keeper_batch {
	struct store_batch_item items[KEEPER_CALLS_MAX];
	struct caller *of[KEEPER_CALLS_MAX];
	size_t count, bytes;
	struct shape_arena arena;
};

struct keeper_stats {
	uint64_t calls, batches, largest, again, refused, dropped, callers;
};

struct keeper {
	struct service_settings settings;
	struct net_activation sockets;
	struct store *store;
	struct keeper_users users;
	unsigned max, idle_exit_s;
	int second_ms; /* 1000; test builds can be made to hurry */
	int epoll_fd, signal_fd;
	bool ending; /* asked to */
	struct caller *table[KEEPER_CALLERS_MAX];
	size_t callers, of_kind[KEEPER_KINDS], lent[KEEPER_KINDS];
	size_t waiting[KEEPER_KINDS]; /* callers that are paused */
	struct keeper_queue queues[KEEPER_KINDS];
	size_t queued;
	unsigned turn; /* the kind that is asked first */
	struct keeper_batch *batch;
	struct buf out;
	int64_t tick_ms, tended_ms, complained_ms;
	unsigned idle_ticks; /* without a caller */
	bool worked; /* since the readers were looked at */
	unsigned unsaid; /* complaints since the last that was logged */
	struct keeper_stats stats;
	int64_t started_ms;
};

/* Options, sockets, log, settings, the store, walls (start.c). 0; 1: --help or --version was
 * answered; negative: logged. */
int keeper_start(struct keeper *k, int argc, char **argv);
/* Logs the summary; the exit status. */
int keeper_finish(const struct keeper *k, int result);
void keeper_done(struct keeper *k);

/* Until SIGTERM or idle: 0; or what makes going on senseless (loop.c). */
int keeper_run(struct keeper *k);

/* -- callers (caller.c) ------------------------------------------------------------------------ */

/* Takes those who knock at that listener. */
void caller_accept(struct keeper *k, int listener_fd);
void caller_drop(struct keeper *k, struct caller *c);
/* Reads what has come; a whole frame goes to the queue. The caller may be gone afterwards. */
void caller_read(struct keeper *k, struct caller *c);
/* Sends the answer and is ready for the next call; the caller may be gone afterwards. */
void caller_answer(struct keeper *k, struct caller *c, const struct store_batch_item *item);
/* A second has passed: closes those that are idle or stuck. */
void caller_tick(struct keeper *k);
/* The next whole frame, in turn by kinds; NULL: none. It leaves the queue. */
struct caller *caller_next(struct keeper *k);
/* It did not come to it: it is the next. Of several, the last goes back first. */
void caller_put_back(struct keeper *k, struct caller *c);

/* -- commits (commit.c) ------------------------------------------------------------------------ */

/* Takes whole frames from the queue, does them and answers. Negative: as keeper_run(). */
int keeper_commit(struct keeper *k);

/* A caller did what it may not: logged, but not more than once a second. */
void keeper_complain(struct keeper *k, const struct caller *c, const char *what, const char *op);

#endif
