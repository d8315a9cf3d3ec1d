/*
 * ftpd's tree through backup and restore: owners survive, a digest is right or absent, partials and
 * temporaries stay behind, people's files are never written over.
 */
#include "base/hash.h"
#include "store/file.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NS_PER_S INT64_C(1000000000)

static void path_of(char ret[300], const char *state, const char *path)
{
	int n = snprintf(ret, 300, "%s/files%s", state, path);

	assert_true(n > 0 && n < 300);
}

static void write_file(const char *state, const char *path, const char *text)
{
	char name[300];
	int fd;

	path_of(name, state, path);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0660);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void make_folder(const char *state, const char *path)
{
	char name[300];

	path_of(name, state, path);
	assert_int_equal(mkdir(name, 02770), 0);
}

static bool is_there(const char *state, const char *path)
{
	char name[300];

	path_of(name, state, path);
	return access(name, F_OK) == 0;
}

static void stat_of(const char *state, const char *path, struct stat *ret)
{
	char name[300];

	path_of(name, state, path);
	assert_int_equal(stat(name, ret), 0);
}

static int64_t mtime_of(const struct stat *st)
{
	return st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec;
}

/* Writes the file and its row, as an upload does. */
static void upload(struct store_fixture *f, const char *path, const char *owner, const char *text)
{
	struct file_put_args a = {.path = span_str(path), .row = {.stored_us = FIXTURE_NOW}};
	struct stat st;

	write_file(f->state, path, text);
	stat_of(f->state, path, &st);
	(void)snprintf(a.row.owner, sizeof(a.row.owner), "%s", owner);
	a.row.size = (uint64_t)st.st_size;
	a.row.inode = st.st_ino;
	a.row.mtime_ns = mtime_of(&st);
	a.row.has_digest = true;
	assert_int_equal(hash_sha256(span_str(text), a.row.digest), 0);
	assert_int_equal(store_call(f->s, STORE_OP_FILE_PUT, &a, NULL), 0);
}

static void fill(struct store_fixture *f)
{
	struct file_put_args folder = {.path = SPAN_LIT("/shared/sub"),
		.row = {.owner = "ada", .folder = true, .stored_us = FIXTURE_NOW}};
	struct partial_args p = {.path = SPAN_LIT("/shared/cut"),
		.partial = {.account = "ada", .temp = FILE_TEMP_PREFIX "1", .size = 3},
		.now_us = FIXTURE_NOW};
	struct file_reserve_args r = {.account = "ada", .id = 1, .bytes = 5, .pid = getpid()};

	make_folder(f->state, "");
	make_folder(f->state, "/shared");
	make_folder(f->state, "/shared/sub");
	make_folder(f->state, "/home");
	upload(f, "/shared/sub/one", "ada", "one");
	upload(f, "/shared/two", "ben", "two two");
	upload(f, "/shared/gone", "ben", "never copied");
	write_file(f->state, "/shared/dropped", "nobody's");
	write_file(f->state, "/shared/" FILE_TEMP_PREFIX "1", "cut");
	assert_int_equal(store_call(f->s, STORE_OP_FILE_PUT, &folder, NULL), 0);
	assert_int_equal(store_call(f->s, STORE_OP_PARTIAL_PUT, &p, NULL), 0);
	assert_int_equal(store_call(f->s, STORE_OP_FILE_RESERVE, &r, NULL), 0);
}

/* The row agrees with the file in all that makes its digest believed. */
static void check_row(struct store *s, const char *state, const char *path, const char *owner,
	const char *digest_of)
{
	unsigned char digest[FILE_DIGEST_LEN];
	struct file_row row;
	struct stat st;

	assert_int_equal(file_get(s, span_str(path), &row), 0);
	stat_of(state, path, &st);
	assert_string_equal(row.owner, owner);
	assert_int_equal(row.inode, st.st_ino);
	assert_int_equal(row.mtime_ns, mtime_of(&st));
	assert_int_equal(row.size, row.folder ? 0 : st.st_size);
	assert_int_equal(row.has_digest, digest_of != NULL);
	if (digest_of == NULL)
		return;
	assert_int_equal(hash_sha256(span_str(digest_of), digest), 0);
	assert_memory_equal(row.digest, digest, sizeof(digest));
}

static int no_partial(void *arg, struct span path, const struct file_partial *p)
{
	(void)arg;
	(void)path;
	(void)p;
	return 1;
}

static void names(struct store_fixture *f, char backup[128], char other[128])
{
	(void)snprintf(backup, 128, "%s/backup", f->dir);
	(void)snprintf(other, 128, "%s/other", f->dir);
}

static void test_owners(void **state)
{
	struct store_fixture *f = *state;
	char backup[128], other[128], name[300];
	struct store *s = NULL;
	struct file_usage u;
	struct file_row row;

	names(f, backup, other);
	fill(f);
	path_of(name, f->state, "/shared/gone");
	assert_int_equal(unlink(name), 0);
	assert_int_equal(store_backup(f->s, f->state, backup), 0);
	assert_true(is_there(backup, "/shared/dropped"));
	assert_false(is_there(backup, "/shared/" FILE_TEMP_PREFIX "1"));
	assert_int_equal(store_restore(backup, other), 0);
	assert_false(is_there(other, "/shared/" FILE_TEMP_PREFIX "1"));
	assert_false(is_there(other, "/" FILE_TEMP_PREFIX "restore"));
	assert_int_equal(store_open(other, STORE_WRITE, &s), 0);
	assert_int_equal(store_check(s, NULL, NULL), 0);
	check_row(s, other, "/shared/sub/one", "ada", "one");
	check_row(s, other, "/shared/two", "ben", "two two");
	check_row(s, other, "/shared/sub", "ada", NULL);
	assert_int_equal(file_get(s, SPAN_LIT("/shared/gone"), &row), -ENOENT);
	assert_int_equal(file_get(s, SPAN_LIT("/shared/dropped"), &row), -ENOENT);
	assert_true(is_there(other, "/shared/dropped"));
	assert_int_equal(file_usage_get(s, "ada", &u), 0);
	assert_int_equal(u.bytes, 3);
	assert_int_equal(u.files, 1);
	assert_int_equal(u.partial_bytes + u.reserved, 0);
	assert_int_equal(file_usage_get(s, "ben", &u), 0);
	assert_int_equal(u.bytes, 7);
	assert_int_equal(file_partial_each(s, no_partial, NULL), 0);
	store_close(s);
}

