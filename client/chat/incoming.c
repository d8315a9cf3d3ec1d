/* Lines from the server: what their tags and batches say, and who handles them. */
#include "client/chat/talk.h"

#include "base/num.h"
#include "base/timefmt.h"

/* -- batches ----------------------------------------------------------------------------------- */

static void batch_clear(struct talk_batch *b)
{
	b->ref[0] = '\0';
	buf_reset(&b->tags);
	buf_reset(&b->source);
	buf_reset(&b->text);
}

void incoming_forget(struct talk *t)
{
	for (size_t i = 0; i < TALK_BATCHES_MAX; i++)
		batch_clear(&t->batches[i]);
}

static struct talk_batch *batch_find(struct talk *t, struct span ref)
{
	for (size_t i = 0; i < TALK_BATCHES_MAX; i++)
		if (ref.len > 0 && span_eq_str(ref, t->batches[i].ref))
			return &t->batches[i];
	return NULL;
}

/* The batch itself, or one around it, that is said to be something; NULL. */
static const struct talk_batch *batch_around(struct talk *t, const struct talk_batch *b, bool label)
{
	for (size_t depth = 0; b != NULL && depth < TALK_BATCHES_MAX; depth++) {
		if (label ? b->label[0] != '\0' : b->kind == BATCH_HISTORY)
			return b;
		b = batch_find(t, span_str(b->parent));
	}
	return NULL;
}

static struct talk_batch *batch_free_place(struct talk *t)
{
	for (size_t i = 0; i < TALK_BATCHES_MAX; i++)
		if (t->batches[i].ref[0] == '\0')
			return &t->batches[i];
	return NULL;
}

static enum batch_kind kind_of(struct span type)
{
	if (irc_is(type, "chathistory"))
		return BATCH_HISTORY;
	if (irc_is(type, "draft/multiline"))
		return BATCH_MULTILINE;
	return irc_is(type, "draft/chathistory-targets") ? BATCH_TARGETS : BATCH_OTHER;
}

static void batch_open(struct talk *t, const struct talk_in *in, struct span ref)
{
	struct talk_batch *b = batch_free_place(t);
	struct span label;

	/* Too many: their lines are taken for themselves. */
	if (b == NULL || batch_find(t, ref) != NULL || in->m.count < 2 ||
		span_copy_str(ref, b->ref, sizeof b->ref) < 0)
		return;
	b->kind = kind_of(in->m.params[1]);
	b->notice = b->any = false;
	b->label[0] = b->target[0] = b->parent[0] = '\0';
	if (irc_tag_find(in->m.tags, "label", &label) == 0)
		(void)span_copy_str(label, b->label, sizeof b->label);
	if (in->m.count > 2)
		(void)span_copy_str(in->m.params[2], b->target, sizeof b->target);
	if (in->batch != NULL)
		snprintf(b->parent, sizeof b->parent, "%s", in->batch->ref);
	buf_add(&b->tags, in->m.tags);
	buf_add(&b->source, in->m.source);
}

static void answered(struct talk *t, const char *label)
{
	if (label[0] == 'm')
		outgoing_answered(t, label);
	else if (label[0] == 'h')
		fill_answered(t, label);
}

/* -- a line ------------------------------------------------------------------------------------ */

static void time_take(struct talk *t, struct talk_in *in)
{
	struct span value;

	if (irc_tag_find(in->m.tags, "time", &value) < 0 || irc_time_parse(value, &in->at_us) < 0) {
		in->at_us = time_now_us();
		return;
	}
	if (!in->history && in->at_us > t->clock_us)
		t->clock_us = in->at_us;
}

/* What the tags say; the message is parsed already. */
static void tags_take(struct talk *t, struct talk_in *in, char label[TALK_ID_SIZE])
{
	struct span tags = in->m.tags, value;
	const struct talk_batch *labelled;

	in->source = irc_source_of(in->m.source);
	in->label = label;
	label[0] = '\0';
	if (irc_tag_find(tags, "batch", &value) == 0)
		in->batch = batch_find(t, value);
	labelled = batch_around(t, in->batch, true);
	if (irc_tag_find(tags, "label", &value) == 0)
		(void)span_copy_str(value, label, TALK_ID_SIZE);
	else if (labelled != NULL)
		snprintf(label, TALK_ID_SIZE, "%s", labelled->label);
	labelled = batch_around(t, in->batch, false);
	in->history = labelled != NULL;
	in->target = labelled != NULL ? labelled->target : "";
	(void)irc_tag_find(tags, "msgid", &in->msgid);
	(void)irc_tag_find(tags, "account", &in->account);
	(void)irc_tag_find(tags, "quintet/key", &in->key);
	(void)irc_tag_find(tags, "+quintet/id", &in->own_id);
	time_take(t, in);
	in->own = in->account.len > 0 && t->account[0] != '\0'
		? irc_eq(in->account, span_str(t->account))
		: in->source.nick.len > 0 && irc_eq(in->source.nick, span_str(t->nick));
}

/* -- multiline messages ------------------------------------------------------------------------ */

static void multiline_add(struct talk_batch *b, const struct talk_in *in)
{
	struct span concat;

	if (in->m.count < 2)
		return;
	if (b->any && irc_tag_find(in->m.tags, "draft/multiline-concat", &concat) < 0)
		buf_add_byte(&b->text, '\n');
	b->any = true;
	b->notice = irc_is(in->m.verb, "NOTICE");
	buf_add(&b->text, in->m.params[1]);
}

