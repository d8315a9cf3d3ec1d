/* CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE. */
#include "services/maild/imap/imap.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* -- arguments --------------------------------------------------------------------------------- */

/* " mailbox": 0; -EINVAL: a name that cannot be; -EBADMSG. */
static int in_name(struct imap_call *c, struct buf *ret)
{
	int r = imap_in_space(&c->in);

	return r < 0 ? r : imap_in_mailbox(&c->in, ret);
}

static void set_account(const struct imap *s, char ret[ACCOUNT_NAME_SIZE])
{
	(void)span_copy_str(span_str(imap_account(s)), ret, ACCOUNT_NAME_SIZE);
}

/* What a store operation answered, for all commands of this file. */
static int answer(struct imap_call *c, int r, const char *done)
{
	if (r < 0)
		return imap_failed(c, r);
	imap_changed(c->s);
	return imap_ok(c, "%s", done);
}

/* -- CREATE ------------------------------------------------------------------------------------ */

static enum mail_use find_use(struct span name)
{
	for (enum mail_use use = MAIL_USE_SENT; use <= MAIL_USE_ALL; use++)
		if (span_caseeq_str(name, imap_use_name(use)))
			return use;
	return MAIL_USE_NONE;
}

/* " (USE (\Drafts))". -ENOTSUP: a use that is not to be had. */
static int in_use(struct imap_in *in, enum mail_use *ret)
{
	struct span name;
	int r = 0;

	if (imap_in_end(in))
		return 0;
	if (imap_in_space(in) < 0 || !imap_in_char(in, '(') || !imap_in_word(in, "USE") ||
		imap_in_space(in) < 0 || !imap_in_char(in, '('))
		return -EBADMSG;
	for (unsigned n = 0; !imap_in_char(in, ')'); n++) {
		if ((n > 0 && imap_in_space(in) < 0))
			return -EBADMSG;
		if (in->at >= in->len || in->p[in->at] != '\\')
			return -EBADMSG;
		in->at++;
		if (imap_in_atom(in, &name) < 0)
			return -EBADMSG;
		name = span_of(name.p - 1, name.len + 1);
		if (n > 0 || find_use(name) == MAIL_USE_NONE || find_use(name) == MAIL_USE_ALL)
			r = -ENOTSUP;
		*ret = find_use(name);
	}
	return imap_in_char(in, ')') && imap_in_end(in) ? r : -EBADMSG;
}

static int create(struct imap_call *c, struct mail_create_args *args)
{
	struct imap *s = c->s;
	struct mail_box_result result;
	int r;

	/* "a/" says that there will be others below it. */
	if (args->name.len > 1 && args->name.p[args->name.len - 1] == '/')
		args->name.len--;
	set_account(s, args->account);
	r = store_call(s->service->store, STORE_OP_MAIL_CREATE, args, &result);
	if (r == -EBUSY)
		return imap_no(c, "[USEATTR] Another mailbox has that use");
	if (r == -EDQUOT)
		return imap_no(c, "[LIMIT] You have as many mailboxes as there may be");
	if (r < 0)
		return imap_failed(c, r);
	imap_changed(s);
	return imap_ok(c, "[MAILBOXID (F%" PRIu64 ")] Created", result.box.id);
}

int imap_cmd_create(struct imap_call *c)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(IMAP_LITERAL_MAX);
	struct mail_create_args args = {.now_us = time_now_us()};
	int r = in_name(c, &name);
	int bad = r == -EBADMSG ? r : in_use(&c->in, &args.use);

	if (bad == -EBADMSG)
		return imap_bad(c, "CREATE takes a mailbox, and perhaps a use");
	if (r == 0 && bad == -ENOTSUP)
		return imap_no(c, "[USEATTR] That use is not to be had");
	if (r < 0)
		return imap_failed(c, r);
	args.name = buf_span(&name);
	return create(c, &args);
}

/* -- DELETE ------------------------------------------------------------------------------------ */

struct look {
	const struct imap *s;
	struct span name;
	struct mail_box box;
};

