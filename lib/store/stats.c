/* The store in numbers: tables walked once, counters read. */
#include "store/stats.h"

#include "store/chat_i.h"
#include "store/file_i.h"
#include "store/mail_i.h"

#include <errno.h>

struct counting {
	struct store_txn *txn;
	int64_t now_us, soon_us;
	struct store_stats *s;
};

/* -- one row each ------------------------------------------------------------------------------ */

static int count_account(struct counting *c, struct span key, struct span value)
{
	struct account a;
	int rc = account_decode(key, value, &a);

	if (rc < 0)
		return rc;
	if (a.flags & ACCOUNT_HOST) {
		c->s->accounts.hosts++;
		return 0;
	}
	c->s->accounts.people++;
	c->s->accounts.locked += (a.flags & ACCOUNT_LOCKED) != 0;
	c->s->accounts.admins += (a.flags & ACCOUNT_ADMIN) != 0;
	return 0;
}

static int count_invite(struct counting *c, struct span key, struct span value)
{
	(void)key;
	(void)value;
	c->s->accounts.invites++;
	return 0;
}

static int count_throttle(struct counting *c, struct span key, struct span value)
{
	struct throttle_row t;
	int rc = throttle_decode(value, &t);

	(void)key;
	if (rc == 0)
		c->s->accounts.throttled += t.until_us > c->now_us;
	return rc;
}

static int count_cert(struct counting *c, struct span key, struct span value)
{
	struct cert cert;
	int rc = cert_decode(key, value, &cert);

	if (rc < 0)
		return rc;
	if (cert.state == CERT_INTENT)
		c->s->certs.intents++;
	else if (cert.state == CERT_REVOKED)
		c->s->certs.revoked++;
	else if (cert.not_after_us <= c->now_us)
		c->s->certs.expired++;
	else
		c->s->certs.valid++;
	c->s->certs.expiring += cert.state == CERT_ISSUED && cert.not_after_us > c->now_us &&
		cert.not_after_us - c->now_us <= c->soon_us;
	return 0;
}

/* Rows of a service stand together, in the order of names. */
static int count_session(struct counting *c, struct span key, struct span value)
{
	struct store_stats *s = c->s;
	struct stats_service *of;
	struct session_row row;
	int rc = session_decode(key, value, &row);

	if (rc < 0)
		return rc;
	if (s->service_count == 0 ||
		strcmp(s->services[s->service_count - 1].name, row.service) != 0) {
		if (s->service_count == STATS_SERVICES)
			return 0;
		memcpy(s->services[s->service_count++].name, row.service, sizeof(row.service));
	}
	of = &s->services[s->service_count - 1];
	if (session_alive(&row))
		of->live++;
	else
		of->dead++;
	return 0;
}

static int count_usage(struct counting *c, struct span key, struct span value)
{
	struct usage u;
	int rc = usage_decode(value, &u);

	(void)key;
	if (rc < 0)
		return rc;
	c->s->files.files += u.files;
	c->s->files.bytes += u.bytes;
	c->s->files.partial_bytes += u.partial_bytes;
	c->s->files.owners += u.files > 0;
	return 0;
}

static int count_partial(struct counting *c, struct span key, struct span value)
{
	(void)key;
	(void)value;
	c->s->files.partials++;
	return 0;
}

static int count_event(struct counting *c, struct span key, struct span value)
{
	(void)key;
	c->s->chat.events++;
	c->s->chat.bytes += value.len;
	return 0;
}

static int count_mail(struct counting *c, struct span key, struct span value)
{
	struct mail_account a;
	int rc = mail_account_decode(key, value, &a);

	if (rc < 0)
		return rc;
	c->s->mail.accounts++;
	c->s->mail.boxes += a.boxes;
	c->s->mail.messages += a.messages;
	c->s->mail.bytes += a.bytes;
	c->s->mail.held += a.held;
	return 0;
}

static int count_due(struct counting *c, struct span key, struct span value)
{
	(void)key;
	(void)value;
	c->s->mail.due++;
	return 0;
}

static int count_blob(struct counting *c, struct span key, struct span value)
{
	struct blob_row b;
	int rc = blob_decode(value, &b);

	(void)key;
	if (rc < 0)
		return rc;
	if (b.is_file)
		c->s->blobs.files++;
	else
		c->s->blobs.inlined++;
	c->s->blobs.bytes += b.size;
	return 0;
}

static const struct {
	enum key_table table;
	int (*count)(struct counting *c, struct span key, struct span value);
} tables[] = {
	{KEY_ACCOUNT, count_account},
	{KEY_INVITE, count_invite},
	{KEY_THROTTLE, count_throttle},
	{KEY_CERT, count_cert},
	{KEY_SESSION, count_session},
	{KEY_USAGE, count_usage},
	{KEY_PARTIAL, count_partial},
	{KEY_CHAT_EVENT, count_event},
	{KEY_MAIL_ACCOUNT, count_mail},
	{KEY_MAIL_DUE, count_due},
	{KEY_BLOB, count_blob},
};

static int walk(struct counting *c, size_t n)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_table(tables[n].table);
	struct span key, value;
	int rc = kv_iter_open(c->txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1)
		rc = tables[n].count(c, key, value);
	return rc;
}

/* -- counters ---------------------------------------------------------------------------------- */

/* Rows are numbered without gaps, from behind the last that was closed. */
static int count_audit(struct counting *c)
{
	struct key table = key_table(KEY_AUDIT), newest = key_meta("audit");
	struct audit_closed closed = {.seq = 0};
	struct audit_head head = {.seq = 0};
	struct audit_row row = {.seq = 0};
	struct span key = {NULL, 0}, value = {NULL, 0};
	int rc = audit_closed_read(c->txn, &closed);

	if (rc == 0)
		rc = row_get(c->txn, &newest, &value);
	if (rc == 0)
		rc = audit_head_decode(value, &head);
	if (rc == 0)
		rc = kv_seek(c->txn, key_span(&table), key_span(&table), &key, &value);
	if (rc == 0)
		rc = audit_decode(value, &row);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	c->s->audit.rows = head.seq - closed.seq;
	c->s->audit.newest = head.seq;
	c->s->audit.closed = closed.seq;
	c->s->audit.oldest_us = row.at_us;
	return 0;
}

static int count_view(struct store_txn *txn, void *arg)
{
	struct counting *c = arg;
	struct chat_counts chat = {.users = 0};
	int rc = 0;

	c->txn = txn;
	for (size_t n = 0; rc == 0 && n < sizeof(tables) / sizeof(tables[0]); n++)
		rc = walk(c, n);
	if (rc == 0)
		rc = count_audit(c);
	if (rc == 0)
		rc = chat_count(txn, &chat);
	if (rc < 0)
		return rc;
	c->s->chat.channels = chat.channels;
	c->s->chat.present = chat.users;
	return 0;
}

int store_stats(struct store *s, int64_t now_us, int64_t soon_us, struct store_stats *ret)
{
	struct store_stats stats = {.service_count = 0};
	struct counting c = {.now_us = now_us, .soon_us = soon_us, .s = &stats};
	int rc = store_view(s, count_view, &c);

	if (rc == 0)
		*ret = stats;
	return rc;
}
