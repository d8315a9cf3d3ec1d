/*
 * PING both ways. Our own carry the position in the log: whoever answers has received everything up
 * to there, which is noted for the device, so that it is told nothing twice and misses nothing.
 */
#include "services/chatd/chatd.h"

#include "base/num.h"
#include "base/timefmt.h"

#include <errno.h>

enum {
	NEWS_MS = 30000, /* between pings while there is news */
	IDLE_MS = 120000, /* and without */
};

/* What was delivered since the last answer is not sure yet. */
static bool has_news(const struct chatd *c)
{
	return c->seq > c->sure && !chat_is_guest(c->me.who);
}

int64_t chatd_ping_at_ms(const struct chatd *c)
{
	int64_t every_ms = has_news(c) ? NEWS_MS : IDLE_MS;

	return c->registered ? c->ping_ms + every_ms : INT64_MAX;
}

bool chatd_ping_due(struct chatd *c)
{
	int64_t now_ms = time_monotonic_ms();

	if (c->quit || now_ms < chatd_ping_at_ms(c))
		return false;
	c->ping_ms = now_ms;
	c->ping_seq = c->seq;
	chatd_server(c, "PING :q%llu", (unsigned long long)c->seq);
	return true;
}

/* Everything that others have done so far comes first. */
int chatd_cmd_ping(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chatd *c = call->c;
	int r;

	if (m->count == 0) {
		chatd_numeric(c, 461, "PING :Not enough parameters");
		return 0;
	}
	r = chatd_drain(c, 0);
	if (r == 0 && !c->quit)
		chatd_server(
			c, "PONG %s :%.*s", c->service->settings.host, CHATD_SPAN(m->params[0]));
	return r;
}

static int note_seen(struct chatd *c, uint64_t seq)
{
	struct chat_seen_args args = {.by = chatd_actor(c), .seq = seq};
	struct chat_result result = {.answer = CHAT_DONE};
	int r = store_call(c->service->store, STORE_OP_CHAT_SEEN, &args, &result);

	/* Busy or full for a moment: the next one notes it as well. */
	return err_is_temporary(r) && r != -ESTALE ? 0 : r;
}

int chatd_cmd_pong(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chatd *c = call->c;
	struct span token;
	uint64_t seq;

	if (m->count == 0 || !c->registered)
		return 0;
	token = m->params[m->count - 1];
	if (token.len < 2 || *token.p != 'q' ||
		num_parse_u64(span_of(token.p + 1, token.len - 1), 0, c->ping_seq, &seq) < 0 ||
		seq <= c->sure)
		return 0;
	/* One answer to each ping, or every position before it could be made a commit. */
	c->ping_seq = 0;
	c->sure = seq;
	return chat_is_guest(c->me.who) ? 0 : note_seen(c, seq);
}

int chatd_cmd_quit(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chatd *c = call->c;

	if (m->count > 0 && m->params[0].len > 0)
		(void)snprintf(c->quit_text, sizeof(c->quit_text), "Quit: %.*s",
			CHATD_SPAN(chatd_cut(m->params[0], CHAT_TOPIC_SIZE - 7)));
	else
		(void)snprintf(c->quit_text, sizeof(c->quit_text), "Quit");
	chatd_end(c, "quit", "%s", c->quit_text);
	return 0;
}
