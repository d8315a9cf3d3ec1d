/*
 * Clocks and the calendar. Dates are computed here, not by the C library: exact over the years 1 to
 * 9999 and free of the process's state. Only the local zone's offset comes from localtime_r().
 */
#include "base/timefmt.h"

#include <errno.h>
#include <time.h>

#define DAY_S INT64_C(86400)
#define NS_PER_US 1000

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

static int64_t floor_mod(int64_t a, int64_t b)
{
	return a - floor_div(a, b) * b;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days of the year before the month (1 to 13). */
static int days_before_month(int year, int month)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

	return before[month - 1] + (month > 2 && is_leap(year) ? 1 : 0);
}

/* Days from 1970-01-01 to the first day of the year (1 to 10000). */
static int64_t days_before_year(int year)
{
	int64_t y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

#define MIN_S (days_before_year(1) * DAY_S)
#define END_S (days_before_year(10000) * DAY_S)

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) < 0)
		return 0;
	return (int64_t)ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static int64_t count(const struct timespec *t, int64_t per_s, int64_t ns_each)
{
	int64_t at;

	if (__builtin_mul_overflow((int64_t)t->tv_sec, per_s, &at) ||
		__builtin_add_overflow(at, (int64_t)t->tv_nsec / ns_each, &at))
		return t->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return at;
}

int64_t time_spec_us(const struct timespec *t)
{
	return count(t, TIME_S_US, NS_PER_US);
}

int64_t time_spec_ns(const struct timespec *t)
{
	return count(t, TIME_S_US * NS_PER_US, 1);
}

int64_t time_now_us(void)
{
	return clock_ns(CLOCK_REALTIME) / NS_PER_US;
}

int64_t time_now_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t time_monotonic_ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / INT64_C(1000000);
}

/* Year, month and day of a day number within the years 1 to 9999. */
static void split_date(int64_t days, struct time_parts *p)
{
	/* The mean year is 365.2425 days: the guess is right or one too high. */
	int year = (int)((days + 719162) * 10000 / 3652425) + 1;
	int month = 1, in_year;

	if (days_before_year(year) > days)
		year--;
	else if (days_before_year(year + 1) <= days)
		year++;
	in_year = (int)(days - days_before_year(year));
	while (month < 12 && days_before_month(year, month + 1) <= in_year)
		month++;
	p->year = year;
	p->month = month;
	p->day = in_year - days_before_month(year, month) + 1;
}

/* The parts of an instant as a clock at that offset shows it. */
static int split(int64_t at_us, int offset_s, struct time_parts *ret)
{
	int64_t s = floor_div(at_us, TIME_S_US) + offset_s;
	int64_t in_day = floor_mod(s, DAY_S);
	struct time_parts p = {.offset_s = offset_s};

	if (s < MIN_S || s >= END_S)
		return -ERANGE;
	split_date(floor_div(s, DAY_S), &p);
	p.hour = (int)(in_day / 3600);
	p.minute = (int)(in_day / 60 % 60);
	p.second = (int)(in_day % 60);
	p.weekday = (int)floor_mod(floor_div(s, DAY_S) + 4, 7); /* 1970-01-01 was a Thursday */
	p.nanosecond = (int32_t)(floor_mod(at_us, TIME_S_US) * NS_PER_US);
	*ret = p;
	return 0;
}

int time_utc(int64_t at_us, struct time_parts *ret)
{
	return split(at_us, 0, ret);
}

int time_local(int64_t at_us, struct time_parts *ret)
{
	time_t s = (time_t)floor_div(at_us, TIME_S_US);
	struct tm tm;

	if (localtime_r(&s, &tm) == NULL)
		return -ERANGE;
	return split(at_us, (int)(tm.tm_gmtoff / 60 * 60), ret);
}

static bool within(int v, int min, int max)
{
	return v >= min && v <= max;
}

static bool date_is_valid(const struct time_parts *p)
{
	return within(p->year, 1, 9999) && within(p->month, 1, 12) &&
		within(p->day, 1,
			days_before_month(p->year, p->month + 1) -
				days_before_month(p->year, p->month));
}

