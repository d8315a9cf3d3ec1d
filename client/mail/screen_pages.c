/* Pages beside list and message: help, notices, receipts, people, and the choice of a mailbox. */
#include "client/mail/screen.h"

#include <errno.h>

enum { PAGE_MAX = 4 << 20 };

static bool page_key(struct screen *s, struct screen_text *t, uint32_t key)
{
	long page = (long)draw_page(s);
	const struct {
		uint32_t key;
		long by;
	} moves[] = {{' ', page}, {KEY_PAGE_DOWN, page}, {'-', -page}, {KEY_PAGE_UP, -page},
		{KEY_DOWN, 1}, {'j', 1}, {KEY_ENTER, 1}, {KEY_UP, -1}, {'k', -1},
		{KEY_HOME, -(long)t->count}, {KEY_END, (long)t->count}, {KEY_RESIZE, 0},
		{KEY_NEWS, 0}, {KEY_NONE, 0}, {KEY_OTHER, 0}};

	for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++)
		if (moves[i].key == key) {
			text_move(t, moves[i].by, (size_t)page);
			return true;
		}
	return false;
}

void page_run(struct screen *s, const char *title, struct span text)
{
	struct screen_text t = SCREEN_TEXT_INIT;

	text_set(&t, text);
	do {
		draw_text(s, title, NULL, &t);
		draw_status(s, "space page  q back");
		term_flush(&s->term);
	} while (page_key(s, &t, screen_key(s)) && !s->leave);
	text_done(&t);
}

/* -- help ---------------------------------------------------------------------------------------
 */

static void acts_add(struct buf *b, const char *title, const struct screen_act *acts)
{
	buf_addf(b, "%s\n\n", title);
	for (size_t i = 0; acts[i].run != NULL; i++)
		if (acts[i].name != NULL)
			buf_addf(b, "  %-10s %s\n", acts[i].name, acts[i].help);
	buf_add_str(b, "\n");
}

void page_help(struct screen *s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(65536);

	acts_add(&b, "In the list of messages", screen_list_acts);
	acts_add(&b, "In a message", screen_letter_acts);
	buf_add_str(&b,
		"Marks: N not read, F flagged, R replied to, E encrypted, S signed, A with "
		"attachments.\n");
	page_run(s, "Help", buf_span(&b));
}

/* Another line, so that what is selected stays so; NULL: none comes about. */
static struct imapc *line_beside(struct screen *s)
{
	struct imapc *line = NULL;
	struct screen_hush hush;
	char why[128];

	hush_begin(&hush);
	(void)imapc_open(s->u->client, &s->u->profile, &s->u->login, &line);
	hush_end(&hush, why, sizeof why);
	return line;
}

/* -- notices, receipts, people ------------------------------------------------------------------
 */

static void notice_add(struct buf *b, const struct mail_notice *n)
{
	static const char *const words[] = {[MAIL_NOTICE_NEW] = "new mail",
		[MAIL_NOTICE_READ] = "has read",
		[MAIL_NOTICE_DECLINED] = "has deleted unread"};
	char when[24];

	mailui_when(n->at_us, when);
	buf_addf(b, "%-3s %-12s  %s: %s  %s\n", n->shown ? "" : "new", when, n->from,
		words[n->kind], n->subject);
}

void page_notices(struct screen *s)
{
	_cleanup_(cleanup_free) struct mail_notice *list = NULL;
	_cleanup_(imapc_closep) struct imapc *line = NULL;
	_cleanup_(buf_done) struct buf b = BUF_INIT((size_t)PAGE_MAX);
	size_t count = 0;

	if (s->box == NULL ||
		!screen_worked(s, mail_notices(s->u->line, &list, &count, &s->notices), "notices"))
		return;
	line = line_beside(s);
	if (line != NULL)
		mailui_name_notices(s->u, line, list, count);
	/* The newest first; each is new on this page once. */
	for (size_t i = count; i > 0; i--)
		notice_add(&b, &list[i - 1]);
	if (count == 0)
		buf_add_str(&b, "nothing\n");
	if (count > 0 && s->notices > 0 &&
		screen_worked(s, mail_notices_shown(s->u->line, list[count - 1].id), "notices"))
		s->notices = 0;
	page_run(s, "Notices", buf_span(&b));
}

static void receipt_add(struct buf *b, const struct mail_receipt *r)
{
	char sent[24], when[24] = "";

	mailui_when(r->sent_us, sent);
	if (r->read_us != 0 || r->delivered_us != 0)
		mailui_when(r->read_us != 0 ? r->read_us : r->delivered_us, when);
	buf_addf(b, "%-12s  %-20s %s %s  %s\n", sent, r->recipient, mailui_receipt_state(r), when,
		r->subject);
}

