/* SELECT, EXAMINE, CLOSE, UNSELECT, CHECK: the mailbox as this session is told it is. */
#include "services/maild/imap/imap.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { UIDS_MAX = 512 << 20 };

/* -- unselect ---------------------------------------------------------------------------------- */

void imap_unselect(struct imap *s)
{
	struct imap_box *b = &s->box;

	if (s->state != IMAP_SELECTED)
		return;
	free(b->uids);
	free(b->gone);
	free(b->own);
	free(b->recent);
	free(s->saved);
	s->saved = NULL;
	s->saved_count = 0;
	*b = (struct imap_box){.id = 0};
	s->state = IMAP_AUTHENTICATED;
}

/* -- the bell ---------------------------------------------------------------------------------- */

int imap_need_bell(struct imap *s)
{
	struct service *service = s->service;
	struct bell_args args = {.session_id = 0};
	int r;

	if (s->has_bell)
		return 0;
	r = service_register(service);
	if (r < 0 || service->bell == NULL)
		return r < 0 ? r : -ENOENT;
	args.session_id = service->session_id;
	mail_topic(imap_account(s), args.topic);
	(void)snprintf(args.bell, sizeof(args.bell), "%s", bell_name(service->bell));
	(void)snprintf(args.service, sizeof(args.service), "%s", service->def->name);
	r = store_call(service->store, STORE_OP_BELL_ADD, &args, NULL);
	s->has_bell = r == 0;
	return r;
}

/* -- parameters -------------------------------------------------------------------------------- */

struct opening {
	struct imap *s;
	struct buf name;
	bool read_only;
	struct imap_qresync qresync;
	struct mail_box box;
	struct buf uids; /* uint32_t */
	uint32_t unseen; /* UID of the first; 0 none */
};

static void opening_done(struct opening *o)
{
	buf_done(&o->name);
	buf_done(&o->uids);
	imap_qresync_done(&o->qresync);
}

/* "(CONDSTORE)", "(QRESYNC (...))" */
static int in_params(struct imap *s, struct imap_in *in, struct opening *o)
{
	if (imap_in_end(in))
		return 0;
	if (imap_in_space(in) < 0 || !imap_in_char(in, '('))
		return -EBADMSG;
	do {
		if (imap_in_word(in, "CONDSTORE")) {
			s->enabled |= IMAP_CONDSTORE;
			continue;
		}
		if ((s->enabled & IMAP_QRESYNC) == 0 || o->qresync.set ||
			!imap_in_word(in, "QRESYNC") || imap_in_space(in) < 0 ||
			imap_in_qresync(in, &o->qresync) < 0)
			return -EBADMSG;
	} while (imap_in_char(in, ' '));
	return imap_in_char(in, ')') && imap_in_end(in) ? 0 : -EBADMSG;
}

/* -- opening ----------------------------------------------------------------------------------- */

static int first_unseen(void *arg, const struct mail_message *m)
{
	struct opening *o = arg;

	if ((m->flags.system & MAIL_SEEN) != 0)
		return 0;
	o->unseen = m->uid;
	return 1;
}

static int read_box(struct store_txn *txn, void *arg)
{
	struct opening *o = arg;
	const char *account = imap_account(o->s);
	int r = mail_box_find(txn, account, buf_span(&o->name), &o->box);

	if (r == 0 && o->box.id == 0)
		r = -ENOENT;
	if (r == 0)
		r = mail_uids_read(txn, o->box.id, &o->uids);
	if (r == 0 && o->box.unseen > 0 && (o->s->enabled & IMAP_REV2) == 0)
		r = mail_messages_each(txn, o->box.id, 1, first_unseen, o);
	if (r >= 0)
		r = mail_keywords_read(txn, account, &o->s->keywords);
	return r;
}

