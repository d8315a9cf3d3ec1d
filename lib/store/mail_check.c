/*
 * What rows of mail say of each other: names and boxes lead to each other, what is counted is what
 * there is, the log of changes tells of each message, and each body has as many messages as it
 * says. What was deleted and waits for the sweep is let be.
 */
#include "store/mail_check.h"

#include <errno.h>
#include <stdlib.h>

enum { ID_LEN = 8 };

static bool is_there(struct store_txn *txn, struct key key)
{
	struct span found;

	return row_get(txn, &key, &found) == 0;
}

/* The account's name that such keys begin with; they decode. */
static const char *account_of(struct span key)
{
	return (const char *)key.p + 1;
}

static bool has_account(struct store_txn *txn, struct span key)
{
	return is_there(txn, key_mail_account(account_of(key)));
}

/* -- accounts and mailboxes -------------------------------------------------------------------- */

static const char *check_account(struct store_txn *txn, struct span key, struct span value)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	uint64_t boxes = 0, messages = 0, bytes = 0;
	struct mail_account a;
	struct mail_box b;
	struct key prefix;
	struct span box_key, box;

	if (mail_account_decode(key, value, &a) < 0)
		return NULL;
	if (!is_there(txn, key_account(a.name)) && !is_there(txn, key_tombstone(a.name)))
		return "mail of no account";
	prefix = key_mail_box(a.name);
	if (kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it) < 0)
		return "mail that cannot be read";
	while (kv_iter_next(&it, &box_key, &box) == 1) {
		if (mail_box_decode(box_key, box, &b) < 0)
			continue; /* reported by itself */
		if (b.modseq > a.modseq)
			return "a mailbox with a change behind the newest";
		boxes++;
		messages += b.messages;
		bytes += b.bytes;
	}
	return boxes == a.boxes && messages == a.messages && bytes == a.bytes
		? NULL
		: "an account whose mail differs from its mailboxes";
}

static const char *check_owned(struct store_txn *txn, struct span key, struct span value)
{
	(void)value;
	return has_account(txn, key) ? NULL : "a row of an account that has no mail";
}

struct census {
	struct mail_box b;
	bool bad;
};

static int count_message(void *arg, const struct mail_message *m)
{
	struct census *c = arg;

	c->b.messages++;
	c->b.unseen += (m->flags.system & MAIL_SEEN) == 0;
	c->b.deleted += (m->flags.system & MAIL_DELETED) != 0;
	c->b.bytes += m->size;
	c->bad = c->bad || m->uid >= c->b.uid_next || m->modseq > c->b.modseq;
	return 0;
}

static const char *check_box(struct store_txn *txn, struct span key, struct span value)
{
	struct key counter = key_meta(MAIL_META_BOX);
	struct census c = {.bad = false};
	struct mail_box b;
	uint64_t id = 0, newest = 0;

	if (mail_box_decode(key, value, &b) < 0)
		return NULL;
	if (!has_account(txn, key))
		return "a mailbox of an account that has no mail";
	if (mail_name_read(txn, account_of(key), b.name, &id) < 0 || id != b.id)
		return "a mailbox that its name does not lead to";
	if (row_counter(txn, &counter, &newest) < 0 || b.id > newest)
		return "a mailbox behind the newest";
	c.b.uid_next = b.uid_next;
	c.b.modseq = b.modseq;
	if (mail_messages_each(txn, b.id, 0, count_message, &c) < 0)
		return "a mailbox whose messages cannot be read";
	if (c.bad)
		return "a mailbox with a message behind its newest";
	return c.b.messages == b.messages && c.b.unseen == b.unseen && c.b.deleted == b.deleted &&
			c.b.bytes == b.bytes
		? NULL
		: "a mailbox with another number of messages";
}

static const char *check_name(struct store_txn *txn, struct span key, struct span value)
{
	const uint64_t id = key_number(value);
	char name[MAIL_NAME_SIZE];
	struct mail_box b;

	if (!has_account(txn, key))
		return "a mailbox's name of an account that has no mail";
	if (id == 0)
		return NULL;
	if (mail_box_read(txn, account_of(key), id, &b) < 0)
		return "a name of no mailbox";
	return mail_name_of_key(key, name) == 0 && strcmp(name, b.name) == 0
		? NULL
		: "a name of a mailbox that has another";
}

/* -- messages ---------------------------------------------------------------------------------- */

