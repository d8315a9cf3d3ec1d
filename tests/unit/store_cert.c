/* Certificates, the authority and CRLs. */
#include "base/buf.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct cert intent(unsigned n, const char *account)
{
	struct cert c = {.profile = CERT_PROFILE_USER, .ca_id = 1, .created_us = FIXTURE_NOW};

	fixture_serial(n, c.serial);
	(void)snprintf(c.account, sizeof(c.account), "%s", account);
	c.not_before_us = FIXTURE_NOW;
	c.not_after_us = FIXTURE_NOW + FIXTURE_DAY;
	memset(c.spki_sha256, 0x77, sizeof(c.spki_sha256));
	return c;
}

static struct cert_issued_args issue(unsigned n)
{
	struct cert_issued_args i = {.der = SPAN_LIT("DER"),
		.now_us = FIXTURE_NOW + 1,
		.peer = "192.0.2.1",
		.proof = "invite"};

	fixture_serial(n, i.serial);
	return i;
}

static struct cert_revoke_args revocation(unsigned n, const char *account)
{
	struct cert_revoke_args v = {.reason = 1, .now_us = FIXTURE_NOW + 2, .by = "ada"};

	fixture_serial(n, v.serial);
	(void)snprintf(v.account, sizeof(v.account), "%s", account);
	return v;
}

static void test_life(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct cert c = intent(1, "ada");
	struct cert_issued_args i = issue(1);
	struct cert_revoke_args v = revocation(1, "ben");
	unsigned char der[CERT_DER_MAX];
	struct audit_row row;
	struct account a;
	uint64_t revision = 99;

	assert_int_equal(store_call(s, STORE_OP_CERT_INTENT, &c, NULL), -ENOENT);
	fixture_account(s, "ada");
	assert_int_equal(store_call(s, STORE_OP_CERT_ISSUED, &i, NULL), -ENOENT);
	assert_int_equal(store_call(s, STORE_OP_CERT_INTENT, &c, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_CERT_INTENT, &c, NULL), -EEXIST);
	assert_int_equal(cert_get(s, c.serial, &c, NULL), 0);
	assert_int_equal(c.state, CERT_INTENT);
	assert_int_equal(cert_check(s, c.serial, &a), -ENOENT); /* not seen yet */
	assert_int_equal(store_call(s, STORE_OP_CERT_ISSUED, &i, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_CERT_ISSUED, &i, NULL), -ENOENT);
	assert_int_equal(cert_get(s, c.serial, &c, der), 0);
	assert_int_equal(c.state, CERT_ISSUED);
	assert_int_equal(c.profile, CERT_PROFILE_USER);
	assert_int_equal(c.not_after_us, FIXTURE_NOW + FIXTURE_DAY);
	assert_int_equal(c.spki_sha256[31], 0x77);
	assert_true(c.der.p == der && span_eq_str(c.der, "DER"));
	assert_int_equal(cert_check(s, c.serial, &a), 0);
	assert_string_equal(a.name, "ada");
	assert_int_equal(fixture_audit(s, &row), 2);
	assert_string_equal(row.event, "cert-issue");
	assert_string_equal(
		row.detail, "serial=0100015a5a5a5a5a5a5a5a5a5a5a5a5a ca=1 profile=1 proof=invite");
	assert_int_equal(crl_revision(s, 1, &revision), 0);
	assert_int_equal(revision, 0);
	/* Another's certificate looks as if it were not there. */
	assert_int_equal(store_call(s, STORE_OP_CERT_REVOKE, &v, NULL), -ENOENT);
	v = revocation(1, "ada");
	v.reason = 7;
	assert_int_equal(store_call(s, STORE_OP_CERT_REVOKE, &v, NULL), -EINVAL);
	v.reason = 8;
	assert_int_equal(store_call(s, STORE_OP_CERT_REVOKE, &v, NULL), -EINVAL);
	v.reason = 11;
	assert_int_equal(store_call(s, STORE_OP_CERT_REVOKE, &v, NULL), -EINVAL);
	v.reason = 1;
	assert_int_equal(store_call(s, STORE_OP_CERT_REVOKE, &v, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_CERT_REVOKE, &v, NULL), -EALREADY);
	assert_int_equal(cert_check(s, c.serial, &a), -EKEYREVOKED);
	assert_int_equal(cert_get(s, c.serial, &c, der), 0);
	assert_int_equal(c.reason, 1);
	assert_int_equal(c.revoked_us, FIXTURE_NOW + 2);
	assert_true(span_eq_str(c.der, "DER"));
	assert_int_equal(crl_revision(s, 1, &revision), 0);
	assert_int_equal(revision, 1);
	assert_int_equal(crl_revision(s, 2, &revision), 0);
	assert_int_equal(revision, 0);
	assert_int_equal(fixture_audit(s, &row), 3);
	assert_string_equal(row.event, "cert-revoke");
	assert_string_equal(row.by, "ada");
}

