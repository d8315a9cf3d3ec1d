/* The terminal of the view: keys one by one, its size, the alternate screen, a line that asks. */
#include "client/mail/screen.h"

#include "client/chat/safe.h"
#include "client/term/line.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>

enum { OUT_MAX = 4 << 20, ESCAPE_MS = 50, ROW_MAX = 65536, ROWS_MAX = 500, COLUMNS_MAX = 1000 };
enum { KEYBOARD = 1, RESIZED = 2 };

/* -- begin and end ------------------------------------------------------------------------------
 */

static void size_read(struct screen_term *t)
{
	t->rows = tty_rows(STDOUT_FILENO);
	t->columns = tty_columns(STDOUT_FILENO);
	/* Less than that cannot be drawn sensibly; more is not believed. */
	t->rows = t->rows < 5 ? 5 : t->rows > ROWS_MAX ? ROWS_MAX : t->rows;
	t->columns = t->columns < 20 ? 20 : t->columns > COLUMNS_MAX ? COLUMNS_MAX : t->columns;
}

int term_resume(struct screen_term *t)
{
	struct termios now;
	int r = tty_raw(STDIN_FILENO, &now);

	if (r < 0)
		return r;
	size_read(t);
	t->on = true;
	buf_add_str(&t->out, "\x1b[?1049h\x1b[?25l\x1b[2J");
	term_flush(t);
	return 0;
}

void term_pause(struct screen_term *t)
{
	if (!t->on)
		return;
	buf_add_str(&t->out, "\x1b[?25h\x1b[?1049l");
	term_flush(t);
	tty_restore(STDIN_FILENO, &t->cooked);
	t->on = false;
}

static int watch(struct screen_term *t, int fd, unsigned what)
{
	struct epoll_event e = {.events = EPOLLIN, .data = {.u32 = what}};

	return epoll_ctl(t->watch_fd, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static int begin(struct screen_term *t)
{
	sigset_t winch;
	int r;

	sigemptyset(&winch);
	sigaddset(&winch, SIGWINCH);
	if (tcgetattr(STDIN_FILENO, &t->cooked) < 0 || sigprocmask(SIG_BLOCK, &winch, NULL) < 0)
		return -errno;
	t->winch_fd = signalfd(-1, &winch, SFD_CLOEXEC | SFD_NONBLOCK);
	t->watch_fd = epoll_create1(EPOLL_CLOEXEC);
	if (t->winch_fd < 0 || t->watch_fd < 0)
		return -errno;
	r = watch(t, STDIN_FILENO, KEYBOARD);
	if (r == 0)
		r = watch(t, t->winch_fd, RESIZED);
	return r == 0 ? term_resume(t) : r;
}

int term_begin(const struct client *c, struct screen_term *ret)
{
	int r;

	*ret = (struct screen_term){
		.client = c, .winch_fd = -1, .watch_fd = -1, .out = BUF_INIT((size_t)OUT_MAX)};
	r = begin(ret);
	return r < 0 ? client_fail(ERR_EXIT_TEMP, "the terminal does not answer: %s", err_text(r))
		     : CLIENT_OK;
}

void term_end(struct screen_term *t)
{
	term_pause(t);
	cleanup_close(&t->winch_fd);
	cleanup_close(&t->watch_fd);
	buf_done(&t->out);
}

/* -- keys ---------------------------------------------------------------------------------------
 */

static int read_typed(struct screen_term *t)
{
	ssize_t n = read(STDIN_FILENO, t->typed, sizeof t->typed);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0)
		return -EPIPE;
	t->typed_at = 0;
	t->typed_count = (size_t)n;
	return 0;
}

/* The next byte; -EAGAIN none in that time, -EINTR the size has changed, -EPIPE leave. */
static int next_byte(struct screen_term *t, int wait_ms)
{
	struct signalfd_siginfo info;

	while (t->typed_at == t->typed_count) {
		struct pollfd p[3] = {{.fd = STDIN_FILENO, .events = POLLIN},
			{.fd = t->winch_fd, .events = POLLIN},
			{.fd = t->client->signal_fd, .events = POLLIN}};
		int n = poll(p, 3, wait_ms);

		if (n < 0 && errno != EINTR)
			return -EPIPE;
		if (n == 0)
			return -EAGAIN;
		if (p[2].revents != 0)
			return -EPIPE;
		if (p[1].revents != 0) {
			while (read(t->winch_fd, &info, sizeof info) == (ssize_t)sizeof info)
				continue;
			size_read(t);
			return -EINTR;
		}
		if (p[0].revents != 0 && read_typed(t) < 0)
			return -EPIPE;
	}
	return t->typed[t->typed_at++];
}

static uint32_t no_byte(int r)
{
	return r == -EAGAIN ? KEY_NONE : r == -EINTR ? KEY_RESIZE : KEY_GONE;
}

/* Behind "ESC [" or "ESC O": digits and the letter that ends it. */
static uint32_t sequence(struct screen_term *t)
{
	static const struct {
		const char *bytes;
		uint32_t key;
	} known[] = {{"A", KEY_UP}, {"B", KEY_DOWN}, {"C", KEY_RIGHT}, {"D", KEY_LEFT},
		{"H", KEY_HOME}, {"F", KEY_END}, {"M", KEY_ENTER}, {"1~", KEY_HOME},
		{"7~", KEY_HOME}, {"4~", KEY_END}, {"8~", KEY_END}, {"5~", KEY_PAGE_UP},
		{"6~", KEY_PAGE_DOWN}};
	char bytes[16] = "";
	int c;

	for (size_t n = 0; n < sizeof bytes - 1; n++) {
		c = next_byte(t, ESCAPE_MS);
		if (c < 0)
			return KEY_OTHER;
		bytes[n] = (char)c;
		if (c >= 0x40 && c <= 0x7e)
			break;
	}
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(bytes, known[i].bytes) == 0)
			return known[i].key;
	return KEY_OTHER;
}

