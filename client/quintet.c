/*
 * quintet: the client. Global options, then one subcommand from the table; each has a file of its
 * own. Signals are taken through a descriptor, so that Ctrl-C ends a wait and never half a file.
 */
#include "client/client.h"

#include "client/console/console.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

static const struct client_command *command_find(const char *name)
{
	for (const struct client_command *k = client_commands; k->name != NULL; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

static int signals_take(void)
{
	sigset_t set;

	client_signals(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A closed standard descriptor would be given to the next file or socket: printing would go there.
 * Opened for reading only, so that output to it still fails. */
static bool standard_fds_open(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Output that never reached its file is a failure, not a success. */
static int output_close(int code)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return code;
	/* A reader that left early, as head(1) does, needs no telling. */
	return errno == EPIPE ? ERR_EXIT_TEMP
			      : client_fail(ERR_EXIT_TEMP, "cannot write the output: %m");
}

/* An exit code. */
static int run(struct client *c, int argc, char **argv)
{
	if (argc == 0)
		return cmd_console(c);
	c->command = command_find(argv[0]);
	if (c->command == NULL)
		return client_fail(
			ERR_EXIT_CONFIG, "there is no command \"%s\"; try quintet --help", argv[0]);
	return c->command->run(c, argc, argv);
}

int main(int argc, char **argv)
{
	struct client c = {.timeout_s = 10, .signal_fd = -1};
	int used = 1, code;

	/* No core file with a key or a password in it. */
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	if (!standard_fds_open())
		return ERR_EXIT_CONFIG;
	code = client_options_global(&c, argc, argv, &used);
	if (code >= 0)
		return output_close(code);
	c.signal_fd = signals_take();
	if (c.signal_fd < 0)
		return client_fail(ERR_EXIT_BUG, "cannot take signals: %m");
	code = output_close(run(&c, argc - used, argv + used));
	cleanup_close(&c.signal_fd);
	return code;
}
