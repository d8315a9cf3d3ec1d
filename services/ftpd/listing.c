/*
 * LIST, NLST and MLSD: a folder's entries as lines, some at a time, so that nothing grows with the
 * folder.
 */
#include "services/ftpd/transfer_internal.h"

#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>

enum {
	ENTRIES = 64, /* in one slice */
	LINE_MAX_LEN = 4096, /* bytes of one entry: a path, its facts or columns, CR LF */
};

_Static_assert(ENTRIES *LINE_MAX_LEN <= TRANSFER_CHUNK, "a slice fits the buffer");

static void write_line(
	const struct transfer *t, struct buf *b, const struct ftp_entry *e, const char *name)
{
	switch (t->form) {
	case TRANSFER_LIST:
		ftp_list_write(b, e, t->now_us, name);
		break;
	case TRANSFER_NLST:
		buf_add_str(b, t->prefix);
		buf_add_str(b, name);
		break;
	case TRANSFER_MLSD:
		ftp_facts_write(b, e, t->facts, name);
		break;
	}
	buf_add_str(b, "\r\n");
}

/* A name that is not clean text (dropped in by the administrator) would break the lines, and could
 * not be asked for either. */
static int add_entry(void *arg, const char *name, const struct ftp_entry *e)
{
	struct transfer *t = arg;
	struct buf line = BUF_INIT(LINE_MAX_LEN);

	if (!text_is_clean(span_str(name)))
		return 0;
	write_line(t, &line, e, name);
	if (buf_error(&line) == 0 && line.len <= TRANSFER_CHUNK - t->len) {
		memcpy(t->bytes + t->len, line.p, line.len);
		t->len += line.len;
	}
	buf_done(&line);
	return 0;
}

/* One of the two entries that only MLSD has (RFC 3659 section 7.2.1); what cannot be looked at is
 * left out. */
static void add_folder(struct transfer *t, const char *path, enum ftp_entry_type type)
{
	struct ftp_entry e;

	if (tree_stat(t->tree, path, &e) < 0 || e.type != FTP_ENTRY_FOLDER)
		return;
	e.type = type;
	(void)add_entry(t, type == FTP_ENTRY_SELF ? "." : "..", &e);
}

static void begin_list(struct transfer *t)
{
	char parent[FTP_PATH_SIZE];

	t->begun = true;
	if (t->form != TRANSFER_MLSD)
		return;
	add_folder(t, t->path, FTP_ENTRY_SELF);
	if (strcmp(t->path, "/") == 0)
		return;
	ftp_path_folder(t->path, parent);
	add_folder(t, parent, FTP_ENTRY_PARENT);
}

/* An entry is some system calls and a look into the store: few at a time. */
static int fill_list(struct transfer *t)
{
	int r = 1;

	if (!t->begun)
		begin_list(t);
	while (!t->listed && t->len == 0) {
		r = tree_list_next(t->list, ENTRIES, add_entry, t);
		if (r < 0)
			return r;
		t->listed = r == 0;
	}
	return t->len > 0 ? 1 : 0;
}

static void announce_list(const struct transfer *t, struct buf *b)
{
	(void)t;
	buf_add_str(b, "The listing follows.");
}

static int finish_list(struct transfer *t, struct buf *b)
{
	(void)t;
	buf_add_str(b, "That was all.");
	return 0;
}

static void release_list(struct transfer *t, bool keep)
{
	(void)keep;
	tree_list_free(t->list);
	t->list = NULL;
}

static const struct transfer_kind kinds[] = {
	[TRANSFER_LIST] = {.verb = "LIST",
		.announce = announce_list,
		.fill = fill_list,
		.finish = finish_list,
		.release = release_list},
	[TRANSFER_NLST] = {.verb = "NLST",
		.announce = announce_list,
		.fill = fill_list,
		.finish = finish_list,
		.release = release_list},
	[TRANSFER_MLSD] = {.verb = "MLSD",
		.announce = announce_list,
		.fill = fill_list,
		.finish = finish_list,
		.release = release_list},
};

/* The folder that the names are in, seen from cwd. */
static void set_prefix(struct transfer *t, const char *cwd)
{
	char folder[FTP_PATH_SIZE];
	struct ftp_entry e;
	size_t skip = strcmp(cwd, "/") == 0 ? 1 : strlen(cwd) + 1;

	if (tree_stat(t->tree, t->path, &e) == 0 && e.type == FTP_ENTRY_FILE)
		ftp_path_folder(t->path, folder);
	else
		(void)snprintf(folder, sizeof(folder), "%s", t->path);
	if (strcmp(folder, cwd) == 0)
		return;
	if (strcmp(folder, "/") == 0)
		(void)snprintf(t->prefix, sizeof(t->prefix), "/");
	else
		(void)snprintf(t->prefix, sizeof(t->prefix), "%s/",
			ftp_path_below(folder, cwd) ? folder + skip : folder);
}

int transfer_listing(
	struct ftpd *f, struct tree_list *list, enum transfer_form form, const char *path)
{
	struct transfer *t;
	int r;

	t = transfer_new(f, &kinds[form], &r);
	if (t == NULL) {
		tree_list_free(list);
		return r;
	}
	t->list = list;
	t->tree = f->tree;
	t->form = form;
	t->facts = f->facts;
	t->now_us = time_now_us();
	(void)snprintf(t->path, sizeof(t->path), "%s", path);
	if (form == TRANSFER_NLST)
		set_prefix(t, f->cwd);
	return 0;
}
