/* The letter as text with a head, for an editor; files that go with it. */
#include "client/mail/draft.h"

#include "client/ask.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

void draft_done(struct draft *d)
{
	struct buf *const texts[] = {
		&d->to, &d->cc, &d->bcc, &d->subject, &d->text, &d->in_reply_to, &d->references};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		buf_done(texts[i]);
	for (size_t i = 0; i < d->file_count; i++) {
		buf_done(&d->file_bytes[i]);
		free(d->file_names[i]);
	}
	free(d->file_bytes);
	free((void *)d->file_names);
	free(d->files);
}

/* -- as text ------------------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	size_t offset;
	bool always; /* shown when it is empty too */
} heads[] = {
	{"To", offsetof(struct draft, to), true},
	{"Cc", offsetof(struct draft, cc), true},
	{"Bcc", offsetof(struct draft, bcc), false},
	{"Subject", offsetof(struct draft, subject), true},
};

static struct buf *head_of(struct draft *d, size_t i)
{
	return (struct buf *)(void *)((char *)d + heads[i].offset);
}

void draft_show(const struct draft *d, struct buf *out)
{
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		const struct buf *b =
			(const struct buf *)(const void *)((const char *)d + heads[i].offset);

		if (b->len > 0 || heads[i].always)
			buf_addf(out, "%s: %s\n", heads[i].name, buf_str(b));
	}
	buf_add_str(out, "\n");
	buf_add(out, buf_span(&d->text));
}

/* A line of the head. One that begins with a blank goes on with the line before, *last. */
static int head_read(struct span line, struct draft *d, struct buf **last)
{
	struct span name, value = line;

	if (line.p[0] == ' ' || line.p[0] == '\t') {
		if (*last == NULL)
			return -EBADMSG;
		buf_add_byte(*last, ' ');
		buf_add(*last, span_trim(line));
		return 0;
	}
	if (!span_split(&value, ':', &name) || name.len == line.len)
		return -EBADMSG;
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
		if (span_caseeq_str(name, heads[i].name)) {
			*last = head_of(d, i);
			buf_reset(*last);
			buf_add(*last, span_trim(value));
			return buf_error(*last);
		}
	return -EBADMSG;
}

