/* Certificate revocation lists: v2, with authority key identifier and number. */
#include "pki/crl.h"

#include "pki/der.h"
#include "pki/ossl.h"

#include <errno.h>
#include <limits.h>

enum { SERIAL_MAX = 20, REASON_MAX = 10, REASON_UNUSED = 7, REASON_REMOVE = 8 };

struct pki_crl {
	X509_CRL *crl;
};

PKI_FREEP(revoked_freep, X509_REVOKED, X509_REVOKED_free)
PKI_FREEP(enumerated_freep, ASN1_ENUMERATED, ASN1_ENUMERATED_free)
PKI_FREEP(key_id_freep, AUTHORITY_KEYID, AUTHORITY_KEYID_free)

int pki_crl_begin(struct pki_crl **ret)
{
	PKI_EDGE;
	struct pki_crl *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	c->crl = X509_CRL_new();
	if (c->crl == NULL) {
		free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

void pki_crl_freep(struct pki_crl **c)
{
	if (*c == NULL)
		return;
	X509_CRL_free((*c)->crl);
	free(*c);
}

static ASN1_INTEGER *integer_of(const unsigned char *p, size_t len)
{
	_cleanup_(pki_bn_freep) BIGNUM *bn = BN_bin2bn(p, (int)len, NULL);

	return bn != NULL ? BN_to_ASN1_INTEGER(bn, NULL) : NULL;
}

/* Unspecified is said by saying nothing (RFC 5280 section 5.3.1). */
static int add_reason(X509_REVOKED *row, int reason)
{
	_cleanup_(enumerated_freep) ASN1_ENUMERATED *value = NULL;

	if (reason == 0)
		return 0;
	value = ASN1_ENUMERATED_new();
	if (value == NULL || ASN1_ENUMERATED_set(value, reason) != 1 ||
		X509_REVOKED_add1_ext_i2d(row, NID_crl_reason, value, 0, X509V3_ADD_DEFAULT) != 1)
		return -ENOMEM;
	return 0;
}

int pki_crl_add(
	struct pki_crl *c, const unsigned char *serial, size_t len, int64_t revoked_us, int reason)
{
	PKI_EDGE;
	_cleanup_(revoked_freep) X509_REVOKED *row = NULL;
	_cleanup_(pki_integer_freep) ASN1_INTEGER *number = NULL;
	_cleanup_(pki_time_freep) ASN1_TIME *at = NULL;
	int r;

	if (len < 1 || len > SERIAL_MAX || reason < 0 || reason > REASON_MAX ||
		reason == REASON_UNUSED || reason == REASON_REMOVE)
		return -EINVAL;
	row = X509_REVOKED_new();
	number = integer_of(serial, len);
	at = ASN1_TIME_set(NULL, pki_seconds(revoked_us));
	if (row == NULL || number == NULL || at == NULL ||
		X509_REVOKED_set_serialNumber(row, number) != 1 ||
		X509_REVOKED_set_revocationDate(row, at) != 1)
		return -ENOMEM;
	r = add_reason(row, reason);
	if (r < 0)
		return r;
	if (X509_CRL_add0_revoked(c->crl, row) != 1)
		return -ENOMEM;
	(void)take_ptr(&row);
	return 0;
}

static int set_times(X509_CRL *crl, int64_t this_us, int64_t next_us)
{
	_cleanup_(pki_time_freep) ASN1_TIME *from = ASN1_TIME_set(NULL, pki_seconds(this_us));
	_cleanup_(pki_time_freep) ASN1_TIME *until = ASN1_TIME_set(NULL, pki_seconds(next_us));

	if (pki_seconds(this_us) >= pki_seconds(next_us) || from == NULL || until == NULL)
		return -EINVAL;
	if (X509_CRL_set1_lastUpdate(crl, from) != 1 || X509_CRL_set1_nextUpdate(crl, until) != 1)
		return -ENOMEM;
	return 0;
}

static int add_key_id(X509_CRL *crl, X509 *issuer)
{
	_cleanup_(key_id_freep) AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(issuer);

	if (id == NULL)
		return -EINVAL;
	if (aki == NULL)
		return -ENOMEM;
	aki->keyid = ASN1_OCTET_STRING_dup(id);
	if (aki->keyid == NULL ||
		X509_CRL_add1_ext_i2d(
			crl, NID_authority_key_identifier, aki, 0, X509V3_ADD_REPLACE) != 1)
		return -ENOMEM;
	return 0;
}

static int add_number(X509_CRL *crl, uint64_t number)
{
	_cleanup_(pki_integer_freep) ASN1_INTEGER *value = ASN1_INTEGER_new();

	if (value == NULL || ASN1_INTEGER_set_uint64(value, number) != 1 ||
		X509_CRL_add1_ext_i2d(crl, NID_crl_number, value, 0, X509V3_ADD_REPLACE) != 1)
		return -ENOMEM;
	return 0;
}

int pki_crl_sign(struct pki_crl *c, struct span issuer_der, const struct pki_key *key,
	const struct pki_crl_info *head, struct buf *ret_der)
{
	PKI_EDGE;
	_cleanup_(pki_x509_freep) X509 *issuer = pki_x509_of(issuer_der);
	unsigned char *der = NULL;
	int r, len;

	if (issuer == NULL || X509_check_private_key(issuer, key->pkey) != 1)
		return -EINVAL;
	if (X509_CRL_set_version(c->crl, X509_CRL_VERSION_2) != 1 ||
		X509_CRL_set_issuer_name(c->crl, X509_get_subject_name(issuer)) != 1)
		return pki_error();
	r = set_times(c->crl, head->this_us, head->next_us);
	if (r == 0)
		r = add_key_id(c->crl, issuer);
	if (r == 0)
		r = add_number(c->crl, head->number);
	if (r < 0)
		return r;
	if (X509_CRL_sort(c->crl) != 1 || X509_CRL_sign(c->crl, key->pkey, EVP_sha256()) <= 0)
		return pki_error();
	len = i2d_X509_CRL(c->crl, &der);
	return pki_add_der(ret_der, der, len);
}

static X509_CRL *crl_of(struct span der)
{
	const unsigned char *p = der.p;
	X509_CRL *crl;

	if (der.len > LONG_MAX || der_check(der) < 0)
		return NULL;
	crl = d2i_X509_CRL(NULL, &p, (long)der.len);
	if (crl != NULL && p != der.p + der.len) {
		X509_CRL_free(crl);
		return NULL;
	}
	return crl;
}

static int read_number(const X509_CRL *crl, uint64_t *ret)
{
	_cleanup_(pki_integer_freep) ASN1_INTEGER *number =
		X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);

	return number != NULL && ASN1_INTEGER_get_uint64(ret, number) == 1 ? 0 : -EBADMSG;
}

int pki_crl_read(struct span der, struct span issuer_der, struct pki_crl_info *ret)
{
	PKI_EDGE;
	_cleanup_(pki_x509_crl_freep) X509_CRL *crl = crl_of(der);
	_cleanup_(pki_x509_freep) X509 *issuer = pki_x509_of(issuer_der);
	struct pki_crl_info info = {0};
	int rows;

	if (crl == NULL || issuer == NULL || X509_CRL_get_version(crl) != X509_CRL_VERSION_2)
		return -EBADMSG;
	if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) != 0 ||
		X509_CRL_verify(crl, X509_get0_pubkey(issuer)) != 1)
		return -EKEYREJECTED;
	if (read_number(crl, &info.number) < 0 ||
		pki_time_us(X509_CRL_get0_lastUpdate(crl), &info.this_us) < 0 ||
		pki_time_us(X509_CRL_get0_nextUpdate(crl), &info.next_us) < 0)
		return -EBADMSG;
	rows = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl));
	info.revoked = rows > 0 ? (size_t)rows : 0;
	*ret = info;
	return 0;
}

