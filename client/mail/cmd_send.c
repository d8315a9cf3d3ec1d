/* quintet mail send, reply, forward: from the words of a command to the outbox and out of it. */
#include "client/mail/draft.h"

#include "client/ask.h"

#include "base/file.h"
#include "base/rec.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { UIDS_MAX = 4096 };

/* -- out ----------------------------------------------------------------------------------------
 */

/* The three lists of people of a letter. */
struct people {
	struct mail_people to, cc, bcc;
};

static void people_done(struct people *p)
{
	mail_people_done(&p->to);
	mail_people_done(&p->cc);
	mail_people_done(&p->bcc);
}

static int people_read(const struct mailui *u, const struct draft *d, struct people *ret)
{
	const struct {
		const struct buf *typed;
		struct mail_people *people;
	} lists[] = {{&d->to, &ret->to}, {&d->cc, &ret->cc}, {&d->bcc, &ret->bcc}};
	char bad[128];

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		if (mail_people_parse(buf_span(lists[i].typed), u->profile.doors.domain,
			    lists[i].people, bad) < 0)
			return client_fail(ERR_EXIT_CONFIG, "\"%s\" is no address", bad);
	if (ret->to.count + ret->cc.count + ret->bcc.count == 0)
		return client_fail(ERR_EXIT_CONFIG, "who is it to?");
	return CLIENT_OK;
}

static bool is_among(const struct span *list, size_t count, struct span address)
{
	for (size_t i = 0; i < count; i++)
		if (span_eq(list[i], address))
			return true;
	return false;
}

/* The addresses of all, for the envelope, each once, the hidden ones (*ret_bcc) last. Owned list of
 * borrowed spans. */
static struct span *addresses(const struct people *p, size_t *ret_count, size_t *ret_bcc)
{
	const struct mail_people *const lists[] = {&p->to, &p->cc, &p->bcc};
	struct span *all = calloc(1 + p->to.count + p->cc.count + p->bcc.count, sizeof *all);
	size_t n = 0, open = 0;

	for (size_t i = 0; all != NULL && i < sizeof lists / sizeof lists[0]; i++) {
		open = n;
		for (size_t j = 0; j < lists[i]->count; j++)
			if (!is_among(all, n, lists[i]->list[j].address))
				all[n++] = lists[i]->list[j].address;
	}
	*ret_count = n;
	*ret_bcc = n - open;
	return all;
}

static int compose(const struct draft *d, const struct people *p, const char *own, struct buf *ret)
{
	size_t count = d->file_count + d->forwarded_count;
	_cleanup_(cleanup_free) struct mime_attachment *files = calloc(count + 1, sizeof *files);
	struct mail_draft draft = {.to = p->to.list,
		.to_count = p->to.count,
		.cc = p->cc.list,
		.cc_count = p->cc.count,
		.bcc = p->bcc.list,
		.bcc_count = p->bcc.count,
		.from_address = span_str(own),
		.subject = buf_span(&d->subject),
		.text = buf_span(&d->text),
		.attachments = files,
		.attachment_count = count,
		.in_reply_to = buf_span(&d->in_reply_to),
		.references = buf_span(&d->references),
		.want_receipt = d->receipt};
	char msgid[256];

	if (files == NULL)
		return -ENOMEM;
	if (d->forwarded_count > 0)
		memcpy(files, d->forwarded, d->forwarded_count * sizeof *files);
	if (d->file_count > 0)
		memcpy(files + d->forwarded_count, d->files, d->file_count * sizeof *files);
	return mail_compose(&draft, ret, msgid);
}

/* What became of a letter's secrecy. */
struct outcome {
	bool is_signed, encrypted;
	bool later; /* it has to wait, and is sealed when it goes */
	char missing[256]; /* who has no certificate */
};

