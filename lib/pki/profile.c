/* The table of profiles. */
#include "pki/profile.h"

enum {
	CA_USAGE = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
	SIGNATURE = KU_DIGITAL_SIGNATURE,
};

#define OID_SERVER_AUTH "1.3.6.1.5.5.7.3.1"
#define OID_CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define OID_EMAIL_PROTECTION "1.3.6.1.5.5.7.3.4"
#define OID_TIME_STAMPING "1.3.6.1.5.5.7.3.8"
#define OID_OCSP_SIGNING "1.3.6.1.5.5.7.3.9"
#define OID_CMC_RA "1.3.6.1.5.5.7.3.28"

/* keyEncipherment belongs to RSA alone, keyAgreement to EC alone; Ed25519 only signs. */
static const struct profile_rule rules[] = {
	[PKI_ROOT] = {.is_ca = true, .pathlen = 1, .usage_ec = CA_USAGE},
	[PKI_ISSUING] = {.is_ca = true, .pathlen = 0, .usage_ec = CA_USAGE},
	[PKI_USER] = {.usage_ec = SIGNATURE | KU_KEY_AGREEMENT,
		.usage_rsa = SIGNATURE | KU_KEY_ENCIPHERMENT,
		.usage_ed25519 = SIGNATURE,
		.eku = {OID_CLIENT_AUTH, OID_EMAIL_PROTECTION, PKI_EKU_PEER},
		.san = PROFILE_SAN_EMAIL},
	[PKI_HOST] = {.usage_ec = SIGNATURE,
		.usage_rsa = SIGNATURE | KU_KEY_ENCIPHERMENT,
		.usage_ed25519 = SIGNATURE,
		.eku = {OID_SERVER_AUTH},
		.san = PROFILE_SAN_HOSTS},
	[PKI_TSA] = {.usage_ec = SIGNATURE,
		.usage_rsa = SIGNATURE,
		.usage_ed25519 = SIGNATURE,
		.eku = {OID_TIME_STAMPING},
		.eku_critical = true},
	[PKI_OCSP] = {.usage_ec = SIGNATURE, .eku = {OID_OCSP_SIGNING}, .nocheck = true},
	[PKI_CMP] = {.usage_ec = SIGNATURE, .eku = {OID_CMC_RA}},
};

const struct profile_rule *profile_rule(enum pki_profile profile)
{
	return (size_t)profile < sizeof(rules) / sizeof(rules[0]) ? &rules[profile] : NULL;
}

unsigned profile_usage(const struct profile_rule *rule, enum pki_key_kind kind)
{
	switch (kind) {
	case PKI_KIND_EC:
		return rule->usage_ec;
	case PKI_KIND_RSA:
		return rule->usage_rsa;
	case PKI_KIND_ED25519:
		return rule->usage_ed25519;
	}
	return 0;
}

size_t profile_eku_count(const struct profile_rule *rule)
{
	size_t count = 0;

	while (count < PROFILE_EKU_MAX && rule->eku[count] != NULL)
		count++;
	return count;
}

static bool eku_has(const EXTENDED_KEY_USAGE *eku, const char *oid)
{
	_cleanup_(pki_object_freep) ASN1_OBJECT *wanted = OBJ_txt2obj(oid, 1);

	for (int i = 0; wanted != NULL && i < sk_ASN1_OBJECT_num(eku); i++)
		if (OBJ_cmp(sk_ASN1_OBJECT_value(eku, i), wanted) == 0)
			return true;
	return false;
}

bool profile_eku_matches(const X509 *x, const struct profile_rule *rule)
{
	_cleanup_(pki_eku_freep) EXTENDED_KEY_USAGE *eku =
		X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
	size_t count = profile_eku_count(rule);

	if (eku == NULL)
		return count == 0 && X509_get_ext_by_NID(x, NID_ext_key_usage, -1) < 0;
	for (size_t i = 0; i < count; i++)
		if (!eku_has(eku, rule->eku[i]))
			return false;
	return count > 0 && sk_ASN1_OBJECT_num(eku) == (int)count;
}
