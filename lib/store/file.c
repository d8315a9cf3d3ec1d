/* Rows of ftpd's files, interrupted uploads and reservations: codecs, and reading them. */
#include "store/file_i.h"

#include "base/text.h"

#include <errno.h>

enum {
	FILE_VERSION = 1,
	PARTIAL_VERSION = 1,
	RESERVATION_VERSION = 1,
	FLAG_FOLDER = 1,
	FLAG_DIGEST = 2,
};

/* Each level has a name of its own. */
static bool is_normalised(struct span path)
{
	struct span rest = span_of(path.p + 1, path.len - 1), level;

	while (span_split(&rest, '/', &level))
		if (level.len == 0 || span_eq_str(level, ".") || span_eq_str(level, ".."))
			return false;
	return true;
}

bool file_path_is_good(struct span path)
{
	return path.len >= 2 && path.len <= FILE_PATH_MAX && path.p[0] == '/' &&
		path.p[path.len - 1] != '/' && text_is_clean(path) && is_normalised(path);
}

bool file_path_below(struct span path, struct span folder)
{
	return path.len > folder.len && memcmp(path.p, folder.p, folder.len) == 0 &&
		path.p[folder.len] == '/';
}

/* A record that begins with the path, where the key does not hold it whole. */
static struct buf begin(uint8_t version, struct span path)
{
	struct buf b = row_begin(version);

	rec_put_bytes(&b, path.len > KEY_PATH_WHOLE ? path : span_of(NULL, 0));
	return b;
}

/* The path of a row; in KEY_PARTIAL the account follows it behind a NUL. */
static struct span path_of(struct span key, struct rec *r)
{
	struct span path = rec_bytes(r, FILE_PATH_MAX);
	const unsigned char *nul;

	if (path.len > 0) {
		if (path.len <= KEY_PATH_WHOLE)
			r->error = -EBADMSG;
		return path;
	}
	path = span_of(key.p + 1, key.len > 0 ? key.len - 1 : 0);
	nul = path.len > 0 ? memchr(path.p, '\0', path.len) : NULL;
	return nul == NULL ? path : span_of(path.p, (size_t)(nul - path.p));
}

int file_decode(struct span key, struct span value, struct span *ret_path, struct file_row *ret)
{
	struct rec r = row_open(value, FILE_VERSION);
	struct span path = path_of(key, &r), digest = {NULL, 0};
	struct file_row row = {.size = 0};
	struct key expected = key_file(path);
	uint8_t flags;

	rec_str(&r, row.owner, sizeof(row.owner));
	flags = rec_u8(&r);
	row.size = rec_u64(&r);
	row.inode = rec_u64(&r);
	row.mtime_ns = rec_i64(&r);
	row.stored_us = rec_i64(&r);
	row.folder = (flags & FLAG_FOLDER) != 0;
	row.has_digest = (flags & FLAG_DIGEST) != 0;
	if (row.has_digest)
		digest = rec_raw(&r, sizeof(row.digest));
	if (rec_end(&r) < 0 || (flags & ~(FLAG_FOLDER | FLAG_DIGEST)) != 0 ||
		(row.folder && (row.has_digest || row.size > 0)) || row.size > INT64_MAX ||
		!file_path_is_good(path) || !span_eq(key, key_span(&expected)))
		return -EBADMSG;
	if (row.has_digest)
		memcpy(row.digest, digest.p, sizeof(row.digest));
	*ret_path = path;
	*ret = row;
	return 0;
}

int file_row_write(struct store_txn *txn, struct span path, const struct file_row *row)
{
	struct key key = key_file(path);
	struct buf b = begin(FILE_VERSION, path);
	const bool digest = row->has_digest && !row->folder;

	row_text(&b, row->owner, sizeof(row->owner));
	buf_add_byte(&b, (uint8_t)((row->folder ? FLAG_FOLDER : 0) | (digest ? FLAG_DIGEST : 0)));
	buf_add_u64(&b, row->folder ? 0 : row->size);
	buf_add_u64(&b, row->inode);
	rec_put_i64(&b, row->mtime_ns);
	rec_put_i64(&b, row->stored_us);
	if (digest)
		buf_add(&b, span_of(row->digest, sizeof(row->digest)));
	return row_put(txn, &key, &b);
}