static int sent_tell(
	const struct mailui *u, const struct outbox_result *sent, const struct outcome *o)
{
	const struct table_pair pairs[] = {{"state", sent->left > 0 ? "waiting" : "sent", NULL},
		{"encrypted", o->encrypted ? "yes" : "no", NULL}, {"why", sent->why, NULL}};
	const char *how = o->encrypted ? ", encrypted" : o->is_signed ? ", signed" : "";

	if (sent->refused > 0)
		return client_fail(CLIENT_NO, "refused: %s (kept in the outbox)", sent->why);
	if (sent->left > 0)
		return client_done(u->client, pairs, 3,
			"it waits in the outbox and goes with the next connection: %s", sent->why);
	if (o->missing[0] != '\0')
		return client_done(u->client, pairs, 2,
			"sent%s, not encrypted: %s has no certificate", how, o->missing);
	return client_done(u->client, pairs, 2, "sent%s", how);
}

/* -ENOTCONN: nobody can be asked for certificates now. */
static int protect(
	struct mailui *u, const struct smime_letter *l, struct buf *ret, struct outcome *o)
{
	int r = smime_protect(u->client, &u->profile, l, ret, &o->encrypted, o->missing);

	o->is_signed =
		l->how != SMIME_PLAIN && (l->how != SMIME_AUTO || u->profile.cert_pem.len > 0);
	if (r == -ENOENT)
		return client_fail(CLIENT_NO,
			"it cannot be encrypted: %s has no certificate; nothing was sent",
			o->missing);
	if (r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE || r == -ETIMEDOUT)
		return -ENOTCONN;
	return r < 0 ? client_fail(client_exit_of(r), "cannot sign and encrypt: %s", client_why(r))
		     : CLIENT_OK;
}

static int queue(struct mailui *u, const struct outbox_letter *l, char ret_name[64])
{
	int r = outbox_add(&u->profile, l, ret_name);

	return r < 0 ? client_fail(client_unwritten(r), "the outbox: %s", err_text(r)) : CLIENT_OK;
}

static int queue_one(struct mailui *u, const struct buf *message, const struct outbox_letter *l,
	char ret_name[64])
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT(2 * (size_t)MAIL_MESSAGE_MAX);
	const struct smime_letter secret = {.message = buf_span(message),
		.to = l->to,
		.to_count = l->to_count,
		.how = SMIME_ENCRYPT};
	struct outbox_letter one = *l;
	struct outcome o = {.later = l->how != SMIME_PLAIN};
	int r = o.later ? -ENOTCONN : protect(u, &secret, &sealed, &o);

	if (r > 0)
		return r;
	one.message = r == 0 ? buf_span(&sealed) : buf_span(message);
	if (r < 0 && !o.later)
		one.how = SMIME_ENCRYPT;
	return queue(u, &one, ret_name);
}

/* Whom it is encrypted to can be read off it: so those in Bcc get letters of their own. The first
 * goes to all others (open of them), or to the first in Bcc when there are none; its name is
 * ret's. */
static int queue_apart(struct mailui *u, const struct buf *message, const struct outbox_letter *all,
	size_t open, char ret_name[64])
{
	_cleanup_(buf_done) struct buf names = BUF_INIT(1U << 20);
	struct outbox_letter one = *all;
	int r = CLIENT_OK;

	for (size_t from = 0; r == CLIENT_OK && from < all->to_count; from += one.to_count) {
		char name[64] = "";

		one.to = all->to + from;
		one.to_count = from < open ? open : 1;
		one.keep = from == 0;
		r = queue_one(u, message, &one, name);
		if (r == CLIENT_OK)
			buf_add(&names, span_of(name, sizeof name));
		if (from == 0)
			memcpy(ret_name, name, sizeof name);
	}
	/* All or none. */
	for (size_t i = 0; r != CLIENT_OK && i < names.len; i += 64)
		(void)outbox_remove(&u->profile, (const char *)names.p + i);
	return r;
}

