/*
 * The console's mail from the inside: one IMAP line in one task, which does what is ordered one
 * after the other and waits in IDLE for more. What it shows it finds again by its place's number
 * after each wait: the person may have closed the place.
 *
 *	part_mail.c      the task: line, orders, the mailbox that is selected
 *	mail_places.c    what each place shows; mail_list.c: mailboxes, line by line
 *	mail_news.c      what has come: messages, receipts, notices
 *	mail_read.c      letters that are read, their receipts and attachments
 *	mail_write.c     letters that are written; mail_send.c: on their way
 *	mail_acts.c      flags, moving, deleting, searching
 *	mail_tell.c      receipts, notices, people, the outbox as lists
 *	mail_commands.c  the table of commands, and which messages their words mean
 */
#ifndef CLIENT_CONSOLE_MAIL_I_H
#define CLIENT_CONSOLE_MAIL_I_H

#include "client/console/console.h"
#include "client/mail/draft.h"
#include "client/mail/imapc.h"
#include "client/mail/ui.h"
#include "client/term/words.h"

enum {
	MAIL_LISTED = 200, /* messages of one mailbox, the newest */
	MAIL_OPENED = 50, /* encrypted ones of them that are opened for their subjects at a time */
	MAIL_UIDS_MAX = 4 << 20, /* bytes */
	MAIL_WORDS_MAX = 65536,
	MAIL_LETTERS = 20, /* that were read and stay in the list */
};

struct mail_part;

/* -- what a place shows (mail_places.c)
 * -------------------------------------------------------------- */

/* A letter that is being written. */
struct mail_writing {
	struct draft d; /* its text is what is quoted, until it is sent */
	struct mail_answer answer; /* what d borrows from */
	enum mail_answer_kind kind;
	char box[MAIL_NAME_MAX]; /* of what is answered; "" nothing is */
	uint32_t uid;
	struct buf typed;
	bool busy; /* in the editor, or being sent: it stays as it is */
};

struct mail_place {
	struct mail_place *next;
	unsigned number; /* of the place */
	char box[MAIL_NAME_MAX]; /* PLACE_MAILBOX, PLACE_LETTER: the mailbox */
	uint32_t uid; /* PLACE_LETTER: the message that is read */
	struct mail_writing *writing; /* or this one is written */
	struct buf found; /* PLACE_MAILBOX of a search: UIDs, ascending */
	bool searching;
	/* PLACE_MAILBOX: what the server told when it was listed */
	uint32_t messages, unseen, uid_next;
	bool listed;
};

/* What is known of the place; NULL: it is none of mail's. */
struct mail_place *mail_place_of(struct mail_part *m, const struct place *p);
/* Opens it where it is not there; NULL: told. */
struct mail_place *mail_place_open(
	struct mail_part *m, enum place_kind kind, const char *name, struct place **ret);
/* The mailbox's own place, where it is open; NULL. */
struct mail_place *mail_place_box(struct mail_part *m, const char *box);
/* Makes room for a letter to be read: of many the oldest is closed. */
void mail_letters_close(struct mail_part *m);
/* Forgets those whose places were closed; what was written there is kept in a file. */
void mail_places_sweep(struct mail_part *m);
void mail_places_done(struct mail_part *m);
/* Shows lines of text (with LF) in the place, made harmless; the first of them if they are many. */
void mail_place_text(
	struct mail_part *m, struct place *p, struct span text, enum line_look look, size_t most);
/* "17 Ann <ann@house> ..." clean, as far as it fits. */
void mail_clean(const char *text, char *ret, size_t size);

/* -- the task (part_mail.c)
 * -------------------------------------------------------------------------- */

struct mail_order {
	struct mail_order *next;
	/* 0, or why the line cannot be gone on with: what else went wrong is told. */
	int (*run)(struct mail_part *m, struct mail_order *o);
	bool offline; /* can be done without a line */
	char box[MAIL_NAME_MAX]; /* is selected before; "": none is needed */
	uint32_t uid;
	unsigned place; /* number of the place that it came from */
	uint32_t flag;
	bool on;
	struct words words; /* of the command, or what was made of them */
};

struct mail_part {
	struct console *c;
	struct mailui u; /* with a profile of its own */
	bool loaded; /* that profile */
	unsigned identity; /* of console.identities: it is of then */
	struct mailbox *box; /* selected; NULL none */
	struct mailui_subjects inbox_subjects, subjects; /* of INBOX, of box */
	struct mail_order *first, *last;
	int wake_fd;
	struct mail_place *places;
	struct mail_settings settings;
	uint32_t told_uid; /* of INBOX: those up to here are no news; for servers without notices */
	uint64_t notice_id; /* told up to here */
	unsigned waiting; /* letters in the outbox */
	int64_t send_ms; /* when they are tried next; 0: nothing waits */
	unsigned letters; /* written so far, for their names */
	bool ending;
};

