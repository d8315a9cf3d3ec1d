/* The extensions of a new certificate. Values are built as structures, never from configuration
 * strings, in which a comma in a name would begin something new. */
#include "base/hash.h"
#include "pki/profile.h"

#include <errno.h>

enum { KEY_ID_LEN = 20 };

static int add(X509 *x, int nid, void *value, bool critical)
{
	return X509_add1_ext_i2d(x, nid, value, critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1
		? 0
		: pki_error();
}

static int add_basic_constraints(X509 *x, const struct profile_rule *rule)
{
	BASIC_CONSTRAINTS *bc;
	int r = -ENOMEM;

	if (!rule->is_ca)
		return 0;
	bc = BASIC_CONSTRAINTS_new();
	if (bc == NULL)
		return -ENOMEM;
	bc->ca = 0xff;
	bc->pathlen = ASN1_INTEGER_new();
	if (bc->pathlen != NULL && ASN1_INTEGER_set(bc->pathlen, rule->pathlen) == 1)
		r = add(x, NID_basic_constraints, bc, true);
	BASIC_CONSTRAINTS_free(bc);
	return r;
}

static int add_usage(X509 *x, unsigned usage)
{
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	int r = bits != NULL ? 0 : -ENOMEM;

	/* KU_* hold the string's first octet: bit 0 is 0x80. */
	for (int i = 0; i < 8 && r == 0; i++)
		if ((usage & 0x80U >> i) != 0 && ASN1_BIT_STRING_set_bit(bits, i, 1) != 1)
			r = -ENOMEM;
	if (r == 0)
		r = add(x, NID_key_usage, bits, true);
	ASN1_BIT_STRING_free(bits);
	return r;
}

static int push_eku(EXTENDED_KEY_USAGE *eku, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);

	if (object == NULL)
		return -ENOMEM;
	if (sk_ASN1_OBJECT_push(eku, object) > 0)
		return 0;
	ASN1_OBJECT_free(object);
	return -ENOMEM;
}

static int add_eku(X509 *x, const struct profile_rule *rule)
{
	_cleanup_(pki_eku_freep) EXTENDED_KEY_USAGE *eku = NULL;
	int r = 0;

	if (profile_eku_count(rule) == 0)
		return 0;
	eku = sk_ASN1_OBJECT_new_null();
	if (eku == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < profile_eku_count(rule) && r == 0; i++)
		r = push_eku(eku, rule->eku[i]);
	return r < 0 ? r : add(x, NID_ext_key_usage, eku, rule->eku_critical);
}

/* RFC 7093 method 1: the first 160 bits of the SHA-256 of the key's bits. */
static int add_subject_key_id(X509 *x)
{
	_cleanup_(pki_octets_freep) ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(x);
	unsigned char digest[HASH_SHA256_LEN];
	int r;

	if (id == NULL || bits == NULL)
		return -ENOMEM;
	r = hash_sha256(span_of(bits->data, (size_t)bits->length), digest);
	if (r < 0)
		return r;
	if (ASN1_OCTET_STRING_set(id, digest, KEY_ID_LEN) != 1)
		return -ENOMEM;
	return add(x, NID_subject_key_identifier, id, false);
}

static int add_authority_key_id(X509 *x, X509 *issuer)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(issuer);
	AUTHORITY_KEYID *aki;
	int r;

	if (x == issuer)
		return 0;
	if (id == NULL)
		return -EINVAL;
	aki = AUTHORITY_KEYID_new();
	if (aki == NULL)
		return -ENOMEM;
	aki->keyid = ASN1_OCTET_STRING_dup(id);
	r = aki->keyid != NULL ? add(x, NID_authority_key_identifier, aki, false) : -ENOMEM;
	AUTHORITY_KEYID_free(aki);
	return r;
}

/* Takes value. */
static int push_name(GENERAL_NAMES *names, int type, ASN1_STRING *value)
{
	GENERAL_NAME *name = GENERAL_NAME_new();

	if (name == NULL || value == NULL) {
		GENERAL_NAME_free(name);
		ASN1_STRING_free(value);
		return -ENOMEM;
	}
	GENERAL_NAME_set0_value(name, type, value);
	if (sk_GENERAL_NAME_push(names, name) > 0)
		return 0;
	GENERAL_NAME_free(name);
	return -ENOMEM;
}

static ASN1_STRING *ia5(const char *text)
{
	ASN1_STRING *s = ASN1_IA5STRING_new();

	if (s != NULL && ASN1_STRING_set(s, text, -1) == 1)
		return s;
	ASN1_STRING_free(s);
	return NULL;
}

static int push_host(GENERAL_NAMES *names, const char *host)
{
	ASN1_OCTET_STRING *ip = a2i_IPADDRESS(host);

	if (ip != NULL)
		return push_name(names, GEN_IPADD, ip);
	if (!pki_is_dns_name(span_str(host)))
		return -EINVAL;
	return push_name(names, GEN_DNS, ia5(host));
}

