/* Keys: made, read, written, used for bare signatures. */
#include "pki/ossl.h"

#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

int pki_key_take(EVP_PKEY *pkey, struct pki_key **ret)
{
	struct pki_key *k;

	if (pkey == NULL)
		return pki_error();
	k = calloc(1, sizeof(*k));
	if (k == NULL) {
		EVP_PKEY_free(pkey);
		return -ENOMEM;
	}
	k->pkey = pkey;
	*ret = k;
	return 0;
}

int pki_key_new(struct pki_key **ret)
{
	PKI_EDGE;

	return pki_key_take(EVP_EC_gen("P-256"), ret);
}

struct key_walk {
	int (*each)(void *arg, struct pki_key *k);
	void *arg;
};

static int each_key(void *arg, struct span der)
{
	struct key_walk *walk = arg;
	const unsigned char *p = der.p;
	struct pki_key *k;
	EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &p, (long)der.len);
	int r;

	if (pkey == NULL)
		return -EBADMSG;
	r = pki_key_take(pkey, &k);
	return r < 0 ? r : walk->each(walk->arg, k);
}

int pki_key_each_pem(struct span pem, int (*each)(void *arg, struct pki_key *k), void *arg)
{
	static const char *const labels[] = {"PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"};
	PKI_EDGE;
	struct key_walk walk = {each, arg};

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		int r = pki_pem_each(pem, labels[i], each_key, &walk);

		if (r != 0)
			return r;
	}
	return 0;
}

static int take_first(void *arg, struct pki_key *k)
{
	struct pki_key **ret = arg;

	*ret = k;
	return 1;
}

int pki_key_from_pem(struct span pem, struct pki_key **ret)
{
	struct pki_key *k = NULL;
	int r = pki_key_each_pem(pem, take_first, &k);

	if (r != 1)
		return r < 0 ? r : -EBADMSG;
	*ret = k;
	return 0;
}

int pki_key_to_pem(const struct pki_key *k, struct buf *ret)
{
	PKI_EDGE;
	/* This kind of BIO wipes its memory. */
	_cleanup_(pki_bio_freep) BIO *bio = BIO_new(BIO_s_secmem());

	if (bio == NULL ||
		PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return pki_error();
	return pki_add_bio(ret, bio);
}

int pki_key_spki(const struct pki_key *k, struct buf *ret)
{
	PKI_EDGE;
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(k->pkey, &der);

	return pki_add_der(ret, der, len);
}

void pki_key_free(struct pki_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

void pki_key_freep(struct pki_key **k)
{
	pki_key_free(*k);
}

/* Ed25519 hashes by itself. */
static const EVP_MD *digest_for(const EVP_PKEY *pkey)
{
	return EVP_PKEY_is_a(pkey, "ED25519") ? NULL : EVP_sha256();
}

int pki_sign(const struct pki_key *k, struct span bytes, struct buf *ret)
{
	PKI_EDGE;
	_cleanup_(pki_md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = 0;
	unsigned char *p;

	if (ctx == NULL || EVP_DigestSignInit(ctx, NULL, digest_for(k->pkey), NULL, k->pkey) != 1 ||
		EVP_DigestSign(ctx, NULL, &len, bytes.p, bytes.len) != 1)
		return pki_error();
	p = buf_reserve(ret, len);
	if (p == NULL)
		return buf_error(ret);
	if (EVP_DigestSign(ctx, p, &len, bytes.p, bytes.len) != 1)
		return pki_error();
	buf_commit(ret, len);
	return 0;
}

int pki_verify(struct span spki, struct span bytes, struct span signature)
{
	PKI_EDGE;
	_cleanup_(pki_pkey_freep) EVP_PKEY *pkey = NULL;
	_cleanup_(pki_md_ctx_freep) EVP_MD_CTX *ctx = NULL;
	const unsigned char *p = spki.p;

	if (spki.len == 0 || spki.len > LONG_MAX || signature.len == 0)
		return -EKEYREJECTED;
	pkey = d2i_PUBKEY(NULL, &p, (long)spki.len);
	if (pkey == NULL || p != spki.p + spki.len)
		return -EKEYREJECTED;
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL)
		return -ENOMEM;
	if (EVP_DigestVerifyInit(ctx, NULL, digest_for(pkey), NULL, pkey) != 1 ||
		EVP_DigestVerify(ctx, signature.p, signature.len, bytes.p, bytes.len) != 1)
		return -EKEYREJECTED;
	return 0;
}
