/*
 * chatd: IRC over TLS (RFC 2812 as practised, IRCv3) on the log of store/chat.h. What its files
 * share.
 *
 *	chatd.c       main
 *	session.c     the loop: lines, the log, deadlines, flood and lag; ping.c pings both ways
 *	commands.c    the command table and its gate; cost.c what lines cost
 *	register.c    NICK USER PASS until 001; what a new session is told
 *	caps.c        capabilities: the table, CAP
 *	sasl.c        AUTHENTICATE; account.c REGISTER; identity.c who it is then
 *	reply.c       lines, numerics, standard replies, labels, batches; words.c words said again
 *	act.c         operations on the store: call, ring, read the log up to it
 *	deliver.c     the log from one's position: what concerns the session
 *	render.c render_channel.c render_people.c  an event as lines, by the client's capabilities
 *	rooms.c       the channels that the session is in, as of its position
 *	join.c kick.c invite.c topic.c names.c list.c list_filter.c rename.c channel.c  channels
 *	mode.c usermode.c modelist.c                               modes
 *	message.c post.c multiline.c redact.c                      messages
 *	history.c targets.c past.c replay.c marker.c               what was missed
 *	who.c whox.c whois.c whowas.c people.c monitor.c gather.c away.c  people
 *	metadata.c metadata_early.c metadata_show.c metadata_sub.c what is noted of them
 *	oper.c        OPER KILL WALLOPS BROADCAST
 *	about.c       what the server says of itself; isupport.c its 005
 */
#ifndef CHATD_H
#define CHATD_H

#include "proto/irc.h"
#include "service/service.h"
#include "store/chat.h"

enum {
	CHATD_BAD_MAX = 30, /* lines in a row that are no IRC */
	CHATD_MONITOR_MAX = 100,
	CHATD_HISTORY_MAX = 1000, /* of one CHATHISTORY */
	CHATD_SUBS_MAX = 50, /* keys of metadata that a client subscribes to */
	CHATD_META_VALUE_MAX = 300, /* bytes of a value: 761 is one line */
	CHATD_LINES_MAX = 100, /* of one multiline message */
	CHATD_MULTILINE_MAX = 8192, /* bytes of it */
	CHATD_TARGETS_MAX = 16, /* of one message: TARGMAX */
};

/* Capabilities, one bit each: the table is in caps.c. */
enum chatd_cap {
	CAP_MULTI_PREFIX,
	CAP_SASL,
	CAP_SETNAME,
	CAP_EXTENDED_JOIN,
	CAP_ACCOUNT_TAG,
	CAP_ACCOUNT_NOTIFY,
	CAP_AWAY_NOTIFY,
	CAP_ECHO_MESSAGE,
	CAP_LABELED_RESPONSE,
	CAP_BATCH,
	CAP_MESSAGE_TAGS,
	CAP_SERVER_TIME,
	CAP_CHGHOST,
	CAP_INVITE_NOTIFY,
	CAP_USERHOST_IN_NAMES,
	CAP_STANDARD_REPLIES,
	CAP_CAP_NOTIFY,
	CAP_EXTENDED_MONITOR,
	CAP_CHATHISTORY,
	CAP_EVENT_PLAYBACK,
	CAP_READ_MARKER,
	CAP_MESSAGE_REDACTION,
	CAP_MULTILINE,
	CAP_METADATA,
	CAP_CHANNEL_RENAME,
	CAP_ACCOUNT_REGISTRATION,
	CAP_NO_IMPLICIT_NAMES,
	CAP_CALLS, /* "quintet/calls": requests of calls come with the sender's account and key */
	CAP_COUNT
};

/* A channel that the session is in, as of its position in the log. */
struct chatd_room {
	uint64_t id;
	char name[CHAT_CHANNEL_SIZE];
};

/*
 * What is being answered: lines collected until the command is done, so that a label goes on the
 * one line or on a batch around several (IRCv3 labeled-response). Without a label they go straight
 * out.
 */