/* A letter ready to go: whom from, whom to (the last bcc of them are hidden). */
struct ready {
	struct buf message;
	const char *own;
	const struct span *to;
	size_t count, bcc;
	enum smime_how how;
	bool later; /* it is only kept: nobody is asked for anything now */
};

static int ready_queue(
	struct mailui *u, const struct ready *l, char ret_name[64], struct outcome *o)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT(2 * (size_t)MAIL_MESSAGE_MAX);
	struct outbox_letter letter = {
		.from = l->own, .to = l->to, .to_count = l->count, .keep = true};
	const struct smime_letter open = {
		.message = buf_span(&l->message), .to = l->to, .to_count = l->count, .how = l->how};
	int r = l->later ? -ENOTCONN : protect(u, &open, &sealed, o);

	if (r > 0)
		return r;
	o->later = r < 0;
	letter.message = o->later ? buf_span(&l->message) : buf_span(&sealed);
	letter.how = o->later ? l->how : SMIME_PLAIN;
	return (o->encrypted || o->later) && l->bcc > 0
		? queue_apart(u, &l->message, &letter, l->count - l->bcc, ret_name)
		: queue(u, &letter, ret_name);
}

static int ready_send(struct mailui *u, const struct ready *l, char ret_name[64])
{
	struct outbox_result sent = {.left = 1, .why = "nobody can be asked for certificates"};
	struct outcome o = {.later = false};
	int r = ready_queue(u, l, ret_name, &o);

	if (r != CLIENT_OK)
		return r;
	if (l->later)
		snprintf(sent.why, sizeof sent.why, "the program ends");
	if (o.later)
		return sent_tell(u, &sent, &o);
	r = outbox_send(u->client, &u->profile, &u->login, u->line, &sent);
	if (r != CLIENT_OK && sent.refused == 0 && sent.left == 0)
		return r;
	return sent_tell(u, &sent, &o);
}

/* The key of the profile is its account's: nobody else's letters are signed by it. */
static int how_checked(const struct mailui *u, enum smime_how *how)
{
	if (u->login.user == NULL || span_caseeq_str(span_str(u->login.user), u->profile.user))
		return CLIENT_OK;
	if (*how == SMIME_SIGN || *how == SMIME_ENCRYPT)
		return client_fail(CLIENT_NO,
			"the key of this profile is %s's: %s's letters go by --plain",
			u->profile.user, u->login.user);
	*how = SMIME_PLAIN;
	return CLIENT_OK;
}

static int draft_out(struct mailui *u, const struct draft *d, bool later, char ret_name[64])
{
	_cleanup_(people_done) struct people p = {.to = {.count = 0}};
	struct ready l = {
		.message = BUF_INIT((size_t)MAIL_MESSAGE_MAX), .how = d->how, .later = later};
	char own[320], name[64] = "";
	struct span *to;
	int r = people_read(u, d, &p);

	if (r == CLIENT_OK)
		r = how_checked(u, &l.how);
	if (ret_name != NULL)
		ret_name[0] = '\0';
	if (r != CLIENT_OK)
		return r;
	to = addresses(&p, &l.count, &l.bcc);
	mail_own_address(&u->profile, u->login.user, own);
	l.own = own;
	l.to = to;
	r = to == NULL ? -ENOMEM : compose(d, &p, own, &l.message);
	if (r < 0)
		r = client_fail(client_exit_of(r), "the letter cannot be made: %s", client_why(r));
	else
		r = ready_send(u, &l, name);
	if (ret_name != NULL)
		memcpy(ret_name, name, sizeof name);
	free(to);
	buf_done(&l.message);
	return r;
}

int draft_send(struct mailui *u, const struct draft *d, char ret_name[64])
{
	return draft_out(u, d, false, ret_name);
}

int draft_keep(struct mailui *u, const struct draft *d, char ret_name[64])
{
	return draft_out(u, d, true, ret_name);
}

/* -- in -----------------------------------------------------------------------------------------
 */

