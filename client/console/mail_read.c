/* Letters that are read: opened in a place of their own, their receipts, their attachments. */
#include "client/console/mail_i.h"

#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { LINES_MOST = 1900, WHOLE = 2 * MAIL_MESSAGE_MAX };

/* -- which ones -------------------------------------------------------------------------------- */

bool mail_uids_of(struct mail_part *m, struct mail_order *o, size_t count, struct buf *ret)
{
	const struct client_words w = {o->words.v, count};

	if (m->box == NULL)
		return false;
	if (count == 0 && o->uid == 0) {
		console_error(m->c, "which message? Say its number too, as in /read 17");
		return false;
	}
	if (count == 0)
		buf_add(ret, span_of(&o->uid, sizeof o->uid));
	return count == 0 || mailui_uids(&m->u, m->box, &w, 0, ret) == CLIENT_OK;
}

bool mail_uid_of(struct mail_part *m, struct mail_order *o, uint32_t *ret)
{
	_cleanup_(buf_done) struct buf uids = BUF_INIT((size_t)MAIL_UIDS_MAX);

	if (!mail_uids_of(m, o, o->words.count > 0 ? 1 : 0, &uids))
		return false;
	if (uids.len != sizeof *ret) {
		console_error(m->c, "one message at a time");
		return false;
	}
	memcpy(ret, uids.p, sizeof *ret);
	return true;
}

/* -- receipts ---------------------------------------------------------------------------------- */

struct asked {
	char box[MAIL_NAME_MAX];
	uint32_t uid;
};

static void receipt_answered(struct console *c, int answer, void *arg)
{
	struct asked *a = arg;
	struct mail_part *m = mail_part(c);
	struct mail_order *o = NULL;

	if (answer >= 0 && m != NULL)
		o = mail_order_new(m, mail_do_receipt, a->box, span_of("", 0));
	if (o != NULL) {
		o->uid = a->uid;
		o->on = answer > 0;
		mail_order_add(m, o);
	}
	free(a);
}

int mail_do_receipt(struct mail_part *m, struct mail_order *o)
{
	_cleanup_(mailui_letter_done) struct mailui_letter l = MAILUI_LETTER_INIT;

	if (m->box == NULL || mailui_open(&m->u, m->box, o->uid, &l) != CLIENT_OK)
		return m->u.line->error;
	if (mailui_receipt_give(&m->u, m->box, o->uid, &l, o->on) == CLIENT_OK)
		console_say(m->c, o->on ? "the receipt is sent" : "no receipt is sent");
	return m->u.line->error;
}

static void receipt_offer(
	struct mail_part *m, const char *box, uint32_t uid, const struct mailui_letter *l)
{
	_cleanup_(buf_done) struct buf question = BUF_INIT(1024);
	struct asked *a;
	char clean[600];

	/* Else the server answers by itself, or nobody does. */
	if (m->box == NULL || strcmp(m->settings.receipts, "ask") != 0 ||
		!mailui_receipt_is_due(&m->u, m->box, uid, l))
		return;
	a = calloc(1, sizeof *a);
	if (a == NULL)
		return;
	(void)snprintf(a->box, sizeof a->box, "%s", box);
	a->uid = uid;
	mailui_receipt_question(&m->u, l, &question);
	mail_clean(buf_str(&question), clean, sizeof clean);
	if (console_ask(m->c, receipt_answered, a, "%s. Send it?", clean) < 0)
		free(a);
}

/* -- reading ----------------------------------------------------------------------------------- */