static int find_box(struct store_txn *txn, void *arg)
{
	struct look *l = arg;

	return mail_box_find(txn, imap_account(l->s), l->name, &l->box);
}

int imap_cmd_delete(struct imap_call *c)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(IMAP_LITERAL_MAX);
	struct imap *s = c->s;
	struct mail_delete_args args = {.now_us = time_now_us()};
	struct mail_box_result result;
	struct look look = {.s = s};
	int r = in_name(c, &name);

	if (r == -EBADMSG || !imap_in_end(&c->in))
		return imap_bad(c, "DELETE takes a mailbox");
	args.name = look.name = buf_span(&name);
	set_account(s, args.account);
	if (r == -EINVAL)
		r = -ENOENT;
	if (r == 0 && s->state == IMAP_SELECTED)
		(void)store_view(s->service->store, find_box, &look);
	if (r == 0)
		r = store_call(s->service->store, STORE_OP_MAIL_DELETE, &args, &result);
	if (r == -EPERM)
		return imap_no(c, "[CANNOT] INBOX stays");
	if (r == 0 && s->state == IMAP_SELECTED && look.box.id == s->box.id)
		imap_unselect(s);
	return answer(c, r, "Deleted");
}

/* -- RENAME ------------------------------------------------------------------------------------ */

/* RFC 9051 section 6.3.9.7: what became of a name. */
static void tell_renamed(struct imap *s, struct span from, struct span to)
{
	struct buf *b = &s->out;

	if ((s->enabled & IMAP_REV2) == 0)
		return;
	buf_reset(b);
	buf_add_str(b, "* LIST () \"/\" ");
	imap_put_mailbox(b, to, true);
	buf_add_str(b, " (\"OLDNAME\" (");
	imap_put_mailbox(b, from, true);
	buf_add_str(b, "))\r\n");
	imap_write(s, buf_span(b));
}

int imap_cmd_rename(struct imap_call *c)
{
	_cleanup_(buf_done) struct buf from = BUF_INIT(IMAP_LITERAL_MAX);
	_cleanup_(buf_done) struct buf to = BUF_INIT(IMAP_LITERAL_MAX);
	struct imap *s = c->s;
	struct mail_rename_args args = {.now_us = time_now_us()};
	struct mail_box_result result;
	int r = in_name(c, &from), second = r == -EBADMSG ? r : in_name(c, &to);

	if (second == -EBADMSG || !imap_in_end(&c->in))
		return imap_bad(c, "RENAME takes two mailboxes");
	if (r == -EINVAL)
		r = -ENOENT;
	if (r == 0)
		r = second;
	args.from = buf_span(&from);
	args.to = buf_span(&to);
	if (args.to.len > 1 && args.to.p[args.to.len - 1] == '/')
		args.to.len--;
	set_account(s, args.account);
	if (r == 0)
		r = store_call(s->service->store, STORE_OP_MAIL_RENAME, &args, &result);
	if (r == 0)
		tell_renamed(s, args.from, args.to);
	return answer(c, r, "Renamed");
}

/* -- subscriptions ----------------------------------------------------------------------------- */

static int subscribe(struct imap_call *c, bool on)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(IMAP_LITERAL_MAX);
	struct imap *s = c->s;
	struct mail_subscribe_args args = {.on = on};
	struct mail_box_result result;
	int r = in_name(c, &name);

	if (r == -EBADMSG || !imap_in_end(&c->in))
		return imap_bad(c, "%s takes a mailbox", c->command->name);
	args.name = buf_span(&name);
	set_account(s, args.account);
	if (r == 0)
		r = store_call(s->service->store, STORE_OP_MAIL_SUBSCRIBE, &args, &result);
	if (!on && r == -ENOENT)
		return imap_ok(c, "It was not");
	return answer(c, r, on ? "Subscribed" : "No longer subscribed");
}

int imap_cmd_subscribe(struct imap_call *c)
{
	return subscribe(c, true);
}

int imap_cmd_unsubscribe(struct imap_call *c)
{
	return subscribe(c, false);
}
