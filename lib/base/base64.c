/* Base64 and base64url (RFC 4648). */
#include "base/text.h"

#include <errno.h>
#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The four characters of one to three bytes; '=' stands for what is missing. */
static void encode_group(struct span s, const char *table, char ret[4])
{
	uint32_t bits = (uint32_t)s.p[0] << 16;

	if (s.len > 1)
		bits |= (uint32_t)s.p[1] << 8;
	if (s.len > 2)
		bits |= s.p[2];
	ret[0] = table[bits >> 18];
	ret[1] = table[bits >> 12 & 63];
	ret[2] = table[bits >> 6 & 63];
	ret[3] = table[bits & 63];
	if (s.len < 3)
		ret[3] = '=';
	if (s.len < 2)
		ret[2] = '=';
}

void text_base64(struct buf *b, struct span s, size_t line_len)
{
	char group[4];
	size_t column = 0;

	for (size_t at = 0; at < s.len && b->error == 0; at += 3) {
		encode_group(span_of(s.p + at, s.len - at), alphabet, group);
		for (size_t i = 0; i < sizeof(group); i++) {
			buf_add_byte(b, (unsigned char)group[i]);
			if (++column == line_len) {
				buf_add_byte(b, '\n');
				column = 0;
			}
		}
	}
	if (line_len > 0 && column > 0)
		buf_add_byte(b, '\n');
}

void text_base64url(struct buf *b, struct span s)
{
	char group[4];

	for (size_t at = 0; at < s.len && b->error == 0; at += 3) {
		size_t left = s.len - at;

		encode_group(span_of(s.p + at, left), alphabet_url, group);
		buf_add(b, span_of(group, left < 3 ? left + 1 : 4));
	}
}

/* 0 to 63, or -1. */
static int value_of(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

static bool is_skipped(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A decoder between two characters. */
struct decoder {
	uint32_t bits;
	int count; /* of the characters in bits, padding not counted */
	int padding; /* of the '=' seen */
};

/* Takes one character that is not skipped. */
static int decode_char(struct decoder *d, unsigned char c, struct buf *b)
{
	int v = value_of(c);

	if (c == '=') {
		d->padding++;
		return d->count >= 2 && d->count + d->padding <= 4 ? 0 : -EINVAL;
	}
	if (v < 0 || d->padding > 0)
		return -EINVAL;
	d->bits = d->bits << 6 | (uint32_t)v;
	if (++d->count < 4)
		return 0;
	buf_add_byte(b, (unsigned char)(d->bits >> 16));
	buf_add_byte(b, (unsigned char)(d->bits >> 8 & 0xff));
	buf_add_byte(b, (unsigned char)(d->bits & 0xff));
	*d = (struct decoder){0};
	return 0;
}

/* The last, padded group: its spare bits must be zero. */
static int decode_end(const struct decoder *d, struct buf *b)
{
	uint32_t bits = d->bits;

	if (d->count == 0)
		return 0;
	if (d->count + d->padding != 4)
		return -EINVAL;
	if (d->count == 3) {
		if ((bits & 3) != 0)
			return -EINVAL;
		buf_add_byte(b, (unsigned char)(bits >> 10));
		bits >>= 2;
	} else {
		if ((bits & 15) != 0)
			return -EINVAL;
		bits >>= 4;
	}
	buf_add_byte(b, (unsigned char)(bits & 0xff));
	return 0;
}

int text_unbase64(struct buf *b, struct span s)
{
	struct decoder d = {0};
	size_t start = b->len;
	int r = 0;

	for (size_t i = 0; i < s.len && r == 0; i++)
		if (!is_skipped(s.p[i]))
			r = decode_char(&d, s.p[i], b);
	if (r == 0)
		r = decode_end(&d, b);
	if (r == 0)
		r = b->error;
	if (r < 0 && b->p != NULL && b->len > start) {
		b->len = start;
		b->p[start] = '\0';
	}
	return r;
}
