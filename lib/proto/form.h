/* application/x-www-form-urlencoded bodies, and the "key value" lines of the service directory. */
#ifndef PROTO_FORM_H
#define PROTO_FORM_H

#include "base/buf.h"

#define FORM_MAX_FIELDS 16

struct form_field {
	char name[32];
	struct span value; /* decoded; in the form's own buffer */
};
struct form {
	struct form_field fields[FORM_MAX_FIELDS];
	size_t count;
	struct buf bytes; /* decoded values: may hold passwords, so it is wiped */
};

/* -EINVAL bad escape or name, -E2BIG too many fields or bytes, -EEXIST a field twice. form_done()
 * after. */
int form_parse(struct span body, struct form *ret);
struct span form_value(const struct form *f, const char *name); /* p NULL when absent */
void form_done(struct form *f);
void form_add(struct buf *b, const char *name, struct span value); /* writing, '&' between */

/*
 * The service directory, GET /.well-known/quintet (text/plain): lines "domain D", "host H",
 * "root-sha256 HEX", "door NAME PROTOCOL PORT" (daytime daytimes 9013, time-stamp https 9318, ca
 * https 9443, ca-plain http 9080, ...).
 */
#define DIRECTORY_MAX_DOORS 16
struct directory_door {
	char name[24];
	char protocol[16];
	uint16_t port;
};
struct directory {
	char domain[254];
	char host[254];
	unsigned char root_sha256[32];
	struct directory_door doors[DIRECTORY_MAX_DOORS];
	size_t door_count;
};
int directory_parse(
	struct span text, struct directory *ret); /* -EBADMSG; unknown keys are skipped */
int directory_write(struct buf *b, const struct directory *d);
const struct directory_door *directory_door(const struct directory *d, const char *name);

#endif
