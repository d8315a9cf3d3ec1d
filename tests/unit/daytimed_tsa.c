/*
 * Time stamps: a reply that OpenSSL's own verification takes, what is in the token, which queries
 * are rejected and why, which keys are not taken, and how the clock's state becomes an accuracy.
 */
#include "base/cleanup.h"
#include "base/timefmt.h"
#include "pki/cert.h"
#include "services/daytimed/tsa.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/timex.h>

#include <cmocka.h>

static const struct clock_state good_clock = {.synchronised = true, .max_error_us = 1234567};
static const struct clock_state bad_clock = {.synchronised = false, .max_error_us = 16000000};

/* A root, an issuing CA, and a leaf of the profile asked for: key and chain in PEM. */
struct house {
	struct buf root_pem, key_pem, chain_pem;
};

static void house_done(struct house *h)
{
	buf_done(&h->root_pem);
	buf_wipe(&h->key_pem);
	buf_done(&h->chain_pem);
}

static void issue(enum pki_profile profile, const struct pki_key *key, const struct buf *issuer,
	const struct pki_key *issuer_key, struct buf *ret_der)
{
	struct buf spki = BUF_INIT(4096);
	struct pki_template t = {.profile = profile,
		.cn = "tsa.example",
		.hosts = {"tsa.example"},
		.host_count = profile == PKI_HOST || profile == PKI_TSA ? 1 : 0,
		.not_before_us = time_now_us() - 3600 * TIME_S_US,
		.not_after_us = time_now_us() + 3600 * TIME_S_US};

	assert_int_equal(pki_key_spki(key, &spki), 0);
	assert_int_equal(pki_serial_new(t.serial), 0);
	t.spki = buf_span(&spki);
	assert_int_equal(pki_issue(&t, issuer != NULL ? buf_span(issuer) : (struct span){0},
				 issuer_key, ret_der),
		0);
	buf_done(&spki);
}

static struct house build(enum pki_profile profile)
{
	struct house h = {BUF_INIT(65536), BUF_INIT(65536), BUF_INIT(65536)};
	struct buf root = BUF_INIT(65536), issuing = BUF_INIT(65536), leaf = BUF_INIT(65536);
	_cleanup_(pki_key_freep) struct pki_key *root_key = NULL;
	_cleanup_(pki_key_freep) struct pki_key *issuing_key = NULL;
	_cleanup_(pki_key_freep) struct pki_key *key = NULL;

	assert_int_equal(pki_key_new(&root_key), 0);
	assert_int_equal(pki_key_new(&issuing_key), 0);
	assert_int_equal(pki_key_new(&key), 0);
	issue(PKI_ROOT, root_key, NULL, root_key, &root);
	issue(PKI_ISSUING, issuing_key, &root, root_key, &issuing);
	issue(profile, key, &issuing, issuing_key, &leaf);
	assert_int_equal(pki_cert_to_pem(buf_span(&root), &h.root_pem), 0);
	assert_int_equal(pki_cert_to_pem(buf_span(&leaf), &h.chain_pem), 0);
	assert_int_equal(pki_cert_to_pem(buf_span(&issuing), &h.chain_pem), 0);
	assert_int_equal(pki_key_to_pem(key, &h.key_pem), 0);
	buf_done(&root);
	buf_done(&issuing);
	buf_done(&leaf);
	return h;
}

struct query {
	int digest; /* NID */
	const char *policy;
	int digest_len; /* 0: the right one */
};

static TS_REQ *make_query(const struct query *q, struct buf *ret_der)
{
	static const unsigned char hash[64] = "a document's digest, as far as anybody can tell";
	TS_REQ *request = TS_REQ_new();
	TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR *algorithm = X509_ALGOR_new();
	ASN1_INTEGER *nonce = ASN1_INTEGER_new();
	unsigned char *der = NULL;
	int len =
		q->digest_len > 0 ? q->digest_len : EVP_MD_get_size(EVP_get_digestbynid(q->digest));

	assert_int_equal(TS_REQ_set_version(request, 1), 1);
	X509_ALGOR_set0(algorithm, OBJ_nid2obj(q->digest), V_ASN1_NULL, NULL);
	assert_int_equal(TS_MSG_IMPRINT_set_algo(imprint, algorithm), 1);
	assert_int_equal(TS_MSG_IMPRINT_set_msg(imprint, (unsigned char *)(uintptr_t)hash, len), 1);
	assert_int_equal(TS_REQ_set_msg_imprint(request, imprint), 1);
	assert_int_equal(ASN1_INTEGER_set_uint64(nonce, 0x1122334455667788), 1);
	assert_int_equal(TS_REQ_set_nonce(request, nonce), 1);
	assert_int_equal(TS_REQ_set_cert_req(request, 1), 1);
	if (q->policy != NULL) {
		ASN1_OBJECT *policy = OBJ_txt2obj(q->policy, 1);

		assert_int_equal(TS_REQ_set_policy_id(request, policy), 1);
		ASN1_OBJECT_free(policy);
	}
	len = i2d_TS_REQ(request, &der);
	assert_true(len > 0);
	buf_add(ret_der, span_of(der, (size_t)len));
	OPENSSL_free(der);
	X509_ALGOR_free(algorithm);
	TS_MSG_IMPRINT_free(imprint);
	ASN1_INTEGER_free(nonce);
	return request;
}

