/*
 * A store for fuzzers of whole sessions: in memory if there is room, made once, and put back as it
 * was before each input. Its clock goes on by 65536 microseconds each time it is looked at, so that
 * runs are alike (and every message id of chat ends in "-0000"). Its passwords cost nothing.
 */
#ifndef TESTS_FUZZ_WORLD_H
#define TESTS_FUZZ_WORLD_H

#include "service/service.h"

#include <stdlib.h>

#define WORLD_PASSWORD "correct horse"
#define WORLD_YEAR_US (INT64_C(365) * 86400 * INT64_C(1000000))

#define require(condition) ((condition) ? (void)0 : require_failed(#condition, __func__))
_Noreturn void require_failed(const char *condition, const char *where);

struct world {
	char dir[64], data[128];
	struct store *store;
	struct service_settings settings; /* of example.org */
	struct buf file; /* the store's, as it was kept */
	int64_t made; /* on the clock */
};

/* An empty store in a folder of its own; the clock begins. */
void world_begin(struct world *w, const char *host);
/* The store as it is now is what world_reset() gives back, with its clock. */
void world_keep(struct world *w);
void world_reset(struct world *w);
void world_end(struct world *w);

void world_account(const struct world *w, const char *name, uint32_t flags);
void world_policy(const struct world *w, const char *name, const char *value);
/* Every row can be read, and they agree. */
void world_check(const struct world *w);

/* Time passes. */
void world_wait(unsigned seconds);
/* The fuzzer itself looks at the clock as well: it has to be the true one between inputs. */
void world_clock(bool ours);

#endif
