/*
 * Bodies: a blob and its structure, and how many messages refer to them. Mail as a whole holds one
 * reference to the blob, so that a copy of a message does not rewrite the bytes that a small blob
 * has in its row.
 */
#include "store/mail_i.h"

#include <errno.h>

static int read_refs(struct store_txn *txn, const unsigned char *blob, uint64_t *ret)
{
	struct key key = key_mail_body(blob);

	return row_counter(txn, &key, ret);
}

static int write_refs(struct store_txn *txn, const unsigned char *blob, uint64_t refs)
{
	struct key key = key_mail_body(blob);

	return refs > 0 ? row_counter_put(txn, &key, refs) : row_del(txn, &key);
}

static int bring_in(struct store_txn *txn, const struct mail_body *body)
{
	struct key key = key_mail_structure(body->blob.id);
	int rc;

	if (body->structure.len > MAIL_STRUCTURE_MAX)
		return -EINVAL;
	rc = op_blob_put(txn, &body->blob, NULL);
	return rc < 0 ? rc : kv_put(txn, key_span(&key), body->structure);
}

int mail_body_ref(struct store_txn *txn, const struct mail_body *body, uint64_t count)
{
	uint64_t refs = 0;
	int rc = read_refs(txn, body->blob.id, &refs);

	if (rc == 0 && refs == 0 && count > 0)
		rc = bring_in(txn, body);
	if (rc < 0 || count == 0)
		return rc;
	return write_refs(txn, body->blob.id, refs + count);
}

int mail_body_ref_more(struct store_txn *txn, const unsigned char blob[BLOB_ID_LEN], uint64_t count)
{
	uint64_t refs = 0;
	int rc = read_refs(txn, blob, &refs);

	if (rc == 0 && refs == 0)
		rc = -ENOENT;
	return rc < 0 ? rc : write_refs(txn, blob, refs + count);
}

int mail_body_unref(struct store_txn *txn, const unsigned char blob[BLOB_ID_LEN])
{
	struct key key = key_mail_structure(blob);
	uint64_t refs = 0;
	int rc = read_refs(txn, blob, &refs);

	if (rc == 0 && refs == 0)
		rc = -ENOENT;
	if (rc == 0)
		rc = write_refs(txn, blob, refs - 1);
	if (rc < 0 || refs > 1)
		return rc;
	rc = row_del(txn, &key);
	return rc < 0 ? rc : op_blob_unref(txn, blob, NULL);
}

int mail_structure_read(
	struct store_txn *txn, const unsigned char blob[BLOB_ID_LEN], struct span *ret)
{
	struct key key = key_mail_structure(blob);

	return row_get(txn, &key, ret);
}
