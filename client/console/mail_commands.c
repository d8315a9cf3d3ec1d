/* The commands of mail, and which mailbox and message they mean. See mail_i.h. */
#include "client/console/mail_i.h"

#include "base/num.h"

/* -- where one is ------------------------------------------------------------------------------ */

static const char *box_here(struct mail_part *m)
{
	const struct mail_place *i = mail_place_of(m, m->c->current);

	return i != NULL && i->box[0] != '\0' ? i->box : "INBOX";
}

/* The letter that is read, or the line that keys act on; 0: none. */
static uint32_t uid_here(struct mail_part *m)
{
	const struct place *p = m->c->current;
	const struct mail_place *i = mail_place_of(m, p);

	if (i == NULL || p->kind == PLACE_LETTER)
		return i != NULL ? i->uid : 0;
	for (size_t k = p->count; k > 0; k--)
		if (p->lines[k - 1].id != 0 &&
			(p->selected == 0 || p->lines[k - 1].id == p->selected))
			return p->lines[k - 1].id;
	return 0;
}

static struct mail_order *order(struct console *c,
	int (*run)(struct mail_part *m, struct mail_order *o), bool with_box, struct span words)
{
	struct mail_part *m = mail_part(c);
	struct mail_order *o;

	if (m == NULL) {
		console_error(c, "this server has no mail");
		return NULL;
	}
	o = mail_order_new(m, run, with_box ? box_here(m) : "", words);
	if (o != NULL)
		o->uid = uid_here(m);
	return o;
}

static void give(struct console *c, struct mail_order *o)
{
	if (o != NULL)
		mail_order_add(mail_part(c), o);
}

/* -- mailboxes, reading ------------------------------------------------------------------------ */

static void run_mail(struct console *c, struct span words)
{
	struct mail_order *o;

	if (words.len == 0) {
		give(c, order(c, mail_do_folders, false, words));
		return;
	}
	o = order(c, mail_do_box, false, words);
	if (o == NULL)
		return;
	(void)snprintf(o->box, sizeof o->box, "%.*s", (int)words.len, (const char *)words.p);
	give(c, o);
}

static void run_read(struct console *c, struct span words)
{
	give(c, order(c, mail_do_read, true, words));
}

static void run_save(struct console *c, struct span words)
{
	struct mail_order *o = order(c, mail_do_save, true, words);

	if (o != NULL && o->uid != 0 && c->current->kind != PLACE_LETTER)
		console_say(c, "of message %u:", (unsigned)o->uid);
	give(c, o);
}

void mail_open_line(struct console *c, struct place *p, uint32_t id)
{
	struct mail_part *m = mail_part(c);
	const struct mail_place *i = m != NULL ? mail_place_of(m, p) : NULL;
	struct mail_order *o =
		i != NULL ? mail_order_new(m, mail_do_read, i->box, span_of("", 0)) : NULL;

	if (o == NULL)
		return;
	o->uid = id;
	mail_order_add(m, o);
}

/* -- answers ----------------------------------------------------------------------------------- */

/* A number in front is the message's; the rest is who it goes to. */
static void answer(struct console *c, struct span words, enum mail_answer_kind kind)
{
	struct span rest = words, first = {NULL, 0};
	struct mail_order *o;
	uint64_t uid = 0;

	if (span_split(&rest, ' ', &first) && num_parse_u64(first, 1, UINT32_MAX - 1, &uid) == 0)
		words = span_trim(rest);
	o = order(c, mail_do_answer, true, words);
	if (o == NULL)
		return;
	if (uid != 0)
		o->uid = (uint32_t)uid;
	o->flag = (uint32_t)kind;
	give(c, o);
}

static void run_reply(struct console *c, struct span words)
{
	answer(c, words, MAIL_REPLY);
}

static void run_reply_all(struct console *c, struct span words)
{
	answer(c, words, MAIL_REPLY_ALL);
}

static void run_forward(struct console *c, struct span words)
{
	answer(c, words, MAIL_FORWARD);
}

/* -- marks and the like ------------------------------------------------------------------------ */

static void mark(struct console *c, struct span words, uint32_t flag, bool on)
{
	struct mail_order *o = order(c, mail_do_mark, true, words);

	if (o == NULL)
		return;
	o->flag = flag;
	o->on = on;
	give(c, o);
}

