/*
 * quintetctl: what its commands share. One file per noun; each ends in a table of commands that
 * quintetctl.c lists. A command's run() says what went wrong itself and returns the exit status.
 */
#ifndef QUINTETCTL_CTL_H
#define QUINTETCTL_CTL_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "proto/signer.h"
#include "service/service.h"
#include "store/store.h"

#include <stdbool.h>
#include <sys/types.h>

#define CTL_BY "quintetctl" /* who acted, in audit rows */
#define CTL_HOUSE "quintet" /* the account of the services' own certificates */
#define CTL_KEEPER "quintet-keeper" /* the user who owns the store where there is a keeper */

enum ctl_exit {
	CTL_OK = 0,
	CTL_REFUSED = 1, /* refused, not found, or a check that failed */
	CTL_USAGE = ERR_EXIT_CONFIG,
	CTL_TEMP = ERR_EXIT_TEMP,
};

struct ctl {
	struct service_settings settings;
	bool json;
	bool drops; /* started as root, and there is an administrator's account to become */
	bool direct; /* the store is written here, not through the keeper: there is none, it does
			not answer, or the command is about the store as a whole */
	struct store *store; /* opened by ctl_store(); only ever in the process that uses it */
};

/* -- commands (quintetctl.c, args.c) --------------------------------------------------------- */

#define CTL_OPTIONS_MAX 8
#define CTL_WORDS_MAX 18

struct ctl_option {
	const char *name; /* "days"; NULL ends the list */
	const char *value; /* what it takes, for the help text; NULL: a flag */
	bool many; /* may be given more than once: collected in ctl_args.many */
};

struct ctl_args {
	const char
		*option[CTL_OPTIONS_MAX]; /* in the command's order; NULL: not given; "": a flag */
	const char *word[CTL_WORDS_MAX];
	size_t words;
	const char *many[CTL_WORDS_MAX];
	size_t many_count;
};

enum ctl_rights {
	CTL_AS_ADMIN, /* becomes the administrator's account before anything else */
	CTL_AS_ROOT, /* writes files of root: the store is left to ctl_as_admin() */
	CTL_AS_KEEPER, /* the same as the user who owns the store, without the keeper */
};

struct ctl_command {
	const char *noun; /* NULL ends a table */
	const char *verb; /* NULL: the noun is the whole command */
	const char *words; /* for the usage line */
	size_t words_min, words_max;
	const struct ctl_option *options; /* may be NULL */
	enum ctl_rights rights;
	int (*run)(struct ctl *c, const struct ctl_args *a);
	const char *help; /* one line */
};

extern const struct ctl_command ctl_init_commands[], ctl_user_commands[],
	ctl_user_remove_commands[], ctl_invite_commands[], ctl_cert_commands[], ctl_ca_commands[],
	ctl_renew_commands[], ctl_audit_commands[], ctl_policy_commands[], ctl_chat_commands[],
	ctl_mail_commands[], ctl_store_commands[], ctl_top_commands[], ctl_stats_commands[],
	ctl_health_commands[];

/* Sorts argv (behind the command's own words) by the command's options; says what is wrong. */
int ctl_args_read(const struct ctl_command *cmd, int argc, char **argv, struct ctl_args *ret);
void ctl_usage(FILE *to, const struct ctl_command *cmd);

/* A number or a span of time from the command line; says what is wrong: CTL_USAGE. */
int ctl_number(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *ret);
int ctl_duration_s(const char *what, const char *text, uint64_t *ret);

/* Both fold and check a name given by a person: CTL_USAGE. */
int ctl_name(const char *text, char ret[ACCOUNT_NAME_SIZE]);

/* -- saying (say.c) ---------------------------------------------------------------------------- */

