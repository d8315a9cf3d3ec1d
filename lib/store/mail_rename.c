/*
 * Renaming a mailbox with all below it. INBOX is special (RFC 3501 section 6.3.5): its messages
 * move to a new mailbox, and it stays, so that sessions that have it open go on seeing what comes.
 */
#include "store/mail_i.h"

#include <errno.h>

enum { INBOX_MAX = 50000 /* rows that are moved in one commit: writers wait for it */ };

/* -- INBOX ------------------------------------------------------------------------------------- */

/* The first row of a message at or behind a UID. -ENOENT. */
static int next_message(
	struct store_txn *txn, uint64_t box, uint32_t from, struct mail_message *ret)
{
	struct key prefix = key_mail_message(box), at = key_mail_message_row(box, from);
	struct span key, value;
	int rc = kv_seek(txn, key_span(&prefix), key_span(&at), &key, &value);

	return rc < 0 ? rc : mail_message_decode(key, value, ret);
}

static int move_one(struct mail_writer *w, struct mail_box *from, struct mail_box *to,
	const struct mail_message *m)
{
	struct mail_message there = *m, gone = *m;
	int rc = mail_body_ref_more(w->txn, m->blob, 1);

	gone.gone = true;
	if (rc == 0)
		rc = mail_message_add(w, to, &there);
	return rc < 0 ? rc : mail_message_change(w, from, m, &gone);
}

static int move_all(struct mail_writer *w, struct mail_box *from, struct mail_box *to)
{
	struct mail_message m = {.uid = 0};
	unsigned rows = 0;
	int rc;

	while ((rc = next_message(w->txn, from->id, m.uid + 1, &m)) == 0) {
		if (++rows > INBOX_MAX)
			return -ENOBUFS;
		if (!m.gone)
			rc = move_one(w, from, to, &m);
		if (rc < 0)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

static int rename_inbox(struct store_txn *txn, const char *account, const struct mail_box_new *n,
	struct mail_box *ret)
{
	struct mail_writer w;
	struct mail_box inbox;
	int rc = mail_writer_open(txn, account, n->now_us, &w);

	w.moves = true;
	if (rc == 0)
		rc = mail_box_find(txn, account, SPAN_LIT(MAIL_INBOX), &inbox);
	if (rc == 0)
		rc = mail_box_make_named(txn, &w.account, n, ret);
	if (rc == 0)
		rc = move_all(&w, &inbox, ret);
	if (rc == 0)
		rc = mail_box_write(txn, account, &inbox);
	if (rc == 0)
		rc = mail_box_write(txn, account, ret);
	return rc < 0 ? rc : mail_writer_close(&w);
}

/* -- the others -------------------------------------------------------------------------------- */

/* The rows of a name and of those below it, gathered since they are written meanwhile. */
struct gathered {
	struct buf rows; /* records: id, name */
	size_t boxes; /* of them that are mailboxes */
	size_t from_len;
	const char *to;
};

static int gather(struct gathered *g, struct store_txn *txn, const char *account, const char *from)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_mail_name_row(account, span_str(from));
	char name[MAIL_NAME_SIZE];
	struct span key, value;
	struct rec r;
	uint64_t id;
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = mail_name_of_key(key, name);
		if (rc < 0)
			return rc;
		if (name[g->from_len] != '\0' && name[g->from_len] != '/')
			return 0; /* another name that begins so; those below came before it */
		r = rec_of(value);
		id = rec_u64(&r);
		g->boxes += id != 0;
		buf_add_u64(&g->rows, id);
		rec_put_str(&g->rows, name);
		rc = rec_end(&r) < 0 ? -EBADMSG : buf_error(&g->rows);
	}
	return rc;
}

static int new_name(const struct gathered *g, const char *old, char ret[MAIL_NAME_SIZE])
{
	const size_t head = strlen(g->to), tail = strlen(old + g->from_len);

	if (head + tail >= MAIL_NAME_SIZE)
		return -EINVAL;
	memset(ret, 0, MAIL_NAME_SIZE);
	memcpy(ret, g->to, head);
	memcpy(ret + head, old + g->from_len, tail);
	return mail_box_name_ok(span_str(ret)) ? 0 : -EINVAL;
}

