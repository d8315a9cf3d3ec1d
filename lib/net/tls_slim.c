/*
 * A smaller provider for programs that have libcrypto linked in (STATIC=1). OpenSSL builds every
 * algorithm of a provider when the first of its kind is asked for; this provider is the default one
 * with only the algorithms that our protocols use, which saves a short-lived process more than a
 * millisecond and two hundred kilobytes. In the shared libcrypto the default provider's start is
 * not visible; then nothing is done here and all algorithms are there.
 */
#include "net/tls_internal.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/provider.h>

enum { KEPT_MAX = 48, DISPATCH_MAX = 16 };

/* In libcrypto.a, but in none of its headers. */
OSSL_provider_init_fn ossl_default_provider_init __attribute__((weak));

static const char *const ciphers[] = {"AES-256-GCM", "AES-128-GCM", "AES-256-CTR", "AES-128-CTR",
	"AES-256-ECB", "AES-128-ECB", "AES-256-CBC", "AES-128-CBC", "ChaCha20-Poly1305",
	/* S/MIME and PKCS#12 */
	"AES-256-WRAP", "AES-192-WRAP", "AES-128-WRAP", "AES-192-CBC", "DES-EDE3-CBC", NULL};
static const char *const digests[] = {"SHA1", "SHA2-256", "SHA2-384", "SHA2-512", NULL};
static const char *const macs[] = {"HMAC", NULL};
static const char *const kdfs[] = {
	"HKDF", "TLS13-KDF", "TLS1-PRF", "X963KDF", "PBKDF2", "PKCS12KDF", NULL};
static const char *const exchanges[] = {"ECDH", "X25519", "HKDF", "TLS1-PRF", NULL};
static const char *const signatures[] = {"ECDSA", "ED25519", "RSA", "HMAC", NULL};
static const char *const key_types[] = {
	"EC", "X25519", "ED25519", "RSA", "RSA-PSS", "HMAC", "HKDF", "TLS1-PRF", NULL};
/* "DER" names the steps from PEM and out of PKCS#8. */
static const char *const coders[] = {"EC", "X25519", "ED25519", "RSA", "RSA-PSS", "DER", NULL};

/* What is not listed here (random generators, stores, asymmetric ciphers) is kept whole. */
struct kept {
	int operation;
	const char *const *names;
	OSSL_ALGORITHM table[KEPT_MAX + 1]; /* empty until first asked for */
};

static struct kept kept[] = {
	{.operation = OSSL_OP_CIPHER, .names = ciphers},
	{.operation = OSSL_OP_DIGEST, .names = digests},
	{.operation = OSSL_OP_MAC, .names = macs},
	{.operation = OSSL_OP_KDF, .names = kdfs},
	{.operation = OSSL_OP_KEYEXCH, .names = exchanges},
	{.operation = OSSL_OP_SIGNATURE, .names = signatures},
	{.operation = OSSL_OP_KEYMGMT, .names = key_types},
	{.operation = OSSL_OP_ENCODER, .names = coders},
	{.operation = OSSL_OP_DECODER, .names = coders},
};

static OSSL_FUNC_provider_query_operation_fn *default_query;

/* Algorithms carry their names as "NAME:OTHER:1.2.3". */
static bool is_wanted(const OSSL_ALGORITHM *a, const char *const *names)
{
	size_t len = strcspn(a->algorithm_names, ":");

	for (size_t i = 0; names[i] != NULL; i++)
		if (span_caseeq_str(span_of(a->algorithm_names, len), names[i]))
			return true;
	return false;
}

static const OSSL_ALGORITHM *filter(struct kept *k, const OSSL_ALGORITHM *all)
{
	size_t count = 0;

	for (; all->algorithm_names != NULL; all++) {
		if (!is_wanted(all, k->names))
			continue;
		/* A future OpenSSL with more of them than we have room for gets them all. */
		if (count == KEPT_MAX)
			return NULL;
		k->table[count++] = *all;
	}
	k->table[count] = (OSSL_ALGORITHM){0};
	return k->table;
}

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
	const OSSL_ALGORITHM *all = default_query(provider, operation, no_cache);

	for (size_t i = 0; all != NULL && i < sizeof(kept) / sizeof(kept[0]); i++) {
		const OSSL_ALGORITHM *some;

		if (kept[i].operation != operation)
			continue;
		some = kept[i].table[0].algorithm_names != NULL ? kept[i].table
								: filter(&kept[i], all);
		return some != NULL ? some : all;
	}
	return all;
}

static int start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
	void **ret_provider)
{
	static OSSL_DISPATCH table[DISPATCH_MAX];
	const OSSL_DISPATCH *original = NULL;
	size_t i = 0;

	if (ossl_default_provider_init(handle, in, &original, ret_provider) != 1)
		return 0;
	for (; original[i].function_id != 0; i++) {
		if (i == DISPATCH_MAX - 1)
			return 0;
		table[i] = original[i];
		if (original[i].function_id != OSSL_FUNC_PROVIDER_QUERY_OPERATION)
			continue;
		default_query = OSSL_FUNC_provider_query_operation(&original[i]);
		table[i].function = (void (*)(void))query;
	}
	*out = table;
	return default_query != NULL;
}

void tls_slim(void)
{
	if (ossl_default_provider_init == NULL)
		return;
	/* Where it does not work, OpenSSL falls back to its default provider by itself. */
	if (OSSL_PROVIDER_add_builtin(NULL, "quintet", start) == 1)
		(void)OSSL_PROVIDER_load(NULL, "quintet");
}
