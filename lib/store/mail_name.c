/* Names of mailboxes: which there can be, and INBOX, which is one name in any case. */
#include "store/mail_i.h"

#include "base/text.h"

#include <errno.h>

enum { LEVELS_MAX = 20, INBOX_LEN = sizeof(MAIL_INBOX) - 1 };

bool mail_box_name_ok(struct span name)
{
	struct span rest = name, level;
	unsigned levels = 0;

	if (name.len == 0 || name.len >= MAIL_NAME_SIZE || !text_is_clean(name) ||
		memchr(name.p, '*', name.len) != NULL || memchr(name.p, '%', name.len) != NULL ||
		name.p[name.len - 1] == '/')
		return false;
	while (span_split(&rest, '/', &level))
		if (level.len == 0 || ++levels > LEVELS_MAX)
			return false;
	return true;
}

int mail_name_canon(struct span name, char ret[MAIL_NAME_SIZE])
{
	struct span rest = name, level;

	if (!mail_box_name_ok(name) || span_copy_str(name, ret, MAIL_NAME_SIZE) < 0)
		return -EINVAL;
	if (span_split(&rest, '/', &level) && span_caseeq_str(level, MAIL_INBOX))
		memcpy(ret, MAIL_INBOX, INBOX_LEN);
	return 0;
}
