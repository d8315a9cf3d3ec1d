/*
 * Room for an upload: the account's quota and the disk. Small uploads only look, since their commit
 * counts exactly (STORE_OP_FILE_PUT); larger and announced ones hold a reservation that grows in
 * steps ahead of them.
 */
#include "base/cleanup.h"
#include "base/hash.h"
#include "services/ftpd/upload_i.h"
#include "store/policy.h"
#include "store/session.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/vfs.h>

#define RESERVE_FROM (UINT64_C(1) << 20)
#define RESERVE_STEP (UINT64_C(64) << 20)
#define DISK_STEP (UINT64_C(8) << 20)

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* -- the disk ----------------------------------------------------------------------------------
 */

static int disk_free(int fd, uint64_t keep_free, uint64_t *ret)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	*ret = less((uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize, keep_free);
	return 0;
}

/* Is there room for so many bytes more? */
static int look_at_disk(const struct room *r, uint64_t bytes)
{
	uint64_t left = 0;
	int rc = disk_free(r->folder_fd, r->keep_free, &left);

	return rc == 0 && left < bytes ? -ENOSPC : rc;
}

/* -- the quota ---------------------------------------------------------------------------------
 */

static int look_at_quota(struct room *r)
{
	struct file_usage u;
	int rc = file_usage_get(r->tree->store, r->tree->account, &u);

	if (rc < 0)
		return rc;
	r->quota = u.quota;
	r->limit = UINT64_MAX;
	if (u.quota > 0)
		r->limit = less(
			add(u.quota, r->replaces), add(u.reserved, add(u.bytes, u.partial_bytes)));
	return 0;
}

/* Reservations of dead sessions may be in the way: once they are gone, it is tried again. */
static bool reaped(struct room *r)
{
	unsigned count = 0;

	return file_reservations_reap(r->tree->store, r->tree->account, &count) >= 0 && count > 0;
}

static int ask(struct room *r, uint64_t bytes)
{
	struct file_reserve_args args = {
		.id = r->id, .bytes = bytes, .replaces = r->replaces, .pid = getpid()};
	int rc = session_start_ticks(args.pid, &args.start_ticks);

	while (rc == 0 && args.id == 0)
		rc = hash_random(&args.id, sizeof(args.id));
	if (rc < 0)
		return rc;
	(void)snprintf(args.account, sizeof(args.account), "%s", r->tree->account);
	rc = store_call(r->tree->store, STORE_OP_FILE_RESERVE, &args, NULL);
	if (rc == 0) {
		r->id = args.id;
		r->reserved = bytes;
	}
	return rc;
}

/* At least size; more as long as there is more. */
static int reserve(struct room *r, uint64_t size)
{
	int rc = -EDQUOT;

	for (uint64_t step = RESERVE_STEP; rc == -EDQUOT; step /= 8) {
		if (step < RESERVE_FROM)
			break;
		rc = ask(r, add(size, step));
	}
	if (rc == -EDQUOT)
		rc = ask(r, size);
	if (rc == -EDQUOT && reaped(r))
		rc = ask(r, size);
	return rc;
}

/* -- an upload's -------------------------------------------------------------------------------
 */

/* At least one byte more must fit, as most uploads have one. */
static int begin_quota(struct room *r, uint64_t kept, uint64_t announced)
{
	const uint64_t size = add(kept, announced > 0 ? announced : 1);
	int rc = look_at_quota(r);

	if (rc == 0 && size > r->limit && reaped(r))
		rc = look_at_quota(r);
	if (rc == 0 && size > r->limit)
		rc = -EDQUOT;
	if (rc == 0 && r->quota > 0 && announced > 0)
		rc = ask(r, size);
	return rc;
}

int room_begin(struct room *r, uint64_t kept, uint64_t announced)
{
	int rc = policy_number(r->tree->store, "files_keep_free", &r->keep_free);

	if (add(kept, announced) > INT64_MAX)
		return -EFBIG;
	if (rc == 0)
		rc = begin_quota(r, kept, announced);
	if (rc == 0)
		rc = look_at_disk(r, announced > 0 ? announced : 1);
	r->disk_seen = kept;
	return rc;
}

/* Without a reservation the look at the start is what there is; with one, it is the reservation. */
static int grow_quota(struct room *r, uint64_t size)
{
	if (r->quota == 0 || (r->id != 0 && size <= r->reserved))
		return 0;
	if (r->id == 0 && size <= RESERVE_FROM && size <= r->limit)
		return 0;
	return reserve(r, size);
}

int room_grow(struct room *r, uint64_t size)
{
	int rc;

	if (size > INT64_MAX)
		return -EFBIG;
	rc = grow_quota(r, size);
	if (rc < 0 || size <= r->disk_seen)
		return rc;
	rc = look_at_disk(r, size - r->disk_seen);
	if (rc == 0)
		r->disk_seen = add(size, look_at_disk(r, DISK_STEP) == 0 ? DISK_STEP : 0);
	return rc;
}

int room_renew(struct room *r)
{
	return r->id != 0 ? ask(r, r->reserved) : 0;
}

void room_release(struct room *r)
{
	if (r->id != 0 && r->tree->store != NULL)
		(void)ask(r, 0);
	r->id = r->reserved = 0;
}

/* -- for MKD, AVBL and ALLO
 * -------------------------------------------------------------------------
 */

int tree_disk_has_room(struct tree *t, int fd)
{
	struct room r = {.tree = t, .folder_fd = fd};
	int rc = policy_number(t->store, "files_keep_free", &r.keep_free);

	return rc == 0 ? look_at_disk(&r, 1) : rc;
}

int tree_available(struct tree *t, const char *path, uint64_t *ret)
{
	_cleanup_(cleanup_close) int fd = -1;
	struct room r = {.tree = t};
	struct tree_place place;
	uint64_t left = 0;
	int rc = tree_place(t, path, &place);

	if (rc == 0)
		rc = tree_walk(t, place.relative, O_PATH, &fd);
	if (rc == 0)
		rc = policy_number(t->store, "files_keep_free", &r.keep_free);
	if (rc == 0)
		rc = disk_free(fd, r.keep_free, &left);
	if (rc == 0)
		rc = look_at_quota(&r);
	if (rc == 0)
		*ret = left < r.limit ? left : r.limit;
	return rc;
}
