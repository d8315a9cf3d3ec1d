/* FTP's numbers, times and addresses. */
#include "proto/ftp.h"

#include "base/num.h"
#include "base/timefmt.h"

#include <arpa/inet.h>
#include <errno.h>

enum { TIME_DIGITS = 14, US_DIGITS = 6 };

int ftp_size_parse(struct span s, uint64_t *ret)
{
	struct span number;

	if (!span_split(&s, ' ', &number))
		return -EINVAL;
	if (s.len > 0 && !span_starts(s, "R "))
		return -EINVAL;
	return num_parse_u64(number, 0, INT64_MAX, ret);
}

int ftp_range_parse(struct span s, uint64_t *ret_first, uint64_t *ret_last, bool *ret_set)
{
	uint64_t first = 0, last = 0;
	struct span a = {0};
	int r;

	if (!span_split(&s, ' ', &a))
		return -EINVAL;
	r = num_parse_u64(a, 0, INT64_MAX, &first);
	if (r == 0)
		r = num_parse_u64(s, 0, INT64_MAX, &last);
	if (r < 0)
		return r;
	if (first > last && !(first == 1 && last == 0))
		return -ERANGE;
	*ret_set = first <= last;
	*ret_first = first;
	*ret_last = last;
	return 0;
}

static bool all_digits(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.len > 0;
}

static int digits(struct span s, size_t at, size_t len)
{
	int v = 0;

	for (size_t i = at; i < at + len; i++)
		v = v * 10 + (s.p[i] - '0');
	return v;
}

/* The digits behind the dot, as microseconds; those behind the sixth are cut off. */
static int fraction_us(struct span s, int64_t *ret)
{
	int64_t us = 0;

	if (!all_digits(s))
		return -EINVAL;
	for (size_t i = 0; i < US_DIGITS; i++)
		us = us * 10 + (i < s.len ? s.p[i] - '0' : 0);
	*ret = us;
	return 0;
}

int ftp_time_parse(struct span s, int64_t *ret_us)
{
	struct span whole = s.len >= TIME_DIGITS ? span_of(s.p, TIME_DIGITS) : s;
	struct time_parts parts;
	int64_t us = 0, at_us;
	int r = 0;

	if (whole.len != TIME_DIGITS || !all_digits(whole))
		return -EINVAL;
	if (s.len > TIME_DIGITS)
		r = s.p[TIME_DIGITS] == '.'
			? fraction_us(span_of(s.p + TIME_DIGITS + 1, s.len - TIME_DIGITS - 1), &us)
			: -EINVAL;
	if (r < 0)
		return r;
	parts = (struct time_parts){.year = digits(s, 0, 4),
		.month = digits(s, 4, 2),
		.day = digits(s, 6, 2),
		.hour = digits(s, 8, 2),
		.minute = digits(s, 10, 2),
		.second = digits(s, 12, 2)};
	r = time_from_parts(&parts, &at_us);
	if (r == 0)
		*ret_us = at_us + us;
	return r;
}

void ftp_time_write(struct buf *b, int64_t at_us, bool fraction)
{
	struct time_parts p;

	/* Times that no four digits can tell are shown as the beginning. */
	if (time_utc(at_us, &p) < 0)
		(void)time_utc(0, &p);
	buf_addf(b, "%04d%02d%02d%02d%02d%02d", p.year, p.month, p.day, p.hour, p.minute, p.second);
	if (fraction && p.nanosecond != 0)
		buf_addf(b, ".%06d", (int)(p.nanosecond / 1000));
}

int ftp_port_parse(struct span s, struct ftp_address *ret)
{
	const unsigned char *end = s.p + s.len;
	unsigned char bytes[6];
	struct span part = {0};
	uint64_t v;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (!span_split(&s, ',', &part) || num_parse_u64(part, 0, 255, &v) < 0)
			return -EINVAL;
		bytes[i] = (unsigned char)v;
	}
	/* A comma at the end leaves nothing over and is wrong all the same. */
	if (part.p + part.len != end)
		return -EINVAL;
	*ret = (struct ftp_address){.family = 1, .port = (uint16_t)(bytes[4] << 8 | bytes[5])};
	memcpy(ret->host, bytes, 4);
	return 0;
}

static int read_host(struct span host, unsigned family, unsigned char *ret)
{
	char text[INET6_ADDRSTRLEN];

	if (span_copy_str(host, text, sizeof(text)) < 0)
		return -EINVAL;
	return inet_pton(family == 1 ? AF_INET : AF_INET6, text, ret) == 1 ? 0 : -EINVAL;
}

int ftp_eprt_parse(struct span s, struct ftp_address *ret)
{
	struct ftp_address a = {.family = 0};
	struct span family, host, port;
	uint64_t number;
	unsigned char sep;

	/* The delimiter is whatever the first byte is, of 33 to 126 (RFC 2428 section 2). */
	if (s.len < 2 || s.p[0] < 33 || s.p[0] > 126)
		return -EINVAL;
	sep = s.p[0];
	s = span_of(s.p + 1, s.len - 1);
	if (!span_split(&s, sep, &family) || num_parse_u64(family, 0, UINT16_MAX, &number) < 0)
		return -EINVAL;
	if (number != 1 && number != 2)
		return -EAFNOSUPPORT;
	a.family = (unsigned)number;
	if (!span_split(&s, sep, &host) || read_host(host, a.family, a.host) < 0 || s.len == 0 ||
		s.p[s.len - 1] != sep || !span_split(&s, sep, &port) || s.len > 0 ||
		num_parse_u64(port, 1, UINT16_MAX, &number) < 0)
		return -EINVAL;
	a.port = (uint16_t)number;
	*ret = a;
	return 0;
}

/* What stands in the first round brackets. */
static bool bracketed(struct span text, struct span *ret)
{
	const unsigned char *open = text.len > 0 ? memchr(text.p, '(', text.len) : NULL;
	const unsigned char *end;

	if (open == NULL)
		return false;
	open++;
	end = memchr(open, ')', text.len - (size_t)(open - text.p));
	if (end == NULL)
		return false;
	*ret = span_of(open, (size_t)(end - open));
	return true;
}

int ftp_pasv_read(struct span text, struct ftp_address *ret)
{
	struct span inner;

	return bracketed(text, &inner) && ftp_port_parse(inner, ret) == 0 ? 0 : -EPROTO;
}

int ftp_epsv_read(struct span text, uint16_t *ret_port)
{
	struct span s;
	uint64_t port;

	if (!bracketed(text, &s) || s.len < 5 || s.p[0] < 33 || s.p[0] > 126 || s.p[1] != s.p[0] ||
		s.p[2] != s.p[0] || s.p[s.len - 1] != s.p[0])
		return -EPROTO;
	if (num_parse_u64(span_of(s.p + 3, s.len - 4), 1, UINT16_MAX, &port) < 0)
		return -EPROTO;
	*ret_port = (uint16_t)port;
	return 0;
}
