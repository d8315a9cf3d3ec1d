/*
 * What the files of the chat client share: the session with the server as a machine that never
 * waits, over the windows of model.h; a view (the person's terminal, or one of the commands for
 * scripts) is told what happens.
 *
 *	net.c       addresses, TLS, back-off, pings
 *	session.c   its life: lines out, ready, lost
 *	login.c     capabilities, SASL, registration
 *	incoming.c  lines: tags, batches, who handles what
 *	said.c      messages, redactions, read markers
 *	channel.c   joins, parts, modes, names and the like
 *	numeric.c   numerics, standard replies
 *	fill.c      history: what was missed, what is older
 *	outgoing.c  one's own messages until they are known to be in the log
 *	notes.c     the client's own words, questions to the person
 *	loop.c      the poll loop, and descriptors of others
 */
#ifndef CLIENT_CHAT_TALK_H
#define CLIENT_CHAT_TALK_H

#include "client/chat/chat.h"
#include "client/chat/model.h"
#include "client/chat/safe.h"
#include "net/conn.h"

enum {
	TALK_BATCHES_MAX = 16, /* open at once */
	TALK_FILLS_MAX = 600, /* histories to be asked for */
	TALK_PAGE = 200, /* events asked for at once */
	TALK_OUTGOING_MAX = 1000, /* own messages not yet known to be in the log */
	TALK_FLYING_MAX = 32, /* of them, sent and not yet answered */
	TALK_ID_SIZE = 33, /* of an own message, in hexadecimal, or of a label */
};

enum talk_cap {
	TALK_SASL,
	TALK_SERVER_TIME,
	TALK_MESSAGE_TAGS,
	TALK_BATCH,
	TALK_LABELS,
	TALK_ECHO,
	TALK_HISTORY,
	TALK_PLAYBACK,
	TALK_MARKER,
	TALK_MULTILINE,
	TALK_REDACTION,
	TALK_CALLS,
	TALK_OTHERS, /* from here on such that only change what comes */
};

enum talk_state {
	TALK_OFF, /* until_ms: then it is tried again */
	TALK_CONNECT,
	TALK_TLS,
	TALK_LOGIN, /* until all of registration is told */
	TALK_READY,
	TALK_OVER, /* for good: code */
};

/* -- the view ---------------------------------------------------------------------------------- */

enum fill_kind {
	FILL_AFTER, /* what was missed: shown as if it came now */
	FILL_LATEST, /* the newest, at the beginning */
	FILL_BEFORE, /* older than all that is there */
	FILL_TARGETS, /* with whom one has talked */
};

/* What the server has said about an own message. */
enum talk_fate { TALK_SENT, TALK_REFUSED, TALK_UNKNOWN };

/* Functions may be NULL. Items stay the window's. */
struct talk_view {
	/* Registered, and all channels are known; each time. */
	void (*ready)(void *arg);
	/* The line is lost, or could not be had; tried again after in_s. */
	void (*lost)(void *arg, const char *why, unsigned in_s);
	/* Something new in a window; in order, without gaps and repeats. */
	void (*item)(void *arg, struct window *w, const struct item *i);
	/* The answer to a FILL_LATEST or FILL_BEFORE: what is new of it, in order. The pages of a
	 * FILL_AFTER come by item(); its end by this, with none. error: why it could not be had. */
	void (*page)(void *arg, const char *target, enum fill_kind kind, struct item *const *items,
		size_t count, const char *error);
	/* Unread counts, windows, the nick or questions have changed. */
	void (*changed)(void *arg);
	void (*redacted)(void *arg, struct window *w, const struct item *i);
	/* How an own message ended; cookie: as given to talk_say(). */
	void (*fate)(void *arg, uint64_t cookie, enum talk_fate fate, const char *why);
	void (*focus)(void *arg, struct window *w); /* it is to be looked at */
	/* A PING of the view's own was answered. */
	void (*pong)(void *arg, struct span token);
	/* A file of a call has moved, or is over. */
	void (*file)(void *arg, const struct talk_file *f);
	/* A window is about to be closed. */
	void (*closing)(void *arg, struct window *w);
};

struct talk_options {
	const char *user; /* by password; NULL: by certificate */
	struct span password;
	const char *nick; /* NULL: the account's name */
	unsigned retries; /* in a row, after it was ready once; UINT_MAX: for ever */
	size_t scrollback; /* of a channel at the beginning; 0 none */
	bool people; /* ask for private messages that wait */
	bool said_only; /* histories without joins and the like */
	const struct talk_calls *calls; /* NULL: none */
};

