/*
 * Chat in the store: one log of events in one order for everybody, and beside it what holds now
 * (who is there, channels, members), both written in the same commit.
 *
 * Every act is an event with a number, its position. A session of chatd appends by an operation,
 * rings, and sends its client what it reads from the log behind its own position; it delivers
 * nothing that did not come from the log. So all see one order, history is what was delivered, and
 * a message's id is its position. Times never go back along the log.
 *
 * A person ("who") is an account, by its name, or a guest, by "*" and a number of its own; one
 * person has one nick and may have several sessions. An account's memberships, roles and nick row
 * outlive its sessions; nothing of a guest's does.
 *
 *	chat_row.c chat_decode.c chat_check.c     records, and whether they agree
 *	chat_event.c chat_log.c                   appending, reading
 *	chat_ring.c chat_sweep.c                  bells, retention
 *	chat_people.c chat_nick.c chat_user.c     people, nicks, what they change of themselves
 *	chat_attach.c chat_login.c chat_account.c coming and going, log-in, accounts removed
 *	chat_room.c chat_channel.c chat_member.c  channels and who is in them
 *	chat_join.c chat_leave.c chat_invite.c chat_rename.c chat_topic.c  JOIN PART KICK INVITE ...
 *	chat_mode.c chat_mode_line.c chat_list.c  modes, roles, lists of masks
 *	chat_post.c chat_redact.c chat_flood.c    messages, redaction, flood and quota
 *	chat_note.c chat_mark.c chat_meta.c chat_seen.c  markers, metadata, devices
 */
#ifndef STORE_CHAT_H
#define STORE_CHAT_H

#include "store/account.h"
#include "store/session.h"

enum {
	CHAT_WHO_SIZE = 36, /* ACCOUNT_NAME_SIZE, or '*' and a number; with NUL */
	CHAT_NICK_SIZE = 33,
	CHAT_IDENT_SIZE = 19,
	CHAT_HOST_SIZE = 64,
	CHAT_REALNAME_SIZE = 151,
	CHAT_AWAY_SIZE = 391,
	CHAT_CHANNEL_SIZE = 65, /* "#" and its name; with NUL */
	CHAT_TOPIC_SIZE = 391,
	CHAT_KEY_SIZE = 33,
	CHAT_MASK_SIZE = 160, /* of a ban: nick!user@host or an extended one */
	CHAT_DEVICE_SIZE = 33,
	CHAT_LISTS_MAX = 100, /* entries of one list of a channel */
	CHAT_JOINED_MAX = 100, /* channels of one person */
	CHAT_POSTS_MAX = 64, /* messages in one commit */
	CHAT_TEXT_MAX = 16384, /* of one message, its lines together */
	CHAT_META_KEY_SIZE = 65,
	CHAT_META_VALUE_MAX = 1024,
	CHAT_META_MAX = 50, /* keys of one target */
	CHAT_DEVICES_MAX = 50, /* of one account */
};

/* -- people ------------------------------------------------------------------------------------ */

enum chat_user_flag {
	CHAT_USER_INVISIBLE = 1, /* +i */
	CHAT_USER_WALLOPS = 2, /* +w */
	CHAT_USER_BOT = 4, /* +B */
	CHAT_USER_REGISTERED_ONLY = 8, /* +R: private messages from accounts only */
	CHAT_USER_OPER = 16, /* +o */
	CHAT_USER_AWAY = 32, /* away[] tells */
};

struct chat_user {
	char who[CHAT_WHO_SIZE];
	char nick[CHAT_NICK_SIZE];
	char ident[CHAT_IDENT_SIZE];
	char host[CHAT_HOST_SIZE]; /* as shown: "user.NAME", "guest.HEX": never an address */
	char realname[CHAT_REALNAME_SIZE];
	char away[CHAT_AWAY_SIZE];
	char spelled[ACCOUNT_NAME_SIZE]; /* an account's name in its owner's capitals, for WHO and
					    WHOIS; "" a guest's */
	uint32_t flags;
	uint32_t sessions; /* 0: an account that is not there now */
	int64_t since_us; /* when its first session of now came; of an absent one: when it left */
	int64_t spoke_us; /* last message, for WHOIS */
};

