/*
 * The linter against planted faults: a good certificate is altered, signed again by the issuer, and
 * must be refused for the reason planted. And templates that pki_issue() must not take.
 */
#include "base/timefmt.h"
#include "tests/unit/lib/pki_fixture.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct fixture_ca ca;

static int set_up(void **state)
{
	(void)state;
	fixture_ca_make(&ca);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_ca_free(&ca);
	return 0;
}

static EVP_PKEY *key_of(const struct fixture_cert *c)
{
	struct buf pem = BUF_INIT(4096);
	EVP_PKEY *key;
	BIO *bio;

	assert_int_equal(pki_key_to_pem(c->key, &pem), 0);
	bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	assert_non_null(key);
	BIO_free(bio);
	buf_wipe(&pem);
	return key;
}

static void drop(X509 *x, int nid)
{
	int at = X509_get_ext_by_NID(x, nid, -1);

	assert_true(at >= 0);
	X509_EXTENSION_free(X509_delete_ext(x, at));
}

static void add(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_nconf_nid(NULL, NULL, nid, value);

	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static void replace(X509 *x, int nid, const char *value)
{
	drop(x, nid);
	add(x, nid, value);
}

static void set_serial_hex(X509 *x, const char *hex)
{
	BIGNUM *bn = NULL;

	assert_true(BN_hex2bn(&bn, hex) > 0);
	assert_non_null(BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)));
	BN_free(bn);
}

