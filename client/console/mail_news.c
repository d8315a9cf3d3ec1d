/* What has come: messages by IDLE, and what the server keeps as notices. See mail_i.h. */
#include "client/console/mail_i.h"

#include <errno.h>

enum { TOLD_MOST = 10 /* at a time; the rest by number */ };

static int inbox_list(struct mail_part *m)
{
	struct place *p = NULL;
	struct mail_place *i = mail_place_box(m, "INBOX");

	if (i == NULL) {
		i = mail_place_open(m, PLACE_MAILBOX, "INBOX", &p);
		if (i == NULL)
			return 0;
		(void)snprintf(i->box, sizeof i->box, "INBOX");
	}
	return mail_list_fill(m, i->number);
}

/* -- notices ----------------------------------------------------------------------------------- */

/* A message in INBOX says more than its notice. */
static void notice_complete(struct mail_part *m, struct mail_notice *n)
{
	if (n->kind == MAIL_NOTICE_NEW && n->uid != 0 && mail_is_inbox(n->mailbox) &&
		m->box != NULL && mail_is_inbox(mailbox_name(m->box)) &&
		mailbox_item(m->box, n->uid) != NULL)
		(void)snprintf(n->subject, sizeof n->subject, "%s",
			mailui_subject(&m->u, m->box, n->uid, mail_subjects(m)));
}

static void notice_tell(struct mail_part *m, const struct mail_notice *n)
{
	static const char *const words[] = {[MAIL_NOTICE_NEW] = "new mail from",
		[MAIL_NOTICE_READ] = "has read",
		[MAIL_NOTICE_DECLINED] = "has deleted unread"};
	const bool secret = strcmp(n->subject, "...") == 0;
	char from[256], subject[256];

	mail_clean(n->from, from, sizeof from);
	mail_clean(secret ? "a letter of yours" : n->subject, subject, sizeof subject);
	if (n->kind != MAIL_NOTICE_NEW)
		console_say(m->c, "%s %s: %s", from, words[n->kind], subject);
	else if (n->uid != 0 && mail_is_inbox(n->mailbox))
		console_say(m->c, "%s %s: %s (/read %u)", words[n->kind], from,
			secret ? "encrypted" : subject, (unsigned)n->uid);
	else
		console_say(
			m->c, "%s %s: %s", words[n->kind], from, secret ? "encrypted" : subject);
}

/* Subjects that only other mailboxes know: those are opened for them, and INBOX again after. */
static int notices_name(struct mail_part *m, struct mail_notice *list, size_t count)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		notice_complete(m, &list[i]);
		any |= list[i].kind != MAIL_NOTICE_NEW && strcmp(list[i].subject, "...") == 0;
	}
	if (!any)
		return 0;
	mail_box_drop(m);
	mailui_name_notices(&m->u, m->u.line, list, count);
	return mail_box_need(m, "INBOX");
}

static int notices_look(struct mail_part *m)
{
	_cleanup_(cleanup_free) struct mail_notice *list = NULL;
	unsigned fresh = 0, told = 0;
	size_t count = 0, from;
	int r = mail_notices(m->u.line, &list, &count, &fresh);

	if (r < 0)
		return r;
	/* Those that are shown stand in front of those that are not, but for what other devices
	 * did meanwhile. */
	for (from = 0; from < count && (list[from].shown || list[from].id <= m->notice_id);)
		from++;
	if (from == count)
		return 0;
	r = notices_name(m, list + from, count - from);
	if (r < 0)
		return r;
	for (size_t i = from; i < count; i++) {
		if (list[i].shown || told == TOLD_MOST)
			continue;
		notice_tell(m, &list[i]);
		told++;
	}
	if (fresh > told)
		console_say(m->c, "and %u more: /notices", fresh - told);
	m->notice_id = list[count - 1].id;
	return mail_notices_shown(m->u.line, m->notice_id);
}

/* -- servers without notices ------------------------------------------------------------------- */

static void items_tell(struct mail_part *m)
{
	size_t count;
	const struct mail_item *items = mailbox_items(m->box, &count);
	uint32_t from = m->told_uid;

	m->told_uid = count > 0 ? items[count - 1].uid : from;
	for (size_t i = 0; i < count; i++) {
		char who[256], subject[256];

		if (items[i].uid <= from || (items[i].flags & IMAP_FLAG_SEEN) != 0)
			continue;
		mail_clean(items[i].from, who, sizeof who);
		mail_clean(items[i].subject, subject, sizeof subject);
		console_say(m->c, "new mail from %s: %s (/read %u)", who, subject,
			(unsigned)items[i].uid);
	}
}

/* -- both -------------------------------------------------------------------------------------- */

void mail_news_begin(struct mail_part *m)
{
	size_t count = 0;
	const struct mail_item *items;

	if (m->told_uid != 0 || mail_box_need(m, "INBOX") < 0)
		return;
	items = mailbox_items(m->box, &count);
	m->told_uid = count > 0 ? items[count - 1].uid : 0;
}

int mail_news(struct mail_part *m)
{
	int r = inbox_list(m), told;

	if (r < 0)
		return r;
	told = notices_look(m);
	if (told == -ENOTSUP)
		items_tell(m);
	else if (told < 0 && told != -EREMOTEIO)
		return told;
	mail_status(m);
	return m->u.line->error;
}
