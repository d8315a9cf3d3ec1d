/*
 * Who is at the other end. Server side: a client certificate is judged and the handshake goes on
 * whatever the judgement is. Client side: anything but a good chain, name and purpose ends it.
 * A failed date check is remembered apart from all others, because the local clock may be the one
 * that is wrong.
 */
#include "net/tls_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

static struct tls_conn *conn_of(const X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());

	return SSL_get_app_data(ssl);
}

static bool is_date_error(int error)
{
	return error == X509_V_ERR_CERT_NOT_YET_VALID || error == X509_V_ERR_CERT_HAS_EXPIRED;
}

/* Called per fault: notes the first of each kind, so that all faults are seen. */
static int note_fault(int ok, X509_STORE_CTX *store)
{
	struct tls_conn *t = conn_of(store);
	int error = X509_STORE_CTX_get_error(store);

	if (ok)
		return 1;
	if (is_date_error(error)) {
		if (t->date_error == X509_V_OK)
			t->date_error = error;
		return 1;
	}
	if (t->check_error == X509_V_OK)
		t->check_error = error;
	return 0;
}

/* The whole chain check; the result is left in the store context for SSL_get_verify_result(). */
static bool check_chain(X509_STORE_CTX *store)
{
	struct tls_conn *t = conn_of(store);
	bool good;

	t->date_error = t->check_error = X509_V_OK;
	X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(store),
		X509_V_FLAG_X509_STRICT | X509_V_FLAG_TRUSTED_FIRST);
	X509_STORE_CTX_set_verify_cb(store, note_fault);
	good = X509_verify_cert(store) == 1;
	if (!good && t->check_error == X509_V_OK)
		t->check_error = X509_STORE_CTX_get_error(store);
	if (!good && t->check_error == X509_V_OK)
		t->check_error = X509_V_ERR_UNSPECIFIED;
	if (t->check_error != X509_V_OK)
		X509_STORE_CTX_set_error(store, t->check_error);
	else
		X509_STORE_CTX_set_error(store, t->date_error);
	return t->check_error == X509_V_OK && t->date_error == X509_V_OK;
}

static bool trust_ready(struct tls_server *s)
{
	if (!s->trust_loaded && tls_load_trust(s->ctx, buf_span(&s->trust_pem), true) == 0)
		s->trust_loaded = true;
	return s->trust_loaded;
}

/* libssl forgets the certificate of a handshake that fails; people want to know whose it was. */
static void remember_peer(X509_STORE_CTX *store)
{
	struct tls_conn *t = conn_of(store);
	X509 *leaf = X509_STORE_CTX_get0_cert(store);

	X509_free(t->peer);
	t->peer = leaf != NULL && X509_up_ref(leaf) == 1 ? leaf : NULL;
}

int tls_verify_client_cert(X509_STORE_CTX *store, void *arg)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(store);

	remember_peer(store);
	if (!trust_ready(arg)) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
		return 1;
	}
	/* Purpose sslclient is set by libssl; a certificate authority is nobody's log-in. */
	if (check_chain(store) && X509_check_ca(leaf) != 0)
		X509_STORE_CTX_set_error(store, X509_V_ERR_INVALID_PURPOSE);
	ERR_clear_error();
	return 1;
}

int tls_verify_server_cert(X509_STORE_CTX *store, void *arg)
{
	(void)arg;
	remember_peer(store);
	return check_chain(store) ? 1 : 0;
}

int tls_verify_nothing(X509_STORE_CTX *store, void *arg)
{
	(void)arg;
	remember_peer(store);
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 1;
}

static bool is_address(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

int tls_verify_expect_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	char name[256];
	bool ok;

	X509_VERIFY_PARAM_set_hostflags(
		param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (span_copy_str(span_str(host), name, sizeof(name)) < 0)
		ok = false;
	else if (is_address(host))
		ok = X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	else
		ok = *host != '\0' && X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
			SSL_set_tlsext_host_name(ssl, name) == 1;
	return ok ? 0 : tls_fail(-EINVAL, "host name");
}
