/* What the plain face prints, each line once. */
#include "client/console/face_plain.h"

#include "base/file.h"
#include "base/timefmt.h"
#include "client/chat/safe.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

enum { OUT_MAX = 8 << 20, LIST_SHOWN = 20, TALK_SHOWN = 10, PROGRESS_MS = 15000 };

static void put(struct plain *f, struct span text)
{
	if (f->drawn)
		buf_add_str(&f->out, "\r\x1b[K");
	f->drawn = false;
	f->redraw = true;
	/* Most of it is clean; names, and why a transfer failed, are as they came. */
	safe_text(&f->out, text);
	buf_add_str(&f->out, "\n");
}

void plain_line(struct plain *f, const char *format, ...)
{
	char text[8 * CONSOLE_TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	put(f, span_str(text));
}

/* -- the line of the person -------------------------------------------------------------------- */

static void prompt_make(const struct console *c, struct buf *b)
{
	size_t places = 0;

	for (size_t i = 0; i < c->place_count; i++)
		places += c->places[i] != c->current && c->places[i]->unread > 0 ? 1 : 0;
	if (places > 0)
		buf_addf(b, "(unread in %zu) ", places);
	if (c->question[0] != '\0')
		buf_add_str(b, "yes or no? ");
	safe_word(b, c->current->name);
	buf_add_str(b, "> ");
}

void plain_flush(struct console *c)
{
	_cleanup_(buf_done) struct buf prompt = BUF_INIT(4096);
	struct plain *f = plain_of(c);

	if (f->editing && f->redraw && !c->leaving) {
		f->columns = tty_columns(STDOUT_FILENO);
		prompt_make(c, &prompt);
		line_draw(&f->line, buf_str(&prompt), f->columns, &f->out);
		f->drawn = true;
	}
	f->redraw = false;
	if (f->out.len > 0 && file_write_all(STDOUT_FILENO, buf_span(&f->out)) < 0 && !c->leaving)
		console_leave(c, ERR_EXIT_TEMP);
	buf_reset(&f->out);
}

/* -- lines ------------------------------------------------------------------------------------- */

/* Where it was said, and by whom: "#lobby ann: ", "private ann: ", "call to ann bob: ". */
static void said_put(const struct place *p, const struct place_line *l, struct buf *b)
{
	const char *to = l->look == LINE_OWN ? "to " : "", *name = p->name;

	if (p->kind == PLACE_CHANNEL)
		buf_addf(b, "%s ", name);
	else if (p->kind == PLACE_PERSON)
		buf_addf(b, "private %s%s%s", to, *to != '\0' ? name : "", *to != '\0' ? " " : "");
	else if (p->kind == PLACE_CALL)
		buf_addf(b, "call %s%s%s", to, *to != '\0' ? name + 1 : "", *to != '\0' ? " " : "");
	buf_addf(b, l->who[0] == '*' ? "%s " : "%s: ", l->who);
}

/* Nobody's words. */
static void told_put(const struct place *p, const struct place_line *l, struct buf *b)
{
	if (p->kind == PLACE_CHANNEL)
		buf_addf(b, "%s: ", p->name);
	else if (p->kind == PLACE_PERSON)
		buf_addf(b, "with %s: ", p->name);
	else if (p->kind == PLACE_CALL)
		buf_addf(b, "in the call with %s: ", p->name + 1);
	if (l->look == LINE_ERROR)
		buf_add_str(b, "error: ");
}

static void line_put(struct plain *f, const struct place *p, const struct place_line *l)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);

	(l->who[0] != '\0' ? said_put : told_put)(p, l, &b);
	buf_add_str(&b, l->text);
	put(f, buf_span(&b));
}

/* What is read as a whole is printed when it is looked at, see plain_place(). */
static bool is_page(const struct place *p)
{
	return p->kind == PLACE_MAILBOX || p->kind == PLACE_LETTER || p->kind == PLACE_FILES;
}

