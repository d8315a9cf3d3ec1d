/* See tree_fixture.h. */
#include "tests/unit/lib/tree_fixture.h"

#include "base/cleanup.h"
#include "store/policy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { PATHS = 4, REAL_SIZE = 2400 };

int tree_fixture_setup(void **state)
{
	struct tree_fixture *x = calloc(1, sizeof(*x));
	void *f = NULL;

	assert_non_null(x);
	assert_int_equal(store_fixture_setup(&f), 0);
	x->f = f;
	(void)umask(0007);
	fixture_account(x->f->s, "alice");
	fixture_account(x->f->s, "bob");
	fixture_account(x->f->s, "chief");
	assert_int_equal(tree_open(x->f->state, &x->alice), 0);
	assert_int_equal(tree_open(x->f->state, &x->bob), 0);
	assert_int_equal(tree_open(x->f->state, &x->chief), 0);
	assert_int_equal(tree_log_in(x->alice, x->f->s, "alice", false), 0);
	assert_int_equal(tree_log_in(x->bob, x->f->s, "bob", false), 0);
	assert_int_equal(tree_log_in(x->chief, x->f->s, "chief", true), 0);
	*state = x;
	return 0;
}

int tree_fixture_teardown(void **state)
{
	struct tree_fixture *x = *state;
	void *f = x->f;

	tree_free(x->alice);
	tree_free(x->bob);
	tree_free(x->chief);
	free(x);
	return store_fixture_teardown(&f);
}

const char *fixture_real(const struct tree_fixture *x, const char *path)
{
	static char text[PATHS][REAL_SIZE];
	static unsigned next;
	char *ret = text[next++ % PATHS];

	(void)snprintf(ret, REAL_SIZE, "%s/files%s", x->f->state, path);
	return ret;
}

void fixture_drop_in(const struct tree_fixture *x, const char *path, const char *text)
{
	FILE *f = fopen(fixture_real(x, path), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

void fixture_policy(const struct tree_fixture *x, const char *name, const char *value)
{
	struct policy_set_args args = {.now_us = FIXTURE_NOW};

	(void)snprintf(args.name, sizeof(args.name), "%s", name);
	(void)snprintf(args.value, sizeof(args.value), "%s", value);
	(void)snprintf(args.by, sizeof(args.by), "test");
	assert_int_equal(store_call(x->f->s, STORE_OP_POLICY_SET, &args, NULL), 0);
}

int fixture_upload(struct tree *t, const struct upload_request *request, struct span bytes)
{
	struct upload *u = NULL;
	struct ftp_entry entry;
	int r = upload_new(t, request, &u);

	while (r == 0 && (r = upload_prepare(u)) == 1)
		r = 0;
	if (r == 0 && bytes.len > 0)
		r = upload_write(u, bytes);
	if (r == 0)
		r = upload_commit(u, &entry);
	upload_end(u, false);
	return r;
}

int fixture_put(struct tree *t, const char *path, const char *text)
{
	const struct upload_request request = {.how = UPLOAD_REPLACE, .path = path};

	return fixture_upload(t, &request, span_str(text));
}

void fixture_expect(struct tree *t, const char *path, const char *text)
{
	_cleanup_(cleanup_close) int fd = -1;
	struct ftp_entry entry;
	char content[4096];
	ssize_t n;

	assert_int_equal(tree_open_file(t, path, &fd, &entry), 0);
	n = read(fd, content, sizeof(content) - 1);
	assert_true(n >= 0);
	content[n] = '\0';
	assert_string_equal(content, text);
	assert_int_equal(entry.size, n);
}

unsigned fixture_temps(const struct tree_fixture *x, const char *path)
{
	DIR *dir = opendir(fixture_real(x, path));
	const struct dirent *e;
	unsigned count = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL)
		count += strncmp(e->d_name, FILE_TEMP_PREFIX, strlen(FILE_TEMP_PREFIX)) == 0;
	(void)closedir(dir);
	return count;
}

/* -- exactness --------------------------------------------------------------------------------- */

struct sums {
	const struct tree_fixture *x;
	const char *account;
	uint64_t bytes, files, partial_bytes;
	unsigned partials;
};

static int add_file(void *arg, struct span path, const struct file_row *row)
{
	struct sums *s = arg;
	char text[FTP_PATH_SIZE];
	struct stat st;

	assert_int_equal(span_copy_str(path, text, sizeof(text)), 0);
	assert_int_equal(lstat(fixture_real(s->x, text), &st), 0);
	assert_int_equal(S_ISDIR(st.st_mode), row->folder);
	if (row->folder || strcmp(row->owner, s->account) != 0)
		return 0;
	assert_int_equal(st.st_size, row->size);
	s->bytes += row->size;
	s->files++;
	return 0;
}

static int add_partial(void *arg, struct span path, const struct file_partial *p)
{
	struct sums *s = arg;
	char text[FTP_PATH_SIZE], folder[FTP_PATH_SIZE], temp[FTP_PATH_SIZE + FILE_TEMP_SIZE];
	struct stat st;

	s->partials++;
	if (strcmp(p->account, s->account) != 0)
		return 0;
	assert_int_equal(span_copy_str(path, text, sizeof(text)), 0);
	ftp_path_folder(text, folder);
	(void)snprintf(temp, sizeof(temp), "%s/%s", folder, p->temp);
	assert_int_equal(lstat(fixture_real(s->x, temp), &st), 0);
	assert_int_equal(st.st_size, p->size);
	s->partial_bytes += p->size;
	return 0;
}

static unsigned temps_seen;

static int count_temp(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	if (strncmp(path + ftw->base, FILE_TEMP_PREFIX, strlen(FILE_TEMP_PREFIX)) == 0)
		temps_seen++;
	return 0;
}

void fixture_exact(const struct tree_fixture *x)
{
	static const char *const accounts[] = {"alice", "bob", "chief"};

	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
		struct sums s = {.x = x, .account = accounts[i]};
		struct file_usage u;

		assert_int_equal(file_each(x->f->s, span_of("", 0), add_file, &s), 0);
		assert_int_equal(file_partial_each(x->f->s, add_partial, &s), 0);
		assert_int_equal(file_usage_get(x->f->s, s.account, &u), 0);
		assert_int_equal(u.bytes, s.bytes);
		assert_int_equal(u.files, s.files);
		assert_int_equal(u.partial_bytes, s.partial_bytes);
		assert_int_equal(u.reserved, 0);
		temps_seen = 0;
		assert_int_equal(nftw(fixture_real(x, ""), count_temp, 16, FTW_PHYS), 0);
		assert_int_equal(temps_seen, s.partials);
	}
	assert_int_equal(store_check(x->f->s, NULL, NULL), 0);
}
