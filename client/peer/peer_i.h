/*
 * What the files of client/peer share.
 *
 *	wire.c      the protocol
 *	fault.c     why somebody is not believed
 *	trust.c     certificates
 *	revoke.c    revocation, asked of the authority
 *	attempt.c   a connection until it is known who is there
 *	token.c     tokens that are over
 *	place.c     addresses: one's own, and where to listen
 *	ask.c       requests, ours and theirs, until they are answered
 *	meet.c      the way from an answered request to a call
 *	call.c      a call: lines, its end
 *	give.c      files that are sent
 *	take.c      files that are received
 *	piece.c     the file that is being received, beside its place
 *	commands.c  what the person types
 *	peer.c      all of it as the talk sees it
 */
#ifndef CLIENT_PEER_PEER_I_H
#define CLIENT_PEER_PEER_I_H

#include "client/peer/attempt.h"
#include "client/peer/peer.h"

#include "net/conn.h"
#include "proto/dcc.h"

enum {
	PEER_NAME_SIZE = 201, /* of a nick or a window */
	OFFERS_MAX = 32, /* requests that wait, both ways */
	OFFERS_OF_ONE = 4, /* of them, from one account */
	OFFER_MS = 120000, /* how long a token is good */
	MEET_MS = 60000, /* how long a listener waits */
	AT_ONCE = 4, /* handshakes of one listener */
	CALLS_MAX = 16,
	FILES_MAX = 16, /* of one call, each way */
	TOKENS_KEPT = 64,
};

/* -- token.c ----------------------------------------------------------------------------------- */

enum token_end { TOKEN_UNKNOWN, TOKEN_USED, TOKEN_LATE, TOKEN_DECLINED };

/* Those of the last two minutes, so that one that comes again can be told from one never seen. */
struct tokens {
	struct {
		char text[DCC_TOKEN_SIZE];
		enum token_end end;
		int64_t until_ms;
	} v[TOKENS_KEPT];
	size_t next;
};

int token_new(char ret[DCC_TOKEN_SIZE]); /* -EIO */
void token_over(struct tokens *t, const char *token, enum token_end end);
enum token_end token_find(const struct tokens *t, const char *token);

/* -- place.c ----------------------------------------------------------------------------------- */

/* The address by which this machine reaches the server, as text. False: there is no line. */
bool place_own(const struct talk *t, char ret[DCC_ADDRESS_SIZE]);
/* A listening socket on that address alone, at any port. -ENOTCONN, or as bind(2). */
int place_listen(const struct talk *t, int *ret_fd, uint16_t *ret_port);
/* May a peer send us there? Not to this machine itself, unless the server is here too, nor to
 * ports of system services. */
bool place_ok(const struct talk *t, const char *address, uint16_t port);

/* -- requests ---------------------------------------------------------------------------------- */

struct peers;

enum offer_state {
	OFFER_SENT, /* ours: they have to answer */
	OFFER_ASKING, /* the person is being asked */
	OFFER_MEETING, /* agreed: listening or connecting */
};

struct offer {
	struct offer *next;
	struct peers *peers;
	bool ours;
	enum offer_state state;
	char nick[PEER_NAME_SIZE];
	char token[DCC_TOKEN_SIZE];
	struct trust_expect expect; /* once it is known who it is */
	struct sockaddr_storage authority;
	int64_t until_ms;

	/* A call whose first act is a file. */
	bool file;
	char name[DCC_NAME_SIZE];
	uint64_t size;
	int file_fd; /* ours; -1 */

	/* The answer. */
	char address[DCC_ADDRESS_SIZE];
	uint16_t port;
	bool turned; /* the other direction was tried */
	struct talk_source listener;
	unsigned strangers; /* told of */
};

/* -- calls ------------------------------------------------------------------------------------- */

struct give;
struct take;

struct call {
	struct call *next;
	struct peers *peers;
	struct talk_source source;
	struct conn *conn;
	struct wire_reader reader;
	char nick[PEER_NAME_SIZE], account[65], window[PEER_NAME_SIZE + 8];
	size_t unsent; /* bytes written since all was sent */
	int64_t heard_ms;
	bool pinged;
	bool leaving; /* goodbye was said: only its end is waited for */
	int64_t leave_ms;

	struct give *gives;
	uint32_t give_ids;
	struct take *takes;
	unsigned take_numbers; /* for people */
	/* A file that was agreed on with the call itself. */
	bool awaited;
	char awaited_name[DCC_NAME_SIZE];
	uint64_t awaited_size;
};

struct peers {
	struct talk *talk;
	struct tls_server *server;
	struct tls_client *client;
	struct attempts attempts;
	struct offer *offers;
	size_t offer_count;
	struct call *calls;
	size_t call_count;
	struct tokens tokens;
	struct talk_source timer; /* the next offer that is over */
	int downloads_fd;
};

/* -- peer.c ------------------------------------------------------------------------------------ */

/* TLS with the profile's certificate, made when first needed. False: it was told why not. */
bool peers_ready(struct peers *p);
/* A CTCP to them: PRIVMSG, or NOTICE. */
int peers_send(struct peers *p, const char *nick, const struct dcc *d, bool notice);
/* Sets the timer. */
void peers_arm(struct peers *p);

/* -- ask.c ------------------------------------------------------------------------------------- */