static struct tsa *open_tsa(const struct house *h)
{
	struct tsa *t = NULL;

	assert_int_equal(tsa_new(buf_span(&h->key_pem), buf_span(&h->chain_pem), &t), 0);
	return t;
}

static TS_RESP *ask(
	const struct tsa *t, const struct clock_state *clock, struct span query, char *ret_serial)
{
	struct buf der = BUF_INIT(TSA_REPLY_MAX);
	const unsigned char *p;
	TS_RESP *reply;

	assert_int_equal(tsa_answer(t, clock, query, &der, ret_serial), 0);
	p = der.p;
	reply = d2i_TS_RESP(NULL, &p, (long)der.len);
	assert_non_null(reply);
	assert_ptr_equal(p, der.p + der.len);
	buf_done(&der);
	return reply;
}

static int status_of(const TS_RESP *reply)
{
	TS_STATUS_INFO *info = TS_RESP_get_status_info((TS_RESP *)(uintptr_t)reply);

	return (int)ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(info));
}

static bool failed_for(TS_RESP *reply, int bit)
{
	const ASN1_BIT_STRING *bits =
		TS_STATUS_INFO_get0_failure_info(TS_RESP_get_status_info(reply));

	return bits != NULL && ASN1_BIT_STRING_get_bit(bits, bit) == 1;
}

static void verify(const struct house *h, TS_REQ *request, TS_RESP *reply)
{
	TS_VERIFY_CTX *ctx = TS_REQ_to_TS_VERIFY_CTX(request, NULL);
	X509_STORE *trust = X509_STORE_new();
	BIO *in = BIO_new_mem_buf(h->root_pem.p, (int)h->root_pem.len);
	X509 *root = PEM_read_bio_X509(in, NULL, NULL, NULL);

	assert_non_null(ctx);
	assert_int_equal(X509_STORE_add_cert(trust, root), 1);
	(void)TS_VERIFY_CTX_set_store(ctx, trust);
	(void)TS_VERIFY_CTX_add_flags(ctx, TS_VFY_SIGNATURE);
	assert_int_equal(TS_RESP_verify_response(ctx, reply), 1);
	X509_free(root);
	BIO_free(in);
	TS_VERIFY_CTX_free(ctx);
}

static void check_accuracy(TS_TST_INFO *info)
{
	TS_ACCURACY *a = TS_TST_INFO_get_accuracy(info);

	assert_non_null(a);
	assert_int_equal(ASN1_INTEGER_get(TS_ACCURACY_get_seconds(a)), 1);
	assert_int_equal(ASN1_INTEGER_get(TS_ACCURACY_get_millis(a)), 234);
	assert_int_equal(ASN1_INTEGER_get(TS_ACCURACY_get_micros(a)), 567);
}

static void test_token(void **state)
{
	static const int digests[] = {NID_sha256, NID_sha384, NID_sha512};
	struct house h = build(PKI_TSA);
	struct tsa *t = open_tsa(&h);
	char serials[3][TSA_SERIAL_SIZE];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct buf der = BUF_INIT(TSA_QUERY_MAX);
		const struct query q = {.digest = digests[i]};
		TS_REQ *request = make_query(&q, &der);
		TS_RESP *reply = ask(t, &good_clock, buf_span(&der), serials[i]);
		TS_TST_INFO *info = TS_RESP_get_tst_info(reply);
		char policy[128];

		assert_int_equal(status_of(reply), 0);
		verify(&h, request, reply);
		check_accuracy(info);
		assert_int_equal(TS_TST_INFO_get_ordering(info), 0);
		(void)OBJ_obj2txt(policy, sizeof(policy), TS_TST_INFO_get_policy_id(info), 1);
		assert_string_equal(policy, TSA_POLICY);
		assert_true(strlen(serials[i]) > 24);
		TS_RESP_free(reply);
		TS_REQ_free(request);
		buf_done(&der);
	}
	assert_string_not_equal(serials[0], serials[1]);
	assert_string_not_equal(serials[1], serials[2]);
	tsa_free(t);
	house_done(&h);
}

