/*
 * Line framing shared by all protocols here: lines ended by CR LF, counted blocks, dot-stuffed
 * blocks. Pure functions over bytes already received.
 */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include "base/buf.h"

struct frame_rule {
	size_t max; /* longest line in bytes, its end not counted */
	bool bare_lf_ok; /* a lone LF ends a line too (daytime by hand, FTP, IRC); else it is
			    refused */
	bool nul_ok; /* else a NUL inside is refused */
};

/*
 * Looks for one line at the start of in. 1: *ret_line is the line without its end (pointing into
 * in) and *ret_used counts the end too. 0: more bytes are needed. -EMSGSIZE: longer than max
 * already. -EPROTO: bare CR, refused bare LF, or refused NUL; *ret_used then tells how many bytes
 * were bad up to and with the fault.
 */
int frame_line(
	struct span in, const struct frame_rule *rule, struct span *ret_line, size_t *ret_used);

/* Reading a dot-stuffed block (RFC 5321 section 4.5.2) piece by piece. Start from zeros. */
struct frame_dot {
	unsigned state;
};

/*
 * Consumes from in, appends the unstuffed bytes (with their CR LF) to out. 1: the final "." line
 * was consumed. 0: more is needed. -EPROTO: bare CR or LF (smuggling is refused, not repaired).
 * -EMSGSIZE: out is full. *ret_used is set in every case.
 */
int frame_dot_read(struct frame_dot *d, struct span in, struct buf *out, size_t *ret_used);

/* Appends body to out dot-stuffed and ended by the "." line; body's lines must end in CR LF. */
int frame_dot_write(struct buf *out, struct span body);

#endif
