/* The room of the sandbox tests, and attempts on files. */
#include "base/cleanup.h"
#include "tests/unit/lib/walls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/landlock.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

static int make_file(const char *path, mode_t mode)
{
	_cleanup_(cleanup_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	return fd >= 0 && write(fd, "content\n", 8) == 8 ? 0 : -1;
}

int walls_make_room(char *template)
{
	static const char *const folders[] = {"read", "write", "write/deep", "run"};
	int r = 0;

	if (mkdtemp(template) == NULL)
		return -1;

	_cleanup_(cleanup_close) int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (here < 0 || chdir(template) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		r |= mkdir(folders[i], 0700);
	r |= make_file("read/file", 0700);
	r |= make_file("run/file", 0700);
	r |= make_file("one-file", 0600);
	return fchdir(here) < 0 ? -1 : r;
}

static void remove_below(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir;

	if (fd < 0) {
		unlinkat(dir_fd, name, 0);
		return;
	}
	dir = fdopendir(fd);
	for (struct dirent *e = dir ? readdir(dir) : NULL; e != NULL; e = readdir(dir))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			remove_below(fd, e->d_name);
	closedir(dir);
	unlinkat(dir_fd, name, AT_REMOVEDIR);
}

int walls_remove_room(const char *room)
{
	remove_below(AT_FDCWD, room);
	return access(room, F_OK) < 0 ? 0 : -1;
}

int walls_landlock_abi(void)
{
	long abi = syscall(
		SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

static int try_open(const char *path, int flags)
{
	_cleanup_(cleanup_close) int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd < 0 ? errno : 0;
}

int attempt_read_passwd(void)
{
	return try_open("/etc/passwd", O_RDONLY);
}

int attempt_list_root(void)
{
	return try_open("/", O_RDONLY | O_DIRECTORY);
}

int attempt_read_inside(void)
{
	return try_open("read/file", O_RDONLY);
}

int attempt_list_inside(void)
{
	return try_open("read", O_RDONLY | O_DIRECTORY);
}

int attempt_write_read_only(void)
{
	return try_open("read/file", O_WRONLY);
}

int attempt_create_read_only(void)
{
	return try_open("read/new", O_WRONLY | O_CREAT);
}

int attempt_truncate_read_only(void)
{
	return truncate("read/file", 0) < 0 ? errno : 0;
}

int attempt_write_inside(void)
{
	int r = try_open("write/new", O_RDWR | O_CREAT | O_TRUNC);

	if (r != 0)
		return r;
	if (rename("write/new", "write/deep/newer") < 0 && errno != EXDEV) /* EXDEV: ABI 1 */
		return errno;
	unlink("write/new");
	unlink("write/deep/newer");
	if (mkdir("write/folder", 0700) < 0 || rmdir("write/folder") < 0)
		return errno;
	return 0;
}

int attempt_device_inside(void)
{
	return mknod("write/null", S_IFCHR | 0600, makedev(1, 3)) < 0 ? errno : 0;
}

int attempt_symlink_inside(void)
{
	return symlink("/etc/passwd", "write/link") < 0 ? errno : 0;
}

int attempt_write_one_file(void)
{
	return try_open("one-file", O_RDWR | O_TRUNC);
}

int attempt_dotdot(void)
{
	return try_open("write/../../../etc/passwd", O_RDONLY);
}

static int try_exec(const char *path)
{
	char *const argv[] = {strdup(path), NULL};
	char *const environment[] = {NULL};

	execve(path, argv, environment);
	return errno;
}

int attempt_exec_true(void)
{
	return try_exec("/bin/true");
}

int attempt_exec_readable(void)
{
	return try_exec("read/file");
}

int attempt_exec_allowed(void)
{
	return try_exec("run/file");
}

int attempt_setuid_bit(void)
{
	return chmod("one-file", 04700) < 0 ? errno : 0;
}

/* What LMDB, the guard file and the blobs do with an open file. */
static int use_file(int fd)
{
	char bytes[] = "bytes";
	struct iovec iov = {bytes, 5};
	struct stat st;
	struct statfs fs;
	struct statx stx;
	void *map;
	int r = 0;

	r |= pwrite(fd, "12345", 5, 0) != 5;
	r |= pwritev(fd, &iov, 1, 5) != 5;
	r |= pread(fd, bytes, 5, 0) != 5;
	r |= ftruncate(fd, 65536) | fdatasync(fd) | fsync(fd) | fchmod(fd, 0660);
	r |= fstat(fd, &st) | fstatfs(fd, &fs) | statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &stx);
	map = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return errno;
	r |= msync(map, 65536, MS_SYNC) | madvise(map, 65536, MADV_RANDOM) | munmap(map, 65536);
	return r == 0 ? 0 : errno;
}

int attempt_store_calls(void)
{
	_cleanup_(cleanup_close) int fd =
		open("write/data.mdb", O_RDWR | O_CREAT | O_CLOEXEC | O_TRUNC, 0660);
	char link[64];
	int r;

	if (fd < 0)
		return errno;
	r = use_file(fd);
	if (r != 0)
		return r;
	if (readlink("/proc/self/ns/pid", link, sizeof(link)) < 0)
		return errno;
	umask(0007);
	return unlink("write/data.mdb") < 0 ? errno : 0;
}

/* A clone, where the file system can; that it cannot is no wall. */
static int clone_file(int to_fd, int from_fd)
{
	if (ioctl(to_fd, FICLONE, from_fd) == 0)
		return 0;
	return errno == EPERM || errno == EACCES ? errno : 0;
}

int attempt_file_calls(void)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
	_cleanup_(cleanup_close) int fd =
		open("write/.part", O_RDWR | O_CREAT | O_CLOEXEC | O_TRUNC, 0660);
	_cleanup_(cleanup_close) int from_fd = open("read/file", O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0 || from_fd < 0)
		return errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || copy_file_range(from_fd, NULL, fd, NULL, 4, 0) != 4)
		return errno;
	r = clone_file(fd, from_fd);
	if (r != 0)
		return r;
	if (posix_fallocate(fd, 0, 4096) != 0 || ftruncate(fd, 0) < 0 || fsync(fd) < 0)
		return errno;
	if (futimens(fd, times) < 0 ||
		renameat2(AT_FDCWD, "write/.part", AT_FDCWD, "write/part", RENAME_NOREPLACE) < 0)
		return errno;
	return unlink("write/part") < 0 ? errno : 0;
}

int attempt_blob_calls(void)
{
	if (mkdir("write/ab", 0770) < 0)
		return errno;
	if (try_open("write/temporary", O_RDWR | O_CREAT) != 0)
		return errno;
	if (rename("write/temporary", "write/ab/blob") < 0 || unlink("write/ab/blob") < 0)
		return errno;
	return rmdir("write/ab") < 0 ? errno : 0;
}
