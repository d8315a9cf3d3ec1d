/* SMTP's lines of both sides: commands, paths with their parameters, replies. */
#include "proto/smtp.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void params(struct span rest)
{
	struct span name, value;
	size_t before = rest.len + 1;
	int error;

	while (smtp_param_next(&rest, &name, &value, &error)) {
		must(error == 0 && name.len > 0 && rest.len < before);
		before = rest.len;
	}
	must(error == 0 || error == -EBADMSG);
}

static void path(struct span rest, const char *word)
{
	struct smtp_path p;
	char name[33];
	struct span behind;

	if (smtp_path(rest, word, &p, &behind) < 0)
		return;
	must(strlen(p.local) + strlen(p.domain) < SMTP_PATH_MAX);
	must(p.local[0] != '\0' || p.domain[0] == '\0');
	params(behind);
	if (smtp_local_account(&p, "example.org", "mail.example.org", name, sizeof(name)) == 0)
		must(name[0] >= 'a' && name[0] <= 'z');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span line = span_of(data, size);
	struct smtp_command c;
	struct smtp_reply r;

	if (smtp_parse(line, &c) == 0) {
		must(c.verb.len > 0 && c.verb.len + c.rest.len <= size);
		path(c.rest, "FROM");
		path(c.rest, "TO");
	}
	if (smtp_reply_parse(line, &r) == 0)
		must(r.code >= 200 && r.code <= 599 && (r.class == 0 || r.class == r.code / 100));
	return 0;
}
