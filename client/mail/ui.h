/*
 * The user interface of quintet mail, on the engine of mail.h: a command each for scripts, and the
 * terminal's view.
 *
 *	cmd.c         cmd_mail: the table of commands, their options
 *	ui.c          the line, mailboxes and messages as all of them open them
 *	ui_show.c     lists and messages as people see them
 *	cmd_list.c    list, search, folders, check
 *	cmd_read.c    read, attach, export
 *	cmd_send.c    send, reply, forward; draft.c the letter as the editor has it
 *	cmd_mark.c    mark, move, delete
 *	cmd_more.c    receipts, notices, people, set, outbox
 *	cmd_key.c     key: PKCS#12, certificates of others
 *	subject.c     what encrypted messages are about
 *	find.c        searching, in encrypted messages too
 *	save.c        what is written to files
 *	receipt_show.c  receipts in words, and giving them
 *	run.c         editor and pager
 *	screen*.c     the terminal: screen.h
 */
#ifndef CLIENT_MAIL_UI_H
#define CLIENT_MAIL_UI_H

#include "client/mail/mail.h"
#include "client/table.h"

struct mailui_options {
	const char *user, *password_file; /* the log-in */
	const char *mailbox; /* NULL: INBOX */
	const char *count; /* -n */
	bool unread, all, peek, raw, json_text;
	const char *subject;
	const char *to[CLIENT_VALUES_MAX], *cc[CLIENT_VALUES_MAX], *bcc[CLIENT_VALUES_MAX];
	const char *attach[CLIENT_VALUES_MAX];
	const char *text_file; /* --file: the text, "-" standard input */
	bool receipt, encrypt, sign, plain, edit;
	bool yes, no; /* answers to receipts */
	const char *output; /* -o: folder or file */
	bool on_read, on_unread, on_flag, on_unflag; /* mark */
	bool now; /* delete: not to Trash */
	bool old; /* PKCS#12 for old readers */
	bool retry, remove;
};

struct mailui {
	struct client *client;
	struct profile profile;
	struct mail_login login;
	struct buf password;
	struct imapc *line; /* NULL until needed */
	struct mailui_options o;
};

/* -- ui.c: exit codes, what went wrong is told --------------------------------------------------
 */

/* Profile and password; nothing is connected yet. */
int mailui_begin(struct mailui *u);
void mailui_done(struct mailui *u);
int mailui_line(struct mailui *u);
/* The mailbox of --mailbox or INBOX. */
int mailui_box(struct mailui *u, bool read_only, struct mailbox **ret);
int mailui_failed(const struct mailui *u, int error, const char *doing);

/* UIDs out of words ("12", "3:7", "12,14"), in the mailbox; -m and words both matter. Appended as
 * uint32_t. */
int mailui_uids(struct mailui *u, const struct mailbox *b, const struct client_words *w,
	size_t first, struct buf *ret);

/* A message opened for reading: fetched, decrypted, verified, taken apart. */
struct mailui_letter {
	struct buf raw, readable;
	struct smime_verdict verdict;
	struct mail_view view;
	bool viewed;
};
#define MAILUI_LETTER_INIT                                                 \
	((struct mailui_letter){.raw = BUF_INIT((size_t)MAIL_MESSAGE_MAX), \
		.readable = BUF_INIT((size_t)MAIL_MESSAGE_MAX)})
int mailui_open(struct mailui *u, struct mailbox *b, uint32_t uid, struct mailui_letter *ret);
void mailui_letter_done(struct mailui_letter *l);

/* -- subject.c ----------------------------------------------------------------------------------
 */

/* The subjects inside of encrypted messages of one mailbox, once they were opened. */
struct mailui_subjects {
	struct mailui_subject {
		uint32_t uid;
		char *text;
	} * list; /* ascending */
	size_t count;
};
void mailui_subjects_clear(struct mailui_subjects *s);
/* What the message is about: the item's own word, or what is inside. Valid until known is cleared,
 * or as long as the item. May hear the server, so items have to be looked up again. Never NULL. */
const char *mailui_subject(
	struct mailui *u, struct mailbox *b, uint32_t uid, struct mailui_subjects *known);

/* Where the server knows of a message no better subject than that of encrypted ones: the one
 * inside, by its Message-ID out of that mailbox. Another mailbox of the line is no longer selected
 * then. */
struct mailui_named {
	const char *msgid;
	char *subject;
	size_t size;
};
void mailui_name(struct mailui *u, struct imapc *line, const char *mailbox,
	const struct mailui_named *list, size_t count);
void mailui_name_receipts(
	struct mailui *u, struct imapc *line, struct mail_receipt *list, size_t count);
void mailui_name_notices(
	struct mailui *u, struct imapc *line, struct mail_notice *list, size_t count);

