/* The authority's own certificates and the newest CRL of each. */
#include "store/cert.h"

#include "store/ops.h"
#include "store/row.h"

#include <errno.h>

enum { CA_VERSION = 1, CRL_VERSION = 1, TABLE_AND_ID = 5 };

static uint32_t id_of(struct span key)
{
	struct rec r = rec_of(span_of(key.p + 1, key.len - 1));

	return rec_u32(&r);
}

int ca_decode(struct span key, struct span value, struct ca *ret)
{
	struct rec r = row_open(value, CA_VERSION);
	struct ca c = {.id = 0};
	uint8_t retired = rec_u8(&r);

	c.der = rec_bytes(&r, CERT_DER_MAX);
	c.ocsp_der = rec_bytes(&r, CERT_DER_MAX);
	c.cmp_der = rec_bytes(&r, CERT_DER_MAX);
	if (rec_end(&r) < 0 || key.len != TABLE_AND_ID || retired > 1)
		return -EBADMSG;
	c.id = id_of(key);
	c.retired = retired == 1;
	*ret = c;
	return 0;
}

static struct buf encode(const struct ca *c)
{
	struct buf b = row_begin(CA_VERSION);

	buf_add_byte(&b, c->retired);
	rec_put_bytes(&b, c->der);
	rec_put_bytes(&b, c->ocsp_der);
	rec_put_bytes(&b, c->cmp_der);
	return b;
}

static int ca_read(struct store_txn *txn, uint32_t id, struct ca *ret)
{
	struct key key = key_ca(id);
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : ca_decode(key_span(&key), value, ret);
}

/* A new issuing certificate takes the place of the one before it. */
static int retire_former(struct store_txn *txn, uint32_t id)
{
	struct key key = key_ca(id);
	struct ca c;
	struct buf b;
	int rc = ca_read(txn, id, &c);

	if (rc < 0)
		return rc;
	c.retired = true;
	b = encode(&c); /* a copy: the spans of c point to the row that is written now */
	return row_put(txn, &key, &b);
}

int op_ca_put(struct store_txn *txn, const void *args, void *result)
{
	const struct ca *c = args;
	const struct audit_note note = {kv_now_us(txn), "ca-put", "", "quintetctl"};
	struct key key = key_ca(c->id);
	struct ca old;
	struct buf b;
	bool fresh;
	int rc = ca_read(txn, c->id, &old);

	(void)result;
	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (c->der.len == 0 || c->der.len > CERT_DER_MAX || c->ocsp_der.len > CERT_DER_MAX ||
		c->cmp_der.len > CERT_DER_MAX)
		return -EINVAL;
	fresh = rc == -ENOENT;
	rc = 0;
	if (fresh && c->id > 1)
		rc = retire_former(txn, c->id - 1);
	if (rc < 0)
		return rc == -ENOENT ? -EINVAL : rc; /* ids have no gaps */
	b = encode(c);
	rc = row_put(txn, &key, &b);
	return rc < 0 ? rc
		      : audit_note(txn, &note, "ca=%u%s%s", c->id, fresh ? " new" : "",
				c->retired ? " retired" : "");
}

struct each_args {
	int (*each)(void *arg, const struct ca *c);
	void *arg;
};

static int each_view(struct store_txn *txn, void *arg)
{
	const struct each_args *e = arg;
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key table = key_table(KEY_CA);
	struct span key, value;
	struct ca c;
	int rc = kv_iter_open(txn, key_span(&table), key_span(&table), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = ca_decode(key, value, &c);
		if (rc == 0)
			rc = e->each(e->arg, &c);
	}
	return rc;
}

int ca_each(struct store *s, int (*each)(void *arg, const struct ca *c), void *arg)
{
	struct each_args e = {each, arg};

	return store_view(s, each_view, &e);
}

/* -- CRLs -------------------------------------------------------------------------------------- */

int crl_decode(struct span value, struct crl_info *ret, struct span *ret_der)
{
	struct rec r = row_open(value, CRL_VERSION);
	struct crl_info i = {.number = rec_u64(&r)};
	struct span der;

	i.this_update_us = rec_i64(&r);
	i.next_update_us = rec_i64(&r);
	i.revision = rec_u64(&r);
	der = rec_bytes(&r, ROW_MAX);
	if (rec_end(&r) < 0)
		return -EBADMSG;
	*ret = i;
	*ret_der = der;
	return 0;
}

static int crl_read(
	struct store_txn *txn, uint32_t ca_id, struct crl_info *ret, struct span *ret_der)
{
	struct key key = key_crl(ca_id);
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : crl_decode(value, ret, ret_der);
}

int op_crl_put(struct store_txn *txn, const void *args, void *result)
{
	const struct crl_put_args *p = args;
	struct key key = key_crl(p->ca_id);
	struct crl_info old;
	struct span der;
	struct buf b;
	int rc = crl_read(txn, p->ca_id, &old, &der);

	(void)result;
	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (rc == 0 && p->number <= old.number)
		return -EEXIST;
	b = row_begin(CRL_VERSION);
	buf_add_u64(&b, p->number);
	rec_put_i64(&b, p->this_update_us);
	rec_put_i64(&b, p->next_update_us);
	buf_add_u64(&b, p->revision);
	rec_put_bytes(&b, p->der);
	return row_put(txn, &key, &b);
}

struct crl_args {
	uint32_t ca_id;
	struct crl_info *ret;
	struct buf *der;
	uint64_t *ret_revision;
};

static int crl_view(struct store_txn *txn, void *arg)
{
	const struct crl_args *a = arg;
	struct crl_info info;
	struct span der;
	int rc = crl_read(txn, a->ca_id, &info, &der);

	if (rc < 0)
		return rc;
	buf_add(a->der, der);
	rc = buf_error(a->der);
	if (rc == 0)
		*a->ret = info;
	return rc;
}

int crl_get(struct store *s, uint32_t ca_id, struct crl_info *ret, struct buf *der)
{
	struct crl_args a = {.ca_id = ca_id, .ret = ret, .der = der};

	return store_view(s, crl_view, &a);
}

static int revision_view(struct store_txn *txn, void *arg)
{
	const struct crl_args *a = arg;
	struct key key = key_crl_revision(a->ca_id);

	return row_counter(txn, &key, a->ret_revision);
}

int crl_revision(struct store *s, uint32_t ca_id, uint64_t *ret)
{
	struct crl_args a = {.ca_id = ca_id, .ret_revision = ret};

	return store_view(s, revision_view, &a);
}
