/*
 * The console's files from the inside. Two tasks, each with a pool of its own, since a pool is
 * waited for by one: the first does what commands ask (lists, folders, what a pattern means), one
 * after the other; the second moves files, several at once, and is there while there are any.
 *
 *	part_files.c      the first: line, orders
 *	files_acts.c      the orders: what commands do, on those of client/ftp
 *	files_show.c      listings as places, names for completion
 *	files_moves.c     the second: the queue, the pool, progress
 *	files_commands.c  the table of commands
 */
#ifndef CLIENT_CONSOLE_FILES_I_H
#define CLIENT_CONSOLE_FILES_I_H

#include "client/console/console.h"
#include "client/ftp/ui.h"

enum {
	FILES_SESSIONS = 3, /* transfers at once */
	FILES_AHEAD = 2, /* so many times that are given to the pool at a time */
	FILES_LISTED = 16, /* waiting ones that stand in the list of transfers */
	FILES_FOLDERS = 16, /* listings that are remembered for completion */
	FILES_PAUSE_MS = 30000, /* a session that nobody needs is kept that long */
};

struct files_part;

struct files_order {
	struct files_order *next;
	int (*run)(struct files_part *f, const struct client_words *w); /* an exit code, told */
	bool quiet; /* nobody asked for it */
	struct words words;
};

/* A folder here that items are below, open as long as there are any. */
struct files_root {
	int fd;
	size_t uses;
};

struct files_item {
	struct files_item *next;
	enum ftp_task_kind kind; /* FTP_GET, FTP_PUT */
	char *remote, *local; /* local is below root */
	struct files_root *root; /* NULL: local is as it is */
	uint64_t size;
	unsigned number; /* in the list of transfers; 0: not in it yet */
	struct ftp_task *task; /* the pool's, while it has it */
	int folder_fd; /* while under way */
	struct progress_meter meter;
	bool dropped; /* the person has said /cancel */
};

struct files_moves {
	struct files_part *f;
	struct task *task; /* NULL: nothing is to be moved */
	struct files_item *first, *last; /* not begun */
	struct files_item *running[FILES_SESSIONS * FILES_AHEAD];
	size_t waiting;
	struct profile profile;
	struct ftp_pool *pool;
	int wake_fd;
};

struct files_listing { /* of a folder there */
	char folder[FTP_PATH_SIZE];
	struct walk entries;
};

struct files_part {
	struct console *c;
	struct ui ui;
	struct profile profile; /* its own */
	bool loaded;
	bool began; /* cwd is known */
	bool ending;
	struct files_order *first, *last;
	int wake_fd;
	struct files_moves moves;
	struct files_listing known[FILES_FOLDERS];
	size_t known_next;
};

struct files_part *files_part(struct console *c);
/* Copies the words, and wakes the task. */
void files_order(struct files_part *f,
	int (*run)(struct files_part *f, const struct client_words *w), struct span words,
	bool quiet);
/* A profile read anew into *p: the certificate may be another one. */
int files_profile(const struct files_part *f, struct profile *p, bool loaded);

/* -- orders (files_acts.c) */
int files_do_ls(struct files_part *f, const struct client_words *w);
int files_do_cd(struct files_part *f, const struct client_words *w);
int files_do_get(struct files_part *f, const struct client_words *w);
int files_do_put(struct files_part *f, const struct client_words *w);
int files_do_mkdir(struct files_part *f, const struct client_words *w);
int files_do_rm(struct files_part *f, const struct client_words *w);
int files_do_mv(struct files_part *f, const struct client_words *w);
int files_do_digest(struct files_part *f, const struct client_words *w);
int files_do_df(struct files_part *f, const struct client_words *w);
int files_do_names(
	struct files_part *f, const struct client_words *w); /* of the folder, silently */

/* -- files_show.c */
/* Takes the entries over, but for those of a folder of very many. */
void files_remember(struct files_part *f, const char *folder, struct walk *entries);
void files_forget(struct files_part *f);
/* A place with these, one a line; and the person there. */
void files_show(struct files_part *f, const char *folder, const struct walk *w);
/* The same where such a place is open; it stays as it is, but for its lines. */
void files_refresh(struct files_part *f, const char *folder, const struct walk *w);
void files_line(const struct walk_entry *e, struct buf *out);

/* -- moving (files_moves.c) */
int files_take(void *taker, const struct batch *b); /* struct ui's take */
/* False: there is no such transfer of files under way. */
bool files_drop(struct files_part *f, unsigned number);
size_t files_drop_all(struct files_part *f);
void files_wake(int fd);
void files_drain(int fd);
void files_status(struct files_part *f);
void files_moves_end(struct files_part *f); /* once all tasks are over */

#endif
