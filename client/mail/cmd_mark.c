/* quintet mail mark, move, delete. */
#include "client/mail/ui.h"

#include <errno.h>

enum { UIDS_MAX = 4 << 20 };

/* The mailbox, and those of its messages that the words name. */
static int begin(
	struct mailui *u, const struct client_words *w, struct mailbox **ret_box, struct buf *ret)
{
	int r = mailui_box(u, false, ret_box);

	return r == CLIENT_OK ? mailui_uids(u, *ret_box, w, 0, ret) : r;
}

static const uint32_t *list_of(const struct buf *uids, size_t *ret_count)
{
	*ret_count = uids->len / sizeof(uint32_t);
	return (const uint32_t *)(const void *)uids->p;
}

static int told(const struct mailui *u, size_t count, const char *what)
{
	char text[24];
	const struct table_pair pair = {"messages", text, ""};

	(void)snprintf(text, sizeof text, "%zu", count);
	return client_done(
		u->client, &pair, 1, "%zu message%s %s", count, count == 1 ? "" : "s", what);
}

int mailui_mark(struct mailui *u, const struct client_words *w)
{
	const struct {
		bool wanted;
		uint32_t flag;
		bool on;
	} acts[] = {
		{u->o.on_read, IMAP_FLAG_SEEN, true},
		{u->o.on_unread, IMAP_FLAG_SEEN, false},
		{u->o.on_flag, IMAP_FLAG_FLAGGED, true},
		{u->o.on_unflag, IMAP_FLAG_FLAGGED, false},
	};
	_cleanup_(mailbox_closep) struct mailbox *b = NULL;
	_cleanup_(buf_done) struct buf uids = BUF_INIT(UIDS_MAX);
	const uint32_t *list;
	size_t count;
	int r;

	if (!u->o.on_read && !u->o.on_unread && !u->o.on_flag && !u->o.on_unflag)
		return client_usage(u->client, "mark: as what?");
	if ((u->o.on_read && u->o.on_unread) || (u->o.on_flag && u->o.on_unflag))
		return client_usage(u->client, "mark: either set or clear a flag");
	r = begin(u, w, &b, &uids);
	if (r != CLIENT_OK)
		return r;
	list = list_of(&uids, &count);
	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
		r = acts[i].wanted ? mailbox_flag(b, list, count, acts[i].flag, acts[i].on) : 0;
		if (r < 0)
			return mailui_failed(u, r, "mark");
	}
	return told(u, count, "marked");
}

static int move_to(struct mailui *u, struct mailbox *b, const struct buf *uids, const char *to)
{
	size_t count;
	const uint32_t *list = list_of(uids, &count);
	int r = mailbox_move(b, list, count, to);
	char what[MAIL_NAME_MAX + 16];

	if (r < 0)
		return mailui_failed(u, r, to);
	(void)snprintf(what, sizeof what, "moved to %s", to);
	return told(u, count, what);
}

int mailui_move(struct mailui *u, const struct client_words *w)
{
	_cleanup_(mailbox_closep) struct mailbox *b = NULL;
	_cleanup_(buf_done) struct buf uids = BUF_INIT(UIDS_MAX);
	const struct client_words which = {w->v, w->count - 1};
	int r = begin(u, &which, &b, &uids);

	return r == CLIENT_OK ? move_to(u, b, &uids, w->v[w->count - 1]) : r;
}

/* What is in Trash already goes for good. */
static bool is_for_good(const struct mailui *u, const char *trash)
{
	return u->o.now || (u->o.mailbox != NULL && strcmp(u->o.mailbox, trash) == 0);
}

int mailui_delete(struct mailui *u, const struct client_words *w)
{
	_cleanup_(mailbox_closep) struct mailbox *b = NULL;
	_cleanup_(buf_done) struct buf uids = BUF_INIT(UIDS_MAX);
	const struct mail_folder *trash;
	struct mail_folder *f = NULL;
	const uint32_t *list;
	size_t count = 0, folders = 0;
	char name[MAIL_NAME_MAX];
	int r = begin(u, w, &b, &uids);

	if (r != CLIENT_OK)
		return r;
	r = mail_folders(u->line, &f, &folders);
	if (r < 0)
		return mailui_failed(u, r, "delete");
	trash = mail_folder_find(f, folders, "\\Trash", "Trash");
	(void)snprintf(name, sizeof name, "%s", trash != NULL ? trash->name : "Trash");
	mail_folders_free(f, folders);
	if (!is_for_good(u, name))
		return move_to(u, b, &uids, name);
	list = list_of(&uids, &count);
	r = mailbox_flag(b, list, count, IMAP_FLAG_DELETED, true);
	if (r == 0)
		r = mailbox_expunge(b, list, count);
	return r < 0 ? mailui_failed(u, r, "delete") : told(u, count, "deleted");
}
