/* quintet mail read, attach, export. */
#include "client/mail/ui.h"

#include "client/ask.h"

#include "base/file.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { UIDS_MAX = 4 << 20, FILE_MODE = 0600 };

static uint32_t uid_at(const struct buf *uids, size_t i)
{
	uint32_t uid;

	memcpy(&uid, uids->p + i * sizeof uid, sizeof uid);
	return uid;
}

/* -- receipts -----------------------------------------------------------------------------------
 */

/* Whether to answer; negative: leave it for another time. */
static int receipt_wanted(const struct mailui *u, const struct mailui_letter *l)
{
	_cleanup_(buf_done) struct buf answer = BUF_INIT(64), question = BUF_INIT(1024);
	struct mail_settings s = {.receipts = "ask"};
	int r;

	if (u->o.yes || u->o.no)
		return u->o.yes;
	r = mail_settings(u->line, NULL, NULL, &s);
	if (r < 0 || strcmp(s.receipts, "ask") != 0)
		return -1; /* never, or maild does it by itself */
	mailui_receipt_question(u, l, &question);
	buf_add_str(&question, ". Send it? [y/N/later] ");
	r = ask_line(u->client, buf_str(&question), false, &answer);
	if (r < 0 || answer.len == 0)
		return r < 0 ? -1 : 0;
	if (answer.p[0] == 'l' || answer.p[0] == 'L')
		return -1;
	return answer.p[0] == 'y' || answer.p[0] == 'Y';
}

static int receipt_offer(
	struct mailui *u, struct mailbox *b, uint32_t uid, const struct mailui_letter *l)
{
	int yes = mailui_receipt_is_due(u, b, uid, l) ? receipt_wanted(u, l) : -1;

	return yes < 0 ? CLIENT_OK : mailui_receipt_give(u, b, uid, l, yes == 1);
}

/* -- read ---------------------------------------------------------------------------------------
 */

static void print(const struct buf *b)
{
	if (b->len > 0)
		(void)fwrite(b->p, 1, b->len, stdout);
}

static int read_one(struct mailui *u, struct mailbox *b, uint32_t uid, bool first)
{
	_cleanup_(mailui_letter_done) struct mailui_letter l = MAILUI_LETTER_INIT;
	_cleanup_(buf_done) struct buf out = BUF_INIT(2 * (size_t)MAIL_MESSAGE_MAX);
	int r = mailui_open(u, b, uid, &l);

	if (r != CLIENT_OK)
		return r;
	if (u->o.raw) {
		print(&l.raw);
	} else if (u->client->json) {
		buf_add_str(&out, first ? "[" : ",\n");
		mailui_letter_json(&l, mailbox_item(b, uid), &out);
	} else {
		if (!first)
			buf_add_str(&out, "\n----------------------------------------\n\n");
		mailui_letter_text(&l, mailbox_item(b, uid), &out);
	}
	if (buf_error(&out) < 0)
		return client_fail(ERR_EXIT_TEMP, "message %u: no memory", (unsigned)uid);
	print(&out);
	(void)fflush(stdout);
	r = u->o.peek ? 0 : mailbox_flag(b, &uid, 1, IMAP_FLAG_SEEN, true);
	if (r < 0)
		return mailui_failed(u, r, "marking as read");
	return u->o.peek ? CLIENT_OK : receipt_offer(u, b, uid, &l);
}

/* All, or all that are unread. */
static void many_add(const struct mailui *u, const struct mailbox *b, struct buf *ret)
{
	size_t count;
	const struct mail_item *items = mailbox_items(b, &count);

	for (size_t i = 0; i < count; i++)
		if (u->o.all || (items[i].flags & IMAP_FLAG_SEEN) == 0)
			buf_add(ret, span_of(&items[i].uid, sizeof items[i].uid));
}

int mailui_read(struct mailui *u, const struct client_words *w)
{
	_cleanup_(mailbox_closep) struct mailbox *b = NULL;
	_cleanup_(buf_done) struct buf uids = BUF_INIT(UIDS_MAX);
	const bool many = u->o.all || u->o.unread;
	int r;

	if (many == (w->count > 0))
		return client_usage(u->client, "read: which messages?");
	r = mailui_box(u, u->o.peek, &b);
	if (r == CLIENT_OK && many)
		many_add(u, b, &uids);
	else if (r == CLIENT_OK)
		r = mailui_uids(u, b, w, 0, &uids);
	for (size_t i = 0; r == CLIENT_OK && i < uids.len / sizeof(uint32_t); i++)
		r = read_one(u, b, uid_at(&uids, i), i == 0);
	if (u->client->json && !u->o.raw && r == CLIENT_OK)
		puts(uids.len > 0 ? "]" : "[]");
	else if (r == CLIENT_OK && uids.len == 0)
		(void)client_done(u->client, NULL, 0, "nothing is unread in %s", mailbox_name(b));
	return r;
}

