/* The CMP door of the signer, with OpenSSL's own client at the other end, message by message. */
#include "base/timefmt.h"
#include "tests/unit/lib/sign_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>

/* One client; what it asks for and how it proves itself. */
struct client {
	struct sign_fixture *f;
	OSSL_CMP_CTX *ctx;
	EVP_PKEY *key;
	unsigned messages;
	int status; /* of the signer's last answer */
	bool new_connection; /* each message finds a signer without memory */
};

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

static void message_bytes(const OSSL_CMP_MSG *message, struct buf *ret)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long len;

	assert_true(i2d_OSSL_CMP_MSG_bio(bio, message) > 0);
	len = BIO_get_mem_data(bio, &p);
	buf_add(ret, span_of(p, (size_t)len));
	BIO_free(bio);
}

static OSSL_CMP_MSG *transfer(OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *request)
{
	struct client *c = OSSL_CMP_CTX_get_transfer_cb_arg(ctx);
	struct signer_request r = sign_fixture_request(SIGNER_CMP);
	struct buf bytes = BUF_INIT(65536);
	OSSL_CMP_MSG *answer = NULL;
	BIO *bio;

	if (c->new_connection)
		cmp_talk_end(&c->f->g);
	message_bytes(request, &bytes);
	r.csr = buf_span(&bytes);
	c->messages++;
	c->status = sign_fixture_call(c->f, &r);
	buf_done(&bytes);
	if (c->status != 0)
		return NULL;
	bio = BIO_new_mem_buf(c->f->answer.p, (int)c->f->answer.len);
	answer = d2i_OSSL_CMP_MSG_bio(bio, NULL);
	BIO_free(bio);
	return answer;
}

static X509_NAME *name_of(const char *cn)
{
	X509_NAME *name = X509_NAME_new();

	assert_int_equal(X509_NAME_add_entry_by_txt(
				 name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0),
		1);
	return name;
}

static void client_new(struct client *c, struct sign_fixture *f, const char *cn)
{
	X509_STORE *trusted = X509_STORE_new();
	X509 *root = cmp_x509(buf_span(&f->ca.root.der));
	X509_NAME *name = name_of(cn);

	*c = (struct client){.f = f, .ctx = OSSL_CMP_CTX_new(NULL, NULL)};
	c->key = EVP_EC_gen("P-256");
	X509_STORE_add_cert(trusted, root);
	OSSL_CMP_CTX_set_log_cb(c->ctx, quiet);
	OSSL_CMP_CTX_set_transfer_cb(c->ctx, transfer);
	OSSL_CMP_CTX_set_transfer_cb_arg(c->ctx, c);
	OSSL_CMP_CTX_set0_trustedStore(c->ctx, trusted);
	OSSL_CMP_CTX_set1_subjectName(c->ctx, name);
	EVP_PKEY_up_ref(c->key);
	OSSL_CMP_CTX_set0_newPkey(c->ctx, 1, c->key);
	X509_NAME_free(name);
	X509_free(root);
}

static void client_secret(struct client *c, const char *reference, const char *secret)
{
	OSSL_CMP_CTX_set1_referenceValue(
		c->ctx, (const unsigned char *)reference, (int)strlen(reference));
	OSSL_CMP_CTX_set1_secretValue(c->ctx, (const unsigned char *)secret, (int)strlen(secret));
}

static EVP_PKEY *key_of(const struct fixture_cert *cert)
{
	struct buf pem = BUF_INIT(8192);
	BIO *bio;
	EVP_PKEY *key;

	assert_int_equal(pki_key_to_pem(cert->key, &pem), 0);
	bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	buf_done(&pem);
	assert_non_null(key);
	return key;
}

static void client_certificate(struct client *c, const struct fixture_cert *cert)
{
	X509 *x = cmp_x509(buf_span(&cert->der));
	EVP_PKEY *key = key_of(cert);

	OSSL_CMP_CTX_set1_cert(c->ctx, x);
	OSSL_CMP_CTX_set1_oldCert(c->ctx, x);
	OSSL_CMP_CTX_set1_pkey(c->ctx, key);
	EVP_PKEY_free(key);
	X509_free(x);
}

