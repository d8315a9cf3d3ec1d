/* Messages, and what changes them: redactions and read markers. */
#include "client/chat/talk.h"

#include "base/text.h"

/* "@#channel" goes to the channel's operators, and into its window. */
static struct span without_status(const struct talk *t, struct span target)
{
	size_t i = 0;

	while (i < target.len && target.p[i] != 0 && strchr(t->status_chars, target.p[i]) != NULL)
		i++;
	if (i > 0 && i < target.len && target.p[i] == '#')
		return span_of(target.p + i, target.len - i);
	return target;
}

static struct window *said_window(struct talk *t, const struct talk_in *in)
{
	struct window *server = t->model.windows[0], *w;
	struct span target = without_status(t, in->m.params[0]);
	bool notice = irc_is(in->m.verb, "NOTICE");

	if (in->history)
		return talk_window(t, span_str(in->target));
	if (talk_is_channel(target)) {
		w = windows_find(&t->model, target);
		return w != NULL ? w : server;
	}
	if (in->source.user.len == 0 && in->source.host.len == 0)
		return server;
	if (!in->own)
		target = in->source.nick;
	w = notice ? windows_find(&t->model, target) : talk_window(t, target);
	return w != NULL ? w : server;
}

static void request_pass(struct talk *t, const struct talk_in *in, struct span rest)
{
	_cleanup_(buf_done) struct buf key = BUF_INIT(64);
	struct talk_request r = {.nick = in->source.nick,
		.account = in->account,
		.rest = rest,
		.notice = irc_is(in->m.verb, "NOTICE"),
		.at_us = in->at_us};

	/* Only from person to person, and now. */
	if (t->calls_state == NULL || in->own || in->history || in->source.nick.len == 0 ||
		in->source.user.len == 0 || !irc_eq(in->m.params[0], span_str(t->nick)))
		return;
	if (in->key.len > 0 && text_unhex(&key, in->key) == 0 && key.len == sizeof r.spki_sha256) {
		memcpy(r.spki_sha256, key.p, key.len);
		r.has_key = true;
	}
	t->calls->request(t->calls_state, &r);
}

void said_text(struct talk *t, const struct talk_in *in, struct span text)
{
	bool notice = irc_is(in->m.verb, "NOTICE");
	struct item_fields f = {.kind = notice ? ITEM_NOTICE : ITEM_MESSAGE,
		.at_us = in->at_us,
		.msgid = in->msgid,
		.from = in->source.nick,
		.account = in->account,
		.text = text,
		.own = in->own};
	struct span verb, rest;
	struct window *w;
	struct item *i;

	if (irc_ctcp(text, &verb, &rest)) {
		if (irc_is(verb, "DCC"))
			request_pass(t, in, rest);
		if (!irc_is(verb, "ACTION"))
			return;
		f.kind = ITEM_ACTION;
		f.text = rest;
	}
	if (in->own)
		outgoing_seen(t, in->own_id);
	w = said_window(t, in);
	if (w == NULL)
		return;
	i = item_new(&f);
	if (i != NULL)
		i->to_me = !in->own &&
			(w->kind == WINDOW_PERSON || windows_names(f.text, span_str(t->nick)));
	if (in->history)
		fill_item(t, in, i);
	else
		talk_add(t, w, i);
}

void said_message(struct talk *t, const struct talk_in *in)
{
	said_text(t, in, in->m.params[1]);
}

void said_redact(struct talk *t, const struct talk_in *in)
{
	struct span target = in->m.params[0];
	struct window *w;
	struct item *i;

	if (!in->own && !talk_is_channel(target))
		target = in->source.nick;
	w = windows_find(&t->model, in->history ? span_str(in->target) : target);
	i = w != NULL ? windows_item(w, in->m.params[1]) : NULL;
	if (i == NULL || i->redacted)
		return;
	windows_redact(w, i);
	if (!in->history && t->view->redacted != NULL)
		t->view->redacted(t->view_arg, w, i);
	talk_changed(t);
}

/* "MARKREAD target timestamp=..", or "*": nothing was ever read. */
void said_marker(struct talk *t, const struct talk_in *in)
{
	struct span at = in->m.params[1], key;
	struct window *w;
	int64_t at_us = 0;

	(void)span_split(&at, '=', &key);
	if (!span_eq_str(key, "timestamp") || irc_time_parse(at, &at_us) < 0)
		at_us = 0;
	fill_marked(t, in->m.params[0], at_us);
	w = windows_find(&t->model, in->m.params[0]);
	if (w == NULL)
		return;
	windows_read(w, at_us);
	talk_changed(t);
}
