/*
 * What a key means: an answer where something is asked, something to be done with a message where
 * a mailbox is looked at and nothing is being typed, a place to go to, or editing of the input.
 */
#include "client/console/face_screen.h"

#include "base/timefmt.h"

enum { ANSWER_FROM_MS = 500, CANDIDATES_MAX = 16384 };

/* -- editing ------------------------------------------------------------------------------------
 */

/* The keys with names, as the line editor takes them. */
static const char *editing(uint32_t key)
{
	static const struct {
		uint32_t key;
		const char *bytes;
	} keys[] = {{FACE_KEY_UP, "\x1b[A"}, {FACE_KEY_DOWN, "\x1b[B"}, {FACE_KEY_RIGHT, "\x1b[C"},
		{FACE_KEY_LEFT, "\x1b[D"}, {FACE_KEY_HOME, "\x1b[H"}, {FACE_KEY_END, "\x1b[F"},
		{FACE_KEY_DELETE, "\x1b[3~"}, {FACE_KEY_BACKSPACE, "\x7f"},
		{FACE_KEY_WORD_RIGHT, "\x1b[1;5C"}, {FACE_KEY_WORD_LEFT, "\x1b[1;5D"}};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (keys[i].key == key)
			return keys[i].bytes;
	return NULL;
}

static void edit(struct face *f, uint32_t key)
{
	const char *bytes = editing(key);
	struct face_bytes typed;

	if (key >= FACE_KEY_ALT && key < FACE_KEY_ALT + 0x80) {
		/* Alt-b, Alt-f, Alt-d, Alt-Backspace */
		(void)line_key(&f->line, 0x1b);
		(void)line_key(&f->line, (unsigned char)(key - FACE_KEY_ALT));
		/* A sequence that it begins is not of the keyboard. */
		f->line.key_count = 0;
		return;
	}
	for (; bytes != NULL && *bytes != '\0'; bytes++)
		(void)line_key(&f->line, (unsigned char)*bytes);
	if (key >= FACE_KEY_NONE)
		return;
	typed = face_utf8(key);
	for (size_t i = 0; i < typed.len; i++)
		(void)line_key(&f->line, typed.p[i]);
}

static void complete(struct console *c, struct face *f)
{
	_cleanup_(buf_done) struct buf added = BUF_INIT(LINE_MAX_BYTES),
				       names = BUF_INIT((size_t)CANDIDATES_MAX);
	struct span before = span_of(f->line.text.p, f->line.cursor);

	if (!console_complete(c, before, &added, &names)) {
		face_notice(f, "nothing is known that begins so");
		return;
	}
	line_replace(&f->line, f->line.cursor, buf_span(&added));
	/* The only one says itself. */
	if (memchr(buf_str(&names), ' ', names.len) != NULL)
		buf_add(&f->notice, buf_span(&names));
}

static void enter(struct console *c, struct face *f)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(LINE_MAX_BYTES);
	struct place *p = c->current;
	uint64_t added = p->added;

	buf_add(&text, buf_span(&f->line.text));
	line_next(&f->line, true);
	if (text.len == 0 && p->kind == PLACE_MAILBOX) {
		if (p->count > 0)
			mail_open_line(c, p, p->lines[face_selected(p)].id);
		return;
	}
	/* Who says something looks at what is said. */
	if (p->kind != PLACE_LETTER && p->kind != PLACE_FILES)
		face_view_of(f, p)->follow = true;
	if (text.len > 0 || p->kind == PLACE_LETTER)
		console_line(c, buf_span(&text));
	/* And who writes a letter, at what is written. */
	if (c->current == p && p->kind == PLACE_LETTER && p->added == added + 1)
		face_view_of(f, p)->follow = true;
}

/* -- questions ----------------------------------------------------------------------------------
 */

static bool is_yes(uint32_t key)
{
	return key == 'y' || key == 'Y';
}

static bool is_no(uint32_t key)
{
	return key == 'n' || key == 'N';
}

/* A key that was on its way when the question came is no answer to it. */
static bool answered(struct console *c, struct face *f, uint32_t key)
{
	if (!is_yes(key) && !is_no(key))
		return false;
	if (f->paste_asks) {
		face_paste_answer(c, f, is_yes(key));
		return true;
	}
	if (*c->question == '\0' || f->line.text.len > 0 || strcmp(c->question, f->question) != 0 ||
		time_monotonic_ms() < f->question_ms + ANSWER_FROM_MS)
		return false;
	return console_answer(c, is_yes(key));
}

/* -- all ----------------------------------------------------------------------------------------
 */

bool face_act(struct console *c, const struct face_act *acts, uint32_t key)
{
	for (const struct face_act *a = acts; a->run != NULL; a++)
		if (a->key == key) {
			a->run(c, face_of(c));
			return true;
		}
	return false;
}

/* Keys that act only while nothing is being typed. */
static bool acts_on_place(struct console *c, struct face *f, uint32_t key)
{
	enum place_kind kind = c->current->kind;

	if (f->line.text.len > 0)
		return false;
	if (kind == PLACE_MAILBOX && face_act(c, face_mailbox_acts, key))
		return true;
	if (key == '?' && kind != PLACE_LETTER) {
		face_help_toggle(c, f);
		return true;
	}
	if (key == FACE_KEY_HOME || key == FACE_KEY_END) {
		(void)face_view_move(face_view_of(f, c->current), c->current,
			f->layout.body_columns, f->layout.body_rows,
			key == FACE_KEY_HOME ? -INT32_MAX : INT32_MAX);
		return true;
	}
	return false;
}

void face_key(struct console *c, uint32_t key)
{
	struct face *f = face_of(c);

	if (f->pasting || key == FACE_KEY_PASTE || key == FACE_KEY_PASTED) {
		face_paste_key(c, f, key);
		return;
	}
	buf_reset(&f->notice);
	f->tells_small = false;
	if (answered(c, f, key))
		return;
	if (f->paste_asks) {
		/* Any other key is no. */
		face_paste_answer(c, f, false);
		if (key == FACE_KEY_ESCAPE || key == FACE_KEY_ENTER)
			return;
	}
	if (f->help) {
		face_help_key(c, f, key);
		return;
	}
	if (acts_on_place(c, f, key) || face_act(c, face_acts, key))
		return;
	if (key == FACE_KEY_ENTER)
		enter(c, f);
	else if (key == '\t')
		complete(c, f);
	else if (key >= FACE_KEY_ALT + '0' && key <= FACE_KEY_ALT + '9')
		face_go_number(c, key - FACE_KEY_ALT - '0');
	else
		edit(f, key);
}
