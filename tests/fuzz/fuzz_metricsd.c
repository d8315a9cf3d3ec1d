/*
 * The session of metricsd over a connection in memory: the first byte says how many bytes come at a
 * time, the rest is what the peer sends. Whatever it is, it gets one HTTP answer or none. The same
 * bytes are then a table of the kernel's sockets.
 */
#include "service/figures.h"
#include "services/metricsd/metricsd.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int write_figures(struct service *s, struct buf *b)
{
	static const struct figures none = {.now_us = 1};

	(void)s;
	return figures_write(&none, b);
}

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Nothing, or one status line of ours and a connection that is closed behind it. */
static void check(struct span out)
{
	if (out.len == 0)
		return;
	require(span_starts(out, "HTTP/1.1 ") && out.len > 12);
	require(out.p[9] == '2' || out.p[9] == '4' || out.p[9] == '5' || out.p[9] == '1');
	require(memmem(out.p, out.len, "\r\n\r\n", 4) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct metrics_source source = {write_figures};
	static const struct service_door door = {.name = "metrics"};
	struct service s = SERVICE_INIT;
	struct buf out = BUF_INIT(1 << 22);

	if (size == 0)
		return 0;
	s.door = &door;
	require(conn_new_memory(span_of(data + 1, size - 1), data[0], &out, &s.conn) == 0);
	(void)metrics_run(&s, &source);
	conn_freep(&s.conn);
	check(buf_span(&out));
	buf_done(&out);
	(void)figures_listed(span_of(data, size), "/run/x");
	return 0;
}
