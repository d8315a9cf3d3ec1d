/*
 * OCSP and CRL: our responder asked by the openssl and ocsptool commands and by our own client, for
 * good, revoked and unknown; nonces; damage. CRLs read back.
 */
#include "base/timefmt.h"
#include "tests/unit/lib/pki_fixture.h"

#include <errno.h>
#include <openssl/ocsp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct fixture_ca ca;
static struct fixture_cert good, revoked;

static int set_up(void **state)
{
	(void)state;
	fixture_ca_make(&ca);
	fixture_leaf(&ca, PKI_USER, &good);
	fixture_leaf(&ca, PKI_USER, &revoked);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_cert_free(&good);
	fixture_cert_free(&revoked);
	fixture_ca_free(&ca);
	return 0;
}

/* The responder's look-up over the two leaves. */
static int look(void *arg, const struct pki_ocsp_id *id, struct pki_ocsp_answer *ret)
{
	unsigned *asked = arg;
	struct span serial = span_of(id->serial, id->serial_len);

	if (asked != NULL)
		++*asked;
	if (!pki_ocsp_names_issuer(id, buf_span(&ca.issuing.der)))
		return -ENOENT;
	if (span_eq(serial, span_of(good.serial, sizeof(good.serial)))) {
		ret->status = PKI_OCSP_GOOD;
		return 0;
	}
	if (span_eq(serial, span_of(revoked.serial, sizeof(revoked.serial)))) {
		ret->status = PKI_OCSP_REVOKED;
		ret->revoked_us = ca.now_us - 60 * TIME_S_US;
		ret->reason = 1;
		return 0;
	}
	return -ENOENT;
}

/* The responder as it should be: for an hour from now. */
static struct pki_ocsp_responder responder(void)
{
	int64_t now_us = time_now_us();

	return (struct pki_ocsp_responder){.issuer_der = buf_span(&ca.issuing.der),
		.signer_der = buf_span(&ca.ocsp.der),
		.signer_key = ca.ocsp.key,
		.now_us = now_us,
		.next_us = now_us + 3600 * TIME_S_US,
		.look = look};
}

static int respond(struct span request, struct buf *ret)
{
	const struct pki_ocsp_responder us = responder();

	return pki_ocsp_respond(request, &us, ret);
}

static struct pki_ocsp_question question(struct span leaf_der, struct span issuer_der,
	struct span root_pem, const unsigned char *nonce)
{
	struct pki_ocsp_question q = {
		.leaf_der = leaf_der, .issuer_der = issuer_der, .root_pem = root_pem};

	memcpy(q.nonce, nonce, sizeof(q.nonce));
	return q;
}

static int ask(const struct fixture_cert *leaf, struct span issuer_der, struct pki_ocsp_answer *ret,
	const char **reason)
{
	struct buf request = BUF_INIT(8192), response = BUF_INIT(16384);
	struct pki_ocsp_question q;
	unsigned char nonce[32];
	int r;

	assert_int_equal(
		pki_ocsp_request_new(buf_span(&leaf->der), issuer_der, &request, nonce), 0);
	q = question(buf_span(&leaf->der), issuer_der, buf_span(&ca.root.pem), nonce);
	assert_int_equal(respond(buf_span(&request), &response), 0);
	r = pki_ocsp_response_read(buf_span(&response), &q, ret, reason);
	buf_done(&request);
	buf_done(&response);
	return r;
}

static void test_own_client(void **state)
{
	struct pki_ocsp_answer answer = {0};
	struct fixture_cert unknown;
	const char *reason = NULL;

	(void)state;
	fixture_leaf(&ca, PKI_USER, &unknown);
	assert_int_equal(ask(&good, buf_span(&ca.issuing.der), &answer, &reason), 0);
	assert_int_equal(answer.status, PKI_OCSP_GOOD);
	assert_int_equal(ask(&revoked, buf_span(&ca.issuing.der), &answer, &reason), 0);
	assert_int_equal(answer.status, PKI_OCSP_REVOKED);
	assert_int_equal(answer.reason, 1);
	assert_int_equal(answer.revoked_us / TIME_S_US, (ca.now_us - 60 * TIME_S_US) / TIME_S_US);
	assert_int_equal(ask(&unknown, buf_span(&ca.issuing.der), &answer, &reason), 0);
	assert_int_equal(answer.status, PKI_OCSP_UNKNOWN);
	fixture_cert_free(&unknown);
}