static void letter_show(
	struct mail_part *m, const char *box, uint32_t uid, const struct mailui_letter *l)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT((size_t)WHOLE), verdict = BUF_INIT(4096);
	char name[MAIL_NAME_MAX + 16], subject[256];
	struct mail_place *i;
	struct place *p = NULL;
	struct span all, head;
	bool bad;

	(void)snprintf(name, sizeof name, "%s/%u", box, (unsigned)uid);
	mail_letters_close(m);
	i = mail_place_open(m, PLACE_LETTER, name, &p);
	if (i == NULL)
		return;
	(void)snprintf(i->box, sizeof i->box, "%s", box);
	i->uid = uid;
	mail_clean(l->view.subject, subject, sizeof subject);
	(void)snprintf(p->title, sizeof p->title, "%s", subject);
	mailui_letter_text(l, NULL, &text);
	mailui_verdict(&l->verdict, &verdict, &bad);
	all = buf_span(&text);
	place_clear(p);
	place_show(m->c, p);
	/* The verdict is the first line, when there is one. */
	if (verdict.len > 0 && span_split(&all, '\n', &head))
		mail_place_text(m, p, head, bad ? LINE_ERROR : LINE_HEAD, 1);
	while (span_split(&all, '\n', &head) && head.len > 0)
		mail_place_text(m, p, head, LINE_HEAD, 8);
	mail_place_text(m, p, SPAN_LIT("\n"), LINE_PLAIN, 1);
	mail_place_text(m, p, all, LINE_PLAIN, LINES_MOST);
}

int mail_do_read(struct mail_part *m, struct mail_order *o)
{
	_cleanup_(mailui_letter_done) struct mailui_letter l = MAILUI_LETTER_INIT;
	uint32_t uid;
	int r;

	if (!mail_uid_of(m, o, &uid) || mailui_open(&m->u, m->box, uid, &l) != CLIENT_OK)
		return m->u.line->error;
	letter_show(m, o->box, uid, &l);
	r = mail_settled(m, mailbox_flag(m->box, &uid, 1, IMAP_FLAG_SEEN, true), "mark as read");
	if (r < 0)
		return r;
	receipt_offer(m, o->box, uid, &l);
	return mail_place_box(m, o->box) != NULL
		? mail_list_fill(m, mail_place_box(m, o->box)->number)
		: 0;
}

/* -- attachments ------------------------------------------------------------------------------- */

/* Into a folder, or to a name of its own in one. */
static void save_one(struct mail_part *m, const struct mail_view *v, size_t index, const char *path)
{
	_cleanup_(buf_done) struct buf bytes = BUF_INIT((size_t)MAIL_MESSAGE_MAX),
				       folder = BUF_INIT((size_t)MAIL_WORDS_MAX);
	_cleanup_(cleanup_close) int dir_fd = -1;
	const char *slash = strrchr(path, '/'), *name = v->files[index].name;
	char made[MAILUI_NAME_SIZE];
	struct stat st;
	int r;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		buf_add_str(&folder, path);
	} else {
		buf_add(&folder,
			slash != NULL ? span_of(path, (size_t)(slash - path) + 1) : SPAN_LIT("."));
		name = slash != NULL ? slash + 1 : path;
	}
	if (mailui_save_folder(buf_str(&folder), &dir_fd) != CLIENT_OK)
		return;
	r = mail_view_file(v, index, &bytes);
	if (r < 0)
		(void)mailui_failed(&m->u, r, v->files[index].name);
	else if (mailui_save(dir_fd, name, buf_span(&bytes), made) == CLIENT_OK)
		console_say(m->c, "saved %s", made);
}

int mail_do_save(struct mail_part *m, struct mail_order *o)
{
	_cleanup_(mailui_letter_done) struct mailui_letter l = MAILUI_LETTER_INIT;
	const char *which = o->words.count > 0 ? o->words.v[0] : "all";
	_cleanup_(buf_done) struct buf path = BUF_INIT((size_t)MAIL_WORDS_MAX);
	uint64_t n = 0;

	word_plain(&path, o->words.count > 1 ? o->words.v[1] : ".");
	if (o->uid == 0) {
		console_error(m->c, "which message? Read it first, as by /read 17");
		return 0;
	}
	if (m->box == NULL || mailui_open(&m->u, m->box, o->uid, &l) != CLIENT_OK)
		return m->u.line->error;
	if (l.view.file_count == 0)
		console_error(m->c, "nothing is attached to that message");
	else if (strcmp(which, "all") == 0)
		for (size_t i = 0; i < l.view.file_count; i++)
			save_one(m, &l.view, i, buf_str(&path));
	else if (num_parse_u64(span_str(which), 1, l.view.file_count, &n) < 0)
		console_error(m->c, "there is no attachment %s", which);
	else
		save_one(m, &l.view, (size_t)n - 1, buf_str(&path));
	return m->u.line->error;
}
