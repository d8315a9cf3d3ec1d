/*
 * Landlock by raw system calls: neither the C library nor Debian 12's kernel header knows all of
 * it, so what is newer than ABI 2 is spelled out here.
 */
#include "base/cleanup.h"
#include "net/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FS_REFER (1ULL << 13) /* ABI 2 */
#define FS_TRUNCATE (1ULL << 14) /* ABI 3 */
#define FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#define NET_BIND_TCP (1ULL << 0) /* ABI 4 */
#define NET_CONNECT_TCP (1ULL << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0) /* ABI 6 */
#define SCOPE_SIGNAL (1ULL << 1)

#define FS_ABI_1 ((1ULL << 13) - 1)

/* struct landlock_ruleset_attr as of ABI 6; an older kernel is given the part it knows. */
struct ruleset {
	uint64_t fs, net, scoped;
};

/* What can be granted on a file; the rest belongs to folders. */
#define FILE_ACCESS                                                   \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
		LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE)
#define READ_ACCESS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_ACCESS                                                                    \
	(READ_ACCESS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |  \
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |          \
		LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | FS_REFER | \
		FS_TRUNCATE)

static int probe_abi(void)
{
	long abi = syscall(
		SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? -errno : (int)abi;
}

static size_t fill_ruleset(int abi, unsigned tcp, struct ruleset *r)
{
	*r = (struct ruleset){.fs = FS_ABI_1};
	if (abi >= 2)
		r->fs |= FS_REFER;
	if (abi >= 3)
		r->fs |= FS_TRUNCATE;
	if (abi >= 5)
		r->fs |= FS_IOCTL_DEV;
	if (abi < 4)
		return sizeof(r->fs);
	if ((tcp & SANDBOX_TCP_BIND) == 0)
		r->net |= NET_BIND_TCP;
	if ((tcp & SANDBOX_TCP_CONNECT) == 0)
		r->net |= NET_CONNECT_TCP;
	if (abi < 6)
		return sizeof(r->fs) + sizeof(r->net);
	r->scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	return sizeof(*r);
}

static uint64_t access_of(unsigned access)
{
	uint64_t bits = 0;

	if (access & SANDBOX_READ)
		bits |= READ_ACCESS;
	if (access & SANDBOX_WRITE)
		bits |= WRITE_ACCESS;
	if (access & SANDBOX_EXECUTE)
		bits |= LANDLOCK_ACCESS_FS_EXECUTE;
	return bits;
}

static int add_path(int ruleset_fd, const struct sandbox_path *path, uint64_t handled)
{
	struct landlock_path_beneath_attr rule = {0};
	struct stat st;
	_cleanup_(cleanup_close) int fd = open(path->path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	rule.parent_fd = fd;
	rule.allowed_access = access_of(path->access) & handled;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FILE_ACCESS;
	if (rule.allowed_access == 0)
		return 0;
	if (syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return -errno;
	return 0;
}

static int restrict_self(int ruleset_fd)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return syscall(SYS_landlock_restrict_self, ruleset_fd, 0) < 0 ? -errno : 0;
}

int sandbox_paths(const struct sandbox_path *paths, size_t count, unsigned tcp)
{
	struct ruleset r;
	size_t size;
	int abi = probe_abi();

	if (abi == -ENOSYS || abi == -EOPNOTSUPP)
		return 1;
	if (abi < 0)
		return abi;
	size = fill_ruleset(abi, tcp, &r);

	_cleanup_(cleanup_close) int fd = (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < count; i++) {
		int e = add_path(fd, &paths[i], r.fs);

		if (e < 0)
			return e;
	}
	return restrict_self(fd);
}
