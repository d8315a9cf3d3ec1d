/* Decoding a row of any table of mail by its key: for store_check() and the fuzzer. */
#include "store/mail_check.h"

#include <errno.h>

enum { ID_LEN = 8, UID_LEN = 4, DAY_LEN = 2, DIGEST_LEN = 32, MSGID_LEN = 16 };

/* -- keys taken apart -------------------------------------------------------------------------- */

/* An account's name and its NUL off the front of *rest. */
static bool take_account(struct span *rest, char ret[ACCOUNT_NAME_SIZE])
{
	const unsigned char *nul = rest->len > 0 ? memchr(rest->p, '\0', rest->len) : NULL;
	struct span head;

	if (nul == NULL || nul == rest->p)
		return false;
	head = span_of(rest->p, (size_t)(nul - rest->p));
	*rest = span_of(nul + 1, rest->len - head.len - 1);
	return span_copy_str(head, ret, ACCOUNT_NAME_SIZE) == 0;
}

/* An account, then len bytes. */
static bool account_and(struct span key, size_t len)
{
	struct span rest = span_of(key.p + 1, key.len - 1);
	char account[ACCOUNT_NAME_SIZE];

	return take_account(&rest, account) && rest.len == len;
}

/* -- decoding ---------------------------------------------------------------------------------- */

static int yes(bool ok)
{
	return ok ? 0 : -EBADMSG;
}

static int decode_account(struct span key, struct span value)
{
	struct mail_account a;

	return mail_account_decode(key, value, &a);
}

static int decode_keywords(struct span key, struct span value)
{
	char account[ACCOUNT_NAME_SIZE];
	struct mail_keywords k;
	int rc = row_name(key, account, sizeof(account));

	return rc < 0 ? rc : mail_keywords_decode(value, &k);
}

static int decode_box(struct span key, struct span value)
{
	struct mail_box b;

	return account_and(key, ID_LEN) ? mail_box_decode(key, value, &b) : -EBADMSG;
}

static int decode_name(struct span key, struct span value)
{
	struct span rest = span_of(key.p + 1, key.len - 1);
	char account[ACCOUNT_NAME_SIZE], name[MAIL_NAME_SIZE];

	if (!take_account(&rest, account) || value.len != ID_LEN)
		return -EBADMSG;
	return mail_name_of_key(key, name);
}

static int decode_message(struct span key, struct span value)
{
	struct mail_message m;

	return mail_message_decode(key, value, &m);
}

static int decode_change(struct span key, struct span value)
{
	struct mail_change c;

	return mail_change_decode(key, value, &c);
}

static int decode_gone(struct span key, struct span value)
{
	struct mail_gone g;

	return mail_gone_decode(key, value, &g);
}

static int decode_dead(struct span key, struct span value)
{
	struct mail_dead d;

	return key.len == 1 + ID_LEN ? mail_dead_decode(value, &d) : -EBADMSG;
}

static int decode_body(struct span key, struct span value)
{
	return yes(key.len == 1 + BLOB_ID_LEN && value.len == ID_LEN && key_number(value) > 0);
}

static int decode_structure(struct span key, struct span value)
{
	return yes(key.len == 1 + BLOB_ID_LEN && value.len <= MAIL_STRUCTURE_MAX);
}

static int decode_sent(struct span key, struct span value)
{
	struct mail_sent s;

	return account_and(key, ID_LEN) ? mail_sent_decode(value, &s) : -EBADMSG;
}

static int decode_sent_id(struct span key, struct span value)
{
	return yes(account_and(key, MSGID_LEN + ID_LEN) && value.len == 0);
}

static int decode_notice(struct span key, struct span value)
{
	struct mail_notice n;

	return account_and(key, ID_LEN) ? mail_notice_decode(key, value, &n) : -EBADMSG;
}

static int decode_due(struct span key, struct span value)
{
	struct mail_due d;

	return account_and(key, ID_LEN) ? mail_due_decode(key, value, &d) : -EBADMSG;
}

static int decode_done(struct span key, struct span value)
{
	char account[ACCOUNT_NAME_SIZE];
	struct span rest;
	int64_t at_us;

	if (key.len <= 1 + DAY_LEN)
		return -EBADMSG;
	rest = span_of(key.p + 1 + DAY_LEN, key.len - 1 - DAY_LEN);
	return take_account(&rest, account) && rest.len == DIGEST_LEN
		? mail_done_decode(value, &at_us)
		: -EBADMSG;
}

static int decode_seen(struct span key, struct span value)
{
	char account[ACCOUNT_NAME_SIZE];
	int64_t at_us;
	int rc = row_name(key, account, sizeof(account));

	return rc < 0 ? rc : mail_seen_decode(value, &at_us);
}

static const struct {
	enum key_table table;
	int (*decode)(struct span key, struct span value);
} tables[] = {
	{KEY_MAIL_ACCOUNT, decode_account},
	{KEY_MAIL_KEYWORDS, decode_keywords},
	{KEY_MAIL_BOX, decode_box},
	{KEY_MAIL_NAME, decode_name},
	{KEY_MAIL_MESSAGE, decode_message},
	{KEY_MAIL_CHANGE, decode_change},
	{KEY_MAIL_GONE, decode_gone},
	{KEY_MAIL_DEAD, decode_dead},
	{KEY_MAIL_BODY, decode_body},
	{KEY_MAIL_STRUCTURE, decode_structure},
	{KEY_MAIL_SENT, decode_sent},
	{KEY_MAIL_SENT_ID, decode_sent_id},
	{KEY_MAIL_NOTICE, decode_notice},
	{KEY_MAIL_DUE, decode_due},
	{KEY_MAIL_DONE, decode_done},
	{KEY_SEEN, decode_seen},
};

int mail_row_decode(struct span key, struct span value)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (key.p[0] == tables[i].table)
			return tables[i].decode(key, value);
	return -ENOENT;
}

int mail_meta_row_decode(struct span name, struct span value)
{
	if (!span_eq_str(name, MAIL_META_BOX) && !span_eq_str(name, MAIL_META_VALIDITY))
		return -ENOENT;
	return yes(value.len == ID_LEN);
}
