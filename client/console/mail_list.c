/* Mailboxes as lists: a line for each of the newest messages, brought up to date line by line. */
#include "client/console/mail_i.h"

#include <errno.h>

#include "client/chat/safe.h"

enum {
	WHO_COLUMNS = 16,
	BOXES_MOST = 50, /* then the person opens those that are wanted */
};

/* -- lines ------------------------------------------------------------------------------------- */

static void fit(struct buf *out, struct span text, size_t columns)
{
	_cleanup_(buf_done) struct buf clean = BUF_INIT(65536);
	struct span head;

	safe_text(&clean, text);
	head = width_head(buf_span(&clean), columns);
	buf_add(out, head);
	buf_addf(out, "%*s", (int)(columns - width_of(head)), "");
}

/* The first of them, by name, or without the domain that is one's own. */
static struct span who_of(const char *people, const char *domain)
{
	size_t len = strcspn(people, ",");
	const char *angle = memchr(people, '<', len), *at = memchr(people, '@', len);

	if (angle != NULL && angle > people)
		return span_trim(span_of(people, (size_t)(angle - people)));
	if (at != NULL && span_caseeq_str(span_of(at + 1, len - (size_t)(at + 1 - people)), domain))
		return span_of(people, (size_t)(at - people));
	return span_of(people, len);
}

void mail_list_line(const struct mail_item *item, const char *subject,
	const struct mail_list_as *as, struct buf *out)
{
	char marks[8], when[24];

	mailui_marks(item, marks);
	mailui_when(item->date_us, when);
	buf_addf(out, "%5u %-4s %12s ", (unsigned)item->uid, marks, when);
	fit(out, who_of(as->sent ? item->to : item->from, as->domain), WHO_COLUMNS);
	buf_add_str(out, " ");
	safe_word(out, subject[0] != '\0' ? subject : "(no subject)");
}

static bool is_sent(const char *box)
{
	return strcmp(box, "Sent") == 0;
}

static const struct place_line *line_find(const struct place *p, uint32_t id)
{
	for (size_t i = p->count; i > 0; i--)
		if (p->lines[i - 1].id == id)
			return &p->lines[i - 1];
	return NULL;
}

static void line_put(
	struct mail_part *m, struct place *p, const struct mail_item *item, const char *subject)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT((size_t)4 * CONSOLE_TEXT_MAX);
	const struct mail_list_as as = {is_sent(mailbox_name(m->box)), m->u.profile.doors.domain};
	const struct place_line *there = line_find(p, item->uid);
	struct place_line l = {.look = (item->flags & IMAP_FLAG_SEEN) != 0 ? LINE_PLAIN : LINE_LOUD,
		.who = "",
		.id = item->uid};

	mail_list_line(item, subject, &as, &text);
	l.text = buf_str(&text);
	if (there == NULL || there->look != l.look || strcmp(there->text, l.text) != 0)
		place_put(m->c, p, &l);
}

/* -- a mailbox --------------------------------------------------------------------------------- */

static int by_uid(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool is_wanted(const struct mail_place *i, uint32_t uid)
{
	return !i->searching ||
		(i->found.len > 0 &&
			bsearch(&uid, i->found.p, i->found.len / sizeof uid, sizeof uid, by_uid) !=
				NULL);
}

/* The newest UIDs, ascending; how many. Counts what is unread. */
static size_t choose(
	const struct mail_part *m, const struct mail_place *i, uint32_t *ret, uint32_t *ret_unseen)
{
	size_t count, n = 0;
	const struct mail_item *items = mailbox_items(m->box, &count);

	*ret_unseen = 0;
	for (size_t k = count; k > 0; k--) {
		if (!is_wanted(i, items[k - 1].uid))
			continue;
		*ret_unseen += (items[k - 1].flags & IMAP_FLAG_SEEN) == 0;
		if (n < MAIL_LISTED)
			ret[n++] = items[k - 1].uid;
	}
	for (size_t a = 0, b = n; a + 1 < b; a++, b--) {
		uint32_t x = ret[a];

		ret[a] = ret[b - 1];
		ret[b - 1] = x;
	}
	return n;
}

static void lines_take(struct mail_part *m, struct place *p, const uint32_t *uids, size_t count)
{
	for (size_t k = p->count; k > 0; k--) {
		uint32_t id = p->lines[k - 1].id;
		bool there = id == 0;

		for (size_t i = 0; i < count && !there; i++)
			there = uids[i] == id;
		if (!there)
			place_take(m->c, p, id);
	}
}

static bool is_known(const struct mailui_subjects *s, uint32_t uid)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->list[i].uid == uid)
			return true;
	return false;
}