static void no_aki(X509 *x)
{
	drop(x, NID_authority_key_identifier);
}
static void no_ski(X509 *x)
{
	drop(x, NID_subject_key_identifier);
}
static void empty_subject(X509 *x)
{
	X509_NAME *empty = X509_NAME_new();

	assert_int_equal(X509_set_subject_name(x, empty), 1);
	X509_NAME_free(empty);
}
static void cert_sign(X509 *x)
{
	replace(x, NID_key_usage, "critical,digitalSignature,keyAgreement,keyCertSign");
}
static void encipherment(X509 *x)
{
	replace(x, NID_key_usage, "critical,digitalSignature,keyAgreement,keyEncipherment");
}
static void no_usage(X509 *x)
{
	drop(x, NID_key_usage);
}
static void soft_usage(X509 *x)
{
	replace(x, NID_key_usage, "digitalSignature,keyAgreement");
}
static void serial_zero(X509 *x)
{
	set_serial_hex(x, "0");
}
static void serial_negative(X509 *x)
{
	set_serial_hex(x, "-7f000102030405060708090a0b0c0d0e");
}
static void serial_long(X509 *x)
{
	set_serial_hex(x, "7f000102030405060708090a0b0c0d0e0f10111213");
}
static void serial_short(X509 *x)
{
	set_serial_hex(x, "0102030405");
}
static void is_ca(X509 *x)
{
	add(x, NID_basic_constraints, "critical,CA:TRUE");
}
static void server_too(X509 *x)
{
	replace(x, NID_ext_key_usage, "clientAuth,emailProtection," PKI_EKU_PEER ",serverAuth");
}
static void any_eku(X509 *x)
{
	replace(x, NID_ext_key_usage, "clientAuth,emailProtection,anyExtendedKeyUsage");
}
static void no_eku(X509 *x)
{
	drop(x, NID_ext_key_usage);
}
static void critical_eku(X509 *x)
{
	replace(x, NID_ext_key_usage, "critical,clientAuth,emailProtection," PKI_EKU_PEER);
}
static void no_names(X509 *x)
{
	drop(x, NID_subject_alt_name);
}
static void two_emails(X509 *x)
{
	replace(x, NID_subject_alt_name, "email:ann@example.org,email:bob@example.org");
}
static void host_name(X509 *x)
{
	replace(x, NID_subject_alt_name, "email:ann@example.org,DNS:localhost");
}
static void critical_names(X509 *x)
{
	replace(x, NID_subject_alt_name, "critical,email:ann@example.org");
}
static void comment(X509 *x)
{
	add(x, NID_netscape_comment, "hello");
}
static void twice(X509 *x)
{
	int at = X509_get_ext_by_NID(x, NID_crl_distribution_points, -1);

	assert_int_equal(X509_add_ext(x, X509_get_ext(x, at), -1), 1);
}
static void nocheck(X509 *x)
{
	add(x, NID_id_pkix_OCSP_noCheck, "NULL");
}
static void version_1(X509 *x)
{
	assert_int_equal(X509_set_version(x, X509_VERSION_2), 1);
}
static void beyond_issuer(X509 *x)
{
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 11L * 366 * 86400));
}
static void before_issuer(X509 *x)
{
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), -86400));
}
static void ends_first(X509 *x)
{
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), -3700));
}
static void other_issuer(X509 *x)
{
	assert_int_equal(X509_set_issuer_name(x, X509_get_subject_name(x)), 1);
}
static void weak_key(X509 *x)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);

	assert_int_equal(X509_set_pubkey(x, key), 1);
	EVP_PKEY_free(key);
}
static void soft_constraints(X509 *x)
{
	replace(x, NID_basic_constraints, "CA:TRUE,pathlen:0");
}
static void longer_path(X509 *x)
{
	replace(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:1");
}
static void no_constraints(X509 *x)
{
	drop(x, NID_basic_constraints);
}
static void nothing(X509 *x)
{
	(void)x;
}
static void underscore(X509 *x)
{
	replace(x, NID_subject_alt_name, "DNS:a_b.example.org");
}
static void tsa_soft(X509 *x)
{
	replace(x, NID_ext_key_usage, "timeStamping");
}
static void tsa_more(X509 *x)
{
	replace(x, NID_ext_key_usage, "critical,timeStamping,clientAuth");
}
static void drop_nocheck(X509 *x)
{
	drop(x, NID_id_pkix_OCSP_noCheck);
}

struct fault {
	enum pki_profile profile;
	void (*plant)(X509 *x);
	const char *reason; /* a part of it; NULL: accepted */
};

static const struct fault faults[] = {
	{PKI_USER, nothing, NULL},
	{PKI_HOST, nothing, NULL},
	{PKI_TSA, nothing, NULL},
	{PKI_OCSP, nothing, NULL},
	{PKI_CMP, nothing, NULL},
	{PKI_ISSUING, nothing, NULL},
	{PKI_ROOT, nothing, NULL},
	{PKI_USER, no_aki, "key identifier"},
	{PKI_USER, no_ski, "key identifier"},
	{PKI_USER, empty_subject, "subject is missing"},
	{PKI_USER, cert_sign, "key usage"},
	{PKI_USER, encipherment, "key usage"},
	{PKI_USER, no_usage, "key usage"},
	{PKI_USER, soft_usage, "wrongly critical"},
	{PKI_USER, serial_zero, "serial"},
	{PKI_USER, serial_negative, "serial"},
	{PKI_USER, serial_long, "serial"},
	{PKI_USER, serial_short, "serial"},
	{PKI_USER, is_ca, "basic constraints"},
	{PKI_USER, server_too, "extended key usage"},
	{PKI_USER, any_eku, "extended key usage"},
	{PKI_USER, no_eku, "extended key usage"},
	{PKI_USER, critical_eku, "wrongly critical"},
	{PKI_USER, no_names, "alternative names"},
	{PKI_USER, two_emails, "alternative names"},
	{PKI_USER, host_name, "alternative names"},
	{PKI_USER, critical_names, "wrongly critical"},
	{PKI_USER, comment, "unknown"},
	{PKI_USER, twice, NULL /* OpenSSL's own reading refuses it, see below */},
	{PKI_USER, nocheck, "ocsp-nocheck"},
	{PKI_USER, version_1, "version 3"},
	{PKI_USER, beyond_issuer, "validity"},
	{PKI_USER, before_issuer, "validity"},
	{PKI_USER, ends_first, "validity"},
	{PKI_USER, other_issuer, "issuer"},
	{PKI_USER, weak_key, "public key"},
	{PKI_ISSUING, soft_constraints, "wrongly critical"},
	{PKI_ISSUING, longer_path, "basic constraints"},
	{PKI_ISSUING, no_constraints, "basic constraints"},
	{PKI_ISSUING, no_usage, "key usage"},
	{PKI_ISSUING, no_ski, "key identifier"},
	{PKI_HOST, underscore, "alternative names"},
	{PKI_HOST, no_names, "alternative names"},
	{PKI_TSA, tsa_soft, "wrongly critical"},
	{PKI_TSA, tsa_more, "extended key usage"},
	{PKI_OCSP, drop_nocheck, "ocsp-nocheck"},
};

/* The certificate altered by plant and signed again with key. */
static void alter(
	const struct fixture_cert *leaf, void (*plant)(X509 *x), EVP_PKEY *key, struct buf *ret)
{
	const unsigned char *p = leaf->der.p;
	X509 *x = d2i_X509(NULL, &p, (long)leaf->der.len);
	unsigned char *der = NULL;
	int len;

	assert_non_null(x);
	plant(x);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	len = i2d_X509(x, &der);
	assert_true(len > 0);
	buf_add(ret, span_of(der, (size_t)len));
	OPENSSL_free(der);
	X509_free(x);
}

static void check_fault(size_t i)
{
	const struct fault *f = &faults[i];
	const struct fixture_cert *issuer = f->profile == PKI_ISSUING ? &ca.root : &ca.issuing;
	struct span issuer_der = f->profile == PKI_ROOT ? (struct span){0} : buf_span(&issuer->der);
	struct buf der = BUF_INIT(8192);
	struct fixture_cert leaf;
	const char *reason = "";
	EVP_PKEY *key;
	int r;

	fixture_leaf(&ca, f->profile, &leaf);
	key = key_of(f->profile == PKI_ROOT ? &leaf : issuer);
	alter(&leaf, f->plant, key, &der);
	r = pki_cert_lint(buf_span(&der), issuer_der, f->profile, &reason);
	if (f->plant == twice)
		assert_true(r < 0);
	else if (f->reason == NULL ? r != 0
				   : r != -EKEYREJECTED || strstr(reason, f->reason) == NULL)
		fail_msg("fault %zu: %d %s", i, r, reason);
	EVP_PKEY_free(key);
	fixture_cert_free(&leaf);
	buf_done(&der);
}

static void test_planted_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		check_fault(i);
}

