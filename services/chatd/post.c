/*
 * Messages on their way into the log. What a client sends in one go is collected and posted in one
 * commit; the answers follow in the same order.
 */
#include "services/chatd/show.h"

#include "base/cleanup.h"

#include <errno.h>

enum { BYTES_MAX = 8 * (IRC_LINE_MAX + CHAT_TEXT_MAX) };

/* Where something lies in the bytes: these may move while they grow. */
struct place {
	size_t at, len;
};

struct waiting {
	struct chat_post post; /* its spans are set when it is posted */
	struct place target, text, tags;
};

struct chatd_pending {
	size_t count;
	struct waiting waiting[CHAT_POSTS_MAX];
	struct buf bytes;
};

void chatd_post_done(struct chatd *c)
{
	if (c->pending == NULL)
		return;
	buf_done(&c->pending->bytes);
	free(c->pending);
	c->pending = NULL;
}

static struct place keep(struct buf *b, struct span s)
{
	struct place p = {b->len, s.len};

	buf_add(b, s);
	return p;
}

static struct span at(const struct buf *b, struct place p)
{
	return p.len > 0 ? span_of(b->p + p.at, p.len) : span_of(NULL, 0);
}

static int make_room(struct chatd *c, size_t len)
{
	struct chatd_pending *p = c->pending;
	int r = 0;

	if (p != NULL && (p->count == CHAT_POSTS_MAX || p->bytes.len + len > BYTES_MAX))
		r = chatd_post(c);
	if (r < 0 || c->pending != NULL)
		return r;
	c->pending = calloc(1, sizeof(*c->pending));
	if (c->pending == NULL)
		return -ENOMEM;
	c->pending->bytes = BUF_INIT(BYTES_MAX);
	return 0;
}

int chatd_post_add(struct chatd *c, const struct chat_post *post)
{
	int r = make_room(c, post->target.len + post->text.len + post->tags.len);
	struct chatd_pending *p = c->pending;
	struct waiting *w;

	if (r < 0)
		return r;
	w = &p->waiting[p->count];
	w->post = *post;
	w->target = keep(&p->bytes, post->target);
	w->text = keep(&p->bytes, post->text);
	w->tags = keep(&p->bytes, post->tags);
	if (buf_error(&p->bytes) < 0)
		return buf_error(&p->bytes);
	p->count++;
	return 0;
}

/* -- what is said about one -------------------------------------------------------------------- */

struct absence {
	struct span nick;
	struct chat_user user;
	bool found;
};

static int find(struct store_txn *txn, void *arg)
{
	struct absence *a = arg;
	int r = chat_addressee_find(txn, a->nick, &a->user);

	a->found = r == 0;
	return r == 0 || r == -ENOENT ? 1 : r;
}

int chatd_say_away(struct chatd *c, struct span nick)
{
	struct absence a = {.nick = nick};
	int r = chatd_view(c, find, &a);

	if (r <= 0 || !a.found)
		return r < 0 ? r : 0;
	if (a.user.sessions == 0)
		chatd_numeric(c, 301, "%s :is not here now, and will find it on coming back",
			a.user.nick);
	else if ((a.user.flags & CHAT_USER_AWAY) != 0)
		chatd_numeric(c, 301, "%s :%s", a.user.nick, a.user.away);
	return 0;
}

static const char *verb_of(enum chat_kind kind)
{
	return kind == CHAT_PRIVMSG ? "PRIVMSG" : kind == CHAT_NOTICE ? "NOTICE" : "TAGMSG";
}

/* Nothing answers a NOTICE (RFC 2812 section 3.3.2), unless the house itself has no room. */
static int answer_one(
	struct chatd *c, const struct chat_post *post, enum chat_answer answer, bool away)
{
	struct chatd_word target = chatd_word(post->target);
	bool to_channel = target.text[0] == '#';

	if (answer == CHAT_DONE || answer == CHAT_NOTHING)
		return away && post->kind == CHAT_PRIVMSG ? chatd_say_away(c, post->target) : 0;
	/* What is posted costs in the store. */
	chatd_cost(c);
	if (post->kind != CHAT_NOTICE || answer == CHAT_QUOTA)
		chatd_refuse(c, answer, verb_of(post->kind), to_channel ? target.text : "",
			to_channel ? "" : target.text);
	return 0;
}

/* -- posting ----------------------------------------------------------------------------------- */

/* Posts what is there of it; *ret_done: how many got an answer. What is behind a flood has none
 * yet. 1; 0: it could not be done, which was said; negative. */
static int post_some(struct chatd *c, const struct chat_post *posts, size_t count, size_t *ret_done)
{
	struct chat_post_args args = {.by = chatd_actor(c),
		.source = net_peer_bucket(&c->service->peer),
		.posts = posts,
		.count = count};
	struct chat_post_result result = {.result.answer = CHAT_DONE};
	const char *verb = c->verb;
	size_t done = 0;
	int r;

	c->verb = verb_of(posts[0].kind); /* what is refused was that, not what comes now */
	r = chatd_act(c, STORE_OP_CHAT_POST, &args, &result);
	c->verb = verb;
	if (r < 0 || (r == 0 && result.result.answer == CHAT_DONE))
		return r;
	for (r = 0; r == 0 && done < count && result.each[done] != CHAT_FLOOD; done++)
		r = answer_one(c, &posts[done], result.each[done], result.away[done] != 0);
	*ret_done = done;
	return r < 0 ? r : done > 0;
}

/* chatd_act() waits when the first of them is too much, so that each round ends some. */
static int post_all(struct chatd *c, const struct chatd_pending *p)
{
	struct chat_post posts[CHAT_POSTS_MAX];
	size_t done = 0;
	int r = 1;

	for (size_t i = 0; i < p->count; i++) {
		posts[i] = p->waiting[i].post;
		posts[i].target = at(&p->bytes, p->waiting[i].target);
		posts[i].text = at(&p->bytes, p->waiting[i].text);
		posts[i].tags = at(&p->bytes, p->waiting[i].tags);
	}
	for (size_t at_post = 0; at_post < p->count && r == 1 && !c->quit; at_post += done)
		r = post_some(c, posts + at_post, p->count - at_post, &done);
	return r < 0 ? r : 0;
}

int chatd_post(struct chatd *c)
{
	struct chatd_pending *p = take_ptr(&c->pending);
	int r;

	if (p == NULL)
		return 0;
	r = post_all(c, p);
	buf_done(&p->bytes);
	free(p);
	return r;
}
