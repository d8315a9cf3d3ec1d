/*
 * Receipts asked for and given by strangers: what is written for a message must be a receipt, with
 * one address to go to and no field that the message smuggled in.
 */
#include "proto/mime.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 1 << 20 };

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void read_again(const struct buf *b, bool manual)
{
	struct mime_receipt r;
	struct mime m;

	must(mime_parse(buf_span(b), &m) == 0);
	must(mime_receipt_parse(&m, &r) == 0);
	must(r.displayed && r.manual == manual &&
		strcmp(r.final_recipient, "bob@example.org") == 0);
	must(m.count == 3);
	mime_done(&m);
}

static void give(const struct mime *m, bool manual)
{
	const struct mime_receipt_plan plan = {.reader = "bob@example.org",
		.domain = "example.org",
		.manual = manual,
		.displayed = true};
	struct buf to = BUF_INIT(OUT_MAX), b = BUF_INIT(OUT_MAX);
	int r = mime_receipt_write(m, &plan, &to, &b);

	must(r == 0 || r == -ENOENT);
	must((r == 0) == (to.len > 0));
	if (r == 0)
		read_again(&b, manual);
	buf_done(&to);
	buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mime_receipt r;
	struct mime m;

	if (mime_parse(span_of(data, size), &m) < 0)
		return 0;
	if (mime_receipt_parse(&m, &r) == 0)
		must(strlen(r.original_msgid) < sizeof(r.original_msgid));
	give(&m, true);
	give(&m, false);
	mime_done(&m);
	return 0;
}
