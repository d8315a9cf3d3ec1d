/* Reading certificates. */
#include "base/hash.h"
#include "base/text.h"
#include "pki/ossl.h"

#include <errno.h>

int pki_subject_cn(const X509_NAME *name, char *ret, size_t size)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);

	if (at < 0) {
		ret[0] = '\0';
		return 0;
	}
	if (X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
		return -EBADMSG;
	return pki_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)), ret, size);
}

/* One line, RFC 4514, ASCII only; cut when it does not fit. */
static int read_one_line(const X509_NAME *name, char *ret, size_t size)
{
	_cleanup_(pki_bio_freep) BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long len;

	if (bio == NULL || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0)
		return pki_error();
	len = BIO_get_mem_data(bio, &p);
	if (len < 0 || (size_t)len >= size)
		len = (long)size - 1;
	if (len > 0)
		memcpy(ret, p, (size_t)len);
	ret[len] = '\0';
	return 0;
}

static int read_serial(const X509 *x, struct pki_cert_info *ret)
{
	_cleanup_(pki_bn_freep) BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	int len;

	if (bn == NULL)
		return -ENOMEM;
	len = BN_num_bytes(bn);
	if (BN_is_negative(bn) || len < 1 || (size_t)len > sizeof(ret->serial))
		return -EBADMSG;
	ret->serial_len = (size_t)BN_bn2bin(bn, ret->serial);
	return 0;
}

static int read_alt_names(const X509 *x, struct pki_cert_info *ret)
{
	_cleanup_(pki_names_freep) GENERAL_NAMES *san =
		X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	struct pki_names names = {0};
	int r;

	if (san == NULL)
		return 0;
	r = pki_names_read(san, &names);
	if (r < 0)
		return r;
	memcpy(ret->email, names.email, sizeof(ret->email));
	memcpy(ret->hosts, names.hosts, sizeof(ret->hosts));
	ret->host_count = names.host_count;
	return 0;
}

static void read_eku(const X509 *x, struct pki_cert_info *ret)
{
	_cleanup_(pki_eku_freep) EXTENDED_KEY_USAGE *eku =
		X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
	const struct {
		const char *oid;
		bool *flag;
	} flags[] = {
		{"1.3.6.1.5.5.7.3.1", &ret->eku_server},
		{"1.3.6.1.5.5.7.3.2", &ret->eku_client},
		{"1.3.6.1.5.5.7.3.4", &ret->eku_email},
		{"1.3.6.1.5.5.7.3.8", &ret->eku_timestamp},
		{"1.3.6.1.5.5.7.3.9", &ret->eku_ocsp},
		{PKI_EKU_PEER, &ret->eku_peer},
	};
	char oid[128];

	for (int i = 0; eku != NULL && i < sk_ASN1_OBJECT_num(eku); i++) {
		if (OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(eku, i), 1) < 1)
			continue;
		for (size_t j = 0; j < sizeof(flags) / sizeof(flags[0]); j++)
			if (strcmp(oid, flags[j].oid) == 0)
				*flags[j].flag = true;
	}
}

static int read_key_id(const ASN1_OCTET_STRING *id, char ret[65])
{
	struct buf hex = BUF_INIT(64);
	int r = 0;

	if (id == NULL)
		return 0;
	text_hex(&hex, span_of(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)));
	if (buf_error(&hex) < 0)
		r = buf_error(&hex) == -ENOMEM ? -ENOMEM : -EBADMSG;
	else
		memcpy(ret, buf_str(&hex), hex.len + 1);
	buf_done(&hex);
	return r;
}

static int copy_uri(const GENERAL_NAME *name, char ret[256])
{
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	struct span text;

	if (type != GEN_URI)
		return 0;
	text = span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
	return text_is_print(text) && span_copy_str(text, ret, 256) == 0 ? 0 : -EBADMSG;
}

static int read_crl_pointer(const X509 *x, struct pki_cert_info *ret)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
	const DIST_POINT *point =
		sk_DIST_POINT_num(points) > 0 ? sk_DIST_POINT_value(points, 0) : NULL;
	int r = 0;

	if (point != NULL && point->distpoint != NULL && point->distpoint->type == 0 &&
		sk_GENERAL_NAME_num(point->distpoint->name.fullname) > 0)
		r = copy_uri(
			sk_GENERAL_NAME_value(point->distpoint->name.fullname, 0), ret->crl_url);
	CRL_DIST_POINTS_free(points);
	return r;
}

static int read_access(const X509 *x, struct pki_cert_info *ret)
{
	AUTHORITY_INFO_ACCESS *aia = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
	int r = 0;

	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(aia) && r == 0; i++) {
		const ACCESS_DESCRIPTION *access = sk_ACCESS_DESCRIPTION_value(aia, i);
		int nid = OBJ_obj2nid(access->method);

		if (nid == NID_ad_OCSP)
			r = copy_uri(access->location, ret->ocsp_url);
		else if (nid == NID_ad_ca_issuers)
			r = copy_uri(access->location, ret->issuer_url);
	}
	AUTHORITY_INFO_ACCESS_free(aia);
	return r;
}

int pki_x509_spki(const X509 *x, struct buf *ret)
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);

	return pki_add_der(ret, der, len);
}

static int read_digests(const X509 *x, struct span der, struct pki_cert_info *ret)
{
	struct buf spki = BUF_INIT(der.len);
	int r = pki_x509_spki(x, &spki);

	if (r == 0)
		r = hash_sha256(buf_span(&spki), ret->spki_sha256);
	buf_done(&spki);
	return r < 0 ? r : hash_sha256(der, ret->sha256);
}

static int read_plain(X509 *x, struct pki_cert_info *ret)
{
	const X509_NAME *subject = X509_get_subject_name(x);
	int r = read_serial(x, ret);

	if (r == 0)
		r = pki_subject_cn(subject, ret->cn, sizeof(ret->cn));
	if (r == 0)
		r = read_one_line(subject, ret->subject, sizeof(ret->subject));
	if (r == 0)
		r = read_one_line(X509_get_issuer_name(x), ret->issuer, sizeof(ret->issuer));
	if (r == 0)
		r = pki_time_us(X509_get0_notBefore(x), &ret->not_before_us);
	if (r == 0)
		r = pki_time_us(X509_get0_notAfter(x), &ret->not_after_us);
	ret->is_ca = X509_check_ca(x) == 1;
	return r;
}

static int read_extensions(X509 *x, struct pki_cert_info *ret)
{
	int r = read_alt_names(x, ret);

	read_eku(x, ret);
	if (r == 0)
		r = read_key_id(X509_get0_authority_key_id(x), ret->aki_hex);
	if (r == 0)
		r = read_key_id(X509_get0_subject_key_id(x), ret->ski_hex);
	if (r == 0)
		r = read_crl_pointer(x, ret);
	return r == 0 ? read_access(x, ret) : r;
}

int pki_cert_read(struct span der, struct pki_cert_info *ret)
{
	PKI_EDGE;
	_cleanup_(pki_x509_freep) X509 *x = pki_x509_of(der);
	struct pki_cert_info info = {0};
	int r;

	if (x == NULL)
		return -EBADMSG;
	r = read_plain(x, &info);
	if (r == 0)
		r = read_extensions(x, &info);
	if (r == 0)
		r = read_digests(x, der, &info);
	if (r < 0)
		return r;
	*ret = info;
	return 0;
}

int pki_cert_spki(struct span der, struct buf *ret)
{
	PKI_EDGE;
	_cleanup_(pki_x509_freep) X509 *x = pki_x509_of(der);

	return x != NULL ? pki_x509_spki(x, ret) : -EBADMSG;
}
