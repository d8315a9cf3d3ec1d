/* Letters that are written: lines that are typed in a place, or the editor. See mail_i.h. */
#include "client/console/mail_i.h"

#include "base/file.h"

#include <fcntl.h>
#include <stddef.h>

enum { QUOTED_SHOWN = 400 };

struct mail_writing *mail_writing_new(void)
{
	struct mail_writing *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->d = DRAFT_INIT;
	w->d.how = SMIME_AUTO;
	w->typed = BUF_INIT((size_t)MAIL_MESSAGE_MAX);
	return w;
}

void mail_writing_done(struct mail_writing *w)
{
	if (w == NULL)
		return;
	draft_done(&w->d);
	mail_answer_done(&w->answer);
	buf_done(&w->typed);
	free(w);
}

void mail_writing_join(struct mail_writing *w)
{
	if (w->typed.len > 0 && w->d.text.len > 0)
		buf_add_byte(&w->d.text, '\n');
	buf_add(&w->d.text, buf_span(&w->typed));
	buf_reset(&w->typed);
}

void mail_writing_rescue(const struct mail_writing *w)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(2 * (size_t)MAIL_MESSAGE_MAX);
	char path[] = "/tmp/quintet-mail-XXXXXX";
	_cleanup_(cleanup_close) int fd = -1;

	if (w->typed.len == 0 && w->d.text.len == 0)
		return;
	fd = mkostemp(path, O_CLOEXEC);
	draft_show(&w->d, &b);
	if (w->d.text.len > 0)
		buf_add_byte(&b, '\n');
	buf_add(&b, buf_span(&w->typed));
	if (fd >= 0 && buf_error(&b) == 0 && file_write_all(fd, buf_span(&b)) == 0)
		(void)client_fail(CLIENT_NO, "the letter was not sent; it is kept in %s", path);
}

/* -- its place --------------------------------------------------------------------------------- */

static void head_add(
	struct mail_part *m, struct place *p, const char *name, const struct buf *value)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1U << 20);

	buf_addf(&b, "%-9s %s", name, buf_str(value));
	mail_place_text(m, p, buf_span(&b), LINE_HEAD, 8);
}

static void files_add(struct mail_part *m, struct place *p, const struct draft *d)
{
	for (size_t i = 0; i < d->forwarded_count + d->file_count; i++) {
		const struct mime_attachment *f = i < d->forwarded_count
			? &d->forwarded[i]
			: &d->files[i - d->forwarded_count];
		_cleanup_(buf_done) struct buf b = BUF_INIT(65536);
		char size[16];

		mailui_size(f->bytes.len, size);
		buf_add(&b, f->filename);
		buf_addf(&b, " (%s)", size);
		head_add(m, p, "Attached:", &b);
	}
}

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

void mail_writing_show(struct mail_part *m, struct place *p, const struct mail_writing *w)
{
	_cleanup_(buf_done) struct buf how = BUF_INIT(256);

	place_clear(p);
	head_add(m, p, "To:", &w->d.to);
	if (w->d.cc.len > 0)
		head_add(m, p, "Cc:", &w->d.cc);
	if (w->d.bcc.len > 0)
		head_add(m, p, "Bcc:", &w->d.bcc);
	head_add(m, p, "Subject:", &w->d.subject);
	files_add(m, p, &w->d);
	buf_addf(&how, "%s%s", how_text(w->d.how), w->d.receipt ? "; a receipt is asked for" : "");
	head_add(m, p, "Security:", &how);
	mail_place_text(m, p,
		SPAN_LIT("Type the text; a line with a single dot, or /send, sends it; /edit opens "
			 "the editor; /cancel throws it away"),
		LINE_HEAD, 4);
	mail_place_text(m, p, SPAN_LIT("\n"), LINE_PLAIN, 1);
	mail_place_text(m, p, buf_span(&w->d.text), LINE_QUIET, QUOTED_SHOWN);
	if (w->d.text.len > 0)
		mail_place_text(m, p, SPAN_LIT("\n"), LINE_PLAIN, 1);
	mail_place_text(m, p, buf_span(&w->typed), LINE_PLAIN, QUOTED_SHOWN);
	console_changed(m->c);
}

