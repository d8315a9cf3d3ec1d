/*
 * Options by table, so that parsing, help and messages agree: --name VALUE, --name=VALUE, -x VALUE,
 * -xVALUE, flags, and "--" behind which nothing is an option.
 */
#include "client/client.h"

#include "base/num.h"

/* The options of every command; the first three have their places in struct client. */
struct shared {
	const char *timeout;
	bool help, version;
};

struct reading {
	struct client *c;
	const struct client_option *own;
	const struct client_option *shared;
	char **argv;
	int argc, at;
};

static const struct client_option *table_find(
	const struct client_option *table, struct span name, char letter)
{
	for (; table != NULL && table->name != NULL; table++)
		if (letter != 0 ? table->letter == letter : span_eq_str(name, table->name))
			return table;
	return NULL;
}

static const struct client_option *find(const struct reading *r, struct span name, char letter)
{
	const struct client_option *o = table_find(r->own, name, letter);

	return o != NULL ? o : table_find(r->shared, name, letter);
}

/* One more of an option that may be given again. */
static int take_more(const struct reading *r, const struct client_option *o, const char *given)
{
	size_t n = 0;

	while (n < CLIENT_VALUES_MAX && o->value[n] != NULL)
		n++;
	if (n == CLIENT_VALUES_MAX)
		return client_usage(r->c, "--%s can be given %d times", o->name, CLIENT_VALUES_MAX);
	o->value[n] = given;
	return 0;
}

static bool is_many(const struct client_option *o)
{
	size_t len = o->argument != NULL ? strlen(o->argument) : 0;

	return len > 3 && strcmp(o->argument + len - 3, "...") == 0;
}

/* given: the text behind '=' or the letter, or NULL. */
static int take(struct reading *r, const struct client_option *o, const char *given)
{
	if (o->flag != NULL) {
		if (given != NULL)
			return client_usage(r->c, "--%s takes no value", o->name);
		*o->flag = true;
		return 0;
	}
	if (given == NULL && r->at + 1 < r->argc)
		given = r->argv[++r->at];
	if (given == NULL)
		return client_usage(r->c, "--%s needs a value: %s", o->name, o->argument);
	if (o->value != NULL && is_many(o))
		return take_more(r, o, given);
	if (o->value != NULL)
		*o->value = given;
	return 0;
}

static int take_long(struct reading *r, const char *text)
{
	const char *equals = strchr(text, '=');
	struct span name = span_of(text, equals != NULL ? (size_t)(equals - text) : strlen(text));
	const struct client_option *o = find(r, name, 0);

	if (o == NULL)
		return client_usage(r->c, "there is no option --%.*s", (int)name.len, text);
	return take(r, o, equals != NULL ? equals + 1 : NULL);
}

static int take_letters(struct reading *r, const char *text)
{
	for (; *text != '\0'; text++) {
		const struct client_option *o = find(r, span_of(NULL, 0), *text);
		int code;

		if (o == NULL)
			return client_usage(r->c, "there is no option -%c", *text);
		if (o->flag == NULL)
			return take(r, o, text[1] != '\0' ? text + 1 : NULL);
		code = take(r, o, NULL);
		if (code != 0)
			return code;
	}
	return 0;
}

/* Reads on to the first word that is no option; 0 with r->at there, or an exit code. */
static int read_options(struct reading *r)
{
	for (; r->at < r->argc; r->at++) {
		const char *text = r->argv[r->at];
		int code;

		if (text[0] != '-' || text[1] == '\0' || strcmp(text, "--") == 0)
			return 0;
		code = text[1] == '-' ? take_long(r, text + 2) : take_letters(r, text + 1);
		if (code != 0)
			return code;
	}
	return 0;
}

static int timeout_set(struct client *c, const char *text)
{
	uint64_t seconds;

	if (text == NULL)
		return -1;
	if (num_parse_u64(span_str(text), 1, 3600, &seconds) < 0)
		return client_usage(c, "--timeout takes 1 to 3600 seconds");
	c->timeout_s = (unsigned)seconds;
	return -1;
}

static void option_print(const struct client_option *o)
{
	char left[40];

	if (o->letter != 0)
		snprintf(left, sizeof left, "-%c, --%s %s", o->letter, o->name,
			o->argument != NULL ? o->argument : "");
	else
		snprintf(left, sizeof left, "    --%s %s", o->name,
			o->argument != NULL ? o->argument : "");
	printf("  %-26s %s\n", left, o->help);
}