static inline bool chat_is_guest(const char *who)
{
	return who[0] == '*';
}

/* Nicks and channel names are compared without regard to the case of ASCII letters. */

/* In views, as all the *_read and *_find below: -ENOENT. */
int chat_user_read(struct store_txn *txn, const char *who, struct chat_user *ret);
/* Who has this nick now (is present with it)? */
int chat_nick_find(struct store_txn *txn, struct span nick, struct chat_user *ret);
/* Whom a message to this nick reaches: who has it now, else the absent account of that name. */
int chat_addressee_find(struct store_txn *txn, struct span nick, struct chat_user *ret);
/* All who are present; each() returns nonzero to stop, which is returned. For all *_each here. */
int chat_users_each(
	struct store_txn *txn, int (*each)(void *arg, const struct chat_user *u), void *arg);

/* One session of a person. */
struct chat_session {
	uint64_t id; /* of its struct session_row */
	char who[CHAT_WHO_SIZE];
	char device[CHAT_DEVICE_SIZE];
	char bell[64];
	bool secure; /* its client showed a certificate of ours; for WHOIS */
	unsigned char spki_sha256[32]; /* of that certificate's key, else zeros */
};
int chat_sessions_each(struct store_txn *txn, const char *who,
	int (*each)(void *arg, const struct chat_session *s), void *arg);

struct chat_whowas {
	char nick[CHAT_NICK_SIZE], ident[CHAT_IDENT_SIZE], host[CHAT_HOST_SIZE],
		realname[CHAT_REALNAME_SIZE], account[ACCOUNT_NAME_SIZE];
	int64_t left_us;
};
/* Newest first, at most 10 are kept of a nick. */
int chat_whowas_each(struct store_txn *txn, struct span nick,
	int (*each)(void *arg, const struct chat_whowas *w), void *arg);

struct chat_counts {
	uint64_t users, invisible, opers, channels, users_max; /* users: all present */
};
int chat_count(struct store_txn *txn, struct chat_counts *ret);

/* -- channels ---------------------------------------------------------------------------------- */

enum chat_channel_mode {
	CHAT_MODE_INVITE_ONLY = 1, /* i */
	CHAT_MODE_MODERATED = 2, /* m */
	CHAT_MODE_NO_EXTERNAL = 4, /* n */
	CHAT_MODE_SECRET = 8, /* s */
	CHAT_MODE_TOPIC = 16, /* t */
	CHAT_MODE_NO_CTCP = 32, /* C: ACTION only */
	CHAT_MODE_REGISTERED = 64, /* R: accounts only */
	CHAT_MODE_KEY = 128, /* k */
	CHAT_MODE_LIMIT = 256, /* l */
};

struct chat_channel {
	uint64_t id; /* stays when the name changes; never used again */
	char name[CHAT_CHANNEL_SIZE];
	uint32_t modes;
	char key[CHAT_KEY_SIZE];
	uint32_t limit;
	char founder[ACCOUNT_NAME_SIZE]; /* "" none: it goes when the last one leaves */
	int64_t created_us;
	char topic[CHAT_TOPIC_SIZE];
	char topic_by[CHAT_MASK_SIZE]; /* nick!user@host */
	int64_t topic_us; /* 0: none was ever set */
	uint32_t joined; /* members, absent ones too */
	uint32_t present; /* of these, who is there now */
	int64_t emptied_us; /* when the last member left it; 0 while there are some */
};
int chat_channel_read(struct store_txn *txn, uint64_t id, struct chat_channel *ret);
int chat_channel_find(struct store_txn *txn, struct span name, struct chat_channel *ret);
int chat_channels_each(
	struct store_txn *txn, int (*each)(void *arg, const struct chat_channel *c), void *arg);

enum chat_role { CHAT_VOICE = 1, CHAT_HALFOP = 2, CHAT_OP = 4 };

