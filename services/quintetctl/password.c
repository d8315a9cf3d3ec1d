/* A password from a person or a file: never from the command line, never echoed, wiped. */
#include "ctl.h"

#include "auth/password.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <termios.h>

/* Reads up to the end of the line or of the input. */
static int read_line(int fd, struct buf *ret)
{
	for (;;) {
		unsigned char c;
		ssize_t n = read(fd, &c, 1);

		if (n < 0)
			return -errno;
		if (n == 0 || c == '\n')
			return buf_error(ret);
		buf_add_byte(ret, c);
	}
}

static void interrupted(int signal_number)
{
	(void)signal_number; /* only to end the read */
}

/* The terminal gets its echo back whatever ends the question. */
static int ask_line(int fd, const char *prompt, struct buf *ret)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP};
	struct sigaction quiet = {.sa_handler = interrupted}, before[4];
	struct termios old, silent;
	size_t i;
	int r;

	if (tcgetattr(fd, &old) != 0)
		return -errno;
	silent = old;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	for (i = 0; i < 4; i++)
		(void)sigaction(signals[i], &quiet, &before[i]);
	r = tcsetattr(fd, TCSAFLUSH, &silent) != 0 ? -errno : 0;
	if (r == 0 && dprintf(fd, "%s", prompt) < 0) /* only now: an answer is not flushed away */
		r = -errno;
	if (r == 0)
		r = read_line(fd, ret);
	(void)tcsetattr(fd, TCSAFLUSH, &old);
	(void)dprintf(fd, "\n");
	for (i = 0; i < 4; i++)
		(void)sigaction(signals[i], &before[i], NULL);
	return r;
}

static int ask_terminal(int fd, struct buf *ret)
{
	_cleanup_(buf_wipe) struct buf again = BUF_INIT(PASSWORD_MAX + 1);
	int r = ask_line(fd, "New password: ", ret);

	if (r == 0)
		r = ask_line(fd, "Again: ", &again);
	if (r == 0 && !span_eq_secret(buf_span(ret), buf_span(&again))) {
		ctl_warn("the two passwords differ");
		return -EINVAL;
	}
	if (r == -EINTR)
		ctl_warn("interrupted");
	return r;
}

static int read_from(const char *file, struct buf *ret)
{
	_cleanup_(cleanup_close) int fd = -1;

	if (file != NULL && strcmp(file, "-") != 0) {
		fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		return fd < 0 ? -errno : read_line(fd, ret);
	}
	if (file == NULL && isatty(STDIN_FILENO)) {
		fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
		if (fd >= 0)
			return ask_terminal(fd, ret);
	}
	return read_line(STDIN_FILENO, ret);
}

int ctl_password_read(const char *file, const char *name, struct buf *ret)
{
	const char *reason = "";
	int r = read_from(file, ret);

	if (r == -EINVAL || r == -EINTR)
		return CTL_REFUSED;
	if (r < 0)
		return ctl_fail(r, "cannot read the password%s%s", file != NULL ? " from " : "",
			file != NULL ? file : "");
	if (password_acceptable(buf_span(ret), name, &reason) == 0)
		return CTL_OK;
	ctl_warn("this password is not accepted: %s", reason);
	return CTL_REFUSED;
}
