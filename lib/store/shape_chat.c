/*
 * Shapes: chat. Names and texts come as people typed them, and it is the operation that answers
 * what cannot be; here they only have an end.
 */
#include "store/chat_i.h"
#include "store/shape_i.h"

enum {
	WORDS_MAX = CHAT_TEXT_MAX, /* of any name or text */
	SOURCE_MAX = 64,
	USER_FLAGS = CHAT_USER_INVISIBLE | CHAT_USER_WALLOPS | CHAT_USER_BOT |
		CHAT_USER_REGISTERED_ONLY | CHAT_USER_OPER | CHAT_USER_AWAY,
	POST_FLAGS = CHAT_EVENT_PASSING | CHAT_EVENT_MULTILINE | CHAT_EVENT_STAMPED,
};

static const struct shape_field actor_fields[] = {
	NUMBER(struct chat_actor, session),
	STRING(struct chat_actor, who, CHAT_WHO_SIZE - 1),
	NOW(struct chat_actor, now_us),
	SPAN(struct chat_actor, source, SOURCE_MAX),
};
static const struct shape actor = SHAPE(actor, struct chat_actor);

/* -- people ------------------------------------------------------------------------------------ */

static const struct shape_field attach_fields[] = {
	STRUCT(struct chat_attach_args, by, actor),
	STRING(struct chat_attach_args, account, ACCOUNT_NAME_SIZE - 1),
	SPAN(struct chat_attach_args, spelled, WORDS_MAX),
	SPAN(struct chat_attach_args, nick, WORDS_MAX),
	SPAN(struct chat_attach_args, ident, WORDS_MAX),
	SPAN(struct chat_attach_args, host, WORDS_MAX),
	SPAN(struct chat_attach_args, realname, WORDS_MAX),
	SPAN(struct chat_attach_args, device, WORDS_MAX),
	BITS(struct chat_attach_args, flags, USER_FLAGS),
	STRING(struct chat_attach_args, bell, sizeof(SHAPE_OF(struct chat_session, bell)) - 1),
	BOOL(struct chat_attach_args, secure),
	RAW(struct chat_attach_args, spki_sha256),
};
static const struct shape attach = SHAPE(attach, struct chat_attach_args);

static const struct shape_field detach_fields[] = {
	STRUCT(struct chat_detach_args, by, actor),
	SPAN(struct chat_detach_args, text, WORDS_MAX),
	NUMBER(struct chat_detach_args, seen),
};
static const struct shape detach = SHAPE(detach, struct chat_detach_args);

static const struct shape_field seen_fields[] = {
	STRUCT(struct chat_seen_args, by, actor),
	NUMBER(struct chat_seen_args, seq),
};
static const struct shape seen = SHAPE(seen, struct chat_seen_args);

static const struct shape_field login_fields[] = {
	STRUCT(struct chat_login_args, by, actor),
	STRING(struct chat_login_args, account, ACCOUNT_NAME_SIZE - 1),
	SPAN(struct chat_login_args, spelled, WORDS_MAX),
	SPAN(struct chat_login_args, host, WORDS_MAX),
	BOOL(struct chat_login_args, secure),
	RAW(struct chat_login_args, spki_sha256),
};
static const struct shape login = SHAPE(login, struct chat_login_args);

static const struct shape_field nick_fields[] = {
	STRUCT(struct chat_nick_args, by, actor),
	SPAN(struct chat_nick_args, nick, WORDS_MAX),
};
static const struct shape nick = SHAPE(nick, struct chat_nick_args);

static const struct shape_field user_fields[] = {
	STRUCT(struct chat_user_args, by, actor),
	BETWEEN(struct chat_user_args, what, CHAT_SET_AWAY, CHAT_SET_FLAGS),
	BOOL(struct chat_user_args, clear),
	SPAN(struct chat_user_args, text, WORDS_MAX),
	BITS(struct chat_user_args, set, USER_FLAGS),
	BITS(struct chat_user_args, unset, USER_FLAGS),
};
static const struct shape user = SHAPE(user, struct chat_user_args);

