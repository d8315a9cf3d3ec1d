/*
 * OpenSSL reads and writes the socket through a small BIO of ours, so that no write can raise
 * SIGPIPE and the end of the socket is seen as what it is. OpenSSL hands over one record at a time;
 * the records of one write are held back and sent together.
 */
#include "net/tls_internal.h"

#include <errno.h>

enum { RECORD_EXTRA = 64, RECORD_MAX = 16384 }; /* a record's header, tag and padding */

void tls_bio_gather(struct conn *c, size_t len)
{
	struct tls_conn *t = c->tls;

	/* Where there is no memory for all, records go out one by one. */
	if (buf_reserve(&t->held, len + (len / RECORD_MAX + 1) * RECORD_EXTRA) == NULL)
		buf_reset(&t->held);
	t->gather = true;
}

int tls_bio_flush(struct conn *c)
{
	struct tls_conn *t = c->tls;

	while (t->held.len > t->held_sent) {
		struct span rest = span_of(t->held.p + t->held_sent, t->held.len - t->held_sent);
		ssize_t n = conn_raw_write(c, rest);

		if (n < 0) {
			c->held = n == -EAGAIN;
			return (int)n;
		}
		t->held_sent += (size_t)n;
	}
	t->held_sent = 0;
	c->held = false;
	if (c->bulk)
		buf_reset(&t->held);
	else
		buf_done(&t->held);
	return 0;
}

static int bio_result(BIO *bio, ssize_t n, int retry)
{
	if (n == -EAGAIN)
		BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
	if (n >= 0)
		return (int)n;
	errno = (int)-n;
	return -1;
}

static int bio_read(BIO *bio, char *p, int len)
{
	struct conn *c = BIO_get_data(bio);
	ssize_t n = len > 0 ? conn_raw_read(c, p, (size_t)len) : 0;

	BIO_clear_retry_flags(bio);
	if (n == 0 && len > 0)
		c->tls->socket_ended = true;
	return bio_result(bio, n, BIO_FLAGS_READ);
}

/* Takes the bytes of a record while records are gathered and there is room. */
static bool hold(struct tls_conn *t, struct span bytes)
{
	if (!t->gather || bytes.len > t->held.max - t->held.len)
		return false;
	buf_add(&t->held, bytes);
	return buf_error(&t->held) == 0;
}

static int bio_write(BIO *bio, const char *p, int len)
{
	struct conn *c = BIO_get_data(bio);
	struct span bytes = span_of(p, len > 0 ? (size_t)len : 0);
	ssize_t n = hold(c->tls, bytes) ? len : tls_bio_flush(c);

	if (n == 0 && len > 0)
		n = conn_raw_write(c, bytes);
	BIO_clear_retry_flags(bio);
	return bio_result(bio, n, BIO_FLAGS_WRITE);
}

static long bio_ctrl(BIO *bio, int what, long number, void *p)
{
	const struct conn *c = BIO_get_data(bio);

	(void)number;
	(void)p;
	if (what == BIO_CTRL_EOF)
		return c != NULL && c->tls != NULL && c->tls->socket_ended;
	return what == BIO_CTRL_FLUSH || what == BIO_CTRL_DUP;
}

/* One table per process, never freed. */
static BIO_METHOD *bio_method(void)
{
	static BIO_METHOD *method;

	if (method != NULL)
		return method;
	method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "quintet");
	if (method == NULL)
		return NULL;
	if (BIO_meth_set_read(method, bio_read) == 1 &&
		BIO_meth_set_write(method, bio_write) == 1 &&
		BIO_meth_set_ctrl(method, bio_ctrl) == 1)
		return method;
	BIO_meth_free(method);
	method = NULL;
	return NULL;
}

BIO *tls_bio_new(struct conn *c)
{
	BIO *bio = bio_method() != NULL ? BIO_new(bio_method()) : NULL;

	if (bio == NULL)
		return NULL;
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	return bio;
}