void plain_line_added(struct console *c, const struct place *p, const struct place_line *l)
{
	bool here = p == c->current || p->kind == PLACE_HOUSE;

	if (is_page(p) || (l->look == LINE_QUIET && !here))
		return;
	line_put(plain_of(c), p, l);
}

void plain_older_added(struct console *c, const struct place *p, size_t count)
{
	struct plain *f = plain_of(c);

	plain_line(f, "%s, older:", p->name);
	for (size_t i = 0; i < count && i < p->count; i++)
		line_put(f, p, &p->lines[i]);
	plain_line(f, "%s, end of older", p->name);
}

/* -- what is looked at ------------------------------------------------------------------------- */

static void head_put(struct plain *f, const struct place *p)
{
	plain_line(f, "now at %s%s%s%s", p->name, p->title[0] != '\0' ? ", " : "", p->title,
		p->gone ? " (not there now)" : "");
}

static void tail_put(struct plain *f, const struct place *p, size_t most)
{
	for (size_t i = p->count > most ? p->count - most : 0; i < p->count; i++)
		line_put(f, p, &p->lines[i]);
}

static void page_put(struct plain *f, const struct place *p)
{
	if (p->count < f->printed)
		f->printed = 0;
	/* What one types oneself stands there already. */
	for (; f->printed < p->count; f->printed++)
		if (p->lines[f->printed].look != LINE_OWN)
			line_put(f, p, &p->lines[f->printed]);
}

void plain_place(struct console *c)
{
	struct plain *f = plain_of(c);
	const struct place *p = c->current;
	bool fresh = f->shows != c->shows;

	/* A mailbox may be on its way. */
	if (fresh && p->kind == PLACE_MAILBOX && c->parts[PART_MAIL].busy > 0)
		return;
	f->shows = c->shows;
	if (fresh) {
		head_put(f, p);
		f->printed = 0;
	}
	if (p->kind == PLACE_LETTER || p->kind == PLACE_FILES)
		page_put(f, p);
	else if (fresh && p->kind == PLACE_MAILBOX)
		tail_put(f, p, LIST_SHOWN);
	else if (fresh && p->kind != PLACE_HOUSE && !c->scripted)
		tail_put(f, p, TALK_SHOWN);
}

/* -- transfers --------------------------------------------------------------------------------- */

static struct plain_told *told_of(struct plain *f, const struct transfer *t)
{
	struct plain_told *k = &f->told[t->number % CONSOLE_TRANSFERS_MAX];

	if (k->number != t->number)
		*k = (struct plain_told){.number = t->number, .state = -1};
	return k;
}

static int quarter_of(const struct transfer *t)
{
	return t->size > 0 ? (int)((double)t->at / (double)t->size * 4) : 0;
}

void plain_transfers(struct console *c)
{
	struct plain *f = plain_of(c);
	int64_t now_ms = time_monotonic_ms();

	for (size_t i = 0; i < c->transfer_count; i++) {
		const struct transfer *t = &c->transfers[i];
		struct plain_told *k = told_of(f, t);
		_cleanup_(buf_done) struct buf line = BUF_INIT(4096);
		bool moved = t->state == TRANSFER_RUNS && now_ms - k->at_ms >= PROGRESS_MS / 5 &&
			(quarter_of(t) != k->quarter || now_ms - k->at_ms >= PROGRESS_MS);

		if ((int)t->state == k->state && !moved)
			continue;
		/* That it waits is worth a line only when it does so for long. */
		if (k->at_ms == 0)
			k->at_ms = now_ms;
		if (t->state == TRANSFER_WAITS && now_ms - k->at_ms < PROGRESS_MS)
			continue;
		*k = (struct plain_told){t->number, (int)t->state, quarter_of(t), now_ms};
		console_transfer_line(t, &line, 400);
		plain_line(f, "transfer %s", buf_str(&line));
	}
}
