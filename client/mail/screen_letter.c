/* A message that is read, and its keys. */
#include "client/mail/screen.h"

#include "client/chat/safe.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

enum { TITLE_SIZE = 512, WHOLE = 2 * MAIL_MESSAGE_MAX };

/* What is open. */
struct reading {
	struct mailui_letter letter;
	struct screen_text text;
	uint32_t uid;
	char title[TITLE_SIZE], loud[512]; /* "" where nothing is wrong */
	bool open, raw, next; /* next: another one, at the cursor */
	bool back;
};

static void reading_close(struct reading *r)
{
	mailui_letter_done(&r->letter);
	text_done(&r->text);
	memset(r, 0, sizeof *r);
	r->letter = MAILUI_LETTER_INIT;
	r->text = SCREEN_TEXT_INIT;
}

/* -- opening ------------------------------------------------------------------------------------
 */

static void text_make(struct screen *s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT((size_t)WHOLE);
	const struct mail_item *item =
		s->box != NULL ? mailbox_item(s->box, s->reading->uid) : NULL;

	if (s->reading->raw) {
		text_set(&s->reading->text, buf_span(&s->reading->letter.raw));
		return;
	}
	if (s->sent && item != NULL) {
		buf_add_str(&b, "Receipts: ");
		mailui_receipt_line(s->receipts, s->receipt_count, item->msgid, &b);
		buf_add_str(&b, "\n");
	}
	mailui_letter_text(&s->reading->letter, NULL, &b);
	text_set(&s->reading->text, buf_span(&b));
}

static void title_make(const struct screen *s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(TITLE_SIZE - 1), loud = BUF_INIT(480);
	bool bad;

	buf_addf(&b, "%.200s %u: %.250s", s->name, (unsigned)s->reading->uid,
		s->reading->letter.view.subject);
	(void)snprintf(s->reading->title, sizeof s->reading->title, "%s", buf_str(&b));
	safe_end(s->reading->title);
	mailui_verdict(&s->reading->letter.verdict, &loud, &bad);
	s->reading->loud[0] = '\0';
	if (bad)
		(void)snprintf(
			s->reading->loud, sizeof s->reading->loud, "*** %s ***", buf_str(&loud));
	safe_end(s->reading->loud);
}

/* The message at the cursor. */
static bool open_here(struct screen *s)
{
	const struct mail_item *item = screen_item(s);
	struct screen_hush hush;
	char why[400];
	int r;

	reading_close(s->reading);
	s->reading->uid = item != NULL ? item->uid : 0;
	if (s->reading->uid == 0)
		return false;
	hush_begin(&hush);
	r = mailui_open(s->u, s->box, s->reading->uid, &s->reading->letter);
	hush_end(&hush, why, sizeof why);
	if (r != CLIENT_OK) {
		screen_say(s, "%s", why);
		return false;
	}
	title_make(s);
	text_make(s);
	s->reading->open = true;
	return screen_worked(
		s, mailbox_flag(s->box, &s->reading->uid, 1, IMAP_FLAG_SEEN, true), "mark as read");
}

static void draw(struct screen *s)
{
	draw_text(s, s->reading->title, s->reading->loud[0] != '\0' ? s->reading->loud : NULL,
		&s->reading->text);
	draw_status(s, "space page  r reply  g all  f forward  a files  d delete  q list  ? help");
	term_flush(&s->term);
}

/* Asked for once, by the reader's own setting. */
static void receipt_offer(struct screen *s)
{
	struct screen_hush hush;
	_cleanup_(buf_done) struct buf question = BUF_INIT(1024);
	char why[400];
	uint32_t key;
	int r;

	if (s->box == NULL || strcmp(s->settings.receipts, "ask") != 0 ||
		!mailui_receipt_is_due(s->u, s->box, s->reading->uid, &s->reading->letter))
		return;
	mailui_receipt_question(s->u, &s->reading->letter, &question);
	buf_add_str(&question, ". Send it? y, n, or later: any other key");
	key = screen_choose(s, buf_str(&question), "yYnN");
	if (key == 0)
		return;
	hush_begin(&hush);
	r = mailui_receipt_give(
		s->u, s->box, s->reading->uid, &s->reading->letter, key == 'y' || key == 'Y');
	hush_end(&hush, why, sizeof why);
	if (r != CLIENT_OK)
		screen_say(s, "%s", why);
	else
		screen_say(
			s, key == 'y' || key == 'Y' ? "the receipt is sent" : "no receipt is sent");
}

