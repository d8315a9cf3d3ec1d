/* Completion by TAB: commands, names on the server, names here. */
#include "client/ftp/complete.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>

size_t complete_common(const struct walk *w)
{
	size_t len = w->count > 0 ? strlen(w->v[0].path) : 0;
	struct span first = w->count > 0 ? span_str(w->v[0].path) : span_of(NULL, 0);

	for (size_t i = 1; i < w->count; i++) {
		size_t k = 0;

		while (k < len && w->v[i].path[k] == w->v[0].path[k])
			k++;
		len = k;
	}
	/* Not in the middle of a character. */
	while (len > 0 && len < first.len && (first.p[len] & 0xc0) == 0x80)
		len--;
	return len;
}

int complete_filter(const struct walk *all, struct span begin, struct walk *ret)
{
	for (size_t i = 0; i < all->count; i++) {
		struct walk_entry e = all->v[i];
		int r;

		if (strlen(e.path) < begin.len || memcmp(e.path, begin.p, begin.len) != 0)
			continue;
		if (begin.len == 0 && e.path[0] == '.')
			continue;
		e.path = strdup(e.path);
		r = walk_add(ret, &e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int commands_list(struct walk *ret)
{
	for (const struct ui_command *k = ui_commands; k->base.name != NULL; k++) {
		struct walk_entry e = {.path = strdup(k->base.name)};

		if (walk_add(ret, &e) < 0)
			return -ENOMEM;
	}
	walk_sort(ret);
	return 0;
}

static int local_list(const char *folder, struct walk *ret)
{
	DIR *dir = opendir(*folder != '\0' ? folder : ".");
	const struct dirent *d;
	int r = 0;

	while (dir != NULL && r == 0 && (d = readdir(dir)) != NULL) {
		struct walk_entry e = {.path = NULL};
		struct stat st;

		if (!walk_name_is_good(span_str(d->d_name)))
			continue;
		e.folder = fstatat(dirfd(dir), d->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode);
		e.path = strdup(d->d_name);
		r = walk_add(ret, &e);
	}
	if (dir != NULL)
		closedir(dir);
	walk_sort(ret);
	return r;
}

/* Which side does the word belong to? */
static enum ui_arguments side_of(const struct words_last *last)
{
	const struct ui_command *k = ui_command_find(last->command);

	if (k == NULL)
		return UI_NOTHING;
	if (k->arguments == UI_LOCAL_FIRST)
		return last->index == 2 ? UI_LOCAL : last->index > 2 ? UI_REMOTE : UI_NOTHING;
	return k->arguments;
}

/* All that could stand where the last component does; *ret_begin is that component so far. */
static int candidates(
	struct ui *u, const struct words_last *last, struct walk *all, struct span *ret_begin)
{
	const char *word = buf_str(&last->plain);
	struct span folder;
	const char *name;
	_cleanup_(buf_done) struct buf text = BUF_INIT(WORDS_LINE_MAX);
	char path[FTP_PATH_SIZE];

	local_split(word, &folder, &name);
	*ret_begin = span_str(name);
	if (last->index == 0) {
		*ret_begin = span_str(word);
		return commands_list(all);
	}
	/* The folder with its slash, so that "/" is one. */
	buf_add(&text, span_of(word, folder.len + (name > word ? 1 : 0)));
	if (buf_error(&text) < 0)
		return buf_error(&text);
	switch (side_of(last)) {
	case UI_LOCAL:
		return local_list(buf_str(&text), all);
	case UI_REMOTE:
		return ui_join(u->cwd, buf_str(&text), path) < 0 ? 0 : walk_quiet(u, path, all);
	default:
		return 0;
	}
}

/* Puts the common beginning of all that fit into the line. */
static void insert(
	struct line *l, const struct words_last *last, struct span begin, const struct walk *fit)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(LINE_MAX_BYTES);
	size_t before = last->plain.len - begin.len;

	word_quote(&text, span_of(last->plain.p, before));
	word_quote(&text, span_of(fit->v[0].path, complete_common(fit)));
	if (fit->count == 1)
		buf_add_str(&text, fit->v[0].folder ? "/" : " ");
	if (buf_error(&text) == 0)
		line_replace(l, last->start, buf_span(&text));
}

int complete_run(struct ui *u, struct line *l, struct walk *ret)
{
	struct words_last last;
	struct walk all = {.v = NULL};
	struct span begin = {NULL, 0};
	int r = words_last(buf_str(&l->text), l->cursor, &last);

	if (r == 0)
		r = candidates(u, &last, &all, &begin);
	if (r == 0)
		r = complete_filter(&all, begin, ret);
	if (r == 0 && ret->count > 0) {
		size_t common = complete_common(ret);

		if (ret->count == 1 || common > begin.len) {
			insert(l, &last, begin, ret);
			walk_done(ret);
		}
	}
	walk_done(&all);
	buf_done(&last.plain);
	return r;
}
