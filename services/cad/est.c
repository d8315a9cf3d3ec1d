/*
 * EST (RFC 7030, RFC 8951): certificates of the authority, first enrolment by name and password or
 * invite token, re-enrolment by the certificate that is renewed.
 */
#include "services/cad/cad.h"

#include "auth/name.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "pki/csr.h"

#include <errno.h>

#define P7_TYPE "application/pkcs7-mime"
#define CERTS_ONLY_TYPE "application/pkcs7-mime; smime-type=certs-only"
#define BINDING_LABEL "EXPORTER-Channel-Binding"

enum { BINDING_LEN = 32, CAS_MAX = 16, P7_MAX = 128 << 10 };

/* Root and issuing CAs that have not expired, copied out of the view. */
struct ca_list {
	struct buf bytes[CAS_MAX];
	struct span ders[CAS_MAX];
	size_t count;
	int64_t now_us;
};

static int take_ca(void *arg, const struct ca *ca)
{
	struct ca_list *list = arg;
	struct buf *b = &list->bytes[list->count];
	struct pki_cert_info info;
	int r = pki_cert_read(ca->der, &info);

	if (r < 0)
		return r;
	if (info.not_after_us < list->now_us || list->count == CAS_MAX)
		return 0;
	*b = BUF_INIT(CERT_DER_MAX);
	buf_add(b, ca->der);
	list->ders[list->count++] = buf_span(b);
	return buf_error(b);
}

int cad_est_cacerts(struct cad_exchange *x)
{
	_cleanup_(buf_done) struct buf p7 = BUF_INIT(P7_MAX);
	struct ca_list list = {.now_us = time_now_us()};
	int r = service_need_store(x->cad->s);

	if (r == 0)
		r = ca_each(x->cad->s->store, take_ca, &list);
	if (r == 0)
		r = pki_certs_only(list.ders, list.count, &p7);
	for (size_t i = 0; i < list.count; i++)
		buf_done(&list.bytes[i]);
	return r < 0 ? cad_unavailable(x, r) : cad_reply_base64(x, P7_TYPE, buf_span(&p7));
}

/* SEQUENCE { SEQUENCE { ecPublicKey, SET { prime256v1 } }, ecdsa-with-SHA256 } (RFC 8951
 * section 4.5.2) */
