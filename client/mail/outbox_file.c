/* The files of the outbox: one for each letter, whole or not at all. See outbox_i.h. */
#include "client/mail/outbox_i.h"

#include "base/hash.h"
#include "base/rec.h"
#include "client/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define MAGIC "quintet letter 2"
#define WHY ".why"

enum { NAMES_MAX = 4 << 20, WHY_MAX = 1000 };

const char *const outbox_ends[] = {
	[OUTBOX_WAITING] = ".wait", [OUTBOX_SENT] = ".sent", [OUTBOX_REFUSED] = ".refused"};

int outbox_open(const struct profile *p, int *ret_fd)
{
	int fd;

	if (mkdirat(p->dir_fd, "outbox", 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(p->dir_fd, "outbox", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* -- a letter ---------------------------------------------------------------------------------- */

void outbox_file_done(struct outbox_file *f)
{
	buf_done(&f->bytes);
	free(f->to);
	*f = (struct outbox_file){.to = NULL};
}

static void file_name(const char *name, enum outbox_state state, char ret[OUTBOX_NAME_SIZE + 16])
{
	snprintf(ret, OUTBOX_NAME_SIZE + 16, "%s%s", name, outbox_ends[state]);
}

/* Lines end in CR LF, and there is a last one. */
static void put_canonical(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '\r' && i + 1 < s.len && s.p[i + 1] == '\n')
			continue;
		if (s.p[i] == '\n' || s.p[i] == '\r')
			buf_add_str(b, "\r\n");
		else
			buf_add_byte(b, s.p[i]);
	}
	if (s.len > 0 && s.p[s.len - 1] != '\n' && s.p[s.len - 1] != '\r')
		buf_add_str(b, "\r\n");
}

static int put_message(struct buf *b, struct span message)
{
	_cleanup_(buf_done) struct buf canonical = BUF_INIT(MAIL_MESSAGE_MAX);

	put_canonical(&canonical, message);
	if (buf_error(&canonical) < 0)
		return buf_error(&canonical) == -ENOBUFS ? -EFBIG : -ENOMEM;
	rec_put_bytes(b, buf_span(&canonical));
	return 0;
}

int outbox_write(int dir_fd, const char *name, const struct outbox_letter *l)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(OUTBOX_FILE_MAX);
	unsigned char digest[HASH_SHA256_LEN];
	char file[OUTBOX_NAME_SIZE + 16];
	int r;

	rec_put_str(&b, MAGIC);
	rec_put_str(&b, l->from);
	buf_add_byte(&b, l->keep ? 1 : 0);
	buf_add_byte(&b, (unsigned char)l->how);
	buf_add_u32(&b, (uint32_t)l->to_count);
	for (size_t i = 0; i < l->to_count; i++)
		rec_put_bytes(&b, l->to[i]);
	r = put_message(&b, l->message);
	if (r == 0)
		r = put_message(&b, l->copy);
	if (r == 0)
		r = buf_error(&b) < 0 ? buf_error(&b) : hash_sha256(buf_span(&b), digest);
	if (r < 0)
		return r;
	buf_add(&b, span_of(digest, sizeof digest));
	file_name(name, OUTBOX_WAITING, file);
	return buf_error(&b) < 0 ? buf_error(&b) : files_write(dir_fd, file, buf_span(&b));
}

static int parse(struct outbox_file *f)
{
	unsigned char digest[HASH_SHA256_LEN];
	struct span all = buf_span(&f->bytes);
	struct rec r;
	uint32_t count;
	unsigned how;

	if (all.len < sizeof digest)
		return -EBADMSG;
	all.len -= sizeof digest;
	if (hash_sha256(all, digest) < 0 || memcmp(digest, all.p + all.len, sizeof digest) != 0)
		return -EBADMSG;
	r = rec_of(all);
	if (!span_eq_str(rec_bytes(&r, 64), MAGIC))
		return -EBADMSG;
	rec_str(&r, f->from, sizeof f->from);
	f->keep = rec_u8(&r) != 0;
	how = rec_u8(&r);
	f->how = (enum smime_how)how;
	count = rec_u32(&r);
	if (count > OUTBOX_TO_MAX || how > SMIME_ENCRYPT)
		return -EBADMSG;
	f->to = calloc(count > 0 ? count : 1, sizeof *f->to);
	if (f->to == NULL)
		return -ENOMEM;
	for (; f->to_count < count; f->to_count++)
		f->to[f->to_count] = rec_bytes(&r, MIME_ADDRESS_MAX);
	f->message = rec_bytes(&r, MAIL_MESSAGE_MAX);
	f->copy = rec_bytes(&r, MAIL_MESSAGE_MAX);
	if (f->copy.len == 0)
		f->copy = f->message;
	return rec_end(&r);
}

int outbox_read(int dir_fd, const char *name, enum outbox_state state, struct outbox_file *ret)
{
	struct outbox_file f = {.bytes = BUF_INIT(OUTBOX_FILE_MAX)};
	char file[OUTBOX_NAME_SIZE + 16];
	int r;

	file_name(name, state, file);
	r = files_read(dir_fd, file, &f.bytes);
	if (r == 0)
		r = f.bytes.len == 0 ? -ENOENT : parse(&f);
	if (r < 0) {
		outbox_file_done(&f);
		return r;
	}
	*ret = f;
	return 0;
}

/* -- names and states -------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Is it the file of a letter in that state? Its name in *ret. */
static bool is_letter(const char *file, enum outbox_state state, char ret[OUTBOX_NAME_SIZE])
{
	size_t len = strlen(file), end = strlen(outbox_ends[state]);

	return len > end && file[0] >= '0' && file[0] <= '9' &&
		strcmp(file + len - end, outbox_ends[state]) == 0 &&
		span_copy_str(span_of(file, len - end), ret, OUTBOX_NAME_SIZE) == 0;
}

int outbox_names(int dir_fd, enum outbox_state state, struct buf *ret, size_t *ret_count)
{
	_cleanup_(buf_done) struct buf list = BUF_INIT(NAMES_MAX);
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;
	size_t count;

	if (dir == NULL) {
		cleanup_close(&fd);
		return -errno;
	}
	while ((e = readdir(dir)) != NULL) {
		char name[OUTBOX_NAME_SIZE] = "";

		if (is_letter(e->d_name, state, name))
			buf_add(&list, span_of(name, sizeof name));
	}
	closedir(dir);
	if (buf_error(&list) < 0)
		return buf_error(&list);
	count = list.len / OUTBOX_NAME_SIZE;
	if (count > 0)
		qsort(list.p, count, OUTBOX_NAME_SIZE, by_name);
	for (size_t i = 0; i < count; i++) {
		buf_add_str(ret, (const char *)list.p + i * OUTBOX_NAME_SIZE);
		buf_add_byte(ret, 0);
	}
	*ret_count = count;
	return buf_error(ret);
}

int outbox_turn(int dir_fd, const char *name, enum outbox_state from, enum outbox_state to)
{
	char before[OUTBOX_NAME_SIZE + 16], after[OUTBOX_NAME_SIZE + 16];

	file_name(name, from, before);
	file_name(name, to, after);
	if (renameat(dir_fd, before, dir_fd, after) < 0 || fsync(dir_fd) < 0)
		return -errno;
	return 0;
}

static void why_name(const char *name, char ret[OUTBOX_NAME_SIZE + 16])
{
	snprintf(ret, OUTBOX_NAME_SIZE + 16, "%s" WHY, name);
}

int outbox_drop(int dir_fd, const char *name, enum outbox_state state)
{
	char file[OUTBOX_NAME_SIZE + 16];

	file_name(name, state, file);
	if (unlinkat(dir_fd, file, 0) < 0)
		return -errno;
	why_name(name, file);
	(void)files_remove(dir_fd, file);
	return fsync(dir_fd) < 0 ? -errno : 0;
}

int outbox_why_write(int dir_fd, const char *name, const char *why)
{
	char file[OUTBOX_NAME_SIZE + 16];
	struct span text = span_str(why);

	if (text.len > WHY_MAX)
		text.len = WHY_MAX;
	why_name(name, file);
	return files_write(dir_fd, file, text);
}

void outbox_why_read(int dir_fd, const char *name, struct buf *ret)
{
	char file[OUTBOX_NAME_SIZE + 16];

	why_name(name, file);
	(void)files_read(dir_fd, file, ret);
}
