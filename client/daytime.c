/*
 * quintet daytime: one verified answer, the dialogue of the seed at a terminal, the clock's offset
 * with its bound. Stamps are in stamp.c.
 */
#include "client/daytime.h"
#include "client/table.h"

#include "base/text.h"
#include "base/timefmt.h"
#include "proto/daytime.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>

#define ROUNDS 16

static const struct frame_rule answer_rule = {.max = 512};

/* One answer line; the end of the session is a failure here. */
static int answer_read(struct conn *conn, struct span *ret)
{
	int r = conn_read_line(conn, &answer_rule, ret);

	return r < 0 ? r : r == 0 ? -ECONNRESET : 0;
}

static int dialogue_open(
	struct client *c, const struct profile *p, struct link *l, struct span *ret_banner)
{
	int r = link_open_door(c, p, "daytime", NULL, true, l);

	if (r != CLIENT_OK)
		return r;
	r = answer_read(l->conn, ret_banner);
	return r < 0 ? client_fail(client_exit_of(r), "%s gives no time: %s", p->host, err_text(r))
		     : CLIENT_OK;
}

static int request(struct conn *conn, const char *line, struct span *ret)
{
	int r = conn_printf(conn, "%s\r\n", line);

	if (r == 0)
		r = conn_flush(conn);
	return r == 0 ? answer_read(conn, ret) : r;
}

static void line_print(struct span line)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);

	text_escape(&text, line);
	puts(buf_str(&text));
}

static int one_answer(struct client *c, const struct profile *p, const char *line)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	struct span answer;
	int r = dialogue_open(c, p, &l, &answer);

	if (r != CLIENT_OK)
		return r;
	/* The banner is the answer already; only other forms cost a request. */
	if (line != NULL) {
		r = request(l.conn, line, &answer);
		if (r < 0)
			return client_fail(client_exit_of(r), "no answer: %s", err_text(r));
	}
	if (span_starts(answer, "error:"))
		return client_fail(CLIENT_NO, "the server says: %.*s", (int)answer.len,
			(const char *)answer.p);
	if (c->json) {
		_cleanup_(buf_done) struct buf text = BUF_INIT(4096);

		text_escape(&text, answer);
		table_print_pairs(&(struct table_pair){"time", buf_str(&text)}, 1, true);
	} else {
		line_print(answer);
	}
	(void)conn_printf(l.conn, "end\r\n");
	(void)conn_close(l.conn);
	return CLIENT_OK;
}

static int exchange_once(struct conn *conn, struct daytime_exchange *ret)
{
	char line[64];
	struct span answer;
	int64_t t1_ns = time_now_ns();
	int r;

	snprintf(line, sizeof line, "daytime exchange %lld", (long long)t1_ns);
	r = request(conn, line, &answer);
	ret->t4_ns = time_now_ns();
	if (r == 0) {
		int64_t t4_ns = ret->t4_ns;

		r = daytime_read_exchange(answer, ret);
		ret->t4_ns = t4_ns;
	}
	/* An answer that echoes another question says nothing about this one. */
	return r == 0 && ret->t1_ns != t1_ns ? -EPROTO : r;
}

struct measure {
	int64_t offset_ns, bound_ns;
	bool synchronised;
};

/* The round with the smallest bound wins; the first one warms the path and does not count. */
static int measure(struct conn *conn, struct measure *ret)
{
	struct measure best = {.bound_ns = INT64_MAX};

	for (int i = 0; i <= ROUNDS; i++) {
		struct daytime_exchange x;
		int64_t offset_ns, bound_ns;
		int r = exchange_once(conn, &x);

		if (r == 0)
			r = daytime_offset(&x, &offset_ns, &bound_ns);
		if (r < 0)
			return r;
		if (i > 0 && bound_ns < best.bound_ns)
			best = (struct measure){offset_ns, bound_ns, x.synchronised};
	}
	*ret = best;
	return 0;
}

int daytime_measure(struct client *c, const struct profile *p, int64_t *ret_offset_ns,
	int64_t *ret_bound_ns, bool *ret_synchronised)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	struct span banner;
	struct measure m;
	int r = dialogue_open(c, p, &l, &banner);

	if (r != CLIENT_OK)
		return r;
	r = measure(l.conn, &m);
	if (r < 0)
		return client_fail(client_exit_of(r), "no exchange of times: %s", err_text(r));
	(void)conn_printf(l.conn, "end\r\n");
	(void)conn_close(l.conn);
	*ret_offset_ns = m.offset_ns;
	*ret_bound_ns = m.bound_ns;
	*ret_synchronised = m.synchronised;
	return CLIENT_OK;
}

