/* Profiles: where they are, reading one, and what is said when that fails. */
#include "client/profile.h"

#include "client/files.h"
#include "client/pair.h"

#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

void profile_done(struct profile *p)
{
	buf_done(&p->root_pem);
	buf_done(&p->chain_pem);
	buf_done(&p->cert_pem);
	buf_wipe(&p->key_pem);
	cleanup_close(&p->dir_fd);
}

bool profile_name_is_good(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < PROFILE_NAME_MAX && name[0] != '.' && name[0] != '-' &&
		strcmp(name, "current") != 0 &&
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
	return buf_error(ret) < 0 ? -ENAMETOOLONG : 0;
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

int profile_base_open(bool make, int *ret_fd)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	int fd, r = base_path(&path);

	if (r == 0 && make)
		r = folders_make(buf_str(&path));
	if (r < 0)
		return r;
	fd = open(buf_str(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
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
		r = files_write(p->dir_fd, "account", buf_span(&account));
	return r == 0 ? files_write(p->dir_fd, "directory", buf_span(&doors)) : r;
}

static int files_load(struct profile *p)
{
	_cleanup_(buf_done) struct buf account = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf doors = BUF_INIT(PROFILE_FILE_MAX);
	const struct {
		const char *file;
		struct buf *to;
	} files[] = {{"account", &account}, {"directory", &doors}, {"root.pem", &p->root_pem},
		{"chain.pem", &p->chain_pem}, {"cert.pem", &p->cert_pem}, {"key.pem", &p->key_pem}};
	int r = 0;

	files_lock(p->dir_fd, false);
	for (size_t i = 0; r == 0 && i < sizeof files / sizeof files[0]; i++)
		r = files_read(p->dir_fd, files[i].file, files[i].to);
	if (r == 0)
		r = account_parse(buf_span(&account), p);
	if (r == 0)
		r = directory_parse(buf_span(&doors), &p->doors) < 0 ? -EINVAL : 0;
	if (r == 0)
		r = p->root_pem.len == 0 ? -EINVAL : pair_recover(p);
	files_unlock(p->dir_fd);
	return r;
}

/* A key that others may read is not used. */
static bool key_is_private(const struct profile *p)
{
	struct stat st;

	return fstatat(p->dir_fd, "key.pem", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		(st.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

int profile_load(const char *name, struct profile *ret)
{
	_cleanup_(cleanup_close) int base_fd = -1;
	char current[PROFILE_NAME_MAX];
	int r = 0;

	if (name == NULL) {
		r = profile_current(current);
		name = current;
	}
	if (r == 0)
		r = profile_name_is_good(name) ? profile_base_open(false, &base_fd) : -ENOENT;
	if (r < 0)
		return r;
	snprintf(ret->name, sizeof ret->name, "%s", name);
	cleanup_close(&ret->dir_fd);
	ret->dir_fd = openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (ret->dir_fd < 0)
		return -errno;
	r = files_load(ret);
	if (r == 0 && ret->cert_pem.len > 0 && !key_is_private(ret))
		r = -EKEYREJECTED;
	if (r == -EKEYREJECTED) {
		buf_wipe(&ret->key_pem);
		buf_reset(&ret->cert_pem);
	}
	return r;
}

static int cannot_load(const char *name, int error)
{
	if (error == -ENODATA)
		return client_fail(ERR_EXIT_CONFIG,
			"no profile is chosen; see quintet profile list, then quintet profile use NAME");
	if (error == -ENOENT && name != NULL)
		return client_fail(ERR_EXIT_CONFIG,
			"there is no profile \"%s\"; see quintet profile list", name);
	if (error == -ENOENT)
		return client_fail(ERR_EXIT_CONFIG,
			"no server is known yet; begin with: quintet enroll HOST --user NAME");
	if (error == -EINVAL)
		return client_fail(ERR_EXIT_CONFIG,
			"profile \"%s\" is damaged; run quintet enroll again",
			name != NULL ? name : "current");
	return client_fail(ERR_EXIT_CONFIG, "the profile cannot be read: %s", err_text(error));
}

int profile_need(const struct client *c, struct profile *ret)
{
	int r = profile_load(c->profile, ret);

	/* Much can be asked without a certificate. */
	if (r == 0 || r == -EKEYREJECTED)
		return CLIENT_OK;
	return cannot_load(c->profile != NULL  ? c->profile
			: ret->name[0] != '\0' ? ret->name
					       : NULL,
		r);
}

int profile_need_cert(const struct client *c, struct profile *ret)
{
	int code = profile_need(c, ret);

	if (code != CLIENT_OK || ret->cert_pem.len > 0)
		return code;
	if (!key_is_private(ret))
		return client_fail(ERR_EXIT_CONFIG,
			"others may read the key of profile \"%s\": make it mode 0600, or better run "
			"quintet enroll again",
			ret->name);
	return client_fail(ERR_EXIT_CONFIG,
		"profile \"%s\" has no key that fits its certificate; run quintet enroll again",
		ret->name);
}
