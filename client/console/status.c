/* The status line: who and where, each part in a word or two, clock and certificate. */
#include "client/console/console.h"

#include "base/timefmt.h"
#include "client/term/width.h"

enum { DAY_S = 86400 };

static void part_add(const struct console *c, struct buf *b, enum part_id id, bool wide)
{
	const struct part *p = &c->parts[id];
	int64_t in_s = (p->retry_ms - time_monotonic_ms() + 999) / 1000;

	switch (p->state) {
	case PART_UP:
		if (p->text[0] != '\0')
			buf_addf(b, "%s: %s", part_name(id), p->text);
		else
			buf_addf(b, "%s: up", part_name(id));
		break;
	case PART_TRYING:
		buf_addf(b, "%s: trying", part_name(id));
		break;
	case PART_WAITING:
		buf_addf(b, "%s: DOWN", part_name(id));
		if (wide && in_s > 0)
			buf_addf(b, ", retry in %lld s", (long long)in_s);
		break;
	case PART_ABSENT:
		buf_addf(b, "%s: none", part_name(id));
		break;
	}
}

/* Never more digits than are known. */
static void clock_add(const struct console *c, struct buf *b)
{
	double ms = (double)c->clock.offset_us / 1000, bound_ms = (double)c->clock.bound_us / 1000;

	if (!c->clock.known)
		part_add(c, b, PART_TIME, false);
	else if (bound_ms >= 1000)
		buf_addf(
			b, "clock: within %.0f s", ((ms < 0 ? -ms : ms) + bound_ms + 999.9) / 1000);
	else if (ms > -1000 && ms < 1000)
		buf_addf(b, "clock: %+.1f ms +-%.1f", ms, bound_ms);
	else
		buf_addf(b, "clock: %+.1f s", ms / 1000);
}

static void certificate_add(const struct console *c, struct buf *b)
{
	int64_t left_s = (c->certificate.until_us - time_now_us()) / TIME_S_US;

	if (!c->certificate.known)
		buf_add_str(b, "cert: none");
	else if (left_s <= 0)
		buf_add_str(b, "cert: EXPIRED");
	else if (left_s < INT64_C(2) * DAY_S)
		buf_addf(b, "cert: %lld h", (long long)(left_s / 3600));
	else
		buf_addf(b, "cert: %lld days", (long long)(left_s / DAY_S));
	if (c->certificate.renewing)
		buf_add_str(b, ", renewing");
	else if (c->certificate.why[0] != '\0')
		buf_add_str(b, ", NOT RENEWED");
}

static void all_add(const struct console *c, struct buf *b, bool wide)
{
	if (wide)
		buf_addf(b, "%s at %s | ", c->profile.user, c->profile.host);
	for (unsigned id = PART_CHAT; id <= PART_FILES; id++) {
		part_add(c, b, (enum part_id)id, wide);
		buf_add_str(b, " | ");
	}
	clock_add(c, b);
	buf_add_str(b, " | ");
	certificate_add(c, b);
}

void console_status(const struct console *c, struct buf *b, size_t width)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);

	all_add(c, &text, true);
	if (width_of(buf_span(&text)) > width) {
		buf_reset(&text);
		all_add(c, &text, false);
	}
	buf_add(b, width_head(buf_span(&text), width));
}