static int offset_tell(struct client *c, const struct profile *p)
{
	char offset[48], bound[48];
	int64_t offset_ns, bound_ns;
	bool synchronised;
	int r = daytime_measure(c, p, &offset_ns, &bound_ns, &synchronised);

	if (r != CLIENT_OK)
		return r;
	snprintf(offset, sizeof offset, "%+.6f s", (double)offset_ns / 1e9);
	snprintf(bound, sizeof bound, "%.6f s", (double)bound_ns / 1e9);
	const struct table_pair pairs[] = {{"offset", offset}, {"bound", bound},
		{"server clock", synchronised ? "synchronised" : "unsynchronised"}};

	table_print_pairs(pairs, 3, c->json);
	if (!c->json)
		puts(offset_ns > 0 ? "this machine's clock is behind the server's"
				   : "this machine's clock is ahead of the server's");
	return CLIENT_OK;
}

static void session_tell(const struct link *l)
{
	_cleanup_(buf_done) struct buf until = BUF_INIT(64);
	const struct tls_info *t = conn_tls(l->conn);

	time_rfc3339_utc(&until, t->peer_not_after_us);
	printf("%s %s; server %s, issued by %s, valid until %s\n", t->protocol, t->cipher,
		t->peer_subject, t->peer_issuer, buf_str(&until));
}

/* A line from the person: 1, 0 at end of input, -ECANCELED after Ctrl-C. */
static int person_line(const struct client *c, char line[DAYTIME_LINE_MAX])
{
	struct pollfd p[2] = {{.fd = 0, .events = POLLIN}, {.fd = c->signal_fd, .events = POLLIN}};

	fputs("> ", stdout);
	fflush(stdout);
	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return -errno;
	if ((p[1].revents & POLLIN) != 0)
		return -ECANCELED;
	if (fgets(line, DAYTIME_LINE_MAX, stdin) == NULL)
		return 0;
	line[strcspn(line, "\r\n")] = '\0';
	return 1;
}

/* Line buffering of stdin would hide lines from poll(): they are read byte by byte. */
static int dialogue(struct client *c, const struct profile *p)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	char line[DAYTIME_LINE_MAX];
	struct span answer;
	int r = dialogue_open(c, p, &l, &answer);

	if (r != CLIENT_OK)
		return r;
	setvbuf(stdin, NULL, _IONBF, 0);
	session_tell(&l);
	line_print(answer);
	puts("requests: daytime [rfc3339 | epoch | zone NAME], help, end");
	for (;;) {
		r = person_line(c, line);
		if (r <= 0 || strcmp(line, "end") == 0)
			break;
		if (line[0] == '\0')
			continue;
		conn_set_timeout_s(l.conn, c->timeout_s);
		r = request(l.conn, line, &answer);
		if (r < 0)
			return client_fail(
				client_exit_of(r), "the session has ended: %s", err_text(r));
		line_print(answer);
	}
	conn_set_timeout_s(l.conn, c->timeout_s);
	(void)conn_printf(l.conn, "end\r\n");
	(void)conn_close(l.conn);
	return r == -ECANCELED ? CLIENT_INTERRUPTED : CLIENT_OK;
}

struct daytime_options {
	char kind; /* 0 plain, i dialogue, o offset, r rfc3339, e epoch, z zone, s stamp, v verify
		    */
	const char *argument;
	const char *token;
};

static int options_parse(int argc, char **argv, struct daytime_options *ret)
{
	static const struct option longs[] = {{"interactive", no_argument, NULL, 'i'},
		{"offset", no_argument, NULL, 'o'}, {"rfc3339", no_argument, NULL, 'r'},
		{"epoch", no_argument, NULL, 'e'}, {"zone", required_argument, NULL, 'z'},
		{"stamp", required_argument, NULL, 's'}, {"verify", required_argument, NULL, 'v'},
		{"token", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
	int o;

	while ((o = getopt_long(argc, argv, "i", longs, NULL)) >= 0) {
		if (o == 't') {
			ret->token = optarg;
			continue;
		}
		if (o == '?' || ret->kind != 0)
			return -EINVAL;
		ret->kind = (char)o;
		ret->argument = optarg;
	}
	return optind == argc ? 0 : -EINVAL;
}

int cmd_daytime(struct client *c, int argc, char **argv)
{
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	struct daytime_options o = {0};
	char line[DAYTIME_LINE_MAX];
	int r;

	if (options_parse(argc, argv, &o) < 0)
		return client_usage("daytime");
	r = profile_need(c, &p);
	if (r != CLIENT_OK)
		return r;
	switch (o.kind) {
	case 'i':
		return dialogue(c, &p);
	case 'o':
		return offset_tell(c, &p);
	case 'r':
		return one_answer(c, &p, "daytime rfc3339");
	case 'e':
		return one_answer(c, &p, "daytime epoch");
	case 'z':
		if (strlen(o.argument) >= DAYTIME_ZONE_MAX || !text_is_print(span_str(o.argument)))
			return client_usage("daytime");
		snprintf(line, sizeof line, "daytime zone %s", o.argument);
		return one_answer(c, &p, line);
	case 's':
		return stamp_make(c, &p, o.argument, o.token);
	case 'v':
		return stamp_verify(c, &p, o.argument, o.token);
	default:
		return one_answer(c, &p, NULL);
	}
}
