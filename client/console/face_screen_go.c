/* Keys that go somewhere: pages, places, messages of a mailbox; and the few that do something. */
#include "client/console/face_screen.h"

enum { CTRL_C = 0x03, CTRL_D = 0x04, CTRL_L = 0x0c, CTRL_N = 0x0e, CTRL_P = 0x10, CTRL_Z = 0x1a };

static void say(struct console *c, const char *line)
{
	console_line(c, span_str(line));
}

/* -- pages --------------------------------------------------------------------------------------
 */

static long page_of(const struct face *f)
{
	return f->layout.body_rows > 3 ? (long)f->layout.body_rows - 2 : 1;
}

static void move(struct console *c, struct face *f, long rows)
{
	struct place *p = c->current;

	if (p->kind == PLACE_MAILBOX) {
		face_select(p, rows);
		return;
	}
	if (!face_view_move(
		    face_view_of(f, p), p, f->layout.body_columns, f->layout.body_rows, rows) &&
		rows < 0 && (p->kind == PLACE_CHANNEL || p->kind == PLACE_PERSON))
		chat_older(c, p);
}

static void page_up(struct console *c, struct face *f)
{
	move(c, f, -page_of(f));
}

static void page_down(struct console *c, struct face *f)
{
	move(c, f, page_of(f));
}

static void to_end(struct console *c, struct face *f)
{
	if (c->current->kind != PLACE_MAILBOX)
		face_view_of(f, c->current)->follow = true;
}

/* -- places -------------------------------------------------------------------------------------
 */

static void step(struct console *c, size_t by)
{
	for (size_t i = 0; i < c->place_count; i++)
		if (c->places[i] == c->current) {
			place_show(c, c->places[(i + by) % c->place_count]);
			return;
		}
}

static void next_place(struct console *c, struct face *f)
{
	(void)f;
	step(c, 1);
}

static void previous_place(struct console *c, struct face *f)
{
	(void)f;
	step(c, c->place_count - 1);
}

static void next_unread(struct console *c, struct face *f)
{
	(void)f;
	say(c, "/next");
}

void face_go_number(struct console *c, unsigned number)
{
	struct place *p = place_number(c, number);

	if (p != NULL)
		place_show(c, p);
	else
		face_notice(face_of(c), "there is no place %u", number);
}

/* -- the program --------------------------------------------------------------------------------
 */

static void forget_line(struct console *c, struct face *f)
{
	(void)c;
	if (f->line.text.len > 0)
		line_next(&f->line, true);
	else
		face_notice(f, "Ctrl-D or /quit leaves.");
}

/* On a line that is being typed it deletes the character at the cursor. */
static void leave(struct console *c, struct face *f)
{
	if (f->line.text.len == 0)
		say(c, "/quit");
	else
		(void)line_key(&f->line, CTRL_D);
}

static void draw_anew(struct console *c, struct face *f)
{
	(void)c;
	face_term_size(&f->term);
}

static void suspend(struct console *c, struct face *f)
{
	(void)f;
	face_suspend(c);
}

/* -- messages -----------------------------------------------------------------------------------
 */

static void message_run(struct console *c, const char *command)
{
	const struct place *p = c->current;
	char line[64];

	if (p->count == 0)
		return;
	(void)snprintf(
		line, sizeof line, "/%s %u", command, (unsigned)p->lines[face_selected(p)].id);
	say(c, line);
}

static void select_up(struct console *c, struct face *f)
{
	(void)f;
	face_select(c->current, -1);
}

static void select_down(struct console *c, struct face *f)
{
	(void)f;
	face_select(c->current, 1);
}

static void select_first(struct console *c, struct face *f)
{
	(void)f;
	face_select(c->current, -INT32_MAX);
}

static void select_last(struct console *c, struct face *f)
{
	(void)f;
	face_select(c->current, INT32_MAX);
}

static void reply(struct console *c, struct face *f)
{
	(void)f;
	message_run(c, "reply");
}

static void delete_message(struct console *c, struct face *f)
{
	(void)f;
	message_run(c, "delete");
}

static void flag(struct console *c, struct face *f)
{
	(void)f;
	message_run(c, "flag");
}

static void unread(struct console *c, struct face *f)
{
	(void)f;
	message_run(c, "unread");
}

static void write_letter(struct console *c, struct face *f)
{
	(void)c;
	line_replace(&f->line, f->line.cursor, SPAN_LIT("/write "));
}

/* -- tables -------------------------------------------------------------------------------------
 */

const struct face_act face_mailbox_acts[] = {
	{FACE_KEY_UP, select_up, "Up, Down", "select a message"},
	{FACE_KEY_DOWN, select_down, NULL, NULL},
	{FACE_KEY_HOME, select_first, "Home, End", "the oldest, the newest"},
	{FACE_KEY_END, select_last, NULL, NULL},
	{'r', reply, "r", "reply"},
	{'d', delete_message, "d", "delete"},
	{'f', flag, "f", "flag"},
	{'u', unread, "u", "mark as unread"},
	{'w', write_letter, "w", "write a new letter"},
	{0, NULL, NULL, NULL},
};

const struct face_act face_acts[] = {
	{FACE_KEY_F1, face_help_toggle, "F1, or ? on an empty line", "this page"},
	{FACE_KEY_PAGE_UP, page_up, "PageUp, PageDown", "scroll; older lines are fetched"},
	{FACE_KEY_PAGE_DOWN, page_down, NULL, NULL},
	{FACE_KEY_ESCAPE, to_end, "Esc", "back to the newest line"},
	{CTRL_N, next_place, "Ctrl-N, Ctrl-P", "the next, the previous place"},
	{CTRL_P, previous_place, NULL, NULL},
	{FACE_KEY_ALT + 'a', next_unread, "Alt-A", "the next place with something unread"},
	{CTRL_C, forget_line, "Ctrl-C", "forget the line that is typed"},
	{CTRL_L, draw_anew, "Ctrl-L", "draw the screen anew"},
	{CTRL_Z, suspend, "Ctrl-Z", "back to the shell, until fg"},
	{CTRL_D, leave, "Ctrl-D on an empty line", "leave"},
	{0, NULL, NULL, NULL},
};
