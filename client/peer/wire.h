/*
 * What two clients say to each other in a call: the manual of the protocol "quintet-call/1", and
 * its pure reader and writers.
 *
 * TLS 1.3 with a certificate on both sides and that ALPN name, no tickets. Then lines of UTF-8
 * without control characters, ended by CR LF, at most WIRE_LINE_MAX bytes; a word, and what the
 * word asks for, parted by single blanks. DATA alone is followed by bytes: as many as it says.
 * Words that are not known are skipped. Anything else that is not as written here ends the call.
 *
 *	HELLO 1 EXPORTER        the first line of both; EXPORTER: 32 bytes of keying material (RFC
 *	                        5705, no context) in hexadecimal, under the label
 *	                        "EXPORTER-quintet-call ROLE TOKEN": ROLE is that of who says it,
 *	                        "caller" (whose request it was) or "answerer"
 *	WELCOME                 the second line of both: the other is believed, for its
 *	                        certificate (chain, dates, revocation, purpose, account, key) and
 *	                        its HELLO; once both have said so there is a call
 *	REFUSE WORD             in the place of either: it is not; WORD as in fault.h; the end
 *	SAY TEXT                a line of talk
 *	PING, PONG              asked when nothing was heard for a while, and answered at once
 *	BYE                     the end of the call, and of the connection
 *
 * Files, of either side at any time, several at once. ID is a number that the sender of the file
 * chooses, a new one for each file; the two sides' numbers have nothing to do with each other.
 *
 *	sender                  receiver
 *	OFFER ID SIZE NAME                              NAME: without '/', not "." or ".."
 *	                        DECLINE ID
 *	                        ACCEPT ID HAVE DIGEST   HAVE bytes are there from an earlier try,
 *	                                                their SHA-256; "0 -": nothing is there
 *	BEGIN ID FROM                                   FROM: HAVE if the digest is right, else 0
 *	DATA ID COUNT                                   COUNT bytes follow, 1 to WIRE_DATA_MAX
 *	DONE ID DIGEST                                  SHA-256 of the whole file
 *	                        STORED ID               it was right, and the file is in its place
 *	FAIL ID REASON                                  the sender gives up
 *	                        STOP ID REASON          the receiver gives up; DATA that is on its
 *way is dropped
 */
#ifndef CLIENT_PEER_WIRE_H
#define CLIENT_PEER_WIRE_H

#include "base/buf.h"
#include "base/hash.h"

#include <stdint.h>

#define WIRE_ALPN "quintet-call/1"

enum {
	WIRE_LINE_MAX = 2048,
	WIRE_TEXT_MAX = 1900, /* of SAY, FAIL, STOP */
	WIRE_NAME_MAX = 255, /* of a file */
	WIRE_DATA_MAX = 16384,
};

enum wire_kind {
	WIRE_HELLO, /* digest */
	WIRE_WELCOME,
	WIRE_REFUSE, /* text */
	WIRE_SAY, /* text */
	WIRE_PING,
	WIRE_PONG,
	WIRE_BYE,
	WIRE_OFFER, /* id, number: its size; text: its name */
	WIRE_DECLINE, /* id */
	WIRE_ACCEPT, /* id, number; digest when has_digest */
	WIRE_BEGIN, /* id, number */
	WIRE_DATA, /* id; to be written: number; read: text is what came of its bytes */
	WIRE_DONE, /* id, digest */
	WIRE_STORED, /* id */
	WIRE_FAIL, /* id, text */
	WIRE_STOP, /* id, text */
};

struct wire {
	enum wire_kind kind;
	uint32_t id; /* from 1 */
	uint64_t number; /* at most INT64_MAX */
	bool has_digest;
	unsigned char digest[HASH_SHA256_LEN];
	struct span text; /* read: points into what was read */
};

/* Where the reader stands. Start from zeros. */
struct wire_reader {
	uint32_t id;
	uint32_t left; /* bytes of DATA still to come */
};

/*
 * Takes what stands at the beginning of in: a line, or some of the bytes behind a DATA. 1: *ret is
 * filled; 0: more has to come. *ret_used in both cases: so many bytes are done with (not 0 with 1).
 * -EBADMSG: not this protocol; *ret_used is not set.
 */
int wire_next(struct wire_reader *r, struct span in, struct wire *ret, size_t *ret_used);

/* Appends the line, DATA's bytes not. Texts and names are made to fit: what is not allowed is
 * replaced by '?', what is too long is cut. */
void wire_write(struct buf *b, const struct wire *w);

/* Takes off *rest what fits one SAY: a line of the text, or the beginning of a long one. False at
 * the end; empty lines are skipped. */
bool wire_say_next(struct span *rest, struct span *ret);

/* May a file have this name? */
bool wire_name_ok(struct span name);

#endif
