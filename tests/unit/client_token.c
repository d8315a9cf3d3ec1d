/*
 * Time-stamp tokens as the client judges them: of its own query and stored ones, after the signer's
 * certificate has ended, outside its life, under another root, by certificates for other purposes.
 */
#include "client/token.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "pki/cert.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define DAY_US (INT64_C(86400) * TIME_S_US)

/* An authority and its time-stamping service. */
struct house {
	struct buf root_pem, chain_pem, leaf_der, issuing_der, key_pem;
};

struct issuer {
	const struct buf *der;
	const struct pki_key *key;
};

static void issue(enum pki_profile profile, const struct pki_key *key, struct issuer by,
	const int64_t life_us[2], struct buf *ret_der)
{
	_cleanup_(buf_done) struct buf spki = BUF_INIT(4096);
	struct pki_template t = {.profile = profile,
		.cn = "tsa.example",
		.hosts = {"tsa.example"},
		.host_count = profile == PKI_HOST || profile == PKI_TSA ? 1 : 0,
		.not_before_us = time_now_us() + life_us[0],
		.not_after_us = time_now_us() + life_us[1]};

	assert_int_equal(pki_key_spki(key, &spki), 0);
	assert_int_equal(pki_serial_new(t.serial), 0);
	t.spki = buf_span(&spki);
	assert_int_equal(pki_issue(&t, by.der != NULL ? buf_span(by.der) : (struct span){0}, by.key,
				 ret_der),
		0);
}

/* The leaf is of the profile and lives from from_us to to_us, from now. */
static struct house house_new(enum pki_profile profile, int64_t from_us, int64_t to_us)
{
	struct house h = {BUF_INIT(65536), BUF_INIT(65536), BUF_INIT(65536), BUF_INIT(65536),
		BUF_INIT(65536)};
	static const int64_t long_us[] = {-99 * DAY_US, 99 * DAY_US};
	const int64_t life_us[] = {from_us, to_us};
	_cleanup_(buf_done) struct buf root = BUF_INIT(65536);
	_cleanup_(pki_key_freep) struct pki_key *root_key = NULL;
	_cleanup_(pki_key_freep) struct pki_key *issuing_key = NULL;
	_cleanup_(pki_key_freep) struct pki_key *key = NULL;

	assert_int_equal(pki_key_new(&root_key), 0);
	assert_int_equal(pki_key_new(&issuing_key), 0);
	assert_int_equal(pki_key_new(&key), 0);
	issue(PKI_ROOT, root_key, (struct issuer){NULL, root_key}, long_us, &root);
	issue(PKI_ISSUING, issuing_key, (struct issuer){&root, root_key}, long_us, &h.issuing_der);
	issue(profile, key, (struct issuer){&h.issuing_der, issuing_key}, life_us, &h.leaf_der);
	assert_int_equal(pki_cert_to_pem(buf_span(&root), &h.root_pem), 0);
	assert_int_equal(pki_cert_to_pem(buf_span(&h.issuing_der), &h.chain_pem), 0);
	assert_int_equal(pki_key_to_pem(key, &h.key_pem), 0);
	return h;
}

static void house_done(struct house *h)
{
	buf_done(&h->root_pem);
	buf_done(&h->chain_pem);
	buf_done(&h->leaf_der);
	buf_done(&h->issuing_der);
	buf_wipe(&h->key_pem);
}

static struct token_trust trust_of(const struct house *h)
{
	return (struct token_trust){buf_span(&h->root_pem), buf_span(&h->chain_pem)};
}

/* genTime: seconds from now. */
static int give_time(TS_RESP_CTX *ctx, void *offset_s, long *sec, long *usec)
{
	(void)ctx;
	*sec = (long)(time_now_us() / TIME_S_US) + *(long *)offset_s;
	*usec = 250000;
	return 1;
}

static ASN1_INTEGER *give_serial(TS_RESP_CTX *ctx, void *arg)
{
	ASN1_INTEGER *serial = ASN1_INTEGER_new();

	(void)ctx;
	(void)arg;
	assert_non_null(serial);
	assert_int_equal(ASN1_INTEGER_set(serial, 0xabcdef), 1);
	return serial;
}

