/* The client's bytes: into the temporary, which the first of them make, and through the digest. */
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/hash.h"
#include "services/ftpd/upload_i.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

enum { RANDOM = 16 };

#define WRITE_BACK (UINT64_C(16) << 20)

static int choose_temp(char ret[FILE_TEMP_SIZE])
{
	unsigned char random[RANDOM];
	int at = snprintf(ret, FILE_TEMP_SIZE, "%s", FILE_TEMP_PREFIX);
	int r = hash_random(random, sizeof(random));

	for (size_t i = 0; i < sizeof(random); i++)
		at += snprintf(ret + at, FILE_TEMP_SIZE - (size_t)at, "%02x", random[i]);
	return r;
}

int upload_make_temp(struct upload *u)
{
	_cleanup_(cleanup_close) int fd = -1;
	int r = choose_temp(u->temp);

	if (r < 0)
		return r;
	fd = openat(u->folder_fd, u->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		TREE_FILE_MODE);
	/* The folder was removed. */
	if (fd < 0)
		return errno == ENOENT ? -EIDRM : -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	u->fd = take_fd(&fd);
	return 0;
}

static int place(struct upload *u)
{
	int r = u->fd < 0 ? upload_make_temp(u) : 0;

	if (r == 0 && u->partial)
		r = partial_cut(u);
	if (r == 0 && u->kept > 0 && lseek(u->fd, (off_t)u->kept, SEEK_SET) < 0)
		r = -errno;
	return r;
}

int upload_place(struct upload *u)
{
	int r;

	if (u->placed)
		return 0;
	r = place(u);
	if (r < 0)
		return r;
	u->placed = true;
	u->written_back = u->kept;
	return 0;
}

/* The disk begins while bytes still come, so that the flush at the end is short. */
static void start_write_back(struct upload *u)
{
	if (u->size - u->written_back < WRITE_BACK)
		return;
	(void)sync_file_range(u->fd, (off_t)u->written_back, (off_t)(u->size - u->written_back),
		SYNC_FILE_RANGE_WRITE);
	u->written_back = u->size;
}

static int write_bytes(struct upload *u, struct span bytes)
{
	int r = room_grow(&u->room, u->size + bytes.len);

	if (r == 0)
		r = upload_place(u);
	if (r == 0)
		r = file_write_all(u->fd, bytes);
	if (r == 0)
		r = hash_update(u->hash, bytes);
	if (r < 0)
		return r == -EDQUOT && u->room.quota == 0 ? -ENOSPC : r;
	u->size += bytes.len;
	start_write_back(u);
	return 0;
}

int upload_write(struct upload *u, struct span bytes)
{
	if (u->error == 0 && bytes.len > 0) {
		u->error = write_bytes(u, bytes);
		fault_at(FAULT_FILE_WRITTEN);
	}
	return u->error;
}