static uint64_t box_of(struct span key)
{
	return key_number(span_of(key.p + 1, ID_LEN));
}

static bool is_dead(struct store_txn *txn, uint64_t box)
{
	return is_there(txn, key_mail_dead(box));
}

/* Is it anybody's? There is no index by numbers alone. */
static bool is_live(struct store_txn *txn, uint64_t box)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_table(KEY_MAIL_BOX);
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && kv_iter_next(&it, &key, &value) == 1)
		if (key_number(key_tail(key, ID_LEN)) == box)
			return true;
	return false;
}

/* Asked once for each mailbox, at its first row. */
static bool is_orphan(struct store_txn *txn, struct key prefix, struct span key)
{
	struct span first, value;

	if (kv_seek(txn, key_span(&prefix), key_span(&prefix), &first, &value) < 0 ||
		!span_eq(first, key))
		return false;
	return !is_dead(txn, box_of(key)) && !is_live(txn, box_of(key));
}

static const char *check_message(struct store_txn *txn, struct span key, struct span value)
{
	struct mail_change c = {.gone = false};
	struct mail_message m;
	struct key change;
	struct span found;

	if (mail_message_decode(key, value, &m) < 0)
		return NULL;
	if (is_orphan(txn, key_mail_message(box_of(key)), key))
		return "a message of no mailbox";
	if (!is_there(txn, key_mail_body(m.blob)))
		return "a message without its body";
	change = key_mail_change_row(box_of(key), m.modseq, m.uid);
	if (row_get(txn, &change, &found) < 0 ||
		mail_change_decode(key_span(&change), found, &c) < 0 || c.gone != m.gone)
		return "a message whose change is not in the log";
	return NULL;
}

static const char *check_change(struct store_txn *txn, struct span key, struct span value)
{
	struct mail_message m = {.gone = false};
	struct mail_change c;
	int rc;

	if (mail_change_decode(key, value, &c) < 0)
		return NULL;
	if (is_orphan(txn, key_mail_change(box_of(key)), key))
		return "a change in no mailbox";
	if (is_dead(txn, box_of(key)))
		return NULL;
	rc = mail_message_read(txn, box_of(key), c.uid, &m);
	if (rc == -ENOENT && c.gone)
		return NULL;
	return rc == 0 && m.modseq == c.modseq && m.gone == c.gone
		? NULL
		: "a change of a message that has another";
}

static const char *check_gone(struct store_txn *txn, struct span key, struct span value)
{
	struct mail_message m;
	struct mail_gone g;
	struct mail_box b;
	int rc;

	if (mail_gone_decode(key, value, &g) < 0 || mail_box_read(txn, g.account, g.box, &b) < 0)
		return NULL; /* its mailbox was deleted */
	if (!is_there(txn, key_mail_change_row(g.box, g.modseq, g.uid)))
		return "an expunged message that is not in the log";
	rc = mail_message_read(txn, g.box, g.uid, &m);
	if (g.phase == MAIL_PHASE_LOG)
		return rc == -ENOENT ? NULL : "a message that should have been swept";
	return rc == 0 && m.gone ? NULL : "an expunged message that is there";
}

/* -- bodies ------------------------------------------------------------------------------------ */

static const char *check_body(struct store_txn *txn, struct span key, struct span value)
{
	(void)value;
	if (!is_there(txn, key_blob(key.p + 1)))
		return "a body without its blob";
	return is_there(txn, key_mail_structure(key.p + 1)) ? NULL : "a body without its structure";
}

static const char *check_structure(struct store_txn *txn, struct span key, struct span value)
{
	(void)value;
	return is_there(txn, key_mail_body(key.p + 1)) ? NULL : "a structure of no body";
}

/* -- notes ------------------------------------------------------------------------------------- */

static const char *check_sent(struct store_txn *txn, struct span key, struct span value)
{
	const uint64_t number = key_number(key_tail(key, ID_LEN));
	struct mail_sent s;

	if (mail_sent_decode(value, &s) < 0)
		return NULL;
	if (!is_there(txn, key_mail_sent_id_row(account_of(key), span_str(s.msgid), number)))
		return "what was sent, not in the index of its Message-ID";
	return check_owned(txn, key, value);
}