static void test_locked(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct account_flags_args f = {.name = "ada", .set = ACCOUNT_LOCKED, .now_us = FIXTURE_NOW};
	struct cert c = intent(2, "ada");
	struct cert_issued_args i = issue(2);
	struct account a;

	fixture_account(s, "ada");
	fixture_cert(s, "ada", 1, FIXTURE_NOW + FIXTURE_DAY);
	assert_int_equal(store_call(s, STORE_OP_CERT_INTENT, &c, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_FLAGS, &f, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_CERT_ISSUED, &i, NULL), -EACCES);
	c = intent(3, "ada");
	assert_int_equal(store_call(s, STORE_OP_CERT_INTENT, &c, NULL), -EACCES);
	fixture_serial(1, c.serial);
	assert_int_equal(cert_check(s, c.serial, &a), -EACCES);
	f.clear = ACCOUNT_LOCKED;
	f.set = 0;
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_FLAGS, &f, NULL), 0);
	assert_int_equal(cert_check(s, c.serial, &a), 0);
}

/* A host's account carries hosts' certificates and no user's. */
static void test_host_account(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct account_flags_args f = {.name = "ada", .set = ACCOUNT_HOST, .now_us = FIXTURE_NOW};
	struct cert c = intent(1, "ada");
	struct cert_issued_args i = issue(1);

	fixture_account(s, "ada");
	assert_int_equal(store_call(s, STORE_OP_CERT_INTENT, &c, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_FLAGS, &f, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_CERT_ISSUED, &i, NULL), -EACCES);
	c = intent(2, "ada");
	assert_int_equal(store_call(s, STORE_OP_CERT_INTENT, &c, NULL), -EACCES);
	c.profile = CERT_PROFILE_HOST;
	assert_int_equal(store_call(s, STORE_OP_CERT_INTENT, &c, NULL), 0);
	i = issue(2);
	assert_int_equal(store_call(s, STORE_OP_CERT_ISSUED, &i, NULL), 0);
}

static void test_refusals(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	static const unsigned char big[CERT_DER_MAX + 1];
	struct cert c = intent(1, "ada");
	struct cert_issued_args i = issue(1);

	fixture_account(s, "ada");
	c.profile = 0;
	assert_int_equal(store_call(s, STORE_OP_CERT_INTENT, &c, NULL), -EINVAL);
	c = intent(1, "ada");
	assert_int_equal(store_call(s, STORE_OP_CERT_INTENT, &c, NULL), 0);
	i.der = span_of(big, sizeof(big));
	assert_int_equal(store_call(s, STORE_OP_CERT_ISSUED, &i, NULL), -EINVAL);
	i.der = span_of(big, 0);
	assert_int_equal(store_call(s, STORE_OP_CERT_ISSUED, &i, NULL), -EINVAL);
	i.der = span_of(big, CERT_DER_MAX);
	assert_int_equal(store_call(s, STORE_OP_CERT_ISSUED, &i, NULL), 0);
}

struct serials {
	char text[128];
};

static int collect(void *arg, const struct cert *c)
{
	struct serials *l = arg;
	size_t len = strlen(l->text);

	(void)snprintf(l->text + len, sizeof(l->text) - len, "%d ", c->serial[2]);
	return 0;
}

static void test_ranges(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct cert_revoke_args v;
	struct serials l = {""};

	fixture_account(s, "ada");
	fixture_account(s, "adam");
	fixture_cert(s, "ada", 1, FIXTURE_NOW + 3 * FIXTURE_DAY);
	fixture_cert(s, "ada", 2, FIXTURE_NOW + 1 * FIXTURE_DAY);
	fixture_cert(s, "adam", 3, FIXTURE_NOW + 2 * FIXTURE_DAY);
	fixture_cert(s, "ada", 4, -5); /* long ago: negative times keep their order */
	assert_int_equal(cert_each(s, "", INT64_MAX, collect, &l), 0);
	assert_string_equal(l.text, "4 2 3 1 ");
	l.text[0] = '\0';
	assert_int_equal(cert_each(s, "ada", INT64_MAX, collect, &l), 0);
	assert_string_equal(l.text, "4 2 1 ");
	l.text[0] = '\0';
	assert_int_equal(cert_each(s, "ada", FIXTURE_NOW + 3 * FIXTURE_DAY, collect, &l), 0);
	assert_string_equal(l.text, "4 2 ");
	l.text[0] = '\0';
	assert_int_equal(cert_each(s, "", FIXTURE_NOW + 2 * FIXTURE_DAY, collect, &l), 0);
	assert_string_equal(l.text, "4 2 ");
	for (unsigned n = 4; n > 0; n--) {
		v = revocation(n, "");
		assert_int_equal(store_call(s, STORE_OP_CERT_REVOKE, &v, NULL), 0);
	}
	l.text[0] = '\0';
	assert_int_equal(cert_each_revoked(s, 1, FIXTURE_NOW + FIXTURE_DAY, collect, &l), 0);
	assert_string_equal(l.text, "1 3 "); /* in serial order, the expired left out */
	l.text[0] = '\0';
	assert_int_equal(cert_each_revoked(s, 2, 0, collect, &l), 0);
	assert_string_equal(l.text, "");
	l.text[0] = '\0';
	assert_int_equal(cert_each(s, "nobody", INT64_MAX, collect, &l), 0);
	assert_string_equal(l.text, "");
}

