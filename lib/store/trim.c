/*
 * Before a long wait. Pages of the map that views have looked at stay with the process until it is
 * short of address space, which is never; the kernel counts and keeps them for it. LMDB does not
 * say where its map lies.
 */
#include "store/store_i.h"

#include "base/span.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { LINE = 4096, HEX = 16 };

static bool take_hex(struct span *rest, uintptr_t *ret)
{
	uintptr_t v = 0;
	size_t i = 0;

	for (; i < rest->len && i < HEX; i++) {
		unsigned char c = rest->p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uintptr_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uintptr_t)(c - 'a' + 10);
		else
			break;
	}
	*rest = span_of(rest->p + i, rest->len - i);
	*ret = v;
	return i > 0;
}

/* "from-to r--s ... /data.mdb". What is shared loses nothing: it is read again where it is wanted.
 */
static void trim_line(struct span line)
{
	const struct span name = SPAN_LIT("/data.mdb\n");
	uintptr_t from, to;
	void *p;

	if (line.len < name.len ||
		!span_eq(span_of(line.p + line.len - name.len, name.len), name) ||
		!take_hex(&line, &from) || line.len < 1 || line.p[0] != '-')
		return;
	line = span_of(line.p + 1, line.len - 1);
	if (!take_hex(&line, &to) || line.len < 5 || line.p[4] != 's' || to <= from)
		return;
	memcpy(&p, &from, sizeof(p));
	(void)madvise(p, to - from, MADV_DONTNEED);
}

void store_trim(struct store *s)
{
	char line[LINE];
	FILE *f;

	if (s == NULL || s->env == NULL)
		return;
	f = fopen("/proc/self/maps", "re");
	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL)
		trim_line(span_str(line));
	(void)fclose(f);
}
