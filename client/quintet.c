/*
 * quintet: the client. Global options, then one subcommand from the table; each has a file of its
 * own. Signals are taken through a descriptor, so that Ctrl-C ends a wait and never half a file.
 */
#include "client/client.h"

#include "base/cleanup.h"
#include "base/num.h"

#include <getopt.h>
#include <signal.h>
#include <sys/signalfd.h>

const struct client_command client_commands[] = {
	{"enroll", cmd_enroll,
		"enroll HOST[:PORT] --user NAME [--fingerprint HEX | --root FILE] [--invite TOKEN | "
		"--sign-up] [--password-file FILE] [--as PROFILE]",
		"get a certificate for this device"},
	{"renew", cmd_renew, "renew [--if-due] [--new-key]", "renew the certificate"},
	{"whoami", cmd_whoami, "whoami",
		"show account, certificate and what the server says of it"},
	{"password", cmd_password, "password [--password-file FILE]", "set or change the password"},
	{"profile", cmd_profile, "profile [list | use NAME]", "list or choose server profiles"},
	{"daytime", cmd_daytime,
		"daytime [-i | --offset | --rfc3339 | --epoch | --zone NAME | --stamp FILE | --verify FILE]",
		"ask for the time; stamp a file; verify a stamp"},
	{"ca", cmd_ca, "ca [show | list | revoke SERIAL [REASON] | crl | check [FILE]]",
		"the certificate authority"},
	{"status", cmd_status, "status", "reach and verify every service"},
	{NULL, NULL, NULL, NULL},
};

static const struct client_command *command_find(const char *name)
{
	for (const struct client_command *k = client_commands; k->name != NULL; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

int client_usage(const char *name)
{
	const struct client_command *k = command_find(name);

	if (k != NULL)
		fprintf(stderr, "usage: quintet %s\n", k->usage);
	return ERR_EXIT_CONFIG;
}

static void help_print(FILE *to)
{
	fputs("usage: quintet [--profile NAME] [--json] [--timeout SECONDS] COMMAND ...\n\n", to);
	for (const struct client_command *k = client_commands; k->name != NULL; k++)
		fprintf(to, "  %-10s %s\n", k->name, k->help);
	fputs("\nquintet COMMAND --help tells more; so does the manual page quintet(1).\n", to);
}

static int signals_take(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Reads the options before the subcommand. Negative: go on; else exit with that code. */
static int options_read(struct client *c, int argc, char **argv)
{
	static const struct option longs[] = {{"profile", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'}, {"timeout", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0}};
	uint64_t seconds;
	int o;

	while ((o = getopt_long(argc, argv, "+p:jt:hV", longs, NULL)) >= 0) {
		switch (o) {
		case 'p':
			c->profile = optarg;
			break;
		case 'j':
			c->json = true;
			break;
		case 't':
			if (num_parse_u64(span_str(optarg), 1, 3600, &seconds) < 0)
				return client_fail(
					ERR_EXIT_CONFIG, "--timeout takes 1 to 3600 seconds");
			c->timeout_s = (unsigned)seconds;
			break;
		case 'h':
			help_print(stdout);
			return CLIENT_OK;
		case 'V':
			puts("quintet " QUINTET_VERSION);
			return CLIENT_OK;
		default:
			return ERR_EXIT_CONFIG;
		}
	}
	return -1;
}

/* Output that never reached its file is a failure, not a success. */
static int output_close(int code)
{
	if (fflush(stdout) != 0 || ferror(stdout) != 0)
		return client_fail(ERR_EXIT_TEMP, "cannot write the output: %m");
	return code;
}

int main(int argc, char **argv)
{
	struct client c = {.timeout_s = 10, .signal_fd = -1};
	const struct client_command *k;
	int code = options_read(&c, argc, argv);

	if (code >= 0)
		return output_close(code);
	if (optind >= argc) {
		help_print(stderr);
		return ERR_EXIT_CONFIG;
	}
	k = command_find(argv[optind]);
	if (k == NULL)
		return client_fail(ERR_EXIT_CONFIG,
			"there is no command \"%s\"; try quintet --help", argv[optind]);
	if (optind + 1 < argc && strcmp(argv[optind + 1], "--help") == 0) {
		printf("usage: quintet %s\n\n%s\n", k->usage, k->help);
		return output_close(CLIENT_OK);
	}
	c.signal_fd = signals_take();
	if (c.signal_fd < 0)
		return client_fail(ERR_EXIT_BUG, "cannot take signals: %m");
	argc -= optind;
	argv += optind;
	optind = 0;
	code = output_close(k->run(&c, argc, argv));
	cleanup_close(&c.signal_fd);
	return code;
}
