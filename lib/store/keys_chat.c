/* The typed key builders of chat. */
#include "store/keys.h"

enum { TARGET_CHANNEL = 'c', TARGET_PEOPLE = 'p' };

unsigned char key_fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
}

/* A NUL would end the part before its time: no row has such a name. */
static void add_folded(struct key *k, struct span name)
{
	unsigned char folded[KV_KEY_MAX] = {0};

	if (name.len > sizeof(folded) || (name.len > 0 && memchr(name.p, '\0', name.len) != NULL)) {
		k->bad = true;
		k->len = 0;
		return;
	}
	for (size_t i = 0; i < name.len; i++)
		folded[i] = key_fold(name.p[i]);
	key_add(k, folded, name.len);
}

static void add_u64(struct key *k, uint64_t v)
{
	key_add_number(k, v, sizeof(v));
}

static void add_text(struct key *k, const char *text)
{
	key_add(k, text, strlen(text));
}

static struct key of_who(enum key_table table, const char *who)
{
	struct key k = key_table(table);

	key_add_name(&k, who);
	return k;
}

static struct key of_number(enum key_table table, uint64_t v)
{
	struct key k = key_table(table);

	add_u64(&k, v);
	return k;
}

static struct key of_folded(enum key_table table, struct span name)
{
	struct key k = key_table(table);

	add_folded(&k, name);
	return k;
}

static struct key who_and_number(enum key_table table, const char *who, uint64_t v)
{
	struct key k = of_who(table, who);

	add_u64(&k, v);
	return k;
}

static struct key number_and_who(enum key_table table, uint64_t v, const char *who)
{
	struct key k = of_number(table, v);

	add_text(&k, who);
	return k;
}

struct key key_chat_user(const char *who)
{
	struct key k = key_table(KEY_CHAT_USER);

	add_text(&k, who);
	return k;
}

struct key key_chat_nick(struct span nick)
{
	return of_folded(KEY_CHAT_NICK, nick);
}

struct key key_chat_whowas(struct span nick)
{
	struct key k = of_folded(KEY_CHAT_WHOWAS, nick);

	key_add_number(&k, 0, 1);
	return k;
}

struct key key_chat_whowas_row(struct span nick, uint64_t seq)
{
	struct key k = key_chat_whowas(nick);

	add_u64(&k, ~seq);
	return k;
}

struct key key_chat_session(const char *who)
{
	return of_who(KEY_CHAT_SESSION, who);
}

struct key key_chat_session_row(const char *who, uint64_t id)
{
	return who_and_number(KEY_CHAT_SESSION, who, id);
}

struct key key_chat_session_id(uint64_t id)
{
	return of_number(KEY_CHAT_SESSION_ID, id);
}

struct key key_chat_channel(uint64_t id)
{
	return of_number(KEY_CHAT_CHANNEL, id);
}

struct key key_chat_name(struct span name)
{
	return of_folded(KEY_CHAT_NAME, name);
}

struct key key_chat_member(uint64_t channel)
{
	return of_number(KEY_CHAT_MEMBER, channel);
}

struct key key_chat_member_row(uint64_t channel, const char *who)
{
	return number_and_who(KEY_CHAT_MEMBER, channel, who);
}

struct key key_chat_joined(const char *who)
{
	return of_who(KEY_CHAT_JOINED, who);
}

struct key key_chat_joined_row(const char *who, uint64_t channel)
{
	return who_and_number(KEY_CHAT_JOINED, who, channel);
}

struct key key_chat_list(uint64_t channel)
{
	return of_number(KEY_CHAT_LIST, channel);
}

struct key key_chat_list_of(uint64_t channel, char letter)
{
	struct key k = key_chat_list(channel);

	key_add_number(&k, (unsigned char)letter, 1);
	return k;
}

struct key key_chat_list_row(uint64_t channel, char letter, struct span mask)
{
	struct key k = key_chat_list_of(channel, letter);

	add_folded(&k, mask);
	return k;
}

struct key key_chat_invite(const char *who)
{
	return of_who(KEY_CHAT_INVITE, who);
}

struct key key_chat_invite_row(const char *who, uint64_t channel)
{
	return who_and_number(KEY_CHAT_INVITE, who, channel);
}

struct key key_chat_invited(uint64_t channel)
{
	return of_number(KEY_CHAT_INVITED, channel);
}

struct key key_chat_invited_row(uint64_t channel, const char *who)
{
	return number_and_who(KEY_CHAT_INVITED, channel, who);
}

struct key key_chat_event(uint64_t seq)
{
	return of_number(KEY_CHAT_EVENT, seq);
}

struct key key_chat_log(uint64_t channel, const char *a, const char *b)
{
	struct key k = key_table(KEY_CHAT_LOG);
	bool swap;

	if (channel != 0) {
		key_add_number(&k, TARGET_CHANNEL, 1);
		add_u64(&k, channel);
		return k;
	}
	swap = strcmp(a, b) > 0;
	key_add_number(&k, TARGET_PEOPLE, 1);
	key_add_name(&k, swap ? b : a);
	key_add_name(&k, swap ? a : b);
	return k;
}

struct key key_chat_log_row(const struct key *log, uint64_t seq)
{
	struct key k = *log;

	add_u64(&k, seq);
	return k;
}

struct key key_chat_talk(const char *who)
{
	return of_who(KEY_CHAT_TALK, who);
}

struct key key_chat_talk_row(const char *who, const char *peer)
{
	struct key k = key_chat_talk(who);

	add_text(&k, peer);
	return k;
}

struct key key_chat_device(const char *account)
{
	return of_who(KEY_CHAT_DEVICE, account);
}

struct key key_chat_device_row(const char *account, struct span device)
{
	struct key k = key_chat_device(account);

	key_add(&k, device.p, device.len);
	return k;
}

struct key key_chat_mark(const char *who)
{
	return of_who(KEY_CHAT_MARK, who);
}

struct key key_chat_mark_row(const char *who, struct span target)
{
	struct key k = key_chat_mark(who);

	add_folded(&k, target);
	return k;
}

struct key key_chat_meta(uint64_t channel, const char *who)
{
	struct key k = key_table(KEY_CHAT_META);

	key_add_number(&k, channel != 0 ? TARGET_CHANNEL : TARGET_PEOPLE, 1);
	if (channel != 0)
		add_u64(&k, channel);
	else
		key_add_name(&k, who);
	return k;
}

struct key key_chat_meta_row(uint64_t channel, const char *who, struct span key)
{
	struct key k = key_chat_meta(channel, who);

	key_add(&k, key.p, key.len);
	return k;
}

struct key key_chat_flood(uint8_t kind, struct span bytes)
{
	struct key k = key_table(KEY_CHAT_FLOOD);

	key_add_number(&k, kind, 1);
	key_add(&k, bytes.p, bytes.len);
	return k;
}
