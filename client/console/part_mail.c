/* The task of mail: the line, what is ordered, and IDLE in between. See mail_i.h. */
#include "client/console/mail_i.h"

#include "base/timefmt.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	LOOK_MS = 60 * 1000, /* so often all mailboxes are looked at */
	SEND_MS = 60 * 1000, /* so long what could not be sent waits */
};

struct mail_part *mail_part(struct console *c)
{
	return c->part_state[PART_MAIL];
}

bool mail_leaving(const struct mail_part *m)
{
	return m->ending || m->c->leaving;
}

bool mail_is_inbox(const char *name)
{
	return strcmp(name, "INBOX") == 0;
}

/* -- orders ------------------------------------------------------------------------------------ */

static void wake(const struct mail_part *m)
{
	const uint64_t one = 1;

	if (m->c->parts[PART_MAIL].task != NULL)
		task_poke(m->c->parts[PART_MAIL].task);
	if (write(m->wake_fd, &one, sizeof one) < 0)
		return; /* it is awake already */
}

static void wake_drain(const struct mail_part *m)
{
	uint64_t count;

	if (read(m->wake_fd, &count, sizeof count) < 0)
		return;
}

struct mail_order *mail_order_new(struct mail_part *m,
	int (*run)(struct mail_part *m, struct mail_order *o), const char *box, struct span words)
{
	struct mail_order *o = calloc(1, sizeof *o);
	char *line = strndup((const char *)words.p, words.len);
	int r = o != NULL && line != NULL ? 0 : -ENOMEM;

	if (r == 0) {
		o->run = run;
		o->words = WORDS_INIT;
		(void)snprintf(o->box, sizeof o->box, "%s", box);
		o->place = m->c->current->number;
		r = words_split(line, &o->words);
	}
	free(line);
	if (r == 0)
		return o;
	console_error(m->c, "%s", r == -EINVAL ? "a quote is not closed" : err_text(r));
	if (o != NULL)
		words_done(&o->words);
	free(o);
	return NULL;
}

static void order_done(struct mail_part *m, struct mail_order *o)
{
	m->c->parts[PART_MAIL].busy--;
	words_done(&o->words);
	free(o);
}

void mail_order_add(struct mail_part *m, struct mail_order *o)
{
	o->next = NULL;
	if (m->last != NULL)
		m->last->next = o;
	else
		m->first = o;
	m->last = o;
	m->c->parts[PART_MAIL].busy++;
	wake(m);
}

/* The next one that can be done; only those that need no line, when there is none. */
static struct mail_order *order_take(struct mail_part *m, bool offline)
{
	struct mail_order *before = NULL, *o = m->first;

	for (; o != NULL && offline && !o->offline; o = o->next)
		before = o;
	if (o == NULL)
		return NULL;
	if (before != NULL)
		before->next = o->next;
	else
		m->first = o->next;
	if (m->last == o)
		m->last = before;
	return o;
}

/* What was ordered and cannot be done: nobody waits for it without end. */
static void orders_drop(struct mail_part *m)
{
	struct mail_order *o;

	while ((o = order_take(m, false)) != NULL) {
		console_error(m->c, "mail is not there: that was not done");
		order_done(m, o);
	}
}

/* -- the mailbox that is selected -------------------------------------------------------------- */

struct mailui_subjects *mail_subjects(struct mail_part *m)
{
	return m->box != NULL && mail_is_inbox(mailbox_name(m->box)) ? &m->inbox_subjects
								     : &m->subjects;
}

void mail_box_drop(struct mail_part *m)
{
	mailui_subjects_clear(&m->subjects);
	mailbox_closep(&m->box);
}

int mail_settled(struct mail_part *m, int r, const char *doing)
{
	if (r >= 0)
		return 0;
	if (m->u.line == NULL || m->u.line->error < 0)
		return r;
	(void)mailui_failed(&m->u, r, doing);
	return 0;
}

