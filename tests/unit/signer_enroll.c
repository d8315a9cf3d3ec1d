/* ENROLL and HOST of the signer: proofs, names, keys, profiles. */
#include "base/timefmt.h"
#include "tests/unit/lib/sign_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

/* A request for that name and a new key; the key goes to ret where it is wanted. */
static void make_csr(const char *cn, const char *email, struct buf *ret, struct pki_key **ret_key)
{
	struct pki_key *key = NULL;

	*ret = BUF_INIT(PKI_CSR_MAX);
	assert_int_equal(pki_key_new(&key), 0);
	assert_int_equal(pki_csr_new(key, cn, email, NULL, ret), 0);
	if (ret_key != NULL)
		*ret_key = key;
	else
		pki_key_free(key);
}

static int enroll(struct sign_fixture *f, enum signer_proof proof, const char *name,
	const char *secret, struct span csr)
{
	struct signer_request r = sign_fixture_request(SIGNER_ENROLL);

	r.proof = (uint8_t)proof;
	(void)snprintf(r.name, sizeof(r.name), "%s", name);
	r.secret = span_str(secret);
	r.csr = csr;
	return sign_fixture_call(f, &r);
}

static int renew(struct sign_fixture *f, const struct fixture_cert *old, struct span csr)
{
	struct signer_request r = sign_fixture_request(SIGNER_ENROLL);

	r.proof = SIGNER_PROOF_RENEW;
	r.serial = span_of(old->serial, sizeof(old->serial));
	r.csr = csr;
	return sign_fixture_call(f, &r);
}

static void password_gives_a_certificate(void **state)
{
	struct sign_fixture *f = *state;
	struct fixture_cert cert;
	struct pki_cert_info info;
	struct pki_verify v = {.root_pem = buf_span(&f->ca.root.pem),
		.extra_pem = buf_span(&f->ca.issuing.pem),
		.profile = PKI_USER};
	const char *reason = "";

	sign_fixture_enroll(f, "ann", &cert);
	assert_int_equal(pki_cert_verify(buf_span(&cert.der), &v, &reason), 0);
	assert_int_equal(pki_cert_read(buf_span(&cert.der), &info), 0);
	assert_string_equal(info.cn, "ann");
	assert_string_equal(info.email, "ann@example.org");
	assert_true(info.eku_client && info.eku_email && info.eku_peer && !info.eku_server);
	assert_string_equal(info.crl_url, "http://localhost:8080/ca/1.crl");
	assert_string_equal(info.ocsp_url, "http://localhost:8080/ocsp");
	assert_true(info.serial_len == 16 && info.serial[0] != 0 && info.serial[0] < 0x80);
	assert_true(info.not_after_us - time_now_us() > 29 * 86400 * TIME_S_US);
	assert_int_equal(sign_fixture_state(f, &cert), CERT_ISSUED);
	fixture_cert_free(&cert);
}

static void wrong_password_and_unknown_name_read_the_same(void **state)
{
	struct sign_fixture *f = *state;
	const char *reason;
	struct buf csr;

	make_csr("ann", NULL, &csr, NULL);
	assert_int_equal(
		enroll(f, SIGNER_PROOF_PASSWORD, "ann", "wrong password", buf_span(&csr)), EACCES);
	reason = f->reason;
	buf_done(&csr);
	make_csr("nobody-here", NULL, &csr, NULL);
	assert_int_equal(
		enroll(f, SIGNER_PROOF_PASSWORD, "nobody-here", "wrong password", buf_span(&csr)),
		EACCES);
	assert_string_equal(f->reason, reason);
	assert_int_equal(f->answer.len, 0);
	buf_done(&csr);
}

static void failures_in_a_loop_are_throttled(void **state)
{
	struct sign_fixture *f = *state;
	struct buf csr;
	int status = EACCES;

	sign_fixture_policy(f, "throttle_account", "3");
	make_csr("ann", NULL, &csr, NULL);
	for (unsigned i = 0; i < 8 && status == EACCES; i++)
		status = enroll(f, SIGNER_PROOF_PASSWORD, "ann", "wrong", buf_span(&csr));
	assert_int_equal(status, EBUSY);
	assert_true(f->wait_s > 0);
	assert_int_equal(
		enroll(f, SIGNER_PROOF_PASSWORD, "ann", SIGN_FIXTURE_PASSWORD, buf_span(&csr)),
		EBUSY);
	buf_done(&csr);
}

