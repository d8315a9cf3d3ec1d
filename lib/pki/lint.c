/*
 * The linter: does a certificate keep to its profile (RFC 5280, and the rules of issue 2)? It reads
 * the finished DER again, so that it judges what was signed and not what was meant.
 */
#include "pki/profile.h"

#include <errno.h>

struct subject {
	X509 *x, *issuer; /* issuer is x for the root */
	const struct profile_rule *rule;
	enum pki_profile profile;
	int kind; /* of its key, or negative */
};

static bool version_ok(const struct subject *s)
{
	return X509_get_version(s->x) == X509_VERSION_3;
}

/* Positive, at most 20 octets, at least 64 bits. */
static bool serial_ok(const struct subject *s)
{
	_cleanup_(pki_bn_freep) BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(s->x), NULL);

	/* The sign bit takes a place in the encoding. */
	return bn != NULL && !BN_is_negative(bn) && BN_num_bits(bn) > 64 && BN_num_bits(bn) < 160;
}

static bool algorithms_ok(const struct subject *s)
{
	const X509_ALGOR *outer = NULL;
	const ASN1_BIT_STRING *signature = NULL;

	X509_get0_signature(&signature, &outer, s->x);
	return X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(s->x)) == 0 &&
		X509_get_signature_nid(s->x) == NID_ecdsa_with_SHA256;
}

static bool signature_ok(const struct subject *s)
{
	return X509_verify(s->x, X509_get0_pubkey(s->issuer)) == 1;
}

static bool names_ok(const struct subject *s)
{
	const X509_NAME *issuer = X509_get_issuer_name(s->x);
	char cn[65];

	if (X509_NAME_entry_count(issuer) < 1 ||
		X509_NAME_cmp(issuer, X509_get_subject_name(s->issuer)) != 0)
		return false;
	return pki_subject_cn(X509_get_subject_name(s->x), cn, sizeof(cn)) == 0 && cn[0] != '\0';
}

static bool validity_ok(const struct subject *s)
{
	const ASN1_TIME *from = X509_get0_notBefore(s->x), *until = X509_get0_notAfter(s->x);

	return ASN1_TIME_compare(from, until) == -1 &&
		ASN1_TIME_compare(from, X509_get0_notBefore(s->issuer)) >= 0 &&
		ASN1_TIME_compare(until, X509_get0_notAfter(s->issuer)) <= 0 &&
		ASN1_TIME_compare(from, X509_get0_notBefore(s->issuer)) != -2 &&
		ASN1_TIME_compare(until, X509_get0_notAfter(s->issuer)) != -2;
}

/* Where the extension is: -1 absent. *ret_critical tells its flag. */
static int find(const X509 *x, int nid, bool *ret_critical)
{
	int at = X509_get_ext_by_NID(x, nid, -1);

	if (at >= 0)
		*ret_critical = X509_EXTENSION_get_critical(X509_get_ext(x, at)) == 1;
	return at;
}

/* Known ones only, each at most once, critical exactly where the profile says so. */
static bool extensions_ok(const struct subject *s)
{
	static const int known[] = {NID_basic_constraints, NID_key_usage, NID_ext_key_usage,
		NID_subject_key_identifier, NID_authority_key_identifier, NID_subject_alt_name,
		NID_crl_distribution_points, NID_info_access, NID_id_pkix_OCSP_noCheck};
	int found = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		bool critical = false, wanted;
		int at = find(s->x, known[i], &critical);

		if (at < 0)
			continue;
		wanted = known[i] == NID_basic_constraints || known[i] == NID_key_usage ||
			(known[i] == NID_ext_key_usage && s->rule->eku_critical);
		if (critical != wanted || X509_get_ext_by_NID(s->x, known[i], at) >= 0)
			return false;
		found++;
	}
	return found == X509_get_ext_count(s->x);
}

static bool constraints_ok(const struct subject *s)
{
	BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(s->x, NID_basic_constraints, NULL, NULL);
	bool ok;

	if (bc == NULL)
		return !s->rule->is_ca;
	if (s->rule->is_ca)
		ok = bc->ca != 0 && bc->pathlen != NULL &&
			ASN1_INTEGER_get(bc->pathlen) == s->rule->pathlen;
	else
		ok = bc->ca == 0 && bc->pathlen == NULL;
	BASIC_CONSTRAINTS_free(bc);
	return ok;
}

static bool usage_ok(const struct subject *s)
{
	return s->kind > 0 && (X509_get_extension_flags(s->x) & EXFLAG_KUSAGE) != 0 &&
		X509_get_key_usage(s->x) == profile_usage(s->rule, (enum pki_key_kind)s->kind);
}

