/* Decoding a row of any table of chat by its key: for store_check() and the fuzzer. */
#include "store/chat_check.h"

#include <errno.h>

enum { ID_LEN = 8, LOG_CHANNEL = 'c', LOG_PEOPLE = 'p' };

/* -- keys taken apart -------------------------------------------------------------------------- */

/* A name and its NUL off the front of *rest. */
static bool take_who(struct span *rest, char ret[CHAT_WHO_SIZE])
{
	struct span head;
	const unsigned char *nul = rest->len > 0 ? memchr(rest->p, '\0', rest->len) : NULL;

	if (nul == NULL || nul == rest->p)
		return false;
	head = span_of(rest->p, (size_t)(nul - rest->p));
	*rest = span_of(nul + 1, rest->len - head.len - 1);
	return span_copy_str(head, ret, CHAT_WHO_SIZE) == 0;
}

/* All of the rest, a name without its NUL. */
static bool is_who(struct span rest, char ret[CHAT_WHO_SIZE])
{
	return rest.len > 0 && span_copy_str(rest, ret, CHAT_WHO_SIZE) == 0;
}

static bool take_id(struct span *rest, uint64_t *ret)
{
	if (rest->len < ID_LEN)
		return false;
	*ret = key_number(span_of(rest->p, ID_LEN));
	*rest = span_of(rest->p + ID_LEN, rest->len - ID_LEN);
	return *ret != 0;
}

static struct span parts(struct span key)
{
	return span_of(key.p + 1, key.len - 1);
}

static bool who_and_id(struct span key, char ret_who[CHAT_WHO_SIZE], uint64_t *ret_id)
{
	struct span rest = parts(key);

	return take_who(&rest, ret_who) && take_id(&rest, ret_id) && rest.len == 0;
}

static bool id_and_who(struct span key, uint64_t *ret_id, char ret_who[CHAT_WHO_SIZE])
{
	struct span rest = parts(key);

	return take_id(&rest, ret_id) && is_who(rest, ret_who);
}

/* -- decoding ---------------------------------------------------------------------------------- */

static int yes(bool ok)
{
	return ok ? 0 : -EBADMSG;
}

static int decode_user(struct span key, struct span value)
{
	struct chat_user u;

	return chat_user_decode(key, value, &u);
}

static int decode_nick(struct span key, struct span value)
{
	char who[CHAT_WHO_SIZE];

	return yes(key.len > 1 && key.len <= CHAT_NICK_SIZE && is_who(value, who));
}

static int decode_whowas(struct span key, struct span value)
{
	struct chat_whowas w;

	return chat_whowas_decode(key, value, &w);
}

static int decode_session(struct span key, struct span value)
{
	struct chat_session s;

	return chat_session_decode(key, value, &s);
}

static int decode_session_id(struct span key, struct span value)
{
	char who[CHAT_WHO_SIZE];

	return yes(key.len == 1 + ID_LEN && is_who(value, who));
}

static int decode_channel(struct span key, struct span value)
{
	struct chat_channel c;

	return chat_channel_decode(key, value, &c);
}

static int decode_name(struct span key, struct span value)
{
	return yes(key.len > 1 && key.len <= CHAT_CHANNEL_SIZE && value.len == ID_LEN);
}

static int decode_member(struct span key, struct span value)
{
	struct chat_member m;

	return chat_member_decode(key, value, &m);
}

static int decode_who_and_id(struct span key, struct span value)
{
	char who[CHAT_WHO_SIZE];
	uint64_t id;

	return yes(value.len == 0 && who_and_id(key, who, &id));
}

static int decode_id_and_who(struct span key, struct span value)
{
	char who[CHAT_WHO_SIZE];
	uint64_t id;

	return yes(value.len == 0 && id_and_who(key, &id, who));
}

static int decode_list(struct span key, struct span value)
{
	struct chat_list_entry e;

	return chat_list_decode(key, value, &e);
}

static int decode_invite(struct span key, struct span value)
{
	char who[CHAT_WHO_SIZE];
	uint64_t id;
	int64_t at_us;

	return who_and_id(key, who, &id) ? chat_invite_decode(value, &at_us) : -EBADMSG;
}

static int decode_event(struct span key, struct span value)
{
	struct chat_event e;

	return chat_event_decode(key, value, &e);
}

