/*
 * One IMAP connection from the inside. The core never waits: imapc_step() goes on as far as it can
 * and gives one answer after the other; what stands in mail.h waits on top of it. A server may be
 * hostile: lines, literals and everything kept of them are bounded.
 */
#ifndef CLIENT_MAIL_IMAPC_H
#define CLIENT_MAIL_IMAPC_H

#include "client/link.h"
#include "client/mail/mail.h"

enum {
	IMAPC_LINE_MAX = 4 << 20, /* bytes of an answer, its literals not counted */
	IMAPC_ANSWER_MAX = MAIL_MESSAGE_MAX + IMAPC_LINE_MAX,
	IMAPC_CAPS_MAX = 16384,
	IMAPC_EARLY = 8, /* tagged answers that came before they were waited for */
	IMAPC_PIECES = 64, /* of one command */
};

struct imapc {
	struct client *client; /* NULL: nobody interrupts (tests) */
	struct link link;
	struct conn *conn; /* link's, or of a test */
	unsigned timeout_s; /* how long the server may be silent */
	int error; /* the line is lost since */
	uint32_t tag; /* of the last command */
	bool utf8; /* UTF8=ACCEPT is enabled: strings may be quoted UTF-8 */
	bool qresync, condstore; /* enabled */
	bool bye;
	struct buf caps; /* " IMAP4rev1 IDLE ... " */
	bool caps_told; /* by the last answers; whoever waits for them clears it before */
	char code[256], said[512]; /* of the last tagged answer, or of BYE */

	/* the answer that is being read */
	struct buf in;
	size_t line; /* where its present line begins */
	uint64_t literal; /* bytes of a literal still to come */
	size_t text; /* bytes that are no literal's */
	bool whole; /* the last answer still lies in it */
	struct imap_answer answer;

	struct {
		uint32_t tag;
		int result;
	} early[IMAPC_EARLY];
	size_t early_count;

	imapc_heard listen; /* hears every untagged answer first: what is selected */
	void *listen_arg;
};

/* Takes conn over (in a failure too). For imapc_open() and tests. */
int imapc_new(struct client *c, struct conn *conn, struct imapc **ret);
void imapc_free(struct imapc *m); /* without LOGOUT */

/* Greeting, log-in, ENABLE. 0; -EACCES: refused, imapc_said(); -ENOTSUP: no way to log in. */
int imapc_login(struct imapc *m, const char *user, struct span password);

/* 1: m->answer holds one, until the next call; 0: wait for conn_events(); negative: it is lost. */
int imapc_step(struct imapc *m);
/* Waits for the next. As imapc_step(), never 0; -ETIMEDOUT, -ECANCELED. */
int imapc_next(struct imapc *m);

/* Sends a command without waiting for its end; and waits for it. Several may be under way. */
int imapc_send(struct imapc *m, const struct imapc_piece *pieces, size_t count, uint32_t *ret_tag);
int imapc_wait(struct imapc *m, uint32_t tag, imapc_heard heard, void *arg);
/* The same, but what was said of the command before stays. */
int imapc_wait_quiet(struct imapc *m, uint32_t tag);
/* Something is selected, and nobody listens. */
int imapc_ignore(void *arg, const struct imap_answer *a);

bool imapc_is_tag(const struct imap_answer *a, uint32_t *ret);
bool imapc_is_plus(const struct imap_answer *a);
/* Hands an untagged answer on. */
int imapc_tell(struct imapc *m, imapc_heard heard, void *arg);
/* Keeps what a tagged answer says; 0 or -EREMOTEIO. */
int imapc_note(struct imapc *m);
/* The line is lost: remembers why, and returns it. */
int imapc_lose(struct imapc *m, int error);

/* A command in the making: text, and strings quoted or as literals. */
struct imapc_words {
	bool utf8;
	struct buf text;
	struct {
		size_t len;
		bool literal;
	} cuts[IMAPC_PIECES];
	size_t count;
	int error;
};
void imapc_words_begin(const struct imapc *m, struct imapc_words *w);
void imapc_words_done(struct imapc_words *w);
void imapc_say(struct imapc_words *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void imapc_say_string(struct imapc_words *w, struct span s);
void imapc_say_mailbox(struct imapc_words *w, struct span utf8_name);
void imapc_say_set(struct imapc_words *w, const uint32_t *numbers, size_t count);
/* The pieces, pointing into w: at most IMAPC_PIECES. */
int imapc_say_pieces(const struct imapc_words *w, struct imapc_piece *ret, size_t *ret_count);
int imapc_say_send(struct imapc *m, struct imapc_words *w, uint32_t *ret_tag);
int imapc_say_run(struct imapc *m, struct imapc_words *w, imapc_heard heard, void *arg);

/* Clean UTF-8 of at most size - 1 bytes of what a server says. */
void imapc_clean(struct span s, char *ret, size_t size);

/* Numbers out of an answer; false: it is none. */
bool imapc_u32(struct span s, uint32_t *ret);
bool imapc_u64(struct span s, uint64_t *ret);
/* Is the nth word of the answer that name? */
bool imapc_word(const struct imap_answer *a, size_t n, const char *name);
const struct imap_node *imapc_nth(const struct imap_answer *a, size_t n);

#endif
