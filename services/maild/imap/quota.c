/* GETQUOTA and GETQUOTAROOT (RFC 9208): one root, "", for all mailboxes of the account. */
#include "services/maild/imap/imap.h"

#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>

enum { KIB = 1024 };

struct look {
	const struct imap *s;
	struct span name; /* of a mailbox that must be there; p NULL: none */
	struct mail_usage usage;
};

static int look_at(struct store_txn *txn, void *arg)
{
	struct look *l = arg;
	struct mail_box box;
	int r = 0;

	if (l->name.p != NULL)
		r = mail_box_find(txn, imap_account(l->s), l->name, &box);
	if (r == 0)
		r = mail_usage_read(txn, imap_account(l->s), &l->usage);
	return r;
}

static void tell_quota(struct imap *s, const struct mail_usage *u)
{
	if (u->limit == 0)
		imap_untagged(s, "QUOTA \"\" ()");
	else
		imap_untagged(s, "QUOTA \"\" (STORAGE %" PRIu64 " %" PRIu64 ")",
			(u->bytes + KIB - 1) / KIB, u->limit / KIB);
}

int imap_cmd_getquota(struct imap_call *c)
{
	struct look look = {.s = c->s};
	struct span root;
	int r;

	if (imap_in_space(&c->in) < 0 || imap_in_astring(&c->in, &root) < 0 || !imap_in_end(&c->in))
		return imap_bad(c, "GETQUOTA takes a root");
	if (root.len > 0)
		return imap_no(c, "[NONEXISTENT] The only quota root is \"\"");
	r = store_view(c->s->service->store, look_at, &look);
	if (r < 0)
		return imap_failed(c, r);
	tell_quota(c->s, &look.usage);
	return imap_ok(c, "That is your quota");
}

int imap_cmd_getquotaroot(struct imap_call *c)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(IMAP_LITERAL_MAX);
	struct look look = {.s = c->s};
	struct imap *s = c->s;
	int r = imap_in_space(&c->in);

	if (r == 0)
		r = imap_in_mailbox(&c->in, &name);
	if (r == -EBADMSG || !imap_in_end(&c->in))
		return imap_bad(c, "GETQUOTAROOT takes a mailbox");
	look.name = buf_span(&name);
	if (r == 0)
		r = store_view(s->service->store, look_at, &look);
	if (r < 0)
		return imap_failed(c, r);
	buf_reset(&s->out);
	buf_add_str(&s->out, "* QUOTAROOT ");
	imap_put_mailbox(&s->out, buf_span(&name), (s->enabled & (IMAP_UTF8 | IMAP_REV2)) != 0);
	buf_add_str(&s->out, " \"\"\r\n");
	imap_write(s, buf_span(&s->out));
	tell_quota(s, &look.usage);
	return imap_ok(c, "That is its quota");
}