/* What changed behind the store's back, in size, in bytes only, or in kind. */
static void test_digests(void **state)
{
	struct store_fixture *f = *state;
	char backup[128], other[128], name[300];
	struct store *s = NULL;
	struct file_usage u;
	struct file_row row;
	struct stat st;

	names(f, backup, other);
	fill(f);
	assert_int_equal(store_backup(f->s, f->state, backup), 0);
	stat_of(backup, "/shared/sub/one", &st);
	write_file(backup, "/shared/sub/one", "two");
	path_of(name, backup, "/shared/sub/one");
	/* The same size and time, other bytes: a rotten disk. */
	assert_int_equal(
		utimensat(AT_FDCWD, name, (const struct timespec[]){st.st_mtim, st.st_mtim}, 0), 0);
	write_file(backup, "/shared/two", "longer than it was");
	path_of(name, backup, "/shared/gone");
	assert_int_equal(unlink(name), 0);
	assert_int_equal(mkdir(name, 0700), 0);
	assert_int_equal(store_restore(backup, other), 0);
	assert_int_equal(store_open(other, STORE_WRITE, &s), 0);
	assert_int_equal(store_check(s, NULL, NULL), 0);
	check_row(s, other, "/shared/sub/one", "ada", NULL);
	check_row(s, other, "/shared/two", "ben", NULL);
	assert_int_equal(file_get(s, SPAN_LIT("/shared/gone"), &row), -ENOENT);
	assert_int_equal(file_usage_get(s, "ben", &u), 0);
	assert_int_equal(u.bytes, strlen("longer than it was"));
	assert_int_equal(u.files, 1);
	store_close(s);
}

/* The folders that installing makes are there before; files there are people's. */
static void test_into(void **state)
{
	struct store_fixture *f = *state;
	char backup[128], other[128], name[300];
	struct store *s = NULL;

	names(f, backup, other);
	fill(f);
	assert_int_equal(store_backup(f->s, f->state, backup), 0);
	assert_int_equal(mkdir(other, 0700), 0);
	make_folder(other, "");
	make_folder(other, "/shared");
	make_folder(other, "/home");
	write_file(other, "/home/precious", "precious");
	assert_int_equal(store_restore(backup, other), -EEXIST);
	assert_non_null(strstr(store_open_reason(), "holds files already"));
	assert_false(is_there(other, "/shared/two"));
	path_of(name, other, "/home/precious");
	assert_int_equal(unlink(name), 0);
	/* An attempt that was cut off half-way is begun again. */
	write_file(other, "/" FILE_TEMP_PREFIX "restore", "");
	write_file(other, "/shared/two", "tw");
	assert_int_equal(store_restore(backup, other), 0);
	assert_int_equal(store_open(other, STORE_WRITE, &s), 0);
	check_row(s, other, "/shared/two", "ben", "two two");
	store_close(s);
}

/* -- while people work ------------------------------------------------------------------------- */

/* Uploads, renames and removes until it is killed. */
static int busy(struct store *s, void *arg)
{
	struct store_fixture *f = arg;
	struct store_fixture mine = *f;
	char path[64], temp[300], name[300];

	mine.s = s;
	for (unsigned i = 0;; i++) {
		(void)snprintf(path, sizeof(path), "/shared/sub/" FILE_TEMP_PREFIX "%u", i);
		write_file(f->state, path, "some text");
		path_of(temp, f->state, path);
		(void)snprintf(path, sizeof(path), "/shared/sub/busy%u", i % 20);
		path_of(name, f->state, path);
		if (i % 3 == 0)
			(void)unlink(name);
		if (rename(temp, name) < 0)
			return 1;
		upload(&mine, path, "cyd", "some text");
	}
}

static void test_while_working(void **state)
{
	struct store_fixture *f = *state;
	char backup[128], other[128];
	struct store *s = NULL;
	pid_t pid;

	fill(f);
	pid = fixture_fork(f, busy, f);
	for (int i = 0; i < 5; i++) {
		(void)usleep(30000);
		(void)snprintf(backup, sizeof(backup), "%s/backup%d", f->dir, i);
		(void)snprintf(other, sizeof(other), "%s/other%d", f->dir, i);
		assert_int_equal(store_backup(f->s, f->state, backup), 0);
		assert_int_equal(store_restore(backup, other), 0);
		assert_int_equal(store_open(other, STORE_READ, &s), 0);
		assert_int_equal(store_check(s, NULL, NULL), 0);
		check_row(s, other, "/shared/sub/one", "ada", "one");
		store_close(s);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(fixture_wait(pid), -SIGKILL);
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_owners),
		with_store(test_digests),
		with_store(test_into),
		with_store(test_while_working),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