/* -- find.c -------------------------------------------------------------------------------------
 */

/* UIDs of messages that have all these words, ascending (one may be there twice); encrypted ones
 * are looked into here, the newest of them. As mailbox_search(). */
int mailui_find(struct mailui *u, struct mailbox *b, char *const *words, size_t count,
	struct buf *ret_uids);

/* -- save.c -------------------------------------------------------------------------------------
 */

#define MAILUI_NAME_SIZE 300
/* Saves into a folder, never over a file that is there: "name", "name-2" and so on. An exit code,
 * told. */
int mailui_save(int dir_fd, const char *name, struct span bytes, char ret_name[MAILUI_NAME_SIZE]);
int mailui_save_folder(const char *path, int *ret_fd);
/* An attachment of that view. */
int mailui_save_attachment(const struct mailui *u, const struct mail_view *v, size_t index,
	int dir_fd, char ret_name[MAILUI_NAME_SIZE]);

/* -- receipt_show.c -----------------------------------------------------------------------------
 */

/* What became of a letter for one recipient: "read", "delivered" ... */
const char *mailui_receipt_state(const struct mail_receipt *r);
/* Of all recipients of that message: "bob read 21 Nov 10:00, cid delivered"; nothing if nothing is
 * known of it. */
void mailui_receipt_line(
	const struct mail_receipt *list, size_t count, const char *msgid, struct buf *out);
/* In a word or two: "read 1/2". */
void mailui_receipt_short(
	const struct mail_receipt *list, size_t count, const char *msgid, char ret[32]);
/* Puts the answer (yes: the receipt) to a message that asks for it on its way. An exit code, told.
 */
int mailui_receipt_give(
	struct mailui *u, struct mailbox *b, uint32_t uid, const struct mailui_letter *l, bool yes);
/* "Ann <ann@house> asks for a receipt", and where to, when it would go to somebody else. */
void mailui_receipt_question(
	const struct mailui *u, const struct mailui_letter *l, struct buf *out);
bool mailui_receipt_is_due(
	const struct mailui *u, struct mailbox *b, uint32_t uid, const struct mailui_letter *l);

/* -- run.c --------------------------------------------------------------------------------------
 */

/* Runs a program (as a shell takes it: with options) at the terminal and waits for its end, with
 * that file as its argument (NULL: none), and input (-1: the terminal). -ECHILD: it did not end
 * well. */
int mailui_run(const char *program, const char *path, int input_fd);

/* -- ui_show.c ----------------------------------------------------------------------------------
 */

/* "N" unread, "F" flagged, "R" answered, "E" encrypted, "S" signed, "A" attachments. */
void mailui_marks(const struct mail_item *item, char ret[8]);
/* "21 Nov 10:00" of this year, else "2025-11-21"; local time. */
void mailui_when(int64_t at_us, char ret[24]);
void mailui_size(uint64_t bytes, char ret[16]);
/* One message as text: verdict first, header, body, attachments. */
void mailui_letter_text(
	const struct mailui_letter *l, const struct mail_item *item, struct buf *out);
void mailui_letter_json(
	const struct mailui_letter *l, const struct mail_item *item, struct buf *out);
/* The verdict as one line for people; "" when nothing was signed or encrypted. *ret_bad: a warning.
 */
void mailui_verdict(const struct smime_verdict *v, struct buf *out, bool *ret_bad);

/* -- commands ------------------------------------------------------------------------------------
 */

int mailui_list(struct mailui *u, const struct client_words *w);
int mailui_search(struct mailui *u, const struct client_words *w);
int mailui_folders(struct mailui *u, const struct client_words *w);
int mailui_check(struct mailui *u, const struct client_words *w);
int mailui_read(struct mailui *u, const struct client_words *w);
int mailui_attach(struct mailui *u, const struct client_words *w);
int mailui_export(struct mailui *u, const struct client_words *w);
int mailui_send(struct mailui *u, const struct client_words *w);
int mailui_reply(struct mailui *u, const struct client_words *w);
int mailui_forward(struct mailui *u, const struct client_words *w);
int mailui_mark(struct mailui *u, const struct client_words *w);
int mailui_move(struct mailui *u, const struct client_words *w);
int mailui_delete(struct mailui *u, const struct client_words *w);
int mailui_receipts(struct mailui *u, const struct client_words *w);
int mailui_notices(struct mailui *u, const struct client_words *w);
int mailui_people(struct mailui *u, const struct client_words *w);
int mailui_set(struct mailui *u, const struct client_words *w);
int mailui_outbox(struct mailui *u, const struct client_words *w);
int mailui_key(struct mailui *u, const struct client_words *w);

/* screen.c: the view on a terminal. */
int mailui_screen(struct mailui *u);

#endif
