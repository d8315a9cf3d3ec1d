/*
 * BATCH of a client: several lines that are one message (draft/multiline). They are collected, and
 * posted when the batch is closed. After a fault the rest of a batch is read and dropped, so that
 * nothing of it goes out as a message by itself.
 */
#include "services/chatd/show.h"

#include "base/cleanup.h"

#include <errno.h>

#define TYPE "draft/multiline"
#define CONCAT "draft/multiline-concat"

enum { REF_SIZE = 65 };

struct chatd_input_batch {
	char ref[REF_SIZE];
	char target[IRC_BODY_MAX];
	char label[65]; /* of its opening: the answer to the whole */
	enum chat_kind kind;
	struct buf text, tags; /* text: as chat_line_next() reads it */
	size_t lines, bytes; /* bytes: of the text as one, line ends between */
	bool written; /* a line is not blank */
	bool failed;
};

_Static_assert(CHATD_MULTILINE_MAX + 2 * CHATD_LINES_MAX <= CHAT_TEXT_MAX, "it fits the store");

void chatd_multiline_done(struct chatd *c)
{
	if (c->input == NULL)
		return;
	buf_done(&c->input->text);
	buf_done(&c->input->tags);
	free(c->input);
	c->input = NULL;
}

/* The answer from here on is that to the batch's opening. */
static void take_label(struct chatd *c, struct chatd_input_batch *b)
{
	if (b->label[0] == '\0' || c->answering.label[0] != '\0')
		return;
	chatd_answer_begin(c, span_str(b->label));
	b->label[0] = '\0';
}

static void fail(struct chatd *c, const char *code, const char *context, const char *why)
{
	if (c->input != NULL) {
		take_label(c, c->input);
		c->input->failed = true;
	}
	chatd_standard(c, "FAIL", "BATCH", code, context, "%s", why);
}

static void fail_limit(struct chatd *c, const char *code, unsigned limit, const char *why)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", limit);
	fail(c, code, text, why);
}

static void invalid(struct chatd *c, const char *why)
{
	fail(c, "MULTILINE_INVALID", "", why);
}

/* -- a line ------------------------------------------------------------------------------------ */

static bool target_ok(struct chatd *c, struct span target)
{
	struct chatd_word own = chatd_word(span_str(c->input->target)), given = chatd_word(target);
	char context[2 * sizeof(own.text) + 1];

	if (irc_eq(target, span_str(c->input->target)))
		return true;
	(void)snprintf(context, sizeof(context), "%s %s", own.text, given.text);
	fail(c, "MULTILINE_INVALID_TARGET", context, "All lines of a message have one target");
	return false;
}

static bool limits_ok(struct chatd *c, size_t bytes)
{
	if (c->input->lines == CHATD_LINES_MAX)
		fail_limit(c, "MULTILINE_MAX_LINES", CHATD_LINES_MAX, "Too many lines");
	else if (c->input->bytes + bytes > CHATD_MULTILINE_MAX)
		fail_limit(c, "MULTILINE_MAX_BYTES", CHATD_MULTILINE_MAX, "Too many bytes");
	return !c->input->failed;
}

static bool kind_ok(struct chatd *c, const struct irc_message *m)
{
	enum chat_kind kind = irc_is(m->verb, "NOTICE") ? CHAT_NOTICE : CHAT_PRIVMSG;

	if ((kind == CHAT_PRIVMSG && !irc_is(m->verb, "PRIVMSG")) || m->count != 2) {
		invalid(c, "A message has only lines of PRIVMSG with target and text");
		return false;
	}
	if (c->input->lines > 0 && kind != c->input->kind) {
		invalid(c, "A message is PRIVMSG or NOTICE in all its lines");
		return false;
	}
	c->input->kind = kind;
	return true;
}

static void add_line(struct chatd *c, const struct irc_message *m)
{
	struct chatd_input_batch *b = c->input;
	struct span text = m->params[1], value;
	bool concat = irc_tag_find(m->tags, CONCAT, &value) == 0;
	size_t bytes = text.len + (b->lines > 0 && !concat ? 1 : 0);

	if (concat && (text.len == 0 || b->lines == 0)) {
		invalid(c, "Only a line with text continues one before");
		return;
	}
	if (!chatd_fits(c, "PRIVMSG", m->params[0], text)) {
		invalid(c, "A line of it does not fit one line to its target");
		return;
	}
	if (!limits_ok(c, bytes))
		return;
	buf_add_byte(&b->text, concat ? 1 : 0);
	buf_add(&b->text, text);
	buf_add_byte(&b->text, '\n');
	b->bytes += bytes;
	b->lines++;
	b->written = b->written || text.len > 0;
}

int chatd_batch_line(struct chatd *c, const struct irc_message *m, struct span batch)
{
	if (c->input == NULL || !span_eq_str(batch, c->input->ref)) {
		invalid(c, "That is no open batch");
		return 0;
	}
	if (!c->input->failed && kind_ok(c, m) && target_ok(c, m->params[0]))
		add_line(c, m);
	return 0;
}

/* -- beginning and end ------------------------------------------------------------------------- */

static int begin(struct chatd *c, const struct irc_message *m, struct span ref)
{
	struct chatd_input_batch *b;

	if (c->input != NULL) {
		invalid(c, "One batch at a time");
		return 0;
	}
	if (ref.len == 0 || ref.len >= REF_SIZE || m->count < 3 || m->params[2].len == 0 ||
		!span_eq_str(m->params[1], TYPE) || !chatd_has(c, CAP_MULTILINE)) {
		invalid(c, "A batch has a name, the type " TYPE " and a target");
		return 0;
	}
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return -ENOMEM;
	c->input = b;
	b->text = BUF_INIT(CHAT_TEXT_MAX);
	b->tags = BUF_INIT(IRC_CLIENT_TAGS_MAX);
	chatd_client_tags(c, m->tags, &b->tags);
	if (span_copy_str(ref, b->ref, sizeof(b->ref)) < 0 ||
		span_copy_str(m->params[2], b->target, sizeof(b->target)) < 0)
		return -EINVAL;
	/* Nothing is answered now. */
	memcpy(b->label, c->answering.label, sizeof(b->label));
	c->answering.label[0] = '\0';
	return 0;
}

static int post(struct chatd *c, struct chatd_input_batch *b)
{
	struct chat_post p = {.kind = b->kind,
		.flags = CHAT_EVENT_MULTILINE,
		.text = buf_span(&b->text),
		.tags = buf_span(&b->tags)};
	int r;

	if (!b->written) {
		invalid(c, "A message has a line that is not blank");
		return 0;
	}
	r = buf_error(&b->text) < 0 ? buf_error(&b->text) : buf_error(&b->tags);
	if (r < 0)
		return r;
	chatd_aim(&p, span_str(b->target));
	r = chatd_post_add(c, &p);
	return r == 0 ? chatd_post(c) : r;
}

static int end(struct chatd *c, struct span ref)
{
	int r = 0;

	if (c->input == NULL || !span_eq_str(ref, c->input->ref)) {
		invalid(c, "That is no open batch");
		return 0;
	}
	take_label(c, c->input);
	if (!c->input->failed)
		r = post(c, c->input);
	chatd_multiline_done(c);
	return r;
}

int chatd_cmd_batch(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct span ref = m->params[0];
	unsigned char sign = ref.len > 0 ? *ref.p : '\0';

	if (sign != '+' && sign != '-') {
		invalid(call->c, "A batch begins with + and ends with -");
		return 0;
	}
	ref = span_of(ref.p + 1, ref.len - 1);
	return sign == '+' ? begin(call->c, m, ref) : end(call->c, ref);
}
