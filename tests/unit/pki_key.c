/* Keys, PEM, DER's shape, reading certificates, PKCS#7, serials. */
#include "base/text.h"
#include "base/timefmt.h"
#include "pki/der.h"
#include "tests/unit/lib/pki_fixture.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int take_key(void *arg, struct pki_key *k)
{
	unsigned *count = arg;

	++*count;
	pki_key_free(k);
	return 0;
}

static void test_keys(void **state)
{
	struct buf pem = BUF_INIT(65536), spki = BUF_INIT(4096), again = BUF_INIT(4096);
	struct pki_key *key = NULL, *copy = NULL;
	unsigned count = 0;

	(void)state;
	assert_int_equal(pki_key_new(&key), 0);
	buf_add_str(&pem, "a comment first\n");
	assert_int_equal(pki_key_to_pem(key, &pem), 0);
	assert_int_equal(pki_key_from_pem(buf_span(&pem), &copy), 0);
	assert_int_equal(pki_key_spki(key, &spki), 0);
	assert_int_equal(pki_key_spki(copy, &again), 0);
	assert_true(span_eq(buf_span(&spki), buf_span(&again)));
	assert_int_equal(spki.len, 91);
	assert_int_equal(pki_key_to_pem(key, &pem), 0);
	assert_int_equal(pki_key_each_pem(buf_span(&pem), take_key, &count), 0);
	assert_int_equal(count, 2);
	pki_key_freep(&key);
	pki_key_freep(&copy);
	buf_wipe(&pem);
	buf_done(&spki);
	buf_done(&again);
}

/* Encrypted, cut, empty, of another kind: refused, without a question on the terminal. */
static void test_bad_key_pem(void **state)
{
	struct buf pem = BUF_INIT(8192);
	struct pki_key *key = NULL, *none = NULL;
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long len;

	(void)state;
	assert_int_equal(pki_key_from_pem(SPAN_LIT(""), &none), -EBADMSG);
	assert_int_equal(pki_key_from_pem(SPAN_LIT("no key"), &none), -EBADMSG);
	assert_int_equal(pki_key_from_pem(SPAN_LIT("-----BEGIN PRIVATE KEY-----\nMAA=\n"
						   "-----END PRIVATE KEY-----\n"),
				 &none),
		-EBADMSG);
	assert_int_equal(pki_key_new(&key), 0);
	assert_int_equal(pki_key_to_pem(key, &pem), 0);
	assert_int_equal(pki_key_from_pem(span_of(pem.p, pem.len / 2), &none), -EBADMSG);
	assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, EVP_aes_128_cbc(),
				 (const unsigned char *)"secret", 6, NULL, NULL),
		1);
	len = BIO_get_mem_data(bio, &p);
	assert_int_equal(pki_key_from_pem(span_of(p, (size_t)len), &none), -EBADMSG);
	(void)BIO_reset(bio);
	assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, pkey, EVP_aes_128_cbc(),
				 (const unsigned char *)"secret", 6, NULL, NULL),
		1);
	len = BIO_get_mem_data(bio, &p);
	assert_int_equal(pki_key_from_pem(span_of(p, (size_t)len), &none), -EBADMSG);
	(void)BIO_reset(bio);
	assert_int_equal(
		PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &p);
	assert_int_equal(pki_key_from_pem(span_of(p, (size_t)len), &none), 0);
	assert_null(strstr(p, "BEGIN PRIVATE"));
	pki_key_freep(&none);
	pki_key_freep(&key);
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	buf_wipe(&pem);
}

static void test_sign_and_verify(void **state)
{
	struct buf spki = BUF_INIT(4096), other_spki = BUF_INIT(4096), signature = BUF_INIT(512);
	struct pki_key *key = NULL, *other = NULL;

	(void)state;
	assert_int_equal(pki_key_new(&key), 0);
	assert_int_equal(pki_key_new(&other), 0);
	assert_int_equal(pki_key_spki(key, &spki), 0);
	assert_int_equal(pki_key_spki(other, &other_spki), 0);
	assert_int_equal(pki_sign(key, SPAN_LIT("hello"), &signature), 0);
	assert_int_equal(pki_verify(buf_span(&spki), SPAN_LIT("hello"), buf_span(&signature)), 0);
	assert_int_equal(pki_verify(buf_span(&spki), SPAN_LIT("hellp"), buf_span(&signature)),
		-EKEYREJECTED);
	assert_int_equal(pki_verify(buf_span(&other_spki), SPAN_LIT("hello"), buf_span(&signature)),
		-EKEYREJECTED);
	for (size_t len = 0; len < signature.len; len++)
		assert_int_equal(
			pki_verify(buf_span(&spki), SPAN_LIT("hello"), span_of(signature.p, len)),
			-EKEYREJECTED);
	for (size_t len = 0; len < spki.len; len++)
		assert_int_equal(
			pki_verify(span_of(spki.p, len), SPAN_LIT("hello"), buf_span(&signature)),
			-EKEYREJECTED);
	/* Nothing is left for TLS to stumble over. */
	assert_int_equal(ERR_peek_error(), 0);
	pki_key_freep(&key);
	pki_key_freep(&other);
	buf_done(&spki);
	buf_done(&other_spki);
	buf_done(&signature);
}

