/* quintet chat tail and history: what is said and what was said, for scripts and pipes. */
#include "client/chat/once.h"
#include "client/chat/show.h"

#include "base/num.h"
#include "base/timefmt.h"

#include <errno.h>
#include <unistd.h>

enum {
	COUNT_MAX = 100000,
	PAGES_MAX = 2000,
	HISTORY_COUNT = 50,
	ITEM_MAX = 8 * MODEL_TEXT_MAX,
};

struct reading {
	struct talk talk;
	const struct once_options *own;
	const struct client_words *targets;
	bool follow; /* tail */
	bool json, started; /* history: "[" was printed */
	bool *asked; /* of each target of tail: it is joined and its newest is asked for */
	size_t wanted, got; /* messages; wanted 0: all */
	int64_t since_us; /* 0 none */
	struct buf *pages; /* history without --since: the newest first */
	size_t page_count;
	bool ready;
	int code;
	struct talk_watch watch;
};

static void leave(struct reading *r, int code)
{
	if (r->code == CLIENT_OK)
		r->code = code;
	talk_leave(&r->talk, "");
}

/* -- printing ---------------------------------------------------------------------------------- */

static bool is_wanted(const struct reading *r, const struct item *i)
{
	return item_is_message(i) || (r->own->events && i->kind < ITEM_NOTE);
}

static void item_add(
	const struct reading *r, struct buf *b, const char *target, const struct item *i)
{
	const struct show_style style = {
		.date = true, .window = r->targets->count > 1 ? target : NULL};

	if (r->json)
		show_json(b, target, i);
	else
		show_item(b, i, &style);
}

static void item_print(struct reading *r, const char *target, const struct item *i)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(ITEM_MAX);

	item_add(r, &b, target, i);
	if (r->json && !r->follow)
		fputs(r->started ? ",\n" : "[", stdout);
	r->started = true;
	fputs(buf_str(&b), stdout);
	if (r->json && r->follow)
		putchar('\n');
	if (r->follow && fflush(stdout) != 0)
		leave(r, ERR_EXIT_TEMP);
	r->got++;
}

static bool is_target(const struct reading *r, const struct window *w)
{
	for (size_t i = 0; i < r->targets->count; i++)
		if (irc_eq(span_str(r->targets->v[i]), span_str(w->name)))
			return true;
	return false;
}

static bool is_joining(const struct reading *r)
{
	for (size_t i = 0; r->follow && r->ready && i < r->targets->count; i++)
		if (!r->asked[i])
			return true;
	return false;
}

static void on_item(void *arg, struct window *w, const struct item *i)
{
	struct reading *r = arg;
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);

	if (i->kind == ITEM_ERROR && is_joining(r)) {
		safe_word(&text, i->text);
		leave(r, client_fail(CLIENT_NO, "%s", buf_str(&text)));
		return;
	}
	/* A history with --since comes this way; without it only by pages. */
	if (!is_target(r, w) || !is_wanted(r, i) || (!r->follow && r->since_us == 0))
		return;
	if (r->follow || r->wanted == 0 || r->got < r->wanted)
		item_print(r, w->name, i);
}

/* -- tail -------------------------------------------------------------------------------------- */

static void latest_ask(struct reading *r, size_t i)
{
	struct window *w = talk_window(&r->talk, span_str(r->targets->v[i]));

	r->asked[i] = true;
	if (w == NULL || r->wanted == 0)
		return;
	w->filling = fill_ask(&r->talk, FILL_LATEST, w->name, "*", "", r->wanted) == 0;
}

static void on_changed(void *arg)
{
	struct reading *r = arg;

	for (size_t i = 0; r->follow && r->ready && i < r->targets->count; i++) {
		const struct window *w = windows_find(&r->talk.model, span_str(r->targets->v[i]));

		if (!r->asked[i] && w != NULL && w->joined)
			latest_ask(r, i);
	}
}

