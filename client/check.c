/* quintet ca crl and check: is a certificate revoked, by list and by OCSP. */
#include "client/ask.h"
#include "client/ca.h"
#include "client/certs.h"

#include "base/text.h"
#include "base/timefmt.h"
#include "pki/crl.h"

#include <errno.h>

#define CRL_MAX (4U << 20)
#define OCSP_MAX 65536

/* CRLReason, RFC 5280 section 5.3.1. */
static const char *reason_word(int reason)
{
	static const char *const words[] = {"unspecified", "keyCompromise", "cACompromise",
		"affiliationChanged", "superseded", "cessationOfOperation", "certificateHold",
		"unknown", "removeFromCRL", "privilegeWithdrawn", "aACompromise"};

	return reason >= 0 && (size_t)reason < sizeof words / sizeof words[0] ? words[reason]
									      : "unknown";
}

static int crl_row(void *arg, struct span serial, int64_t revoked_us, int reason)
{
	_cleanup_(buf_done) struct buf hex = BUF_INIT(128);
	_cleanup_(buf_done) struct buf at = BUF_INIT(64);

	text_hex(&hex, serial);
	time_rfc3339_utc(&at, revoked_us);
	table_add(arg, (const char *const[]){buf_str(&hex), buf_str(&at), reason_word(reason)});
	return 0;
}

/* Leaf and issuer of a certificate of this profile's authority; spans into the two. */
static int leaf_and_issuer(const struct profile *p, struct span leaf_pem, struct certs *leaf,
	struct certs *chain, struct span *ret_issuer)
{
	int r = certs_read(leaf_pem, leaf);

	if (r == 0 && leaf->count == 0)
		r = -EBADMSG;
	if (r == 0)
		r = certs_read(buf_span(&p->chain_pem), chain);
	return r == 0 ? certs_issuer(leaf->each[0], chain, ret_issuer) : r;
}

static int crl_print(const struct client *c, const struct table *t, const struct pki_crl_info *info)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(16U << 20);
	_cleanup_(buf_done) struct buf issued = BUF_INIT(64);
	_cleanup_(buf_done) struct buf next = BUF_INIT(64);
	int r = 0;

	time_rfc3339_utc(&issued, info->this_us);
	time_rfc3339_utc(&next, info->next_us);
	if (!c->json) {
		if (t->row_count > 0)
			r = table_print(t, false);
		printf("%srevocation list %llu of %s, the next by %s\n",
			t->row_count > 0 ? "\n" : "no certificate is revoked: ",
			(unsigned long long)info->number, buf_str(&issued), buf_str(&next));
		return r;
	}
	buf_addf(&out, "{\"number\":%llu,\"issued\":\"%s\",\"next\":\"%s\",\n\"revoked\":",
		(unsigned long long)info->number, buf_str(&issued), buf_str(&next));
	table_json(t, &out);
	buf_add_str(&out, "}\n");
	r = buf_error(&out);
	if (r == 0)
		fputs(buf_str(&out), stdout);
	return r;
}

static int crl_tell(const struct client *c, struct span der, const struct pki_crl_info *info)
{
	static const struct table_column columns[] = {
		{"SERIAL", NULL}, {"REVOKED", NULL}, {"REASON", NULL}, {NULL, NULL}};
	struct table t;
	int r;

	table_init(&t, columns);
	r = pki_crl_each(der, crl_row, &t);
	if (r >= 0)
		r = buf_error(&t.cells);
	if (r >= 0)
		r = crl_print(c, &t, info);
	table_done(&t);
	return r >= 0 ? CLIENT_OK
		      : client_fail(ERR_EXIT_TEMP, "the revocation list cannot be shown: %s",
				err_text(r));
}