int partial_decode(
	struct span key, struct span value, struct span *ret_path, struct file_partial *ret)
{
	struct rec r = row_open(value, PARTIAL_VERSION);
	struct span path = path_of(key, &r);
	struct file_partial p = {.size = 0};
	struct key expected;

	rec_str(&r, p.account, sizeof(p.account));
	rec_str(&r, p.temp, sizeof(p.temp));
	p.size = rec_u64(&r);
	p.expires_us = rec_i64(&r);
	expected = key_partial_row(path, p.account);
	if (rec_end(&r) < 0 || p.size > INT64_MAX || p.account[0] == '\0' ||
		!span_starts(span_str(p.temp), FILE_TEMP_PREFIX) || strchr(p.temp, '/') != NULL ||
		!file_path_is_good(path) || !span_eq(key, key_span(&expected)))
		return -EBADMSG;
	*ret_path = path;
	*ret = p;
	return 0;
}

int partial_write(struct store_txn *txn, struct span path, const struct file_partial *p)
{
	struct key key = key_partial_row(path, p->account);
	struct buf b = begin(PARTIAL_VERSION, path);

	row_text(&b, p->account, sizeof(p->account));
	row_text(&b, p->temp, sizeof(p->temp));
	buf_add_u64(&b, p->size);
	rec_put_i64(&b, p->expires_us);
	return row_put(txn, &key, &b);
}

int reservation_decode(struct span key, struct span value, struct file_reserve_args *ret)
{
	struct rec r = row_open(value, RESERVATION_VERSION);
	struct file_reserve_args a = {.id = rec_u64(&r)};
	struct key expected;

	rec_str(&r, a.account, sizeof(a.account));
	a.bytes = rec_u64(&r);
	a.replaces = rec_u64(&r);
	a.pid = (int32_t)rec_u32(&r);
	a.start_ticks = rec_u64(&r);
	expected = key_reservation_row(a.account, a.id);
	if (rec_end(&r) < 0 || a.bytes > INT64_MAX || a.replaces > INT64_MAX ||
		!span_eq(key, key_span(&expected)))
		return -EBADMSG;
	*ret = a;
	return 0;
}

int reservation_write(struct store_txn *txn, const struct file_reserve_args *r)
{
	struct key key = key_reservation_row(r->account, r->id);
	struct buf b = row_begin(RESERVATION_VERSION);

	buf_add_u64(&b, r->id);
	row_text(&b, r->account, sizeof(r->account));
	buf_add_u64(&b, r->bytes);
	buf_add_u64(&b, r->replaces);
	buf_add_u32(&b, (uint32_t)r->pid);
	buf_add_u64(&b, r->start_ticks);
	return row_put(txn, &key, &b);
}

/* -- walking ----------------------------------------------------------------------------------- */

struct file_walk file_walk_of(enum key_table table, struct span folder)
{
	struct file_walk w = {.table = table, .folder = folder};

	w.prefix = key_below(table, folder);
	w.at = w.prefix;
	return w;
}

/* The path of a row in one of these tables. */
static struct span path_of_row(struct span key, struct span value)
{
	struct rec r = rec_of(value);

	(void)rec_u8(&r);
	return path_of(key, &r);
}

/* Long paths share their keys' beginnings: what lies elsewhere is passed over without a search. */
int file_walk_next(
	struct store_txn *txn, struct file_walk *w, struct span *ret_key, struct span *ret_value)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct span key = {NULL, 0}, value = {NULL, 0};
	int rc = kv_iter_open(txn, key_span(&w->prefix), key_span(&w->at), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		if (w->folder.len > 0 && !file_path_below(path_of_row(key, value), w->folder)) {
			rc = 0;
			continue;
		}
		w->at = key_copy(key);
		if (w->at.len == sizeof(w->at.p)) /* no row of these tables has so long a key */
			return -EBADMSG;
		w->at.p[w->at.len++] = 0; /* the smallest key behind it */
		*ret_key = key;
		*ret_value = value;
		return 1;
	}
	return rc;
}

