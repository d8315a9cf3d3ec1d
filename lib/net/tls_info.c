/* What a handshake showed, copied out of OpenSSL into numbers and text. */
#include "base/timefmt.h"
#include "net/tls_internal.h"

#include <openssl/err.h>
#include <openssl/x509.h>

static void copy_text(char *ret, size_t size, const char *text)
{
	(void)snprintf(ret, size, "%s", text != NULL ? text : "");
}

/* The name in RFC 2253 form; everything outside printable ASCII is escaped by OpenSSL. */
static void name_text(const X509_NAME *name, char *ret, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int len = 0;

	ret[0] = '\0';
	if (bio == NULL)
		return;
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
		len = BIO_read(bio, ret, (int)size - 1);
	ret[len > 0 ? len : 0] = '\0';
	BIO_free(bio);
}

static int64_t not_after_us(const X509 *cert)
{
	struct tm tm;
	struct time_parts parts;
	int64_t at_us = 0;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return 0;
	parts = (struct time_parts){.year = tm.tm_year + 1900,
		.month = tm.tm_mon + 1,
		.day = tm.tm_mday,
		.hour = tm.tm_hour,
		.minute = tm.tm_min,
		.second = tm.tm_sec};
	return time_from_parts(&parts, &at_us) == 0 ? at_us : 0;
}

/* The earliest end of the verified chain; of the leaf when there is none. */
static int64_t chain_end_us(const SSL *ssl, int64_t leaf_us)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	int64_t end_us = leaf_us;

	for (int i = 0; i < sk_X509_num(chain); i++) {
		int64_t us = not_after_us(sk_X509_value(chain, i));

		if (us < end_us)
			end_us = us;
	}
	return end_us;
}

static void fill_server_view(struct tls_conn *t)
{
	const char *name = SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name);

	copy_text(t->info.server_name, sizeof(t->info.server_name), name);
}

static void fill_client_view(struct tls_conn *t, const X509 *cert)
{
	struct tls_info *i = &t->info;
	unsigned int len = sizeof(i->peer_sha256);

	name_text(X509_get_subject_name(cert), i->peer_subject, sizeof(i->peer_subject));
	name_text(X509_get_issuer_name(cert), i->peer_issuer, sizeof(i->peer_issuer));
	i->peer_not_after_us = not_after_us(cert);
	i->chain_not_after_us = chain_end_us(t->ssl, i->peer_not_after_us);
	(void)X509_digest(cert, EVP_sha256(), i->peer_sha256, &len);
	i->clock_suspect = t->date_error != X509_V_OK && t->check_error == X509_V_OK;
}

static void fill_peer(struct tls_conn *t, X509 *cert)
{
	struct tls_info *i = &t->info;
	long result = SSL_get_verify_result(t->ssl);
	int len = i2d_X509(cert, &t->der);

	if (len > 0)
		i->peer_der = span_of(t->der, (size_t)len);
	i->peer_ok = len > 0 && result == X509_V_OK;
	if (result == X509_V_ERR_APPLICATION_VERIFICATION)
		copy_text(i->peer_reason, sizeof(i->peer_reason), "not checked");
	else if (!i->peer_ok)
		copy_text(i->peer_reason, sizeof(i->peer_reason),
			X509_verify_cert_error_string(result));
	if (t->client != NULL)
		fill_client_view(t, cert);
}

static void fill_negotiated(struct tls_conn *t)
{
	const unsigned char *alpn = NULL;
	const char *group;
	unsigned int alpn_len = 0;

	t->info.protocol = SSL_get_version(t->ssl);
	t->info.cipher = SSL_get_cipher_name(t->ssl);
	t->info.resumed = SSL_session_reused(t->ssl) == 1;
	group = SSL_group_to_name(t->ssl, (int)SSL_get_negotiated_group(t->ssl));
	t->info.group = group != NULL ? group : "";
	SSL_get0_alpn_selected(t->ssl, &alpn, &alpn_len);
	/* Never longer than what we offer or accept; a NUL inside would not be one of ours. */
	if (alpn_len < sizeof(t->info.alpn))
		(void)span_copy_str(span_of(alpn, alpn_len), t->info.alpn, sizeof(t->info.alpn));
}

void tls_info_fill(struct tls_conn *t, bool done)
{
	t->info.protocol = t->info.cipher = t->info.group = "";
	if (done)
		fill_negotiated(t);
	if (t->server != NULL)
		fill_server_view(t);
	/* Nothing is shown again on a resumed session: it is the certificate it began with. */
	if (t->info.resumed && t->peer == NULL)
		t->peer = SSL_get1_peer_certificate(t->ssl);
	if (t->peer != NULL)
		fill_peer(t, t->peer);
	t->have_info = true;
	ERR_clear_error();
}
