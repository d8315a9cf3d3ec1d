/* Requests of calls as a stranger may send them: what is accepted can be written and reads the
 * same. */
#include "proto/dcc.h"

#include "base/text.h"
#include "proto/irc.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = BUF_INIT(1000), second = BUF_INIT(1000);
	struct dcc d, again;
	struct span verb, rest = {NULL, 0};

	if (dcc_parse(span_of(data, size), &d) < 0)
		return 0;
	must(strchr(d.name, '/') == NULL && text_is_clean(span_str(d.name)));
	must((d.port == 0) == (d.address[0] == '\0'));
	must(strlen(d.token) == DCC_TOKEN_SIZE - 1);
	must((d.kind == DCC_SSEND || d.of == DCC_SSEND) == (d.name[0] != '\0'));
	dcc_write(&b, &d);
	must(buf_error(&b) == 0 && irc_ctcp(buf_span(&b), &verb, &rest) &&
		span_eq_str(verb, "DCC"));
	must(dcc_parse(rest, &again) == 0);
	dcc_write(&second, &again);
	must(span_eq(buf_span(&b), buf_span(&second)));
	buf_done(&b);
	buf_done(&second);
	return 0;
}