static void test_no_accuracy_is_claimed_unsynchronised(void **state)
{
	struct house h = build(PKI_TSA);
	struct tsa *t = open_tsa(&h);
	struct buf der = BUF_INIT(TSA_QUERY_MAX);
	const struct query q = {.digest = NID_sha256};
	TS_REQ *request = make_query(&q, &der);
	char serial[TSA_SERIAL_SIZE];
	TS_RESP *reply = ask(t, &bad_clock, buf_span(&der), serial);

	(void)state;
	verify(&h, request, reply);
	assert_null(TS_TST_INFO_get_accuracy(TS_RESP_get_tst_info(reply)));
	TS_RESP_free(reply);
	TS_REQ_free(request);
	buf_done(&der);
	tsa_free(t);
	house_done(&h);
}

static void test_rejections(void **state)
{
	static const struct {
		struct query q;
		int bit;
	} rows[] = {
		{{.digest = NID_sha1}, TS_INFO_BAD_ALG},
		{{.digest = NID_sha3_256}, TS_INFO_BAD_ALG},
		{{.digest = NID_sha256, .policy = "1.2.3.4"}, TS_INFO_UNACCEPTED_POLICY},
		{{.digest = NID_sha256, .digest_len = 20}, TS_INFO_BAD_DATA_FORMAT},
	};
	struct house h = build(PKI_TSA);
	struct tsa *t = open_tsa(&h);
	char serial[TSA_SERIAL_SIZE];
	TS_RESP *reply;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf der = BUF_INIT(TSA_QUERY_MAX);
		TS_REQ *request = make_query(&rows[i].q, &der);

		reply = ask(t, &good_clock, buf_span(&der), serial);
		assert_int_equal(status_of(reply), 2);
		assert_true(failed_for(reply, rows[i].bit));
		assert_string_equal(serial, "");
		TS_RESP_free(reply);
		TS_REQ_free(request);
		buf_done(&der);
	}
	reply = ask(t, &good_clock, SPAN_LIT("GET / HTTP/1.1"), serial);
	assert_int_equal(status_of(reply), 2);
	assert_true(failed_for(reply, TS_INFO_BAD_DATA_FORMAT));
	TS_RESP_free(reply);
	tsa_free(t);
	house_done(&h);
}

static void test_unusable_credentials(void **state)
{
	struct house good = build(PKI_TSA), other = build(PKI_TSA), host = build(PKI_HOST);
	struct tsa *t = NULL;

	(void)state;
	assert_int_equal(tsa_new(buf_span(&other.key_pem), buf_span(&good.chain_pem), &t), -EINVAL);
	assert_int_equal(tsa_new(buf_span(&host.key_pem), buf_span(&host.chain_pem), &t), -EINVAL);
	assert_int_equal(tsa_new(buf_span(&good.key_pem), SPAN_LIT(""), &t), -EINVAL);
	assert_int_equal(tsa_new(SPAN_LIT("nothing"), buf_span(&good.chain_pem), &t), -EINVAL);
	assert_null(t);
	house_done(&good);
	house_done(&other);
	house_done(&host);
}

static void test_clock_states(void **state)
{
	struct timex t = {.maxerror = 1500, .status = 0};
	struct clock_state c = clock_state_of(TIME_OK, &t);

	(void)state;
	assert_true(c.synchronised && c.max_error_us == 1500);
	c = clock_state_of(TIME_INS, &t);
	assert_true(c.synchronised && c.max_error_us == 1500);
	c = clock_state_of(TIME_ERROR, &t);
	assert_true(!c.synchronised && c.max_error_us == 1500);
	t.status = STA_UNSYNC;
	c = clock_state_of(TIME_OK, &t);
	assert_false(c.synchronised);
	c = clock_state_of(-1, &t);
	assert_true(!c.synchronised && c.max_error_us == 16000000);
	c = clock_state_now();
	assert_true(c.max_error_us >= 0 && c.max_error_us <= 16000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_no_accuracy_is_claimed_unsynchronised),
		cmocka_unit_test(test_rejections),
		cmocka_unit_test(test_unusable_credentials),
		cmocka_unit_test(test_clock_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