struct chatd_answering {
	char label[65]; /* "" none, as it was sent (raw) */
	char batch[16]; /* reference of the labeled batch once there are two lines; "" */
	struct buf first; /* the one line held back until it is known whether there is another */
	size_t first_tags; /* bytes at the start of it that are its tags */
	bool first_batched; /* it has a batch tag of its own */
	unsigned lines;
	bool whole; /* the answer is one batch, which carries the label itself */
	bool aside; /* what is sent now is not part of the answer: others' events */
};

/* Policy as it was when the session began. */
struct chatd_policy {
	bool accounts_required, auto_log_in, register_early, invites;
	char password[256]; /* hash of the house's, for PASS; "" none or it was said */
	uint64_t flood_rate, flood_burst; /* lines a second that post nothing; 0: no limit */
	uint64_t lag; /* events */
};

struct chatd_input_batch; /* multiline.c: a batch that the client is sending; owned */
struct chatd_sasl; /* sasl.c: an exchange under way; owned */
struct chatd_subscriptions; /* metadata.c: keys; owned */
struct chatd_pending; /* message.c: messages not yet posted */

struct chatd {
	struct service *service;
	struct conn *conn; /* service->conn */
	int end_fd; /* readable when the process is told to end; -1 */
	struct chatd_policy policy;
	const char *verb; /* of the command that is run; "*" between them */

	/* until registered */
	bool registered; /* 001 was said */
	bool cap_open; /* CAP LS or REQ came and END not yet */
	unsigned cap_version; /* 0, or what LS said: 302 */
	char nick_wanted[CHAT_NICK_SIZE];
	char ident[CHAT_IDENT_SIZE];
	char realname[CHAT_REALNAME_SIZE];
	bool user_given;
	char device[CHAT_DEVICE_SIZE]; /* of PLAIN's "name@device", or the certificate's */
	char *pass; /* of PASS, owned; NULL */
	bool sasl_tried;
	char spelled[ACCOUNT_NAME_SIZE]; /* the account's name as the client wrote it */

	/* who */
	uint64_t caps; /* bits of enum chatd_cap */
	struct chat_user me; /* as of the session's position; me.who "" until registered */
	struct auth_identity certificate; /* what the handshake proved; AUTH_NONE: nothing */
	unsigned char guest_key[32]; /* for the hosts of guests */
	bool has_key; /* the account's own certificate was shown */
	unsigned char spki_sha256[32]; /* of the certificate that was shown and is good */
	struct auth_identity oper; /* another's proof for OPER; else AUTH_NONE */
	bool oper_proved; /* this session's proof for OPER held when the command began */

	/* where in the log */
	uint64_t seq; /* everything up to here was delivered */
	uint64_t sure; /* the client has answered a PING that was sent behind this one */
	uint64_t ping_seq; /* position when the last own PING went out; 0: answered */
	uint64_t own_first; /* events from here on, of this session, belong to the answer; 0 none */
	struct chatd_room *rooms; /* owned, by id */
	size_t room_count, room_size;
	uint64_t to_show; /* a channel just entered, whose names come next; 0 */

	struct chatd_answering answering;
	struct buf line, body, tags; /* what is being written, kept for the next */
	size_t unsent; /* bytes written since the output was empty */
	int64_t time_second; /* of time_text */
	char time_text[IRC_TIME_SIZE];
	struct chatd_pending *pending; /* owned; NULL: nothing waits */
	struct chatd_input_batch *input;
	struct chatd_sasl *sasl;
	struct chatd_subscriptions *subscriptions;
	char *monitor[CHATD_MONITOR_MAX]; /* owned, as written */
	uint64_t monitor_seq[CHATD_MONITOR_MAX]; /* position whose state was told for it */
	size_t monitor_count;
	unsigned batches; /* references given out */

	unsigned bad; /* in a row */
	uint64_t lines_at; /* bytes in when the last whole line came */
	int64_t held_until_ms; /* no line is run before: flood */
	int64_t flood_ms; /* bucket of lines that post nothing */
	int64_t last_ms, ping_ms, login_until_ms; /* monotonic */
	int64_t login_us; /* wall clock of 001 */
	int64_t created_us; /* RPL_CREATED: of the store */
	bool lagging; /* which ended it */
	bool quit;
	char quit_text[CHAT_TOPIC_SIZE];
};