/* "quintetctl: text" on standard error. */
void ctl_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with ": reason"; returns the exit status that fits the negative errno. */
int ctl_fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A sentence on standard output for people; nothing under --json. */
void ctl_say(const struct ctl *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* -- tables (table.c) -------------------------------------------------------------------------- */

enum ctl_kind { CTL_TEXT, CTL_NUMBER, CTL_BOOL };

struct ctl_column {
	const char *key; /* JSON name; the heading is the same in upper case, '_' as blank */
	enum ctl_kind kind;
};

struct ctl_table {
	const struct ctl_column *columns;
	size_t count;
	struct buf cells; /* NUL-ended, row by row */
	size_t filled;
};

#define CTL_TABLE(cols)                                    \
	((struct ctl_table){.columns = (cols),             \
		.count = sizeof(cols) / sizeof((cols)[0]), \
		.cells = BUF_INIT(64u << 20)})

/* Cells in column order. Numbers and "true"/"false" are given as text too. */
void ctl_cell(struct ctl_table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ctl_cell_span(struct ctl_table *t, struct span s);
void ctl_cell_bool(struct ctl_table *t, bool v);
void ctl_cell_time(struct ctl_table *t, int64_t at_us); /* RFC 3339 in UTC; "-" when 0 */
void ctl_cell_hex(struct ctl_table *t, const unsigned char *p, size_t len);

/* Prints and frees; the status is CTL_OK or CTL_TEMP (no memory). */
int ctl_table_rows(const struct ctl *c, struct ctl_table *t); /* aligned, or a JSON array */
int ctl_table_record(const struct ctl *c, struct ctl_table *t); /* "key: value", or an object */
/* As ctl_table_rows() for people, appended to out. 0 or negative errno; frees. */
int ctl_table_text(struct ctl_table *t, struct buf *out);
void ctl_table_done(struct ctl_table *t);

/* -- rights (rights.c) ------------------------------------------------------------------------- */

/* CONF/quintet.env for what the environment does not say; then the settings. */
int ctl_settings(struct ctl *c);

/*
 * Becomes the administrator's account for good; with c->direct, where a keeper is wanted, the user
 * who owns the store. Nothing to do when not started as root.
 */
int ctl_become_admin(struct ctl *c);

/*
 * Runs fn as the administrator in a child process: it may open the store and talk to the signer.
 * What it appends to reply comes back (reply may be NULL); the status is fn's.
 */
int ctl_as_admin(struct ctl *c, int (*fn)(struct ctl *c, void *arg, struct buf *reply), void *arg,
	struct buf *reply);

/* -- the store (rights.c) ---------------------------------------------------------------------- */

/* Who writes the store as a whole, for chown(): NULL the caller, who is not root. */
const char *ctl_owner(const struct ctl *c);

/* After STORE_CREATE: with a keeper its user alone writes what is in STATE/store. */
int ctl_store_modes(struct ctl *c);

/* Opens c->store once, through the keeper unless c->direct; says what is wrong. */
int ctl_store(struct ctl *c, enum store_mode mode);

/* An audit row for what changes nothing else. Failing to write it is an error of the command. */
int ctl_audit(struct ctl *c, const char *event, const char *account, const char *detail);

/* Wakes the live sessions of an account. */
void ctl_ring(struct ctl *c, const char *account);

/* -- folders (folders.c) ----------------------------------------------------------------------- */

/* Makes what is missing, as root: those of the state; and all that init needs. Says what is wrong.
 */
int ctl_state_folders(const struct ctl *c);
int ctl_house_folders(const struct ctl *c);

/* -- files (files.c) --------------------------------------------------------------------------- */

/* Under a temporary name, flushed, renamed over path, folder flushed. */
int file_write(const char *path, struct span bytes, mode_t mode);
/* Makes the folder with that mode (and its parents, 0755) when it is missing. */
int folder_make(const char *path, mode_t mode);
/* A path can lead down a thousand folders, and each level holds descriptors open. */
void ctl_many_files(void);
/* Flushes the folder that path is in, after a rename. */
int folder_flush_of(const char *path);
/* A path put together; the buffer is ret's. Too long a path: -ENAMETOOLONG. */
#define CTL_PATH_MAX 4096
int path_join(char ret[CTL_PATH_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* -- secrets (password.c) ---------------------------------------------------------------------- */

/*
 * From the file ("-": standard input), or from the terminal twice without echo, or, where there is
 * no terminal, a line of standard input. One trailing newline is not part of it. Says what is
 * wrong.
 */
int ctl_password_read(const char *file, const char *name, struct buf *ret);

/* -- the signer (signer.c) --------------------------------------------------------------------- */

/* One request, one answer. Says what is wrong; the answer's spans live in scratch. */
int ctl_signer(struct ctl *c, const struct signer_request *r, struct buf *scratch,
	struct signer_answer *ret);

#endif