static bool clock_is_valid(const struct time_parts *p)
{
	return within(p->hour, 0, 23) && within(p->minute, 0, 59) && within(p->second, 0, 59) &&
		within(p->nanosecond, 0, 999999999) &&
		within(p->offset_s, 1 - (int)DAY_S, (int)DAY_S - 1);
}

int time_from_parts(const struct time_parts *parts, int64_t *ret_us)
{
	int64_t days, s;

	if (!date_is_valid(parts) || !clock_is_valid(parts))
		return -ERANGE;
	days = days_before_year(parts->year) + days_before_month(parts->year, parts->month) +
		parts->day - 1;
	s = days * DAY_S + parts->hour * INT64_C(3600) + parts->minute * INT64_C(60) +
		parts->second - parts->offset_s;
	if (s < MIN_S || s >= END_S)
		return -ERANGE;
	*ret_us = s * TIME_S_US + parts->nanosecond / NS_PER_US;
	return 0;
}

/* The nearest instant that has parts. */
static struct time_parts utc_clamped(int64_t at_us)
{
	struct time_parts p = {.year = 1, .month = 1, .day = 1};

	if (at_us < MIN_S * TIME_S_US)
		at_us = MIN_S * TIME_S_US;
	if (at_us >= END_S * TIME_S_US)
		at_us = END_S * TIME_S_US - 1;
	(void)time_utc(at_us, &p);
	return p;
}

static const char *const weekdays[] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

static const char *const months[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

const char *time_weekday(const struct time_parts *parts)
{
	return weekdays[parts->weekday];
}

static void add_date_time(struct buf *b, const struct time_parts *p)
{
	buf_addf(b, "%04d-%02d-%02dT%02d:%02d:%02d", p->year, p->month, p->day, p->hour, p->minute,
		p->second);
}

void time_rfc3339(struct buf *b, const struct time_parts *parts, int digits)
{
	int32_t fraction = parts->nanosecond;

	add_date_time(b, parts);
	for (int i = digits; i < 9; i++)
		fraction /= 10;
	if (digits > 0)
		buf_addf(b, ".%0*d", digits, fraction);
	time_offset(b, parts->offset_s);
}

void time_rfc3339_utc(struct buf *b, int64_t at_us)
{
	struct time_parts p = utc_clamped(at_us);

	add_date_time(b, &p);
	buf_add_byte(b, 'Z');
}

void time_http(struct buf *b, int64_t at_us)
{
	struct time_parts p = utc_clamped(at_us);

	buf_addf(b, "%.3s, %02d %s %04d %02d:%02d:%02d GMT", time_weekday(&p), p.day,
		months[p.month - 1], p.year, p.hour, p.minute, p.second);
}

static void add_offset(struct buf *b, int offset_s, const char *colon)
{
	int minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;

	buf_addf(b, "%c%02d%s%02d", offset_s < 0 ? '-' : '+', minutes / 60, colon, minutes % 60);
}

void time_rfc5322(struct buf *b, const struct time_parts *parts)
{
	buf_addf(b, "%.3s, %d %s %04d %02d:%02d:%02d ", time_weekday(parts), parts->day,
		months[parts->month - 1], parts->year, parts->hour, parts->minute, parts->second);
	add_offset(b, parts->offset_s, "");
}

void time_offset(struct buf *b, int offset_s)
{
	add_offset(b, offset_s, ":");
}

void time_span_text(struct buf *b, int64_t span_s)
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	uint64_t left = span_s < 0 ? 0 - (uint64_t)span_s : (uint64_t)span_s;
	size_t i = 0;

	while (i < 3 && left < units[i].seconds)
		i++;
	buf_addf(b, "%s%llu %s", span_s < 0 ? "-" : "",
		(unsigned long long)(left / units[i].seconds), units[i].name);
	left %= units[i].seconds;
	if (i < 3 && left >= units[i + 1].seconds)
		buf_addf(b, " %llu %s", (unsigned long long)(left / units[i + 1].seconds),
			units[i + 1].name);
}