static X509 *x509_of(const struct buf *der)
{
	const unsigned char *p = der->p;
	X509 *x = d2i_X509(NULL, &p, (long)der->len);

	assert_non_null(x);
	return x;
}

/* What a server of that house answers to the query at that time. */
static void stamp(const struct house *h, struct span query, long offset_s, struct buf *ret)
{
	BIO *in = BIO_new_mem_buf(query.p, (int)query.len);
	BIO *pem = BIO_new_mem_buf(h->key_pem.p, (int)h->key_pem.len);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, NULL, NULL);
	X509 *leaf = x509_of(&h->leaf_der), *issuing = x509_of(&h->issuing_der);
	STACK_OF(X509) *chain = sk_X509_new_null();
	ASN1_OBJECT *policy = OBJ_txt2obj("1.2.3.4", 1);
	TS_RESP_CTX *ctx = TS_RESP_CTX_new();
	unsigned char *der = NULL;
	TS_RESP *resp;
	int len;

	assert_true(sk_X509_push(chain, issuing) > 0);
	assert_int_equal(TS_RESP_CTX_set_signer_cert(ctx, leaf), 1);
	assert_int_equal(TS_RESP_CTX_set_signer_key(ctx, key), 1);
	assert_int_equal(TS_RESP_CTX_set_certs(ctx, chain), 1);
	assert_int_equal(TS_RESP_CTX_set_def_policy(ctx, policy), 1);
	assert_int_equal(TS_RESP_CTX_set_signer_digest(ctx, EVP_sha256()), 1);
	assert_int_equal(TS_RESP_CTX_set_clock_precision_digits(ctx, 3), 1);
	assert_int_equal(TS_RESP_CTX_add_md(ctx, EVP_sha256()), 1);
	TS_RESP_CTX_set_time_cb(ctx, give_time, &offset_s);
	TS_RESP_CTX_set_serial_cb(ctx, give_serial, NULL);
	resp = TS_RESP_create_response(ctx, in);
	assert_non_null(resp);
	len = i2d_TS_RESP(resp, &der);
	assert_true(len > 0);
	buf_reset(ret);
	buf_add(ret, span_of(der, (size_t)len));
	OPENSSL_free(der);
	TS_RESP_free(resp);
	TS_RESP_CTX_free(ctx);
	ASN1_OBJECT_free(policy);
	sk_X509_pop_free(chain, X509_free);
	X509_free(leaf);
	EVP_PKEY_free(key);
	BIO_free(pem);
	BIO_free(in);
}

struct asked {
	unsigned char digest[HASH_SHA256_LEN];
	struct token_query *query;
	struct buf der, token;
};

static struct asked ask(const struct house *h, long offset_s)
{
	struct asked a = {.der = BUF_INIT(4096), .token = BUF_INIT(TOKEN_MAX)};

	assert_int_equal(hash_sha256(SPAN_LIT("content"), a.digest), 0);
	assert_int_equal(token_query_new(a.digest, &a.query), 0);
	assert_int_equal(token_query_der(a.query, &a.der), 0);
	stamp(h, buf_span(&a.der), offset_s, &a.token);
	return a;
}

static void asked_done(struct asked *a)
{
	token_query_freep(&a->query);
	buf_done(&a->der);
	buf_done(&a->token);
}

/* The judgement by a house's root; with or without the query. */
static int judge(const struct house *h, const struct asked *a, bool stored, const char **ret_reason)
{
	const struct token_trust trust = trust_of(h);
	struct token_info info = {.at_us = -1};
	int r = token_check(buf_span(&a->token), &trust, stored ? NULL : a->query, a->digest, &info,
		ret_reason);

	if (r == 0) {
		assert_string_equal(info.serial, "ABCDEF");
		assert_true(info.at_us > time_now_us() - 40 * DAY_US);
	} else {
		assert_int_equal(info.at_us, -1);
	}
	return r;
}

