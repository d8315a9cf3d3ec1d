/* Decoding a row of any table by its key: for store_check() and the fuzzer. */
#include "store/answers.h"
#include "store/chat_check.h"
#include "store/file_i.h"
#include "store/mail_check.h"

#include <errno.h>

enum { COUNTER_LEN = 8, SCHEMA_LEN = 4, CA_LEN = 4, TIME_LEN = 8 };

static int decode_meta(struct span key, struct span value)
{
	const struct span name = span_of(key.p + 1, key.len - 1);
	struct audit_head head;
	struct audit_closed closed;
	size_t len = COUNTER_LEN;
	int rc = chat_meta_row_decode(name, value);

	if (rc == -ENOENT)
		rc = mail_meta_row_decode(name, value);
	if (rc != -ENOENT)
		return rc;
	if (span_eq_str(name, "audit"))
		return audit_head_decode(value, &head);
	if (span_eq_str(name, "audit-closed"))
		return audit_closed_decode(value, &closed);
	if (span_eq_str(name, "schema"))
		len = SCHEMA_LEN;
	else if (!span_eq_str(name, "session"))
		return -EBADMSG;
	return value.len == len ? 0 : -EBADMSG;
}

static int decode_account(struct span key, struct span value)
{
	struct account a;

	return account_decode(key, value, &a);
}

static int decode_tombstone(struct span key, struct span value)
{
	struct tombstone t;
	char name[ACCOUNT_NAME_SIZE];
	int rc = row_name(key, name, sizeof(name));

	return rc < 0 ? rc : tombstone_decode(value, &t);
}

static int decode_invite(struct span key, struct span value)
{
	struct invite i;

	return invite_decode(key, value, &i);
}

static int decode_cmp_ref(struct span key, struct span value)
{
	struct cmp_ref c;

	return cmp_ref_decode(key, value, &c);
}

static int decode_cert(struct span key, struct span value)
{
	struct cert c;

	return cert_decode(key, value, &c);
}

/* An index row: all is in its key, which ends in a serial. */
static int decode_index(struct span key, struct span value)
{
	const size_t without_name = key.p[0] == KEY_REVOKED ? 1 + CA_LEN + CERT_SERIAL_LEN
							    : 1 + TIME_LEN + CERT_SERIAL_LEN;
	const bool has_name = key.p[0] == KEY_CERT_ACCOUNT;

	if (value.len != 0 || key.len < without_name + (has_name ? 2 : 0))
		return -EBADMSG;
	return has_name || key.len == without_name ? 0 : -EBADMSG;
}

static int decode_ca(struct span key, struct span value)
{
	struct ca c;

	return ca_decode(key, value, &c);
}

static int decode_crl(struct span key, struct span value)
{
	struct crl_info info;
	struct span der;

	return key.len == 1 + sizeof(uint32_t) ? crl_decode(value, &info, &der) : -EBADMSG;
}

static int decode_revision(struct span key, struct span value)
{
	return key.len == 1 + sizeof(uint32_t) && value.len == COUNTER_LEN ? 0 : -EBADMSG;
}

static int decode_audit(struct span key, struct span value)
{
	struct audit_row a;
	struct key expected;
	int rc = audit_decode(value, &a);

	if (rc < 0)
		return rc;
	expected = key_audit(a.seq);
	return span_eq(key, key_span(&expected)) ? 0 : -EBADMSG;
}

static int decode_throttle(struct span key, struct span value)
{
	struct throttle_row t;

	return key.len >= 2 ? throttle_decode(value, &t) : -EBADMSG;
}

static int decode_session(struct span key, struct span value)
{
	struct session_row s;

	return session_decode(key, value, &s);
}

static int decode_bell(struct span key, struct span value)
{
	struct bell_args b;

	return bell_decode(key, value, &b);
}

static int decode_bell_session(struct span key, struct span value)
{
	return key.len > 1 + sizeof(uint64_t) && value.len == 0 ? 0 : -EBADMSG;
}

static int decode_policy(struct span key, struct span value)
{
	char name[POLICY_VALUE_SIZE], text[POLICY_VALUE_SIZE];
	int rc = row_name(key, name, sizeof(name));

	return rc < 0 ? rc : policy_decode(value, text, sizeof(text));
}

static int decode_blob(struct span key, struct span value)
{
	struct blob_row b;

	return key.len == 1 + BLOB_ID_LEN ? blob_decode(value, &b) : -EBADMSG;
}

static int decode_file(struct span key, struct span value)
{
	struct file_row row;
	struct span path;

	return file_decode(key, value, &path, &row);
}

static int decode_partial(struct span key, struct span value)
{
	struct file_partial p;
	struct span path;

	return partial_decode(key, value, &path, &p);
}

static int decode_usage(struct span key, struct span value)
{
	char name[ACCOUNT_NAME_SIZE];
	struct usage u;
	int rc = row_name(key, name, sizeof(name));

	return rc < 0 ? rc : usage_decode(value, &u);
}

static int decode_reservation(struct span key, struct span value)
{
	struct file_reserve_args a;

	return reservation_decode(key, value, &a);
}

static const struct {
	enum key_table table;
	int (*decode)(struct span key, struct span value);
} tables[] = {
	{KEY_META, decode_meta},
	{KEY_ACCOUNT, decode_account},
	{KEY_TOMBSTONE, decode_tombstone},
	{KEY_INVITE, decode_invite},
	{KEY_CMP_REF, decode_cmp_ref},
	{KEY_CERT, decode_cert},
	{KEY_CERT_ACCOUNT, decode_index},
	{KEY_CERT_EXPIRY, decode_index},
	{KEY_REVOKED, decode_index},
	{KEY_CA, decode_ca},
	{KEY_CRL, decode_crl},
	{KEY_CRL_REVISION, decode_revision},
	{KEY_AUDIT, decode_audit},
	{KEY_THROTTLE, decode_throttle},
	{KEY_SESSION, decode_session},
	{KEY_BELL, decode_bell},
	{KEY_BELL_SESSION, decode_bell_session},
	{KEY_POLICY, decode_policy},
	{KEY_BLOB, decode_blob},
	{KEY_FILE, decode_file},
	{KEY_PARTIAL, decode_partial},
	{KEY_USAGE, decode_usage},
	{KEY_RESERVATION, decode_reservation},
	{KEY_ANSWER, answers_decode},
};

int row_decode(struct span key, struct span value)
{
	int rc;

	if (key.len == 0)
		return -EBADMSG;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (key.p[0] == tables[i].table)
			return tables[i].decode(key, value);
	rc = mail_row_decode(key, value);
	return rc != -ENOENT ? rc : chat_row_decode(key, value);
}
