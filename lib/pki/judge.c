/* Which public keys are good enough to be certified. */
#include "pki/ossl.h"

#include <errno.h>
#include <openssl/core_names.h>

enum { RSA_MIN_BITS = 2048, RSA_MAX_BITS = 8192, EXPONENT_MIN_BITS = 17, EXPONENT_MAX_BITS = 64 };

static int refuse(const char **ret_reason, const char *reason)
{
	*ret_reason = reason;
	return -EKEYREJECTED;
}

/* Named curve, uncompressed point, so that one key has one encoding (and one digest). */
static int judge_ec(X509_PUBKEY *spki, EVP_PKEY *pkey, const char **ret_reason)
{
	_cleanup_(pki_pkey_ctx_freep) EVP_PKEY_CTX *ctx = NULL;
	const unsigned char *point = NULL;
	char group[64] = "", encoding[32] = "";
	int len = 0;

	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1 ||
		(strcmp(group, "prime256v1") != 0 && strcmp(group, "secp384r1") != 0))
		return refuse(ret_reason, "the key's curve is not P-256 or P-384");
	if (EVP_PKEY_get_utf8_string_param(
		    pkey, OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof(encoding), NULL) != 1 ||
		strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) != 0)
		return refuse(ret_reason, "the key's curve is not given by its name");
	if (X509_PUBKEY_get0_param(NULL, &point, &len, NULL, spki) != 1 || len < 1 || point[0] != 4)
		return refuse(ret_reason, "the key's point is compressed");
	ctx = EVP_PKEY_CTX_new(pkey, NULL);
	if (ctx == NULL || EVP_PKEY_public_check(ctx) != 1)
		return refuse(ret_reason, "the key is not a point of its curve");
	return PKI_KIND_EC;
}

static int judge_rsa(EVP_PKEY *pkey, const char **ret_reason)
{
	_cleanup_(pki_bn_freep) BIGNUM *e = NULL;
	_cleanup_(pki_bn_freep) BIGNUM *n = NULL;
	int bits = EVP_PKEY_get_bits(pkey);

	if (bits < RSA_MIN_BITS)
		return refuse(ret_reason, "the RSA key is shorter than 2048 bits");
	if (bits > RSA_MAX_BITS)
		return refuse(ret_reason, "the RSA key is longer than 8192 bits");
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1 ||
		EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 || !BN_is_odd(n))
		return refuse(ret_reason, "the RSA key is damaged");
	if (!BN_is_odd(e) || BN_num_bits(e) < EXPONENT_MIN_BITS ||
		BN_num_bits(e) > EXPONENT_MAX_BITS)
		return refuse(
			ret_reason, "the RSA key's exponent is even, below 65537 or above 64 bits");
	return PKI_KIND_RSA;
}

int pki_judge_key(X509_PUBKEY *spki, const char **ret_reason)
{
	/* The key stays with spki. */
	EVP_PKEY *pkey = X509_PUBKEY_get0(spki);

	if (pkey == NULL)
		return refuse(ret_reason, "the public key cannot be read");
	if (EVP_PKEY_is_a(pkey, "EC"))
		return judge_ec(spki, pkey, ret_reason);
	if (EVP_PKEY_is_a(pkey, "RSA"))
		return judge_rsa(pkey, ret_reason);
	if (EVP_PKEY_is_a(pkey, "ED25519"))
		return PKI_KIND_ED25519;
	return refuse(ret_reason, "the key is not EC, Ed25519 or RSA");
}
