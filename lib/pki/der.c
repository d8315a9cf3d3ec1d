/* DER, as far as the shape goes. */
#include "pki/der.h"

#include <errno.h>

enum {
	CLASS_MASK = 0xc0,
	CONSTRUCTED = 0x20,
	NUMBER_MASK = 0x1f,
	TAG_BOOLEAN = 1,
	TAG_INTEGER = 2,
	TAG_BIT_STRING = 3,
	TAG_NULL = 5,
	TAG_OID = 6,
	TAG_ENUMERATED = 10,
	TAG_SEQUENCE = 16,
	TAG_SET = 17,
};

/* The length octets at the front of s; how many they are goes to *ret_octets. */
static int read_length(struct span s, size_t *ret_len, size_t *ret_octets)
{
	size_t count, len = 0;

	if (s.len == 0)
		return -EBADMSG;
	if (s.p[0] < 0x80) {
		*ret_len = s.p[0];
		*ret_octets = 1;
		return 0;
	}
	count = s.p[0] & 0x7f;
	if (count == 0 || count > 4 || s.len < 1 + count || s.p[1] == 0)
		return -EBADMSG;
	for (size_t i = 1; i <= count; i++)
		len = len << 8 | s.p[i];
	if (len < 0x80)
		return -EBADMSG;
	*ret_len = len;
	*ret_octets = 1 + count;
	return 0;
}

int der_next(struct span *rest, struct der_tlv *ret)
{
	size_t len, octets, head;
	unsigned char tag;

	if (rest->len < 2)
		return -EBADMSG;
	tag = rest->p[0];
	if ((tag & NUMBER_MASK) == NUMBER_MASK ||
		read_length(span_of(rest->p + 1, rest->len - 1), &len, &octets) < 0)
		return -EBADMSG;
	head = 1 + octets;
	if (len > rest->len - head)
		return -EBADMSG;
	*ret = (struct der_tlv){
		.tag = tag,
		.value = span_of(rest->p + head, len),
		.whole = span_of(rest->p, head + len),
	};
	*rest = span_of(rest->p + head + len, rest->len - head - len);
	return 0;
}

static bool boolean_ok(struct span v)
{
	return v.len == 1 && (v.p[0] == 0 || v.p[0] == 0xff);
}

static bool integer_ok(struct span v)
{
	if (v.len < 2)
		return v.len == 1;
	return !(v.p[0] == 0 && v.p[1] < 0x80) && !(v.p[0] == 0xff && v.p[1] >= 0x80);
}

static bool bit_string_ok(struct span v)
{
	if (v.len == 0 || v.p[0] > 7)
		return false;
	if (v.len == 1)
		return v.p[0] == 0;
	return (v.p[v.len - 1] & ((1U << v.p[0]) - 1)) == 0;
}

static bool oid_ok(struct span v)
{
	bool first = true;

	for (size_t i = 0; i < v.len; i++) {
		if (first && v.p[i] == 0x80)
			return false;
		first = v.p[i] < 0x80;
	}
	return v.len > 0 && first;
}

static bool universal_ok(unsigned char tag, struct span v)
{
	unsigned number = tag & NUMBER_MASK;
	bool constructed = (tag & CONSTRUCTED) != 0;

	if (constructed != (number == TAG_SEQUENCE || number == TAG_SET))
		return false;
	switch (number) {
	case 0:
		return false;
	case TAG_BOOLEAN:
		return boolean_ok(v);
	case TAG_INTEGER:
	case TAG_ENUMERATED:
		return integer_ok(v);
	case TAG_BIT_STRING:
		return bit_string_ok(v);
	case TAG_NULL:
		return v.len == 0;
	case TAG_OID:
		return oid_ok(v);
	default:
		return true;
	}
}

static int check_all(struct span rest, unsigned depth)
{
	struct der_tlv t;

	if (depth > DER_DEPTH_MAX)
		return -EBADMSG;
	while (rest.len > 0) {
		int r = der_next(&rest, &t);

		if (r < 0)
			return r;
		if ((t.tag & CLASS_MASK) == 0 && !universal_ok(t.tag, t.value))
			return -EBADMSG;
		if ((t.tag & CONSTRUCTED) == 0)
			continue;
		r = check_all(t.value, depth + 1);
		if (r < 0)
			return r;
	}
	return 0;
}

int der_check(struct span der)
{
	struct span rest = der;
	struct der_tlv t;

	if (der_next(&rest, &t) < 0 || rest.len > 0)
		return -EBADMSG;
	return check_all(der, 0);
}
