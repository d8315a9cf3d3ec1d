/* See chatd_fake.h. */
#include "tests/unit/lib/chatd_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { OUT_MAX = 1 << 20 };

void chatd_fake_begin(struct chatd_fake *f, uint64_t caps)
{
	static const struct chat_user ann = {.who = "ann",
		.nick = "Ann",
		.ident = "a",
		.host = "user.ann",
		.realname = "Ann A."};

	*f = (struct chatd_fake){.service = SERVICE_INIT, .out = BUF_INIT(OUT_MAX)};
	assert_int_equal(conn_new_memory(span_of(NULL, 0), 0, &f->out, &f->service.conn), 0);
	memcpy(f->service.settings.host, "irc.test", sizeof("irc.test"));
	f->service.session_id = 7;
	f->c = (struct chatd){.service = &f->service,
		.conn = f->service.conn,
		.end_fd = -1,
		.verb = "*",
		.line = BUF_INIT(OUT_MAX),
		.body = BUF_INIT(OUT_MAX),
		.tags = BUF_INIT(OUT_MAX),
		.caps = caps,
		.me = ann,
		.registered = true};
}

void chatd_fake_end(struct chatd_fake *f)
{
	conn_free(f->service.conn);
	free(f->c.rooms);
	buf_done(&f->c.answering.first);
	buf_done(&f->c.line);
	buf_done(&f->c.body);
	buf_done(&f->c.tags);
	buf_done(&f->out);
}

const char *chatd_fake_said(struct chatd_fake *f)
{
	buf_reset(&f->out);
	assert_int_equal(conn_flush(f->c.conn), 0);
	return buf_str(&f->out);
}
