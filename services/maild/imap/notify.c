/*
 * NOTIFY (RFC 5465). What was told of each mailbox is kept as a list; when the bell rings, the
 * mailboxes are read again and the differences told, by the first group that a mailbox belongs to.
 */
#include "services/maild/imap/imap.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>

#define STATUS_NEW (IMAP_STATUS_MESSAGES | IMAP_STATUS_UIDNEXT | IMAP_STATUS_UIDVALIDITY)
#define STATUS_FLAGS (IMAP_STATUS_UIDVALIDITY | IMAP_STATUS_HIGHESTMODSEQ)
#define MESSAGE_EVENTS (IMAP_EVENT_NEW | IMAP_EVENT_EXPUNGE)

struct boxes {
	struct mail_box *list; /* owned; by id, those without one by name */
	size_t count, room;
};

struct imap_notifying {
	struct imap_notify asked;
	struct boxes told;
};

/* -- reading ----------------------------------------------------------------------------------- */

static void boxes_done(struct boxes *b)
{
	free(b->list);
	*b = (struct boxes){.list = NULL};
}

static int add_box(void *arg, const struct mail_box *box)
{
	struct boxes *b = arg;

	if (box->id == 0 && !box->subscribed)
		return 0;
	if (b->count == b->room) {
		size_t room = b->room > 0 ? 2 * b->room : 16;
		void *p = reallocarray(b->list, room, sizeof(*b->list));

		if (p == NULL)
			return -ENOMEM;
		b->list = p;
		b->room = room;
	}
	b->list[b->count++] = *box;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct mail_box *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->id == 0 ? strcmp(x->name, y->name) : 0;
}

struct look {
	const struct imap *s;
	struct boxes *boxes;
};

static int read_boxes(struct store_txn *txn, void *arg)
{
	struct look *l = arg;

	return mail_boxes_each(txn, imap_account(l->s), add_box, l->boxes);
}

static int look(const struct imap *s, struct boxes *ret)
{
	struct look l = {.s = s, .boxes = ret};
	int r = store_view(s->service->store, read_boxes, &l);

	if (r == 0 && ret->count > 1)
		qsort(ret->list, ret->count, sizeof(*ret->list), compare);
	return r;
}

/* -- groups ------------------------------------------------------------------------------------ */

static bool is_named(const struct imap_notify_group *g, const char *name, bool below)
{
	struct span rest = buf_span(&g->names), one;

	while (span_split(&rest, '\0', &one))
		if (span_eq_str(one, name) ||
			(below && strncmp((const char *)one.p, name, one.len) == 0 &&
				name[one.len] == '/'))
			return true;
	return false;
}

static bool belongs(const struct imap_notify_group *g, const struct mail_box *box)
{
	switch (g->filter) {
	case IMAP_FILTER_INBOXES:
		return strcmp(box->name, "INBOX") == 0;
	case IMAP_FILTER_PERSONAL:
		return true;
	case IMAP_FILTER_SUBSCRIBED:
		return box->subscribed;
	case IMAP_FILTER_SUBTREE:
		return is_named(g, box->name, true);
	case IMAP_FILTER_MAILBOXES:
		return is_named(g, box->name, false);
	case IMAP_FILTER_SELECTED:
	case IMAP_FILTER_SELECTED_DELAYED:
	default:
		return false;
	}
}

/* What is to be told of a mailbox that is not selected. */
static unsigned events_of(const struct imap_notify *asked, const struct mail_box *box)
{
	for (size_t i = 0; i < asked->count; i++)
		if (belongs(&asked->groups[i], box))
			return asked->groups[i].events;
	return 0;
}

static const struct imap_notify_group *selected_group(const struct imap *s)
{
	const struct imap_notifying *n = s->notifying;

	for (size_t i = 0; n != NULL && i < n->asked.count; i++)
		if (n->asked.groups[i].filter == IMAP_FILTER_SELECTED ||
			n->asked.groups[i].filter == IMAP_FILTER_SELECTED_DELAYED)
			return &n->asked.groups[i];
	return NULL;
}

