/* A part's life, as the person is told of it: once when it comes, once when it goes and why. */
#include "client/console/console.h"

#include "base/hash.h"
#include "base/timefmt.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

enum { RETRY_FIRST_MS = 2000, RETRY_MOST_MS = 60000 };

const char *part_name(enum part_id id)
{
	static const char *const names[] = {[PART_CHAT] = "chat",
		[PART_MAIL] = "mail",
		[PART_FILES] = "files",
		[PART_TIME] = "time",
		[PART_IDENTITY] = "certificate"};

	return id < PARTS ? names[id] : "";
}

void part_trying(struct console *c, enum part_id id)
{
	c->parts[id].state = PART_TRYING;
	console_changed(c);
}

void part_absent(struct console *c, enum part_id id)
{
	struct part *p = &c->parts[id];

	if (p->state != PART_ABSENT)
		console_say(c, "%s: %s does not offer it", part_name(id), c->profile.host);
	p->state = PART_ABSENT;
	p->why[0] = '\0';
	console_changed(c);
}

void part_up(struct console *c, enum part_id id)
{
	struct part *p = &c->parts[id];

	if (p->losses > 0 && id != PART_IDENTITY)
		console_say(c, "%s: up again", part_name(id));
	p->state = PART_UP;
	p->losses = 0;
	p->why[0] = '\0';
	console_changed(c);
}

/* Twice as long each time, and not all clients of a server at once. */
static int64_t patience_ms(unsigned losses)
{
	int64_t ms = RETRY_FIRST_MS;
	unsigned char dice;

	while (--losses > 0 && ms < RETRY_MOST_MS)
		ms *= 2;
	if (ms > RETRY_MOST_MS)
		ms = RETRY_MOST_MS;
	hash_random(&dice, sizeof dice);
	return ms / 2 + ms / 2 * dice / 255;
}

void part_lost(struct console *c, enum part_id id, const char *format, ...)
{
	struct part *p = &c->parts[id];
	char why[sizeof p->why], before[sizeof p->why];
	bool was_up = p->state == PART_UP;
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, sizeof why, format, ap);
	va_end(ap);
	if (c->leaving)
		return;
	if (why[0] == '\0')
		snprintf(why, sizeof why, "no answer");
	memcpy(before, p->told, sizeof before);
	memcpy(p->told, why, sizeof why);
	memcpy(p->why, why, sizeof why);
	p->losses++;
	p->state = PART_WAITING;
	p->retry_ms = time_monotonic_ms() + patience_ms(p->losses);
	/* What stays the same is in the status line; not each attempt is news. */
	if (was_up || p->losses == 1 || strcmp(before, p->told) != 0)
		console_error(c, "%s %s: %s; trying again by itself (/retry: now)", part_name(id),
			id == PART_IDENTITY ? "not renewed"
				: was_up    ? "is lost"
					    : "is not there",
			p->why);
	console_changed(c);
}

static bool is_of(const struct task *t, enum part_id id)
{
	return strncmp(task_name(t), part_name(id), strlen(part_name(id))) == 0;
}

bool part_told(struct console *c, const char *text)
{
	const struct task *t = task_self();
	unsigned id = 0;
	size_t len;

	if (t == NULL)
		return false;
	while (id < PARTS && !is_of(t, (enum part_id)id))
		id++;
	if (id == PARTS)
		return false;
	/* Of several the first says most. */
	len = strlen(c->parts[id].why);
	if (c->parts[id].state == PART_UP)
		len = 0;
	snprintf(c->parts[id].why + len, sizeof c->parts[id].why - len, "%s%s", len > 0 ? "; " : "",
		text);
	return c->parts[id].state != PART_UP;
}

int part_wait(struct console *c, enum part_id id)
{
	struct part *p = &c->parts[id];

	for (;;) {
		int64_t left_ms = p->retry_ms - time_monotonic_ms();

		if (c->leaving)
			return -ECANCELED;
		if (left_ms <= 0)
			break;
		if (task_pause((int)left_ms) == -ECANCELED)
			return -ECANCELED;
	}
	p->why[0] = '\0';
	part_trying(c, id);
	return 0;
}

void part_retry(struct console *c, enum part_id id)
{
	struct part *p = &c->parts[id];

	if (p->state != PART_WAITING)
		return;
	p->retry_ms = 0;
	if (p->task != NULL)
		task_poke(p->task);
	if (p->poked != NULL)
		p->poked(c);
}