uint32_t letter_uid(const struct screen *s)
{
	return s->reading != NULL ? s->reading->uid : 0;
}

const struct mailui_letter *letter_here(struct screen *s, struct mailui_letter *own)
{
	const struct mail_item *item = screen_item(s);
	struct screen_hush hush;
	char why[400];
	int r;

	if (s->reading != NULL && s->reading->open)
		return &s->reading->letter;
	if (item == NULL)
		return NULL;
	hush_begin(&hush);
	r = mailui_open(s->u, s->box, item->uid, own);
	hush_end(&hush, why, sizeof why);
	if (r != CLIENT_OK)
		screen_say(s, "%s", why);
	return r == CLIENT_OK ? own : NULL;
}

/* -- keys ---------------------------------------------------------------------------------------
 */

static size_t page_of(const struct screen *s)
{
	size_t page = draw_page(s);

	return s->reading->loud[0] != '\0' && page > 1 ? page - 1 : page;
}

static void line_up(struct screen *s)
{
	text_move(&s->reading->text, -1, page_of(s));
}

static void line_down(struct screen *s)
{
	text_move(&s->reading->text, 1, page_of(s));
}

static void page_up(struct screen *s)
{
	text_move(&s->reading->text, -(long)page_of(s), page_of(s));
}

static void page_down(struct screen *s)
{
	if (s->reading->text.top + page_of(s) >= s->reading->text.count)
		screen_say(s, "this is the end; n goes to the next message");
	text_move(&s->reading->text, (long)page_of(s), page_of(s));
}

static void first(struct screen *s)
{
	s->reading->text.top = 0;
}

static void last(struct screen *s)
{
	text_move(&s->reading->text, (long)s->reading->text.count, page_of(s));
}

static void back(struct screen *s)
{
	s->reading->back = true;
}

static void step(struct screen *s, bool on)
{
	if (on ? s->at + 1 >= s->row_count : s->at == 0) {
		screen_say(s, on ? "this is the last message" : "this is the first message");
		return;
	}
	s->at = on ? s->at + 1 : s->at - 1;
	s->reading->next = true;
}

static void next(struct screen *s)
{
	step(s, true);
}

static void previous(struct screen *s)
{
	step(s, false);
}

static void unread(struct screen *s)
{
	s->reading->next = list_to_unread(s);
}

static void raw(struct screen *s)
{
	s->reading->raw = !s->reading->raw;
	text_make(s);
}

