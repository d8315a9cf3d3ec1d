/* Host certificates by way of the signer. */
#include "hostcert.h"

#include "pki/csr.h"

#include <errno.h>

struct sign_job {
	enum pki_profile profile;
	const char *hosts;
	struct span csr;
};

static int sign_part(struct ctl *c, void *arg, struct buf *reply)
{
	const struct sign_job *j = (const struct sign_job *)arg;
	_cleanup_(buf_wipe) struct buf scratch = BUF_INIT(SIGNER_ANSWER_MAX + 16);
	struct signer_request ask = {.kind = SIGNER_HOST, .peer = CTL_BY, .csr = j->csr};
	struct signer_answer answer;
	int r;

	(void)snprintf(ask.name, sizeof(ask.name), "%s", CTL_HOUSE);
	ask.profile = (uint8_t)j->profile;
	ask.hosts = span_str(j->hosts);
	r = ctl_signer(c, &ask, &scratch, &answer);
	if (r == CTL_OK)
		buf_add(reply, answer.payload);
	return r;
}

int hostcert_sign(struct ctl *c, enum pki_profile profile, const char *hosts, struct span csr,
	struct buf *ret_der)
{
	struct sign_job j = {.profile = profile, .hosts = hosts, .csr = csr};

	return ctl_as_admin(c, sign_part, &j, ret_der);
}

/* The common name of a request is for people only: the first name, cut to what fits. */
static void first_name(const char *hosts, char ret[65])
{
	struct span rest = span_str(hosts), head = {NULL, 0};

	(void)span_split(&rest, ' ', &head);
	(void)snprintf(ret, 65, "%.*s", (int)(head.len < 64 ? head.len : 64),
		head.p != NULL ? (const char *)head.p : "");
}

int hostcert_new(struct ctl *c, enum pki_profile profile, const char *hosts, struct pair *ret)
{
	_cleanup_(buf_done) struct buf csr = BUF_INIT(PKI_CSR_MAX);
	char cn[65];
	int r = pki_key_new(&ret->key);

	first_name(hosts, cn);
	if (r == 0)
		r = pki_csr_new(ret->key, cn, NULL, NULL, &csr);
	if (r < 0)
		return ctl_fail(r, "cannot make a key and its request");
	return hostcert_sign(c, profile, hosts, buf_span(&csr), &ret->der);
}

int hostcert_chain(const struct authority_list *l, struct span leaf_der, struct buf *ret_pem)
{
	struct span issuer = authority_list_issuer(l, leaf_der);
	int r = issuer.len > 0 ? 0 : -ENOENT;

	if (r == 0)
		r = pki_cert_to_pem(leaf_der, ret_pem);
	if (r == 0)
		r = pki_cert_to_pem(issuer, ret_pem);
	if (r == 0)
		r = buf_error(ret_pem);
	return r < 0 ? ctl_fail(r, "no issuing authority of ours signed this certificate") : CTL_OK;
}
