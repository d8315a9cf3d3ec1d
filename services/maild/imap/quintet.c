/*
 * What has no standard, for `quintet mail` (capability XQUINTET): receipts of what was sent,
 * notices, who is there, and the account's settings. Answers are lists of pairs.
 */
#include "services/maild/imap/imap.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>
#include <inttypes.h>

enum { RECEIPTS_MAX = 5000 /* the newest */ };

/* -- words ------------------------------------------------------------------------------------- */

static void put_text(struct imap *s, const char *name, const char *text)
{
	buf_addf(&s->out, "%s ", name);
	imap_put_string(&s->out, span_str(text), (s->enabled & (IMAP_UTF8 | IMAP_REV2)) != 0);
}

static void put_time(struct imap *s, const char *name, int64_t at_us)
{
	if (at_us == 0) {
		buf_addf(&s->out, " %s NIL", name);
		return;
	}
	buf_addf(&s->out, " %s \"", name);
	time_rfc3339_utc(&s->out, at_us);
	buf_add_byte(&s->out, '"');
}

static void put_bool(struct imap *s, const char *name, bool is)
{
	buf_addf(&s->out, " %s %s", name, is ? "T" : "NIL");
}

static int answer(struct imap_call *c, int r, const char *text)
{
	if (r < 0)
		return imap_failed(c, r);
	imap_write(c->s, buf_span(&c->s->out));
	return imap_ok(c, "%s", text);
}

/* -- XRECEIPTS --------------------------------------------------------------------------------- */

struct receipts {
	struct imap *s;
	struct span msgid;
	size_t count;
};

static int put_receipt(void *arg, const struct mail_sent *r)
{
	struct receipts *l = arg;
	struct imap *s = l->s;

	buf_add_str(&s->out, "* XRECEIPT (");
	put_text(s, "MSGID", r->msgid);
	buf_addf(&s->out, " RECIPIENT %s ", r->recipient);
	put_text(s, "SUBJECT", r->subject);
	put_time(s, "SENT", r->sent_us);
	put_time(s, "DELIVERED", r->delivered_us);
	put_time(s, "READ", r->read_us);
	put_bool(s, "ASKED", r->asked);
	put_bool(s, "DECLINED", r->declined);
	put_bool(s, "AUTOMATIC", r->automatic);
	buf_add_str(&s->out, ")\r\n");
	return ++l->count >= RECEIPTS_MAX;
}

static int read_receipts(struct store_txn *txn, void *arg)
{
	struct receipts *l = arg;

	return mail_sent_each(txn, imap_account(l->s), l->msgid, put_receipt, l);
}

int imap_cmd_xreceipts(struct imap_call *c)
{
	struct receipts l = {.s = c->s};

	if (!imap_in_end(&c->in) &&
		(imap_in_space(&c->in) < 0 || imap_in_astring(&c->in, &l.msgid) < 0 ||
			!imap_in_end(&c->in)))
		return imap_bad(c, "XRECEIPTS takes a Message-ID or nothing");
	buf_reset(&c->s->out);
	return answer(c, store_view(c->s->service->store, read_receipts, &l),
		"That is what became of it");
}

/* -- XNOTICES ---------------------------------------------------------------------------------- */

static const char *notice_kind(enum mail_notice_kind kind)
{
	switch (kind) {
	case MAIL_NOTICE_READ:
		return "READ";
	case MAIL_NOTICE_DECLINED:
		return "DECLINED";
	case MAIL_NOTICE_NEW:
	default:
		return "NEW";
	}
}

struct notices {
	struct imap *s;
	struct store_txn *txn;
	uint32_t unseen, total;
	bool counting;
};

static void put_box(struct notices *l, const struct mail_notice *n)
{
	struct imap *s = l->s;
	struct mail_box box;

	if (n->box == 0 || mail_box_read(l->txn, imap_account(s), n->box, &box) < 0) {
		buf_add_str(&s->out, " MAILBOX NIL UID 0 ");
		return;
	}
	buf_add_str(&s->out, " MAILBOX ");
	imap_put_name(s, &s->out, box.name);
	buf_addf(&s->out, " UID %" PRIu32 " ", n->uid);
}

static int put_notice(void *arg, const struct mail_notice *n)
{
	struct notices *l = arg;
	struct imap *s = l->s;

	if (l->counting) {
		l->total++;
		return 0;
	}
	buf_addf(&s->out, "* XNOTICE (ID %" PRIu64 " KIND %s", n->id, notice_kind(n->kind));
	put_bool(s, "SHOWN", n->shown);
	put_time(s, "AT", n->at_us);
	put_box(l, n);
	put_text(s, "FROM", n->from);
	put_text(s, " MSGID", n->msgid);
	put_text(s, " SUBJECT", n->subject);
	buf_add_str(&s->out, ")\r\n");
	return 0;
}

static int read_notices(struct store_txn *txn, void *arg)
{
	struct notices *l = arg;
	const char *account = imap_account(l->s);
	int r = mail_notices_count(txn, account, &l->unseen);

	l->txn = txn;
	l->counting = true;
	if (r == 0)
		r = mail_notices_each(txn, account, put_notice, l);
	buf_addf(&l->s->out, "* XNOTICES (NEW %" PRIu32 " TOTAL %" PRIu32 ")\r\n", l->unseen,
		l->total);
	l->counting = false;
	if (r == 0)
		r = mail_notices_each(txn, account, put_notice, l);
	return r;
}

