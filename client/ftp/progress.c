/* The progress line: what it says and how it fits. Where it goes is batch.c's affair. */
#include "client/ftp/ui.h"

#define WINDOW_MS 6000

enum { BAR_COLUMNS = 24, NAME_COLUMNS = 12 };

void progress_sample(struct progress_meter *m, int64_t now_ms, uint64_t bytes)
{
	m->at_ms[m->next] = now_ms;
	m->bytes[m->next] = bytes;
	m->next = (m->next + 1) % PROGRESS_SAMPLES;
	if (m->count < PROGRESS_SAMPLES)
		m->count++;
}

uint64_t progress_rate(const struct progress_meter *m)
{
	size_t last = (m->next + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES, first = last;
	uint64_t moved, took_ms;

	if (m->count < 2)
		return 0;
	for (size_t i = 1; i < m->count; i++) {
		size_t at = (last + PROGRESS_SAMPLES - i) % PROGRESS_SAMPLES;

		if (m->at_ms[last] - m->at_ms[at] > WINDOW_MS)
			break;
		first = at;
	}
	if (m->bytes[last] <= m->bytes[first] || m->at_ms[last] <= m->at_ms[first])
		return 0;
	moved = m->bytes[last] - m->bytes[first];
	took_ms = (uint64_t)(m->at_ms[last] - m->at_ms[first]);
	return moved > UINT64_MAX / 1000 ? moved / took_ms * 1000 : moved * 1000 / took_ms;
}

void progress_bytes(struct buf *b, uint64_t bytes)
{
	static const char units[][4] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t unit = 0;
	uint64_t tenths;

	if (bytes < 1024) {
		buf_addf(b, "%u B", (unsigned)bytes);
		return;
	}
	while (bytes >= 1048576 && unit + 1 < sizeof units / sizeof units[0]) {
		bytes /= 1024;
		unit++;
	}
	tenths = bytes * 10 / 1024;
	buf_addf(b, "%u.%u %s", (unsigned)(tenths / 10), (unsigned)(tenths % 10), units[unit]);
}

static void time_left(struct buf *b, const struct progress_view *v)
{
	uint64_t s;

	if (!v->known || v->rate == 0 || v->at > v->size) {
		buf_add_str(b, "  --:--");
		return;
	}
	s = (v->size - v->at + v->rate - 1) / v->rate;
	if (s >= 360000)
		buf_add_str(b, "  > 4 d");
	else if (s >= 3600)
		buf_addf(b, "  %2u h %02u", (unsigned)(s / 3600), (unsigned)(s / 60 % 60));
	else
		buf_addf(b, "  %2u:%02u", (unsigned)(s / 60), (unsigned)(s % 60));
}

/* 0 to 100, and 100 only when all is there. */
static unsigned percent_of(const struct progress_view *v)
{
	if (v->size == 0 || v->at >= v->size)
		return v->known ? 100 : 0;
	return v->size > UINT64_MAX / 100 ? (unsigned)(v->at / (v->size / 100))
					  : (unsigned)(v->at * 100 / v->size);
}

static void bar(struct buf *b, unsigned percent)
{
	unsigned full = percent * (BAR_COLUMNS - 3) / 100;

	buf_add_str(b, " [");
	for (unsigned i = 0; i < BAR_COLUMNS - 3; i++)
		buf_add_byte(b, i < full ? '=' : i == full ? '>' : ' ');
	buf_add_str(b, "]");
}

/* The end of the name tells more than its beginning. */
static void name_fit(struct buf *b, struct span name, size_t columns)
{
	size_t used = width_of(name);
	struct span shown = name;

	if (used > columns) {
		shown = columns > 2 ? width_tail(name, columns - 2) : span_of(name.p, 0);
		buf_add_str(b, columns >= 2 ? ".." : columns == 1 ? "." : "");
		used = width_of(shown) + (columns >= 2 ? 2 : columns);
	}
	buf_add(b, shown);
	buf_addf(b, "%*s", (int)(columns - used), "");
}

void progress_line(struct buf *b, const struct progress_view *v, size_t width)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(8192);
	_cleanup_(buf_done) struct buf percent = BUF_INIT(64);
	_cleanup_(buf_done) struct buf rate = BUF_INIT(64);
	_cleanup_(buf_done) struct buf left = BUF_INIT(64);
	size_t room = width;
	bool with_bar;

	buf_add_str(&name, v->name);
	if (v->others > 0)
		buf_addf(&name, " (+%zu)", v->others);
	if (v->known)
		buf_addf(&percent, " %3u%%", percent_of(v));
	else
		progress_bytes(&percent, v->at);
	progress_bytes(&rate, v->rate);
	buf_add_str(&rate, "/s");
	time_left(&left, v);
	if (percent.len > room)
		return;
	room -= percent.len;
	/* In the order of worth: percent, name, rate, time left, bar. */
	const size_t rate_columns = 13;
	bool with_rate = room >= NAME_COLUMNS + rate_columns;
	room -= with_rate ? rate_columns : 0;
	bool with_left = with_rate && room >= NAME_COLUMNS + left.len;
	room -= with_left ? left.len : 0;
	with_bar = v->known && with_left && room >= NAME_COLUMNS + BAR_COLUMNS;
	room -= with_bar ? BAR_COLUMNS : 0;
	name_fit(b, buf_span(&name), room);
	buf_add(b, buf_span(&percent));
	if (with_bar)
		bar(b, percent_of(v));
	if (with_rate)
		buf_addf(b, "%*s", (int)rate_columns, buf_str(&rate));
	if (with_left)
		buf_add(b, buf_span(&left));
}
