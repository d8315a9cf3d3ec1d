/* Does a certificate chain to our root, for what its profile is for? */
#include "pki/profile.h"

#include <errno.h>
#include <limits.h>
#include <openssl/x509_vfy.h>

PKI_FREEP(store_freep, X509_STORE, X509_STORE_free)
PKI_FREEP(store_ctx_freep, X509_STORE_CTX, X509_STORE_CTX_free)

struct purpose_row {
	int purpose; /* X509_PURPOSE_* */
	const char *refusal;
};

static const struct purpose_row purposes[] = {
	[PKI_ROOT] = {X509_PURPOSE_ANY, "not a certificate authority"},
	[PKI_ISSUING] = {X509_PURPOSE_ANY, "not a certificate authority"},
	[PKI_USER] = {X509_PURPOSE_SSL_CLIENT, "not a user's certificate"},
	[PKI_HOST] = {X509_PURPOSE_SSL_SERVER, "not a host's certificate"},
	[PKI_TSA] = {X509_PURPOSE_TIMESTAMP_SIGN, "not a time-stamping certificate"},
	[PKI_OCSP] = {X509_PURPOSE_OCSP_HELPER, "not an OCSP responder's certificate"},
	[PKI_CMP] = {X509_PURPOSE_ANY, "not a CMP server's certificate"},
};

int pki_store_new(struct span root_pem, X509_STORE **ret)
{
	_cleanup_(store_freep) X509_STORE *store = X509_STORE_new();
	_cleanup_(pki_x509s_freep) STACK_OF(X509) *roots = NULL;
	int r;

	if (store == NULL)
		return -ENOMEM;
	r = pki_x509s_add(&roots, root_pem);
	for (int i = 0; r == 0 && i < sk_X509_num(roots); i++)
		if (X509_STORE_add_cert(store, sk_X509_value(roots, i)) != 1)
			r = -ENOMEM;
	if (r < 0)
		return r;
	*ret = take_ptr(&store);
	return 0;
}

static int add_crl(X509_STORE *store, struct span der)
{
	const unsigned char *p = der.p;
	X509_CRL *crl = der.len <= LONG_MAX ? d2i_X509_CRL(NULL, &p, (long)der.len) : NULL;
	int r = crl != NULL ? 0 : -EBADMSG;

	if (r == 0 && X509_STORE_add_crl(store, crl) != 1)
		r = -ENOMEM;
	X509_CRL_free(crl);
	return r;
}

static int prepare(X509_STORE *store, const struct pki_verify *v)
{
	X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
	unsigned long flags = X509_V_FLAG_X509_STRICT;
	int r = 0;

	if (v->crl_count > 0)
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
	if (v->any_time)
		flags |= X509_V_FLAG_NO_CHECK_TIME;
	for (size_t i = 0; i < v->crl_count && r == 0; i++)
		r = add_crl(store, v->crls[i]);
	if (r < 0)
		return r;
	if (v->at_us != 0)
		X509_VERIFY_PARAM_set_time(param, pki_seconds(v->at_us));
	/* Level 2: 112 bits, so no SHA-1 and no RSA below 2048. */
	X509_VERIFY_PARAM_set_auth_level(param, 2);
	if (X509_VERIFY_PARAM_set_flags(param, flags) != 1 ||
		X509_VERIFY_PARAM_set_purpose(param,
			v->chain_only ? X509_PURPOSE_ANY : purposes[v->profile].purpose) != 1)
		return -EIO;
	return 0;
}

/* What the chain check does not ask: exactly this profile, and none of the others. */
static bool profile_fits(X509 *leaf, enum pki_profile profile)
{
	const struct profile_rule *rule = profile_rule(profile);

	return (X509_check_ca(leaf) != 0) == rule->is_ca && profile_eku_matches(leaf, rule);
}

static int check_chain(
	X509_STORE *store, X509 *leaf, STACK_OF(X509) * extra, const char **ret_reason)
{
	_cleanup_(store_ctx_freep) X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	if (ctx == NULL || X509_STORE_CTX_init(ctx, store, leaf, extra) != 1)
		return -ENOMEM;
	if (X509_verify_cert(ctx) == 1)
		return 0;
	*ret_reason = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
	return -EKEYREJECTED;
}

int pki_cert_verify(struct span leaf_der, const struct pki_verify *v, const char **ret_reason)
{
	PKI_EDGE;
	_cleanup_(pki_x509_freep) X509 *leaf = pki_x509_of(leaf_der);
	_cleanup_(pki_x509s_freep) STACK_OF(X509) *extra = NULL;
	_cleanup_(store_freep) X509_STORE *store = NULL;
	int r;

	if ((size_t)v->profile >= sizeof(purposes) / sizeof(purposes[0]) ||
		v->crl_count > sizeof(v->crls) / sizeof(v->crls[0]))
		return -EINVAL;
	if (leaf == NULL) {
		*ret_reason = "the certificate cannot be read";
		return -EKEYREJECTED;
	}
	r = pki_store_new(v->root_pem, &store);
	if (r == 0)
		r = pki_x509s_add(&extra, v->extra_pem);
	if (r == 0)
		r = prepare(store, v);
	if (r == 0)
		r = check_chain(store, leaf, extra, ret_reason);
	if (r < 0)
		return r;
	if (!v->chain_only && !profile_fits(leaf, v->profile)) {
		*ret_reason = purposes[v->profile].refusal;
		return -EKEYREJECTED;
	}
	return 0;
}
