/*
 * Names in the tree: where one is, what a file is, making, removing and renaming; how much room
 * there is; and what the next transfer shall begin with.
 */
#include "services/ftpd/ftpd.h"
#include "services/ftpd/tree.h"
#include "services/ftpd/upload.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>

/* "CODE "path" text", or what went wrong with it. */
static int reply_done(struct ftpd_call *c, int r, unsigned code, const char *text)
{
	if (r < 0)
		return ftpd_reply_error(c->f, r, c->path);
	return ftpd_reply_path(c->f, code, c->path, text);
}

/* -- where one is ------------------------------------------------------------------------------
 */

static int change_to(struct ftpd_call *c, const char *path)
{
	struct ftp_entry entry;
	int r = tree_stat(c->f->tree, path, &entry);

	if (r == 0 && entry.type == FTP_ENTRY_FILE)
		r = -ENOTDIR;
	if (r < 0)
		return ftpd_reply_error(c->f, r, path);
	memcpy(c->f->cwd, path, strlen(path) + 1);
	return ftpd_reply_path(c->f, 250, path, "is where you are now.");
}

int ftpd_cmd_cwd(struct ftpd_call *c)
{
	return change_to(c, c->path);
}

int ftpd_cmd_cdup(struct ftpd_call *c)
{
	ftp_path_folder(c->f->cwd, c->path);
	return change_to(c, c->path);
}

int ftpd_cmd_pwd(struct ftpd_call *c)
{
	return ftpd_reply_path(c->f, 257, c->f->cwd, "is where you are.");
}

/* -- what a file is ----------------------------------------------------------------------------
 */

/*
 * Of an interrupted upload of one's own its size is told, as that is what clients go on from. The
 * session remembers it: the finished file of that name, if there is one, has another size.
 */
int ftpd_cmd_size(struct ftpd_call *c)
{
	struct ftpd *f = c->f;
	struct ftp_entry entry;
	uint64_t size;
	int r = upload_partial(f->tree, c->path, &size);

	if (r == 0) {
		memcpy(f->partial_shown, c->path, strlen(c->path) + 1);
		return ftpd_reply(f, 213, "%ju", (uintmax_t)size);
	}
	if (strcmp(f->partial_shown, c->path) == 0)
		f->partial_shown[0] = '\0';
	r = tree_stat(f->tree, c->path, &entry);
	if (r == 0 && entry.type != FTP_ENTRY_FILE)
		r = -EISDIR;
	if (r < 0)
		return ftpd_reply_error(f, r, c->path);
	return ftpd_reply(f, 213, "%ju", (uintmax_t)entry.size);
}

int ftpd_cmd_mdtm(struct ftpd_call *c)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(64);
	struct ftp_entry entry;
	int r = tree_stat(c->f->tree, c->path, &entry);

	if (r < 0)
		return ftpd_reply_error(c->f, r, c->path);
	ftp_time_write(&text, entry.modify_us, false);
	return ftpd_reply(c->f, 213, "%s", buf_str(&text));
}

/* draft-somers-ftp-mfxx section 3: MFMT time path. */
int ftpd_cmd_mfmt(struct ftpd_call *c)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(FTPD_REPLY_MAX);
	struct span rest = c->argument, time = {0};
	int64_t modify_us;
	int r;

	(void)span_split(&rest, ' ', &time);
	if (rest.len == 0 || ftp_time_parse(time, &modify_us) < 0)
		return ftpd_reply(c->f, 501, "MFMT takes YYYYMMDDHHMMSS, in UTC, and a path.");
	r = ftpd_resolve(c->f, rest, c->path);
	if (r != 0)
		return r < 0 ? r : 0;
	r = tree_set_mtime(c->f->tree, c->path, modify_us);
	if (r < 0)
		return ftpd_reply_error(c->f, r, c->path);
	ftp_time_write(&text, modify_us, false);
	return ftpd_reply(c->f, 213, "Modify=%s; %s", buf_str(&text), c->path);
}

int ftpd_cmd_mlst(struct ftpd_call *c)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(FTPD_REPLY_MAX);
	struct ftp_entry entry;
	int r = tree_stat(c->f->tree, c->path, &entry);

	if (r < 0)
		return ftpd_reply_error(c->f, r, c->path);
	ftp_facts_write(&line, &entry, c->f->facts, c->path);
	if (buf_error(&line) != 0)
		return buf_error(&line);
	return ftpd_reply_lines(c->f, 250, "Facts:", buf_span(&line), "End");
}

/* -- making, removing, renaming ----------------------------------------------------------------
 */

int ftpd_cmd_mkd(struct ftpd_call *c)
{
	int r = tree_make_folder(c->f->tree, c->path);

	if (r == -ENOENT)
		return ftpd_reply_no_folder(c->f, c->path);
	return reply_done(c, r, 257, "is made.");
}

