/*
 * The guard file: "pid:[N]" of the namespace whose processes have the environment open. Open file
 * description locks, not POSIX ones: those would be lost by any close() of the same file in the
 * process. Whoever finds the right content under a shared lock goes on; rewriting needs the
 * exclusive lock, so it can only happen while nobody has the environment open.
 */
#include "store/guard.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum {
	TRIES = 40,
	PAUSE_MIN_NS = 1000000,
	PAUSE_SPREAD_NS = 30000000,
	NAMESPACE_SIZE = 64,
};

/* Not all of them are in linux/magic.h. */
static const struct {
	uint64_t magic;
	const char *kind;
} refused[] = {
	{OVERLAYFS_SUPER_MAGIC, "overlayfs (a container's own layer)"},
	{NFS_SUPER_MAGIC, "NFS"},
	{SMB_SUPER_MAGIC, "SMB"},
	{0xff534d42, "CIFS"},
	{0xfe534d42, "SMB2"},
	{AFS_SUPER_MAGIC, "AFS"},
	{0x00c36400, "Ceph"},
	{0x01021997, "9P"},
	{0x65735546, "FUSE"},
	{0x0bd00bd0, "Lustre"},
	{0x47504653, "GPFS"},
	{0x01161970, "GFS2"},
	{0x7461636f, "OCFS2"},
	{0x786f4256, "vboxsf"},
	{CODA_SUPER_MAGIC, "Coda"},
};

int guard_file_system(int dir_fd, const char **ret_kind)
{
	struct statfs fs;

	if (fstatfs(dir_fd, &fs) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if ((uint32_t)fs.f_type != refused[i].magic)
			continue;
		*ret_kind = refused[i].kind;
		return -EMEDIUMTYPE;
	}
	return 0;
}

static int lock(int fd, short type)
{
	struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

	if (fcntl(fd, F_OFD_SETLK, &fl) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

static bool names_us(int fd, const char *namespace, size_t len)
{
	char text[NAMESPACE_SIZE];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	return n == (ssize_t)len && memcmp(text, namespace, len) == 0;
}

static int rewrite(int fd, const char *namespace, size_t len)
{
	if (ftruncate(fd, 0) < 0)
		return -errno;
	if (pwrite(fd, namespace, len, 0) != (ssize_t)len)
		return -EIO;
	return 0;
}

static void pause_a_little(void)
{
	uint32_t random = 0;
	struct timespec ts = {0};

	(void)hash_random(&random, sizeof(random));
	ts.tv_nsec = PAUSE_MIN_NS + (long)(random % PAUSE_SPREAD_NS);
	(void)nanosleep(&ts, NULL);
}

/* One try: 0 with the shared lock held, -EXDEV held by others of another namespace, -EAGAIN. */
static int try_take(int fd, const char *namespace, size_t len)
{
	int rc = lock(fd, F_RDLCK);

	if (rc < 0)
		return rc;
	if (names_us(fd, namespace, len))
		return 0;
	(void)lock(fd, F_UNLCK);
	rc = lock(fd, F_WRLCK);
	if (rc < 0)
		return rc == -EAGAIN ? -EXDEV : rc;
	rc = rewrite(fd, namespace, len);
	if (rc == 0)
		rc = lock(fd, F_RDLCK);
	if (rc < 0)
		(void)lock(fd, F_UNLCK);
	return rc;
}

int guard_take(int dir_fd, int *ret_fd)
{
	_cleanup_(cleanup_close) int fd = -1;
	char namespace[NAMESPACE_SIZE];
	ssize_t len = readlink("/proc/self/ns/pid", namespace, sizeof(namespace));
	int rc = -EAGAIN;

	if (len <= 0 || len == (ssize_t)sizeof(namespace))
		return -ENOSYS;
	fd = openat(dir_fd, "guard", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (fd < 0)
		return -errno;
	/* Several tries: another opener may be rewriting, or the last one of a world that has just
	 * been killed may not be gone yet. */
	for (int i = 0; i < TRIES && (rc == -EAGAIN || rc == -EXDEV); i++) {
		if (i > 0)
			pause_a_little();
		rc = try_take(fd, namespace, (size_t)len);
	}
	if (rc < 0)
		return rc;
	*ret_fd = take_fd(&fd);
	return 0;
}
