/* What quintet mail writes to files: attachments, whole messages. */
#include "client/mail/ui.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { NAMES_MAX = 1000, FILE_MODE = 0600 };

/* Never over a file that is there: "name", "name-2" and so on. */
static int file_make(int dir_fd, const char *name, char ret_name[MAILUI_NAME_SIZE])
{
	for (unsigned n = 1; n < NAMES_MAX; n++) {
		int fd;

		if (n == 1)
			(void)snprintf(ret_name, MAILUI_NAME_SIZE, "%s", name);
		else
			(void)snprintf(ret_name, MAILUI_NAME_SIZE, "%s-%u", name, n);
		fd = openat(dir_fd, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			FILE_MODE);
		if (fd >= 0 || errno != EEXIST)
			return fd >= 0 ? fd : -errno;
	}
	return -EEXIST;
}

static int bytes_write(int fd, struct span bytes)
{
	int r = file_write_all(fd, bytes);

	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

int mailui_save(int dir_fd, const char *name, struct span bytes, char ret_name[MAILUI_NAME_SIZE])
{
	int fd = file_make(dir_fd, name, ret_name);
	int r = fd < 0 ? fd : bytes_write(fd, bytes);

	if (fd >= 0 && r < 0)
		(void)unlinkat(dir_fd, ret_name, 0);
	return r < 0 ? client_fail(client_unwritten(r), "%s: %s", name, strerror(-r)) : CLIENT_OK;
}

int mailui_save_folder(const char *path, int *ret_fd)
{
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? client_fail(ERR_EXIT_CONFIG, "%s: %m", path) : CLIENT_OK;
}

int mailui_save_attachment(const struct mailui *u, const struct mail_view *v, size_t index,
	int dir_fd, char ret_name[MAILUI_NAME_SIZE])
{
	_cleanup_(buf_done) struct buf bytes = BUF_INIT((size_t)MAIL_MESSAGE_MAX);
	int r = mail_view_file(v, index, &bytes);

	if (r < 0)
		return mailui_failed(u, r, v->files[index].name);
	return mailui_save(dir_fd, v->files[index].name, buf_span(&bytes), ret_name);
}
