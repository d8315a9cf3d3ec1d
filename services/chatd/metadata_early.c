/* METADATA before registration ("before-connect"): of oneself, remembered until 001. */
#include "services/chatd/metadata.h"

#include "base/cleanup.h"

#include <errno.h>

static size_t find(const struct chatd_subscriptions *s, const char *key)
{
	size_t at = 0;

	while (at < s->early_count && strcmp(s->early[at].key, key) != 0)
		at++;
	return at;
}

static void forget(struct chatd_subscriptions *s, size_t at)
{
	if (at < s->early_count && at != --s->early_count)
		s->early[at] = s->early[s->early_count];
}

static int set(struct metadata *m, struct chatd_subscriptions *s)
{
	struct span value = m->message->count > 3 ? m->message->params[3] : span_of(NULL, 0);
	char key[CHAT_META_KEY_SIZE];
	size_t at;

	if (!metadata_key_said(m->c, m->message->params[2], key) ||
		!metadata_value_said(m->c, key, value))
		return 0;
	at = find(s, key);
	if (value.len == 0) {
		forget(s, at);
		chatd_numeric(m->c, 766, "* %s :The key is removed", key);
	} else if (at == CHAT_META_MAX) {
		metadata_refuse(m->c, "LIMIT_REACHED", "*", "", "There are too many keys");
	} else if (span_copy_str(value, s->early[at].value, sizeof(s->early[at].value)) == 0) {
		memcpy(s->early[at].key, key, sizeof(key));
		s->early_count += at == s->early_count;
		chatd_numeric(m->c, 761, "* %s * :%s", key, s->early[at].value);
	}
	return 0;
}

static void say(struct chatd *c, const char *batch, const struct metadata_value *v)
{
	metadata_line(c, batch, 761, "* %s * :%s", v->key, v->value);
}

static int list(struct metadata *m, struct chatd_subscriptions *s)
{
	char batch[16];

	chatd_batch_begin(m->c, "metadata", "*", batch);
	for (size_t i = 0; i < s->early_count; i++)
		say(m->c, batch, &s->early[i]);
	chatd_batch_end(m->c, batch);
	return 0;
}

static int get(struct metadata *m, struct chatd_subscriptions *s)
{
	char batch[16], key[CHAT_META_KEY_SIZE];

	chatd_batch_begin(m->c, "metadata", "*", batch);
	for (size_t i = 2; i < m->message->count; i++) {
		size_t at;

		if (!metadata_key_said(m->c, m->message->params[i], key))
			continue;
		at = find(s, key);
		if (at < s->early_count)
			say(m->c, batch, &s->early[at]);
		else
			metadata_line(m->c, batch, 766, "* %s :The key is not set", key);
	}
	chatd_batch_end(m->c, batch);
	return 0;
}

static int clear(struct metadata *m, struct chatd_subscriptions *s)
{
	char batch[16];

	chatd_batch_begin(m->c, "metadata", "*", batch);
	for (size_t i = 0; i < s->early_count; i++)
		metadata_line(m->c, batch, 766, "* %s :The key is removed", s->early[i].key);
	s->early_count = 0;
	chatd_batch_end(m->c, batch);
	return 0;
}

static int later(struct metadata *m, struct chatd_subscriptions *s)
{
	(void)s;
	chatd_numeric(m->c, 774, "* 1 :Not before you are registered");
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct metadata *m, struct chatd_subscriptions *s);
} verbs[] = {{"GET", get}, {"LIST", list}, {"SET", set}, {"CLEAR", clear}, {"SYNC", later}};

int metadata_early(struct metadata *m, const char *verb)
{
	struct chatd_subscriptions *s = metadata_subscriptions(m->c);

	if (s == NULL)
		return -ENOMEM;
	if (!span_eq_str(m->message->params[0], "*")) {
		metadata_refuse(m->c, "INVALID_TARGET", chatd_word(m->message->params[0]).text, "",
			"Only \"*\", yourself, before you are registered");
		return 0;
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(verbs[i].name, verb) == 0)
			return verbs[i].run(m, s);
	return 0;
}

/* Nothing is read from the log here: the session does not know yet in which channels it is. Of
 * one's own changes there is nothing to be read. */
int metadata_note_early(struct chatd *c)
{
	struct chatd_subscriptions *s = c->subscriptions;
	struct store *store = c->service->store;
	int r = 0;

	for (size_t i = 0; r == 0 && s != NULL && i < s->early_count; i++) {
		struct chat_meta_args args = {.by = chatd_actor(c),
			.key = span_str(s->early[i].key),
			.value = span_str(s->early[i].value)};
		struct chat_result result = {.answer = CHAT_DONE};

		r = store_call(store, STORE_OP_CHAT_META, &args, &result);
		if (r == 0 && result.answer == CHAT_TOO_MANY)
			metadata_refuse(
				c, "LIMIT_REACHED", chatd_nick(c), "", "There are too many keys");
		if (r == 0 && result.ring.scope != CHAT_RING_NONE)
			(void)chat_ring(store, c->service->settings.runtime, &result.ring,
				c->service->session_id);
	}
	if (s != NULL)
		s->early_count = 0;
	return r;
}
