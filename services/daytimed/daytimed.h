/* daytimed: the time over TLS, as a dialogue (RFC 867's spirit) and as RFC 3161 time stamps. */
#ifndef DAYTIMED_H
#define DAYTIMED_H

#include "services/daytimed/clock.h"
#include "services/daytimed/tsa.h"

#include "service/service.h"

#define DAYTIMED_BAD_MAX 10 /* bad requests until a dialogue is ended */

/*
 * The dialogue, from banner to end. 0: it ended as dialogues do (s->end_reason says how); negative:
 * as conn. zone_folder is ZONE_FOLDER but in tests.
 */
int daytimed_dialogue(struct service *s, const char *zone_folder);

/* RFC 3161 over HTTP, request by request. Results as above. */
int daytimed_http(struct service *s, const struct tsa *tsa);

/* Does this connection speak HTTP: by its door, or by ALPN? */
bool daytimed_wants_http(const struct service *s);

/* What the handlers of one request need. */
struct daytimed_request {
	struct service *service;
	const char *zone_folder;
	int64_t received_ns; /* when its line was there */
	struct span argument; /* empty unless the command takes one */
};

/*
 * Looks up and runs one line. 0: go on; 1: end the session; -EINVAL: a bad request, which was
 * answered with an error line; other negatives: as conn.
 */
int daytimed_command(
	struct service *s, const char *zone_folder, struct span line, int64_t received_ns);

/* "Saturday 2026-11-21 01:33:42 +00:00" of a time shifted by an offset. -ERANGE. */
int daytimed_format(struct buf *b, int64_t at_us, int32_t offset_s);

#endif
