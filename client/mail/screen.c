/* The view of quintet mail: begin and end, the line to the server, and what comes by it. */
#include "client/mail/screen.h"

#include "client/chat/safe.h"

#include "base/timefmt.h"

#include <errno.h>
#include <stdarg.h>

enum {
	TYPING_MS = 1000, /* so long after a key the line stays out of IDLE */
	LOOK_MS = 5 * 60 * 1000, /* a look at what tells of itself by no answer: notices */
	FIRST_MS = 500, /* so long after it was lost the line is tried again */
	RETRY_MAX_S = 60,
};

void screen_say(struct screen *s, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(s->status, sizeof s->status, format, ap);
	va_end(ap);
	safe_end(s->status);
}

bool screen_worked(struct screen *s, int r, const char *doing)
{
	if (r >= 0)
		return true;
	if (r == -ENOENT)
		screen_say(s, "%s: there is no such message any more", doing);
	else
		screen_say(s, "%s: %s", doing,
			s->u->line != NULL ? imapc_why(s->u->line, r) : client_why(r));
	return false;
}

bool screen_act(struct screen *s, const struct screen_act *acts, uint32_t key)
{
	for (size_t i = 0; acts[i].run != NULL; i++)
		if (acts[i].key == key) {
			acts[i].run(s);
			return true;
		}
	return false;
}

/* -- what is listed -----------------------------------------------------------------------------
 */

static bool is_found(const struct screen *s, uint32_t uid, size_t *at)
{
	uint32_t found = 0;

	for (; *at + sizeof found <= s->found.len; *at += sizeof found) {
		memcpy(&found, s->found.p + *at, sizeof found);
		if (found >= uid)
			break;
	}
	return found == uid;
}

/* Where the cursor goes: its message, or the one that stood behind it. */
static size_t row_of(const struct screen *s, uint32_t uid)
{
	size_t i = 0;

	while (i < s->row_count && s->rows[i] < uid)
		i++;
	return i < s->row_count || i == 0 ? i : i - 1;
}

void screen_list_make(struct screen *s)
{
	uint32_t here = s->at < s->row_count ? s->rows[s->at] : 0;
	size_t count = 0, at = 0;
	const struct mail_item *items;
	uint32_t *rows;

	if (s->box == NULL)
		return;
	items = mailbox_items(s->box, &count);
	rows = reallocarray(s->rows, count + 1, sizeof *rows);
	if (rows == NULL)
		return;
	s->rows = rows;
	s->row_count = 0;
	for (size_t i = 0; i < count; i++)
		if (!s->searching || is_found(s, items[i].uid, &at))
			s->rows[s->row_count++] = items[i].uid;
	if (here != 0)
		s->at = row_of(s, here);
}

const struct mail_item *screen_item(struct screen *s)
{
	if (s->box == NULL || s->at >= s->row_count)
		return NULL;
	return mailbox_item(s->box, s->rows[s->at]);
}

/* At the first that is unread, else at the last. */
static void cursor_begin(struct screen *s)
{
	s->at = s->row_count > 0 ? s->row_count - 1 : 0;
	for (size_t i = 0; i < s->row_count; i++) {
		const struct mail_item *item = mailbox_item(s->box, s->rows[i]);

		if (item != NULL && (item->flags & IMAP_FLAG_SEEN) == 0) {
			s->at = i;
			break;
		}
	}
	s->top = s->at;
}

void screen_receipts_load(struct screen *s)
{
	struct mail_receipt *list = NULL;
	size_t count = 0;

	if (s->box == NULL || mail_receipts(s->u->line, NULL, &list, &count) < 0)
		return;
	free(s->receipts);
	s->receipts = list;
	s->receipt_count = count;
}

/* -- what comes ---------------------------------------------------------------------------------
 */

/* What of the notices was not told yet. */
static void notices_look(struct screen *s, bool tell)
{
	static const char *const words[] = {
		[MAIL_NOTICE_READ] = "has read", [MAIL_NOTICE_DECLINED] = "has deleted unread"};
	_cleanup_(cleanup_free) struct mail_notice *list = NULL;
	size_t count = 0;

	if (mail_notices(s->u->line, &list, &count, &s->notices) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct mail_notice *n = &list[i];

		if (n->id <= s->notice_id)
			continue;
		s->notice_id = n->id;
		if (tell && n->kind != MAIL_NOTICE_NEW && !n->shown)
			screen_say(s, "%s %s your message %s", n->from, words[n->kind],
				strcmp(n->subject, "...") == 0 ? "" : n->subject);
	}
}

