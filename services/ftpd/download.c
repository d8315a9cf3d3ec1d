/*
 * Sending: the loop for whatever fills the buffer, and RETR's file. The descriptor was opened
 * before, so an overwrite meanwhile does not change what is sent.
 */
#include "services/ftpd/transfer_internal.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int fill_error(struct transfer *t, int error)
{
	const char *text;
	unsigned code;

	if (error == -ENODATA)
		return transfer_fail(t, 451, "the file became shorter meanwhile");
	code = ftpd_error_code(error, &text);
	return transfer_fail(t, code == 452 ? code : 451, text);
}

/* The buffer's rest goes out before anything new comes in: TLS wants the same bytes again. */
int transfer_send(struct ftpd *f, struct transfer *t)
{
	for (size_t sent = 0; sent < TRANSFER_STEP_MAX;) {
		ssize_t n;
		int r = 1;

		if (t->at == t->len) {
			t->at = t->len = 0;
			r = t->kind->fill(t);
		}
		if (r < 0)
			return fill_error(t, r);
		if (r == 0)
			return transfer_enter(t, TRANSFER_GOODBYE);
		n = conn_step_write(t->conn, span_of(t->bytes + t->at, t->len - t->at));
		if (n == -EAGAIN)
			return transfer_wait(t, 426, "the data connection stalled");
		if (n < 0)
			return transfer_fail(t, 426, "the data connection was cut");
		t->at += (size_t)n;
		sent += (size_t)n;
		f->service->data_out += (uint64_t)n;
		transfer_moved(t, (size_t)n);
	}
	t->now = true;
	return TRANSFER_WAIT;
}

static void announce_file(const struct transfer *t, struct buf *b)
{
	buf_addf(b, "Sending (%ju bytes) of %s", (uintmax_t)t->left, t->path);
}

static int fill_file(struct transfer *t)
{
	size_t want = t->left < TRANSFER_CHUNK ? (size_t)t->left : TRANSFER_CHUNK;
	ssize_t n;

	if (want == 0)
		return 0;
	do {
		n = pread(t->fd, t->bytes, want, (off_t)t->offset);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ENODATA;
	t->len = (size_t)n;
	t->offset += (uint64_t)n;
	t->left -= (uint64_t)n;
	return 1;
}

static int finish_file(struct transfer *t, struct buf *b)
{
	buf_addf(b, "Sent %ju bytes of %s", (uintmax_t)t->moved, t->path);
	return 0;
}

static void release_file(struct transfer *t, bool keep)
{
	(void)keep;
	cleanup_close(&t->fd);
}

static const struct transfer_kind download = {.verb = "RETR",
	.announce = announce_file,
	.fill = fill_file,
	.finish = finish_file,
	.release = release_file};

int transfer_download(struct ftpd *f, int fd, uint64_t first, uint64_t length, const char *path)
{
	struct transfer *t;
	int r;

	t = transfer_new(f, &download, &r);
	if (t == NULL) {
		cleanup_close(&fd);
		return r;
	}
	(void)posix_fadvise(fd, (off_t)first, (off_t)length, POSIX_FADV_SEQUENTIAL);
	(void)snprintf(t->path, sizeof(t->path), "%s", path);
	t->fd = fd;
	t->offset = first;
	t->left = length;
	return 0;
}