struct crl_row {
	unsigned char serial[SERIAL_MAX];
	size_t len;
	int64_t revoked_us;
	int reason;
};

static int read_row(const X509_REVOKED *revoked, struct crl_row *ret)
{
	_cleanup_(pki_bn_freep) BIGNUM *bn =
		ASN1_INTEGER_to_BN(X509_REVOKED_get0_serialNumber(revoked), NULL);
	_cleanup_(enumerated_freep) ASN1_ENUMERATED *reason =
		X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, NULL, NULL);
	int len = bn != NULL ? BN_num_bytes(bn) : 0;

	if (len < 1 || len > SERIAL_MAX || BN_is_negative(bn))
		return -EBADMSG;
	ret->len = (size_t)BN_bn2bin(bn, ret->serial);
	ret->reason = reason != NULL ? (int)ASN1_ENUMERATED_get(reason) : 0;
	return pki_time_us(X509_REVOKED_get0_revocationDate(revoked), &ret->revoked_us);
}

int pki_crl_each(struct span der,
	int (*each)(void *arg, struct span serial, int64_t revoked_us, int reason), void *arg)
{
	PKI_EDGE;
	_cleanup_(pki_x509_crl_freep) X509_CRL *crl = crl_of(der);
	STACK_OF(X509_REVOKED) * rows;
	int r = 0;

	if (crl == NULL)
		return -EBADMSG;
	rows = X509_CRL_get_REVOKED(crl);
	for (int i = 0; i < sk_X509_REVOKED_num(rows) && r == 0; i++) {
		struct crl_row row;

		r = read_row(sk_X509_REVOKED_value(rows, i), &row);
		if (r == 0)
			r = each(arg, span_of(row.serial, row.len), row.revoked_us, row.reason);
	}
	return r;
}
