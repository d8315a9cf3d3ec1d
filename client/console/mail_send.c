/* Letters on their way: answers begun, the editor, the outbox. See mail_i.h. */
#include "client/console/mail_i.h"

#include <errno.h>

/* -- answers ----------------------------------------------------------------------------------- */

int mail_do_answer(struct mail_part *m, struct mail_order *o)
{
	_cleanup_(mailui_letter_done) struct mailui_letter l = MAILUI_LETTER_INIT;
	const enum mail_answer_kind kind = (enum mail_answer_kind)o->flag;
	struct mail_writing *w;

	if (o->uid == 0) {
		console_error(m->c, "which message? Say its number too, as in /reply 17");
		return 0;
	}
	if (m->box == NULL || mailui_open(&m->u, m->box, o->uid, &l) != CLIENT_OK)
		return m->u.line->error;
	w = mail_writing_new();
	if (w == NULL)
		return 0;
	if (draft_answer(&m->u, &l, kind, &w->answer, &w->d) != CLIENT_OK) {
		mail_writing_done(w);
		return m->u.line->error;
	}
	for (size_t i = 0; kind == MAIL_FORWARD && i < o->words.count; i++)
		buf_addf(&w->d.to, "%s%s", i > 0 ? ", " : "", o->words.v[i]);
	w->kind = kind;
	w->uid = o->uid;
	(void)snprintf(w->box, sizeof w->box, "%s", o->box);
	(void)mail_writing_open(m, w);
	return 0;
}

/* -- out --------------------------------------------------------------------------------------- */

static struct mail_place *place_of(struct mail_part *m, unsigned number)
{
	for (struct mail_place *i = m->places; i != NULL; i = i->next)
		if (i->number == number)
			return i;
	return NULL;
}

/* It is gone, or waits in the outbox: the place has served. Busy to the end: nobody throws it away
 * meanwhile. */
static int sent(struct mail_part *m, struct mail_place *i)
{
	struct mail_writing *w = i->writing;
	struct place *p;
	const struct mail_place *box;
	bool here;
	int r = 0;

	if (w->box[0] != '\0' && m->u.line != NULL && m->u.line->error == 0)
		r = mail_box_need(m, w->box);
	if (r == 0 && m->box != NULL && strcmp(mailbox_name(m->box), w->box) == 0) {
		draft_answered(m->box, w->uid, w->kind);
		if (mail_place_box(m, w->box) != NULL)
			r = mail_list_fill(m, mail_place_box(m, w->box)->number);
	}
	p = place_number(m->c, i->number);
	box = w->box[0] != '\0' ? mail_place_box(m, w->box) : NULL;
	here = p != NULL && p == m->c->current;
	i->writing = NULL;
	mail_writing_done(w);
	if (p != NULL)
		place_close(m->c, p);
	/* Back to where the message was that is answered. */
	if (here && box != NULL)
		place_show(m->c, place_number(m->c, box->number));
	return r;
}

int mail_do_send(struct mail_part *m, struct mail_order *o)
{
	struct mail_place *i = place_of(m, o->place);
	struct mail_writing *w = i != NULL ? i->writing : NULL;
	char name[64] = "";
	int code;

	if (w == NULL)
		return 0;
	mail_writing_join(w);
	code = mail_leaving(m) ? draft_keep(&m->u, &w->d, name) : draft_send(&m->u, &w->d, name);
	if (code == CLIENT_INTERRUPTED && name[0] == '\0')
		code = draft_keep(&m->u, &w->d, name);
	m->send_ms = 1;
	/* What was refused is still here to be mended: it is not kept twice. */
	if (name[0] == '\0' || (code == CLIENT_NO && outbox_remove(&m->u.profile, name) == 0)) {
		struct place *p = place_number(m->c, i->number);

		w->busy = false;
		if (p != NULL)
			mail_writing_show(m, p, w);
		return m->u.line != NULL ? m->u.line->error : 0;
	}
	return sent(m, i);
}

/* -- the editor -------------------------------------------------------------------------------- */

struct editing {
	struct console *c;
	unsigned number;
	struct mail_writing *w;
};

/* As if it were typed: more can be. */
static void edited(struct editing *e, const char *why)
{
	struct mail_part *m = mail_part(e->c);
	struct place *p = place_number(e->c, e->number);

	buf_add(&e->w->typed, buf_span(&e->w->d.text));
	buf_reset(&e->w->d.text);
	e->w->busy = false;
	if (p != NULL && m != NULL)
		mail_writing_show(m, p, e->w);
	if (why[0] != '\0')
		console_error(e->c, "%s", why);
}

/* A task of its own: mail goes on meanwhile. */
static void edit_run(void *arg)
{
	struct editing *e = arg;
	const struct mailui u = {.client = e->c->client};
	char why[256] = "";

	mail_writing_join(e->w);
	e->c->face->pause(e->c);
	(void)draft_edit(&u, &e->w->d, true, why);
	e->c->face->resume(e->c);
	edited(e, why);
	e->c->errands--;
	free(e);
}

void mail_write_edit(struct console *c, struct span words)
{
	struct mail_part *m = mail_part(c);
	struct mail_writing *w = mail_writing_here(m);
	struct editing *e = w != NULL ? calloc(1, sizeof *e) : NULL;
	struct task *t;

	(void)words;
	if (e == NULL)
		return;
	*e = (struct editing){c, c->current->number, w};
	w->busy = true;
	c->errands++;
	if (task_start("editor", edit_run, e, &t) < 0) {
		console_error(c, "no memory");
		c->errands--;
		w->busy = false;
		free(e);
	}
}
