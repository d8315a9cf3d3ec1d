/*
 * quintet chat: one IRC session that comes back by itself, windows of what was said, and the loop
 * that serves them and the calls between peers. Nothing here waits.
 *
 * This header is what other parts of the client see, client/peer first of all. A "talk" is the
 * whole: the session with the server, the windows, the person at the terminal.
 */
#ifndef CLIENT_CHAT_CHAT_H
#define CLIENT_CHAT_CHAT_H

#include "client/client.h"
#include "client/profile.h"
#include "proto/irc.h"

struct talk;

/* -- the loop: descriptors of others (loop.c) -------------------------------------------------- */

enum { TALK_SOURCES_MAX = 64 };

/*
 * Something of one's own in the loop. The struct is borrowed until talk_source_remove(); fd, events
 * and until_ms may be changed at any time and hold from the next round on. step() is called with
 * what poll(2) said, or with 0 when until_ms has come; it may add and remove sources, itself too.
 */
struct talk_source {
	int fd; /* -1: none now */
	short events;
	int64_t until_ms; /* time_monotonic_ms()'s clock; 0: at once; INT64_MAX: never */
	void (*step)(void *arg, short revents);
	void *arg;
};
int talk_source_add(struct talk *t, struct talk_source *s); /* -ENOSPC */
void talk_source_remove(struct talk *t, struct talk_source *s);

/* -- what goes to the server ------------------------------------------------------------------- */

/* Is the session registered now? */
bool talk_is_ready(const struct talk *t);
/* One line, as it is, without its end. -ENOTCONN: not now; -EMSGSIZE: more than 510 bytes, or line
 * ends in it. */
int talk_line(struct talk *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *talk_nick(const struct talk *t);
const struct profile *talk_profile(const struct talk *t);
/* Does the server stamp requests of calls (capability quintet/calls)? */
bool talk_has_calls(const struct talk *t);
/* The socket to the server, for its addresses; -1: there is none now. */
int talk_socket(const struct talk *t);

/* -- what the person sees and says. Whatever text holds, it is shown harmless. ------------------
 */

/* A line of the client's own words in the window of that name (a channel, a nick, a call); NULL:
 * the one the person looks at. */
void talk_note(struct talk *t, const char *window, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Call windows: "=NICK". Opened when they are not there; *focus* makes it the one that is looked
 * at. */
int talk_call_open(struct talk *t, const char *window, bool focus);
/* What was said in a call, by oneself too (from is one's own nick then). */
void talk_call_said(struct talk *t, const char *window, const char *from, struct span text);

/* A file of a call, from its first byte to its end. True: it is shown, so its progress needs no
 * notes. */
struct talk_file {
	const void *id; /* the same each time, of this file alone until it is over */
	const char *nick, *name;
	bool up; /* to them */
	uint64_t at, size;
	bool over, whole;
};
bool talk_file(struct talk *t, const struct talk_file *f);

/*
 * Asks a question that is answered by yes or no; answer() runs later, with false also when the
 * person leaves. Questions are put one after the other, at most 32 wait: -ENOSPC. talk_unask()
 * takes back those of arg, unanswered.
 */
int talk_ask(struct talk *t, const char *question, void (*answer)(void *arg, bool yes), void *arg);
void talk_unask(struct talk *t, const void *arg);

/* -- calls ------------------------------------------------------------------------------------- */

/* A CTCP DCC message from somebody (never one's own echo). Spans live during the call. */
struct talk_request {
	struct span nick; /* who asks */
	struct span account; /* as the server stamped it; empty: none */
	bool has_key;
	unsigned char spki_sha256[32]; /* tag quintet/key */
	struct span rest; /* what stands behind "DCC ": "SCHAT chat ..." */
	bool notice; /* came as NOTICE */
	int64_t at_us;
};

/* What client/peer gives to the talk (peer_calls in client/peer/peer.h); every function gets what
 * begin() made. */
struct talk_calls {
	int (*begin)(struct talk *t, void **ret); /* -ENOMEM */
	void (*end)(void *calls); /* the talk is over: everything is closed */
	void (*request)(void *calls, const struct talk_request *r);
	/* The server says that a DCC message could not be delivered ("No such nick"). True: told.
	 */
	bool (*undelivered)(void *calls, struct span nick, struct span reason);
	/* call, accept, decline, send, get, hangup: with what stands behind it, trimmed. window:
	 * that in which it was typed. False: there is no such command. */
	bool (*command)(void *calls, const char *window, const char *name, const char *words);
	/* Typed in a call's window. */
	void (*say)(void *calls, const char *window, struct span text);
};

#endif
