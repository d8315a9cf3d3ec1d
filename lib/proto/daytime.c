/* The lines of the daytime dialogue that both sides must agree on: the exchange of four time stamps
 * and the seed's form of a time. Pure. */
#include "proto/daytime.h"

#include "base/num.h"
#include "base/timefmt.h"

#include <errno.h>

int daytime_write_exchange(struct buf *b, const struct daytime_exchange *x)
{
	buf_addf(b, "exchange %lld %lld %lld %lld %s", (long long)x->t1_ns, (long long)x->t2_ns,
		(long long)x->t3_ns, (long long)x->server_error_ns,
		x->synchronised ? "synchronised" : "unsynchronised");
	return buf_error(b);
}

/* The next word up to a blank or the end. */
static struct span next_word(struct span *rest)
{
	struct span word = {0};

	(void)span_split(rest, ' ', &word);
	return word;
}

static int next_ns(struct span *rest, int64_t min, int64_t *ret)
{
	return num_parse_i64(next_word(rest), min, INT64_MAX, ret) < 0 ? -EBADMSG : 0;
}

int daytime_read_exchange(struct span line, struct daytime_exchange *ret)
{
	struct daytime_exchange x = {0};

	if (line.len > DAYTIME_LINE_MAX || !span_eq_str(next_word(&line), "exchange"))
		return -EBADMSG;
	if (next_ns(&line, INT64_MIN, &x.t1_ns) < 0 || next_ns(&line, INT64_MIN, &x.t2_ns) < 0 ||
		next_ns(&line, INT64_MIN, &x.t3_ns) < 0 ||
		next_ns(&line, 0, &x.server_error_ns) < 0)
		return -EBADMSG;
	/* The rest, not a word: nothing may follow the state. */
	if (span_eq_str(line, "synchronised"))
		x.synchronised = true;
	else if (!span_eq_str(line, "unsynchronised"))
		return -EBADMSG;
	*ret = x;
	return 0;
}

int daytime_offset(const struct daytime_exchange *x, int64_t *ret_offset_ns, int64_t *ret_bound_ns)
{
	int64_t there, back, round_trip, inside, offset, bound;

	if (__builtin_sub_overflow(x->t2_ns, x->t1_ns, &there) ||
		__builtin_sub_overflow(x->t3_ns, x->t4_ns, &back) ||
		__builtin_sub_overflow(x->t4_ns, x->t1_ns, &round_trip) ||
		__builtin_sub_overflow(x->t3_ns, x->t2_ns, &inside) ||
		__builtin_add_overflow(there, back, &offset) ||
		__builtin_sub_overflow(round_trip, inside, &bound))
		return -ERANGE;
	/* Time that ran backwards on either side, or an answer faster than its making: no bound. */
	if (round_trip < 0 || inside < 0 || bound < 0)
		return -ERANGE;
	/* A half is rounded up, for the offset below is cut: the bound must hold as given. */
	bound = bound / 2 + bound % 2;
	if (__builtin_add_overflow(bound, x->server_error_ns, &bound))
		return -ERANGE;
	*ret_offset_ns = offset / 2;
	*ret_bound_ns = bound;
	return 0;
}

/* "2026-11-21 01:33:42 +00:00" as RFC 3339 would have it; its own parser then judges it. */
static int read_stamp(struct span s, int64_t *ret_us)
{
	unsigned char text[25];

	if (s.len != 26 || s.p[10] != ' ' || s.p[19] != ' ')
		return -EBADMSG;
	memcpy(text, s.p, 19);
	text[10] = 'T';
	memcpy(text + 19, s.p + 20, 6);
	return time_parse_rfc3339(span_of(text, sizeof(text)), ret_us) < 0 ? -EBADMSG : 0;
}

int daytime_read_line(struct span line, int64_t *ret_us)
{
	struct span weekday = next_word(&line);
	struct time_parts parts;
	int64_t at_us, local_us, offset_s;
	int r;

	r = read_stamp(line, &at_us);
	if (r < 0)
		return r;
	/* The weekday is that of the zone shown. */
	offset_s = (line.p[21] - '0') * 36000 + (line.p[22] - '0') * 3600 +
		(line.p[24] - '0') * 600 + (line.p[25] - '0') * 60;
	local_us = at_us + (line.p[20] == '-' ? -offset_s : offset_s) * TIME_S_US;
	if (time_utc(local_us, &parts) < 0 || !span_eq_str(weekday, time_weekday(&parts)))
		return -EBADMSG;
	*ret_us = at_us;
	return 0;
}
