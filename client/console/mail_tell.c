/* What became of one's letters, what was new, who is there, what waits: as lines. */
#include "client/console/mail_i.h"

#include <errno.h>

enum { ROWS = 50 };

static int told(struct mail_part *m, int r, const char *what)
{
	if (r != -ENOTSUP)
		return mail_settled(m, r, what);
	console_error(m->c, "%s: the server does not offer that", what);
	return 0;
}

int mail_do_receipts(struct mail_part *m, struct mail_order *o)
{
	_cleanup_(cleanup_free) struct mail_receipt *list = NULL;
	size_t count = 0;
	int r = mail_receipts(m->u.line, NULL, &list, &count);

	(void)o;
	if (r < 0)
		return told(m, r, "receipts");
	/* Another one is selected for the subjects. */
	mail_box_drop(m);
	mailui_name_receipts(&m->u, m->u.line, list, count);
	if (count == 0)
		console_say(m->c, "nothing was sent yet");
	/* The server tells the newest first; here they stand last, as in every list. */
	for (size_t i = count > ROWS ? ROWS : count; i-- > 0;) {
		int64_t at_us = list[i].read_us != 0 ? list[i].read_us : list[i].delivered_us;
		char when[24] = "", subject[256], who[80];

		if (at_us != 0)
			mailui_when(at_us, when);
		mail_clean(list[i].subject, subject, sizeof subject);
		mail_clean(list[i].recipient, who, sizeof who);
		console_say(m->c, "%-12s %-22s %-12s  %s", who, mailui_receipt_state(&list[i]),
			when, subject);
	}
	return m->u.line->error;
}

int mail_do_notices(struct mail_part *m, struct mail_order *o)
{
	static const char *const words[] = {[MAIL_NOTICE_NEW] = "new mail",
		[MAIL_NOTICE_READ] = "has read",
		[MAIL_NOTICE_DECLINED] = "has deleted unread"};
	_cleanup_(cleanup_free) struct mail_notice *list = NULL;
	unsigned fresh = 0;
	size_t count = 0;
	int r = mail_notices(m->u.line, &list, &count, &fresh);

	(void)o;
	if (r < 0)
		return told(m, r, "notices");
	mail_box_drop(m);
	mailui_name_notices(&m->u, m->u.line, list, count);
	if (count == 0)
		console_say(m->c, "there are no notices");
	for (size_t i = count > ROWS ? count - ROWS : 0; i < count; i++) {
		char when[24], subject[256], who[256];

		mailui_when(list[i].at_us, when);
		mail_clean(list[i].subject, subject, sizeof subject);
		mail_clean(list[i].from, who, sizeof who);
		console_say(m->c, "%-12s  %s: %s  %s", when, who, words[list[i].kind], subject);
	}
	if (count > 0 && fresh > 0) {
		m->notice_id = list[count - 1].id;
		r = mail_notices_shown(m->u.line, m->notice_id);
	}
	return r < 0 ? told(m, r, "notices") : m->u.line->error;
}

int mail_do_people(struct mail_part *m, struct mail_order *o)
{
	_cleanup_(cleanup_free) struct mail_person *list = NULL;
	size_t count = 0;
	int r = mail_persons(m->u.line, &list, &count);

	(void)o;
	if (r < 0)
		return told(m, r, "people");
	for (size_t i = 0; i < count; i++) {
		char seen[24] = "", name[80];

		if (!list[i].online && list[i].seen_us != 0)
			mailui_when(list[i].seen_us, seen);
		mail_clean(list[i].name, name, sizeof name);
		console_say(m->c, "%-20s %-14s%s%s", name,
			list[i].hidden           ? "does not tell"
				: list[i].online ? "online"
						 : "offline",
			seen[0] != '\0' ? "seen " : "", seen);
	}
	return 0;
}

/* -- the outbox -------------------------------------------------------------------------------- */

struct boxed {
	struct mail_part *m;
	unsigned waiting, sent, refused; /* sent: but not in Sent yet */
	bool tell;
};

static int entry_tell(void *arg, const struct outbox_entry *e)
{
	struct boxed *b = arg;
	_cleanup_(buf_done) struct buf people = BUF_INIT(65536);
	struct span rest = e->recipients, one;
	char who[256], why[256];

	b->waiting += strcmp(e->state, "waiting") == 0;
	b->sent += strcmp(e->state, "sent") == 0;
	b->refused += strcmp(e->state, "refused") == 0;
	if (!b->tell)
		return 0;
	while (span_split(&rest, '\n', &one))
		if (one.len > 0)
			buf_addf(&people, "%s%.*s", people.len > 0 ? ", " : "", (int)one.len,
				(const char *)one.p);
	mail_clean(buf_str(&people), who, sizeof who);
	mail_clean(e->why, why, sizeof why);
	console_say(b->m->c, "%s  %-8s %s%s%s", e->name, e->state, who, why[0] != '\0' ? ": " : "",
		why);
	return 0;
}

/* "retry NAME", "remove NAME": one of them. */
static void outbox_change(struct mail_part *m, const struct words *w)
{
	const bool retry = strcmp(w->v[0], "retry") == 0;
	int r;

	if (w->count != 2 || (!retry && strcmp(w->v[0], "remove") != 0)) {
		console_error(m->c, "/outbox retry NAME, or /outbox remove NAME");
		return;
	}
	r = retry ? outbox_retry(&m->u.profile, w->v[1]) : outbox_remove(&m->u.profile, w->v[1]);
	if (r < 0)
		console_error(m->c, "%s: %s", w->v[1],
			r == -ENOENT          ? "there is no such letter"
				: r == -EBUSY ? "it is being sent just now"
					      : err_text(r));
}

static void outbox_go(struct mail_part *m)
{
	struct outbox_result sent = {.why = ""};

	(void)outbox_send(m->u.client, &m->u.profile, &m->u.login, m->u.line, &sent);
	if (sent.sent > 0)
		console_say(m->c, "%u letter%s of the outbox sent", sent.sent,
			sent.sent == 1 ? "" : "s");
	if (sent.refused > 0)
		console_error(m->c, "refused: %.400s (kept: /outbox)", sent.why);
}

/* Without an order: what waits has its time, and nothing is said unless something went. */
int mail_do_outbox(struct mail_part *m, struct mail_order *o)
{
	struct boxed b = {.m = m};

	if (o != NULL && o->words.count > 0)
		outbox_change(m, &o->words);
	(void)outbox_each(&m->u.profile, entry_tell, &b);
	if (b.waiting + b.sent > 0 && m->u.line != NULL)
		outbox_go(m);
	b = (struct boxed){.m = m, .tell = o != NULL};
	(void)outbox_each(&m->u.profile, entry_tell, &b);
	m->waiting = b.waiting;
	if (b.waiting + b.sent == 0)
		m->send_ms = 0;
	if (o != NULL && b.waiting + b.sent + b.refused == 0)
		console_say(m->c, "nothing waits to be sent");
	return m->u.line != NULL ? m->u.line->error : 0;
}
