/* The clock's offset: four time stamps a round (RFC 5905 section 8), the best of several. */
#include "client/daytime.h"

#include "base/timefmt.h"
#include "proto/daytime.h"

#include <errno.h>

#define ROUNDS 16

static int exchange_once(struct conn *conn, struct daytime_exchange *ret)
{
	struct daytime_exchange x;
	char line[64];
	struct span answer;
	int64_t t1_ns = time_now_ns();
	int r;

	snprintf(line, sizeof line, "daytime exchange %lld", (long long)t1_ns);
	r = daytime_request(conn, line, &answer);
	if (r < 0)
		return r;
	int64_t t4_ns = time_now_ns();

	/* An answer that echoes another question says nothing about this one. */
	if (daytime_read_exchange(answer, &x) < 0 || x.t1_ns != t1_ns)
		return -EPROTO;
	x.t4_ns = t4_ns;
	*ret = x;
	return 0;
}

/*
 * The round with the smallest bound wins; the first one warms the path and does not count. A round
 * in which a clock was set has no bound and is left out.
 */
int daytime_measure_over(struct conn *conn, unsigned timeout_s, struct daytime_measure *ret)
{
	struct daytime_measure best = {.bound_ns = INT64_MAX};

	for (int i = 0; i <= ROUNDS; i++) {
		struct daytime_exchange x;
		int64_t offset_ns, bound_ns;
		int r;

		conn_set_timeout_s(conn, timeout_s);
		r = exchange_once(conn, &x);
		if (r < 0)
			return r;
		if (i > 0 && daytime_offset(&x, &offset_ns, &bound_ns) == 0 &&
			bound_ns < best.bound_ns)
			best = (struct daytime_measure){offset_ns, bound_ns, x.synchronised};
	}
	if (best.bound_ns == INT64_MAX)
		return -ERANGE;
	*ret = best;
	return 0;
}

int daytime_measure(struct client *c, const struct profile *p, struct daytime_measure *ret)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	struct span banner;
	int r = daytime_open(c, p, &l, &banner);

	if (r != CLIENT_OK)
		return r;
	r = daytime_measure_over(l.conn, l.timeout_s, ret);
	if (r < 0)
		return client_fail(client_exit_of(r), "the offset cannot be measured: %s",
			r == -ERANGE ? "a clock is being set" : client_why(r));
	daytime_end(&l);
	return CLIENT_OK;
}

void daytime_measure_show(const struct daytime_measure *m, struct daytime_measure_text *ret)
{
	int64_t offset_us = m->offset_ns / 1000;
	/* The bound must hold as shown: rounded up, and what cutting the offset may hide added. */
	int64_t bound_us = m->bound_ns / 1000 + 2;
	int64_t size_us = offset_us < 0 ? -offset_us : offset_us;

	snprintf(ret->offset, sizeof ret->offset, "%c%lld.%06lld", offset_us < 0 ? '-' : '+',
		(long long)(size_us / TIME_S_US), (long long)(size_us % TIME_S_US));
	snprintf(ret->bound, sizeof ret->bound, "%lld.%06lld", (long long)(bound_us / TIME_S_US),
		(long long)(bound_us % TIME_S_US));
	ret->state = m->synchronised ? "synchronised" : "unsynchronised";
}
