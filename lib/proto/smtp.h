/*
 * Submission (RFC 6409, 5321, 6531, 3030, 3463) as pure parsers and writers, for maild and the
 * client.
 */
#ifndef PROTO_SMTP_H
#define PROTO_SMTP_H

#include "base/buf.h"

#include <stdint.h>

enum {
	SMTP_LINE_MAX = 2048, /* of a command; AUTH's lines up to SMTP_AUTH_MAX */
	SMTP_AUTH_MAX = 12288, /* RFC 4954 section 4 */
	SMTP_PATH_MAX = 254,
};

/* "VERB rest": the verb without regard to case. */
struct smtp_command {
	struct span verb, rest;
};
int smtp_parse(struct span line, struct smtp_command *ret); /* -EBADMSG: control bytes, no verb */

struct smtp_path {
	char local[65], domain[255]; /* unquoted; both "": <>; domain "": none was given */
	bool is_utf8;
};
/* "FROM:<path> PARAMS" / "TO:<path> PARAMS": word is "FROM" or "TO". A source route is skipped.
 * -EBADMSG; *ret_params: what is behind the path. */
int smtp_path(struct span rest, const char *word, struct smtp_path *ret, struct span *ret_params);
/* Takes the next ESMTP parameter off *rest. False: none left, or a malformed one: *ret_error is 0
 * or -EBADMSG. */
bool smtp_param_next(
	struct span *rest, struct span *ret_name, struct span *ret_value, int *ret_error);

/* One line of a reply: "250-text" or "250 text". */
struct smtp_reply {
	unsigned code;
	bool more;
	unsigned class, subject, detail; /* enhanced status code; class 0: none */
	struct span text; /* behind it */
};
int smtp_reply_parse(struct span line, struct smtp_reply *ret); /* -EBADMSG */

/* Is the name one that this server has: DOMAIN, HOST or none, then the account's name
 * in lower case without "+detail"? -ENOENT another domain, -EINVAL no account's name. */
int smtp_local_account(
	const struct smtp_path *p, const char *domain, const char *host, char *ret, size_t size);

#endif
