/*
 * The terminal, by ncursesw. It is asked for keys without waiting, told what stands where, and
 * sends what is different. Its macros do not meet the rest of the program.
 */
#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS 1

#include "client/console/face_screen.h"
#include "client/term/tty.h"

#include "base/file.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>

enum { ESCAPE_MS = 25, OWN_KEYS = 0x4000, SIZE_MOST = 1000, BROKEN_MOST = 64 };

_Static_assert(FACE_CELL_POINTS == CCHARW_MAX, "a cell is ncurses's");

/* -- keys ---------------------------------------------------------------------------------------
 */

/* What terminals send, whatever terminfo says of them. */
static const struct {
	const char *bytes;
	uint32_t key;
} sequences[] = {{"\x1b[A", FACE_KEY_UP}, {"\x1b[B", FACE_KEY_DOWN}, {"\x1b[C", FACE_KEY_RIGHT},
	{"\x1b[D", FACE_KEY_LEFT}, {"\x1bOA", FACE_KEY_UP}, {"\x1bOB", FACE_KEY_DOWN},
	{"\x1bOC", FACE_KEY_RIGHT}, {"\x1bOD", FACE_KEY_LEFT}, {"\x1b[H", FACE_KEY_HOME},
	{"\x1b[F", FACE_KEY_END}, {"\x1bOH", FACE_KEY_HOME}, {"\x1bOF", FACE_KEY_END},
	{"\x1b[1~", FACE_KEY_HOME}, {"\x1b[4~", FACE_KEY_END}, {"\x1b[7~", FACE_KEY_HOME},
	{"\x1b[8~", FACE_KEY_END}, {"\x1b[3~", FACE_KEY_DELETE}, {"\x1b[5~", FACE_KEY_PAGE_UP},
	{"\x1b[6~", FACE_KEY_PAGE_DOWN}, {"\x1bOP", FACE_KEY_F1}, {"\x1b[11~", FACE_KEY_F1},
	{"\x1b[[A", FACE_KEY_F1}, {"\x1b[1;5C", FACE_KEY_WORD_RIGHT},
	{"\x1b[1;5D", FACE_KEY_WORD_LEFT}, {"\x1b[1;3C", FACE_KEY_WORD_RIGHT},
	{"\x1b[1;3D", FACE_KEY_WORD_LEFT}, {"\x1b[200~", FACE_KEY_PASTE},
	{"\x1b[201~", FACE_KEY_PASTED}};

static void keys_define(void)
{
	for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++)
		(void)define_key(sequences[i].bytes, OWN_KEYS + (int)i);
}

static uint32_t named(wint_t code)
{
	static const struct {
		int code;
		uint32_t key;
	} codes[] = {{KEY_UP, FACE_KEY_UP}, {KEY_DOWN, FACE_KEY_DOWN}, {KEY_LEFT, FACE_KEY_LEFT},
		{KEY_RIGHT, FACE_KEY_RIGHT}, {KEY_HOME, FACE_KEY_HOME}, {KEY_END, FACE_KEY_END},
		{KEY_PPAGE, FACE_KEY_PAGE_UP}, {KEY_NPAGE, FACE_KEY_PAGE_DOWN},
		{KEY_DC, FACE_KEY_DELETE}, {KEY_BACKSPACE, FACE_KEY_BACKSPACE},
		{KEY_ENTER, FACE_KEY_ENTER}, {KEY_F(1), FACE_KEY_F1}};

	if (code >= OWN_KEYS && code - OWN_KEYS < sizeof sequences / sizeof sequences[0])
		return sequences[code - OWN_KEYS].key;
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (code == (wint_t)codes[i].code)
			return codes[i].key;
	return FACE_KEY_OTHER;
}

static uint32_t character(wint_t c)
{
	switch (c) {
	case '\r':
	case '\n':
		return FACE_KEY_ENTER;
	case 0x7f:
	case '\b':
		return FACE_KEY_BACKSPACE;
	default:
		return c < FACE_KEY_NONE ? (uint32_t)c : FACE_KEY_OTHER;
	}
}

/* As get_wch(), but bytes that are no character end nothing. */
static int get(wint_t *ret)
{
	for (int i = 0; i < BROKEN_MOST; i++) {
		struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
		int r = wget_wch(stdscr, ret);

		if (r != ERR || poll(&p, 1, 0) <= 0 || (p.revents & POLLIN) == 0)
			return r;
	}
	return ERR;
}

/* A character behind it is one with Alt, and so are the arrows on some terminals; another key is
 * one of its own. */
static uint32_t behind_escape(void)
{
	wint_t c = 0;
	int r = get(&c);

	if (r == ERR)
		return FACE_KEY_ESCAPE;
	if (r != KEY_CODE_YES && c != 0x1b)
		return FACE_KEY_ALT + (uint32_t)(c < FACE_KEY_NONE ? c : 0);
	if (r == KEY_CODE_YES && named(c) == FACE_KEY_LEFT)
		return FACE_KEY_WORD_LEFT;
	if (r == KEY_CODE_YES && named(c) == FACE_KEY_RIGHT)
		return FACE_KEY_WORD_RIGHT;
	(void)ungetch((int)c);
	return FACE_KEY_ESCAPE;
}

uint32_t face_term_key(struct face_term *t)
{
	wint_t c = 0;
	int r;

	if (!t->on)
		return FACE_KEY_NONE;
	r = get(&c);
	if (r == ERR)
		return FACE_KEY_NONE;
	if (r == KEY_CODE_YES)
		return named(c);
	if (c != 0x1b)
		return character(c);
	return behind_escape();
}

/* -- begin and end ------------------------------------------------------------------------------
 */

