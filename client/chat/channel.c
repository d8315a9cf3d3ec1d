/* What happens in channels and to people. A history tells of the past: it shows and changes
 * nothing. */
#include "client/chat/talk.h"

#include <errno.h>

struct window *channel_window(struct talk *t, const struct talk_in *in, struct span name)
{
	return windows_find(&t->model, in->history ? span_str(in->target) : name);
}

/* Shows it in the window; w NULL: nowhere. */
static void tell(struct talk *t, const struct talk_in *in, struct window *w, enum item_kind kind,
	const struct span words[2])
{
	struct item *i;

	if (w == NULL && !in->history)
		return;
	i = item_new(&(struct item_fields){.kind = kind,
		.at_us = in->at_us,
		.msgid = in->msgid,
		.from = in->source.nick.len > 0 ? in->source.nick : in->m.source,
		.account = in->account,
		.subject = words[0],
		.text = words[1],
		.own = in->own});
	if (in->history)
		fill_item(t, in, i);
	else
		talk_add(t, w, i);
}

static struct span param(const struct talk_in *in, size_t n)
{
	return n < in->m.count ? in->m.params[n] : span_of(NULL, 0);
}

/* -- coming and going -------------------------------------------------------------------------- */

static void joined_self(struct talk *t, struct window *w)
{
	w->joined = true;
	w->names_open = false;
	windows_members_clear(&t->model, w);
	(void)windows_member_set(&t->model, w, span_str(t->nick), "");
	fill_window(t, w);
	talk_changed(t);
}

void channel_join(struct talk *t, const struct talk_in *in)
{
	struct span name = in->m.params[0];
	bool self = !in->history && irc_eq(in->source.nick, span_str(t->nick));
	struct window *w = self ? talk_window(t, name) : channel_window(t, in, name);
	/* Extended: account, real name. */
	const struct span words[2] = {{NULL, 0}, param(in, 2)};

	if (self)
		t->source_len = in->m.source.len;
	if (w != NULL && self)
		joined_self(t, w);
	else if (w != NULL && !in->history)
		(void)windows_member_set(&t->model, w, in->source.nick, "");
	/* What one is in from before is no news. */
	if (!self || t->state == TALK_READY)
		tell(t, in, w, ITEM_JOIN, words);
}

static void gone(struct talk *t, struct window *w, struct span nick)
{
	if (!irc_eq(nick, span_str(t->nick))) {
		(void)windows_member_remove(&t->model, w, nick);
		return;
	}
	w->joined = w->was_joined = false;
	windows_members_clear(&t->model, w);
	talk_changed(t);
}

void channel_part(struct talk *t, const struct talk_in *in)
{
	struct window *w = channel_window(t, in, in->m.params[0]);

	tell(t, in, w, ITEM_PART, (struct span[2]){{NULL, 0}, param(in, 1)});
	if (w != NULL && !in->history)
		gone(t, w, in->source.nick);
}

void channel_kick(struct talk *t, const struct talk_in *in)
{
	struct window *w = channel_window(t, in, in->m.params[0]);

	tell(t, in, w, ITEM_KICK, (struct span[2]){in->m.params[1], param(in, 2)});
	if (w != NULL && !in->history)
		gone(t, w, in->m.params[1]);
}

void channel_quit(struct talk *t, const struct talk_in *in)
{
	const struct span words[2] = {{NULL, 0}, param(in, 0)};

	if (in->history) {
		tell(t, in, NULL, ITEM_QUIT, words);
		return;
	}
	for (size_t i = 1; i < t->model.count; i++) {
		struct window *w = t->model.windows[i];

		if (!windows_member_remove(&t->model, w, in->source.nick) &&
			!irc_eq(in->source.nick, span_str(w->name)))
			continue;
		tell(t, in, w, ITEM_QUIT, words);
	}
}

void channel_nick(struct talk *t, const struct talk_in *in)
{
	struct span from = in->source.nick, to = in->m.params[0];
	const struct span words[2] = {to, {NULL, 0}};

	if (in->history) {
		tell(t, in, NULL, ITEM_NICK, words);
		return;
	}
	for (size_t i = 1; i < t->model.count; i++) {
		struct window *w = t->model.windows[i];

		if (members_find(&w->members, from) != NULL || irc_eq(from, span_str(w->name)))
			tell(t, in, w, ITEM_NICK, words);
	}
	windows_nick(&t->model, from, to);
	if (!irc_eq(from, span_str(t->nick)))
		return;
	if (span_copy_str(to, t->nick, sizeof t->nick) == 0)
		t->source_len = 0;
	talk_changed(t);
}

void channel_away(struct talk *t, const struct talk_in *in)
{
	for (size_t i = 1; i < t->model.count && !in->history; i++) {
		struct member *m = members_find(&t->model.windows[i]->members, in->source.nick);

		if (m != NULL)
			m->away = in->m.count > 0 && in->m.params[0].len > 0;
	}
}

/* -- what a channel is ------------------------------------------------------------------------- */

