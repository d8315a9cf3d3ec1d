/*
 * Profiles on disk. Everything is opened relative to the profile's folder, written to a temporary
 * and renamed, so that a full disk or Ctrl-C leaves the old file whole.
 */
#include "client/profile.h"
#include "client/pair.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define CURRENT_FILE "current"

void profile_done(struct profile *p)
{
	buf_done(&p->root_pem);
	buf_done(&p->chain_pem);
	buf_done(&p->cert_pem);
	buf_wipe(&p->key_pem);
	cleanup_close(&p->dir_fd);
}

static bool name_is_good(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < PROFILE_NAME_MAX && name[0] != '.' &&
		strcmp(name, CURRENT_FILE) != 0 &&
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		len;
}

/* The path of the folder of profiles. */
static int base_path(struct buf *ret)
{
	const char *dir = getenv("QUINTET_CLIENT_DIR");
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (dir != NULL && *dir != '\0')
		buf_add_str(ret, dir);
	else if (config != NULL && *config == '/')
		buf_addf(ret, "%s/quintet", config);
	else if (home != NULL && *home != '\0')
		buf_addf(ret, "%s/.config/quintet", home);
	else
		return -ENOENT;
	return buf_error(ret);
}

/* Makes every missing folder of a path. */
static int folders_make(const char *path)
{
	_cleanup_(buf_done) struct buf part = BUF_INIT(4096);

	for (const char *p = path; *p != '\0'; p++) {
		if (*p == '/' && part.len > 0 && mkdir(buf_str(&part), 0700) < 0 && errno != EEXIST)
			return -errno;
		buf_add_byte(&part, (unsigned char)*p);
	}
	if (buf_error(&part) < 0)
		return buf_error(&part);
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int base_open(bool make, int *ret_fd)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	int fd, r = base_path(&path);

	if (r < 0)
		return r;
	if (make) {
		r = folders_make(buf_str(&path));
		if (r < 0)
			return r;
	}
	fd = open(buf_str(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* A whole small file appended to ret; a missing one leaves it empty. */
static int file_read(int dir_fd, const char *file, struct buf *ret)
{
	_cleanup_(cleanup_close) int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	for (;;) {
		unsigned char *p = buf_reserve(ret, 4096);
		ssize_t n;

		if (p == NULL)
			return buf_error(ret);
		n = read(fd, p, 4096);
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		buf_commit(ret, (size_t)n);
	}
}

static int file_write(int dir_fd, const char *file, struct span bytes)
{
	char temporary[80];
	_cleanup_(cleanup_close) int fd = -1;
	size_t done = 0;

	snprintf(temporary, sizeof temporary, ".%s.%d", file, (int)getpid());
	fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	while (done < bytes.len) {
		ssize_t n = write(fd, bytes.p + done, bytes.len - done);

		if (n < 0)
			goto fail;
		done += (size_t)n;
	}
	if (fsync(fd) < 0 || renameat(dir_fd, temporary, dir_fd, file) < 0 || fsync(dir_fd) < 0)
		goto fail;
	return 0;
fail:;
	int r = -errno;

	(void)unlinkat(dir_fd, temporary, 0);
	return r;
}

int profile_write(const struct profile *p, const char *file, struct span bytes)
{
	return file_write(p->dir_fd, file, bytes);
}

int profile_read(const struct profile *p, const char *file, struct buf *ret)
{
	return file_read(p->dir_fd, file, ret);
}

int profile_remove(const struct profile *p, const char *file)
{
	return unlinkat(p->dir_fd, file, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int profile_create(const char *name, struct profile *ret)
{
	_cleanup_(cleanup_close) int base_fd = -1;
	int fd, r;

	if (!name_is_good(name))
		return -EINVAL;
	r = base_open(true, &base_fd);
	if (r < 0)
		return r;
	if (mkdirat(base_fd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	cleanup_close(&ret->dir_fd);
	ret->dir_fd = fd;
	snprintf(ret->name, sizeof ret->name, "%s", name);
	return 0;
}

/* "user NAME", "host HOST", "port N": one each. */
static int account_parse(struct span text, struct profile *p)
{
	struct span line, key;
	uint64_t port = 0;
	int r = 0;

	while (r == 0 && span_split(&text, '\n', &line)) {
		if (!span_split(&line, ' ', &key))
			continue;
		if (span_eq_str(key, "user"))
			r = span_copy_str(line, p->user, sizeof p->user);
		else if (span_eq_str(key, "host"))
			r = span_copy_str(line, p->host, sizeof p->host);
		else if (span_eq_str(key, "port"))
			r = num_parse_u64(line, 1, UINT16_MAX, &port);
	}
	if (r < 0 || p->user[0] == '\0' || p->host[0] == '\0' || port == 0)
		return -EINVAL;
	p->ca_port = (uint16_t)port;
	return 0;
}

int profile_save(const struct profile *p)
{
	_cleanup_(buf_done) struct buf account = BUF_INIT(1024);
	_cleanup_(buf_done) struct buf doors = BUF_INIT(PROFILE_FILE_MAX);
	int r = directory_write(&doors, &p->doors);

	buf_addf(&account, "user %s\nhost %s\nport %u\n", p->user, p->host, (unsigned)p->ca_port);
	if (r == 0)
		r = buf_error(&account);
	if (r == 0)
		r = profile_write(p, "account", buf_span(&account));
	return r == 0 ? profile_write(p, "directory", buf_span(&doors)) : r;
}

int profile_load(const char *name, struct profile *ret)
{
	_cleanup_(buf_done) struct buf account = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf doors = BUF_INIT(PROFILE_FILE_MAX);
	char current[PROFILE_NAME_MAX];
	_cleanup_(cleanup_close) int base_fd = -1;
	int r = 0;

	if (name == NULL) {
		r = profile_current(current);
		name = current;
	}
	if (r == 0)
		r = name_is_good(name) ? base_open(false, &base_fd) : -EINVAL;
	if (r < 0)
		return r;
	cleanup_close(&ret->dir_fd);
	ret->dir_fd = openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (ret->dir_fd < 0)
		return -errno;
	snprintf(ret->name, sizeof ret->name, "%s", name);
	const struct {
		const char *file;
		struct buf *to;
	} files[] = {{"account", &account}, {"directory", &doors}, {"root.pem", &ret->root_pem},
		{"chain.pem", &ret->chain_pem}, {"cert.pem", &ret->cert_pem},
		{"key.pem", &ret->key_pem}};
	for (size_t i = 0; r == 0 && i < sizeof files / sizeof files[0]; i++)
		r = file_read(ret->dir_fd, files[i].file, files[i].to);
	if (r == 0)
		r = account_parse(buf_span(&account), ret);
	return r == 0 ? directory_parse(buf_span(&doors), &ret->doors) : r;
}

int profile_set_current(const char *name)
{
	_cleanup_(cleanup_close) int base_fd = -1;
	struct stat st;
	int r = name_is_good(name) ? base_open(false, &base_fd) : -EINVAL;

	if (r < 0)
		return r;
	if (fstatat(base_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return file_write(base_fd, CURRENT_FILE, span_str(name));
}

int profile_current(char ret[PROFILE_NAME_MAX])
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(PROFILE_NAME_MAX);
	_cleanup_(cleanup_close) int base_fd = -1;
	int r = base_open(false, &base_fd);

	if (r == 0)
		r = file_read(base_fd, CURRENT_FILE, &text);
	if (r < 0)
		return r;
	if (!name_is_good(buf_str(&text)))
		return -ENOENT;
	return span_copy_str(buf_span(&text), ret, PROFILE_NAME_MAX);
}

static int entry_is_profile(const struct dirent *e)
{
	return e->d_type == DT_DIR && name_is_good(e->d_name);
}

int profile_each(int (*each)(void *arg, const char *name), void *arg)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	struct dirent **names = NULL;
	int n, r = base_path(&path);

	if (r < 0)
		return r;
	n = scandir(buf_str(&path), &names, entry_is_profile, alphasort);
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = each(arg, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return r;
}

int profile_need(const struct client *c, struct profile *ret)
{
	int r = profile_load(c->profile, ret);

	if (r == -ENOENT && c->profile != NULL)
		return client_fail(ERR_EXIT_CONFIG,
			"there is no profile \"%s\"; see quintet profile list", c->profile);
	if (r == -ENOENT)
		return client_fail(ERR_EXIT_CONFIG,
			"no server is known yet; begin with: quintet enroll HOST --user NAME");
	if (r < 0)
		return client_fail(ERR_EXIT_CONFIG, "the profile cannot be read: %s", err_text(r));
	return CLIENT_OK;
}

int profile_need_cert(const struct client *c, struct profile *ret)
{
	int code = profile_need(c, ret);

	if (code == CLIENT_OK && ret->cert_pem.len == 0)
		return client_fail(ERR_EXIT_CONFIG,
			"profile \"%s\" has no certificate; run quintet enroll again", ret->name);
	if (code == CLIENT_OK && pair_recover(ret) < 0)
		return client_fail(ERR_EXIT_CONFIG,
			"the key of profile \"%s\" does not fit its certificate; run quintet enroll again",
			ret->name);
	return code;
}
