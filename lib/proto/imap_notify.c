/* NOTIFY (RFC 5465): groups of mailboxes and what is to be told of them. */
#include "proto/imap_i.h"

#include <errno.h>

enum { NAMES_BYTES_MAX = 32 << 10 };

static const unsigned message_events = IMAP_EVENT_NEW | IMAP_EVENT_EXPUNGE | IMAP_EVENT_FLAGS;

struct word_row {
	const char *name;
	int value;
};
static const struct word_row filters[] = {
	{"SELECTED", IMAP_FILTER_SELECTED},
	{"SELECTED-DELAYED", IMAP_FILTER_SELECTED_DELAYED},
	{"INBOXES", IMAP_FILTER_INBOXES},
	{"PERSONAL", IMAP_FILTER_PERSONAL},
	{"SUBSCRIBED", IMAP_FILTER_SUBSCRIBED},
	{"SUBTREE", IMAP_FILTER_SUBTREE},
	{"MAILBOXES", IMAP_FILTER_MAILBOXES},
};
static const struct word_row events[] = {
	{"MESSAGENEW", IMAP_EVENT_NEW},
	{"MESSAGEEXPUNGE", IMAP_EVENT_EXPUNGE},
	{"FLAGCHANGE", IMAP_EVENT_FLAGS},
	{"MAILBOXNAME", IMAP_EVENT_NAME},
	{"SUBSCRIPTIONCHANGE", IMAP_EVENT_SUBSCRIPTION},
};

static int find_word(struct span word, const struct word_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span_caseeq_str(word, rows[i].name))
			return rows[i].value;
	return -ENOENT;
}

static int take_name(struct imap_in *in, void *data)
{
	struct imap_notify_group *g = data;
	int r = imap_in_mailbox(in, &g->names);

	buf_add_byte(&g->names, '\0');
	if (r == 0)
		r = buf_error(&g->names);
	return r == 0 || r == -ENOMEM ? r : -EBADMSG;
}

static int in_filter(struct imap_in *in, struct imap_notify_group *g)
{
	int filter = find_word(imap_in_name(in), filters, sizeof(filters) / sizeof(filters[0]));

	if (filter < 0)
		return -EBADMSG;
	g->filter = (enum imap_filter)filter;
	if (g->filter != IMAP_FILTER_SUBTREE && g->filter != IMAP_FILTER_MAILBOXES)
		return 0;
	if (imap_in_space(in) < 0)
		return -EBADMSG;
	if (imap_in_peek(in) == '(')
		return imap_in_list_of(in, false, take_name, g);
	return take_name(in, g);
}

static int take_item(struct imap_in *in, void *data)
{
	return imap_in_fetch_item(in, data);
}

/* The items behind MessageNew, if they are there. */
static int in_new_items(struct imap_in *in, struct imap_notify_group *g)
{
	if (in->len - in->at < 2 || in->p[in->at] != ' ' || in->p[in->at + 1] != '(')
		return 0;
	in->at++;
	if (g->has_fetch)
		return -EBADMSG;
	g->has_fetch = true;
	return imap_in_list_of(in, false, take_item, &g->fetch);
}

static int take_event(struct imap_in *in, void *data)
{
	struct imap_notify_group *g = data;
	struct span word = imap_in_name(in);
	int event = find_word(word, events, sizeof(events) / sizeof(events[0]));

	if (word.len == 0)
		return -EBADMSG;
	if (event < 0)
		return -ENOTSUP;
	g->events |= (unsigned)event;
	return event == IMAP_EVENT_NEW ? in_new_items(in, g) : 0;
}

static bool is_selected(const struct imap_notify_group *g)
{
	return g->filter == IMAP_FILTER_SELECTED || g->filter == IMAP_FILTER_SELECTED_DELAYED;
}

/* RFC 5465 sections 5 to 5.2 and 6.1: what may stand with what. Of mailboxes that are not selected
 * only counts are told, and any of them alone. */
static int check_group(const struct imap_notify_group *g)
{
	bool has_new = (g->events & IMAP_EVENT_NEW) != 0;
	bool has_expunge = (g->events & IMAP_EVENT_EXPUNGE) != 0;

	if (!is_selected(g))
		return g->has_fetch ? -EBADMSG : 0;
	if (has_new != has_expunge || (g->events & ~message_events) != 0)
		return -EBADMSG;
	return (g->events & IMAP_EVENT_FLAGS) != 0 && !has_new ? -EBADMSG : 0;
}

static int in_group(struct imap_in *in, struct imap_notify_group *g)
{
	int r;

	if (!imap_in_char(in, '('))
		return -EBADMSG;
	r = in_filter(in, g);
	if (r == 0)
		r = imap_in_space(in);
	if (r == 0 && !imap_in_word(in, "NONE"))
		r = imap_in_list_of(in, false, take_event, g);
	if (r < 0)
		return r;
	return imap_in_char(in, ')') ? check_group(g) : -EBADMSG;
}

static int take_group(struct imap_in *in, struct imap_notify *n)
{
	struct imap_notify_group *g;
	int r;

	if (n->count >= sizeof(n->groups) / sizeof(n->groups[0]))
		return -EBADMSG;
	g = &n->groups[n->count++];
	g->names = BUF_INIT(NAMES_BYTES_MAX);
	r = in_group(in, g);
	if (r < 0)
		return r;
	for (size_t i = 0; i + 1 < n->count; i++)
		if (is_selected(g) && is_selected(&n->groups[i]))
			return -EBADMSG;
	return 0;
}

static int in_command(struct imap_in *in, struct imap_notify *n)
{
	int r;

	if (imap_in_word(in, "NONE"))
		return imap_in_end(in) ? 0 : -EBADMSG;
	if (!imap_in_word(in, "SET") || imap_in_space(in) < 0)
		return -EBADMSG;
	n->status = imap_in_word(in, "STATUS");
	if (n->status && imap_in_space(in) < 0)
		return -EBADMSG;
	do {
		r = take_group(in, n);
		if (r < 0)
			return r;
	} while (imap_in_char(in, ' '));
	return imap_in_end(in) ? 0 : -EBADMSG;
}

int imap_in_notify(struct imap_in *in, struct imap_notify *ret)
{
	struct imap_notify n = {.count = 0};
	size_t from = in->at;
	int r = in_command(in, &n);

	if (r < 0) {
		in->at = from;
		imap_notify_done(&n);
		return r;
	}
	*ret = n;
	return 0;
}

void imap_notify_done(struct imap_notify *n)
{
	for (size_t i = 0; i < n->count; i++) {
		buf_done(&n->groups[i].names);
		imap_fetch_done(&n->groups[i].fetch);
	}
	*n = (struct imap_notify){.count = 0};
}