static void test_wrong_signer_and_profile(void **state)
{
	struct fixture_cert leaf;
	struct buf der = BUF_INIT(8192);
	const char *reason = "";
	EVP_PKEY *key = EVP_EC_gen("P-256");

	(void)state;
	fixture_leaf(&ca, PKI_USER, &leaf);
	alter(&leaf, nothing, key, &der);
	assert_int_equal(
		pki_cert_lint(buf_span(&der), buf_span(&ca.issuing.der), PKI_USER, &reason),
		-EKEYREJECTED);
	assert_string_equal(reason, "the signature is not the issuer's");
	for (enum pki_profile p = PKI_ROOT; p <= PKI_CMP; p++)
		if (p != PKI_USER)
			assert_int_equal(pki_cert_lint(buf_span(&leaf.der),
						 buf_span(&ca.issuing.der), p, &reason),
				-EKEYREJECTED);
	/* A user is no issuer. */
	assert_int_equal(pki_cert_lint(buf_span(&leaf.der), buf_span(&leaf.der), PKI_USER, &reason),
		-EKEYREJECTED);
	for (size_t len = 0; len < leaf.der.len; len++)
		assert_int_equal(pki_cert_lint(span_of(leaf.der.p, len), buf_span(&ca.issuing.der),
					 PKI_USER, &reason),
			-EBADMSG);
	EVP_PKEY_free(key);
	fixture_cert_free(&leaf);
	buf_done(&der);
}

static int try_template(const struct pki_template *t)
{
	struct buf der = BUF_INIT(8192);
	int r = pki_issue(t, buf_span(&ca.issuing.der), ca.issuing.key, &der);

	assert_int_equal(der.len > 0, r == 0);
	buf_done(&der);
	return r;
}

