/* What a client's lines cost it: a bucket of the session, beside that of messages in the store. */
#include "services/chatd/chatd.h"

#include "base/timefmt.h"

void chatd_cost(struct chatd *c)
{
	const struct chatd_policy *p = &c->policy;
	int64_t now_ms = time_monotonic_ms();
	int64_t cost_ms, allowed_ms;

	if (p->flood_rate == 0)
		return;
	cost_ms = (int64_t)(1000 / p->flood_rate);
	allowed_ms = (int64_t)(p->flood_burst * 1000 / p->flood_rate);
	if (c->flood_ms < now_ms)
		c->flood_ms = now_ms;
	c->flood_ms += cost_ms > 0 ? cost_ms : 1;
	if (c->flood_ms - now_ms > allowed_ms)
		c->held_until_ms = c->flood_ms - allowed_ms;
}