void channel_topic(struct talk *t, const struct talk_in *in)
{
	struct window *w = channel_window(t, in, in->m.params[0]);

	if (w != NULL && !in->history)
		windows_topic(w, in->m.params[1]);
	tell(t, in, w, ITEM_TOPIC, (struct span[2]){{NULL, 0}, in->m.params[1]});
}

void channel_topic_is(struct talk *t, const struct talk_in *in)
{
	struct window *w = in->m.count > 2 ? windows_find(&t->model, in->m.params[1]) : NULL;

	if (w != NULL)
		windows_topic(w, irc_is(in->m.verb, "332") ? in->m.params[2] : SPAN_LIT(""));
}

static void roles(struct talk *t, struct window *w, const struct talk_in *in)
{
	const struct irc_mode_types types = {
		t->mode_lists, t->mode_always, t->mode_set, t->mode_never, t->prefix_modes};
	struct irc_mode modes[64];
	size_t n = irc_modes(&types, in->m.params + 1, in->m.count - 1, modes, 64);

	for (size_t i = 0; i < n; i++) {
		const char *at = strchr(t->prefix_modes, modes[i].letter);
		size_t place = at != NULL ? (size_t)(at - t->prefix_modes) : SIZE_MAX;
		struct member *m =
			modes[i].has_argument ? members_find(&w->members, modes[i].argument) : NULL;

		if (m != NULL && place < strlen(t->prefix_chars))
			member_prefix(m, t->prefix_chars[place], modes[i].set, t->prefix_chars);
		if (modes[i].letter != 'k')
			continue;
		w->key[0] = '\0';
		if (modes[i].set && modes[i].has_argument)
			(void)span_copy_str(modes[i].argument, w->key, sizeof w->key);
	}
}

void channel_mode(struct talk *t, const struct talk_in *in)
{
	struct window *w = channel_window(t, in, in->m.params[0]);
	_cleanup_(buf_done) struct buf text = BUF_INIT(IRC_BODY_MAX);

	if (w != NULL && !in->history)
		roles(t, w, in);
	for (size_t i = 1; i < in->m.count; i++) {
		buf_add_str(&text, i > 1 ? " " : "");
		buf_add(&text, in->m.params[i]);
	}
	/* One's own user modes stand nowhere. */
	if (talk_is_channel(in->m.params[0]))
		tell(t, in, w, ITEM_MODE, (struct span[2]){{NULL, 0}, buf_span(&text)});
}

void channel_invite(struct talk *t, const struct talk_in *in)
{
	struct window *w = channel_window(t, in, in->m.params[1]);
	bool me = irc_eq(in->m.params[0], span_str(t->nick));

	/* To a channel that one is not in yet. */
	if (w == NULL || me)
		w = t->model.windows[0];
	tell(t, in, w, ITEM_INVITE, (struct span[2]){in->m.params[0], in->m.params[1]});
}

void channel_rename(struct talk *t, const struct talk_in *in)
{
	struct window *w = channel_window(t, in, in->m.params[0]);
	struct window *other = windows_find(&t->model, in->m.params[1]);

	tell(t, in, w, ITEM_RENAME, (struct span[2]){in->m.params[1], param(in, 2)});
	if (w == NULL || in->history || !talk_is_channel(in->m.params[1]))
		return;
	/* A window of the new name is one that we are not in. */
	if (other != NULL && other != w)
		talk_window_close(t, other);
	fill_drop(t, w->name);
	windows_rename(w, in->m.params[1]);
	if (w->filling)
		fill_window(t, w);
	talk_changed(t);
}

/* -- names ------------------------------------------------------------------------------------- */

static void name_take(struct talk *t, struct window *w, struct span word)
{
	char prefix[5] = "";
	struct span nick;
	size_t n = 0;

	while (n < word.len && word.p[n] != 0 && strchr(t->prefix_chars, word.p[n]) != NULL) {
		if (n + 1 < sizeof prefix) {
			prefix[n] = (char)word.p[n];
			prefix[n + 1] = '\0';
		}
		n++;
	}
	word = span_of(word.p + n, word.len - n);
	if (span_split(&word, '!', &nick))
		(void)windows_member_set(&t->model, w, nick, prefix);
}

/* 353: "nick = #channel :@alice bob". */
void channel_names(struct talk *t, const struct talk_in *in)
{
	struct window *w = in->m.count > 3 ? windows_find(&t->model, in->m.params[2]) : NULL;
	struct span rest, word;

	if (w == NULL || !w->joined)
		return;
	if (!w->names_open)
		windows_members_clear(&t->model, w);
	w->names_open = true;
	rest = in->m.params[3];
	while (irc_word(&rest, ' ', &word))
		name_take(t, w, word);
}

void channel_names_end(struct talk *t, const struct talk_in *in)
{
	struct window *w = in->m.count > 1 ? windows_find(&t->model, in->m.params[1]) : NULL;

	if (w != NULL)
		w->names_open = false;
}
