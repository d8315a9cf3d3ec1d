/*
 * Every profile's chain, judged by the openssl command: `verify -x509_strict -crl_check_all`, the
 * purposes, and what our own verifier and linter say to the same and to the wrong.
 */
#include "base/timefmt.h"
#include "tests/unit/lib/pki_fixture.h"

#include <errno.h>
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

static void make_crl(const struct fixture_cert *issuer, uint64_t number,
	const struct fixture_cert *revoked, int reason, struct buf *ret)
{
	const struct pki_crl_info head = {.number = number,
		.this_us = ca.now_us - TIME_S_US,
		.next_us = ca.now_us + 86400 * TIME_S_US};
	struct pki_crl *crl = NULL;

	assert_int_equal(pki_crl_begin(&crl), 0);
	if (revoked != NULL)
		assert_int_equal(pki_crl_add(crl, revoked->serial, sizeof(revoked->serial),
					 ca.now_us - TIME_S_US, reason),
			0);
	assert_int_equal(pki_crl_sign(crl, buf_span(&issuer->der), issuer->key, &head, ret), 0);
	pki_crl_freep(&crl);
}

/* Writes root.pem, issuing.pem, all.crl into the folder. */
static void write_authority(const char *folder, const struct fixture_cert *revoked)
{
	struct buf root_crl = BUF_INIT(8192), crl = BUF_INIT(8192), pem = BUF_INIT(32768);

	make_crl(&ca.root, 1, NULL, 0, &root_crl);
	make_crl(&ca.issuing, 7, revoked, 1, &crl);
	assert_int_equal(pki_crl_to_pem(buf_span(&root_crl), &pem), 0);
	assert_int_equal(pki_crl_to_pem(buf_span(&crl), &pem), 0);
	fixture_write(folder, "root.pem", buf_span(&ca.root.pem));
	fixture_write(folder, "issuing.pem", buf_span(&ca.issuing.pem));
	fixture_write(folder, "all.crl", buf_span(&pem));
	buf_done(&root_crl);
	buf_done(&crl);
	buf_done(&pem);
}

/* `openssl verify` on leaf.pem of the folder; purpose may be NULL. */
static int openssl_verify(const char *folder, const char *leaf, const char *purpose)
{
	char crl[128], root[128], issuing[128], path[128];
	struct buf out = BUF_INIT(65536);
	const char *argv[16] = {"openssl", "verify", "-x509_strict", "-crl_check_all", "-CRLfile",
		crl, "-CAfile", root, "-untrusted", issuing};
	size_t n = 10;
	int r;

	(void)snprintf(crl, sizeof(crl), "%s/all.crl", folder);
	(void)snprintf(root, sizeof(root), "%s/root.pem", folder);
	(void)snprintf(issuing, sizeof(issuing), "%s/issuing.pem", folder);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, leaf);
	if (purpose != NULL) {
		argv[n++] = "-purpose";
		argv[n++] = purpose;
	}
	argv[n] = path;
	r = fixture_run(argv, &out);
	if (r != 0)
		print_message("openssl verify %s: %s", leaf, buf_str(&out));
	buf_done(&out);
	return r;
}

struct chain_row {
	enum pki_profile profile;
	const char *good_purpose, *bad_purpose;
};

static const struct chain_row chains[] = {
	{PKI_USER, "sslclient", "sslserver"},
	{PKI_USER, "smimesign", "timestampsign"},
	{PKI_HOST, "sslserver", "sslclient"},
	{PKI_TSA, "timestampsign", "sslserver"},
	{PKI_OCSP, "ocsphelper", "sslserver"},
	{PKI_CMP, NULL, "sslclient"},
};

static void test_openssl_accepts_every_chain(void **state)
{
	char folder[64];

	(void)state;
	fixture_folder(folder);
	write_authority(folder, NULL);
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		struct fixture_cert leaf;

		fixture_leaf(&ca, chains[i].profile, &leaf);
		fixture_write(folder, "leaf.pem", buf_span(&leaf.pem));
		assert_int_equal(openssl_verify(folder, "leaf.pem", chains[i].good_purpose), 0);
		assert_int_not_equal(openssl_verify(folder, "leaf.pem", chains[i].bad_purpose), 0);
		fixture_cert_free(&leaf);
	}
	assert_int_equal(openssl_verify(folder, "issuing.pem", NULL), 0);
	assert_int_equal(openssl_verify(folder, "root.pem", NULL), 0);
	fixture_remove(folder);
}

static void test_openssl_refuses_the_revoked(void **state)
{
	struct fixture_cert leaf;
	char folder[64];

	(void)state;
	fixture_folder(folder);
	fixture_leaf(&ca, PKI_USER, &leaf);
	write_authority(folder, &leaf);
	fixture_write(folder, "leaf.pem", buf_span(&leaf.pem));
	assert_int_not_equal(openssl_verify(folder, "leaf.pem", NULL), 0);
	fixture_cert_free(&leaf);
	fixture_remove(folder);
}

