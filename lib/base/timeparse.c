/* Reading RFC 3339. */
#include "base/timefmt.h"

#include <errno.h>

/* What is still to be read; the first miss sticks. */
struct reader {
	struct span rest;
	bool bad;
};

/* The next byte, or 0 at the end. */
static unsigned char next(struct reader *r)
{
	unsigned char c;

	if (r->rest.len == 0)
		return 0;
	c = r->rest.p[0];
	r->rest = span_of(r->rest.p + 1, r->rest.len - 1);
	return c;
}

/* A number of exactly that many digits. */
static int digits(struct reader *r, int count)
{
	int v = 0;

	for (int i = 0; i < count; i++) {
		unsigned char c = next(r);

		if (c < '0' || c > '9') {
			r->bad = true;
			return 0;
		}
		v = v * 10 + (c - '0');
	}
	return v;
}

static void expect(struct reader *r, char c)
{
	if (next(r) != (unsigned char)c)
		r->bad = true;
}

/* The optional fraction of a second: one to nine digits behind a dot. */
static int32_t fraction_ns(struct reader *r)
{
	int32_t ns = 0, scale = 100000000;

	if (r->rest.len == 0 || r->rest.p[0] != '.')
		return 0;
	(void)next(r);
	do {
		ns += digits(r, 1) * scale;
		scale /= 10;
	} while (scale > 0 && r->rest.len > 0 && r->rest.p[0] >= '0' && r->rest.p[0] <= '9');
	return ns;
}

/* "Z" or "+hh:mm" in seconds east of UTC. */
static int zone_s(struct reader *r, bool *ret_out_of_range)
{
	unsigned char sign = next(r);
	int hours, minutes;

	if (sign == 'Z' || sign == 'z')
		return 0;
	if (sign != '+' && sign != '-')
		r->bad = true;
	hours = digits(r, 2);
	expect(r, ':');
	minutes = digits(r, 2);
	*ret_out_of_range = hours > 23 || minutes > 59;
	return (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

/* The second after the parts (whose second is 59), when a leap second can be there. */
static int leap_second(const struct time_parts *p, int64_t *ret_us)
{
	struct time_parts after = {0};
	int64_t at_us;
	int r = time_from_parts(p, &at_us);

	if (r == 0)
		r = time_utc(at_us + TIME_S_US, &after);
	if (r != 0)
		return r;
	if (after.day != 1 || after.hour != 0 || after.minute != 0 || after.second != 0)
		return -ERANGE;
	*ret_us = at_us + TIME_S_US;
	return 0;
}

int time_parse_rfc3339(struct span s, int64_t *ret_us)
{
	struct reader r = {.rest = s};
	struct time_parts p = {0};
	bool zone_out_of_range = false;
	unsigned char t;

	p.year = digits(&r, 4);
	expect(&r, '-');
	p.month = digits(&r, 2);
	expect(&r, '-');
	p.day = digits(&r, 2);
	t = next(&r);
	p.hour = digits(&r, 2);
	expect(&r, ':');
	p.minute = digits(&r, 2);
	expect(&r, ':');
	p.second = digits(&r, 2);
	p.nanosecond = fraction_ns(&r);
	p.offset_s = zone_s(&r, &zone_out_of_range);
	if (r.bad || r.rest.len > 0 || (t != 'T' && t != 't' && t != ' '))
		return -EINVAL;
	if (zone_out_of_range)
		return -ERANGE;
	if (p.second == 60) {
		p.second = 59;
		return leap_second(&p, ret_us);
	}
	return time_from_parts(&p, ret_us);
}
