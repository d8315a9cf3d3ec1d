/* Talking with the person: messages, questions on the terminal, secrets from files. */
#include "client/client.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/signalfd.h>
#include <termios.h>

#define SECRET_MAX 1024

int client_fail(int code, const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("quintet: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

int client_exit_of(int error)
{
	if (error >= 0)
		return CLIENT_OK;
	if (error == -ECANCELED)
		return CLIENT_INTERRUPTED;
	if (error == -EKEYREJECTED)
		return CLIENT_UNTRUSTED;
	return error == -EINVAL ? ERR_EXIT_CONFIG : ERR_EXIT_TEMP;
}

int client_wake(void *arg)
{
	const struct client *c = arg;
	struct pollfd p = {.fd = c->signal_fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0 ? -ECANCELED : 0;
}

/* Collects bytes up to a line end; Ctrl-C arrives through the signal descriptor. */
static int line_read(const struct client *c, int fd, struct buf *ret)
{
	for (;;) {
		struct pollfd p[2] = {
			{.fd = fd, .events = POLLIN}, {.fd = c->signal_fd, .events = POLLIN}};
		unsigned char byte;
		ssize_t n;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if ((p[1].revents & POLLIN) != 0)
			return -ECANCELED;
		if (p[0].revents == 0)
			continue;
		n = read(fd, &byte, 1);
		if (n < 0)
			return -errno;
		if (n == 0)
			return ret->len > 0 ? 0 : -ENODATA;
		if (byte == '\n')
			return buf_error(ret);
		buf_add_byte(ret, byte);
	}
}

int client_ask(const struct client *c, const char *question, bool hidden, struct buf *ret)
{
	_cleanup_(cleanup_close) int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios old, quiet;
	bool changed = false;
	int r;

	if (fd < 0)
		return -ENOTTY;
	buf_reset(ret);
	if (hidden && tcgetattr(fd, &old) == 0) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		changed = tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
	}
	if (dprintf(fd, "%s", question) < 0)
		r = -EIO;
	else
		r = line_read(c, fd, ret);
	if (changed) {
		(void)tcsetattr(fd, TCSAFLUSH, &old);
		(void)dprintf(fd, "\n");
	}
	return r;
}

int client_read_secret(const char *path, struct buf *ret)
{
	_cleanup_(cleanup_close) int fd = -1;
	unsigned char bytes[SECRET_MAX];
	size_t len = 0;
	const unsigned char *end;

	fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (len < sizeof bytes) {
		ssize_t n = read(fd, bytes + len, sizeof bytes - len);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	end = memchr(bytes, '\n', len);
	if (end != NULL)
		len = (size_t)(end - bytes);
	buf_reset(ret);
	buf_add(ret, span_of(bytes, len));
	explicit_bzero(bytes, sizeof bytes);
	if (len == 0)
		return -ENODATA;
	return len == sizeof bytes ? -EMSGSIZE : buf_error(ret);
}
