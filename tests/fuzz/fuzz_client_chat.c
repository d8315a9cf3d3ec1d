/*
 * quintet chat against a server that means harm: the session over memory, several connections one
 * after the other (separated by a line "----"), with messages of its own waiting, and everything
 * shown as a person and as a script would get it.
 */
#include "client/chat/show.h"
#include "client/chat/talk.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <limits.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Lines of clean text: nothing else may reach a terminal. */
static void check_lines(const struct buf *b)
{
	struct span rest = buf_span(b), line;

	check(buf_error(b) == 0);
	while (span_split(&rest, '\n', &line))
		check(text_is_clean(line));
}

static void show(const char *window, const struct item *i)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);
	const struct show_style style = {.window = window, .date = true};

	show_item(&b, i, &style);
	check_lines(&b);
	buf_reset(&b);
	show_json(&b, window, i);
	check_lines(&b);
	check(memchr(b.p, '\n', b.len) == NULL);
}

static void on_item(void *arg, struct window *w, const struct item *i)
{
	(void)arg;
	check(i->shown);
	show(w->name, i);
}

static void on_page(void *arg, const char *target, enum fill_kind kind, struct item *const *items,
	size_t count, const char *error)
{
	(void)arg;
	(void)kind;
	if (error != NULL)
		check(text_is_clean(span_str(error)));
	for (size_t i = 0; i < count; i++)
		show(target, items[i]);
}

static void on_lost(void *arg, const char *why, unsigned in_s)
{
	(void)arg;
	(void)in_s;
	check(text_is_clean(span_str(why)));
}

static void on_ready(void *arg)
{
	struct talk *t = arg;

	(void)talk_say(t, "#a", SPAN_LIT("one\ntwo"), 0, 1);
	(void)talk_say(t, "bob", SPAN_LIT("waves"), SAY_ACTION, 2);
	(void)talk_say(t, "bob", SPAN_LIT("psst"), SAY_NOTICE, 3);
}

static void on_changed(void *arg)
{
	struct talk *t = arg;

	for (size_t i = 1; i < t->model.count && t->fill_count < 3; i++)
		if (t->model.windows[i]->unread > 1)
			(void)fill_older(t, t->model.windows[i], 10);
}

static void on_fate(void *arg, uint64_t cookie, enum talk_fate fate, const char *why)
{
	(void)arg;
	(void)fate;
	check(cookie >= 1 && cookie <= 3);
	check(text_is_clean(span_str(why)));
}

static const struct talk_view view = {.ready = on_ready,
	.lost = on_lost,
	.item = on_item,
	.page = on_page,
	.changed = on_changed,
	.fate = on_fate};

/* -- calls ------------------------------------------------------------------------------------- */

static void on_request(void *calls, const struct talk_request *r)
{
	(void)calls;
	check(r->nick.len > 0);
}

static void on_end(void *calls)
{
	(void)calls;
}

static const struct talk_calls some_calls = {.request = on_request, .end = on_end};

/* ---------------------------------------------------------------------------------------------- */

static void check_model(const struct model *m)
{
	size_t members = 0;

	check(m->count <= MODEL_WINDOWS_MAX);
	for (size_t i = 0; i < m->count; i++) {
		const struct window *w = m->windows[i];
		size_t bytes = 0;

		check(i == 0 || text_is_clean(span_str(w->name)));
		check(w->count <= MODEL_ITEMS_MAX && w->bytes <= MODEL_BYTES_MAX);
		for (size_t k = 0; k < w->count; k++)
			bytes += w->items[k]->size;
		check(bytes == w->bytes);
		members += w->members.count;
	}
	check(members == m->member_count);
}

/* One connection, in pieces. */
static void connection(struct talk *t, struct span lines, struct buf *out)
{
	struct conn *conn = NULL;

	if (conn_new_memory(lines, 1 + lines.len % 97, out, &conn) < 0)
		return;
	talk_attach(t, conn);
	while (t->conn != NULL)
		net_step(t);
	check_model(&t->model);
}

/* Up to a line "----". */
static struct span part(struct span *rest)
{
	static const char mark[] = "\n----\n";
	const unsigned char *at =
		rest->len > 0 ? memmem(rest->p, rest->len, mark, sizeof mark - 1) : NULL;
	struct span whole = *rest;

	if (at == NULL) {
		*rest = span_of(NULL, 0);
		return whole;
	}
	*rest = span_of(
		at + sizeof mark - 1, rest->len - (size_t)(at - rest->p) - (sizeof mark - 1));
	return span_of(whole.p, (size_t)(at - whole.p) + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(16 << 20);
	_cleanup_(cleanup_free) struct talk *t = calloc(1, sizeof *t);
	struct client c = {.timeout_s = 10, .signal_fd = -1};
	const struct talk_options o = {.nick = "ann",
		.user = size % 2 != 0 ? "ann" : NULL,
		.password = SPAN_LIT("secret"),
		.retries = UINT_MAX,
		.scrollback = 20,
		.people = true,
		.calls = &some_calls};
	struct span rest = span_of(data, size);

	if (t == NULL || talk_begin(t, &c, NULL, &o, &view, NULL) < 0)
		return 0;
	t->view_arg = t;
	t->calls_state = t;
	for (int i = 0; i < 4 && rest.len > 0 && t->state != TALK_OVER; i++)
		connection(t, part(&rest), &out);
	talk_done(t);
	return 0;
}
