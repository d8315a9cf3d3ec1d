/*
 * Dates of messages (RFC 5322 section 3.3 and 4.3), in whatever order mail has them: a word is a
 * month or a zone, "h:m" the time, the first small number the day, the other one the year.
 */
#include "base/timefmt.h"
#include "proto/mime_i.h"

#include <errno.h>

struct reading {
	struct time_parts parts;
	bool day, month, year, time, zone;
	bool leap; /* second 60: the one behind 59 */
};

/* -- words ------------------------------------------------------------------------------------- */

static bool take_month(struct reading *r, struct span word)
{
	static const char *const months[] = {
		"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};

	for (int i = 0; i < 12 && word.len >= 3; i++) {
		if (!span_caseeq_str(span_of(word.p, 3), months[i]))
			continue;
		r->parts.month = i + 1;
		r->month = true;
		return true;
	}
	return false;
}

/* The zones of RFC 822; military letters and what is unknown are UTC, as RFC 5322 has it. */
static void take_zone(struct reading *r, struct span word)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = {
		{"edt", -4},
		{"est", -5},
		{"cdt", -5},
		{"cst", -6},
		{"mdt", -6},
		{"mst", -7},
		{"pdt", -7},
		{"pst", -8},
	};

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (span_caseeq_str(word, zones[i].name))
			r->parts.offset_s = zones[i].hours * 3600;
	r->zone = true;
}

static bool is_weekday(struct span word)
{
	static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

	for (size_t i = 0; i < 7 && word.len >= 3; i++)
		if (span_caseeq_str(span_of(word.p, 3), days[i]))
			return true;
	return false;
}

static void take_word(struct reading *r, struct span word)
{
	if (is_weekday(word) || (!r->month && take_month(r, word)))
		return;
	if (r->time && !r->zone)
		take_zone(r, word);
}

/* -- numbers ----------------------------------------------------------------------------------- */

static int number(struct span *rest, size_t *ret_digits)
{
	int n = 0;
	size_t i = 0;

	while (i < rest->len && i < 6 && mime_is_digit(rest->p[i]))
		n = n * 10 + (rest->p[i++] - '0');
	*ret_digits = i;
	*rest = mime_skip(*rest, i);
	return n;
}

static bool take_colon(struct span *rest)
{
	struct span s = *rest;
	bool skipped = mime_skip_comments(&s, NULL);

	if (s.len == 0 || (s.p[0] != ':' && (skipped || s.p[0] != '.')))
		return false;
	s = mime_skip(s, 1);
	(void)mime_skip_comments(&s, NULL);
	if (s.len == 0 || !mime_is_digit(s.p[0]))
		return false;
	*rest = s;
	return true;
}

static bool take_time(struct reading *r, int hour, struct span *rest)
{
	struct span s = *rest;
	size_t digits;

	if (r->time || !take_colon(&s))
		return false;
	r->time = true;
	r->parts.hour = hour;
	r->parts.minute = number(&s, &digits);
	if (take_colon(&s))
		r->parts.second = number(&s, &digits);
	r->leap = r->parts.second == 60;
	if (r->leap)
		r->parts.second = 59;
	*rest = s;
	return true;
}

/* Two digits are of this or the last century, three count from 1900 (section 4.3). */
static void take_year(struct reading *r, int n, size_t digits)
{
	if (digits == 2)
		n += n < 50 ? 2000 : 1900;
	else if (digits == 3)
		n += 1900;
	r->parts.year = n;
	r->year = true;
}

static void take_number(struct reading *r, struct span *rest)
{
	size_t digits;
	int n = number(rest, &digits);

	if (!r->time && digits <= 2 && take_time(r, n, rest))
		return;
	if (!r->day && digits <= 2) {
		r->parts.day = n;
		r->day = true;
	} else if (!r->year && digits >= 2) {
		take_year(r, n, digits);
	}
}

/* "+hhmm" behind the time; elsewhere a '-' is only between. */
static void take_offset(struct reading *r, struct span *rest)
{
	int sign = rest->p[0] == '-' ? -1 : 1, n;
	size_t digits;

	*rest = mime_skip(*rest, 1);
	if (!r->time || r->zone || rest->len == 0 || !mime_is_digit(rest->p[0]))
		return;
	if (!r->year && sign < 0)
		return;
	n = number(rest, &digits);
	if (digits == 2 || digits == 1)
		n *= 100;
	else if (digits != 4)
		n = 0;
	if (n / 100 < 24 && n % 100 < 60)
		r->parts.offset_s = sign * (n / 100 * 3600 + n % 100 * 60);
	r->zone = true;
}

/* -- all --------------------------------------------------------------------------------------- */

static bool is_letter(unsigned char c)
{
	c = mime_lower(c);
	return c >= 'a' && c <= 'z';
}

static struct span take_letters(struct span *rest)
{
	struct span all = *rest;
	size_t n = 0;

	while (n < all.len && is_letter(all.p[n]))
		n++;
	*rest = mime_skip(all, n);
	return span_of(all.p, n);
}

static void read_all(struct reading *r, struct span rest)
{
	while (rest.len > 0) {
		if (mime_skip_comments(&rest, NULL))
			continue;
		if (mime_is_digit(rest.p[0]))
			take_number(r, &rest);
		else if (is_letter(rest.p[0]))
			take_word(r, take_letters(&rest));
		else if (rest.p[0] == '+' || rest.p[0] == '-')
			take_offset(r, &rest);
		else
			rest = mime_skip(rest, 1);
	}
}

int mime_date_parse(struct span value, int64_t *ret_us, int32_t *ret_offset_s)
{
	struct reading r = {.day = false};
	int64_t at_us;

	if (value.len > 256)
		value.len = 256;
	read_all(&r, value);
	if (!r.day || !r.month || !r.year || time_from_parts(&r.parts, &at_us) < 0)
		return -EINVAL;
	*ret_us = at_us + (r.leap ? TIME_S_US : 0);
	*ret_offset_s = r.parts.offset_s;
	return 0;
}
