/*
 * What all subcommands of quintet share: how a subcommand is described, its options, exit codes,
 * and the way messages and results reach the person.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"

#include <signal.h>
#include <stdint.h>

/* Exit codes, as in quintet(1). Usage is ERR_EXIT_CONFIG, unreachable is ERR_EXIT_TEMP. */
enum client_exit {
	CLIENT_OK = 0,
	CLIENT_NO = 1, /* the answer is no: refused, revoked, not found */
	CLIENT_UNTRUSTED = 2, /* a certificate, stamp or fingerprint did not verify */
	CLIENT_INTERRUPTED = 130,
};

struct client {
	const char *profile; /* --profile NAME, or NULL: the current one */
	bool json; /* --json */
	bool plain; /* --plain: the console by lines */
	unsigned timeout_s; /* --timeout, for each network step */
	int signal_fd; /* readable after one of client_signals(): every wait watches it */
	const struct client_command *command; /* the one that runs */
};

struct client_command {
	const char *name;
	int (*run)(struct client *c, int argc,
		char **argv); /* argv[0] is the subcommand; an exit code */
	const char *usage; /* what follows "quintet " */
	const char *help; /* one line */
};

extern const struct client_command client_commands[]; /* ended by a NULL name */

/* One file per subcommand. */
int cmd_enroll(struct client *c, int argc, char **argv);
int cmd_renew(struct client *c, int argc, char **argv);
int cmd_whoami(struct client *c, int argc, char **argv);
int cmd_password(struct client *c, int argc, char **argv);
int cmd_profile(struct client *c, int argc, char **argv);
int cmd_daytime(struct client *c, int argc, char **argv);
int cmd_ca(struct client *c, int argc, char **argv);
int cmd_status(struct client *c, int argc, char **argv);
int cmd_ftp(struct client *c, int argc, char **argv);
int cmd_chat(struct client *c, int argc, char **argv);
int cmd_mail(struct client *c, int argc, char **argv);

/*
 * Options (options.c). A row has one of value and flag; its argument is what the help calls it:
 * when that ends in "...", the option may be given again, and value is an array of
 * CLIENT_VALUES_MAX (ended by NULL where there are fewer). The options of every command (--json,
 * --profile, --timeout,
 * --help) are added to the table.
 */
#define CLIENT_VALUES_MAX 32
struct client_option {
	const char *name; /* without the dashes; NULL ends the table */
	char letter; /* its short form, or 0 */
	const char *argument;
	const char **value;
	bool *flag;
	const char *help;
};

/* What the command line holds beside options. */
struct client_words {
	char **v;
	size_t count;
};

/*
 * Reads a subcommand's options, which may stand anywhere behind it; what is left over, at most
 * max_words, is moved to the front. Negative: go on. Else the exit code to leave with: after
 * --help, or when usage was wrong, which is told.
 */
int client_options(struct client *c, int argc, char **argv, const struct client_option *own,
	size_t max_words, struct client_words *ret);

/* The same for options in front of a subcommand's own commands: stops at the first word, which is
 * argv[*ret_used], if there is one. */
int client_options_front(
	struct client *c, int argc, char **argv, const struct client_option *own, int *ret_used);

/* The options before the subcommand: as above; *ret_used counts the arguments read. All of them:
 * there is no subcommand. */
int client_options_global(struct client *c, int argc, char **argv, int *ret_used);

/* "quintet: MESSAGE" and the usage line on standard error; returns ERR_EXIT_CONFIG. */
int client_usage(const struct client *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "quintet: MESSAGE" on standard error, nothing when code is CLIENT_INTERRUPTED; returns code. */
int client_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * From now on what the two above and client_done() tell goes to tell(), without "quintet: " and
 * line end, in the place of the standard streams; NULL: back again. For the console, whose screen
 * nothing may be written over.
 */
void client_sink(void (*tell)(void *arg, bool error, const char *text), void *arg);
/* A result, of one line or several, goes there. False: there is no sink, print it. */
bool client_told(const char *text);

/* The exit code for a file that cannot be written: 111 if it may be later, as on a full disk. */
static inline int client_unwritten(int error)
{
	return err_is_temporary(error) ? ERR_EXIT_TEMP : ERR_EXIT_CONFIG;
}

/* The exit code for a negative errno of a network or file step. */
int client_exit_of(int error);

/* Why a network step failed, for people. Static memory. */
const char *client_why(int error);

/* A result: the sentence for people, or with --json an object of these pairs; returns CLIENT_OK. */
struct table_pair;
int client_done(const struct client *c, const struct table_pair *pairs, size_t count,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The signals that end a wait: what the terminal's keys, its end, and kill(1) send. */
void client_signals(sigset_t *ret);

/* wake function for conn_set_wake: ends any wait with -ECANCELED once a signal came. arg: struct
 * client. */
int client_wake(void *arg);

/* Has a signal come? For work that takes long without waiting. */
bool client_interrupted(const struct client *c);

#endif
