/* Commands about windows, and about what was said in them. */
#include "client/chat/acts.h"

#include "base/num.h"

static struct window *window_of(struct chatacts *a, struct span word)
{
	uint64_t n;

	if (num_parse_u64(word, 0, MODEL_WINDOWS_MAX, &n) == 0)
		return windows_number(&a->talk->model, (unsigned)n);
	return windows_find(&a->talk->model, word);
}

static void windows_list(struct chatacts *a, bool unread_only)
{
	const struct model *m = &a->talk->model;
	size_t told = 0;

	for (size_t i = 0; i < m->count; i++) {
		const struct window *w = m->windows[i];

		if (unread_only && w->unread == 0)
			continue;
		told++;
		chatacts_say(a, "%c%u %s%s: %zu unread%s", w == a->talk->current ? '*' : ' ',
			w->number, i == 0 ? "the server" : w->name,
			w->kind == WINDOW_CHANNEL && !w->joined ? " (not joined)" : "", w->unread,
			w->called ? ", you are named" : "");
	}
	if (told == 0)
		chatacts_say(a, "nothing is unread");
}

void chatacts_win(struct chatacts *a, struct span words)
{
	struct span word = chatacts_word(&words);
	struct window *w = word.len > 0 ? window_of(a, word) : NULL;

	if (word.len == 0)
		windows_list(a, false);
	else if (w == NULL)
		chatacts_error(a, "there is no such window; /win lists them");
	else
		a->face->show(a->arg, w);
}

void chatacts_unread(struct chatacts *a, struct span words)
{
	(void)words;
	windows_list(a, true);
}

void chatacts_close(struct chatacts *a, struct span words)
{
	struct span word = chatacts_word(&words);
	struct window *w = word.len > 0 ? window_of(a, word) : a->talk->current;

	if (w == NULL || w->kind == WINDOW_SERVER)
		chatacts_error(a, "there is no such window to be closed");
	else if (w->kind == WINDOW_CHANNEL && w->joined)
		chatacts_error(a, "%s: leave it first (/part)", w->name);
	else if (w->kind == WINDOW_CALL)
		chatacts_error(a, "end the call first (/hangup)");
	else
		talk_window_close(a->talk, w);
}

void chatacts_query(struct chatacts *a, struct span words)
{
	struct span word = chatacts_word(&words);
	struct window *w = talk_is_channel(word) ? windows_find(&a->talk->model, word)
						 : talk_window(a->talk, word);

	if (w == NULL) {
		chatacts_error(a, "that is no name of somebody to talk to");
		return;
	}
	a->face->show(a->arg, w);
	if (words.len > 0)
		chatacts_message(a, w->name, words, 0);
}

void chatacts_names(struct chatacts *a, struct span words)
{
	char name[MODEL_NAME_SIZE];
	const char *channel = chatacts_channel(a, &words, name);
	const struct window *w =
		channel != NULL ? windows_find(&a->talk->model, span_str(channel)) : NULL;
	_cleanup_(buf_done) struct buf line = BUF_INIT(2048);

	if (channel == NULL)
		return;
	if (w == NULL || !w->joined) {
		chatacts_send(a, "NAMES %s", channel);
		return;
	}
	for (size_t i = 0; i < w->members.count; i++) {
		const struct member *m = &w->members.v[i];

		buf_addf(&line, "%s%s%s%s", line.len > 0 ? " " : "", m->prefix, m->nick,
			m->away ? " (away)" : "");
		if (line.len > 400 || i + 1 == w->members.count) {
			chatacts_say(a, "%s: %s", w->name, buf_str(&line));
			buf_reset(&line);
		}
	}
}

void chatacts_history(struct chatacts *a, struct span words)
{
	struct span word = chatacts_word(&words);
	uint64_t count = CHATACTS_OLDER;

	if (word.len > 0 && num_parse_u64(word, 1, 1000, &count) < 0)
		chatacts_error(a, "/history takes 1 to 1000");
	else
		a->face->older(a->arg, (size_t)count);
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

void chatacts_redact(struct chatacts *a, struct span words)
{
	const struct window *w = a->talk->current;
	const struct item *i = message_of(w, chatacts_word(&words));

	if (!talk_has(a->talk, TALK_REDACTION))
		chatacts_error(a, "this server takes nothing back");
	else if (i == NULL)
		chatacts_error(a, "there is no such message of yours in this window");
	else if (words.len > 0)
		chatacts_send(a, "REDACT %s %s :%.*s", w->name, i->msgid, (int)words.len,
			(const char *)words.p);
	else
		chatacts_send(a, "REDACT %s %s", w->name, i->msgid);
}

void chatacts_group(struct chatacts *a, struct span words)
{
	struct span name = chatacts_word(&words), person;
	const char *mark = talk_is_channel(name) ? "" : "#";
	struct window *w;

	snprintf(a->wanted, sizeof a->wanted, "%s%.*s", mark, (int)name.len, (const char *)name.p);
	w = windows_find(&a->talk->model, span_str(a->wanted));
	/* Made by the first who asks; only who is invited comes in, and others do not see it. */
	if (w == NULL || !w->joined) {
		chatacts_send(a, "JOIN %s", a->wanted);
		chatacts_send(a, "MODE %s +is", a->wanted);
	}
	for (person = chatacts_word(&words); person.len > 0; person = chatacts_word(&words))
		chatacts_send(
			a, "INVITE %.*s %s", (int)person.len, (const char *)person.p, a->wanted);
}