struct mail_part *mail_part(struct console *c);
/* Copies the words. NULL: told. */
struct mail_order *mail_order_new(struct mail_part *m,
	int (*run)(struct mail_part *m, struct mail_order *o), const char *box, struct span words);
void mail_order_add(struct mail_part *m, struct mail_order *o);

/* Selects it, if it is not. 0, or an error: -EREMOTEIO and the like are told. */
int mail_box_need(struct mail_part *m, const char *name);
void mail_box_drop(struct mail_part *m); /* nothing is selected any more */
bool mail_is_inbox(const char *name);
struct mailui_subjects *mail_subjects(struct mail_part *m); /* of the selected one */
/* Tells what failed, if it is the message's or the server's no: then 0; else the line is lost. */
int mail_settled(struct mail_part *m, int r, const char *doing);
void mail_status(struct mail_part *m);
bool mail_leaving(const struct mail_part *m);

/* -- lists
 * ------------------------------------------------------------------------------------------- */

/* Brings the lines of that place up to date with the selected mailbox. 0, or the line's error. */
int mail_list_fill(struct mail_part *m, unsigned number);
/* All mailboxes that have something unread, or are open, with their counts. The same. */
int mail_list_folders(struct mail_part *m);
/* The line of a message, appended. Pure. */
struct mail_list_as {
	bool sent; /* whom it went to, in place of whom it is from */
	const char *domain; /* one's own, which is left out */
};
void mail_list_line(const struct mail_item *item, const char *subject,
	const struct mail_list_as *as, struct buf *out);

/* -- news
 * -------------------------------------------------------------------------------------------- */

/* Tells what is new since the last time. 0, or the line's error. */
int mail_news(struct mail_part *m);
void mail_news_begin(struct mail_part *m); /* after a log-in */

/* -- orders: what mail_commands.c makes of words
 * ----------------------------------------------------- */

int mail_do_folders(struct mail_part *m, struct mail_order *o);
int mail_do_box(struct mail_part *m, struct mail_order *o); /* shows it */
int mail_do_read(struct mail_part *m, struct mail_order *o);
int mail_do_save(struct mail_part *m, struct mail_order *o); /* words: NUMBER or "all", PATH */
int mail_do_receipt(struct mail_part *m, struct mail_order *o); /* on: gives it */
int mail_do_answer(struct mail_part *m, struct mail_order *o); /* flag: the kind; words: TO */
int mail_do_send(struct mail_part *m, struct mail_order *o);
int mail_do_outbox(struct mail_part *m, struct mail_order *o); /* sends what waits */
int mail_do_mark(struct mail_part *m, struct mail_order *o); /* flag, on */
int mail_do_move(struct mail_part *m, struct mail_order *o); /* the last word: where to */
int mail_do_delete(struct mail_part *m, struct mail_order *o);
int mail_do_search(struct mail_part *m, struct mail_order *o);
int mail_do_receipts(struct mail_part *m, struct mail_order *o);
int mail_do_notices(struct mail_part *m, struct mail_order *o);
int mail_do_people(struct mail_part *m, struct mail_order *o);

/* The one message of an order: its uid, or its first word. False: told. */
bool mail_uid_of(struct mail_part *m, struct mail_order *o, uint32_t *ret);
/* All of them, uint32_t appended; count: so many words from the first on. */
bool mail_uids_of(struct mail_part *m, struct mail_order *o, size_t count, struct buf *ret);

/* -- writing, in main()
 * ------------------------------------------------------------------------------ */

struct mail_writing *mail_writing_new(void);
void mail_writing_done(struct mail_writing *w);
/* A place for it, and the person there. Takes w over. False: told. */
bool mail_writing_open(struct mail_part *m, struct mail_writing *w);
void mail_writing_show(struct mail_part *m, struct place *p, const struct mail_writing *w);
/* The one that is written where one looks, and not busy; NULL: told. */
struct mail_writing *mail_writing_here(struct mail_part *m);
/* What is quoted and what is typed below it, as one text. */
void mail_writing_join(struct mail_writing *w);
/* Keeps it in a file that is told (client_fail). */
void mail_writing_rescue(const struct mail_writing *w);

/* mail_commands.c, for keys and others' commands. */
void mail_write_begin(struct console *c, struct span words);
void mail_write_send(struct console *c, struct span words);
void mail_write_cancel(struct console *c, struct span words);
void mail_write_edit(struct console *c, struct span words);
void mail_write_attach(struct console *c, struct span words);
void mail_write_to(struct console *c, struct span words);
void mail_write_cc(struct console *c, struct span words);
void mail_write_bcc(struct console *c, struct span words);
void mail_write_subject(struct console *c, struct span words);
void mail_write_security(struct console *c, struct span words);
void mail_write_receipt(struct console *c, struct span words);

#endif