/* The rest of a character of several bytes. */
static uint32_t character(struct screen_term *t, int lead)
{
	unsigned char bytes[4] = {(unsigned char)lead};
	size_t n = 1, wanted = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint32_t point;

	while (n < wanted) {
		int c = next_byte(t, ESCAPE_MS);

		if (c < 0)
			return KEY_OTHER;
		bytes[n++] = (unsigned char)c;
	}
	return width_char(span_of(bytes, n), &point) == n ? point : KEY_OTHER;
}

uint32_t term_key(struct screen_term *t, int wait_ms)
{
	int c = next_byte(t, wait_ms);

	if (c < 0)
		return no_byte(c);
	if (c == 0x1b) {
		c = next_byte(t, ESCAPE_MS);
		if (c < 0)
			return KEY_ESCAPE;
		return c == '[' || c == 'O' ? sequence(t) : KEY_OTHER;
	}
	if (c == '\r' || c == '\n')
		return KEY_ENTER;
	if (c == 0x7f || c == 0x08)
		return KEY_BACKSPACE;
	return c >= 0xc2 && c < 0xf5 ? character(t, c) : (uint32_t)c;
}

/* -- drawing ------------------------------------------------------------------------------------
 */

void term_row(struct screen_term *t, size_t row, enum screen_look look, struct span text)
{
	static const char *const looks[] = {[LOOK_PLAIN] = "",
		[LOOK_BAR] = "\x1b[7m",
		[LOOK_LOUD] = "\x1b[1;7m",
		[LOOK_BOLD] = "\x1b[1m"};
	_cleanup_(buf_done) struct buf clean = BUF_INIT(ROW_MAX);
	struct span shown;

	if (row >= t->rows)
		return;
	safe_text(&clean, text);
	shown = width_head(buf_span(&clean), t->columns);
	buf_addf(&t->out, "\x1b[%zu;1H\x1b[2K%s", row + 1, looks[look]);
	buf_add(&t->out, shown);
	if (look == LOOK_BAR || look == LOOK_LOUD)
		for (size_t i = width_of(shown); i < t->columns; i++)
			buf_add_byte(&t->out, ' ');
	buf_add_str(&t->out, "\x1b[0m");
}