/* -- parts ------------------------------------------------------------------------------------- */

enum batch_kind { BATCH_OTHER, BATCH_HISTORY, BATCH_MULTILINE, BATCH_TARGETS };

struct talk_batch {
	char ref[33]; /* "": free */
	enum batch_kind kind;
	char parent[33]; /* "" none */
	char label[TALK_ID_SIZE];
	char target[MODEL_NAME_SIZE];
	bool history; /* it or one around it is BATCH_HISTORY */
	/* A multiline message: its first line's words, and the text so far. */
	struct buf tags, source, text;
	bool notice, any;
};

/* A line from the server, and what its tags say. Spans live while it is handled. */
struct talk_in {
	struct irc_message m;
	struct irc_source source;
	int64_t at_us;
	struct span msgid, account, key, own_id; /* raw tag values; own_id: +quintet/id */
	const char *label; /* its own or that of a batch around it; "" */
	const struct talk_batch *batch; /* NULL none */
	bool history; /* tells of the past: nothing is changed by it */
	const char *target; /* of that history */
	bool own; /* the source is oneself */
};

struct fill {
	struct fill *next;
	enum fill_kind kind;
	char target[MODEL_NAME_SIZE];
	char anchor[128], end[128]; /* "msgid=..", "timestamp=..", "*" */
	size_t wanted, got; /* of events; wanted 0: all there are */
	char label[TALK_ID_SIZE]; /* "": not asked yet */
	size_t lines; /* of the present page, items or not */
	char last[128]; /* anchor of its last line */
	struct item **page;
	size_t count, size;
	char error[256];
};

struct outgoing {
	struct outgoing *next;
	char id[TALK_ID_SIZE]; /* its tag +quintet/id, the same each time it is sent */
	char label[TALK_ID_SIZE]; /* "": not sent in this session */
	bool doubtful; /* was sent before the line was lost: history decides */
	bool notice, action;
	char target[MODEL_NAME_SIZE];
	char *text;
	uint64_t cookie;
	char refused[256]; /* why; "" */
};

/* Somebody whom TARGETS named, until the read marker tells whether there is something new. */
struct talk_person {
	char name[MODEL_NAME_SIZE];
	int64_t newest_us;
};

struct talk_question {
	void (*answer)(void *arg, bool yes);
	void *arg;
	char text[512];
};

struct talk {
	struct client *client;
	const struct profile *profile; /* NULL in tests: the connection is talk_attach()ed */
	struct talk_options options;
	const struct talk_view *view;
	void *view_arg;
	struct model model;
	struct window *current; /* where notes without a window go; never NULL */

	/* net.c */
	enum talk_state state;
	int code; /* exit code once it is over */
	char reason[512]; /* why it was lost or is over, safe to be shown */
	uint16_t port;
	struct addrinfo *addresses, *next_address;
	struct tls_client *tls;
	int fd; /* connecting */
	struct conn *conn;
	int64_t until_ms; /* deadline of the present state, or the next attempt */
	int64_t address_ms; /* the next address is tried then; INT64_MAX: there is none */
	int64_t heard_ms, ping_ms; /* last bytes; the own PING that waits, 0 none */
	int64_t ready_ms; /* since when it is ready */
	unsigned losses; /* in a row */
	bool was_ready; /* ever */
	char security[128]; /* "TLSv1.3, CIPHER" */

	/* login.c */
	uint32_t caps, offered; /* bits of enum talk_cap */
	struct buf wanted; /* capabilities to be asked for, while CAP LS goes on */
	unsigned requests; /* CAP REQ not answered yet */
	char mechanism[16]; /* of SASL, under way */
	bool sasl_over, registered;
	unsigned nick_tries;
	char nick[MODEL_NAME_SIZE], account[MODEL_NAME_SIZE];
	size_t multiline_bytes, multiline_lines;
	size_t source_len; /* of one's own "nick!user@host"; 0: not known */

	/* 005 */
	char prefix_modes[16], prefix_chars[16], status_chars[16];
	char mode_lists[32], mode_always[32], mode_set[32], mode_never[64];
	size_t history_max;

	/* incoming.c */
	struct talk_batch batches[TALK_BATCHES_MAX];
	int64_t clock_us; /* server-time heard last; 0 none */
	int64_t gap_us; /* of the last line before the loss; 0: no loss yet */
	char sync[24]; /* the PING whose answer makes it ready */
	unsigned numbers; /* labels and the like given out */