static void client_done(struct client *c)
{
	OSSL_CMP_CTX_free(c->ctx);
	EVP_PKEY_free(c->key);
	cmp_talk_end(&c->f->g);
	ERR_clear_error();
}

/* What it got, as the signer's row says. */
static struct cert row_of(struct sign_fixture *f, const X509 *cert)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	struct cert row;

	assert_int_equal(ASN1_STRING_length(serial), CERT_SERIAL_LEN);
	assert_int_equal(cert_get(f->s.store, ASN1_STRING_get0_data(serial), &row, NULL), 0);
	return row;
}

static void expect_for(struct client *c, X509 *cert, const char *account)
{
	char cn[65];

	assert_non_null(cert);
	assert_true(X509_NAME_get_text_by_NID(
			    X509_get_subject_name(cert), NID_commonName, cn, sizeof(cn)) > 0);
	assert_string_equal(cn, account);
	assert_int_equal(X509_check_private_key(cert, c->key), 1);
	assert_string_equal(row_of(c->f, cert).account, account);
	assert_int_equal(row_of(c->f, cert).state, CERT_ISSUED);
}

static void a_reference_gives_one_certificate(void **state)
{
	struct sign_fixture *f = *state;
	char secret[SIGN_CMP_PASSWORD_SIZE];
	struct account account;
	struct client c;

	sign_fixture_cmp_ref(f, "r1", "fred", secret);
	client_new(&c, f, "fred");
	client_secret(&c, "r1", secret);
	expect_for(&c, OSSL_CMP_exec_IR_ses(c.ctx), "fred");
	assert_int_equal(c.messages, 2); /* ir, certConf */
	assert_int_equal(account_get(f->s.store, "fred", &account), 0);
	client_done(&c);
	client_new(&c, f, "fred");
	client_secret(&c, "r1", secret);
	assert_null(OSSL_CMP_exec_IR_ses(c.ctx));
	assert_int_equal(OSSL_CMP_CTX_get_status(c.ctx), OSSL_CMP_PKISTATUS_rejection);
	client_done(&c);
}

static void implicit_confirmation_is_granted(void **state)
{
	struct sign_fixture *f = *state;
	char secret[SIGN_CMP_PASSWORD_SIZE];
	struct client c;

	sign_fixture_cmp_ref(f, "r2", "ann", secret);
	client_new(&c, f, "ann");
	client_secret(&c, "r2", secret);
	OSSL_CMP_CTX_set_option(c.ctx, OSSL_CMP_OPT_IMPLICIT_CONFIRM, 1);
	c.new_connection = true;
	expect_for(&c, OSSL_CMP_exec_IR_ses(c.ctx), "ann");
	assert_int_equal(c.messages, 1);
	client_done(&c);
}

static void a_confirmation_needs_its_connection(void **state)
{
	struct sign_fixture *f = *state;
	char secret[SIGN_CMP_PASSWORD_SIZE];
	struct client c;

	sign_fixture_cmp_ref(f, "r3", "ann", secret);
	client_new(&c, f, "ann");
	client_secret(&c, "r3", secret);
	c.new_connection = true;
	assert_null(OSSL_CMP_exec_IR_ses(c.ctx));
	assert_int_equal(c.status, EINVAL);
	client_done(&c);
}

static int refuse_certificate(OSSL_CMP_CTX *ctx, X509 *cert, int fail_info, const char **text)
{
	(void)ctx;
	(void)cert;
	(void)fail_info;
	*text = "not what was wanted";
	return 1 << OSSL_CMP_PKIFAILUREINFO_incorrectData;
}

