/* The sweep of ftpd's tree: what goes, and above all what stays. */
#include "store/file_sweep.h"

#include "base/hash.h"
#include "store/file.h"
#include "store/session.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR (INT64_C(3600) * 1000000)

/* -- a tree ------------------------------------------------------------------------------------ */

static int at(const struct store_fixture *f)
{
	int fd = open(f->state, O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void make_folder(const struct store_fixture *f, const char *name)
{
	int fd = at(f);

	assert_int_equal(mkdirat(fd, name, 02770), 0);
	(void)close(fd);
}

static void make_tree(const struct store_fixture *f)
{
	make_folder(f, "files");
	make_folder(f, "files/shared");
	make_folder(f, "files/home");
	make_folder(f, "files/home/ada");
}

static void write_file(const struct store_fixture *f, const char *name, const char *text)
{
	int dir_fd = at(f);
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0660);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	(void)close(dir_fd);
}

static void set_age(const struct store_fixture *f, const char *name, int64_t at_us)
{
	const struct timespec times[2] = {{at_us / 1000000, 0}, {at_us / 1000000, 0}};
	int fd = at(f);

	assert_int_equal(utimensat(fd, name, times, AT_SYMLINK_NOFOLLOW), 0);
	(void)close(fd);
}

static bool is_there(const struct store_fixture *f, const char *name)
{
	int fd = at(f);
	bool there = faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	(void)close(fd);
	return there;
}

/* The row of a file below "files", as an upload would store it. */
static void put_row(const struct store_fixture *f, const char *path, const char *owner)
{
	struct file_put_args a = {.path = span_str(path), .row = {.stored_us = FIXTURE_NOW}};
	char name[300], text[100];
	struct stat st;
	ssize_t n;
	int dir_fd = at(f), fd;

	(void)snprintf(name, sizeof(name), "files%s", path);
	(void)snprintf(a.row.owner, sizeof(a.row.owner), "%s", owner);
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		assert_int_equal(fstat(fd, &st), 0);
		n = read(fd, text, sizeof(text));
		assert_true(n >= 0);
		a.row.size = (uint64_t)st.st_size;
		a.row.inode = st.st_ino;
		a.row.mtime_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
		a.row.has_digest = true;
		assert_int_equal(hash_sha256(span_of(text, (size_t)n), a.row.digest), 0);
		(void)close(fd);
	}
	(void)close(dir_fd);
	assert_int_equal(store_call(f->s, STORE_OP_FILE_PUT, &a, NULL), 0);
}

static void put_partial(const struct store_fixture *f, const char *path, const char *temp)
{
	struct partial_args a = {.path = span_str(path), .now_us = FIXTURE_NOW};

	a.partial = (struct file_partial){.account = "ada", .size = 3};
	(void)snprintf(a.partial.temp, sizeof(a.partial.temp), "%s", temp);
	assert_int_equal(store_call(f->s, STORE_OP_PARTIAL_PUT, &a, NULL), 0);
}

static struct sweep_result sweep(const struct store_fixture *f, int64_t now_us)
{
	const struct sweep_args a = {.now_us = now_us};
	struct sweep_result done = {0};

	assert_int_equal(store_call(f->s, STORE_OP_SWEEP, &a, &done), 0);
	assert_int_equal(store_check(f->s, NULL, NULL), 0);
	return done;
}

/* -- temporaries ------------------------------------------------------------------------------- */

#define ORPHAN "files/shared/" FILE_TEMP_PREFIX "orphan"
#define PARTIAL "files/shared/" FILE_TEMP_PREFIX "partial"
#define FRESH "files/shared/" FILE_TEMP_PREFIX "fresh"
#define HELD "files/home/ada/" FILE_TEMP_PREFIX "held"

