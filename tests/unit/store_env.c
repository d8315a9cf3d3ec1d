/* Opening: permissions, guards, schema, dead readers. Parts of it need root and say so. */
#include "base/cleanup.h"
#include "base/num.h"
#include "store/guard.h"
#include "store/policy.h"
#include "store/row.h"
#include "store/store_i.h"
#include "tests/unit/lib/store_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SKIPPED = 77, LAST_AT = 8 + sizeof(pthread_mutex_t) };

static mode_t mode_of(const struct store_fixture *f, const char *name)
{
	char path[256];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", f->state, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void test_create(void **state)
{
	struct store_fixture *f = *state;
	struct store_health h;
	struct store *s = NULL;
	mode_t old = umask(077);
	char path[300];

	store_close(f->s);
	f->s = NULL;
	(void)snprintf(f->state, sizeof(f->state), "%s/other", f->dir);
	assert_int_equal(store_open(f->state, STORE_WRITE, &s), -ENOENT);
	assert_true(strlen(store_open_reason()) > 0);
	assert_int_equal(mkdir(f->state, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/store", f->state);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(store_open(f->state, STORE_READ, &s), -ENOENT);
	assert_non_null(strstr(store_open_reason(), "init"));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(f->state), 0);
	assert_int_equal(store_open(f->state, STORE_CREATE, &f->s), 0);
	(void)umask(old);
	assert_string_equal(store_open_reason(), "");
	assert_int_equal(mode_of(f, ""), 02770);
	assert_int_equal(mode_of(f, "store"), 02770);
	assert_int_equal(mode_of(f, "blobs"), 02770);
	assert_int_equal(mode_of(f, "blobs/tmp"), 02770);
	assert_int_equal(mode_of(f, "store/data.mdb"), 0660);
	assert_int_equal(mode_of(f, "store/lock.mdb"), 0660);
	assert_int_equal(mode_of(f, "store/guard"), 0660);
	assert_int_equal(store_health(f->s, &h), 0);
	assert_int_equal(h.map_bytes, KV_MAP_BYTES);
	assert_int_equal(h.readers_max, 8192);
	assert_int_equal(h.schema, STORE_SCHEMA);
	assert_true(h.used_bytes > 0 && h.used_bytes < 1 << 20);
	store_fixture_reopen(f, STORE_CREATE); /* again: nothing is lost */
}

static void test_paths(void **state)
{
	char path[STORE_PATH_MAX + 10];
	struct store *s = NULL;

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(store_open(path, STORE_WRITE, &s), -ENAMETOOLONG);
	assert_int_equal(store_open(path, STORE_CREATE, &s), -ENAMETOOLONG);
	assert_int_equal(store_open("/nonexistent/x", STORE_CREATE, &s), -ENOENT);
}

static void test_versions(void **state)
{
	(void)state;
	assert_true(kv_version_ok(0, 9, 24));
	assert_true(kv_version_ok(0, 9, 25));
	for (int patch = 26; patch <= 31; patch++)
		assert_false(kv_version_ok(0, 9, patch));
	assert_true(kv_version_ok(0, 9, 32));
	assert_true(kv_version_ok(1, 0, 26));
}

static void test_close_on_exec(void **state)
{
	struct store_fixture *f = *state;
	DIR *dir = opendir("/proc/self/fd");
	char link[64], target[300];
	struct dirent *e;
	unsigned ours = 0;
	uint64_t fd = 0;
	int blobs_fd;
	ssize_t n;

	assert_int_equal(store_blobs_fd(f->s, &blobs_fd), 0);
	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%.20s", e->d_name);
		n = readlink(link, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		if (strncmp(target, f->state, strlen(f->state)) != 0)
			continue;
		ours++;
		assert_int_equal(num_parse_u64(span_str(e->d_name), 0, 65535, &fd), 0);
		assert_true((fcntl((int)fd, F_GETFD) & FD_CLOEXEC) != 0);
	}
	(void)closedir(dir);
	assert_true(ours >= 4); /* data, meta, lock, guard, blobs */
}

static void test_fork(void **state)
{
	struct store_fixture *f = *state;
	struct account_flags_args args = {.name = "ada"};
	struct account a;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(account_get(f->s, "ada", &a) != -ECHILD ||
			store_call(f->s, STORE_OP_ACCOUNT_FLAGS, &args, NULL) != -ECHILD);
	assert_int_equal(fixture_wait(pid), 0);
}

static void set_schema(struct store *s, uint32_t schema)
{
	struct store_txn *txn = NULL;

	assert_int_equal(kv_begin(s->env, true, 0, &txn), 0);
	assert_int_equal(schema_write(txn, schema), 0);
	assert_int_equal(kv_commit(txn), 0);
}

static void test_schema(void **state)
{
	struct store_fixture *f = *state;
	struct store *s = NULL;
	struct account a;

	fixture_account(f->s, "ada");
	set_schema(f->s, STORE_SCHEMA + 1);
	/* The one that is open notices at its next transaction. */
	struct account_flags_args args = {.name = "ada"};

	assert_int_equal(account_get(f->s, "ada", &a), -ESTALE);
	assert_int_equal(store_call(f->s, STORE_OP_ACCOUNT_FLAGS, &args, NULL), -ESTALE);
	store_close(f->s);
	f->s = NULL;
	assert_int_equal(store_open(f->state, STORE_READ, &s), -ESTALE);
	assert_non_null(strstr(store_open_reason(), "newer"));
	assert_int_equal(store_migrate(f->state), -ESTALE);
}

static void test_foreign(void **state)
{
	struct store_fixture *f = *state;
	struct store_txn *txn = NULL;
	struct key key = key_meta("schema");
	struct store *s = NULL;

	fixture_account(f->s, "ada");
	assert_int_equal(kv_begin(f->s->env, true, 0, &txn), 0);
	assert_int_equal(row_del(txn, &key), 0);
	assert_int_equal(kv_commit(txn), 0);
	store_close(f->s);
	f->s = NULL;
	assert_int_equal(store_open(f->state, STORE_CREATE, &s), -ESTALE);
	assert_int_equal(store_open(f->state, STORE_WRITE, &s), -ENOENT);
}

static int make_ben(struct store *s, void *arg)
{
	(void)arg;
	fixture_account(s, "ben");
	return 0;
}

static void test_reader_and_upgrade(void **state)
{
	struct store_fixture *f = *state;
	struct policy_set_args p = {.name = "signup", .value = "open", .by = "test"};
	struct account a;

	assert_int_equal(fixture_wait(fixture_fork(f, make_ben, NULL)), 0);
	store_fixture_reopen(f, STORE_READ);
	assert_int_equal(f->s->mode, STORE_READ);
	assert_int_equal(account_get(f->s, "ben", &a), 0);
	assert_int_equal(store_call(f->s, STORE_OP_POLICY_SET, &p, NULL), 0);
	assert_int_equal(f->s->mode, STORE_WRITE);
	assert_int_equal(account_get(f->s, "ben", &a), 0);
	assert_int_equal(store_call(f->s, STORE_OP_COUNT, &p, NULL), -EINVAL);
	assert_int_equal(store_call(f->s, STORE_OP_POLICY_SET, NULL, NULL), -EINVAL);
}

/* -- dead readers ------------------------------------------------------------------------------ */

static int say_and_sleep(struct store_txn *txn, void *arg)
{
	(void)txn;
	if (write(*(int *)arg, "x", 1) == 1)
		for (;;)
			(void)pause();
	return 1;
}

static int sleep_in_view(struct store *s, void *arg)
{
	return store_view(s, say_and_sleep, arg);
}

static int report_cleared(struct store *s, void *arg)
{
	struct store_health h;

	(void)arg;
	return store_health(s, &h) == 0 ? (int)h.dead_readers_cleared : 50;
}

/* What whoever can read can write: the number of the last transaction, behind two words and a lock.
 * In a process of its own, for a close of the file drops LMDB's locks. */
static int shift_last(const char *state, int by)
{
	char path[300];
	uint64_t last;
	pid_t pid = fork();
	int fd;

	assert_true(pid >= 0);
	if (pid > 0)
		return fixture_wait(pid);
	(void)snprintf(path, sizeof(path), "%s/store/lock.mdb", state);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &last, sizeof(last), LAST_AT) != (ssize_t)sizeof(last))
		_exit(1);
	last += (uint64_t)by;
	_exit(pwrite(fd, &last, sizeof(last), LAST_AT) != (ssize_t)sizeof(last));
}