/* Two names in their order, or a channel's number; then a position. */
static bool log_parts(struct span key, uint64_t *ret_seq)
{
	char a[CHAT_WHO_SIZE], b[CHAT_WHO_SIZE];
	struct span rest = parts(key);
	unsigned char kind;
	uint64_t id;

	if (rest.len == 0)
		return false;
	kind = rest.p[0];
	rest = span_of(rest.p + 1, rest.len - 1);
	if (kind == LOG_CHANNEL) {
		if (!take_id(&rest, &id))
			return false;
	} else if (kind != LOG_PEOPLE || !take_who(&rest, a) || !take_who(&rest, b) ||
		strcmp(a, b) > 0) {
		return false;
	}
	return take_id(&rest, ret_seq) && rest.len == 0;
}

static int decode_log(struct span key, struct span value)
{
	uint64_t seq;

	return yes(log_parts(key, &seq) && value.len == 1 && value.p[0] >= CHAT_PRIVMSG &&
		value.p[0] <= CHAT_MARKREAD);
}

static int decode_talk(struct span key, struct span value)
{
	char who[CHAT_WHO_SIZE], peer[CHAT_WHO_SIZE];
	struct span rest = parts(key);
	bool wrote;

	return take_who(&rest, who) && is_who(rest, peer) ? chat_talk_decode(value, &wrote)
							  : -EBADMSG;
}

static int decode_device(struct span key, struct span value)
{
	char who[CHAT_WHO_SIZE];
	struct span rest = parts(key);
	struct chat_device d;

	return take_who(&rest, who) && rest.len < CHAT_DEVICE_SIZE ? chat_device_decode(value, &d)
								   : -EBADMSG;
}

static int decode_mark(struct span key, struct span value)
{
	char who[CHAT_WHO_SIZE];
	struct span rest = parts(key);
	int64_t at_us;

	return take_who(&rest, who) && rest.len > 0 ? chat_mark_decode(value, &at_us) : -EBADMSG;
}

static int decode_meta(struct span key, struct span value)
{
	char who[CHAT_WHO_SIZE];
	struct span rest = parts(key);
	struct chat_meta_row m;
	unsigned char kind;
	uint64_t id;

	if (rest.len == 0)
		return -EBADMSG;
	kind = rest.p[0];
	rest = span_of(rest.p + 1, rest.len - 1);
	if (kind == LOG_CHANNEL ? !take_id(&rest, &id)
				: kind != LOG_PEOPLE || !take_who(&rest, who))
		return -EBADMSG;
	return chat_meta_decode(key, value, &m);
}

static int decode_flood(struct span key, struct span value)
{
	struct chat_bucket b;

	return key.len > 2 ? chat_bucket_decode(value, &b) : -EBADMSG;
}

static const struct {
	enum key_table table;
	int (*decode)(struct span key, struct span value);
} tables[] = {
	{KEY_CHAT_USER, decode_user},
	{KEY_CHAT_NICK, decode_nick},
	{KEY_CHAT_WHOWAS, decode_whowas},
	{KEY_CHAT_SESSION, decode_session},
	{KEY_CHAT_SESSION_ID, decode_session_id},
	{KEY_CHAT_CHANNEL, decode_channel},
	{KEY_CHAT_NAME, decode_name},
	{KEY_CHAT_MEMBER, decode_member},
	{KEY_CHAT_JOINED, decode_who_and_id},
	{KEY_CHAT_LIST, decode_list},
	{KEY_CHAT_INVITE, decode_invite},
	{KEY_CHAT_INVITED, decode_id_and_who},
	{KEY_CHAT_EVENT, decode_event},
	{KEY_CHAT_LOG, decode_log},
	{KEY_CHAT_TALK, decode_talk},
	{KEY_CHAT_DEVICE, decode_device},
	{KEY_CHAT_MARK, decode_mark},
	{KEY_CHAT_META, decode_meta},
	{KEY_CHAT_FLOOD, decode_flood},
};

int chat_row_decode(struct span key, struct span value)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (key.p[0] == tables[i].table)
			return tables[i].decode(key, value);
	return -EBADMSG;
}

int chat_meta_row_decode(struct span name, struct span value)
{
	struct chat_counts counts;
	struct chat_head head;

	if (span_eq_str(name, CHAT_META_HEAD))
		return chat_head_decode(value, &head);
	if (span_eq_str(name, CHAT_META_COUNTS))
		return chat_counts_decode(value, &counts);
	if (span_eq_str(name, CHAT_META_GUEST) || span_eq_str(name, CHAT_META_SWEPT) ||
		span_eq_str(name, CHAT_META_CHANNEL))
		return yes(value.len == ID_LEN);
	return -ENOENT;
}
