/*
 * The POSIX TZ rule with the extensions of RFC 9636 section 3.3.1 (times of -167 to 167 hours): its
 * text, and which offset it gives at a time.
 */
#include "services/daytimed/zone.h"

#include "base/timefmt.h"

#include <errno.h>

#define HOUR_S 3600
#define DAY_S 86400

/* What is still to be read; the first miss sticks. */
struct reader {
	struct span rest;
	bool bad;
};

static unsigned char peek(const struct reader *r)
{
	return r->rest.len > 0 ? r->rest.p[0] : 0;
}

static bool accept(struct reader *r, unsigned char c)
{
	if (r->rest.len == 0 || r->rest.p[0] != c)
		return false;
	r->rest = span_of(r->rest.p + 1, r->rest.len - 1);
	return true;
}

static void expect(struct reader *r, unsigned char c)
{
	if (!accept(r, c))
		r->bad = true;
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* One to three digits within the bounds. */
static int number(struct reader *r, int min, int max)
{
	int v = 0, digits = 0;

	while (is_digit(peek(r)) && digits < 3) {
		v = v * 10 + (peek(r) - '0');
		digits++;
		(void)accept(r, peek(r));
	}
	if (digits == 0 || v < min || v > max)
		r->bad = true;
	return v;
}

/* [+-]h[:mm[:ss]] in seconds. */
static int32_t clock_s(struct reader *r, int max_hours)
{
	bool minus = accept(r, '-');
	int32_t s;

	if (!minus)
		(void)accept(r, '+');
	s = number(r, 0, max_hours) * HOUR_S;
	if (accept(r, ':')) {
		s += number(r, 0, 59) * 60;
		if (accept(r, ':'))
			s += number(r, 0, 59);
	}
	return minus ? -s : s;
}

/* "CET" or "<+01>": what it is called is of no use here. */
static void skip_name(struct reader *r)
{
	size_t letters = 0;
	bool quoted = accept(r, '<');

	while (is_letter(peek(r)) ||
		(quoted && (is_digit(peek(r)) || peek(r) == '+' || peek(r) == '-'))) {
		letters++;
		(void)accept(r, peek(r));
	}
	if (letters < 3)
		r->bad = true;
	if (quoted)
		expect(r, '>');
}

static struct zone_change change(struct reader *r)
{
	struct zone_change c = {.time_s = 2 * HOUR_S};

	if (accept(r, 'M')) {
		c.kind = ZONE_DAY_MONTH;
		c.month = number(r, 1, 12);
		expect(r, '.');
		c.week = number(r, 1, 5);
		expect(r, '.');
		c.day = number(r, 0, 6);
	} else if (accept(r, 'J')) {
		c.kind = ZONE_DAY_JULIAN;
		c.day = number(r, 1, 365);
	} else {
		c.kind = ZONE_DAY_ZERO;
		c.day = number(r, 0, 365);
	}
	if (accept(r, '/'))
		c.time_s = clock_s(r, 167);
	return c;
}

int zone_rule_parse(struct span text, struct zone_rule *ret)
{
	struct reader r = {.rest = text};
	struct zone_rule rule = {0};

	skip_name(&r);
	/* POSIX counts west of Greenwich. */
	rule.standard_s = -clock_s(&r, 24);
	if (r.rest.len > 0) {
		rule.has_summer = true;
		skip_name(&r);
		rule.summer_s = rule.standard_s + HOUR_S;
		if (peek(&r) != ',')
			rule.summer_s = -clock_s(&r, 24);
		expect(&r, ',');
		rule.start = change(&r);
		expect(&r, ',');
		rule.end = change(&r);
	}
	if (r.bad || r.rest.len > 0)
		return -EBADMSG;
	*ret = rule;
	return 0;
}

/* Seconds since the epoch at the start of that day, as if it were in UTC. */
static int day_start_s(int year, int month, int day, int64_t *ret_s)
{
	const struct time_parts parts = {.year = year, .month = month, .day = day};
	int64_t at_us;
	int r = time_from_parts(&parts, &at_us);

	if (r == 0)
		*ret_s = at_us / TIME_S_US;
	return r;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The week'th such weekday of the month, 5 being the last. */
static int month_day_s(int year, const struct zone_change *c, int64_t *ret_s)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int length = lengths[c->month - 1] + (c->month == 2 && is_leap(year) ? 1 : 0);
	int first_weekday, day;
	int64_t first_s = 0;
	int r = day_start_s(year, c->month, 1, &first_s);

	if (r < 0)
		return r;
	/* 1970-01-01 was a Thursday. */
	first_weekday = (int)(((first_s / DAY_S + 4) % 7 + 7) % 7);
	day = 1 + (c->day - first_weekday + 7) % 7 + (c->week - 1) * 7;
	if (day > length)
		day -= 7;
	*ret_s = first_s + (int64_t)(day - 1) * DAY_S;
	return 0;
}

/* When the change happens in that year, on a clock that is offset_s east of UTC before it. */
static int change_at_s(int year, const struct zone_change *c, int32_t offset_s, int64_t *ret_s)
{
	int64_t day_s = 0;
	int r;

	if (c->kind == ZONE_DAY_MONTH) {
		r = month_day_s(year, c, &day_s);
	} else {
		r = day_start_s(year, 1, 1, &day_s);
		if (r == 0)
			day_s += (int64_t)(c->kind == ZONE_DAY_ZERO ? c->day : c->day - 1) * DAY_S;
		/* Jn does not count the 29th of February: 60 is always the 1st of March. */
		if (r == 0 && c->kind == ZONE_DAY_JULIAN && c->day >= 60 && is_leap(year))
			day_s += DAY_S;
	}
	if (r == 0)
		*ret_s = day_s + c->time_s - offset_s;
	return r;
}

/*
 * The newest change at or before the time decides, among those of three years, since one may fall
 * outside its own year. Where an end and a start coincide it is summer all year.
 */
int zone_rule_offset_s(const struct zone_rule *rule, int64_t at_s, int32_t *ret_offset_s)
{
	int64_t newest_s = INT64_MIN, start_s = 0, end_s = 0;
	struct time_parts now = {0};
	bool summer = false;
	int r;

	if (!rule->has_summer) {
		*ret_offset_s = rule->standard_s;
		return 0;
	}
	if (at_s > INT64_MAX / TIME_S_US || at_s < INT64_MIN / TIME_S_US)
		return -ERANGE;
	r = time_utc(at_s * TIME_S_US, &now);
	for (int year = now.year - 1; r == 0 && year <= now.year + 1; year++) {
		r = change_at_s(year, &rule->end, rule->summer_s, &end_s);
		if (r == 0)
			r = change_at_s(year, &rule->start, rule->standard_s, &start_s);
		if (r == 0 && end_s <= at_s && end_s > newest_s) {
			newest_s = end_s;
			summer = false;
		}
		if (r == 0 && start_s <= at_s && start_s >= newest_s) {
			newest_s = start_s;
			summer = true;
		}
	}
	if (r == 0)
		*ret_offset_s = summer ? rule->summer_s : rule->standard_s;
	return r;
}
