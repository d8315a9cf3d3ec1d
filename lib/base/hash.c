/*
 * Digests by libcrypto, random bytes by the kernel. libcrypto is told not to read its
 * configuration file: a service starts faster and does what it does on every host.
 */
#include "base/hash.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <sys/random.h>

struct hash {
	EVP_MD_CTX *ctx;
};

static const EVP_MD *sha256(void)
{
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return NULL;
	return EVP_sha256();
}

int hash_sha256(struct span bytes, unsigned char ret[HASH_SHA256_LEN])
{
	const EVP_MD *md = sha256();

	if (md == NULL || EVP_Digest(bytes.p, bytes.len, ret, NULL, md, NULL) != 1)
		return -EIO;
	return 0;
}

int hash_hmac_sha256(struct span key, struct span bytes, unsigned char ret[HASH_SHA256_LEN])
{
	const EVP_MD *md = sha256();

	if (md == NULL || key.len > INT_MAX ||
		HMAC(md, key.len > 0 ? key.p : (const unsigned char *)"", (int)key.len, bytes.p,
			bytes.len, ret, NULL) == NULL)
		return -EIO;
	return 0;
}

int hash_new(struct hash **ret)
{
	const EVP_MD *md = sha256();
	struct hash *h;

	if (md == NULL)
		return -EIO;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return -ENOMEM;
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL || EVP_DigestInit_ex(h->ctx, md, NULL) != 1) {
		hash_free(h);
		return -EIO;
	}
	*ret = h;
	return 0;
}

int hash_update(struct hash *h, struct span bytes)
{
	return EVP_DigestUpdate(h->ctx, bytes.p, bytes.len) == 1 ? 0 : -EIO;
}

int hash_final(struct hash *h, unsigned char ret[HASH_SHA256_LEN])
{
	return EVP_DigestFinal_ex(h->ctx, ret, NULL) == 1 ? 0 : -EIO;
}

void hash_free(struct hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void hash_freep(struct hash **h)
{
	hash_free(*h);
}

int hash_random(void *p, size_t len)
{
	unsigned char *at = p;

	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}
