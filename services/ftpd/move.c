/*
 * The commands that start what takes time: transfers, listings, digests, SITE RMTREE. Each looks
 * whether it may begin, and hands over to transfer.c or job.c.
 */
#include "base/cleanup.h"
#include "base/num.h"
#include "services/ftpd/ftpd.h"
#include "services/ftpd/job.h"
#include "services/ftpd/transfer.h"

#include <errno.h>

/* -- uploads -----------------------------------------------------------------------------------
 */

static int start_upload(struct ftpd_call *c, enum upload_how how, const char *path)
{
	struct ftpd *f = c->f;
	const struct upload_request request = {.how = how,
		.path = path,
		.at_set = f->rest_set,
		.at = f->rest,
		.announced = f->allo};
	struct upload *u = NULL;
	int r;

	/* Taken for the whole file, a part of it would replace it. */
	if (f->range.set)
		return ftpd_reply(f, 554, "RANG is for RETR and HASH; uploads go on by REST.");
	r = upload_new(f->tree, &request, &u);
	if (r == -ENOENT)
		return ftpd_reply_no_folder(f, path);
	return r < 0 ? ftpd_reply_error(f, r, path) : transfer_upload(f, u);
}

int ftpd_cmd_stor(struct ftpd_call *c)
{
	return start_upload(c, UPLOAD_REPLACE, c->path);
}

int ftpd_cmd_appe(struct ftpd_call *c)
{
	return start_upload(c, UPLOAD_APPEND, c->path);
}

/* Without a name (RFC 959) one is made up. */
int ftpd_cmd_stou(struct ftpd_call *c)
{
	char path[FTP_PATH_SIZE];
	int r = ftp_path_resolve(
		c->f->cwd, c->argument.len > 0 ? c->argument : SPAN_LIT("upload"), path);

	return r < 0 ? ftpd_reply_error(c->f, r, c->path) : start_upload(c, UPLOAD_UNIQUE, path);
}

/* -- downloads ---------------------------------------------------------------------------------
 */

/*
 * SIZE told how long one's interrupted upload is. A client that asked for it in order to fetch the
 * finished file would take that for the file's length.
 */
static bool shows_partial(struct ftpd *f, const char *path)
{
	uint64_t size;

	if (strcmp(f->partial_shown, path) != 0)
		return false;
	if (upload_partial(f->tree, path, &size) == 0)
		return true;
	f->partial_shown[0] = '\0';
	return false;
}

/* RANG, or REST, or all of it. */
static int choose_part(
	const struct ftpd *f, uint64_t size, uint64_t *ret_first, uint64_t *ret_length)
{
	const uint64_t first = f->range.set ? f->range.first : f->rest_set ? f->rest : 0;
	uint64_t length;

	if (first > size || (f->range.set && first == size && size > 0))
		return -ERANGE;
	length = size - first;
	if (f->range.set && f->range.last - first < length)
		length = f->range.last - first + 1;
	*ret_first = first;
	*ret_length = length < size - first ? length : size - first;
	return 0;
}

int ftpd_cmd_retr(struct ftpd_call *c)
{
	_cleanup_(cleanup_close) int fd = -1;
	struct ftpd *f = c->f;
	struct ftp_entry entry;
	uint64_t first = 0, length = 0;
	int r = tree_open_file(f->tree, c->path, &fd, &entry);

	if (r == 0 && shows_partial(f, c->path))
		return ftpd_reply(f, 450,
			"SIZE told of your interrupted upload of this name: finish it (REST and "
			"STOR, or APPE) or say SITE DROP first.");
	if (r == 0)
		r = choose_part(f, entry.size, &first, &length);
	if (r < 0)
		return ftpd_reply_error(f, r, c->path);
	return transfer_download(f, take_fd(&fd), first, length, c->path);
}

/* -- listings ----------------------------------------------------------------------------------
 */

static int start_listing(struct ftpd_call *c, enum transfer_form form)
{
	struct ftpd *f = c->f;
	struct tree_list *list = NULL;
	struct ftp_entry entry;
	int r = tree_stat(f->tree, c->path, &entry);

	/* RFC 3659 section 7.2.1: of a file there is nothing to list. */
	if (r == 0 && form == TRANSFER_MLSD && entry.type == FTP_ENTRY_FILE)
		return ftpd_reply(f, 501, "That is a file: MLST tells of it.");
	if (r == 0)
		r = tree_list_open(f->tree, c->path, &list);
	return r < 0 ? ftpd_reply_error(f, r, c->path) : transfer_listing(f, list, form, c->path);
}

int ftpd_cmd_list(struct ftpd_call *c)
{
	return start_listing(c, TRANSFER_LIST);
}

int ftpd_cmd_nlst(struct ftpd_call *c)
{
	return start_listing(c, TRANSFER_NLST);
}

int ftpd_cmd_mlsd(struct ftpd_call *c)
{
	return start_listing(c, TRANSFER_MLSD);
}

/* -- digests -----------------------------------------------------------------------------------
 */

