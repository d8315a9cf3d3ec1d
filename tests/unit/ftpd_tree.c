/* The tree: places, rights, links, folders, renames, listings. */
#include "base/cleanup.h"
#include "base/hash.h"
#include "services/ftpd/tree_i.h"
#include "tests/unit/lib/tree_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

static struct ftp_entry entry_of(struct tree *t, const char *path)
{
	struct ftp_entry e = {0};

	assert_int_equal(tree_stat(t, path, &e), 0);
	return e;
}

static int look(struct tree *t, const char *path)
{
	struct ftp_entry e;

	return tree_stat(t, path, &e);
}

static int read_it(struct tree *t, const char *path)
{
	_cleanup_(cleanup_close) int fd = -1;
	struct ftp_entry e;

	return tree_open_file(t, path, &fd, &e);
}

static int writable(struct tree *t, const char *path)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;
	int r = tree_target(t, path, &target);

	if (r == 0)
		r = tree_target_may_write(&target);
	return r == 0 && target.exists ? 1 : r;
}

static void test_places(void **state)
{
	struct tree_fixture *x = *state;
	_cleanup_(cleanup_close) int fd = -1;

	assert_string_equal(entry_of(x->alice, "/").perm, "el");
	assert_string_equal(entry_of(x->alice, "/home").perm, "el");
	assert_string_equal(entry_of(x->alice, "/shared").perm, "celm");
	assert_string_equal(entry_of(x->chief, "/shared").perm, "celmp");
	assert_string_equal(entry_of(x->alice, "/home/alice").perm, "celmp");
	assert_int_equal(entry_of(x->alice, "/home/alice").type, FTP_ENTRY_FOLDER);
	/* Whether somebody has a home or not looks the same. */
	assert_int_equal(look(x->alice, "/home/bob"), -EACCES);
	assert_int_equal(look(x->alice, "/home/nobody"), -EACCES);
	assert_int_equal(look(x->alice, "/home/alicex"), -EACCES);
	assert_int_equal(look(x->chief, "/home/bob"), -EACCES);
	assert_int_equal(look(x->alice, "/other"), -ENOENT);
	assert_int_equal(look(x->alice, "/sharedx"), -ENOENT);
	assert_int_equal(tree_open_folder(x->alice, "/", &fd), -EACCES);
	assert_int_equal(tree_open_folder(x->alice, "/home", &fd), -EACCES);
	assert_int_equal(tree_make_folder(x->chief, "/new"), -EACCES);
	assert_int_equal(tree_make_folder(x->chief, "/shared"), -EEXIST);
	assert_int_equal(tree_make_folder(x->alice, "/home/bob"), -EACCES);
	assert_int_equal(tree_remove_folder(x->chief, "/shared"), -EACCES);
	assert_int_equal(tree_remove_folder(x->alice, "/home/alice"), -EACCES);
	assert_int_equal(tree_rename(x->alice, "/home/alice", "/shared/a"), -EACCES);
	assert_int_equal(writable(x->alice, "/x"), -EACCES);
	assert_int_equal(writable(x->alice, "/home/x"), -EACCES);
	assert_int_equal(writable(x->alice, "/shared"), -EACCES);
	assert_int_equal(writable(x->alice, "/shared/no/x"), -ENOENT);
	tree_log_out(x->alice);
	assert_int_equal(look(x->alice, "/shared"), -EACCES);
	assert_int_equal(fixture_put(x->alice, "/shared/x", "x"), -EACCES);
	fixture_exact(x);
}

