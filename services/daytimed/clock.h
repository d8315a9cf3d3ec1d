/* What the kernel knows of its clock's quality (adjtimex(2), RFC 5905 section 4). */
#ifndef DAYTIMED_CLOCK_H
#define DAYTIMED_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock_state {
	bool synchronised; /* somebody disciplines it, and the kernel believes it */
	int64_t max_error_us; /* the greatest error the kernel allows for */
};

struct timex;

/* Pure: result and structure as adjtimex() gave them. */
struct clock_state clock_state_of(int result, const struct timex *t);

/* Asks the kernel. What cannot be asked is unsynchronised. */
struct clock_state clock_state_now(void);

#endif