static void run_flag(struct console *c, struct span words)
{
	mark(c, words, IMAP_FLAG_FLAGGED, true);
}

static void run_unflag(struct console *c, struct span words)
{
	mark(c, words, IMAP_FLAG_FLAGGED, false);
}

static void run_unread(struct console *c, struct span words)
{
	mark(c, words, IMAP_FLAG_SEEN, false);
}

static void run_delete(struct console *c, struct span words)
{
	give(c, order(c, mail_do_delete, true, words));
}

static void run_move(struct console *c, struct span words)
{
	give(c, order(c, mail_do_move, true, words));
}

static void run_search(struct console *c, struct span words)
{
	give(c, order(c, mail_do_search, true, words));
}

static void run_receipts(struct console *c, struct span words)
{
	give(c, order(c, mail_do_receipts, false, words));
}

static void run_notices(struct console *c, struct span words)
{
	give(c, order(c, mail_do_notices, false, words));
}

static void run_people(struct console *c, struct span words)
{
	give(c, order(c, mail_do_people, false, words));
}

static void run_outbox(struct console *c, struct span words)
{
	struct mail_order *o = order(c, mail_do_outbox, false, words);

	if (o != NULL)
		o->offline = true;
	give(c, o);
}

enum { LETTER = 1 << PLACE_LETTER, MAILS = LETTER | 1 << PLACE_MAILBOX };

const struct console_command console_mail_commands[] = {
	{"mail", run_mail, "[MAILBOX]", "list the mailboxes, or go to one", PART_MAIL, false, 0},
	{"read", run_read, "[NUMBER]", "read a message", PART_MAIL, false, 0},
	{"reply", run_reply, "[NUMBER]", "answer its sender", PART_MAIL, false, 0},
	{"reply-all", run_reply_all, "[NUMBER]", "answer all", PART_MAIL, false, 0},
	{"forward", run_forward, "[NUMBER] TO", "pass it on", PART_MAIL, false, 0},
	{"write", mail_write_begin, "TO[,TO] [SUBJECT]", "write a letter", PARTS, true, 0},
	{"send", mail_write_send, "", "send the letter that is written here", PARTS, false, LETTER},
	{"cancel", mail_write_cancel, "", "throw the letter away", PARTS, false, LETTER},
	{"edit", mail_write_edit, "", "write it in your editor", PARTS, false, 0},
	{"attach", mail_write_attach, "FILE ...", "attach files to the letter", PARTS, true, 0},
	{"to", mail_write_to, "PEOPLE", "whom the letter goes to", PARTS, true, 0},
	{"cc", mail_write_cc, "PEOPLE", "who gets a copy", PARTS, false, 0},
	{"bcc", mail_write_bcc, "PEOPLE", "who gets one without being named", PARTS, false, 0},
	{"subject", mail_write_subject, "TEXT", "what the letter is about", PARTS, false, 0},
	{"security", mail_write_security, "auto|encrypt|sign|plain", "how the letter goes", PARTS,
		true, 0},
	{"receipt", mail_write_receipt, "", "ask for a receipt, or not", PARTS, false, 0},
	{"save", run_save, "[NUMBER|all [PATH]]", "save what is attached", PART_MAIL, false, 0},
	{"delete", run_delete, "[NUMBER ...]", "to Trash; from there for good", PART_MAIL, false,
		0},
	{"flag", run_flag, "[NUMBER ...]", "mark as important", PART_MAIL, false, 0},
	{"unflag", run_unflag, "[NUMBER ...]", "not important", PART_MAIL, false, 0},
	{"unread", run_unread, "[NUMBER ...]", "mark as not read", PART_MAIL, false, MAILS},
	{"move", run_move, "[NUMBER ...] MAILBOX", "move to another mailbox", PART_MAIL, true, 0},
	{"search", run_search, "WORD ...", "messages with all these words", PART_MAIL, true, 0},
	{"receipts", run_receipts, "", "what became of what you sent", PART_MAIL, false, 0},
	{"notices", run_notices, "", "new mail and receipts, told again", PART_MAIL, false, 0},
	{"people", run_people, "", "who is there", PART_MAIL, false, 0},
	{"outbox", run_outbox, "[retry|remove NAME]", "what waits to be sent; try now", PARTS,
		false, 0},
	{.name = NULL},
};