/* The text as it is shown here, in the person's own pager. */
static void pager(struct screen *s)
{
	const char *program = getenv("PAGER");
	_cleanup_(cleanup_close) int fd = memfd_create("message", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : file_write_all(fd, buf_span(&s->reading->text.text));

	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (program == NULL || program[0] == '\0')
		program = "less";
	term_pause(&s->term);
	if (r == 0)
		r = mailui_run(program, NULL, fd);
	if (term_resume(&s->term) < 0)
		s->leave = true;
	if (r < 0)
		screen_say(s, "%.100s: %s", program,
			r == -ECHILD ? "it did not end well" : err_text(r));
}

static void delete_here(struct screen *s)
{
	list_delete(s);
	s->reading->back = s->box == NULL || mailbox_item(s->box, s->reading->uid) == NULL;
}

static void move_here(struct screen *s)
{
	list_move(s);
	s->reading->back = s->box == NULL || mailbox_item(s->box, s->reading->uid) == NULL;
}

static void mark_unread(struct screen *s)
{
	list_unread(s);
	s->reading->back = true;
}

static void reply(struct screen *s)
{
	write_answer(s, MAIL_REPLY);
}

static void reply_all(struct screen *s)
{
	write_answer(s, MAIL_REPLY_ALL);
}

static void forward(struct screen *s)
{
	write_answer(s, MAIL_FORWARD);
}

/* -- attachments --------------------------------------------------------------------------------
 */

/* Which: all, or one by its number. */
static bool files_choose(struct screen *s, size_t *ret_first, size_t *ret_count)
{
	_cleanup_(buf_done) struct buf answer = BUF_INIT(16);
	size_t count = s->reading->letter.view.file_count, n = 0;
	char question[64];

	*ret_first = 0;
	*ret_count = count;
	if (count == 1)
		return true;
	(void)snprintf(question, sizeof question, "Save which, 1 to %zu, or all? ", count);
	buf_add_str(&answer, "all");
	if (!term_ask(&s->term, question, &answer))
		return false;
	if (span_caseeq_str(buf_span(&answer), "all"))
		return true;
	for (size_t i = 0; i < answer.len; i++) {
		if (answer.p[i] < '0' || answer.p[i] > '9')
			return false;
		n = 10 * n + (size_t)(answer.p[i] - '0');
	}
	*ret_first = n - 1;
	*ret_count = 1;
	return n >= 1 && n <= count;
}

static int files_save(
	struct screen *s, size_t from, size_t count, const char *folder, char ret[MAILUI_NAME_SIZE])
{
	_cleanup_(cleanup_close) int dir_fd = -1;
	int r = mailui_save_folder(folder, &dir_fd);

	for (size_t i = from; r == CLIENT_OK && i < from + count; i++)
		r = mailui_save_attachment(s->u, &s->reading->letter.view, i, dir_fd, ret);
	return r;
}

static void save(struct screen *s)
{
	_cleanup_(buf_done) struct buf folder = BUF_INIT(4096);
	char name[MAILUI_NAME_SIZE] = "", why[400];
	struct screen_hush hush;
	size_t from = 0, count = 0;
	int r;

	if (s->reading->letter.view.file_count == 0) {
		screen_say(s, "nothing is attached");
		return;
	}
	buf_add_str(&folder, ".");
	if (!files_choose(s, &from, &count)) {
		screen_say(s, "nothing was saved");
		return;
	}
	if (!term_ask(&s->term, "Into the folder: ", &folder) || folder.len == 0)
		return;
	hush_begin(&hush);
	r = files_save(s, from, count, buf_str(&folder), name);
	hush_end(&hush, why, sizeof why);
	if (r != CLIENT_OK)
		screen_say(s, "%s", why);
	else if (count == 1)
		screen_say(s, "saved %s", name);
	else
		screen_say(s, "saved %zu files", count);
}

const struct screen_act screen_letter_acts[] = {
	{' ', page_down, "space", "a page on"},
	{KEY_PAGE_DOWN, page_down, NULL, NULL},
	{'-', page_up, "-", "a page back"},
	{KEY_PAGE_UP, page_up, NULL, NULL},
	{KEY_DOWN, line_down, "down, j", "a line on"},
	{'j', line_down, NULL, NULL},
	{KEY_ENTER, line_down, NULL, NULL},
	{KEY_UP, line_up, "up, k", "a line back"},
	{'k', line_up, NULL, NULL},
	{KEY_HOME, first, "Home", "the beginning"},
	{KEY_END, last, "End", "the end"},
	{'n', next, "n", "the next message"},
	{KEY_RIGHT, next, NULL, NULL},
	{'p', previous, "p", "the message before"},
	{KEY_LEFT, previous, NULL, NULL},
	{'u', unread, "u", "the next that is unread"},
	{'r', reply, "r", "reply to the sender"},
	{'g', reply_all, "g", "reply to all"},
	{'f', forward, "f", "pass it on"},
	{'c', write_new, "c", "write a letter"},
	{'a', save, "a", "save what is attached"},
	{'d', delete_here, "d", "delete it"},
	{'m', move_here, "m", "move it to another mailbox"},
	{'F', list_flag, "F", "flag as important, or not"},
	{'U', mark_unread, "U", "mark as unread, back to the list"},
	{'h', raw, "h", "the message as it came, with all of its header; and back"},
	{'v', pager, "v", "see the text in $PAGER"},
	{'R', page_receipts, "R", "what became of what you sent"},
	{'P', page_people, "P", "who is there"},
	{'?', page_help, "?", "help"},
	{'q', back, "q", "back to the list"},
	{KEY_ESCAPE, back, NULL, NULL},
	{0x03, back, NULL, NULL},
	{KEY_NONE, NULL, NULL, NULL},
};

void letter_run(struct screen *s)
{
	struct reading *r = calloc(1, sizeof *r);

	if (r == NULL)
		return;
	s->reading = r;
	r->next = true;
	while (!s->leave && !r->back) {
		if (r->next) {
			if (!open_here(s) && !r->open)
				break;
			draw(s);
			receipt_offer(s);
			continue;
		}
		draw(s);
		(void)screen_act(s, screen_letter_acts, screen_key(s));
	}
	reading_close(r);
	free(r);
	s->reading = NULL;
}
