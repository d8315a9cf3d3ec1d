/*
 * The user interface of quintet ftp, on the pool of ftp.h. Pure parts first (tested apart), then
 * what acts. Terminal, words and the line editor are those of client/term.
 *
 *	glob.c      patterns against names
 *	progress.c  the bar: rates and how a line of it looks
 *	plan.c      what a sync has to do
 *	complete.c  completion by TAB
 *	cmd.c       cmd_ftp, the commands and their options
 *	shell.c     the interactive session, and scripts on standard input
 *	local.c     folders and files on this side, never outside of where they belong
 *	walk.c      trees on both sides, globs on the server's
 *	batch.c     many transfers at once, told as they end
 *	copy.c ls.c acts.c sync.c  the commands
 */
#ifndef CLIENT_FTP_UI_H
#define CLIENT_FTP_UI_H

#include "client/ftp/ftp.h"
#include "client/term/line.h"
#include "client/term/tty.h"
#include "client/term/width.h"
#include "client/term/words.h"

/* -- glob.c -------------------------------------------------------------------------------------
 */

/* One component against a pattern with *, ?, [a-z], [!a-z] and backslashes, by characters. A dot in
 * front is matched by a dot only. Time is at most the product of the lengths. */
bool glob_match(const char *pattern, struct span name);

/* -- progress.c ---------------------------------------------------------------------------------
 */

#define PROGRESS_SAMPLES 32

/* The rate over the last few seconds. */
struct progress_meter {
	int64_t at_ms[PROGRESS_SAMPLES];
	uint64_t bytes[PROGRESS_SAMPLES];
	size_t count, next;
};
void progress_sample(struct progress_meter *m, int64_t now_ms, uint64_t bytes);
uint64_t progress_rate(const struct progress_meter *m); /* bytes a second */

struct progress_view {
	const char *name; /* escaped already */
	size_t others; /* under way beside it */
	uint64_t at, size; /* bytes of all */
	bool known; /* is size all there is? */
	uint64_t rate;
};
/* One line of at most width columns, without its end. */
void progress_line(struct buf *b, const struct progress_view *v, size_t width);
/* "12.3 MiB", "512 B" */
void progress_bytes(struct buf *b, uint64_t bytes);

/* -- walk.c: trees ------------------------------------------------------------------------------
 */

struct walk_entry {
	char *path; /* relative to where the walk began, or absolute where said so */
	bool folder;
	uint64_t size;
	int64_t modify_us;
	char owner[33];
	bool has_digest;
	unsigned char digest[32];
};

struct walk {
	struct walk_entry *v;
	size_t count, cap;
	int code; /* exit code of the first thing that was told and left out */
};
void walk_done(struct walk *w);
/* Takes e->path over, which may be NULL from a failed allocation: -ENOMEM. */
int walk_add(struct walk *w, const struct walk_entry *e);
/* By path, a folder before what is in it and all of that before the next name. */
void walk_sort(struct walk *w);
int walk_compare(const char *a, const char *b);

/* May a name from the other side become a file's name here? One component, not "." nor "..". */
bool walk_name_is_good(struct span name);

/* The entries of an MLSD listing; each path is folder ("" none), '/' and the name. Names that are
 * not good are counted in *ret_bad and left out. -EPROTO, -ENOMEM. */
int walk_parse(struct span text, const char *folder, struct walk *ret, size_t *ret_bad);

struct ui;

/* The entries of the remote folder, with all below when deep. An exit code, told. */
int walk_remote(struct ui *u, const char *folder, bool deep, struct walk *ret);
/* The same without a word when it is not there: for completion and patterns. */
int walk_quiet(struct ui *u, const char *folder, struct walk *ret);
/* All below an open local folder; links and what is neither file nor folder are told and left out
 * (ret->code). */
int walk_local(struct ui *u, int dir_fd, struct walk *ret);

/*
 * What a word means on the server: itself, or all that match it (absolute paths). An exit code,
 * told, also when nothing matches. missing_ok: a plain word need not be there (folder false then).
 */
int walk_expand(struct ui *u, const char *word, struct walk *ret);
/* MLST: 1 there, 0 not there, negative errno. *ret->path is not set. */
int walk_stat(struct ui *u, const char *path, struct walk_entry *ret);

/* -- plan.c -------------------------------------------------------------------------------------
 */

enum plan_act {
	PLAN_SAME,
	PLAN_FOLDER, /* make it */
	PLAN_NEW, /* copy: not there yet */
	PLAN_DIFFERS, /* copy: other size or digest */
	PLAN_DIGEST, /* same size: digests decide; *_digest says whose is missing */
	PLAN_DELETE, /* not at the source */
	PLAN_CLASH, /* a file here, a folder there */
};
struct plan_step {
	enum plan_act act;
	const struct walk_entry *from, *to; /* NULL: not there */
};
struct plan {
	struct plan_step *v;
	size_t count;
};
/* Both sorted. Deletions are planned only when wanted; a clash then becomes one, and a copy. */
int plan_make(const struct walk *from, const struct walk *to, bool delete, struct plan *ret);
/* Once both digests of a PLAN_DIGEST step are known. */
void plan_settle(struct plan_step *s);
void plan_done(struct plan *p);

/* -- the session --------------------------------------------------------------------------------
 */

#define UI_NAME_MAX 16384U /* a path, escaped */

struct ui_options {
	bool recursive, is_long, fresh, parents, delete, dry_run, no_overwrite, quiet;
	const char *user, *password_file, *parallel;
};

