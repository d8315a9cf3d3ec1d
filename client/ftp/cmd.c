/*
 * quintet ftp: the table of its commands, which is that of the session as well, their options, and
 * how one of them is run.
 */
#include "client/ftp/ui.h"

#include "client/ask.h"
#include "client/table.h"

#include "base/num.h"

#include <errno.h>
#include <strings.h>

enum ui_option {
	O_RECURSIVE = 1,
	O_LONG = 2,
	O_FRESH = 4,
	O_PARENTS = 8,
	O_DELETE = 16,
	O_DRY_RUN = 32,
	O_NO_OVERWRITE = 64,
};

static int ui_pwd(struct ui *u, const struct client_words *w);
static int ui_lpwd(struct ui *u, const struct client_words *w);
static int ui_cd(struct ui *u, const struct client_words *w);
static int ui_lcd(struct ui *u, const struct client_words *w);
static int ui_help(struct ui *u, const struct client_words *w);
static int ui_quit(struct ui *u, const struct client_words *w);

#define MANY SIZE_MAX

const struct ui_command ui_commands[] = {
	{{"ls", NULL, "ftp ls [-l] [REMOTE ...]", "list folders and files on the server"}, ui_ls, 0,
		MANY, O_LONG, UI_REMOTE, false},
	{{"get", NULL, "ftp get [-r] [--fresh] [--no-overwrite] REMOTE ... [LOCAL]",
		 "fetch files; LOCAL is the last of several words"},
		ui_get, 1, MANY, O_RECURSIVE | O_FRESH | O_NO_OVERWRITE, UI_REMOTE, false},
	{{"put", NULL, "ftp put [-r] [--fresh] LOCAL ... [REMOTE]",
		 "send files; REMOTE is the last of several words"},
		ui_put, 1, MANY, O_RECURSIVE | O_FRESH, UI_LOCAL, false},
	{{"cat", NULL, "ftp cat REMOTE ...", "print files"}, ui_cat, 1, MANY, 0, UI_REMOTE, false},
	{{"rm", NULL, "ftp rm [-r] REMOTE ...", "delete files, with -r folders and all in them"},
		ui_rm, 1, MANY, O_RECURSIVE, UI_REMOTE, false},
	{{"mkdir", NULL, "ftp mkdir [-p] REMOTE ...", "make folders"}, ui_mkdir, 1, MANY, O_PARENTS,
		UI_REMOTE, false},
	{{"rmdir", NULL, "ftp rmdir REMOTE ...", "delete empty folders"}, ui_rmdir, 1, MANY, 0,
		UI_REMOTE, false},
	{{"mv", NULL, "ftp mv FROM ... TO", "rename, or move into the folder TO"}, ui_mv, 2, MANY,
		0, UI_REMOTE, false},
	{{"sync", NULL, "ftp sync up|down [--delete] [--dry-run] LOCALDIR REMOTEDIR",
		 "make one folder like the other, by digest"},
		ui_sync, 3, 3, O_DELETE | O_DRY_RUN | O_FRESH, UI_LOCAL_FIRST, false},
	{{"stat", NULL, "ftp stat [REMOTE ...]", "show the session and its TLS, or files"}, ui_stat,
		0, MANY, 0, UI_REMOTE, false},
	{{"df", NULL, "ftp df [REMOTE]", "show how much may still be stored"}, ui_df, 0, 1, 0,
		UI_REMOTE, false},
	{{"pwd", NULL, "ftp pwd", "tell the folder on the server"}, ui_pwd, 0, 0, 0, UI_NOTHING,
		false},
	{{"cd", NULL, "ftp cd [REMOTE]", "go to a folder on the server"}, ui_cd, 0, 1, 0, UI_REMOTE,
		true},
	{{"lcd", NULL, "ftp lcd [LOCAL]", "go to a folder here"}, ui_lcd, 0, 1, 0, UI_LOCAL, true},
	{{"lpwd", NULL, "ftp lpwd", "tell the folder here"}, ui_lpwd, 0, 0, 0, UI_NOTHING, true},
	{{"help", NULL, "ftp help", "list the commands"}, ui_help, 0, 1, 0, UI_NOTHING, true},
	{{"quit", NULL, "ftp quit", "leave"}, ui_quit, 0, 0, 0, UI_NOTHING, true},
	{.base = {NULL, NULL, NULL, NULL}},
};

/* The words of the first version of this service, and what other clients say. */
static const char *const others[][2] = {{"list", "ls"}, {"dir", "ls"}, {"stor", "put"},
	{"delete", "rm"}, {"del", "rm"}, {"close", "quit"}, {"exit", "quit"}, {"bye", "quit"},
	{"retr", "get"}, {"rename", "mv"}, {"?", "help"}, {"status", "stat"}};

const struct ui_command *ui_command_find(const char *name)
{
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (strcasecmp(name, others[i][0]) == 0)
			name = others[i][1];
	for (const struct ui_command *k = ui_commands; k->base.name != NULL; k++)
		if (strcasecmp(name, k->base.name) == 0)
			return k;
	return NULL;
}

