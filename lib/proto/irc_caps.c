/* Tokens of 005. */
#include "proto/irc.h"

#include <errno.h>

int irc_isupport(const struct irc_message *m, const char *name, struct span *ret_value)
{
	/* The first parameter is one's nick, the last a sentence. */
	for (size_t i = 1; i + 1 < m->count; i++) {
		struct span value = m->params[i], key;

		(void)span_split(&value, '=', &key);
		if (!span_eq_str(key, name))
			continue;
		*ret_value = value;
		return 0;
	}
	return -ENOENT;
}