/* -- channels ---------------------------------------------------------------------------------- */

static const struct shape_field join_fields[] = {
	STRUCT(struct chat_join_args, by, actor),
	SPAN(struct chat_join_args, channel, WORDS_MAX),
	SPAN(struct chat_join_args, key, WORDS_MAX),
	BOOL(struct chat_join_args, override),
};
static const struct shape join = SHAPE(join, struct chat_join_args);

static const struct shape_field part_fields[] = {
	STRUCT(struct chat_part_args, by, actor),
	SPAN(struct chat_part_args, channel, WORDS_MAX),
	SPAN(struct chat_part_args, text, WORDS_MAX),
};
static const struct shape part = SHAPE(part, struct chat_part_args);

static const struct shape_field kick_fields[] = {
	STRUCT(struct chat_kick_args, by, actor),
	SPAN(struct chat_kick_args, channel, WORDS_MAX),
	SPAN(struct chat_kick_args, nick, WORDS_MAX),
	SPAN(struct chat_kick_args, text, WORDS_MAX),
	BOOL(struct chat_kick_args, override),
};
static const struct shape kick = SHAPE(kick, struct chat_kick_args);

static const struct shape_field invite_fields[] = {
	STRUCT(struct chat_invite_args, by, actor),
	SPAN(struct chat_invite_args, channel, WORDS_MAX),
	SPAN(struct chat_invite_args, nick, WORDS_MAX),
};
static const struct shape invite = SHAPE(invite, struct chat_invite_args);

static const struct shape_field topic_fields[] = {
	STRUCT(struct chat_topic_args, by, actor),
	SPAN(struct chat_topic_args, channel, WORDS_MAX),
	SPAN(struct chat_topic_args, text, WORDS_MAX),
	BOOL(struct chat_topic_args, override),
};
static const struct shape topic = SHAPE(topic, struct chat_topic_args);

static const struct shape_field rename_fields[] = {
	STRUCT(struct chat_rename_args, by, actor),
	SPAN(struct chat_rename_args, channel, WORDS_MAX),
	SPAN(struct chat_rename_args, name, WORDS_MAX),
	SPAN(struct chat_rename_args, text, WORDS_MAX),
	BOOL(struct chat_rename_args, override),
};
static const struct shape rename_channel = SHAPE(rename, struct chat_rename_args);

static const struct shape_field change_fields[] = {
	BOOL(struct chat_change, set),
	NUMBER(struct chat_change, mode),
	SPAN(struct chat_change, text, WORDS_MAX),
	NUMBER(struct chat_change, limit),
};
static const struct shape change = SHAPE(change, struct chat_change);

static const struct shape_field mode_fields[] = {
	STRUCT(struct chat_mode_args, by, actor),
	SPAN(struct chat_mode_args, channel, WORDS_MAX),
	ARRAY(struct chat_mode_args, changes, count, change),
	BOOL(struct chat_mode_args, override),
};
static const struct shape mode = SHAPE(mode, struct chat_mode_args);

static const struct shape_field drop_fields[] = {
	STRUCT(struct chat_drop_args, by, actor),
	SPAN(struct chat_drop_args, channel, WORDS_MAX),
};
static const struct shape drop = SHAPE(drop, struct chat_drop_args);

/* -- messages, what is noted ------------------------------------------------------------------- */

static const struct shape_field message_fields[] = {
	BETWEEN(struct chat_post, kind, CHAT_PRIVMSG, CHAT_TAGMSG),
	BITS(struct chat_post, flags, POST_FLAGS),
	NUMBER(struct chat_post, status),
	SPAN(struct chat_post, target, WORDS_MAX),
	SPAN(struct chat_post, text, WORDS_MAX),
	SPAN(struct chat_post, tags, WORDS_MAX),
};
static const struct shape message = SHAPE(message, struct chat_post);

