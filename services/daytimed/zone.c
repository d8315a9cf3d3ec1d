/*
 * TZif data (RFC 9636): the table of transitions, and behind it the rule for later times. Nothing
 * is copied; every count is compared with what is there before anything is read.
 */
#include "services/daytimed/zone.h"

#include "base/rec.h"

#include <errno.h>

#define HEADER_LEN 44
#define RECORD_LEN 6
#define MAX_OFFSET_S 93599 /* 25:59:59, RFC 9636 section 3.2 */

struct counts {
	unsigned char version;
	uint32_t isut, isstd, leap, time, type, chars;
};

static int read_header(struct rec *r, struct counts *ret)
{
	struct span magic = rec_raw(r, 4);
	struct counts c = {.version = rec_u8(r)};

	(void)rec_raw(r, 15);
	c.isut = rec_u32(r);
	c.isstd = rec_u32(r);
	c.leap = rec_u32(r);
	c.time = rec_u32(r);
	c.type = rec_u32(r);
	c.chars = rec_u32(r);
	/* The bounds keep the sums below within size_t; real files are far smaller. */
	if (r->error != 0 || !span_eq_str(magic, "TZif") || c.version < '2' ||
		c.time > ZONE_FILE_MAX || c.type == 0 || c.type > 256 || c.chars > ZONE_FILE_MAX ||
		c.leap > ZONE_FILE_MAX || c.isut > c.type || c.isstd > c.type)
		return -EBADMSG;
	*ret = c;
	return 0;
}

/* The first block, with times of four bytes, is there for programs of the last century. */
static void skip_block(struct rec *r, const struct counts *c)
{
	(void)rec_raw(r,
		(size_t)c->time * 5 + (size_t)c->type * RECORD_LEN + c->chars +
			(size_t)c->leap * 8 + c->isstd + c->isut);
}

static int64_t time_at(const struct zone *z, size_t i)
{
	struct rec r = rec_of(span_of(z->times.p + i * 8, 8));

	return rec_i64(&r);
}

static int32_t record_offset_s(const struct zone *z, size_t record)
{
	struct rec r = rec_of(span_of(z->records.p + record * RECORD_LEN, 4));

	return (int32_t)rec_u32(&r);
}

/* Transitions ascend and name records that are there; offsets are sane. */
static bool is_sound(const struct zone *z)
{
	for (size_t i = 0; i < z->count; i++)
		if (z->types.p[i] >= z->record_count ||
			(i > 0 && time_at(z, i) <= time_at(z, i - 1)))
			return false;
	for (size_t i = 0; i < z->record_count; i++) {
		int32_t offset_s = record_offset_s(z, i);

		if (offset_s > MAX_OFFSET_S || offset_s < -MAX_OFFSET_S)
			return false;
	}
	return true;
}

/* LF, the rule or nothing, LF, and no more. */
static int read_footer(struct span footer, struct zone *z)
{
	struct span text;

	if (footer.len < 2 || footer.p[0] != '\n' || footer.p[footer.len - 1] != '\n')
		return -EBADMSG;
	text = span_of(footer.p + 1, footer.len - 2);
	z->has_rule = text.len > 0;
	return z->has_rule ? zone_rule_parse(text, &z->rule) : 0;
}

int zone_parse(struct span tzif, struct zone *ret)
{
	struct rec r = rec_of(tzif);
	struct counts c;
	struct zone z = {0};
	int e;

	e = read_header(&r, &c);
	if (e < 0)
		return e;
	skip_block(&r, &c);
	e = read_header(&r, &c);
	if (e < 0)
		return e;
	/* With leap seconds counted in, the times would not be those of our clock. */
	if (c.leap != 0)
		return -EBADMSG;
	z.count = c.time;
	z.record_count = c.type;
	z.times = rec_raw(&r, z.count * 8);
	z.types = rec_raw(&r, z.count);
	z.records = rec_raw(&r, z.record_count * RECORD_LEN);
	(void)rec_raw(&r, (size_t)c.chars + c.isstd + c.isut);
	if (r.error != 0 || !is_sound(&z))
		return -EBADMSG;
	e = read_footer(r.rest, &z);
	if (e < 0)
		return e;
	*ret = z;
	return 0;
}

int zone_offset_s(const struct zone *z, int64_t at_s, int32_t *ret_offset_s)
{
	size_t low = 0, high = z->count;

	if (z->has_rule && (z->count == 0 || at_s >= time_at(z, z->count - 1)))
		return zone_rule_offset_s(&z->rule, at_s, ret_offset_s);
	/* low becomes the number of transitions at or before at_s. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (time_at(z, middle) <= at_s)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_offset_s = record_offset_s(z, low == 0 ? 0 : z->types.p[low - 1]);
	return 0;
}
