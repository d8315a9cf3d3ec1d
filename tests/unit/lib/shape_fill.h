/* Arguments of operations made up by their shapes, and compared by them. */
#ifndef TESTS_UNIT_SHAPE_FILL_H
#define TESTS_UNIT_SHAPE_FILL_H

#include "store/shape_i.h"

struct shape_fill {
	uint64_t state; /* of the generator; not 0 */
	const char *const *words; /* that texts often are; NULL: none */
	size_t word_count;
	int64_t now_us; /* what SHAPE_NOW says; 0: anything */
	size_t span_max; /* no span is longer; 0: any is as its field allows */
	size_t list_max; /* no list is */
	struct shape_arena arena;
};

/* The next number of the generator, and one below n. */
uint64_t shape_fill_next(struct shape_fill *f);
size_t shape_fill_below(struct shape_fill *f, size_t n);

/* Valid arguments of that operation; memory of f's arena, and so until shape_done() of it. */
void *shape_fill(struct shape_fill *f, enum store_op op);

/* Zeros, freed by shape_done(). */
void *shape_fill_keep(struct shape_arena *arena, size_t size);

/* Field by field; the first that differs in *ret. */
bool shape_same(const struct shape *s, const void *a, const void *b, const char **ret);

#endif