/* -- reading ----------------------------------------------------------------------------------- */

int file_read(struct store_txn *txn, struct span path, struct file_row *ret)
{
	struct key key = key_file(path);
	struct span value, found;
	int rc;

	if (!file_path_is_good(path))
		return -ENOENT;
	rc = row_get(txn, &key, &value);
	return rc < 0 ? rc : file_decode(key_span(&key), value, &found, ret);
}

struct get_args {
	struct span path;
	struct file_row *ret;
};

static int get_view(struct store_txn *txn, void *arg)
{
	const struct get_args *g = arg;

	return file_read(txn, g->path, g->ret);
}

int file_get(struct store *s, struct span path, struct file_row *ret)
{
	struct get_args g = {path, ret};

	return store_view(s, get_view, &g);
}

struct each_args {
	struct span folder;
	int (*each)(void *arg, struct span path, const struct file_row *row);
	void *arg;
};

static int each_view(struct store_txn *txn, void *arg)
{
	const struct each_args *e = arg;
	struct file_walk w = file_walk_of(KEY_FILE, e->folder);
	struct span key = {NULL, 0}, value = {NULL, 0}, path;
	struct file_row row;
	int rc = e->folder.len > 0 ? file_read(txn, e->folder, &row) : -ENOENT;

	if (rc == 0)
		rc = e->each(e->arg, e->folder, &row);
	else if (rc == -ENOENT)
		rc = 0;
	while (rc == 0 && (rc = file_walk_next(txn, &w, &key, &value)) == 1) {
		rc = file_decode(key, value, &path, &row);
		if (rc == 0)
			rc = e->each(e->arg, path, &row);
	}
	return rc;
}

int file_each(struct store *s, struct span folder,
	int (*each)(void *arg, struct span path, const struct file_row *row), void *arg)
{
	struct each_args e = {folder, each, arg};

	return store_view(s, each_view, &e);
}

int partial_read(
	struct store_txn *txn, struct span path, const char *account, struct file_partial *ret)
{
	struct key key = key_partial_row(path, account);
	struct span value, found;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : partial_decode(key_span(&key), value, &found, ret);
}

struct partial_get_args {
	struct span path;
	const char *account;
	struct file_partial *ret;
};

static int partial_view(struct store_txn *txn, void *arg)
{
	const struct partial_get_args *g = arg;

	return partial_read(txn, g->path, g->account, g->ret);
}

int file_partial_get(struct store *s, const char *account, struct span path, int64_t now_us,
	struct file_partial *ret)
{
	struct file_partial p;
	struct partial_get_args g = {path, account, &p};
	int rc;

	if (!file_path_is_good(path) || strlen(account) >= ACCOUNT_NAME_SIZE)
		return -ENOENT;
	rc = store_view(s, partial_view, &g);
	if (rc == 0 && now_us >= p.expires_us)
		rc = -ENOENT;
	if (rc == 0)
		*ret = p;
	return rc;
}

struct partial_each_args {
	int (*each)(void *arg, struct span path, const struct file_partial *p);
	void *arg;
};

static int partial_each_view(struct store_txn *txn, void *arg)
{
	const struct partial_each_args *e = arg;
	struct file_walk w = file_walk_of(KEY_PARTIAL, span_of(NULL, 0));
	struct span key = {NULL, 0}, value = {NULL, 0}, path;
	struct file_partial p;
	int rc = 0;

	while (rc == 0 && (rc = file_walk_next(txn, &w, &key, &value)) == 1) {
		rc = partial_decode(key, value, &path, &p);
		if (rc == 0)
			rc = e->each(e->arg, path, &p);
	}
	return rc;
}

int file_partial_each(struct store *s,
	int (*each)(void *arg, struct span path, const struct file_partial *p), void *arg)
{
	struct partial_each_args e = {each, arg};

	return store_view(s, partial_each_view, &e);
}
