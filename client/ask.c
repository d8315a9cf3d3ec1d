/* Questions on the terminal, and what is read from files. Every wait watches for Ctrl-C. */
#include "client/ask.h"

#include "base/text.h"
#include "net/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <termios.h>

/* How much of a line that is too long is read to its end: it may be a device or a disk's image. */
enum { SPARE_MAX = 65536 };

/* Until fd has something. */
static int wait_for(const struct client *c, int fd, int other_fd)
{
	struct pollfd p[3] = {{.fd = fd, .events = POLLIN}, {.fd = c->signal_fd, .events = POLLIN},
		{.fd = other_fd, .events = POLLIN}};

	for (;;) {
		if (net_wait(p, 3, -1) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (p[1].revents != 0)
			return -ECANCELED;
		if (p[0].revents != 0)
			return 0;
		if (p[2].revents != 0)
			return -EPIPE;
	}
}

/* One byte: 1, 0 at the end. */
static int byte_read(const struct client *c, int fd, int other_fd, unsigned char *ret)
{
	for (;;) {
		int r = wait_for(c, fd, other_fd);
		ssize_t n;

		if (r < 0)
			return r;
		n = read(fd, ret, 1);
		if (n >= 0)
			return (int)n;
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
}

int ask_fd(const struct client *c, int fd, int other_fd, struct buf *ret)
{
	unsigned char byte;
	size_t spare = SPARE_MAX;
	int r;

	buf_reset(ret);
	while ((r = byte_read(c, fd, other_fd, &byte)) == 1) {
		if (byte == '\n')
			break;
		if (buf_error(ret) == 0)
			buf_add_byte(ret, byte);
		else if (--spare == 0)
			break;
	}
	if (r < 0)
		return r;
	if (ret->len > 0 && ret->p[ret->len - 1] == '\r')
		ret->p[--ret->len] = '\0';
	if (buf_error(ret) < 0)
		return buf_error(ret);
	return r == 1 || ret->len > 0;
}

int ask_line(const struct client *c, const char *question, bool hidden, struct buf *ret)
{
	_cleanup_(cleanup_close) int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios old, quiet;
	bool changed = false;
	int r;

	if (fd < 0)
		return -ENOTTY;
	if (hidden && tcgetattr(fd, &old) == 0) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		changed = tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
	}
	/* What cannot be hidden is not asked for. */
	if (hidden && !changed)
		return -ENOTTY;
	if (dprintf(fd, "%s", question) < 0)
		r = -ENOTTY;
	else
		r = ask_fd(c, fd, -1, ret);
	if (changed)
		(void)tcsetattr(fd, TCSAFLUSH, &old);
	if (changed || r <= 0)
		(void)dprintf(fd, "\n");
	if (r < 0)
		return r;
	return r == 0 ? -ENODATA : 0;
}

static int path_open(const char *path)
{
	int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
					: open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

int ask_file(const struct client *c, const char *path, struct buf *ret)
{
	_cleanup_(cleanup_close) int fd = path_open(path);

	if (fd < 0)
		return fd;
	for (;;) {
		int r = wait_for(c, fd, -1);
		unsigned char piece[4096];
		ssize_t n;

		if (r < 0)
			return r;
		n = read(fd, piece, sizeof piece);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n == 0)
			return 0;
		if (n > 0)
			buf_add(ret, span_of(piece, (size_t)n));
		if (buf_error(ret) < 0)
			return buf_error(ret);
	}
}

static int file_password(const struct client *c, const char *file, struct buf *ret)
{
	_cleanup_(cleanup_close) int fd = path_open(file);
	int r = fd < 0 ? fd : ask_fd(c, fd, -1, ret);

	if (r == 0)
		return client_fail(ERR_EXIT_CONFIG, "%s: the first line is empty", file);
	if (r < 0)
		return client_fail(r == -ECANCELED ? CLIENT_INTERRUPTED : ERR_EXIT_CONFIG, "%s: %s",
			file, r == -ENOBUFS ? "the first line is too long" : err_text(r));
	return CLIENT_OK;
}

static int ask_failed(int r)
{
	if (r == -ECANCELED)
		return CLIENT_INTERRUPTED;
	if (r == -ENOTTY)
		return client_fail(
			ERR_EXIT_CONFIG, "no terminal to ask on: give --password-file FILE");
	return client_fail(ERR_EXIT_CONFIG, "no password: %s",
		r == -ENODATA           ? "nothing was typed"
			: r == -ENOBUFS ? "what was typed is too long"
					: err_text(r));
}

static int terminal_password(const struct client *c, bool is_new, struct buf *ret)
{
	_cleanup_(buf_wipe) struct buf again = BUF_INIT(ASK_SECRET_MAX);
	int r = ask_line(c, is_new ? "New password: " : "Password: ", true, ret);

	if (r == 0 && is_new)
		r = ask_line(c, "Again: ", true, &again);
	if (r < 0)
		return ask_failed(r);
	if (is_new && !span_eq(buf_span(ret), buf_span(&again)))
		return client_fail(ERR_EXIT_CONFIG, "the two passwords differ");
	return CLIENT_OK;
}

int ask_password(const struct client *c, const char *file, bool is_new, struct buf *ret)
{
	int r = file != NULL ? file_password(c, file, ret) : terminal_password(c, is_new, ret);

	if (r == CLIENT_OK && ret->len == 0)
		return client_fail(ERR_EXIT_CONFIG, "the password is empty");
	if (r == CLIENT_OK && !text_is_clean(buf_span(ret)))
		return client_fail(ERR_EXIT_CONFIG,
			"a password is one line of text without control characters");
	return r;
}
