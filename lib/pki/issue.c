/* Building and signing a certificate by its profile. */
#include "base/hash.h"
#include "base/text.h"
#include "pki/profile.h"

#include <errno.h>
#include <limits.h>

enum { CN_MAX = 64, DER_MAX = 16384 };

int pki_serial_new(unsigned char ret[PKI_SERIAL_LEN])
{
	unsigned char serial[PKI_SERIAL_LEN];

	do {
		int r = hash_random(serial, sizeof(serial));

		if (r < 0)
			return r;
		serial[0] &= 0x7f;
	} while (serial[0] == 0);
	memcpy(ret, serial, sizeof(serial));
	return 0;
}

static bool is_url(const char *url)
{
	return url == NULL ||
		(strncmp(url, "http://", 7) == 0 && strlen(url) < 256 &&
			text_is_print(span_str(url)));
}

/* Everything about the template that needs no OpenSSL. */
static bool template_ok(const struct pki_template *t, const struct profile_rule *rule)
{
	struct span cn = span_str(t->cn);

	if (rule == NULL || cn.len == 0 || cn.len > CN_MAX || !text_is_clean(cn))
		return false;
	if (t->serial[0] == 0 || t->serial[0] > 0x7f || t->not_before_us >= t->not_after_us)
		return false;
	if (rule->san == PROFILE_SAN_EMAIL && !pki_is_email(span_str(t->email)))
		return false;
	if (rule->san == PROFILE_SAN_HOSTS && (t->host_count == 0 || t->host_count > PKI_MAX_HOSTS))
		return false;
	return is_url(t->crl_url) && is_url(t->ocsp_url) && is_url(t->issuer_url) &&
		t->spki.len > 0 && t->spki.len <= LONG_MAX;
}

static int set_serial(X509 *x, const unsigned char serial[PKI_SERIAL_LEN])
{
	_cleanup_(pki_bn_freep) BIGNUM *bn = BN_bin2bn(serial, PKI_SERIAL_LEN, NULL);

	if (bn == NULL || BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) == NULL)
		return -ENOMEM;
	return 0;
}

static int set_time(X509 *x, int (*set)(X509 *x, const ASN1_TIME *t), time_t at)
{
	/* UTCTime until 2049, GeneralizedTime behind it (RFC 5280 section 4.1.2.5). */
	_cleanup_(pki_time_freep) ASN1_TIME *t = ASN1_TIME_set(NULL, at);

	if (t == NULL)
		return -EINVAL;
	return set(x, t) == 1 ? 0 : -ENOMEM;
}

/* The validity wished for, cut to that of the issuer. */
static int set_validity(X509 *x, X509 *issuer, const struct pki_template *t)
{
	time_t from = pki_seconds(t->not_before_us), until = pki_seconds(t->not_after_us);
	int64_t issuer_from_us = 0, issuer_until_us = 0;
	int r;

	if (issuer != x) {
		r = pki_time_us(X509_get0_notBefore(issuer), &issuer_from_us);
		if (r == 0)
			r = pki_time_us(X509_get0_notAfter(issuer), &issuer_until_us);
		if (r < 0)
			return -EINVAL;
		if (from < pki_seconds(issuer_from_us))
			from = pki_seconds(issuer_from_us);
		if (until > pki_seconds(issuer_until_us))
			until = pki_seconds(issuer_until_us);
	}
	if (from >= until)
		return -EINVAL;
	r = set_time(x, X509_set1_notBefore, from);
	return r < 0 ? r : set_time(x, X509_set1_notAfter, until);
}

static int set_key(X509 *x, struct span spki)
{
	_cleanup_(pki_pkey_freep) EVP_PKEY *pkey = NULL;
	const unsigned char *p = spki.p;

	pkey = d2i_PUBKEY(NULL, &p, (long)spki.len);
	if (pkey == NULL || p != spki.p + spki.len)
		return -EINVAL;
	return X509_set_pubkey(x, pkey) == 1 ? 0 : pki_error();
}

static int set_names(X509 *x, X509 *issuer, const char *cn)
{
	X509_NAME *subject = X509_get_subject_name(x);

	if (X509_NAME_add_entry_by_txt(
		    subject, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) != 1)
		return -EINVAL;
	return X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1 ? 0 : pki_error();
}

/* Everything but the signature. issuer may be x. */
static int fill(
	X509 *x, X509 *issuer, const struct pki_template *t, const struct profile_rule *rule)
{
	int r = X509_set_version(x, X509_VERSION_3) == 1 ? 0 : -ENOMEM;

	if (r == 0)
		r = set_serial(x, t->serial);
	if (r == 0)
		r = set_names(x, issuer, t->cn);
	if (r == 0)
		r = set_validity(x, issuer, t);
	if (r == 0)
		r = set_key(x, t->spki);
	return r == 0 ? profile_extend(x, issuer, t, rule) : r;
}

static int sign(X509 *x, X509 *issuer, const struct pki_key *key)
{
	if (X509_check_private_key(issuer, key->pkey) != 1)
		return -EINVAL;
	return X509_sign(x, key->pkey, EVP_sha256()) > 0 ? 0 : pki_error();
}

/* Encodes what was signed and judges it; only what keeps to its profile leaves. */
static int finish(X509 *x, struct span issuer_der, enum pki_profile profile, struct buf *ret_der)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(DER_MAX);
	const char *reason = NULL;
	unsigned char *p = NULL;
	int len = i2d_X509(x, &p);
	int r = pki_add_der(&der, p, len);

	if (r == 0)
		r = pki_cert_lint(buf_span(&der), issuer_der, profile, &reason);
	if (r < 0)
		return r == -EKEYREJECTED || r == -EBADMSG ? -EINVAL : r;
	buf_add(ret_der, buf_span(&der));
	return buf_error(ret_der);
}

int pki_issue(const struct pki_template *t, struct span issuer_der,
	const struct pki_key *issuer_key, struct buf *ret_der)
{
	PKI_EDGE;
	_cleanup_(pki_x509_freep) X509 *issuer = NULL;
	_cleanup_(pki_x509_freep) X509 *x = NULL;
	const struct profile_rule *rule = profile_rule(t->profile);
	int r;

	if (!template_ok(t, rule) || (issuer_der.len == 0) != (t->profile == PKI_ROOT))
		return -EINVAL;
	if (issuer_der.len > 0) {
		issuer = pki_x509_of(issuer_der);
		if (issuer == NULL)
			return -EINVAL;
	}
	x = X509_new();
	if (x == NULL)
		return -ENOMEM;
	r = fill(x, issuer != NULL ? issuer : x, t, rule);
	if (r == 0)
		r = sign(x, issuer != NULL ? issuer : x, issuer_key);
	return r == 0 ? finish(x, issuer_der, t->profile, ret_der) : r;
}
