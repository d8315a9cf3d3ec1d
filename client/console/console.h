/*
 * quintet without a subcommand: all five services at once, in one process and one poll loop. Each
 * part is a task (client/task.h) around the engine that its subcommand uses, keeps what it knows
 * here, and is shown and retried by itself when its service is down. Two faces show it: a screen
 * (ncursesw), and lines for those who cannot or do not want to look at one (--plain); neither knows
 * the services, and no part knows the face.
 *
 *	console.c        begin, the loop, the end
 *	command.c        what a line means; complete.c: what TAB makes of a word
 *	house.c          the client's own /commands; ask.c: questions to the person
 *	part.c           a part's life: tried, up, down, tried again
 *	part_chat.c      the talk of client/chat with its calls (client/peer)
 *	part_mail.c      mailboxes, what is new, receipts; mail_read.c, mail_write.c: letters
 *	part_files.c     transfers beside everything else
 *	part_time.c      offset of this machine's clock
 *	part_identity.c  the certificate: its life, renewal at two thirds of it
 *	log.c            lines of each place, bounded; place.c: the list of places
 *	transfer.c       the list of transfers; status.c: the status line
 *	face_screen*.c   the screen; face_plain.c: lines
 */
#ifndef CLIENT_CONSOLE_CONSOLE_H
#define CLIENT_CONSOLE_CONSOLE_H

#include "client/chat/talk.h"
#include "client/ftp/ftp.h"
#include "client/mail/mail.h"
#include "client/task.h"

enum {
	CONSOLE_PLACES_MAX = 300,
	CONSOLE_LINES_MAX = 2000, /* of one place */
	CONSOLE_TRANSFERS_MAX = 64, /* remembered, ended ones included */
	CONSOLE_TEXT_MAX = 1024,
};

struct console;
struct questions;

/* -- places: what the list on the left names, and the middle shows
 * ------------------------------- */

enum place_kind {
	PLACE_HOUSE, /* the client's own words: what services are up, what a command answered */
	PLACE_CHANNEL,
	PLACE_PERSON,
	PLACE_CALL,
	PLACE_MAILBOX, /* its messages, one a line */
	PLACE_LETTER, /* one that is read */
	PLACE_FILES, /* a listing of a folder of the server */
};

enum line_look {
	LINE_PLAIN,
	LINE_OWN, /* said by oneself */
	LINE_QUIET, /* joins and the like, what was there before */
	LINE_LOUD, /* names one, or asks something */
	LINE_ERROR,
	LINE_HEAD, /* of a table or a letter */
};

/* Text is clean UTF-8 without control characters. What looks tell is told by words or marks, too.
 */
struct place_line {
	int64_t at_us; /* 0: none is shown */
	enum line_look look;
	const char *who; /* "ann", "*"; "" none */
	const char *text;
	uint32_t id; /* PLACE_MAILBOX: the UID, which is in the text, too; else 0 */
};

struct place {
	enum place_kind kind;
	unsigned number; /* for /go; stays */
	char name[256]; /* "#lobby", "bob", "INBOX", "house" */
	char title[CONSOLE_TEXT_MAX]; /* topic, or what it is */
	unsigned unread;
	bool called; /* something in it is LINE_LOUD and unread */
	bool gone; /* a channel that one is not in now; a call that has ended */
	struct place_line *lines; /* oldest first; owned by log.c */
	size_t count, room;
	uint64_t added; /* lines that place_add() has put there, ever */
	unsigned revision; /* grows with every change */
	uint32_t selected; /* PLACE_MAILBOX: the id of the line that keys act on; 0 the last */
};

/* place.c. Opened where it is not there yet; NULL: too many. */
struct place *place_open(struct console *c, enum place_kind kind, const char *name);
struct place *place_find(struct console *c, const char *name); /* NULL */
struct place *place_number(struct console *c, unsigned number); /* NULL */
void place_close(struct console *c, struct place *p); /* not the house */
/* log.c. Copies; the oldest line makes room. Counts as unread where look says so and nobody looks.
 */
void place_add(struct console *c, struct place *p, const struct place_line *l);
void place_clear(struct place *p); /* of lines */
/* A list that is kept up to date (PLACE_MAILBOX): puts a line where its id belongs, ascending, or
 * in the place of the one with that id; and takes it out. Nothing counts as unread and line_added()
 * is not told: what unread and called are is the caller's to set, and place_show() leaves them. */
void place_put(struct console *c, struct place *p, const struct place_line *l);
void place_take(struct console *c, struct place *p, uint32_t id);
/* Lines in front of the first, as they stand (oldest first); the face is told by older_added(). */
void place_add_older(struct console *c, struct place *p, const struct place_line *l, size_t count);
/* Another text for the newest line of that time and who. False: it is not there. */
bool place_reword(
	struct console *c, struct place *p, int64_t at_us, const char *who, const char *text);
/* Another name: sorted in anew. */
void place_rename(struct console *c, struct place *p, const char *name);
/* Looks at it: unread is 0 from here on. */
void place_show(struct console *c, struct place *p);

