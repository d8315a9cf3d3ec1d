/* The list of messages and its keys. */
#include "client/mail/screen.h"

#include <errno.h>

enum { UIDS_MAX = 64 << 20, WORDS_MAX = 64 };

/* -- moving -------------------------------------------------------------------------------------
 */

static void up(struct screen *s)
{
	s->at -= s->at > 0 ? 1 : 0;
}

static void down(struct screen *s)
{
	s->at += s->at + 1 < s->row_count ? 1 : 0;
}

static void page_up(struct screen *s)
{
	size_t page = draw_page(s);

	s->at = s->at > page ? s->at - page : 0;
	s->top = s->top > page ? s->top - page : 0;
}

static void page_down(struct screen *s)
{
	size_t page = draw_page(s);

	s->at += page;
	s->top += page;
	if (s->at >= s->row_count)
		s->at = s->row_count > 0 ? s->row_count - 1 : 0;
}

static void first(struct screen *s)
{
	s->at = 0;
}

static void last(struct screen *s)
{
	s->at = s->row_count > 0 ? s->row_count - 1 : 0;
}

bool list_to_unread(struct screen *s)
{
	for (size_t i = 1; s->box != NULL && i <= s->row_count; i++) {
		size_t at = (s->at + i) % s->row_count;
		const struct mail_item *item = mailbox_item(s->box, s->rows[at]);

		if (item != NULL && (item->flags & IMAP_FLAG_SEEN) == 0) {
			s->at = at;
			return true;
		}
	}
	screen_say(s, "nothing is unread in %s", s->name);
	return false;
}

/* -- messages -----------------------------------------------------------------------------------
 */

/* The message at the cursor, which is the one that is read if one is; 0: none, told. */
static uint32_t here(struct screen *s)
{
	const struct mail_item *item = screen_item(s);
	uint32_t uid = letter_uid(s);

	if (s->box == NULL)
		screen_say(s, "there is no line to the server");
	else if (item == NULL || (uid != 0 && uid != item->uid))
		screen_say(s, "there is no such message any more");
	else
		return item->uid;
	return 0;
}

static void read_here(struct screen *s)
{
	if (here(s) != 0)
		letter_run(s);
}

static void read_unread(struct screen *s)
{
	const struct mail_item *item = screen_item(s);

	/* The one at the cursor comes first. */
	if ((item != NULL && (item->flags & IMAP_FLAG_SEEN) == 0) || list_to_unread(s))
		letter_run(s);
}

static void flag(struct screen *s, uint32_t which)
{
	uint32_t uid = here(s);
	const struct mail_item *item = screen_item(s);

	if (uid == 0 || item == NULL)
		return;
	(void)screen_worked(
		s, mailbox_flag(s->box, &uid, 1, which, (item->flags & which) == 0), "flag");
}

void list_flag(struct screen *s)
{
	flag(s, IMAP_FLAG_FLAGGED);
}

void list_unread(struct screen *s)
{
	uint32_t uid = here(s);

	if (uid != 0 &&
		screen_worked(s, mailbox_flag(s->box, &uid, 1, IMAP_FLAG_SEEN, false), "mark"))
		screen_say(s, "marked as unread");
}

static void read_toggle(struct screen *s)
{
	flag(s, IMAP_FLAG_SEEN);
	down(s);
}

static void gone(struct screen *s, const char *what)
{
	screen_list_make(s);
	screen_say(s, "%s", what);
}

static bool trash_name(struct screen *s, char ret[MAIL_NAME_MAX])
{
	const struct mail_folder *trash;
	struct mail_folder *f = NULL;
	size_t count = 0;

	if (!screen_worked(s, mail_folders(s->u->line, &f, &count), "delete"))
		return false;
	trash = mail_folder_find(f, count, "\\Trash", "Trash");
	(void)snprintf(ret, MAIL_NAME_MAX, "%s", trash != NULL ? trash->name : "Trash");
	mail_folders_free(f, count);
	return true;
}

void list_delete(struct screen *s)
{
	uint32_t uid = here(s);
	char trash[MAIL_NAME_MAX], what[MAIL_NAME_MAX + 32];

	if (uid == 0 || !trash_name(s, trash))
		return;
	if (strcmp(s->name, trash) != 0) {
		(void)snprintf(what, sizeof what, "moved to %s", trash);
		if (screen_worked(s, mailbox_move(s->box, &uid, 1, trash), "delete"))
			gone(s, what);
	} else if (screen_choose(s, "Delete it for good? y, n", "yY") != 0) {
		if (screen_worked(s, mailbox_expunge(s->box, &uid, 1), "delete"))
			gone(s, "deleted for good");
	}
}