static void test_foreign_issuer(void **state)
{
	struct pki_ocsp_question q;
	struct buf request = BUF_INIT(8192), response = BUF_INIT(16384);
	struct pki_ocsp_answer answer = {0};
	struct pki_ocsp_request asked;
	struct fixture_ca other;
	struct fixture_cert leaf;
	const char *reason = NULL;
	unsigned char nonce[32];

	(void)state;
	fixture_ca_make(&other);
	fixture_leaf(&other, PKI_USER, &leaf);
	assert_int_equal(pki_ocsp_request_new(buf_span(&leaf.der), buf_span(&other.issuing.der),
				 &request, nonce),
		0);
	assert_int_equal(pki_ocsp_request_read(buf_span(&request), &asked), 0);
	assert_true(pki_ocsp_names_issuer(&asked.ids[0], buf_span(&other.issuing.der)));
	assert_false(pki_ocsp_names_issuer(&asked.ids[0], buf_span(&ca.issuing.der)));
	assert_int_equal(respond(buf_span(&request), &response), 0);
	/* Ours cannot speak for the other authority, and the other's client does not believe it. */
	q = question(buf_span(&leaf.der), buf_span(&other.issuing.der), buf_span(&other.root.pem),
		nonce);
	assert_int_equal(
		pki_ocsp_response_read(buf_span(&response), &q, &answer, &reason), -EKEYREJECTED);
	assert_string_equal(reason, "the answer is not signed by a responder of this issuer");
	buf_done(&request);
	buf_done(&response);
	fixture_cert_free(&leaf);
	fixture_ca_free(&other);
}

static void test_client_refuses(void **state)
{
	struct pki_ocsp_responder us = responder();
	struct pki_ocsp_question q;
	struct buf request = BUF_INIT(8192), response = BUF_INIT(16384), old = BUF_INIT(16384),
		   error = BUF_INIT(64);
	struct pki_ocsp_answer answer = {0};
	struct span issuer = buf_span(&ca.issuing.der), root = buf_span(&ca.root.pem);
	const char *reason = NULL;
	unsigned char nonce[32], other_nonce[32] = {1};

	(void)state;
	assert_int_equal(pki_ocsp_request_new(buf_span(&good.der), issuer, &request, nonce), 0);
	assert_int_equal(respond(buf_span(&request), &response), 0);
	q = question(buf_span(&good.der), issuer, root, other_nonce);
	assert_int_equal(
		pki_ocsp_response_read(buf_span(&response), &q, &answer, &reason), -EKEYREJECTED);
	assert_non_null(strstr(reason, "nonce"));
	q = question(buf_span(&revoked.der), issuer, root, nonce);
	assert_int_equal(
		pki_ocsp_response_read(buf_span(&response), &q, &answer, &reason), -EKEYREJECTED);
	assert_string_equal(reason, "the answer is about another certificate");
	/* An hour old, for a minute. */
	us.now_us = ca.now_us - 3600 * TIME_S_US;
	us.next_us = ca.now_us - 3540 * TIME_S_US;
	q = question(buf_span(&good.der), issuer, root, nonce);
	assert_int_equal(pki_ocsp_respond(buf_span(&request), &us, &old), 0);
	assert_int_equal(
		pki_ocsp_response_read(buf_span(&old), &q, &answer, &reason), -EKEYREJECTED);
	assert_non_null(strstr(reason, "out of date"));
	assert_int_equal(pki_ocsp_error(OCSP_RESPONSE_STATUS_TRYLATER, &error), 0);
	assert_int_equal(
		pki_ocsp_response_read(buf_span(&error), &q, &answer, &reason), -EKEYREJECTED);
	assert_string_equal(reason, "the responder asks to try later");
	assert_int_equal(pki_ocsp_error(4, &error), -EINVAL);
	assert_int_equal(pki_ocsp_error(0, &error), -EINVAL);
	for (size_t i = 0; i < response.len; i++) {
		response.p[i] ^= 0x10;
		answer.status = PKI_OCSP_UNKNOWN;
		if (pki_ocsp_response_read(buf_span(&response), &q, &answer, &reason) == 0)
			assert_int_equal(answer.status, PKI_OCSP_GOOD);
		response.p[i] ^= 0x10;
	}
	for (size_t len = 0; len < response.len; len++)
		assert_int_equal(
			pki_ocsp_response_read(span_of(response.p, len), &q, &answer, &reason),
			-EKEYREJECTED);
	buf_done(&request);
	buf_done(&response);
	buf_done(&old);
	buf_done(&error);
}