static const unsigned char csr_attributes[] = {0x30, 0x21, 0x30, 0x15, 0x06, 0x07, 0x2a, 0x86, 0x48,
	0xce, 0x3d, 0x02, 0x01, 0x31, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
	0x07, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

int cad_est_csrattrs(struct cad_exchange *x)
{
	return cad_reply_base64(
		x, "application/csrattrs", span_of(csr_attributes, sizeof(csr_attributes)));
}

/*
 * A challenge password binds the request to the connection (RFC 7030 section 3.5) by the exporter
 * of TLS 1.3 (RFC 9266). Older TLS has no binding that we could compute: there it is not looked at.
 */
static bool binding_holds(struct cad_exchange *x, const char *challenge)
{
	const struct tls_info *tls = conn_tls(x->cad->s->conn);
	_cleanup_(buf_done) struct buf text = BUF_INIT(64);
	unsigned char bytes[BINDING_LEN];

	if (challenge[0] == '\0' || tls == NULL || strcmp(tls->protocol, "TLSv1.3") != 0)
		return true;
	if (tls_exporter(x->cad->s->conn, BINDING_LABEL, bytes, sizeof(bytes)) < 0)
		return false;
	text_base64(&text, span_of(bytes, sizeof(bytes)), 0);
	return buf_error(&text) == 0 && span_eq_secret(buf_span(&text), span_str(challenge));
}

/* The request in whatever dress it came. 1, 0 when refused, or negative. */
static int read_request(struct cad_exchange *x, struct buf *ret_der, struct pki_csr_info *ret)
{
	_cleanup_(buf_done) struct buf spki = BUF_INIT(PKI_CSR_MAX);
	const char *reason = "the request is neither base64, nor PEM, nor DER";
	int r = cad_body_is(x, "application/pkcs10");

	if (r <= 0)
		return r;
	r = pki_unarmor(x->body, "CERTIFICATE REQUEST", ret_der);
	if (r == 0)
		r = pki_csr_read(buf_span(ret_der), ret, &spki, &reason);
	if (r == 0 && !binding_holds(x, ret->challenge)) {
		reason = "the request is bound to another connection";
		r = -EKEYREJECTED;
	}
	if (r == 0)
		return 1;
	if (r != -EBADMSG && r != -EKEYREJECTED)
		return cad_unavailable(x, r);
	return cad_text(x, 400, reason);
}

static int answer_certificate(struct cad_exchange *x, struct span der)
{
	_cleanup_(buf_done) struct buf p7 = BUF_INIT(P7_MAX);
	int r = pki_certs_only(&der, 1, &p7);

	return r < 0 ? cad_unavailable(x, r) : cad_reply_base64(x, CERTS_ONLY_TYPE, buf_span(&p7));
}

static int ask(struct cad_exchange *x, const struct signer_request *r)
{
	_cleanup_(buf_done) struct buf scratch = BUF_INIT(SIGNER_ANSWER_MAX);
	struct signer_answer a = {0};
	int error = x->cad->ask(x->cad, r, &scratch, &a);

	if (error < 0)
		return cad_unavailable(x, error);
	if (a.status != 0)
		return cad_refused(x, &a);
	return answer_certificate(x, a.payload);
}

/*
 * A name without account that comes with a living invite signs up; everything else is a password,
 * so that an unknown name costs and reads the same as a wrong password.
 */
static int choose_proof(struct cad_exchange *x, uint8_t *ret)
{
	struct store *store = x->cad->s->store;
	unsigned char hash[INVITE_HASH_LEN];
	char name[ACCOUNT_NAME_SIZE];
	struct account account;
	struct invite invite;
	int known;

	*ret = SIGNER_PROOF_PASSWORD;
	if (name_fold(span_str(x->user), name) < 0)
		return 0;
	known = account_get(store, name, &account);
	explicit_bzero(&account, sizeof(account));
	if (known < 0 && known != -ENOENT)
		return known;
	if (known == -ENOENT && auth_token_hash(buf_span(&x->secret), hash) == 0 &&
		invite_get(store, hash, &invite) == 0)
		*ret = SIGNER_PROOF_INVITE;
	return 0;
}

int cad_est_enroll(struct cad_exchange *x)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(PKI_CSR_MAX);
	struct signer_request request = cad_request_of(x->cad, SIGNER_ENROLL);
	struct pki_csr_info csr = {0};
	int r = read_request(x, &der, &csr);

	if (r <= 0)
		return r;
	r = service_need_store(x->cad->s);
	if (r == 0)
		r = choose_proof(x, &request.proof);
	if (r < 0)
		return cad_unavailable(x, r);
	_Static_assert(sizeof(request.name) == sizeof(x->user), "a user name fits");
	memcpy(request.name, x->user, sizeof(request.name));
	request.secret = buf_span(&x->secret);
	request.csr = buf_span(&der);
	return ask(x, &request);
}

/* RFC 7030 section 4.2.2: subject and alternative names as in the certificate that is renewed. */
static bool names_match(struct cad_exchange *x, const struct pki_csr_info *csr)
{
	const struct tls_info *tls = conn_tls(x->cad->s->conn);
	struct pki_cert_info cert;

	return tls != NULL && pki_cert_read(tls->peer_der, &cert) == 0 &&
		strcmp(cert.cn, csr->cn) == 0 && strcmp(cert.email, csr->email) == 0 &&
		csr->host_count == 0;
}

int cad_est_reenroll(struct cad_exchange *x)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(PKI_CSR_MAX);
	struct signer_request request = cad_request_of(x->cad, SIGNER_ENROLL);
	struct pki_csr_info csr = {0};
	int r = read_request(x, &der, &csr);

	if (r <= 0)
		return r;
	if (!names_match(x, &csr))
		return cad_text(x, 400,
			"subject and alternative names must be those of the certificate that is "
			"renewed");
	request.proof = SIGNER_PROOF_RENEW;
	request.serial = span_of(x->who.serial, sizeof(x->who.serial));
	request.csr = buf_span(&der);
	return ask(x, &request);
}