static const struct shape_field post_fields[] = {
	STRUCT(struct chat_post_args, by, actor),
	SPAN(struct chat_post_args, source, SOURCE_MAX),
	LIST(struct chat_post_args, posts, count, message, CHAT_POSTS_MAX),
	BOOL(struct chat_post_args, override),
};
static const struct shape post = SHAPE(post, struct chat_post_args);

static const struct shape_field redact_fields[] = {
	STRUCT(struct chat_redact_args, by, actor),
	SPAN(struct chat_redact_args, target, WORDS_MAX),
	NUMBER(struct chat_redact_args, seq),
	SPAN(struct chat_redact_args, text, WORDS_MAX),
	BOOL(struct chat_redact_args, override),
};
static const struct shape redact = SHAPE(redact, struct chat_redact_args);

static const struct shape_field mark_fields[] = {
	STRUCT(struct chat_mark_args, by, actor),
	SPAN(struct chat_mark_args, target, WORDS_MAX),
	NUMBER(struct chat_mark_args, at_us),
};
static const struct shape mark = SHAPE(mark, struct chat_mark_args);

static const struct shape_field meta_fields[] = {
	STRUCT(struct chat_meta_args, by, actor),
	SPAN(struct chat_meta_args, channel, WORDS_MAX),
	SPAN(struct chat_meta_args, key, WORDS_MAX),
	SPAN(struct chat_meta_args, value, WORDS_MAX),
	BOOL(struct chat_meta_args, all),
	BOOL(struct chat_meta_args, override),
};
static const struct shape meta = SHAPE(meta, struct chat_meta_args);

static const struct shape_field announce_fields[] = {
	STRUCT(struct chat_announce_args, by, actor),
	BETWEEN(struct chat_announce_args, kind, CHAT_PRIVMSG, CHAT_MARKREAD),
	SPAN(struct chat_announce_args, nick, WORDS_MAX),
	SPAN(struct chat_announce_args, text, WORDS_MAX),
};
static const struct shape announce = SHAPE(announce, struct chat_announce_args);

static const struct shape_field sweep_fields[] = {
	NOW(struct chat_sweep, now_us),
	NUMBER(struct chat_sweep, stage),
	BOOL(struct chat_sweep, done),
	STRUCT(struct chat_sweep, from, shape_sweep_key),
	NUMBER(struct chat_sweep, rows),
};
static const struct shape sweep = SHAPE(sweep, struct chat_sweep);

/* -- the operations ---------------------------------------------------------------------------- */

static const struct shape_row rows[] = {
	{STORE_OP_CHAT_ATTACH, &attach},
	{STORE_OP_CHAT_DETACH, &detach},
	{STORE_OP_CHAT_SEEN, &seen},
	{STORE_OP_CHAT_LOGIN, &login},
	{STORE_OP_CHAT_NICK, &nick},
	{STORE_OP_CHAT_USER, &user},
	{STORE_OP_CHAT_JOIN, &join},
	{STORE_OP_CHAT_PART, &part},
	{STORE_OP_CHAT_KICK, &kick},
	{STORE_OP_CHAT_INVITE, &invite},
	{STORE_OP_CHAT_TOPIC, &topic},
	{STORE_OP_CHAT_RENAME, &rename_channel},
	{STORE_OP_CHAT_MODE, &mode},
	{STORE_OP_CHAT_POST, &post},
	{STORE_OP_CHAT_REDACT, &redact},
	{STORE_OP_CHAT_MARK, &mark},
	{STORE_OP_CHAT_META, &meta},
	{STORE_OP_CHAT_ANNOUNCE, &announce},
	{STORE_OP_CHAT_DROP, &drop},
	{STORE_OP_CHAT_SWEEP, &sweep},
};

const struct shape_rows shape_rows_chat = {rows, sizeof(rows) / sizeof(rows[0])};
