/* The dialogue: the banner at once, then a line and its answer, until the peer has had enough. */
#include "services/daytimed/daytimed.h"

#include "base/timefmt.h"
#include "proto/daytime.h"

#include <errno.h>

enum { GOODBYE_S = 2 };

/* By hand a lone LF is what a person types. */
static const struct frame_rule line_rule = {.max = DAYTIME_LINE_MAX, .bare_lf_ok = true};

static int send_banner(struct service *s, const char *zone_folder)
{
	int r = daytimed_command(s, zone_folder, SPAN_LIT("daytime"), 0);

	/* The banner is no request of the peer's. */
	s->commands = 0;
	return r < 0 ? r : conn_flush(s->conn);
}

/* What the peer is told when it is not its own doing that the session ends. */
static int goodbye(struct service *s, const char *reason, const char *text)
{
	s->end_reason = reason;
	conn_set_wake(s->conn, -1, 0, NULL, NULL);
	conn_set_timeout_s(s->conn, GOODBYE_S);
	(void)conn_printf(s->conn, "error: %s\r\n", text);
	return 0;
}

/* One line and its answer; results as daytimed_command(), and 1 at the end of input. */
static int serve_line(struct service *s, const char *zone_folder)
{
	struct span line;
	int64_t received_ns;
	int r;

	conn_set_timeout_s(s->conn, s->door->idle_s);
	r = conn_read_line(s->conn, &line_rule, &line);
	received_ns = time_now_ns();
	if (r == 1)
		return daytimed_command(s, zone_folder, line, received_ns);
	if (r == 0) {
		s->end_reason = "end of input";
		return 1;
	}
	if (r != -EMSGSIZE && r != -EPROTO)
		return r;
	r = conn_printf(s->conn, "error: %s\r\n",
		r == -EMSGSIZE ? "the line is too long" : "the line has a NUL or a lone CR in it");
	return r < 0 ? r : -EINVAL;
}

int daytimed_dialogue(struct service *s, const char *zone_folder)
{
	unsigned bad = 0;
	int r;

	conn_set_timeout_s(s->conn, s->door->idle_s);
	r = send_banner(s, zone_folder);
	while (r == 0) {
		r = serve_line(s, zone_folder);
		if (r == -EINVAL && ++bad < DAYTIMED_BAD_MAX)
			r = 0;
	}
	if (r == -EINVAL)
		return goodbye(s, "too many bad requests", "too many bad requests, closing");
	if (r == -EACCES)
		return goodbye(
			s, "revoked", "your certificate or account is no longer valid, closing");
	/* A silent peer gets the banner and a clean close: nothing to add. */
	if (r == -ETIMEDOUT)
		s->end_reason = "idle";
	return r < 0 && r != -ETIMEDOUT ? r : 0;
}