void list_move(struct screen *s)
{
	uint32_t uid = here(s);
	char to[MAIL_NAME_MAX], what[MAIL_NAME_MAX + 32];

	if (uid == 0 || !page_mailbox(s, "Move it to", true, to))
		return;
	(void)snprintf(what, sizeof what, "moved to %s", to);
	if (screen_worked(s, mailbox_move(s->box, &uid, 1, to), to))
		gone(s, what);
}

/* -- searching ----------------------------------------------------------------------------------
 */

static void search_end(struct screen *s)
{
	s->searching = false;
	screen_list_make(s);
}

static void search_run(struct screen *s, char *text)
{
	_cleanup_(buf_done) struct buf uids = BUF_INIT(UIDS_MAX);
	char *words[WORDS_MAX], *at = text;
	size_t count = 0;

	for (; *at != '\0' && count < WORDS_MAX; at += strspn(at, " ")) {
		words[count++] = at;
		at += strcspn(at, " ");
		if (*at != '\0')
			*at++ = '\0';
	}
	if (!screen_worked(s, mailui_find(s->u, s->box, words, count, &uids), "search"))
		return;
	buf_reset(&s->found);
	buf_add(&s->found, buf_span(&uids));
	s->searching = true;
	screen_list_make(s);
	s->at = s->row_count > 0 ? s->row_count - 1 : 0;
}

static void search(struct screen *s)
{
	_cleanup_(buf_done) struct buf words = BUF_INIT(sizeof s->words - 1);

	if (s->box == NULL || !term_ask(&s->term, "Search: ", &words))
		return;
	if (words.len == 0) {
		search_end(s);
		return;
	}
	(void)snprintf(s->words, sizeof s->words, "%s", buf_str(&words));
	search_run(s, (char *)words.p);
}

/* -- other --------------------------------------------------------------------------------------
 */

static void change_mailbox(struct screen *s)
{
	char name[MAIL_NAME_MAX];

	if (page_mailbox(s, "Mailboxes", false, name))
		screen_open(s, name);
}

static void reply(struct screen *s)
{
	if (here(s) != 0)
		write_answer(s, MAIL_REPLY);
}

static void reply_all(struct screen *s)
{
	if (here(s) != 0)
		write_answer(s, MAIL_REPLY_ALL);
}

static void forward(struct screen *s)
{
	if (here(s) != 0)
		write_answer(s, MAIL_FORWARD);
}

static void leave(struct screen *s)
{
	s->leave = true;
}

static void escape(struct screen *s)
{
	if (s->searching)
		search_end(s);
}

static void redraw(struct screen *s)
{
	buf_add_str(&s->term.out, "\x1b[2J");
}

const struct screen_act screen_list_acts[] = {
	{KEY_ENTER, read_here, "Enter", "read the message"},
	{KEY_UP, up, "up, k", "the message before"},
	{'k', up, NULL, NULL},
	{KEY_DOWN, down, "down, j", "the message behind"},
	{'j', down, NULL, NULL},
	{KEY_PAGE_DOWN, page_down, "space", "a page on"},
	{' ', page_down, NULL, NULL},
	{KEY_PAGE_UP, page_up, "-", "a page back"},
	{'-', page_up, NULL, NULL},
	{KEY_HOME, first, "Home", "the first"},
	{KEY_END, last, "End", "the last"},
	{'u', read_unread, "u", "read the next that is unread"},
	{'c', write_new, "c", "write a letter"},
	{'r', reply, "r", "reply to the sender"},
	{'g', reply_all, "g", "reply to all"},
	{'f', forward, "f", "pass it on"},
	{'d', list_delete, "d", "delete: move to Trash; from there for good"},
	{'m', list_move, "m", "move to another mailbox"},
	{'F', list_flag, "F", "flag as important, or not"},
	{'U', list_unread, "U", "mark as unread"},
	{'t', read_toggle, "t", "mark as read or unread, go on"},
	{'/', search, "/", "search for words in subjects, addresses and texts"},
	{KEY_ESCAPE, escape, "Escape", "end the search"},
	{'b', change_mailbox, "b", "another mailbox"},
	{'N', page_notices, "N", "notices: receipts, new mail"},
	{'R', page_receipts, "R", "what became of what you sent"},
	{'P', page_people, "P", "who is there"},
	{'?', page_help, "?", "this help"},
	{0x0c, redraw, "Ctrl-L", "draw anew"},
	{'q', leave, "q", "leave"},
	{0x03, leave, NULL, NULL},
	{KEY_NONE, NULL, NULL, NULL},
};

void list_run(struct screen *s)
{
	while (!s->leave) {
		uint32_t key;

		draw_list(s);
		key = screen_key(s);
		if (!screen_act(s, screen_list_acts, key) && key < KEY_NONE)
			screen_say(s, "? tells the keys");
	}
}
