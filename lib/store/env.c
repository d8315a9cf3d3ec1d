/* Opening the environment: folders, guards, retries, permissions. */
#include "base/cleanup.h"
#include "base/num.h"
#include "base/rec.h"
#include "store/guard.h"
#include "store/keys.h"
#include "store/store_i.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	OPEN_TRIES = 200, /* a second: a busy disk holds up who opens or closes */
	OPEN_PAUSE_US = 5000,
	REASON_SIZE = 320,
	MAP_BYTES_MIN = 1 << 20,
};

static char reason[REASON_SIZE];

const char *store_open_reason(void)
{
	return reason;
}

void env_reason(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
}

bool kv_version_ok(int major, int minor, int patch)
{
	return major != 0 || minor != 9 || patch < 26 || patch > 31;
}

uint64_t env_map_bytes(void)
{
	uint64_t bytes = KV_MAP_BYTES;
#ifdef QUINTET_TEST
	const char *text = getenv("QUINTET_TEST_MAP_BYTES");

	if (text != NULL)
		(void)num_parse_u64(span_str(text), MAP_BYTES_MIN, KV_MAP_BYTES, &bytes);
#endif
	return bytes;
}

int env_make_dir(const char *path)
{
	_cleanup_(cleanup_close) int fd = -1;

	if (mkdir(path, STORE_DIR_MODE) < 0)
		return errno == EEXIST ? 0 : -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* mkdir() masks the mode and does not set the group bit. */
	return fchmod(fd, STORE_DIR_MODE) < 0 ? -errno : 0;
}

int env_make_folders(const char *state)
{
	static const char *const names[] = {"", "/store", "/blobs", "/blobs/tmp"};
	char path[STORE_PATH_MAX];
	int rc = 0;

	if (strlen(state) > sizeof(path) - sizeof("/blobs/tmp"))
		return -ENAMETOOLONG;
	for (size_t i = 0; rc == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", state, names[i]);
		rc = env_make_dir(path);
		if (rc < 0)
			env_reason("cannot make the folder %s: %s", path, strerror(-rc));
	}
	return rc;
}

static int check_place(const char *dir, int dir_fd, int *ret_guard_fd)
{
	const char *kind = NULL;
	int rc = guard_file_system(dir_fd, &kind);

	if (rc == -EMEDIUMTYPE)
		env_reason("%s is on %s, where the store is not safe: use a volume or bind mount "
			   "of a local file system",
			dir, kind);
	if (rc < 0)
		return rc;
	rc = guard_take(dir_fd, ret_guard_fd);
	if (rc == -ENOSYS)
		env_reason("cannot tell the PID namespace: is /proc mounted?");
	else if (rc == -EXDEV)
		env_reason("processes of another PID namespace have %s open: all processes of one "
			   "store must share one PID namespace",
			dir);
	else if (rc < 0)
		env_reason("cannot lock %s/guard: %s", dir, strerror(-rc));
	return rc;
}

int env_reopen(const struct kv_options *options, struct kv_env **ret)
{
	int rc = -EBUSY;

	for (int i = 0; i < OPEN_TRIES; i++) {
		rc = kv_open(options, ret);
		if (rc != -EBUSY && rc != -EAGAIN && rc != -EINTR && rc != -EINVAL)
			break;
		(void)usleep(OPEN_PAUSE_US);
	}
	return rc == -EAGAIN || rc == -EINTR || rc == -EINVAL ? -EBUSY : rc;
}

static int open_patiently(const char *dir, bool write, struct kv_env **ret)
{
	const struct kv_options options = {
		.dir = dir, .write = write, .map_bytes = env_map_bytes()};
	int rc = env_reopen(&options, ret);

	if (rc == -ELIBBAD)
		env_reason("this LMDB release (0.9.26 to 0.9.31) has races on close: use 0.9.24, "
			   "0.9.25 or 0.9.32 and later");
	else if (rc < 0)
		env_reason("cannot open %s: %s", dir, strerror(-rc));
	return rc;
}