/* A user's or the issuing CA's own certificate is no responder. */
static void test_wrong_signers(void **state)
{
	struct pki_ocsp_responder us = responder();
	struct pki_ocsp_question q;
	struct buf request = BUF_INIT(8192), response = BUF_INIT(16384);
	struct pki_ocsp_answer answer = {0};
	struct span issuer = buf_span(&ca.issuing.der);
	const char *reason = NULL;
	unsigned char nonce[32];

	(void)state;
	assert_int_equal(pki_ocsp_request_new(buf_span(&good.der), issuer, &request, nonce), 0);
	us.signer_der = buf_span(&good.der);
	us.signer_key = good.key;
	assert_int_equal(pki_ocsp_respond(buf_span(&request), &us, &response), 0);
	q = question(buf_span(&good.der), issuer, buf_span(&ca.root.pem), nonce);
	assert_int_equal(
		pki_ocsp_response_read(buf_span(&response), &q, &answer, &reason), -EKEYREJECTED);
	us.signer_der = buf_span(&ca.ocsp.der);
	assert_int_equal(pki_ocsp_respond(buf_span(&request), &us, &response), -EINVAL);
	us = responder();
	us.issuer_der = buf_span(&ca.root.der);
	assert_int_equal(pki_ocsp_respond(buf_span(&request), &us, &response), -EINVAL);
	buf_done(&request);
	buf_done(&response);
}

/* -- requests of any kind ----------------------------------------------------------------- */

static OCSP_REQUEST *request_of(const EVP_MD *md, const struct fixture_cert *leaf, unsigned count)
{
	const unsigned char *p = leaf->der.p, *q = ca.issuing.der.p;
	X509 *x = d2i_X509(NULL, &p, (long)leaf->der.len);
	X509 *issuer = d2i_X509(NULL, &q, (long)ca.issuing.der.len);
	OCSP_REQUEST *request = OCSP_REQUEST_new();

	for (unsigned i = 0; i < count; i++)
		assert_non_null(OCSP_request_add0_id(request, OCSP_cert_to_id(md, x, issuer)));
	X509_free(x);
	X509_free(issuer);
	return request;
}

/* Takes the request. */
static int judge(OCSP_REQUEST *request, struct pki_ocsp_request *ret, struct buf *ret_der)
{
	unsigned char *der = NULL;
	int len = i2d_OCSP_REQUEST(request, &der);
	int r;

	assert_true(len > 0);
	r = pki_ocsp_request_read(span_of(der, (size_t)len), ret);
	if (ret_der != NULL)
		buf_add(ret_der, span_of(der, (size_t)len));
	OPENSSL_free(der);
	OCSP_REQUEST_free(request);
	return r;
}

