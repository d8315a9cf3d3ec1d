/*
 * Wait mode: one handshake of a server with itself, in memory, before the first fork. What OpenSSL
 * sets up on first use is then shared by all sessions, where each would have made its own.
 */
#include "net/tls_internal.h"

#include <openssl/err.h>

enum { ROUNDS = 8 }; /* a handshake takes three */

/* The server's own key is shown as client certificate: it is refused, but after a look at it. */
static SSL_CTX *client_context(SSL_CTX *server)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	X509 *cert = SSL_CTX_get0_certificate(server);
	EVP_PKEY *key = SSL_CTX_get0_privatekey(server);

	if (ctx != NULL && cert != NULL && key != NULL && SSL_CTX_use_certificate(ctx, cert) == 1 &&
		SSL_CTX_use_PrivateKey(ctx, key) == 1)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static void shake_hands(SSL *server, SSL *client)
{
	unsigned char byte = 0;
	size_t count = 0;

	for (int i = 0; i < ROUNDS; i++) {
		int from_client = SSL_do_handshake(client);
		int from_server = SSL_do_handshake(server);

		if (from_client == 1 && from_server == 1)
			break;
	}
	if (SSL_write_ex(client, &byte, 1, &count) == 1 &&
		SSL_read_ex(server, &byte, 1, &count) == 1)
		(void)SSL_write_ex(server, &byte, 1, &count);
}

void tls_server_warm(struct tls_server *s)
{
	SSL_CTX *ctx = client_context(s->ctx);
	SSL *server = SSL_new(s->ctx);
	SSL *client = ctx != NULL ? SSL_new(ctx) : NULL;
	BIO *a = NULL, *b = NULL;
	struct tls_conn t = {.server = s};

	if (server != NULL && client != NULL && BIO_new_bio_pair(&a, 0, &b, 0) == 1) {
		SSL_set_bio(server, a, a);
		SSL_set_bio(client, b, b);
		SSL_set_app_data(server, &t);
		SSL_set_accept_state(server);
		SSL_set_connect_state(client);
		shake_hands(server, client);
	}
	SSL_free(server);
	SSL_free(client);
	SSL_CTX_free(ctx);
	X509_free(t.peer);
	ERR_clear_error();
}