static void a_refused_certificate_is_revoked(void **state)
{
	struct sign_fixture *f = *state;
	char secret[SIGN_CMP_PASSWORD_SIZE];
	struct client c;
	X509 *cert;

	sign_fixture_cmp_ref(f, "r4", "ann", secret);
	client_new(&c, f, "ann");
	client_secret(&c, "r4", secret);
	OSSL_CMP_CTX_set_certConf_cb(c.ctx, refuse_certificate);
	assert_null(OSSL_CMP_exec_IR_ses(c.ctx));
	cert = OSSL_CMP_CTX_get0_newCert(c.ctx);
	assert_non_null(cert);
	assert_int_equal(row_of(f, cert).state, CERT_REVOKED);
	assert_int_equal(row_of(f, cert).reason, 5);
	client_done(&c);
}

static void a_wrong_secret_is_refused_and_throttled(void **state)
{
	struct sign_fixture *f = *state;
	char secret[SIGN_CMP_PASSWORD_SIZE];
	struct client c;

	sign_fixture_policy(f, "throttle_account", "3");
	sign_fixture_cmp_ref(f, "r5", "ann", secret);
	for (unsigned i = 0; i < 6; i++) {
		client_new(&c, f, "ann");
		client_secret(&c, i < 3 ? "r5" : "nothing", "wrong");
		assert_null(OSSL_CMP_exec_IR_ses(c.ctx));
		client_done(&c);
	}
	client_new(&c, f, "ann");
	client_secret(&c, "r5", secret);
	assert_null(OSSL_CMP_exec_IR_ses(c.ctx));
	assert_int_equal(c.status, EBUSY);
	client_done(&c);
}

static void other_names_are_refused(void **state)
{
	struct sign_fixture *f = *state;
	char secret[SIGN_CMP_PASSWORD_SIZE];
	GENERAL_NAME *dns = a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_DNS, "localhost", 0);
	struct client c;

	sign_fixture_cmp_ref(f, "r6", "ann", secret);
	client_new(&c, f, "bob");
	client_secret(&c, "r6", secret);
	assert_null(OSSL_CMP_exec_IR_ses(c.ctx));
	client_done(&c);
	client_new(&c, f, "ann");
	client_secret(&c, "r6", secret);
	OSSL_CMP_CTX_push1_subjectAltName(c.ctx, dns);
	assert_null(OSSL_CMP_exec_IR_ses(c.ctx));
	client_done(&c);
	/* The faults did not use the reference up. */
	client_new(&c, f, "ann");
	client_secret(&c, "r6", secret);
	expect_for(&c, OSSL_CMP_exec_IR_ses(c.ctx), "ann");
	client_done(&c);
	GENERAL_NAME_free(dns);
}

static void weak_keys_are_refused(void **state)
{
	struct sign_fixture *f = *state;
	char secret[SIGN_CMP_PASSWORD_SIZE];
	struct client c;

	sign_fixture_cmp_ref(f, "r7", "ann", secret);
	client_new(&c, f, "ann");
	client_secret(&c, "r7", secret);
	OSSL_CMP_CTX_set0_newPkey(c.ctx, 1, EVP_RSA_gen(1024));
	assert_null(OSSL_CMP_exec_IR_ses(c.ctx));
	assert_int_equal(OSSL_CMP_CTX_get_status(c.ctx), OSSL_CMP_PKISTATUS_rejection);
	client_done(&c);
	/* A proof of possession by nobody (RAVerified) is none. */
	client_new(&c, f, "ann");
	client_secret(&c, "r7", secret);
	OSSL_CMP_CTX_set_option(c.ctx, OSSL_CMP_OPT_POPO_METHOD, OSSL_CRMF_POPO_RAVERIFIED);
	assert_null(OSSL_CMP_exec_IR_ses(c.ctx));
	client_done(&c);
}

