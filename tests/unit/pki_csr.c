/*
 * Requests: what is read, what is refused and why. Requests that our own maker would not make are
 * built with OpenSSL directly.
 */
#include "base/text.h"
#include "tests/unit/lib/pki_fixture.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct fixture_cert ann, old;

static int set_up(void **state)
{
	(void)state;
	fixture_key(&ann);
	fixture_key(&old);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_cert_free(&ann);
	fixture_cert_free(&old);
	return 0;
}

static int read_csr(struct span der, struct pki_csr_info *info, const char **reason)
{
	struct buf spki = BUF_INIT(8192);
	int r = pki_csr_read(der, info, &spki, reason);

	if (r < 0)
		assert_int_equal(spki.len, 0);
	buf_done(&spki);
	return r;
}

static void test_good(void **state)
{
	struct buf der = BUF_INIT(8192), spki = BUF_INIT(8192);
	struct pki_csr_info info;
	const char *reason = NULL;

	(void)state;
	assert_int_equal(pki_csr_new(ann.key, "ann", "ann@example.org", old.key, &der), 0);
	assert_int_equal(pki_csr_read(buf_span(&der), &info, &spki, &reason), 0);
	assert_string_equal(info.cn, "ann");
	assert_string_equal(info.email, "ann@example.org");
	assert_int_equal(info.host_count, 0);
	assert_string_equal(info.challenge, "");
	assert_true(info.has_old_proof);
	assert_true(span_eq(buf_span(&spki), buf_span(&ann.spki)));
	buf_reset(&der);
	assert_int_equal(pki_csr_new(ann.key, "ann", NULL, NULL, &der), 0);
	assert_int_equal(read_csr(buf_span(&der), &info, &reason), 0);
	assert_string_equal(info.email, "");
	assert_false(info.has_old_proof);
	buf_done(&der);
	buf_done(&spki);
}

/* Every truncation, a byte behind, and every flipped bit are refused. */
static void test_damaged(void **state)
{
	struct buf der = BUF_INIT(8192);
	struct pki_csr_info info;
	const char *reason = NULL;

	(void)state;
	assert_int_equal(pki_csr_new(ann.key, "ann", "ann@example.org", old.key, &der), 0);
	for (size_t len = 0; len < der.len; len++) {
		unsigned char *exact = malloc(len > 0 ? len : 1);

		assert_non_null(exact);
		memcpy(exact, der.p, len);
		assert_int_equal(read_csr(span_of(exact, len), &info, &reason), -EBADMSG);
		free(exact);
	}
	for (size_t i = 0; i < der.len * 8; i++) {
		der.p[i / 8] ^= (unsigned char)(1U << i % 8);
		assert_true(read_csr(buf_span(&der), &info, &reason) < 0);
		der.p[i / 8] ^= (unsigned char)(1U << i % 8);
	}
	assert_int_equal(read_csr(buf_span(&der), &info, &reason), 0);
	buf_add_byte(&der, 0);
	assert_int_equal(read_csr(buf_span(&der), &info, &reason), -EBADMSG);
	buf_done(&der);
}

static void test_old_proof(void **state)
{
	struct buf der = BUF_INIT(8192), bare = BUF_INIT(8192);
	struct fixture_cert other;

	(void)state;
	fixture_key(&other);
	assert_int_equal(pki_csr_new(ann.key, "ann", NULL, old.key, &der), 0);
	assert_int_equal(pki_csr_new(ann.key, "ann", NULL, NULL, &bare), 0);
	assert_int_equal(pki_csr_check_old_proof(buf_span(&der), buf_span(&old.spki)), 0);
	assert_int_equal(
		pki_csr_check_old_proof(buf_span(&der), buf_span(&other.spki)), -EKEYREJECTED);
	assert_int_equal(
		pki_csr_check_old_proof(buf_span(&der), buf_span(&ann.spki)), -EKEYREJECTED);
	assert_int_equal(
		pki_csr_check_old_proof(buf_span(&bare), buf_span(&old.spki)), -EKEYREJECTED);
	assert_int_equal(pki_csr_check_old_proof(buf_span(&der), (struct span){0}), -EKEYREJECTED);
	buf_done(&der);
	buf_done(&bare);
	fixture_cert_free(&other);
}

/* -- requests of any kind ----------------------------------------------------------------- */

struct odd {
	EVP_PKEY *key; /* NULL: a new P-256 */
	const EVP_MD *md; /* NULL: SHA-256 */
	bool no_md; /* Ed25519 */
	const char *ext[4]; /* "name=value" pairs of openssl.cnf */
	const char *cn[3], *subject_email;
	const char *challenge;
	long version;
	bool spoil_signature;
};

