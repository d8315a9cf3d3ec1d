/* What TAB makes of the word at the cursor: commands, places, nicks, paths here and there. */
#include "client/console/part_chat.h"

#include "client/term/words.h"

#include <dirent.h>
#include <strings.h>
#include <sys/stat.h>

enum { LISTED_MAX = 200 };

struct found {
	struct span begin; /* what was typed of the word */
	bool fold; /* capitals do not matter */
	size_t count;
	struct buf common; /* the longest beginning that all share */
	struct buf *names; /* separated by blanks */
};

static bool same(const struct found *f, unsigned char a, unsigned char b)
{
	return a == b || (f->fold && irc_eq(span_of(&a, 1), span_of(&b, 1)));
}

/* Nobody can type what steers a terminal, or is no text: such names are not put into the line. */
static bool is_typed(struct span name)
{
	_cleanup_(buf_done) struct buf safe = BUF_INIT(65536);

	safe_text(&safe, name);
	return span_eq(buf_span(&safe), name);
}

static void consider(struct found *f, struct span name)
{
	size_t n = 0;

	while (n < f->begin.len && n < name.len && same(f, name.p[n], f->begin.p[n]))
		n++;
	if (n < f->begin.len || name.len == 0 || !is_typed(name))
		return;
	if (f->count++ == 0) {
		buf_add(&f->common, name);
	} else {
		n = 0;
		while (n < f->common.len && n < name.len && same(f, f->common.p[n], name.p[n]))
			n++;
		/* Not in the middle of a character. */
		while (n > f->begin.len && n < f->common.len && (f->common.p[n] & 0xc0) == 0x80)
			n--;
		f->common.len = n;
	}
	if (f->count > LISTED_MAX)
		return;
	buf_add_str(f->names, f->count > 1 ? " " : "");
	safe_text(f->names, name);
}

static void commands_find(const struct console *c, struct found *f)
{
	if (f->begin.len > 0 && *f->begin.p == '/')
		f->begin = span_of(f->begin.p + 1, f->begin.len - 1);
	for (const struct console_table *t = console_tables(); t->title != NULL; t++)
		for (const struct console_command *k = t->rows; k->name != NULL; k++)
			if (k->kinds == 0 || (k->kinds >> c->current->kind & 1) != 0)
				consider(f, span_str(k->name));
}

/* -- names ------------------------------------------------------------------------------------- */

static void members_find_all(const struct console *c, struct found *f)
{
	const struct chat_part *s = chat_of(c);
	const struct window *w = s != NULL ? chat_window(s, c->current) : NULL;

	for (size_t i = 0; w != NULL && i < w->members.count; i++)
		if (!irc_eq(span_str(w->members.v[i].nick), span_str(s->talk.nick)))
			consider(f, span_str(w->members.v[i].nick));
}

static bool is_member(const struct console *c, const char *nick)
{
	const struct chat_part *s = chat_of(c);
	const struct window *w = s != NULL ? chat_window(s, c->current) : NULL;

	return w != NULL && members_find(&w->members, span_str(nick)) != NULL;
}

static void names_find(const struct console *c, struct found *f)
{
	f->fold = true;
	members_find_all(c, f);
	for (size_t i = 1; i < c->place_count; i++) {
		const struct place *p = c->places[i];

		if (p->kind == PLACE_CHANNEL || (p->kind == PLACE_PERSON && !is_member(c, p->name)))
			consider(f, span_str(p->name));
	}
}

static void kind_find(const struct console *c, struct found *f, enum place_kind kind)
{
	f->fold = true;
	for (size_t i = 0; i < c->place_count; i++)
		if (c->places[i]->kind == kind)
			consider(f, span_str(c->places[i]->name));
}

static void mailboxes_find(const struct console *c, struct found *f)
{
	kind_find(c, f, PLACE_MAILBOX);
}

static void places_find(const struct console *c, struct found *f)
{
	f->fold = true;
	for (size_t i = 0; i < c->place_count; i++)
		consider(f, span_str(c->places[i]->name));
}

static void parts_find(const struct console *c, struct found *f)
{
	(void)c;
	for (unsigned id = 0; id < PARTS; id++)
		consider(f, span_str(part_name((enum part_id)id)));
}

/* -- paths ------------------------------------------------------------------------------------- */

static void folder_open(struct span path, DIR **ret)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(8192);
	const char *home = getenv("HOME");

	if (path.len > 1 && path.p[0] == '~' && path.p[1] == '/' && home != NULL) {
		buf_add_str(&name, home);
		path = span_of(path.p + 1, path.len - 1);
	}
	buf_add(&name, path);
	*ret = buf_error(&name) < 0 ? NULL : opendir(name.len > 0 ? buf_str(&name) : ".");
}

static void entry_consider(struct found *f, DIR *dir, struct span folder, const struct dirent *e)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(8192);
	struct stat st;

	buf_add(&path, folder);
	buf_add_str(&path, e->d_name);
	if (fstatat(dirfd(dir), e->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode))
		buf_add_byte(&path, '/');
	if (buf_error(&path) == 0)
		consider(f, buf_span(&path));
}