static void test_temporaries(void **state)
{
	struct store_fixture *f = *state;
	int64_t now_us = FIXTURE_NOW + 2 * FIXTURE_DAY;
	struct sweep_result done;
	int fd, dir_fd = at(f);

	make_tree(f);
	write_file(f, ORPHAN, "abc");
	write_file(f, PARTIAL, "abc");
	write_file(f, FRESH, "abc");
	write_file(f, HELD, "abc");
	write_file(f, "files/shared/plain", "abc");
	put_partial(f, "/shared/x", FILE_TEMP_PREFIX "partial");
	/* The same name in another folder belongs to nobody. */
	write_file(f, "files/home/ada/" FILE_TEMP_PREFIX "partial", "abc");
	set_age(f, ORPHAN, FIXTURE_NOW);
	set_age(f, PARTIAL, FIXTURE_NOW);
	set_age(f, HELD, FIXTURE_NOW);
	set_age(f, "files/home/ada/" FILE_TEMP_PREFIX "partial", FIXTURE_NOW);
	set_age(f, "files/shared/plain", FIXTURE_NOW);
	set_age(f, FRESH, now_us - 23 * HOUR);
	fd = openat(dir_fd, HELD, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	done = sweep(f, now_us);
	assert_int_equal(done.files, 2);
	assert_false(is_there(f, ORPHAN));
	assert_false(is_there(f, "files/home/ada/" FILE_TEMP_PREFIX "partial"));
	assert_true(is_there(f, PARTIAL) && is_there(f, FRESH) && is_there(f, HELD));
	assert_true(is_there(f, "files/shared/plain"));
	/* The partial expires: its row and its temporary go, and what it used. */
	(void)close(fd);
	(void)close(dir_fd);
	now_us = FIXTURE_NOW + 8 * FIXTURE_DAY;
	done = sweep(f, now_us);
	assert_int_equal(done.rows, 1);
	assert_int_equal(done.files, 3);
	assert_false(is_there(f, PARTIAL) || is_there(f, FRESH) || is_there(f, HELD));
	done = sweep(f, now_us);
	assert_int_equal(done.rows + done.files, 0);
}

/* A link is no way out of the tree, and a temporary's name on a folder no licence. */
static void test_links(void **state)
{
	struct store_fixture *f = *state;
	int64_t now_us = FIXTURE_NOW + 9 * FIXTURE_DAY;
	int fd = at(f);

	make_tree(f);
	make_folder(f, "outside");
	make_folder(f, "files/shared/" FILE_TEMP_PREFIX "folder");
	write_file(f, "outside/" FILE_TEMP_PREFIX "1", "abc");
	set_age(f, "outside/" FILE_TEMP_PREFIX "1", FIXTURE_NOW);
	assert_int_equal(symlinkat("../../outside", fd, "files/shared/link"), 0);
	assert_int_equal(symlinkat("../../outside/" FILE_TEMP_PREFIX "1", fd,
				 "files/shared/" FILE_TEMP_PREFIX "link"),
		0);
	set_age(f, "files/shared/" FILE_TEMP_PREFIX "link", FIXTURE_NOW);
	(void)close(fd);
	assert_int_equal(sweep(f, now_us).files, 0);
	assert_true(is_there(f, "outside/" FILE_TEMP_PREFIX "1"));
}

/* A way down as long as a path can be. */
static void test_deep(void **state)
{
	struct store_fixture *f = *state;
	struct rlimit limit;
	int fd = at(f), next = -1;
	unsigned depth = 0;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	make_tree(f);
	next = openat(fd, "files/shared", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (; depth < (FILE_PATH_MAX - 7) / 2; depth++) {
		int below;

		assert_int_equal(mkdirat(next, "d", 02770), 0);
		below = openat(next, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		(void)close(next);
		next = below;
	}
	assert_true(depth > 1000);
	(void)close(fd);
	fd = openat(next, FILE_TEMP_PREFIX "1", O_WRONLY | O_CREAT | O_CLOEXEC, 0660);
	assert_true(fd >= 0);
	(void)close(fd);
	fd = openat(next, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0660);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(
		utimensat(next, FILE_TEMP_PREFIX "1", (const struct timespec[]){{1, 0}, {1, 0}}, 0),
		0);
	assert_int_equal(sweep(f, FIXTURE_NOW).files, 1);
	{
		char backup[128], other[128];

		(void)snprintf(backup, sizeof(backup), "%s/backup", f->dir);
		(void)snprintf(other, sizeof(other), "%s/other", f->dir);
		assert_int_equal(store_backup(f->s, f->state, backup), 0);
		assert_int_equal(store_restore(backup, other), 0);
	}
	(void)close(next);
}

/* -- rows -------------------------------------------------------------------------------------- */

static void test_rows(void **state)
{
	struct store_fixture *f = *state;
	struct file_usage u;
	struct file_row row;
	struct sweep_result done;

	make_tree(f);
	write_file(f, "files/shared/there", "12345");
	put_row(f, "/shared/there", "ada");
	write_file(f, "files/shared/gone", "12345");
	put_row(f, "/shared/gone", "ada");
	put_row(f, "/shared/no/such/folder", "ben");
	put_row(f, "/shared/there/below", "ben");
	put_partial(f, "/shared/gone", FILE_TEMP_PREFIX "1");
	{
		int fd = at(f);

		assert_int_equal(unlinkat(fd, "files/shared/gone", 0), 0);
		(void)close(fd);
	}
	/* Younger than an hour: an upload may be between its commit and its rename. */
	done = sweep(f, FIXTURE_NOW + HOUR);
	assert_int_equal(done.rows, 0);
	assert_int_equal(file_get(f->s, SPAN_LIT("/shared/gone"), &row), 0);
	done = sweep(f, FIXTURE_NOW + HOUR + 1);
	assert_int_equal(done.rows, 3);
	assert_int_equal(file_get(f->s, SPAN_LIT("/shared/gone"), &row), -ENOENT);
	assert_int_equal(file_get(f->s, SPAN_LIT("/shared/there"), &row), 0);
	assert_int_equal(file_usage_get(f->s, "ada", &u), 0);
	assert_int_equal(u.bytes, 5);
	assert_int_equal(u.files, 1);
	assert_int_equal(u.partial_bytes, 3); /* a partial of a gone file can be resumed */
	assert_int_equal(file_usage_get(f->s, "ben", &u), 0);
	assert_int_equal(u.files, 0);
}

/* More rows than one batch, and more than are removed at once. */
static void test_many_rows(void **state)
{
	struct store_fixture *f = *state;
	char path[40];

	make_tree(f);
	for (unsigned i = 0; i < 600; i++) {
		(void)snprintf(path, sizeof(path), "/shared/%u", i);
		put_row(f, path, "ada");
	}
	assert_int_equal(sweep(f, FIXTURE_NOW + FIXTURE_DAY).rows, 600);
}

/* Without its folder "shared" the tree may be a volume that is not mounted. */
static void test_no_tree(void **state)
{
	struct store_fixture *f = *state;
	struct file_row row;

	put_row(f, "/shared/x", "ada");
	assert_int_equal(sweep(f, FIXTURE_NOW + FIXTURE_DAY).rows, 0);
	make_folder(f, "files");
	assert_int_equal(sweep(f, FIXTURE_NOW + FIXTURE_DAY).rows, 0);
	assert_int_equal(file_get(f->s, SPAN_LIT("/shared/x"), &row), 0);
	make_folder(f, "files/shared");
	assert_int_equal(sweep(f, FIXTURE_NOW + FIXTURE_DAY).rows, 1);
}

struct slow {
	struct store_fixture *f;
	int ready_fd;
};

/* A renamer that is slow: its file has moved, its row not yet. It holds the tree's lock. */
static int rename_row(struct store *s, void *arg)
{
	const struct file_rename_args a = {SPAN_LIT("/shared/old"), SPAN_LIT("/shared/new")};
	const struct slow *slow = arg;
	int fd = openat(at(slow->f), "files", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX) < 0 || write(slow->ready_fd, "", 1) != 1)
		return 1;
	(void)usleep(200000);
	return store_call(s, STORE_OP_FILE_RENAME, &a, NULL) == 0 ? 0 : 1;
}

static void test_rename_under_way(void **state)
{
	struct store_fixture *f = *state;
	struct file_row row;
	int ready[2];
	struct slow slow = {.f = f};
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	slow.ready_fd = ready[1];
	make_tree(f);
	write_file(f, "files/shared/new", "12345");
	put_row(f, "/shared/old", "ada");
	pid = fixture_fork(f, rename_row, &slow);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)sweep(f, FIXTURE_NOW + FIXTURE_DAY);
	assert_int_equal(fixture_wait(pid), 0);
	assert_int_equal(file_get(f->s, SPAN_LIT("/shared/new"), &row), 0);
	assert_string_equal(row.owner, "ada");
	(void)close(ready[0]);
	(void)close(ready[1]);
}

/* -- reservations ------------------------------------------------------------------------------ */

static int reserve_and_die(struct store *s, void *arg)
{
	struct file_reserve_args a = {.account = "ada", .id = 7, .bytes = 100, .pid = getpid()};

	(void)arg;
	if (session_start_ticks(a.pid, &a.start_ticks) < 0)
		return 1;
	return store_call(s, STORE_OP_FILE_RESERVE, &a, NULL) == 0 ? 0 : 1;
}

static void test_reservations(void **state)
{
	struct store_fixture *f = *state;
	struct file_reserve_args mine = {.account = "ada", .id = 8, .bytes = 30, .pid = getpid()};
	struct file_usage u;
	unsigned reaped = 9;

	assert_int_equal(fixture_wait(fixture_fork(f, reserve_and_die, NULL)), 0);
	assert_int_equal(session_start_ticks(mine.pid, &mine.start_ticks), 0);
	assert_int_equal(store_call(f->s, STORE_OP_FILE_RESERVE, &mine, NULL), 0);
	assert_int_equal(file_usage_get(f->s, "ada", &u), 0);
	assert_int_equal(u.reserved, 130);
	assert_int_equal(file_reservations_reap(f->s, "ben", &reaped), 0);
	assert_int_equal(reaped, 0);
	assert_int_equal(sweep(f, FIXTURE_NOW).rows, 1);
	assert_int_equal(file_usage_get(f->s, "ada", &u), 0);
	assert_int_equal(u.reserved, 30);
	assert_int_equal(fixture_wait(fixture_fork(f, reserve_and_die, NULL)), 0);
	assert_int_equal(file_reservations_reap(f->s, "ada", &reaped), 0);
	assert_int_equal(reaped, 1);
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_temporaries),
		with_store(test_links),
		with_store(test_deep),
		with_store(test_rows),
		with_store(test_many_rows),
		with_store(test_no_tree),
		with_store(test_rename_under_way),
		with_store(test_reservations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