static void add_extensions(X509_REQ *req, const struct odd *o)
{
	STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();

	for (size_t i = 0; i < 4 && o->ext[i] != NULL; i++) {
		char text[256], *value;

		(void)snprintf(text, sizeof(text), "%s", o->ext[i]);
		value = strchr(text, '=');
		assert_non_null(value);
		*value++ = '\0';
		X509_EXTENSION *ext = X509V3_EXT_nconf(NULL, NULL, text, value);
		assert_non_null(ext);
		assert_true(sk_X509_EXTENSION_push(exts, ext) > 0);
	}
	if (sk_X509_EXTENSION_num(exts) > 0)
		assert_int_equal(X509_REQ_add_extensions(req, exts), 1);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
}

static void add_subject(X509_NAME *name, const char *type, const char *value)
{
	if (value != NULL)
		assert_int_equal(X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8,
					 (const unsigned char *)value, -1, -1, 0),
			1);
}

static void make_odd(const struct odd *o, struct buf *ret)
{
	EVP_PKEY *key = o->key != NULL ? o->key : EVP_EC_gen("P-256");
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = X509_REQ_get_subject_name(req);
	unsigned char *der = NULL;
	int len;

	assert_non_null(key);
	assert_int_equal(X509_REQ_set_version(req, o->version), 1);
	assert_int_equal(X509_REQ_set_pubkey(req, key), 1);
	add_subject(name, "CN", o->cn[0] != NULL ? o->cn[0] : "ann");
	add_subject(name, "CN", o->cn[1]);
	add_subject(name, "emailAddress", o->subject_email);
	add_extensions(req, o);
	if (o->challenge != NULL)
		assert_int_equal(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword,
					 MBSTRING_ASC, (const unsigned char *)o->challenge, -1),
			1);
	assert_true(X509_REQ_sign(req, key,
			    o->no_md                ? NULL
				    : o->md != NULL ? o->md
						    : EVP_sha256()) > 0);
	len = i2d_X509_REQ(req, &der);
	assert_true(len > 0);
	if (o->spoil_signature)
		der[len - 1] ^= 1;
	buf_add(ret, span_of(der, (size_t)len));
	OPENSSL_free(der);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
}

static int judge_odd(struct odd o, struct pki_csr_info *info, const char **reason)
{
	struct buf der = BUF_INIT(16384);
	int r;

	make_odd(&o, &der);
	r = read_csr(buf_span(&der), info, reason);
	buf_done(&der);
	return r;
}

static EVP_PKEY *rsa(unsigned bits, unsigned long exponent)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;
	BIGNUM *e = BN_new();

	assert_int_equal(BN_set_word(e, exponent), 1);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e), 1);
	assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
	BN_free(e);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* P-256 with one of its parameters set otherwise than usual. */
static EVP_PKEY *odd_ec(const char *parameter, const char *value)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	assert_non_null(key);
	assert_int_equal(EVP_PKEY_set_utf8_string_param(key, parameter, value), 1);
	return key;
}

static void test_keys(void **state)
{
	struct pki_csr_info info;
	const char *reason = NULL;

	(void)state;
	assert_int_equal(judge_odd((struct odd){.key = EVP_EC_gen("P-384")}, &info, &reason), 0);
	assert_int_equal(judge_odd((struct odd){.key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
					   .no_md = true},
				 &info, &reason),
		0);
	assert_int_equal(judge_odd((struct odd){.key = rsa(2048, 65537)}, &info, &reason), 0);

	assert_int_equal(
		judge_odd((struct odd){.key = rsa(1024, 65537)}, &info, &reason), -EKEYREJECTED);
	assert_string_equal(reason, "the RSA key is shorter than 2048 bits");
	assert_int_equal(
		judge_odd((struct odd){.key = rsa(2048, 3)}, &info, &reason), -EKEYREJECTED);
	assert_non_null(strstr(reason, "exponent"));
	assert_int_equal(
		judge_odd((struct odd){.key = EVP_EC_gen("P-521")}, &info, &reason), -EKEYREJECTED);
	assert_int_equal(judge_odd((struct odd){.key = EVP_EC_gen("secp256k1")}, &info, &reason),
		-EKEYREJECTED);
	assert_string_equal(reason, "the key's curve is not P-256 or P-384");
	assert_int_equal(judge_odd((struct odd){.key = odd_ec(OSSL_PKEY_PARAM_EC_ENCODING,
							OSSL_PKEY_EC_ENCODING_EXPLICIT)},
				 &info, &reason),
		-EKEYREJECTED);
	assert_string_equal(reason, "the key's curve is not given by its name");
	assert_int_equal(
		judge_odd((struct odd){.key = odd_ec(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
					       OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_COMPRESSED)},
			&info, &reason),
		-EKEYREJECTED);
	assert_string_equal(reason, "the key's point is compressed");
	assert_int_equal(judge_odd((struct odd){.key = EVP_PKEY_Q_keygen(NULL, NULL, "ED448"),
					   .no_md = true},
				 &info, &reason),
		-EKEYREJECTED);
}

struct refusal {
	struct odd odd;
	int error;
	const char *reason; /* a part of it */
};