bool mail_writing_open(struct mail_part *m, struct mail_writing *w)
{
	struct mail_place *i;
	struct place *p = NULL;
	char name[32];

	(void)snprintf(name, sizeof name, "letter-%u", ++m->letters);
	i = mail_place_open(m, PLACE_LETTER, name, &p);
	if (i == NULL) {
		mail_writing_done(w);
		return false;
	}
	i->writing = w;
	(void)snprintf(p->title, sizeof p->title, "a letter that is being written");
	place_show(m->c, p);
	mail_writing_show(m, p, w);
	return true;
}

struct mail_writing *mail_writing_here(struct mail_part *m)
{
	const struct mail_place *i = m != NULL ? mail_place_of(m, m->c->current) : NULL;

	if (i != NULL && i->writing != NULL && !i->writing->busy)
		return i->writing;
	if (m == NULL)
		return NULL;
	if (i == NULL || i->writing == NULL)
		console_error(m->c, "no letter is written here: /write TO SUBJECT");
	else
		console_error(m->c, "one moment: this letter is being sent, or is in the editor");
	return NULL;
}

/* -- what is typed ----------------------------------------------------------------------------- */

bool mail_typed(struct console *c, struct place *p, struct span text)
{
	struct mail_part *m = mail_part(c);
	const struct mail_place *i = m != NULL ? mail_place_of(m, p) : NULL;
	struct mail_writing *w = i != NULL ? i->writing : NULL;

	if (w == NULL)
		return false;
	if (w->busy) {
		console_error(c, "one moment: this letter is being sent, or is in the editor");
		return true;
	}
	if (span_eq_str(text, ".")) {
		mail_write_send(c, span_of("", 0));
		return true;
	}
	buf_add(&w->typed, text);
	buf_add_byte(&w->typed, '\n');
	mail_place_text(m, p, text.len > 0 ? text : SPAN_LIT("\n"), LINE_OWN, QUOTED_SHOWN);
	return true;
}

/* -- commands ---------------------------------------------------------------------------------- */

void mail_write_begin(struct console *c, struct span words)
{
	struct mail_part *m = mail_part(c);
	struct mail_writing *w;
	struct span to = {NULL, 0};

	if (m == NULL) {
		console_error(c, "this server has no mail");
		return;
	}
	w = mail_writing_new();
	if (w == NULL)
		return;
	(void)span_split(&words, ' ', &to);
	buf_add(&w->d.to, to);
	buf_add(&w->d.subject, span_trim(words));
	(void)mail_writing_open(m, w);
}

void mail_write_send(struct console *c, struct span words)
{
	struct mail_part *m = mail_part(c);
	struct mail_writing *w = mail_writing_here(mail_part(c));
	struct mail_order *o =
		w != NULL ? mail_order_new(m, mail_do_send, w->box, span_of("", 0)) : NULL;

	(void)words;
	if (o == NULL)
		return;
	o->offline = true;
	w->busy = true;
	console_say(c, "sending ...");
	mail_order_add(m, o);
}

/* Throws away what is written in that place. */
static void writing_drop(struct console *c, struct place *p)
{
	struct mail_place *i = mail_place_of(mail_part(c), p);

	mail_writing_done(i->writing);
	i->writing = NULL;
	place_close(c, p);
	console_say(c, "the letter was thrown away");
}

void mail_write_cancel(struct console *c, struct span words)
{
	(void)words;
	if (mail_writing_here(mail_part(c)) != NULL)
		writing_drop(c, c->current);
}

static void closing_answered(struct console *c, int answer, void *arg)
{
	const unsigned *number = arg;
	struct place *p = answer > 0 ? place_number(c, *number) : NULL;
	const struct mail_place *i =
		p != NULL && mail_part(c) != NULL ? mail_place_of(mail_part(c), p) : NULL;

	free(arg);
	if (i != NULL && i->writing != NULL && !i->writing->busy)
		writing_drop(c, p);
}

