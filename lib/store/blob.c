/* Rows of blobs, and reading them wherever they are. */
#include "store/blob.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "store/blob_i.h"
#include "store/ops.h"
#include "store/row.h"
#include "store/store_i.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { BLOB_VERSION = 1 };

int blob_decode(struct span value, struct blob_row *ret)
{
	struct rec r = row_open(value, BLOB_VERSION);
	struct blob_row b = {.size = rec_u64(&r)};
	uint8_t is_file;

	b.refs = rec_u64(&r);
	is_file = rec_u8(&r);
	b.bytes = rec_bytes(&r, BLOB_INLINE_MAX);
	if (rec_end(&r) < 0 || is_file > 1 || b.refs == 0 ||
		(is_file == 1 ? b.bytes.len != 0 : b.bytes.len != b.size))
		return -EBADMSG;
	b.is_file = is_file == 1;
	*ret = b;
	return 0;
}

static int write_row(struct store_txn *txn, const struct key *key, const struct blob_row *row)
{
	struct buf b = row_begin(BLOB_VERSION);

	buf_add_u64(&b, row->size);
	buf_add_u64(&b, row->refs);
	buf_add_byte(&b, row->is_file);
	rec_put_bytes(&b, row->bytes);
	return row_put(txn, key, &b);
}

static int read_row(struct store_txn *txn, const struct key *key, struct blob_row *ret)
{
	struct span value;
	int rc = row_get(txn, key, &value);

	return rc < 0 ? rc : blob_decode(value, ret);
}

/* What is kept here has its digest for a name; a file's is the caller's word (blob_seal()). */
static int make_row(const struct blob_sealed *s, struct blob_row *ret)
{
	unsigned char digest[BLOB_ID_LEN];

	*ret = (struct blob_row){.size = s->size, .bytes = s->inline_bytes};
	ret->is_file = s->inline_bytes.len == 0 && s->size > 0;
	if (ret->is_file)
		return 0;
	if (s->inline_bytes.len != s->size || s->size > BLOB_INLINE_MAX)
		return -EINVAL;
	if (hash_sha256(s->inline_bytes, digest) < 0)
		return -EIO;
	return memcmp(digest, s->id, sizeof(digest)) == 0 ? 0 : -EINVAL;
}

int op_blob_put(struct store_txn *txn, const void *args, void *result)
{
	const struct blob_sealed *s = args;
	struct key key = key_blob(s->id);
	struct blob_row row;
	int rc = read_row(txn, &key, &row);

	(void)result;
	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (rc == 0 && row.size != s->size)
		return -EBADMSG;
	rc = rc == -ENOENT ? make_row(s, &row) : 0;
	if (rc < 0)
		return rc;
	row.refs++;
	return write_row(txn, &key, &row);
}

int op_blob_unref(struct store_txn *txn, const void *args, void *result)
{
	struct key key = key_blob(args);
	struct blob_row row;
	int rc = read_row(txn, &key, &row);

	(void)result;
	if (rc < 0)
		return rc;
	if (--row.refs == 0)
		return row_del(txn, &key);
	return write_row(txn, &key, &row);
}

struct size_args {
	const unsigned char *id;
	uint64_t *ret;
};

static int size_view(struct store_txn *txn, void *arg)
{
	const struct size_args *a = arg;
	struct key key = key_blob(a->id);
	struct blob_row row;
	int rc = read_row(txn, &key, &row);

	if (rc == 0)
		*a->ret = row.size;
	return rc;
}

int blob_size(struct store *s, const unsigned char id[BLOB_ID_LEN], uint64_t *ret)
{
	struct size_args a = {id, ret};

	return store_view(s, size_view, &a);
}

struct read_args {
	const unsigned char *id;
	uint64_t offset;
	void *p;
	size_t len;
	size_t *ret_len;
};

/* 0 when the bytes were inline, 1 when they are in a file. */
static int read_view(struct store_txn *txn, void *arg)
{
	struct read_args *a = arg;
	struct key key = key_blob(a->id);
	struct blob_row row;
	int rc = read_row(txn, &key, &row);

	if (rc < 0)
		return rc;
	if (row.is_file)
		return 1;
	if (a->offset >= row.bytes.len) {
		*a->ret_len = 0;
		return 0;
	}
	if (a->len > row.bytes.len - a->offset)
		a->len = row.bytes.len - a->offset;
	memcpy(a->p, row.bytes.p + a->offset, a->len);
	*a->ret_len = a->len;
	return 0;
}

static int read_file(struct store *s, const struct read_args *a)
{
	_cleanup_(cleanup_close) int fd = -1;
	char path[BLOB_PATH_SIZE];
	int blobs_fd = -1;
	ssize_t n;
	int rc = store_blobs_fd(s, &blobs_fd);

	if (rc < 0)
		return rc;
	if (a->offset > INT64_MAX)
		return -EINVAL;
	blob_path(a->id, path);
	fd = openat(blobs_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	n = pread(fd, a->p, a->len, (off_t)a->offset);
	if (n < 0)
		return -errno;
	*a->ret_len = (size_t)n;
	return 0;
}

int blob_read(struct store *s, const unsigned char id[BLOB_ID_LEN], uint64_t offset, void *p,
	size_t len, size_t *ret_len)
{
	struct read_args a = {id, offset, p, len, ret_len};
	int rc = store_view(s, read_view, &a);

	return rc == 1 ? read_file(s, &a) : rc;
}