static void local_find(const struct console *c, struct found *f)
{
	size_t slash = f->begin.len;
	const struct dirent *e;
	struct span folder;
	DIR *dir;

	(void)c;
	while (slash > 0 && f->begin.p[slash - 1] != '/')
		slash--;
	folder = span_of(f->begin.p, slash);
	folder_open(folder, &dir);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		bool hidden = e->d_name[0] == '.';

		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
			(!hidden || (slash < f->begin.len && f->begin.p[slash] == '.')))
			entry_consider(f, dir, folder, e);
	}
	if (dir != NULL)
		closedir(dir);
}

static void server_found(void *arg, struct span name)
{
	consider(arg, name);
}

static void server_find(const struct console *c, struct found *f)
{
	file_names(c, f->begin, server_found, f);
}

/* -- which of them ----------------------------------------------------------------------------- */

/* What the words of a command are, its first and those behind it; others are names. */
static const struct meaning {
	const char *command;
	void (*first)(const struct console *c, struct found *f);
	void (*more)(const struct console *c, struct found *f);
	bool quoted; /* words as those of a shell */
} meanings[] = {
	{"put", local_find, server_find, true},
	{"get", server_find, local_find, true},
	{"ls", server_find, server_find, true},
	{"cd", server_find, server_find, true},
	{"mkdir", server_find, server_find, true},
	{"rm", server_find, server_find, true},
	{"mv", server_find, server_find, true},
	{"stamp", local_find, local_find, true},
	{"verify", local_find, local_find, true},
	{"digest", server_find, server_find, true},
	{"df", server_find, server_find, true},
	{"attach", local_find, local_find, true},
	{"save", local_find, local_find, true},
	{"send", names_find, local_find, false},
	{"call", names_find, local_find, false},
	{"mail", mailboxes_find, mailboxes_find, false},
	{"move", mailboxes_find, mailboxes_find, false},
	{"go", places_find, places_find, false},
	{"close", places_find, places_find, false},
	{"retry", parts_find, parts_find, false},
	{"help", commands_find, commands_find, false},
};

static const struct meaning *meaning_of(struct span line)
{
	struct span name;

	if (line.len == 0 || *line.p != '/')
		return NULL;
	line = span_of(line.p + 1, line.len - 1);
	if (!span_split(&line, ' ', &name))
		return NULL;
	for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
		if (span_caseeq_str(name, meanings[i].command))
			return &meanings[i];
	return NULL;
}

/* The word that ends at the end of the line: what it says, and which one it is. */
struct last {
	struct buf text;
	size_t index;
	char quote; /* that is open, 0 */
};

static void last_plain(struct span before, struct last *ret)
{
	size_t start = before.len;

	while (start > 0 && before.p[start - 1] != ' ')
		start--;
	buf_add(&ret->text, span_of(before.p + start, before.len - start));
	for (size_t i = 1; i < start; i++)
		ret->index += before.p[i] == ' ' && before.p[i - 1] != ' ' ? 1 : 0;
}

static void last_quoted(struct span before, struct last *ret)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(WORDS_LINE_MAX);
	struct words_last l;

	buf_add(&line, before);
	if (words_last(buf_str(&line), line.len, &l) == 0) {
		word_plain(&ret->text, buf_str(&l.plain));
		ret->index = l.index;
		if (l.start < line.len && (line.p[l.start] == '"' || line.p[l.start] == '\''))
			ret->quote = (char)line.p[l.start];
	}
	buf_done(&l.plain);
}

/* What is missing of a path, so that the command reads it as one word. */
static void quoted_add(struct buf *b, struct span text, char quote)
{
	for (size_t i = 0; i < text.len; i++) {
		if (quote != '\'' && strchr(quote != 0 ? "\"\\" : " '\"\\*?[", text.p[i]) != NULL)
			buf_add_byte(b, '\\');
		buf_add_byte(b, text.p[i]);
	}
}

static void added_make(const struct found *f, const struct last *last, const struct meaning *m,
	bool first, struct buf *ret)
{
	struct span common = buf_span(&f->common);
	struct span tail = span_of(common.p + f->begin.len, common.len - f->begin.len);

	if (m != NULL && m->quoted && last->index > 0)
		quoted_add(ret, tail, last->quote);
	else
		buf_add(ret, tail);
	if (f->count != 1 || (common.len > 0 && common.p[common.len - 1] == '/'))
		return;
	if (last->quote != 0)
		buf_add_byte(ret, (unsigned char)last->quote);
	/* Somebody is spoken to. */
	buf_add_str(ret, first && *common.p != '#' ? ": " : " ");
}

bool console_complete(
	struct console *c, struct span before, struct buf *ret_added, struct buf *ret_candidates)
{
	const struct meaning *m = meaning_of(before);
	struct last last = {.text = BUF_INIT(WORDS_LINE_MAX)};
	struct found f = {.common = BUF_INIT(65536), .names = ret_candidates};
	bool command;

	(m != NULL && m->quoted ? last_quoted : last_plain)(before, &last);
	f.begin = buf_span(&last.text);
	command = last.index == 0 && f.begin.len > 0 && *f.begin.p == '/';
	if (command)
		commands_find(c, &f);
	else if (m != NULL && last.index > 0)
		(last.index > 1 || (c->current->kind == PLACE_CALL && m->first == names_find)
				? m->more
				: m->first)(c, &f);
	else
		names_find(c, &f);
	if (f.count > 0)
		added_make(&f, &last, m, last.index == 0 && !command, ret_added);
	if (f.count > LISTED_MAX)
		buf_add_str(ret_candidates, " ...");
	buf_done(&f.common);
	buf_done(&last.text);
	return f.count > 0;
}
