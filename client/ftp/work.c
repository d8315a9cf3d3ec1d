/* Running digests over files in slices. See work.h. */
#include "client/ftp/work.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "client/ftp/session.h"

#include <errno.h>

enum {
	SLICE = 1 << 20, /* digested at a time */
	CHUNK = 32768,
	SERVER_RATE = 16 << 20, /* bytes per second of a slow disk */
};

int work_need(struct ftp_task *t)
{
	struct ftp_work *w;
	int r;

	if (t->work != NULL)
		return 0;
	w = calloc(1, sizeof *w);
	if (w == NULL)
		return -ENOMEM;
	w->fd = w->dir_fd = -1;
	w->line = BUF_INIT(FTP_LINE_MAX);
	r = hash_new(&w->hash);
	if (r < 0)
		free(w);
	else
		t->work = w;
	return r;
}

void work_free(struct ftp_work *w)
{
	if (w == NULL)
		return;
	cleanup_close(&w->fd);
	cleanup_close(&w->dir_fd);
	hash_free(w->hash);
	buf_done(&w->line);
	free(w);
}

int work_rewind(struct ftp_work *w)
{
	struct hash *fresh = NULL;
	int r = hash_new(&fresh);

	if (r < 0)
		return r;
	hash_free(w->hash);
	w->hash = fresh;
	w->hashed = 0;
	return 0;
}

int work_add(struct ftp_work *w, struct span bytes)
{
	int r = hash_update(w->hash, bytes);

	if (r == 0)
		w->hashed += bytes.len;
	return r;
}

int work_catch_up(struct ftp_work *w, uint64_t upto)
{
	unsigned char chunk[CHUNK];
	int r = w->hashed > upto ? work_rewind(w) : 0;

	for (size_t done = 0; r == 0 && w->hashed < upto && done < SLICE;) {
		uint64_t left = upto - w->hashed;
		size_t want = left < sizeof chunk ? (size_t)left : sizeof chunk;
		ssize_t n = pread(w->fd, chunk, want, (off_t)w->hashed);

		if (n <= 0)
			return n < 0 ? -errno : -ESTALE;
		r = work_add(w, span_of(chunk, (size_t)n));
		done += (size_t)n;
	}
	return r < 0 ? r : w->hashed < upto;
}

int work_digest(struct ftp_work *w, unsigned char ret[HASH_SHA256_LEN])
{
	int r = hash_final(w->hash, ret);

	return r == 0 ? work_rewind(w) : r;
}

void work_began(struct ftp_task *t)
{
	if (t->began_ms == 0 || t->at < t->began_at)
		t->began_at = t->at;
	if (t->began_ms == 0)
		t->began_ms = time_monotonic_ms();
}

unsigned work_patience_s(uint64_t size)
{
	uint64_t s = size / SERVER_RATE;

	return s < 86400 ? (unsigned)s : 86400;
}

void work_note_answer(struct ftp_task *t, struct span text)
{
	if (t->work != NULL)
		t->work->has_said = reply_stored(text, t->work->said);
}
