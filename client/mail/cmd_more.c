/* quintet mail receipts, notices, people, set, outbox. */
#include "client/mail/ui.h"

#include "base/num.h"
#include "base/timefmt.h"

#include <errno.h>

enum { UIDS_MAX = 4096 };

/* A time as people or scripts want it; "" for none. */
static void time_text(const struct mailui *u, int64_t at_us, char ret[32])
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(64);

	ret[0] = '\0';
	if (at_us == 0)
		return;
	if (!u->client->json) {
		mailui_when(at_us, ret);
		return;
	}
	time_rfc3339_utc(&b, at_us);
	(void)snprintf(ret, 32, "%s", buf_str(&b));
}

static int not_here(const struct mailui *u, int error, const char *what)
{
	return error == -ENOTSUP
		? client_fail(CLIENT_NO, "%s: the server does not offer that", what)
		: mailui_failed(u, error, what);
}

/* -- receipts -----------------------------------------------------------------------------------
 */

static int receipts_print(const struct mailui *u, const struct mail_receipt *list, size_t count)
{
	uint64_t most = 50;
	struct table t;
	int r;

	if (u->o.count != NULL && num_parse_u64(span_str(u->o.count), 1, UINT32_MAX, &most) < 0)
		return client_usage(u->client, "--count takes a number");
	table_init(&t,
		(const struct table_column[]){{"SENT", NULL}, {"TO", NULL}, {"STATE", NULL},
			{"DELIVERED", NULL}, {"READ", NULL}, {"SUBJECT", NULL},
			{u->client->json ? "MESSAGE ID" : NULL, NULL}, {NULL, NULL}});
	/* The server tells the newest first; here they stand last, as in every list. */
	for (size_t i = count > most ? (size_t)most : count; i-- > 0;) {
		char sent[32], delivered[32], seen[32];
		const char *const cells[] = {sent, list[i].recipient,
			mailui_receipt_state(&list[i]), delivered, seen, list[i].subject,
			list[i].msgid, NULL};

		time_text(u, list[i].sent_us, sent);
		time_text(u, list[i].delivered_us, delivered);
		time_text(u, list[i].read_us, seen);
		table_add(&t, cells);
	}
	r = table_print(&t, u->client->json);
	table_done(&t);
	return r < 0 ? client_fail(ERR_EXIT_TEMP, "the list is too long: use --count") : CLIENT_OK;
}

/* The Message-ID of a message that is given by its number, in Sent where nothing else was said. */
static int msgid_of(struct mailui *u, const struct client_words *w, char ret[256])
{
	_cleanup_(mailbox_closep) struct mailbox *b = NULL;
	_cleanup_(buf_done) struct buf uids = BUF_INIT(UIDS_MAX);
	const struct mail_item *item;
	uint32_t uid;
	int r;

	if (w->v[0][0] == '<') {
		(void)snprintf(ret, 256, "%s", w->v[0]);
		return CLIENT_OK;
	}
	if (u->o.mailbox == NULL)
		u->o.mailbox = "Sent";
	r = mailui_box(u, true, &b);
	if (r == CLIENT_OK)
		r = mailui_uids(u, b, w, 0, &uids);
	if (r == CLIENT_OK && uids.len != sizeof uid)
		return client_usage(u->client, "receipts: one message");
	if (r != CLIENT_OK)
		return r;
	memcpy(&uid, uids.p, sizeof uid);
	item = mailbox_item(b, uid);
	(void)snprintf(ret, 256, "%s", item != NULL ? item->msgid : "");
	return CLIENT_OK;
}

int mailui_receipts(struct mailui *u, const struct client_words *w)
{
	_cleanup_(cleanup_free) struct mail_receipt *list = NULL;
	char msgid[256];
	size_t count = 0;
	int r = mailui_line(u);

	if (r == CLIENT_OK && w->count > 0)
		r = msgid_of(u, w, msgid);
	if (r != CLIENT_OK)
		return r;
	r = mail_receipts(u->line, w->count > 0 ? msgid : NULL, &list, &count);
	if (r < 0)
		return not_here(u, r, "receipts");
	mailui_name_receipts(u, u->line, list, count);
	return receipts_print(u, list, count);
}

/* -- notices ------------------------------------------------------------------------------------
 */

static const char *notice_kind(enum mail_notice_kind kind)
{
	static const char *const kinds[] = {
		[MAIL_NOTICE_NEW] = "new mail",
		[MAIL_NOTICE_READ] = "was read",
		[MAIL_NOTICE_DECLINED] = "was deleted unread",
	};

	return kinds[kind];
}

static int notices_print(const struct mailui *u, const struct mail_notice *list, size_t count)
{
	struct table t;
	int r;

	table_init(&t,
		(const struct table_column[]){{"WHEN", NULL}, {"WHAT", NULL}, {"WHO", NULL},
			{"SUBJECT", NULL}, {"NEW", NULL}, {NULL, NULL}});
	for (size_t i = 0; i < count; i++) {
		char at[32];
		const char *const cells[] = {at, notice_kind(list[i].kind), list[i].from,
			list[i].subject, list[i].shown ? "" : "new", NULL};

		time_text(u, list[i].at_us, at);
		if (u->o.all || !list[i].shown)
			table_add(&t, cells);
	}
	r = t.row_count == 0 && !u->client->json ? client_done(u->client, NULL, 0, "nothing new")
						 : table_print(&t, u->client->json);
	table_done(&t);
	return r < 0 ? client_fail(ERR_EXIT_TEMP, "no memory") : CLIENT_OK;
}

