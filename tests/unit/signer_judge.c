/* The CMP door's judgement of real messages, whole, cut and bent. */
#include "tests/unit/lib/sign_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/err.h>

/* The ir that OpenSSL's client would send under a MAC. */
static OSSL_CMP_MSG *keep(OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *request)
{
	struct buf *ret = OSSL_CMP_CTX_get_transfer_cb_arg(ctx);
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long len;

	assert_true(i2d_OSSL_CMP_MSG_bio(bio, request) > 0);
	len = BIO_get_mem_data(bio, &p);
	buf_add(ret, span_of(p, (size_t)len));
	BIO_free(bio);
	return NULL;
}

static int quiet(const char *component, const char *file, int line, OSSL_CMP_severity level,
	const char *message)
{
	(void)component;
	(void)file;
	(void)line;
	(void)level;
	(void)message;
	return 1;
}

static void make_ir(const char *reference, struct buf *ret)
{
	OSSL_CMP_CTX *ctx = OSSL_CMP_CTX_new(NULL, NULL);
	X509_NAME *name = X509_NAME_new();

	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)"ann", -1, -1, 0);
	*ret = BUF_INIT(65536);
	OSSL_CMP_CTX_set_log_cb(ctx, quiet);
	OSSL_CMP_CTX_set_transfer_cb(ctx, keep);
	OSSL_CMP_CTX_set_transfer_cb_arg(ctx, ret);
	OSSL_CMP_CTX_set1_subjectName(ctx, name);
	OSSL_CMP_CTX_set0_newPkey(ctx, 1, EVP_EC_gen("P-256"));
	OSSL_CMP_CTX_set1_referenceValue(
		ctx, (const unsigned char *)reference, (int)strlen(reference));
	OSSL_CMP_CTX_set1_secretValue(ctx, (const unsigned char *)"secret", 6);
	assert_null(OSSL_CMP_exec_IR_ses(ctx));
	assert_true(ret->len > 200);
	X509_NAME_free(name);
	OSSL_CMP_CTX_free(ctx);
	ERR_clear_error();
}

/* Where those bytes are in the message; they must be there. */
static unsigned char *find(struct buf *b, const char *bytes, size_t len)
{
	unsigned char *p = memmem(b->p, b->len, bytes, len);

	assert_non_null(p);
	return p;
}

static void expect_refused(const struct buf *b, const char *word)
{
	struct cmp_judged judged;
	const char *reason = NULL;

	assert_int_equal(cmp_judge(buf_span(b), &judged, &reason), -EBADMSG);
	assert_non_null(strstr(reason, word));
}

static void a_good_message(void **state)
{
	struct cmp_judged judged;
	const char *reason;
	struct buf ir;

	(void)state;
	make_ir("the-reference", &ir);
	assert_int_equal(cmp_judge(buf_span(&ir), &judged, &reason), 0);
	assert_int_equal(judged.body, CMP_IR);
	assert_int_equal(judged.protection, CMP_PROTECT_MAC);
	assert_true(span_eq_str(judged.sender_kid, "the-reference"));
	assert_true(judged.spki.len > 80);
	assert_int_equal(judged.p10.len, 0);
	assert_true(cmp_begins(judged.body));
	assert_false(cmp_begins(CMP_CERTCONF));
	buf_done(&ir);
}

static void cut_anywhere(void **state)
{
	struct cmp_judged judged;
	const char *reason;
	struct buf ir;

	(void)state;
	make_ir("r", &ir);
	for (size_t len = 0; len < ir.len; len++)
		assert_int_equal(cmp_judge(span_of(ir.p, len), &judged, &reason), -EBADMSG);
	buf_add_byte(&ir, 0);
	expect_refused(&ir, "not a CMP message");
	buf_done(&ir);
}

static void bent_anywhere(void **state)
{
	static const unsigned char values[] = {0x00, 0x01, 0x30, 0x7f, 0x80, 0x84, 0xa0, 0xff};
	struct cmp_judged judged;
	const char *reason;
	struct buf ir;

	(void)state;
	make_ir("r", &ir);
	for (size_t at = 0; at < ir.len; at++)
		for (size_t i = 0; i < sizeof(values); i++) {
			unsigned char kept = ir.p[at];

			ir.p[at] = values[i];
			reason = NULL;
			if (cmp_judge(buf_span(&ir), &judged, &reason) < 0)
				assert_non_null(reason);
			ir.p[at] = kept;
		}
	buf_done(&ir);
}

static void costly_macs(void **state)
{
	struct buf ir;

	(void)state;
	make_ir("r", &ir);
	/* 500 iterations become 32767, then -12. */
	find(&ir, "\x02\x02\x01\xf4", 4)[2] = 0x7f;
	expect_refused(&ir, "iterations");
	find(&ir, "\x02\x02\x7f\xf4", 4)[2] = 0x8f;
	expect_refused(&ir, "iterations");
	buf_done(&ir);
}

static void long_references_and_messages(void **state)
{
	struct buf ir, big = BUF_INIT(65536);

	(void)state;
	make_ir("0123456789abcdef0123456789abcdefX", &ir);
	expect_refused(&ir, "reference");
	buf_done(&ir);
	while (big.len <= CMP_MESSAGE_MAX)
		buf_add_byte(&big, 0x30);
	expect_refused(&big, "too long");
	buf_done(&big);
}

/* Body types that are not served, by changing the one octet that says it: [0] behind the header. */
static void other_bodies(void **state)
{
	struct der_body {
		unsigned char tag;
		const char *word;
	} rows[] = {{0xa1, "not served"}, {0xa3, "not served"}, {0xb3, "not served"},
		{0xb9, "not served"}, {0x80, "not"}};
	struct buf ir;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t header_len;

		make_ir("r", &ir);
		/* 30 82 .. .. 30 81/82 header */
		assert_true(ir.p[0] == 0x30 && ir.p[1] == 0x82 && ir.p[4] == 0x30);
		header_len = ir.p[5] == 0x81 ? 3U + ir.p[6]
			: ir.p[5] == 0x82    ? 4U + ((size_t)ir.p[6] << 8 | ir.p[7])
					     : 2U + ir.p[5];
		assert_int_equal(ir.p[4 + header_len], 0xa0);
		ir.p[4 + header_len] = rows[i].tag;
		expect_refused(&ir, rows[i].word);
		buf_done(&ir);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_message),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(bent_anywhere),
		cmocka_unit_test(costly_macs),
		cmocka_unit_test(long_references_and_messages),
		cmocka_unit_test(other_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
