/* Completion by TAB: commands, channels, nicks. */
#include "client/chat/ui.h"

#include <strings.h>

enum { LISTED_MAX = 200 };

struct found {
	struct span begin; /* what was typed of the word */
	struct span common; /* the longest beginning that all share */
	size_t count;
	struct buf names; /* separated by blanks */
};

static bool begins(struct span name, struct span begin)
{
	return name.len >= begin.len && irc_eq(span_of(name.p, begin.len), begin);
}

/* What could not be shown as it is, is not put into a line that is shown as it is. */
static bool is_plain(struct span name)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(4 * (size_t)MODEL_NAME_MAX);

	safe_text(&b, name);
	return name.len > 0 && span_eq(buf_span(&b), name);
}

static void consider(struct found *f, struct span name)
{
	size_t n = 0;

	if (!begins(name, f->begin) || !is_plain(name))
		return;
	if (f->count++ == 0) {
		f->common = name;
	} else {
		while (n < f->common.len && n < name.len &&
			irc_eq(span_of(f->common.p + n, 1), span_of(name.p + n, 1)))
			n++;
		/* Not in the middle of a character. */
		while (n > 0 && n < f->common.len && (f->common.p[n] & 0xc0) == 0x80)
			n--;
		f->common.len = n;
	}
	if (f->count > LISTED_MAX)
		return;
	buf_add_str(&f->names, f->count > 1 ? " " : "");
	buf_add(&f->names, name);
}

static void commands_find(struct found *f)
{
	f->begin = span_of(f->begin.p + 1, f->begin.len - 1);
	for (const struct chatacts_command *k = chatacts_commands; k->name != NULL; k++)
		consider(f, span_str(k->name));
}

static void names_find(const struct chatui *u, struct found *f)
{
	const struct model *m = &u->talk.model;
	const struct members *members = &u->talk.current->members;
	bool here = u->talk.current->kind == WINDOW_CHANNEL;

	for (size_t i = 0; here && i < members->count; i++)
		if (!irc_eq(span_str(members->v[i].nick), span_str(u->talk.nick)))
			consider(f, span_str(members->v[i].nick));
	for (size_t i = 1; i < m->count; i++) {
		const struct window *w = m->windows[i];
		bool twice = here && w->kind == WINDOW_PERSON &&
			members_find(members, span_str(w->name)) != NULL;

		if (!twice && w->kind != WINDOW_CALL)
			consider(f, span_str(w->name));
	}
}

static void insert(struct chatui *u, const struct found *f, size_t start, bool command)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(LINE_MAX_BYTES);

	buf_add_str(&text, command ? "/" : "");
	buf_add(&text, f->common);
	/* Somebody is spoken to. */
	if (f->count == 1)
		buf_add_str(&text, start == 0 && !command && *f->common.p != '#' ? ": " : " ");
	line_replace(&u->line, start, buf_span(&text));
	u->redraw = true;
}

bool chatui_complete(struct chatui *u)
{
	const struct line *l = &u->line;
	size_t start = l->cursor;
	struct found f = {.names = BUF_INIT(65536)};
	bool command, done = true;

	while (start > 0 && l->text.p[start - 1] != ' ')
		start--;
	f.begin = span_of(l->text.p + start, l->cursor - start);
	command = start == 0 && f.begin.len > 0 && *f.begin.p == '/';
	if (command)
		commands_find(&f);
	else
		names_find(u, &f);
	if (f.count == 0)
		done = false;
	else if (f.count == 1 || f.common.len > f.begin.len)
		insert(u, &f, start, command);
	else
		chatui_say(u, "%s%s", buf_str(&f.names), f.count > LISTED_MAX ? " ..." : "");
	buf_done(&f.names);
	return done;
}
