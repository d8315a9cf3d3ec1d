/* EST from the client's side: authority certificates, the directory, enrolment, and the check of
 * what came. */
#include "client/est.h"

#include "client/certs.h"

#include "base/text.h"

#include <errno.h>

#define BODY_MAX 65536

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

static int body_decode(struct span body, struct buf *ret)
{
	int r = text_unbase64(ret, body);

	return r == -ENOMEM ? r : r < 0 ? -EBADMSG : 0;
}

static int root_find(const struct certs *found, const unsigned char sha256[32], struct buf *ret_pem)
{
	for (size_t i = 0; i < found->count; i++) {
		struct pki_cert_info info;

		if (pki_cert_read(found->each[i], &info) < 0 ||
			memcmp(info.sha256, sha256, sizeof info.sha256) != 0)
			continue;
		if (!info.is_ca || strcmp(info.subject, info.issuer) != 0)
			return -EINVAL;
		return pki_cert_to_pem(found->each[i], ret_pem);
	}
	return -EKEYREJECTED;
}

/* Whatever else came with the root counts only when the root vouches for it. */
static int chain_find(const struct certs *found, struct span root_pem, struct buf *ret_pem)
{
	const struct pki_verify v = {.root_pem = root_pem, .profile = PKI_ISSUING};
	int r = 0;

	for (size_t i = 0; r == 0 && i < found->count; i++) {
		const char *reason = "";
		struct pki_cert_info info;

		if (pki_cert_read(found->each[i], &info) < 0 ||
			strcmp(info.subject, info.issuer) == 0 ||
			pki_cert_verify(found->each[i], &v, &reason) < 0)
			continue;
		r = pki_cert_to_pem(found->each[i], ret_pem);
	}
	return r;
}

int est_cacerts(struct link *l, const unsigned char root_sha256[32], struct buf *root_pem,
	struct buf *chain_pem)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(BODY_MAX);
	_cleanup_(buf_done) struct buf der = BUF_INIT(BODY_MAX);
	_cleanup_(certs_done) struct certs found = CERTS_INIT;
	int r = fetch(l, "/.well-known/est/cacerts", &body);

	if (r == 0)
		r = body_decode(buf_span(&body), &der);
	if (r == 0)
		r = certs_read_p7(buf_span(&der), &found);
	if (r < 0)
		return r;
	buf_reset(root_pem);
	buf_reset(chain_pem);
	r = root_find(&found, root_sha256, root_pem);
	return r == 0 ? chain_find(&found, buf_span(root_pem), chain_pem) : r;
}

int est_directory(struct link *l, struct directory *ret)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(BODY_MAX);
	int r = fetch(l, "/.well-known/quintet", &body);

	return r == 0 ? directory_parse(buf_span(&body), ret) : r;
}

int est_refresh(struct link *l, struct profile *p)
{
	_cleanup_(buf_done) struct buf root = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf chain = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf der = BUF_INIT(PROFILE_FILE_MAX);
	struct pki_cert_info info;
	int r = certs_first(buf_span(&p->root_pem), &der);

	if (r == 0)
		r = pki_cert_read(buf_span(&der), &info);
	if (r == 0)
		r = est_cacerts(l, info.sha256, &root, &chain);
	if (r == 0)
		r = est_directory(l, &p->doors);
	if (r < 0)
		return r;
	buf_reset(&p->chain_pem);
	buf_add(&p->chain_pem, buf_span(&chain));
	return buf_error(&p->chain_pem);
}

int est_failed(const struct link *l, int error)
{
	if (error == -EKEYREJECTED)
		return client_fail(CLIENT_UNTRUSTED,
			"%s does not show the root with that fingerprint; nothing was sent to it",
			l->authority);
	if (error == -EINVAL)
		return client_fail(
			CLIENT_UNTRUSTED, "the certificate with that fingerprint is not a root");
	return client_fail(client_exit_of(error),
		"%s does not answer as a certificate authority: %s", l->authority,
		client_why(error));
}