static const char *check_sent_id(struct store_txn *txn, struct span key, struct span value)
{
	const uint64_t number = key_number(key_tail(key, ID_LEN));
	struct mail_sent s;
	struct key expected;

	(void)value;
	if (mail_sent_read(txn, account_of(key), number, &s) < 0)
		return "an index row of nothing that was sent";
	expected = key_mail_sent_id_row(account_of(key), span_str(s.msgid), number);
	return span_eq(key, key_span(&expected)) ? NULL : "an index row of another Message-ID";
}

static const char *check_numbered(struct store_txn *txn, struct span key, struct span value)
{
	const uint64_t id = key_number(key_tail(key, ID_LEN));
	struct mail_account a;

	(void)value;
	if (mail_account_read(txn, account_of(key), &a) < 0)
		return "a note of an account that has no mail";
	return id <= (key.p[0] == KEY_MAIL_DUE ? a.due : a.notice) ? NULL
								   : "a note behind the newest";
}

static const char *check_seen(struct store_txn *txn, struct span key, struct span value)
{
	char account[ACCOUNT_NAME_SIZE];

	(void)value;
	return row_name(key, account, sizeof(account)) == 0 && is_there(txn, key_account(account))
		? NULL
		: "when nobody was seen";
}

static const char *check_keywords(struct store_txn *txn, struct span key, struct span value)
{
	char account[ACCOUNT_NAME_SIZE];

	(void)value;
	return row_name(key, account, sizeof(account)) == 0 &&
			is_there(txn, key_mail_account(account))
		? NULL
		: "keywords of an account that has no mail";
}

static const struct {
	enum key_table table;
	const char *(*check)(struct store_txn *txn, struct span key, struct span value);
} checks[] = {
	{KEY_MAIL_ACCOUNT, check_account},
	{KEY_MAIL_KEYWORDS, check_keywords},
	{KEY_MAIL_BOX, check_box},
	{KEY_MAIL_NAME, check_name},
	{KEY_MAIL_MESSAGE, check_message},
	{KEY_MAIL_CHANGE, check_change},
	{KEY_MAIL_GONE, check_gone},
	{KEY_MAIL_BODY, check_body},
	{KEY_MAIL_STRUCTURE, check_structure},
	{KEY_MAIL_SENT, check_sent},
	{KEY_MAIL_SENT_ID, check_sent_id},
	{KEY_MAIL_NOTICE, check_numbered},
	{KEY_MAIL_DUE, check_numbered},
	{KEY_SEEN, check_seen},
};

const char *mail_row_check(struct store_txn *txn, struct span key, struct span value)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (key.p[0] == checks[i].table)
			return mail_row_decode(key, value) == 0 ? checks[i].check(txn, key, value)
								: NULL;
	return NULL;
}

/* -- references -------------------------------------------------------------------------------- */

static int compare_blobs(const void *a, const void *b)
{
	return memcmp(a, b, BLOB_ID_LEN);
}

static struct mail_sum *find_sum(const struct mail_sums *s, const unsigned char *blob)
{
	return s->bodies.len == 0
		? NULL
		: bsearch(blob, s->bodies.p, s->bodies.len / sizeof(struct mail_sum),
			  sizeof(struct mail_sum), compare_blobs);
}

int mail_sums_row(struct mail_sums *s, struct span key, struct span value)
{
	struct mail_sum sum = {.left = 0};
	struct mail_sum *found;
	struct mail_message m;

	if (key.p[0] == KEY_MAIL_BODY && mail_row_decode(key, value) == 0) {
		memcpy(sum.blob, key.p + 1, sizeof(sum.blob));
		sum.left = (int64_t)key_number(value);
		buf_add(&s->bodies, span_of(&sum, sizeof(sum)));
		return buf_error(&s->bodies);
	}
	if (key.p[0] != KEY_MAIL_MESSAGE || mail_message_decode(key, value, &m) < 0)
		return 0;
	found = find_sum(s, m.blob);
	if (found != NULL) /* a message without its body is reported by itself */
		found->left--;
	return 0;
}

const unsigned char *mail_sums_wrong(const struct mail_sums *s)
{
	for (size_t at = 0; at < s->bodies.len; at += sizeof(struct mail_sum)) {
		struct mail_sum sum;

		memcpy(&sum, s->bodies.p + at, sizeof(sum));
		if (sum.left != 0)
			return s->bodies.p + at;
	}
	return NULL;
}

void mail_sums_done(struct mail_sums *s)
{
	buf_done(&s->bodies);
}
