/* The dialogue of quintet daytime -i: what cipher, whose certificate, then lines to and fro. */
#include "client/ask.h"
#include "client/daytime.h"

#include "base/text.h"
#include "base/timefmt.h"
#include "proto/daytime.h"

#include <errno.h>

static void line_print(struct span line)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);

	text_escape(&text, line);
	puts(buf_str(&text));
}

static void session_tell(const struct link *l)
{
	_cleanup_(buf_done) struct buf until = BUF_INIT(64);
	const struct tls_info *t = conn_tls(l->conn);

	time_rfc3339_utc(&until, t->peer_not_after_us);
	printf("%s, %s; certificate of %s, issued by %s, verified, valid until %s\n", t->protocol,
		t->cipher, l->host, t->peer_issuer, buf_str(&until));
}

/* What the server has to say while nobody asked: its goodbye. */
static int ended_tell(const struct link *l)
{
	static const struct frame_rule rule = {.max = 512};
	struct span line;

	conn_set_timeout_s(l->conn, 1);
	while (conn_read_line(l->conn, &rule, &line) == 1)
		line_print(line);
	return client_fail(CLIENT_OK, "%s has ended the session", l->host);
}

/* Lines longer than the protocol's would reach the server as two. */
static int answer_one(struct link *l, const struct buf *line)
{
	struct span answer;
	int r;

	if (!text_is_clean(buf_span(line))) {
		puts("error: control characters are no part of a request");
		return 0;
	}
	conn_set_timeout_s(l->conn, l->timeout_s);
	r = daytime_request(l->conn, buf_str(line), &answer);
	if (r == 0)
		line_print(answer);
	return r;
}

/* 0 when the person had enough, -EPIPE when the server had, -ECANCELED, or a lost connection. */
static int converse(const struct client *c, struct link *l)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(DAYTIME_LINE_MAX - 2);
	bool prompt = isatty(STDIN_FILENO) == 1;

	for (;;) {
		int r;

		if (prompt)
			fputs("> ", stdout);
		(void)fflush(stdout);
		r = ask_fd(c, STDIN_FILENO, conn_fd(l->conn), &line);
		if (prompt && r <= 0 && r != -ENOBUFS)
			putchar('\n');
		if (r == -ENOBUFS) {
			puts("error: the line is too long");
			continue;
		}
		if (r <= 0 || strcmp(buf_str(&line), "end") == 0)
			return r < 0 ? r : 0;
		r = line.len > 0 ? answer_one(l, &line) : 0;
		if (r < 0)
			return r == -EPIPE ? -ECONNRESET : r;
	}
}

int daytime_dialogue(struct client *c, const struct profile *p)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	struct span banner;
	int r = daytime_open(c, p, &l, &banner);

	if (r != CLIENT_OK)
		return r;
	session_tell(&l);
	line_print(banner);
	puts("requests: daytime [rfc3339 | epoch | zone NAME], whoami, help, end");
	r = converse(c, &l);
	if (r == -EPIPE)
		return ended_tell(&l);
	if (r < 0 && r != -ECANCELED)
		return client_fail(client_exit_of(r), "the session has ended: %s", client_why(r));
	daytime_end(&l);
	return r == 0 ? CLIENT_OK : CLIENT_INTERRUPTED;
}
