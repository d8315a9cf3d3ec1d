/* Blobs: inline and in files, stored once, counted, swept; and the rest of the sweep. */
#include "store/blob.h"

#include "base/hash.h"
#include "base/timefmt.h"
#include "store/blob_i.h"
#include "store/session.h"
#include "store/throttle.h"
#include "tests/unit/lib/store_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR_US (INT64_C(3600) * 1000000)

enum { BIG = 300000 };

static unsigned char body[BIG];

static void make_body(unsigned seed)
{
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (unsigned char)(i * 31 + i / 251 + seed);
}

/* Writes len bytes of the body in uneven pieces. */
static void put(struct store *s, size_t len, struct blob_sealed *ret)
{
	struct blob_writer *w = NULL;
	size_t piece = 1;

	assert_int_equal(blob_begin(s, BIG, &w), 0);
	for (size_t at = 0; at < len; at += piece, piece = piece * 3 % 50021 + 1) {
		if (piece > len - at)
			piece = len - at;
		assert_int_equal(blob_write(w, span_of(body + at, piece)), 0);
	}
	assert_int_equal(blob_seal(w, ret), 0);
	assert_int_equal(ret->size, len);
	assert_int_equal(store_call(s, STORE_OP_BLOB_PUT, ret, NULL), 0);
	blob_end(w);
}

static void expect(struct store *s, const unsigned char *id, size_t len)
{
	unsigned char chunk[7001];
	size_t at = 0, n = 1;
	uint64_t size = 0;

	assert_int_equal(blob_size(s, id, &size), 0);
	assert_int_equal(size, len);
	while (n > 0) {
		assert_int_equal(blob_read(s, id, at, chunk, sizeof(chunk), &n), 0);
		assert_true(n <= len - at);
		assert_memory_equal(chunk, body + at, n);
		at += n;
	}
	assert_int_equal(at, len);
	assert_int_equal(blob_read(s, id, len + 10, chunk, sizeof(chunk), &n), 0);
	assert_int_equal(n, 0);
}

static void file_path(const struct store_fixture *f, const unsigned char *id, char ret[256])
{
	char path[BLOB_PATH_SIZE];

	blob_path(id, path);
	(void)snprintf(ret, 256, "%s/blobs/%s", f->state, path);
}

static bool has_file(const struct store_fixture *f, const unsigned char *id)
{
	char path[256];

	file_path(f, id, path);
	return access(path, F_OK) == 0;
}

static void test_sizes(void **state)
{
	static const size_t sizes[] = {
		0, 1, 4000, BLOB_INLINE_MAX - 1, BLOB_INLINE_MAX, BLOB_INLINE_MAX + 1, BIG};
	struct store_fixture *f = *state;
	unsigned char digest[32];
	struct blob_sealed b;

	make_body(0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		put(f->s, sizes[i], &b);
		assert_int_equal(hash_sha256(span_of(body, sizes[i]), digest), 0);
		assert_memory_equal(digest, b.id, 32);
		assert_int_equal(has_file(f, b.id), sizes[i] > BLOB_INLINE_MAX);
		expect(f->s, b.id, sizes[i]);
	}
	assert_int_equal(store_check(f->s, NULL, NULL), 0);
}

static void test_once(void **state)
{
	struct store_fixture *f = *state;
	struct blob_sealed a, b;
	uint64_t size;
	size_t n;

	make_body(1);
	for (size_t len = 100; len <= BIG; len += BIG - 100) {
		put(f->s, len, &a);
		put(f->s, len, &b);
		assert_memory_equal(a.id, b.id, 32);
		assert_int_equal(store_call(f->s, STORE_OP_BLOB_UNREF, a.id, NULL), 0);
		expect(f->s, a.id, len);
		assert_int_equal(store_call(f->s, STORE_OP_BLOB_UNREF, a.id, NULL), 0);
		assert_int_equal(blob_size(f->s, a.id, &size), -ENOENT);
		assert_int_equal(blob_read(f->s, a.id, 0, &size, 1, &n), -ENOENT);
		assert_int_equal(store_call(f->s, STORE_OP_BLOB_UNREF, a.id, NULL), -ENOENT);
	}
	b.size++;
	put(f->s, BIG, &a);
	assert_int_equal(store_call(f->s, STORE_OP_BLOB_PUT, &b, NULL), -EBADMSG);
}