struct chat_member {
	uint64_t channel;
	char who[CHAT_WHO_SIZE];
	bool joined; /* false: the row only keeps an account's role */
	unsigned roles; /* enum chat_role; the founder always has CHAT_OP */
	int64_t joined_us;
	uint64_t joined_seq; /* position of the JOIN */
};
int chat_member_read(
	struct store_txn *txn, uint64_t channel, const char *who, struct chat_member *ret);
/* Who has joined; u->sessions tells whether they are present. */
int chat_members_each(struct store_txn *txn, uint64_t channel,
	int (*each)(void *arg, const struct chat_member *m, const struct chat_user *u), void *arg);
/* The channels that a person has joined. */
int chat_joined_each(struct store_txn *txn, const char *who,
	int (*each)(void *arg, const struct chat_member *m, const struct chat_channel *c),
	void *arg);
/* Are both in some channel now? 1, 0 or negative errno. */
int chat_share_channel(struct store_txn *txn, const char *who, const char *other);

enum chat_list { CHAT_LIST_BAN = 'b', CHAT_LIST_EXCEPT = 'e', CHAT_LIST_INVEX = 'I' };
struct chat_list_entry {
	char mask[CHAT_MASK_SIZE];
	char by[CHAT_MASK_SIZE]; /* nick!user@host */
	int64_t at_us;
};
int chat_list_each(struct store_txn *txn, uint64_t channel, enum chat_list list,
	int (*each)(void *arg, const struct chat_list_entry *e), void *arg);
/* Invitations of a person that are open: for INVITE without arguments. */
int chat_invites_each(struct store_txn *txn, const char *who,
	int (*each)(void *arg, const struct chat_channel *c), void *arg);

/* -- events ------------------------------------------------------------------------------------ */

/* Stored: values stay as they are. What each kind uses of struct chat_event stands behind it. */
enum chat_kind {
	CHAT_PRIVMSG = 1, /* target, peer or channel; text, lines, tags */
	CHAT_NOTICE = 2,
	CHAT_TAGMSG = 3, /* tags */
	CHAT_JOIN = 4, /* channel; realname */
	CHAT_PART = 5, /* channel; text: why */
	CHAT_KICK = 6, /* channel; peer, subject: whom; text */
	CHAT_MODE = 7, /* channel; text: "+ov a b" as IRC shows it */
	CHAT_TOPIC = 8, /* channel; text */
	CHAT_INVITE = 9, /* channel; peer, subject: whom */
	CHAT_RENAME = 10, /* channel (target: the old name); subject: the new; text: why */
	CHAT_REDACT = 11, /* channel or peer, target; number: which; text: why */
	CHAT_METADATA =
		12, /* of a channel, or of the source; subject: key; text: value; flag CLEARED */
	CHAT_NICK = 13, /* channels; subject: the new one */
	CHAT_QUIT = 14, /* channels; text. The person is gone, not one session */
	CHAT_ONLINE = 15, /* the person came: MONITOR; channels: an account's, who is in them again;
			     realname */
	CHAT_AWAY = 16, /* channels; text; flag CLEARED: back */
	CHAT_HOST = 17, /* channels; subject: new ident, text: new host */
	CHAT_REALNAME = 18, /* channels; text */
	CHAT_ACCOUNT = 19, /* channels; account after the change; subject: the former who */
	CHAT_USER_MODE = 20, /* peer: whose; text: "+B" */
	CHAT_KILL = 21, /* peer: whom; text */
	CHAT_WALLOPS = 22, /* text */
	CHAT_BROADCAST = 23, /* text: an administrator's notice to all */
	CHAT_MARKREAD = 24, /* peer: whose devices; target; number: the marker, us */
};

enum chat_event_flag {
	CHAT_EVENT_BOT = 1, /* the source was a bot then */
	CHAT_EVENT_OPER = 2,
	CHAT_EVENT_CLEARED = 4,
	CHAT_EVENT_REDACTED = 8, /* a message whose text and tags are gone */
	CHAT_EVENT_PASSING = 16, /* in no history: typing, requests of calls */
	CHAT_EVENT_MULTILINE = 32, /* text is several lines: see chat_line_next() */
	CHAT_EVENT_STAMPED =
		64, /* spki_sha256 is the key by which the source's session logged in */
};