/* -- attach -------------------------------------------------------------------------------------
 */

static int attachment_save(const struct mailui *u, const struct mail_view *v, size_t i, int dir_fd)
{
	char name[MAILUI_NAME_SIZE];
	const struct table_pair pair = {"file", name, NULL};
	int r = mailui_save_attachment(u, v, i, dir_fd, name);

	return r == CLIENT_OK ? client_done(u->client, &pair, 1, "saved %s", name) : r;
}

static int attachments_save(
	const struct mailui *u, const struct mail_view *v, const struct client_words *w, int dir_fd)
{
	uint64_t n;
	int r = CLIENT_OK;

	if (v->file_count == 0)
		return client_fail(CLIENT_NO, "nothing is attached to that message");
	for (size_t i = 0; w->count == 1 && r == CLIENT_OK && i < v->file_count; i++)
		r = attachment_save(u, v, i, dir_fd);
	for (size_t i = 1; r == CLIENT_OK && i < w->count; i++) {
		if (num_parse_u64(span_str(w->v[i]), 1, v->file_count, &n) < 0)
			return client_fail(CLIENT_NO, "there is no attachment %s", w->v[i]);
		r = attachment_save(u, v, (size_t)n - 1, dir_fd);
	}
	return r;
}

int mailui_attach(struct mailui *u, const struct client_words *w)
{
	_cleanup_(mailbox_closep) struct mailbox *b = NULL;
	_cleanup_(buf_done) struct buf uids = BUF_INIT(UIDS_MAX);
	_cleanup_(mailui_letter_done) struct mailui_letter l = MAILUI_LETTER_INIT;
	_cleanup_(cleanup_close) int dir_fd = -1;
	const struct client_words one = {w->v, 1};
	int r = mailui_save_folder(u->o.output != NULL ? u->o.output : ".", &dir_fd);

	if (r == CLIENT_OK)
		r = mailui_box(u, true, &b);
	if (r == CLIENT_OK)
		r = mailui_uids(u, b, &one, 0, &uids);
	if (r == CLIENT_OK && uids.len != sizeof(uint32_t))
		return client_usage(u->client, "attach: one message");
	if (r == CLIENT_OK)
		r = mailui_open(u, b, uid_at(&uids, 0), &l);
	return r == CLIENT_OK ? attachments_save(u, &l.view, w, dir_fd) : r;
}

/* -- export -------------------------------------------------------------------------------------
 */

static int export_to_file(const struct mailui *u, struct span bytes)
{
	_cleanup_(cleanup_close) int fd =
		open(u->o.output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	int r = fd < 0 ? -errno : file_write_all(fd, bytes);

	return r < 0 ? client_fail(client_unwritten(r), "%s: %s", u->o.output, strerror(-r))
		     : CLIENT_OK;
}

static int export_one(struct mailui *u, struct mailbox *b, uint32_t uid, int dir_fd)
{
	_cleanup_(mailui_letter_done) struct mailui_letter l = MAILUI_LETTER_INIT;
	const struct buf *bytes = u->o.raw ? &l.raw : &l.readable;
	char name[32], made[MAILUI_NAME_SIZE];
	int r = mailui_open(u, b, uid, &l);

	if (r != CLIENT_OK)
		return r;
	(void)snprintf(name, sizeof name, "%u.eml", (unsigned)uid);
	if (dir_fd >= 0)
		return mailui_save(dir_fd, name, buf_span(bytes), made);
	if (u->o.output != NULL && strcmp(u->o.output, "-") != 0)
		return export_to_file(u, buf_span(bytes));
	print(bytes);
	return CLIENT_OK;
}

int mailui_export(struct mailui *u, const struct client_words *w)
{
	_cleanup_(mailbox_closep) struct mailbox *b = NULL;
	_cleanup_(buf_done) struct buf uids = BUF_INIT(UIDS_MAX);
	_cleanup_(cleanup_close) int dir_fd = -1;
	int r = mailui_box(u, true, &b);

	if (r == CLIENT_OK)
		r = mailui_uids(u, b, w, 0, &uids);
	if (r != CLIENT_OK)
		return r;
	if (u->o.output != NULL)
		dir_fd = open(u->o.output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (uids.len > sizeof(uint32_t) && dir_fd < 0)
		return client_usage(u->client, "export: several go into a folder: --output FOLDER");
	for (size_t i = 0; r == CLIENT_OK && i < uids.len / sizeof(uint32_t); i++)
		r = export_one(u, b, uid_at(&uids, i), dir_fd);
	return r;
}
