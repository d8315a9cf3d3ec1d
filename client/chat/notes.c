/* The client's own words in windows, windows of calls, and questions to the person. */
#include "client/chat/talk.h"

#include "base/timefmt.h"

#include <errno.h>
#include <stdarg.h>

void talk_note(struct talk *t, const char *window, const char *format, ...)
{
	struct window *w = window != NULL ? windows_find(&t->model, span_str(window)) : t->current;
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	if (w == NULL)
		w = t->current;
	talk_add(t, w,
		item_new(&(struct item_fields){
			.kind = ITEM_NOTE, .at_us = time_now_us(), .text = span_str(text)}));
}

int talk_call_open(struct talk *t, const char *window, bool focus)
{
	struct window *w = talk_window(t, span_str(window));

	if (w == NULL)
		return -ENOSPC;
	if (focus && t->view->focus != NULL)
		t->view->focus(t->view_arg, w);
	return 0;
}

void talk_call_said(struct talk *t, const char *window, const char *from, struct span text)
{
	struct window *w = talk_window(t, span_str(window));
	bool own = irc_eq(span_str(from), span_str(t->nick));
	struct item *i;

	if (w == NULL)
		return;
	i = item_new(&(struct item_fields){.kind = ITEM_MESSAGE,
		.at_us = time_now_us(),
		.from = span_str(from),
		.text = text,
		.own = own});
	if (i != NULL)
		i->to_me = !own;
	talk_add(t, w, i);
}

bool talk_file(struct talk *t, const struct talk_file *f)
{
	if (t->view->file != NULL)
		t->view->file(t->view_arg, f);
	return t->view->file != NULL;
}

int talk_ask(struct talk *t, const char *question, void (*answer)(void *arg, bool yes), void *arg)
{
	struct talk_question *q = &t->questions[t->question_count];

	if (t->question_count == sizeof t->questions / sizeof t->questions[0])
		return -ENOSPC;
	*q = (struct talk_question){.answer = answer, .arg = arg};
	snprintf(q->text, sizeof q->text, "%s", question);
	t->question_count++;
	talk_note(t, NULL, "%s", q->text);
	talk_changed(t);
	return 0;
}

void talk_unask(struct talk *t, const void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->question_count; i++)
		if (t->questions[i].arg != arg)
			t->questions[kept++] = t->questions[i];
	t->question_count = kept;
	talk_changed(t);
}

bool talk_answer(struct talk *t, bool yes)
{
	struct talk_question q = t->questions[0];

	if (t->question_count == 0)
		return false;
	t->question_count--;
	memmove(t->questions, t->questions + 1, t->question_count * sizeof q);
	q.answer(q.arg, yes);
	talk_changed(t);
	return true;
}
