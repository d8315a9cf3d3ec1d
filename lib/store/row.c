/* What all record codecs share. */
#include "store/row.h"

#include <errno.h>

struct buf row_begin(uint8_t version)
{
	struct buf b = BUF_INIT(ROW_MAX);

	buf_add_byte(&b, version);
	return b;
}

bool row_is_text(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

void row_text(struct buf *b, const char *s, size_t size)
{
	if (row_is_text(s, size))
		rec_put_str(b, s);
	else if (b->error == 0)
		b->error = -EINVAL;
}

static int finish(struct store_txn *txn, const struct key *key, struct buf *b, bool replace)
{
	int rc = buf_error(b);

	if (rc == 0 && replace)
		rc = kv_put(txn, key_span(key), buf_span(b));
	else if (rc == 0)
		rc = kv_add(txn, key_span(key), buf_span(b));
	buf_wipe(b);
	return rc;
}

int row_put(struct store_txn *txn, const struct key *key, struct buf *b)
{
	return finish(txn, key, b, true);
}

int row_add(struct store_txn *txn, const struct key *key, struct buf *b)
{
	return finish(txn, key, b, false);
}

int row_mark(struct store_txn *txn, const struct key *key)
{
	return kv_put(txn, key_span(key), span_of("", 0));
}

int row_del(struct store_txn *txn, const struct key *key)
{
	return kv_del(txn, key_span(key));
}

int row_get(struct store_txn *txn, const struct key *key, struct span *ret)
{
	return kv_get(txn, key_span(key), ret);
}

struct rec row_open(struct span value, uint8_t version)
{
	struct rec r = rec_of(value);

	if (rec_u8(&r) != version)
		r.error = -EBADMSG;
	return r;
}

int row_name(struct span key, char *ret, size_t size)
{
	if (key.len < 2 || span_copy_str(span_of(key.p + 1, key.len - 1), ret, size) < 0)
		return -EBADMSG;
	return 0;
}

int row_counter(struct store_txn *txn, const struct key *key, uint64_t *ret)
{
	struct span value;
	struct rec r;
	uint64_t v;
	int rc = row_get(txn, key, &value);

	if (rc == -ENOENT) {
		*ret = 0;
		return 0;
	}
	if (rc < 0)
		return rc;
	r = rec_of(value);
	v = rec_u64(&r);
	if (rec_end(&r) < 0)
		return -EBADMSG;
	*ret = v;
	return 0;
}

int row_counter_put(struct store_txn *txn, const struct key *key, uint64_t value)
{
	struct buf b = BUF_INIT(sizeof(value));

	buf_add_u64(&b, value);
	return row_put(txn, key, &b);
}