/* Told as one message, by the words of the batch's own line. */
static void multiline_end(struct talk *t, struct talk_batch *b)
{
	struct talk_in in = {.m = {.tags = buf_span(&b->tags),
				     .source = buf_span(&b->source),
				     .verb = b->notice ? SPAN_LIT("NOTICE") : SPAN_LIT("PRIVMSG"),
				     .params = {span_str(b->target)},
				     .count = 2}};
	char label[TALK_ID_SIZE];

	if (!b->any || buf_error(&b->tags) < 0 || buf_error(&b->source) < 0)
		return;
	tags_take(t, &in, label);
	if (in.history)
		fill_line(t, &in);
	said_text(t, &in, buf_span(&b->text));
}

static void batch_close(struct talk *t, struct span ref)
{
	struct talk_batch *b = batch_find(t, ref);
	char label[TALK_ID_SIZE];

	if (b == NULL)
		return;
	if (b->kind == BATCH_MULTILINE)
		multiline_end(t, b);
	memcpy(label, b->label, sizeof label);
	batch_clear(b);
	answered(t, label);
}

static void on_batch(struct talk *t, const struct talk_in *in)
{
	struct span ref = in->m.params[0];

	if (ref.len < 2)
		return;
	if (*ref.p == '+')
		batch_open(t, in, span_of(ref.p + 1, ref.len - 1));
	else if (*ref.p == '-')
		batch_close(t, span_of(ref.p + 1, ref.len - 1));
}

/* -- verbs ------------------------------------------------------------------------------------- */

static void on_ping(struct talk *t, const struct talk_in *in)
{
	(void)talk_send(t, "PONG :%.*s", (int)in->m.params[0].len, (const char *)in->m.params[0].p);
}

static void on_pong(struct talk *t, const struct talk_in *in)
{
	struct span token = in->m.params[in->m.count - 1];

	if (t->state == TALK_LOGIN && t->sync[0] != '\0' && span_eq_str(token, t->sync))
		talk_ready(t);
	else if (t->state == TALK_READY && t->view->pong != NULL)
		t->view->pong(t->view_arg, token);
}

static void on_account(struct talk *t, const struct talk_in *in)
{
	if (in->history || !irc_eq(in->source.nick, span_str(t->nick)))
		return;
	t->account[0] = '\0';
	if (!span_eq_str(in->m.params[0], "*"))
		(void)span_copy_str(in->m.params[0], t->account, sizeof t->account);
}

static void on_history(struct talk *t, const struct talk_in *in)
{
	if (in->batch != NULL && in->batch->kind == BATCH_TARGETS && in->m.count > 2)
		fill_target(t, in->m.params[1], in->m.params[2]);
}

static const struct {
	const char *verb;
	size_t least; /* parameters */
	void (*handle)(struct talk *t, const struct talk_in *in);
} verbs[] = {
	{"PRIVMSG", 2, said_message},
	{"NOTICE", 2, said_message},
	{"PING", 1, on_ping},
	{"PONG", 1, on_pong},
	{"BATCH", 1, on_batch},
	{"JOIN", 1, channel_join},
	{"PART", 1, channel_part},
	{"QUIT", 0, channel_quit},
	{"NICK", 1, channel_nick},
	{"KICK", 2, channel_kick},
	{"MODE", 2, channel_mode},
	{"TOPIC", 2, channel_topic},
	{"INVITE", 2, channel_invite},
	{"RENAME", 2, channel_rename},
	{"AWAY", 0, channel_away},
	{"ACCOUNT", 1, on_account},
	{"REDACT", 2, said_redact},
	{"MARKREAD", 2, said_marker},
	{"CHATHISTORY", 1, on_history},
	{"CAP", 3, login_cap},
	{"AUTHENTICATE", 1, login_authenticate},
	{"FAIL", 3, numeric_standard},
	{"WARN", 3, numeric_standard},
	{"NOTE", 3, numeric_standard},
	{"ERROR", 1, numeric_error},
	{"WALLOPS", 1, numeric_wallops},
};

static void dispatch(struct talk *t, const struct talk_in *in)
{
	uint64_t number;

	if (in->m.verb.len == 3 && *in->m.verb.p >= '0' && *in->m.verb.p <= '9') {
		const unsigned char *d = in->m.verb.p;

		number = (uint64_t)(d[0] - '0') * 100 + (uint64_t)(d[1] - '0') * 10 +
			(uint64_t)(d[2] - '0');
		if (in->m.count > 0)
			numeric_handle(t, (unsigned)number, in);
		return;
	}
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (irc_is(in->m.verb, verbs[i].verb)) {
			if (in->m.count >= verbs[i].least)
				verbs[i].handle(t, in);
			return;
		}
}

/* The open multiline batch that the line belongs to; NULL. */
static struct talk_batch *multiline_of(struct talk *t, const struct talk_in *in)
{
	struct talk_batch *b = in->batch != NULL ? batch_find(t, span_str(in->batch->ref)) : NULL;

	if (b == NULL || b->kind != BATCH_MULTILINE)
		return NULL;
	return irc_is(in->m.verb, "PRIVMSG") || irc_is(in->m.verb, "NOTICE") ? b : NULL;
}

void incoming_line(struct talk *t, struct span line)
{
	struct talk_in in = {.at_us = 0};
	char label[TALK_ID_SIZE];
	struct talk_batch *multiline;
	struct span own;

	if (irc_parse(line, IRC_SERVER_TAGS_MAX, &in.m) < 0)
		return;
	tags_take(t, &in, label);
	multiline = multiline_of(t, &in);
	if (multiline != NULL) {
		multiline_add(multiline, &in);
		return;
	}
	if (in.history && !irc_is(in.m.verb, "BATCH"))
		fill_line(t, &in);
	dispatch(t, &in);
	/* One line was the whole answer. */
	if (!irc_is(in.m.verb, "BATCH") && irc_tag_find(in.m.tags, "label", &own) == 0)
		answered(t, label);
}