static void options_print(const struct client_option *o)
{
	for (; o != NULL && o->name != NULL; o++)
		option_print(o);
}

static int help_print(const struct reading *r)
{
	printf("usage: quintet %s\n\nTo %s.\n\n", r->c->command->usage, r->c->command->help);
	options_print(r->own);
	options_print(r->shared);
	puts("\nThe manual page quintet(1) tells more.");
	return CLIENT_OK;
}

enum { SHARED_ROWS = 5 };

static void shared_fill(
	struct client_option rows[SHARED_ROWS], struct client *c, struct shared *shared)
{
	rows[0] = (struct client_option){
		"profile", 'p', "NAME", &c->profile, NULL, "use this server profile"};
	rows[1] = (struct client_option){
		"json", 'j', NULL, NULL, &c->json, "print JSON, for scripts"};
	rows[2] = (struct client_option){"timeout", 't', "SECONDS", &shared->timeout, NULL,
		"for each network step; 10 by default"};
	rows[3] = (struct client_option){"help", 'h', NULL, NULL, &shared->help, "this help"};
	rows[4] = (struct client_option){.name = NULL};
}

int client_options(struct client *c, int argc, char **argv, const struct client_option *own,
	size_t max_words, struct client_words *ret)
{
	struct shared shared = {0};
	struct client_option table[SHARED_ROWS];
	struct reading r = {c, own, table, argv, argc, 1};
	size_t count = 0;
	bool all_words = false;

	shared_fill(table, c, &shared);
	while (r.at < argc) {
		int code = all_words ? 0 : read_options(&r);

		if (code != 0)
			return code;
		if (r.at >= argc)
			break;
		if (!all_words && strcmp(argv[r.at], "--") == 0)
			all_words = true;
		else
			argv[count++] = argv[r.at];
		r.at++;
	}
	*ret = (struct client_words){argv, count};
	if (shared.help)
		return help_print(&r);
	if (count > max_words)
		return client_usage(c, "one word too many: %s", argv[max_words]);
	return timeout_set(c, shared.timeout);
}

int client_options_front(
	struct client *c, int argc, char **argv, const struct client_option *own, int *ret_used)
{
	struct shared shared = {0};
	struct client_option table[SHARED_ROWS];
	struct reading r = {c, own, table, argv, argc, 1};
	int code;

	shared_fill(table, c, &shared);
	code = read_options(&r);
	if (code != 0)
		return code;
	*ret_used = r.at;
	return shared.help ? help_print(&r) : timeout_set(c, shared.timeout);
}

static void commands_print(void)
{
	fputs("usage: quintet [--plain]\n       quintet [OPTION ...] COMMAND ...\n\n"
	      "Without a command: all of it at once, on a screen, or as lines (--plain).\n\n",
		stdout);
	for (const struct client_command *k = client_commands; k->name != NULL; k++)
		printf("  %-10s %s\n", k->name, k->help);
	fputs("\nOptions, here or behind COMMAND: --profile NAME, --json, --timeout SECONDS, --help.\n"
	      "quintet COMMAND --help tells more; so does the manual page quintet(1).\n",
		stdout);
}

/* "help COMMAND" is read as "COMMAND --help". True: that was the help on everything. */
static bool help_command(int argc, char **argv, int at)
{
	static char option[] = "--help";

	if (strcmp(argv[at], "help") != 0)
		return false;
	if (at + 1 >= argc) {
		commands_print();
		return true;
	}
	argv[at] = argv[at + 1];
	argv[at + 1] = option;
	return false;
}

int client_options_global(struct client *c, int argc, char **argv, int *ret_used)
{
	struct shared shared = {0};
	struct client_option table[SHARED_ROWS];
	const struct client_option own[] = {
		{"version", 'V', NULL, NULL, &shared.version, "print the version"},
		{"plain", 0, NULL, NULL, &c->plain, "the console by lines"}, {.name = NULL}};
	struct reading r = {c, own, table, argv, argc, 1};
	int code;

	shared_fill(table, c, &shared);
	code = read_options(&r);
	*ret_used = r.at;
	if (code != 0)
		return code;
	if (shared.help)
		commands_print();
	else if (shared.version)
		puts("quintet " QUINTET_VERSION);
	if (shared.help || shared.version)
		return CLIENT_OK;
	if (r.at < argc && c->plain)
		return client_usage(c, "--plain is for quintet without a command");
	if (r.at < argc && help_command(argc, argv, r.at))
		return CLIENT_OK;
	return timeout_set(c, shared.timeout);
}