static void mail_look(struct screen *s, bool tell)
{
	size_t count = 0, news = 0;
	const struct mail_item *items = mailbox_items(s->box, &count);
	uint32_t last = count > 0 ? items[count - 1].uid : 0, told = s->last_uid;

	for (size_t i = count; i > 0 && items[i - 1].uid > told; i--)
		news += (items[i - 1].flags & IMAP_FLAG_SEEN) == 0;
	if (tell && news > 0)
		screen_say(s,
			news > 1 ? "%zu new messages, the last from %s" : "%zu new message from %s",
			news, items[count - 1].from);
	s->last_uid = last;
}

static void news(struct screen *s, bool tell)
{
	mail_look(s, tell);
	notices_look(s, tell);
	if (s->sent)
		screen_receipts_load(s);
	screen_list_make(s);
}

/* -- the line -----------------------------------------------------------------------------------
 */

static void box_close(struct screen *s)
{
	mailbox_closep(&s->box);
	mailui_subjects_clear(&s->subjects);
}

/* A new mailbox is selected: what goes with the old one is forgotten. */
static void box_take(struct screen *s, struct mailbox *b, bool fresh)
{
	struct mail_folder *f = NULL;
	const struct mail_folder *sent;
	size_t count = 0;

	s->box = b;
	(void)snprintf(s->name, sizeof s->name, "%s", mailbox_name(b));
	s->sent = strcmp(s->name, "Sent") == 0;
	if (mail_folders(s->u->line, &f, &count) == 0) {
		sent = mail_folder_find(f, count, "\\Sent", "Sent");
		s->sent = sent != NULL && strcmp(sent->name, s->name) == 0;
		mail_folders_free(f, count);
	}
	if (fresh) {
		s->searching = false;
		s->row_count = s->at = s->top = 0;
	}
	news(s, !fresh);
	if (fresh)
		cursor_begin(s);
}

/* Opens the line, if there is none, and the mailbox that is looked at. False: told. */
static bool connect(struct screen *s, bool fresh)
{
	struct mailui *u = s->u;
	struct mailbox *b = NULL;
	struct screen_hush hush;
	char why[400];
	int r;

	imapc_closep(&u->line);
	u->o.mailbox = s->name;
	hush_begin(&hush);
	r = mailui_box(u, false, &b);
	hush_end(&hush, why, sizeof why);
	if (r != CLIENT_OK) {
		imapc_closep(&u->line);
		s->retry_s = s->retry_s < RETRY_MAX_S / 2 ? 2 * s->retry_s + 1 : RETRY_MAX_S;
		s->retry_ms = time_monotonic_ms() + INT64_C(1000) * s->retry_s;
		screen_say(s, "%s; once more in %u s", why, s->retry_s);
		return false;
	}
	s->retry_s = 0;
	if (mail_settings(u->line, NULL, NULL, &s->settings) < 0)
		(void)snprintf(s->settings.receipts, sizeof s->settings.receipts, "ask");
	box_take(s, b, fresh);
	return true;
}

void screen_open(struct screen *s, const char *name)
{
	struct mailbox *b = NULL;
	char old[MAIL_NAME_MAX];
	int r;

	if (s->box == NULL) {
		screen_say(s, "there is no line to the server");
		return;
	}
	(void)snprintf(old, sizeof old, "%s", s->name);
	r = mailbox_open(s->u->line, &s->u->profile, name, false, &b);
	if (screen_worked(s, r, name)) {
		box_close(s);
		s->last_uid = 0;
		box_take(s, b, true);
		return;
	}
	/* Nothing is selected now. */
	box_close(s);
	if (mailbox_open(s->u->line, &s->u->profile, old, false, &b) == 0)
		box_take(s, b, false);
}

static void lost(struct screen *s, int r)
{
	screen_say(s, "the line is lost: %s", imapc_why(s->u->line, r));
	box_close(s);
	imapc_closep(&s->u->line);
	/* Not at once: a server that refuses to be waited for would be asked without end. */
	s->retry_s = 1;
	s->retry_ms = time_monotonic_ms() + FIRST_MS;
}