struct batch;

struct ui {
	struct client *client;
	struct profile *profile;
	struct ftp_pool *pool;
	unsigned parallel;
	bool shell; /* words came through words_split() */
	bool leave; /* quit was said */
	bool bar; /* standard error is a terminal and nobody said --quiet */
	struct ui_options o;
	char cwd[FTP_PATH_SIZE];
	/* Takes what is to be got and put over, in place of batch_run(): an exit code. NULL:
	 * nobody. */
	int (*take)(void *taker, const struct batch *b);
	void *taker;
};

enum ui_arguments { UI_NOTHING, UI_REMOTE, UI_LOCAL, UI_LOCAL_FIRST };

struct ui_command {
	struct client_command base; /* name, usage, help; run is not used */
	int (*run)(struct ui *u, const struct client_words *w);
	size_t min_words, max_words;
	unsigned options; /* enum ui_option */
	enum ui_arguments arguments; /* for completion */
	bool shell_only;
};
extern const struct ui_command ui_commands[]; /* ended by a NULL name */
/* By name or one of the old words (LIST, STOR, GET, DELETE, CLOSE), in any case. NULL none. */
const struct ui_command *ui_command_find(const char *name);

/* Runs one command of words (argv[0] its name); an exit code. */
int ui_run(struct ui *u, int argc, char **argv);

/* cmd_ftp's session without a command: a person at a terminal, or a script. An exit code. */
int shell_run(struct ui *u);

/* Runs t (which comes back) without telling anything: 0, or its error. */
int ui_do(struct ui *u, struct ftp_task *t);
/* A task of a kind for remote, run and told; freed. An exit code. */
int ui_do_told(struct ui *u, enum ftp_task_kind kind, const char *remote, const char *to);

/* A word as a path on the server: an exit code, told. */
int ui_remote_path(const struct ui *u, const char *word, char ret[FTP_PATH_SIZE]);
/* A word as a local path, appended. */
void ui_local_path(const struct ui *u, const char *word, struct buf *ret);
/* folder and a relative path below it: -EINVAL, -ENAMETOOLONG when the server takes no such name.
 */
int ui_join(const char *folder, const char *relative, char ret[FTP_PATH_SIZE]);
/* Appends a name for people: as it is when it is clean text, else escaped. */
void ui_name(struct buf *b, const char *name);
/* client_fail() of a name for people and what is said of it, " is no folder" or ": no such file".
 */
int ui_fail(int code, const char *what, const char *name);
int ui_oom(void); /* told; an exit code */
/* Keeps the first failure. */
static inline int ui_first(int code, int next)
{
	return code != CLIENT_OK ? code : next;
}

/* The commands. */
int ui_ls(struct ui *u, const struct client_words *w);
int ui_get(struct ui *u, const struct client_words *w);
int ui_put(struct ui *u, const struct client_words *w);
int ui_cat(struct ui *u, const struct client_words *w);
int ui_rm(struct ui *u, const struct client_words *w);
int ui_mkdir(struct ui *u, const struct client_words *w);
int ui_rmdir(struct ui *u, const struct client_words *w);
int ui_mv(struct ui *u, const struct client_words *w);
int ui_sync(struct ui *u, const struct client_words *w);
int ui_stat(struct ui *u, const struct client_words *w);
int ui_df(struct ui *u, const struct client_words *w);
/* Makes a folder on the server, with those above it when parents; one that is there is fine then.
 */
int ui_folder_make(struct ui *u, const char *path, bool parents);

/* -- local.c ------------------------------------------------------------------------------------
 */

/* Opens the folder relative ("" is root_fd itself) below root_fd, following no links, making what
 * is missing when make. The descriptor, or negative errno (-ENOTDIR, -ELOOP: a link is in the way).
 */
int local_folder(int root_fd, struct span relative, bool make);
/* Splits a relative path: its folder's span and its last name. */
void local_split(const char *path, struct span *ret_folder, const char **ret_name);
/* 0: nothing of that name, or a plain file; -ELOOP, -EISDIR, -EINVAL: something else. */
int local_is_plain(int dir_fd, const char *name);
/* SHA-256 of a plain file below root_fd; -ECANCELED after a signal. */
int local_digest(struct ui *u, int root_fd, const char *path, unsigned char ret[32]);
/* Removes a file or an empty folder below root_fd. */
int local_remove(int root_fd, const char *path, bool folder);

/* -- batch.c ------------------------------------------------------------------------------------
 */

struct batch_item {
	enum ftp_task_kind kind; /* FTP_GET, FTP_PUT, FTP_REMOVE, FTP_RMTREE, FTP_DIGEST */
	char *remote;
	char *local; /* below root_fd without following links; AT_FDCWD: as it is */
	int root_fd; /* borrowed */
	uint64_t size;
	int64_t modify_us;
	int folder_fd; /* the batch's own, while under way */
	int code; /* how it ended */
	unsigned char digest[32];
};
struct batch {
	struct batch_item *v;
	size_t count, cap;
	bool silent; /* results are the caller's to tell */
};
void batch_done(struct batch *b);
/* Copies both paths. -ENOMEM. */
int batch_add(struct batch *b, enum ftp_task_kind kind, const char *remote, int root_fd,
	const char *local);
/* Runs all, several at once. The first failure's exit code; each one is told. */
int batch_run(struct ui *u, struct batch *b);

#endif