static void tail_begin(struct reading *r)
{
	for (size_t i = 0; i < r->targets->count; i++) {
		const char *name = r->targets->v[i];
		const struct window *w = windows_find(&r->talk.model, span_str(name));

		if (*name != '#' || (w != NULL && w->joined))
			latest_ask(r, i);
		else
			(void)talk_line(&r->talk, "JOIN %s", name);
	}
}

/* -- history ----------------------------------------------------------------------------------- */

static void history_begin(struct reading *r)
{
	const char *name = r->targets->v[0];
	struct window *w = talk_window(&r->talk, span_str(name));
	char anchor[128] = "timestamp=";
	int e = -EINVAL;

	if (w != NULL && r->since_us != 0) {
		/* AFTER leaves out its own moment. */
		irc_time_write(r->since_us - 1000, anchor + strlen(anchor));
		e = fill_ask(&r->talk, FILL_AFTER, name, anchor, "", 0);
	} else if (w != NULL) {
		e = fill_ask(&r->talk, FILL_LATEST, name, "*", "", r->wanted);
	}
	if (w != NULL)
		w->filling = e == 0;
	if (e == -EINVAL)
		leave(r,
			client_fail(ERR_EXIT_CONFIG, "%s: that is no name of somebody or a channel",
				name));
	else if (e < 0)
		leave(r, client_fail(CLIENT_NO, "%s keeps no history", r->talk.profile->host));
}

static void page_keep(
	struct reading *r, const char *target, struct item *const *items, size_t count)
{
	struct buf *b = &r->pages[r->page_count++];
	size_t from = 0, take = 0;

	*b = BUF_INIT((size_t)ITEM_MAX * 1000);
	for (size_t i = count; i-- > 0 && r->got + take < r->wanted;) {
		take += is_wanted(r, items[i]);
		from = i;
	}
	for (size_t i = from; i < count; i++) {
		if (!is_wanted(r, items[i]))
			continue;
		buf_add_str(b, r->json && b->len > 0 ? ",\n" : "");
		item_add(r, b, target, items[i]);
	}
	r->got += take;
}

/* All that was asked for, or all there is: the oldest page first. */
static void pages_print(struct reading *r)
{
	while (r->page_count > 0) {
		struct buf *b = &r->pages[--r->page_count];

		if (b->len > 0 && r->json)
			fputs(r->started ? ",\n" : "[", stdout);
		r->started = r->started || b->len > 0;
		fputs(buf_str(b), stdout);
		buf_done(b);
	}
}

static void history_page(
	struct reading *r, const char *target, struct item *const *items, size_t count)
{
	char anchor[128];

	if (count > 0)
		page_keep(r, target, items, count);
	if (count > 0 && r->got < r->wanted && r->page_count < PAGES_MAX &&
		items[0]->msgid[0] != '\0') {
		snprintf(anchor, sizeof anchor, "msgid=%s", items[0]->msgid);
		if (fill_ask(&r->talk, FILL_BEFORE, target, anchor, "", r->wanted - r->got) == 0)
			return;
	}
	pages_print(r);
	leave(r, CLIENT_OK);
}

static void on_page(void *arg, const char *target, enum fill_kind kind, struct item *const *items,
	size_t count, const char *error)
{
	struct reading *r = arg;

	if (error != NULL) {
		(void)client_fail(CLIENT_NO, "history of %s: %s", target, error);
		if (!r->follow)
			leave(r, CLIENT_NO);
		return;
	}
	if (r->follow) {
		for (size_t i = 0; i < count; i++)
			if (is_wanted(r, items[i]))
				item_print(r, target, items[i]);
	} else if (kind == FILL_AFTER) {
		leave(r, CLIENT_OK);
	} else {
		history_page(r, target, items, count);
	}
}

/* -- both -------------------------------------------------------------------------------------- */

static void on_ready(void *arg)
{
	struct reading *r = arg;

	if (r->ready && r->follow)
		return;
	r->ready = true;
	if (r->follow)
		tail_begin(r);
	else
		history_begin(r);
}

