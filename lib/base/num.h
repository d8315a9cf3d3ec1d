/* Strict numbers: digits only, no sign, no blanks, no leading zeros, range checked. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/span.h"

#include <stdint.h>

/* Decimal within min..max. -EINVAL when it is not a number, -ERANGE when outside. */
int num_parse_u64(struct span s, uint64_t min, uint64_t max, uint64_t *ret);

/* As above, with an optional leading '-'. "-0" is refused. */
int num_parse_i64(struct span s, int64_t min, int64_t max, int64_t *ret);

/* A number with an optional unit: s, m, h, d, w (seconds). "90", "90s", "30d". Result in seconds.
 */
int num_parse_duration_s(struct span s, uint64_t max_s, uint64_t *ret_s);

/* A number with an optional unit K, M, G, T (powers of 1024). */
int num_parse_size(struct span s, uint64_t max, uint64_t *ret);

#endif
