/* One thing that was said or done, in one allocation. */
#include "client/chat/model.h"

#include <stdlib.h>

static struct span cut(struct span s, size_t max)
{
	const unsigned char *nul = s.len > 0 ? memchr(s.p, '\0', s.len) : NULL;

	if (nul != NULL)
		s.len = (size_t)(nul - s.p);
	if (s.len > max)
		s.len = max;
	return s;
}

static const char *keep(char **at, struct span s)
{
	char *begin = *at;

	if (s.len > 0)
		memcpy(begin, s.p, s.len);
	begin[s.len] = '\0';
	*at += s.len + 1;
	return begin;
}

struct item *item_new(const struct item_fields *f)
{
	struct span from = cut(f->from, MODEL_NAME_MAX), account = cut(f->account, MODEL_NAME_MAX);
	struct span subject = cut(f->subject, MODEL_NAME_MAX), text = cut(f->text, MODEL_TEXT_MAX);
	size_t size = sizeof(struct item) + from.len + account.len + subject.len + text.len + 4;
	struct item *i = calloc(1, size);
	unsigned check;
	char *at;

	if (i == NULL)
		return NULL;
	at = (char *)(i + 1);
	i->kind = f->kind;
	i->at_us = f->at_us;
	i->own = f->own;
	i->size = size;
	i->from = keep(&at, from);
	i->account = keep(&at, account);
	i->subject = keep(&at, subject);
	i->text = keep(&at, text);
	/* An id that does not fit is none: nothing could be asked for by a part of it. */
	if (f->msgid.len > 0 && span_copy_str(f->msgid, i->msgid, sizeof i->msgid) == 0 &&
		irc_msgid_parse(f->msgid, &i->seq, &check) < 0)
		i->seq = 0;
	return i;
}

bool item_is_message(const struct item *i)
{
	return i->kind == ITEM_MESSAGE || i->kind == ITEM_NOTICE || i->kind == ITEM_ACTION;
}

const char *item_kind_name(enum item_kind kind)
{
	static const char *const names[] = {"message", "notice", "action", "join", "part", "quit",
		"kick", "nick", "topic", "mode", "invite", "rename", "note", "error"};

	return names[kind];
}
