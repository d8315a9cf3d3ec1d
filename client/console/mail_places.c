/* What mail's places show, found by their numbers; text in them. See mail_i.h. */
#include "client/console/mail_i.h"

#include "client/chat/safe.h"
#include "client/mail/screen.h"

enum { COLUMNS = 900 /* of one line: it is broken by the face */ };

struct mail_place *mail_place_of(struct mail_part *m, const struct place *p)
{
	for (struct mail_place *i = m->places; i != NULL; i = i->next)
		if (i->number == p->number)
			return i;
	return NULL;
}

struct mail_place *mail_place_box(struct mail_part *m, const char *box)
{
	for (struct mail_place *i = m->places; i != NULL; i = i->next) {
		const struct place *p = place_number(m->c, i->number);

		if (p != NULL && p->kind == PLACE_MAILBOX && !i->searching &&
			strcmp(i->box, box) == 0)
			return i;
	}
	return NULL;
}

struct mail_place *mail_place_open(
	struct mail_part *m, enum place_kind kind, const char *name, struct place **ret)
{
	char clean[256];
	struct mail_place *i;
	struct place *p;

	mail_clean(name, clean, sizeof clean);
	p = place_open(m->c, kind, clean);
	i = p != NULL ? mail_place_of(m, p) : NULL;
	if (p != NULL && i == NULL) {
		i = calloc(1, sizeof *i);
		if (i != NULL) {
			i->number = p->number;
			i->found = BUF_INIT((size_t)MAIL_UIDS_MAX);
			i->next = m->places;
			m->places = i;
		} else {
			place_close(m->c, p);
		}
	}
	if (i == NULL) {
		console_error(m->c, "%s", "no room for another window: /close some");
		return NULL;
	}
	*ret = p;
	return i;
}

void mail_letters_close(struct mail_part *m)
{
	struct place *oldest = NULL;
	size_t count = 0;

	for (const struct mail_place *i = m->places; i != NULL; i = i->next) {
		struct place *p = place_number(m->c, i->number);

		if (p == NULL || p->kind != PLACE_LETTER || i->uid == 0 || i->writing != NULL)
			continue;
		count++;
		if (p != m->c->current && (oldest == NULL || p->number < oldest->number))
			oldest = p;
	}
	if (count >= MAIL_LETTERS && oldest != NULL)
		place_close(m->c, oldest);
}

static void place_free(struct mail_place *i)
{
	if (i->writing != NULL) {
		mail_writing_rescue(i->writing);
		mail_writing_done(i->writing);
	}
	buf_done(&i->found);
	free(i);
}

void mail_places_sweep(struct mail_part *m)
{
	struct mail_place **at = &m->places, *i;

	while ((i = *at) != NULL) {
		if (place_number(m->c, i->number) != NULL ||
			(i->writing != NULL && i->writing->busy)) {
			at = &i->next;
			continue;
		}
		*at = i->next;
		place_free(i);
	}
}

void mail_places_done(struct mail_part *m)
{
	struct mail_place *i;

	while ((i = m->places) != NULL) {
		m->places = i->next;
		place_free(i);
	}
}

void mail_clean(const char *text, char *ret, size_t size)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);

	safe_word(&b, text);
	(void)snprintf(ret, size, "%s", buf_str(&b));
	safe_end(ret);
}

void mail_place_text(
	struct mail_part *m, struct place *p, struct span text, enum line_look look, size_t most)
{
	struct screen_text t = SCREEN_TEXT_INIT;
	size_t count;

	text_set(&t, text);
	count = text_wrap(&t, COLUMNS) == 0 ? t.count : 0;
	for (size_t i = 0; i < count && i < most; i++) {
		_cleanup_(buf_done) struct buf line = BUF_INIT((size_t)4 * CONSOLE_TEXT_MAX);

		buf_add(&line, span_of(t.text.p + t.lines[i].at, t.lines[i].len));
		place_add(m->c, p,
			&(struct place_line){.look = look, .who = "", .text = buf_str(&line)});
	}
	if (count > most) {
		char rest[96];

		(void)snprintf(rest, sizeof rest, "... %zu lines more: quintet mail shows all",
			count - most);
		place_add(
			m->c, p, &(struct place_line){.look = LINE_HEAD, .who = "", .text = rest});
	}
	text_done(&t);
}
