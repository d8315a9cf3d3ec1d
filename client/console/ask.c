/* Questions to the person, one after the other; those of the chat come when no other waits. */
#include "client/console/console.h"

#include <errno.h>
#include <stdarg.h>

enum { QUESTIONS_MAX = 16 };

struct question {
	void (*fn)(struct console *c, int answer, void *arg);
	void *arg;
	char text[CONSOLE_TEXT_MAX];
};

struct questions {
	struct question v[QUESTIONS_MAX];
	size_t count;
};

static const char *question_now(const struct console *c)
{
	return c->questions != NULL && c->questions->count > 0 ? c->questions->v[0].text
							       : chat_question(c);
}

static bool is_shown(const struct console *c)
{
	return strncmp(c->question, question_now(c), sizeof c->question - 1) == 0;
}

void questions_refresh(struct console *c)
{
	if (is_shown(c))
		return;
	snprintf(c->question, sizeof c->question, "%s", question_now(c));
	console_changed(c);
}

int console_ask(struct console *c, void (*fn)(struct console *c, int answer, void *arg), void *arg,
	const char *format, ...)
{
	struct question *q;
	va_list ap;

	if (c->questions == NULL)
		c->questions = calloc(1, sizeof *c->questions);
	if (c->questions == NULL)
		return -ENOMEM;
	if (c->questions->count == QUESTIONS_MAX || c->leaving)
		return -ENOSPC;
	q = &c->questions->v[c->questions->count++];
	*q = (struct question){.fn = fn, .arg = arg};
	va_start(ap, format);
	vsnprintf(q->text, sizeof q->text, format, ap);
	va_end(ap);
	console_say(c, "%s (yes or no)", q->text);
	questions_refresh(c);
	return 0;
}

static struct question first_take(struct questions *all)
{
	struct question q = all->v[0];

	all->count--;
	memmove(all->v, all->v + 1, all->count * sizeof q);
	return q;
}

bool console_answer(struct console *c, bool yes)
{
	bool told = true;

	/* The question is not to stand there as if it were asked still. */
	c->said[0] = '\0';
	/* Whoever asked has withdrawn it, and what is asked now was not seen yet. */
	if (c->question[0] != '\0' && !is_shown(c)) {
		console_error(c, "that is not asked any more");
	} else if (c->questions != NULL && c->questions->count > 0) {
		struct question q = first_take(c->questions);

		questions_refresh(c);
		q.fn(c, yes ? 1 : 0, q.arg);
	} else {
		told = chat_answer(c, yes);
	}
	questions_refresh(c);
	return told;
}

void questions_end(struct console *c)
{
	while (c->questions != NULL && c->questions->count > 0) {
		struct question q = first_take(c->questions);

		q.fn(c, -1, q.arg);
	}
	free(c->questions);
	c->questions = NULL;
	c->question[0] = '\0';
}