/* Spans point into the store: valid inside the view. Empty where a kind does not use them. */
struct chat_event {
	uint64_t seq; /* position: from 1 on */
	int64_t at_us; /* never less than that of the event before */
	enum chat_kind kind;
	unsigned flags;
	uint64_t session; /* whose act it was: its own events; 0 nobody's */
	struct span who, nick, ident, host, account,
		realname; /* the source; nick empty: the server */
	uint64_t channel; /* 0: none */
	char status; /* '@', '%', '+': to members of at least this role; 0 */
	struct span target; /* the name to be shown: a channel's, or the nick written to */
	struct span peer; /* the other person, by who */
	struct span subject;
	struct span text;
	struct span tags; /* client-only ones, as sent: "+draft/reply=x;+y" */
	uint64_t number;
	unsigned char spki_sha256[32];
	struct span channels; /* ids, eight bytes each: where the source was then */
};

/* Is id among the event's channels? */
bool chat_event_in(const struct chat_event *e, uint64_t id);

/* Lines of a MULTILINE text: each begins with one byte, 1 when it continues the line before
 * (draft/multiline-concat), and ends in LF. Takes one off *rest; false at the end. */
bool chat_line_next(struct span *rest, struct span *ret_line, bool *ret_concat);

/* The position of the newest event; 0: none yet. */
int chat_head(struct store_txn *txn, uint64_t *ret);
int chat_event_read(struct store_txn *txn, uint64_t seq, struct chat_event *ret); /* -ENOENT */
/* All events behind seq, in order. */
int chat_events_each(struct store_txn *txn, uint64_t seq,
	int (*each)(void *arg, const struct chat_event *e), void *arg);

/* What history is kept of: a channel, or what two people say to each other. */
struct chat_target {
	uint64_t channel; /* 0: the two */
	char a[CHAT_WHO_SIZE], b[CHAT_WHO_SIZE]; /* either order; two guests have none */
};

/*
 * A target's history, in order. Positions are of any event, the target's or not. The caller has
 * checked that who asks may read it, and looks at status itself. What was redacted is in none.
 * messages_only: PRIVMSG and NOTICE.
 */
struct chat_range {
	uint64_t after, before; /* both not included; before 0: no end */
	size_t max;
	bool newest; /* which max of them: the last ones, not the first */
	bool messages_only;
};
int chat_log_each(struct store_txn *txn, const struct chat_target *target,
	const struct chat_range *range, int (*each)(void *arg, const struct chat_event *e),
	void *arg);
/* The first position of the target whose time is at_us or later; head + 1 when there is none. */
int chat_log_at(
	struct store_txn *txn, const struct chat_target *target, int64_t at_us, uint64_t *ret);
/* The newest PRIVMSG or NOTICE of a target. -ENOENT. */
int chat_log_newest(
	struct store_txn *txn, const struct chat_target *target, struct chat_event *ret);
/* With whom (by who; guests until they leave) somebody has talked in private, and the last message
 * of each. In no order. */
int chat_peers_each(struct store_txn *txn, const char *who,
	int (*each)(void *arg, const char *peer, const struct chat_event *newest), void *arg);

/* -- operations -------------------------------------------------------------------------------- */

/*
 * What every operation answers. A refusal is an answer, not an error: nothing was changed then.
 * Errors are those of store_call(). NICK to META count as a message each for flood and quota (see
 * STORE_OP_CHAT_POST): FLOOD and QUOTA are among their answers too, but no quota keeps anybody from
 * leaving, taking back, or keeping order.
 */