static int collect_ca(void *arg, const struct ca *c)
{
	struct serials *l = arg;
	size_t len = strlen(l->text);

	(void)snprintf(l->text + len, sizeof(l->text) - len, "%u%s:%.*s:%zu:%zu ", c->id,
		c->retired ? "r" : "", (int)c->der.len, (const char *)c->der.p, c->ocsp_der.len,
		c->cmp_der.len);
	return 0;
}

static void test_ca(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct ca c = {.id = 0, .der = SPAN_LIT("root")};
	struct serials l = {""};

	assert_int_equal(store_call(s, STORE_OP_CA_PUT, &c, NULL), 0);
	c = (struct ca){.id = 2, .der = SPAN_LIT("second")};
	assert_int_equal(store_call(s, STORE_OP_CA_PUT, &c, NULL), -EINVAL); /* no gaps */
	c = (struct ca){.id = 1,
		.der = SPAN_LIT("first"),
		.ocsp_der = SPAN_LIT("o"),
		.cmp_der = SPAN_LIT("cc")};
	assert_int_equal(store_call(s, STORE_OP_CA_PUT, &c, NULL), 0);
	c.der = SPAN_LIT("first again");
	assert_int_equal(store_call(s, STORE_OP_CA_PUT, &c, NULL), 0);
	assert_int_equal(ca_each(s, collect_ca, &l), 0);
	assert_string_equal(l.text, "0:root:0:0 1:first again:1:2 ");
	c = (struct ca){.id = 2, .der = SPAN_LIT("second")};
	assert_int_equal(store_call(s, STORE_OP_CA_PUT, &c, NULL), 0);
	l.text[0] = '\0';
	assert_int_equal(ca_each(s, collect_ca, &l), 0);
	assert_string_equal(l.text, "0:root:0:0 1r:first again:1:2 2:second:0:0 ");
	c.der.len = 0;
	assert_int_equal(store_call(s, STORE_OP_CA_PUT, &c, NULL), -EINVAL);
	assert_int_equal(fixture_audit(s, NULL), 4);
}

static void test_crl(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct crl_put_args p = {.ca_id = 1,
		.number = 5,
		.this_update_us = 6,
		.next_update_us = 7,
		.revision = 8,
		.der = SPAN_LIT("a CRL")};
	struct buf der = BUF_INIT(1 << 20);
	static unsigned char big[500000];
	struct crl_info info;

	assert_int_equal(crl_get(s, 1, &info, &der), -ENOENT);
	assert_int_equal(store_call(s, STORE_OP_CRL_PUT, &p, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_CRL_PUT, &p, NULL), -EEXIST);
	p.number = 4;
	assert_int_equal(store_call(s, STORE_OP_CRL_PUT, &p, NULL), -EEXIST);
	assert_int_equal(crl_get(s, 1, &info, &der), 0);
	assert_int_equal(info.number, 5);
	assert_int_equal(info.this_update_us, 6);
	assert_int_equal(info.next_update_us, 7);
	assert_int_equal(info.revision, 8);
	assert_true(span_eq_str(buf_span(&der), "a CRL"));
	p.number = 6;
	memset(big, 0x30, sizeof(big));
	p.der = span_of(big, sizeof(big));
	assert_int_equal(store_call(s, STORE_OP_CRL_PUT, &p, NULL), 0);
	buf_reset(&der);
	assert_int_equal(crl_get(s, 1, &info, &der), 0);
	assert_true(span_eq(buf_span(&der), p.der));
	assert_int_equal(crl_get(s, 2, &info, &der), -ENOENT);
	buf_done(&der);
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_life),
		with_store(test_locked),
		with_store(test_host_account),
		with_store(test_refusals),
		with_store(test_ranges),
		with_store(test_ca),
		with_store(test_crl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
