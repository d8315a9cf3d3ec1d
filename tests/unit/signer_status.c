/* OCSP answers and CRLs of the signer. */
#include "base/timefmt.h"
#include "services/cad/crl_due.h"
#include "tests/unit/lib/sign_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static enum pki_ocsp_status ask(struct sign_fixture *f, const struct fixture_cert *c)
{
	struct signer_request r = sign_fixture_request(SIGNER_OCSP);
	struct buf request = BUF_INIT(PKI_OCSP_MAX_REQUEST);
	struct pki_ocsp_answer answer = {0};
	struct pki_ocsp_question asked = {.leaf_der = buf_span(&c->der),
		.issuer_der = buf_span(&f->ca.issuing.der),
		.root_pem = buf_span(&f->ca.root.pem)};
	const char *reason = "";

	assert_int_equal(pki_ocsp_request_new(buf_span(&c->der), buf_span(&f->ca.issuing.der),
				 &request, asked.nonce),
		0);
	r.csr = buf_span(&request);
	assert_int_equal(sign_fixture_call(f, &r), 0);
	assert_int_equal(pki_ocsp_response_read(buf_span(&f->answer), &asked, &answer, &reason), 0);
	buf_done(&request);
	return answer.status;
}

static void ocsp_follows_the_store(void **state)
{
	struct sign_fixture *f = *state;
	struct fixture_cert cert, foreign;

	sign_fixture_enroll(f, "ann", &cert);
	assert_int_equal(ask(f, &cert), PKI_OCSP_GOOD);
	sign_fixture_revoke(f, &cert, 4);
	assert_int_equal(ask(f, &cert), PKI_OCSP_REVOKED);
	/* Signed by the right key, but never entered in the inventory. */
	fixture_leaf(&f->ca, PKI_USER, &foreign);
	assert_int_equal(ask(f, &foreign), PKI_OCSP_UNKNOWN);
	fixture_cert_free(&cert);
	fixture_cert_free(&foreign);
}

static void ocsp_refuses_what_it_cannot_answer(void **state)
{
	struct sign_fixture *f = *state;
	struct signer_request r = sign_fixture_request(SIGNER_OCSP);
	struct fixture_ca other;
	struct fixture_cert leaf;
	struct buf request = BUF_INIT(PKI_OCSP_MAX_REQUEST), error = BUF_INIT(64);
	unsigned char nonce[32];

	r.csr = span_str("no request");
	assert_int_equal(sign_fixture_call(f, &r), 0);
	assert_int_equal(pki_ocsp_error(1, &error), 0);
	assert_true(span_eq(buf_span(&error), buf_span(&f->answer)));
	fixture_ca_make(&other);
	fixture_leaf(&other, PKI_USER, &leaf);
	assert_int_equal(pki_ocsp_request_new(buf_span(&leaf.der), buf_span(&other.issuing.der),
				 &request, nonce),
		0);
	r.csr = buf_span(&request);
	assert_int_equal(sign_fixture_call(f, &r), 0);
	buf_reset(&error);
	assert_int_equal(pki_ocsp_error(6, &error), 0);
	assert_true(span_eq(buf_span(&error), buf_span(&f->answer)));
	fixture_cert_free(&leaf);
	fixture_ca_free(&other);
	buf_done(&request);
	buf_done(&error);
}

static struct pki_crl_info crl_of(struct sign_fixture *f, uint32_t id)
{
	struct signer_request r = sign_fixture_request(SIGNER_CRL);
	struct pki_crl_info info = {0};

	r.ca_id = id;
	assert_int_equal(sign_fixture_call(f, &r), 0);
	assert_int_equal(
		pki_crl_read(buf_span(&f->answer), buf_span(&f->ca.issuing.der), &info), 0);
	return info;
}

static void crls_are_made_when_due(void **state)
{
	struct sign_fixture *f = *state;
	struct fixture_cert cert;
	struct pki_crl_info first = crl_of(f, 1), again = crl_of(f, 1), after;

	assert_int_equal(first.revoked, 0);
	assert_int_equal(first.number, again.number);
	sign_fixture_enroll(f, "ann", &cert);
	assert_int_equal(crl_of(f, 1).number, first.number);
	sign_fixture_revoke(f, &cert, 1);
	after = crl_of(f, 1);
	assert_int_equal(after.revoked, 1);
	assert_true(after.number > first.number);
	assert_true(after.next_us > time_now_us());
	fixture_cert_free(&cert);
}

static void crls_of_nobody(void **state)
{
	struct sign_fixture *f = *state;
	struct signer_request r = sign_fixture_request(SIGNER_CRL);

	/* The root's list is made at init, and here it was not. */
	assert_int_equal(sign_fixture_call(f, &r), EINVAL);
	r.ca_id = 9;
	assert_int_equal(sign_fixture_call(f, &r), EINVAL);
}

static void due_after_half_a_life(void **state)
{
	struct crl_info crl = {.revision = 3, .this_update_us = 1000, .next_update_us = 3000};

	(void)state;
	assert_false(crl_is_due(&crl, 3, 1000));
	assert_false(crl_is_due(&crl, 3, 1999));
	assert_true(crl_is_due(&crl, 3, 2000));
	assert_true(crl_is_due(&crl, 4, 1500));
	assert_true(crl_is_due(&crl, 3, 999));
}

static void cmp_secrets_are_for_the_administrator(void **state)
{
	struct sign_fixture *f = *state;
	struct signer_request r = sign_fixture_request(SIGNER_CMP_SECRET);
	char expected[SIGN_CMP_PASSWORD_SIZE];

	(void)snprintf(r.name, sizeof(r.name), "ref-1");
	assert_int_equal(sign_fixture_call(f, &r), EPERM);
	f->s.peer.uid = 0;
	assert_int_equal(sign_fixture_call(f, &r), 0);
	assert_int_equal(sign_cmp_derive(&f->g.keys, "ref-1", expected), 0);
	assert_true(span_eq_str(buf_span(&f->answer), expected));
	assert_int_equal(strlen(expected), 24);
	(void)snprintf(r.name, sizeof(r.name), "%s", "0123456789012345678901234567890123");
	assert_int_equal(sign_fixture_call(f, &r), EINVAL);
}

#define SIGN_TEST(fn) cmocka_unit_test_setup_teardown(fn, sign_fixture_setup, sign_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIGN_TEST(ocsp_follows_the_store),
		SIGN_TEST(ocsp_refuses_what_it_cannot_answer),
		SIGN_TEST(crls_are_made_when_due),
		SIGN_TEST(crls_of_nobody),
		cmocka_unit_test(due_after_half_a_life),
		SIGN_TEST(cmp_secrets_are_for_the_administrator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
