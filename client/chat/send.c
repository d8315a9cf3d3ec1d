/* quintet chat send: messages of a script; done when the server has them all in its log. */
#include "client/chat/once.h"
#include "client/table.h"

#include <errno.h>
#include <unistd.h>

enum { AHEAD = 200, LINE_MAX_BYTES = MODEL_TEXT_MAX };

struct sending {
	struct talk talk;
	const struct once_options *own;
	const char *target;
	struct buf text; /* of the command line */
	bool by_words; /* the text is that, else standard input's */
	struct buf input;
	bool ready, joining, ended;
	size_t sent;
	int code;
	struct talk_watch watch;
};

static void fail(struct sending *s, int code, const char *why)
{
	(void)client_fail(code, "%s: %s", s->target, why);
	if (s->code == CLIENT_OK)
		s->code = code;
}

static void say(struct sending *s, struct span text)
{
	int r = talk_say(&s->talk, s->target, text, s->own->notice ? SAY_NOTICE : 0, 0);

	if (r == -EINVAL)
		fail(s, ERR_EXIT_CONFIG, "that is no name of somebody or a channel");
	else if (r < 0 && r != -ENODATA)
		fail(s, ERR_EXIT_CONFIG, r == -EMSGSIZE ? "the text is too long" : err_text(r));
}

static void on_ready(void *arg)
{
	struct sending *s = arg;
	const struct window *w = windows_find(&s->talk.model, span_str(s->target));

	if (!s->ready && s->own->join && *s->target == '#' && (w == NULL || !w->joined)) {
		s->joining = true;
		(void)talk_line(&s->talk, "JOIN %s", s->target);
	}
	if (!s->ready && s->by_words && !s->joining)
		say(s, buf_span(&s->text));
	s->ready = true;
}

static void on_changed(void *arg)
{
	struct sending *s = arg;
	const struct window *w;

	if (!s->joining)
		return;
	w = windows_find(&s->talk.model, span_str(s->target));
	if (w == NULL || !w->joined)
		return;
	s->joining = false;
	if (s->by_words)
		say(s, buf_span(&s->text));
}

static void on_fate(void *arg, uint64_t cookie, enum talk_fate fate, const char *why)
{
	struct sending *s = arg;

	(void)cookie;
	if (fate == TALK_SENT)
		s->sent++;
	else
		fail(s, fate == TALK_REFUSED ? CLIENT_NO : ERR_EXIT_TEMP, why);
}

/* A refusal of JOIN. */
static void on_item(void *arg, struct window *w, const struct item *i)
{
	struct sending *s = arg;
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);

	(void)w;
	if (!s->joining || i->kind != ITEM_ERROR)
		return;
	s->joining = false;
	safe_word(&text, i->text);
	fail(s, CLIENT_NO, buf_str(&text));
}

static const struct talk_view view = {
	.ready = on_ready, .changed = on_changed, .fate = on_fate, .item = on_item};

static void input_ready(void *arg)
{
	struct sending *s = arg;
	unsigned char *p = buf_reserve(&s->input, LINE_MAX_BYTES + 1 - s->input.len);
	ssize_t n;

	if (p == NULL)
		return;
	n = read(STDIN_FILENO, p, LINE_MAX_BYTES - s->input.len);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0)
		buf_commit(&s->input, (size_t)n);
	else if (s->input.len > 0 && s->input.p[s->input.len - 1] != '\n')
		buf_add_byte(&s->input, '\n');
	s->ended = n <= 0;
}

static void input_say(struct sending *s)
{
	while (s->input.len > 0 && s->talk.outgoing_count < AHEAD && s->code == CLIENT_OK) {
		struct span have = buf_span(&s->input), line;
		const unsigned char *end = memchr(have.p, '\n', have.len);

		if (end == NULL && have.len >= LINE_MAX_BYTES)
			fail(s, ERR_EXIT_CONFIG, "a line is too long");
		if (end == NULL)
			return;
		line = span_of(have.p, (size_t)(end - have.p));
		say(s, line);
		buf_consume(&s->input, line.len + 1);
	}
}

static bool each_round(void *arg)
{
	struct sending *s = arg;
	bool may = s->ready && !s->joining && !s->talk.leaving;

	if (!s->by_words && may)
		input_say(s);
	s->watch.fd = !s->by_words && may && !s->ended && s->input.len < LINE_MAX_BYTES &&
			s->talk.outgoing_count < AHEAD && s->code == CLIENT_OK
		? STDIN_FILENO
		: -1;
	if (may && s->talk.outgoing_count == 0 &&
		(s->code != CLIENT_OK || s->by_words || (s->ended && s->input.len == 0)))
		talk_leave(&s->talk, "");
	return false;
}

static int told(const struct sending *s, int code)
{
	char count[24];
	const struct table_pair pairs[] = {{"target", s->target, NULL}, {"sent", count, ""}};

	if (s->code != CLIENT_OK)
		return s->code;
	if (code != CLIENT_OK)
		return client_fail(code, "%s", s->talk.reason);
	snprintf(count, sizeof count, "%zu", s->sent);
	if (s->talk.client->json)
		table_print_pairs(pairs, 2, true);
	return CLIENT_OK;
}

int once_send(struct client *c, const struct profile *p, const struct talk_options *o,
	const struct once_options *own, const struct client_words *words)
{
	_cleanup_(cleanup_free) struct sending *s = calloc(1, sizeof *s);
	int code;

	if (s == NULL || talk_begin(&s->talk, c, p, o, &view, s) < 0)
		return client_fail(ERR_EXIT_TEMP, "%s", err_text(-ENOMEM));
	s->own = own;
	s->target = words->v[0];
	s->by_words = words->count > 1;
	s->text = BUF_INIT(MODEL_TEXT_MAX);
	s->input = BUF_INIT(LINE_MAX_BYTES + 2);
	s->watch =
		(struct talk_watch){.fd = -1, .ready = input_ready, .stop = each_round, .arg = s};
	for (size_t i = 1; i < words->count; i++) {
		buf_add_str(&s->text, i > 1 ? " " : "");
		buf_add_str(&s->text, words->v[i]);
	}
	code = talk_prepare(&s->talk);
	if (code == CLIENT_OK)
		code = told(s, talk_loop(&s->talk, &s->watch, INT64_MAX));
	talk_done(&s->talk);
	buf_done(&s->text);
	buf_done(&s->input);
	return code;
}