enum chat_answer {
	CHAT_DONE,
	CHAT_NOTHING, /* it was so already: no event */
	CHAT_NO_SUCH_NICK,
	CHAT_NO_SUCH_CHANNEL,
	CHAT_NOT_JOINED, /* who acts is not in the channel */
	CHAT_NOT_MEMBER, /* whom it is about is not in the channel */
	CHAT_ALREADY_MEMBER,
	CHAT_NOT_OP,
	CHAT_NICK_USED,
	CHAT_NICK_RESERVED, /* an account's name, and not one's own */
	CHAT_NAME_USED, /* a channel's */
	CHAT_BANNED,
	CHAT_INVITE_NEEDED,
	CHAT_KEY_WRONG,
	CHAT_FULL,
	CHAT_REGISTERED_ONLY,
	CHAT_TOO_MANY, /* channels of a person, founded ones, entries of a list, keys */
	CHAT_CANNOT_SEND, /* moderated, banned or muted, or external */
	CHAT_NO_CTCP,
	CHAT_FLOOD, /* wait_ms: try again then */
	CHAT_QUOTA, /* of bytes a day */
	CHAT_NO_SUCH_MESSAGE,
	CHAT_FORBIDDEN, /* not one's own to change */
	CHAT_UNKNOWN_KEY, /* of metadata */
	CHAT_BUSY_ELSEWHERE, /* the account is here with other sessions */
};

/* Whom the commit concerns: chat_ring() wakes them. */
struct chat_ring {
	enum { CHAT_RING_NONE, CHAT_RING_PEOPLE, CHAT_RING_CHANNEL, CHAT_RING_ALL } scope;
	uint64_t channel;
	char who[2][CHAT_WHO_SIZE]; /* PEOPLE: one or both; with CHANNEL: beside its members */
};

/* The beginning of every result. */
struct chat_result {
	enum chat_answer answer;
	uint64_t head; /* the newest position when it was committed */
	uint64_t first; /* of one's own events; 0: none were made */
	struct chat_ring ring;
	uint32_t wait_ms;
	uint32_t bytes; /* what its events take in the log, about */
};

/* Rings the sessions concerned but for the own one (session; 0: all). Dead ones are reaped as by
 * bell_ring(). The count rung. A CHANNEL's members are those after the commit: who was removed by
 * it stands in who[]. */
int chat_ring(struct store *s, const char *runtime, const struct chat_ring *ring, uint64_t session);

/* The topic to which all sessions of chatd listen, also rung when a session was reaped. */
#define CHAT_TOPIC_BELL "chatd"

/* The start of every operation's arguments: who acts and when. */
struct chat_actor {
	uint64_t session; /* its struct chat_session; 0: quintetctl */
	const char *who;
	int64_t now_us;
	struct span source; /* net_peer_bucket: for flood control; empty: not counted */
};

/*
 * STORE_OP_CHAT_ATTACH -> struct chat_attach_result: a registered session of the service "chatd"
 * (service_register() has made its row) becomes one of a person. account "": a new guest. An
 * account that is here already keeps its nick, ident and realname whatever is asked for; one
 * that comes takes the nick asked for, and is in its channels again (CHAT_ONLINE). A guest who
 * holds the name of an account as nick when that account comes is renamed ("guest" and a number).
 * NICK_USED, NICK_RESERVED. Registers the bell for CHAT_TOPIC_BELL.
 */
struct chat_attach_args {
	struct chat_actor by; /* who is not looked at */
	const char *account;
	struct span spelled; /* the account as its owner wrote it; else it is not looked at */
	struct span nick, ident, host, realname, device;
	uint32_t flags; /* CHAT_USER_OPER, _BOT ... to begin with */
	const char *bell;
	bool secure;
	unsigned char spki_sha256[32];
};
struct chat_attach_result {
	struct chat_result result; /* head: from here on the session reads */
	bool arrived; /* the first session of the person */
	struct chat_user user;
	uint64_t seen; /* what this device of the account has been sent for certain; 0: it is new */
};

/* STORE_OP_CHAT_DETACH -> struct chat_result. The session leaves (its row of session.h stays); with
 * the last one the person: QUIT with text. Also done when the row is removed or reaped, with
 * "Connection lost". seen, when not 0, is noted as STORE_OP_CHAT_SEEN does. */
