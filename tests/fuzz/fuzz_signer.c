/* The signer's messages, both ways; the first byte chooses which. What decodes is encoded again
 * alike. */
#include "proto/signer.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Length and record: the record must be what was read. */
static void same(const struct buf *again, struct span record)
{
	must(again->len == record.len + 4);
	must(span_eq(span_of(again->p + 4, record.len), record));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again = BUF_INIT(2 * SIGNER_MESSAGE_MAX);
	struct signer_request request;
	struct signer_answer answer;
	struct span record;

	if (size < 1)
		return 0;
	record = span_of(data + 1, size - 1);
	if (data[0] % 2 == 0 && signer_request_read(record, &request) == 0) {
		must(signer_request_write(&again, &request) == 0);
		same(&again, record);
	} else if (data[0] % 2 == 1 && signer_answer_read(record, &answer) == 0) {
		must(signer_answer_write(&again, &answer) == 0);
		same(&again, record);
	}
	buf_done(&again);
	return 0;
}
