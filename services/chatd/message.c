/*
 * PRIVMSG, NOTICE and TAGMSG: what a line says becomes posts, one for each target. Without a label
 * they wait for others that have come with them; see post.c.
 */
#include "services/chatd/show.h"

#include "base/cleanup.h"

void chatd_aim(struct chat_post *post, struct span target)
{
	static const char signs[] = {'@', '%', '+'};

	post->status = '\0';
	for (size_t i = 0; i < sizeof(signs) && target.len > 1 && target.p[1] == '#'; i++)
		if (*target.p == (unsigned char)signs[i])
			post->status = signs[i];
	post->target = post->status != '\0' ? span_of(target.p + 1, target.len - 1) : target;
}

/* Client-only tags are for those who receive the message; all others end here (IRCv3 message-tags).
 */
void chatd_client_tags(const struct chatd *c, struct span tags, struct buf *ret)
{
	struct span key, value;

	while (chatd_has(c, CAP_MESSAGE_TAGS) && irc_tag_next(&tags, &key, &value)) {
		if (*key.p != '+' || !irc_tag_key_ok(key))
			continue;
		if (ret->len > 0)
			buf_add_byte(ret, ';');
		buf_add(ret, key);
		if (value.len > 0) {
			buf_add_byte(ret, '=');
			buf_add(ret, value);
		}
	}
}

bool chatd_fits(const struct chatd *c, const char *verb, struct span to, struct span text)
{
	const struct chat_user *me = &c->me;

	return strlen(me->nick) + strlen(me->ident) + strlen(me->host) + strlen(verb) + to.len +
		text.len + sizeof(":!@   :") - 1 <=
		IRC_BODY_MAX;
}

/* -- what a message is ------------------------------------------------------------------------- */

/* Somebody is typing: worth nothing a moment later. */
static bool only_typing(struct span tags)
{
	struct span key, value;

	while (irc_tag_next(&tags, &key, &value))
		if (!span_eq_str(key, "+typing") && !span_eq_str(key, "+draft/typing"))
			return false;
	return true;
}

/* A session that logged in by password outlives the certificate that it showed as well. */
static bool key_holds(const struct chatd *c)
{
	return c->has_key && auth_still_valid(c->service->store, &c->certificate) == 0;
}

/* Programs asking each other by CTCP are in no history; a request of a call (DCC) carries the key
 * of who asks, where that is known. */
static unsigned flags_of(const struct chatd *c, const struct chat_post *post)
{
	struct span verb, rest;

	if (post->kind == CHAT_TAGMSG)
		return only_typing(post->tags) ? CHAT_EVENT_PASSING : 0;
	if (!irc_ctcp(post->text, &verb, &rest) || irc_is(verb, "ACTION"))
		return 0;
	if (irc_is(verb, "DCC") && key_holds(c))
		return CHAT_EVENT_PASSING | CHAT_EVENT_STAMPED;
	return CHAT_EVENT_PASSING;
}

static int add_posts(struct chatd *c, struct chat_post *post, const char *verb, struct span targets)
{
	struct span target;
	size_t count = 0;
	int r = 0;

	/* What waits is posted before anything is said, so that answers keep their order. */
	while (irc_word(&targets, ',', &target)) {
		bool fits = post->kind == CHAT_TAGMSG || chatd_fits(c, verb, target, post->text);
		bool last = count++ == CHATD_TARGETS_MAX;

		chatd_aim(post, target);
		r = fits && !last ? chatd_post_add(c, post) : chatd_post(c);
		if (r < 0)
			break;
		if (last) {
			chatd_numeric(c, 407, "%s :Too many targets", chatd_word(target).text);
			break;
		}
		if (!fits)
			chatd_numeric(c, 417, ":The text does not fit one line to %s",
				chatd_word(target).text);
	}
	return r;
}

/* What is missing? 0: nothing is. A NOTICE is not answered. */
static unsigned missing(enum chat_kind kind, const struct irc_message *m)
{
	if (m->count == 0 || m->params[0].len == 0)
		return 411;
	return kind != CHAT_TAGMSG && (m->count < 2 || m->params[1].len == 0) ? 412 : 0;
}

static int refuse_missing(struct chatd *c, enum chat_kind kind, const char *verb, unsigned numeric)
{
	int r = chatd_post(c);

	if (r < 0 || kind == CHAT_NOTICE)
		return r;
	if (numeric == 411)
		chatd_numeric(c, 411, ":No recipient given (%s)", verb);
	else
		chatd_numeric(c, 412, ":No text to send");
	return 0;
}

static const struct {
	const char *verb;
	enum chat_kind kind;
} verbs[] = {{"PRIVMSG", CHAT_PRIVMSG}, {"NOTICE", CHAT_NOTICE}, {"TAGMSG", CHAT_TAGMSG}};

int chatd_cmd_message(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct chatd *c = call->c;
	_cleanup_(buf_done) struct buf tags = BUF_INIT(IRC_CLIENT_TAGS_MAX);
	struct chat_post post = {.kind = CHAT_PRIVMSG};
	const char *verb = verbs[0].verb;
	unsigned numeric;
	int r;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (!irc_is(m->verb, verbs[i].verb))
			continue;
		post.kind = verbs[i].kind;
		verb = verbs[i].verb;
	}
	numeric = missing(post.kind, m);
	if (numeric != 0)
		return refuse_missing(c, post.kind, verb, numeric);
	chatd_client_tags(c, m->tags, &tags);
	post.tags = buf_span(&tags);
	if (post.kind != CHAT_TAGMSG)
		post.text = m->params[1];
	else if (post.tags.len == 0)
		return 0;
	post.flags = flags_of(c, &post);
	r = add_posts(c, &post, verb, m->params[0]);
	return r == 0 && c->answering.label[0] != '\0' ? chatd_post(c) : r;
}
