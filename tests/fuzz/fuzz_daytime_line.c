/*
 * What a client reads from a daytime server: the exchange and the line with the time. What is taken
 * must come out the same when it is written again.
 */
#include "base/timefmt.h"
#include "proto/daytime.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void try_exchange(struct span line)
{
	struct buf b = BUF_INIT(DAYTIME_LINE_MAX);
	struct daytime_exchange x;
	int64_t offset_ns, bound_ns;

	if (daytime_read_exchange(line, &x) < 0)
		return;
	require(daytime_write_exchange(&b, &x) == 0 && span_eq(buf_span(&b), line));
	x.t4_ns = x.t3_ns;
	if (daytime_offset(&x, &offset_ns, &bound_ns) == 0)
		require(bound_ns >= x.server_error_ns);
	buf_done(&b);
}

static void try_line(struct span line)
{
	struct time_parts parts;
	int64_t at_us;

	if (daytime_read_line(line, &at_us) == 0)
		require(time_utc(at_us, &parts) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_exchange(span_of(data, size));
	try_line(span_of(data, size));
	return 0;
}
