/*
 * Uploads: what is to be written where, on top of what, and how one ends. The bytes themselves are
 * in upload_write.c, what is kept of an older file in upload_copy.c, the commit in upload_commit.c.
 */
#include "services/ftpd/upload.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "services/ftpd/upload_i.h"

#include <errno.h>
#include <fcntl.h>

#define WHOLE UINT64_MAX /* of the file as it is when it is opened */

enum { UNIQUE_COUNTED = 100, UNIQUE_RANDOM = 16 };

static void upload_free(struct upload *u)
{
	if (u == NULL)
		return;
	room_release(&u->room);
	hash_free(u->hash);
	cleanup_close(&u->source_fd);
	cleanup_close(&u->fd);
	cleanup_close(&u->folder_fd);
	free(u);
}

static void upload_freep(struct upload **u)
{
	upload_free(*u);
}

const char *upload_path(const struct upload *u)
{
	return u->path;
}

const char *upload_name(const struct upload *u)
{
	return ftp_path_name(u->path);
}

uint64_t upload_size(const struct upload *u)
{
	return u->size;
}

/* -- STOU --------------------------------------------------------------------------------------
 */

static int is_free(struct tree *t, const char *path)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;
	int r = tree_target(t, path, &target);

	if (r < 0)
		return r;
	return target.exists ? -EEXIST : 0;
}

/* "name", "name.1", "name.2" ..., and at last names that nobody has. */
static int nth_name(const char *wish, unsigned n, char ret[FTP_PATH_SIZE])
{
	uint32_t random = 0;
	int len, r = n < UNIQUE_COUNTED ? 0 : hash_random(&random, sizeof(random));

	if (r < 0)
		return r;
	if (n == 0)
		len = snprintf(ret, FTP_PATH_SIZE, "%s", wish);
	else
		len = snprintf(ret, FTP_PATH_SIZE, n < UNIQUE_COUNTED ? "%s.%u" : "%s.%08x", wish,
			n < UNIQUE_COUNTED ? n : random);
	if (len < 0 || len >= FTP_PATH_SIZE || strlen(ftp_path_name(ret)) > FTP_NAME_MAX)
		return -ENAMETOOLONG;
	return 0;
}

int upload_choose_name(struct tree *t, const char *wish, char ret[FTP_PATH_SIZE])
{
	char path[FTP_PATH_SIZE];
	int r = -EEXIST;

	for (unsigned n = 0; r == -EEXIST && n < UNIQUE_COUNTED + UNIQUE_RANDOM; n++) {
		r = nth_name(wish, n, path);
		if (r == 0)
			r = is_free(t, path);
	}
	if (r == 0)
		memcpy(ret, path, strlen(path) + 1);
	return r;
}

/* -- what it begins with -----------------------------------------------------------------------
 */

/* The first `kept` bytes are those of the finished file. */
static int copy_file(struct upload *u, uint64_t kept)
{
	struct ftp_entry entry = {0};
	int r = tree_open_file(u->tree, u->path, &u->source_fd, &entry);

	if (kept == WHOLE)
		kept = entry.size;
	if (r == 0 && kept > entry.size)
		r = -ERANGE;
	u->kept = u->size = kept;
	return r;
}

/* The bytes of one's partial, taken; what there is behind `kept` goes. */
static int continue_partial(struct upload *u, uint64_t there, uint64_t kept)
{
	if (kept > there)
		return -ERANGE;
	u->kept = u->copied = u->size = kept;
	return 0;
}

static int begin_append(struct upload *u, bool exists)
{
	uint64_t there = 0;
	int r = partial_take(u, &there);

	if (r == 0)
		return continue_partial(u, there, there);
	if (r != -ENOENT)
		return r;
	return exists ? copy_file(u, WHOLE) : 0;
}

static int begin_at(struct upload *u, bool exists, uint64_t at)
{
	uint64_t there = 0;
	int r = partial_take(u, &there);

	if (r == 0)
		return continue_partial(u, there, at);
	if (r != -ENOENT)
		return r;
	return exists ? copy_file(u, at) : -ERANGE;
}

/* A partial that this upload will take the place of, wherever it ends. */
static int count_partial(struct upload *u)
{
	struct file_partial row;
	int r = file_partial_get(u->tree->store, u->tree->account, span_str(u->path), 0, &row);

	if (r == 0)
		u->room.replaces += row.size;
	return r == -ENOENT ? 0 : r;
}

static int begin(struct upload *u, const struct upload_request *request, bool exists)
{
	int r;

	if (request->how == UPLOAD_APPEND)
		r = begin_append(u, exists);
	else if (request->how == UPLOAD_REPLACE && request->at_set && request->at > 0)
		r = begin_at(u, exists, request->at);
	else
		r = 0;
	if (r == 0 && !u->partial)
		r = count_partial(u);
	return r;
}

/* -- a new one ---------------------------------------------------------------------------------
 */

/* Where, and by what right. 1: a file is there. */
static int choose_target(struct upload *u, const struct upload_request *request)
{
	_cleanup_(tree_target_done) struct tree_target target = TREE_TARGET_INIT;
	int r = 0;

	if (request->how == UPLOAD_UNIQUE)
		r = upload_choose_name(u->tree, request->path, u->path);
	else
		r = span_copy_str(span_str(request->path), u->path, sizeof(u->path));
	if (r == 0)
		r = tree_target(u->tree, u->path, &target);
	if (r == 0)
		r = tree_target_may_write(&target);
	if (r < 0)
		return r == -ENOBUFS ? -ENAMETOOLONG : r;
	u->folder_fd = u->room.folder_fd = take_fd(&target.folder_fd);
	if (!target.exists)
		return 0;
	if (target.rights.has_row && strcmp(target.rights.row.owner, u->tree->account) == 0)
		u->room.replaces = target.rights.row.size;
	return 1;
}

int upload_new(struct tree *t, const struct upload_request *request, struct upload **ret)
{
	_cleanup_(upload_freep) struct upload *u = calloc(1, sizeof(*u));
	int r;

	if (u == NULL)
		return -ENOMEM;
	u->tree = u->room.tree = t;
	u->how = request->how;
	u->folder_fd = u->fd = u->source_fd = -1;
	r = hash_new(&u->hash);
	if (r == 0)
		r = choose_target(u, request);
	if (r >= 0)
		r = begin(u, request, r == 1);
	if (r == 0)
		r = room_begin(&u->room, u->kept, request->announced);
	if (r < 0)
		return r;
	if (u->source_fd >= 0)
		u->room.disk_seen = 0; /* the copy takes room too */
	*ret = take_ptr(&u);
	return 0;
}

void upload_end(struct upload *u, bool keep)
{
	if (u == NULL)
		return;
	if (u->fd >= 0 && !u->committed) {
		/* What the client sent, or what had been interrupted before. */
		if (keep && (u->partial || u->size > u->kept))
			partial_keep(u);
		else if (u->partial)
			partial_restore(u);
		else
			partial_discard(u);
	}
	upload_free(u);
}
