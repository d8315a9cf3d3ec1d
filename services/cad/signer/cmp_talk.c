/*
 * Carries a CMP transaction over the messages of one connection. Under a MAC the secret is derived
 * from the reference; under a signature the one certificate that may have made it is pinned, and it
 * must be in our inventory: OpenSSL then checks the protection and speaks the protocol.
 */
#include "services/cad/signer/cmp_talk.h"

#include "base/cleanup.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>

X509 *cmp_x509(struct span der)
{
	const unsigned char *p = der.p;

	return d2i_X509(NULL, &p, (long)der.len);
}

/* OpenSSL's own words go nowhere: what matters is in our log lines and in the answer. */
static int drop_log(const char *component, const char *file, int line, OSSL_CMP_severity level,
	const char *message)
{
	(void)component;
	(void)file;
	(void)line;
	(void)level;
	(void)message;
	return 1;
}

void cmp_talk_end(struct sign *g)
{
	if (g->cmp == NULL)
		return;
	OSSL_CMP_SRV_CTX_free(g->cmp->server);
	explicit_bzero(g->cmp, sizeof(*g->cmp));
	free(g->cmp);
	g->cmp = NULL;
	ERR_clear_error();
}

/* Our side's key and certificate, and the issuing CA's certificate on the way to the root. */
static int set_own(struct cmp_talk *t, OSSL_CMP_CTX *ctx)
{
	const struct sign_ca *ca = sign_ca_current(t->g);
	BIO *bio = BIO_new_mem_buf(t->g->keys.cmp_pem.p, (int)t->g->keys.cmp_pem.len);
	EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	X509 *own = ca != NULL ? cmp_x509(buf_span(&ca->cmp_der)) : NULL;
	X509 *issuing = ca != NULL ? cmp_x509(buf_span(&ca->der)) : NULL;
	STACK_OF(X509) *extra = sk_X509_new_null();
	bool good = key != NULL && own != NULL && issuing != NULL && extra != NULL &&
		sk_X509_push(extra, issuing) > 0 && OSSL_CMP_CTX_set1_cert(ctx, own) == 1 &&
		OSSL_CMP_CTX_set1_pkey(ctx, key) == 1 &&
		OSSL_CMP_CTX_set1_extraCertsOut(ctx, extra) == 1;

	sk_X509_free(extra);
	X509_free(issuing);
	X509_free(own);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return good ? 0 : -EIO;
}

static int set_mac(struct cmp_talk *t, OSSL_CMP_CTX *ctx)
{
	char secret[SIGN_CMP_PASSWORD_SIZE];
	const char *reference = t->reference;
	int r;

	if (span_copy_str(t->judged.sender_kid, t->reference, sizeof(t->reference)) < 0)
		return -EBADMSG;
	r = sign_cmp_derive(&t->g->keys, reference, secret);
	if (r == 0 &&
		(OSSL_CMP_CTX_set1_referenceValue(
			 ctx, (const unsigned char *)reference, (int)strlen(reference)) != 1 ||
			OSSL_CMP_CTX_set1_secretValue(ctx, (const unsigned char *)secret,
				SIGN_CMP_PASSWORD_SIZE - 1) != 1))
		r = -EIO;
	explicit_bzero(secret, sizeof(secret));
	return r;
}

/* The certificate that came first must be, byte for byte, one that we issued. */
static int pin_signer(struct cmp_talk *t, OSSL_CMP_CTX *ctx)
{
	struct pki_cert_info info;
	X509 *cert;
	int r;

	if (t->judged.signer_cert.len == 0 || pki_cert_read(t->judged.signer_cert, &info) < 0)
		return 0;
	r = sign_old_find(
		t->g, span_of(info.serial, info.serial_len), &t->signer, &t->signer_trouble);
	if (r < 0 && r != -EKEYREJECTED)
		return r;
	if (!span_eq(span_of(t->signer.der, t->signer.der_len), t->judged.signer_cert))
		return 0;
	cert = cmp_x509(t->judged.signer_cert);
	t->has_signer = cert != NULL && OSSL_CMP_CTX_set1_srvCert(ctx, cert) == 1;
	X509_free(cert);
	return t->has_signer ? 0 : -EIO;
}

