/* Listing lines: what another server says is bounded; what was read, written again, reads the same.
 */
#include "proto/ftp.h"

#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void again(const struct ftp_entry *e, unsigned facts, struct span name)
{
	struct buf b = BUF_INIT(FTP_LINE_MAX + 4096);
	char text[FTP_LINE_MAX];
	struct ftp_entry back;
	struct span back_name;
	unsigned there;

	if (span_copy_str(name, text, sizeof(text)) == 0) {
		ftp_facts_write(&b, e, facts, text);
		must(buf_error(&b) == 0);
		must(ftp_facts_read(buf_span(&b), &back, &there, &back_name) == 0);
		must((there & ~facts) == 0 && span_eq(back_name, name));
		must((there & FTP_FACT_SIZE) == 0 || back.size == e->size);
		must((there & FTP_FACT_DIGEST) == 0 || memcmp(back.digest, e->digest, 32) == 0);
		buf_reset(&b);
		ftp_list_write(&b, e, INT64_C(1795224822000000), text);
		must(buf_error(&b) == 0 && memchr(b.p, '\0', b.len) == NULL);
	}
	buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of(data, size), line, name;
	struct ftp_entry e;
	unsigned facts;

	while (span_split(&rest, '\n', &line)) {
		(void)ftp_facts_select(line);
		if (line.len > FTP_LINE_MAX || ftp_facts_read(line, &e, &facts, &name) < 0)
			continue;
		must(text_is_clean(span_str(e.owner)) && text_is_print(span_str(e.perm)));
		must(name.len > 0 && name.p + name.len == line.p + line.len);
		again(&e, facts, name);
	}
	return 0;
}
