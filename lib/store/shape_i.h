/*
 * Inside lib/store only: the description of an argument struct. A field says where it stands, how
 * long it is, and what its bytes may be; what is no field is padding. The macros look at the
 * member's type, so that a field that became another does not compile.
 */
#ifndef STORE_SHAPE_I_H
#define STORE_SHAPE_I_H

#include "store/shape.h"

#include <stdint.h>

enum shape_kind {
	SHAPE_NUMBER = 1, /* of 1, 2, 4 or 8 bytes, whatever bits */
	SHAPE_NOW, /* int64_t: what time it is, as the caller says */
	SHAPE_UPTO, /* a number of 0 to max */
	SHAPE_BETWEEN, /* an enumeration of min to max, all of them used */
	SHAPE_BITS, /* no bits but those of max */
	SHAPE_BOOL,
	SHAPE_RAW, /* so many bytes as they are */
	SHAPE_TEXT, /* an array of char that holds its NUL */
	SHAPE_STRING, /* const char *: NULL, or a C string of at most max bytes */
	SHAPE_SPAN, /* {NULL, 0}, or at most max bytes */
	SHAPE_STRUCT, /* one of these in its place */
	SHAPE_ARRAY, /* an array of these: as many are used as the size_t at count says */
	SHAPE_LIST, /* a pointer to as many of these as the size_t at count says, at most max; NULL
		     * none whatever it says */
};

struct shape;
struct shape_field {
	const char *name;
	enum shape_kind kind;
	size_t offset, size; /* of the member, in bytes */
	uint64_t min, max;
	size_t count; /* ARRAY, LIST: where the size_t is, which is no field of its own */
	const struct shape *of; /* STRUCT, ARRAY, LIST */
};

struct shape {
	const char *name;
	size_t size;
	const struct shape_field *fields;
	size_t count;
};

/* The member of a struct that is nowhere. */
#define SHAPE_OF(type, m) (((const type *)NULL)->m)
#define SHAPE_AT(type, m) .name = #m, .offset = offsetof(type, m), .size = sizeof(SHAPE_OF(type, m))

/* bool is in none of these; enumerations are unsigned int or int. */
#define SHAPE_IF_NUMBER(x, kind)    \
	_Generic((x), char          \
		 : (kind), uint8_t  \
		 : (kind), uint16_t \
		 : (kind), int32_t  \
		 : (kind), uint32_t \
		 : (kind), int64_t  \
		 : (kind), uint64_t \
		 : (kind))
#define NUMBER(type, m)                                                                     \
	{                                                                                   \
		.kind = SHAPE_IF_NUMBER(SHAPE_OF(type, m), SHAPE_NUMBER), SHAPE_AT(type, m) \
	}
#define UPTO(type, m, most)                                                                \
	{                                                                                  \
		.kind = SHAPE_IF_NUMBER(SHAPE_OF(type, m), SHAPE_UPTO), SHAPE_AT(type, m), \
		.max = (most)                                                              \
	}
#define BETWEEN(type, m, least, most)                                                         \
	{                                                                                     \
		.kind = SHAPE_IF_NUMBER(SHAPE_OF(type, m), SHAPE_BETWEEN), SHAPE_AT(type, m), \
		.min = (least), .max = (most)                                                 \
	}
#define BITS(type, m, all)                                                                 \
	{                                                                                  \
		.kind = SHAPE_IF_NUMBER(SHAPE_OF(type, m), SHAPE_BITS), SHAPE_AT(type, m), \
		.max = (all)                                                               \
	}
#define NOW(type, m)                                                                        \
	{                                                                                   \
		.kind = _Generic(SHAPE_OF(type, m), int64_t : SHAPE_NOW), SHAPE_AT(type, m) \
	}
#define BOOL(type, m)                                                                     \
	{                                                                                 \
		.kind = _Generic(SHAPE_OF(type, m), bool : SHAPE_BOOL), SHAPE_AT(type, m) \
	}
#define RAW(type, m)                                                                             \
	{                                                                                        \
		.kind = _Generic(SHAPE_OF(type, m), const unsigned char * : SHAPE_RAW),        \
		SHAPE_AT(type, m) \
	}
#define TEXT(type, m)                                                                            \
	{                                                                                        \
		.kind = _Generic(&SHAPE_OF(type, m)[0], const char * : SHAPE_TEXT),            \
		SHAPE_AT(type, m) \
	}
#define STRING(type, m, most)                                                                    \
	{                                                                                        \
		.kind = _Generic(SHAPE_OF(type, m), const char * : SHAPE_STRING),              \
		SHAPE_AT(type, m), .max = (most) \
	}
#define SPAN(type, m, most)                                     \
	{                                                       \
		.kind = _Generic(SHAPE_OF(type, m), struct span \
				 : SHAPE_SPAN),                 \
		SHAPE_AT(type, m), .max = (most)                \
	}
#define STRUCT(type, m, what)                                          \
	{                                                              \
		.kind = SHAPE_STRUCT, SHAPE_AT(type, m), .of = &(what) \
	}
#define ARRAY(type, m, counted, what)                                              \
	{                                                                          \
		.kind = _Generic(SHAPE_OF(type, counted), size_t                   \
				 : SHAPE_ARRAY),                                   \
		SHAPE_AT(type, m), .count = offsetof(type, counted), .of = &(what) \
	}
#define LIST(type, m, counted, what, most)                                       \
	{                                                                        \
		.kind = _Generic(SHAPE_OF(type, counted), size_t                 \
				 : SHAPE_LIST),                                  \
		.name = #m, .offset = offsetof(type, m), .size = sizeof(void *), \
		.count = offsetof(type, counted), .of = &(what), .max = (most)   \
	}

/* The shape called NAME of that type, from the table NAME_fields. */
#define SHAPE(shape_name, type)                                                       \
	{                                                                             \
		.name = #type, .size = sizeof(type), .fields = shape_name##_fields,   \
		.count = sizeof(shape_name##_fields) / sizeof(shape_name##_fields[0]) \
	}

/* A row of an area's table. */
struct shape_row {
	enum store_op op;
	const struct shape *shape;
};
struct shape_rows {
	const struct shape_row *rows;
	size_t count;
};
extern const struct shape_rows shape_rows_base, shape_rows_cert, shape_rows_file, shape_rows_chat,
	shape_rows_mail;

/* What several areas have in their arguments. */
extern const struct shape shape_blob_sealed, shape_sweep_key;

/* NULL when there is no such operation. */
const struct shape *shape_find(enum store_op op);

#endif
