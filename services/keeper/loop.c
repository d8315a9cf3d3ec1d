/*
 * The loop: reads from all who have sent something, then one commit for all whose calls are whole,
 * then looks again. While a commit waits for the disk the next calls gather, so the more is asked
 * the more goes into one; nobody waits for others to come.
 */
#include "services/keeper/keeper.h"

#include "base/timefmt.h"

#include <errno.h>
#include <sys/epoll.h>

enum { EVENTS = 512, TEND_MS = 5000, FIRST_CALLER = NET_ACTIVATE_MAX + 1 };

/* What an event is about: listeners by their number, then the signals, then the callers' slots. */
static void dispatch(struct keeper *k, uint64_t what)
{
	if (what < NET_ACTIVATE_MAX)
		caller_accept(k, k->sockets.fds[what]);
	else if (what < FIRST_CALLER)
		k->ending = true;
	else if (k->table[what - FIRST_CALLER] != NULL)
		caller_read(k, k->table[what - FIRST_CALLER]);
}

static int wait_and_read(struct keeper *k)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(k->epoll_fd, events, EVENTS, k->queued > 0 ? 0 : k->second_ms);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++)
		dispatch(k, events[i].data.u64);
	return 0;
}

/* Killed readers hold pages; looked for while there is work, since only then pages are asked for.
 */
static void tend(struct keeper *k, int64_t now_ms)
{
	if (!k->worked || now_ms - k->tended_ms < TEND_MS)
		return;
	k->worked = false;
	k->tended_ms = now_ms;
	(void)store_batch_tend(k->store);
}

static void tick(struct keeper *k)
{
	int64_t now_ms = time_monotonic_ms();

	tend(k, now_ms);
	if (now_ms - k->tick_ms < k->second_ms)
		return;
	k->tick_ms = now_ms;
	k->idle_ticks = k->callers > 0 ? 0 : k->idle_ticks + 1;
	caller_tick(k);
}

int keeper_run(struct keeper *k)
{
	int r = 0;

	while (r == 0) {
		r = wait_and_read(k);
		if (r == 0 && k->queued > 0)
			r = keeper_commit(k);
		tick(k);
		if (k->ending && k->queued == 0)
			break;
		if (k->idle_exit_s > 0 && k->idle_ticks >= k->idle_exit_s)
			break;
	}
	return r;
}
