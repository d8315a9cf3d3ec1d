/* The terminal: its size, and keys one by one. */
#include "client/term/tty.h"

#include <errno.h>
#include <sys/ioctl.h>

size_t tty_columns(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

size_t tty_rows(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

int tty_raw(int fd, struct termios *ret_before)
{
	struct termios before, raw;

	if (tcgetattr(fd, &before) < 0)
		return -errno;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL | INLCR);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSADRAIN, &raw) < 0)
		return -errno;
	*ret_before = before;
	return 0;
}

void tty_restore(int fd, const struct termios *before)
{
	(void)tcsetattr(fd, TCSADRAIN, before);
}