static int take_single(void *arg, struct span der)
{
	struct buf *ret = arg;

	if (ret->len > 0)
		return -EBADMSG;
	buf_add(ret, der);
	return buf_error(ret);
}

int est_read_certificate(struct span body, struct buf *ret_der)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(BODY_MAX);
	int r = body_decode(body, &der);

	if (r == 0)
		r = pki_certs_only_each(buf_span(&der), take_single, ret_der);
	return r < 0 ? r : ret_der->len > 0 ? 0 : -EBADMSG;
}

int est_enroll(struct link *l, const struct profile *p, const struct est_request *q,
	const struct pki_key *key, struct buf *ret_pem)
{
	_cleanup_(buf_done) struct buf target = BUF_INIT(128);
	_cleanup_(buf_done) struct buf csr = BUF_INIT(BODY_MAX);
	_cleanup_(buf_done) struct buf body = BUF_INIT(BODY_MAX);
	_cleanup_(buf_done) struct buf der = BUF_INIT(BODY_MAX);
	const char *reason = NULL;
	int r;

	buf_addf(&target, "/.well-known/est/%s", q->operation);
	text_base64(&csr, q->csr, 0);
	const struct link_question ask = {.method = "POST",
		.target = buf_str(&target),
		.content_type = "application/pkcs10",
		.body = buf_span(&csr),
		.user = q->user,
		.password = q->password};
	r = link_ask_told(l, &ask, &body);
	if (r != CLIENT_OK)
		return r;
	if (est_read_certificate(buf_span(&body), &der) < 0)
		return client_fail(ERR_EXIT_TEMP, "%s did not send a certificate", l->host);
	r = est_accept(p, buf_span(&der), key, ret_pem, &reason);
	return r == 0 ? CLIENT_OK
		      : client_fail(CLIENT_UNTRUSTED,
				"the certificate that %s sent is not acceptable: %s", l->host,
				reason != NULL ? reason : err_text(r));
}

static int key_fits(struct span cert_der, const struct pki_key *key, const char **ret_reason)
{
	_cleanup_(buf_done) struct buf mine = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf theirs = BUF_INIT(4096);
	int r = pki_key_spki(key, &mine);

	if (r == 0)
		r = pki_cert_spki(cert_der, &theirs);
	if (r < 0 || span_eq(buf_span(&mine), buf_span(&theirs)))
		return r;
	*ret_reason = "it is for another key";
	return -EKEYREJECTED;
}

/* Behind the leaf only the certificate that issued it: servers need no more. */
static int chain_write(
	const struct profile *p, struct span leaf, struct buf *ret_pem, const char **ret_reason)
{
	_cleanup_(certs_done) struct certs chain = CERTS_INIT;
	struct span issuer;
	int r = certs_read(buf_span(&p->chain_pem), &chain);

	if (r == 0)
		r = certs_issuer(leaf, &chain, &issuer);
	if (r == -ENOENT) {
		*ret_reason = "its issuer is not among the server's authorities";
		return -EKEYREJECTED;
	}
	if (r == 0)
		r = pki_cert_to_pem(leaf, ret_pem);
	return r == 0 ? pki_cert_to_pem(issuer, ret_pem) : r;
}

int est_accept(const struct profile *p, struct span cert_der, const struct pki_key *key,
	struct buf *ret_pem, const char **ret_reason)
{
	const struct pki_verify v = {.root_pem = buf_span(&p->root_pem),
		.extra_pem = buf_span(&p->chain_pem),
		.profile = PKI_USER};
	struct pki_cert_info info;
	int r = pki_cert_verify(cert_der, &v, ret_reason);

	if (r == 0)
		r = pki_cert_read(cert_der, &info);
	if (r == 0)
		r = key_fits(cert_der, key, ret_reason);
	if (r < 0)
		return r;
	if (strcmp(info.cn, p->user) != 0) {
		*ret_reason = "it is for another name";
		return -EKEYREJECTED;
	}
	return chain_write(p, cert_der, ret_pem, ret_reason);
}