static void other_names_are_refused(void **state)
{
	static const struct {
		const char *cn, *email;
		int status;
	} rows[] = {
		{"bob", NULL, EKEYREJECTED},
		{"ann", "bob@example.org", EKEYREJECTED},
		{"ann", "ann@example.com", EKEYREJECTED},
		{"ann.example.org", NULL, EKEYREJECTED},
		{"localhost", NULL, EKEYREJECTED},
		{"ann", "ann@example.org", 0},
		{"ann@example.org", NULL, 0},
		{"Ann", NULL, 0},
	};
	struct sign_fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf csr;

		make_csr(rows[i].cn, rows[i].email, &csr, NULL);
		assert_int_equal(enroll(f, SIGNER_PROOF_PASSWORD, "ann", SIGN_FIXTURE_PASSWORD,
					 buf_span(&csr)),
			rows[i].status);
		buf_done(&csr);
	}
}

/* PKCS#10 with whatever is asked for, by OpenSSL alone. */
static void odd_csr(EVP_PKEY *key, const char *extension, const char *value, bool break_signature,
	struct buf *ret)
{
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = X509_NAME_new();
	unsigned char *der = NULL;
	int len;

	assert_int_equal(X509_NAME_add_entry_by_txt(
				 name, "CN", MBSTRING_ASC, (const unsigned char *)"ann", -1, -1, 0),
		1);
	X509_REQ_set_subject_name(req, name);
	X509_REQ_set_pubkey(req, key);
	if (extension != NULL) {
		STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();

		sk_X509_EXTENSION_push(
			list, X509V3_EXT_conf_nid(NULL, NULL, OBJ_sn2nid(extension), value));
		assert_int_equal(X509_REQ_add_extensions(req, list), 1);
		sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	}
	assert_true(X509_REQ_sign(req, key, EVP_sha256()) > 0);
	len = i2d_X509_REQ(req, &der);
	assert_true(len > 0);
	*ret = BUF_INIT(PKI_CSR_MAX);
	buf_add(ret, span_of(der, (size_t)len));
	if (break_signature)
		ret->p[ret->len - 1] ^= 1;
	OPENSSL_free(der);
	X509_NAME_free(name);
	X509_REQ_free(req);
}

static void expect_odd(struct sign_fixture *f, struct buf *csr)
{
	int status = enroll(f, SIGNER_PROOF_PASSWORD, "ann", SIGN_FIXTURE_PASSWORD, buf_span(csr));

	assert_true(status == EKEYREJECTED || status == EINVAL);
	assert_non_null(f->reason);
	assert_true(strlen(f->reason) > 10);
	assert_int_equal(f->answer.len, 0);
	buf_done(csr);
}

static void weak_and_greedy_requests_are_refused(void **state)
{
	struct sign_fixture *f = *state;
	EVP_PKEY *rsa = EVP_RSA_gen(1024);
	EVP_PKEY *curve = EVP_EC_gen("secp224r1");
	EVP_PKEY *good = EVP_EC_gen("P-256");
	struct buf csr;

	odd_csr(rsa, NULL, NULL, false, &csr);
	expect_odd(f, &csr);
	odd_csr(curve, NULL, NULL, false, &csr);
	expect_odd(f, &csr);
	odd_csr(good, "basicConstraints", "critical,CA:TRUE", false, &csr);
	expect_odd(f, &csr);
	odd_csr(good, "keyUsage", "keyCertSign", false, &csr);
	expect_odd(f, &csr);
	odd_csr(good, "subjectAltName", "DNS:localhost", false, &csr);
	expect_odd(f, &csr);
	odd_csr(good, NULL, NULL, true, &csr);
	expect_odd(f, &csr);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(curve);
	EVP_PKEY_free(good);
}

static void malformed_requests_are_refused(void **state)
{
	struct sign_fixture *f = *state;
	struct buf csr;

	make_csr("ann", NULL, &csr, NULL);
	for (size_t len = 0; len < csr.len; len += 7)
		assert_int_not_equal(enroll(f, SIGNER_PROOF_PASSWORD, "ann", SIGN_FIXTURE_PASSWORD,
					     span_of(csr.p, len)),
			0);
	buf_add_byte(&csr, 0);
	assert_int_not_equal(
		enroll(f, SIGNER_PROOF_PASSWORD, "ann", SIGN_FIXTURE_PASSWORD, buf_span(&csr)), 0);
	assert_int_equal(enroll(f, (enum signer_proof)0, "ann", "", buf_span(&csr)), EINVAL);
	buf_done(&csr);
}

