/* Dates of IMAP: date-time of INTERNALDATE and APPEND, date of SEARCH (RFC 3501 section 9). */
#include "base/timefmt.h"
#include "proto/imap_i.h"

#include <errno.h>

static const char months[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* A number of exactly so many digits. */
static int in_digits(struct imap_in *in, size_t digits, int *ret)
{
	int n = 0;

	for (size_t i = 0; i < digits; i++) {
		if (!imap_is_digit(imap_in_peek(in)))
			return -EBADMSG;
		n = n * 10 + (in->p[in->at++] - '0');
	}
	*ret = n;
	return 0;
}

static int in_month(struct imap_in *in, int *ret)
{
	if (in->len - in->at < 3)
		return -EBADMSG;
	for (int i = 0; i < 12; i++) {
		if (!span_caseeq_str(span_of(in->p + in->at, 3), months[i]))
			continue;
		in->at += 3;
		*ret = i + 1;
		return 0;
	}
	return -EBADMSG;
}

/* "1-Feb-1994"; the day has one or two digits, or a blank and one. */
static int in_day(struct imap_in *in, struct time_parts *t)
{
	bool two;

	if (in->at < in->len && imap_in_char(in, ' ') && !imap_is_digit(imap_in_peek(in)))
		return -EBADMSG;
	two = in->at + 1 < in->len && imap_is_digit(in->p[in->at + 1]);
	if (in_digits(in, two ? 2 : 1, &t->day) < 0 || !imap_in_char(in, '-') ||
		in_month(in, &t->month) < 0 || !imap_in_char(in, '-'))
		return -EBADMSG;
	return in_digits(in, 4, &t->year);
}

static int in_clock(struct imap_in *in, struct time_parts *t)
{
	if (in_digits(in, 2, &t->hour) < 0 || !imap_in_char(in, ':') ||
		in_digits(in, 2, &t->minute) < 0 || !imap_in_char(in, ':'))
		return -EBADMSG;
	return in_digits(in, 2, &t->second);
}

static int in_zone(struct imap_in *in, struct time_parts *t)
{
	bool west = imap_in_char(in, '-');
	int hours, minutes;

	if (!west && !imap_in_char(in, '+'))
		return -EBADMSG;
	if (in_digits(in, 2, &hours) < 0 || in_digits(in, 2, &minutes) < 0 || minutes > 59)
		return -EBADMSG;
	t->offset_s = (hours * 60 + minutes) * 60 * (west ? -1 : 1);
	return 0;
}

static int in_parts(struct imap_in *in, struct time_parts *t)
{
	if (!imap_in_char(in, '"') || in_day(in, t) < 0 || !imap_in_char(in, ' ') ||
		in_clock(in, t) < 0 || !imap_in_char(in, ' ') || in_zone(in, t) < 0 ||
		!imap_in_char(in, '"'))
		return -EBADMSG;
	return 0;
}

int imap_in_date_time(struct imap_in *in, int64_t *ret_us, int32_t *ret_offset_s)
{
	struct time_parts t = {.year = 0};
	size_t from = in->at;

	if (in_parts(in, &t) < 0 || time_from_parts(&t, ret_us) < 0) {
		in->at = from;
		return -EBADMSG;
	}
	*ret_offset_s = t.offset_s;
	return 0;
}

int imap_in_date(struct imap_in *in, int64_t *ret_us)
{
	struct time_parts t = {.year = 0};
	size_t from = in->at;
	bool quoted = imap_in_char(in, '"');

	if (in_day(in, &t) < 0 || (quoted && !imap_in_char(in, '"')) ||
		time_from_parts(&t, ret_us) < 0) {
		in->at = from;
		return -EBADMSG;
	}
	return 0;
}

void imap_put_date_time(struct buf *b, int64_t at_us, int32_t offset_s)
{
	struct time_parts t;
	int32_t offset = offset_s / 60;
	int32_t away = offset < 0 ? -offset : offset;
	int64_t shown_us;

	if (__builtin_add_overflow(at_us, offset * (60 * TIME_S_US), &shown_us) ||
		time_utc(shown_us, &t) < 0) {
		buf_add_str(b, "\"01-Jan-1970 00:00:00 +0000\"");
		return;
	}
	buf_addf(b, "\"%02d-%s-%04d %02d:%02d:%02d %c%02d%02d\"", t.day, months[t.month - 1],
		t.year, t.hour, t.minute, t.second, offset < 0 ? '-' : '+', away / 60, away % 60);
}
