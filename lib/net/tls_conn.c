/* TLS on a connection: the handshake, records, the end, and why something failed. */
#include "net/tls_internal.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>

/* -- errors ------------------------------------------------------------------------------------ */

static void say(struct tls_conn *t, const char *before, const char *text)
{
	(void)snprintf(t->reason, sizeof(t->reason), "%s%s", before, text);
}

static int fault_of_peer(struct tls_conn *t, unsigned long code)
{
	int reason = ERR_GET_REASON(code);

	if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		say(t, "", "peer closed");
		return -ECONNRESET;
	}
	if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		say(t, "", X509_verify_cert_error_string(SSL_get_verify_result(t->ssl)));
		return -EKEYREJECTED;
	}
	if (reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256)
		say(t, "peer refused: ", SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET));
	else
		say(t, "", tls_reason_text(code));
	return reason == ERR_R_MALLOC_FAILURE ? -ENOMEM : -EPROTO;
}

/* What a call of SSL that returned result means; saved is errno behind it. */
static int fault(struct conn *c, int result, int saved)
{
	struct tls_conn *t = c->tls;
	unsigned long code;
	int error;

	switch (SSL_get_error(t->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		if (!t->socket_ended)
			return 0;
		say(t, "", "peer closed");
		return -ECONNRESET;
	default:
		break;
	}
	code = ERR_peek_error();
	if (code != 0) {
		error = fault_of_peer(t, code);
		ERR_clear_error();
		return error;
	}
	if (t->socket_ended || saved == 0 || saved == ECONNRESET) {
		say(t, "", "peer closed");
		return -ECONNRESET;
	}
	(void)snprintf(t->reason, sizeof(t->reason), "socket error %d", saved);
	return -saved;
}

static short wants(const struct tls_conn *t, short usual)
{
	if (SSL_want_read(t->ssl))
		return POLLIN;
	return SSL_want_write(t->ssl) ? POLLOUT : usual;
}

/* -- what struct conn calls -------------------------------------------------------------------- */

static ssize_t tls_read(struct conn *c, unsigned char *p, size_t len)
{
	size_t count = 0;
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_read_ex(c->tls->ssl, p, len, &count);
	if (r == 1)
		return (ssize_t)count;
	r = fault(c, r, errno);
	c->read_wants = wants(c->tls, POLLIN);
	return r;
}

static int tls_flush(struct conn *c)
{
	int r = tls_bio_flush(c);

	if (r == -EAGAIN)
		c->write_wants = POLLOUT;
	return r;
}

/* One record after the other into what is held. The count, or what stopped the first. */
static ssize_t write_records(struct conn *c, struct span bytes)
{
	size_t total = 0, count = 0;
	int r;

	do {
		errno = 0;
		r = SSL_write_ex(c->tls->ssl, bytes.p + total, bytes.len - total, &count);
		if (r == 1)
			total += count;
	} while (r == 1 && total < bytes.len);
	if (total > 0)
		return (ssize_t)total;
	r = fault(c, r, errno);
	c->write_wants = wants(c->tls, POLLOUT);
	return r == 0 ? -EPIPE : r;
}

/* Records are gathered, and a ticket that is due goes with them: one send() for all. */
static ssize_t tls_write(struct conn *c, struct span bytes)
{
	ssize_t n = tls_flush(c);
	int r;

	if (n < 0)
		return n;
	if (bytes.len > TLS_GATHER_MAX)
		bytes.len = TLS_GATHER_MAX;
	ERR_clear_error();
	tls_bio_gather(c, bytes.len);
	n = write_records(c, bytes);
	ERR_clear_error();
	c->tls->gather = false;
	r = tls_flush(c);
	return r < 0 && r != -EAGAIN ? r : n;
}

static bool tls_more(const struct conn *c)
{
	return SSL_has_pending(c->tls->ssl) == 1;
}

static int tls_handshake(struct conn *c)
{
	struct tls_conn *t = c->tls;
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_do_handshake(t->ssl);
	if (r != 1) {
		r = fault(c, r, errno);
		c->read_wants = wants(t, POLLIN);
		if (r == -EKEYREJECTED)
			tls_info_fill(t, false);
		return r == 0 ? -ECONNRESET : r;
	}
	tls_info_fill(t, true);
	return 0;
}

/* A peer that only half-closed gets its goodbye all the same. */
static int tls_bye(struct conn *c)
{
	bool half_closed = c->in_error == -ECONNRESET && c->tls->socket_ended;
	int r = tls_flush(c);

	if (r == -EAGAIN)
		return r;

	if (!c->tls->have_info || c->out_error != 0 || (c->in_error != 0 && !half_closed))
		return 0;
	ERR_clear_error();
	errno = 0;
	r = SSL_shutdown(c->tls->ssl);
	return r < 0 ? fault(c, r, errno) : 0;
}

/* A connection that was cut must not take the session away that others resume. */
static void tls_release(struct conn *c)
{
	SSL_set_shutdown(c->tls->ssl, SSL_SENT_SHUTDOWN);
	SSL_free(c->tls->ssl);
	SSL_SESSION_free(c->tls->newest);
	X509_free(c->tls->peer);
	OPENSSL_free(c->tls->der);
	buf_done(&c->tls->held);
	free(c->tls);
	c->tls = NULL;
}

static const struct conn_ops tls_ops = {.read = tls_read,
	.write = tls_write,
	.flush = tls_flush,
	.more = tls_more,
	.handshake = tls_handshake,
	.bye = tls_bye,
	.release = tls_release};

/* -- beginning --------------------------------------------------------------------------------- */

/* Makes c->tls with an SSL over our BIO. The caller chooses the role and commits with start(). */
static int prepare(struct conn *c, SSL_CTX *ctx)
{
	struct tls_conn *t;
	BIO *bio;

	if (c->tls != NULL || c->fd < 0)
		return -EINVAL;
	/* What came before TLS must not be taken for what came inside it. */
	if (conn_pending(c).len > 0)
		return -EPROTO;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	t->ssl = SSL_new(ctx);
	bio = t->ssl != NULL ? tls_bio_new(c) : NULL;
	if (bio == NULL) {
		SSL_free(t->ssl);
		free(t);
		return -ENOMEM;
	}
	t->held = BUF_INIT(TLS_HELD_MAX);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_app_data(t->ssl, t);
	c->tls = t;
	return 0;
}

static int start(struct conn *c)
{
	c->ops = &tls_ops;
	c->handshaking = true;
	return 0;
}

int conn_tls_begin_accept(struct conn *c, struct tls_server *server)
{
	int r = prepare(c, server->ctx);

	if (r < 0)
		return r;
	c->tls->server = server;
	tls_resume_begin(c->tls);
	SSL_set_accept_state(c->tls->ssl);
	return start(c);
}

int conn_tls_begin_connect(struct conn *c, struct tls_client *client, const char *host)
{
	int r = prepare(c, client->ctx);

	if (r < 0)
		return r;
	c->tls->client = client;
	SSL_set_connect_state(c->tls->ssl);
	c->read_wants = POLLOUT;
	r = client->peers ? 0 : tls_verify_expect_host(c->tls->ssl, host);
	if (r < 0) {
		tls_release(c);
		return r;
	}
	return start(c);
}

/* -- asking ------------------------------------------------------------------------------------ */

const struct tls_info *conn_tls(const struct conn *c)
{
	return c->tls != NULL && c->tls->have_info ? &c->tls->info : NULL;
}

const char *conn_tls_reason(const struct conn *c)
{
	return c->tls != NULL ? c->tls->reason : "";
}

int tls_exporter(const struct conn *c, const char *label, unsigned char *ret, size_t len)
{
	static const unsigned char no_context[1];

	if (c->tls == NULL || c->handshaking || !c->tls->have_info || c->in_error == -EKEYREJECTED)
		return -ENOTCONN;
	/* Without it, keys of a TLS 1.2 connection are not bound to that connection (RFC 7627). */
	if (SSL_version(c->tls->ssl) < TLS1_3_VERSION && SSL_get_extms_support(c->tls->ssl) != 1)
		return -EOPNOTSUPP;
	if (SSL_export_keying_material(
		    c->tls->ssl, ret, len, label, strlen(label), no_context, 0, 1) != 1)
		return -EIO;
	return 0;
}
