/* Certificate rows and their three indexes: reading. */
#include "store/cert.h"

#include "store/cert_i.h"
#include "store/row.h"

#include <errno.h>

enum { CERT_VERSION = 1, TIME_LEN = 8 };

int cert_decode(struct span key, struct span value, struct cert *ret)
{
	struct rec r = row_open(value, CERT_VERSION);
	struct cert c = {.state = (enum cert_state)rec_u8(&r)};
	struct span spki;

	c.profile = (enum cert_profile)rec_u8(&r);
	c.ca_id = rec_u32(&r);
	c.created_us = rec_i64(&r);
	c.not_before_us = rec_i64(&r);
	c.not_after_us = rec_i64(&r);
	c.revoked_us = rec_i64(&r);
	c.reason = (int)(int32_t)rec_u32(&r);
	spki = rec_raw(&r, sizeof(c.spki_sha256));
	rec_str(&r, c.account, sizeof(c.account));
	c.der = rec_bytes(&r, CERT_DER_MAX);
	if (rec_end(&r) < 0 || key.len != 1 + sizeof(c.serial) || c.state < CERT_INTENT ||
		c.state > CERT_REVOKED)
		return -EBADMSG;
	memcpy(c.spki_sha256, spki.p, sizeof(c.spki_sha256));
	memcpy(c.serial, key.p + 1, sizeof(c.serial));
	*ret = c;
	return 0;
}

int cert_write(struct store_txn *txn, const struct cert *c)
{
	struct key key = key_cert(c->serial);
	struct buf b = row_begin(CERT_VERSION);

	buf_add_byte(&b, (unsigned char)c->state);
	buf_add_byte(&b, (unsigned char)c->profile);
	buf_add_u32(&b, c->ca_id);
	rec_put_i64(&b, c->created_us);
	rec_put_i64(&b, c->not_before_us);
	rec_put_i64(&b, c->not_after_us);
	rec_put_i64(&b, c->revoked_us);
	buf_add_u32(&b, (uint32_t)c->reason);
	buf_add(&b, span_of(c->spki_sha256, sizeof(c->spki_sha256)));
	row_text(&b, c->account, sizeof(c->account));
	rec_put_bytes(&b, c->der);
	return row_put(txn, &key, &b);
}

int cert_read(struct store_txn *txn, const unsigned char *serial, struct cert *ret)
{
	struct key key = key_cert(serial);
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : cert_decode(key_span(&key), value, ret);
}

struct get_args {
	const unsigned char *serial;
	struct cert *ret;
	unsigned char *der_buf;
};

static int get_view(struct store_txn *txn, void *arg)
{
	const struct get_args *g = arg;
	struct cert c;
	int rc = cert_read(txn, g->serial, &c);

	if (rc < 0)
		return rc;
	if (g->der_buf == NULL) {
		c.der = span_of(NULL, 0);
	} else {
		memcpy(g->der_buf, c.der.p, c.der.len);
		c.der.p = g->der_buf;
	}
	*g->ret = c;
	return 0;
}

int cert_get(struct store *s, const unsigned char serial[CERT_SERIAL_LEN], struct cert *ret,
	unsigned char *der_buf)
{
	struct get_args g = {serial, ret, der_buf};

	return store_view(s, get_view, &g);
}

struct check_args {
	const unsigned char *serial;
	struct account *ret;
};

static int check_view(struct store_txn *txn, void *arg)
{
	const struct check_args *k = arg;
	struct account a;
	struct cert c;
	int rc = cert_read(txn, k->serial, &c);

	if (rc < 0)
		return rc;
	if (c.state == CERT_REVOKED)
		return -EKEYREVOKED;
	if (c.state != CERT_ISSUED)
		return -ENOENT;
	rc = account_read(txn, c.account, &a);
	if (rc == -ENOENT || (rc == 0 && (a.flags & ACCOUNT_LOCKED) != 0))
		return -EACCES;
	if (rc == 0)
		*k->ret = a;
	return rc;
}

int cert_check(struct store *s, const unsigned char serial[CERT_SERIAL_LEN], struct account *ret)
{
	struct check_args k = {serial, ret};

	return store_view(s, check_view, &k);
}

/* -- ranges ------------------------------------------------------------------------------------ */

int64_t cert_index_time(struct span key)
{
	struct span tail = key_tail(key, TIME_LEN + CERT_SERIAL_LEN);

	return tail.len == 0 ? INT64_MAX : key_time(span_of(tail.p, TIME_LEN));
}

struct each_args {
	struct key prefix;
	int64_t before_us; /* INT64_MAX: all; else the index ends in time and serial */
	int64_t after_us; /* rows that expire up to here are left out */
	int (*each)(void *arg, const struct cert *c);
	void *arg;
};

/* Rows of an index whose keys end in a serial. */
static int each_view(struct store_txn *txn, void *arg)
{
	const struct each_args *e = arg;
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct span key, value, serial;
	struct cert c;
	int rc = kv_iter_open(txn, key_span(&e->prefix), key_span(&e->prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		if (e->before_us != INT64_MAX && cert_index_time(key) >= e->before_us)
			return 0;
		serial = key_tail(key, CERT_SERIAL_LEN);
		rc = serial.len == 0 ? -EBADMSG : cert_read(txn, serial.p, &c);
		if (rc == -ENOENT) /* an index row without its certificate */
			rc = -EBADMSG;
		if (rc == 0 && c.not_after_us > e->after_us)
			rc = e->each(e->arg, &c);
	}
	return rc;
}

int cert_each(struct store *s, const char *account, int64_t before_us,
	int (*each)(void *arg, const struct cert *c), void *arg)
{
	struct each_args e = {.before_us = before_us, .after_us = INT64_MIN, .each = each};

	e.arg = arg;
	e.prefix = account[0] == '\0' ? key_table(KEY_CERT_EXPIRY) : key_cert_account(account);
	return store_view(s, each_view, &e);
}

int cert_each_revoked(struct store *s, uint32_t ca_id, int64_t now_us,
	int (*each)(void *arg, const struct cert *c), void *arg)
{
	struct each_args e = {.before_us = INT64_MAX, .after_us = now_us, .each = each};

	e.arg = arg;
	e.prefix = key_revoked(ca_id);
	return store_view(s, each_view, &e);
}
