/* quintet mail list, search, folders, check. */
#include "client/mail/ui.h"

#include "base/num.h"
#include "base/timefmt.h"

#include <errno.h>

enum { UIDS_MAX = 4 << 20, COUNT_STANDARD = 50 };

static int count_read(const struct mailui *u, uint64_t standard, uint64_t *ret)
{
	*ret = standard;
	if (u->o.count != NULL && num_parse_u64(span_str(u->o.count), 1, UINT32_MAX, ret) < 0)
		return client_usage(u->client, "--count takes a number");
	return CLIENT_OK;
}

/* What was sent is listed with those it went to, and what became of it there. */
struct listing {
	struct mailui *u;
	struct mailbox *b;
	struct mailui_subjects subjects;
	struct mail_receipt *receipts;
	size_t receipt_count;
	bool sent;
};

static void row_add(struct listing *l, struct table *t, uint32_t uid)
{
	_cleanup_(buf_done) struct buf when = BUF_INIT(64), receipts = BUF_INIT(65536);
	const char *subject = mailui_subject(l->u, l->b, uid, &l->subjects);
	const struct mail_item *i = mailbox_item(l->b, uid);
	char number[16], marks[8], date[24], size[24];
	const char *cells[8] = {number, marks, date, NULL, size, subject, NULL, NULL};

	if (i == NULL)
		return;
	(void)snprintf(number, sizeof number, "%u", (unsigned)uid);
	mailui_marks(i, marks);
	if (l->u->client->json) {
		time_rfc3339_utc(&when, i->date_us);
		(void)snprintf(date, sizeof date, "%s", buf_str(&when));
		(void)snprintf(size, sizeof size, "%llu", (unsigned long long)i->size);
	} else {
		mailui_when(i->date_us, date);
		mailui_size(i->size, size);
	}
	cells[3] = l->sent ? i->to : i->from;
	mailui_receipt_line(l->receipts, l->receipt_count, i->msgid, &receipts);
	cells[6] = buf_str(&receipts);
	table_add(t, cells);
}

static int rows_print(struct listing *l, const uint32_t *uids, size_t count)
{
	const bool json = l->u->client->json;
	struct table t;
	int r;

	table_init(&t,
		(const struct table_column[]){{"UID", json ? "" : NULL}, {"FLAGS", NULL},
			{"DATE", NULL}, {l->sent ? "TO" : "FROM", NULL},
			{"SIZE", json ? "bytes" : NULL}, {"SUBJECT", NULL},
			{l->sent ? "RECEIPTS" : NULL, NULL}, {NULL, NULL}});
	for (size_t i = 0; i < count; i++)
		row_add(l, &t, uids[i]);
	r = table_print(&t, json);
	table_done(&t);
	return r < 0 ? client_fail(ERR_EXIT_TEMP, "the list is too long: use --count") : CLIENT_OK;
}

/* Of all, or of those found (uids not NULL), the ones that are wanted; returns how many. */
static size_t choose(
	const struct mailui *u, const struct mailbox *b, const struct buf *uids, uint32_t *ret)
{
	size_t count, n = 0;
	const struct mail_item *items = mailbox_items(b, &count);

	for (size_t i = 0, at = 0; i < count; i++) {
		uint32_t uid = 0;

		for (; uids != NULL && at + sizeof uid <= uids->len; at += sizeof uid) {
			memcpy(&uid, uids->p + at, sizeof uid);
			if (uid >= items[i].uid)
				break;
		}
		if ((uids == NULL || uid == items[i].uid) &&
			(!u->o.unread || (items[i].flags & IMAP_FLAG_SEEN) == 0))
			ret[n++] = items[i].uid;
	}
	return n;
}

/* The last of them, at most so many. */
static int items_print(struct mailui *u, struct mailbox *b, const struct buf *uids, uint64_t most)
{
	struct listing l = {.u = u, .b = b, .sent = strcmp(mailbox_name(b), "Sent") == 0};
	size_t count, n, skip;
	uint32_t *rows;
	int r;

	(void)mailbox_items(b, &count);
	rows = calloc(count + 1, sizeof *rows);
	if (rows == NULL)
		return client_fail(ERR_EXIT_TEMP, "no memory");
	n = choose(u, b, uids, rows);
	skip = n > most ? n - (size_t)most : 0;
	/* A server that tells nothing of receipts has none to be listed. */
	if (l.sent)
		(void)mail_receipts(u->line, NULL, &l.receipts, &l.receipt_count);
	r = rows_print(&l, rows + skip, n - skip);
	mailui_subjects_clear(&l.subjects);
	free(l.receipts);
	free(rows);
	return r;
}

