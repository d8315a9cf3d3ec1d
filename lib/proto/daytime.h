/*
 * The daytime dialogue (daytimed(8)). Server, at once: the banner line. Requests, one per line,
 * each answered by one line of at most DAYTIME_LINE_MAX bytes and CR LF:
 *   daytime              -> "Saturday 2026-11-21 01:33:42 +00:00" (the server's own zone)
 *   daytime rfc3339      -> "2026-11-21T01:33:42.123456+00:00"
 *   daytime epoch        -> "1795224822.123456"
 *   daytime zone NAME    -> the seed's form in a tzdata zone
 *   daytime exchange T1  -> "exchange T1 T2 T3 ERROR STATE": nanoseconds since the epoch: the
 *                           client's T1 echoed, received at T2, sent at T3; ERROR the server's
 *                           own maximum error (adjtimex), in nanoseconds; STATE "synchronised"
 *                           or "unsynchronised"
 *   whoami               -> "whoami NAME" by the client certificate, or "whoami nobody: REASON"
 *   help                 -> "requests: ..."
 *   end                  -> closed, without an answer
 * Errors: "error: TEXT". Pure parsing and writing of both sides.
 */
#ifndef PROTO_DAYTIME_H
#define PROTO_DAYTIME_H

#include "base/buf.h"

#include <stdint.h>

#define DAYTIME_LINE_MAX 128
#define DAYTIME_ZONE_MAX 64

struct daytime_exchange {
	int64_t t1_ns, t2_ns, t3_ns, t4_ns; /* t4 set by the client */
	int64_t server_error_ns;
	bool synchronised;
};

int daytime_write_exchange(struct buf *b, const struct daytime_exchange *x);
int daytime_read_exchange(struct span line, struct daytime_exchange *ret); /* -EBADMSG */

/* offset = ((t2-t1)+(t3-t4))/2, bound = ((t4-t1)-(t3-t2))/2 + server_error (RFC 5905 section 8).
 * -ERANGE. */
int daytime_offset(const struct daytime_exchange *x, int64_t *ret_offset_ns, int64_t *ret_bound_ns);

/* Reads the seed's form or the banner back: "Saturday 2026-11-21 01:33:42 +00:00". -EBADMSG. */
int daytime_read_line(struct span line, int64_t *ret_us);

#endif
