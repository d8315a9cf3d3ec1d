/* The list of transfers, and one of them as a line. */
#include "client/console/console.h"

#include "client/chat/safe.h"
#include "client/term/width.h"

enum { NAME_LEAST = 8 };

static bool is_over(const struct transfer *t)
{
	return t->state == TRANSFER_DONE || t->state == TRANSFER_FAILED;
}

/* The oldest that is over. */
static bool room_make(struct console *c)
{
	for (size_t i = 0; i < c->transfer_count; i++) {
		if (!is_over(&c->transfers[i]))
			continue;
		c->transfer_count--;
		memmove(c->transfers + i, c->transfers + i + 1,
			(c->transfer_count - i) * sizeof c->transfers[0]);
		return true;
	}
	return false;
}

struct transfer *transfer_new(struct console *c, bool up, const char *name)
{
	_cleanup_(buf_done) struct buf clean = BUF_INIT(4096);
	struct transfer *t;

	if (c->transfer_count == CONSOLE_TRANSFERS_MAX && !room_make(c))
		return NULL;
	safe_word(&clean, name);
	t = &c->transfers[c->transfer_count++];
	*t = (struct transfer){.number = ++c->transfer_numbers, .up = up, .state = TRANSFER_WAITS};
	snprintf(t->name, sizeof t->name, "%s", buf_str(&clean));
	safe_end(t->name);
	console_changed(c);
	return t;
}

struct transfer *transfer_find(struct console *c, unsigned number)
{
	for (size_t i = 0; i < c->transfer_count; i++)
		if (c->transfers[i].number == number)
			return &c->transfers[i];
	return NULL;
}

size_t transfers_busy(const struct console *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->transfer_count; i++)
		n += !is_over(&c->transfers[i]) && c->transfers[i].peer[0] == '\0' ? 1 : 0;
	return n;
}

/* -- as a line --------------------------------------------------------------------------------- */

static void size_add(struct buf *b, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double n = (double)bytes;
	size_t i = 0;

	for (; n >= 1000 && i + 1 < sizeof units / sizeof units[0]; i++)
		n /= 1024;
	buf_addf(b, i == 0 || n >= 100 ? "%.0f %s" : "%.1f %s", n, units[i]);
}

static void left_add(struct buf *b, const struct transfer *t)
{
	uint64_t s = t->rate > 0 && t->size > t->at ? (t->size - t->at) / t->rate : 0;

	if (t->rate == 0 || t->size <= t->at)
		return;
	if (s < 3600)
		buf_addf(b, ", %u:%02u left", (unsigned)(s / 60), (unsigned)(s % 60));
	else
		buf_addf(b, ", %llu h left", (unsigned long long)(s / 3600));
}

static void running_add(struct buf *b, const struct transfer *t)
{
	if (t->size > 0)
		buf_addf(b, "%u%% of ", (unsigned)((double)t->at * 100 / (double)t->size));
	size_add(b, t->size > 0 ? t->size : t->at);
	if (t->rate > 0) {
		buf_add_str(b, ", ");
		size_add(b, t->rate);
		buf_add_str(b, "/s");
	}
	left_add(b, t);
}

static void state_add(struct buf *b, const struct transfer *t)
{
	switch (t->state) {
	case TRANSFER_WAITS:
		buf_add_str(b, "waits");
		break;
	case TRANSFER_RUNS:
		running_add(b, t);
		break;
	case TRANSFER_DONE:
		buf_addf(b, "done%s%s", t->why[0] != '\0' ? ", " : "", t->why);
		break;
	case TRANSFER_FAILED:
		buf_addf(b, "failed: %s", t->why);
		break;
	}
}

/* The end of a path tells more than its beginning. */
static void name_add(struct buf *b, struct span name, size_t columns)
{
	if (width_of(name) > columns) {
		buf_add_str(b, "~");
		name = width_tail(name, columns - 1);
	}
	buf_add(b, name);
}

void console_transfer_line(const struct transfer *t, struct buf *b, size_t width)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(4096), tail = BUF_INIT(1024);
	size_t taken;

	buf_addf(&line, "%u %s ", t->number, t->up ? "put" : "get");
	if (t->peer[0] != '\0')
		buf_addf(&tail, " %s %s", t->up ? "to" : "from", t->peer);
	buf_add_str(&tail, ": ");
	state_add(&tail, t);
	taken = line.len + width_of(buf_span(&tail));
	name_add(&line, span_str(t->name), width > taken + NAME_LEAST ? width - taken : NAME_LEAST);
	buf_add(&line, buf_span(&tail));
	buf_add(b, width_head(buf_span(&line), width));
}
