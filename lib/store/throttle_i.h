/* Inside lib/store only: the throttle's arithmetic, for the sweep. */
#ifndef STORE_THROTTLE_I_H
#define STORE_THROTTLE_I_H

#include "store/row.h"

/* What is left of the level. */
uint64_t throttle_level_milli(const struct throttle_row *t, uint64_t decay_s, int64_t now_us);

#endif
