/* What the tests of MIME share: texts that are compared, messages that are counted. */
#ifndef TESTS_UNIT_LIB_MIME_CHECK_H
#define TESTS_UNIT_LIB_MIME_CHECK_H

#include "base/cleanup.h"
#include "proto/mime_i.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static inline void assert_span(struct span s, const char *wanted)
{
	if (!span_eq_str(s, wanted))
		fail_msg("\"%.*s\" is not \"%s\"", (int)s.len, (const char *)s.p, wanted);
}

static inline void assert_buf(const struct buf *b, const char *wanted)
{
	assert_int_equal(buf_error(b), 0);
	assert_span(buf_span(b), wanted);
}

/* A string as many times. */
static inline void add_times(struct buf *b, const char *s, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buf_add_str(b, s);
}

#endif