static unsigned temporaries(const struct store_fixture *f)
{
	char path[256];
	struct dirent *e;
	unsigned n = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/blobs/tmp", f->state);
	dir = opendir(path);
	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL)
		n += e->d_name[0] != '.';
	(void)closedir(dir);
	return n;
}

/* Nobody's bytes come under the name of others. */
static void test_digest(void **state)
{
	struct store_fixture *f = *state;
	struct blob_sealed b = {.size = 4, .inline_bytes = SPAN_LIT("body")};

	assert_int_equal(hash_sha256(SPAN_LIT("Body"), b.id), 0);
	assert_int_equal(store_call(f->s, STORE_OP_BLOB_PUT, &b, NULL), -EINVAL);
	assert_int_equal(hash_sha256(b.inline_bytes, b.id), 0);
	b.size = 3;
	assert_int_equal(store_call(f->s, STORE_OP_BLOB_PUT, &b, NULL), -EINVAL);
	b.size = 4;
	assert_int_equal(store_call(f->s, STORE_OP_BLOB_PUT, &b, NULL), 0);
}

static void test_limits(void **state)
{
	struct store_fixture *f = *state;
	struct blob_writer *w = NULL;
	struct blob_sealed b;

	make_body(2);
	assert_int_equal(blob_begin(f->s, 10, &w), 0);
	assert_int_equal(blob_write(w, span_of(body, 11)), -EFBIG);
	assert_int_equal(blob_write(w, span_of(body, 10)), 0);
	assert_int_equal(blob_write(w, span_of(body, 1)), -EFBIG);
	blob_end(w);
	assert_int_equal(blob_begin(f->s, UINT64_MAX, &w), 0);
	assert_int_equal(blob_write(w, span_of(body, BIG)), 0);
	assert_int_equal(temporaries(f), 1);
	blob_end(w); /* not sealed: nothing stays */
	assert_int_equal(temporaries(f), 0);
	assert_int_equal(blob_begin(f->s, BIG, &w), 0);
	assert_int_equal(blob_write(w, span_of(body, BIG)), 0);
	assert_int_equal(blob_seal(w, &b), 0);
	assert_int_equal(blob_seal(w, &b), -EINVAL);
	assert_int_equal(blob_write(w, span_of(body, 1)), -EINVAL);
	blob_end(w);
	assert_int_equal(temporaries(f), 0);
	assert_true(has_file(f, b.id));
}

/* -- sweeping ---------------------------------------------------------------------------------- */