/* -- options ----------------------------------------------------------------------------------- */

enum { OWN_ROWS = 7, SESSION_ROWS = 4, ROWS = OWN_ROWS + SESSION_ROWS + 1 };

static const unsigned own_bits[OWN_ROWS] = {
	O_RECURSIVE, O_LONG, O_FRESH, O_PARENTS, O_DELETE, O_DRY_RUN, O_NO_OVERWRITE};

/* The rows of a command's options (k NULL: of all). In front of a command -p is --profile. */
static void rows_fill(
	struct client_option rows[ROWS], struct ui_options *o, const struct ui_command *k)
{
	const struct client_option own[OWN_ROWS] = {
		{"recursive", 'r', NULL, NULL, &o->recursive, "folders with all in them"},
		{"long", 'l', NULL, NULL, &o->is_long, "ls: time, size and owner too"},
		{"fresh", 'f', NULL, NULL, &o->fresh, "get, put: not on from an earlier part"},
		{"parents", k != NULL ? 'p' : '\0', NULL, NULL, &o->parents,
			"mkdir: make those above too; one may be there"},
		{"delete", 0, NULL, NULL, &o->delete, "sync: delete what the source has not"},
		{"dry-run", 0, NULL, NULL, &o->dry_run, "sync: only tell what would be done"},
		{"no-overwrite", 0, NULL, NULL, &o->no_overwrite, "get: keep files that exist"},
	};
	const struct client_option session[SESSION_ROWS] = {
		{"user", 'u', "NAME", &o->user, NULL, "the account, by password"},
		{"password-file", 'P', "FILE", &o->password_file, NULL,
			"its password: FILE's first line; - standard input"},
		{"parallel", 'n', "COUNT", &o->parallel, NULL, "transfers at once, 1 to 8; 4"},
		{"quiet", 'q', NULL, NULL, &o->quiet, "no progress, nothing about what went well"},
	};
	size_t n = 0;

	for (size_t i = 0; i < OWN_ROWS; i++)
		if (k == NULL || (k->options & own_bits[i]) != 0)
			rows[n++] = own[i];
	for (size_t i = 0; i < SESSION_ROWS; i++)
		rows[n++] = session[i];
	rows[n] = (struct client_option){.name = NULL};
}

/* Options that were given in front of a command that has no use for them. */
static int options_fit(const struct ui *u, const struct ui_command *k)
{
	const bool given[OWN_ROWS] = {u->o.recursive, u->o.is_long, u->o.fresh, u->o.parents,
		u->o.delete, u->o.dry_run, u->o.no_overwrite};
	struct client_option rows[ROWS];
	struct ui_options unused = {.quiet = false};

	rows_fill(rows, &unused, NULL);
	for (size_t i = 0; i < OWN_ROWS; i++)
		if (given[i] && (k->options & own_bits[i]) == 0)
			return client_usage(
				u->client, "--%s is not for %s", rows[i].name, k->base.name);
	return CLIENT_OK;
}

/* Reads the words of one command, argv[0] its name. Negative: go on with *ret_k and *ret. */
static int command_read(struct ui *u, int argc, char **argv, const struct ui_command **ret_k,
	struct client_words *ret)
{
	const struct ui_command *k = ui_command_find(argv[0]);
	struct client_option rows[ROWS];
	_cleanup_(buf_done) struct buf name = BUF_INIT(4096);
	int code;

	ui_name(&name, argv[0]);
	if (k == NULL || (k->shell_only && !u->shell))
		return u->shell
			? client_fail(ERR_EXIT_CONFIG, "there is no command \"%s\"; try help",
				  buf_str(&name))
			: client_usage(u->client, "ftp has no command \"%s\"", buf_str(&name));
	u->client->command = &k->base;
	rows_fill(rows, &u->o, k);
	code = client_options(u->client, argc, argv, rows, k->max_words, ret);
	if (code >= 0)
		return code;
	code = options_fit(u, k);
	if (code != CLIENT_OK)
		return code;
	if (ret->count < k->min_words)
		return client_usage(u->client, "%s: words are missing", k->base.name);
	*ret_k = k;
	return -1;
}

int ui_run(struct ui *u, int argc, char **argv)
{
	const struct client_command *outer = u->client->command;
	const bool json = u->client->json;
	const char *profile = u->client->profile;
	const struct ui_options options = u->o;
	const struct ui_command *k = NULL;
	struct client_words w = {NULL, 0};
	int code = command_read(u, argc, argv, &k, &w);

	if (code < 0 &&
		(u->o.user != options.user || u->o.parallel != options.parallel ||
			u->o.password_file != options.password_file ||
			u->client->profile != profile))
		code = client_usage(u->client, "this is said when the session begins");
	if (code < 0 && k != NULL)
		code = k->run(u, &w);
	u->client->command = outer;
	u->client->json = json;
	u->client->profile = profile;
	u->o = options;
	return code;
}

/* -- commands of the session itself ------------------------------------------------------------ */

