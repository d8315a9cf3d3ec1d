/* See job.h. */
#include "services/ftpd/job.h"

#include "base/cleanup.h"
#include "base/slot.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "services/ftpd/digest_i.h"
#include "services/ftpd/tree_i.h"
#include "services/ftpd/upload.h"

#include <errno.h>

enum { DIGESTS_AT_ONCE = 2 };

struct job {
	char path[FTP_PATH_SIZE];
	struct rmtree *rmtree; /* or a digest */
	struct digest *digest;
	struct job_digest what;
	uint64_t size; /* of the file at the start */
	struct ftp_entry entry;
	bool partial; /* of an interrupted upload, which is no file yet */
	int slot_fd; /* held while digesting */
};

static void job_free(struct job *j)
{
	if (j == NULL)
		return;
	rmtree_free(j->rmtree);
	digest_free(j->digest);
	cleanup_close(&j->slot_fd);
	free(j);
}

static void job_freep(struct job **j)
{
	job_free(*j);
}

static int job_new(const char *path, struct job **ret)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return -ENOMEM;
	j->slot_fd = -1;
	(void)snprintf(j->path, sizeof(j->path), "%s", path);
	*ret = j;
	return 0;
}

/* -- digests -----------------------------------------------------------------------------------
 */

static int reply_digest(
	struct ftpd *f, const char *path, const struct job_digest *what, struct span digest)
{
	_cleanup_(buf_done) struct buf hex = BUF_INIT(128);
	uint64_t last = what->first + (what->length > 0 ? what->length - 1 : 0);

	text_hex(&hex, digest);
	if (buf_error(&hex) < 0)
		return buf_error(&hex);
	/* draft-bryan-ftpext-hash section 3.2; the others by custom, CRC-32 in capitals. */
	if (what->style == JOB_HASH)
		return ftpd_reply(f, 213, "%s %llu-%llu %s %s", ftp_hash_name(what->hash),
			(unsigned long long)what->first, (unsigned long long)last, buf_str(&hex),
			path);
	for (size_t i = 0; what->style == JOB_XCRC && i < hex.len; i++)
		if (hex.p[i] >= 'a')
			hex.p[i] = (unsigned char)(hex.p[i] - 'a' + 'A');
	return ftpd_reply(f, 250, "%s", buf_str(&hex));
}

/* A digest of the whole, computed while the file stayed the same, goes to the row. */
static void note_digest(struct ftpd *f, const struct job *j, const unsigned char *digest)
{
	struct store *s = tree_store(f->tree);
	struct file_note_args args = {.path = span_str(j->path)};
	struct stat st;
	int r;

	if (j->partial || !j->what.whole || j->what.hash != FTP_HASH_SHA256 || s == NULL ||
		fstat(digest_fd(j->digest), &st) < 0 || (uint64_t)st.st_size != j->size ||
		st.st_ino != j->entry.unique[1] || time_spec_us(&st.st_mtim) != j->entry.modify_us)
		return;
	r = file_get(s, args.path, &args.row);
	if (r == -ENOENT)
		args.row = (struct file_row){.stored_us = time_now_us()};
	else if (r < 0 || args.row.folder || args.row.inode != st.st_ino)
		return;
	args.row.size = j->size;
	args.row.inode = st.st_ino;
	args.row.mtime_ns = entry_mtime_ns(&st);
	args.row.has_digest = true;
	memcpy(args.row.digest, digest, sizeof(args.row.digest));
	/* It would be computed again: nothing is lost. */
	(void)store_call(s, STORE_OP_FILE_NOTE, &args, NULL);
}

static int finish_digest(struct ftpd *f, const struct job *j)
{
	unsigned char digest[FILE_DIGEST_LEN];
	size_t len = 0;
	int r = digest_result(j->digest, digest, &len);

	if (r < 0)
		return ftpd_reply_error(f, r, j->path);
	note_digest(f, j, digest);
	return reply_digest(f, j->path, &j->what, span_of(digest, len));
}

/* The part of the file that is asked for. -ERANGE. */
static int place_range(struct job_digest *what, uint64_t size)
{
	if (what->whole) {
		what->first = 0;
		what->length = size;
		return 0;
	}
	if (what->first > size)
		return -ERANGE;
	if (what->length > size - what->first)
		what->length = size - what->first;
	what->whole = what->first == 0 && what->length == size;
	return 0;
}