/* A locale that was not set is no reason to show question marks. */
static void locale_take(struct face_term *t)
{
	const char *name = setlocale(LC_CTYPE, "");

	if (name == NULL || strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0)
		(void)setlocale(LC_CTYPE, "C.UTF-8");
	t->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void colours_take(struct face_term *t)
{
	static const struct {
		enum face_look look;
		short colour;
	} pairs[] = {{FACE_OWN, COLOR_CYAN}, {FACE_LOUD, COLOR_YELLOW}, {FACE_ERROR, COLOR_RED},
		{FACE_HEAD, COLOR_GREEN}};
	const char *no = getenv("NO_COLOR");

	if ((no != NULL && *no != '\0') || !has_colors() || start_color() == ERR ||
		use_default_colors() == ERR)
		return;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		if (init_pair((short)pairs[i].look, pairs[i].colour, -1) == ERR)
			return;
	t->colours = true;
}

/* Pasted text is told from typed one; terminals that do not know it do nothing. */
static void paste_tell(bool on)
{
	(void)file_write_all(STDOUT_FILENO, on ? SPAN_LIT("\x1b[?2004h") : SPAN_LIT("\x1b[?2004l"));
}

static void modes_set(void)
{
	(void)raw();
	(void)noecho();
	(void)nonl();
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	(void)intrflush(stdscr, FALSE);
	(void)scrollok(stdscr, FALSE);
	(void)set_escdelay(ESCAPE_MS);
}

static void size_read(struct face_term *t)
{
	size_t rows = tty_rows(STDOUT_FILENO), columns = tty_columns(STDOUT_FILENO);

	t->rows = rows < SIZE_MOST ? rows : SIZE_MOST;
	t->columns = columns < SIZE_MOST ? columns : SIZE_MOST;
}

int face_term_begin(struct face_term *t)
{
	const char *name = getenv("TERM");

	*t = (struct face_term){.screen = NULL};
	locale_take(t);
	if (face_rescue_begin())
		t->screen = newterm(NULL, stdout, stdin);
	if (t->screen == NULL)
		return client_fail(ERR_EXIT_CONFIG,
			"this terminal (TERM is \"%s\") cannot show a screen; try quintet --plain",
			name != NULL ? name : "");
	/* The face suspends by itself, and ncurses's handler is not for a program with signalfd(2).
	 */
	(void)signal(SIGTSTP, SIG_DFL);
	modes_set();
	keys_define();
	colours_take(t);
	t->on = true;
	face_rescue_on(true);
	face_term_size(t);
	paste_tell(true);
	return CLIENT_OK;
}

void face_term_pause(struct face_term *t)
{
	if (!t->on)
		return;
	t->on = false;
	paste_tell(false);
	(void)endwin();
	(void)fflush(stdout);
	face_rescue_on(false);
}

void face_term_resume(struct face_term *t)
{
	if (t->on || t->screen == NULL)
		return;
	t->on = true;
	face_rescue_on(true);
	/* The first drawing ends what endwin() began. */
	(void)wrefresh(stdscr);
	modes_set();
	face_term_size(t);
	face_term_anew(t);
	paste_tell(true);
}

void face_term_end(struct face_term *t)
{
	face_term_pause(t);
	if (t->screen != NULL)
		delscreen(t->screen);
	t->screen = NULL;
}

void face_term_size(struct face_term *t)
{
	size_read(t);
	(void)resize_term((int)t->rows, (int)t->columns);
	face_term_anew(t);
}

void face_term_anew(struct face_term *t)
{
	if (t->on)
		(void)clearok(curscr, TRUE);
}

/* -- drawing ------------------------------------------------------------------------------------
 */

static attr_t attributes(const struct face_term *t, enum face_look look)
{
	static const attr_t plain[FACE_LOOKS] = {[FACE_LOUD] = A_BOLD,
		[FACE_ERROR] = A_BOLD,
		[FACE_HEAD] = A_BOLD,
		[FACE_BAR] = A_REVERSE,
		[FACE_ALARM] = A_REVERSE | A_BOLD};

	/* Colour and dimness do not go together on every terminal. */
	return look == FACE_QUIET && t->colours ? A_DIM : plain[look];
}

static short pair_of(const struct face_term *t, enum face_look look)
{
	bool coloured =
		look == FACE_OWN || look == FACE_LOUD || look == FACE_ERROR || look == FACE_HEAD;

	if (!t->colours || !coloured)
		return 0;
	return (short)look;
}

void face_term_put(struct face_term *t, enum face_look look, size_t row, size_t column,
	size_t columns, struct span text)
{
	attr_t attrs = attributes(t, look);
	short pair = pair_of(t, look);
	cchar_t blank, cell;

	if (row >= t->rows || column >= t->columns || wmove(stdscr, (int)row, (int)column) == ERR)
		return;
	if (columns > t->columns - column)
		columns = t->columns - column;
	(void)setcchar(&blank, L" ", attrs, pair, NULL);
	while (columns > 0) {
		struct face_cell c = {.columns = 1};

		if (text.len > 0) {
			size_t len = face_cell(text, &c);

			text = span_of(text.p + len, text.len - len);
		}
		if (c.columns > columns)
			text.len = 0;
		if (c.points[0] == 0 || c.columns > columns ||
			setcchar(&cell, c.points, attrs, pair, NULL) == ERR) {
			c.columns = 1;
			cell = blank;
		}
		/* The last cell of all is written, and then told to be an error. */
		(void)wadd_wch(stdscr, &cell);
		columns -= c.columns;
	}
}

void face_term_show(struct face_term *t, size_t row, size_t column)
{
	if (!t->on)
		return;
	if (row < t->rows && column < t->columns)
		(void)wmove(stdscr, (int)row, (int)column);
	(void)wnoutrefresh(stdscr);
	(void)doupdate();
}
