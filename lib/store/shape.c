/*
 * Arguments as bytes: one walk over the fields writes, one reads. Numbers are big-endian, lengths
 * and counts have four bytes, and one value of them says NULL. Every field takes a byte at least,
 * so that no count can ask for more memory than came with it, but by a factor.
 */
#include "store/shape.h"

#include "base/cleanup.h"
#include "base/rec.h"
#include "store/shape_i.h"

#include <errno.h>
#include <stdlib.h>

#define NO_LENGTH UINT32_MAX /* in the place of a length: NULL */

enum {
	EDITION = 1, /* goes up when results, or what numbers in them mean, change in their place */
	COUNT_MAX = 1 << 20,
};

/* -- numbers in structs ------------------------------------------------------------------------ */

static uint64_t number_get(const void *p, size_t size)
{
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	switch (size) {
	case 1:
		return *(const unsigned char *)p;
	case sizeof(two):
		memcpy(&two, p, sizeof(two));
		return two;
	case sizeof(four):
		memcpy(&four, p, sizeof(four));
		return four;
	default:
		memcpy(&eight, p, sizeof(eight));
		return eight;
	}
}

static void number_set(void *p, size_t size, uint64_t v)
{
	const uint16_t two = (uint16_t)v;
	const uint32_t four = (uint32_t)v;

	switch (size) {
	case 1:
		*(unsigned char *)p = (unsigned char)v;
		break;
	case sizeof(two):
		memcpy(p, &two, sizeof(two));
		break;
	case sizeof(four):
		memcpy(p, &four, sizeof(four));
		break;
	default:
		memcpy(p, &v, sizeof(v));
	}
}

static bool number_ok(const struct shape_field *f, uint64_t v)
{
	switch (f->kind) {
	case SHAPE_UPTO:
		return v <= f->max;
	case SHAPE_BETWEEN:
		return v >= f->min && v <= f->max;
	case SHAPE_BITS:
		return (v & ~f->max) == 0;
	case SHAPE_BOOL:
		return v <= 1;
	default:
		return true;
	}
}

static size_t count_max(const struct shape_field *f)
{
	return f->kind == SHAPE_ARRAY ? f->size / f->of->size : (size_t)f->max;
}

/* -- writing ----------------------------------------------------------------------------------- */

static int put_struct(const struct shape *s, const unsigned char *p, struct buf *b);

static int put_bytes(struct buf *b, struct span bytes, size_t max)
{
	if (bytes.p == NULL && bytes.len > 0)
		return -EINVAL;
	if (bytes.len > max || bytes.len >= NO_LENGTH)
		return -EINVAL;
	if (bytes.p == NULL)
		buf_add_u32(b, NO_LENGTH);
	else
		rec_put_bytes(b, bytes);
	return 0;
}

/* Without a NUL that is the string's end, its bytes are nobody's business. */
static int put_text(const struct shape_field *f, const unsigned char *p, struct buf *b)
{
	const size_t len = strnlen((const char *)p, f->size);

	return len == f->size ? -EINVAL : put_bytes(b, span_of(p, len), f->size);
}

/* With its NUL, so that whoever reads it has a C string where the bytes are. */
static int put_string(const struct shape_field *f, const unsigned char *p, struct buf *b)
{
	const char *s;

	memcpy(&s, p, sizeof(s));
	return put_bytes(b, span_of(s, s != NULL ? strlen(s) + 1 : 0), (size_t)f->max + 1);
}

static int put_span(const struct shape_field *f, const unsigned char *p, struct buf *b)
{
	struct span s;

	memcpy(&s, p, sizeof(s));
	return put_bytes(b, s, (size_t)f->max);
}

static int put_number(const struct shape_field *f, const unsigned char *p, struct buf *b)
{
	const uint64_t v = number_get(p, f->size);

	if (!number_ok(f, v))
		return -EINVAL;
	for (size_t i = f->size; i > 0; i--)
		buf_add_byte(b, (unsigned char)(v >> 8 * (i - 1)));
	return 0;
}

static int put_each(const struct shape_field *f, const unsigned char *base, const unsigned char *p,
	struct buf *b)
{
	const unsigned char *first = p;
	size_t count;
	int rc = 0;

	memcpy(&count, base + f->count, sizeof(count));
	if (f->kind == SHAPE_LIST)
		memcpy(&first, p, sizeof(first));
	if (first == NULL) {
		buf_add_u32(b, NO_LENGTH);
		return 0;
	}
	if (count > count_max(f) || count > COUNT_MAX)
		return -EINVAL;
	buf_add_u32(b, (uint32_t)count);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = put_struct(f->of, first + i * f->of->size, b);
	return rc;
}