static void test_last_transaction(void **state)
{
	struct store_fixture *f = *state;
	struct account_flags_args flags = {.name = "ann", .set = ACCOUNT_ADMIN};
	struct account a;

	fixture_account(f->s, "ann");
	for (int by = -1; by <= 1; by += 2) {
		assert_int_equal(shift_last(f->state, by), 0);
		assert_int_equal(store_call(f->s, STORE_OP_ACCOUNT_FLAGS, &flags, NULL), -EBADMSG);
		assert_int_equal(account_get(f->s, "ann", &a), by < 0 ? -ENOENT : -EBADMSG);
		assert_int_equal(shift_last(f->state, -by), 0);
		assert_int_equal(account_get(f->s, "ann", &a), 0);
	}
	assert_int_equal(store_call(f->s, STORE_OP_ACCOUNT_FLAGS, &flags, NULL), 0);
}

static void test_dead_readers(void **state)
{
	struct store_fixture *f = *state;
	struct store_health h;
	int fds[2];
	pid_t pid, second;
	char c;

	assert_int_equal(pipe(fds), 0);
	pid = fixture_fork(f, sleep_in_view, &fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	assert_int_equal(store_health(f->s, &h), 0);
	assert_int_equal(h.readers, 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(fixture_wait(pid), -SIGKILL);
	/* A second live reader keeps the lock table from being made anew by the next opener. */
	assert_int_equal(store_health(f->s, &h), 0);
	assert_int_equal(h.readers, 1);
	second = fork();
	assert_true(second >= 0);
	if (second == 0) { /* opens beside the parent, which has it open all the time */
		struct store *s = NULL;

		_exit(store_open(f->state, STORE_READ, &s) < 0 ? 99 : report_cleared(s, NULL));
	}
	assert_int_equal(fixture_wait(second), 1);
	assert_int_equal(store_health(f->s, &h), 0);
	assert_int_equal(h.readers, 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* When told, takes every reader slot there is and says so. */
static int take_all_slots(struct store *s, void *arg)
{
	int *fds = arg; /* to be told by, to say on */
	struct store_txn *txn = NULL;
	unsigned n = 0;
	char c;

	if (read(fds[0], &c, 1) != 1)
		return 1;
	while (kv_begin(s->env, false, 0, &txn) == 0)
		n++;
	return n == KV_READERS_MAX ? say_and_sleep(txn, &fds[1]) : 1;
}

static void test_readers_full(void **state)
{
	struct store_fixture *f = *state;
	struct account a;
	int told[2], said[2], fds[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(told), 0);
	assert_int_equal(pipe(said), 0);
	fds[0] = told[0];
	fds[1] = said[1];
	pid = fixture_fork(f, take_all_slots, fds);
	(void)close(said[1]);
	assert_int_equal(write(told[1], "x", 1), 1);
	assert_int_equal(read(said[0], &c, 1), 1);
	assert_int_equal(account_get(f->s, "ada", &a), -EBUSY);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(fixture_wait(pid), -SIGKILL);
	assert_int_equal(account_get(f->s, "ada", &a), -ENOENT); /* the dead one's slots are free */
	(void)close(told[0]);
	(void)close(told[1]);
	(void)close(said[0]);
}

/* -- the guard --------------------------------------------------------------------------------- */

struct world {
	const char *state;
	int command_fd, answer_fd;
};

/* Process 1 of another PID namespace: opens at each command and tells the result. */
static void other_world(const struct world *w)
{
	struct store *s = NULL;
	int rc;
	char c;

	while (read(w->command_fd, &c, 1) == 1) {
		store_close(s);
		s = NULL;
		rc = c == 'o' ? store_open(w->state, STORE_WRITE, &s) : 0;
		if (write(w->answer_fd, &rc, sizeof(rc)) < 0)
			_exit(1);
	}
	_exit(0);
}

static int ask(int command_fd, int answer_fd, char command)
{
	int rc = 12345;

	assert_int_equal(write(command_fd, &command, 1), 1);
	assert_int_equal(read(answer_fd, &rc, sizeof(rc)), sizeof(rc));
	return rc;
}

static void drive(struct store_fixture *f, int command_fd, int answer_fd)
{
	/* While we have it open, the other world is refused; afterwards the stale guard is theirs.
	 */
	assert_int_equal(store_open(f->state, STORE_WRITE, &f->s), 0);
	assert_int_equal(ask(command_fd, answer_fd, 'o'), -EXDEV);
	store_close(f->s);
	f->s = NULL;
	assert_int_equal(ask(command_fd, answer_fd, 'o'), 0);
	assert_int_equal(store_open(f->state, STORE_WRITE, &f->s), -EXDEV);
	assert_non_null(strstr(store_open_reason(), "PID namespace"));
	assert_int_equal(ask(command_fd, answer_fd, 'c'), 0);
	assert_int_equal(store_open(f->state, STORE_WRITE, &f->s), 0);
}

static void test_pid_namespace(void **state)
{
	struct store_fixture *f = *state;
	struct world w = {.state = f->state};
	int commands[2], answers[2];
	pid_t pid, first;

	store_close(f->s);
	f->s = NULL;
	assert_int_equal(pipe(commands), 0);
	assert_int_equal(pipe(answers), 0);
	w.command_fd = commands[0];
	w.answer_fd = answers[1];
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(commands[1]);
		if (unshare(CLONE_NEWPID) < 0) {
			int rc = -EPERM;

			_exit(write(w.answer_fd, &rc, sizeof(rc)) < 0 ? 1 : SKIPPED);
		}
		first = fork();
		if (first == 0)
			other_world(&w);
		_exit(first < 0 ? 1 : waitpid(first, NULL, 0) < 0);
	}
	(void)close(commands[0]);
	if (ask(commands[1], answers[0], 'c') == -EPERM) {
		print_message("skipped: no permission to make a PID namespace\n");
		assert_int_equal(fixture_wait(pid), SKIPPED);
		assert_int_equal(store_open(f->state, STORE_WRITE, &f->s), 0);
		return;
	}
	drive(f, commands[1], answers[0]);
	(void)close(commands[1]);
	assert_int_equal(fixture_wait(pid), 0);
	(void)close(answers[0]);
	(void)close(answers[1]);
}

/* A guard file of nobody's, and many who open and close at once: all get in. */
static void test_storm(void **state)
{
	enum { PROCESSES = 16, TIMES = 6 };
	struct store_fixture *f = *state;
	struct store *s = NULL;
	pid_t pids[PROCESSES];
	char path[200];
	FILE *file;

	store_close(f->s);
	f->s = NULL;
	(void)snprintf(path, sizeof(path), "%s/store/guard", f->state);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs("pid:[1]", file) >= 0);
	assert_int_equal(fclose(file), 0);
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] > 0)
			continue;
		for (int n = 0; n < TIMES; n++) {
			if (store_open(f->state, n % 2 == 0 ? STORE_READ : STORE_WRITE, &s) < 0)
				_exit(1);
			store_close(s);
		}
		_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(fixture_wait(pids[i]), 0);
}

