/*
 * Parts of downloads. Everything is done by one component below an open folder, and links are not
 * followed, so nothing outside the target's folder is ever written.
 */
#include "client/ftp/work.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/num.h"
#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>

#define NOTE_HEAD "quintet-part 1"
#define NOTE_MAX 256

/* ".NAME.SUFFIX", or a digest in place of a name that would become too long. */
static int name_beside(const char *name, const char *suffix, char ret[FTP_NAME_MAX + 1])
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(FTP_NAME_MAX);
	unsigned char digest[HASH_SHA256_LEN];
	int r = 0;

	buf_addf(&text, ".%s.%s", name, suffix);
	if (buf_error(&text) == -ENOBUFS) {
		r = hash_sha256(span_str(name), digest);
		buf_reset(&text);
		buf_add_byte(&text, '.');
		text_hex(&text, span_of(digest, sizeof digest));
		buf_addf(&text, ".%s", suffix);
	}
	return r < 0 ? r : span_copy_str(buf_span(&text), ret, FTP_NAME_MAX + 1);
}

/* The folder is opened, the last component is the name. */
static int names_set(const struct ftp_task *t, struct ftp_work *w)
{
	char folder[PATH_MAX] = ".";
	const char *slash = strrchr(t->local, '/');
	const char *name = slash != NULL ? slash + 1 : t->local;
	int r = 0;

	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EISDIR;
	if (strlen(name) > FTP_NAME_MAX)
		return -ENAMETOOLONG;
	snprintf(w->name, sizeof w->name, "%s", name);
	/* With its slash: that of "/name" is the whole folder. */
	if (slash != NULL)
		r = span_copy_str(
			span_of(t->local, (size_t)(name - t->local)), folder, sizeof folder);
	if (r < 0)
		return -ENAMETOOLONG;
	w->dir_fd = openat(t->local_dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->dir_fd < 0)
		return -errno;
	r = name_beside(w->name, "quintet-part", w->part);
	return r == 0 ? name_beside(w->name, "quintet-from", w->note) : r;
}