struct chat_detach_args {
	struct chat_actor by;
	struct span text;
	uint64_t seen;
};

/* STORE_OP_CHAT_SEEN -> struct chat_result: the session's client has received everything up to
 * there. Never goes back. Nothing for guests. */
struct chat_seen_args {
	struct chat_actor by;
	uint64_t seq;
};

/* STORE_OP_CHAT_LOGIN -> struct chat_attach_result: a guest's session, its only one, becomes the
 * account's; its channels come along (unless it is banned by account there), ACCOUNT and HOST
 * follow. For account "" an account's only session becomes a guest. BUSY_ELSEWHERE when the account
 * is here with other sessions: then it has to connect anew. */
struct chat_login_args {
	struct chat_actor by;
	const char *account;
	struct span spelled; /* as in struct chat_attach_args */
	struct span host;
	bool secure;
	unsigned char spki_sha256[32];
};

/* STORE_OP_CHAT_NICK -> struct chat_result. NICK_USED, NICK_RESERVED, BANNED (in a channel where
 * one is banned and has no voice the nick stays). */
struct chat_nick_args {
	struct chat_actor by;
	struct span nick;
};

/* STORE_OP_CHAT_USER -> struct chat_result: what of oneself changes. Each makes its event. */
struct chat_user_args {
	struct chat_actor by;
	enum { CHAT_SET_AWAY = 1, CHAT_SET_REALNAME, CHAT_SET_FLAGS } what;
	bool clear; /* AWAY: back */
	struct span text;
	uint32_t set, unset; /* FLAGS; OPER is set by who has proved it, chatd checks that */
};

/* STORE_OP_CHAT_JOIN -> struct chat_join_result. Makes the channel if there is none: modes n and t,
 * who makes it has CHAT_OP, an account founds it. An account that has a role kept gets it back:
 * MODE by the server follows. override: operators of the house. */
struct chat_join_args {
	struct chat_actor by;
	struct span channel, key;
	bool override;
};
struct chat_join_result {
	struct chat_result result; /* NOTHING: one is in it */
	uint64_t channel;
	bool created;
};

/* STORE_OP_CHAT_PART -> struct chat_result. NO_SUCH_CHANNEL, NOT_JOINED. */
struct chat_part_args {
	struct chat_actor by;
	struct span channel, text;
};

/* STORE_OP_CHAT_KICK. NOT_OP: a half-operator may kick who has no more than voice; nobody the
 * founder but the founder. Who is kicked loses the role, but for the founder. Accounts that are
 * absent can be kicked too. */
struct chat_kick_args {
	struct chat_actor by;
	struct span channel, nick, text;
	bool override;
};

/* STORE_OP_CHAT_INVITE. Operators (half ones too) invite where CHAT_MODE_INVITE_ONLY, else any
 * member. An operator's is open until used, and lets past bans, key, limit and R as well; of more
 * than CHAT_JOINED_MAX the oldest is forgotten. Another member's is only told. Whoever is absent,
 * an account, may be invited too. */
struct chat_invite_args {
	struct chat_actor by;
	struct span channel, nick;
};

/* STORE_OP_CHAT_TOPIC. Half-operators may where CHAT_MODE_TOPIC. Too long a text is cut. */
struct chat_topic_args {
	struct chat_actor by;
	struct span channel, text;
	bool override;
};

/* STORE_OP_CHAT_RENAME: NOT_OP, NAME_USED, FORBIDDEN (that is no name), NOTHING. */
struct chat_rename_args {
	struct chat_actor by;
	struct span channel, name, text;
	bool override;
};

/* STORE_OP_CHAT_MODE -> struct chat_mode_result: all changes of one line, in their order; what is
 * refused is left out, the others make one event, or several where a line of IRC could not hold it.
 * The answer is NO_SUCH_CHANNEL or NOT_JOINED (each[] too), else DONE or NOTHING, and each[] tells:
 * KEY_WRONG is a key that cannot be one, FORBIDDEN a mask that is none, or the founder's CHAT_OP.
 * Operators change everything, half-operators all but o and h, anybody lays down an own role. An
 * account that keeps a role while it is not in the channel can be named too.
 */
