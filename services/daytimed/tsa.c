/* The time-stamping authority, by OpenSSL's TS. Each reply gets a context of its own, for a context
 * remembers. */
#include "services/daytimed/tsa.h"

#include "base/cleanup.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

#define SERIAL_BITS 128
#define FRACTION_DIGITS 6

struct tsa {
	EVP_PKEY *key;
	X509 *cert;
	STACK_OF(X509) * chain; /* what goes into a token beside the signer's own, when asked for */
	ASN1_OBJECT *policy;
};

static void bio_freep(BIO **b)
{
	BIO_free(*b);
}

static void ctx_freep(TS_RESP_CTX **c)
{
	TS_RESP_CTX_free(*c);
}

static void resp_freep(TS_RESP **r)
{
	TS_RESP_free(*r);
}

static void bn_freep(BIGNUM **b)
{
	BN_free(*b);
}

void tsa_free(struct tsa *t)
{
	if (t == NULL)
		return;
	EVP_PKEY_free(t->key);
	X509_free(t->cert);
	sk_X509_pop_free(t->chain, X509_free);
	ASN1_OBJECT_free(t->policy);
	free(t);
}

void tsa_freep(struct tsa **t)
{
	tsa_free(*t);
}

static BIO *bio_of(struct span s)
{
	return s.len <= INT32_MAX ? BIO_new_mem_buf(s.p, (int)s.len) : NULL;
}

/* An encrypted key is not asked about on some terminal. */
static int no_password(char *p, int size, int writing, void *arg)
{
	(void)p;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static int read_certs(BIO *b, struct tsa *t)
{
	X509 *next;

	t->cert = PEM_read_bio_X509(b, NULL, no_password, NULL);
	t->chain = sk_X509_new_null();
	if (t->cert == NULL || t->chain == NULL)
		return -EINVAL;
	while ((next = PEM_read_bio_X509(b, NULL, no_password, NULL)) != NULL)
		if (sk_X509_push(t->chain, next) <= 0) {
			X509_free(next);
			return -ENOMEM;
		}
	ERR_clear_error();
	return 0;
}

static int fill(struct tsa *t, struct span key_pem, struct span cert_pem)
{
	_cleanup_(bio_freep) BIO *key = bio_of(key_pem);
	_cleanup_(bio_freep) BIO *certs = bio_of(cert_pem);
	int r;

	t->policy = OBJ_txt2obj(TSA_POLICY, 1);
	if (key == NULL || certs == NULL || t->policy == NULL)
		return -ENOMEM;
	t->key = PEM_read_bio_PrivateKey(key, NULL, no_password, NULL);
	r = read_certs(certs, t);
	if (r < 0)
		return r;
	if (t->key == NULL || X509_check_private_key(t->cert, t->key) != 1 ||
		X509_check_purpose(t->cert, X509_PURPOSE_TIMESTAMP_SIGN, 0) != 1)
		return -EINVAL;
	return 0;
}

int tsa_new(struct span key_pem, struct span cert_pem, struct tsa **ret)
{
	struct tsa *t = calloc(1, sizeof(*t));
	int r;

	if (t == NULL)
		return -ENOMEM;
	r = fill(t, key_pem, cert_pem);
	ERR_clear_error();
	if (r < 0) {
		tsa_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

/* Random, so that no counter has to be kept between processes. */
static ASN1_INTEGER *new_serial(TS_RESP_CTX *ctx, void *arg)
{
	_cleanup_(bn_freep) BIGNUM *n = BN_new();

	(void)ctx;
	(void)arg;
	if (n == NULL || BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) != 1)
		return NULL;
	return BN_to_ASN1_INTEGER(n, NULL);
}

static bool add_digests(TS_RESP_CTX *ctx)
{
	return TS_RESP_CTX_add_md(ctx, EVP_sha256()) == 1 &&
		TS_RESP_CTX_add_md(ctx, EVP_sha384()) == 1 &&
		TS_RESP_CTX_add_md(ctx, EVP_sha512()) == 1;
}

/* While nobody disciplines the clock the token claims no accuracy at all. */
static bool set_accuracy(TS_RESP_CTX *ctx, const struct clock_state *clock)
{
	int64_t us = clock->max_error_us;

	if (!clock->synchronised)
		return true;
	return TS_RESP_CTX_set_accuracy(
		       ctx, (int)(us / 1000000), (int)(us / 1000 % 1000), (int)(us % 1000)) == 1;
}

static TS_RESP_CTX *new_context(const struct tsa *t, const struct clock_state *clock)
{
	_cleanup_(ctx_freep) TS_RESP_CTX *ctx = TS_RESP_CTX_new();

	if (ctx == NULL || TS_RESP_CTX_set_signer_cert(ctx, t->cert) != 1 ||
		TS_RESP_CTX_set_signer_key(ctx, t->key) != 1 ||
		TS_RESP_CTX_set_certs(ctx, t->chain) != 1 ||
		TS_RESP_CTX_set_def_policy(ctx, t->policy) != 1 ||
		TS_RESP_CTX_set_signer_digest(ctx, EVP_sha256()) != 1 ||
		TS_RESP_CTX_set_ess_cert_id_digest(ctx, EVP_sha256()) != 1 ||
		TS_RESP_CTX_set_clock_precision_digits(ctx, FRACTION_DIGITS) != 1 ||
		!add_digests(ctx) || !set_accuracy(ctx, clock))
		return NULL;
	TS_RESP_CTX_set_serial_cb(ctx, new_serial, NULL);
	return take_ptr(&ctx);
}

static void serial_text(TS_RESP *reply, char ret[TSA_SERIAL_SIZE])
{
	TS_TST_INFO *info = TS_RESP_get_tst_info(reply);
	_cleanup_(bn_freep) BIGNUM *n = NULL;
	char *hex;

	ret[0] = '\0';
	if (info == NULL)
		return;
	n = ASN1_INTEGER_to_BN(TS_TST_INFO_get_serial(info), NULL);
	hex = n != NULL ? BN_bn2hex(n) : NULL;
	if (hex != NULL)
		(void)snprintf(ret, TSA_SERIAL_SIZE, "%s", hex);
	OPENSSL_free(hex);
}

static int append_der(const TS_RESP *reply, struct buf *ret_der)
{
	int len = i2d_TS_RESP(reply, NULL);
	unsigned char *at;

	if (len <= 0)
		return -EIO;
	at = buf_reserve(ret_der, (size_t)len);
	if (at == NULL)
		return buf_error(ret_der);
	buf_commit(ret_der, (size_t)i2d_TS_RESP(reply, &at));
	return 0;
}

int tsa_answer(const struct tsa *t, const struct clock_state *clock, struct span query,
	struct buf *ret_der, char ret_serial_hex[TSA_SERIAL_SIZE])
{
	_cleanup_(bio_freep) BIO *in = bio_of(query);
	_cleanup_(ctx_freep) TS_RESP_CTX *ctx = new_context(t, clock);
	_cleanup_(resp_freep) TS_RESP *reply = NULL;
	int r;

	if (in == NULL || ctx == NULL)
		return -ENOMEM;
	reply = TS_RESP_create_response(ctx, in);
	ERR_clear_error();
	if (reply == NULL)
		return -EIO;
	r = append_der(reply, ret_der);
	if (r == 0)
		serial_text(reply, ret_serial_hex);
	return r;
}
