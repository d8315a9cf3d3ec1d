/*
 * TLS contexts: versions, suites, groups, ALPN, and what is switched off. OpenSSL is started
 * without configuration file and without its tables of all algorithms, because most of what a
 * short-lived process spends is OpenSSL's own start.
 */
#include "net/tls.h"

#include "net/tls_internal.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

static _Thread_local char error_text[160];

const char *tls_error_text(void)
{
	return error_text;
}

const char *tls_reason_text(unsigned long code)
{
	const char *text;

	(void)OPENSSL_init_ssl(
		OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
	text = ERR_reason_error_string(code);
	return text != NULL ? text : "unknown reason";
}

int tls_fail(int error, const char *what)
{
	unsigned long code = ERR_get_error();
	const char *reason = code != 0 ? tls_reason_text(code) : NULL;

	if (reason != NULL)
		(void)snprintf(error_text, sizeof(error_text), "%s: %s", what, reason);
	else
		(void)snprintf(error_text, sizeof(error_text), "%s", what);
	ERR_clear_error();
	return error;
}

int tls_init(void)
{
	static bool done;
	const uint64_t lean = OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ADD_ALL_CIPHERS |
		OPENSSL_INIT_NO_ADD_ALL_DIGESTS | OPENSSL_INIT_NO_ATEXIT;

	if (done)
		return 0;
	if (OPENSSL_init_crypto(lean, NULL) != 1 || OPENSSL_init_ssl(lean, NULL) != 1)
		return tls_fail(-ENOMEM, "OpenSSL does not start");
	tls_slim();
	/* Signatures in certificates are looked up by these names. */
	if (EVP_add_digest(EVP_sha1()) != 1 || EVP_add_digest(EVP_sha256()) != 1 ||
		EVP_add_digest(EVP_sha384()) != 1 || EVP_add_digest(EVP_sha512()) != 1)
		return tls_fail(-ENOMEM, "OpenSSL takes no digest");
	done = true;
	return 0;
}

/* The hybrid group where this OpenSSL has it, so that an upgrade switches it on. */
static bool set_groups(SSL_CTX *ctx)
{
	/* Arrays, since OpenSSL's macro casts const away. */
	char hybrid[] = "X25519MLKEM768:X25519:P-256", classic[] = "X25519:P-256";

	if (OPENSSL_version_major() > 3 ||
		(OPENSSL_version_major() == 3 && OPENSSL_version_minor() >= 5)) {
		if (SSL_CTX_set1_groups_list(ctx, hybrid) == 1)
			return true;
		ERR_clear_error();
	}
	return SSL_CTX_set1_groups_list(ctx, classic) == 1;
}

static SSL_CTX *new_context(const SSL_METHOD *method)
{
	static const char suites_1_2[] = "ECDHE-ECDSA-AES128-GCM-SHA256:"
					 "ECDHE-ECDSA-AES256-GCM-SHA384:"
					 "ECDHE-ECDSA-CHACHA20-POLY1305";
	static const char suites_1_3[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
					 "TLS_CHACHA20_POLY1305_SHA256";
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (ctx == NULL)
		return NULL;
	/* A cut end is told by our BIO; taken as fatal by OpenSSL, a peer that half-closes would
	 * get an alert in the place of our close_notify. */
	(void)SSL_CTX_set_options(ctx,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
			SSL_OP_IGNORE_UNEXPECTED_EOF);
	(void)SSL_CTX_set_mode(ctx,
		SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			SSL_MODE_RELEASE_BUFFERS);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(ctx, 1);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
		SSL_CTX_set_cipher_list(ctx, suites_1_2) == 1 &&
		SSL_CTX_set_ciphersuites(ctx, suites_1_3) == 1 && set_groups(ctx))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

/* Names one after the other, each with its length in front (RFC 7301 section 3.1). */
static int alpn_add(unsigned char *list, unsigned int *len, const char *name)
{
	size_t name_len = strlen(name);

	if (name_len == 0 || name_len > TLS_ALPN_MAX - 1 - *len)
		return tls_fail(-EINVAL, "ALPN names too long");
	list[(*len)++] = (unsigned char)name_len;
	for (size_t i = 0; i < name_len; i++)
		list[(*len)++] = (unsigned char)name[i];
	return 0;
}

/* Only called for a client that offers something: nothing in common ends the handshake. */
static int alpn_choose(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
	const unsigned char *offered, unsigned int offered_len, void *arg)
{
	const struct tls_server *s = arg;
	unsigned char *chosen = NULL;

	(void)ssl;
	if (SSL_select_next_proto(&chosen, ret_len, s->alpn, s->alpn_len, offered, offered_len) !=
		OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*ret = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int server_alpn(struct tls_server *s, const char *const *names)
{
	int r = 0;

	for (size_t i = 0; names[i] != NULL && r == 0; i++)
		r = alpn_add(s->alpn, &s->alpn_len, names[i]);
	if (r == 0)
		SSL_CTX_set_alpn_select_cb(s->ctx, alpn_choose, s);
	return r;
}

/*
 * The trusted certificates are only kept as text: most connections show no certificate, and
 * decoding keys is a good part of what a process costs.
 */
static int server_trust(struct tls_server *s, struct span pem)
{
	s->trust_pem = BUF_INIT(pem.len);
	buf_add(&s->trust_pem, pem);
	if (buf_error(&s->trust_pem) != 0)
		return tls_fail(-ENOMEM, "out of memory");
	SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(s->ctx, tls_verify_client_cert, s);
	return 0;
}

/* Calls between people are new: nothing older has to be understood. */
static int demand_peer(SSL_CTX *ctx, void *arg)
{
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, tls_verify_nothing, arg);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 ? 0
								       : tls_fail(-EIO, "TLS 1.3");
}

static int server_setup(struct tls_server *s, const struct tls_server_config *config)
{
	static const unsigned char context_id[] = "quintet";
	int r;

	s->ctx = new_context(TLS_server_method());
	if (s->ctx == NULL || SSL_CTX_set_num_tickets(s->ctx, 0) != 1 ||
		SSL_CTX_set_session_id_context(s->ctx, context_id, sizeof(context_id) - 1) != 1)
		return tls_fail(-ENOMEM, "no TLS context");
	(void)SSL_CTX_set_options(s->ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	r = tls_load_identity(s->ctx, config->key_pem, config->cert_pem);
	if (r == 0 && config->alpn != NULL)
		r = server_alpn(s, config->alpn);
	if (r == 0 && config->trust_pem.len > 0)
		r = server_trust(s, config->trust_pem);
	if (r == 0 && config->resumable)
		r = tls_resume_server(s);
	if (r == 0 && config->peers)
		r = demand_peer(s->ctx, s);
	return r;
}

int tls_server_new(const struct tls_server_config *config, struct tls_server **ret)
{
	struct tls_server *s;
	int r = tls_init();

	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return tls_fail(-ENOMEM, "out of memory");
	r = server_setup(s, config);
	if (r == 0)
		*ret = s;
	else
		tls_server_free(s);
	return r;
}

void tls_server_free(struct tls_server *s)
{
	if (s == NULL)
		return;
	SSL_CTX_free(s->ctx);
	buf_done(&s->trust_pem);
	OPENSSL_cleanse(s->secret, sizeof(s->secret));
	free(s);
}

void tls_server_freep(struct tls_server **s)
{
	tls_server_free(*s);
	*s = NULL;
}

static int client_alpn(struct tls_client *c, const char *name)
{
	unsigned char list[TLS_ALPN_MAX];
	unsigned int len = 0;
	int r = alpn_add(list, &len, name);

	if (r == 0 && SSL_CTX_set_alpn_protos(c->ctx, list, len) != 0)
		r = tls_fail(-ENOMEM, "ALPN");
	return r;
}

static int client_setup(struct tls_client *c, const struct tls_client_config *config)
{
	int r = 0;

	c->any = config->bootstrap || config->peers;
	c->peers = config->peers;
	c->ctx = new_context(TLS_client_method());
	if (c->ctx == NULL)
		return tls_fail(-ENOMEM, "no TLS context");
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(
		c->ctx, c->any ? tls_verify_nothing : tls_verify_server_cert, c);
	tls_resume_client(c->ctx);
	if (!c->any)
		r = tls_load_trust(c->ctx, config->root_pem, true);
	if (r == 0 && config->peers)
		r = demand_peer(c->ctx, c);
	if (r == 0 && config->extra_pem.len > 0)
		r = tls_load_trust(c->ctx, config->extra_pem, false);
	if (r == 0 && (config->key_pem.len > 0 || config->cert_pem.len > 0))
		r = tls_load_identity(c->ctx, config->key_pem, config->cert_pem);
	if (r == 0 && config->alpn != NULL)
		r = client_alpn(c, config->alpn);
	return r;
}

int tls_client_new(const struct tls_client_config *config, struct tls_client **ret)
{
	struct tls_client *c;
	int r = tls_init();

	if (r < 0)
		return r;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return tls_fail(-ENOMEM, "out of memory");
	r = client_setup(c, config);
	if (r == 0)
		*ret = c;
	else
		tls_client_free(c);
	return r;
}

void tls_client_free(struct tls_client *c)
{
	if (c == NULL)
		return;
	SSL_CTX_free(c->ctx);
	free(c);
}

void tls_client_freep(struct tls_client **c)
{
	tls_client_free(*c);
	*c = NULL;
}