int mailui_notices(struct mailui *u, const struct client_words *w)
{
	_cleanup_(cleanup_free) struct mail_notice *list = NULL;
	unsigned news = 0;
	size_t count = 0;
	int r = mailui_line(u);

	(void)w;
	if (r != CLIENT_OK)
		return r;
	r = mail_notices(u->line, &list, &count, &news);
	if (r < 0)
		return not_here(u, r, "notices");
	mailui_name_notices(u, u->line, list, count);
	r = notices_print(u, list, count);
	/* Each is new once: only what has reached the person counts as shown. */
	if (r != CLIENT_OK || news == 0 || fflush(stdout) != 0)
		return r;
	r = mail_notices_shown(u->line, list[count - 1].id);
	return r < 0 ? not_here(u, r, "notices") : CLIENT_OK;
}

/* -- people, settings ---------------------------------------------------------------------------
 */

int mailui_people(struct mailui *u, const struct client_words *w)
{
	_cleanup_(cleanup_free) struct mail_person *list = NULL;
	size_t count = 0;
	struct table t;
	int r = mailui_line(u);

	(void)w;
	if (r != CLIENT_OK)
		return r;
	r = mail_persons(u->line, &list, &count);
	if (r < 0)
		return not_here(u, r, "people");
	table_init(&t,
		(const struct table_column[]){
			{"NAME", NULL}, {"STATE", NULL}, {"LAST SEEN", NULL}, {NULL, NULL}});
	for (size_t i = 0; i < count; i++) {
		char seen[32];
		const char *const cells[] = {list[i].name,
			list[i].hidden           ? "does not tell"
				: list[i].online ? "online"
						 : "offline",
			seen, NULL};

		time_text(u, list[i].online ? 0 : list[i].seen_us, seen);
		table_add(&t, cells);
	}
	r = table_print(&t, u->client->json);
	table_done(&t);
	return r < 0 ? client_fail(ERR_EXIT_TEMP, "no memory") : CLIENT_OK;
}

/* A setting as the server calls it. NULL: there is none, or not with that value. */
static const char *setting_find(const char *name, const char *value)
{
	static const struct {
		const char *name, *theirs, *values[4];
	} settings[] = {{"receipts", "RECEIPTS", {"ask", "never", "always", NULL}},
		{"presence", "PRESENCE", {"shown", "hidden", NULL}}};

	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
		for (const char *const *v = settings[i].values; *v != NULL; v++)
			if (strcmp(name, settings[i].name) == 0 && strcmp(value, *v) == 0)
				return settings[i].theirs;
	return NULL;
}

int mailui_set(struct mailui *u, const struct client_words *w)
{
	struct mail_settings s;
	const struct table_pair pairs[] = {
		{"receipts", s.receipts, NULL}, {"presence", s.presence, NULL}};
	const char *what = NULL;
	int r;

	if (w->count == 1)
		return client_usage(u->client, "set: to what?");
	if (w->count == 2) {
		what = setting_find(w->v[0], w->v[1]);
		if (what == NULL)
			return client_usage(
				u->client, "there is no setting \"%s %s\"", w->v[0], w->v[1]);
	}
	r = mailui_line(u);
	if (r != CLIENT_OK)
		return r;
	r = mail_settings(u->line, what, w->count == 2 ? w->v[1] : NULL, &s);
	if (r < 0)
		return not_here(u, r, "set");
	table_print_pairs(pairs, 2, u->client->json);
	return CLIENT_OK;
}

/* -- the outbox ---------------------------------------------------------------------------------
 */

static int entry_add(void *arg, const struct outbox_entry *e)
{
	struct table *t = arg;
	_cleanup_(buf_done) struct buf people = BUF_INIT(65536);
	struct span rest = e->recipients, one;
	const char *cells[] = {e->name, e->state, NULL, e->why, NULL};

	while (span_split(&rest, '\n', &one))
		if (one.len > 0)
			buf_addf(&people, "%s%.*s", people.len > 0 ? ", " : "", (int)one.len,
				(const char *)one.p);
	cells[2] = buf_str(&people);
	table_add(t, cells);
	return 0;
}

static int outbox_list(const struct mailui *u)
{
	struct table t;
	int r;

	table_init(&t,
		(const struct table_column[]){{"NAME", NULL}, {"STATE", NULL}, {"TO", NULL},
			{"WHY", NULL}, {NULL, NULL}});
	r = outbox_each(&u->profile, entry_add, &t);
	if (r == 0)
		r = t.row_count == 0 && !u->client->json
			? client_done(u->client, NULL, 0, "nothing waits to be sent")
			: table_print(&t, u->client->json);
	table_done(&t);
	return r < 0 ? client_fail(ERR_EXIT_TEMP, "the outbox: %s", strerror(-r)) : CLIENT_OK;
}

static int outbox_change(const struct mailui *u, const char *name)
{
	int r = u->o.remove ? outbox_remove(&u->profile, name) : outbox_retry(&u->profile, name);

	if (r == -ENOENT)
		return client_fail(CLIENT_NO, "there is no letter %s", name);
	if (r == -EBUSY)
		return client_fail(CLIENT_NO, "%s is being sent just now", name);
	return r < 0 ? client_fail(ERR_EXIT_TEMP, "%s: %s", name, strerror(-r)) : CLIENT_OK;
}

int mailui_outbox(struct mailui *u, const struct client_words *w)
{
	struct outbox_result sent = {.why = ""};
	int r = CLIENT_OK;

	if ((u->o.retry || u->o.remove) != (w->count > 0) || (u->o.retry && u->o.remove))
		return client_usage(u->client, "outbox: --retry NAME or --remove NAME");
	if (w->count > 0)
		r = outbox_change(u, w->v[0]);
	if (r == CLIENT_OK && !u->o.remove)
		r = outbox_send(u->client, &u->profile, &u->login, u->line, &sent);
	if (r != CLIENT_INTERRUPTED)
		(void)outbox_list(u);
	return r;
}
