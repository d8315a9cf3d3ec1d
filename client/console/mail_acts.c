/* What is done with messages: marks, moving, deleting, searching; and mailboxes shown. */
#include "client/console/mail_i.h"

#include <errno.h>

static const uint32_t *list_of(const struct buf *uids, size_t *ret_count)
{
	*ret_count = uids->len / sizeof(uint32_t);
	/* A buffer's memory is malloc's: good for numbers. */
	return (const uint32_t *)(const void *)uids->p;
}

/* The mailbox has changed: its place shows it. */
static int changed(struct mail_part *m, const char *box)
{
	const struct mail_place *i = mail_place_box(m, box);

	return i != NULL && m->u.line->error == 0 ? mail_list_fill(m, i->number) : m->u.line->error;
}

/* One that is not there any more is not read on. */
static void letter_close(struct mail_part *m, const struct mail_order *o)
{
	struct place *p = place_number(m->c, o->place);

	if (p != NULL && p->kind == PLACE_LETTER && m->box != NULL && o->uid != 0 &&
		mailbox_item(m->box, o->uid) == NULL)
		place_close(m->c, p);
}

static void tell(struct mail_part *m, size_t count, const char *what, const char *where)
{
	console_say(m->c, "%zu message%s %s%s", count, count == 1 ? "" : "s", what, where);
}

int mail_do_mark(struct mail_part *m, struct mail_order *o)
{
	_cleanup_(buf_done) struct buf uids = BUF_INIT((size_t)MAIL_UIDS_MAX);
	const uint32_t *list;
	size_t count;
	int r;

	if (!mail_uids_of(m, o, o->words.count, &uids))
		return m->u.line->error;
	list = list_of(&uids, &count);
	r = mailbox_flag(m->box, list, count, o->flag, o->on);
	if (r == 0)
		tell(m, count, "marked", "");
	r = mail_settled(m, r, "mark");
	return r < 0 ? r : changed(m, o->box);
}

static int move_to(
	struct mail_part *m, struct mail_order *o, const struct buf *uids, const char *to)
{
	char clean[256];
	size_t count;
	const uint32_t *list = list_of(uids, &count);
	int r = mailbox_move(m->box, list, count, to);

	mail_clean(to, clean, sizeof clean);
	if (r == 0) {
		tell(m, count, "moved to ", clean);
		letter_close(m, o);
	}
	r = mail_settled(m, r, clean);
	return r < 0 ? r : changed(m, o->box);
}

int mail_do_move(struct mail_part *m, struct mail_order *o)
{
	_cleanup_(buf_done) struct buf uids = BUF_INIT((size_t)MAIL_UIDS_MAX),
				       to = BUF_INIT((size_t)MAIL_NAME_MAX);

	if (o->words.count == 0 || !mail_uids_of(m, o, o->words.count - 1, &uids))
		return m->u.line->error;
	word_plain(&to, o->words.v[o->words.count - 1]);
	return move_to(m, o, &uids, buf_str(&to));
}

static int trash_find(struct mail_part *m, char ret[MAIL_NAME_MAX])
{
	const struct mail_folder *trash;
	struct mail_folder *f = NULL;
	size_t count = 0;
	int r = mail_folders(m->u.line, &f, &count);

	if (r < 0)
		return r;
	trash = mail_folder_find(f, count, "\\Trash", "Trash");
	(void)snprintf(ret, MAIL_NAME_MAX, "%s", trash != NULL ? trash->name : "Trash");
	mail_folders_free(f, count);
	return 0;
}

/* What is in Trash already goes for good. */
int mail_do_delete(struct mail_part *m, struct mail_order *o)
{
	_cleanup_(buf_done) struct buf uids = BUF_INIT((size_t)MAIL_UIDS_MAX);
	char trash[MAIL_NAME_MAX];
	const uint32_t *list;
	size_t count;
	int r;

	if (!mail_uids_of(m, o, o->words.count, &uids))
		return m->u.line->error;
	r = trash_find(m, trash);
	if (r < 0)
		return mail_settled(m, r, "delete");
	if (strcmp(trash, o->box) != 0)
		return move_to(m, o, &uids, trash);
	list = list_of(&uids, &count);
	r = mailbox_flag(m->box, list, count, IMAP_FLAG_DELETED, true);
	if (r == 0)
		r = mailbox_expunge(m->box, list, count);
	if (r == 0) {
		tell(m, count, "deleted for good", "");
		letter_close(m, o);
	}
	r = mail_settled(m, r, "delete");
	return r < 0 ? r : changed(m, o->box);
}

int mail_do_search(struct mail_part *m, struct mail_order *o)
{
	_cleanup_(buf_done) struct buf uids = BUF_INIT((size_t)MAIL_UIDS_MAX);
	char name[MAIL_NAME_MAX + 300];
	struct mail_place *i;
	struct place *p = NULL;
	int r;

	if (m->box == NULL)
		return m->u.line->error;
	r = mailui_find(&m->u, m->box, o->words.v, o->words.count, &uids);
	if (r < 0)
		return r == -ECANCELED ? r : mail_settled(m, r, "search");
	if (uids.len == 0) {
		console_say(m->c, "nothing in %.200s has all of these words", o->box);
		return 0;
	}
	(void)snprintf(name, sizeof name, "%.100s: %.140s%s", o->box, o->words.v[0],
		o->words.count > 1 ? " ..." : "");
	i = mail_place_open(m, PLACE_MAILBOX, name, &p);
	if (i == NULL)
		return 0;
	(void)snprintf(i->box, sizeof i->box, "%s", o->box);
	i->searching = true;
	buf_reset(&i->found);
	buf_add(&i->found, buf_span(&uids));
	r = mail_list_fill(m, i->number);
	p = place_number(m->c, i->number);
	if (p != NULL)
		place_show(m->c, p);
	return r;
}

/* -- mailboxes --------------------------------------------------------------------------------- */

int mail_do_folders(struct mail_part *m, struct mail_order *o)
{
	struct mail_folder *f = NULL;
	size_t count = 0;
	int r = mail_folders(m->u.line, &f, &count);

	(void)o;
	if (r < 0)
		return mail_settled(m, r, "mailboxes");
	for (size_t i = 0; i < count; i++) {
		char name[256];

		mail_clean(f[i].name, name, sizeof name);
		if (f[i].selectable)
			console_say(m->c, "%s: %u message%s, %u unread", name,
				(unsigned)f[i].messages, f[i].messages == 1 ? "" : "s",
				(unsigned)f[i].unseen);
	}
	mail_folders_free(f, count);
	return 0;
}

int mail_do_box(struct mail_part *m, struct mail_order *o)
{
	struct mail_place *i;
	struct place *p = NULL;
	int r;

	/* It was told then that there is no such. */
	if (m->box == NULL || strcmp(mailbox_name(m->box), o->box) != 0)
		return 0;
	i = mail_place_box(m, o->box);
	if (i == NULL)
		i = mail_place_open(m, PLACE_MAILBOX, o->box, &p);
	if (i == NULL)
		return 0;
	(void)snprintf(i->box, sizeof i->box, "%s", o->box);
	r = mail_list_fill(m, i->number);
	p = place_number(m->c, i->number);
	if (p != NULL)
		place_show(m->c, p);
	return r;
}