/* -- telling ----------------------------------------------------------------------------------- */

static void put_status(struct imap *s, const struct mail_box *box, unsigned events)
{
	unsigned items = (events & IMAP_EVENT_NEW) != 0 ? STATUS_NEW : 0;

	if ((events & IMAP_EVENT_EXPUNGE) != 0)
		items |= IMAP_STATUS_MESSAGES;
	if ((events & IMAP_EVENT_FLAGS) != 0)
		items |= STATUS_FLAGS;
	if (items == 0 || box->id == 0)
		return;
	buf_add_str(&s->out, "* ");
	imap_put_status(s, &s->out, box, items);
	buf_add_str(&s->out, "\r\n");
}

static void put_list(struct imap *s, const struct mail_box *box, bool there, const char *old_name)
{
	struct buf *b = &s->out;

	buf_addf(b, "* LIST (%s%s%s) \"/\" ", there ? "" : "\\NonExistent",
		!there && box->subscribed ? " " : "", box->subscribed ? "\\Subscribed" : "");
	imap_put_name(s, b, box->name);
	if (old_name != NULL) {
		buf_add_str(b, " (\"OLDNAME\" (");
		imap_put_name(s, b, old_name);
		buf_add_str(b, "))");
	}
	buf_add_str(b, "\r\n");
}

static bool is_subscribed(const struct boxes *b, const char *name)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->list[i].subscribed && strcmp(b->list[i].name, name) == 0)
			return true;
	return false;
}

/* Only in one of both lists: it came or it went. A name that only changes from a mailbox to a
 * subscription is still subscribed to. */
static void tell_single(
	struct imap *s, const struct mail_box *box, bool came, const struct boxes *other)
{
	unsigned events = events_of(&s->notifying->asked, box);

	if (box->id != 0) {
		struct mail_box named = *box;

		named.subscribed = came && box->subscribed;
		if ((events & IMAP_EVENT_NAME) != 0)
			put_list(s, &named, came, NULL);
		if (came && box->messages > 0)
			put_status(s, box, events);
	} else if ((events & IMAP_EVENT_SUBSCRIPTION) != 0 && !is_subscribed(other, box->name)) {
		struct mail_box named = *box;

		named.subscribed = came;
		put_list(s, &named, false, NULL);
	}
}

static void tell_pair(struct imap *s, const struct mail_box *was, const struct mail_box *is)
{
	const struct imap_notify *asked = &s->notifying->asked;
	unsigned events = events_of(asked, is);
	bool renamed = strcmp(was->name, is->name) != 0;
	bool counts = was->messages != is->messages || was->uid_next != is->uid_next;

	if (is->id == 0)
		return;
	if (renamed && ((events | events_of(asked, was)) & IMAP_EVENT_NAME) != 0)
		put_list(s, is, true, was->name);
	if (was->subscribed != is->subscribed && (events & IMAP_EVENT_SUBSCRIPTION) != 0)
		put_list(s, is, true, NULL);
	if (s->state == IMAP_SELECTED && s->box.id == is->id)
		return;
	if ((counts && (events & MESSAGE_EVENTS) != 0) ||
		(was->modseq != is->modseq && (events & IMAP_EVENT_FLAGS) != 0))
		put_status(s, is, events);
}

static void tell_differences(struct imap *s, const struct boxes *was, const struct boxes *now)
{
	size_t i = 0, k = 0;

	while (i < was->count || k < now->count) {
		int order = i == was->count ? 1
			: k == now->count   ? -1
					    : compare(&was->list[i], &now->list[k]);

		if (order < 0)
			tell_single(s, &was->list[i++], false, now);
		else if (order > 0)
			tell_single(s, &now->list[k++], true, was);
		else
			tell_pair(s, &was->list[i++], &now->list[k++]);
	}
}

