/* The clock's own word on its quality: for the four-time-stamp exchange and for the accuracy in
 * time stamps. */
#include "services/daytimed/clock.h"

#include <sys/timex.h>

/* Where the kernel's estimate stops growing (NTP_PHASE_LIMIT): the worst it would ever admit. */
#define WORST_ERROR_US INT64_C(16000000)

struct clock_state clock_state_of(int result, const struct timex *t)
{
	struct clock_state state = {.max_error_us = WORST_ERROR_US};

	if (result < 0)
		return state;
	state.synchronised = result != TIME_ERROR && (t->status & STA_UNSYNC) == 0;
	if (t->maxerror >= 0)
		state.max_error_us = t->maxerror;
	return state;
}

struct clock_state clock_state_now(void)
{
	struct timex t = {.modes = 0};
	int result = adjtimex(&t);

	return clock_state_of(result, &t);
}