/* Puts all lines; what is encrypted says at first what stands outside. */
static void lines_put(struct mail_part *m, struct place *p, const uint32_t *uids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct mail_item *item = mailbox_item(m->box, uids[i]);
		const char *subject = item != NULL ? item->subject : "";

		if (item == NULL)
			continue;
		if (item->encrypted && is_known(mail_subjects(m), uids[i]))
			subject = mailui_subject(&m->u, m->box, uids[i], mail_subjects(m));
		line_put(m, p, item, subject);
	}
}

/* Opens encrypted ones for their subjects, the newest first. */
static void subjects_open(struct mail_part *m, unsigned number, const uint32_t *uids, size_t count)
{
	unsigned opened = 0;

	for (size_t i = count; i > 0 && opened < MAIL_OPENED && !mail_leaving(m); i--) {
		const struct mail_item *item = mailbox_item(m->box, uids[i - 1]);
		const char *subject;
		struct place *p;

		if (item == NULL || !item->encrypted || is_known(mail_subjects(m), uids[i - 1]))
			continue;
		opened++;
		subject = mailui_subject(&m->u, m->box, uids[i - 1], mail_subjects(m));
		item = mailbox_item(m->box, uids[i - 1]);
		p = place_number(m->c, number);
		if (p == NULL)
			return;
		if (item != NULL)
			line_put(m, p, item, subject);
	}
}

static void counts_show(struct mail_part *m, struct mail_place *i, struct place *p, size_t listed)
{
	size_t count;

	(void)mailbox_items(m->box, &count);
	if (i->searching) {
		(void)snprintf(p->title, sizeof p->title, "found in %.200s: %zu", i->box, listed);
		return;
	}
	/* What was there before is no news. */
	p->called = (i->listed && i->unseen > p->unread) || (p->called && i->unseen > 0);
	i->listed = true;
	p->unread = i->unseen;
	(void)snprintf(p->title, sizeof p->title, "%zu message%s, %u unread%s", count,
		count == 1 ? "" : "s", (unsigned)i->unseen,
		count > listed ? "; the newest are listed" : "");
}

int mail_list_fill(struct mail_part *m, unsigned number)
{
	uint32_t uids[MAIL_LISTED];
	struct place *p = place_number(m->c, number);
	struct mail_place *i = p != NULL ? mail_place_of(m, p) : NULL;
	size_t n;

	if (i == NULL || m->box == NULL || strcmp(mailbox_name(m->box), i->box) != 0)
		return 0;
	n = choose(m, i, uids, &i->unseen);
	lines_take(m, p, uids, n);
	lines_put(m, p, uids, n);
	counts_show(m, i, p, n);
	console_changed(m->c);
	subjects_open(m, number, uids, n);
	return m->u.line->error;
}

/* -- all of them ------------------------------------------------------------------------------- */

/* Is it worth a place by itself? What one wrote, threw away or put aside is not news. */
static bool is_news(const struct mail_folder *f)
{
	static const char *const kept[] = {"\\Sent", "\\Drafts", "\\Trash", "\\Junk"};

	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		if (strcmp(f->use, kept[i]) == 0)
			return false;
	return f->selectable && f->unseen > 0;
}

static size_t boxes_open(const struct mail_part *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->c->place_count; i++)
		n += m->c->places[i]->kind == PLACE_MAILBOX ? 1 : 0;
	return n;
}

/* Has it changed since it was listed? */
static bool is_stale(struct mail_part *m, const struct mail_folder *f)
{
	struct mail_place *i = mail_place_box(m, f->name);
	struct place *p = NULL;

	if (mail_is_inbox(f->name) || !f->selectable)
		return false;
	if (i == NULL) {
		if (!is_news(f) || boxes_open(m) >= BOXES_MOST)
			return false;
		i = mail_place_open(m, PLACE_MAILBOX, f->name, &p);
		if (i == NULL)
			return false;
		(void)snprintf(i->box, sizeof i->box, "%s", f->name);
	}
	if (i->listed && i->messages == f->messages && i->unseen == f->unseen &&
		i->uid_next == f->uid_next)
		return false;
	i->messages = f->messages;
	i->uid_next = f->uid_next;
	return true;
}

int mail_list_folders(struct mail_part *m)
{
	struct mail_folder *f = NULL;
	size_t count = 0;
	int r = mail_folders(m->u.line, &f, &count);

	for (size_t k = 0; k < count && r == 0 && !mail_leaving(m); k++) {
		const struct mail_place *i;

		if (!is_stale(m, &f[k]))
			continue;
		r = mail_settled(m, mail_box_need(m, f[k].name), f[k].name);
		i = mail_place_box(m, f[k].name);
		if (r == 0 && m->box != NULL && i != NULL)
			r = mail_list_fill(m, i->number);
	}
	mail_folders_free(f, count);
	return r == -EREMOTEIO ? 0 : r;
}