static inline bool chatd_has(const struct chatd *c, enum chatd_cap cap)
{
	return (c->caps >> cap & 1) != 0;
}

static inline bool chatd_logged_in(const struct chatd *c)
{
	return c->service->who.proof != AUTH_NONE;
}

/* The flag is the person's; what it is good for only that session's which proved it. */
static inline bool chatd_is_oper(const struct chatd *c)
{
	return (c->me.flags & CHAT_USER_OPER) != 0 && c->oper_proved;
}

/* -- session.c --------------------------------------------------------------------------------- */

/* The session behind TLS. guest_key: a secret of the house. 0 or negative as conn;
 * service->end_reason. */
int chatd_run(struct service *s, const unsigned char guest_key[32]);

#ifdef QUINTET_TEST
/* For tests and fuzzers over a connection in memory: while set, asked before each line is run.
 * True: the line was none of the client's; whoever is asked may have let others act. */
extern bool (*chatd_between)(struct span line);
#endif

/* ERROR with that text; the session ends when it is sent. Others see it as its QUIT, unless
 * quit_text is set already. */
void chatd_end(struct chatd *c, const char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* -- commands.c -------------------------------------------------------------------------------- */

struct chatd_call {
	struct chatd *c;
	const struct irc_message *message;
};

enum chatd_command_flag {
	CHATD_ANY_TIME = 1, /* before registration too */
	CHATD_BEFORE = 2, /* before registration only: 462 after */
	CHATD_OPER = 4, /* 481 for others */
	CHATD_SECRET = 8, /* arguments are never logged */
	CHATD_FREE = 16, /* not counted as flood: PONG, PING, QUIT, CAP ...; messages count in the
			    store */
	CHATD_COLLECTS =
		32, /* what waits to be posted may go on waiting (PRIVMSG, NOTICE, TAGMSG) */
	CHATD_IN_BATCH = 64, /* may carry a batch tag of the client's own */
};

struct chatd_command {
	const char *name;
	int (*run)(struct chatd_call *call); /* 0, or negative: the session cannot go on */
	unsigned least; /* parameters: 461 with fewer */
	unsigned flags;
	const char *syntax, *help; /* HELP's lines */
};
const struct chatd_command *chatd_commands(size_t *ret_count);

/* Does the line not count as flood here? */
bool chatd_is_free(struct span line);

/* Runs one line: its answer is complete when it returns. */
int chatd_command(struct chatd *c, struct span line);

/* cost.c: a line that posts nothing was taken, or one of several things that a line asks for was
 * done, or refused. Beyond what policy allows the next line is held. */
void chatd_cost(struct chatd *c);

/* -- reply.c: all go to this client, in the answer to the present command. Sticky errors stay in
 * conn. What they are given may hold anything: line ends and NUL become blanks, what is too long
 * for a line is cut at a character. --------------------------------------------------------------
 */

/* ":SERVER NNN NICK " and the text, which has its own parameters: "%s :End of /NAMES list". */
void chatd_numeric(struct chatd *c, unsigned number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ":SERVER " and the text. */
void chatd_server(struct chatd *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* NOTICE from the server. */
void chatd_notice(struct chatd *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "FAIL VERB CODE context :text" (also "WARN", "NOTE"); context is "" or its words. Clients without
 * standard-replies get them too where there is no numeric for it. */
void chatd_standard(struct chatd *c, const char *type, const char *verb, const char *code,
	const char *context, const char *format, ...) __attribute__((format(printf, 6, 7)));

/*
 * Tags of a line; a client gets those of its capabilities. chatd_send: a whole line of any source,
 * without tags and end, at most IRC_BODY_MAX (cut there).
 */
struct chatd_tags {
	int64_t at_us; /* 0: now */
	const char *msgid; /* NULL: none */
	struct span account; /* empty: none */
	bool bot;
	struct span client; /* client-only tags as stored, to those with message-tags */
	const char *batch; /* NULL: none, or that of the answer */
	const char *more; /* further tags, escaped already, behind ';'; NULL */
};
void chatd_send(struct chatd *c, const struct chatd_tags *tags, struct span line);

/* A batch inside the answer: "BATCH +ref TYPE params". ret_ref is for chatd_tags.batch. Nothing
 * when the client has no batch capability: ret_ref is "" then, which means none. */
void chatd_batch_begin(struct chatd *c, const char *type, const char *params, char ret_ref[16]);
/* As above, with tags and a source of its own (empty: the server), inside of tags->batch. */
struct chatd_batch {
	struct span source;
	const char *type;
	struct span params;
};
void chatd_batch_open(struct chatd *c, const struct chatd_tags *tags,
	const struct chatd_batch *batch, char ret_ref[16]);
void chatd_batch_end(struct chatd *c, const char *ref);

/* Around a command: label "" none. The end sends the held line, the batch's end, or ACK. */
void chatd_answer_begin(struct chatd *c, struct span label);
void chatd_answer_end(struct chatd *c);

/* A parameter as it can be said again in the midst of a line: its first word, cut at a character;
 * "*" when it is empty or begins with ':'. In words.c. */
struct chatd_word {
	char text[200];
};
struct chatd_word chatd_word(struct span param);
/* At most max bytes of UTF-8 text, cut at a character. In words.c. */
struct span chatd_cut(struct span text, size_t max);

/* A name as a parameter for "%s": what stands for a client without nick yet is "*". */
const char *chatd_nick(const struct chatd *c);
/* span as printf arguments: "%.*s", CHATD_SPAN(s) */
#define CHATD_SPAN(s) \
	(int)(s).len, (const char *)((s).p != NULL ? (s).p : (const unsigned char *)"")

/* -- act.c ------------------------------------------------------------------------------------- */

struct chat_actor chatd_actor(struct chatd *c);

/*
 * args begins with the struct chat_actor, whose time is set here anew.
 * store_call, then the ring, then the log is delivered up to the operation's own events (they are
 * part of the answer) and further to its head. result begins with a struct chat_result. 1: done or
 * CHAT_NOTHING, go on; 0: it was refused (answer tells, nothing is said yet) or could not be done
 * now (the store is busy or full, a flood: that is said, and answer is CHAT_DONE); negative: the
 * session cannot go on. FLOOD holds the session for wait_ms and tries again before it returns.
 */
int chatd_act(struct chatd *c, enum store_op op, void *args, void *result);

/* The usual numeric for a refusal about channel and nick (either may be ""): 401 403 404 441 442
 * 443 482 433 471 473 474 475 477 405 478 ... verb for FAIL. */
void chatd_refuse(struct chatd *c, enum chat_answer answer, const char *verb, const char *channel,
	const char *nick);

/* A view; an error is told to the peer ("temporarily"), and 0 comes back: for handlers. */
int chatd_view(struct chatd *c, int (*fn)(struct store_txn *txn, void *arg), void *arg);

/* -- deliver.c, render.c, rooms.c -------------------------------------------------------------- */

/* Everything behind c->seq up to head (0: the end) goes out while the output takes it. 0, 1: there
 * is more, the output is full; negative. */
int chatd_deliver(struct chatd *c, uint64_t head);

/* As chatd_deliver(), but waits until the output has taken it all: for answers. */
int chatd_drain(struct chatd *c, uint64_t head);

/* How far the session lags: events behind the log's end. */
int chatd_lag(struct chatd *c, uint64_t *ret);

/* Does the event concern this session at its position, and is it to be shown to its client? */
bool chatd_concerns(struct chatd *c, struct store_txn *txn, const struct chat_event *e);

/* What the event changes of what the session knows: channels, nick, flags. Behind its lines. */
int chatd_follow(struct chatd *c, struct store_txn *txn, const struct chat_event *e);

/* The event's lines. batch: of a history (replayed: the past is told as it was, names as then),
 * else NULL. */
struct chatd_rendering {
	const char *batch;
	bool replay; /* of a history */
	uint64_t channel; /* of a channel's history: what is told of others' channels stays out */
	bool timed; /* the client knows no server-time: the text begins with the time */
	struct store_txn *txn;
};
void chatd_render(struct chatd *c, const struct chat_event *e, const struct chatd_rendering *how);

/* By id; NULL: not in it. */
const struct chatd_room *chatd_room(const struct chatd *c, uint64_t id);
int chatd_room_add(struct chatd *c, uint64_t id, const char *name); /* -ENOMEM */
void chatd_room_remove(struct chatd *c, uint64_t id);
void chatd_room_rename(struct chatd *c, uint64_t id, const char *name);

/* -- who does what for whom -------------------------------------------------------------------- */

/* register.c: 001 when everything is there and nothing is open; 433 and the like. After each of
 * NICK, USER, CAP END, the end of SASL. */
int chatd_try_register(struct chatd *c);
/* register.c: the channels of an account that came back. */
int chatd_rejoin(struct chatd *c);
/* usermode.c: 221 */
void chatd_say_modes(struct chatd *c);
/* about.c: 001 to 005, LUSERS, MOTD. */
void chatd_welcome(struct chatd *c);
/* isupport.c: the lines of 005. */
void chatd_isupport(struct chatd *c);
/* replay of one's own JOIN of a channel, as deliver.c says it. */
void chatd_say_join(struct chatd *c, const char *channel);
/* ping.c: own pings, and what their answers prove. */
bool chatd_ping_due(struct chatd *c); /* was it time, and was it said? */
int64_t chatd_ping_at_ms(const struct chatd *c);
/* channel.c: the channel of that name, as far as the client may know of it. 1; 0: there is none, or
 * a secret one that it is not in: 403 was said; negative. */
int chatd_channel(struct chatd *c, struct span name, const char *verb, struct chat_channel *ret);
bool chatd_sees(const struct chatd *c, const struct chat_channel *channel);
/* names.c: topic, names and what else follows one's own JOIN of a channel. */
int chatd_show_channel(struct chatd *c, uint64_t id);
int chatd_names(struct chatd *c, uint64_t id);
/* replay.c: what the device missed: to clients without draft/chathistory, behind 001 and the JOINs.
 * known, or NULL: the channels where a session that logs in late has heard all itself. */
struct chatd_rooms_known {
	uint64_t ids[CHAT_JOINED_MAX];
	size_t count;
};
int chatd_replay(struct chatd *c, uint64_t seen, const struct chatd_rooms_known *known);
void chatd_rooms_note(const struct chatd *c, struct chatd_rooms_known *ret);
/* marker.c: MARKREAD of a channel, to clients of draft/read-marker, when it is joined. */
int chatd_show_marker(struct chatd *c, uint64_t id);
/* message.c: posts what waits. Before any command without CHATD_COLLECTS or with a label, outside
 * of its answer, and when no line is left. */
int chatd_post(struct chatd *c);
void chatd_post_done(struct chatd *c); /* frees what waits */
/* monitor.c: 730 and 731 for an event of somebody who is monitored; deliver.c calls it. */
void chatd_monitor_event(struct chatd *c, const struct chat_event *e);
bool chatd_monitors(const struct chatd *c, struct span nick);
void chatd_monitor_done(struct chatd *c);
/* metadata.c: does the client want changes of this key? What it is told at 001 and JOIN. */
bool chatd_subscribed(const struct chatd *c, struct span key);
int chatd_show_metadata(struct chatd *c, uint64_t id);
void chatd_metadata_done(struct chatd *c);
/* sasl.c */
void chatd_sasl_done(struct chatd *c);
/* identity.c. The key of the certificate, if it is good. */
void chatd_read_key(struct chatd *c);
/* Letters, digits, '-', '_' and '.'. Empty is fine: no name. */
bool chatd_device_ok(struct span device);
/* The session is who's from now on, and which device: of the certificate when device is empty. */
int chatd_identify(struct chatd *c, const struct auth_identity *who, struct span device);
/* The host that others are shown. account "": a guest's. -EIO. */
int chatd_host(const struct chatd *c, const char *account, char ret[CHAT_HOST_SIZE]);
/* Logs the session in: identity, device; before registration only remembered, after it by
 * STORE_OP_CHAT_LOGIN. 900. 1 done, 0 refused and said, negative. */
int chatd_log_in(struct chatd *c, const struct auth_identity *who, struct span device);
/* multiline.c: a line that carries the tag of the client's open batch. */
int chatd_batch_line(struct chatd *c, const struct irc_message *m, struct span batch);
void chatd_multiline_done(struct chatd *c);
/* oper.c: looks at the proof for OPER again, before each command; the flag goes with it. */
int chatd_prove_oper(struct chatd *c);

/* -- handlers, one per command; results as chatd_command.run ---------------------------------- */

int chatd_cmd_cap(struct chatd_call *call); /* caps.c */
int chatd_cmd_authenticate(struct chatd_call *call); /* sasl.c */
int chatd_cmd_register(struct chatd_call *call); /* account.c */
int chatd_cmd_verify(struct chatd_call *call);
int chatd_cmd_pass(struct chatd_call *call); /* register.c */
int chatd_cmd_nick(struct chatd_call *call);
int chatd_cmd_user(struct chatd_call *call);
int chatd_cmd_ping(struct chatd_call *call); /* ping.c */
int chatd_cmd_pong(struct chatd_call *call);
int chatd_cmd_quit(struct chatd_call *call);
int chatd_cmd_join(struct chatd_call *call); /* join.c */
int chatd_cmd_part(struct chatd_call *call);
int chatd_cmd_kick(struct chatd_call *call); /* kick.c */
int chatd_cmd_invite(struct chatd_call *call);
int chatd_cmd_topic(struct chatd_call *call); /* topic.c */
int chatd_cmd_names(struct chatd_call *call); /* names.c */
int chatd_cmd_list(struct chatd_call *call); /* list.c */
int chatd_cmd_mode(struct chatd_call *call); /* mode.c */
int chatd_cmd_rename(struct chatd_call *call); /* rename.c */
int chatd_cmd_message(struct chatd_call *call); /* message.c: PRIVMSG NOTICE TAGMSG */
int chatd_cmd_batch(struct chatd_call *call); /* multiline.c */
int chatd_cmd_redact(struct chatd_call *call); /* redact.c */
int chatd_cmd_chathistory(struct chatd_call *call); /* history.c */
int chatd_cmd_markread(struct chatd_call *call); /* marker.c */
int chatd_cmd_metadata(struct chatd_call *call); /* metadata.c */
int chatd_cmd_who(struct chatd_call *call); /* who.c, with WHOX */
int chatd_cmd_whois(struct chatd_call *call); /* whois.c */
int chatd_cmd_whowas(struct chatd_call *call); /* whowas.c */
int chatd_cmd_userhost(struct chatd_call *call); /* people.c */
int chatd_cmd_ison(struct chatd_call *call);
int chatd_cmd_monitor(struct chatd_call *call); /* monitor.c */
int chatd_cmd_away(struct chatd_call *call); /* away.c */
int chatd_cmd_setname(struct chatd_call *call);
int chatd_cmd_oper(struct chatd_call *call); /* oper.c */
int chatd_cmd_kill(struct chatd_call *call);
int chatd_cmd_wallops(struct chatd_call *call);
int chatd_cmd_broadcast(struct chatd_call *call); /* BROADCAST text: an administrator's, to all */
int chatd_cmd_motd(struct chatd_call *call); /* about.c */
int chatd_cmd_version(struct chatd_call *call);
int chatd_cmd_admin(struct chatd_call *call);
int chatd_cmd_info(struct chatd_call *call);
int chatd_cmd_time(struct chatd_call *call);
int chatd_cmd_lusers(struct chatd_call *call);
int chatd_cmd_links(struct chatd_call *call);
int chatd_cmd_stats(struct chatd_call *call);
int chatd_cmd_help(struct chatd_call *call);

/* mode.c: MODE of a user; the same table of channel modes is what ISUPPORT says. */
extern const struct irc_mode_types chatd_channel_modes;

#endif