static void test_rights(void **state)
{
	struct tree_fixture *x = *state;

	assert_int_equal(fixture_put(x->alice, "/shared/a", "of alice"), 0);
	assert_int_equal(fixture_put(x->bob, "/shared/b", "of bob"), 0);
	fixture_drop_in(x, "/shared/d", "dropped in");
	assert_string_equal(entry_of(x->bob, "/shared/a").owner, "alice");
	assert_string_equal(entry_of(x->alice, "/shared/a").perm, "adfrw");
	assert_string_equal(entry_of(x->bob, "/shared/a").perm, "r");
	assert_string_equal(entry_of(x->bob, "/shared/d").owner, "");
	assert_string_equal(entry_of(x->bob, "/shared/d").perm, "r");
	assert_string_equal(entry_of(x->chief, "/shared/d").perm, "adfrw");
	fixture_expect(x->bob, "/shared/a", "of alice");
	assert_int_equal(fixture_put(x->bob, "/shared/a", "mine now"), -EACCES);
	assert_int_equal(tree_remove_file(x->bob, "/shared/a"), -EACCES);
	assert_int_equal(tree_rename(x->bob, "/shared/a", "/home/bob/a"), -EACCES);
	assert_int_equal(tree_rename(x->bob, "/shared/b", "/shared/a"), -EACCES);
	assert_int_equal(tree_rename(x->bob, "/shared/b", "/shared/d"), -EACCES);
	assert_int_equal(tree_set_mtime(x->bob, "/shared/a", 0), -EACCES);
	assert_int_equal(tree_remove_file(x->bob, "/shared/d"), -EACCES);
	assert_int_equal(tree_may_rename(x->bob, "/shared/a"), -EACCES);
	assert_int_equal(tree_may_rename(x->alice, "/shared/a"), 0);
	/* In a home its owner may do all, dropped in or not. */
	fixture_drop_in(x, "/home/bob/d", "dropped in");
	assert_int_equal(tree_remove_file(x->bob, "/home/bob/d"), 0);
	/* The administrator, who becomes the owner. */
	assert_int_equal(fixture_put(x->chief, "/shared/a", "chief's word"), 0);
	assert_string_equal(entry_of(x->bob, "/shared/a").owner, "chief");
	assert_int_equal(tree_remove_file(x->alice, "/shared/a"), -EACCES);
	assert_int_equal(tree_remove_file(x->chief, "/shared/a"), 0);
	fixture_policy(x, "files_delete", "all");
	assert_int_equal(fixture_put(x->alice, "/shared/d", "all may"), 0);
	assert_int_equal(tree_remove_file(x->alice, "/shared/b"), 0);
	fixture_policy(x, "files_delete", "owner");
	assert_int_equal(tree_remove_file(x->bob, "/shared/d"), -EACCES);
	fixture_exact(x);
}

static void test_kinds(void **state)
{
	struct tree_fixture *x = *state;
	struct tree_list *list = NULL;

	fixture_drop_in(x, "/../secret", "out of the tree");
	assert_int_equal(symlink("../../secret", fixture_real(x, "/shared/file")), 0);
	assert_int_equal(symlink("../..", fixture_real(x, "/shared/up")), 0);
	assert_int_equal(symlink("/etc", fixture_real(x, "/shared/etc")), 0);
	assert_int_equal(mkfifo(fixture_real(x, "/shared/fifo"), 0660), 0);
	assert_int_equal(look(x->chief, "/shared/file"), -ELOOP);
	assert_int_equal(read_it(x->chief, "/shared/file"), -ELOOP);
	assert_int_equal(read_it(x->chief, "/shared/up/secret"), -ELOOP);
	assert_int_equal(read_it(x->chief, "/shared/etc/passwd"), -ELOOP);
	assert_int_equal(fixture_put(x->chief, "/shared/file", "x"), -ELOOP);
	assert_int_equal(fixture_put(x->chief, "/shared/up/new", "x"), -ELOOP);
	assert_int_equal(tree_make_folder(x->chief, "/shared/up/new"), -ELOOP);
	assert_int_equal(tree_rename(x->chief, "/shared/file", "/shared/f"), -ELOOP);
	assert_int_equal(tree_list_open(x->chief, "/shared/up", &list), -ELOOP);
	assert_int_equal(tree_remove_file(x->chief, "/shared/file"), -ELOOP);
	/* Never taken without asking: these are no path of ftp_path_resolve(). */
	assert_int_not_equal(look(x->chief, "/shared/../../secret"), 0);
	/* Returns at once. */
	assert_int_equal(read_it(x->chief, "/shared/fifo"), -ENXIO);
	assert_int_equal(fixture_put(x->chief, "/shared/fifo", "x"), -ENXIO);
	assert_int_equal(tree_set_mtime(x->chief, "/shared/fifo", 0), -ENXIO);
	assert_int_equal(read_it(x->chief, "/shared"), -EISDIR);
	assert_int_equal(tree_remove_file(x->chief, "/shared/up"), -ELOOP);
	assert_int_equal(tree_make_folder(x->alice, "/shared/dir"), 0);
	assert_int_equal(tree_remove_file(x->alice, "/shared/dir"), -EISDIR);
	assert_int_equal(fixture_put(x->alice, "/shared/dir", "x"), -EISDIR);
	assert_int_equal(fixture_put(x->alice, "/shared/f", "x"), 0);
	assert_int_equal(tree_remove_folder(x->alice, "/shared/f"), -ENOTDIR);
	assert_int_equal(fixture_put(x->alice, "/shared/f/g", "x"), -ENOTDIR);
	fixture_exact(x);
}

