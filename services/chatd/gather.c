/* Numerics gathered inside a view: "NNN text" lines in a buffer. */
#include "services/chatd/people.h"

#include "base/cleanup.h"

#include <stdarg.h>

enum { LINE_MAX = 2048 };

void chatd_gather(struct buf *b, unsigned number, const char *format, ...)
{
	char line[LINE_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len >= 0)
		buf_addf(b, "%03u%s\n", number, line);
}

void chatd_gather_send(struct chatd *c, const struct buf *b)
{
	struct span rest = buf_span(b), line;

	while (irc_word(&rest, '\n', &line)) {
		unsigned number = (unsigned)(line.p[0] - '0') * 100 +
			(unsigned)(line.p[1] - '0') * 10 + (unsigned)(line.p[2] - '0');

		chatd_numeric(c, number, "%.*s", (int)(line.len - 3), (const char *)line.p + 3);
	}
}