/* -- keys ---------------------------------------------------------------------------------------
 */

/* Without a line: keys, until it is time to try again. */
static uint32_t key_alone(struct screen *s)
{
	int64_t now_ms = time_monotonic_ms();
	uint32_t key;

	if (now_ms < s->retry_ms) {
		key = term_key(&s->term, (int)(s->retry_ms - now_ms));
		return key == KEY_NONE ? KEY_NEWS : key;
	}
	if (connect(s, false))
		screen_say(s, "the line is back");
	return KEY_NEWS;
}

static uint32_t key_idle(struct screen *s)
{
	int r = mailbox_idle(s->box, LOOK_MS, s->term.watch_fd);

	if (client_interrupted(s->u->client))
		return KEY_GONE;
	if (r < 0) {
		lost(s, r);
		return KEY_NEWS;
	}
	if (r == 3)
		return term_key(&s->term, 0);
	news(s, true);
	return KEY_NEWS;
}

uint32_t screen_key(struct screen *s)
{
	int64_t since_ms = time_monotonic_ms() - s->typed_ms;
	int wait_ms = since_ms < TYPING_MS ? (int)(TYPING_MS - since_ms) : 0;
	uint32_t key = term_key(&s->term, wait_ms);

	if (key == KEY_NONE)
		key = s->box != NULL ? key_idle(s) : key_alone(s);
	if (key == KEY_GONE) {
		s->leave = true;
		s->code = client_interrupted(s->u->client) ? CLIENT_INTERRUPTED : CLIENT_OK;
	}
	if (key != KEY_NEWS && key != KEY_NONE && key != KEY_RESIZE) {
		s->typed_ms = time_monotonic_ms();
		s->status[0] = '\0';
	}
	return key;
}

uint32_t screen_choose(struct screen *s, const char *question, const char *keys)
{
	for (;;) {
		uint32_t key;

		term_row(&s->term, s->term.rows - 1, LOOK_BOLD, span_str(question));
		term_flush(&s->term);
		key = term_key(&s->term, -1);
		if (key == KEY_RESIZE)
			continue;
		if (key == KEY_GONE)
			s->leave = true;
		s->typed_ms = time_monotonic_ms();
		return key < 0x80 && strchr(keys, (int)key) != NULL ? key : 0;
	}
}

/* -- begin and end ------------------------------------------------------------------------------
 */

/* What waits to be sent since the line was lost, goes now. */
static void outbox_go(struct screen *s)
{
	struct outbox_result sent = {.why = ""};
	struct screen_hush hush;
	char why[400];

	hush_begin(&hush);
	(void)outbox_send(s->u->client, &s->u->profile, &s->u->login, s->u->line, &sent);
	hush_end(&hush, why, sizeof why);
	if (sent.refused > 0)
		screen_say(s, "refused: %s (quintet mail outbox)", sent.why);
	else if (sent.left > 0)
		screen_say(s, "%u wait%s to be sent: %s", sent.left, sent.left == 1 ? "s" : "",
			sent.why);
	else if (sent.sent > 0)
		screen_say(s, "%u that waited %s sent", sent.sent, sent.sent == 1 ? "was" : "were");
}

static int run(struct screen *s)
{
	struct mailbox *b = NULL;
	int r = mailui_box(s->u, false, &b);

	if (r != CLIENT_OK)
		return r;
	if (mail_settings(s->u->line, NULL, NULL, &s->settings) < 0)
		(void)snprintf(s->settings.receipts, sizeof s->settings.receipts, "ask");
	box_take(s, b, true);
	r = term_begin(s->u->client, &s->term);
	if (r == CLIENT_OK) {
		outbox_go(s);
		list_run(s);
		r = s->code;
	}
	term_end(&s->term);
	return r;
}

int mailui_screen(struct mailui *u)
{
	struct screen s = {
		.u = u, .term = {.winch_fd = -1, .watch_fd = -1}, .found = BUF_INIT(64U << 20)};
	int r = run(&s);

	box_close(&s);
	buf_done(&s.found);
	free(s.rows);
	free(s.receipts);
	return r;
}
