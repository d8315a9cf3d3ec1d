/*
 * Line framing. A byte is looked at once per call and nothing is repaired: what two parsers could
 * read differently (bare CR, bare LF, NUL) is a fault, so that no message can hide in another.
 */
#include "net/frame.h"

#include <errno.h>

static int line_fault(size_t used, size_t *ret_used)
{
	*ret_used = used;
	return -EPROTO;
}

static int line_found(
	struct span in, size_t len, size_t end, struct span *ret_line, size_t *ret_used)
{
	*ret_line = span_of(in.p, len);
	*ret_used = len + end;
	return 1;
}

int frame_line(
	struct span in, const struct frame_rule *rule, struct span *ret_line, size_t *ret_used)
{
	for (size_t i = 0; i < in.len; i++) {
		unsigned char c = in.p[i];

		if (c == '\n') {
			if (!rule->bare_lf_ok)
				return line_fault(i + 1, ret_used);
			return line_found(in, i, 1, ret_line, ret_used);
		}
		if (c == '\r') {
			if (i + 1 == in.len)
				return 0;
			if (in.p[i + 1] != '\n')
				return line_fault(i + 1, ret_used);
			return line_found(in, i, 2, ret_line, ret_used);
		}
		if (i >= rule->max) {
			*ret_used = i;
			return -EMSGSIZE;
		}
		if (c == '\0' && !rule->nul_ok)
			return line_fault(i + 1, ret_used);
	}
	return 0;
}

/* Where a dot-stuffed block's reader stands. */
enum dot_state {
	DOT_LINE_START, /* the state of zeros */
	DOT_INSIDE, /* behind the first byte of a line */
	DOT_CR, /* behind a CR that must be followed by LF */
	DOT_DOT, /* behind a dot at the start of a line */
	DOT_DOT_CR, /* behind that dot and CR */
};

/* The bytes of in, from at on, that are ordinary inside a line. */
static size_t plain_run(struct span in, size_t at)
{
	size_t i = at;

	while (i < in.len && in.p[i] != '\r' && in.p[i] != '\n')
		i++;
	return i - at;
}

static int append(struct buf *out, struct span bytes)
{
	buf_add(out, bytes);
	if (buf_error(out) == -ENOBUFS)
		return -EMSGSIZE;
	return buf_error(out);
}

/*
 * One step: consumes at least one byte of in from *at. 1: the block is complete. The state and *at
 * stay as they were when out is full.
 */
static int dot_step(struct frame_dot *d, struct span in, struct buf *out, size_t *at)
{
	unsigned char c = in.p[*at];
	size_t run;
	int r = 0;

	switch (d->state) {
	case DOT_CR:
	case DOT_DOT_CR:
		if (c != '\n')
			return -EPROTO;
		if (d->state == DOT_DOT_CR) {
			(*at)++;
			return 1;
		}
		r = append(out, SPAN_LIT("\r\n"));
		if (r == 0) {
			d->state = DOT_LINE_START;
			(*at)++;
		}
		return r;
	case DOT_LINE_START:
		if (c == '.') {
			d->state = DOT_DOT;
			(*at)++;
			return 0;
		}
		break;
	default:
		break;
	}
	if (c == '\n')
		return -EPROTO;
	if (c == '\r') {
		d->state = d->state == DOT_DOT ? DOT_DOT_CR : DOT_CR;
		(*at)++;
		return 0;
	}
	run = plain_run(in, *at);
	r = append(out, span_of(in.p + *at, run));
	if (r == 0) {
		d->state = DOT_INSIDE;
		*at += run;
	}
	return r;
}

int frame_dot_read(struct frame_dot *d, struct span in, struct buf *out, size_t *ret_used)
{
	size_t at = 0;
	int r = 0;

	while (at < in.len && r == 0)
		r = dot_step(d, in, out, &at);
	if (r == 1)
		d->state = DOT_LINE_START;
	*ret_used = at;
	return r;
}

/* Splits the next line off *rest; -EINVAL when it is not ended by the CR LF that it must have. */
static int next_body_line(struct span *rest, struct span *ret_line)
{
	size_t len = plain_run(*rest, 0);

	if (rest->len - len < 2 || rest->p[len] != '\r' || rest->p[len + 1] != '\n')
		return -EINVAL;
	*ret_line = span_of(rest->p, len + 2);
	*rest = span_of(rest->p + len + 2, rest->len - len - 2);
	return 0;
}

int frame_dot_write(struct buf *out, struct span body)
{
	struct span line;

	while (body.len > 0) {
		int r = next_body_line(&body, &line);

		if (r < 0)
			return r;
		if (line.p[0] == '.')
			buf_add_byte(out, '.');
		buf_add(out, line);
	}
	buf_add_str(out, ".\r\n");
	return buf_error(out);
}
