/* ls and stat: what is on the server, for people and as JSON. */
#include "client/ftp/ui.h"

#include "client/table.h"

#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>

#define OUT_MAX (256U << 20)

/* Numbers that are not known are left out. */
static void entry_json(struct buf *out, const char *name, const struct walk_entry *e)
{
	_cleanup_(buf_done) struct buf digest = BUF_INIT(128);
	_cleanup_(buf_done) struct buf time = BUF_INIT(64);
	char size[24];

	snprintf(size, sizeof size, "%llu", (unsigned long long)e->size);
	time_rfc3339_utc(&time, e->modify_us);
	if (e->has_digest)
		text_hex(&digest, span_of(e->digest, sizeof e->digest));
	const struct table_pair pairs[] = {{"name", name, NULL},
		{"type", e->folder ? "folder" : "file", NULL},
		{"size", e->folder ? NULL : size, ""}, {"modified", buf_str(&time), NULL},
		{"owner", e->owner[0] != '\0' ? e->owner : NULL, NULL},
		{"sha256", e->has_digest ? buf_str(&digest) : NULL, NULL}};

	buf_add_str(out, out->len > 1 ? ",\n " : "");
	table_pairs_json(pairs, sizeof pairs / sizeof pairs[0], out);
}

static void entry_long(struct buf *out, const char *name, const struct walk_entry *e)
{
	_cleanup_(buf_done) struct buf owner = BUF_INIT(256);
	_cleanup_(buf_done) struct buf time = BUF_INIT(64);
	_cleanup_(buf_done) struct buf size = BUF_INIT(32);

	ui_name(&owner, e->owner[0] != '\0' ? e->owner : "-");
	time_rfc3339_utc(&time, e->modify_us);
	if (e->folder)
		buf_add_str(&size, "-");
	else
		buf_addf(&size, "%llu", (unsigned long long)e->size);
	buf_addf(out, "%s %14s  %-10s ", buf_str(&time), buf_str(&size), buf_str(&owner));
	ui_name(out, name);
	buf_add_str(out, e->folder ? "/\n" : "\n");
}

static void entry_add(
	const struct ui *u, struct buf *out, const char *name, const struct walk_entry *e)
{
	if (u->client->json) {
		entry_json(out, name, e);
	} else if (u->o.is_long) {
		entry_long(out, name, e);
	} else {
		ui_name(out, name);
		buf_add_str(out, e->folder ? "/\n" : "\n");
	}
}

static int folder_add(struct ui *u, const char *path, bool titled, struct buf *out)
{
	struct walk w = {.v = NULL};
	int r = walk_remote(u, path, false, &w);

	if (titled && !u->client->json) {
		buf_add_str(out, out->len > 0 ? "\n" : "");
		ui_name(out, path);
		buf_add_str(out, ":\n");
	}
	for (size_t i = 0; i < w.count; i++)
		entry_add(u, out, w.v[i].path, &w.v[i]);
	r = ui_first(r, w.code);
	walk_done(&w);
	return r;
}

/* Files first, then the folders' contents. */
static int found_add(struct ui *u, const struct walk *found, struct buf *out)
{
	int code = CLIENT_OK;

	for (size_t i = 0; i < found->count; i++)
		if (!found->v[i].folder)
			entry_add(u, out, found->v[i].path, &found->v[i]);
	for (size_t i = 0; i < found->count && code != CLIENT_INTERRUPTED; i++)
		if (found->v[i].folder)
			code = ui_first(
				code, folder_add(u, found->v[i].path, found->count > 1, out));
	return code;
}

static int print(const struct ui *u, struct buf *out)
{
	if (u->client->json)
		buf_add_str(out, "]\n");
	if (buf_error(out) < 0)
		return ui_oom();
	fputs(buf_str(out), stdout);
	return CLIENT_OK;
}

int ui_ls(struct ui *u, const struct client_words *w)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(OUT_MAX);
	struct walk found = {.v = NULL};
	int code = CLIENT_OK;

	if (u->client->json)
		buf_add_str(&out, "[");
	for (size_t i = 0; i < w->count && code != CLIENT_INTERRUPTED; i++)
		code = ui_first(code, walk_expand(u, w->v[i], &found));
	if (w->count == 0)
		code = folder_add(u, u->cwd, false, &out);
	else if (found.count > 0)
		code = ui_first(code, found_add(u, &found, &out));
	walk_done(&found);
	if (code == CLIENT_INTERRUPTED)
		return code;
	return ui_first(code, print(u, &out));
}

/* -- stat -------------------------------------------------------------------------------------- */

/* The server's lines, each made safe to show. */
static void lines_print(struct span text)
{
	struct span line;

	while (span_split(&text, '\n', &line)) {
		_cleanup_(buf_done) struct buf shown = BUF_INIT(65536);

		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		text_escape(&shown, line);
		puts(buf_str(&shown));
	}
}

static int session_stat(struct ui *u)
{
	struct ftp_task *t = ftp_task_new(FTP_TEXT, "/");
	int code;

	if (t != NULL)
		t->line = strdup("STAT");
	if (t == NULL || t->line == NULL) {
		ftp_task_free(t);
		return ui_oom();
	}
	code = ftp_pool_do(u->pool, t);
	const struct table_pair pairs[] = {{"server", u->profile->host, NULL},
		{"folder", u->cwd, NULL}, {"security", ftp_pool_security(u->pool), NULL},
		{"status", u->client->json ? buf_str(&t->text) : NULL, NULL}};

	if (code == CLIENT_OK) {
		table_print_pairs(pairs, sizeof pairs / sizeof pairs[0], u->client->json);
		if (!u->client->json)
			lines_print(buf_span(&t->text));
	}
	ftp_task_free(t);
	return code;
}

int ui_stat(struct ui *u, const struct client_words *w)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(OUT_MAX);
	struct walk found = {.v = NULL};
	int code = CLIENT_OK;

	if (w->count == 0)
		return session_stat(u);
	if (u->client->json)
		buf_add_str(&out, "[");
	u->o.is_long = true;
	for (size_t i = 0; i < w->count && code != CLIENT_INTERRUPTED; i++)
		code = ui_first(code, walk_expand(u, w->v[i], &found));
	for (size_t i = 0; i < found.count; i++)
		entry_add(u, &out, found.v[i].path, &found.v[i]);
	walk_done(&found);
	return code == CLIENT_INTERRUPTED ? code : ui_first(code, print(u, &out));
}
