/* A terminal that lines are drawn on again and again, each over what stood there. */
#include "top.h"

#include "base/file.h"
#include "base/timefmt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

#define ENTER "\033[?1049h\033[?25l" /* another screen, no cursor */
#define LEAVE "\033[?25h\033[?1049l"
#define LINES_MAX (4u << 20)

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

/* That it came ends the wait. */
static void resize(int signal_number)
{
	(void)signal_number;
}

static void catch_signals(void)
{
	struct sigaction end = {.sa_handler = stop}, size = {.sa_handler = resize};

	stopped = 0;
	(void)sigaction(SIGINT, &end, NULL);
	(void)sigaction(SIGTERM, &end, NULL);
	(void)sigaction(SIGHUP, &end, NULL);
	(void)sigaction(SIGWINCH, &size, NULL);
}

/* So many bytes of a line as fit into columns, characters whole. */
static size_t fitting(struct span line, size_t columns)
{
	size_t at = 0, seen = 0;

	for (; at < line.len; at++)
		if ((line.p[at] & 0xc0) != 0x80 && ++seen > columns)
			break;
	return at;
}

/* Every line clears what is left of it, the last one what is below: nothing flickers. */
static int show(const struct buf *lines)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(LINES_MAX);
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	struct span rest = buf_span(lines), line;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
		size = (struct winsize){.ws_row = 24, .ws_col = 80};
	buf_add_str(&out, "\033[H");
	for (unsigned row = 0; row < size.ws_row && span_split(&rest, '\n', &line); row++) {
		if (row > 0)
			buf_add_str(&out, "\r\n");
		buf_add(&out, span_of(line.p, fitting(line, size.ws_col)));
		buf_add_str(&out, "\033[K");
	}
	buf_add_str(&out, "\033[J");
	if (buf_error(&out) != 0)
		return buf_error(&out);
	return file_write_all(STDOUT_FILENO, buf_span(&out));
}

/* A key, 0 when the time is over. */
static char wait_for_key(int64_t until_ms)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	int64_t left_ms = until_ms - time_monotonic_ms();
	char key = 0;
	int r;

	if (left_ms <= 0)
		return 0;
	r = poll(&p, 1, (int)left_ms);
	if (r <= 0)
		return 0;
	if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q' || key == 4)
		stopped = 1;
	return key;
}

static int go_on(
	unsigned interval_s, int (*draw)(void *arg, char key, struct buf *lines), void *arg)
{
	_cleanup_(buf_done) struct buf lines = BUF_INIT(LINES_MAX);
	char key = 0;
	int r = 0;

	while (r >= 0 && !stopped) {
		buf_reset(&lines);
		r = draw(arg, key, &lines);
		if (r == 0)
			r = show(&lines);
		if (r == 0)
			key = wait_for_key(time_monotonic_ms() + (int64_t)interval_s * 1000);
	}
	return r;
}

int top_screen(unsigned interval_s, int (*draw)(void *arg, char key, struct buf *lines), void *arg)
{
	struct termios before, now;
	const bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	int r;

	catch_signals();
	if (terminal) {
		now = before;
		now.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
		now.c_cc[VMIN] = 1;
		now.c_cc[VTIME] = 0;
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &now);
	}
	(void)fflush(stdout);
	r = file_write_all(STDOUT_FILENO, SPAN_LIT(ENTER));
	if (r == 0)
		r = go_on(interval_s, draw, arg);
	(void)file_write_all(STDOUT_FILENO, SPAN_LIT(LEAVE));
	if (terminal)
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	return r;
}