static void an_invite_makes_the_account_once(void **state)
{
	struct sign_fixture *f = *state;
	struct account account;
	struct buf csr, second;
	char token[64];

	sign_fixture_invite(f, token);
	make_csr("carl", NULL, &csr, NULL);
	make_csr("dora", NULL, &second, NULL);
	/* Its own faults do not use the invite up. */
	assert_int_equal(
		enroll(f, SIGNER_PROOF_INVITE, "carl", token, buf_span(&second)), EKEYREJECTED);
	assert_int_equal(
		enroll(f, SIGNER_PROOF_INVITE, "carl", "abcd-efgh", buf_span(&csr)), EACCES);
	assert_int_equal(enroll(f, SIGNER_PROOF_INVITE, "carl", token, buf_span(&csr)), 0);
	assert_int_equal(account_get(f->s.store, "carl", &account), 0);
	assert_string_equal(account.password, "");
	assert_int_not_equal(enroll(f, SIGNER_PROOF_INVITE, "dora", token, buf_span(&second)), 0);
	assert_int_equal(account_get(f->s.store, "dora", &account), -ENOENT);
	buf_done(&csr);
	buf_done(&second);
}

static void an_invite_outlives_a_missing_key(void **state)
{
	struct sign_fixture *f = *state;
	struct sign_ca *ca = NULL;
	const struct pki_key *key;
	struct account account;
	struct buf csr;
	char token[64];

	for (size_t i = 0; i < f->g.ca_count; i++)
		if (f->g.cas[i].key != NULL)
			ca = &f->g.cas[i];
	assert_non_null(ca);
	key = ca->key;
	ca->key = NULL;
	sign_fixture_invite(f, token);
	make_csr("carl", NULL, &csr, NULL);
	assert_int_equal(enroll(f, SIGNER_PROOF_INVITE, "carl", token, buf_span(&csr)), EAGAIN);
	assert_int_equal(account_get(f->s.store, "carl", &account), -ENOENT);
	ca->key = key;
	assert_int_equal(enroll(f, SIGNER_PROOF_INVITE, "carl", token, buf_span(&csr)), 0);
	buf_done(&csr);
}

static void an_invite_does_not_open_other_names(void **state)
{
	static const char *const names[] = {"ann", "root", "localhost", "postmaster", "Bad Name",
		"1abc", "-x", "abcdefghijklmnopqrstuvwxyzabcdefgh"};
	struct sign_fixture *f = *state;
	char token[64];

	sign_fixture_invite(f, token);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf csr;

		make_csr(names[i], NULL, &csr, NULL);
		assert_int_not_equal(
			enroll(f, SIGNER_PROOF_INVITE, names[i], token, buf_span(&csr)), 0);
		assert_int_equal(f->answer.len, 0);
		buf_done(&csr);
	}
	sign_fixture_policy(f, "signup", "closed");
	{
		struct buf csr;

		make_csr("erna", NULL, &csr, NULL);
		assert_int_equal(
			enroll(f, SIGNER_PROOF_INVITE, "erna", token, buf_span(&csr)), EPERM);
		buf_done(&csr);
	}
}

static void renewal_needs_the_old_key(void **state)
{
	struct sign_fixture *f = *state;
	struct fixture_cert old;
	struct buf same = BUF_INIT(PKI_CSR_MAX), proved = BUF_INIT(PKI_CSR_MAX), fresh;
	struct pki_key *key = NULL;

	sign_fixture_enroll(f, "ann", &old);
	assert_int_equal(pki_csr_new(old.key, "ann", "ann@example.org", NULL, &same), 0);
	assert_int_equal(renew(f, &old, buf_span(&same)), 0);
	make_csr("ann", NULL, &fresh, &key);
	assert_int_equal(renew(f, &old, buf_span(&fresh)), EKEYREJECTED);
	assert_int_equal(pki_csr_new(key, "ann", NULL, old.key, &proved), 0);
	assert_int_equal(renew(f, &old, buf_span(&proved)), 0);
	/* A proof by some other key proves nothing. */
	buf_reset(&proved);
	assert_int_equal(pki_csr_new(key, "ann", NULL, key, &proved), 0);
	assert_int_equal(renew(f, &old, buf_span(&proved)), EKEYREJECTED);
	sign_fixture_policy(f, "rekey_proof", "tls");
	assert_int_equal(renew(f, &old, buf_span(&fresh)), 0);
	buf_done(&same);
	buf_done(&proved);
	buf_done(&fresh);
	pki_key_free(key);
	fixture_cert_free(&old);
}

