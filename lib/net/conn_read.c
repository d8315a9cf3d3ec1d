/*
 * The reading calls: lines by rule, counted bytes, dot-stuffed blocks, whatever is there.
 */
#include "net/conn_internal.h"

#include <errno.h>

/* Marks bytes as handed out. They stay in place until more has to be read. */
static void take(struct conn *c, size_t len)
{
	c->in_used += len;
	c->in_seen = 0;
}

/* Gets more input, sending what is due before any wait. 1: something came; 0: the clean end. */
static int fill(struct conn *c)
{
	int r = conn_tick(c);

	if (r < 0)
		return r;
	while ((r = conn_step_fill(c)) == -EAGAIN) {
		/* A failed send is told by the write calls; here the peer may still have spoken. */
		(void)conn_step_flush(c);
		r = conn_wait(c, conn_events(c));
		if (r < 0)
			return r;
	}
	return r > 0 ? 1 : r;
}

/* Drops input up to and with the next LF. */
static int skip_line(struct conn *c)
{
	for (;;) {
		struct span have = conn_pending(c);
		const unsigned char *lf = have.len > 0 ? memchr(have.p, '\n', have.len) : NULL;
		int r;

		take(c, lf != NULL ? (size_t)(lf - have.p) + 1 : have.len);
		if (lf != NULL)
			return 0;
		r = fill(c);
		if (r <= 0)
			return r == 0 ? -ECONNRESET : r;
	}
}

/* After a fault used bytes into the input: the rest of that line goes with it. */
static int refuse_line(struct conn *c, int fault, size_t used)
{
	struct span have = conn_pending(c);
	int r = 0;

	take(c, used);
	if (used == 0 || have.p[used - 1] != '\n')
		r = skip_line(c);
	return r < 0 ? r : fault;
}

/*
 * Is it worth looking for a line? A peer that sends byte by byte must not make us read all that it
 * sent so far again with every byte.
 */
static bool line_due(struct conn *c, struct span have, size_t max)
{
	bool due = have.len > max;

	if (!due && have.len > c->in_seen)
		due = memchr(have.p + c->in_seen, '\n', have.len - c->in_seen) != NULL;
	if (!due)
		c->in_seen = have.len;
	return due;
}

/* Drops what has come of a refused line. -EAGAIN: its end is not there yet. */
static int skip_some(struct conn *c)
{
	struct span have = conn_pending(c);
	const unsigned char *lf = have.len > 0 ? memchr(have.p, '\n', have.len) : NULL;

	take(c, lf != NULL ? (size_t)(lf - have.p) + 1 : have.len);
	c->skipping = lf == NULL;
	return c->skipping ? -EAGAIN : 0;
}

/* No whole line is there: will one come? */
static int step_end(const struct conn *c)
{
	if (c->in_error != 0)
		return c->in_error;
	if (!c->ended)
		return -EAGAIN;
	return conn_pending(c).len == 0 && !c->skipping ? 0 : -ECONNRESET;
}

int conn_step_line(struct conn *c, const struct frame_rule *rule, struct span *ret)
{
	struct span have;
	size_t used = 0;
	int r;

	if (c->skipping && skip_some(c) < 0)
		return step_end(c);
	have = conn_pending(c);
	r = line_due(c, have, rule->max) ? frame_line(have, rule, ret, &used) : 0;
	if (r == 0 && have.len >= CONN_IN_MAX) {
		r = -EMSGSIZE;
		used = have.len;
	}
	if (r == 0)
		return step_end(c);
	take(c, used);
	if (r < 0 && (used == 0 || have.p[used - 1] != '\n'))
		(void)skip_some(c);
	return r;
}

int conn_read_line(struct conn *c, const struct frame_rule *rule, struct span *ret)
{
	while (c->skipping && skip_some(c) < 0) {
		int r = fill(c);

		if (r <= 0)
			return r == 0 ? -ECONNRESET : r;
	}
	for (;;) {
		struct span have = conn_pending(c);
		size_t used = 0;
		int r = line_due(c, have, rule->max) ? frame_line(have, rule, ret, &used) : 0;

		if (r == 1) {
			take(c, used);
			return 1;
		}
		if (r < 0)
			return refuse_line(c, r, used);
		if (have.len >= CONN_IN_MAX)
			return refuse_line(c, -EMSGSIZE, have.len);
		r = fill(c);
		if (r == 0)
			return conn_pending(c).len == 0 ? 0 : -ECONNRESET;
		if (r < 0)
			return r;
	}
}

int conn_read_exact(struct conn *c, size_t len, struct buf *out)
{
	if (len > out->max || out->len > out->max - len)
		return -EMSGSIZE;
	while (len > 0) {
		struct span have = conn_pending(c);
		size_t now = have.len < len ? have.len : len;
		int r;

		buf_add(out, span_of(have.p, now));
		if (buf_error(out) != 0)
			return buf_error(out) == -ENOBUFS ? -EMSGSIZE : buf_error(out);
		take(c, now);
		len -= now;
		if (len == 0)
			break;
		r = fill(c);
		if (r <= 0)
			return r == 0 ? -ECONNRESET : r;
	}
	return 0;
}

int conn_read_some(struct conn *c, size_t max, struct span *ret)
{
	struct span have = conn_pending(c);

	if (max == 0)
		return -EINVAL;
	if (have.len == 0) {
		int r = fill(c);

		if (r <= 0)
			return r;
		have = conn_pending(c);
	}
	*ret = span_of(have.p, have.len < max ? have.len : max);
	take(c, ret->len);
	return (int)ret->len;
}

int conn_read_dot(struct conn *c, struct buf *out)
{
	struct frame_dot dot = {0};
	struct buf waste = BUF_INIT(CONN_IN_MAX);
	struct buf *to = out;
	int over = 0, r;

	for (;;) {
		struct span have = conn_pending(c);
		size_t used = 0;

		buf_reset(&waste);
		r = frame_dot_read(&dot, have, to, &used);
		take(c, used);
		if (r == -EMSGSIZE && to == out) {
			over = r;
			to = &waste;
			continue;
		}
		if (r != 0)
			break;
		r = fill(c);
		if (r <= 0) {
			r = r == 0 ? -ECONNRESET : r;
			break;
		}
	}
	buf_wipe(&waste);
	return r == 1 && over != 0 ? over : r;
}