int mail_box_need(struct mail_part *m, const char *name)
{
	struct mailbox *b = NULL;
	int r;

	if (m->box != NULL && strcmp(mailbox_name(m->box), name) == 0)
		return 0;
	mail_box_drop(m);
	r = mailbox_open(m->u.line, &m->u.profile, name, false, &b);
	if (r < 0)
		return r;
	m->box = b;
	return 0;
}

void mail_status(struct mail_part *m)
{
	struct part *p = &m->c->parts[PART_MAIL];
	const struct mail_place *inbox = mail_place_box(m, "INBOX");
	char text[sizeof p->text] = "";
	size_t n = 0;

	if (inbox != NULL && inbox->unseen > 0)
		n = (size_t)snprintf(text, sizeof text, "%u unread", (unsigned)inbox->unseen);
	if (m->waiting > 0)
		(void)snprintf(text + n, sizeof text - n, "%s%u to be sent", n > 0 ? ", " : "",
			m->waiting);
	if (strcmp(text, p->text) == 0)
		return;
	memcpy(p->text, text, sizeof p->text);
	console_changed(m->c);
}

/* A profile of its own, read anew: the certificate may be another one. */
static int profile_fresh(struct mail_part *m)
{
	struct profile fresh = PROFILE_INIT;
	int r = profile_load(m->c->profile.name, &fresh);

	if (r < 0 && r != -EKEYREJECTED) {
		profile_done(&fresh);
		return m->loaded ? 0 : r;
	}
	if (m->loaded)
		profile_done(&m->u.profile);
	m->u.profile = fresh;
	m->loaded = true;
	m->identity = m->c->identities;
	return 0;
}

/* -- the line ---------------------------------------------------------------------------------- */

static void line_drop(struct mail_part *m)
{
	mail_box_drop(m);
	mailui_subjects_clear(&m->inbox_subjects);
	imapc_closep(&m->u.line);
}

/* False: there is no line, and part_lost() told why. */
static bool connect(struct mail_part *m)
{
	struct console *c = m->c;
	int r = profile_fresh(m), code;

	part_trying(c, PART_MAIL);
	c->parts[PART_MAIL].why[0] = '\0';
	if (r < 0) {
		part_lost(c, PART_MAIL, "the profile: %s", err_text(r));
		return false;
	}
	code = imapc_open(c->client, &m->u.profile, &m->u.login, &m->u.line);
	if (code != CLIENT_OK) {
		part_lost(c, PART_MAIL, "%s", c->parts[PART_MAIL].why);
		return false;
	}
	if (mail_settings(m->u.line, NULL, NULL, &m->settings) < 0)
		(void)snprintf(m->settings.receipts, sizeof m->settings.receipts, "ask");
	return true;
}

static void lost(struct mail_part *m, int r)
{
	char why[256];

	(void)snprintf(why, sizeof why, "%.250s",
		m->u.line != NULL ? imapc_why(m->u.line, r) : client_why(r));
	line_drop(m);
	if (!mail_leaving(m))
		part_lost(m->c, PART_MAIL, "%s", why);
}

/* Without a line: what is told while the part is not up would only be kept as a reason for that. */
static void order_do_alone(struct mail_part *m, struct mail_order *o)
{
	struct part *p = &m->c->parts[PART_MAIL];
	char before[sizeof p->why], told[sizeof p->why];

	memcpy(before, p->why, sizeof before);
	p->why[0] = '\0';
	(void)o->run(m, o);
	memcpy(told, p->why, sizeof told);
	memcpy(p->why, before, sizeof before);
	if (told[0] != '\0')
		console_error(m->c, "%s", told);
}

static int order_do(struct mail_part *m, struct mail_order *o)
{
	int r = 0;

	if (m->identity != m->c->identities)
		(void)profile_fresh(m);
	if (o->box[0] != '\0' && m->u.line != NULL)
		r = mail_box_need(m, o->box);
	if (r < 0)
		r = mail_settled(m, r, o->box);
	else if (m->u.line != NULL)
		r = o->run(m, o);
	else
		order_do_alone(m, o);
	order_done(m, o);
	mail_places_sweep(m);
	if (r == 0 && m->u.line != NULL && m->u.line->error < 0)
		r = m->u.line->error;
	return r;
}

