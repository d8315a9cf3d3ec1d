/* NAMESPACE (RFC 2342): everybody has one's own mailboxes and no others. */
#include "services/maild/imap/imap.h"

int imap_cmd_namespace(struct imap_call *c)
{
	if (!imap_in_end(&c->in))
		return imap_bad(c, "NAMESPACE takes no argument");
	imap_untagged(c->s, "NAMESPACE ((\"\" \"/\")) NIL NIL");
	return imap_ok(c, "All yours");
}
