/*
 * Zone data. The first byte chooses: a TZif file, a POSIX rule, or a list of names. What is taken
 * must give a sane offset at every time asked for, or say that the time is beyond the calendar.
 */
#include "services/daytimed/zone.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 9636: 25:59:59; a rule's 24 hours and its summer hour lie within. */
enum { MAX_OFFSET_S = 25 * 3600 + 3599 };

static const int64_t times_s[] = {INT64_MIN, -INT64_C(62135596801), -INT64_C(62135596800), -1, 0,
	INT64_C(951782400), INT64_C(1795224822), INT64_C(253402300799), INT64_C(253402300800),
	INT64_MAX};

#define TIMES (sizeof(times_s) / sizeof(times_s[0]))

static void judge(int r, int32_t offset_s)
{
	if (r != 0 && r != -ERANGE)
		abort();
	if (r == 0 && (offset_s > MAX_OFFSET_S || offset_s < -MAX_OFFSET_S))
		abort();
}

static void try_file(struct span tzif)
{
	struct zone z;
	int32_t offset_s = 0;

	if (zone_parse(tzif, &z) < 0)
		return;
	for (size_t i = 0; i < TIMES; i++)
		judge(zone_offset_s(&z, times_s[i], &offset_s), offset_s);
}

static void try_rule(struct span text)
{
	struct zone_rule rule;
	int32_t offset_s = 0;

	if (zone_rule_parse(text, &rule) < 0)
		return;
	for (size_t i = 0; i < TIMES; i++)
		judge(zone_rule_offset_s(&rule, times_s[i], &offset_s), offset_s);
}

/* A name that is found stands in the list as it is. */
static void try_list(struct span list)
{
	struct span name = {0};

	(void)span_split(&list, '\0', &name);
	if (zone_is_listed(list, name) && memmem(list.p, list.len, name.p, name.len) == NULL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest;

	if (size == 0)
		return 0;
	rest = span_of(data + 1, size - 1);
	switch (data[0] % 3) {
	case 0:
		try_file(rest);
		break;
	case 1:
		try_rule(rest);
		break;
	default:
		try_list(rest);
	}
	return 0;
}
