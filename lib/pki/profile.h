/* The profiles as data: what issuing writes and the linter demands. Inside lib/pki only. */
#ifndef PKI_PROFILE_H
#define PKI_PROFILE_H

#include "pki/ossl.h"

enum profile_san { PROFILE_SAN_NONE, PROFILE_SAN_EMAIL, PROFILE_SAN_HOSTS };

enum { PROFILE_EKU_MAX = 3 };

struct profile_rule {
	bool is_ca;
	int pathlen;
	unsigned usage_ec, usage_rsa, usage_ed25519; /* KU_*; 0: no such key in this profile */
	const char *eku[PROFILE_EKU_MAX]; /* dotted */
	bool eku_critical;
	bool nocheck; /* id-pkix-ocsp-nocheck; and no OCSP pointer */
	enum profile_san san;
};

/* NULL: no such profile. */
const struct profile_rule *profile_rule(enum pki_profile profile);
unsigned profile_usage(const struct profile_rule *rule, enum pki_key_kind kind);
size_t profile_eku_count(const struct profile_rule *rule);
/* Are the extended key usages of x those of the rule and no others? */
bool profile_eku_matches(const X509 *x, const struct profile_rule *rule);

/* Adds all extensions of the profile. issuer: x itself for the root. 0 or a negative errno. */
int profile_extend(
	X509 *x, X509 *issuer, const struct pki_template *t, const struct profile_rule *rule);

#endif