static void test_hashes_and_counts(void **state)
{
	struct pki_ocsp_request asked;

	(void)state;
	assert_int_equal(judge(request_of(EVP_sha1(), &good, 1), &asked, NULL), 0);
	assert_int_equal(asked.count, 1);
	assert_int_equal(asked.ids[0].hash_len, 20);
	assert_true(pki_ocsp_names_issuer(&asked.ids[0], buf_span(&ca.issuing.der)));
	assert_false(pki_ocsp_names_issuer(&asked.ids[0], buf_span(&ca.root.der)));
	assert_memory_equal(asked.ids[0].serial, good.serial, sizeof(good.serial));
	assert_int_equal(judge(request_of(EVP_sha256(), &good, PKI_OCSP_MAX_IDS), &asked, NULL), 0);
	assert_int_equal(asked.count, PKI_OCSP_MAX_IDS);
	assert_int_equal(asked.ids[0].hash_len, 32);
	assert_int_equal(
		judge(request_of(EVP_sha1(), &good, PKI_OCSP_MAX_IDS + 1), &asked, NULL), -EBADMSG);
	assert_int_equal(judge(request_of(EVP_sha1(), &good, 0), &asked, NULL), -EBADMSG);
	assert_int_equal(judge(request_of(EVP_sha512(), &good, 1), &asked, NULL), -EBADMSG);
}

static void test_every_id_is_looked_up(void **state)
{
	struct pki_ocsp_responder us = responder();
	struct buf der = BUF_INIT(8192), response = BUF_INIT(16384);
	struct pki_ocsp_request asked;
	unsigned count = 0;

	(void)state;
	assert_int_equal(judge(request_of(EVP_sha1(), &revoked, 3), &asked, &der), 0);
	us.arg = &count;
	assert_int_equal(pki_ocsp_respond(buf_span(&der), &us, &response), 0);
	assert_int_equal(count, 3);
	buf_done(&der);
	buf_done(&response);
}

static void test_nonces(void **state)
{
	static const struct {
		int len;
		int result;
	} rows[] = {{1, 0}, {16, 0}, {32, 0}, {33, -EBADMSG}, {128, -EBADMSG}};
	unsigned char nonce[128] = {7};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf der = BUF_INIT(8192), response = BUF_INIT(16384);
		OCSP_REQUEST *request = request_of(EVP_sha1(), &good, 1);
		struct pki_ocsp_request asked;

		assert_int_equal(OCSP_request_add1_nonce(request, nonce, rows[i].len), 1);
		assert_int_equal(judge(request, &asked, &der), rows[i].result);
		assert_int_equal(respond(buf_span(&der), &response), rows[i].result);
		if (rows[i].result == 0)
			assert_non_null(
				memmem(response.p, response.len, nonce, (size_t)rows[i].len));
		buf_done(&der);
		buf_done(&response);
	}
}