/* Whatever umask the creator had. The lock file is not opened: closing it would drop LMDB's locks.
 */
static int set_modes(const char *dir, int dir_fd, bool kept)
{
	const struct {
		const char *name;
		mode_t mode;
	} files[] = {{".", kept ? STORE_DIR_KEPT : STORE_DIR_MODE},
		{"data.mdb", kept ? STORE_FILE_KEPT : STORE_FILE_MODE},
		{"settled", kept ? STORE_FILE_KEPT : STORE_FILE_MODE},
		{"lock.mdb", STORE_FILE_MODE}, {"guard", STORE_FILE_MODE}};
	struct stat st;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (fstatat(dir_fd, files[i].name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			(st.st_mode & 07777) == files[i].mode)
			continue;
		if (fchmodat(dir_fd, files[i].name, files[i].mode, 0) < 0) {
			env_reason("cannot set the mode of %s/%s: %s", dir, files[i].name,
				strerror(errno));
			return -errno;
		}
	}
	return 0;
}

int store_modes(const char *state, bool kept)
{
	_cleanup_(cleanup_close) int dir_fd = -1;
	char dir[STORE_PATH_MAX];
	int len = snprintf(dir, sizeof(dir), "%s/store", state);

	if (len < 0 || len >= (int)sizeof(dir))
		return -ENAMETOOLONG;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -errno : set_modes(dir, dir_fd, kept);
}

int env_open(const char *state, enum store_mode mode, struct kv_env **ret, int *ret_guard_fd)
{
	_cleanup_(cleanup_close) int dir_fd = -1;
	_cleanup_(cleanup_close) int guard_fd = -1;
	_cleanup_(kv_closep) struct kv_env *env = NULL;
	char dir[STORE_PATH_MAX];
	int rc = 0;

	reason[0] = '\0';
	if (strlen(state) > sizeof(dir) - sizeof("/blobs/tmp"))
		return -ENAMETOOLONG;
	(void)snprintf(dir, sizeof(dir), "%s/store", state);
	if (mode == STORE_CREATE)
		rc = env_make_folders(state);
	if (rc < 0)
		return rc;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0) {
		env_reason("cannot open %s: %s", dir, strerror(errno));
		return -errno;
	}
	if (mode != STORE_CREATE && faccessat(dir_fd, "data.mdb", F_OK, 0) < 0) {
		env_reason("there is no store in %s (quintetctl init makes one)", dir);
		return -ENOENT;
	}
	rc = check_place(dir, dir_fd, &guard_fd);
	if (rc == 0)
		rc = open_patiently(dir, mode != STORE_READ, &env);
	if (rc == 0 && mode == STORE_CREATE)
		rc = set_modes(dir, dir_fd, false);
	if (rc < 0)
		return rc;
	(void)kv_reader_check(env);
	*ret = take_ptr(&env);
	*ret_guard_fd = take_fd(&guard_fd);
	return 0;
}

/* -- schema ------------------------------------------------------------------------------------ */

int schema_read(struct store_txn *txn, uint32_t *ret)
{
	struct key key = key_meta("schema");
	struct span value;
	struct rec r;
	uint32_t schema;
	int rc = kv_get(txn, key_span(&key), &value);

	if (rc < 0)
		return rc;
	r = rec_of(value);
	schema = rec_u32(&r);
	if (rec_end(&r) < 0)
		return -EBADMSG;
	*ret = schema;
	return 0;
}

int schema_write(struct store_txn *txn, uint32_t schema)
{
	struct key key = key_meta("schema");
	const unsigned char value[4] = {(unsigned char)(schema >> 24),
		(unsigned char)(schema >> 16), (unsigned char)(schema >> 8), (unsigned char)schema};

	return kv_put(txn, key_span(&key), span_of(value, sizeof(value)));
}

int schema_check(struct store_txn *txn)
{
	uint32_t schema = 0;
	int rc = schema_read(txn, &schema);

	if (rc == -ENOENT)
		return -ESTALE;
	if (rc < 0)
		return rc;
	return schema == STORE_SCHEMA ? 0 : -ESTALE;
}
