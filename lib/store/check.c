/*
 * The whole store looked at: every row decodes, the indexes and the rows agree, the audit chain
 * holds, every blob has its content. What somebody else removes meanwhile is no fault.
 */
#include "store/backup_i.h"

#include "base/text.h"
#include "store/blob_i.h"
#include "store/chat_check.h"
#include "store/file_i.h"
#include "store/fscopy.h"
#include "store/mail_check.h"
#include "store/store_i.h"

#include <errno.h>
#include <stdio.h>

enum { BLOBS_AT_ONCE = 64, REPORT_SIZE = 640 };

struct checker {
	struct store *store;
	void (*report)(void *arg, const char *what);
	void *arg;
	unsigned faults;
	struct usage_sums sums; /* of the files' rows, which come before those of usage */
	struct mail_sums mail; /* of bodies, which come before the messages */
	int error; /* of memory for them */
};

static void fault(struct checker *c, struct span key, const char *what)
{
	struct buf hex = BUF_INIT((size_t)2 * KV_KEY_MAX);
	char text[REPORT_SIZE];

	c->faults++;
	if (c->report != NULL) {
		text_hex(&hex, key);
		(void)snprintf(text, sizeof(text), "row %s: %s", buf_str(&hex), what);
		c->report(c->arg, text);
	}
	buf_done(&hex);
}

static bool exists(struct store_txn *txn, const struct key *key)
{
	struct span value;

	return row_get(txn, key, &value) == 0;
}

/* -- what rows say of each other --------------------------------------------------------------- */

static void check_cert(struct checker *c, struct store_txn *txn, struct span key, struct span value)
{
	struct key by_account, by_expiry, revoked;
	struct cert cert;

	if (cert_decode(key, value, &cert) < 0)
		return; /* reported already */
	by_account = key_cert_account_row(cert.account, cert.not_after_us, cert.serial);
	by_expiry = key_cert_expiry(cert.not_after_us, cert.serial);
	revoked = key_revoked_row(cert.ca_id, cert.serial);
	if (!exists(txn, &by_account))
		fault(c, key, "not in the index of its account");
	if (!exists(txn, &by_expiry))
		fault(c, key, "not in the index by expiry");
	if (exists(txn, &revoked) != (cert.state == CERT_REVOKED))
		fault(c, key, "its state and the index of revocations differ");
}

/* An index row leads to a certificate that leads back to it. */
static void check_index(
	struct checker *c, struct store_txn *txn, struct span key, struct span value)
{
	struct span serial = key_tail(key, CERT_SERIAL_LEN);
	struct key expected = {.len = 0};
	struct cert cert;

	(void)value;
	if (serial.len == 0 || cert_read(txn, serial.p, &cert) < 0) {
		fault(c, key, "an index row without its certificate");
		return;
	}
	if (key.p[0] == KEY_CERT_ACCOUNT)
		expected = key_cert_account_row(cert.account, cert.not_after_us, cert.serial);
	else if (key.p[0] == KEY_CERT_EXPIRY)
		expected = key_cert_expiry(cert.not_after_us, cert.serial);
	else
		expected = key_revoked_row(cert.ca_id, cert.serial);
	if (!span_eq(key, key_span(&expected)))
		fault(c, key, "an index row that differs from its certificate");
}

static void check_bell(struct checker *c, struct store_txn *txn, struct span key, struct span value)
{
	struct key session, index;
	struct bell_args b;

	if (bell_decode(key, value, &b) < 0)
		return;
	session = key_session_row(b.service, b.session_id);
	index = key_bell_session_row(b.session_id, b.topic, b.bell);
	if (!exists(txn, &session))
		fault(c, key, "a bell without its session");
	if (!exists(txn, &index))
		fault(c, key, "a bell that its session does not know");
}

static void check_bell_session(
	struct checker *c, struct store_txn *txn, struct span key, struct span value)
{
	const size_t before = 1 + sizeof(uint64_t);
	struct key bell = key_table(KEY_BELL);

	(void)value;
	if (key.len <= before)
		return;
	memcpy(bell.p + 1, key.p + before, key.len - before);
	bell.len = 1 + key.len - before;
	if (!exists(txn, &bell))
		fault(c, key, "a session's bell that is not there");
}

static void check_blob(struct checker *c, struct store_txn *txn, struct span key, struct span value)
{
	struct blob_row row;

	(void)txn;
	if (key.len != 1 + BLOB_ID_LEN || blob_decode(value, &row) < 0)
		return;
	if (blob_check_inline(key.p + 1, &row) < 0)
		fault(c, key, "a blob whose bytes have another digest");
}

static void check_file_row(
	struct checker *c, struct store_txn *txn, struct span key, struct span value)
{
	struct file_row row;
	struct span path;

	(void)txn;
	if (c->error == 0 && file_decode(key, value, &path, &row) == 0)
		c->error = usage_sums_file(&c->sums, &row);
}

static void check_partial(
	struct checker *c, struct store_txn *txn, struct span key, struct span value)
{
	struct file_partial p;
	struct span path;

	(void)txn;
	if (c->error == 0 && partial_decode(key, value, &path, &p) == 0)
		c->error = usage_sums_partial(&c->sums, &p);
}

static void check_usage(
	struct checker *c, struct store_txn *txn, struct span key, struct span value)
{
	char account[ACCOUNT_NAME_SIZE];
	struct usage u;

	(void)txn;
	if (row_name(key, account, sizeof(account)) < 0 || usage_decode(value, &u) < 0)
		return;
	if (!usage_sums_agree(&c->sums, account, &u))
		fault(c, key, "the usage of an account that differs from its files");
}

