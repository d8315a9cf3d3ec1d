/*
 * S/MIME's cryptography: our own both ways, and the openssl command in each place; what was
 * altered, cut, signed by others or for other purposes.
 */
#include "base/cleanup.h"
#include "base/rec.h"
#include "base/timefmt.h"
#include "pki/cms.h"
#include "tests/unit/lib/pki_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct fixture_ca ca, other;
static struct fixture_cert ann, bob, host, stranger;
static const struct span text = SPAN_LIT("Content-Type: text/plain\r\n\r\nhello, it is me\r\n");

static int set_up(void **state)
{
	(void)state;
	fixture_ca_make(&ca);
	fixture_ca_make(&other);
	fixture_leaf(&ca, PKI_USER, &ann);
	fixture_leaf(&ca, PKI_USER, &bob);
	fixture_leaf(&ca, PKI_HOST, &host);
	fixture_leaf(&other, PKI_USER, &stranger);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_cert_free(&ann);
	fixture_cert_free(&bob);
	fixture_cert_free(&host);
	fixture_cert_free(&stranger);
	fixture_ca_free(&ca);
	fixture_ca_free(&other);
	return 0;
}

static void sign_at(
	const struct fixture_cert *who, const struct fixture_ca *by, int64_t at_us, struct buf *ret)
{
	const struct span chain[] = {buf_span(&by->issuing.der)};

	assert_int_equal(
		pki_cms_sign(&(struct pki_cms_self){who->key, buf_span(&who->der), chain, 1}, text,
			at_us, ret),
		0);
}

/* Verifies against the root of ca; r, and the reason has to hold a word. */
static void check(struct span der, struct span content, int64_t at_us, int r, const char *word)
{
	const struct span roots[] = {buf_span(&ca.root.pem)};
	const struct pki_cms_judge judge = {roots, 1, at_us};
	struct buf out = BUF_INIT(65536);
	struct pki_cms_signer s;
	const char *reason = "";

	assert_int_equal(pki_cms_verify(der, content, &judge, &out, &s, &reason), r);
	if (r < 0)
		assert_int_equal(out.len, 0);
	if (word != NULL && strstr(reason, word) == NULL)
		fail_msg("\"%s\" has no \"%s\"", reason, word);
	if (r == 0)
		assert_string_equal(s.email, "ann@example.org");
	pki_cms_signer_done(&s);
	buf_done(&out);
}

static void test_sign_and_verify(void **state)
{
	struct buf der = BUF_INIT(65536);
	const struct span roots[] = {buf_span(&ca.root.der)};
	const struct pki_cms_judge judge = {roots, 1, 0};
	struct pki_cms_signer s;
	const char *reason = "";

	(void)state;
	sign_at(&ann, &ca, ca.now_us, &der);
	assert_int_equal(pki_cms_verify(buf_span(&der), text, &judge, NULL, &s, &reason), 0);
	assert_true(span_eq(span_of(s.cert_der, s.cert_len), buf_span(&ann.der)));
	assert_int_equal(s.signed_us / TIME_S_US, ca.now_us / TIME_S_US);
	pki_cms_signer_done(&s);
	check(buf_span(&der), SPAN_LIT("Content-Type: text/plain\r\n\r\nhello, it is he\r\n"), 0,
		-EKEYREJECTED, "altered");
	check(buf_span(&der), SPAN_LIT(""), 0, -EKEYREJECTED, "altered");
	/* Detached, so there is nothing in it to show. */
	check(buf_span(&der), span_of(NULL, 0), 0, -EBADMSG, NULL);
	check(span_of(der.p, der.len - 1), text, 0, -EBADMSG, NULL);
	check(SPAN_LIT("0\003\002\001\001"), text, 0, -EBADMSG, NULL);
	buf_add_byte(&der, 0);
	check(buf_span(&der), text, 0, -EBADMSG, NULL);
	buf_done(&der);
}

static void test_whose_word_it_is(void **state)
{
	struct buf der = BUF_INIT(65536);
	int64_t year_us = 366 * 86400 * TIME_S_US;

	(void)state;
	sign_at(&stranger, &other, ca.now_us, &der);
	check(buf_span(&der), text, 0, -EKEYREJECTED, "unknown authority");
	buf_reset(&der);
	sign_at(&ann, &ca, ca.now_us + 20 * year_us, &der);
	/* Nobody signs in twenty years: it is judged now; then it would have been over. */
	check(buf_span(&der), text, 0, 0, NULL);
	check(buf_span(&der), text, ca.now_us + 20 * year_us, -EKEYREJECTED, "expired");
	check(buf_span(&der), text, ca.now_us - 20 * year_us, -EKEYREJECTED, "not yet valid");
	buf_reset(&der);
	assert_int_equal(
		pki_cms_sign(&(struct pki_cms_self){host.key, buf_span(&host.der), NULL, 0}, text,
			0, &der),
		-EINVAL);
	assert_int_equal(pki_cms_sign(&(struct pki_cms_self){bob.key, buf_span(&ann.der), NULL, 0},
				 text, 0, &der),
		-EINVAL);
	assert_int_equal(der.len, 0);
	/* Without the authority between there is no way to the root. */
	assert_int_equal(pki_cms_sign(&(struct pki_cms_self){ann.key, buf_span(&ann.der), NULL, 0},
				 text, ca.now_us, &der),
		0);
	check(buf_span(&der), text, 0, -EKEYREJECTED, "unknown authority");
	buf_done(&der);
}

