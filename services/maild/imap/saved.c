/* The result of a search, kept for "$" (RFC 5182). Kept as UIDs: expunges do not shift those. */
#include "services/maild/imap/imap.h"

#include <stdlib.h>

void imap_save_result(struct imap *s, const struct imap_picks *p)
{
	uint32_t *uids = p->count > 0 ? malloc(p->count * sizeof(*uids)) : NULL;

	free(s->saved);
	s->saved = uids;
	s->saved_count = uids != NULL ? p->count : 0;
	for (size_t i = 0; i < s->saved_count; i++)
		uids[i] = s->box.uids[p->at[i]];
}