/* Swaps a folder and a link out of the tree, as fast as it can. */
static pid_t start_swapping(const char *a, const char *b)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	for (;;)
		if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) < 0)
			_exit(1);
}

static void test_raced_links(void **state)
{
	struct tree_fixture *x = *state;
	char outside[128];
	unsigned good = 0, refused = 0;
	pid_t pid;

	(void)snprintf(outside, sizeof(outside), "%s/outside", x->f->dir);
	assert_int_equal(mkdir(outside, 0700), 0);
	assert_int_equal(tree_make_folder(x->alice, "/home/alice/d"), 0);
	assert_int_equal(fixture_put(x->alice, "/home/alice/d/in", "inside"), 0);
	assert_int_equal(symlink(outside, fixture_real(x, "/home/alice/l")), 0);
	fixture_drop_in(x, "/../../outside/in", "outside");
	pid = start_swapping(fixture_real(x, "/home/alice/d"), fixture_real(x, "/home/alice/l"));
	for (unsigned i = 0; i < 300; i++) {
		_cleanup_(cleanup_close) int fd = -1;
		struct ftp_entry e;
		char text[16] = "";
		int r = tree_open_file(x->alice, "/home/alice/d/in", &fd, &e);

		if (r == 0) {
			assert_int_equal(read(fd, text, sizeof(text)), 6);
			assert_memory_equal(text, "inside", 6);
		}
		good += r == 0;
		(void)fixture_put(x->alice, "/home/alice/d/new", "uploaded");
		(void)tree_make_folder(x->alice, "/home/alice/d/sub");
		r = tree_remove_file(x->alice, "/home/alice/d/new");
		refused += r == -ELOOP;
		(void)tree_remove_folder(x->alice, "/home/alice/d/sub");
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(good > 0);
	assert_true(refused > 0);
	/* Outside is as it was. */
	assert_int_equal(unlink(fixture_real(x, "/../../outside/in")), 0);
	assert_int_equal(rmdir(outside), 0);
}

static void test_folders(void **state)
{
	struct tree_fixture *x = *state;

	assert_int_equal(tree_make_folder(x->alice, "/shared/a"), 0);
	assert_int_equal(tree_make_folder(x->alice, "/shared/a"), -EEXIST);
	assert_int_equal(tree_make_folder(x->bob, "/shared/a"), -EEXIST);
	assert_int_equal(tree_make_folder(x->bob, "/shared/a/b"), 0);
	assert_string_equal(entry_of(x->alice, "/shared/a").perm, "cdeflmp");
	assert_string_equal(entry_of(x->bob, "/shared/a").perm, "celm");
	assert_string_equal(entry_of(x->bob, "/shared/a").owner, "alice");
	assert_int_equal(tree_remove_folder(x->alice, "/shared/a"), -ENOTEMPTY);
	assert_int_equal(tree_remove_folder(x->alice, "/shared/a/b"), -EACCES);
	assert_int_equal(tree_remove_folder(x->bob, "/shared/a/b"), 0);
	assert_int_equal(tree_remove_folder(x->bob, "/shared/a"), -EACCES);
	assert_int_equal(tree_remove_folder(x->alice, "/shared/a"), 0);
	assert_int_equal(tree_remove_folder(x->alice, "/shared/a"), -ENOENT);
	fixture_exact(x);
}

static void test_folder_of_temporaries(void **state)
{
	struct tree_fixture *x = *state;
	const struct upload_request request = {.how = UPLOAD_REPLACE, .path = "/shared/a/f"};
	struct upload *u = NULL;

	assert_int_equal(tree_make_folder(x->alice, "/shared/a"), 0);
	fixture_drop_in(x, "/shared/a/" FILE_TEMP_PREFIX "1234", "left behind");
	assert_int_equal(upload_new(x->bob, &request, &u), 0);
	assert_int_equal(upload_write(u, SPAN_LIT("under way")), 0);
	assert_int_equal(fixture_temps(x, "/shared/a"), 2);
	assert_int_equal(tree_remove_folder(x->alice, "/shared/a"), -EBUSY);
	upload_end(u, true);
	assert_int_equal(tree_remove_folder(x->alice, "/shared/a"), 0);
	assert_int_equal(look(x->alice, "/shared/a"), -ENOENT);
	fixture_exact(x);
}

static void test_removing(void **state)
{
	struct tree_fixture *x = *state;
	struct file_put_args stale = {
		.path = SPAN_LIT("/shared/gone"), .row = {.owner = "alice", .size = 5}};

	assert_int_equal(tree_remove_file(x->alice, "/shared/none"), -ENOENT);
	assert_int_equal(fixture_put(x->alice, "/shared/a", "text"), 0);
	assert_int_equal(tree_remove_file(x->alice, "/shared/a"), 0);
	assert_int_equal(tree_remove_file(x->alice, "/shared/a"), -ENOENT);
	/* A row that a crash left without its file. */
	assert_int_equal(store_call(x->f->s, STORE_OP_FILE_PUT, &stale, NULL), 0);
	assert_int_equal(tree_remove_file(x->alice, "/shared/gone"), -ENOENT);
	fixture_exact(x);
	stale.path = SPAN_LIT("/shared/new/below");
	(void)snprintf(stale.row.owner, sizeof(stale.row.owner), "bob");
	assert_int_equal(store_call(x->f->s, STORE_OP_FILE_PUT, &stale, NULL), 0);
	assert_int_equal(tree_make_folder(x->alice, "/shared/new"), 0);
	fixture_exact(x);
}

static void test_renaming_files(void **state)
{
	struct tree_fixture *x = *state;
	struct ftp_entry before, after;

	assert_int_equal(fixture_put(x->alice, "/shared/a", "one"), 0);
	before = entry_of(x->alice, "/shared/a");
	assert_int_equal(tree_rename(x->alice, "/shared/a", "/shared/b"), 0);
	after = entry_of(x->alice, "/shared/b");
	assert_true(after.has_digest);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(look(x->alice, "/shared/a"), -ENOENT);
	assert_int_equal(tree_rename(x->alice, "/shared/b", "/shared/b"), 0);
	assert_int_equal(tree_rename(x->alice, "/shared/a", "/shared/c"), -ENOENT);
	assert_int_equal(tree_rename(x->alice, "/shared/b", "/shared/no/b"), -ENOENT);
	/* Over what is one's own, and into one's home. */
	assert_int_equal(fixture_put(x->alice, "/shared/c", "to be replaced"), 0);
	assert_int_equal(tree_rename(x->alice, "/shared/b", "/shared/c"), 0);
	fixture_expect(x->alice, "/shared/c", "one");
	assert_int_equal(tree_rename(x->alice, "/shared/c", "/home/alice/c"), 0);
	fixture_expect(x->alice, "/home/alice/c", "one");
	fixture_exact(x);
	/* Over another's: an administrator may, and the owner is that of what came. */
	assert_int_equal(tree_rename(x->alice, "/home/alice/c", "/shared/c"), 0);
	assert_int_equal(fixture_put(x->bob, "/shared/d", "of bob"), 0);
	assert_int_equal(tree_rename(x->chief, "/shared/c", "/shared/d"), 0);
	assert_string_equal(entry_of(x->bob, "/shared/d").owner, "alice");
	/* What was dropped in stays nobody's, also over a file of somebody's. */
	fixture_drop_in(x, "/shared/e", "dropped in");
	assert_int_equal(tree_rename(x->chief, "/shared/e", "/shared/d"), 0);
	assert_string_equal(entry_of(x->bob, "/shared/d").owner, "");
	assert_int_equal(tree_make_folder(x->chief, "/shared/dir"), 0);
	assert_int_equal(tree_rename(x->chief, "/shared/d", "/shared/dir"), -EEXIST);
	fixture_exact(x);
}

static void test_renaming_folders(void **state)
{
	struct tree_fixture *x = *state;

	assert_int_equal(tree_make_folder(x->alice, "/shared/a"), 0);
	assert_int_equal(tree_make_folder(x->alice, "/shared/a/sub"), 0);
	assert_int_equal(fixture_put(x->alice, "/shared/a/sub/f", "alice's"), 0);
	assert_int_equal(tree_rename(x->bob, "/shared/a", "/shared/b"), -EACCES);
	assert_int_equal(tree_rename(x->alice, "/shared/a", "/shared/a/sub/x"), -EINVAL);
	assert_int_equal(tree_rename(x->alice, "/shared/a", "/shared/b"), 0);
	assert_string_equal(entry_of(x->bob, "/shared/b/sub/f").owner, "alice");
	assert_true(entry_of(x->bob, "/shared/b/sub/f").has_digest);
	assert_int_equal(tree_make_folder(x->alice, "/shared/a"), 0);
	assert_int_equal(tree_rename(x->alice, "/shared/b", "/shared/a"), -EEXIST);
	/* Of /shared only what is wholly one's own can be taken home. */
	assert_int_equal(fixture_put(x->bob, "/shared/b/sub/of-bob", "bob's"), 0);
	assert_int_equal(tree_rename(x->alice, "/shared/b", "/home/alice/b"), -EACCES);
	assert_int_equal(tree_rename(x->alice, "/shared/b", "/shared/c"), 0);
	assert_string_equal(entry_of(x->bob, "/shared/c/sub/of-bob").owner, "bob");
	assert_int_equal(tree_remove_file(x->bob, "/shared/c/sub/of-bob"), 0);
	assert_int_equal(tree_rename(x->alice, "/shared/c", "/home/alice/c"), 0);
	fixture_expect(x->alice, "/home/alice/c/sub/f", "alice's");
	fixture_exact(x);
}

static uint64_t used(const struct tree_fixture *x, const char *account)
{
	struct file_usage usage;

	assert_int_equal(file_usage_get(x->f->s, account, &usage), 0);
	return usage.bytes;
}

/* Whoever takes something home, or gives away what is in his home, is who it belongs to. */
static void test_moving_between_areas(void **state)
{
	struct tree_fixture *x = *state;

	assert_int_equal(fixture_put(x->bob, "/shared/f", "bob's"), 0);
	assert_int_equal(tree_make_folder(x->chief, "/shared/d"), 0);
	assert_int_equal(fixture_put(x->bob, "/shared/d/f", "bob's"), 0);
	assert_int_equal(tree_rename(x->chief, "/shared/d", "/home/chief/d"), -EACCES);
	assert_int_equal(used(x, "bob"), 10);
	assert_int_equal(tree_rename(x->chief, "/shared/f", "/home/chief/f"), 0);
	assert_int_equal(used(x, "bob"), 5);
	assert_int_equal(used(x, "chief"), 5);
	assert_true(entry_of(x->chief, "/home/chief/f").has_digest);
	fixture_exact(x);
	fixture_policy(x, "files_quota", "6");
	fixture_drop_in(x, "/home/bob/new", "dropped in");
	assert_int_equal(tree_rename(x->bob, "/home/bob/new", "/shared/new"), -EDQUOT);
	fixture_policy(x, "files_quota", "0");
	assert_int_equal(tree_rename(x->bob, "/home/bob/new", "/shared/new"), 0);
	assert_string_equal(entry_of(x->alice, "/shared/new").owner, "bob");
	assert_int_equal(tree_remove_file(x->bob, "/shared/new"), 0);
	fixture_exact(x);
}

static void test_times(void **state)
{
	struct tree_fixture *x = *state;
	struct ftp_entry e;

	assert_int_equal(fixture_put(x->alice, "/shared/a", "text"), 0);
	assert_int_equal(tree_set_mtime(x->alice, "/shared/a", 1000000000123456), 0);
	e = entry_of(x->alice, "/shared/a");
	assert_int_equal(e.modify_us, 1000000000123456);
	assert_true(e.has_digest);
	assert_int_equal(tree_set_mtime(x->alice, "/shared/a", -1500000), 0);
	assert_int_equal(entry_of(x->alice, "/shared/a").modify_us, -1500000);
	assert_int_equal(tree_rename(x->alice, "/shared/a", "/shared/b"), 0);
	assert_int_equal(entry_of(x->alice, "/shared/b").modify_us, -1500000);
	/* What nanoseconds cannot count; the file system may hold less. */
	assert_int_equal(tree_set_mtime(x->alice, "/shared/b", INT64_C(253402300799000000)), 0);
	assert_int_equal(tree_set_mtime(x->alice, "/shared/b", INT64_C(-62135596800000000)), 0);
	assert_true(entry_of(x->alice, "/shared/b").has_digest);
	/* Changed past us: the digest is not believed, and a new time does not make it so. */
	fixture_drop_in(x, "/shared/b", "tex!");
	assert_false(entry_of(x->alice, "/shared/b").has_digest);
	assert_int_equal(tree_set_mtime(x->alice, "/shared/b", -1500000), 0);
	assert_false(entry_of(x->alice, "/shared/b").has_digest);
	assert_int_equal(tree_set_mtime(x->alice, "/shared/none", 0), -ENOENT);
	assert_int_equal(tree_set_mtime(x->alice, "/shared", 0), -EISDIR);
	fixture_exact(x);
}

/* -- listings ---------------------------------------------------------------------------------- */

struct seen {
	unsigned files, folders, digests, mine;
	unsigned stop_after;
};

static int see(void *arg, const char *name, const struct ftp_entry *e)
{
	struct seen *s = arg;

	assert_int_not_equal(name[0], '.');
	s->files += e->type == FTP_ENTRY_FILE;
	s->folders += e->type == FTP_ENTRY_FOLDER;
	s->digests += e->has_digest;
	s->mine += strcmp(e->owner, "alice") == 0;
	return s->stop_after > 0 && s->files + s->folders >= s->stop_after ? -ECANCELED : 0;
}

static struct seen list_all(struct tree *t, const char *path, size_t slice)
{
	struct tree_list *list = NULL;
	struct seen s = {0};
	int r;

	assert_int_equal(tree_list_open(t, path, &list), 0);
	do {
		r = tree_list_next(list, slice, see, &s);
	} while (r == 1);
	assert_int_equal(r, 0);
	tree_list_free(list);
	return s;
}

static void test_listing(void **state)
{
	struct tree_fixture *x = *state;
	struct tree_list *list = NULL;
	struct seen s;
	char path[64];

	s = list_all(x->alice, "/", 10);
	assert_int_equal(s.folders, 2);
	s = list_all(x->alice, "/home", 10);
	assert_int_equal(s.folders, 1);
	assert_int_equal(list_all(x->alice, "/shared", 10).files, 0);
	for (unsigned i = 0; i < 150; i++) {
		(void)snprintf(path, sizeof(path), "/shared/dropped-%u", i);
		fixture_drop_in(x, path, "x");
	}
	assert_int_equal(fixture_put(x->alice, "/shared/a", "text"), 0);
	assert_int_equal(tree_make_folder(x->bob, "/shared/dir"), 0);
	/* None of these is seen. */
	fixture_drop_in(x, "/shared/" FILE_TEMP_PREFIX "1", "x");
	fixture_drop_in(x, "/shared/\xff\xfe", "no UTF-8");
	fixture_drop_in(x, "/shared/line\nend", "x");
	assert_int_equal(mkfifo(fixture_real(x, "/shared/fifo"), 0660), 0);
	assert_int_equal(symlink("a", fixture_real(x, "/shared/link")), 0);
	for (size_t slice = 1; slice < 300; slice = slice * 4 + 1) {
		s = list_all(x->alice, "/shared", slice);
		assert_int_equal(s.files, 151);
		assert_int_equal(s.folders, 1);
		assert_int_equal(s.digests, 1);
		assert_int_equal(s.mine, 1);
	}
	s = list_all(x->alice, "/shared/a", 5);
	assert_int_equal(s.files, 1);
	s = (struct seen){.stop_after = 3};
	assert_int_equal(tree_list_open(x->alice, "/shared", &list), 0);
	assert_int_equal(tree_list_next(list, 100, see, &s), -ECANCELED);
	tree_list_free(list);
	assert_int_equal(tree_list_open(x->alice, "/shared/none", &list), -ENOENT);
	assert_int_equal(tree_list_open(x->alice, "/home/bob", &list), -EACCES);
}

static void test_available(void **state)
{
	struct tree_fixture *x = *state;
	uint64_t room = 0, all = 0;

	fixture_policy(x, "files_quota", "1000");
	assert_int_equal(tree_available(x->alice, "/shared", &room), 0);
	assert_int_equal(room, 1000);
	assert_int_equal(fixture_put(x->alice, "/shared/a", "0123456789"), 0);
	assert_int_equal(tree_available(x->alice, "/home/alice", &room), 0);
	assert_int_equal(room, 990);
	assert_int_equal(tree_available(x->bob, "/", &room), 0);
	assert_int_equal(room, 1000);
	fixture_policy(x, "files_quota", "0");
	assert_int_equal(tree_available(x->alice, "/shared", &all), 0);
	assert_true(all > 1000);
	fixture_policy(x, "files_keep_free", "1024T");
	assert_int_equal(tree_available(x->alice, "/shared", &room), 0);
	assert_int_equal(room, 0);
	assert_int_equal(tree_available(x->alice, "/shared/none", &room), -ENOENT);
}

#define each_test(fn) cmocka_unit_test_setup_teardown(fn, tree_fixture_setup, tree_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each_test(test_places),
		each_test(test_rights),
		each_test(test_kinds),
		each_test(test_raced_links),
		each_test(test_folder_of_temporaries),
		each_test(test_folders),
		each_test(test_removing),
		each_test(test_renaming_files),
		each_test(test_renaming_folders),
		each_test(test_moving_between_areas),
		each_test(test_times),
		each_test(test_listing),
		each_test(test_available),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
