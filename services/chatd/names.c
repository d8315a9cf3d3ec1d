/* NAMES, and what one is shown of a channel behind one's own JOIN. */
#include "services/chatd/chatd.h"
#include "services/chatd/show.h"

#include "base/cleanup.h"

#include <errno.h>

enum { NAMES_BYTES_MAX = 8 << 20 };

struct names {
	struct chatd *c;
	uint64_t id; /* 0: by name */
	struct span name;
	struct chat_channel channel;
	bool found, within;
	struct buf list; /* each behind a blank */
};

void chatd_add_prefix(const struct chatd *c, unsigned roles, struct buf *b)
{
	static const struct {
		enum chat_role role;
		unsigned char sign;
	} signs[] = {{CHAT_OP, '@'}, {CHAT_HALFOP, '%'}, {CHAT_VOICE, '+'}};

	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		if ((roles & signs[i].role) == 0)
			continue;
		buf_add_byte(b, signs[i].sign);
		if (!chatd_has(c, CAP_MULTI_PREFIX))
			return;
	}
}

/* Members who are not there now have been seen to leave; the invisible are for members to see. */
static int add_name(void *arg, const struct chat_member *m, const struct chat_user *u)
{
	struct names *n = arg;

	if (u->sessions == 0 || (!n->within && (u->flags & CHAT_USER_INVISIBLE) != 0))
		return 0;
	buf_add_byte(&n->list, ' ');
	chatd_add_prefix(n->c, m->roles, &n->list);
	buf_add_str(&n->list, u->nick);
	if (chatd_has(n->c, CAP_USERHOST_IN_NAMES))
		buf_addf(&n->list, "!%s@%s", u->ident, u->host);
	return 0;
}

static int gather(struct store_txn *txn, void *arg)
{
	struct names *n = arg;
	int r = n->id != 0 ? chat_channel_read(txn, n->id, &n->channel)
			   : chat_channel_find(txn, n->name, &n->channel);

	if (r == -ENOENT)
		return 1;
	if (r < 0)
		return r;
	n->found = chatd_sees(n->c, &n->channel);
	n->within = chatd_room(n->c, n->channel.id) != NULL;
	if (!n->found)
		return 1;
	r = chat_members_each(txn, n->channel.id, add_name, n);
	return r < 0 ? r : 1;
}

/* As many on a line as it takes. */
static void say_list(const struct names *n)
{
	bool secret = (n->channel.modes & CHAT_MODE_SECRET) != 0;
	size_t head = strlen(n->c->service->settings.host) + strlen(chatd_nick(n->c)) +
		strlen(n->channel.name) + sizeof(": 353  =  :") - 1;
	struct span rest = buf_span(&n->list), name;

	while (irc_word(&rest, ' ', &name)) {
		struct span line = name;

		for (struct span next = rest; irc_word(&next, ' ', &name); rest = next) {
			size_t len = (size_t)(name.p + name.len - line.p);

			if (head + len > IRC_BODY_MAX)
				break;
			line.len = len;
		}
		chatd_numeric(n->c, 353, "%c %s :%.*s", secret ? '@' : '=', n->channel.name,
			CHATD_SPAN(line));
	}
}

/* 353 for the channel, if there is one to be seen. 1; 0 it could not be done now; negative. */
static int say_names(struct names *n)
{
	int r;

	n->list = BUF_INIT(NAMES_BYTES_MAX);
	r = chatd_view(n->c, gather, n);
	if (r == 1 && n->found)
		say_list(n);
	buf_done(&n->list);
	return r;
}

int chatd_names(struct chatd *c, uint64_t id)
{
	struct names n = {.c = c, .id = id};
	int r = say_names(&n);

	if (r == 1 && n.found)
		chatd_numeric(c, 366, "%s :End of /NAMES list", n.channel.name);
	return r < 0 ? r : 0;
}

/* Several channels have one end (as it was asked for); without any there is nothing to be listed.
 */
int chatd_cmd_names(struct chatd_call *call)
{
	const struct irc_message *m = call->message;
	struct span names = m->count > 0 ? m->params[0] : span_of(NULL, 0), name;

	for (bool another = false; irc_word(&names, ',', &name); another = true) {
		struct names n = {.c = call->c, .name = name};
		int r;

		if (another)
			chatd_cost(call->c);
		r = say_names(&n);
		if (r <= 0)
			return r;
	}
	chatd_numeric(call->c, 366, "%s :End of /NAMES list",
		chatd_word(m->count > 0 ? m->params[0] : span_of(NULL, 0)).text);
	return 0;
}

struct shown {
	uint64_t id;
	struct chat_channel channel;
	bool found;
};

static int read_shown(struct store_txn *txn, void *arg)
{
	struct shown *s = arg;
	int r = chat_channel_read(txn, s->id, &s->channel);

	s->found = r == 0;
	return r == 0 || r == -ENOENT ? 1 : r;
}

/* The marker stands before the end of the names (draft/read-marker). */
int chatd_show_channel(struct chatd *c, uint64_t id)
{
	struct shown s = {.id = id};
	int r = chatd_view(c, read_shown, &s);

	if (r <= 0 || !s.found)
		return r < 0 ? r : 0;
	chatd_show_topic(c, &s.channel);
	r = chatd_show_marker(c, id);
	if (r == 0 && !chatd_has(c, CAP_NO_IMPLICIT_NAMES))
		r = chatd_names(c, id);
	if (r == 0)
		r = chatd_show_metadata(c, id);
	return r;
}