static void list_add(struct buf *b, const char *const *people)
{
	for (size_t i = 0; i < CLIENT_VALUES_MAX && people[i] != NULL; i++)
		buf_addf(b, "%s%s", b->len > 0 ? ", " : "", people[i]);
}

/* What the options say of it, over what is there. */
static int options_take(const struct mailui *u, struct draft *d)
{
	const int hows = (u->o.encrypt ? 1 : 0) + (u->o.sign ? 1 : 0) + (u->o.plain ? 1 : 0);
	int r = CLIENT_OK;

	if (hows > 1)
		return client_usage(u->client, "one of --encrypt, --sign and --plain");
	d->how = u->o.encrypt             ? SMIME_ENCRYPT
		: u->o.sign               ? SMIME_SIGN
		: u->o.plain              ? SMIME_PLAIN
		: d->how == SMIME_ENCRYPT ? SMIME_ENCRYPT
					  : SMIME_AUTO;
	d->receipt = u->o.receipt;
	list_add(&d->cc, u->o.cc);
	list_add(&d->bcc, u->o.bcc);
	if (u->o.subject != NULL) {
		buf_reset(&d->subject);
		buf_add_str(&d->subject, u->o.subject);
	}
	for (size_t i = 0; r == CLIENT_OK && i < CLIENT_VALUES_MAX && u->o.attach[i] != NULL; i++)
		r = draft_attach(u, d, u->o.attach[i]);
	return r;
}

/* The person's own text: a file, standard input, or the editor. What is quoted follows it, but for
 * the editor, who sees it. */
static int text_take(const struct mailui *u, struct draft *d)
{
	_cleanup_(buf_done) struct buf own = BUF_INIT((size_t)MAIL_MESSAGE_MAX);
	const bool typed = u->o.text_file == NULL && isatty(STDIN_FILENO) == 1;
	const char *path = u->o.text_file == NULL || strcmp(u->o.text_file, "-") == 0
		? "/dev/stdin"
		: u->o.text_file;
	char why[256];
	int r;

	if (!typed) {
		r = ask_file(u->client, path, &own);
		if (r < 0)
			return client_fail(client_exit_of(r), "%s: %s", path, err_text(r));
		if (own.len > 0 && own.p[own.len - 1] != '\n')
			buf_add_str(&own, "\n");
		if (d->text.len > 0 && own.len > 0)
			buf_add_str(&own, "\n");
		buf_add(&own, buf_span(&d->text));
		buf_reset(&d->text);
		buf_add(&d->text, buf_span(&own));
	}
	if (!typed && !u->o.edit)
		return CLIENT_OK;
	r = draft_edit(u, d, !typed, why);
	return r != CLIENT_OK ? client_fail(r, "%s", why) : r;
}

/* What somebody has written is not thrown away. */
static void letter_rescue(const struct draft *d, int code)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT((size_t)MAIL_MESSAGE_MAX);
	char path[] = "/tmp/quintet-mail-XXXXXX";
	_cleanup_(cleanup_close) int fd = mkostemp(path, O_CLOEXEC);

	draft_show(d, &b);
	if (fd >= 0 && buf_error(&b) == 0 && file_write_all(fd, buf_span(&b)) == 0)
		(void)client_fail(code, "the letter is kept in %s", path);
}

static int finish(struct mailui *u, struct draft *d)
{
	const bool edited = u->o.edit || (u->o.text_file == NULL && isatty(STDIN_FILENO) == 1);
	char name[64] = "";
	int r = options_take(u, d);

	if (r == CLIENT_OK)
		r = text_take(u, d);
	if (r != CLIENT_OK)
		return r;
	r = draft_send(u, d, name);
	if (r != CLIENT_OK && edited && name[0] == '\0')
		letter_rescue(d, r);
	return r;
}

