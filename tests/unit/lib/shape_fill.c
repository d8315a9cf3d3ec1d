/* Random arguments that are valid, and no more than that. */
#include "tests/unit/lib/shape_fill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LIST_USUAL = 8 };

uint64_t shape_fill_next(struct shape_fill *f)
{
	f->state ^= f->state << 13;
	f->state ^= f->state >> 7;
	f->state ^= f->state << 17;
	return f->state;
}

size_t shape_fill_below(struct shape_fill *f, size_t n)
{
	return n > 0 ? (size_t)(shape_fill_next(f) >> 11) % n : 0;
}

/* A block as those of shape.c begin. */
void *shape_fill_keep(struct shape_arena *arena, size_t size)
{
	void **block = calloc(1, sizeof(max_align_t) + size);

	assert_non_null(block);
	*block = arena->blocks;
	arena->blocks = block;
	return (unsigned char *)block + sizeof(max_align_t);
}

static void *keep(struct shape_fill *f, size_t size)
{
	return shape_fill_keep(&f->arena, size);
}

/* Small numbers are those of rows that exist; the others are the ends of what fits. */
static uint64_t number(struct shape_fill *f)
{
	static const uint64_t ends[] = {0, UINT64_MAX, INT64_MAX, (uint64_t)INT64_MIN, UINT32_MAX,
		INT32_MAX, (uint64_t)INT32_MIN, UINT64_C(1) << 32};

	switch (shape_fill_below(f, 8)) {
	case 0:
		return ends[shape_fill_below(f, sizeof(ends) / sizeof(ends[0]))];
	case 1:
		return shape_fill_next(f);
	case 2:
		return (uint64_t)f->now_us + shape_fill_below(f, 1000);
	default:
		return shape_fill_below(f, 8);
	}
}

static void set(unsigned char *p, size_t size, uint64_t v)
{
	uint16_t two = (uint16_t)v;
	uint32_t four = (uint32_t)v;
	uint8_t one = (uint8_t)v;

	memcpy(p,
		size == 1           ? (void *)&one
			: size == 2 ? (void *)&two
			: size == 4 ? (void *)&four
				    : (void *)&v,
		size);
}

static void bytes(struct shape_fill *f, unsigned char *p, size_t len)
{
	const unsigned kind = (unsigned)shape_fill_below(f, 4);

	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)shape_fill_next(f);

		p[i] = kind == 0 ? c : (uint8_t)('a' + c % 26);
	}
}

/* A word mostly, else any bytes but NUL where text says so; at most max of them. */
static size_t text(struct shape_fill *f, unsigned char *p, size_t max, bool no_nul)
{
	const char *word = "";
	size_t len = shape_fill_below(f, max + 1);

	if (f->word_count > 0 && shape_fill_below(f, 8) != 0) {
		word = f->words[shape_fill_below(f, f->word_count)];
		len = strlen(word) < max ? strlen(word) : max;
		memcpy(p, word, len);
		return len;
	}
	bytes(f, p, len);
	for (size_t i = 0; no_nul && i < len; i++)
		p[i] = p[i] == 0 ? 1 : p[i];
	return len;
}

static size_t room(const struct shape_fill *f, uint64_t max)
{
	return f->span_max > 0 && max > f->span_max ? f->span_max : (size_t)max;
}

static void fill_span(struct shape_fill *f, const struct shape_field *field, unsigned char *p)
{
	const size_t most = room(f, field->max);
	struct span s = {NULL, 0};
	unsigned char *to;

	if (shape_fill_below(f, 8) != 0) {
		to = keep(f, most);
		s = span_of(to, text(f, to, most, false));
	}
	memcpy(p, &s, sizeof(s));
}

static void fill_string(struct shape_fill *f, const struct shape_field *field, unsigned char *p)
{
	const size_t most = room(f, field->max);
	unsigned char *to = NULL;

	if (shape_fill_below(f, 8) != 0) {
		to = keep(f, most + 1);
		(void)text(f, to, most, true);
	}
	memcpy(p, &to, sizeof(to));
}

static void fill_struct(struct shape_fill *f, const struct shape *s, unsigned char *p);

static void fill_each(struct shape_fill *f, const struct shape_field *field, unsigned char *base)
{
	const size_t most =
		field->kind == SHAPE_ARRAY ? field->size / field->of->size : (size_t)field->max;
	size_t count = shape_fill_below(f, 4) == 0 ? most : shape_fill_below(f, LIST_USUAL);
	unsigned char *first = base + field->offset;

	if (count > most)
		count = most;
	if (f->list_max > 0 && count > f->list_max)
		count = f->list_max;
	if (field->kind == SHAPE_LIST) {
		first = shape_fill_below(f, 8) != 0 ? keep(f, count * field->of->size) : NULL;
		memcpy(base + field->offset, &first, sizeof(first));
	}
	if (first == NULL)
		count = 0;
	memcpy(base + field->count, &count, sizeof(count));
	for (size_t i = 0; i < count; i++)
		fill_struct(f, field->of, first + i * field->of->size);
}