static void on_lost(void *arg, const char *why, unsigned in_s)
{
	struct reading *r = arg;

	if (r->follow)
		(void)client_fail(0, "the line is lost: %s; trying again in %u s", why, in_s);
	/* What was told of a history is told once. */
	else if (r->started || r->page_count > 0)
		net_end(&r->talk, ERR_EXIT_TEMP, "the line was lost: %s", why);
}

static const struct talk_view view = {.ready = on_ready,
	.lost = on_lost,
	.item = on_item,
	.page = on_page,
	.changed = on_changed};

static int since_parse(struct client *c, const char *text, int64_t *ret_us)
{
	uint64_t ago_s;

	if (num_parse_duration_s(span_str(text), UINT64_C(86400) * 36500, &ago_s) == 0) {
		*ret_us = time_now_us() - (int64_t)ago_s * TIME_S_US;
		return CLIENT_OK;
	}
	if (time_parse_rfc3339(span_str(text), ret_us) == 0)
		return CLIENT_OK;
	return client_usage(c, "--since takes a time as 2026-11-21T10:00:00Z, or 90m, 12h, 7d");
}

static int numbers_parse(struct reading *r, struct client *c)
{
	uint64_t n = 0;

	if (r->own->count != NULL &&
		num_parse_u64(span_str(r->own->count), r->follow ? 0 : 1, COUNT_MAX, &n) < 0)
		return client_usage(c, "--count takes %d to %d", r->follow ? 0 : 1, COUNT_MAX);
	r->wanted = (size_t)n;
	if (r->own->since != NULL)
		return since_parse(c, r->own->since, &r->since_us);
	if (!r->follow && r->own->count == NULL)
		r->wanted = HISTORY_COUNT;
	return CLIENT_OK;
}

static int run(struct reading *r, struct client *c)
{
	int code = numbers_parse(r, c);

	if (code == CLIENT_OK)
		code = talk_prepare(&r->talk);
	if (code != CLIENT_OK)
		return code;
	code = talk_loop(&r->talk, &r->watch, INT64_MAX);
	if (r->code != CLIENT_OK)
		return r->code;
	if (code != CLIENT_OK)
		return client_fail(code, "%s", r->talk.reason);
	if (r->json && !r->follow)
		puts(r->started ? "]" : "[]");
	return CLIENT_OK;
}

static int begin(
	struct client *c, const struct profile *p, const struct talk_options *o, struct reading *r)
{
	struct talk_options options = *o;
	int code = ERR_EXIT_TEMP;

	options.said_only = !r->own->events;
	if (r->follow)
		options.retries = UINT32_MAX;
	r->json = c->json;
	r->talk.fd = -1;
	r->asked = calloc(r->targets->count, sizeof *r->asked);
	r->pages = calloc(PAGES_MAX, sizeof *r->pages);
	r->watch = (struct talk_watch){.fd = -1, .arg = r};
	if (r->asked == NULL || r->pages == NULL ||
		talk_begin(&r->talk, c, p, &options, &view, r) < 0)
		(void)client_fail(code, "%s", err_text(-ENOMEM));
	else
		code = run(r, c);
	talk_done(&r->talk);
	for (size_t i = 0; r->pages != NULL && i < r->page_count; i++)
		buf_done(&r->pages[i]);
	free(r->pages);
	free(r->asked);
	return code;
}

int once_tail(struct client *c, const struct profile *p, const struct talk_options *o,
	const struct once_options *own, const struct client_words *words)
{
	_cleanup_(cleanup_free) struct reading *r = calloc(1, sizeof *r);

	if (r == NULL)
		return client_fail(ERR_EXIT_TEMP, "%s", err_text(-ENOMEM));
	r->own = own;
	r->targets = words;
	r->follow = true;
	return begin(c, p, o, r);
}

int once_history(struct client *c, const struct profile *p, const struct talk_options *o,
	const struct once_options *own, const struct client_words *words)
{
	_cleanup_(cleanup_free) struct reading *r = calloc(1, sizeof *r);

	if (r == NULL)
		return client_fail(ERR_EXIT_TEMP, "%s", err_text(-ENOMEM));
	r->own = own;
	r->targets = words;
	return begin(c, p, o, r);
}
