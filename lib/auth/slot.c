/* One lock file for each hash that may run; see base/slot.h. */
#include "auth/slot.h"

#include "base/slot.h"
#include "base/timefmt.h"

#include <errno.h>
#include <time.h>

enum { PAUSE_MS = 10 };

int slot_take(const char *runtime, int *ret_fd)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
	int64_t until_ms = time_monotonic_ms() + SLOT_WAIT_MS;
	int r;

	if (runtime == NULL) {
		*ret_fd = -1;
		return 0;
	}
	for (;;) {
		r = slot_try(runtime, "password", SLOT_COUNT, ret_fd);
		if (r != -EAGAIN || time_monotonic_ms() >= until_ms)
			return r;
		(void)nanosleep(&pause, NULL);
	}
}
