/*
 * Times. Points in time are int64_t microseconds since the epoch (_us) unless a name says
 * otherwise; spans of time say their unit.
 */
#ifndef BASE_TIMEFMT_H
#define BASE_TIMEFMT_H

#include "base/buf.h"

#define TIME_S_US INT64_C(1000000)

int64_t time_now_us(void); /* the wall clock */
int64_t time_now_ns(void); /* the wall clock, nanoseconds */
int64_t time_monotonic_ms(void); /* for deadlines */

struct timespec;
/* Of a file, say; what is too far off for 64 bits (ns: before 1678 or after 2262) is the nearest
 * that is not. */
int64_t time_spec_us(const struct timespec *t);
int64_t time_spec_ns(const struct timespec *t);

/* A broken-down time in some zone. */
struct time_parts {
	int year, month, day, hour, minute, second; /* month and day from 1 */
	int weekday; /* 0 Sunday */
	int offset_s; /* east of UTC */
	int32_t nanosecond;
};

/*
 * In UTC, or in the process's local zone. -ERANGE outside years 1 to 9999. Zone offsets that are
 * not whole minutes (before 1972) are rounded to them, so that every form below names the same
 * instant.
 */
int time_utc(int64_t at_us, struct time_parts *ret);
int time_local(int64_t at_us, struct time_parts *ret);

/*
 * Microseconds since the epoch; weekday is not looked at. -ERANGE when a field is outside its range
 * (a leap second too) or the result outside the years 1 to 9999 of UTC.
 */
int time_from_parts(const struct time_parts *parts, int64_t *ret_us);

const char *time_weekday(const struct time_parts *parts); /* "Saturday" */

/*
 * RFC 3339 with the offset of parts ("+00:00" for UTC); digits of fraction 0 to 9, cut off, not
 * rounded.
 */
void time_rfc3339(struct buf *b, const struct time_parts *parts, int digits);

/*
 * RFC 3339 in UTC without fraction, ending in Z: the form of logs and listings. This and
 * time_http() show a time outside the years 1 to 9999 as the nearest one inside.
 */
void time_rfc3339_utc(struct buf *b, int64_t at_us);

/*
 * RFC 3339 date-time, any offset, up to nine digits of fraction (those behind the microsecond are
 * cut off). Second 60 is taken at the end of a month in UTC only, and means the second after.
 * -EINVAL, -ERANGE.
 */
int time_parse_rfc3339(struct span s, int64_t *ret_us);

/* HTTP-date, IMF-fixdate (RFC 9110 section 5.6.7), in UTC. */
void time_http(struct buf *b, int64_t at_us);

/* RFC 5322 date-time, section 3.3, with the parts' offset. */
void time_rfc5322(struct buf *b, const struct time_parts *parts);

/* "+01:00" */
void time_offset(struct buf *b, int offset_s);

/* A span of time for people, its two largest units: "3 d 4 h", "12 s", "-5 min 1 s". */
void time_span_text(struct buf *b, int64_t span_s);

#endif