#define CHAT_CHANGES_MAX 32
struct chat_change {
	bool set;
	char mode; /* o h v b e I k l i m n s t C R */
	struct span text; /* nick, mask (in full form), key */
	uint32_t limit;
};
struct chat_mode_args {
	struct chat_actor by;
	struct span channel;
	struct chat_change changes[CHAT_CHANGES_MAX];
	size_t count;
	bool override;
};
struct chat_mode_result {
	struct chat_result result;
	enum chat_answer each[CHAT_CHANGES_MAX];
};

/*
 * STORE_OP_CHAT_POST -> struct chat_post_result: messages of one session in one commit, in their
 * order. Flood and quota count here, for the person and for the source: what comes behind a FLOOD
 * is not tried (FLOOD as well). To an addressee: an absent account gets it when it comes; what is
 * PASSING does not wait for anybody (NO_SUCH_NICK).
 */
struct chat_post {
	enum chat_kind kind; /* PRIVMSG, NOTICE, TAGMSG */
	unsigned flags; /* PASSING, MULTILINE, STAMPED */
	char status; /* '@' ... */
	struct span target; /* channel or nick */
	struct span text, tags;
};
struct chat_post_args {
	struct chat_actor by;
	struct span source; /* net_peer_bucket: for flood control; empty: not counted */
	const struct chat_post *posts;
	size_t count;
	bool override;
};
struct chat_post_result {
	struct chat_result result; /* answer DONE when any was posted; ring: of all */
	enum chat_answer each[CHAT_POSTS_MAX];
	uint64_t seq[CHAT_POSTS_MAX];
	char away[CHAT_POSTS_MAX]; /* 1: the addressee is away, or absent: 301 */
};

/* STORE_OP_CHAT_REDACT. One's own messages, or as CHAT_OP of the channel. NO_SUCH_MESSAGE: not in
 * the log of this target, FORBIDDEN. */
struct chat_redact_args {
	struct chat_actor by;
	struct span target;
	uint64_t seq;
	struct span text;
	bool override;
};

/* STORE_OP_CHAT_MARK -> struct chat_mark_result: moves a person's read marker on, never back
 * (NOTHING). It is kept by the channel's name, so it is there again when that is made anew. */
struct chat_mark_args {
	struct chat_actor by;
	struct span target; /* channel or nick as given */
	int64_t at_us; /* 0: only ask */
};
struct chat_mark_result {
	struct chat_result result;
	int64_t at_us; /* 0: none */
};
int chat_mark_read(struct store_txn *txn, const char *account, const struct chat_target *target,
	int64_t *ret); /* -ENOENT */

/* STORE_OP_CHAT_META: sets (or with value NULL removes) a key of oneself (channel empty) or of a
 * channel (CHAT_OP). UNKNOWN_KEY when there is none to remove, TOO_MANY. keys are lower case. all:
 * every key. */
struct chat_meta_args {
	struct chat_actor by;
	struct span channel;
	struct span key, value;
	bool all;
	bool override;
};
struct chat_meta_row {
	char key[CHAT_META_KEY_SIZE];
	struct span value;
};
int chat_meta_each(struct store_txn *txn, uint64_t channel, const char *who /* channel 0 */,
	int (*each)(void *arg, const struct chat_meta_row *m), void *arg);

/* STORE_OP_CHAT_ANNOUNCE: KILL (nick; all sessions of the person end), WALLOPS, BROADCAST. */
struct chat_announce_args {
	struct chat_actor by;
	enum chat_kind kind;
	struct span nick, text;
};

/* STORE_OP_CHAT_DROP: a channel goes with its history, for quintetctl. NO_SUCH_CHANNEL. */
struct chat_drop_args {
	struct chat_actor by;
	struct span channel;
};

#endif