static int begin_digest(struct ftpd *f, struct job *j, int fd)
{
	int r = slot_try(f->service->settings.runtime, "digest", DIGESTS_AT_ONCE, &j->slot_fd);

	if (r < 0) {
		cleanup_close(&fd);
		return r == -EAGAIN ? -EBUSY : r;
	}
	return digest_new(fd, j->what.hash, j->what.first, j->what.length, &j->digest);
}

/* A part is asked for of what SIZE has told of: one's own interrupted upload. */
static int open_digested(struct ftpd *f, struct job *j, int *ret_fd)
{
	int r;

	if (!j->what.whole && strcmp(f->partial_shown, j->path) == 0) {
		r = upload_partial_read(f->tree, j->path, ret_fd, &j->size);
		j->partial = r == 0;
		if (r != -ENOENT)
			return r;
	}
	r = tree_open_file(f->tree, j->path, ret_fd, &j->entry);
	if (r == 0)
		j->size = j->entry.size;
	return r;
}

int job_digest(struct ftpd *f, const char *path, const struct job_digest *what)
{
	_cleanup_(job_freep) struct job *j = NULL;
	_cleanup_(cleanup_close) int fd = -1;
	int r = job_new(path, &j);

	if (r == 0) {
		j->what = *what;
		r = open_digested(f, j, &fd);
	}
	if (r == 0)
		r = place_range(&j->what, j->size);
	if (r == 0 && j->what.whole && j->what.hash == FTP_HASH_SHA256 && j->entry.has_digest)
		return reply_digest(
			f, path, &j->what, span_of(j->entry.digest, sizeof(j->entry.digest)));
	if (r == 0)
		r = begin_digest(f, j, take_fd(&fd));
	if (r < 0)
		return ftpd_reply_error(f, r, path);
	f->job = take_ptr(&j);
	return 0;
}

/* -- removing ----------------------------------------------------------------------------------
 */

int job_rmtree(struct ftpd *f, const char *path)
{
	_cleanup_(job_freep) struct job *j = NULL;
	int r = job_new(path, &j);

	if (r == 0)
		r = rmtree_new(f->tree, path, &j->rmtree);
	if (r < 0)
		return ftpd_reply_error(f, r, path);
	f->job = take_ptr(&j);
	return 0;
}

static int finish_rmtree(struct ftpd *f, const struct job *j, int result)
{
	unsigned long long removed = (unsigned long long)rmtree_removed(j->rmtree);
	const char *text;
	unsigned code;

	if (result == 0)
		return ftpd_reply(f, 250, "Removed, %llu in all.", removed);
	if (removed == 0)
		return ftpd_reply_error(f, result, rmtree_path(j->rmtree));
	code = ftpd_error_code(result, &text);
	return ftpd_reply(
		f, code, "Stopped after %llu at %s: %s.", removed, rmtree_path(j->rmtree), text);
}

/* -- both --------------------------------------------------------------------------------------
 */

int job_step(struct ftpd *f)
{
	_cleanup_(job_freep) struct job *j = take_ptr(&f->job);
	int r = j->rmtree != NULL ? rmtree_step(j->rmtree) : digest_step(j->digest);

	if (r == 1) {
		f->job = take_ptr(&j);
		return 0;
	}
	if (j->rmtree != NULL)
		return finish_rmtree(f, j, r);
	return r < 0 ? ftpd_reply_error(f, r, j->path) : finish_digest(f, j);
}

int job_abort(struct ftpd *f, bool reply)
{
	_cleanup_(job_freep) struct job *j = take_ptr(&f->job);
	int r;

	if (!reply)
		return 0;
	r = j->rmtree != NULL && rmtree_removed(j->rmtree) > 0
		? ftpd_reply(f, 426, "Stopped; %llu are removed already.",
			  (unsigned long long)rmtree_removed(j->rmtree))
		: ftpd_reply(f, 426, "Stopped.");
	return r == 0 ? ftpd_reply(f, 226, "The work is ended.") : r;
}
