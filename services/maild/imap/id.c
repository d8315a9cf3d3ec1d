/* ID (RFC 2971): who we are; who the client says to be goes to the log. */
#include "services/maild/imap/imap.h"

#include <errno.h>

enum { PAIRS_MAX = 30, KEY_MAX = 30, VALUE_MAX = 1024 };

static int in_pair(struct imap_in *in, struct span *ret_key, struct span *ret_value)
{
	bool nil;

	if (imap_in_string(in, ret_key) < 0 || ret_key->len > KEY_MAX || imap_in_space(in) < 0 ||
		imap_in_nstring(in, ret_value, &nil) < 0 || ret_value->len > VALUE_MAX)
		return -EBADMSG;
	return 0;
}

/* "NIL" or "(key value ...)"; name and version are picked out. */
static int in_params(struct imap_in *in, struct span *ret_name, struct span *ret_version)
{
	struct span key, value;

	if (imap_in_word(in, "NIL"))
		return 0;
	if (!imap_in_char(in, '('))
		return -EBADMSG;
	for (int i = 0; !imap_in_char(in, ')'); i++) {
		if (i == PAIRS_MAX || (i > 0 && imap_in_space(in) < 0) ||
			in_pair(in, &key, &value) < 0)
			return -EBADMSG;
		if (span_caseeq_str(key, "name"))
			*ret_name = value;
		if (span_caseeq_str(key, "version"))
			*ret_version = value;
	}
	return 0;
}

int imap_cmd_id(struct imap_call *c)
{
	struct span name = {NULL, 0}, version = {NULL, 0};

	if (imap_in_space(&c->in) < 0 || in_params(&c->in, &name, &version) < 0 ||
		!imap_in_end(&c->in))
		return imap_bad(c, "ID takes NIL or a list of names and values");
	/* Once: whoever is not logged in would fill the log. */
	if (name.len > 0 && !c->s->told_client)
		log_event(LOG_LEVEL_INFO, "client",
			log_fields({"CLIENT", name}, {"VERSION", version}));
	c->s->told_client = c->s->told_client || name.len > 0;
	imap_untagged(c->s, "ID (\"name\" \"Quintet\" \"version\" \"%s\")", QUINTET_VERSION);
	return imap_ok(c, "Pleased to meet you");
}
