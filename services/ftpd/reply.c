/*
 * Everything that is said on the control connection after TLS goes through here, so that no reply
 * can hold a line end or a control byte that a name or an argument brought along.
 */
#include "services/ftpd/ftpd.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdarg.h>

/* Line ends and control bytes of the outside become question marks. UTF-8 passes. */
static void scrub(unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] < 0x20 || p[i] == 0x7f)
			p[i] = '?';
}

static int send_line(struct ftpd *f, struct buf *line)
{
	if (buf_error(line) != 0)
		return buf_error(line) == -ENOBUFS ? -EMSGSIZE : buf_error(line);
	scrub(line->p, line->len);
	buf_add_str(line, "\r\n");
	return buf_error(line) == 0 ? conn_write(f->control, buf_span(line)) : buf_error(line);
}

int ftpd_reply(struct ftpd *f, unsigned code, const char *format, ...)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(FTPD_REPLY_MAX);
	char text[FTPD_REPLY_MAX - 8];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0)
		return -EINVAL;
	buf_addf(&line, "%u %s", code, text);
	return send_line(f, &line);
}

int ftpd_reply_path(struct ftpd *f, unsigned code, const char *path, const char *text)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(FTPD_REPLY_MAX);

	buf_addf(&line, "%u ", code);
	ftp_quote(&line, path);
	buf_addf(&line, " %s", text);
	return send_line(f, &line);
}

/* A line inside begins with a blank, so that none looks like the last one (RFC 2389). */
static int send_inside(struct ftpd *f, struct span text)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(FTPD_REPLY_MAX);

	buf_add_byte(&line, ' ');
	buf_add(&line, text);
	return send_line(f, &line);
}

int ftpd_reply_lines(
	struct ftpd *f, unsigned code, const char *first, struct span lines, const char *last)
{
	_cleanup_(buf_done) struct buf head = BUF_INIT(FTPD_REPLY_MAX);
	struct span line;
	int r;

	buf_addf(&head, "%u-%s", code, first);
	r = send_line(f, &head);
	while (r == 0 && span_split(&lines, '\n', &line))
		r = send_inside(f, line);
	return r < 0 ? r : ftpd_reply(f, code, "%s", last);
}

static const struct error_text {
	int error;
	unsigned code;
	const char *text;
} errors[] = {
	{-ENOENT, 550, "there is nothing of that name"},
	{-EACCES, 550, "you may not do that there"},
	{-EPERM, 550, "you may not do that there"},
	{-EEXIST, 553, "there is something of that name already"},
	{-EISDIR, 550, "that is a folder"},
	{-ENOTDIR, 550, "that is not a folder"},
	{-ENOTEMPTY, 550, "the folder is not empty"},
	{-ELOOP, 550, "symbolic links are not followed"},
	{-EXDEV, 550, "symbolic links are not followed"},
	{-ENXIO, 550, "that is neither a file nor a folder"},
	{-ENAMETOOLONG, 553, "the name is too long"},
	{-EINVAL, 553, "a name like that cannot be"},
	{-E2BIG, 550, "there is too much in it for one step"},
	{-EFBIG, 552, "the file would become too large"},
	{-EDQUOT, 552, "there is not enough room in your quota"},
	{-ENOSPC, 452, "there is not enough room on the disk for now"},
	{-ERANGE, 554, "the file is not that long"},
	{-EIDRM, 451, "its folder has gone or moved meanwhile"},
	{-EBUSY, 450, "it is in use by another session; try again later"},
};

unsigned ftpd_error_code(int error, const char **ret_text)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].error == error) {
			*ret_text = errors[i].text;
			return errors[i].code;
		}
	*ret_text = err_is_temporary(error) ? "not possible at the moment; try again later"
					    : "something failed here; the administrator can look";
	return 451;
}

int ftpd_reply_error(struct ftpd *f, int error, const char *path)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(FTPD_REPLY_MAX);
	const char *text;
	unsigned code = ftpd_error_code(error, &text);

	if (code == 451)
		log_event(LOG_LEVEL_WARNING, "a command failed",
			log_fields({"PATH", span_str(path)}, {"ERROR", span_str(err_text(error))}));
	buf_addf(&line, "%u ", code);
	ftp_quote(&line, path);
	buf_addf(&line, ": %s.", text);
	return send_line(f, &line);
}

int ftpd_reply_no_folder(struct ftpd *f, const char *path)
{
	char folder[FTP_PATH_SIZE];

	ftp_path_folder(path, folder);
	return ftpd_reply_error(f, -ENOENT, folder);
}