/* An empty nonce, two of them, one that is no OCTET STRING, an unknown critical extension. */
static void test_bad_extensions(void **state)
{
	static const struct {
		int nid, critical, count;
		const char *bytes;
		int len, result;
	} rows[] = {
		{NID_id_pkix_OCSP_Nonce, 0, 1, "\x04\x00", 2, -EBADMSG},
		{NID_id_pkix_OCSP_Nonce, 0, 2, "\x04\x01x", 3, -EBADMSG},
		{NID_id_pkix_OCSP_Nonce, 0, 1, "\x02\x01\x01", 3, -EBADMSG},
		{NID_id_pkix_OCSP_Nonce, 0, 1, "\x04\x01xy", 4, -EBADMSG},
		{NID_id_pkix_OCSP_Nonce, 0, 1, "\x04\x01x", 3, 0},
		{NID_id_pkix_OCSP_acceptableResponses, 0, 1, "\x30\x00", 2, 0},
		{NID_id_pkix_OCSP_acceptableResponses, 1, 1, "\x30\x00", 2, -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OCSP_REQUEST *request = request_of(EVP_sha1(), &good, 1);
		ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
		struct pki_ocsp_request asked;
		X509_EXTENSION *ext;

		assert_int_equal(ASN1_OCTET_STRING_set(
					 value, (const unsigned char *)rows[i].bytes, rows[i].len),
			1);
		ext = X509_EXTENSION_create_by_NID(NULL, rows[i].nid, rows[i].critical, value);
		for (int n = 0; n < rows[i].count; n++)
			assert_int_equal(OCSP_REQUEST_add_ext(request, ext, -1), 1);
		X509_EXTENSION_free(ext);
		ASN1_OCTET_STRING_free(value);
		assert_int_equal(judge(request, &asked, NULL), rows[i].result);
	}
}

static void test_damaged_requests(void **state)
{
	struct buf der = BUF_INIT(8192);
	struct pki_ocsp_request asked;
	unsigned char nonce[32];

	(void)state;
	assert_int_equal(
		pki_ocsp_request_new(buf_span(&good.der), buf_span(&ca.issuing.der), &der, nonce),
		0);
	for (size_t len = 0; len < der.len; len++) {
		unsigned char *exact = malloc(len > 0 ? len : 1);

		assert_non_null(exact);
		memcpy(exact, der.p, len);
		assert_int_equal(pki_ocsp_request_read(span_of(exact, len), &asked), -EBADMSG);
		free(exact);
	}
	buf_add_byte(&der, 0);
	assert_int_equal(pki_ocsp_request_read(buf_span(&der), &asked), -EBADMSG);
	buf_done(&der);
}

/* -- what others say ------------------------------------------------------------------------ */

struct tool_files {
	char folder[64];
	char path[4][128]; /* root, issuing, leaf, response */
};

static void write_files(struct tool_files *f, const struct fixture_cert *leaf, const EVP_MD *md)
{
	static const char *const names[] = {"root.pem", "issuing.pem", "leaf.pem", "answer.der"};
	struct buf der = BUF_INIT(8192), response = BUF_INIT(16384);
	struct pki_ocsp_request asked;

	fixture_folder(f->folder);
	for (size_t i = 0; i < 4; i++)
		(void)snprintf(f->path[i], sizeof(f->path[i]), "%s/%s", f->folder, names[i]);
	assert_int_equal(judge(request_of(md, leaf, 1), &asked, &der), 0);
	assert_int_equal(respond(buf_span(&der), &response), 0);
	fixture_write(f->folder, names[0], buf_span(&ca.root.pem));
	fixture_write(f->folder, names[1], buf_span(&ca.issuing.pem));
	fixture_write(f->folder, names[2], buf_span(&leaf->pem));
	fixture_write(f->folder, names[3], buf_span(&response));
	buf_done(&der);
	buf_done(&response);
}

static void openssl_reads(const struct fixture_cert *leaf, const EVP_MD *md, const char *expect)
{
	struct tool_files f;
	struct buf out = BUF_INIT(65536);
	char digest[16];
	const char *argv[] = {"openssl", "ocsp", digest, "-issuer", f.path[1], "-cert", f.path[2],
		"-respin", f.path[3], "-CAfile", f.path[0], "-verify_other", f.path[1], "-no_nonce",
		NULL};

	(void)snprintf(
		digest, sizeof(digest), "-%s", EVP_MD_get_size(md) == 20 ? "sha1" : "sha256");
	write_files(&f, leaf, md);
	if (fixture_run(argv, &out) != 0 || strstr(buf_str(&out), "Response verify OK") == NULL ||
		strstr(buf_str(&out), expect) == NULL)
		fail_msg("openssl ocsp: %s", buf_str(&out));
	buf_done(&out);
	fixture_remove(f.folder);
}

static void test_openssl_reads(void **state)
{
	(void)state;
	openssl_reads(&good, EVP_sha1(), "leaf.pem: good");
	openssl_reads(&good, EVP_sha256(), "leaf.pem: good");
	openssl_reads(&revoked, EVP_sha1(), "leaf.pem: revoked");
	openssl_reads(&revoked, EVP_sha256(), "Reason: keyCompromise");
}

static void test_gnutls_reads(void **state)
{
	struct tool_files f;
	struct buf out = BUF_INIT(65536);
	const char *argv[] = {"ocsptool", "--verify-response", "--load-response", f.path[3],
		"--load-trust", f.path[1], "--load-issuer", f.path[1], NULL};

	(void)state;
	write_files(&f, &good, EVP_sha1());
	/* It wants the responder's issuer among the trusted. */
	if (fixture_run(argv, &out) != 0 || strstr(buf_str(&out), "Success") == NULL)
		fail_msg("ocsptool: %s", buf_str(&out));
	buf_done(&out);
	fixture_remove(f.folder);
}

/* -- CRLs ------------------------------------------------------------------------------------- */

static int collect(void *arg, struct span serial, int64_t revoked_us, int reason)
{
	unsigned *found = arg;

	assert_true(revoked_us > 0);
	if (span_eq(serial, span_of(good.serial, sizeof(good.serial))))
		*found |= reason == 0 ? 1U : 0;
	if (span_eq(serial, span_of(revoked.serial, sizeof(revoked.serial))))
		*found |= reason == 4 ? 2U : 0;
	return 0;
}

static void test_crl(void **state)
{
	struct pki_crl_info head = {
		.number = 5, .this_us = ca.now_us, .next_us = ca.now_us + TIME_S_US};
	struct buf der = BUF_INIT(8192), empty = BUF_INIT(8192);
	struct span issuer = buf_span(&ca.issuing.der);
	struct pki_crl *crl = NULL;
	struct pki_crl_info info;
	unsigned found = 0;

	(void)state;
	assert_int_equal(pki_crl_begin(&crl), 0);
	assert_int_equal(pki_crl_sign(crl, issuer, ca.issuing.key, &head, &empty), 0);
	assert_int_equal(pki_crl_add(crl, good.serial, 16, ca.now_us, 0), 0);
	assert_int_equal(pki_crl_add(crl, revoked.serial, 16, ca.now_us, 4), 0);
	assert_int_equal(pki_crl_add(crl, good.serial, 16, ca.now_us, 7), -EINVAL);
	assert_int_equal(pki_crl_add(crl, good.serial, 16, ca.now_us, 8), -EINVAL);
	assert_int_equal(pki_crl_add(crl, good.serial, 16, ca.now_us, 11), -EINVAL);
	assert_int_equal(pki_crl_add(crl, good.serial, 21, ca.now_us, 0), -EINVAL);
	assert_int_equal(pki_crl_add(crl, good.serial, 0, ca.now_us, 0), -EINVAL);
	/* Signed a second time, by the number after. */
	head.number = UINT64_MAX;
	head.next_us = ca.now_us + 60 * TIME_S_US;
	assert_int_equal(pki_crl_sign(crl, issuer, ca.issuing.key, &head, &der), 0);
	assert_int_equal(pki_crl_read(buf_span(&empty), issuer, &info), 0);
	assert_int_equal(info.revoked, 0);
	assert_int_equal(info.number, 5);
	assert_int_equal(pki_crl_read(buf_span(&der), issuer, &info), 0);
	assert_int_equal(info.revoked, 2);
	assert_true(info.number == UINT64_MAX);
	assert_int_equal(info.this_us, ca.now_us / TIME_S_US * TIME_S_US);
	assert_int_equal(info.next_us - info.this_us, 60 * TIME_S_US);
	assert_int_equal(pki_crl_each(buf_span(&der), collect, &found), 0);
	assert_int_equal(found, 3);
	/* Of another issuer, by another key, backwards in time. */
	assert_int_equal(
		pki_crl_read(buf_span(&der), buf_span(&ca.root.der), &info), -EKEYREJECTED);
	head.number = 6;
	assert_int_equal(pki_crl_sign(crl, issuer, ca.root.key, &head, &der), -EINVAL);
	head.next_us = ca.now_us;
	assert_int_equal(pki_crl_sign(crl, issuer, ca.issuing.key, &head, &der), -EINVAL);
	for (size_t len = 0; len < empty.len; len++)
		assert_int_equal(pki_crl_read(span_of(empty.p, len), issuer, &info), -EBADMSG);
	pki_crl_freep(&crl);
	buf_done(&der);
	buf_done(&empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_client),
		cmocka_unit_test(test_foreign_issuer),
		cmocka_unit_test(test_client_refuses),
		cmocka_unit_test(test_wrong_signers),
		cmocka_unit_test(test_hashes_and_counts),
		cmocka_unit_test(test_every_id_is_looked_up),
		cmocka_unit_test(test_nonces),
		cmocka_unit_test(test_bad_extensions),
		cmocka_unit_test(test_damaged_requests),
		cmocka_unit_test(test_openssl_reads),
		cmocka_unit_test(test_gnutls_reads),
		cmocka_unit_test(test_crl),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
