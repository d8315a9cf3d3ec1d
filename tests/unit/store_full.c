/* A full map and a full disk: a clear refusal, what secures still works, and recovery. */
#include "store/blob.h"
#include "store/file.h"
#include "store/policy.h"
#include "store/session.h"
#include "store/store_i.h"
#include "store/throttle.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

enum { BODY = 60000, MAP_SMALL = 4 << 20, BLOBS_MAX = 1000 };

/* A blob whose content is its number. */
static int put_blob(struct store *s, unsigned n, unsigned char id[BLOB_ID_LEN])
{
	static unsigned char body[BODY];
	struct blob_writer *w = NULL;
	struct blob_sealed b = {.size = 0};
	int rc;

	memset(body, (int)(n % 251), sizeof(body));
	memcpy(body, &n, sizeof(n));
	rc = blob_begin(s, BODY, &w);
	if (rc == 0)
		rc = blob_write(w, span_of(body, sizeof(body)));
	if (rc == 0)
		rc = blob_seal(w, &b);
	if (rc == 0)
		rc = store_call(s, STORE_OP_BLOB_PUT, &b, NULL);
	memcpy(id, b.id, BLOB_ID_LEN);
	blob_end(w);
	return rc;
}

static unsigned char ids[BLOBS_MAX][BLOB_ID_LEN];

/* Blobs until there is no room. */
static unsigned fill(struct store *s)
{
	unsigned n = 0;
	int rc = 0;

	while (rc == 0 && n < BLOBS_MAX)
		rc = put_blob(s, n, ids[n]) == 0 ? (n++, 0) : -1;
	return n;
}

/* Everything that must go on in a full store: log-in, locking, revocation, removal. */
static void secure_things_work(struct store *s)
{
	struct throttle_args t = {.keys = {{THROTTLE_ACCOUNT, "ada", 3}}, .count = 1};
	struct account_flags_args f = {.name = "ada", .set = ACCOUNT_LOCKED};
	struct cert_revoke_args v = {.by = "ada"};
	struct policy_set_args p = {.name = "signup", .value = "closed", .by = "root"};
	struct session_row r = {.pid = 1, .service = "cad"};
	struct session_remove_args gone = {.service = "cad"};
	struct account_password_args pw = {.name = "ada", .password = "$y$new"};
	struct crl_put_args crl = {.ca_id = 1, .number = 1, .der = SPAN_LIT("crl")};

	fixture_serial(1, v.serial);
	assert_int_equal(store_call(s, STORE_OP_THROTTLE_FAIL, &t, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_THROTTLE_CLEAR, &t, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_SESSION_ADD, &r, &gone.id), 0);
	assert_int_equal(store_call(s, STORE_OP_SESSION_REMOVE, &gone, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_CERT_REVOKE, &v, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_CRL_PUT, &crl, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_PASSWORD, &pw, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_FLAGS, &f, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_POLICY_SET, &p, NULL), 0);
}

static void put_files(struct store *s)
{
	struct file_put_args f = {.path = SPAN_LIT("/shared/f"), .row = {.owner = "ada"}};
	struct partial_args p = {.path = SPAN_LIT("/shared/p"),
		.partial = {.account = "ada", .temp = FILE_TEMP_PREFIX "1", .size = 1}};
	struct file_reserve_args r = {.account = "ada", .id = 1, .bytes = 1, .pid = 1};

	assert_int_equal(store_call(s, STORE_OP_FILE_PUT, &f, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_PARTIAL_PUT, &p, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_FILE_RESERVE, &r, NULL), 0);
}

/* Uploads end there; what they hold can be given back, and files removed. */
static void files_can_go(struct store *s)
{
	struct file_put_args f = {.path = SPAN_LIT("/shared/g"), .row = {.owner = "ada"}};
	struct file_remove_args gone = {.paths = {SPAN_LIT("/shared/f")}, .count = 1};
	struct partial_args p = {.path = SPAN_LIT("/shared/p"),
		.partial = {.account = "ada", .temp = FILE_TEMP_PREFIX "1", .size = 1}};
	struct file_reserve_args r = {.account = "ada", .id = 1};

	assert_int_equal(store_call(s, STORE_OP_FILE_PUT, &f, NULL), -ENOSPC);
	assert_int_equal(store_call(s, STORE_OP_PARTIAL_PUT, &p, NULL), -ENOSPC);
	assert_int_equal(store_call(s, STORE_OP_FILE_RESERVE, &r, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_PARTIAL_REMOVE, &p, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_FILE_REMOVE, &gone, NULL), 0);
}