/* What waits in the outbox goes when its time has come. */
static int outbox_due(struct mail_part *m)
{
	if (m->send_ms == 0 || time_monotonic_ms() < m->send_ms)
		return 0;
	m->send_ms = time_monotonic_ms() + SEND_MS;
	return mail_do_outbox(m, NULL);
}

/* All that is to be done now. 0, or the line's error. */
static int work(struct mail_part *m)
{
	struct mail_order *o;
	int r = 0;

	while (r == 0 && !mail_leaving(m) && (o = order_take(m, m->u.line == NULL)) != NULL)
		r = order_do(m, o);
	if (r == 0 && m->u.line != NULL)
		r = outbox_due(m);
	mail_status(m);
	return r;
}

static int look(struct mail_part *m, bool all)
{
	int r = mail_box_need(m, "INBOX");

	if (r == 0)
		r = mail_news(m);
	if (r == 0 && all)
		r = mail_list_folders(m);
	return r;
}

static int serve(struct mail_part *m)
{
	int r = look(m, true);

	while (r >= 0 && !mail_leaving(m)) {
		r = work(m);
		if (r == 0)
			r = mail_box_need(m, "INBOX");
		if (r < 0 || mail_leaving(m))
			break;
		if (m->first != NULL)
			continue;
		r = mailbox_idle(m->box, LOOK_MS, m->wake_fd);
		wake_drain(m);
		if (r == 1 || r == 2)
			r = look(m, r == 2);
	}
	return r;
}

/* Until the line is tried again: what can be done without one. */
static void rest(struct mail_part *m)
{
	orders_drop(m);
	while (!mail_leaving(m)) {
		int64_t left_ms = m->c->parts[PART_MAIL].retry_ms - time_monotonic_ms();

		(void)work(m);
		if (left_ms <= 0)
			return;
		if (task_pause(left_ms < INT32_MAX ? (int)left_ms : INT32_MAX) == -ECANCELED)
			m->ending = true;
	}
}

/* -- begin and end ----------------------------------------------------------------------------- */

static void end(struct mail_part *m)
{
	struct mail_order *o;

	m->ending = true;
	while ((o = order_take(m, false)) != NULL) {
		/* What was to be sent is at least kept to be sent. */
		if (o->run == mail_do_send)
			(void)mail_do_send(m, o);
		order_done(m, o);
	}
	line_drop(m);
	m->c->parts[PART_MAIL].task = NULL;
}

void part_mail_end(struct console *c)
{
	struct mail_part *m = mail_part(c);
	struct mail_order *o;

	if (m == NULL)
		return;
	while ((o = order_take(m, false)) != NULL)
		order_done(m, o);
	mail_places_done(m);
	cleanup_close(&m->wake_fd);
	if (m->loaded)
		profile_done(&m->u.profile);
	c->part_state[PART_MAIL] = NULL;
	free(m);
}

static void run(void *arg)
{
	struct mail_part *m = arg;

	while (!mail_leaving(m)) {
		int r;

		if (connect(m)) {
			part_up(m->c, PART_MAIL);
			mail_news_begin(m);
			r = serve(m);
			if (r == -ECANCELED)
				m->ending = true;
			lost(m, r);
		}
		if (!mail_leaving(m))
			rest(m);
	}
	end(m);
}

int part_mail_begin(struct console *c)
{
	struct mail_part *m;
	int r;

	if (directory_door(&c->profile.doors, "imaps") == NULL) {
		part_absent(c, PART_MAIL);
		return 0;
	}
	m = calloc(1, sizeof *m);
	if (m == NULL)
		return -ENOMEM;
	m->c = c;
	m->u.client = c->client;
	m->u.profile = PROFILE_INIT;
	m->send_ms = 1; /* there may be something from before */
	m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = m->wake_fd < 0 ? -errno : 0;
	c->part_state[PART_MAIL] = m;
	if (r == 0)
		r = task_start("mail", run, m, &c->parts[PART_MAIL].task);
	if (r < 0)
		part_mail_end(c);
	return r;
}