/* Mounts an overlay over two folders of the scratch folder and opens there. */
static int open_on_overlay(const char *dir)
{
	static const char *const names[] = {"lower", "upper", "work", "merged"};
	char options[400], path[200];
	struct store *s = NULL;

	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return SKIPPED;
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (mkdir(path, 0700) < 0)
			return 1;
	}
	(void)snprintf(options, sizeof(options),
		"lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", dir, dir, dir);
	if (mount("overlay", path, "overlay", 0, options) < 0)
		return SKIPPED;
	if (store_open(path, STORE_CREATE, &s) != -EMEDIUMTYPE)
		return 2;
	return strstr(store_open_reason(), "overlayfs") == NULL ? 3 : 0;
}

static void test_overlay(void **state)
{
	char dir[64];
	pid_t pid;
	int rc;

	(void)state;
	scratch_make(dir, sizeof(dir));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(open_on_overlay(dir));
	rc = fixture_wait(pid);
	if (rc == SKIPPED)
		print_message("skipped: no permission to mount an overlay\n");
	else
		assert_int_equal(rc, 0);
	scratch_remove(dir);
}

static void test_local_file_system(void **state)
{
	struct store_fixture *f = *state;
	const char *kind = "untouched";
	int fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(guard_file_system(fd, &kind), 0);
	assert_string_equal(kind, "untouched");
	(void)close(fd);
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_create),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_versions),
		with_store(test_close_on_exec),
		with_store(test_fork),
		with_store(test_schema),
		with_store(test_foreign),
		with_store(test_reader_and_upgrade),
		with_store(test_last_transaction),
		with_store(test_dead_readers),
		with_store(test_readers_full),
		with_store(test_storm),
		with_store(test_pid_namespace),
		cmocka_unit_test(test_overlay),
		with_store(test_local_file_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