static void good(void **state)
{
	_cleanup_(house_done) struct house h = house_new(PKI_TSA, -DAY_US, DAY_US);
	_cleanup_(asked_done) struct asked a = ask(&h, 0);
	const char *reason = NULL;

	(void)state;
	assert_int_equal(judge(&h, &a, false, &reason), 0);
	assert_int_equal(judge(&h, &a, true, &reason), 0);
}

/* A stamp of ten days ago, whose signer's certificate ended nine days ago, still stands. */
static void outlives_its_signer(void **state)
{
	_cleanup_(house_done) struct house h = house_new(PKI_TSA, -11 * DAY_US, -9 * DAY_US);
	_cleanup_(asked_done) struct asked then = ask(&h, -10 * 86400);
	_cleanup_(asked_done) struct asked now = ask(&h, 0);
	_cleanup_(asked_done) struct asked before = ask(&h, -12 * 86400);
	const char *reason = NULL;

	(void)state;
	assert_int_equal(judge(&h, &then, true, &reason), 0);
	assert_int_equal(judge(&h, &then, false, &reason), 0);
	assert_int_equal(judge(&h, &now, true, &reason), -EKEYREJECTED);
	assert_non_null(strstr(reason, "verif"));
	assert_int_equal(judge(&h, &before, true, &reason), -EKEYREJECTED);
}

static void foreign(void **state)
{
	_cleanup_(house_done) struct house h = house_new(PKI_TSA, -DAY_US, DAY_US);
	_cleanup_(house_done) struct house other = house_new(PKI_TSA, -DAY_US, DAY_US);
	_cleanup_(asked_done) struct asked a = ask(&h, 0);
	const char *reason = NULL;

	(void)state;
	assert_int_equal(judge(&other, &a, false, &reason), -EKEYREJECTED);
	assert_int_equal(judge(&other, &a, true, &reason), -EKEYREJECTED);
	assert_string_not_equal(reason, "");
}

/* The answer to another query: another nonce, or other content. */
static void not_the_answer(void **state)
{
	_cleanup_(house_done) struct house h = house_new(PKI_TSA, -DAY_US, DAY_US);
	_cleanup_(asked_done) struct asked a = ask(&h, 0);
	_cleanup_(asked_done) struct asked b = ask(&h, 0);
	const char *reason = NULL;

	(void)state;
	stamp(&h, buf_span(&b.der), 0, &a.token);
	assert_int_equal(judge(&h, &a, false, &reason), -EKEYREJECTED);
	/* Kept, it is as good as any: the nonce only binds it to its query. */
	assert_int_equal(judge(&h, &a, true, &reason), 0);
	a.digest[0] ^= 1;
	assert_int_equal(judge(&h, &a, true, &reason), -EKEYREJECTED);
	assert_string_equal(reason, "it is the stamp of other content");
}

static void malformed(void **state)
{
	_cleanup_(house_done) struct house h = house_new(PKI_TSA, -DAY_US, DAY_US);
	_cleanup_(asked_done) struct asked a = ask(&h, 0);
	const char *reason = NULL;
	size_t len = a.token.len;

	(void)state;
	buf_add_byte(&a.token, 0);
	assert_int_equal(judge(&h, &a, true, &reason), -EKEYREJECTED);
	assert_string_equal(reason, "it is malformed");
	for (a.token.len = 0; a.token.len < len; a.token.len += 7)
		assert_int_equal(judge(&h, &a, true, &reason), -EKEYREJECTED);
	/* A refusal: PKIStatusInfo with status 2 and no token. */
	buf_reset(&a.token);
	buf_add(&a.token, SPAN_LIT("\x30\x05\x30\x03\x02\x01\x02"));
	assert_int_equal(judge(&h, &a, false, &reason), -EKEYREJECTED);
	assert_string_equal(reason, "the server refused to stamp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(outlives_its_signer),
		cmocka_unit_test(foreign),
		cmocka_unit_test(not_the_answer),
		cmocka_unit_test(malformed),
	};

	return cmocka_run_group_tests_name("client_token", tests, NULL, NULL);
}