static int add_names(X509 *x, const struct pki_template *t, const struct profile_rule *rule)
{
	_cleanup_(pki_names_freep) GENERAL_NAMES *names = NULL;
	int r = 0;

	if (rule->san == PROFILE_SAN_NONE)
		return 0;
	names = GENERAL_NAMES_new();
	if (names == NULL)
		return -ENOMEM;
	if (rule->san == PROFILE_SAN_EMAIL)
		r = push_name(names, GEN_EMAIL, ia5(t->email));
	else
		for (size_t i = 0; i < t->host_count && r == 0; i++)
			r = push_host(names, t->hosts[i]);
	return r < 0 ? r : add(x, NID_subject_alt_name, names, false);
}

static int add_crl_pointer(X509 *x, const char *url)
{
	CRL_DIST_POINTS *points;
	DIST_POINT *point;
	int r = -ENOMEM;

	if (url == NULL)
		return 0;
	points = CRL_DIST_POINTS_new();
	point = DIST_POINT_new();
	if (points == NULL || point == NULL || sk_DIST_POINT_push(points, point) <= 0) {
		DIST_POINT_free(point);
		CRL_DIST_POINTS_free(points);
		return -ENOMEM;
	}
	point->distpoint = DIST_POINT_NAME_new();
	if (point->distpoint != NULL) {
		point->distpoint->type = 0;
		point->distpoint->name.fullname = GENERAL_NAMES_new();
		if (point->distpoint->name.fullname != NULL)
			r = push_name(point->distpoint->name.fullname, GEN_URI, ia5(url));
	}
	if (r == 0)
		r = add(x, NID_crl_distribution_points, points, false);
	CRL_DIST_POINTS_free(points);
	return r;
}

static int push_access(AUTHORITY_INFO_ACCESS *aia, int nid, const char *url)
{
	ACCESS_DESCRIPTION *access;

	if (url == NULL)
		return 0;
	access = ACCESS_DESCRIPTION_new();
	if (access == NULL || sk_ACCESS_DESCRIPTION_push(aia, access) <= 0) {
		ACCESS_DESCRIPTION_free(access);
		return -ENOMEM;
	}
	ASN1_OBJECT_free(access->method);
	access->method = OBJ_nid2obj(nid);
	/* The description brings an empty name of no kind along. */
	GENERAL_NAME_set0_value(access->location, GEN_URI, ia5(url));
	return access->location->d.ia5 != NULL ? 0 : -ENOMEM;
}

static int add_access(X509 *x, const struct pki_template *t, const struct profile_rule *rule)
{
	const char *ocsp_url = rule->nocheck ? NULL : t->ocsp_url;
	AUTHORITY_INFO_ACCESS *aia;
	int r;

	if (ocsp_url == NULL && t->issuer_url == NULL)
		return 0;
	aia = AUTHORITY_INFO_ACCESS_new();
	if (aia == NULL)
		return -ENOMEM;
	r = push_access(aia, NID_ad_OCSP, ocsp_url);
	if (r == 0)
		r = push_access(aia, NID_ad_ca_issuers, t->issuer_url);
	if (r == 0)
		r = add(x, NID_info_access, aia, false);
	AUTHORITY_INFO_ACCESS_free(aia);
	return r;
}

static int add_nocheck(X509 *x, const struct profile_rule *rule)
{
	ASN1_NULL *nothing;
	int r;

	if (!rule->nocheck)
		return 0;
	nothing = ASN1_NULL_new();
	if (nothing == NULL)
		return -ENOMEM;
	r = add(x, NID_id_pkix_OCSP_noCheck, nothing, false);
	ASN1_NULL_free(nothing);
	return r;
}

int profile_extend(
	X509 *x, X509 *issuer, const struct pki_template *t, const struct profile_rule *rule)
{
	const char *reason;
	int kind = pki_judge_key(X509_get_X509_PUBKEY(x), &reason);
	unsigned usage = kind > 0 ? profile_usage(rule, (enum pki_key_kind)kind) : 0;
	int r;

	if (usage == 0)
		return -EINVAL;
	r = add_basic_constraints(x, rule);
	if (r == 0)
		r = add_usage(x, usage);
	if (r == 0)
		r = add_eku(x, rule);
	if (r == 0)
		r = add_subject_key_id(x);
	if (r == 0)
		r = add_authority_key_id(x, issuer);
	if (r == 0)
		r = add_names(x, t, rule);
	if (r == 0)
		r = add_crl_pointer(x, t->crl_url);
	if (r == 0)
		r = add_access(x, t, rule);
	return r == 0 ? add_nocheck(x, rule) : r;
}
