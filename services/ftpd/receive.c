/*
 * Receiving: an upload's bytes from the data connection into upload.h. Only close_notify ends it
 * well; anything else is a cut, and what came stays as the partial.
 */
#include "services/ftpd/transfer_internal.h"

#include "base/text.h"

#include <errno.h>

/* Not taken: the client is told at once where it may be listening, and dropped soon. What could not
 * be completed anyway does not stay in the way; but what there was before does. */
static int refuse(struct transfer *t, int error)
{
	t->code = ftpd_error_code(error, &t->reason);
	t->keep = error != -EDQUOT && error != -ENOSPC && error != -EFBIG;
	return transfer_enter(t, TRANSFER_DRAIN);
}

static int pass_on(struct transfer *t)
{
	struct span bytes = span_of(t->bytes, t->len);

	t->len = 0;
	return bytes.len > 0 ? upload_write(t->upload, bytes) : 0;
}

/* The input has come to something else than bytes, which were all passed on. */
static int receive_end(struct transfer *t, ssize_t n)
{
	if (n == -EAGAIN)
		return transfer_wait(t, 426, "the data connection stalled");
	if (n < 0)
		return transfer_fail(
			t, 426, "the data connection was cut without its close_notify");
	return transfer_enter(t, TRANSFER_GOODBYE);
}

/* TLS gives a record at a time; the file gets them in larger pieces. */
int transfer_receive(struct ftpd *f, struct transfer *t)
{
	size_t received = 0;
	ssize_t n = 1;
	int r = 0;

	while (n > 0 && r == 0 && received < TRANSFER_STEP_MAX) {
		n = conn_step_read(t->conn, t->bytes + t->len, TRANSFER_CHUNK - t->len);
		if (n > 0) {
			t->len += (size_t)n;
			received += (size_t)n;
			f->service->data_in += (uint64_t)n;
			transfer_moved(t, (size_t)n);
		}
		if (n <= 0 || t->len == TRANSFER_CHUNK || received >= TRANSFER_STEP_MAX)
			r = pass_on(t);
	}
	if (r < 0)
		return refuse(t, r);
	if (n <= 0)
		return receive_end(t, n);
	t->now = true;
	return TRANSFER_WAIT;
}

static int prepare_upload(struct transfer *t)
{
	return upload_prepare(t->upload);
}

/* The form that RFC 1123 section 4.1.2.9 wants for STOU, whose name the client cannot know. */
static void announce_upload(const struct transfer *t, struct buf *b)
{
	buf_addf(b, "FILE: %s", t->path);
}

static int finish_upload(struct transfer *t, struct buf *b)
{
	struct ftp_entry e;
	int r = upload_commit(t->upload, &e);

	if (r < 0) {
		t->keep = r != -EDQUOT && r != -ENOSPC && r != -EFBIG;
		return r;
	}
	/* STOU may have had to choose again. */
	(void)snprintf(t->path, sizeof(t->path), "%s", upload_path(t->upload));
	buf_addf(b, "Stored %s: %ju bytes", t->path, (uintmax_t)e.size);
	if (e.has_digest) {
		buf_add_str(b, ", SHA-256 ");
		text_hex(b, span_of(e.digest, sizeof(e.digest)));
	}
	return 0;
}

static void release_upload(struct transfer *t, bool keep)
{
	upload_end(t->upload, keep);
	t->upload = NULL;
}

static const struct transfer_kind upload = {.verb = "STOR",
	.incoming = true,
	.prepare = prepare_upload,
	.announce = announce_upload,
	.finish = finish_upload,
	.release = release_upload};

int transfer_upload(struct ftpd *f, struct upload *u)
{
	struct transfer *t;
	int r;

	t = transfer_new(f, &upload, &r);
	if (t == NULL) {
		upload_end(u, false);
		return r;
	}
	t->upload = u;
	(void)snprintf(t->path, sizeof(t->path), "%s", upload_path(u));
	return 0;
}