void page_receipts(struct screen *s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT((size_t)PAGE_MAX);
	_cleanup_(imapc_closep) struct imapc *line = NULL;
	const struct mail_item *item = screen_item(s);

	if (s->box == NULL)
		return;
	screen_receipts_load(s);
	line = line_beside(s);
	if (line != NULL)
		mailui_name_receipts(s->u, line, s->receipts, s->receipt_count);
	/* Of what is read, where that was sent; else of all. */
	for (size_t i = s->receipt_count; i > 0; i--)
		if (letter_uid(s) == 0 || !s->sent || item == NULL ||
			strcmp(item->msgid, s->receipts[i - 1].msgid) == 0)
			receipt_add(&b, &s->receipts[i - 1]);
	if (b.len == 0)
		buf_add_str(&b, "nothing is known of what was sent\n");
	page_run(s, "Receipts", buf_span(&b));
}

void page_people(struct screen *s)
{
	_cleanup_(cleanup_free) struct mail_person *list = NULL;
	_cleanup_(buf_done) struct buf b = BUF_INIT((size_t)PAGE_MAX);
	size_t count = 0;

	if (s->box == NULL || !screen_worked(s, mail_persons(s->u->line, &list, &count), "people"))
		return;
	for (size_t i = 0; i < count; i++) {
		char seen[24] = "";

		if (!list[i].online && !list[i].hidden && list[i].seen_us != 0)
			mailui_when(list[i].seen_us, seen);
		buf_addf(&b, "%-20s %s%s%s\n", list[i].name,
			list[i].hidden           ? "does not tell"
				: list[i].online ? "online"
						 : "offline",
			seen[0] != '\0' ? ", last seen " : "", seen);
	}
	page_run(s, "People", buf_span(&b));
}

/* -- mailboxes ----------------------------------------------------------------------------------
 */

struct choice {
	struct mail_folder *list; /* those that can be selected come first */
	size_t count, at;
	struct screen_text text;
};

static void choice_make(struct choice *c, const char *present)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT((size_t)PAGE_MAX);
	size_t kept = 0;

	for (size_t i = 0; i < c->count; i++) {
		struct mail_folder f = c->list[i];

		if (!f.selectable)
			continue;
		c->list[i] = c->list[kept];
		c->list[kept] = f;
		if (strcmp(f.name, present) == 0)
			c->at = kept;
		buf_addf(&b, "  %-30s %6u message%s %6u unread\n", f.name, (unsigned)f.messages,
			f.messages == 1 ? " " : "s", (unsigned)f.unseen);
		kept++;
	}
	text_set(&c->text, buf_span(&b));
	c->text.width = 0;
}

/* One row each, however long the name: nothing is wrapped here. */
static void choice_draw(struct screen *s, struct choice *c, const char *title, bool other)
{
	size_t page = draw_page(s);

	(void)text_wrap(&c->text, SIZE_MAX / 2);
	if (c->at < c->text.top)
		c->text.top = c->at;
	if (c->at >= c->text.top + page)
		c->text.top = c->at - page + 1;
	draw_rows(s, title, &c->text, c->at);
	draw_status(s, other ? "Enter choose  c another one  q back" : "Enter open  q back");
	term_flush(&s->term);
}

/* 1: chosen; -1: none; 0: go on. */
static int choice_key(struct screen *s, struct choice *c, bool other, char ret[MAIL_NAME_MAX])
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(MAIL_NAME_MAX - 1);
	uint32_t key = screen_key(s);

	if (key == KEY_ENTER && c->at < c->text.count) {
		(void)snprintf(ret, MAIL_NAME_MAX, "%s", c->list[c->at].name);
		return 1;
	}
	if (key == 'c' && other && term_ask(&s->term, "Mailbox: ", &name) && name.len > 0) {
		(void)snprintf(ret, MAIL_NAME_MAX, "%s", buf_str(&name));
		return 1;
	}
	if (key == KEY_DOWN || key == 'j')
		c->at += c->at + 1 < c->text.count ? 1 : 0;
	if (key == KEY_UP || key == 'k')
		c->at -= c->at > 0 ? 1 : 0;
	return key == 'q' || key == KEY_ESCAPE || key == 0x03 || s->leave ? -1 : 0;
}

bool page_mailbox(struct screen *s, const char *title, bool other, char ret[MAIL_NAME_MAX])
{
	struct choice c = {.text = SCREEN_TEXT_INIT};
	int r = 0;

	if (s->box == NULL || !screen_worked(s, mail_folders(s->u->line, &c.list, &c.count), title))
		return false;
	choice_make(&c, s->name);
	while (r == 0) {
		choice_draw(s, &c, title, other);
		r = choice_key(s, &c, other, ret);
	}
	text_done(&c.text);
	mail_folders_free(c.list, c.count);
	return r == 1;
}
