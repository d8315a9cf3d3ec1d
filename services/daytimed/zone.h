/*
 * Time zones without the process-wide TZ: names from tzdata's own list, offsets from TZif data (RFC
 * 9636) and the POSIX rule at its end. The parsers are pure; zone_offset_named() reads the files.
 */
#ifndef DAYTIMED_ZONE_H
#define DAYTIMED_ZONE_H

#include "base/span.h"

#include <stdint.h>

#define ZONE_FOLDER "/usr/share/zoneinfo"
#define ZONE_FILE_MAX 65536 /* the largest of 2025 is 4 kB */
#define ZONE_LIST_MAX 1048576 /* tzdata.zi of 2025 is 112 kB */

/* A day and time at which the clock is set, in the words of POSIX TZ. */
struct zone_change {
	enum { ZONE_DAY_MONTH, ZONE_DAY_JULIAN, ZONE_DAY_ZERO } kind; /* Mm.w.d, Jn, n */
	int month, week, day; /* day: weekday of M, or the n of J and of the plain form */
	int32_t time_s; /* from midnight, may be negative or beyond a day */
};

/* The rule at the end of TZif data, for all times after the last transition. */
struct zone_rule {
	int32_t standard_s, summer_s; /* east of UTC */
	bool has_summer;
	struct zone_change start, end;
};

struct zone {
	struct span times; /* 8 bytes each, ascending; all spans point into the data */
	struct span types; /* 1 byte each: which record */
	struct span records; /* 6 bytes each: offset, summer flag, name */
	size_t count; /* of transitions */
	size_t record_count;
	bool has_rule;
	struct zone_rule rule;
};

/* TZif of version 2 or later without leap seconds. -EBADMSG. */
int zone_parse(struct span tzif, struct zone *ret);

/* "CET-1CEST,M3.5.0,M10.5.0/3". -EBADMSG. */
int zone_rule_parse(struct span text, struct zone_rule *ret);

/* Seconds east of UTC at that time, in seconds since the epoch. -ERANGE beyond the calendar. */
int zone_offset_s(const struct zone *z, int64_t at_s, int32_t *ret_offset_s);
int zone_rule_offset_s(const struct zone_rule *rule, int64_t at_s, int32_t *ret_offset_s);

/* Is the name in the list: the text of tzdata.zi (Z and L lines) or of zone.tab (third column)? */
bool zone_is_listed(struct span list, struct span name);

/*
 * The offset of a zone by its name, which is compared with tzdata's list before it becomes a path.
 * folder is ZONE_FOLDER but in tests. -ENOENT: no such zone; -EBADMSG: its data is broken;
 * -ENODATA: tzdata is not there. "UTC" needs no file.
 */
int zone_offset_named(const char *folder, struct span name, int64_t at_s, int32_t *ret_offset_s);

#endif
