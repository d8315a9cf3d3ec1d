/* The folder of profiles: making one whole, listing, choosing, removing. And quintet profile. */
#include "client/files.h"
#include "client/pair.h"
#include "client/profile.h"
#include "client/table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#define CURRENT_FILE "current"
#define STAGE_SIZE (PROFILE_NAME_MAX + 8)

static void stage_name(const char *name, const char *suffix, char ret[STAGE_SIZE])
{
	snprintf(ret, STAGE_SIZE, ".%s.%s", name, suffix);
}

int profile_stage(const char *name, struct profile *ret)
{
	_cleanup_(cleanup_close) int base_fd = -1;
	_cleanup_(cleanup_close) int fd = -1;
	char stage[STAGE_SIZE];
	int r = profile_name_is_good(name) ? profile_base_open(true, &base_fd) : -EINVAL;

	if (r < 0)
		return r;
	stage_name(name, "new", stage);
	if (mkdirat(base_fd, stage, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(base_fd, stage, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	/* One that a crash left behind is nobody's; its files are written over. */
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	(void)files_remove(fd, "key.next");
	snprintf(ret->name, sizeof ret->name, "%s", name);
	cleanup_close(&ret->dir_fd);
	ret->dir_fd = take_fd(&fd);
	return 0;
}

/* Moves what is in one folder into another; what is there already stays. */
static int entries_move(int from_fd, int to_fd)
{
	int fd = openat(from_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;

	if (dir == NULL) {
		r = -errno;
		cleanup_close(&fd);
		return r;
	}
	while (r == 0 && (e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.' &&
			renameat2(from_fd, e->d_name, to_fd, e->d_name, RENAME_NOREPLACE) < 0 &&
			errno != EEXIST)
			r = -errno;
	closedir(dir);
	return r;
}

/* The same for a folder in both, which a crash may have left in the second one already. */
static int folder_move(int from_fd, int to_fd, const char *name)
{
	_cleanup_(cleanup_close) int from = -1, to = -1;

	if (renameat2(from_fd, name, to_fd, name, RENAME_NOREPLACE) == 0 || errno == ENOENT)
		return 0;
	if (errno != EEXIST)
		return -errno;
	from = openat(from_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	to = openat(to_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return from < 0 || to < 0 ? -errno : entries_move(from, to);
}

static int pair_hand_on(int from_fd, int to_fd)
{
	_cleanup_(buf_done) struct buf cert = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_wipe) struct buf key = BUF_INIT(PROFILE_FILE_MAX);
	int r = files_read(from_fd, "cert.pem", &cert);

	if (r == 0)
		r = files_read(from_fd, "key.pem", &key);
	return r == 0 ? pair_keep(to_fd, buf_span(&key), buf_span(&cert)) : r;
}

/* What a profile holds beside its certificates goes on in the one that takes its place, and its key
 * is kept for what was encrypted to it. Then the rest of it goes. */
static int succeed(int base_fd, const char *before, const char *name)
{
	static const char *const folders[] = {PROFILE_OLD, "outbox", "mail"};
	_cleanup_(cleanup_close) int to_fd = -1;
	_cleanup_(cleanup_close) int from_fd =
		openat(base_fd, before, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int r = 0;

	if (from_fd < 0)
		return errno == ENOENT ? 0 : -errno;
	to_fd = openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (to_fd < 0)
		return -errno;
	for (size_t i = 0; r == 0 && i < sizeof folders / sizeof folders[0]; i++)
		r = folder_move(from_fd, to_fd, folders[i]);
	if (r == 0)
		r = pair_hand_on(from_fd, to_fd);
	if (r == 0)
		(void)files_remove_folder(base_fd, before);
	return r;
}

/* Where the file system cannot exchange two names, the old one steps aside for a moment. */
static int exchange(int base_fd, const char *stage, const char *name)
{
	char old[STAGE_SIZE];

	if (renameat2(base_fd, stage, base_fd, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (renameat2(base_fd, stage, base_fd, name, RENAME_EXCHANGE) == 0)
		return succeed(base_fd, stage, name);
	stage_name(name, "old", old);
	if (renameat(base_fd, name, base_fd, old) < 0 && errno != ENOENT)
		return -errno;
	if (renameat(base_fd, stage, base_fd, name) < 0)
		return -errno;
	return succeed(base_fd, old, name);
}

int profile_publish(const struct profile *p)
{
	_cleanup_(cleanup_close) int base_fd = -1;
	char stage[STAGE_SIZE];
	int r = profile_base_open(false, &base_fd);

	if (r < 0)
		return r;
	stage_name(p->name, "new", stage);
	r = exchange(base_fd, stage, p->name);
	if (r == 0 && fsync(base_fd) < 0)
		r = -errno;
	return r;
}

void profile_unstage(const struct profile *p)
{
	_cleanup_(cleanup_close) int base_fd = -1;
	char stage[STAGE_SIZE];

	if (p->dir_fd < 0 || profile_base_open(false, &base_fd) < 0)
		return;
	stage_name(p->name, "new", stage);
	(void)files_remove_folder(base_fd, stage);
}

int profile_set_current(const char *name)
{
	_cleanup_(cleanup_close) int base_fd = -1;
	struct stat st;
	int r = profile_name_is_good(name) ? profile_base_open(false, &base_fd) : -ENOENT;

	if (r < 0)
		return r;
	if (fstatat(base_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	files_lock(base_fd, true);
	return files_write(base_fd, CURRENT_FILE, span_str(name));
}

static int count_one(void *arg, const char *name)
{
	(void)name;
	++*(size_t *)arg;
	return 0;
}

int profile_current(char ret[PROFILE_NAME_MAX])
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(PROFILE_NAME_MAX);
	_cleanup_(cleanup_close) int base_fd = -1;
	size_t count = 0;
	int r = profile_base_open(false, &base_fd);

	if (r == 0)
		r = files_read(base_fd, CURRENT_FILE, &text);
	if (r < 0)
		return r;
	if (profile_name_is_good(buf_str(&text)))
		return span_copy_str(buf_span(&text), ret, PROFILE_NAME_MAX);
	r = profile_each(count_one, &count);
	return r == 0 && count > 0 ? -ENODATA : -ENOENT;
}

int profile_remove(const char *name)
{
	_cleanup_(cleanup_close) int base_fd = -1;
	char current[PROFILE_NAME_MAX];
	int r = profile_name_is_good(name) ? profile_base_open(false, &base_fd) : -ENOENT;

	if (r < 0)
		return r;
	if (profile_current(current) == 0 && strcmp(current, name) == 0)
		r = files_remove(base_fd, CURRENT_FILE);
	return r == 0 ? files_remove_folder(base_fd, name) : r;
}

/* Some file systems do not tell folders from files here. */
static int entry_is_profile(const struct dirent *e)
{
	return (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN) && profile_name_is_good(e->d_name);
}

int profile_each(int (*each)(void *arg, const char *name), void *arg)
{
	_cleanup_(cleanup_close) int base_fd = -1;
	struct dirent **names = NULL;
	int n, r = profile_base_open(false, &base_fd);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	n = scandirat(base_fd, ".", &names, entry_is_profile, alphasort);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = each(arg, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return r;
}

static int profile_row(void *arg, const char *name)
{
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	char current[PROFILE_NAME_MAX];
	bool is_current = profile_current(current) == 0 && strcmp(current, name) == 0;
	int r = profile_load(name, &p);

	table_add(arg,
		(const char *const[]){name, p.user, p.host,
			r == -EKEYREJECTED            ? "no usable key"
				: r < 0               ? "damaged"
				: p.cert_pem.len == 0 ? "no certificate"
						      : "enrolled",
			is_current ? "yes" : ""});
	return 0;
}

static int list(const struct client *c)
{
	static const struct table_column columns[] = {{"PROFILE", NULL}, {"USER", NULL},
		{"SERVER", NULL}, {"STATE", NULL}, {"CURRENT", NULL}, {NULL, NULL}};
	struct table t;
	int r;

	table_init(&t, columns);
	r = profile_each(profile_row, &t);
	if (r == 0)
		r = table_print(&t, c->json);
	table_done(&t);
	return r == 0
		? CLIENT_OK
		: client_fail(ERR_EXIT_CONFIG, "the profiles cannot be read: %s", err_text(r));
}

static int change(const struct client *c, const char *name, bool remove)
{
	int r = remove ? profile_remove(name) : profile_set_current(name);

	if (r == -ENOENT)
		return client_fail(ERR_EXIT_CONFIG,
			"there is no profile \"%s\"; see quintet profile list", name);
	if (r < 0)
		return client_fail(client_unwritten(r), "profile \"%s\" cannot be changed: %s",
			name, err_text(r));
	return client_done(c, &(struct table_pair){remove ? "removed" : "current", name, NULL}, 1,
		remove ? "profile \"%s\" is removed" : "profile \"%s\" is the current one", name);
}

int cmd_profile(struct client *c, int argc, char **argv)
{
	static const struct client_option none[] = {{.name = NULL}};
	struct client_words w;
	int code = client_options(c, argc, argv, none, 2, &w);

	if (code >= 0)
		return code;
	if (w.count == 0 || (w.count == 1 && strcmp(w.v[0], "list") == 0))
		return list(c);
	if (w.count == 2 && strcmp(w.v[0], "use") == 0)
		return change(c, w.v[1], false);
	if (w.count == 2 && strcmp(w.v[0], "remove") == 0)
		return change(c, w.v[1], true);
	return client_usage(c, "profile takes list, use NAME or remove NAME");
}