static void p10cr_carries_a_pkcs10(void **state)
{
	struct sign_fixture *f = *state;
	char secret[SIGN_CMP_PASSWORD_SIZE];
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = name_of("ann");
	struct client c;

	sign_fixture_cmp_ref(f, "r8", "ann", secret);
	client_new(&c, f, "ann");
	client_secret(&c, "r8", secret);
	X509_REQ_set_subject_name(req, name);
	X509_REQ_set_pubkey(req, c.key);
	assert_true(X509_REQ_sign(req, c.key, EVP_sha256()) > 0);
	OSSL_CMP_CTX_set1_p10CSR(c.ctx, req);
	expect_for(&c, OSSL_CMP_exec_P10CR_ses(c.ctx), "ann");
	client_done(&c);
	X509_NAME_free(name);
	X509_REQ_free(req);
}

static void an_update_is_signed_by_the_old_certificate(void **state)
{
	struct sign_fixture *f = *state;
	char secret[SIGN_CMP_PASSWORD_SIZE];
	struct fixture_cert old, other;
	X509 *other_x509;
	struct client c;

	sign_fixture_enroll(f, "ann", &old);
	sign_fixture_enroll(f, "ann", &other);
	client_new(&c, f, "ann");
	client_certificate(&c, &old);
	expect_for(&c, OSSL_CMP_exec_KUR_ses(c.ctx), "ann");
	client_done(&c);
	/* cr: one more certificate for the same account */
	client_new(&c, f, "ann");
	client_certificate(&c, &old);
	expect_for(&c, OSSL_CMP_exec_CR_ses(c.ctx), "ann");
	client_done(&c);
	/* Signed by one certificate, updating another. */
	client_new(&c, f, "ann");
	client_certificate(&c, &old);
	other_x509 = cmp_x509(buf_span(&other.der));
	OSSL_CMP_CTX_set1_oldCert(c.ctx, other_x509);
	assert_null(OSSL_CMP_exec_KUR_ses(c.ctx));
	client_done(&c);
	/* Under a MAC. */
	sign_fixture_cmp_ref(f, "r9", "ann", secret);
	client_new(&c, f, "ann");
	client_secret(&c, "r9", secret);
	OSSL_CMP_CTX_set1_oldCert(c.ctx, other_x509);
	assert_null(OSSL_CMP_exec_KUR_ses(c.ctx));
	client_done(&c);
	/* Revoked meanwhile. */
	sign_fixture_revoke(f, &old, 1);
	client_new(&c, f, "ann");
	client_certificate(&c, &old);
	assert_null(OSSL_CMP_exec_KUR_ses(c.ctx));
	client_done(&c);
	X509_free(other_x509);
	fixture_cert_free(&old);
	fixture_cert_free(&other);
}

static void foreign_signers_are_refused(void **state)
{
	struct sign_fixture *f = *state;
	struct fixture_cert planted, real, stolen;
	struct client c;

	/* By the right authority, but not in the inventory; then a real one under a foreign key. */
	fixture_leaf(&f->ca, PKI_USER, &planted);
	client_new(&c, f, "ann");
	client_certificate(&c, &planted);
	assert_null(OSSL_CMP_exec_KUR_ses(c.ctx));
	client_done(&c);
	sign_fixture_enroll(f, "ann", &real);
	fixture_key(&stolen);
	buf_add(&stolen.der, buf_span(&real.der));
	client_new(&c, f, "ann");
	client_certificate(&c, &stolen);
	assert_null(OSSL_CMP_exec_KUR_ses(c.ctx));
	client_done(&c);
	fixture_cert_free(&planted);
	fixture_cert_free(&real);
	fixture_cert_free(&stolen);
}

static int revoke_cert(struct sign_fixture *f, const struct fixture_cert *by,
	const struct fixture_cert *which, int reason)
{
	X509 *x = cmp_x509(buf_span(&which->der));
	struct client c;
	int r;

	client_new(&c, f, "ann");
	client_certificate(&c, by);
	OSSL_CMP_CTX_set1_oldCert(c.ctx, x);
	OSSL_CMP_CTX_set_option(c.ctx, OSSL_CMP_OPT_REVOCATION_REASON, reason);
	r = OSSL_CMP_exec_RR_ses(c.ctx);
	client_done(&c);
	X509_free(x);
	return r;
}