static int mark_shown(struct imap_call *c)
{
	struct mail_shown_args args = {.id = 0};

	if (imap_in_space(&c->in) < 0 || !imap_in_word(&c->in, "SHOWN") ||
		imap_in_space(&c->in) < 0 || imap_in_number(&c->in, INT64_MAX, &args.id) < 0 ||
		!imap_in_end(&c->in))
		return imap_bad(c, "XNOTICES takes SHOWN and an id, or nothing");
	(void)span_copy_str(span_str(imap_account(c->s)), args.account, sizeof(args.account));
	return answer(c, store_call(c->s->service->store, STORE_OP_MAIL_SHOWN, &args, NULL),
		"They are shown");
}

int imap_cmd_xnotices(struct imap_call *c)
{
	struct notices l = {.s = c->s};

	buf_reset(&c->s->out);
	if (!imap_in_end(&c->in))
		return mark_shown(c);
	return answer(c, store_view(c->s->service->store, read_notices, &l), "That is the news");
}

/* -- XPEOPLE ----------------------------------------------------------------------------------- */

static int put_person(void *arg, const struct mail_person *p)
{
	struct imap *s = arg;

	buf_addf(&s->out, "* XPERSON (NAME %s", p->account);
	put_bool(s, "ONLINE", p->online && !p->hidden);
	put_time(s, "SEEN", p->hidden ? 0 : p->seen_us);
	put_bool(s, "HIDDEN", p->hidden);
	buf_add_str(&s->out, ")\r\n");
	return 0;
}

static int read_people(struct store_txn *txn, void *arg)
{
	return mail_people_each(txn, put_person, arg);
}

int imap_cmd_xpeople(struct imap_call *c)
{
	if (!imap_in_end(&c->in))
		return imap_bad(c, "XPEOPLE takes no argument");
	buf_reset(&c->s->out);
	return answer(
		c, store_view(c->s->service->store, read_people, c->s), "That is who is here");
}

/* -- XSET -------------------------------------------------------------------------------------- */

static const char *const receipts_words[] = {[MAIL_RECEIPTS_ASK] = "ASK",
	[MAIL_RECEIPTS_NEVER] = "NEVER",
	[MAIL_RECEIPTS_ALWAYS] = "ALWAYS"};

struct settings {
	const struct imap *s;
	struct mail_prefs prefs;
};

static int read_prefs(struct store_txn *txn, void *arg)
{
	struct settings *t = arg;

	return mail_prefs_read(txn, imap_account(t->s), &t->prefs);
}

static int in_receipts(struct imap_in *in, struct mail_prefs *p)
{
	for (unsigned i = 0; i < sizeof(receipts_words) / sizeof(receipts_words[0]); i++)
		if (imap_in_word(in, receipts_words[i])) {
			p->receipts = i;
			return 0;
		}
	return -EBADMSG;
}

static int in_presence(struct imap_in *in, struct mail_prefs *p)
{
	p->hidden = imap_in_word(in, "HIDDEN");
	return p->hidden || imap_in_word(in, "SHOWN") ? 0 : -EBADMSG;
}

/* " RECEIPTS ALWAYS PRESENCE HIDDEN" */
static int in_settings(struct imap_in *in, struct mail_prefs *p)
{
	int r = 0;

	while (r == 0 && !imap_in_end(in)) {
		r = imap_in_space(in);
		if (r == 0 && imap_in_word(in, "RECEIPTS"))
			r = imap_in_space(in) < 0 ? -EBADMSG : in_receipts(in, p);
		else if (r == 0 && imap_in_word(in, "PRESENCE"))
			r = imap_in_space(in) < 0 ? -EBADMSG : in_presence(in, p);
		else
			r = -EBADMSG;
	}
	return r;
}

int imap_cmd_xset(struct imap_call *c)
{
	struct imap *s = c->s;
	struct settings t = {.s = s};
	struct mail_prefs_args args = {.prefs = {.hidden = false}};
	bool change = !imap_in_end(&c->in);
	int r = store_view(s->service->store, read_prefs, &t);

	args.prefs = t.prefs;
	if (r == 0 && in_settings(&c->in, &args.prefs) < 0)
		return imap_bad(
			c, "XSET takes RECEIPTS ASK, NEVER or ALWAYS; PRESENCE SHOWN or HIDDEN");
	(void)span_copy_str(span_str(imap_account(s)), args.account, sizeof(args.account));
	if (r == 0 && change)
		r = store_call(s->service->store, STORE_OP_MAIL_PREFS, &args, NULL);
	buf_reset(&s->out);
	buf_addf(&s->out, "* XSETTINGS (RECEIPTS %s PRESENCE %s)\r\n",
		receipts_words[args.prefs.receipts], args.prefs.hidden ? "HIDDEN" : "SHOWN");
	return answer(c, r, "That is how it is set");
}
