/*
 * Calls between people: the CTCP messages by which two clients find each other (DCC, in its passive
 * and secure form; see quintet(7)). Pure.
 *
 *	request   DCC SCHAT chat 0 0 TOKEN               SSEND NAME 0 0 SIZE TOKEN
 *	answer    DCC SCHAT chat ADDRESS PORT TOKEN      whoever gets it connects
 *	refusal   DCC REJECT SCHAT chat TOKEN
 *
 * A request whose other side could not be reached is followed by one in the active form, an answer
 * from the caller, with the same token: then the other side connects.
 */
#ifndef PROTO_DCC_H
#define PROTO_DCC_H

#include "base/buf.h"

#include <stdint.h>

enum {
	DCC_TOKEN_BYTES = 16,
	DCC_TOKEN_SIZE = 2 * DCC_TOKEN_BYTES + 1, /* lower case hexadecimal and NUL */
	DCC_ADDRESS_SIZE = 46, /* IPv4 or IPv6 as text, with NUL */
	DCC_NAME_SIZE = 256, /* of a file, with NUL */
};

enum dcc_kind { DCC_SCHAT, DCC_SSEND, DCC_REJECT };

struct dcc {
	enum dcc_kind kind;
	enum dcc_kind of; /* REJECT: what was refused */
	char name[DCC_NAME_SIZE]; /* SSEND: UTF-8 without '/' and control characters, never "." or
				     ".." */
	char address[DCC_ADDRESS_SIZE]; /* "" with port 0: a request */
	uint16_t port;
	uint64_t size; /* SSEND */
	char token[DCC_TOKEN_SIZE];
};

/* What follows "DCC " in the CTCP. 0; -ENOMSG: DCC, but not of these kinds (an old client's CHAT or
 * SEND); -EBADMSG. Addresses: the decimal number of IPv4, or IPv6 as text; never unspecified,
 * multicast or broadcast. */
int dcc_parse(struct span rest, struct dcc *ret);

/* The whole CTCP, from "\001DCC " to "\001". */
void dcc_write(struct buf *b, const struct dcc *d);

#endif