static const struct {
	enum key_table table;
	void (*check)(struct checker *c, struct store_txn *txn, struct span key, struct span value);
} checks[] = {
	{KEY_CERT, check_cert},
	{KEY_CERT_ACCOUNT, check_index},
	{KEY_CERT_EXPIRY, check_index},
	{KEY_REVOKED, check_index},
	{KEY_BELL, check_bell},
	{KEY_BELL_SESSION, check_bell_session},
	{KEY_BLOB, check_blob},
	{KEY_FILE, check_file_row},
	{KEY_PARTIAL, check_partial},
	{KEY_USAGE, check_usage},
};

static void check_chat(struct checker *c, struct store_txn *txn, struct span key, struct span value)
{
	const char *what;

	if (key.len > 0 && key.p[0] == KEY_META)
		what = chat_meta_row_check(txn, span_of(key.p + 1, key.len - 1), value);
	else
		what = key.len > 0 ? chat_row_check(txn, key, value) : NULL;
	if (what != NULL)
		fault(c, key, what);
}

static void check_mail(struct checker *c, struct store_txn *txn, struct span key, struct span value)
{
	const char *what = key.len > 0 ? mail_row_check(txn, key, value) : NULL;

	if (what != NULL)
		fault(c, key, what);
	if (c->error == 0 && key.len > 0)
		c->error = mail_sums_row(&c->mail, key, value);
}

static void check_row(struct checker *c, struct store_txn *txn, struct span key, struct span value)
{
	if (row_decode(key, value) < 0)
		fault(c, key, "does not decode");
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (key.p[0] == checks[i].table)
			checks[i].check(c, txn, key, value);
	check_chat(c, txn, key, value);
	check_mail(c, txn, key, value);
}

static int rows_view(struct store_txn *txn, void *arg)
{
	const struct span everything = {NULL, 0};
	struct checker *c = arg;
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct span key, value;
	uint64_t seq = 0;
	int rc = kv_iter_open(txn, everything, everything, &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		check_row(c, txn, key, value);
		rc = 0;
	}
	if (rc == 0)
		rc = c->error;
	if (rc < 0)
		return rc;
	if (usage_sums_missing(&c->sums) != NULL) {
		struct key missing = key_usage(usage_sums_missing(&c->sums));

		fault(c, key_span(&missing), "missing: the account has files");
	}
	if (mail_sums_wrong(&c->mail) != NULL) {
		struct key wrong = key_mail_body(mail_sums_wrong(&c->mail));

		fault(c, key_span(&wrong), "a body with another number of messages");
	}
	rc = audit_verify(c->store, &seq, NULL); /* in this same view */
	if (rc == -EBADMSG) {
		struct key bad = key_audit(seq);

		fault(c, key_span(&bad), "the audit chain is broken here");
		rc = 0;
	}
	return rc;
}

/* -- files of blobs ---------------------------------------------------------------------------- */

struct batch {
	struct key after;
	struct {
		unsigned char id[BLOB_ID_LEN];
		uint64_t size;
	} list[BLOBS_AT_ONCE];
	size_t count;
};

/* The next blobs that are files, so that no view stays open while they are read. */
static int batch_view(struct store_txn *txn, void *arg)
{
	struct batch *b = arg;
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key table = key_table(KEY_BLOB);
	struct span key, value;
	struct blob_row row;
	int rc = kv_iter_open(txn, key_span(&table), key_span(&b->after), &it);

	b->count = 0;
	while (rc == 0 && b->count < BLOBS_AT_ONCE && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = 0;
		b->after = key_copy(key);
		b->after.p[b->after.len++] = 0;
		if (key.len != 1 + BLOB_ID_LEN || blob_decode(value, &row) < 0 || !row.is_file)
			continue;
		memcpy(b->list[b->count].id, key.p + 1, BLOB_ID_LEN);
		b->list[b->count++].size = row.size;
	}
	return rc;
}

static int check_file(struct checker *c, int blobs_fd, const unsigned char *id, uint64_t size)
{
	unsigned char digest[BLOB_ID_LEN];
	char path[BLOB_PATH_SIZE];
	struct key key = key_blob(id);
	uint64_t found = 0, still;
	int rc;

	blob_path(id, path);
	rc = fs_hash_file((struct fs_place){blobs_fd, path}, digest, &found);
	if (rc == -ENOENT && blob_size(c->store, id, &still) == -ENOENT)
		return 0; /* removed and swept meanwhile */
	if (rc == -ENOENT)
		fault(c, key_span(&key), "a blob whose file is missing");
	else if (rc == 0 && (found != size || memcmp(digest, id, sizeof(digest)) != 0))
		fault(c, key_span(&key), "a blob whose file has another digest");
	return rc == -ENOENT ? 0 : rc;
}

static int check_files(struct checker *c)
{
	struct batch b = {.after = key_table(KEY_BLOB)};
	int blobs_fd = -1;
	int rc = store_blobs_fd(c->store, &blobs_fd);

	if (rc < 0)
		return rc;
	do {
		rc = store_view(c->store, batch_view, &b);
		for (size_t i = 0; rc == 0 && i < b.count; i++)
			rc = check_file(c, blobs_fd, b.list[i].id, b.list[i].size);
	} while (rc == 0 && b.count == BLOBS_AT_ONCE);
	return rc;
}

int store_check(struct store *s, void (*report)(void *arg, const char *what), void *arg)
{
	struct checker c = {
		.store = s, .mail = {BUF_INIT(SIZE_MAX / 2)}, .report = report, .arg = arg};
	int rc = store_view(s, rows_view, &c);

	usage_sums_done(&c.sums);
	mail_sums_done(&c.mail);
	if (rc == 0)
		rc = check_files(&c);
	if (rc < 0)
		return rc;
	return c.faults > 0 ? -EBADMSG : 0;
}
