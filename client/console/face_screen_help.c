/* The page of keys and commands, in the place of what is looked at. */
#include "client/console/face_screen.h"

enum { NAME_COLUMNS = 30, LEAST_COLUMNS = 60 };

/* "  name      what it does", the second below the first where there is no room beside it. */
static void add_row(struct buf *b, size_t columns, const char *name, const char *help)
{
	size_t used = face_width(span_str(name)) + 2;
	size_t indent = columns >= LEAST_COLUMNS ? NAME_COLUMNS : columns > 20 ? 6 : 1;
	struct span rest = span_str(help);

	buf_addf(b, "  %s", name);
	if (used + 1 > indent) {
		buf_add_byte(b, '\n');
		used = 0;
	}
	do {
		buf_addf(b, "%*s", (int)(indent - used), "");
		if (rest.len > 0)
			buf_add(b, face_wrap(&rest, columns > indent ? columns - indent : 1));
		buf_add_byte(b, '\n');
		used = 0;
	} while (rest.len > 0);
}

static void add_acts(struct buf *b, size_t columns, const struct face_act *acts)
{
	for (; acts->run != NULL; acts++)
		if (acts->name != NULL)
			add_row(b, columns, acts->name, acts->help);
}

static void add_editing(struct buf *b, size_t columns)
{
	static const char *const keys[][2] = {
		{"Enter", "send the line, or run the /command"},
		{"Tab", "complete a command, a nick, a channel, a file"},
		{"Up, Down", "lines typed before"},
		{"Left, Right, Home, End", "move; with Ctrl by words"},
		{"Ctrl-W, Ctrl-U, Ctrl-K", "delete the word, to the beginning, to the end"},
		{"Ctrl-Y", "put back what was deleted so"},
		{"y, n", "answer a question, on an empty line"},
	};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		add_row(b, columns, keys[i][0], keys[i][1]);
}

static void add_commands(struct buf *b, size_t columns)
{
	for (const struct console_table *t = console_tables(); t->title != NULL; t++) {
		buf_addf(b, "\nCommands of %s\n", t->title);
		for (const struct console_command *k = t->rows; k->name != NULL; k++) {
			char name[256];

			(void)snprintf(name, sizeof name, "/%s%s%s", k->name,
				k->usage[0] != '\0' ? " " : "", k->usage);
			add_row(b, columns, name, k->help);
		}
	}
}

static void make(struct face *f)
{
	size_t columns = f->layout.body_columns;
	struct buf *b = &f->help_text;

	buf_reset(b);
	buf_add_str(b, "Keys\n");
	add_acts(b, columns, face_acts);
	add_row(b, columns, "Alt-1 .. Alt-9", "the place of that number; Alt-0 is the house");
	buf_add_str(b, "\nThe line that is typed\n");
	add_editing(b, columns);
	buf_add_str(b, "\nIn a mailbox, on an empty line\n");
	add_row(b, columns, "Enter", "read the selected message");
	add_acts(b, columns, face_mailbox_acts);
	add_commands(b, columns);
}

static size_t rows_of(const struct face *f)
{
	size_t count = 0;

	for (size_t i = 0; i < f->help_text.len; i++)
		count += f->help_text.p[i] == '\n';
	return count;
}

void face_help_toggle(struct console *c, struct face *f)
{
	(void)c;
	f->help = !f->help;
	f->help_top = 0;
}

static void scroll(struct face *f, long rows)
{
	size_t all = rows_of(f), page = f->layout.body_rows;
	size_t last = all > page ? all - page : 0;

	if (rows < 0)
		f->help_top = f->help_top > (size_t)-rows ? f->help_top - (size_t)-rows : 0;
	else
		f->help_top += (size_t)rows;
	if (f->help_top > last)
		f->help_top = last;
}

/* Keys of paging; every other one ends it, and what switches places does. */
void face_help_key(struct console *c, struct face *f, uint32_t key)
{
	long page = f->layout.body_rows > 2 ? (long)f->layout.body_rows - 1 : 1;

	switch (key) {
	case FACE_KEY_UP:
		scroll(f, -1);
		break;
	case FACE_KEY_DOWN:
	case FACE_KEY_ENTER:
		scroll(f, 1);
		break;
	case FACE_KEY_PAGE_UP:
		scroll(f, -page);
		break;
	case FACE_KEY_PAGE_DOWN:
	case ' ':
		scroll(f, page);
		break;
	case FACE_KEY_HOME:
		f->help_top = 0;
		break;
	case FACE_KEY_END:
		scroll(f, INT32_MAX);
		break;
	default:
		f->help = false;
		if (key != 'q' && key != '?' && key != FACE_KEY_ESCAPE && key != FACE_KEY_F1)
			face_key(c, key);
		break;
	}
}

void face_help_draw(struct face *f)
{
	const struct face_layout *l = &f->layout;
	struct span rest, row;
	size_t at = 0;

	make(f);
	scroll(f, 0);
	rest = buf_span(&f->help_text);
	while (at < f->help_top && span_split(&rest, '\n', &row))
		at++;
	for (size_t i = 0; i < l->body_rows; i++) {
		enum face_look look;

		row = span_of(NULL, 0);
		(void)span_split(&rest, '\n', &row);
		look = row.len > 0 && row.p[0] != ' ' ? FACE_HEAD : FACE_PLAIN;
		face_term_put(
			&f->term, look, l->body_row + i, l->body_column, l->body_columns, row);
	}
	if (at + l->body_rows < rows_of(f) && l->body_rows > 2)
		face_term_put(&f->term, FACE_BAR, l->body_row + l->body_rows - 1, l->body_column,
			l->body_columns, SPAN_LIT("-- more below (PageDown); q goes back --"));
}