/* Asks NICK; file_fd (-1: none) is taken over in any case. */
void ask_call(struct peers *p, const char *nick, int file_fd, const char *name);
void ask_request(struct peers *p, const struct talk_request *r, const struct dcc *d);
void ask_answer(struct peers *p, const struct talk_request *r, const struct dcc *d);
void ask_reject(struct peers *p, const struct talk_request *r, const struct dcc *d);
/* The person's answer to a request of theirs, or to a name that is not the account's. */
void ask_answered(struct offer *o, bool yes);
/* The oldest that the person is being asked about, from nick (NULL: whoever). */
struct offer *ask_waiting(const struct peers *p, const char *nick);
/* Takes back what we asked of nick (NULL: of anybody); false: nothing. */
bool ask_take_back(struct peers *p, const char *nick);
bool ask_undelivered(struct peers *p, struct span nick, struct span reason);
/* It is over; what becomes of the token. */
void offer_end(struct offer *o, enum token_end end);
/* Ends those whose time is over. */
void ask_tick(struct peers *p, int64_t now_ms);
int64_t ask_next_ms(const struct peers *p); /* when the next one's is; INT64_MAX */

/* -- meet.c ------------------------------------------------------------------------------------ */

void meet_listen(struct offer *o); /* theirs was accepted: listens, and says where */
void meet_connect(struct offer *o); /* to o->address and port */
/* o is about to be freed. */
void meet_end(struct offer *o);

/* -- call.c ------------------------------------------------------------------------------------ */

/* Takes conn over in any case. */
void call_begin(struct offer *o, struct conn *conn);
/* The call alone, without a word; conn is taken over if that can be done: -ENOMEM, -ENOSPC. */
int call_new(struct peers *p, const struct offer *o, struct conn *conn, struct call **ret);
struct call *call_find(const struct peers *p, const char *window); /* NULL */
struct call *call_with(const struct peers *p, const char *nick); /* NULL: none that goes on */
void call_note(struct call *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* -EPIPE: the other side does not read. */
int call_send(struct call *c, const struct wire *w);
int call_send_data(struct call *c, uint32_t id, struct span bytes);
void call_say(struct call *c, struct span text);
void call_hang_up(struct call *c);
/* Says goodbye as far as that is possible at once; for the end of the talk. */
void call_part(struct call *c);
/* There is something to do at once. */
void call_wake(struct call *c);
/* Without a word; all that hangs on it goes too. */
void call_free(struct call *c);

/* -- give.c ------------------------------------------------------------------------------------ */

/* Opens a file that may be sent. -EISDIR, -EINVAL (a device ...), or open's error. */
int give_open(const char *path, int *ret_fd, uint64_t *ret_size);
/* The last part of the path, for the other side. */
void give_name(const char *path, char ret[DCC_NAME_SIZE]);
/* Offers it; fd is taken over in any case. -ENOSPC, -ENOMEM. */
int give_begin(struct call *c, int fd, const char *name);
/* ACCEPT, DECLINE, STORED, STOP. -EBADMSG. */
int give_handle(struct call *c, const struct wire *w);
/* Some of what there is to do; may_send: all that was written is sent. True: there is more to do
 * that needs no waiting. */
bool give_work(struct call *c, bool may_send);
void give_end(struct call *c); /* the call is over */

/* -- take.c ------------------------------------------------------------------------------------ */

int take_handle(struct call *c, const struct wire *w); /* OFFER, BEGIN, DATA, DONE, FAIL */
bool take_work(struct call *c);
bool take_under_way(const struct call *c); /* is one, that the person has agreed to? */
/* Answers the offer of that number or name, "": the first that is open. False: there is none. */
bool take_answer(struct call *c, const char *which, bool yes);
void take_end(struct call *c);

/* -- piece.c ------------------------------------------------------------------------------------
 */

/* A file on its way, in a folder that is held open: ".NAME.ACCOUNT.quintet-part". */
struct piece {
	int dir_fd; /* borrowed */
	int fd;
	char name[WIRE_NAME_MAX + 1]; /* made harmless */
	char part[WIRE_NAME_MAX + 1];
};
#define PIECE_INIT ((struct piece){.dir_fd = -1, .fd = -1})

/* The name under which it is to be stored: no dot in front, no path. */
void piece_name(struct span name, char ret[WIRE_NAME_MAX + 1]);
/* Opens, or makes, the part, and locks it. ret_have: what is there already. -EBUSY: another
 * transfer has it; -EEXIST: something else is in its place. */
int piece_open(
	int dir_fd, struct span name, const char *account, struct piece *ret, uint64_t *ret_have);
int piece_reset(struct piece *p); /* to nothing */
/* Flushed and in its place, under its name or with a number behind it, never over another file. */
int piece_store(struct piece *p, char ret_name[WIRE_NAME_MAX + 16]);
/* Closes; one that is empty (or drop) is removed. */
void piece_close(struct piece *p, bool drop);

/* Digests in slices: up to so many bytes from *at on, to all of hashes (NULLs are skipped). 0, or
 * -ENODATA: the file is shorter. */
struct hash;
int piece_hash(int fd, uint64_t *at, uint64_t to, struct hash *a, struct hash *b);

/* "45 % of 1.2 MiB, 3.4 MiB/s", told now and then. */
struct progress {
	int64_t at_ms;
	uint64_t at;
};
bool progress_due(struct progress *p, uint64_t at, uint64_t size, struct buf *ret);

#endif