static struct span without_cr(struct span line)
{
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

int draft_read(struct span shown, struct draft *d)
{
	struct buf *last = NULL;
	struct span line;
	int r = 0;

	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
		buf_reset(head_of(d, i));
	buf_reset(&d->text);
	while (r == 0 && span_split(&shown, '\n', &line) && span_trim(without_cr(line)).len > 0)
		r = head_read(without_cr(line), d, &last);
	if (r == 0)
		buf_add(&d->text, shown);
	return r < 0 ? r : buf_error(&d->text);
}

/* -- the editor ---------------------------------------------------------------------------------
 */

static const char *editor(void)
{
	const char *e = getenv("VISUAL");

	if (e == NULL || e[0] == '\0')
		e = getenv("EDITOR");
	return e == NULL || e[0] == '\0' ? "vi" : e;
}

static int edit_file(
	const struct mailui *u, char *path, int fd, const struct buf *before, struct buf *after)
{
	int r = file_write_all(fd, buf_span(before));

	if (r == 0)
		r = mailui_run(editor(), path, -1);
	/* Editors write a new file in place of the old one, so it is opened by name again. */
	return r == 0 ? ask_file(u->client, path, after) : r;
}

static int edit_failed(int r, const char *path, char ret_why[256])
{
	if (r == -ENODATA)
		(void)snprintf(ret_why, 256, "nothing was written, nothing is sent");
	else if (r == -EBADMSG)
		(void)snprintf(ret_why, 256,
			"the head of the letter is not of the form \"To: ...\"; it is kept in %s",
			path);
	else if (r == -ECHILD)
		(void)snprintf(ret_why, 256, "%.100s did not end well, nothing is sent%s%s",
			editor(), path != NULL ? "; what was saved is kept in " : "",
			path != NULL ? path : "");
	else
		(void)snprintf(ret_why, 256, "%.100s: %s", editor(), err_text(r));
	return r == -ENODATA || r == -EBADMSG || r == -ECHILD ? CLIENT_NO : client_exit_of(r);
}

/* Was something saved in the file, though the editor did not end well? */
static bool was_changed(const struct mailui *u, const char *path, const struct buf *before)
{
	_cleanup_(buf_done) struct buf now = BUF_INIT((size_t)MAIL_MESSAGE_MAX);

	return ask_file(u->client, path, &now) < 0 || !span_eq(buf_span(before), buf_span(&now));
}

int draft_edit(const struct mailui *u, struct draft *d, bool always, char ret_why[256])
{
	_cleanup_(buf_done) struct buf before = BUF_INIT((size_t)MAIL_MESSAGE_MAX),
				       after = BUF_INIT((size_t)MAIL_MESSAGE_MAX);
	char path[] = "/tmp/quintet-mail-XXXXXX";
	_cleanup_(cleanup_close) int fd = mkostemp(path, O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;
	bool keep;

	if (r < 0)
		return edit_failed(r, path, ret_why);
	draft_show(d, &before);
	r = buf_error(&before);
	if (r == 0)
		r = edit_file(u, path, fd, &before, &after);
	if (r == 0 && span_eq(buf_span(&before), buf_span(&after)) && !always)
		r = -ENODATA;
	if (r == 0)
		r = draft_read(buf_span(&after), d);
	/* What somebody has written is not thrown away. */
	keep = r == -EBADMSG || (r == -ECHILD && was_changed(u, path, &before));
	if (!keep)
		(void)unlink(path);
	return r < 0 ? edit_failed(r, keep || r != -ECHILD ? path : NULL, ret_why) : CLIENT_OK;
}

/* -- files --------------------------------------------------------------------------------------
 */

static const char *type_of(const char *name)
{
	static const char *const types[][2] = {{"txt", "text/plain"}, {"pdf", "application/pdf"},
		{"png", "image/png"}, {"jpg", "image/jpeg"}, {"jpeg", "image/jpeg"},
		{"gif", "image/gif"}, {"html", "text/html"}, {"csv", "text/csv"},
		{"zip", "application/zip"}, {"json", "application/json"}, {"svg", "image/svg+xml"},
		{"eml", "message/rfc822"}, {"p12", "application/x-pkcs12"}};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot != NULL && i < sizeof types / sizeof types[0]; i++)
		if (span_caseeq_str(span_str(dot + 1), types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}

static int room_make(struct draft *d)
{
	size_t n = d->file_count + 1;
	struct buf *bytes = realloc(d->file_bytes, n * sizeof *bytes);
	struct mime_attachment *files;
	char **names;

	if (bytes == NULL)
		return -ENOMEM;
	d->file_bytes = bytes;
	names = (char **)realloc((void *)d->file_names, n * sizeof *names);
	if (names == NULL)
		return -ENOMEM;
	d->file_names = names;
	files = realloc(d->files, n * sizeof *files);
	if (files == NULL)
		return -ENOMEM;
	d->files = files;
	return 0;
}

int draft_attach(const struct mailui *u, struct draft *d, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	struct buf bytes = BUF_INIT((size_t)MAIL_MESSAGE_MAX);
	char *copy = strdup(name);
	int r = copy != NULL ? room_make(d) : -ENOMEM;

	if (r == 0)
		r = ask_file(u->client, path, &bytes);
	if (r < 0) {
		buf_done(&bytes);
		free(copy);
		return client_fail(client_exit_of(r), "%s: %s", path,
			r == -ENOBUFS ? "too long for a message" : err_text(r));
	}
	d->file_bytes[d->file_count] = bytes;
	d->file_names[d->file_count] = copy;
	d->files[d->file_count++] = (struct mime_attachment){
		.type = type_of(name), .filename = span_str(copy), .bytes = buf_span(&bytes)};
	return CLIENT_OK;
}
