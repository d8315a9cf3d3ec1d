/* quintet daytime: one verified answer. Dialogue, offset and stamps are in files of their own. */
#include "client/daytime.h"
#include "client/table.h"

#include "base/text.h"
#include "proto/daytime.h"

#include <errno.h>

#define ANSWER_MAX 512U

static const struct frame_rule answer_rule = {.max = ANSWER_MAX};

/* One answer line; the end of the session is a failure here. */
static int answer_read(struct conn *conn, struct span *ret)
{
	int r = conn_read_line(conn, &answer_rule, ret);

	return r < 0 ? r : r == 0 ? -ECONNRESET : 0;
}

int daytime_open(struct client *c, const struct profile *p, struct link *l, struct span *ret_banner)
{
	int64_t at_us;
	int r = link_open_door(c, p, "daytime", NULL, true, l);

	if (r != CLIENT_OK)
		return r;
	r = answer_read(l->conn, ret_banner);
	if (r == 0 && daytime_read_line(*ret_banner, &at_us) < 0)
		r = -EPROTO;
	return r < 0 ? client_fail(client_exit_of(r), "%s does not tell the time: %s", l->authority,
			       client_why(r))
		     : CLIENT_OK;
}

int daytime_request(struct conn *conn, const char *line, struct span *ret)
{
	int r = conn_printf(conn, "%s\r\n", line);

	if (r == 0)
		r = conn_flush(conn);
	return r == 0 ? answer_read(conn, ret) : r;
}

void daytime_end(struct link *l)
{
	conn_set_timeout_s(l->conn, l->timeout_s);
	(void)conn_printf(l->conn, "end\r\n");
	(void)conn_close(l->conn);
}

static int one_answer(struct client *c, const struct profile *p, const char *line)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	_cleanup_(buf_done) struct buf text = BUF_INIT(2048);
	struct span answer;
	int r = daytime_open(c, p, &l, &answer);

	if (r != CLIENT_OK)
		return r;
	/* The banner is the answer already; only other forms cost a request. */
	if (line != NULL) {
		conn_set_timeout_s(l.conn, l.timeout_s);
		r = daytime_request(l.conn, line, &answer);
		if (r < 0)
			return client_fail(client_exit_of(r), "no answer from %s: %s", l.authority,
				client_why(r));
	}
	text_escape(&text, answer);
	daytime_end(&l);
	if (strncmp(buf_str(&text), "error: ", 7) == 0)
		return client_fail(CLIENT_NO, "%s says: %s", l.host, buf_str(&text) + 7);
	return client_done(
		c, &(struct table_pair){"time", buf_str(&text), NULL}, 1, "%s", buf_str(&text));
}

static int offset_tell(struct client *c, const struct profile *p)
{
	struct daytime_measure m;
	struct daytime_measure_text t = {.state = ""};
	int r = daytime_measure(c, p, &m);

	if (r != CLIENT_OK)
		return r;
	daytime_measure_show(&m, &t);
	const struct table_pair pairs[] = {{"offset", t.offset, "s"}, {"bound", t.bound, "s"},
		{"server clock", t.state, NULL}};

	table_print_pairs(pairs, sizeof pairs / sizeof pairs[0], c->json);
	if (c->json)
		return CLIENT_OK;
	if (m.offset_ns <= m.bound_ns && m.offset_ns >= -m.bound_ns)
		puts("the two clocks agree within the bound");
	else
		printf("this machine's clock is %s the server's\n",
			m.offset_ns > 0 ? "behind" : "ahead of");
	return CLIENT_OK;
}

struct daytime_options {
	bool interactive, offset, rfc3339, epoch;
	const char *zone, *stamp, *verify, *token;
};

static int options_parse(struct client *c, int argc, char **argv, struct daytime_options *o)
{
	const struct client_option options[] = {
		{"interactive", 'i', NULL, NULL, &o->interactive, "the dialogue"},
		{"offset", 'o', NULL, NULL, &o->offset, "how far this machine's clock is off"},
		{"rfc3339", 'r', NULL, NULL, &o->rfc3339, "the time in the form of RFC 3339"},
		{"epoch", 'e', NULL, NULL, &o->epoch, "seconds since 1970"},
		{"zone", 'z', "NAME", &o->zone, NULL, "the time in a zone, as Europe/Paris"},
		{"stamp", 'S', "FILE", &o->stamp, NULL, "have FILE stamped (RFC 3161)"},
		{"verify", 'v', "FILE", &o->verify, NULL, "verify the stamp of FILE, off line"},
		{"token", 'T', "FILE", &o->token, NULL,
			"the stamp's own file; by default FILE.tsr"},
		{.name = NULL}};
	struct client_words w;
	int code = client_options(c, argc, argv, options, 0, &w);

	if (code >= 0)
		return code;
	if (o->interactive + o->offset + o->rfc3339 + o->epoch + (o->zone != NULL) +
			(o->stamp != NULL) + (o->verify != NULL) >
		1)
		return client_usage(c, "these options exclude each other");
	if (o->token != NULL && o->stamp == NULL && o->verify == NULL)
		return client_usage(c, "--token goes with --stamp or --verify");
	return -1;
}

static int zone_answer(struct client *c, const struct profile *p, const char *zone)
{
	char line[DAYTIME_LINE_MAX];

	if (strlen(zone) >= DAYTIME_ZONE_MAX || !text_is_print(span_str(zone)) ||
		strchr(zone, ' ') != NULL)
		return client_usage(c, "that is no zone's name");
	snprintf(line, sizeof line, "daytime zone %s", zone);
	return one_answer(c, p, line);
}

int cmd_daytime(struct client *c, int argc, char **argv)
{
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	struct daytime_options o = {0};
	int r = options_parse(c, argc, argv, &o);

	if (r >= 0)
		return r;
	r = profile_need(c, &p);
	if (r != CLIENT_OK)
		return r;
	if (o.interactive)
		return daytime_dialogue(c, &p);
	if (o.offset)
		return offset_tell(c, &p);
	if (o.zone != NULL)
		return zone_answer(c, &p, o.zone);
	if (o.stamp != NULL)
		return stamp_make(c, &p, o.stamp, o.token);
	if (o.verify != NULL)
		return stamp_verify(c, &p, o.verify, o.token);
	return one_answer(c, &p, o.rfc3339 ? "daytime rfc3339" : o.epoch ? "daytime epoch" : NULL);
}