int mailui_send(struct mailui *u, const struct client_words *w)
{
	_cleanup_(draft_done) struct draft d = DRAFT_INIT;

	if (w->count == 0 && (u->o.text_file != NULL || isatty(STDIN_FILENO) != 1))
		return client_usage(u->client, "send: to whom?");
	for (size_t i = 0; i < w->count; i++)
		buf_addf(&d.to, "%s%s", i > 0 ? ", " : "", w->v[i]);
	return finish(u, &d);
}

static void mailboxes_add(struct buf *b, const struct mime_mailbox *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_addf(b, "%s", b->len > 0 ? ", " : "");
		buf_add(b, list[i].address);
	}
}

int draft_answer(struct mailui *u, const struct mailui_letter *l, enum mail_answer_kind kind,
	struct mail_answer *a, struct draft *d)
{
	char own[320];
	int r;

	mail_own_address(&u->profile, u->login.user, own);
	r = mail_answer_make(buf_span(&l->readable), kind, own, a);
	if (r < 0)
		return mailui_failed(u, r, "answer");
	mailboxes_add(&d->to, a->to, a->to_count);
	mailboxes_add(&d->cc, a->cc, a->cc_count);
	buf_add(&d->subject, buf_span(&a->subject));
	buf_add(&d->text, buf_span(&a->text));
	buf_add(&d->in_reply_to, buf_span(&a->in_reply_to));
	buf_add(&d->references, buf_span(&a->references));
	/* What came as a secret is not quoted in clear, unless that is asked for. */
	d->how = l->verdict.was_encrypted ? SMIME_ENCRYPT : SMIME_AUTO;
	d->forwarded = a->attachments;
	d->forwarded_count = a->attachment_count;
	return CLIENT_OK;
}

void draft_answered(struct mailbox *b, uint32_t uid, enum mail_answer_kind kind)
{
	(void)mailbox_flag(
		b, &uid, 1, kind == MAIL_FORWARD ? IMAP_FLAG_FORWARDED : IMAP_FLAG_ANSWERED, true);
}

static int answer_open(struct mailui *u, struct mailbox *b, const struct client_words *w,
	struct mailui_letter *ret, uint32_t *ret_uid)
{
	_cleanup_(buf_done) struct buf uids = BUF_INIT(UIDS_MAX);
	const struct client_words one = {w->v, 1};
	int r = mailui_uids(u, b, &one, 0, &uids);

	if (r == CLIENT_OK && uids.len != sizeof *ret_uid)
		return client_usage(u->client, "one message");
	if (r != CLIENT_OK)
		return r;
	memcpy(ret_uid, uids.p, sizeof *ret_uid);
	return mailui_open(u, b, *ret_uid, ret);
}

static int answer(struct mailui *u, const struct client_words *w, enum mail_answer_kind kind)
{
	_cleanup_(mailbox_closep) struct mailbox *b = NULL;
	_cleanup_(mailui_letter_done) struct mailui_letter l = MAILUI_LETTER_INIT;
	_cleanup_(mail_answer_done) struct mail_answer a = {.to = NULL};
	_cleanup_(draft_done) struct draft d = DRAFT_INIT;
	uint32_t uid = 0;
	int r = mailui_box(u, false, &b);

	if (r == CLIENT_OK)
		r = answer_open(u, b, w, &l, &uid);
	if (r == CLIENT_OK)
		r = draft_answer(u, &l, kind, &a, &d);
	if (r != CLIENT_OK)
		return r;
	for (size_t i = 1; i < w->count; i++)
		buf_addf(&d.to, "%s%s", d.to.len > 0 ? ", " : "", w->v[i]);
	r = finish(u, &d);
	if (r == CLIENT_OK)
		draft_answered(b, uid, kind);
	return r;
}

int mailui_reply(struct mailui *u, const struct client_words *w)
{
	return answer(u, w, u->o.all ? MAIL_REPLY_ALL : MAIL_REPLY);
}

int mailui_forward(struct mailui *u, const struct client_words *w)
{
	return answer(u, w, MAIL_FORWARD);
}