static void test_every_altered_byte(void **state)
{
	struct buf der = BUF_INIT(65536);
	const struct span roots[] = {buf_span(&ca.root.der), buf_span(&ca.issuing.der)};
	const struct pki_cms_judge judge = {roots, 2, ca.now_us};
	unsigned refused = 0, same = 0;

	(void)state;
	sign_at(&ann, &ca, ca.now_us, &der);
	for (size_t i = 0; i < der.len; i += 3) {
		struct pki_cms_signer s;
		const char *reason;

		der.p[i] ^= 0x55;
		if (pki_cms_verify(buf_span(&der), text, &judge, NULL, &s, &reason) < 0)
			refused++;
		else if (span_eq(span_of(s.cert_der, s.cert_len), buf_span(&ann.der)))
			same++; /* in what is not signed: the chain, which roots know too */
		else
			fail_msg("byte %zu made it somebody else's", i);
		pki_cms_signer_done(&s);
		der.p[i] ^= 0x55;
	}
	assert_true(refused > der.len / 3 / 3);
	assert_true(refused + same == (der.len + 2) / 3);
	buf_done(&der);
}

static void test_encrypt_and_decrypt(void **state)
{
	const struct span to[] = {buf_span(&ann.der), buf_span(&bob.der)};
	const struct pki_cms_key keys[] = {
		{stranger.key, buf_span(&stranger.der)}, {bob.key, buf_span(&bob.der)}};
	const struct pki_cms_key wrong = {ann.key, buf_span(&bob.der)};
	struct buf der = BUF_INIT(65536), out = BUF_INIT(65536);
	size_t bad = 9;

	(void)state;
	assert_int_equal(pki_cms_encrypt(to, 2, text, &der, &bad), 0);
	assert_null(memmem(der.p, der.len, "hello", 5));
	assert_int_equal(pki_cms_decrypt(buf_span(&der), keys, 2, &out), 0);
	assert_true(span_eq(buf_span(&out), text));
	buf_reset(&out);
	assert_int_equal(pki_cms_decrypt(buf_span(&der), keys, 1, &out), -ENOKEY);
	assert_int_equal(pki_cms_decrypt(buf_span(&der), &wrong, 1, &out), -EBADMSG);
	assert_int_equal(pki_cms_decrypt(span_of(der.p, der.len - 1), keys, 2, &out), -EBADMSG);
	der.p[der.len - 1] ^= 1;
	(void)pki_cms_decrypt(buf_span(&der), keys, 2, &out);
	assert_false(span_eq(buf_span(&out), text));
	buf_done(&der);
	buf_done(&out);
}

static void test_who_cannot_be_written_to(void **state)
{
	const struct span to[] = {buf_span(&ann.der), buf_span(&host.der)};
	const struct span junk[] = {SPAN_LIT("x")};
	struct buf der = BUF_INIT(65536);
	size_t bad = 9;

	(void)state;
	assert_int_equal(pki_cms_encrypt(to, 2, text, &der, &bad), -EINVAL);
	assert_int_equal(bad, 1);
	assert_int_equal(pki_cms_encrypt(junk, 1, text, &der, &bad), -EINVAL);
	assert_int_equal(bad, 0);
	assert_int_equal(pki_cms_encrypt(to, 0, text, &der, &bad), -EINVAL);
	assert_int_equal(der.len, 0);
	buf_done(&der);
}

/* -- the openssl command ----------------------------------------------------------------------- */

static void write_all(const char *folder, struct span cms)
{
	struct buf key = BUF_INIT(8192);

	assert_int_equal(pki_key_to_pem(ann.key, &key), 0);
	fixture_write(folder, "root.pem", buf_span(&ca.root.pem));
	fixture_write(folder, "issuing.pem", buf_span(&ca.issuing.pem));
	fixture_write(folder, "ann.pem", buf_span(&ann.pem));
	fixture_write(folder, "ann.key", buf_span(&key));
	fixture_write(folder, "text", text);
	fixture_write(folder, "cms", cms);
	buf_wipe(&key);
}

