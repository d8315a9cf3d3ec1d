/*
 * What an upload keeps of an older file, in slices: copied into the temporary (blocks are shared
 * where the file system can, else the kernel copies), then digested from there. Holes stay holes.
 */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "services/ftpd/upload_i.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

enum { CHUNK = 32768 };
#define COPY_SLICE (UINT64_C(8) << 20)
#define DIGEST_SLICE (UINT64_C(4) << 20)

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* -- copying -----------------------------------------------------------------------------------
 */

/* Where the kernel cannot copy by itself. */
static ssize_t copy_by_hand(struct upload *u, uint64_t at, uint64_t len)
{
	unsigned char chunk[CHUNK];
	ssize_t n = pread(u->source_fd, chunk, (size_t)least(len, sizeof(chunk)), (off_t)at);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -EIO; /* the file was cut meanwhile */
	n = pwrite(u->fd, chunk, (size_t)n, (off_t)at);
	return n < 0 && errno != EINTR ? -errno : n < 0 ? 0 : n;
}

static ssize_t copy_some(struct upload *u, uint64_t at, uint64_t len)
{
	off_t from = (off_t)at, to = (off_t)at;
	ssize_t n = copy_file_range(u->source_fd, &from, u->fd, &to, (size_t)len, 0);

	if (n > 0)
		return n;
	if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
		return errno == EDQUOT ? -ENOSPC : -errno;
	return copy_by_hand(u, at, len);
}

/* The next stretch that holds data, at or behind u->copied; at the end kept, 0. */
static int find_data(const struct upload *u, uint64_t *ret_at, uint64_t *ret_len)
{
	off_t data = lseek(u->source_fd, (off_t)u->copied, SEEK_DATA), hole;

	if (data < 0 && errno == ENXIO)
		data = (off_t)u->kept;
	else if (data < 0)
		data = (off_t)u->copied; /* no such knowledge here */
	*ret_at = least((uint64_t)data, u->kept);
	hole = lseek(u->source_fd, (off_t)*ret_at, SEEK_HOLE);
	if (hole < 0 || (uint64_t)hole > u->kept)
		hole = (off_t)u->kept;
	*ret_len = least((uint64_t)hole - *ret_at, COPY_SLICE);
	return 0;
}

static int copy_slice(struct upload *u)
{
	uint64_t at, len;
	int r = find_data(u, &at, &len);

	if (r == 0)
		r = room_grow(&u->room, at + len);
	while (r == 0 && len > 0) {
		ssize_t n = copy_some(u, at, len);

		if (n < 0)
			return (int)n;
		at += (uint64_t)n;
		len -= (uint64_t)n;
	}
	u->copied = at;
	return r;
}

/* -- digesting ---------------------------------------------------------------------------------
 */

/* At most want bytes at u->digested; those of a hole are not asked of the disk. */
static ssize_t read_kept(const struct upload *u, unsigned char *chunk, size_t want)
{
	off_t data = lseek(u->fd, (off_t)u->digested, SEEK_DATA);

	if (data < 0 && errno == ENXIO)
		data = (off_t)u->kept;
	if (data <= (off_t)u->digested)
		return pread(u->fd, chunk, want, (off_t)u->digested);
	want = (size_t)least((uint64_t)data - u->digested, want);
	memset(chunk, 0, want);
	return (ssize_t)want;
}

static int digest_slice(struct upload *u)
{
	const uint64_t end = u->digested + least(u->kept - u->digested, DIGEST_SLICE);
	unsigned char chunk[CHUNK];

	while (u->digested < end) {
		ssize_t n = read_kept(u, chunk, (size_t)least(end - u->digested, sizeof(chunk)));
		int r = n > 0 ? hash_update(u->hash, span_of(chunk, (size_t)n)) : -EIO;

		if (n < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return r;
		u->digested += (uint64_t)n;
	}
	return 0;
}

/* -- both --------------------------------------------------------------------------------------
 */

/* The whole file at once, if it can be shared. What is too much of it is cut off; where there is
 * nothing yet, it is one hole. */
static int begin_copy(struct upload *u)
{
	int r = upload_make_temp(u);

	if (r == 0 && ioctl(u->fd, FICLONE, u->source_fd) == 0)
		u->copied = u->kept;
	if (r == 0 && ftruncate(u->fd, (off_t)u->kept) < 0)
		r = -errno;
	return r;
}

static int prepare(struct upload *u)
{
	int r = u->fd < 0 && u->kept > 0 ? begin_copy(u) : 0;

	if (r == 0 && u->copied < u->kept) {
		r = copy_slice(u);
		return r == 0 ? 1 : r;
	}
	if (r == 0 && u->digested < u->kept) {
		r = digest_slice(u);
		return r == 0 && u->digested < u->kept ? 1 : r;
	}
	return r;
}

int upload_prepare(struct upload *u)
{
	int r = u->error;

	if (r == 0)
		r = prepare(u);
	if (r < 0)
		u->error = r;
	return r;
}