static void test_gnutls_takes_chain_and_crl(void **state)
{
	struct fixture_cert leaf;
	struct buf out = BUF_INIT(65536), all = BUF_INIT(65536), crl = BUF_INIT(8192);
	char folder[64], chain[128], crl_path[128], issuing[128];
	const char *verify[] = {"certtool", "--verify-chain", "--infile", chain, NULL};
	const char *verify_crl[] = {"certtool", "--verify-crl", "--load-ca-certificate", issuing,
		"--infile", crl_path, NULL};

	(void)state;
	fixture_folder(folder);
	(void)snprintf(chain, sizeof(chain), "%s/chain.pem", folder);
	(void)snprintf(crl_path, sizeof(crl_path), "%s/issuing.crl", folder);
	(void)snprintf(issuing, sizeof(issuing), "%s/issuing.pem", folder);
	fixture_leaf(&ca, PKI_USER, &leaf);
	buf_add(&all, buf_span(&leaf.pem));
	buf_add(&all, buf_span(&ca.issuing.pem));
	buf_add(&all, buf_span(&ca.root.pem));
	fixture_write(folder, "chain.pem", buf_span(&all));
	fixture_write(folder, "issuing.pem", buf_span(&ca.issuing.pem));
	buf_reset(&all);
	make_crl(&ca.issuing, 1, &leaf, 4, &crl);
	assert_int_equal(pki_crl_to_pem(buf_span(&crl), &all), 0);
	fixture_write(folder, "issuing.crl", buf_span(&all));
	if (fixture_run(verify, &out) != 0 || fixture_run(verify_crl, &out) != 0)
		fail_msg("certtool: %s", buf_str(&out));
	buf_done(&out);
	buf_done(&all);
	buf_done(&crl);
	fixture_cert_free(&leaf);
	fixture_remove(folder);
}

static void test_own_verifier(void **state)
{
	struct buf root_crl = BUF_INIT(8192), crl = BUF_INIT(8192);

	(void)state;
	make_crl(&ca.root, 1, NULL, 0, &root_crl);
	make_crl(&ca.issuing, 1, NULL, 0, &crl);
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		struct pki_verify v = {.root_pem = buf_span(&ca.root.pem),
			.extra_pem = buf_span(&ca.issuing.pem),
			.crls = {buf_span(&root_crl), buf_span(&crl)},
			.crl_count = 2};
		const char *reason = NULL;
		struct fixture_cert leaf;

		fixture_leaf(&ca, chains[i].profile, &leaf);
		for (enum pki_profile p = PKI_ROOT; p <= PKI_CMP; p++) {
			v.profile = p;
			assert_int_equal(pki_cert_verify(buf_span(&leaf.der), &v, &reason),
				p == chains[i].profile ? 0 : -EKEYREJECTED);
		}
		fixture_cert_free(&leaf);
	}
	buf_done(&root_crl);
	buf_done(&crl);
}

static void test_bad_chains(void **state)
{
	struct pki_verify v = {.root_pem = buf_span(&ca.root.pem),
		.extra_pem = buf_span(&ca.issuing.pem),
		.profile = PKI_USER};
	struct buf root_crl = BUF_INIT(8192), crl = BUF_INIT(8192);
	const char *reason = NULL;
	struct fixture_ca other;
	struct fixture_cert leaf, foreign;

	(void)state;
	fixture_ca_make(&other);
	fixture_leaf(&ca, PKI_USER, &leaf);
	fixture_leaf(&other, PKI_USER, &foreign);
	assert_int_equal(pki_cert_verify(buf_span(&leaf.der), &v, &reason), 0);
	/* Foreign, before its time, after it, without the issuing CA, garbage. */
	assert_int_equal(pki_cert_verify(buf_span(&foreign.der), &v, &reason), -EKEYREJECTED);
	v.at_us = ca.now_us - 7200 * TIME_S_US;
	assert_int_equal(pki_cert_verify(buf_span(&leaf.der), &v, &reason), -EKEYREJECTED);
	assert_string_equal(reason, "certificate is not yet valid");
	v.at_us = ca.now_us + INT64_C(31) * 86400 * TIME_S_US;
	assert_int_equal(pki_cert_verify(buf_span(&leaf.der), &v, &reason), -EKEYREJECTED);
	assert_string_equal(reason, "certificate has expired");
	v.at_us = 0;
	v.extra_pem = (struct span){0};
	assert_int_equal(pki_cert_verify(buf_span(&leaf.der), &v, &reason), -EKEYREJECTED);
	v.extra_pem = buf_span(&ca.issuing.pem);
	assert_int_equal(
		pki_cert_verify(span_of(leaf.der.p, leaf.der.len - 1), &v, &reason), -EKEYREJECTED);
	/* Revoked, and with one CRL of two missing. */
	make_crl(&ca.root, 1, NULL, 0, &root_crl);
	make_crl(&ca.issuing, 1, &leaf, 1, &crl);
	v.crls[0] = buf_span(&root_crl);
	v.crls[1] = buf_span(&crl);
	v.crl_count = 2;
	assert_int_equal(pki_cert_verify(buf_span(&leaf.der), &v, &reason), -EKEYREJECTED);
	assert_string_equal(reason, "certificate revoked");
	v.crl_count = 1;
	assert_int_equal(pki_cert_verify(buf_span(&leaf.der), &v, &reason), -EKEYREJECTED);
	buf_done(&root_crl);
	buf_done(&crl);
	fixture_cert_free(&leaf);
	fixture_cert_free(&foreign);
	fixture_ca_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_accepts_every_chain),
		cmocka_unit_test(test_openssl_refuses_the_revoked),
		cmocka_unit_test(test_gnutls_takes_chain_and_crl),
		cmocka_unit_test(test_own_verifier),
		cmocka_unit_test(test_bad_chains),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