/* Runs the words, each "@NAME" a file of the folder. */
static int run(const char *folder, const char *const *words, struct buf *out)
{
	char paths[24][128];
	const char *argv[25] = {NULL};

	for (size_t i = 0; words[i] != NULL && i < 24; i++) {
		argv[i] = words[i];
		if (words[i][0] != '@')
			continue;
		(void)snprintf(paths[i], sizeof paths[i], "%s/%s", folder, words[i] + 1);
		argv[i] = paths[i];
	}
	return fixture_run(argv, out);
}

static void read_file(const char *folder, const char *name, struct buf *ret)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "re");
	assert_non_null(f);
	buf_commit(ret, fread(buf_reserve(ret, 60000), 1, 60000, f));
	assert_int_equal(fclose(f), 0);
}

static void test_openssl_reads_ours(void **state)
{
	static const char *const verify[] = {"openssl", "cms", "-verify", "-binary", "-inform",
		"DER", "-in", "@cms", "-content", "@text", "-CAfile", "@root.pem", "-purpose",
		"smimesign", "-out", "@out", NULL};
	static const char *const decrypt[] = {"openssl", "cms", "-decrypt", "-binary", "-inform",
		"DER", "-in", "@cms", "-recip", "@ann.pem", "-inkey", "@ann.key", "-out", "@out",
		NULL};
	static const char *const print[] = {"openssl", "cms", "-cmsout", "-print", "-noout",
		"-inform", "DER", "-in", "@cms", NULL};
	const struct span to[] = {buf_span(&bob.der), buf_span(&ann.der)};
	struct buf der = BUF_INIT(65536), out = BUF_INIT(262144), got = BUF_INIT(65536);
	char folder[64];
	size_t bad;

	(void)state;
	fixture_folder(folder);
	sign_at(&ann, &ca, ca.now_us, &der);
	write_all(folder, buf_span(&der));
	assert_int_equal(run(folder, verify, &out), 0);
	buf_reset(&der);
	assert_int_equal(pki_cms_encrypt(to, 2, text, &der, &bad), 0);
	write_all(folder, buf_span(&der));
	assert_int_equal(run(folder, decrypt, &out), 0);
	read_file(folder, "out", &got);
	assert_true(span_eq(buf_span(&got), text));
	/* What Thunderbird's NSS opens. */
	buf_reset(&out);
	assert_int_equal(run(folder, print, &out), 0);
	assert_non_null(strstr(buf_str(&out), "dhSinglePass-stdDH-sha256kdf-scheme"));
	assert_non_null(strstr(buf_str(&out), "id-aes256-wrap"));
	assert_non_null(strstr(buf_str(&out), "aes-256-cbc"));
	fixture_remove(folder);
	buf_done(&der);
	buf_done(&out);
	buf_done(&got);
}

static void test_we_read_openssls(void **state)
{
	static const char *const sign[] = {"openssl", "cms", "-sign", "-binary", "-in", "@text",
		"-signer", "@ann.pem", "-inkey", "@ann.key", "-certfile", "@issuing.pem",
		"-outform", "DER", "-out", "@out", NULL};
	static const char *const opaque[] = {"openssl", "cms", "-sign", "-binary", "-nodetach",
		"-stream", "-in", "@text", "-signer", "@ann.pem", "-inkey", "@ann.key", "-certfile",
		"@issuing.pem", "-outform", "DER", "-out", "@out", NULL};
	static const char *const weak[] = {"openssl", "cms", "-sign", "-binary", "-md", "sha1",
		"-in", "@text", "-signer", "@ann.pem", "-inkey", "@ann.key", "-outform", "DER",
		"-out", "@out", NULL};
	static const char *const encrypt[] = {"openssl", "cms", "-encrypt", "-binary", "-aes128",
		"-stream", "-in", "@text", "-outform", "DER", "-out", "@out", "@ann.pem", NULL};
	const struct pki_cms_key key = {ann.key, buf_span(&ann.der)};
	const struct span roots[] = {buf_span(&ca.root.der)};
	const struct pki_cms_judge judge = {roots, 1, 0};
	struct buf out = BUF_INIT(65536), got = BUF_INIT(65536);
	struct pki_cms_signer s;
	const char *reason;
	char folder[64];

	(void)state;
	fixture_folder(folder);
	write_all(folder, SPAN_LIT(""));
	assert_int_equal(run(folder, sign, &out), 0);
	read_file(folder, "out", &got);
	check(buf_span(&got), text, 0, 0, NULL);
	buf_reset(&got);
	assert_int_equal(run(folder, opaque, &out), 0);
	read_file(folder, "out", &got);
	check(buf_span(&got), text, 0, -EBADMSG, NULL);
	buf_reset(&out);
	assert_int_equal(
		pki_cms_verify(buf_span(&got), span_of(NULL, 0), &judge, &out, &s, &reason), 0);
	assert_true(span_eq(buf_span(&out), text));
	pki_cms_signer_done(&s);
	buf_reset(&got);
	assert_int_equal(run(folder, weak, &out), 0);
	read_file(folder, "out", &got);
	check(buf_span(&got), text, 0, -EKEYREJECTED, "no longer safe");
	buf_reset(&got);
	buf_reset(&out);
	assert_int_equal(run(folder, encrypt, &out), 0);
	read_file(folder, "out", &got);
	buf_reset(&out);
	assert_int_equal(pki_cms_decrypt(buf_span(&got), &key, 1, &out), 0);
	assert_true(span_eq(buf_span(&out), text));
	fixture_remove(folder);
	buf_done(&out);
	buf_done(&got);
}