static void test_der(void **state)
{
	static const struct {
		struct span der;
		int result;
	} rows[] = {
		{SPAN_LIT("\x30\x00"), 0}, {SPAN_LIT("\x30\x03\x02\x01\x05"), 0},
		{SPAN_LIT("\x02\x01\xff"), 0}, {SPAN_LIT("\x02\x02\x00\x80"), 0},
		{SPAN_LIT("\x01\x01\xff"), 0}, {SPAN_LIT("\xa0\x02\x05\x00"), 0},
		{SPAN_LIT("\x06\x03\x55\x04\x03"), 0}, {SPAN_LIT("\x03\x02\x07\x80"), 0},
		{SPAN_LIT(""), -EBADMSG}, {SPAN_LIT("\x30"), -EBADMSG},
		{SPAN_LIT("\x30\x01"), -EBADMSG},
		{SPAN_LIT("\x30\x00\x00"), -EBADMSG}, /* something behind */
		{SPAN_LIT("\x30\x80\x00\x00"), -EBADMSG}, /* indefinite */
		{SPAN_LIT("\x30\x81\x00"), -EBADMSG}, /* longer than needed */
		{SPAN_LIT("\x04\x81\x01x"), -EBADMSG}, {SPAN_LIT("\x04\x82\x00\x01x"), -EBADMSG},
		{SPAN_LIT("\x30\x85\x01\x00\x00\x00\x00"), -EBADMSG},
		{SPAN_LIT("\x30\x84\xff\xff\xff\xff"), -EBADMSG},
		{SPAN_LIT("\x24\x00"), -EBADMSG}, /* constructed string */
		{SPAN_LIT("\x10\x00"), -EBADMSG}, /* primitive sequence */
		{SPAN_LIT("\x1f\x81\x00\x00"), -EBADMSG}, /* long tag */
		{SPAN_LIT("\x00\x00"), -EBADMSG}, /* end of contents */
		{SPAN_LIT("\x01\x01\x01"), -EBADMSG}, /* not a DER boolean */
		{SPAN_LIT("\x01\x02\xff\xff"), -EBADMSG}, {SPAN_LIT("\x02\x00"), -EBADMSG},
		{SPAN_LIT("\x02\x02\x00\x7f"), -EBADMSG}, /* padded */
		{SPAN_LIT("\x02\x02\xff\x80"), -EBADMSG}, {SPAN_LIT("\x05\x01\x00"), -EBADMSG},
		{SPAN_LIT("\x06\x00"), -EBADMSG},
		{SPAN_LIT("\x06\x02\x80\x01"), -EBADMSG}, /* padded arc */
		{SPAN_LIT("\x06\x01\x85"), -EBADMSG}, /* cut arc */
		{SPAN_LIT("\x03\x00"), -EBADMSG}, {SPAN_LIT("\x03\x01\x01"), -EBADMSG},
		{SPAN_LIT("\x03\x02\x08\x00"), -EBADMSG},
		{SPAN_LIT("\x03\x02\x07\x81"), -EBADMSG}, /* unused bits set */
	};
	unsigned char deep[2 * (DER_DEPTH_MAX + 2)];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (der_check(rows[i].der) != rows[i].result)
			fail_msg("row %zu", i);
	for (size_t levels = 1; levels <= sizeof(deep) / 2; levels++) {
		for (size_t i = 0; i < levels; i++) {
			deep[2 * i] = 0x30;
			deep[2 * i + 1] = (unsigned char)(2 * (levels - 1 - i));
		}
		assert_int_equal(der_check(span_of(deep, 2 * levels)),
			levels <= DER_DEPTH_MAX ? 0 : -EBADMSG);
	}
}