int imap_notify_tell(struct imap *s)
{
	const struct imap_notify_group *selected = selected_group(s);
	struct imap_notifying *n = s->notifying;
	_cleanup_(boxes_done) struct boxes now = {.list = NULL};
	struct boxes was;
	int r = 0;

	if (selected != NULL && selected->events != 0)
		r = imap_sync(s, selected->filter == IMAP_FILTER_SELECTED_DELAYED);
	if (r < 0)
		return r;
	r = look(s, &now);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	buf_reset(&s->out);
	tell_differences(s, &n->told, &now);
	imap_write(s, buf_span(&s->out));
	was = n->told;
	n->told = now;
	now = was;
	return 0;
}

bool imap_notify_flags(const struct imap *s)
{
	const struct imap_notify_group *selected = selected_group(s);

	return selected == NULL || (selected->events & IMAP_EVENT_FLAGS) != 0;
}

void imap_notify_new(struct imap *s, size_t first)
{
	const struct imap_notify_group *selected = selected_group(s);
	struct imap_picks picks = {.at = NULL};

	if (selected == NULL || !selected->has_fetch || first >= s->box.count)
		return;
	picks.at = reallocarray(NULL, s->box.count - first, sizeof(*picks.at));
	if (picks.at == NULL)
		return;
	for (size_t i = first; i < s->box.count; i++)
		picks.at[picks.count++] = (uint32_t)i;
	(void)imap_fetch_picks(s, &selected->fetch, &picks, true);
	imap_picks_done(&picks);
}

/* -- the command ------------------------------------------------------------------------------- */

void imap_notify_free(struct imap *s)
{
	if (s->notifying == NULL)
		return;
	imap_notify_done(&s->notifying->asked);
	boxes_done(&s->notifying->told);
	free(s->notifying);
	s->notifying = NULL;
}

static void tell_first(struct imap *s, const struct imap_notifying *n)
{
	buf_reset(&s->out);
	for (size_t i = 0; i < n->told.count; i++) {
		const struct mail_box *box = &n->told.list[i];

		if (s->state != IMAP_SELECTED || s->box.id != box->id)
			put_status(s, box, events_of(&n->asked, box));
	}
	imap_write(s, buf_span(&s->out));
}

/* The bell first, then the look: nothing falls in between. */
static int begin(struct imap_call *c, struct imap_notifying *n)
{
	struct imap *s = c->s;
	int r = imap_need_bell(s);

	if (r == 0)
		r = look(s, &n->told);
	if (r < 0)
		return r;
	imap_notify_free(s);
	s->notifying = n;
	if (n->asked.status)
		tell_first(s, n);
	return 0;
}

/* What comes unasked was not read. */
static void leave_unread(struct imap_fetch *f)
{
	for (size_t i = 0; i < f->count; i++)
		f->items[i].peek = true;
}

int imap_cmd_notify(struct imap_call *c)
{
	struct imap_notifying *n = calloc(1, sizeof(*n));
	int r = n == NULL ? -ENOMEM : imap_in_space(&c->in);

	if (r == 0)
		r = imap_in_notify(&c->in, &n->asked);
	if (r < 0 || n->asked.count == 0) {
		free(n);
		if (r == 0)
			imap_notify_free(c->s);
		if (r == 0)
			return imap_ok(c, "Nothing is told any more");
		if (r == -ENOTSUP)
			return imap_no(c,
				"[BADEVENT (MessageNew MessageExpunge FlagChange MailboxName "
				"SubscriptionChange)] Those are the events that there are");
		return r == -ENOMEM ? imap_failed(c, r) : imap_bad(c, "That is no NOTIFY");
	}
	for (size_t i = 0; i < n->asked.count; i++)
		leave_unread(&n->asked.groups[i].fetch);
	r = begin(c, n);
	if (r < 0) {
		imap_notify_done(&n->asked);
		boxes_done(&n->told);
		free(n);
		return r == -EACCES ? r : imap_failed(c, r);
	}
	return imap_ok(c, "You will hear");
}