void term_flush(struct screen_term *t)
{
	/* A terminal that is gone shows when keys are read. */
	if (buf_error(&t->out) == 0)
		(void)file_write_all(STDOUT_FILENO, buf_span(&t->out));
	buf_reset(&t->out);
}

/* -- asking -------------------------------------------------------------------------------------
 */

static void ask_draw(struct screen_term *t, const struct line *l, const char *question)
{
	buf_addf(&t->out, "\x1b[%zu;1H\x1b[?25h", t->rows);
	line_draw(l, question, t->columns, &t->out);
	term_flush(t);
}

static bool ask_loop(struct screen_term *t, struct line *l, const char *question)
{
	for (;;) {
		enum line_event e;
		int c;

		ask_draw(t, l, question);
		/* ESC alone gives up; the beginning of a sequence does not. */
		c = next_byte(t, l->key_count == 1 && l->keys[0] == 0x1b ? ESCAPE_MS : -1);
		if (c == -EINTR)
			continue;
		if (c < 0)
			return false;
		e = line_key(l, (unsigned char)c);
		if (e == LINE_ENTER)
			return true;
		if (e == LINE_INTERRUPT || e == LINE_END || c == 0x07)
			return false;
	}
}

bool term_ask(struct screen_term *t, const char *question, struct buf *ret)
{
	struct line l = LINE_INIT;
	bool done;

	line_next(&l, false);
	line_replace(&l, 0, buf_span(ret));
	done = ask_loop(t, &l, question);
	if (done) {
		buf_reset(ret);
		buf_add(ret, span_trim(buf_span(&l.text)));
	}
	line_done(&l);
	buf_add_str(&t->out, "\x1b[?25l");
	return done;
}

/* -- what functions tell ------------------------------------------------------------------------
 */

void hush_begin(struct screen_hush *h)
{
	(void)fflush(stdout);
	h->memory_fd = memfd_create("told", MFD_CLOEXEC);
	h->out_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	h->err_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (h->memory_fd < 0 || h->out_fd < 0 || h->err_fd < 0)
		return;
	(void)dup2(h->memory_fd, STDOUT_FILENO);
	(void)dup2(h->memory_fd, STDERR_FILENO);
}

static void last_line(struct span text, char *ret, size_t size)
{
	struct span line, last = {NULL, 0};

	while (span_split(&text, '\n', &line))
		if (span_trim(line).len > 0)
			last = span_trim(line);
	if (span_starts(last, "quintet: "))
		last = span_of(last.p + strlen("quintet: "), last.len - strlen("quintet: "));
	last.len = last.len < size ? last.len : size - 1;
	if (last.p != NULL)
		memcpy(ret, last.p, last.len);
	ret[last.len] = '\0';
	safe_end(ret);
}

void hush_end(struct screen_hush *h, char *ret, size_t size)
{
	char text[4096];
	ssize_t n = 0;

	(void)fflush(stdout);
	if (h->out_fd >= 0)
		(void)dup2(h->out_fd, STDOUT_FILENO);
	if (h->err_fd >= 0)
		(void)dup2(h->err_fd, STDERR_FILENO);
	if (h->memory_fd >= 0) {
		off_t end = lseek(h->memory_fd, 0, SEEK_END);
		off_t from = end > (off_t)sizeof text ? end - (off_t)sizeof text : 0;

		n = pread(h->memory_fd, text, sizeof text, from);
	}
	last_line(span_of(text, n > 0 ? (size_t)n : 0), ret, size);
	cleanup_close(&h->memory_fd);
	cleanup_close(&h->out_fd);
	cleanup_close(&h->err_fd);
}
