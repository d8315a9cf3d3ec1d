/* Making the root, the issuing CA and what they sign for the house itself. */
#include "authority.h"

#include "base/timefmt.h"

#include <errno.h>

void pair_done(struct pair *p)
{
	pki_key_freep(&p->key);
	buf_done(&p->der);
}

void authority_done(struct authority *a)
{
	pair_done(&a->root);
	pair_done(&a->issuing);
	pair_done(&a->ocsp);
	pair_done(&a->cmp);
	buf_done(&a->root_crl);
}

void authority_forget_keys(struct authority *a)
{
	pki_key_freep(&a->root.key);
	pki_key_freep(&a->issuing.key);
	pki_key_freep(&a->ocsp.key);
	pki_key_freep(&a->cmp.key);
}

int pair_key_pem(const struct pair *p, struct buf *ret)
{
	return pki_key_to_pem(p->key, ret);
}

/* Where certificates of one issuer point to. */
struct pointers {
	char crl[300], ocsp[300], issuer[300];
};

static void point(
	struct pki_template *t, struct pointers *p, const struct authority *a, uint32_t issuer_id)
{
	const char *base = a->settings->plain_url;

	(void)snprintf(p->crl, sizeof(p->crl), "%s/ca/%u.crl", base, issuer_id);
	(void)snprintf(p->issuer, sizeof(p->issuer), "%s/ca/%u.cer", base, issuer_id);
	(void)snprintf(p->ocsp, sizeof(p->ocsp), "%s/ocsp", base);
	t->crl_url = p->crl;
	t->issuer_url = p->issuer;
	t->ocsp_url = issuer_id > 0 ? p->ocsp : NULL; /* nobody answers for the root */
}

/* Makes the key if there is none yet, then the certificate over it. */
static int certify(struct pair *p, struct pki_template *t, struct span issuer_der,
	const struct pki_key *issuer_key)
{
	_cleanup_(buf_done) struct buf spki = BUF_INIT(AUTHORITY_DER_MAX);
	int r = p->key == NULL ? pki_key_new(&p->key) : 0;

	if (r == 0)
		r = pki_key_spki(p->key, &spki);
	if (r == 0)
		r = pki_serial_new(t->serial);
	if (r < 0)
		return r;
	t->spki = buf_span(&spki);
	buf_reset(&p->der);
	return pki_issue(t, issuer_der, issuer_key != NULL ? issuer_key : p->key, &p->der);
}

int authority_root(struct authority *a)
{
	struct pki_template t = {.profile = PKI_ROOT, .not_before_us = a->now_us};
	char cn[65];

	(void)snprintf(cn, sizeof(cn), "%.50s root", a->settings->domain);
	t.cn = cn;
	t.not_after_us = a->now_us + AUTHORITY_ROOT_DAYS * AUTHORITY_DAY_US;
	return certify(&a->root, &t, span_of(NULL, 0), NULL);
}

static int make_responder(
	struct authority *a, enum pki_profile profile, const char *what, struct pair *ret)
{
	struct pki_template t = {.profile = profile, .not_before_us = a->now_us};
	struct pointers p = {.crl = ""};
	char cn[65];

	(void)snprintf(cn, sizeof(cn), "%.45s %s %u", a->settings->domain, what, a->id);
	t.cn = cn;
	t.not_after_us = a->now_us + AUTHORITY_ISSUING_DAYS * AUTHORITY_DAY_US;
	point(&t, &p, a, a->id);
	return certify(ret, &t, buf_span(&a->issuing.der), a->issuing.key);
}

/* Next update a year behind the issuing CA's end: the root's key may stay in its safe till then. */
static int make_root_crl(struct authority *a, uint64_t number)
{
	_cleanup_(pki_crl_freep) struct pki_crl *crl = NULL;
	struct pki_crl_info head = {.number = number,
		.this_us = a->now_us,
		.next_us = a->now_us + (AUTHORITY_ISSUING_DAYS + 365) * AUTHORITY_DAY_US};
	int r = pki_crl_begin(&crl);

	if (r < 0)
		return r;
	buf_reset(&a->root_crl);
	return pki_crl_sign(crl, buf_span(&a->root.der), a->root.key, &head, &a->root_crl);
}

int authority_issuing(struct authority *a, uint64_t root_crl_number)
{
	struct pki_template t = {.profile = PKI_ISSUING, .not_before_us = a->now_us};
	struct pointers p = {.crl = ""};
	char cn[65];
	int r;

	(void)snprintf(cn, sizeof(cn), "%.40s issuing CA %u", a->settings->domain, a->id);
	t.cn = cn;
	t.not_after_us = a->now_us + AUTHORITY_ISSUING_DAYS * AUTHORITY_DAY_US;
	point(&t, &p, a, 0);
	r = certify(&a->issuing, &t, buf_span(&a->root.der), a->root.key);
	if (r == 0)
		r = make_responder(a, PKI_OCSP, "OCSP", &a->ocsp);
	if (r == 0)
		r = make_responder(a, PKI_CMP, "CMP", &a->cmp);
	if (r == 0)
		r = make_root_crl(a, root_crl_number);
	return r;
}

int authority_host(const struct authority *a, enum pki_profile profile, const char *const *hosts,
	size_t count, int64_t days, struct pair *ret)
{
	struct pki_template t = {.profile = profile, .not_before_us = a->now_us};
	struct pointers p = {.crl = ""};
	char cn[65];
	size_t i;

	if (count == 0 || count > PKI_MAX_HOSTS)
		return -EINVAL;
	(void)snprintf(cn, sizeof(cn), "%.60s%s", hosts[0], profile == PKI_TSA ? " TSA" : "");
	t.cn = cn;
	for (i = 0; profile == PKI_HOST && i < count; i++)
		t.hosts[t.host_count++] = hosts[i];
	t.not_after_us = a->now_us + days * AUTHORITY_DAY_US;
	point(&t, &p, a, a->id);
	return certify(ret, &t, buf_span(&a->issuing.der), a->issuing.key);
}