/* The box takes its new name; a subscription to that name is its. */
static int take_name(struct store_txn *txn, const char *account, uint64_t id, const char *name)
{
	struct mail_box b;
	uint64_t there = 0;
	int rc = mail_name_read(txn, account, name, &there);

	if (rc == 0 && there != 0)
		return -EEXIST;
	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (id != 0) {
		const bool subscribed = rc == 0;

		rc = mail_box_read(txn, account, id, &b);
		if (rc < 0)
			return rc;
		memcpy(b.name, name, sizeof(b.name));
		b.subscribed = b.subscribed || subscribed;
		rc = mail_box_write(txn, account, &b);
		if (rc < 0)
			return rc;
	}
	return mail_name_write(txn, account, name, id);
}

static int rename_rows(const struct gathered *g, struct store_txn *txn, const char *account)
{
	struct rec r = rec_of(buf_span(&g->rows));
	char old[MAIL_NAME_SIZE], name[MAIL_NAME_SIZE];
	uint64_t id;
	int rc = 0;

	while (rc == 0 && r.rest.len > 0 && r.error == 0) {
		id = rec_u64(&r);
		rec_str(&r, old, sizeof(old));
		rc = new_name(g, old, name);
		if (rc == 0)
			rc = take_name(txn, account, id, name);
		if (rc == 0)
			rc = mail_name_remove(txn, account, old);
	}
	return rc < 0 ? rc : rec_end(&r);
}

static int rename_tree(struct store_txn *txn, struct mail_account *a, const char *from,
	const char *to, int64_t now_us)
{
	struct gathered g = {.rows = BUF_INIT(ROW_MAX), .from_len = strlen(from), .to = to};
	int rc = gather(&g, txn, a->name, from);

	if (rc == 0 && g.boxes == 0)
		rc = -ENOENT;
	if (rc == 0)
		rc = rename_rows(&g, txn, a->name);
	if (rc == 0)
		rc = mail_levels_make(txn, a, to, now_us);
	buf_done(&g.rows);
	return rc < 0 ? rc : mail_account_write(txn, a);
}

static bool is_below(const char *name, const char *above)
{
	const size_t len = strlen(above);

	return strncmp(name, above, len) == 0 && name[len] == '/';
}

/* What the new name has become; a level that is no mailbox has only that. */
static int tell(struct store_txn *txn, const char *account, const char *name, struct mail_box *ret)
{
	int rc = mail_box_find(txn, account, span_str(name), ret);

	if (rc == -ENOENT) {
		memcpy(ret->name, name, strlen(name));
		rc = 0;
	}
	return rc;
}

int op_mail_rename(struct store_txn *txn, const void *args, void *result)
{
	const struct mail_rename_args *n = args;
	struct mail_box_result *res = result;
	char from[MAIL_NAME_SIZE], to[MAIL_NAME_SIZE];
	struct mail_account a;
	struct mail_box there;
	int rc = mail_name_canon(n->from, from) < 0 ? -ENOENT : mail_name_canon(n->to, to);

	if (rc == 0 && is_below(to, from) && strcmp(from, MAIL_INBOX) != 0)
		rc = -EINVAL;
	if (rc == 0)
		rc = mail_account_ready(txn, n->account, n->now_us, &a);
	if (rc < 0)
		return rc;
	rc = mail_box_find(txn, a.name, span_str(to), &there);
	if (rc != -ENOENT)
		return rc == 0 ? -EEXIST : rc;
	if (strcmp(from, MAIL_INBOX) == 0) {
		const struct mail_box_new new = {.name = span_str(to), .now_us = n->now_us};

		rc = mail_levels_make(txn, &a, to, n->now_us);
		if (rc == 0)
			rc = mail_account_write(txn, &a);
		return rc < 0 ? rc : rename_inbox(txn, a.name, &new, &res->box);
	}
	rc = rename_tree(txn, &a, from, to, n->now_us);
	return rc < 0 ? rc : tell(txn, a.name, to, &res->box);
}