static int put_field(const struct shape_field *f, const unsigned char *base, struct buf *b)
{
	const unsigned char *p = base + f->offset;

	switch (f->kind) {
	case SHAPE_RAW:
		buf_add(b, span_of(p, f->size));
		return 0;
	case SHAPE_TEXT:
		return put_text(f, p, b);
	case SHAPE_STRING:
		return put_string(f, p, b);
	case SHAPE_SPAN:
		return put_span(f, p, b);
	case SHAPE_STRUCT:
		return put_struct(f->of, p, b);
	case SHAPE_ARRAY:
	case SHAPE_LIST:
		return put_each(f, base, p, b);
	default:
		return put_number(f, p, b);
	}
}

static int put_struct(const struct shape *s, const unsigned char *p, struct buf *b)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->count; i++)
		rc = put_field(&s->fields[i], p, b);
	return rc;
}

int shape_put(enum store_op op, const void *args, struct buf *b)
{
	const struct shape *s = shape_find(op);
	const size_t before = b->len;
	int rc = s != NULL ? put_struct(s, args, b) : -EINVAL;

	if (rc == 0 && buf_error(b) != 0)
		return buf_error(b) == -ENOMEM ? -ENOMEM : -EINVAL;
	return rc == 0 && b->len - before > SHAPE_MESSAGE_MAX ? -EINVAL : rc;
}

/* -- memory ------------------------------------------------------------------------------------ */

struct block {
	struct block *next;
	max_align_t bytes[]; /* for whatever stands there */
};

/* Zeros; never NULL but without memory. */
static void *arena_take(struct shape_arena *arena, size_t count, size_t size)
{
	struct block *block;

	if (size > 0 && count > (SIZE_MAX - sizeof(*block)) / size)
		return NULL;
	block = calloc(1, sizeof(*block) + count * size);
	if (block == NULL)
		return NULL;
	block->next = arena->blocks;
	arena->blocks = block;
	return block->bytes;
}

void shape_done(struct shape_arena *arena)
{
	struct block *block = arena->blocks, *next;

	for (; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
	arena->blocks = NULL;
}

/* -- reading ----------------------------------------------------------------------------------- */

struct taking {
	struct rec rec;
	struct shape_arena *arena;
};

static int take_struct(struct taking *t, const struct shape *s, unsigned char *p);

/* What put_bytes() wrote. */
static int take_bytes(struct taking *t, size_t max, struct span *ret)
{
	const uint32_t len = rec_u32(&t->rec);

	*ret = span_of(NULL, 0);
	if (t->rec.error != 0)
		return -EBADMSG;
	if (len == NO_LENGTH)
		return 0;
	if (len > max)
		return -EBADMSG;
	*ret = rec_raw(&t->rec, len);
	return t->rec.error != 0 ? -EBADMSG : 0;
}

/* The rest of the array stays zeros. */
static int take_text(struct taking *t, const struct shape_field *f, unsigned char *p)
{
	struct span s;
	int rc = take_bytes(t, f->size - 1, &s);

	if (rc < 0 || s.p == NULL || memchr(s.p, '\0', s.len) != NULL)
		return -EBADMSG;
	memcpy(p, s.p, s.len);
	return 0;
}

static int take_string(struct taking *t, const struct shape_field *f, unsigned char *p)
{
	struct span s;
	int rc = take_bytes(t, (size_t)f->max + 1, &s);

	if (rc < 0)
		return rc;
	if (s.p != NULL && (s.len == 0 || memchr(s.p, '\0', s.len) != s.p + s.len - 1))
		return -EBADMSG;
	memcpy(p, &s.p, sizeof(s.p));
	return 0;
}

static int take_span(struct taking *t, const struct shape_field *f, unsigned char *p)
{
	struct span s;
	int rc = take_bytes(t, (size_t)f->max, &s);

	if (rc == 0)
		memcpy(p, &s, sizeof(s));
	return rc;
}

static int take_raw(struct taking *t, const struct shape_field *f, unsigned char *p)
{
	const struct span s = rec_raw(&t->rec, f->size);

	if (t->rec.error != 0)
		return -EBADMSG;
	memcpy(p, s.p, f->size);
	return 0;
}

static int take_number(struct taking *t, const struct shape_field *f, unsigned char *p)
{
	uint64_t v = 0;

	for (size_t i = 0; i < f->size; i++)
		v = v << 8 | rec_u8(&t->rec);
	if (t->rec.error != 0 || !number_ok(f, v))
		return -EBADMSG;
	number_set(p, f->size, v);
	return 0;
}

static int take_each(
	struct taking *t, const struct shape_field *f, unsigned char *base, unsigned char *p)
{
	const uint32_t wire = rec_u32(&t->rec);
	const size_t count = wire;
	unsigned char *first = p;
	int rc = 0;

	if (t->rec.error == 0 && wire == NO_LENGTH && f->kind == SHAPE_LIST)
		return 0; /* NULL and 0, as the memory is */
	if (t->rec.error != 0 || count > count_max(f) || count > t->rec.rest.len)
		return -EBADMSG;
	if (f->kind == SHAPE_LIST) {
		first = arena_take(t->arena, count, f->of->size);
		if (first == NULL)
			return -ENOMEM;
		memcpy(p, &first, sizeof(first));
	}
	memcpy(base + f->count, &count, sizeof(count));
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = take_struct(t, f->of, first + i * f->of->size);
	return rc;
}

static int take_field(struct taking *t, const struct shape_field *f, unsigned char *base)
{
	unsigned char *p = base + f->offset;

	switch (f->kind) {
	case SHAPE_RAW:
		return take_raw(t, f, p);
	case SHAPE_TEXT:
		return take_text(t, f, p);
	case SHAPE_STRING:
		return take_string(t, f, p);
	case SHAPE_SPAN:
		return take_span(t, f, p);
	case SHAPE_STRUCT:
		return take_struct(t, f->of, p);
	case SHAPE_ARRAY:
	case SHAPE_LIST:
		return take_each(t, f, base, p);
	default:
		return take_number(t, f, p);
	}
}

static int take_struct(struct taking *t, const struct shape *s, unsigned char *p)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->count; i++)
		rc = take_field(t, &s->fields[i], p);
	return rc;
}

