/* The time service from the client's side: offset and stamps. */
#ifndef CLIENT_DAYTIME_H
#define CLIENT_DAYTIME_H

#include "client/link.h"

/* Offset of the server's clock to ours, and its true bound. An exit code; failures are told. */
int daytime_measure(struct client *c, const struct profile *p, int64_t *ret_offset_ns,
	int64_t *ret_bound_ns, bool *ret_synchronised);

/*
 * RFC 3161: stamps a file into token_path (NULL: FILE.tsr), verified before it is written; and
 * checks such a token against a file and the profile's root, off line. Exit codes.
 */
int stamp_make(struct client *c, const struct profile *p, const char *file, const char *token_path);
int stamp_verify(
	const struct client *c, const struct profile *p, const char *file, const char *token_path);

#endif
