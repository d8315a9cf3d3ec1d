/* SHA-256 and HMAC against published vectors, the running digest, random bytes. */
#include "base/hash.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_hex(const unsigned char *p, const char *want)
{
	struct buf b = BUF_INIT(100);

	text_hex(&b, span_of(p, HASH_SHA256_LEN));
	assert_string_equal(buf_str(&b), want);
	buf_done(&b);
}

/* FIPS 180-4 examples. */
static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char million[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void test_sha256(void **state)
{
	unsigned char digest[HASH_SHA256_LEN];

	(void)state;
	assert_int_equal(hash_sha256(SPAN_LIT("abc"), digest), 0);
	assert_hex(digest, abc);
	assert_int_equal(hash_sha256(span_of(NULL, 0), digest), 0);
	assert_hex(digest, empty);
}

static void test_running(void **state)
{
	unsigned char digest[HASH_SHA256_LEN], block[1000];
	_cleanup_(hash_freep) struct hash *h = NULL;
	_cleanup_(hash_freep) struct hash *unused = NULL;
	_cleanup_(hash_freep) struct hash *none = NULL;

	(void)state;
	memset(block, 'a', sizeof(block));
	assert_int_equal(hash_new(&h), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(hash_update(h, span_of(block, sizeof(block))), 0);
	assert_int_equal(hash_update(h, span_of(NULL, 0)), 0);
	assert_int_equal(hash_final(h, digest), 0);
	assert_hex(digest, million);
	assert_int_equal(hash_new(&unused), 0);
	assert_int_equal(hash_final(unused, digest), 0);
	assert_hex(digest, empty);
	hash_free(none);
}

/* RFC 4231 sections 4.3, 4.2 and 4.7. */
static void test_hmac(void **state)
{
	unsigned char digest[HASH_SHA256_LEN], key[131];

	(void)state;
	assert_int_equal(hash_hmac_sha256(SPAN_LIT("Jefe"),
				 SPAN_LIT("what do ya want for nothing?"), digest),
		0);
	assert_hex(digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0x0b, 20);
	assert_int_equal(hash_hmac_sha256(span_of(key, 20), SPAN_LIT("Hi There"), digest), 0);
	assert_hex(digest, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	memset(key, 0xaa, sizeof(key));
	assert_int_equal(
		hash_hmac_sha256(span_of(key, sizeof(key)),
			SPAN_LIT("Test Using Larger Than Block-Size Key - Hash Key First"), digest),
		0);
	assert_hex(digest, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void test_hmac_of_nothing(void **state)
{
	unsigned char digest[HASH_SHA256_LEN];

	(void)state;
	assert_int_equal(hash_hmac_sha256(span_of(NULL, 0), span_of(NULL, 0), digest), 0);
	assert_hex(digest, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void test_random(void **state)
{
	static unsigned char big[100000];
	unsigned char a[32], b[32], guard[3] = {1, 2, 3};
	size_t zeros = 0;

	(void)state;
	assert_int_equal(hash_random(a, sizeof(a)), 0);
	assert_int_equal(hash_random(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(hash_random(guard, 0), 0);
	assert_int_equal(guard[0], 1);
	/* More than the kernel gives at once when interrupted; all of it is filled. */
	assert_int_equal(hash_random(big, sizeof(big)), 0);
	for (size_t i = 0; i < sizeof(big); i++)
		zeros += big[i] == 0;
	assert_in_range(zeros, 100, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_running),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_hmac_of_nothing),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
