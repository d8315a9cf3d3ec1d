/* The bodies of a mailbox's local copy: files named by UIDVALIDITY and UID. See cache.h. */
#include "client/mail/cache.h"

#include "base/num.h"
#include "client/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { NAME_SIZE = 40, FILES_MAX = 100000 };

static void name_of(const struct cache *c, uint32_t uid, char ret[NAME_SIZE])
{
	snprintf(ret, NAME_SIZE, "%u-%u", c->validity, uid);
}

int cache_body_read(const struct cache *c, uint32_t uid, uint64_t size, struct buf *ret)
{
	char name[NAME_SIZE];
	size_t before = ret->len;
	int r;

	if (c->dir_fd < 0 || size == 0)
		return -ENOENT;
	name_of(c, uid, name);
	r = files_read(c->dir_fd, name, ret);
	if (r == 0 && ret->len - before == size)
		return 0;
	/* Cut or damaged: as if it were not there. */
	ret->len = before;
	if (r == 0 || r == -EFBIG)
		(void)files_remove(c->dir_fd, name);
	ret->error = 0;
	return -ENOENT;
}

void cache_body_write(const struct cache *c, uint32_t uid, struct span body)
{
	char name[NAME_SIZE];

	if (c->dir_fd < 0 || body.len > CACHE_BODIES_MAX)
		return;
	name_of(c, uid, name);
	files_lock(c->dir_fd, true);
	(void)files_write(c->dir_fd, name, body);
	files_unlock(c->dir_fd);
}

/* -- sweeping ---------------------------------------------------------------------------------- */

struct body_file {
	char name[NAME_SIZE];
	int64_t size, at_s;
};

/* "VALIDITY-UID" of a message that is there? */
static bool is_alive(const struct cache *c, const struct items *items, const char *name)
{
	struct span rest = span_str(name), head;
	uint64_t validity, uid;

	if (!span_split(&rest, '-', &head) || num_parse_u64(head, 0, UINT32_MAX, &validity) < 0 ||
		num_parse_u64(rest, 1, UINT32_MAX, &uid) < 0)
		return false;
	return validity == c->validity && items_find(items, (uint32_t)uid) != NULL;
}

static int older_first(const void *a, const void *b)
{
	const struct body_file *x = a, *y = b;

	return x->at_s < y->at_s ? -1 : x->at_s > y->at_s;
}

static void drop_oldest(const struct cache *c, struct body_file *list, size_t count, int64_t sum)
{
	qsort(list, count, sizeof *list, older_first);
	for (size_t i = 0; i < count && sum > CACHE_BODIES_MAX; i++) {
		(void)files_remove(c->dir_fd, list[i].name);
		sum -= list[i].size;
	}
}

static void sweep(const struct cache *c, const struct items *items, DIR *dir)
{
	struct body_file *list = calloc(FILES_MAX, sizeof *list);
	const struct dirent *e;
	size_t count = 0;
	int64_t sum = 0;

	while (list != NULL && count < FILES_MAX && (e = readdir(dir)) != NULL) {
		struct stat st;

		/* The index, and files that are being written. */
		if (e->d_name[0] < '0' || e->d_name[0] > '9' ||
			span_copy_str(span_str(e->d_name), list[count].name, NAME_SIZE) < 0)
			continue;
		if (!is_alive(c, items, e->d_name)) {
			(void)files_remove(c->dir_fd, e->d_name);
		} else if (fstatat(c->dir_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			list[count].size = st.st_size;
			list[count++].at_s = st.st_mtime;
			sum += st.st_size;
		}
	}
	if (list != NULL && sum > CACHE_BODIES_MAX)
		drop_oldest(c, list, count, sum);
	free(list);
}

void cache_sweep(const struct cache *c, const struct items *items)
{
	int fd = c->dir_fd >= 0 ? openat(c->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir == NULL) {
		cleanup_close(&fd);
		return;
	}
	files_lock(c->dir_fd, true);
	sweep(c, items, dir);
	files_unlock(c->dir_fd);
	closedir(dir);
}