static void test_bad_templates(void **state)
{
	static const char long_cn[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const char *const bad_emails[] = {NULL, "", "ann", "@example.org", "ann@",
		"ann@a_b.org", "ann@b@example.org", "a nn@example.org", "ann@example.org.",
		"\xc3\xa4nn@example.org"};
	static const char *const bad_hosts[] = {
		"", "a_b", "-a", "a-", "a..b", ".a", "a.", "*.b", "a b", "1.2.3.4.5/24"};
	struct fixture_cert c, h;
	struct pki_template good, t;

	(void)state;
	fixture_key(&c);
	fixture_key(&h);
	good = fixture_template(&ca, PKI_USER, &c);
	assert_int_equal(try_template(&good), 0);
	for (size_t i = 0; i < sizeof(bad_emails) / sizeof(bad_emails[0]); i++) {
		t = good;
		t.email = bad_emails[i];
		assert_int_equal(try_template(&t), -EINVAL);
	}
	t = good, t.cn = "";
	assert_int_equal(try_template(&t), -EINVAL);
	t = good, t.cn = long_cn;
	assert_int_equal(try_template(&t), -EINVAL);
	t = good, t.cn = "a\nb";
	assert_int_equal(try_template(&t), -EINVAL);
	t = good, t.serial[0] = 0;
	assert_int_equal(try_template(&t), -EINVAL);
	t = good, t.serial[0] = 0x80;
	assert_int_equal(try_template(&t), -EINVAL);
	t = good, t.not_after_us = t.not_before_us;
	assert_int_equal(try_template(&t), -EINVAL);
	t = good, t.crl_url = "https://example.org/crl";
	assert_int_equal(try_template(&t), -EINVAL);
	t = good, t.spki.len--;
	assert_int_equal(try_template(&t), -EINVAL);
	t = good, t.profile = PKI_ROOT;
	assert_int_equal(try_template(&t), -EINVAL);
	/* Entirely behind the issuer's life. */
	t = good, t.not_before_us = ca.now_us + INT64_C(4000) * 86400 * TIME_S_US,
	t.not_after_us = t.not_before_us + TIME_S_US;
	assert_int_equal(try_template(&t), -EINVAL);
	good = fixture_template(&ca, PKI_HOST, &h);
	assert_int_equal(try_template(&good), 0);
	for (size_t i = 0; i < sizeof(bad_hosts) / sizeof(bad_hosts[0]); i++) {
		t = good;
		t.hosts[1] = bad_hosts[i];
		assert_int_equal(try_template(&t), -EINVAL);
	}
	t = good, t.host_count = 0;
	assert_int_equal(try_template(&t), -EINVAL);
	fixture_cert_free(&c);
	fixture_cert_free(&h);
}

static void test_wrong_issuer_key(void **state)
{
	struct buf der = BUF_INIT(8192);
	struct fixture_cert c, user;
	struct pki_template t;

	(void)state;
	fixture_key(&c);
	fixture_leaf(&ca, PKI_USER, &user);
	t = fixture_template(&ca, PKI_USER, &c);
	assert_int_equal(pki_issue(&t, buf_span(&ca.issuing.der), ca.root.key, &der), -EINVAL);
	/* A user's key does not issue, though it fits its certificate. */
	assert_int_equal(pki_issue(&t, buf_span(&user.der), user.key, &der), -EINVAL);
	assert_int_equal(der.len, 0);
	buf_done(&der);
	fixture_cert_free(&c);
	fixture_cert_free(&user);
}

static void test_clamped_to_issuer(void **state)
{
	struct pki_cert_info leaf_info, issuer_info;
	struct fixture_cert c;
	struct pki_template t;

	(void)state;
	fixture_key(&c);
	t = fixture_template(&ca, PKI_USER, &c);
	t.not_before_us = ca.now_us - INT64_C(86400) * 10 * TIME_S_US;
	t.not_after_us = ca.now_us + INT64_C(86400) * 20000 * TIME_S_US;
	fixture_issue(&ca, &t, &c);
	assert_int_equal(pki_cert_read(buf_span(&c.der), &leaf_info), 0);
	assert_int_equal(pki_cert_read(buf_span(&ca.issuing.der), &issuer_info), 0);
	assert_int_equal(leaf_info.not_after_us, issuer_info.not_after_us);
	assert_int_equal(leaf_info.not_before_us, issuer_info.not_before_us);
	fixture_cert_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_planted_faults),
		cmocka_unit_test(test_wrong_signer_and_profile),
		cmocka_unit_test(test_bad_templates),
		cmocka_unit_test(test_wrong_issuer_key),
		cmocka_unit_test(test_clamped_to_issuer),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
