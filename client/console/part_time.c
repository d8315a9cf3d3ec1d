/* This machine's clock against the server's: measured at the beginning and every ten minutes. */
#include "client/console/house.h"

#include "base/timefmt.h"
#include "client/daytime.h"

#include <errno.h>

enum { AGAIN_MS = 600000 };

static void measured(struct console *c, const struct daytime_measure *m)
{
	struct part *part = &c->parts[PART_TIME];
	struct daytime_measure_text text = {.state = ""};

	c->clock = (struct clock_view){.known = true,
		.offset_us = m->offset_ns / 1000,
		.bound_us = m->bound_ns / 1000 + 2,
		.at_us = time_now_us()};
	daytime_measure_show(m, &text);
	snprintf(part->text, sizeof part->text, "offset %s s, bound %s s, the server is %s",
		text.offset, text.bound, text.state);
	part_up(c, PART_TIME);
	if (part->busy > 0)
		house_clock_tell(c);
	part->busy = 0;
}

static void time_task(void *arg)
{
	struct console *c = arg;
	struct part *part = &c->parts[PART_TIME];

	while (!c->leaving) {
		struct daytime_measure m;
		int r = 0;

		if (directory_door(&c->profile.doors, "daytime") == NULL) {
			part_absent(c, PART_TIME);
			r = task_pause(AGAIN_MS);
		} else if (daytime_measure(c->client, &c->profile, &m) == CLIENT_OK) {
			measured(c, &m);
			r = task_pause(AGAIN_MS);
		} else if (!c->leaving) {
			c->clock.known = false;
			if (part->busy > 0 && part->losses > 0)
				console_error(c, "the clock is not measured: %s", part->why);
			part->busy = 0;
			part_lost(c, PART_TIME, "%s", part->why);
			r = part_wait(c, PART_TIME);
		}
		if (r == -ECANCELED)
			return;
	}
}

int part_time_begin(struct console *c)
{
	return task_start("time", time_task, c, &c->parts[PART_TIME].task);
}
