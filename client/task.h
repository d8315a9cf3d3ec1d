/*
 * Tasks: functions of the client that wait (a log-in, a mailbox, a transfer), several at once in
 * one process and one poll loop. Each has a stack of its own; where it would wait in net_wait() it
 * gives way, and goes on when a descriptor of its is ready or its time has come. Between two waits
 * nothing else runs, so data shared by tasks needs no locks, but may be different after each wait.
 * Only the thread of main() uses this.
 */
#ifndef CLIENT_TASK_H
#define CLIENT_TASK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

enum { TASKS_MAX = 32 };

struct task; /* owned by the tasks; gone in the round after it is over */

/* Puts net_wait() in the place of poll(2); once. And back; all tasks must be over. */
int tasks_begin(void);
void tasks_end(void);

/* Begins with the next round. -ENOSPC, -ENOMEM. name: static text: whose it is. */
int task_start(const char *name, void (*run)(void *arg), void *arg, struct task **ret);
const char *task_name(const struct task *t);

/* From now on each of its waits fails with ECANCELED, so that it comes to its end in order. */
void task_cancel(struct task *t);
void tasks_cancel(void); /* all of them */

/* Its present or next wait in task_pause() ends at once. */
void task_poke(struct task *t);

/* -- inside a task ----------------------------------------------------------------------------- */

/* The one that runs; NULL: main() itself. */
struct task *task_self(void);
/* Waits for a poke. 0 poked; -ETIMEDOUT; -ECANCELED. timeout_ms negative: never. */
int task_pause(int timeout_ms);
/* Lets the others have their turn, in work that takes long without waiting. -ECANCELED. */
int task_yield(void);

/* -- in main() --------------------------------------------------------------------------------- */

/*
 * One round: waits until a task can go on, one of own is ready (its revents are set) or timeout_ms
 * have passed, and lets those tasks run that can. 0, or negative errno of poll(2).
 */
int tasks_round(struct pollfd *own, size_t count, int timeout_ms);
size_t tasks_count(void); /* those that are not over */

#endif