int ftpd_cmd_rmd(struct ftpd_call *c)
{
	return reply_done(c, tree_remove_folder(c->f->tree, c->path), 250, "is removed.");
}

int ftpd_cmd_dele(struct ftpd_call *c)
{
	int r = tree_remove_file(c->f->tree, c->path);

	if (strcmp(c->f->partial_shown, c->path) == 0)
		c->f->partial_shown[0] = '\0';
	return reply_done(c, r, 250, "is removed.");
}

int ftpd_cmd_rnfr(struct ftpd_call *c)
{
	int r = tree_may_rename(c->f->tree, c->path);

	c->f->rename_from[0] = '\0';
	if (r == 0)
		memcpy(c->f->rename_from, c->path, strlen(c->path) + 1);
	return reply_done(c, r, 350, "will be renamed; to what, RNTO says.");
}

int ftpd_cmd_rnto(struct ftpd_call *c)
{
	int r;

	if (c->f->rename_from[0] == '\0')
		return ftpd_reply(c->f, 503, "RNFR comes right before.");
	r = tree_rename(c->f->tree, c->f->rename_from, c->path);
	if (r == -ENOENT)
		return ftpd_reply_no_folder(c->f, c->path);
	return reply_done(c, r, 250, "is the name now.");
}

int ftpd_site_drop(struct ftpd_call *c)
{
	int r = upload_drop(c->f->tree, c->path);

	if (r == -ENOENT)
		return ftpd_reply_path(c->f, 550, c->path, "has no interrupted upload of yours.");
	if (r == 0 && strcmp(c->f->partial_shown, c->path) == 0)
		c->f->partial_shown[0] = '\0';
	return reply_done(c, r, 250, "is rid of your interrupted upload.");
}

/* -- room --------------------------------------------------------------------------------------
 */

int ftpd_cmd_avbl(struct ftpd_call *c)
{
	uint64_t bytes;
	int r = tree_available(c->f->tree, c->path, &bytes);

	if (r < 0)
		return ftpd_reply_error(c->f, r, c->path);
	return ftpd_reply(c->f, 213, "%ju", (uintmax_t)bytes);
}

/* What the quota leaves; with own, even if the upload replaced all that one has. */
static uint64_t quota_left(const struct file_usage *u, bool own)
{
	uint64_t used = u->reserved + (own ? 0 : u->bytes + u->partial_bytes);

	if (u->quota == 0)
		return UINT64_MAX;
	return u->quota > used ? u->quota - used : 0;
}

/* What no upload could get room for is refused at once; the upload itself looks exactly. */
static int look_for_room(struct ftpd *f, uint64_t bytes)
{
	struct file_usage usage;
	uint64_t available = 0;
	int r = file_usage_get(tree_store(f->tree), f->user, &usage);

	if (r == 0 && quota_left(&usage, true) < bytes)
		r = -EDQUOT;
	if (r == 0)
		r = tree_available(f->tree, f->cwd, &available);
	if (r < 0 || available >= bytes)
		return r;
	/* Less than the quota leaves: then it is the disk. */
	return available < quota_left(&usage, false) ? -ENOSPC : 0;
}

int ftpd_cmd_allo(struct ftpd_call *c)
{
	const char *text;
	uint64_t bytes;
	unsigned code;
	int r;

	if (ftp_size_parse(c->argument, &bytes) < 0)
		return ftpd_reply(c->f, 501, "ALLO takes a number of bytes.");
	c->f->allo = 0;
	r = look_for_room(c->f, bytes);
	if (r < 0) {
		code = ftpd_error_code(r, &text);
		return ftpd_reply(c->f, code, "No: %s.", text);
	}
	c->f->allo = bytes;
	return ftpd_reply(c->f, 200, "There is room for that.");
}

/* -- for the next transfer ---------------------------------------------------------------------
 */

int ftpd_cmd_rest(struct ftpd_call *c)
{
	struct ftpd *f = c->f;

	/* The one before does not stand in for one that was not understood. */
	f->rest_set = false;
	if (ftp_size_parse(c->argument, &f->rest) < 0)
		return ftpd_reply(f, 501, "REST takes a number of bytes.");
	f->rest_set = true;
	f->range = (struct ftpd_range){0};
	return ftpd_reply(f, 350, "The next transfer begins at byte %ju.", (uintmax_t)f->rest);
}

int ftpd_cmd_rang(struct ftpd_call *c)
{
	struct ftpd *f = c->f;
	struct ftpd_range range;

	if (ftp_range_parse(c->argument, &range.first, &range.last, &range.set) < 0)
		return ftpd_reply(f, 501, "RANG takes the first and the last byte.");
	f->range = range;
	f->rest_set = false;
	if (!range.set)
		return ftpd_reply(f, 350, "The next transfer is of the whole file.");
	return ftpd_reply(f, 350, "The next transfer is of bytes %ju to %ju.",
		(uintmax_t)range.first, (uintmax_t)range.last);
}