int shape_take(enum store_op op, struct span bytes, struct shape_arena *arena, void **ret)
{
	const struct shape *s = shape_find(op);
	struct taking t = {.rec = rec_of(bytes), .arena = arena};
	void *args;
	int rc;

	if (s == NULL || bytes.len > SHAPE_MESSAGE_MAX)
		return -EBADMSG;
	args = arena_take(arena, 1, s->size);
	if (args == NULL)
		return -ENOMEM;
	rc = take_struct(&t, s, args);
	if (rc < 0)
		return rc;
	if (rec_end(&t.rec) < 0)
		return -EBADMSG;
	*ret = args;
	return 0;
}

/* -- the time ---------------------------------------------------------------------------------- */

static bool in_time(int64_t at_us, int64_t now_us, int64_t slack_us)
{
	return at_us >= now_us - slack_us && at_us <= now_us + slack_us;
}

/* Elements of arrays and lists say no time of their own. */
static bool struct_is_timely(
	const struct shape *s, const unsigned char *p, int64_t now_us, int64_t slack_us)
{
	bool timely = true;
	int64_t at_us;

	for (size_t i = 0; timely && i < s->count; i++) {
		const struct shape_field *f = &s->fields[i];

		if (f->kind == SHAPE_STRUCT)
			timely = struct_is_timely(f->of, p + f->offset, now_us, slack_us);
		if (f->kind != SHAPE_NOW)
			continue;
		memcpy(&at_us, p + f->offset, sizeof(at_us));
		timely = in_time(at_us, now_us, slack_us);
	}
	return timely;
}

bool shape_is_timely(enum store_op op, const void *args, int64_t now_us, int64_t slack_us)
{
	const struct shape *s = shape_find(op);

	return s != NULL && struct_is_timely(s, args, now_us, slack_us);
}

/* -- which shapes ------------------------------------------------------------------------------ */

/* FNV-1a: it tells programs of different builds apart, it keeps nobody out. */
static uint64_t mix(uint64_t h, const void *p, size_t len)
{
	const unsigned char *bytes = p;

	for (size_t i = 0; i < len; i++)
		h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
	return h;
}

static uint64_t mix_number(uint64_t h, uint64_t v)
{
	return mix(h, &v, sizeof(v));
}

static uint64_t mix_shape(uint64_t h, const struct shape *s)
{
	if (s == NULL)
		return h;
	h = mix(h, s->name, strlen(s->name) + 1);
	h = mix_number(h, s->size);
	for (size_t i = 0; i < s->count; i++) {
		const struct shape_field *f = &s->fields[i];

		h = mix(h, f->name, strlen(f->name) + 1);
		h = mix_number(h, (uint64_t)f->kind);
		h = mix_number(h, f->size);
		h = mix_number(h, f->min);
		h = mix_number(h, f->max);
		h = mix_shape(h, f->of);
	}
	return h;
}

uint64_t shape_version(void)
{
	static uint64_t version; /* 0: not known yet */
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	if (version != 0)
		return version;
	h = mix_number(h, EDITION);
	for (enum store_op op = 0; op < STORE_OP_COUNT; op++) {
		const struct op_def *def = op_find(op);

		h = mix(h, def->name, strlen(def->name) + 1);
		h = mix_number(h, def->flags);
		h = mix_number(h, def->result_size);
		h = mix_shape(h, shape_find(op));
	}
	version = h != 0 ? h : 1;
	return version;
}