static void only_own_certificates_are_revoked(void **state)
{
	struct sign_fixture *f = *state;
	struct fixture_cert ann, second, bob;
	struct cert row;

	sign_fixture_enroll(f, "ann", &ann);
	sign_fixture_enroll(f, "ann", &second);
	sign_fixture_enroll(f, "bob", &bob);
	assert_int_equal(revoke_cert(f, &ann, &bob, 1), 0);
	assert_int_equal(sign_fixture_state(f, &bob), CERT_ISSUED);
	assert_int_equal(revoke_cert(f, &ann, &second, 4), 1);
	assert_int_equal(cert_get(f->s.store, second.serial, &row, NULL), 0);
	assert_int_equal(row.state, CERT_REVOKED);
	assert_int_equal(row.reason, 4);
	assert_int_equal(revoke_cert(f, &ann, &second, 4), 0);
	assert_int_equal(revoke_cert(f, &ann, &ann, 1), 1);
	assert_int_equal(sign_fixture_state(f, &ann), CERT_REVOKED);
	fixture_cert_free(&ann);
	fixture_cert_free(&second);
	fixture_cert_free(&bob);
}

static void a_reference_does_not_revoke(void **state)
{
	struct sign_fixture *f = *state;
	char secret[SIGN_CMP_PASSWORD_SIZE];
	struct fixture_cert ann;
	struct client c;
	X509 *x;

	sign_fixture_enroll(f, "ann", &ann);
	sign_fixture_cmp_ref(f, "r10", "ann", secret);
	x = cmp_x509(buf_span(&ann.der));
	client_new(&c, f, "ann");
	client_secret(&c, "r10", secret);
	OSSL_CMP_CTX_set1_oldCert(c.ctx, x);
	assert_int_equal(OSSL_CMP_exec_RR_ses(c.ctx), 0);
	assert_int_equal(sign_fixture_state(f, &ann), CERT_ISSUED);
	client_done(&c);
	X509_free(x);
	fixture_cert_free(&ann);
}

static void general_messages_get_an_empty_answer(void **state)
{
	struct sign_fixture *f = *state;
	char secret[SIGN_CMP_PASSWORD_SIZE];
	STACK_OF(OSSL_CMP_ITAV) * itavs;
	struct client c;

	sign_fixture_cmp_ref(f, "r11", "ann", secret);
	client_new(&c, f, "ann");
	client_secret(&c, "r11", secret);
	itavs = OSSL_CMP_exec_GENM_ses(c.ctx);
	assert_int_equal(c.status, 0);
	assert_int_equal(OSSL_CMP_CTX_get_status(c.ctx), OSSL_CMP_PKISTATUS_accepted);
	sk_OSSL_CMP_ITAV_pop_free(itavs, OSSL_CMP_ITAV_free);
	client_done(&c);
}

#define SIGN_TEST(fn) cmocka_unit_test_setup_teardown(fn, sign_fixture_setup, sign_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIGN_TEST(a_reference_gives_one_certificate),
		SIGN_TEST(implicit_confirmation_is_granted),
		SIGN_TEST(a_confirmation_needs_its_connection),
		SIGN_TEST(a_refused_certificate_is_revoked),
		SIGN_TEST(a_wrong_secret_is_refused_and_throttled),
		SIGN_TEST(other_names_are_refused),
		SIGN_TEST(weak_keys_are_refused),
		SIGN_TEST(p10cr_carries_a_pkcs10),
		SIGN_TEST(an_update_is_signed_by_the_old_certificate),
		SIGN_TEST(foreign_signers_are_refused),
		SIGN_TEST(only_own_certificates_are_revoked),
		SIGN_TEST(a_reference_does_not_revoke),
		SIGN_TEST(general_messages_get_an_empty_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
