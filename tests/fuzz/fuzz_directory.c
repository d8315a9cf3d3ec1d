/* The service directory as a client reads it from a hostile server: bounded, and stable when
 * written again. */
#include "proto/form.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again = BUF_INIT(65536);
	struct directory d = {0}, second = {0};

	if (directory_parse(span_of(data, size), &d) == 0) {
		must(d.door_count <= DIRECTORY_MAX_DOORS);
		must(directory_write(&again, &d) == 0);
		must(directory_parse(buf_span(&again), &second) == 0);
		must(second.door_count == d.door_count && strcmp(d.host, second.host) == 0);
		for (size_t i = 0; i < d.door_count; i++) {
			must(directory_door(&d, d.doors[i].name) != NULL);
			must(d.doors[i].port == second.doors[i].port);
		}
	}
	must(directory_door(&d, "no such door") == NULL);
	buf_done(&again);
	return 0;
}
