/* What the view draws: bars above and below, the list or a text between them. */
#include "client/mail/screen.h"

#include "client/chat/safe.h"

enum { ROW_MAX = 65536, MARKS = 6, WHEN = 12, STATE = 10, BARS = 3 };

size_t draw_page(const struct screen *s)
{
	return s->term.rows - BARS;
}

/* Text in a column of that width. */
static void column(struct buf *b, struct span text, size_t width)
{
	_cleanup_(buf_done) struct buf clean = BUF_INIT(ROW_MAX);
	struct span shown;

	safe_text(&clean, text);
	shown = width_head(buf_span(&clean), width);
	buf_add(b, shown);
	for (size_t i = width_of(shown); i < width; i++)
		buf_add_byte(b, ' ');
}

/* Left and right in one bar; the right one stays whole. */
static void bar(struct screen *s, size_t row, const char *left, const char *right)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(ROW_MAX);
	size_t room = width_of(span_str(right));

	column(&b, span_str(left), s->term.columns > room ? s->term.columns - room : 0);
	buf_add_str(&b, right);
	term_row(&s->term, row, LOOK_BAR, buf_span(&b));
}

void draw_status(struct screen *s, const char *keys)
{
	bar(s, s->term.rows - 2, keys, "");
	term_row(&s->term, s->term.rows - 1, LOOK_PLAIN, span_str(s->status));
}

/* -- the list -----------------------------------------------------------------------------------
 */

static void title(struct screen *s)
{
	_cleanup_(buf_done) struct buf left = BUF_INIT(ROW_MAX), right = BUF_INIT(1024);
	size_t count = 0, unread = 0;
	const struct mail_item *items = s->box != NULL ? mailbox_items(s->box, &count) : NULL;

	for (size_t i = 0; i < count; i++)
		unread += (items[i].flags & IMAP_FLAG_SEEN) == 0;
	buf_addf(&left, "%s of %s at %s", s->name, s->u->profile.user, s->u->profile.host);
	if (s->searching)
		buf_addf(&left, ": %zu with %s", s->row_count, s->words);
	if (s->box == NULL)
		buf_add_str(&right, " no line");
	else
		buf_addf(
			&right, " %zu message%s, %zu unread", count, count == 1 ? "" : "s", unread);
	if (s->notices > 0)
		buf_addf(&right, ", %u new notice%s (N)", s->notices, s->notices == 1 ? "" : "s");
	bar(s, 0, buf_str(&left), buf_str(&right));
}

/* Who it is from; where one's own letters are, who it went to. */
static size_t people_width(const struct screen *s)
{
	size_t width = s->term.columns / 4;

	return width < 12 ? 12 : width > 30 ? 30 : width;
}

static void item_row(struct screen *s, size_t row, uint32_t uid, bool here)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(ROW_MAX);
	const char *subject = mailui_subject(s->u, s->box, uid, &s->subjects);
	const struct mail_item *i = mailbox_item(s->box, uid);
	bool unread = i != NULL && (i->flags & IMAP_FLAG_SEEN) == 0;
	char marks[8], when[24], state[32];

	if (i == NULL)
		return;
	mailui_marks(i, marks);
	mailui_when(i->date_us, when);
	buf_add_str(&b, here ? ">" : " ");
	column(&b, span_str(marks), MARKS);
	buf_add_byte(&b, ' ');
	column(&b, span_str(when), WHEN);
	buf_add_byte(&b, ' ');
	column(&b, span_str(s->sent ? i->to : i->from), people_width(s));
	buf_add_byte(&b, ' ');
	if (s->sent) {
		mailui_receipt_short(s->receipts, s->receipt_count, i->msgid, state);
		column(&b, span_str(state), STATE);
		buf_add_byte(&b, ' ');
	}
	buf_add_str(&b, subject);
	term_row(&s->term, row, here ? LOOK_BAR : unread ? LOOK_BOLD : LOOK_PLAIN, buf_span(&b));
}

/* The cursor stays within the page, with a look ahead when the end of it is reached. */
static void scroll(struct screen *s, size_t page)
{
	if (s->at >= s->row_count)
		s->at = s->row_count > 0 ? s->row_count - 1 : 0;
	if (s->at < s->top)
		s->top = s->at;
	if (s->at >= s->top + page)
		s->top = s->at - page + 1;
	if (s->row_count <= page)
		s->top = 0;
	else if (s->top > s->row_count - page)
		s->top = s->row_count - page;
}

void draw_list(struct screen *s)
{
	size_t page = draw_page(s);

	scroll(s, page);
	/* Subjects may be fetched for it: the line may be lost, and rows with it. */
	for (size_t i = 0; i < page; i++) {
		if (s->box != NULL && s->top + i < s->row_count)
			item_row(s, i + 1, s->rows[s->top + i], s->top + i == s->at);
		else
			term_row(&s->term, i + 1, LOOK_PLAIN, span_of("", 0));
	}
	title(s);
	if (s->row_count == 0 && s->box != NULL)
		term_row(&s->term, 2, LOOK_PLAIN,
			s->searching ? SPAN_LIT("  nothing was found; Escape shows all")
				     : SPAN_LIT("  no messages"));
	draw_status(s,
		"Enter read  u unread  c write  r reply  d delete  b mailboxes  q leave  ? help");
	term_flush(&s->term);
}

/* -- texts --------------------------------------------------------------------------------------
 */

void draw_rows(struct screen *s, const char *name, const struct screen_text *t, size_t at)
{
	size_t page = draw_page(s);

	bar(s, 0, name, "");
	for (size_t i = 0; i < page; i++) {
		size_t n = t->top + i;

		if (n < t->count)
			term_row(&s->term, i + 1, n == at ? LOOK_BAR : LOOK_PLAIN,
				span_of(t->text.p + t->lines[n].at, t->lines[n].len));
		else
			term_row(&s->term, i + 1, LOOK_PLAIN, span_of("", 0));
	}
}

void draw_text(struct screen *s, const char *name, const char *loud, struct screen_text *t)
{
	size_t page = draw_page(s), skip = loud != NULL ? 1 : 0;
	char place[48];

	page = page > skip ? page - skip : 1;
	(void)text_wrap(t, s->term.columns);
	text_move(t, 0, page);
	if (t->count <= page)
		(void)snprintf(place, sizeof place, " all");
	else
		(void)snprintf(place, sizeof place, " %zu of %zu",
			t->top + page < t->count ? t->top + page : t->count, t->count);
	bar(s, 0, name, place);
	/* What must not be overlooked stays while the text moves. */
	if (loud != NULL)
		term_row(&s->term, 1, LOOK_LOUD, span_str(loud));
	for (size_t i = 0; i < page; i++) {
		size_t n = t->top + i;

		term_row(&s->term, i + 1 + skip, LOOK_PLAIN,
			n < t->count ? span_of(t->text.p + t->lines[n].at, t->lines[n].len)
				     : span_of("", 0));
	}
}
