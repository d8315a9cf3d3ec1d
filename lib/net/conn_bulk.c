/*
 * Bulk data past the buffers, and a goodbye that does not wait: for whoever moves files and serves
 * something else at the same time.
 */
#include "net/conn_internal.h"

#include <errno.h>
#include <sys/socket.h>

ssize_t conn_step_read(struct conn *c, void *p, size_t len)
{
	ssize_t n;

	if (c->handshaking || len == 0 || conn_pending(c).len > 0)
		return -EINVAL;
	if (c->in_error != 0)
		return c->in_error;
	if (c->ended)
		return 0;
	c->bulk = true;
	n = c->ops->read(c, p, len);
	if (n > 0)
		c->bytes_in += (uint64_t)n;
	else if (n == 0)
		c->ended = true;
	else if (n != -EAGAIN)
		c->in_error = (int)n;
	return n;
}

ssize_t conn_step_write(struct conn *c, struct span bytes)
{
	ssize_t n;

	if (c->handshaking || bytes.len == 0 || c->out.len > c->out_sent || c->said_bye)
		return -EINVAL;
	if (c->out_error != 0)
		return c->out_error;
	c->bulk = true;
	n = c->ops->write(c, bytes);
	if (n > 0)
		c->bytes_out += (uint64_t)n;
	else if (n != -EAGAIN)
		c->out_error = (int)n;
	return n;
}

short conn_wants_read(const struct conn *c)
{
	return c->read_wants;
}

short conn_wants_write(const struct conn *c)
{
	return c->write_wants;
}

bool conn_has_more(const struct conn *c)
{
	return c->ops->more(c);
}

int conn_step_bye(struct conn *c)
{
	int r;

	if (c->said_bye)
		return 0;
	if (c->handshaking)
		return -ENOTCONN;
	r = conn_step_flush(c);
	if (r == 0 && c->ops->bye != NULL)
		r = c->ops->bye(c);
	if (r == -EAGAIN)
		return r;
	c->said_bye = true;
	if (c->fd >= 0)
		(void)shutdown(c->fd, SHUT_WR);
	return r;
}