int ca_crl(struct client *c, const struct profile *p)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(CRL_MAX);
	_cleanup_(certs_done) struct certs chain = CERTS_INIT;
	_cleanup_(certs_done) struct certs leaf = CERTS_INIT;
	struct link_question q = {.method = "GET"};
	struct pki_cert_info mine;
	struct pki_crl_info info;
	struct span issuer = {0};
	int r = leaf_and_issuer(p, buf_span(&p->cert_pem), &leaf, &chain, &issuer);

	if (r == 0)
		r = pki_cert_read(leaf.each[0], &mine);
	if (r < 0)
		return client_fail(ERR_EXIT_CONFIG,
			"the certificates of profile \"%s\" cannot be read", p->name);
	/* The same list stands on the TLS door: only the pointer's path is used. */
	q.target = strstr(mine.crl_url, "/ca/");
	if (q.target == NULL)
		return client_fail(CLIENT_NO, "the certificate names no revocation list");
	r = link_ask_ca(c, p, &q, &der);
	if (r != CLIENT_OK)
		return r;
	if (pki_crl_read(buf_span(&der), issuer, &info) < 0)
		return client_fail(CLIENT_UNTRUSTED,
			"the revocation list is not signed by this profile's authority");
	if (info.next_us < time_now_us())
		return client_fail(CLIENT_UNTRUSTED, "the revocation list is out of date");
	return crl_tell(c, buf_span(&der), &info);
}

static int ocsp_tell(const struct client *c, const struct pki_ocsp_answer *a)
{
	static const char *const words[] = {[PKI_OCSP_GOOD] = "good",
		[PKI_OCSP_REVOKED] = "revoked",
		[PKI_OCSP_UNKNOWN] = "unknown"};
	_cleanup_(buf_done) struct buf at = BUF_INIT(64);
	bool revoked = a->status == PKI_OCSP_REVOKED;

	if (revoked)
		time_rfc3339_utc(&at, a->revoked_us);
	const struct table_pair pairs[] = {{"status", words[a->status], NULL},
		{"revoked", revoked ? buf_str(&at) : NULL, NULL},
		{"reason", revoked ? reason_word(a->reason) : NULL, NULL}};

	table_print_pairs(pairs, sizeof pairs / sizeof pairs[0], c->json);
	return a->status == PKI_OCSP_GOOD ? CLIENT_OK : CLIENT_NO;
}

static int ocsp_ask(struct client *c, const struct profile *p, struct span leaf, struct span issuer)
{
	_cleanup_(buf_done) struct buf request = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf answer = BUF_INIT(OCSP_MAX);
	struct pki_ocsp_answer a;
	struct pki_ocsp_question asked = {
		.leaf_der = leaf, .issuer_der = issuer, .root_pem = buf_span(&p->root_pem)};
	const char *reason = "it is malformed";
	int r = pki_ocsp_request_new(leaf, issuer, &request, asked.nonce);

	if (r < 0)
		return client_fail(ERR_EXIT_BUG, "the request cannot be made: %s", err_text(r));
	const struct link_question q = {.method = "POST",
		.target = "/ocsp",
		.content_type = "application/ocsp-request",
		.body = buf_span(&request)};
	r = link_ask_ca(c, p, &q, &answer);
	if (r != CLIENT_OK)
		return r;
	r = pki_ocsp_response_read(buf_span(&answer), &asked, &a, &reason);
	return r < 0 ? client_fail(CLIENT_UNTRUSTED, "the answer is not acceptable: %s", reason)
		     : ocsp_tell(c, &a);
}

int ca_check(struct client *c, const struct profile *p, const char *file)
{
	_cleanup_(buf_done) struct buf pem = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(certs_done) struct certs leaf = CERTS_INIT;
	_cleanup_(certs_done) struct certs chain = CERTS_INIT;
	struct span issuer = {0};
	int r = 0;

	if (file != NULL)
		r = ask_file(c, file, &pem);
	else
		buf_add(&pem, buf_span(&p->cert_pem));
	if (r < 0)
		return client_fail(r == -ECANCELED ? CLIENT_INTERRUPTED : ERR_EXIT_CONFIG, "%s: %s",
			file, r == -ENOBUFS ? "too long for a certificate" : err_text(r));
	r = leaf_and_issuer(p, buf_span(&pem), &leaf, &chain, &issuer);
	if (r == -ENOENT)
		return client_fail(
			CLIENT_UNTRUSTED, "the certificate is not of this profile's authority");
	if (r < 0)
		return client_fail(ERR_EXIT_CONFIG, "%s: there is no certificate in PEM",
			file != NULL ? file : p->name);
	return ocsp_ask(c, p, leaf.each[0], issuer);
}