static void age(const char *path)
{
	const struct timespec times[2] = {
		{.tv_sec = time(NULL) - 7200}, {.tv_sec = time(NULL) - 7200}};

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static struct sweep_result sweep(struct store *s)
{
	struct sweep_args a = {.now_us = time_now_us()};
	struct sweep_result r;

	assert_int_equal(store_call(s, STORE_OP_SWEEP, &a, &r), 0);
	return r;
}

static void test_orphans(void **state)
{
	struct store_fixture *f = *state;
	struct blob_sealed kept, gone;
	char path[256], tmp[256];
	int fd, lock_fd;

	make_body(3);
	put(f->s, BIG, &kept);
	put(f->s, BIG - 1, &gone);
	assert_int_equal(store_call(f->s, STORE_OP_BLOB_UNREF, gone.id, NULL), 0);
	assert_int_equal(sweep(f->s).files, 0); /* young */
	file_path(f, kept.id, path);
	age(path);
	file_path(f, gone.id, path);
	age(path);
	(void)snprintf(tmp, sizeof(tmp), "%s/blobs/tmp/0123", f->state);
	fd = open(tmp, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	age(tmp);
	/* A backup holds the folder: nothing is removed. */
	(void)snprintf(tmp, sizeof(tmp), "%s/blobs", f->state);
	lock_fd = open(tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(lock_fd, LOCK_SH), 0);
	assert_int_equal(sweep(f->s).files, 0);
	(void)close(lock_fd);
	assert_int_equal(sweep(f->s).files, 2);
	assert_false(has_file(f, gone.id));
	assert_int_equal(temporaries(f), 0);
	expect(f->s, kept.id, BIG);
	/* An old orphan that is written again is young again. */
	assert_int_equal(store_call(f->s, STORE_OP_BLOB_UNREF, kept.id, NULL), 0);
	file_path(f, kept.id, path);
	age(path);
	put(f->s, BIG, &kept);
	assert_int_equal(store_call(f->s, STORE_OP_BLOB_UNREF, kept.id, NULL), 0);
	assert_int_equal(sweep(f->s).files, 0);
	assert_true(has_file(f, kept.id));
}

static void add_old_rows(struct store *s, int64_t now)
{
	struct invite i = {.hash = {1}, .created_us = 1, .expires_us = now - 1, .uses_left = 1};
	struct cmp_ref c = {.reference = "r", .name = "zoe", .expires_us = now - 1};
	struct throttle_args t = {.keys = {{THROTTLE_ACCOUNT, "ada", 3}}, .count = 1};
	struct cert intent = {.account = "ada", .profile = CERT_PROFILE_USER, .ca_id = 1};

	t.now_us = now - 24 * HOUR_US;
	intent.created_us = now - 24 * HOUR_US;
	intent.not_after_us = now - 1;
	fixture_account(s, "ada");
	fixture_serial(7, intent.serial);
	assert_int_equal(store_call(s, STORE_OP_INVITE_CREATE, &i, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_CMP_CREATE, &c, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_THROTTLE_FAIL, &t, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_CERT_INTENT, &intent, NULL), 0);
	/* And the same, young. */
	i.hash[0] = 2;
	i.expires_us = now + HOUR_US;
	(void)snprintf(c.reference, sizeof(c.reference), "r2");
	c.expires_us = now + HOUR_US;
	t.keys[0].key[0] = 'A';
	t.now_us = now;
	fixture_serial(8, intent.serial);
	intent.not_after_us = now + HOUR_US;
	assert_int_equal(store_call(s, STORE_OP_INVITE_CREATE, &i, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_CMP_CREATE, &c, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_THROTTLE_FAIL, &t, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_CERT_INTENT, &intent, NULL), 0);
	fixture_cert(s, "ada", 9, now - HOUR_US); /* expired, but issued: kept */
}

static int add_session(struct store *s, void *arg)
{
	struct session_row r = {.pid = getpid(), .service = "cad"};
	uint64_t id;

	(void)arg;
	return session_start_ticks(r.pid, &r.start_ticks) < 0 ||
		store_call(s, STORE_OP_SESSION_ADD, &r, &id) < 0;
}

static void test_rows(void **state)
{
	struct store_fixture *f = *state;
	int64_t now = time_now_us();
	unsigned char serial[CERT_SERIAL_LEN];
	struct session_row r;
	struct cert c;

	add_old_rows(f->s, now);
	assert_int_equal(fixture_wait(fixture_fork(f, add_session, NULL)), 0);
	assert_int_equal(add_session(f->s, NULL), 0);
	/* Five, and as many of the audit table, which tell of times that are long ago. */
	assert_int_equal(sweep(f->s).rows, 5 + 5);
	assert_int_equal(sweep(f->s).rows, 0);
	fixture_serial(7, serial);
	assert_int_equal(cert_get(f->s, serial, &c, NULL), -ENOENT);
	fixture_serial(8, serial);
	assert_int_equal(cert_get(f->s, serial, &c, NULL), 0);
	fixture_serial(9, serial);
	assert_int_equal(cert_get(f->s, serial, &c, NULL), 0);
	assert_int_equal(session_successor(f->s, "cad", 0, &r), 0);
	assert_int_equal(r.pid, getpid());
	assert_int_equal(store_check(f->s, NULL, NULL), 0);
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_sizes),
		with_store(test_once),
		with_store(test_digest),
		with_store(test_limits),
		with_store(test_orphans),
		with_store(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