static bool eku_ok(const struct subject *s)
{
	return profile_eku_matches(s->x, s->rule);
}

static bool key_ids_ok(const struct subject *s)
{
	const ASN1_OCTET_STRING *issuer_id = X509_get0_subject_key_id(s->issuer);
	const ASN1_OCTET_STRING *id = X509_get0_authority_key_id(s->x);

	if (X509_get0_subject_key_id(s->x) == NULL || issuer_id == NULL)
		return false;
	if (s->issuer == s->x && id == NULL)
		return true;
	return id != NULL && ASN1_OCTET_STRING_cmp(id, issuer_id) == 0;
}

static bool hosts_are_names(const struct pki_names *n)
{
	for (size_t i = 0; i < n->host_count; i++) {
		struct span host = span_str(n->hosts[i]);

		if (!pki_is_dns_name(host) && memchr(host.p, ':', host.len) == NULL)
			return false;
	}
	return n->host_count > 0;
}

static bool alt_names_ok(const struct subject *s)
{
	_cleanup_(pki_names_freep) GENERAL_NAMES *names =
		X509_get_ext_d2i(s->x, NID_subject_alt_name, NULL, NULL);
	struct pki_names n = {0};

	if (names == NULL)
		return s->rule->san == PROFILE_SAN_NONE &&
			X509_get_ext_by_NID(s->x, NID_subject_alt_name, -1) < 0;
	if (pki_names_read(names, &n) < 0 || n.other_count > 0)
		return false;
	switch (s->rule->san) {
	case PROFILE_SAN_EMAIL:
		return n.email_count == 1 && n.host_count == 0 && pki_is_email(span_str(n.email));
	case PROFILE_SAN_HOSTS:
		return n.email_count == 0 && hosts_are_names(&n);
	case PROFILE_SAN_NONE:
		break;
	}
	return false;
}

static bool nocheck_ok(const struct subject *s)
{
	return (X509_get_ext_by_NID(s->x, NID_id_pkix_OCSP_noCheck, -1) >= 0) == s->rule->nocheck;
}

static bool key_ok(const struct subject *s)
{
	return s->kind > 0;
}

static bool issuer_ok(const struct subject *s)
{
	return (s->profile == PKI_ROOT) == (s->issuer == s->x) && X509_check_ca(s->issuer) == 1;
}

struct lint_row {
	bool (*ok)(const struct subject *s);
	const char *reason;
};

static const struct lint_row rows[] = {
	{version_ok, "the certificate is not of version 3"},
	{serial_ok, "the serial is not positive, too short or longer than 20 octets"},
	{key_ok, "the public key is not allowed"},
	{issuer_ok, "the issuer is not a certificate authority"},
	{algorithms_ok, "the signature algorithms differ or are not ECDSA with SHA-256"},
	{names_ok, "issuer or subject is missing, or the issuer's name differs"},
	{validity_ok, "the validity is empty or reaches beyond the issuer's"},
	{extensions_ok, "an extension is unknown, twice there or wrongly critical"},
	{constraints_ok, "the basic constraints are not those of the profile"},
	{usage_ok, "the key usage is not that of the profile"},
	{eku_ok, "the extended key usage is not that of the profile"},
	{key_ids_ok, "a key identifier is missing or not the issuer's"},
	{alt_names_ok, "the alternative names are not those of the profile"},
	{nocheck_ok, "ocsp-nocheck is not as the profile has it"},
	{signature_ok, "the signature is not the issuer's"},
};

int pki_cert_lint(
	struct span der, struct span issuer_der, enum pki_profile profile, const char **ret_reason)
{
	PKI_EDGE;
	_cleanup_(pki_x509_freep) X509 *x = pki_x509_of(der);
	_cleanup_(pki_x509_freep) X509 *issuer =
		issuer_der.len > 0 ? pki_x509_of(issuer_der) : NULL;
	struct subject s = {.x = x,
		.issuer = issuer != NULL ? issuer : x,
		.rule = profile_rule(profile),
		.profile = profile};
	const char *reason;

	if (x == NULL || s.rule == NULL || (issuer == NULL && issuer_der.len > 0)) {
		*ret_reason = "the certificate cannot be read";
		return -EBADMSG;
	}
	s.kind = pki_judge_key(X509_get_X509_PUBKEY(x), &reason);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!rows[i].ok(&s)) {
			*ret_reason = rows[i].reason;
			return -EKEYREJECTED;
		}
	return 0;
}
