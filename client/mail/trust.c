/* Certificates of others: from the authority, checked to our root, asked about by OCSP. */
#include "client/mail/smime.h"

#include "base/hash.h"
#include "base/rec.h"
#include "base/timefmt.h"

#include <errno.h>

enum {
	ANSWER_MAX = 65536,
	PEM_MAX = 1 << 20,
	KEPT = 32, /* signers whose state is remembered */
};
#define KEPT_US (600 * TIME_S_US) /* and for how long */

/* -- revocation -------------------------------------------------------------------------------- */

static int exchange(struct link *l, struct span request, struct buf *ret)
{
	const struct link_question q = {.method = "POST",
		.target = "/ocsp",
		.content_type = "application/ocsp-request",
		.body = request};
	unsigned status = 0;
	int r = link_ask(l, &q, &status, ret);

	if (r < 0)
		return r;
	return status == 200 ? 0 : -EPROTO;
}

int trust_ask(
	struct link *l, const struct profile *p, struct span leaf_der, struct pki_ocsp_answer *ret)
{
	_cleanup_(certs_done) struct certs chain = CERTS_INIT;
	_cleanup_(buf_done) struct buf request = BUF_INIT(PKI_OCSP_MAX_REQUEST);
	_cleanup_(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
	struct pki_ocsp_question asked = {.leaf_der = leaf_der, .root_pem = buf_span(&p->root_pem)};
	struct pki_ocsp_answer a = {.status = PKI_OCSP_UNKNOWN};
	const char *reason = "";
	int r = certs_read(buf_span(&p->chain_pem), &chain);

	if (r == 0)
		r = certs_issuer(leaf_der, &chain, &asked.issuer_der);
	if (r == 0)
		r = pki_ocsp_request_new(leaf_der, asked.issuer_der, &request, asked.nonce);
	if (r == 0)
		r = exchange(l, buf_span(&request), &answer);
	if (r == 0)
		r = pki_ocsp_response_read(buf_span(&answer), &asked, &a, &reason);
	if (r < 0)
		return r;
	*ret = a;
	if (a.status == PKI_OCSP_REVOKED)
		return -EKEYREVOKED;
	return a.status == PKI_OCSP_GOOD ? 0 : -ENOENT;
}

/* What was learned a short while ago. */
struct kept {
	unsigned char sha256[HASH_SHA256_LEN];
	int64_t at_us;
	int result;
	struct pki_ocsp_answer answer;
};
static struct kept kept[KEPT];
static size_t kept_next;

static const struct kept *kept_find(const unsigned char *sha256)
{
	int64_t now_us = time_now_us();

	for (size_t i = 0; i < KEPT; i++)
		if (kept[i].at_us != 0 && now_us >= kept[i].at_us &&
			now_us - kept[i].at_us < KEPT_US &&
			memcmp(kept[i].sha256, sha256, HASH_SHA256_LEN) == 0)
			return &kept[i];
	return NULL;
}

static int learn(struct client *c, const struct profile *p, struct span leaf_der,
	struct pki_ocsp_answer *ret)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	unsigned char sha256[HASH_SHA256_LEN];
	const struct kept *known;
	int r = hash_sha256(leaf_der, sha256);

	if (r < 0)
		return r;
	known = kept_find(sha256);
	if (known != NULL) {
		*ret = known->answer;
		return known->result;
	}
	if (link_open(c, p, p->ca_port, "http/1.1", false, &l) != CLIENT_OK)
		return -ENOTCONN;
	r = trust_ask(&l, p, leaf_der, ret);
	(void)conn_close(l.conn);
	if (r == 0 || r == -EKEYREVOKED) {
		struct kept *k = &kept[kept_next++ % KEPT];

		*k = (struct kept){.at_us = time_now_us(), .result = r, .answer = *ret};
		memcpy(k->sha256, sha256, sizeof sha256);
	}
	return r;
}

/* CRLReason: the key itself was in good hands until then (affiliationChanged, superseded,
 * cessationOfOperation). */
static bool was_harmless(int reason)
{
	return reason == 3 || reason == 4 || reason == 5;
}

int trust_signer(struct client *c, const struct profile *p, const struct pki_cms_signer *s,
	char ret_reason[160])
{
	struct pki_ocsp_answer a = {.revoked_us = 0};
	int r = learn(c, p, span_of(s->cert_der, s->cert_len), &a);

	if (r == 0 ||
		(r == -EKEYREVOKED && was_harmless(a.reason) && s->signed_us != 0 &&
			s->signed_us < a.revoked_us))
		return 0;
	if (r == -EKEYREVOKED) {
		_cleanup_(buf_done) struct buf at = BUF_INIT(64);

		time_rfc3339_utc(&at, a.revoked_us);
		snprintf(ret_reason, 160, "its certificate was revoked (%s)", buf_str(&at));
	} else {
		snprintf(
			ret_reason, 160, "whether its certificate is revoked could not be learned");
	}
	return -EKEYREJECTED;
}

/* -- certificates of an account ---------------------------------------------------------------- */

struct gathering {
	struct link *l;
	const struct profile *p;
	const char *address;
	struct buf *ret;
	size_t count;
};

/* Is it one that mail to this address may be encrypted to? */
static bool is_his(const struct gathering *g, struct span der)
{
	const struct pki_verify v = {.root_pem = buf_span(&g->p->root_pem),
		.extra_pem = buf_span(&g->p->chain_pem),
		.at_us = time_now_us(),
		.profile = PKI_USER};
	struct pki_cert_info info;
	const char *reason;

	return pki_cert_read(der, &info) == 0 && info.eku_email &&
		smime_same_address(info.email, span_str(g->address)) &&
		pki_cert_verify(der, &v, &reason) == 0;
}

static int gather(void *arg, struct span der)
{
	struct gathering *g = arg;
	struct pki_ocsp_answer a;
	int r;

	if (!is_his(g, der) || g->count == SMIME_CERTS_MAX)
		return 0;
	r = trust_ask(g->l, g->p, der, &a);
	if (r == -EKEYREVOKED || r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	rec_put_bytes(g->ret, der);
	g->count++;
	return buf_error(g->ret);
}

int trust_certificates(
	struct link *l, const struct profile *p, const char *account, struct buf *ret)
{
	_cleanup_(buf_done) struct buf pem = BUF_INIT(PEM_MAX);
	char target[128], address[320];
	struct gathering g = {.l = l, .p = p, .address = address, .ret = ret};
	const struct link_question q = {.method = "GET", .target = target};
	size_t len = strlen(account);
	unsigned status = 0;
	int r;

	if (len == 0 || len > 64 ||
		strspn(account, "abcdefghijklmnopqrstuvwxyz0123456789_-") != len)
		return -ENOENT;
	snprintf(target, sizeof target, "/certificates/%s", account);
	mail_own_address(p, account, address);
	r = link_ask(l, &q, &status, &pem);
	if (r < 0)
		return r;
	if (status == 404)
		return -ENOENT;
	if (status != 200)
		return -EPROTO;
	r = pki_cert_each_pem(buf_span(&pem), gather, &g);
	if (r < 0)
		return r;
	return g.count > 0 ? 0 : -ENOENT;
}

int smime_certificates(
	struct client *c, const struct profile *p, const char *account, struct buf *ret)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	int r;

	if (link_open(c, p, p->ca_port, "http/1.1", true, &l) != CLIENT_OK)
		return -ENOTCONN;
	r = trust_certificates(&l, p, account, ret);
	if (r == 0 || r == -ENOENT)
		(void)conn_close(l.conn);
	return r;
}
