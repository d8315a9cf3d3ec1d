/* IDLE (RFC 2177): news as the bell tells that there are some, until the client says DONE. */
#include "services/maild/imap/imap.h"

#include "base/timefmt.h"

#include <errno.h>

static const struct frame_rule line_rule = {.max = IMAP_TAG_MAX, .bare_lf_ok = true};

static int tell(struct imap *s)
{
	int r = imap_sync(s, false);

	if (r == 0 && s->notifying != NULL)
		r = imap_notify_tell(s);
	return r;
}

/* 1: a line; else as conn_step_line(), or what ended the session. */
static int wait_for_line(struct imap *s, struct span *ret)
{
	int r = tell(s);

	store_trim(s->service->store);
	imap_trim(s);
	while (r >= 0 && !s->box.deleted) {
		r = conn_step_line(s->conn, &line_rule, ret);
		if (r != -EAGAIN)
			return r == 0 ? -ECONNRESET : r;
		r = imap_wait(s, INT64_MAX);
		if (r == 0 && service_rung(s->service))
			r = tell(s);
	}
	return r < 0 ? r : -ENODEV;
}

int imap_cmd_idle(struct imap_call *c)
{
	struct imap *s = c->s;
	struct span line;
	int r;

	if (!imap_in_end(&c->in))
		return imap_bad(c, "IDLE takes no argument");
	r = imap_need_bell(s);
	if (r == -EACCES)
		return r;
	/* Without a bell the slow poll of every session has to do. */
	if (r < 0)
		log_event(LOG_LEVEL_WARNING, "no bell for an idle client",
			log_fields({"ERROR", span_str(err_text(r))}));
	imap_write(s, SPAN_LIT("+ Waiting\r\n"));
	r = wait_for_line(s, &line);
	if (r == -EMSGSIZE || r == -EPROTO)
		return imap_bad(c, "DONE was expected");
	if (r < 0)
		return r;
	s->active_ms = time_monotonic_ms();
	if (!span_caseeq_str(line, "DONE"))
		return imap_bad(c, "DONE was expected");
	return imap_ok(c, "No longer waiting");
}