static int target_check(const struct ftp_task *t, const struct ftp_work *w)
{
	struct stat st;

	if (fstatat(w->dir_fd, w->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (t->no_overwrite)
		return -EEXIST;
	if (S_ISLNK(st.st_mode) && fstatat(w->dir_fd, w->name, &st, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

/* Whoever had the lock before may have put the part into its place meanwhile. */
static int part_is_there(const struct ftp_work *w, int fd)
{
	struct stat here, there;

	if (fstat(fd, &here) < 0)
		return -errno;
	if (!S_ISREG(here.st_mode))
		return -EINVAL;
	if (fstatat(w->dir_fd, w->part, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

static int part_lock(struct ftp_work *w)
{
	for (;;) {
		_cleanup_(cleanup_close) int fd = openat(w->dir_fd, w->part,
			O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
		int r;

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
			return -EBUSY;
		r = part_is_there(w, fd);
		if (r < 0)
			return r;
		if (r == 1) {
			w->fd = take_fd(&fd);
			return 0;
		}
	}
}

int part_open(struct ftp_task *t)
{
	struct ftp_work *w = t->work;
	int r;

	if (w->fd >= 0)
		return 0;
	r = names_set(t, w);
	if (r == 0)
		r = target_check(t, w);
	return r == 0 ? part_lock(w) : r;
}

static bool is_same(const struct ftp_entry *a, const struct ftp_entry *b)
{
	if (a->size != b->size || a->modify_us != b->modify_us)
		return false;
	/* A server may come to know a digest later. */
	return !a->has_digest || !b->has_digest ||
		memcmp(a->digest, b->digest, sizeof a->digest) == 0;
}

static bool note_parse(struct span text, struct ftp_entry *ret)
{
	_cleanup_(buf_done) struct buf digest = BUF_INIT(sizeof ret->digest);
	struct span head, size, time, hex;
	uint64_t n;
	int64_t us;

	if (!span_split(&text, '\n', &head) || !span_eq_str(head, NOTE_HEAD) ||
		!span_split(&text, ' ', &size) || !span_split(&text, ' ', &time) ||
		!span_split(&text, '\n', &hex))
		return false;
	if (num_parse_u64(size, 0, INT64_MAX, &n) < 0 ||
		num_parse_i64(time, INT64_MIN, INT64_MAX, &us) < 0)
		return false;
	*ret = (struct ftp_entry){.size = n, .modify_us = us};
	ret->has_digest = text_unhex(&digest, hex) == 0 && digest.len == sizeof ret->digest;
	if (ret->has_digest)
		memcpy(ret->digest, digest.p, sizeof ret->digest);
	return ret->has_digest || span_eq_str(hex, "-");
}

/* What another run wrote. */
static bool note_read(const struct ftp_work *w, struct ftp_entry *ret)
{
	_cleanup_(cleanup_close) int fd =
		openat(w->dir_fd, w->note, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char text[NOTE_MAX];
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;

	return n > 0 && note_parse(span_of(text, (size_t)n), ret);
}

/* Not flushed: one that is damaged is as good as none. */
static void note_write(struct ftp_work *w)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(NOTE_MAX);
	_cleanup_(cleanup_close) int fd = openat(
		w->dir_fd, w->note, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return;
	buf_addf(&text, NOTE_HEAD "\n%llu %lld ", (unsigned long long)w->remote.size,
		(long long)w->remote.modify_us);
	if (w->remote.has_digest)
		text_hex(&text, span_of(w->remote.digest, sizeof w->remote.digest));
	else
		buf_add_byte(&text, '-');
	buf_add_byte(&text, '\n');
	w->noted = file_write_all(fd, buf_span(&text)) == 0;
}

/* Has the part bytes of this very remote file? */
static bool is_part_of(struct ftp_task *t, const struct ftp_entry *remote)
{
	struct ftp_work *w = t->work;
	struct ftp_entry noted;

	if (w->known)
		return is_same(&w->remote, remote);
	w->inherited = !t->fresh && note_read(w, &noted) && is_same(&noted, remote);
	return w->inherited;
}

int part_fit(struct ftp_task *t, const struct ftp_entry *remote, uint64_t *ret_at)
{
	struct ftp_work *w = t->work;
	struct stat st;
	bool fits;

	if (fstat(w->fd, &st) < 0)
		return -errno;
	fits = is_part_of(t, remote) && (uint64_t)st.st_size <= remote->size;
	if (!fits) {
		if (ftruncate(w->fd, 0) < 0)
			return -errno;
		st.st_size = 0;
		w->inherited = w->noted = false;
	}
	w->remote = *remote;
	w->known = true;
	if (!w->noted && remote->size >= WORK_SMALL)
		note_write(w);
	if (lseek(w->fd, st.st_size, SEEK_SET) < 0)
		return -errno;
	*ret_at = (uint64_t)st.st_size;
	return 0;
}

void part_drop(struct ftp_work *w)
{
	if (w->dir_fd < 0 || w->fd < 0)
		return;
	(void)unlinkat(w->dir_fd, w->part, 0);
	(void)unlinkat(w->dir_fd, w->note, 0);
	cleanup_close(&w->fd);
	cleanup_close(&w->dir_fd);
}

void part_keep(struct ftp_task *t)
{
	struct ftp_work *w = t->work;
	struct stat st;

	if (w->fd < 0)
		return;
	if (!w->known || fstat(w->fd, &st) < 0 || st.st_size == 0)
		part_drop(w);
	else if (!w->noted)
		note_write(w);
}

/* The mode of the file that is replaced stays. */
static void mode_keep(const struct ftp_work *w)
{
	struct stat st;

	if (fstatat(w->dir_fd, w->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
		(void)fchmod(w->fd, st.st_mode & 0777);
}

static int place(const struct ftp_task *t, const struct ftp_work *w)
{
	if (!t->no_overwrite)
		return renameat(w->dir_fd, w->part, w->dir_fd, w->name) < 0 ? -errno : 0;
	if (renameat2(w->dir_fd, w->part, w->dir_fd, w->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* File systems that cannot: a link fails if the name is taken. */
	if (linkat(w->dir_fd, w->part, w->dir_fd, w->name, 0) < 0)
		return -errno;
	return unlinkat(w->dir_fd, w->part, 0) < 0 ? -errno : 0;
}

static int time_keep(const struct ftp_work *w)
{
	int64_t us = w->remote.modify_us;
	int64_t s = us / TIME_S_US, rest = us % TIME_S_US;
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)s}};

	if (rest < 0) {
		times[1].tv_sec--;
		rest += TIME_S_US;
	}
	times[1].tv_nsec = (long)rest * 1000;
	return futimens(w->fd, times) < 0 ? -errno : 0;
}

int part_publish(struct ftp_task *t)
{
	struct ftp_work *w = t->work;
	int r = 0;

	mode_keep(w);
	if (t->keep_time && w->remote.modify_us != 0)
		r = time_keep(w);
	if (r == 0 && fsync(w->fd) < 0)
		r = -errno;
	if (r == 0)
		r = place(t, w);
	if (r < 0)
		return r;
	(void)unlinkat(w->dir_fd, w->note, 0);
	r = fsync(w->dir_fd) < 0 && errno != EINVAL ? -errno : 0;
	cleanup_close(&w->fd);
	cleanup_close(&w->dir_fd);
	return r;
}