int mailui_list(struct mailui *u, const struct client_words *w)
{
	_cleanup_(mailbox_closep) struct mailbox *b = NULL;
	uint64_t most;
	int r = count_read(u, u->o.unread ? UINT32_MAX : COUNT_STANDARD, &most);

	(void)w;
	if (r == CLIENT_OK)
		r = mailui_box(u, true, &b);
	return r == CLIENT_OK ? items_print(u, b, NULL, most) : r;
}

int mailui_search(struct mailui *u, const struct client_words *w)
{
	_cleanup_(mailbox_closep) struct mailbox *b = NULL;
	_cleanup_(buf_done) struct buf uids = BUF_INIT(UIDS_MAX);
	uint64_t most;
	int r = count_read(u, UINT32_MAX, &most);

	if (r == CLIENT_OK)
		r = mailui_box(u, true, &b);
	if (r != CLIENT_OK)
		return r;
	r = mailui_find(u, b, w->v, w->count, &uids);
	if (r == -ECANCELED)
		return CLIENT_INTERRUPTED;
	if (r == -ENOBUFS)
		return client_usage(u->client, "search: that is too long");
	if (r < 0)
		return mailui_failed(u, r, "search");
	r = items_print(u, b, &uids, most);
	return r == CLIENT_OK && uids.len == 0 ? CLIENT_NO : r;
}

/* -- mailboxes ----------------------------------------------------------------------------------
 */

int mailui_folders(struct mailui *u, const struct client_words *w)
{
	const bool json = u->client->json;
	struct mail_folder *f = NULL;
	struct table t;
	size_t count = 0;
	int r = mailui_line(u);

	(void)w;
	if (r != CLIENT_OK)
		return r;
	r = mail_folders(u->line, &f, &count);
	if (r < 0)
		return mailui_failed(u, r, "mailboxes");
	table_init(&t,
		(const struct table_column[]){{"MAILBOX", NULL}, {"MESSAGES", json ? "" : NULL},
			{"UNREAD", json ? "" : NULL}, {"FOR", NULL}, {NULL, NULL}});
	for (size_t i = 0; i < count; i++) {
		char messages[16], unseen[16];
		const char *const cells[] = {f[i].name, messages, unseen,
			f[i].use[0] == '\\' ? f[i].use + 1 : f[i].use, NULL};

		(void)snprintf(messages, sizeof messages, "%u", (unsigned)f[i].messages);
		(void)snprintf(unseen, sizeof unseen, "%u", (unsigned)f[i].unseen);
		if (f[i].selectable)
			table_add(&t, cells);
	}
	r = table_print(&t, json);
	table_done(&t);
	mail_folders_free(f, count);
	return r < 0 ? client_fail(ERR_EXIT_TEMP, "no memory") : CLIENT_OK;
}

/* -- what is new --------------------------------------------------------------------------------
 */

static int check_counts(struct mailui *u, uint32_t *ret_unread, unsigned *ret_new)
{
	struct mail_folder *f = NULL;
	struct mail_notice *n = NULL;
	size_t count = 0, notices = 0;
	int r = mail_folders(u->line, &f, &count);

	if (r < 0)
		return r;
	*ret_unread = *ret_new = 0;
	for (size_t i = 0; i < count; i++)
		if (strcmp(f[i].name, "INBOX") == 0)
			*ret_unread = f[i].unseen;
	mail_folders_free(f, count);
	r = mail_notices(u->line, &n, &notices, ret_new);
	free(n);
	return r == -ENOTSUP ? 0 : r;
}

int mailui_check(struct mailui *u, const struct client_words *w)
{
	char unread_text[16], new_text[16];
	const struct table_pair pairs[] = {{"unread", unread_text, ""}, {"notices", new_text, ""}};
	uint32_t unread = 0;
	unsigned news = 0;
	int r = mailui_line(u);

	(void)w;
	if (r != CLIENT_OK)
		return r;
	r = check_counts(u, &unread, &news);
	if (r < 0)
		return mailui_failed(u, r, "check");
	(void)snprintf(unread_text, sizeof unread_text, "%u", (unsigned)unread);
	(void)snprintf(new_text, sizeof new_text, "%u", news);
	return client_done(u->client, pairs, 2, "%u unread message%s, %u new notice%s",
		(unsigned)unread, unread == 1 ? "" : "s", news, news == 1 ? "" : "s");
}
