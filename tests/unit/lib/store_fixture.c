/* Scratch stores. */
#include "tests/unit/lib/store_fixture.h"

#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SKIPPED = 77 };

void scratch_make(char *ret, size_t size)
{
	int n = snprintf(ret, size, "/tmp/quintet-store-XXXXXX");

	assert_true(n > 0 && (size_t)n < size);
	assert_non_null(mkdtemp(ret));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void scratch_remove(const char *dir)
{
	assert_int_equal(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

int store_fixture_setup(void **state)
{
	struct store_fixture *f = calloc(1, sizeof(*f));
	int rc;

	assert_non_null(f);
	scratch_make(f->dir, sizeof(f->dir));
	(void)snprintf(f->state, sizeof(f->state), "%s/state", f->dir);
	rc = store_open(f->state, STORE_CREATE, &f->s);
	if (rc < 0)
		print_error("%s\n", store_open_reason());
	assert_int_equal(rc, 0);
	*state = f;
	return 0;
}

int store_fixture_teardown(void **state)
{
	struct store_fixture *f = *state;

	store_close(f->s);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

void store_fixture_reopen(struct store_fixture *f, enum store_mode mode)
{
	store_close(f->s);
	f->s = NULL;
	assert_int_equal(store_open(f->state, mode, &f->s), 0);
}

pid_t fixture_fork(struct store_fixture *f, int (*fn)(struct store *s, void *arg), void *arg)
{
	struct store *s = NULL;
	pid_t pid;

	store_close(f->s);
	f->s = NULL;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (store_open(f->state, STORE_WRITE, &s) < 0)
			_exit(99);
		_exit(fn(s, arg));
	}
	assert_int_equal(store_open(f->state, STORE_WRITE, &f->s), 0);
	return pid;
}

int fixture_wait(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int on_small_disk(const char *dir, const char *options, void (*fn)(const char *dir))
{
	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", dir, "tmpfs", 0, options) < 0)
		return SKIPPED;
	fn(dir);
	return 0;
}

void fixture_small_disk(const char *options, void (*fn)(const char *dir))
{
	char dir[64];
	pid_t pid;
	int r;

	scratch_make(dir, sizeof(dir));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(on_small_disk(dir, options, fn));
	r = fixture_wait(pid);
	if (r == SKIPPED)
		print_message("skipped: no permission to mount a small tmpfs\n");
	else
		assert_int_equal(r, 0);
	scratch_remove(dir);
}

void fixture_account(struct store *s, const char *name)
{
	struct account_create_args c = {.now_us = FIXTURE_NOW, .admin_act = true};

	(void)snprintf(c.name, sizeof(c.name), "%s", name);
	(void)snprintf(c.password, sizeof(c.password), "$y$j9T$of-%s", name);
	(void)snprintf(c.peer, sizeof(c.peer), "192.0.2.1");
	(void)snprintf(c.service, sizeof(c.service), "test");
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &c, NULL), 0);
}

void fixture_serial(unsigned n, unsigned char ret[CERT_SERIAL_LEN])
{
	memset(ret, 0x5a, CERT_SERIAL_LEN);
	ret[0] = 1;
	ret[1] = (unsigned char)(n >> 8);
	ret[2] = (unsigned char)n;
}

void fixture_cert(struct store *s, const char *account, unsigned n, int64_t not_after_us)
{
	struct cert c = {.state = CERT_INTENT,
		.profile = CERT_PROFILE_USER,
		.ca_id = 1,
		.created_us = FIXTURE_NOW};
	struct cert_issued_args i = {.der = SPAN_LIT("a certificate"), .now_us = FIXTURE_NOW};

	fixture_serial(n, c.serial);
	fixture_serial(n, i.serial);
	(void)snprintf(c.account, sizeof(c.account), "%s", account);
	(void)snprintf(i.peer, sizeof(i.peer), "192.0.2.1");
	(void)snprintf(i.proof, sizeof(i.proof), "password");
	c.not_before_us = FIXTURE_NOW;
	c.not_after_us = not_after_us;
	assert_int_equal(store_call(s, STORE_OP_CERT_INTENT, &c, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_CERT_ISSUED, &i, NULL), 0);
}

struct audit_count {
	unsigned count;
	struct audit_row *last;
};

static int count_row(void *arg, const struct audit_row *r)
{
	struct audit_count *c = arg;

	c->count++;
	if (c->last != NULL)
		*c->last = *r;
	return 0;
}

unsigned fixture_audit(struct store *s, struct audit_row *ret_last)
{
	struct audit_count c = {0, ret_last};

	assert_int_equal(audit_each(s, 0, count_row, &c), 0);
	return c.count;
}