bool mail_closing(struct console *c, struct place *p)
{
	struct mail_part *m = mail_part(c);
	const struct mail_place *i = m != NULL ? mail_place_of(m, p) : NULL;
	unsigned *number;

	if (i == NULL || i->writing == NULL)
		return i == NULL || p->kind != PLACE_MAILBOX || i->searching;
	if (i->writing->busy) {
		console_error(c, "one moment: this letter is being sent, or is in the editor");
		return false;
	}
	number = malloc(sizeof *number);
	if (number == NULL)
		return false;
	*number = p->number;
	if (console_ask(c, closing_answered, number, "Throw this letter away?") < 0)
		free(number);
	return false;
}

void mail_write_attach(struct console *c, struct span words)
{
	struct mail_writing *w = mail_writing_here(mail_part(c));
	_cleanup_(words_done) struct words split = WORDS_INIT;
	char *line = w != NULL ? strndup((const char *)words.p, words.len) : NULL;

	if (line != NULL && words_split(line, &split) < 0)
		console_error(c, "a quote is not closed");
	for (size_t i = 0; i < split.count; i++) {
		_cleanup_(buf_done) struct buf path = BUF_INIT((size_t)MAIL_WORDS_MAX);

		word_plain(&path, split.v[i]);
		if (draft_attach(&mail_part(c)->u, &w->d, buf_str(&path)) == CLIENT_OK)
			console_say(c, "attached: %s", buf_str(&path));
	}
	if (w != NULL)
		mail_writing_show(mail_part(c), c->current, w);
	free(line);
}

static void field_set(struct console *c, struct span words, const char *name, size_t offset)
{
	struct mail_writing *w = mail_writing_here(mail_part(c));
	struct buf *b = w != NULL ? (struct buf *)(void *)((char *)&w->d + offset) : NULL;

	if (b == NULL)
		return;
	buf_reset(b);
	buf_add(b, span_trim(words));
	mail_writing_show(mail_part(c), c->current, w);
	console_say(c, "%s: %s", name, buf_str(b));
}

void mail_write_to(struct console *c, struct span words)
{
	field_set(c, words, "To", offsetof(struct draft, to));
}

void mail_write_cc(struct console *c, struct span words)
{
	field_set(c, words, "Cc", offsetof(struct draft, cc));
}

void mail_write_bcc(struct console *c, struct span words)
{
	field_set(c, words, "Bcc", offsetof(struct draft, bcc));
}

void mail_write_subject(struct console *c, struct span words)
{
	field_set(c, words, "Subject", offsetof(struct draft, subject));
}

void mail_write_receipt(struct console *c, struct span words)
{
	struct mail_writing *w = mail_writing_here(mail_part(c));

	(void)words;
	if (w == NULL)
		return;
	w->d.receipt = !w->d.receipt;
	console_say(c, w->d.receipt ? "a receipt is asked for" : "no receipt is asked for");
	mail_writing_show(mail_part(c), c->current, w);
}

void mail_write_security(struct console *c, struct span words)
{
	static const struct {
		const char *word;
		enum smime_how how;
	} hows[] = {{"auto", SMIME_AUTO}, {"encrypt", SMIME_ENCRYPT}, {"sign", SMIME_SIGN},
		{"plain", SMIME_PLAIN}};
	struct mail_writing *w = mail_writing_here(mail_part(c));

	for (size_t i = 0; w != NULL && i < sizeof hows / sizeof hows[0]; i++)
		if (span_eq_str(span_trim(words), hows[i].word)) {
			w->d.how = hows[i].how;
			console_say(c, "%s", how_text(w->d.how));
			mail_writing_show(mail_part(c), c->current, w);
			return;
		}
	if (w != NULL)
		console_error(c, "auto, encrypt, sign or plain");
}