static int set_up(struct cmp_talk *t)
{
	OSSL_CMP_CTX *ctx;
	int r;

	t->server = OSSL_CMP_SRV_CTX_new(NULL, NULL);
	if (t->server == NULL ||
		OSSL_CMP_SRV_CTX_init(t->server, t, cmp_decide_request, cmp_decide_revocation,
			cmp_decide_general, cmp_decide_error, cmp_decide_confirmation, NULL) != 1 ||
		OSSL_CMP_SRV_CTX_set_grant_implicit_confirm(t->server, 1) != 1)
		return -ENOMEM;
	ctx = OSSL_CMP_SRV_CTX_get0_cmp_ctx(t->server);
	if (OSSL_CMP_CTX_set_log_cb(ctx, drop_log) != 1)
		return -EIO;
	r = set_own(t, ctx);
	if (r < 0)
		return r;
	return t->judged.protection == CMP_PROTECT_MAC ? set_mac(t, ctx) : pin_signer(t, ctx);
}

static int begin(struct sign *g, const struct cmp_judged *judged)
{
	struct cmp_talk *t;
	int r;

	cmp_talk_end(g);
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	g->cmp = t;
	t->g = g;
	t->judged = *judged;
	r = set_up(t);
	if (r < 0)
		cmp_talk_end(g);
	return r;
}

static OSSL_CMP_MSG *decode(struct span message)
{
	BIO *bio = BIO_new_mem_buf(message.p, (int)message.len);
	OSSL_CMP_MSG *m = bio != NULL ? d2i_OSSL_CMP_MSG_bio(bio, NULL) : NULL;

	BIO_free(bio);
	return m;
}

static int encode(const OSSL_CMP_MSG *message, struct buf *ret)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	int r = -ENOMEM;

	if (bio != NULL && i2d_OSSL_CMP_MSG_bio(bio, message) > 0) {
		long len = BIO_get_mem_data(bio, &p);

		buf_add(ret, span_of(p, len > 0 ? (size_t)len : 0));
		r = buf_error(ret);
	}
	BIO_free(bio);
	return r;
}

/* Who is throttled: the reference where there is one, and the source always. */
static struct span throttle_name(const struct cmp_talk *t)
{
	return span_str(t->judged.protection == CMP_PROTECT_MAC ? t->reference : "");
}

static int answer(struct cmp_talk *t, struct sign_reply *reply)
{
	struct auth_source from = sign_source(t->g, t->r);
	OSSL_CMP_MSG *request = decode(t->r->csr);
	OSSL_CMP_MSG *response;
	int r;

	if (request == NULL) {
		ERR_clear_error();
		return sign_refuse(reply, EINVAL, "the CMP message is malformed");
	}
	response = OSSL_CMP_SRV_process_request(t->server, request);
	r = response != NULL ? encode(response, &reply->payload) : -EIO;
	if (response != NULL && OSSL_CMP_MSG_get_bodytype(response) == CMP_ERROR && !t->verified)
		auth_failed(t->g->s->store, &from, throttle_name(t), "cmp");
	if (r == 0 && t->verified && t->judged.body == CMP_CERTCONF &&
		t->judged.certificate_refused)
		r = cmp_revoke_issued(t);
	OSSL_CMP_MSG_free(response);
	OSSL_CMP_MSG_free(request);
	ERR_clear_error();
	return r;
}

int sign_cmp(struct sign *g, const struct signer_request *r, struct sign_reply *reply)
{
	struct auth_source from = sign_source(g, r);
	struct cmp_judged judged;
	const char *reason;
	int error = 0;

	if (cmp_judge(r->csr, &judged, &reason) < 0)
		return sign_refuse(reply, EINVAL, reason);
	if (cmp_begins(judged.body))
		error = begin(g, &judged);
	else if (g->cmp == NULL)
		return sign_refuse(reply, EINVAL,
			"no transaction is open on this connection: keep it, or ask for implicit "
			"confirmation");
	if (error == -EBADMSG)
		return sign_refuse(reply, EINVAL, "the reference is malformed");
	if (error < 0)
		return error;
	g->cmp->judged = judged;
	g->cmp->r = r;
	g->cmp->verified = false;
	error = auth_throttle_wait_s(g->s->store, &from, throttle_name(g->cmp), &reply->wait_s);
	if (error < 0)
		return error;
	if (reply->wait_s > 0)
		return sign_refuse(reply, EBUSY, "too many failures, try again later");
	error = answer(g->cmp, reply);
	g->cmp->r = NULL;
	return error;
}
