/*
 * What all subcommands of quintet share: the options before the subcommand, how a subcommand is
 * described, exit codes, and the way messages reach the person.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"

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
	unsigned timeout_s; /* --timeout, for each network step */
	int signal_fd; /* readable after SIGINT or SIGTERM: every wait watches it */
};

struct client_command {
	const char *name;
	int (*run)(struct client *c, int argc,
		char **argv); /* argv[0] is the subcommand; an exit code */
	const char *usage; /* what follows "quintet " */
	const char *help; /* one line */
};

extern const struct client_command client_commands[];

/* One file per subcommand. */
int cmd_enroll(struct client *c, int argc, char **argv);
int cmd_renew(struct client *c, int argc, char **argv);
int cmd_whoami(struct client *c, int argc, char **argv);
int cmd_password(struct client *c, int argc, char **argv);
int cmd_profile(struct client *c, int argc, char **argv);
int cmd_daytime(struct client *c, int argc, char **argv);
int cmd_ca(struct client *c, int argc, char **argv);
int cmd_status(struct client *c, int argc, char **argv);

/* "quintet: MESSAGE" on standard error; returns code, so that a caller can end with it. */
int client_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The exit code for a negative errno of a network or file step. */
int client_exit_of(int error);

/* Prints the subcommand's usage line on standard error and returns ERR_EXIT_CONFIG. */
int client_usage(const char *name);

/*
 * Asks on the terminal (never on standard input when that is a pipe). hidden: without echo. The
 * answer replaces ret's content. -ENOTTY without a terminal, -ECANCELED after Ctrl-C.
 */
int client_ask(const struct client *c, const char *question, bool hidden, struct buf *ret);

/* First line of a file ("-": standard input) into ret. -ENODATA when it is empty. */
int client_read_secret(const char *path, struct buf *ret);

/* wake function for conn_set_wake: ends any wait with -ECANCELED once a signal came. arg: struct
 * client. */
int client_wake(void *arg);

#endif