/* -- PKCS#12 ----------------------------------------------------------------------------------- */

static void test_p12(void **state)
{
	static const char *const show[] = {
		"openssl", "pkcs12", "-in", "@cms", "-passin", "pass:secret", "-nodes", NULL};
	static const char *const info[] = {"openssl", "pkcs12", "-in", "@cms", "-passin",
		"pass:secret", "-info", "-noout", NULL};
	const struct span chain[] = {buf_span(&ca.issuing.der), buf_span(&ca.root.der)};

	(void)state;
	for (int old = 0; old < 2; old++) {
		_cleanup_(pki_key_freep) struct pki_key *key = NULL;
		struct buf p12 = BUF_INIT(65536), certs = BUF_INIT(65536), out = BUF_INIT(65536);
		struct buf spki = BUF_INIT(1024);
		struct rec r;
		char folder[64];

		assert_int_equal(
			pki_p12_write(&(struct pki_p12){{ann.key, buf_span(&ann.der), chain, 2},
					      "ann", SPAN_LIT("secret"), old},
				&p12),
			0);
		assert_int_equal(pki_p12_read(buf_span(&p12), SPAN_LIT("secret"), &key, &certs), 0);
		assert_int_equal(pki_key_spki(key, &spki), 0);
		assert_true(span_eq(buf_span(&spki), buf_span(&ann.spki)));
		r = rec_of(buf_span(&certs));
		assert_true(span_eq(rec_bytes(&r, 65536), buf_span(&ann.der)));
		(void)rec_bytes(&r, 65536);
		(void)rec_bytes(&r, 65536);
		assert_int_equal(rec_end(&r), 0);
		fixture_folder(folder);
		write_all(folder, buf_span(&p12));
		assert_int_equal(run(folder, show, &out), 0);
		assert_non_null(strstr(buf_str(&out), "PRIVATE KEY"));
		buf_reset(&out);
		assert_int_equal(run(folder, info, &out), 0);
		assert_non_null(strstr(buf_str(&out), old ? "MAC: sha1" : "MAC: sha256"));
		fixture_remove(folder);
		buf_done(&p12);
		buf_done(&certs);
		buf_done(&out);
		buf_done(&spki);
	}
}

static void test_p12_refuses(void **state)
{
	struct pki_key *key = NULL;
	struct buf p12 = BUF_INIT(65536), certs = BUF_INIT(65536);

	(void)state;
	assert_int_equal(pki_p12_write(&(struct pki_p12){{ann.key, buf_span(&ann.der), NULL, 0},
					       "ann", SPAN_LIT("secret"), false},
				 &p12),
		0);
	assert_int_equal(pki_p12_read(buf_span(&p12), SPAN_LIT("Secret"), &key, &certs), -EACCES);
	assert_int_equal(
		pki_p12_read(span_of(p12.p, p12.len - 9), SPAN_LIT("secret"), &key, &certs),
		-EBADMSG);
	assert_int_equal(
		pki_p12_read(SPAN_LIT("nonsense"), SPAN_LIT("secret"), &key, &certs), -EBADMSG);
	assert_null(key);
	assert_int_equal(certs.len, 0);
	buf_done(&p12);
	buf_done(&certs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign_and_verify),
		cmocka_unit_test(test_whose_word_it_is),
		cmocka_unit_test(test_every_altered_byte),
		cmocka_unit_test(test_encrypt_and_decrypt),
		cmocka_unit_test(test_who_cannot_be_written_to),
		cmocka_unit_test(test_openssl_reads_ours),
		cmocka_unit_test(test_we_read_openssls),
		cmocka_unit_test(test_p12),
		cmocka_unit_test(test_p12_refuses),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