static void renewal_needs_a_living_certificate(void **state)
{
	struct sign_fixture *f = *state;
	struct fixture_cert old, unknown = {0};
	struct account_flags_args lock = {.name = "bob", .set = ACCOUNT_LOCKED};
	struct buf csr = BUF_INIT(PKI_CSR_MAX);

	sign_fixture_enroll(f, "ann", &old);
	assert_int_equal(pki_csr_new(old.key, "bob", NULL, NULL, &csr), 0);
	assert_int_equal(renew(f, &old, buf_span(&csr)), EKEYREJECTED);
	buf_reset(&csr);
	assert_int_equal(pki_csr_new(old.key, "ann", NULL, NULL, &csr), 0);
	assert_int_equal(renew(f, &unknown, buf_span(&csr)), EKEYREJECTED);
	sign_fixture_revoke(f, &old, 1);
	assert_int_equal(renew(f, &old, buf_span(&csr)), EKEYREJECTED);
	assert_string_equal(f->reason, "the certificate is revoked");
	fixture_cert_free(&old);
	sign_fixture_enroll(f, "bob", &old);
	lock.now_us = time_now_us();
	assert_int_equal(store_call(f->s.store, STORE_OP_ACCOUNT_FLAGS, &lock, NULL), 0);
	buf_reset(&csr);
	assert_int_equal(pki_csr_new(old.key, "bob", NULL, NULL, &csr), 0);
	assert_int_equal(renew(f, &old, buf_span(&csr)), EKEYREJECTED);
	buf_done(&csr);
	fixture_cert_free(&old);
}

static void hosts_are_for_the_administrator(void **state)
{
	struct sign_fixture *f = *state;
	struct signer_request r = sign_fixture_request(SIGNER_HOST);
	struct account_create_args quintet = {
		.name = "quintet", .flags = ACCOUNT_HOST, .admin_act = true};
	struct pki_cert_info info;
	struct buf csr;

	make_csr("localhost", NULL, &csr, NULL);
	r.csr = buf_span(&csr);
	r.profile = PKI_HOST;
	r.hosts = span_str("localhost 127.0.0.1  ::1");
	assert_int_equal(sign_fixture_call(f, &r), EPERM);
	/* Nor does anybody ask for anything in his name. */
	r.kind = SIGNER_CRL;
	assert_int_not_equal(sign_fixture_call(f, &r), EPERM);
	(void)snprintf(r.peer, sizeof(r.peer), "quintetctl");
	assert_int_equal(sign_fixture_call(f, &r), EPERM);
	r.kind = SIGNER_HOST;
	f->s.peer.uid = SIGN_UID_NOBODY;
	assert_false(sign_caller_allowed(&f->s.peer));
	assert_int_equal(sign_fixture_call(f, &r), EPERM);
	f->s.peer.uid = 0;
	quintet.now_us = time_now_us();
	assert_int_equal(store_call(f->s.store, STORE_OP_ACCOUNT_CREATE, &quintet, NULL), 0);
	assert_int_equal(sign_fixture_call(f, &r), 0);
	assert_int_equal(pki_cert_read(buf_span(&f->answer), &info), 0);
	assert_int_equal(info.host_count, 3);
	assert_true(info.eku_server && !info.eku_client);
	r.profile = PKI_TSA;
	assert_int_equal(sign_fixture_call(f, &r), 0);
	r.profile = PKI_ISSUING;
	assert_int_equal(sign_fixture_call(f, &r), EINVAL);
	r.profile = PKI_HOST;
	r.hosts = span_str("bad_host!");
	assert_int_not_equal(sign_fixture_call(f, &r), 0);
	r.hosts = span_str("");
	assert_int_equal(sign_fixture_call(f, &r), EINVAL);
	buf_done(&csr);
}

static void administrators_by_uid(void **state)
{
	struct sign_fixture *f = *state;
	struct net_peer own = {.is_unix = true, .uid = geteuid()};
	struct net_peer other = {.is_unix = true, .uid = 4711};
	struct net_peer inet = {.is_unix = false, .uid = 0};

	assert_int_equal(sign_admin_find(&f->g), 0);
	assert_true(sign_caller_is_admin(&f->g, &own));
	assert_false(sign_caller_is_admin(&f->g, &other));
	assert_false(sign_caller_is_admin(&f->g, &inet));
	(void)snprintf(f->s.settings.admin_user, sizeof(f->s.settings.admin_user), "no-such-user");
	assert_int_equal(sign_admin_find(&f->g), 0);
	assert_int_equal(sign_caller_is_admin(&f->g, &own), geteuid() == 0);
}

#define SIGN_TEST(fn) cmocka_unit_test_setup_teardown(fn, sign_fixture_setup, sign_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIGN_TEST(password_gives_a_certificate),
		SIGN_TEST(wrong_password_and_unknown_name_read_the_same),
		SIGN_TEST(failures_in_a_loop_are_throttled),
		SIGN_TEST(other_names_are_refused),
		SIGN_TEST(weak_and_greedy_requests_are_refused),
		SIGN_TEST(malformed_requests_are_refused),
		SIGN_TEST(an_invite_makes_the_account_once),
		SIGN_TEST(an_invite_outlives_a_missing_key),
		SIGN_TEST(an_invite_does_not_open_other_names),
		SIGN_TEST(renewal_needs_the_old_key),
		SIGN_TEST(renewal_needs_a_living_certificate),
		SIGN_TEST(hosts_are_for_the_administrator),
		SIGN_TEST(administrators_by_uid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
