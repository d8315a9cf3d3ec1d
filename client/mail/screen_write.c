/* Letters written from the view: the editor, then what is to be done with the letter. */
#include "client/mail/screen.h"

#include "client/chat/safe.h"

#include <errno.h>

enum { SHEET_MAX = 1 << 20, SHOWN_MAX = 65536 };

static const char *how_text(enum smime_how how)
{
	static const char *const texts[] = {
		[SMIME_PLAIN] = "neither signed nor encrypted",
		[SMIME_SIGN] = "signed",
		[SMIME_AUTO] = "signed, and encrypted if everybody has a certificate",
		[SMIME_ENCRYPT] = "signed and encrypted, or not sent",
	};

	return texts[how];
}

/* -- the letter as it would go ------------------------------------------------------------------
 */

static void files_add(const struct draft *d, struct buf *out)
{
	char size[16];

	for (size_t i = 0; i < d->forwarded_count + d->file_count; i++) {
		const struct mime_attachment *f = i < d->forwarded_count
			? &d->forwarded[i]
			: &d->files[i - d->forwarded_count];

		mailui_size(f->bytes.len, size);
		buf_addf(out, "Attached: %.*s (%s)\n", (int)f->filename.len,
			(const char *)f->filename.p, size);
	}
}

static void sheet_make(const struct draft *d, struct screen_text *t)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT((size_t)SHEET_MAX);
	struct span text = buf_span(&d->text);

	buf_addf(&b, "To:       %s\nCc:       %s\n", buf_str(&d->to), buf_str(&d->cc));
	if (d->bcc.len > 0)
		buf_addf(&b, "Bcc:      %s\n", buf_str(&d->bcc));
	buf_addf(&b, "Subject:  %s\n", buf_str(&d->subject));
	files_add(d, &b);
	buf_addf(&b, "Receipt:  %s\nSecurity: %s\n\n", d->receipt ? "asked for" : "not asked for",
		how_text(d->how));
	text.len = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;
	buf_add(&b, text);
	text_set(t, buf_span(&b));
}

/* -- what can be done with it -------------------------------------------------------------------
 */

struct writing {
	struct screen *s;
	struct draft *d;
	struct screen_text text;
	bool done, sent;
};

static void edit(struct writing *w, bool always)
{
	char why[256] = "";
	int r;

	term_pause(&w->s->term);
	r = draft_edit(w->s->u, w->d, always, why);
	if (term_resume(&w->s->term) < 0)
		w->s->leave = w->done = true;
	if (r != CLIENT_OK)
		screen_say(w->s, "%s", why);
	/* The first time there is nothing to go back to. */
	w->done |= r != CLIENT_OK && !always;
}

static void edit_again(struct writing *w)
{
	edit(w, true);
}

static void send(struct writing *w)
{
	struct screen *s = w->s;
	struct screen_hush hush;
	char why[400], name[64];
	int r;

	screen_say(s, "sending ...");
	draw_status(s, "");
	term_flush(&s->term);
	hush_begin(&hush);
	r = draft_send(s->u, w->d, name);
	/* What was refused is still here to be mended: it is not kept twice. */
	w->done = name[0] != '\0' && !(r == CLIENT_NO && outbox_remove(&s->u->profile, name) == 0);
	hush_end(&hush, why, sizeof why);
	w->sent = w->done;
	screen_say(s, "%s", why);
}

static void attach(struct writing *w)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	struct screen_hush hush;
	char why[400];

	if (!term_ask(&w->s->term, "Attach the file: ", &path) || path.len == 0)
		return;
	hush_begin(&hush);
	(void)draft_attach(w->s->u, w->d, buf_str(&path));
	hush_end(&hush, why, sizeof why);
	screen_say(w->s, "%s", why);
}

static void receipt(struct writing *w)
{
	w->d->receipt = !w->d->receipt;
}

static void security(struct writing *w)
{
	static const enum smime_how after[] = {
		[SMIME_AUTO] = SMIME_ENCRYPT,
		[SMIME_ENCRYPT] = SMIME_SIGN,
		[SMIME_SIGN] = SMIME_PLAIN,
		[SMIME_PLAIN] = SMIME_AUTO,
	};

	w->d->how = after[w->d->how];
}

static void drop(struct writing *w)
{
	if (screen_choose(w->s, "Throw this letter away? y, n", "yY") == 0)
		return;
	w->done = true;
	screen_say(w->s, "the letter was thrown away");
}

static void on(struct writing *w)
{
	text_move(&w->text, (long)draw_page(w->s), draw_page(w->s));
}

static void back(struct writing *w)
{
	text_move(&w->text, -(long)draw_page(w->s), draw_page(w->s));
}

static const struct {
	uint32_t key;
	void (*run)(struct writing *w);
} acts[] = {{'y', send}, {'e', edit_again}, {'a', attach}, {'t', receipt}, {'s', security},
	{'q', drop}, {0x03, drop}, {' ', on}, {KEY_PAGE_DOWN, on}, {'-', back},
	{KEY_PAGE_UP, back}};

static void sheet_draw(struct writing *w)
{
	size_t top = w->text.top;

	sheet_make(w->d, &w->text);
	(void)text_wrap(&w->text, w->s->term.columns);
	w->text.top = top;
	draw_text(w->s, "A letter", NULL, &w->text);
	draw_status(w->s, "y send  e edit  a attach a file  t receipt  s security  q throw away");
	term_flush(&w->s->term);
}

/* True: it is on its way. */
static bool write_run(struct screen *s, struct draft *d)
{
	struct writing w = {.s = s, .d = d, .text = SCREEN_TEXT_INIT};

	edit(&w, false);
	while (!w.done && !s->leave) {
		uint32_t key;

		sheet_draw(&w);
		key = screen_key(s);
		for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
			if (acts[i].key == key)
				acts[i].run(&w);
	}
	text_done(&w.text);
	return w.sent;
}

void write_new(struct screen *s)
{
	_cleanup_(draft_done) struct draft d = DRAFT_INIT;

	d.how = SMIME_AUTO;
	(void)write_run(s, &d);
}

void write_answer(struct screen *s, enum mail_answer_kind kind)
{
	_cleanup_(draft_done) struct draft d = DRAFT_INIT;
	_cleanup_(mail_answer_done) struct mail_answer a = {.to = NULL};
	_cleanup_(mailui_letter_done) struct mailui_letter own = MAILUI_LETTER_INIT;
	const struct mail_item *item = screen_item(s);
	const struct mailui_letter *l = letter_here(s, &own);
	uint32_t uid = letter_uid(s);
	struct screen_hush hush;
	char why[400];
	int r;

	if (l == NULL)
		return;
	if (uid == 0)
		uid = item != NULL ? item->uid : 0;
	hush_begin(&hush);
	r = draft_answer(s->u, l, kind, &a, &d);
	hush_end(&hush, why, sizeof why);
	if (r != CLIENT_OK) {
		screen_say(s, "%s", why);
		return;
	}
	if (kind == MAIL_FORWARD && !term_ask(&s->term, "To: ", &d.to))
		return;
	if (write_run(s, &d) && s->box != NULL)
		draft_answered(s->box, uid, kind);
}