/* -- parts
 * --------------------------------------------------------------------------------------- */

enum part_id { PART_CHAT, PART_MAIL, PART_FILES, PART_TIME, PART_IDENTITY, PARTS };
enum part_state {
	PART_WAITING, /* until retry_ms */
	PART_TRYING,
	PART_UP,
	PART_ABSENT, /* the server has no such door */
};

struct part {
	enum part_state state;
	char text[160]; /* what the status line says when there is room: "bob, 3 unread" */
	char why[256]; /* why it is not up; "" */
	char told[256]; /* the why that the person has read */
	int64_t retry_ms; /* time_monotonic_ms()'s clock */
	unsigned losses; /* in a row */
	struct task *task; /* poked by /retry, and when the console leaves */
	void (*poked)(struct console *c); /* told of it besides; NULL */
	/* What a command asked for and is not done yet, transfers aside: at the end of its input,
	 * and before each line of a script, the plain face waits for that. */
	unsigned busy;
};

/* part.c: the states, told in the house when they change; back-off with a random part. */
void part_trying(struct console *c, enum part_id id);
void part_absent(struct console *c, enum part_id id); /* the server has no such door */
void part_up(struct console *c, enum part_id id);
void part_lost(struct console *c, enum part_id id, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
const char *part_name(enum part_id id); /* "chat", "mail", "files", "time", "certificate" */
/*
 * In the part's task, after part_lost(): until its time has come or somebody says /retry. 0, or
 * -ECANCELED. What engines tell by client_fail() in a task whose name begins with part_name() of a
 * part that is not up goes into its why, else into the house: so part_lost(c, id, "%s",
 * c->parts[id].why) after an engine failed.
 */
int part_wait(struct console *c, enum part_id id);
void part_retry(struct console *c, enum part_id id); /* now */
/* Takes what an engine told in the running task; false: it is no part's that is not up. */
bool part_told(struct console *c, const char *text);

/* Starts the part's task(s); they run until the console leaves. -ENOMEM. */
int part_chat_begin(struct console *c);
int part_mail_begin(struct console *c);
int part_files_begin(struct console *c);
int part_time_begin(struct console *c);
int part_identity_begin(struct console *c);
/* After all tasks are over (or never began): what the part holds is given back. */
void part_chat_end(struct console *c);
void part_mail_end(struct console *c);
void part_files_end(struct console *c);

/* -- transfers
 * ----------------------------------------------------------------------------------- */

struct transfer {
	unsigned number; /* for /cancel */
	bool up; /* to the server, or to a peer */
	char peer[64]; /* of a call; "" the server */
	char name[256]; /* clean */
	uint64_t at, size; /* size 0: not known */
	uint64_t rate; /* bytes a second */
	enum { TRANSFER_WAITS, TRANSFER_RUNS, TRANSFER_DONE, TRANSFER_FAILED } state;
	char why[256]; /* failed: why; done: "verified" or "" */
};

/* transfer.c. A new one at the end, TRANSFER_WAITS, with a number of its own; an old one that is
 * over makes room. NULL: all of them are under way. Pointers are good until the next new one. */
struct transfer *transfer_new(struct console *c, bool up, const char *name);
struct transfer *transfer_find(struct console *c, unsigned number); /* NULL */
/* Those that wait or run, of files of the server: whoever leaves is asked about them. */
size_t transfers_busy(const struct console *c);

/* -- the whole
 * ----------------------------------------------------------------------------------- */

struct clock_view {
	bool known;
	int64_t offset_us, bound_us; /* this machine's clock against the server's */
	int64_t at_us; /* when it was measured */
};
struct certificate_view {
	bool known;
	int64_t from_us, until_us;
	bool renewing;
	char why[256]; /* the last renewal failed: why; "" */
};

struct console_face {
	int (*begin)(struct console *c); /* an exit code, told */
	void (*end)(struct console *c);
	/* Descriptors of its own for the loop, at most CONSOLE_FACE_FDS; and what came of them. */
	size_t (*poll)(struct console *c, struct pollfd *fds);
	void (*ready)(struct console *c, const struct pollfd *fds, size_t count);
	/* Something has changed since the last round: draw. line_added is told besides, for each
	 * line, in order. */
	void (*draw)(struct console *c);
	void (*line_added)(struct console *c, const struct place *p, const struct place_line *l);
	/* So many lines came in front of the first. NULL: nothing to be done. */
	void (*older_added)(struct console *c, const struct place *p, size_t count);
	/* SIGINT came. False, or NULL: it ends the console. */
	bool (*interrupt)(struct console *c);
	/* Lets another program (an editor, a pager) have the terminal, and takes it back. */
	void (*pause)(struct console *c);
	void (*resume)(struct console *c);
	/* Shows all commands. NULL: they are told as lines. */
	void (*help)(struct console *c);
};
enum { CONSOLE_FACE_FDS = 4 };
extern const struct console_face console_screen, console_plain;

struct console {
	/* Its signal_fd is readable once the console leaves: waits of engines end, in order. */
	struct client *client;
	struct profile profile;
	const struct console_face *face;
	void *face_state;

	struct place *places[CONSOLE_PLACES_MAX]; /* [0] is the house; grouped by kind, by name */
	size_t place_count;
	unsigned place_numbers;
	struct place *current; /* never NULL */
	unsigned shows; /* how often place_show() was called */

	struct part parts[PARTS];
	void *part_state[PARTS]; /* each part's own */
	unsigned identities; /* grows when profile has another key or certificate */
	unsigned errands; /* commands that run in tasks of their own */
	const char *command; /* the name of the one that runs */
	struct transfer transfers[CONSOLE_TRANSFERS_MAX]; /* newest last */
	size_t transfer_count;
	unsigned transfer_numbers;
	struct clock_view clock;
	struct certificate_view certificate;
	struct questions *questions; /* ask.c's */
	char question[CONSOLE_TEXT_MAX]; /* one that waits for yes or no; "" none */
	/* The client's words said last, lines with LF between them, for where they are not among
	 * the lines (a mailbox). */
	char said[CONSOLE_TEXT_MAX];
	int64_t said_ms; /* time_monotonic_ms()'s clock */

	bool changed; /* draw in this round */
	int64_t drawn_ms;
	bool scripted; /* no person: an error makes the exit code CLIENT_NO */
	bool leaving;
	int code; /* to leave with */
};

/* Lines of the client's own words: in the house, and where one looks. */
void console_say(struct console *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void console_error(struct console *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void console_changed(struct console *c);
/* Asks for yes or no; several questions wait for their turn. fn is called once: with what the
 * person said, or with answer -1 when the console leaves without one. It does not wait (it may run
 * in main()). -ENOSPC, -ENOMEM: it is not asked, fn is not called. */
int console_ask(struct console *c, void (*fn)(struct console *c, int answer, void *arg), void *arg,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Answers the question that waits. False: none does. */
bool console_answer(struct console *c, bool yes);

/* What was typed: a command or something to be said, to whom one looks at. */
void console_line(struct console *c, struct span line);
/* Completes the word at the cursor. False: nothing. What comes in is the line up to the cursor. */
bool console_complete(
	struct console *c, struct span before, struct buf *ret_added, struct buf *ret_candidates);
/* The status line: of all parts, clock and certificate, in at most width columns. */
void console_status(const struct console *c, struct buf *b, size_t width);
/* "17 mails unread ..." One line per transfer that runs, in at most width columns. */
void console_transfer_line(const struct transfer *t, struct buf *b, size_t width);
void console_leave(struct console *c, int code);

/* Commands: a table per part, all of them in command.c's list. words are trimmed. */
struct console_command {
	const char *name; /* "join"; NULL ends a table */
	void (*run)(struct console *c, struct span words);
	const char *usage, *help;
	enum part_id part; /* that must be up; PARTS: none */
	bool needs_words;
	/* Kinds of places, 1 << enum place_kind, in which the name means this; 0: everywhere. Where
	 * one looks decides first: /send in a letter, in a call, /get in a call and elsewhere. */
	unsigned kinds;
};
extern const struct console_command console_mail_commands[], console_file_commands[],
	console_house_commands[];
/* The chat's are those of `quintet chat`, made of its table once. */
const struct console_command *console_chat_commands(void);
/* All tables, with the title of each; a NULL title ends them. */
struct console_table {
	const char *title;
	const struct console_command *rows;
};
const struct console_table *console_tables(void);

/* What a plain line means in such a place (not of the chat's: it is told what can be done). */
void chat_say(struct console *c, struct place *p, struct span text);
bool chat_busy(const struct console *c); /* something said is not known to have arrived */
void chat_close(struct console *c, struct place *p); /* the command: leaves a channel */
bool chat_answer(struct console *c, bool yes); /* false: there was no question */
const char *chat_question(const struct console *c); /* "" none */
/* It is looked at, or not: commands of the chat mean this window. */
void chat_shown(struct console *c, struct place *p);
/* Older lines in front of the place's first; they come when they come. */
void chat_older(struct console *c, struct place *p);
/* The person has seen all of the place. */
void chat_seen(struct console *c, struct place *p);
/* Keys on a message of a mailbox: opens it, answers, ... by name, as the commands do. */
void mail_open_line(struct console *c, struct place *p, uint32_t id);
/* A plain line, an empty one too, in a PLACE_LETTER: text of the letter that is being written
 * there. False: none is. */
bool mail_typed(struct console *c, struct place *p, struct span text);

/* A PLACE_LETTER is to be closed by the person. False: not now (a question was asked, or told why);
 * whoever said so closes it later. */
bool mail_closing(struct console *c, struct place *p);

/* Names on the server that are known (listed before) and begin so: each is told whole, as it would
 * be typed, folders with a slash behind. */
void file_names(const struct console *c, struct span begin,
	void (*found)(void *arg, struct span name), void *arg);

/* ask.c: of console_ask(). */
void questions_refresh(struct console *c);
void questions_end(struct console *c);

/* quintet without a subcommand. An exit code. */
int cmd_console(struct client *c);

#endif
