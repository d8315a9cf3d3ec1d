/* METADATA SUB, UNSUB, SUBS: of which keys the client wants to hear. */
#include "services/chatd/metadata.h"

#include "base/cleanup.h"

#include <errno.h>

enum { LINE_LEN = 400, KEYS_LEN = CHATD_SUBS_MAX * CHAT_META_KEY_SIZE };

struct chatd_subscriptions *metadata_subscriptions(struct chatd *c)
{
	if (c->subscriptions == NULL)
		c->subscriptions = calloc(1, sizeof(*c->subscriptions));
	return c->subscriptions;
}

void chatd_metadata_done(struct chatd *c)
{
	free(c->subscriptions);
	c->subscriptions = NULL;
}

static size_t find(const struct chatd_subscriptions *s, struct span key)
{
	for (size_t i = 0; i < s->count; i++)
		if (irc_eq(span_str(s->keys[i]), key))
			return i;
	return CHATD_SUBS_MAX;
}

bool chatd_subscribed(const struct chatd *c, struct span key)
{
	return c->subscriptions != NULL && find(c->subscriptions, key) < CHATD_SUBS_MAX;
}

/* As many keys on a line as it takes; each is a parameter. */
static void say_keys(struct chatd *c, const char *batch, unsigned number, const struct buf *keys)
{
	struct span rest = buf_span(keys), key;

	while (irc_word(&rest, ' ', &key)) {
		struct span line = key;

		for (struct span next = rest; irc_word(&next, ' ', &key); rest = next) {
			size_t len = (size_t)(key.p + key.len - line.p);

			if (len > LINE_LEN)
				break;
			line.len = len;
		}
		metadata_line(c, batch, number, "%.*s", CHATD_SPAN(line));
	}
}

/* False: there are too many, and it was said. */
static bool subscribe(struct chatd *c, struct chatd_subscriptions *s, const char *key)
{
	if (find(s, span_str(key)) < CHATD_SUBS_MAX)
		return true;
	if (s->count == CHATD_SUBS_MAX) {
		metadata_refuse(c, "LIMIT_REACHED", key, "50", "There are too many subscriptions");
		return false;
	}
	(void)snprintf(s->keys[s->count++], CHAT_META_KEY_SIZE, "%s", key);
	return true;
}

/* What is set already, the client asks for by SYNC of all. */
int metadata_sub(struct metadata *m)
{
	struct chatd_subscriptions *s = metadata_subscriptions(m->c);
	_cleanup_(buf_done) struct buf done = BUF_INIT(KEYS_LEN);
	char key[CHAT_META_KEY_SIZE];

	if (s == NULL)
		return -ENOMEM;
	for (size_t i = 2; i < m->message->count; i++) {
		if (!metadata_key_said(m->c, m->message->params[i], key))
			continue;
		if (!subscribe(m->c, s, key))
			break;
		buf_addf(&done, " %s", key);
	}
	say_keys(m->c, "", 770, &done);
	if (m->c->registered && done.len > 0)
		chatd_numeric(m->c, 774, "*ALL 0 :Ask for what is set already");
	return 0;
}

int metadata_unsub(struct metadata *m)
{
	struct chatd_subscriptions *s = metadata_subscriptions(m->c);
	_cleanup_(buf_done) struct buf done = BUF_INIT(KEYS_LEN);
	char key[CHAT_META_KEY_SIZE];

	if (s == NULL)
		return -ENOMEM;
	for (size_t i = 2; i < m->message->count; i++) {
		size_t at;

		if (!metadata_key_said(m->c, m->message->params[i], key))
			continue;
		at = find(s, span_str(key));
		if (at < CHATD_SUBS_MAX && at != --s->count)
			memcpy(s->keys[at], s->keys[s->count], sizeof(s->keys[at]));
		buf_addf(&done, " %s", key);
	}
	say_keys(m->c, "", 771, &done);
	return 0;
}

int metadata_subs(struct metadata *m)
{
	struct chatd_subscriptions *s = metadata_subscriptions(m->c);
	_cleanup_(buf_done) struct buf keys = BUF_INIT(KEYS_LEN);
	char batch[16];

	if (s == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < s->count; i++)
		buf_addf(&keys, " %s", s->keys[i]);
	chatd_batch_begin(m->c, "metadata-subs", "", batch);
	say_keys(m->c, batch, 772, &keys);
	chatd_batch_end(m->c, batch);
	return 0;
}
