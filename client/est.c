/* EST from the client's side: authority certificates, the directory, enrolment, and the check of
 * what came. */
#include "client/est.h"

#include "base/text.h"

#include <errno.h>

#define BODY_MAX 32768

/* GET of a public thing; anything but 200 is -EPROTO. */
static int fetch(struct link *l, const char *target, struct buf *ret)
{
	const struct link_question q = {.method = "GET", .target = target};
	unsigned status;
	int r = link_ask(l, &q, &status, ret);

	if (r < 0)
		return r;
	return status == 200 ? 0 : -EPROTO;
}

struct anchors {
	const unsigned char *fingerprint;
	struct buf *root, *chain;
};

static int anchor_add(void *arg, struct span der)
{
	struct anchors *a = arg;
	struct pki_cert_info info;
	int r = pki_cert_read(der, &info);

	if (r < 0)
		return r;
	if (memcmp(info.sha256, a->fingerprint, sizeof info.sha256) == 0) {
		buf_reset(a->root);
		return pki_cert_to_pem(der, a->root);
	}
	return info.is_ca ? pki_cert_to_pem(der, a->chain) : 0;
}

int est_cacerts(struct link *l, const unsigned char root_sha256[32], struct buf *root_pem,
	struct buf *chain_pem)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(BODY_MAX);
	_cleanup_(buf_done) struct buf der = BUF_INIT(BODY_MAX);
	_cleanup_(buf_done) struct buf root = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf chain = BUF_INIT(PROFILE_FILE_MAX);
	struct anchors a = {root_sha256, &root, &chain};
	int r = fetch(l, "/.well-known/est/cacerts", &body);

	if (r == 0)
		r = text_unbase64(&der, buf_span(&body)) < 0 ? -EPROTO : 0;
	if (r == 0)
		r = pki_certs_only_each(buf_span(&der), anchor_add, &a);
	if (r < 0)
		return r;
	if (root.len == 0)
		return -EKEYREJECTED;
	buf_reset(root_pem);
	buf_reset(chain_pem);
	buf_add(root_pem, buf_span(&root));
	buf_add(chain_pem, buf_span(&chain));
	return buf_error(root_pem) < 0 ? buf_error(root_pem) : buf_error(chain_pem);
}

int est_directory(struct link *l, struct directory *ret)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(BODY_MAX);
	int r = fetch(l, "/.well-known/quintet", &body);

	return r == 0 ? directory_parse(buf_span(&body), ret) : r;
}

static int single_cert(void *arg, struct span der)
{
	struct buf *ret = arg;

	if (ret->len > 0)
		return -EPROTO;
	buf_add(ret, der);
	return buf_error(ret);
}

int est_enroll(struct link *l, const struct est_request *q, struct buf *ret_cert)
{
	_cleanup_(buf_done) struct buf target = BUF_INIT(128);
	_cleanup_(buf_done) struct buf csr = BUF_INIT(BODY_MAX);
	_cleanup_(buf_done) struct buf body = BUF_INIT(BODY_MAX);
	_cleanup_(buf_done) struct buf der = BUF_INIT(BODY_MAX);
	unsigned status;
	int r;

	buf_addf(&target, "/.well-known/est/%s", q->operation);
	text_base64(&csr, q->csr, 0);
	const struct link_question ask = {.method = "POST",
		.target = buf_str(&target),
		.content_type = "application/pkcs10",
		.body = buf_span(&csr),
		.user = q->user,
		.password = q->password};
	r = link_ask(l, &ask, &status, &body);
	if (r < 0)
		return r == -ECANCELED ? CLIENT_INTERRUPTED
				       : client_fail(client_exit_of(r),
						 "no answer to the request: %s", err_text(r));
	if (status != 200)
		return link_refused(status, buf_span(&body));
	r = text_unbase64(&der, buf_span(&body));
	if (r == 0)
		r = pki_certs_only_each(buf_span(&der), single_cert, ret_cert);
	if (r < 0 || ret_cert->len == 0)
		return client_fail(ERR_EXIT_TEMP, "the server's answer is not a certificate");
	return CLIENT_OK;
}

int est_accept(const struct profile *p, struct span cert_der, const struct pki_key *key,
	struct buf *ret_pem, const char **ret_reason)
{
	const struct pki_verify v = {.root_pem = buf_span(&p->root_pem),
		.extra_pem = buf_span(&p->chain_pem),
		.profile = PKI_USER};
	_cleanup_(buf_done) struct buf mine = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf theirs = BUF_INIT(4096);
	struct pki_cert_info info;
	int r = pki_cert_verify(cert_der, &v, ret_reason);

	if (r == 0)
		r = pki_cert_read(cert_der, &info);
	if (r == 0)
		r = pki_key_spki(key, &mine);
	if (r == 0)
		r = pki_cert_spki(cert_der, &theirs);
	if (r < 0)
		return r;
	if (!span_eq(buf_span(&mine), buf_span(&theirs))) {
		*ret_reason = "the certificate is for another key";
		return -EKEYREJECTED;
	}
	if (strcmp(info.cn, p->user) != 0) {
		*ret_reason = "the certificate is for another name";
		return -EKEYREJECTED;
	}
	r = pki_cert_to_pem(cert_der, ret_pem);
	buf_add(ret_pem, buf_span(&p->chain_pem));
	return r < 0 ? r : buf_error(ret_pem);
}
