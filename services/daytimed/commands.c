/* The requests of the dialogue: one table, and a handler each. */
#include "services/daytimed/daytimed.h"

#include "base/num.h"
#include "base/timefmt.h"
#include "proto/daytime.h"
#include "services/daytimed/zone.h"

#include <errno.h>

#define FORM_MAX 64

static int say(struct service *s, const char *text)
{
	return conn_printf(s->conn, "%s\r\n", text);
}

/* A bad request: the peer learns why, the session counts it. */
static int refuse(struct service *s, const char *text)
{
	int r = conn_printf(s->conn, "error: %s\r\n", text);

	return r < 0 ? r : -EINVAL;
}

int daytimed_format(struct buf *b, int64_t at_us, int32_t offset_s)
{
	struct time_parts p;
	int r = time_utc(at_us + offset_s * TIME_S_US, &p);

	if (r < 0)
		return r;
	buf_addf(b, "%s %04d-%02d-%02d %02d:%02d:%02d ", time_weekday(&p), p.year, p.month, p.day,
		p.hour, p.minute, p.second);
	time_offset(b, offset_s);
	return buf_error(b);
}

/* What b holds, as an answer; b is freed. */
static int say_buf(struct service *s, struct buf *b)
{
	int r = say(s, buf_str(b));

	buf_done(b);
	return r;
}

static int cmd_daytime(const struct daytimed_request *q)
{
	struct buf b = BUF_INIT(FORM_MAX);
	struct time_parts local;
	int64_t now_us = time_now_us();
	int r = time_local(now_us, &local);

	if (r == 0)
		r = daytimed_format(&b, now_us, local.offset_s);
	return r < 0 ? r : say_buf(q->service, &b);
}

static int cmd_rfc3339(const struct daytimed_request *q)
{
	struct buf b = BUF_INIT(FORM_MAX);
	struct time_parts local;
	int r = time_local(time_now_us(), &local);

	if (r < 0)
		return r;
	time_rfc3339(&b, &local, 6);
	return say_buf(q->service, &b);
}

static int cmd_epoch(const struct daytimed_request *q)
{
	int64_t now_us = time_now_us();

	return conn_printf(q->service->conn, "%lld.%06lld\r\n", (long long)(now_us / TIME_S_US),
		(long long)(now_us % TIME_S_US));
}

static int cmd_zone(const struct daytimed_request *q)
{
	struct buf b = BUF_INIT(FORM_MAX);
	int64_t now_us = time_now_us();
	int32_t offset_s;
	int r;

	if (q->argument.len > DAYTIME_ZONE_MAX)
		return refuse(q->service, "no such zone");
	r = zone_offset_named(q->zone_folder, q->argument, now_us / TIME_S_US, &offset_s);
	if (r == -ENOENT)
		return refuse(q->service, "no such zone");
	if (r == 0)
		r = daytimed_format(&b, now_us, offset_s);
	if (r < 0)
		return say(q->service, "error: the data of that zone is not available here");
	return say_buf(q->service, &b);
}

/* Sent at once: what waits in a buffer would falsify the third time stamp. */
static int cmd_exchange(const struct daytimed_request *q)
{
	struct daytime_exchange x = {.t2_ns = q->received_ns};
	struct clock_state clock = clock_state_now();
	struct buf b = BUF_INIT(DAYTIME_LINE_MAX);
	int r;

	r = num_parse_i64(q->argument, INT64_MIN, INT64_MAX, &x.t1_ns);
	if (r < 0)
		return refuse(q->service, "the time is not a number of nanoseconds");
	x.synchronised = clock.synchronised;
	x.server_error_ns = clock.max_error_us * 1000;
	x.t3_ns = time_now_ns();
	r = daytime_write_exchange(&b, &x);
	if (r == 0)
		r = say_buf(q->service, &b);
	return r < 0 ? r : conn_flush(q->service->conn);
}

static int cmd_whoami(const struct daytimed_request *q)
{
	const struct service *s = q->service;

	if (s->who.proof != AUTH_NONE)
		return conn_printf(s->conn, "whoami %s\r\n", s->who.account.name);
	return conn_printf(s->conn, "whoami nobody: %s\r\n",
		s->cert_reason[0] != '\0' ? s->cert_reason : "no certificate was shown");
}

static int cmd_end(const struct daytimed_request *q)
{
	q->service->end_reason = "end";
	return 1;
}

static int cmd_help(const struct daytimed_request *q);

static const struct command {
	const char *name;
	const char *option; /* "": none */
	const char *argument; /* what help calls it; "": takes none */
	int (*run)(const struct daytimed_request *q);
} commands[] = {
	{"daytime", "", "", cmd_daytime},
	{"daytime", "rfc3339", "", cmd_rfc3339},
	{"daytime", "epoch", "", cmd_epoch},
	{"daytime", "zone", "NAME", cmd_zone},
	{"daytime", "exchange", "T1", cmd_exchange},
	{"whoami", "", "", cmd_whoami},
	{"help", "", "", cmd_help},
	{"end", "", "", cmd_end},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* One line, as every answer here. */
static int cmd_help(const struct daytimed_request *q)
{
	struct buf b = BUF_INIT(DAYTIME_LINE_MAX);

	buf_add_str(&b, "requests: ");
	for (size_t i = 0; i < COMMANDS; i++)
		buf_addf(&b, "%s%s%s%s%s%s", i > 0 ? ", " : "", commands[i].name,
			*commands[i].option != '\0' ? " " : "", commands[i].option,
			*commands[i].argument != '\0' ? " " : "", commands[i].argument);
	return say_buf(q->service, &b);
}

/* NULL: *ret_why says what is wrong with the words. */
static const struct command *find(struct span name, struct span option, const char **ret_why)
{
	*ret_why = name.len > 0 ? "unknown request, try help" : "empty request, try help";
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!span_caseeq_str(name, commands[i].name))
			continue;
		if (span_caseeq_str(option, commands[i].option))
			return &commands[i];
		*ret_why = "unknown option of this request, try help";
	}
	return NULL;
}

int daytimed_command(
	struct service *s, const char *zone_folder, struct span line, int64_t received_ns)
{
	struct daytimed_request q = {
		.service = s, .zone_folder = zone_folder, .received_ns = received_ns};
	struct span rest = line, name = {0}, option = {0};
	const struct command *command;
	const char *why;
	bool more;

	(void)span_split(&rest, ' ', &name);
	(void)span_split(&rest, ' ', &option);
	command = find(name, option, &why);
	if (command == NULL)
		return refuse(s, why);
	more = span_split(&rest, ' ', &q.argument) && rest.len > 0;
	if (more || (q.argument.len > 0) != (*command->argument != '\0'))
		return refuse(s,
			*command->argument != '\0' ? "this takes one argument, try help"
						   : "this takes no argument, try help");
	s->commands++;
	return command->run(&q);
}