	struct fill *fills; /* the first is being asked; owned */
	size_t fill_count;
	struct talk_person people[64];
	size_t people_count;
	bool people_told; /* TARGETS was answered in this session */
	int64_t people_us; /* nothing from strangers is missing before; 0: nothing is known */
	struct outgoing *outgoing, **outgoing_end; /* owned */
	size_t outgoing_count, flying;

	/* loop.c */
	struct talk_source *sources[TALK_SOURCES_MAX];
	size_t source_count;
	bool leaving;

	/* session.c, notes.c */
	const struct talk_calls *calls;
	void *calls_state; /* NULL: not begun */
	struct talk_question questions[32];
	size_t question_count;
};

/* -- session.c --------------------------------------------------------------------------------- */

/* *t is filled; profile and options.password are borrowed. -ENOMEM. */
int talk_begin(struct talk *t, struct client *c, const struct profile *p,
	const struct talk_options *o, const struct talk_view *view, void *arg);
/* Looks up addresses, makes the TLS client: an exit code, told. */
int talk_prepare(struct talk *t);
/* While there is no line: the profile's present key and certificate are shown from now on.
 * -EINVAL: they cannot be used; those before stay. */
int talk_identity(struct talk *t);
void talk_done(struct talk *t);
/* For tests: a connection that is there already; registration begins. */
void talk_attach(struct talk *t, struct conn *conn);

static inline bool talk_has(const struct talk *t, enum talk_cap cap)
{
	return (t->caps >> cap & 1) != 0;
}