int ftpd_cmd_hash(struct ftpd_call *c)
{
	struct ftpd *f = c->f;
	struct job_digest what = {.hash = f->hash, .style = JOB_HASH, .whole = !f->range.set};

	if (f->range.set) {
		what.first = f->range.first;
		what.length = f->range.last - f->range.first;
		/* All of 2^64 bytes are not to be had anyway. */
		what.length += what.length < UINT64_MAX ? 1 : 0;
	}
	return job_digest(f, c->path, &what);
}

/* Takes a last word that is a number off. */
static bool cut_number(struct span *s, uint64_t *ret)
{
	size_t at = s->len;

	while (at > 0 && s->p[at - 1] != ' ')
		at--;
	if (at == 0 || num_parse_u64(span_of(s->p + at, s->len - at), 0, INT64_MAX, ret) < 0)
		return false;
	s->len = at - 1;
	return true;
}

/* "START END": END is the position behind the last byte. */
static int parse_part(struct span s, struct job_digest *ret)
{
	struct span rest = span_trim(s), word;
	uint64_t first = 0, end = 0;
	int r;

	if (rest.len == 0)
		return 0;
	(void)span_split(&rest, ' ', &word);
	r = num_parse_u64(word, 0, INT64_MAX, &first);
	rest = span_trim(rest);
	if (r == 0 && rest.len > 0)
		r = num_parse_u64(rest, 0, INT64_MAX, &end);
	if (r == 0 && rest.len > 0 && end < first)
		r = -EINVAL;
	if (r < 0)
		return r;
	ret->whole = false;
	ret->first = first;
	ret->length = rest.len > 0 ? end - first : UINT64_MAX;
	return 0;
}

/* The end of what stands in quotes: behind the last quote. */
static size_t quoted_len(struct span s)
{
	size_t len = s.len;

	while (len > 1 && s.p[len - 1] != '"')
		len--;
	return len;
}

static int parse_quoted(const struct ftpd_call *c, struct job_digest *ret, char path[FTP_PATH_SIZE])
{
	size_t len = quoted_len(c->argument);
	char name[FTP_PATH_SIZE];
	int r = len > 1 ? ftp_unquote(span_of(c->argument.p, len), name) : -EINVAL;

	if (r == 0)
		r = parse_part(span_of(c->argument.p + len, c->argument.len - len), ret);
	return r == 0 ? ftp_path_resolve(c->f->cwd, span_str(name), path) : r;
}

/*
 * "name", "name START END" or, for names that end in numbers or hold quotes, "\"name\" START END".
 * A file of the whole argument's name goes before.
 */
static int parse_digest(const struct ftpd_call *c, struct job_digest *ret, char path[FTP_PATH_SIZE])
{
	struct span name = c->argument;
	struct ftp_entry entry;
	uint64_t first = 0, end = 0;
	int r = ftp_path_resolve(c->f->cwd, name, path);

	if (r == 0 && tree_stat(c->f->tree, path, &entry) == 0)
		return 0;
	if (span_starts(name, "\""))
		return parse_quoted(c, ret, path);
	if (r < 0 || !cut_number(&name, &end) || !cut_number(&name, &first))
		return r;
	if (end < first)
		return -EINVAL;
	ret->whole = false;
	ret->first = first;
	ret->length = end - first;
	return ftp_path_resolve(c->f->cwd, name, path);
}

static int digest_by_custom(struct ftpd_call *c, enum ftp_hash hash, enum job_style style)
{
	struct job_digest what = {.hash = hash, .style = style, .whole = true};
	char path[FTP_PATH_SIZE];

	if (parse_digest(c, &what, path) < 0)
		return ftpd_reply(
			c->f, 501, "NAME, or NAME START END, with NAME in quotes if need be.");
	return job_digest(c->f, path, &what);
}

int ftpd_cmd_xsha256(struct ftpd_call *c)
{
	return digest_by_custom(c, FTP_HASH_SHA256, JOB_XSHA256);
}

int ftpd_cmd_xcrc(struct ftpd_call *c)
{
	return digest_by_custom(c, FTP_HASH_CRC32, JOB_XCRC);
}

/* -- SITE RMTREE -------------------------------------------------------------------------------
 */

int ftpd_site_rmtree(struct ftpd_call *c)
{
	struct ftpd *f = c->f;
	struct ftp_entry entry;
	int r;

	if (strcmp(f->rmtree, c->path) == 0) {
		f->rmtree[0] = '\0';
		return job_rmtree(f, c->path);
	}
	r = tree_stat(f->tree, c->path, &entry);
	if (r == 0 && entry.type == FTP_ENTRY_FILE)
		r = -ENOTDIR;
	if (r == 0 && strchr(entry.perm, 'd') == NULL)
		r = -EACCES;
	if (r < 0)
		return ftpd_reply_error(f, r, c->path);
	memcpy(f->rmtree, c->path, strlen(c->path) + 1);
	return ftpd_reply(
		f, 350, "Say it again at once to remove this folder and all that is in it.");
}
