/* Commands about windows, and about what was said in them. */
#include "client/chat/ui.h"

#include "base/num.h"

static struct window *window_of(struct chatui *u, struct span word)
{
	uint64_t n;

	if (num_parse_u64(word, 0, MODEL_WINDOWS_MAX, &n) == 0)
		return windows_number(&u->talk.model, (unsigned)n);
	return windows_find(&u->talk.model, word);
}

static void windows_list(struct chatui *u, bool unread_only)
{
	const struct model *m = &u->talk.model;
	size_t told = 0;

	for (size_t i = 0; i < m->count; i++) {
		const struct window *w = m->windows[i];

		if (unread_only && w->unread == 0)
			continue;
		told++;
		chatui_say(u, "%c%u %s%s: %zu unread%s", w == u->talk.current ? '*' : ' ',
			w->number, i == 0 ? "the server" : w->name,
			w->kind == WINDOW_CHANNEL && !w->joined ? " (not joined)" : "", w->unread,
			w->called ? ", you are named" : "");
	}
	if (told == 0)
		chatui_say(u, "nothing is unread");
}

void chatui_cmd_win(struct chatui *u, struct span words)
{
	struct span word = chatui_word(&words);
	struct window *w = word.len > 0 ? window_of(u, word) : NULL;

	if (word.len == 0)
		windows_list(u, false);
	else if (w == NULL)
		chatui_error(u, "there is no such window; /win lists them");
	else
		chatui_show(u, w);
}

void chatui_cmd_unread(struct chatui *u, struct span words)
{
	(void)words;
	windows_list(u, true);
}

void chatui_cmd_close(struct chatui *u, struct span words)
{
	struct span word = chatui_word(&words);
	struct window *w = word.len > 0 ? window_of(u, word) : u->talk.current;

	if (w == NULL || w->kind == WINDOW_SERVER)
		chatui_error(u, "there is no such window to be closed");
	else if (w->kind == WINDOW_CHANNEL && w->joined)
		chatui_error(u, "%s: leave it first (/part)", w->name);
	else if (w->kind == WINDOW_CALL)
		chatui_error(u, "end the call first (/hangup)");
	else
		talk_window_close(&u->talk, w);
}

void chatui_cmd_query(struct chatui *u, struct span words)
{
	struct span word = chatui_word(&words);
	struct window *w = talk_is_channel(word) ? windows_find(&u->talk.model, word)
						 : talk_window(&u->talk, word);

	if (w == NULL) {
		chatui_error(u, "that is no name of somebody to talk to");
		return;
	}
	chatui_show(u, w);
	if (words.len > 0)
		chatui_message(u, w->name, words, 0);
}

void chatui_cmd_names(struct chatui *u, struct span words)
{
	char name[MODEL_NAME_SIZE];
	const char *channel = chatui_channel(u, &words, name);
	const struct window *w =
		channel != NULL ? windows_find(&u->talk.model, span_str(channel)) : NULL;
	_cleanup_(buf_done) struct buf line = BUF_INIT(2048);

	if (channel == NULL)
		return;
	if (w == NULL || !w->joined) {
		chatui_send(u, "NAMES %s", channel);
		return;
	}
	for (size_t i = 0; i < w->members.count; i++) {
		const struct member *m = &w->members.v[i];

		buf_addf(&line, "%s%s%s%s", line.len > 0 ? " " : "", m->prefix, m->nick,
			m->away ? " (away)" : "");
		if (line.len > 400 || i + 1 == w->members.count) {
			chatui_say(u, "%s: %s", w->name, buf_str(&line));
			buf_reset(&line);
		}
	}
}

void chatui_cmd_history(struct chatui *u, struct span words)
{
	struct span word = chatui_word(&words);
	uint64_t count = CHATUI_OLDER;

	if (word.len > 0 && num_parse_u64(word, 1, 1000, &count) < 0)
		chatui_error(u, "/history takes 1 to 1000");
	else
		chatui_older(u, (size_t)count);
}

/* The message that is meant: by its id, or one's own, the n-th from the end. */
static const struct item *message_of(const struct window *w, struct span word)
{
	uint64_t n = 1;

	if (word.len > 0 && num_parse_u64(word, 1, MODEL_ITEMS_MAX, &n) < 0)
		return windows_item(w, word);
	for (size_t i = w->count; i-- > 0;) {
		const struct item *item = w->items[i];

		if (item->own && item_is_message(item) && !item->redacted &&
			item->msgid[0] != '\0' && --n == 0)
			return item;
	}
	return NULL;
}

void chatui_cmd_redact(struct chatui *u, struct span words)
{
	const struct window *w = u->talk.current;
	const struct item *i = message_of(w, chatui_word(&words));

	if (!talk_has(&u->talk, TALK_REDACTION))
		chatui_error(u, "this server takes nothing back");
	else if (i == NULL)
		chatui_error(u, "there is no such message of yours in this window");
	else if (words.len > 0)
		chatui_send(u, "REDACT %s %s :%.*s", w->name, i->msgid, (int)words.len,
			(const char *)words.p);
	else
		chatui_send(u, "REDACT %s %s", w->name, i->msgid);
}

void chatui_cmd_group(struct chatui *u, struct span words)
{
	struct span name = chatui_word(&words), person;
	const char *mark = talk_is_channel(name) ? "" : "#";
	struct window *w;

	snprintf(u->wanted, sizeof u->wanted, "%s%.*s", mark, (int)name.len, (const char *)name.p);
	w = windows_find(&u->talk.model, span_str(u->wanted));
	/* Made by the first who asks; only who is invited comes in, and others do not see it. */
	if (w == NULL || !w->joined) {
		chatui_send(u, "JOIN %s", u->wanted);
		chatui_send(u, "MODE %s +is", u->wanted);
	}
	for (person = chatui_word(&words); person.len > 0; person = chatui_word(&words))
		chatui_send(
			u, "INVITE %.*s %s", (int)person.len, (const char *)person.p, u->wanted);
}