/* As talk_line(), in any state with a connection. */
int talk_send(struct talk *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* With tags in front, "" none: at most IRC_CLIENT_TAGS_MAX. */
int talk_send_tagged(struct talk *t, const char *tags, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* QUIT, and what follows is the end: talk_loop() returns when it is said. */
void talk_leave(struct talk *t, const char *reason);
/* Everything is told: from here on messages go out. */
void talk_ready(struct talk *t);
/* The connection is gone (called by net.c): what hung on it is put back. */
void talk_forget(struct talk *t);
/* A fresh label with that letter in front. */
void talk_label(struct talk *t, char letter, char ret[TALK_ID_SIZE]);
void talk_changed(struct talk *t);
/* An item in a window, shown if it is new; i may be NULL: no memory. */
void talk_add(struct talk *t, struct window *w, struct item *i);
/* Opens (kind by the name) or finds. NULL: the server's has to do. That of a person gets what was
 * said before, where the options say so. */
struct window *talk_window(struct talk *t, struct span name);
void talk_window_close(struct talk *t, struct window *w);
/* Everything in the window was read: tells the server. */
void talk_mark_read(struct talk *t, struct window *w);
bool talk_is_channel(struct span name);

/* notes.c: answers the first question; false: there is none. */
bool talk_answer(struct talk *t, bool yes);

/* -- net.c ------------------------------------------------------------------------------------- */

/* One round: what to wait for (fd -1: nothing), and what to do after it. */
struct pollfd;
void net_poll(const struct talk *t, struct pollfd *ret, int64_t *until_ms);
void net_step(struct talk *t);
/* The line is lost; error 0: t->reason tells already. */
void net_lose(struct talk *t, int error);
/* It is over. */
void net_end(struct talk *t, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* -- login.c ----------------------------------------------------------------------------------- */

void login_begin(struct talk *t);
void login_cap(struct talk *t, const struct talk_in *in);
void login_authenticate(struct talk *t, const struct talk_in *in);
/* A numeric that belongs to registration: true when it was dealt with. */
bool login_numeric(struct talk *t, unsigned number, const struct talk_in *in);
void login_supports(struct talk *t, const struct irc_message *m); /* 005 */

/* -- incoming.c -------------------------------------------------------------------------------- */

/* One line without its end. Lines that are no IRC are skipped. */
void incoming_line(struct talk *t, struct span line);
void incoming_forget(struct talk *t); /* open batches */

/* -- said.c, channel.c, numeric.c: handlers of the table in incoming.c --------------------------
 */

void said_message(struct talk *t, const struct talk_in *in);
/* A message's text is whole. */
void said_text(struct talk *t, const struct talk_in *in, struct span text);
void said_redact(struct talk *t, const struct talk_in *in);
void said_marker(struct talk *t, const struct talk_in *in);

void channel_join(struct talk *t, const struct talk_in *in);
void channel_part(struct talk *t, const struct talk_in *in);
void channel_kick(struct talk *t, const struct talk_in *in);
void channel_quit(struct talk *t, const struct talk_in *in);
void channel_nick(struct talk *t, const struct talk_in *in);
void channel_topic(struct talk *t, const struct talk_in *in);
void channel_mode(struct talk *t, const struct talk_in *in);
void channel_invite(struct talk *t, const struct talk_in *in);
void channel_rename(struct talk *t, const struct talk_in *in);
void channel_away(struct talk *t, const struct talk_in *in);
void channel_names(struct talk *t, const struct talk_in *in); /* 353 */
void channel_names_end(struct talk *t, const struct talk_in *in); /* 366 */
void channel_topic_is(struct talk *t, const struct talk_in *in); /* 331, 332 */
/* Where an event of this name belongs: in a history, its target. NULL: no such window. */
struct window *channel_window(struct talk *t, const struct talk_in *in, struct span name);

void numeric_handle(struct talk *t, unsigned number, const struct talk_in *in);
void numeric_standard(struct talk *t, const struct talk_in *in); /* FAIL WARN NOTE */
void numeric_error(struct talk *t, const struct talk_in *in); /* ERROR */
void numeric_wallops(struct talk *t, const struct talk_in *in);

/* -- fill.c ------------------------------------------------------------------------------------ */

/* -ENOTSUP: the server has no history for us; -ENOSPC; -ENOMEM. */
int fill_ask(struct talk *t, enum fill_kind kind, const char *target, const char *anchor,
	const char *end, size_t wanted);
/* Those who wrote while the line was lost are all known. */
static inline bool fill_people_known(const struct talk *t)
{
	return t->people_told && t->people_count == 0;
}
/* The window's gap, or at first its newest; then what waits to be shown. */
void fill_window(struct talk *t, struct window *w);
/* Older than the oldest that is there. -ENODATA: there is nothing older. */
int fill_older(struct talk *t, struct window *w, size_t count);
/* A line of the history that is being told: counted. */
void fill_line(struct talk *t, const struct talk_in *in);
/* What it shows; owned from here on, NULL allowed. */
void fill_item(struct talk *t, const struct talk_in *in, struct item *i);
/* A line of TARGETS: name, time. */
void fill_target(struct talk *t, struct span name, struct span at);
/* A read marker came: of somebody that TARGETS named, perhaps. */
void fill_marked(struct talk *t, struct span name, int64_t at_us);
/* The answer with that label is whole. */
void fill_answered(struct talk *t, const char *label);
void fill_refused(struct talk *t, const char *label, struct span why);
void fill_next(struct talk *t);
void fill_forget(struct talk *t); /* the line is lost: what was asked for is dropped */
void fill_drop(struct talk *t, const char *target);
/* A live item: it is sure that nothing is missing before it. */
void fill_sure(struct window *w, const struct item *i);

/* -- outgoing.c -------------------------------------------------------------------------------- */

enum { SAY_NOTICE = 1, SAY_ACTION = 2 };

/* Takes a text (lines of their own become messages of their own, or one of several lines). -ENOSPC,
 * -ENOMEM, -EINVAL: no such target. */
int talk_say(struct talk *t, const char *target, struct span text, unsigned flags, uint64_t cookie);
void outgoing_flush(struct talk *t); /* sends what may go now */
/* Its echo or its place in history was seen. */
void outgoing_seen(struct talk *t, struct span own_id);
void outgoing_refused(struct talk *t, const char *label, struct span why);
void outgoing_answered(struct talk *t, const char *label);
void outgoing_lost(struct talk *t);
/* The target's history is whole: what is not in it was not sent. known false: it could not be read.
 */
void outgoing_settle(struct talk *t, const char *target, bool known);
/* Ready again: whatever is in doubt is being looked for, or given up. */
void outgoing_check(struct talk *t);
void outgoing_done(struct talk *t);

/* -- loop.c ------------------------------------------------------------------------------------ */

/* Runs until the talk is over or until_ms has come, or stop (NULL: never) says true: an exit code,
 * -1 for the latter two. CLIENT_INTERRUPTED after a signal, which stays unread. watch_fd (-1: none)
 * calls watch() when readable. */
struct talk_watch {
	int fd;
	void (*ready)(void *arg);
	void (*signal)(void *arg); /* NULL: a signal ends the loop */
	bool (*stop)(void *arg);
	void *arg;
};
int talk_loop(struct talk *t, const struct talk_watch *w, int64_t until_ms);

#endif
