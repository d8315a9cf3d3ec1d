/* What maild tells beyond IMAP: the rows of its lists, and notices. */
#include "client/mail/told.h"

#include "base/timefmt.h"

#include <errno.h>

int told_can(const struct imapc *m)
{
	return imapc_can(m, "XQUINTET") ? 0 : -ENOTSUP;
}

static const struct imap_node *value(
	const struct imap_answer *a, const struct imap_node *pairs, const char *name)
{
	const struct imap_node *n = imap_answer_find(a, pairs, name);

	return n != NULL && n->value != IMAP_VALUE_NIL && n->value != IMAP_VALUE_LIST ? n : NULL;
}

void told_text(const struct imap_answer *a, const struct imap_node *pairs, const char *name,
	char *ret, size_t size)
{
	const struct imap_node *n = value(a, pairs, name);

	imapc_clean(n != NULL ? n->text : span_of(NULL, 0), ret, size);
}

bool told_flag(const struct imap_answer *a, const struct imap_node *pairs, const char *name)
{
	return value(a, pairs, name) != NULL;
}

int64_t told_time_us(const struct imap_answer *a, const struct imap_node *pairs, const char *name)
{
	const struct imap_node *n = value(a, pairs, name);
	int64_t at_us = 0;

	return n != NULL && time_parse_rfc3339(n->text, &at_us) == 0 ? at_us : 0;
}

uint64_t told_number(const struct imap_answer *a, const struct imap_node *pairs, const char *name)
{
	const struct imap_node *n = value(a, pairs, name);
	uint64_t number = 0;

	return n != NULL && imapc_u64(n->text, &number) ? number : 0;
}

static int make_room(struct told *t)
{
	size_t room = t->room > 0 ? 2 * t->room : 16;
	void *list;

	if (t->count < t->room)
		return 0;
	if (t->count >= TOLD_MAX)
		return -E2BIG;
	list = reallocarray(t->list, room, t->size);
	if (list == NULL)
		return -ENOMEM;
	t->list = list;
	t->room = room;
	return 0;
}

int told_heard(void *arg, const struct imap_answer *a)
{
	struct told *t = arg;
	const struct imap_node *pairs = imapc_nth(a, 1);
	unsigned char *at;
	int r;

	if (a->status.len > 0 || !imapc_word(a, 0, t->name) || pairs == NULL ||
		pairs->value != IMAP_VALUE_LIST)
		return 0;
	r = make_room(t);
	if (r < 0)
		return r;
	at = (unsigned char *)t->list + t->count * t->size;
	memset(at, 0, t->size);
	if (t->row(a, pairs, at))
		t->count++;
	return 0;
}

/* -- notices ----------------------------------------------------------------------------------- */

static bool notice_row(const struct imap_answer *a, const struct imap_node *pairs, void *ret)
{
	struct mail_notice *n = ret;
	char kind[16];
	uint64_t uid = told_number(a, pairs, "UID");

	n->id = told_number(a, pairs, "ID");
	told_text(a, pairs, "KIND", kind, sizeof kind);
	if (strcmp(kind, "NEW") == 0)
		n->kind = MAIL_NOTICE_NEW;
	else if (strcmp(kind, "READ") == 0)
		n->kind = MAIL_NOTICE_READ;
	else if (strcmp(kind, "DECLINED") == 0)
		n->kind = MAIL_NOTICE_DECLINED;
	else
		return false; /* of a later server */
	n->shown = told_flag(a, pairs, "SHOWN");
	n->at_us = told_time_us(a, pairs, "AT");
	n->uid = uid <= UINT32_MAX ? (uint32_t)uid : 0;
	told_text(a, pairs, "MAILBOX", n->mailbox, sizeof n->mailbox);
	told_text(a, pairs, "FROM", n->from, sizeof n->from);
	told_text(a, pairs, "MSGID", n->msgid, sizeof n->msgid);
	told_text(a, pairs, "SUBJECT", n->subject, sizeof n->subject);
	return n->id != 0;
}

static int by_id(const void *a, const void *b)
{
	const struct mail_notice *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

int mail_notices(struct imapc *m, struct mail_notice **ret, size_t *ret_count, unsigned *ret_new)
{
	struct told t = {.name = "XNOTICE", .size = sizeof(struct mail_notice), .row = notice_row};
	const struct mail_notice *list;
	int r = told_can(m);

	if (r == 0)
		r = imapc_runf(m, told_heard, &t, "XNOTICES");
	if (r < 0) {
		free(t.list);
		return r;
	}
	if (t.count > 0)
		qsort(t.list, t.count, t.size, by_id);
	list = t.list;
	*ret_new = 0;
	for (size_t i = 0; i < t.count; i++)
		*ret_new += list[i].shown ? 0 : 1;
	*ret = t.list;
	*ret_count = t.count;
	return 0;
}

int mail_notices_shown(struct imapc *m, uint64_t up_to_id)
{
	int r = told_can(m);

	return r == 0
		? imapc_runf(m, NULL, NULL, "XNOTICES SHOWN %llu", (unsigned long long)up_to_id)
		: r;
}
