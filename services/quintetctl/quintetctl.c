/*
 * quintetctl: administration on the server's machine, directly on the store. The commands are in
 * tables, one file per noun; this file finds the right row and gives it the right rights.
 */
#include "ctl.h"

static const struct ctl_command *const tables[] = {ctl_init_commands, ctl_user_commands,
	ctl_user_remove_commands, ctl_invite_commands, ctl_cert_commands, ctl_ca_commands,
	ctl_renew_commands, ctl_audit_commands, ctl_policy_commands, ctl_chat_commands,
	ctl_mail_commands, ctl_store_commands, ctl_top_commands, ctl_stats_commands,
	ctl_health_commands};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

static bool same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool is_noun(const char *word)
{
	const struct ctl_command *cmd;
	size_t i;

	for (i = 0; i < TABLES; i++)
		for (cmd = tables[i]; cmd->noun != NULL; cmd++)
			if (same(word, cmd->noun))
				return true;
	return false;
}

/* Prints every command, or those of one noun. False: there is no such noun. */
static bool help(FILE *to, const char *noun)
{
	const struct ctl_command *cmd;
	char words[64];
	bool found = false;
	size_t i;

	if (noun == NULL)
		(void)fputs("usage: quintetctl [--json] COMMAND [OPTIONS] [ARGUMENTS]\n\n", to);
	for (i = 0; i < TABLES; i++)
		for (cmd = tables[i]; cmd->noun != NULL; cmd++) {
			if (noun != NULL && !same(noun, cmd->noun))
				continue;
			found = true;
			(void)snprintf(words, sizeof(words), "%s%s%s %s", cmd->noun,
				cmd->verb != NULL ? " " : "", cmd->verb != NULL ? cmd->verb : "",
				cmd->words);
			(void)fprintf(to, "  %-34s %s\n", words, cmd->help);
		}
	if (noun == NULL)
		(void)fputs("\nOptions of a command: quintetctl COMMAND --help. "
			    "Everything: quintetctl(8).\n",
			to);
	return found;
}

/* The row, and in *ret_used how many words of the command line named it. */
static const struct ctl_command *find(int argc, char **argv, int *ret_used)
{
	const struct ctl_command *cmd;
	size_t i;

	for (i = 0; i < TABLES; i++)
		for (cmd = tables[i]; cmd->noun != NULL; cmd++) {
			if (!same(cmd->noun, argv[0]))
				continue;
			if (cmd->verb == NULL || (argc > 1 && same(cmd->verb, argv[1]))) {
				*ret_used = cmd->verb == NULL ? 1 : 2;
				return cmd;
			}
		}
	return NULL;
}

static bool asks_help(int argc, char **argv)
{
	int i;

	for (i = 0; i < argc && !same(argv[i], "--"); i++)
		if (same(argv[i], "--help") || same(argv[i], "-h"))
			return true;
	return false;
}

/* --json may stand anywhere; it is taken out. */
static int take_json(int argc, char **argv, bool *ret_json)
{
	int i, kept = 0;

	for (i = 0; i < argc; i++) {
		if (same(argv[i], "--json"))
			*ret_json = true;
		else
			argv[kept++] = argv[i];
	}
	return kept;
}

static int run(struct ctl *c, const struct ctl_command *cmd, int argc, char **argv)
{
	struct ctl_args args;
	int status = ctl_args_read(cmd, argc, argv, &args);

	c->direct = cmd->rights == CTL_AS_KEEPER;
	if (status == CTL_OK)
		status = ctl_settings(c);
	if (status == CTL_OK && cmd->rights != CTL_AS_ROOT)
		status = ctl_become_admin(c);
	if (status == CTL_OK)
		status = cmd->run(c, &args);
	store_closep(&c->store);
	return status;
}

/* What has no table row: help, --version, and what nobody knows. */
static int other(int argc, char **argv)
{
	if (argc > 0 && same(argv[0], "--version")) {
		(void)puts("quintetctl " QUINTET_VERSION);
		return CTL_OK;
	}
	if (argc > 0 && (same(argv[0], "help") || asks_help(argc, argv))) {
		const char *noun = same(argv[0], "help") ? (argc > 1 ? argv[1] : NULL) : argv[0];

		if (help(stdout, noun == NULL || noun[0] == '-' ? NULL : noun))
			return CTL_OK;
	}
	if (argc == 0) {
		(void)help(stderr, NULL);
		return CTL_USAGE;
	}
	if (argv[0][0] == '-')
		ctl_warn("there is no option %s; try quintetctl --help", argv[0]);
	else if (!is_noun(argv[0]))
		ctl_warn("there is no command \"%s\"; try quintetctl --help",
			same(argv[0], "help") ? argv[1] : argv[0]);
	else if (argc == 1)
		ctl_warn("%s needs one of these words behind it:", argv[0]);
	else
		ctl_warn("%s has no command \"%s\":", argv[0], argv[1]);
	(void)help(stderr, argv[0]);
	return CTL_USAGE;
}

int main(int argc, char **argv)
{
	struct ctl c = {0};
	const struct ctl_command *cmd = NULL;
	int used = 0;

	(void)log_open(CTL_BY, STDERR_FILENO, "stderr");
	argv++;
	argc = take_json(argc - 1, argv, &c.json);
	if (argc > 0)
		cmd = find(argc, argv, &used);
	if (cmd == NULL)
		return other(argc, argv);
	if (asks_help(argc - used, argv + used)) {
		(void)help(stdout, cmd->noun);
		ctl_usage(stdout, cmd);
		return CTL_OK;
	}
	return run(&c, cmd, argc - used, argv + used);
}
