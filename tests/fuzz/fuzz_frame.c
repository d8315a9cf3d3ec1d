/*
 * Line framing and dot-stuffed blocks. The first two bytes choose the rule and the size of the
 * pieces. However the input is cut, the same must come out, nothing longer than the rule allows
 * and nothing with a forbidden byte in it.
 */
#include "net/conn.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_line(struct span line, const struct frame_rule *rule)
{
	must(line.len <= rule->max);
	for (size_t i = 0; i < line.len; i++)
		must(line.p[i] != '\r' && line.p[i] != '\n' && (line.p[i] != 0 || rule->nul_ok));
}

/* Reads all lines and writes down what happened. */
static void read_lines(
	struct span in, size_t step, const struct frame_rule *rule, struct buf *story)
{
	struct conn *c = NULL;
	struct span line;
	int r;

	must(conn_new_memory(in, step, NULL, &c) == 0);
	do {
		r = conn_read_line(c, rule, &line);
		buf_add_byte(story, (unsigned char)-r);
		if (r == 1) {
			check_line(line, rule);
			buf_add(story, line);
		}
	} while (r == 1 || r == -EMSGSIZE || r == -EPROTO);
	conn_free(c);
}

static int read_dot(struct span in, size_t step, struct buf *out, size_t *ret_used)
{
	struct frame_dot dot = {0};
	size_t total = 0;
	int r = 0;

	while (r == 0 && total < in.len) {
		size_t used = 0, rest = in.len - total;

		r = frame_dot_read(
			&dot, span_of(in.p + total, rest < step ? rest : step), out, &used);
		must(used <= rest);
		must(r != 0 || used == (rest < step ? rest : step));
		total += used;
	}
	*ret_used = total;
	return r;
}

static void dots(struct span in, size_t step, size_t max)
{
	struct buf whole = BUF_INIT(max), pieces = BUF_INIT(max), again = BUF_INIT(2 * in.len + 3);
	size_t used_whole = 0, used_pieces = 0;
	int r = read_dot(in, in.len + 1, &whole, &used_whole);

	must(read_dot(in, step, &pieces, &used_pieces) == r);
	if (r != -EMSGSIZE)
		must(used_whole == used_pieces && span_eq(buf_span(&whole), buf_span(&pieces)));
	if (r == 1) {
		/* What was read, written again, reads the same. */
		must(frame_dot_write(&again, buf_span(&whole)) == 0);
		buf_reset(&pieces);
		must(read_dot(buf_span(&again), step, &pieces, &used_pieces) == 1);
		must(span_eq(buf_span(&whole), buf_span(&pieces)));
	}
	buf_done(&whole);
	buf_done(&pieces);
	buf_done(&again);
}

static void dots_over_conn(struct span in, size_t step, size_t max)
{
	struct buf out = BUF_INIT(max), some = BUF_INIT(16);
	struct conn *c = NULL;

	must(conn_new_memory(in, step, NULL, &c) == 0);
	if (conn_read_dot(c, &out) == 1)
		(void)conn_read_exact(c, step & 15, &some);
	conn_free(c);
	buf_done(&out);
	buf_done(&some);
}

static void write_any(struct span in)
{
	struct buf out = BUF_INIT(2 * in.len + 3), back = BUF_INIT(in.len);
	size_t used = 0;

	if (frame_dot_write(&out, in) == 0) {
		must(read_dot(buf_span(&out), 7, &back, &used) == 1);
		must(used == out.len && span_eq(buf_span(&back), in));
	}
	buf_done(&out);
	buf_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(4 * size + 16), pieces = BUF_INIT(4 * size + 16);
	struct frame_rule rule;
	struct span in;
	size_t step;

	if (size < 2)
		return 0;
	rule = (struct frame_rule){.max = data[0] >> 2,
		.bare_lf_ok = (data[0] & 1) != 0,
		.nul_ok = (data[0] & 2) != 0};
	step = 1U + data[1] % 32;
	in = span_of(data + 2, size - 2);
	read_lines(in, 0, &rule, &whole);
	read_lines(in, step, &rule, &pieces);
	must(span_eq(buf_span(&whole), buf_span(&pieces)));
	dots(in, step, rule.max);
	dots(in, step, in.len);
	dots_over_conn(in, step, rule.max);
	write_any(in);
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}
