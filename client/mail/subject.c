/*
 * What encrypted messages are about: the Subject outside says nothing, so small ones are opened for
 * the list. Their signatures are not looked at here; reading tells of those.
 */
#include "client/mail/ui.h"

#include "net/wait.h"

enum { OPENED_MAX = 256 << 10 /* bytes of a message that is opened for its subject */ };

void mailui_subjects_clear(struct mailui_subjects *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->list[i].text);
	free(s->list);
	*s = (struct mailui_subjects){.list = NULL};
}

/* Where the UID is, or belongs. */
static size_t place(const struct mailui_subjects *s, uint32_t uid)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->list[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Takes the text over. */
static const char *keep(struct mailui_subjects *s, uint32_t uid, char *text)
{
	size_t at = place(s, uid);
	struct mailui_subject *list = reallocarray(s->list, s->count + 1, sizeof *list);

	if (list == NULL || text == NULL) {
		s->list = list != NULL ? list : s->list;
		free(text);
		return "";
	}
	memmove(list + at + 1, list + at, (s->count - at) * sizeof *list);
	list[at] = (struct mailui_subject){uid, text};
	s->list = list;
	s->count++;
	return text;
}

static char *inner(const struct mailui *u, struct span message)
{
	_cleanup_(buf_done) struct buf readable = BUF_INIT(2 * (size_t)OPENED_MAX);
	struct smime_verdict verdict;
	struct mail_view view;
	char *text = NULL;

	if (smime_open(NULL, &u->profile, message, &readable, &verdict) == 0 &&
		mail_view_make(buf_span(&readable), &view) == 0) {
		text = strdup(view.subject);
		mail_view_done(&view);
	}
	return text;
}

const char *mailui_subject(
	struct mailui *u, struct mailbox *b, uint32_t uid, struct mailui_subjects *known)
{
	_cleanup_(buf_done) struct buf raw = BUF_INIT((size_t)OPENED_MAX);
	const struct mail_item *item = mailbox_item(b, uid);
	size_t at = place(known, uid);
	char *outer, *found;

	if (item == NULL || !item->encrypted || item->size > OPENED_MAX)
		return item != NULL ? item->subject : "";
	if (at < known->count && known->list[at].uid == uid)
		return known->list[at].text;
	/* Many may be opened in a row: whatever else is under way has its turn. */
	(void)net_wait(NULL, 0, 0);
	item = mailbox_item(b, uid);
	outer = strdup(item != NULL ? item->subject : "");
	found = mailbox_message(b, uid, &raw) == 0 ? inner(u, buf_span(&raw)) : NULL;
	if (found == NULL)
		return keep(known, uid, outer);
	free(outer);
	return keep(known, uid, found);
}

/* -- by Message-ID ------------------------------------------------------------------------------
 */

static void name(struct mailui *u, struct mailbox *b, const struct mailui_named *n)
{
	struct mailui_subjects known = {.list = NULL};
	size_t count;
	const struct mail_item *items = mailbox_items(b, &count);

	for (size_t i = count; i > 0; i--) {
		if (strcmp(items[i - 1].msgid, n->msgid) != 0)
			continue;
		(void)snprintf(
			n->subject, n->size, "%s", mailui_subject(u, b, items[i - 1].uid, &known));
		break;
	}
	mailui_subjects_clear(&known);
}

void mailui_name(struct mailui *u, struct imapc *line, const char *mailbox,
	const struct mailui_named *list, size_t count)
{
	_cleanup_(mailbox_closep) struct mailbox *b = NULL;

	for (size_t i = 0; i < count; i++) {
		if (list[i].msgid[0] == '\0' || strcmp(list[i].subject, "...") != 0)
			continue;
		if (b == NULL && mailbox_open(line, &u->profile, mailbox, true, &b) < 0)
			return;
		name(u, b, &list[i]);
	}
}