static void test_map_full(void **state)
{
	struct store_fixture *f = *state;
	struct account_remove_args r = {.name = "ada"};
	struct account_remove_result res;
	struct account_create_args c = {.name = "eve"};
	struct audit_row row = {.event = "login-refused"};
	struct crl_put_args crl = {.ca_id = 1, .number = 2};
	static unsigned char big[2 << 20];
	struct store_health h;
	unsigned n;

	fixture_account(f->s, "ada");
	fixture_account(f->s, "ben");
	fixture_cert(f->s, "ada", 1, FIXTURE_NOW + FIXTURE_DAY);
	put_files(f->s);
	n = fill(f->s);
	assert_true(n > 20 && n < BLOBS_MAX);
	assert_int_equal(put_blob(f->s, n, ids[n]), -ENOSPC);
	assert_int_equal(store_health(f->s, &h), 0);
	assert_int_equal(h.map_bytes, MAP_SMALL);
	assert_true(h.used_bytes >= h.map_bytes / 100 * STORE_FULL_PERCENT);
	assert_int_equal(store_call(f->s, STORE_OP_ACCOUNT_CREATE, &c, NULL), -ENOSPC);
	assert_int_equal(store_call(f->s, STORE_OP_AUDIT_APPEND, &row, NULL), -ENOSPC);
	secure_things_work(f->s);
	files_can_go(f->s);
	/* An operation that may use the last pages and still finds too few of them. */
	crl.der = span_of(big, sizeof(big));
	assert_int_equal(store_call(f->s, STORE_OP_CRL_PUT, &crl, NULL), -ENOSPC);
	assert_int_equal(store_call(f->s, STORE_OP_ACCOUNT_REMOVE, &r, &res), 0);
	assert_int_equal(store_check(f->s, NULL, NULL), 0);
	/* Room comes back. */
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(store_call(f->s, STORE_OP_BLOB_UNREF, ids[i], NULL), 0);
	assert_int_equal(store_call(f->s, STORE_OP_ACCOUNT_CREATE, &c, NULL), 0);
	assert_int_equal(put_blob(f->s, 0, ids[0]), 0);
	assert_int_equal(store_health(f->s, &h), 0);
	assert_true(h.used_bytes < h.map_bytes / 100 * STORE_FULL_PERCENT);
	assert_true(h.free_bytes > 0);
	assert_int_equal(store_check(f->s, NULL, NULL), 0);
}

static int small_map_setup(void **state)
{
	assert_int_equal(setenv("QUINTET_TEST_MAP_BYTES", "4194304", 1), 0);
	return store_fixture_setup(state);
}

static int small_map_teardown(void **state)
{
	assert_int_equal(unsetenv("QUINTET_TEST_MAP_BYTES"), 0);
	return store_fixture_teardown(state);
}

/* -- disk -------------------------------------------------------------------------------------- */

#define expect(condition)                                                             \
	do {                                                                          \
		if (!(condition)) {                                                   \
			(void)fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
			_exit(1);                                                     \
		}                                                                     \
	} while (0)

static int big_blob(struct store *s, size_t len)
{
	static unsigned char chunk[50000];
	struct blob_writer *w = NULL;
	struct blob_sealed b;
	int rc = blob_begin(s, UINT64_MAX, &w);

	for (size_t at = 0; rc == 0 && at < len; at += sizeof(chunk))
		rc = blob_write(w, span_of(chunk, sizeof(chunk)));
	if (rc == 0)
		rc = blob_seal(w, &b);
	blob_end(w);
	return rc;
}

/* In a private mount namespace. */
static void on_small_disk(const char *dir)
{
	char path[200];
	struct store *s = NULL;
	struct account a;
	uint64_t size = 0;
	unsigned n;

	(void)snprintf(path, sizeof(path), "%s/state", dir);
	expect(store_open(path, STORE_CREATE, &s) == 0);
	expect(big_blob(s, 4 << 20) == -ENOSPC);
	fixture_account(s, "ada");
	n = fill(s);
	expect(n > 5 && n < 40);
	expect(put_blob(s, n, ids[n]) == -ENOSPC);
	/* What was acknowledged is there and can be read, in this process and in a new one. */
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < n; i++)
			expect(blob_size(s, ids[i], &size) == 0 && size == BODY);
		expect(blob_size(s, ids[n], &size) == -ENOENT);
		expect(account_get(s, "ada", &a) == 0);
		expect(store_check(s, NULL, NULL) == 0);
		expect(put_blob(s, n, ids[n]) == -ENOSPC);
		store_close(s);
		s = NULL;
		expect(store_open(path, STORE_WRITE, &s) == 0);
	}
	expect(put_blob(s, n, ids[n]) == -ENOSPC);
	expect(mount("tmpfs", dir, "tmpfs", MS_REMOUNT, "size=8m") == 0);
	expect(put_blob(s, n, ids[n]) == 0); /* the same handle goes on */
	expect(store_check(s, NULL, NULL) == 0);
	store_close(s);
}

static void test_disk_full(void **state)
{
	(void)state;
	fixture_small_disk("size=2m", on_small_disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_map_full, small_map_setup, small_map_teardown),
		cmocka_unit_test(test_disk_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