static int begin_box(struct opening *o)
{
	struct imap *s = o->s;
	size_t count = o->uids.len / sizeof(uint32_t);
	struct imap_box box = {.id = o->box.id,
		.validity = o->box.validity,
		.read_only = o->read_only,
		.modseq = o->box.modseq,
		.next_uid = o->box.uid_next};

	if (count > 0) {
		box.uids = reallocarray(NULL, count, sizeof(*box.uids));
		if (box.uids == NULL)
			return -ENOMEM;
		memcpy(box.uids, o->uids.p, count * sizeof(*box.uids));
		box.count = box.room = count;
	}
	(void)snprintf(box.name, sizeof(box.name), "%s", o->box.name);
	s->box = box;
	s->state = IMAP_SELECTED;
	imap_take_recent(s, &o->box);
	return 0;
}

static void tell_list(const struct opening *o)
{
	struct imap *s = o->s;

	buf_reset(&s->out);
	buf_add_str(&s->out, "* LIST () \"/\" ");
	imap_put_mailbox(&s->out, span_str(s->box.name), true);
	buf_add_str(&s->out, "\r\n");
	imap_write(s, buf_span(&s->out));
}

static void tell_box(const struct opening *o)
{
	struct imap *s = o->s;
	bool old = (s->enabled & IMAP_REV2) == 0;
	size_t at;

	imap_tell_keywords(s);
	imap_untagged(s, "%zu EXISTS", s->box.count);
	if (old)
		imap_untagged(s, "%zu RECENT", imap_recent_count(s));
	if (o->unseen != 0 && imap_position(s, o->unseen, &at) == 0)
		imap_untagged(s, "OK [UNSEEN %zu] The first unseen message", at + 1);
	imap_untagged(s, "OK [UIDVALIDITY %" PRIu32 "] UIDs are valid", s->box.validity);
	imap_untagged(s, "OK [UIDNEXT %" PRIu32 "] The next UID", o->box.uid_next);
	imap_untagged(s, "OK [HIGHESTMODSEQ %" PRIu64 "] The highest", s->box.modseq);
	imap_untagged(s, "OK [MAILBOXID (F%" PRIu64 ")] Its id", s->box.id);
	if (!old)
		tell_list(o);
}

static int open_box(struct imap_call *c, struct opening *o)
{
	struct imap *s = c->s;
	int r;

	if (s->state == IMAP_SELECTED) {
		imap_unselect(s);
		imap_untagged(s, "OK [CLOSED] The mailbox before is closed");
	}
	r = store_view(s->service->store, read_box, o);
	if (r == 0)
		r = begin_box(o);
	if (r < 0)
		return imap_failed(c, r);
	tell_box(o);
	if (o->qresync.set && o->qresync.validity == s->box.validity)
		r = imap_resync(s, &o->qresync);
	if (r < 0) {
		imap_unselect(s);
		return imap_failed(c, r);
	}
	return imap_ok(c, "[%s] Selected", o->read_only ? "READ-ONLY" : "READ-WRITE");
}

static int select_box(struct imap_call *c, bool read_only)
{
	_cleanup_(opening_done) struct opening o = {.s = c->s,
		.read_only = read_only,
		.name = BUF_INIT(IMAP_LITERAL_MAX),
		.uids = BUF_INIT(UIDS_MAX)};
	int r = imap_in_space(&c->in);

	if (r == 0)
		r = imap_in_mailbox(&c->in, &o.name);
	if (r == -EINVAL)
		r = 0; /* A name that no mailbox has is not found. */
	if (r == 0)
		r = in_params(c->s, &c->in, &o);
	if (r < 0)
		return imap_bad(c, "%s takes a mailbox and parameters", c->command->name);
	return open_box(c, &o);
}

int imap_cmd_select(struct imap_call *c)
{
	return select_box(c, false);
}

int imap_cmd_examine(struct imap_call *c)
{
	return select_box(c, true);
}

/* -- leaving ----------------------------------------------------------------------------------- */

int imap_cmd_unselect(struct imap_call *c)
{
	if (!imap_in_end(&c->in))
		return imap_bad(c, "UNSELECT takes no argument");
	imap_unselect(c->s);
	return imap_ok(c, "Closed");
}

/* Everything is on disk already. */
int imap_cmd_check(struct imap_call *c)
{
	if (!imap_in_end(&c->in))
		return imap_bad(c, "CHECK takes no argument");
	return imap_ok(c, "Checked");
}
