/* From a name to an offset: tzdata's list of names, then the zone's file. */
#include "services/daytimed/zone.h"

#include "base/cleanup.h"
#include "service/service.h"

#include <errno.h>
#include <limits.h>

#define ZONE_PATH_MAX 512

/* The name that a line of tzdata.zi or zone.tab defines; empty for other lines. */
static struct span listed_name(struct span line)
{
	struct span name = {0};

	if (span_starts(line, "#"))
		return name;
	if (span_starts(line, "Z ") || span_starts(line, "L ")) {
		bool link = line.p[0] == 'L';

		(void)span_split(&line, ' ', &name);
		if (link)
			(void)span_split(&line, ' ', &name);
		return span_split(&line, ' ', &name) ? name : (struct span){0};
	}
	for (int column = 0; column < 3; column++)
		if (!span_split(&line, '\t', &name))
			return (struct span){0};
	return name;
}

bool zone_is_listed(struct span list, struct span name)
{
	struct span line;

	if (name.len == 0)
		return false;
	while (span_split(&list, '\n', &line))
		if (span_eq(listed_name(line), name))
			return true;
	return false;
}

static int read_below(const char *folder, struct span name, struct buf *b)
{
	char path[ZONE_PATH_MAX];
	int len = snprintf(
		path, sizeof(path), "%s/%.*s", folder, (int)name.len, (const char *)name.p);

	if (len < 0 || (size_t)len >= sizeof(path))
		return -ENOENT;
	return service_read_file(path, b);
}

static int look_up_name(const char *folder, struct span name)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(ZONE_LIST_MAX);
	int r;

	r = read_below(folder, SPAN_LIT("tzdata.zi"), &list);
	if (r == -ENOENT)
		r = read_below(folder, SPAN_LIT("zone1970.tab"), &list);
	if (r < 0)
		return r == -ENOMEM ? r : -ENODATA;
	return zone_is_listed(buf_span(&list), name) ? 0 : -ENOENT;
}

int zone_offset_named(const char *folder, struct span name, int64_t at_s, int32_t *ret_offset_s)
{
	_cleanup_(buf_done) struct buf tzif = BUF_INIT(ZONE_FILE_MAX);
	struct zone zone;
	int r;

	if (span_eq_str(name, "UTC")) {
		*ret_offset_s = 0;
		return 0;
	}
	r = look_up_name(folder, name);
	if (r == 0)
		r = read_below(folder, name, &tzif);
	if (r == 0)
		r = zone_parse(buf_span(&tzif), &zone);
	if (r == 0)
		r = zone_offset_s(&zone, at_s, ret_offset_s);
	return r;
}