static void fill_number(struct shape_fill *f, const struct shape_field *field, unsigned char *p)
{
	uint64_t v = number(f);

	if (field->kind == SHAPE_NOW && f->now_us != 0)
		v = (uint64_t)f->now_us;
	if (field->kind == SHAPE_UPTO)
		v = shape_fill_below(f, (size_t)field->max + 1);
	if (field->kind == SHAPE_BETWEEN)
		v = field->min + shape_fill_below(f, (size_t)(field->max - field->min) + 1);
	if (field->kind == SHAPE_BITS)
		v = shape_fill_next(f) & field->max;
	if (field->kind == SHAPE_BOOL)
		v = shape_fill_below(f, 2);
	set(p, field->size, v);
}

static void fill_field(struct shape_fill *f, const struct shape_field *field, unsigned char *base)
{
	unsigned char *p = base + field->offset;

	switch (field->kind) {
	case SHAPE_RAW:
		if (shape_fill_below(f, 2) == 0)
			bytes(f, p, field->size);
		break;
	case SHAPE_TEXT:
		(void)text(f, p, field->size - 1, true);
		break;
	case SHAPE_STRING:
		fill_string(f, field, p);
		break;
	case SHAPE_SPAN:
		fill_span(f, field, p);
		break;
	case SHAPE_STRUCT:
		fill_struct(f, field->of, p);
		break;
	case SHAPE_ARRAY:
	case SHAPE_LIST:
		fill_each(f, field, base);
		break;
	default:
		fill_number(f, field, p);
	}
}

static void fill_struct(struct shape_fill *f, const struct shape *s, unsigned char *p)
{
	for (size_t i = 0; i < s->count; i++)
		fill_field(f, &s->fields[i], p);
}

void *shape_fill(struct shape_fill *f, enum store_op op)
{
	const struct shape *s = shape_find(op);
	void *args;

	assert_non_null(s);
	args = keep(f, s->size);
	fill_struct(f, s, args);
	return args;
}

/* -- comparing --------------------------------------------------------------------------------- */

static bool same_span(const unsigned char *a, const unsigned char *b)
{
	struct span x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x.p == NULL) == (y.p == NULL) && span_eq(x, y);
}

static bool same_string(const unsigned char *a, const unsigned char *b)
{
	const char *x, *y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x == NULL || y == NULL ? x == y : strcmp(x, y) == 0;
}

static bool same_each(const struct shape_field *f, const unsigned char *a, const unsigned char *b,
	const char **ret)
{
	const unsigned char *x = a + f->offset, *y = b + f->offset;
	bool same = memcmp(a + f->count, b + f->count, sizeof(size_t)) == 0;
	size_t count;

	memcpy(&count, a + f->count, sizeof(count));
	if (f->kind == SHAPE_LIST) {
		memcpy(&x, a + f->offset, sizeof(x));
		memcpy(&y, b + f->offset, sizeof(y));
		same = same && (x == NULL) == (y == NULL);
	}
	for (size_t i = 0; same && x != NULL && i < count; i++)
		same = shape_same(f->of, x + i * f->of->size, y + i * f->of->size, ret);
	return same;
}

static bool same_field(const struct shape_field *f, const unsigned char *a, const unsigned char *b,
	const char **ret)
{
	switch (f->kind) {
	case SHAPE_TEXT:
		return strcmp((const char *)a + f->offset, (const char *)b + f->offset) == 0;
	case SHAPE_STRING:
		return same_string(a + f->offset, b + f->offset);
	case SHAPE_SPAN:
		return same_span(a + f->offset, b + f->offset);
	case SHAPE_STRUCT:
		return shape_same(f->of, a + f->offset, b + f->offset, ret);
	case SHAPE_ARRAY:
	case SHAPE_LIST:
		return same_each(f, a, b, ret);
	default:
		return memcmp(a + f->offset, b + f->offset, f->size) == 0;
	}
}

bool shape_same(const struct shape *s, const void *a, const void *b, const char **ret)
{
	for (size_t i = 0; i < s->count; i++)
		if (!same_field(&s->fields[i], a, b, ret)) {
			if (*ret == NULL)
				*ret = s->fields[i].name;
			return false;
		}
	return true;
}