static void test_serials(void **state)
{
	unsigned char a[PKI_SERIAL_LEN], b[PKI_SERIAL_LEN];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(pki_serial_new(a), 0);
		assert_in_range(a[0], 1, 0x7f);
	}
	assert_int_equal(pki_serial_new(b), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void test_read(void **state)
{
	struct fixture_ca ca;
	struct fixture_cert user, host;
	struct pki_cert_info info;
	struct buf spki = BUF_INIT(4096);

	(void)state;
	fixture_ca_make(&ca);
	fixture_leaf(&ca, PKI_USER, &user);
	fixture_leaf(&ca, PKI_HOST, &host);
	assert_int_equal(pki_cert_read(buf_span(&user.der), &info), 0);
	assert_int_equal(info.serial_len, PKI_SERIAL_LEN);
	assert_memory_equal(info.serial, user.serial, PKI_SERIAL_LEN);
	assert_string_equal(info.cn, "ann");
	assert_string_equal(info.subject, "CN=ann");
	assert_string_equal(info.issuer, "CN=Test Issuing CA");
	assert_string_equal(info.email, "ann@example.org");
	assert_true(info.eku_client && info.eku_email && info.eku_peer);
	assert_false(info.eku_server || info.eku_timestamp || info.eku_ocsp || info.is_ca);
	assert_string_equal(info.crl_url, FIXTURE_CRL_URL);
	assert_string_equal(info.ocsp_url, FIXTURE_OCSP_URL);
	assert_string_equal(info.issuer_url, FIXTURE_ISSUER_URL);
	assert_int_equal(strlen(info.ski_hex), 40);
	assert_int_equal(
		info.not_before_us, (ca.now_us - 3600 * TIME_S_US) / TIME_S_US * TIME_S_US);
	assert_int_equal(pki_cert_read(buf_span(&host.der), &info), 0);
	assert_int_equal(info.host_count, 3);
	assert_string_equal(info.hosts[2], "::1");
	assert_true(info.eku_server && !info.eku_client);
	assert_int_equal(pki_cert_spki(buf_span(&host.der), &spki), 0);
	assert_true(span_eq(buf_span(&spki), buf_span(&host.spki)));
	assert_int_equal(pki_cert_read(buf_span(&ca.ocsp.der), &info), 0);
	assert_true(info.eku_ocsp);
	assert_string_equal(info.ocsp_url, "");
	for (size_t len = 0; len < user.der.len; len++)
		assert_int_equal(pki_cert_read(span_of(user.der.p, len), &info), -EBADMSG);
	buf_done(&spki);
	fixture_cert_free(&user);
	fixture_cert_free(&host);
	fixture_ca_free(&ca);
}

static int compare(void *arg, struct span der)
{
	struct span **expected = arg;

	assert_true(span_eq(der, **expected));
	(*expected)++;
	return 0;
}

static void test_certs_only(void **state)
{
	struct buf p7 = BUF_INIT(65536), pems = BUF_INIT(65536);
	struct fixture_ca ca;
	struct span ders[2], *next = ders, pem;

	(void)state;
	fixture_ca_make(&ca);
	ders[0] = buf_span(&ca.issuing.der);
	ders[1] = buf_span(&ca.root.der);
	assert_int_equal(pki_certs_only(ders, 2, &p7), 0);
	assert_int_equal(pki_certs_only_each(buf_span(&p7), compare, &next), 0);
	assert_ptr_equal(next, ders + 2);
	for (size_t len = 0; len < p7.len; len += 3) {
		next = ders;
		assert_int_equal(pki_certs_only_each(span_of(p7.p, len), compare, &next), -EBADMSG);
	}
	/* The same from PEM, as one text. */
	buf_add(&pems, buf_span(&ca.issuing.pem));
	buf_add(&pems, buf_span(&ca.root.pem));
	pem = buf_span(&pems);
	buf_reset(&p7);
	next = ders;
	assert_int_equal(pki_certs_only(&pem, 1, &p7), 0);
	assert_int_equal(pki_certs_only_each(buf_span(&p7), compare, &next), 0);
	assert_ptr_equal(next, ders + 2);
	next = ders;
	assert_int_equal(pki_cert_each_pem(pem, compare, &next), 0);
	assert_ptr_equal(next, ders + 2);
	assert_int_equal(pki_certs_only(NULL, 0, &p7), -EINVAL);
	buf_done(&p7);
	buf_done(&pems);
	fixture_ca_free(&ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_bad_key_pem),
		cmocka_unit_test(test_sign_and_verify),
		cmocka_unit_test(test_der),
		cmocka_unit_test(test_serials),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_certs_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