static int ui_pwd(struct ui *u, const struct client_words *w)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(UI_NAME_MAX);

	(void)w;
	ui_name(&name, u->cwd);
	return client_done(
		u->client, &(struct table_pair){"folder", u->cwd, NULL}, 1, "%s", buf_str(&name));
}

static int ui_lpwd(struct ui *u, const struct client_words *w)
{
	_cleanup_(cleanup_free) char *cwd = realpath(".", NULL);
	_cleanup_(buf_done) struct buf name = BUF_INIT(65536);

	(void)w;
	if (cwd == NULL)
		return client_fail(ERR_EXIT_CONFIG, "the folder here cannot be told: %m");
	ui_name(&name, cwd);
	return client_done(
		u->client, &(struct table_pair){"folder", cwd, NULL}, 1, "%s", buf_str(&name));
}

static int ui_cd(struct ui *u, const struct client_words *w)
{
	const char *word = w->count > 0 ? w->v[0] : ftp_pool_home(u->pool);
	struct walk_entry e;
	char path[FTP_PATH_SIZE];
	int r = ui_remote_path(u, word, path);

	if (r != CLIENT_OK)
		return r;
	r = walk_stat(u, path, &e);
	if (r < 0)
		return client_fail(client_exit_of(r), "%s", client_why(r));
	if (r == 0 || !e.folder)
		return ui_fail(CLIENT_NO, r == 0 ? ": no such folder" : " is no folder", path);
	memcpy(u->cwd, path, sizeof u->cwd);
	return CLIENT_OK;
}

static int ui_lcd(struct ui *u, const struct client_words *w)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(65536);
	const char *home = getenv("HOME");

	if (w->count > 0)
		ui_local_path(u, w->v[0], &path);
	else
		buf_add_str(&path, home != NULL ? home : "/");
	return chdir(buf_str(&path)) < 0
		? ui_fail(ERR_EXIT_CONFIG, ": no such folder here", buf_str(&path))
		: CLIENT_OK;
}

static int ui_help(struct ui *u, const struct client_words *w)
{
	const struct ui_command *one = w->count > 0 ? ui_command_find(w->v[0]) : NULL;

	(void)u;
	if (w->count > 0 && one == NULL)
		return client_fail(CLIENT_NO, "there is no such command");
	for (const struct ui_command *k = ui_commands; k->base.name != NULL; k++)
		if (one == NULL)
			printf("  %-7s %s\n", k->base.name, k->base.help);
		else if (one == k)
			printf("usage: %s\n\nTo %s.\n", k->base.usage + strlen("ftp "),
				k->base.help);
	return CLIENT_OK;
}

static int ui_quit(struct ui *u, const struct client_words *w)
{
	(void)w;
	u->leave = true;
	return CLIENT_OK;
}

/* -- the subcommand ---------------------------------------------------------------------------- */

static int pool_open(struct ui *u, struct buf *password)
{
	struct ftp_options options = {.want_digest = true, .retries = 5, .user = u->o.user};
	uint64_t parallel = 4;
	int r;

	if (u->o.parallel != NULL &&
		num_parse_u64(span_str(u->o.parallel), 1, FTP_SESSIONS_MAX, &parallel) < 0)
		return client_usage(u->client, "--parallel takes 1 to %d", FTP_SESSIONS_MAX);
	u->parallel = options.sessions = (unsigned)parallel;
	r = profile_need(u->client, u->profile);
	if (r != CLIENT_OK)
		return r;
	if (u->o.user != NULL || u->o.password_file != NULL || u->profile->cert_pem.len == 0) {
		r = ask_password(u->client, u->o.password_file, false, password);
		if (r != CLIENT_OK)
			return r;
		options.password = buf_span(password);
	}
	return ftp_pool_open(u->client, u->profile, &options, &u->pool);
}

static int session(struct ui *u, int argc, char **argv)
{
	_cleanup_(buf_wipe) struct buf password = BUF_INIT(ASK_SECRET_MAX);
	const struct ui_command *k = NULL;
	struct client_words w = {NULL, 0};
	int code = argc > 0 ? command_read(u, argc, argv, &k, &w) : -1;

	if (code >= 0)
		return code;
	u->bar = !u->o.quiet && !u->client->json && isatty(STDERR_FILENO) == 1;
	code = pool_open(u, &password);
	if (code != CLIENT_OK)
		return code;
	if (ui_remote_path(u, ftp_pool_home(u->pool), u->cwd) == CLIENT_OK)
		code = k != NULL ? k->run(u, &w) : shell_run(u);
	ftp_pool_closep(&u->pool);
	return code;
}

int cmd_ftp(struct client *c, int argc, char **argv)
{
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	struct ui u = {.client = c, .profile = &p, .cwd = "/"};
	struct client_option rows[ROWS];
	int used = argc;
	int code;

	rows_fill(rows, &u.o, NULL);
	code = client_options_front(c, argc, argv, rows, &used);
	if (code >= 0)
		return code;
	if (used < argc && strcmp(argv[used], "--") == 0)
		used++;
	return session(&u, argc - used, argv + used);
}
