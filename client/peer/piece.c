/*
 * The file that is being received. Everything is done by one component below an open folder, links
 * are not followed and nothing is overwritten, so whatever name the other side gives, no file but a
 * new one in that folder is ever written.
 */
#include "client/peer/peer_i.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "client/ftp/ui.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { NUMBERS = 1000, SLICE = 262144, PROGRESS_MS = 5000 };

void piece_name(struct span name, char ret[WIRE_NAME_MAX + 1])
{
	if (span_copy_str(name, ret, WIRE_NAME_MAX + 1) < 0)
		snprintf(ret, WIRE_NAME_MAX + 1, "file");
	/* Not hidden, and not an option of any program. */
	if (*ret == '.' || *ret == '-')
		*ret = '_';
}

static int beside(const char *name, const char *account, char ret[WIRE_NAME_MAX + 1])
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(WIRE_NAME_MAX);
	unsigned char digest[HASH_SHA256_LEN];
	int r = 0;

	buf_addf(&text, ".%s.%s.quintet-part", name, account);
	if (buf_error(&text) == -ENOBUFS) {
		r = hash_sha256(span_str(name), digest);
		buf_reset(&text);
		buf_add_byte(&text, '.');
		text_hex(&text, span_of(digest, sizeof digest));
		buf_addf(&text, ".%s.quintet-part", account);
	}
	return r < 0 ? r : span_copy_str(buf_span(&text), ret, WIRE_NAME_MAX + 1);
}

int piece_open(
	int dir_fd, struct span name, const char *account, struct piece *ret, uint64_t *ret_have)
{
	struct piece p = {.dir_fd = dir_fd, .fd = -1};
	_cleanup_(cleanup_close) int fd = -1;
	struct stat st, there;
	int r;

	piece_name(name, p.name);
	r = beside(p.name, account, p.part);
	if (r < 0)
		return r;
	fd = openat(dir_fd, p.part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
	if (fd < 0)
		return errno == ELOOP ? -EEXIST : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EEXIST;
	/* Whoever had the lock before may have put the part into its place meanwhile. */
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 ||
		fstatat(dir_fd, p.part, &there, AT_SYMLINK_NOFOLLOW) < 0 ||
		st.st_ino != there.st_ino)
		return -EBUSY;
	p.fd = take_fd(&fd);
	*ret_have = (uint64_t)st.st_size;
	*ret = p;
	return 0;
}

int piece_reset(struct piece *p)
{
	return ftruncate(p->fd, 0) < 0 || lseek(p->fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

void piece_close(struct piece *p, bool drop)
{
	struct stat st;

	if (p->fd >= 0 && (drop || (fstat(p->fd, &st) == 0 && st.st_size == 0)))
		(void)unlinkat(p->dir_fd, p->part, 0);
	cleanup_close(&p->fd);
}

static int place(const struct piece *p, const char *name)
{
	if (renameat2(p->dir_fd, p->part, p->dir_fd, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* File systems that cannot: a link fails if the name is taken. */
	if (linkat(p->dir_fd, p->part, p->dir_fd, name, 0) < 0)
		return -errno;
	return unlinkat(p->dir_fd, p->part, 0) < 0 ? -errno : 0;
}

/* "NAME.7"; of a name that is too long the end goes. */
static void numbered(const char *name, unsigned number, char ret[WIRE_NAME_MAX + 16])
{
	size_t room = WIRE_NAME_MAX - 4, len = strlen(name);

	if (len > room)
		for (len = room; len > 0 && ((unsigned char)name[len] & 0xc0U) == 0x80U;)
			len--;
	snprintf(ret, WIRE_NAME_MAX + 16, "%.*s.%u", (int)len, name, number);
}

int piece_store(struct piece *p, char ret_name[WIRE_NAME_MAX + 16])
{
	int r = fsync(p->fd) < 0 ? -errno : 0;

	if (r < 0)
		return r;
	snprintf(ret_name, WIRE_NAME_MAX + 16, "%s", p->name);
	r = place(p, ret_name);
	for (unsigned i = 1; r == -EEXIST && i < NUMBERS; i++) {
		numbered(p->name, i, ret_name);
		r = place(p, ret_name);
	}
	if (r < 0)
		return r;
	cleanup_close(&p->fd);
	return fsync(p->dir_fd) < 0 && errno != EINVAL ? -errno : 0;
}

int piece_hash(int fd, uint64_t *at, uint64_t to, struct hash *a, struct hash *b)
{
	static unsigned char bytes[SLICE];
	size_t want = to - *at < sizeof bytes ? (size_t)(to - *at) : sizeof bytes;
	ssize_t n = pread(fd, bytes, want, (off_t)*at);
	int r = 0;

	if (n <= 0)
		return n < 0 ? -errno : -ENODATA;
	if (a != NULL)
		r = hash_update(a, span_of(bytes, (size_t)n));
	if (r == 0 && b != NULL)
		r = hash_update(b, span_of(bytes, (size_t)n));
	*at += (uint64_t)n;
	return r;
}

bool progress_due(struct progress *p, uint64_t at, uint64_t size, struct buf *ret)
{
	int64_t now_ms = time_monotonic_ms(), took_ms = now_ms - p->at_ms;
	uint64_t moved = at - p->at;

	if (p->at_ms == 0 || took_ms < PROGRESS_MS) {
		if (p->at_ms == 0)
			*p = (struct progress){.at_ms = now_ms, .at = at};
		return false;
	}
	*p = (struct progress){.at_ms = now_ms, .at = at};
	buf_addf(ret, "%u %% of ", (unsigned)((double)at * 100 / (double)size));
	progress_bytes(ret, size);
	buf_add_str(ret, ", ");
	progress_bytes(ret, moved > UINT64_MAX / 1000 ? 0 : moved * 1000 / (uint64_t)took_ms);
	buf_add_str(ret, "/s");
	return true;
}
