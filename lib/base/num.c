/* Strict numbers from text. */
#include "base/num.h"

#include <errno.h>

/* All digits, no leading zero. Overflow of 64 bits is -ERANGE. */
static int parse_digits(struct span s, uint64_t *ret)
{
	uint64_t v = 0;
	bool overflow = false;

	if (s.len == 0 || (s.len > 1 && s.p[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -EINVAL;
		overflow = overflow || __builtin_mul_overflow(v, (uint64_t)10, &v) ||
			__builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v);
	}
	if (overflow)
		return -ERANGE;
	*ret = v;
	return 0;
}

int num_parse_u64(struct span s, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v;
	int r = parse_digits(s, &v);

	if (r < 0)
		return r;
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int num_parse_i64(struct span s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = s.len > 0 && s.p[0] == '-';
	uint64_t magnitude;
	int64_t v;
	int r;

	r = parse_digits(negative ? span_of(s.p + 1, s.len - 1) : s, &magnitude);
	if (r < 0)
		return r;
	if (negative && magnitude == 0)
		return -EINVAL;
	if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return -ERANGE;
	/* -1 - (magnitude - 1): the magnitude of INT64_MIN itself does not fit. */
	v = negative ? -1 - (int64_t)(magnitude - 1) : (int64_t)magnitude;
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

struct unit {
	char name;
	uint64_t factor;
};

static const struct unit duration_units[] = {
	{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}, {0, 0}};

static const struct unit size_units[] = {{'K', UINT64_C(1) << 10}, {'M', UINT64_C(1) << 20},
	{'G', UINT64_C(1) << 30}, {'T', UINT64_C(1) << 40}, {0, 0}};

/* A number with at most one unit letter of the table behind it, at most max. */
static int parse_with_unit(struct span s, const struct unit *units, uint64_t max, uint64_t *ret)
{
	uint64_t factor = 1, v;
	int r;

	for (const struct unit *u = units; u->name != 0 && s.len > 0; u++)
		if (s.p[s.len - 1] == (unsigned char)u->name) {
			factor = u->factor;
			s.len--;
			break;
		}
	r = parse_digits(s, &v);
	if (r < 0)
		return r;
	if (__builtin_mul_overflow(v, factor, &v) || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int num_parse_duration_s(struct span s, uint64_t max_s, uint64_t *ret_s)
{
	return parse_with_unit(s, duration_units, max_s, ret_s);
}

int num_parse_size(struct span s, uint64_t max, uint64_t *ret)
{
	return parse_with_unit(s, size_units, max, ret);
}
