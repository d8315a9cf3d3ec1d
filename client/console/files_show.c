/* Folders of the server as places, and their names for completion. See files_i.h. */
#include "client/console/files_i.h"

#include "client/chat/safe.h"
#include "client/mail/ui.h"

enum { NAMES_MOST = 20000 /* of a folder, that are remembered */ };

void files_line(const struct walk_entry *e, struct buf *out)
{
	_cleanup_(buf_done) struct buf size = BUF_INIT(32);
	char when[24] = "";

	if (e->modify_us != 0)
		mailui_when(e->modify_us, when);
	if (!e->folder)
		progress_bytes(&size, e->size);
	buf_addf(out, "%10s  %12s  %-10.32s  ", e->folder ? "folder" : buf_str(&size), when,
		e->owner[0] != '\0' ? e->owner : "-");
	safe_word(out, e->path);
	buf_add_str(out, e->folder ? "/" : "");
}

static void name_make(const char *folder, char ret[256])
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(65536);

	safe_word(&name, folder);
	(void)snprintf(ret, 256, "%s", buf_str(&name));
	safe_end(ret);
}

static void fill(struct console *c, struct place *p, const struct walk *w)
{
	const size_t most = CONSOLE_LINES_MAX - 2;

	place_clear(p);
	(void)snprintf(p->title, sizeof p->title, "%zu name%s", w->count, w->count == 1 ? "" : "s");
	for (size_t i = 0; i < w->count && i < most; i++) {
		_cleanup_(buf_done) struct buf line = BUF_INIT(65536);

		files_line(&w->v[i], &line);
		place_add(c, p, &(struct place_line){.who = "", .text = buf_str(&line)});
	}
	if (w->count > most || w->count == 0)
		place_add(c, p,
			&(struct place_line){.look = LINE_QUIET,
				.who = "",
				.text = w->count == 0 ? "nothing is in it"
						      : "... more: quintet ftp ls shows all"});
}

/* Of many folders that were looked at the first goes out of the list. */
static void oldest_close(struct console *c)
{
	struct place *oldest = NULL;
	size_t count = 0;

	for (size_t i = 0; i < c->place_count; i++) {
		struct place *p = c->places[i];

		if (p->kind != PLACE_FILES)
			continue;
		count++;
		if (p != c->current && (oldest == NULL || p->number < oldest->number))
			oldest = p;
	}
	if (count >= FILES_FOLDERS && oldest != NULL)
		place_close(c, oldest);
}

void files_show(struct files_part *f, const char *folder, const struct walk *w)
{
	struct place *p;
	char shown[256];

	name_make(folder, shown);
	oldest_close(f->c);
	p = place_open(f->c, PLACE_FILES, shown);
	if (p == NULL) {
		console_error(f->c, "no room for another window: /close some");
		return;
	}
	place_show(f->c, p);
	fill(f->c, p, w);
}

void files_refresh(struct files_part *f, const char *folder, const struct walk *w)
{
	char shown[256];
	struct place *p;

	name_make(folder, shown);
	for (size_t i = 0; i < f->c->place_count; i++) {
		p = f->c->places[i];
		if (p->kind != PLACE_FILES || strcmp(p->name, shown) != 0)
			continue;
		fill(f->c, p, w);
		p->unread = 0;
	}
}

/* -- names ------------------------------------------------------------------------------------- */

static struct files_listing *known_find(struct files_part *f, const char *folder)
{
	for (size_t i = 0; i < FILES_FOLDERS; i++)
		if (strcmp(f->known[i].folder, folder) == 0)
			return &f->known[i];
	return NULL;
}

void files_remember(struct files_part *f, const char *folder, struct walk *entries)
{
	struct files_listing *l = known_find(f, folder);

	if (entries->count > NAMES_MOST)
		return;
	if (l == NULL) {
		l = &f->known[f->known_next];
		f->known_next = (f->known_next + 1) % FILES_FOLDERS;
	}
	walk_done(&l->entries);
	(void)snprintf(l->folder, sizeof l->folder, "%s", folder);
	l->entries = *entries;
	*entries = (struct walk){.v = NULL};
}

void files_forget(struct files_part *f)
{
	for (size_t i = 0; i < FILES_FOLDERS; i++)
		walk_done(&f->known[i].entries);
}

void file_names(const struct console *c, struct span begin,
	void (*found)(void *arg, struct span name), void *arg)
{
	struct files_part *f = c->part_state[PART_FILES];
	const unsigned char *slash = begin.len > 0 ? memrchr(begin.p, '/', begin.len) : NULL;
	size_t head = slash != NULL ? (size_t)(slash - begin.p) + 1 : 0;
	struct span rest = span_of(begin.p + head, begin.len - head);
	const struct files_listing *l;
	char folder[FTP_PATH_SIZE];

	if (f == NULL || ftp_path_resolve(f->ui.cwd, span_of(begin.p, head), folder) < 0)
		return;
	l = known_find(f, folder);
	for (size_t i = 0; l != NULL && i < l->entries.count; i++) {
		_cleanup_(buf_done) struct buf name = BUF_INIT(65536);
		const struct walk_entry *e = &l->entries.v[i];

		if (strncmp(e->path, (const char *)rest.p, rest.len) != 0 ||
			(rest.len == 0 && e->path[0] == '.'))
			continue;
		buf_add(&name, span_of(begin.p, head));
		word_quote(&name, span_str(e->path));
		buf_add_str(&name, e->folder ? "/" : "");
		found(arg, buf_span(&name));
	}
}
