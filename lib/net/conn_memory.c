/*
 * A connection over memory, for tests and fuzzers: the same calls, no socket, no waiting.
 */
#include "net/conn_internal.h"

#include <errno.h>
#include <stdlib.h>

struct conn_memory {
	struct span in;
	size_t step;
	struct span (*next)(void *arg); /* NULL: in is all */
	void *arg;
	struct buf *out;
};

static ssize_t memory_read(struct conn *c, unsigned char *p, size_t len)
{
	struct conn_memory *m = c->memory;

	if (m->in.len == 0 && m->next != NULL)
		m->in = m->next(m->arg);
	if (len > m->in.len)
		len = m->in.len;
	if (m->step > 0 && len > m->step)
		len = m->step;
	if (len > 0)
		memcpy(p, m->in.p, len);
	m->in = span_of(m->in.len > len ? m->in.p + len : NULL, m->in.len - len);
	return (ssize_t)len;
}

static ssize_t memory_write(struct conn *c, struct span bytes)
{
	buf_add(c->memory->out, bytes);
	return buf_error(c->memory->out) == 0 ? (ssize_t)bytes.len : -EPIPE;
}

static bool memory_more(const struct conn *c)
{
	(void)c;
	return false;
}

static void memory_release(struct conn *c)
{
	free(c->memory);
	c->memory = NULL;
}

static const struct conn_ops memory_ops = {
	.read = memory_read, .write = memory_write, .more = memory_more, .release = memory_release};

static int new_memory(const struct conn_memory *memory, struct conn **ret)
{
	struct conn_memory *m = malloc(sizeof(*m));
	struct conn *c = NULL;
	int r;

	if (m == NULL)
		return -ENOMEM;
	r = conn_new(-1, &c);
	if (r < 0) {
		free(m);
		return r;
	}
	*m = *memory;
	c->memory = m;
	c->ops = &memory_ops;
	*ret = c;
	return 0;
}

int conn_new_memory(struct span in, size_t step, struct buf *out, struct conn **ret)
{
	return new_memory(&(struct conn_memory){.in = in, .step = step, .out = out}, ret);
}

int conn_new_source(struct span (*next)(void *arg), void *arg, struct buf *out, struct conn **ret)
{
	return new_memory(&(struct conn_memory){.next = next, .arg = arg, .out = out}, ret);
}
