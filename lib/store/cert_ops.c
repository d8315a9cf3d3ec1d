/*
 * What happens to a certificate: intent before it is signed, issued after, revoked. The rows of the
 * indexes change in the same commit.
 */
#include "store/cert.h"

#include "base/text.h"
#include "store/cert_i.h"
#include "store/ops.h"
#include "store/row.h"

#include <errno.h>

enum {
	REASON_CESSATION = 5, /* RFC 5280 section 5.3.1 */
	REASON_UNUSED = 7,
	REASON_REMOVE = 8, /* of delta CRLs only */
	REASON_MAX = 10,
	SERIAL_HEX = 2 * CERT_SERIAL_LEN + 1,
};

static const char *serial_hex(const unsigned char *serial, char ret[SERIAL_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < CERT_SERIAL_LEN; i++) {
		ret[2 * i] = digits[serial[i] >> 4];
		ret[2 * i + 1] = digits[serial[i] & 15];
	}
	ret[SERIAL_HEX - 1] = '\0';
	return ret;
}

/* 0, -ENOENT, -EACCES: locked, or a host's account, whose name no user certificate may carry. */
static int account_open(struct store_txn *txn, const char *name, enum cert_profile profile)
{
	uint32_t closed = ACCOUNT_LOCKED | (profile == CERT_PROFILE_USER ? ACCOUNT_HOST : 0);
	struct account a;
	int rc = account_read(txn, name, &a);

	return rc == 0 && (a.flags & closed) != 0 ? -EACCES : rc;
}

static bool known_profile(enum cert_profile profile)
{
	return profile >= CERT_PROFILE_USER && profile <= CERT_PROFILE_CMP;
}

int op_cert_intent(struct store_txn *txn, const void *args, void *result)
{
	struct cert c = *(const struct cert *)args;
	struct key key = key_cert(c.serial);
	struct key by_account, by_expiry;
	struct span value;
	int rc;

	(void)result;
	if (!row_is_text(c.account, sizeof(c.account)) || !known_profile(c.profile))
		return -EINVAL;
	rc = account_open(txn, c.account, c.profile);
	if (rc < 0)
		return rc;
	rc = row_get(txn, &key, &value);
	if (rc != -ENOENT)
		return rc == 0 ? -EEXIST : rc;
	c.state = CERT_INTENT;
	c.revoked_us = 0;
	c.reason = 0;
	c.der = span_of(NULL, 0);
	by_account = key_cert_account_row(c.account, c.not_after_us, c.serial);
	by_expiry = key_cert_expiry(c.not_after_us, c.serial);
	rc = cert_write(txn, &c);
	if (rc == 0)
		rc = row_mark(txn, &by_account);
	return rc < 0 ? rc : row_mark(txn, &by_expiry);
}

int cert_forget(struct store_txn *txn, const struct cert *c)
{
	struct key key = key_cert(c->serial);
	struct key by_account = key_cert_account_row(c->account, c->not_after_us, c->serial);
	struct key by_expiry = key_cert_expiry(c->not_after_us, c->serial);
	int rc = row_del(txn, &key);

	if (rc == 0)
		rc = row_del(txn, &by_account);
	return rc < 0 ? rc : row_del(txn, &by_expiry);
}

int op_cert_issued(struct store_txn *txn, const void *args, void *result)
{
	const struct cert_issued_args *i = args;
	struct audit_note note = {i->now_us, "cert-issue", "", i->peer};
	char hex[SERIAL_HEX];
	struct cert c;
	int rc;

	(void)result;
	if (!row_is_text(i->peer, sizeof(i->peer)) || !row_is_text(i->proof, sizeof(i->proof)) ||
		i->der.len == 0 || i->der.len > CERT_DER_MAX)
		return -EINVAL;
	rc = cert_read(txn, i->serial, &c);
	if (rc < 0)
		return rc;
	if (c.state != CERT_INTENT)
		return -ENOENT;
	rc = account_open(txn, c.account, c.profile);
	if (rc < 0)
		return -EACCES;
	c.state = CERT_ISSUED;
	c.der = i->der;
	rc = cert_write(txn, &c);
	note.account = c.account;
	return rc < 0 ? rc
		      : audit_note(txn, &note, "serial=%s ca=%u profile=%d proof=%s",
				serial_hex(c.serial, hex), c.ca_id, (int)c.profile, i->proof);
}

/* -- revocation -------------------------------------------------------------------------------- */

static int bump_revision(struct store_txn *txn, uint32_t ca_id)
{
	struct key key = key_crl_revision(ca_id);
	uint64_t revision = 0;
	int rc = row_counter(txn, &key, &revision);

	return rc < 0 ? rc : row_counter_put(txn, &key, revision + 1);
}

/* c is a decoded row: its der points into the map, which stays until the row is written. */
static int revoke_row(struct store_txn *txn, struct cert *c, int reason, int64_t now_us)
{
	unsigned char der[CERT_DER_MAX];
	struct key index = key_revoked_row(c->ca_id, c->serial);
	int rc;

	if (c->der.len > 0)
		memcpy(der, c->der.p, c->der.len);
	c->der.p = der;
	c->state = CERT_REVOKED;
	c->revoked_us = now_us;
	c->reason = reason;
	rc = cert_write(txn, c);
	c->der = span_of(NULL, 0);
	if (rc == 0)
		rc = row_mark(txn, &index);
	return rc < 0 ? rc : bump_revision(txn, c->ca_id);
}

/* What a CRL can say; a row with anything else would stop the list of everybody. */
static bool reason_is_known(int reason)
{
	return reason >= 0 && reason <= REASON_MAX && reason != REASON_UNUSED &&
		reason != REASON_REMOVE;
}

int op_cert_revoke(struct store_txn *txn, const void *args, void *result)
{
	const struct cert_revoke_args *v = args;
	struct audit_note note = {v->now_us, "cert-revoke", "", v->by};
	char hex[SERIAL_HEX];
	struct cert c;
	int rc;

	(void)result;
	if (!row_is_text(v->account, sizeof(v->account)) || !row_is_text(v->by, sizeof(v->by)) ||
		!reason_is_known(v->reason))
		return -EINVAL;
	rc = cert_read(txn, v->serial, &c);
	if (rc < 0)
		return rc;
	if (v->account[0] != '\0' && strcmp(v->account, c.account) != 0)
		return -ENOENT; /* other people's certificates do not exist */
	if (c.state == CERT_REVOKED)
		return -EALREADY;
	rc = revoke_row(txn, &c, v->reason, v->now_us);
	note.account = c.account;
	return rc < 0 ? rc
		      : audit_note(txn, &note, "serial=%s reason=%d", serial_hex(c.serial, hex),
				v->reason);
}

int cert_revoke_all(struct store_txn *txn, const char *account, int64_t now_us, unsigned *ret)
{
	struct key prefix = key_cert_account(account);
	struct key at = prefix;
	struct span key, value, serial;
	struct cert c;
	unsigned count = 0;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&at), &key, &value)) == 0) {
		at = key_copy(key);
		at.p[at.len++] = 0; /* the smallest key behind it */
		serial = key_tail(key, CERT_SERIAL_LEN);
		rc = serial.len == 0 ? -EBADMSG : cert_read(txn, serial.p, &c);
		if (rc == 0 && c.state != CERT_REVOKED) {
			rc = revoke_row(txn, &c, REASON_CESSATION, now_us);
			count++;
		}
		if (rc < 0)
			return rc;
	}
	if (rc == -ENOENT)
		*ret = count;
	return rc == -ENOENT ? 0 : rc;
}
