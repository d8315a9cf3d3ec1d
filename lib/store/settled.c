/* The file "settled": eight bytes, mapped. */
#include "store/settled.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A hole would be filled at the first touch, and where the disk is full then, that is deadly. */
static int make_room(int fd, bool writable)
{
	static const uint64_t none;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size >= (off_t)sizeof(none))
		return 0;
	if (!writable)
		return -ENODATA;
	return pwrite(fd, &none, sizeof(none), 0) == (ssize_t)sizeof(none) ? 0 : -ENOSPC;
}

/* Who may not write only looks: what he reads he flushes, unless somebody else has. */
static int open_file(const char *path, bool *ret_writable)
{
	bool writable = true;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	int rc;

	if (fd < 0 && (errno == EACCES || errno == EROFS)) {
		writable = false;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (fd < 0)
		return -errno;
	rc = make_room(fd, writable);
	if (rc < 0) {
		(void)close(fd);
		return rc;
	}
	*ret_writable = writable;
	return fd;
}

int settled_open(const char *dir, struct settled *ret)
{
	_cleanup_(cleanup_close) int fd = -1;
	char path[PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s/settled", dir);
	bool writable = false;
	void *p;

	if (len < 0 || len >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open_file(path, &writable);
	if (fd < 0)
		return fd;
	p = mmap(NULL, sizeof(*ret->newest), writable ? PROT_READ | PROT_WRITE : PROT_READ,
		MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret = (struct settled){.map = p, .newest = p, .writable = writable};
	return 0;
}

void settled_close(struct settled *s)
{
	if (s->map != NULL)
		(void)munmap(s->map, sizeof(*s->newest));
	*s = (struct settled){.map = NULL};
}

uint64_t settled_newest(const struct settled *s)
{
	return s->newest != NULL ? atomic_load(s->newest) : 0;
}

void settled_raise(struct settled *s, uint64_t id)
{
	uint64_t known = settled_newest(s);

	while (s->newest != NULL && s->writable && known < id)
		if (atomic_compare_exchange_weak(s->newest, &known, id))
			return;
}

void settled_reset(struct settled *s)
{
	if (s->newest != NULL && s->writable)
		atomic_store(s->newest, 0);
	else
		settled_close(s);
}