static void test_refusals(void **state)
{
	const struct refusal rows[] = {
		{{.ext = {"basicConstraints=CA:TRUE"}}, -EKEYREJECTED, "certificate authority"},
		{{.ext = {"basicConstraints=critical,CA:TRUE,pathlen:0"}}, -EKEYREJECTED,
			"certificate authority"},
		{{.ext = {"keyUsage=digitalSignature,keyCertSign"}}, -EKEYREJECTED,
			"signs certificates"},
		{{.ext = {"keyUsage=cRLSign"}}, -EKEYREJECTED, "signs certificates"},
		{{.ext = {"subjectAltName=email:a@example.org,email:b@example.org"}}, -EKEYREJECTED,
			"more than one e-mail"},
		{{.ext = {"subjectAltName=email:a@example.org"}, .subject_email = "b@example.org"},
			-EKEYREJECTED, "more than one e-mail"},
		{{.ext = {"subjectAltName=URI:http://example.org/"}}, -EKEYREJECTED,
			"kind of name"},
		{{.ext = {"subjectAltName=otherName:1.2.3.4;UTF8:ann"}}, -EKEYREJECTED,
			"kind of name"},
		{{.ext = {"subjectAltName=DER:30030C0161"}}, -EBADMSG, "alternative names"},
		{{.ext = {"subjectAltName=email:a@example.org",
			  "subjectAltName=email:b@example.org"}},
			-EBADMSG, "alternative names"},
		{{.ext = {"keyUsage=DER:0500"}}, -EBADMSG, "key usage"},
		{{.ext = {"basicConstraints=DER:0500"}}, -EBADMSG, "basic constraints"},
		{{.cn = {"ann", "bob"}}, -EBADMSG, "common name"},
		{{.cn = {"ann\nbob"}}, -EBADMSG, "common name"},
		{{.version = 1}, -EBADMSG, "version"},
		{{.md = EVP_sha1()}, -EKEYREJECTED, "weak"},
		{{.spoil_signature = true}, -EKEYREJECTED, "does not prove"},
	};
	struct pki_csr_info info;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *reason = "";

		assert_int_equal(judge_odd(rows[i].odd, &info, &reason), rows[i].error);
		if (strstr(reason, rows[i].reason) == NULL)
			fail_msg("row %zu: %s", i, reason);
	}
}

static void test_what_is_read(void **state)
{
	struct pki_csr_info info;
	const char *reason = NULL;

	(void)state;
	assert_int_equal(
		judge_odd((struct odd){.ext = {"subjectAltName=DNS:a.example.org,IP:192.0.2.1,"
					       "IP:2001:db8::1",
					       "basicConstraints=CA:FALSE",
					       "keyUsage=digitalSignature"},
				  .subject_email = "ann@example.org",
				  .challenge = "YmluZGluZw=="},
			&info, &reason),
		0);
	assert_int_equal(info.host_count, 3);
	assert_string_equal(info.hosts[0], "a.example.org");
	assert_string_equal(info.hosts[1], "192.0.2.1");
	assert_string_equal(info.hosts[2], "2001:db8::1");
	assert_string_equal(info.email, "ann@example.org");
	assert_string_equal(info.challenge, "YmluZGluZw==");
}

static void expect_der(struct span body, struct span der)
{
	struct buf got = BUF_INIT(16384);

	assert_int_equal(pki_unarmor(body, "CERTIFICATE REQUEST", &got), 0);
	assert_true(span_eq(buf_span(&got), der));
	buf_done(&got);
}

static void test_unarmor(void **state)
{
	static const char *const bad[] = {"", "hello, world",
		"TUlJ=", "-----BEGIN CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n",
		"-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END OTHER-----\n"};
	struct buf der = BUF_INIT(8192), text = BUF_INIT(16384), got = BUF_INIT(8192);

	(void)state;
	assert_int_equal(pki_csr_new(ann.key, "ann", NULL, NULL, &der), 0);
	expect_der(buf_span(&der), buf_span(&der));
	text_base64(&text, buf_span(&der), 0);
	expect_der(buf_span(&text), buf_span(&der));
	buf_reset(&text);
	text_base64(&text, buf_span(&der), 64);
	buf_add_str(&text, "\r\n");
	expect_der(buf_span(&text), buf_span(&der));
	for (unsigned i = 0; i < 2; i++) {
		const char *label = i == 0 ? "CERTIFICATE REQUEST" : "NEW CERTIFICATE REQUEST";

		buf_reset(&text);
		buf_addf(&text, "a comment\n-----BEGIN %s-----\n", label);
		text_base64(&text, buf_span(&der), 64);
		buf_addf(&text, "-----END %s-----\n", label);
		expect_der(buf_span(&text), buf_span(&der));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
			pki_unarmor(span_str(bad[i]), "CERTIFICATE REQUEST", &got), -EBADMSG);
		assert_int_equal(got.len, 0);
	}
	buf_done(&der);
	buf_done(&text);
	buf_done(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_old_proof),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_what_is_read),
		cmocka_unit_test(test_unarmor),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
