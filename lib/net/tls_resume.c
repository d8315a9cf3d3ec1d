/*
 * Resumption for data connections (RFC 4217 section 10.2). A client's OpenSSL offers a TLS 1.3
 * ticket once only, so the control connection hands out a fresh one whenever the program asks for
 * it. Tickets are stateless; the secret inside says which process, and since which
 * tls_server_fresh(), they come from. Only the control connection (the first that is accepted) and
 * what resumed one of its sessions get tickets with the secret: a stranger who shakes hands on the
 * data port must not leave with a ticket that proves a log-in.
 */
#include "net/tls_internal.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

enum {
	TICKETS = 1, /* of the control connection, after its handshake: each is a copy of the
			session */
	LIFE_S = 7 * 86400, /* the most that TLS 1.3 allows; the process ends long before */
	TICKET_KEYS_SIZE = 80, /* name, HMAC key and AES key, as OpenSSL wants them */
};

static bool has_secret(const struct tls_server *s, SSL_SESSION *session)
{
	void *data = NULL;
	size_t len = 0;

	return session != NULL && SSL_SESSION_get0_ticket_appdata(session, &data, &len) == 1 &&
		data != NULL && len == sizeof(s->secret) &&
		CRYPTO_memcmp(data, s->secret, len) == 0;
}

/* Into a ticket that is about to be made. The context's id goes with it, since a control connection
 * may be older than the last tls_server_fresh(). */
static int sign_ticket(SSL *ssl, void *arg)
{
	const struct tls_server *s = arg;
	const struct tls_conn *t = SSL_get_app_data(ssl);
	SSL_SESSION *session = SSL_get_session(ssl);
	bool ours = t->control || (SSL_session_reused(ssl) == 1 && has_secret(s, session));

	return SSL_SESSION_set1_ticket_appdata(session, s->secret, ours ? sizeof(s->secret) : 0) ==
		1 &&
		SSL_SESSION_set1_id_context(session, s->id_context, sizeof(s->id_context)) == 1;
}

/* In 1.2 a renewed ticket would make clients drop the session of the control connection. */
static SSL_TICKET_RETURN judge_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *key_name,
	size_t key_name_len, SSL_TICKET_STATUS status, void *arg)
{
	(void)key_name;
	(void)key_name_len;
	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	if (!has_secret(arg, session))
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return SSL_version(ssl) >= TLS1_3_VERSION ? SSL_TICKET_RETURN_USE_RENEW
						  : SSL_TICKET_RETURN_USE;
}

int tls_resume_server(struct tls_server *s)
{
	s->resumable = true;
	(void)SSL_CTX_clear_options(s->ctx, SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_session_cache_mode(s->ctx, SSL_SESS_CACHE_SERVER);
	(void)SSL_CTX_set_timeout(s->ctx, LIFE_S);
	if (SSL_CTX_set_num_tickets(s->ctx, TICKETS) != 1 ||
		SSL_CTX_set_session_ticket_cb(s->ctx, sign_ticket, judge_ticket, s) != 1)
		return tls_fail(-ENOMEM, "no TLS tickets");
	return tls_server_fresh(s);
}

int tls_server_fresh(struct tls_server *s)
{
	unsigned char keys[TICKET_KEYS_SIZE];
	bool ok;

	if (!s->resumable)
		return 0;
	ok = RAND_bytes(keys, sizeof(keys)) == 1 && RAND_bytes(s->secret, sizeof(s->secret)) == 1 &&
		RAND_bytes(s->id_context, sizeof(s->id_context)) == 1 &&
		SSL_CTX_set_tlsext_ticket_keys(s->ctx, keys, sizeof(keys)) == 1 &&
		SSL_CTX_set_session_id_context(s->ctx, s->id_context, sizeof(s->id_context)) == 1;
	OPENSSL_cleanse(keys, sizeof(keys));
	return ok ? 0 : tls_fail(-EIO, "no fresh ticket keys");
}

void tls_resume_begin(struct tls_conn *t)
{
	if (!t->server->resumable)
		return;
	t->control = !t->server->has_control;
	t->server->has_control = true;
	/* An uploader that closes with a ticket unread resets the connection and loses what it had
	 * not sent yet (seen with lftp). Its next ticket comes over the control connection. */
	if (!t->control)
		(void)SSL_set_num_tickets(t->ssl, 0);
}

int conn_tls_ticket(struct conn *c)
{
	struct tls_conn *t = c->tls;

	if (t == NULL || c->handshaking || !t->have_info || t->server == NULL)
		return -ENOTCONN;
	if (!t->server->resumable || SSL_version(t->ssl) < TLS1_3_VERSION)
		return 0;
	t->control = true;
	/* Refused while another message of the handshake layer is under way: no ticket this time.
	 */
	if (SSL_new_session_ticket(t->ssl) != 1)
		ERR_clear_error();
	return 0;
}

static bool same_id(const struct tls_conn *a, const struct tls_conn *b)
{
	unsigned int a_len = 0, b_len = 0;
	const unsigned char *a_id = SSL_SESSION_get_id(SSL_get_session(a->ssl), &a_len);
	const unsigned char *b_id = SSL_SESSION_get_id(SSL_get_session(b->ssl), &b_len);

	return a_len > 0 && a_len == b_len && memcmp(a_id, b_id, a_len) == 0;
}

bool conn_tls_resumed_from(const struct conn *data, const struct conn *control)
{
	const struct tls_conn *a = data->tls, *b = control->tls;

	if (a == NULL || b == NULL || a->server == NULL || a->server != b->server ||
		!a->have_info || !b->have_info || !a->info.resumed)
		return false;
	if (has_secret(a->server, SSL_get_session(a->ssl)))
		return true;
	return SSL_version(a->ssl) < TLS1_3_VERSION && SSL_version(b->ssl) < TLS1_3_VERSION &&
		same_id(a, b);
}

/* -- the client -------------------------------------------------------------------------------- */

/* The reference is ours from now on. */
static int keep_newest(SSL *ssl, SSL_SESSION *session)
{
	struct tls_conn *t = SSL_get_app_data(ssl);

	SSL_SESSION_free(t->newest);
	t->newest = session;
	return 1;
}

void tls_resume_client(SSL_CTX *ctx)
{
	(void)SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_session_cache_mode(
		ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, keep_newest);
}

int conn_tls_begin_resume(
	struct conn *c, struct tls_client *client, const char *host, struct conn *control)
{
	struct tls_conn *from = control->tls;
	int r = conn_tls_begin_connect(c, client, host);

	if (r < 0 || from == NULL || from->newest == NULL)
		return r;
	if (SSL_set_session(c->tls->ssl, from->newest) != 1)
		ERR_clear_error();
	if (SSL_SESSION_get_protocol_version(from->newest) >= TLS1_3_VERSION) {
		SSL_SESSION_free(from->newest);
		from->newest = NULL;
	}
	return 0;
}
