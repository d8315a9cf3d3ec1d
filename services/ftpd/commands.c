/*
 * The command table and its gate: is it known, may this peer say it now, has it the argument that
 * it needs; then its handler. HELP and FEAT are made of the same rows.
 */
#include "services/ftpd/ftpd.h"

#include <errno.h>

enum { VERB_MAX = 11 };

#define PATH_ARG (FTPD_LOGIN | FTPD_SOME | FTPD_PATH)
#define PATH_OR_CWD (FTPD_LOGIN | FTPD_PATH)
#define DATA_ADDRESS (FTPD_LOGIN | FTPD_KEEPS)

/* clang-format off */
static const struct ftpd_verb verbs[] = {
	{"USER", ftpd_cmd_user, FTPD_SOME, NULL, "NAME"},
	{"PASS", ftpd_cmd_pass, FTPD_SECRET, NULL, "PASSWORD"},
	{"ACCT", ftpd_cmd_acct, FTPD_SECRET, NULL, "ANYTHING"},
	{"HOST", ftpd_cmd_host, FTPD_SOME, "HOST", "NAME"},
	{"REIN", ftpd_cmd_rein, FTPD_NONE, NULL, ""},
	{"QUIT", ftpd_cmd_quit, FTPD_NONE, NULL, ""},
	{"AUTH", ftpd_cmd_auth, FTPD_SOME, "AUTH TLS", "TLS"},
	{"PBSZ", ftpd_cmd_pbsz, FTPD_SOME | FTPD_KEEPS, "PBSZ", "0"},
	{"PROT", ftpd_cmd_prot, FTPD_SOME | FTPD_KEEPS, "PROT", "P"},
	{"CCC", ftpd_cmd_ccc, FTPD_NONE, NULL, NULL},
	{"SYST", ftpd_cmd_syst, FTPD_NONE | FTPD_KEEPS, NULL, ""},
	{"FEAT", ftpd_cmd_feat, FTPD_NONE | FTPD_KEEPS, NULL, ""},
	{"OPTS", ftpd_cmd_opts, FTPD_SOME | FTPD_KEEPS, "UTF8", "UTF8 ON | MLST FACTS | HASH NAME"},
	{"HELP", ftpd_cmd_help, FTPD_KEEPS, NULL, "[COMMAND]"},
	{"STAT", ftpd_cmd_stat, FTPD_PATH | FTPD_OPTIONS | FTPD_URGENT | FTPD_KEEPS, NULL, "[PATH]"},
	{"NOOP", ftpd_cmd_noop, FTPD_URGENT | FTPD_KEEPS, NULL, ""},
	{"CLNT", ftpd_cmd_clnt, FTPD_SOME | FTPD_KEEPS, "CLNT", "NAME"},
	{"TYPE", ftpd_cmd_type, FTPD_SOME | FTPD_KEEPS, NULL, "I | A | L 8"},
	{"MODE", ftpd_cmd_mode, FTPD_SOME | FTPD_KEEPS, NULL, "S"},
	{"STRU", ftpd_cmd_stru, FTPD_SOME | FTPD_KEEPS, NULL, "F"},
	{"CWD", ftpd_cmd_cwd, PATH_ARG, "TVFS", "FOLDER"},
	{"CDUP", ftpd_cmd_cdup, FTPD_LOGIN | FTPD_NONE, NULL, ""},
	{"PWD", ftpd_cmd_pwd, FTPD_LOGIN | FTPD_NONE | FTPD_KEEPS, NULL, ""},
	{"MKD", ftpd_cmd_mkd, PATH_ARG, NULL, "FOLDER"},
	{"RMD", ftpd_cmd_rmd, PATH_ARG, NULL, "FOLDER"},
	{"DELE", ftpd_cmd_dele, PATH_ARG, NULL, "FILE"},
	{"RNFR", ftpd_cmd_rnfr, PATH_ARG | FTPD_KEEPS, NULL, "PATH"},
	{"RNTO", ftpd_cmd_rnto, PATH_ARG, NULL, "PATH"},
	{"SIZE", ftpd_cmd_size, PATH_ARG | FTPD_KEEPS, "SIZE", "FILE"},
	{"MDTM", ftpd_cmd_mdtm, PATH_ARG | FTPD_KEEPS, "MDTM", "PATH"},
	{"MFMT", ftpd_cmd_mfmt, FTPD_LOGIN | FTPD_SOME, "MFMT", "YYYYMMDDHHMMSS PATH"},
	{"MLST", ftpd_cmd_mlst, PATH_OR_CWD | FTPD_KEEPS, "MLST", "[PATH]"},
	{"AVBL", ftpd_cmd_avbl, PATH_OR_CWD | FTPD_KEEPS, "AVBL", "[FOLDER]"},
	{"HASH", ftpd_cmd_hash, PATH_ARG, "HASH", "FILE"},
	{"XSHA256", ftpd_cmd_xsha256, FTPD_LOGIN | FTPD_SOME, "XSHA256", "FILE [FIRST END]"},
	{"XCRC", ftpd_cmd_xcrc, FTPD_LOGIN | FTPD_SOME, "XCRC", "FILE [FIRST END]"},
	{"EPSV", ftpd_cmd_epsv, DATA_ADDRESS, "EPSV", "[1 | 2 | ALL]"},
	{"PASV", ftpd_cmd_pasv, DATA_ADDRESS | FTPD_NONE, "PASV", ""},
	{"EPRT", ftpd_cmd_eprt, DATA_ADDRESS | FTPD_SOME, "EPRT", "|FAMILY|ADDRESS|PORT|"},
	{"PORT", ftpd_cmd_port, DATA_ADDRESS | FTPD_SOME, NULL, "H1,H2,H3,H4,P1,P2"},
	{"ALLO", ftpd_cmd_allo, FTPD_LOGIN | FTPD_SOME | FTPD_KEEPS, NULL, "BYTES"},
	{"REST", ftpd_cmd_rest, FTPD_LOGIN | FTPD_SOME | FTPD_KEEPS, "REST STREAM", "OFFSET"},
	{"RANG", ftpd_cmd_rang, FTPD_LOGIN | FTPD_SOME | FTPD_KEEPS, "RANG STREAM", "FIRST LAST"},
	{"RETR", ftpd_cmd_retr, PATH_ARG, NULL, "FILE"},
	{"STOR", ftpd_cmd_stor, PATH_ARG, NULL, "FILE"},
	{"STOU", ftpd_cmd_stou, PATH_OR_CWD, NULL, "[FILE]"},
	{"APPE", ftpd_cmd_appe, PATH_ARG, NULL, "FILE"},
	{"LIST", ftpd_cmd_list, PATH_OR_CWD | FTPD_OPTIONS, NULL, "[PATH]"},
	{"NLST", ftpd_cmd_nlst, PATH_OR_CWD | FTPD_OPTIONS, NULL, "[PATH]"},
	{"MLSD", ftpd_cmd_mlsd, PATH_OR_CWD, NULL, "[FOLDER]"},
	{"ABOR", ftpd_cmd_abor, FTPD_URGENT, NULL, ""},
	{"SITE", ftpd_cmd_site, FTPD_SOME | FTPD_SECRET | FTPD_KEEPS, NULL, "COMMAND (see HELP SITE)"},
	/* The names of RFC 775, which old clients say. */
	{"XCWD", ftpd_cmd_cwd, PATH_ARG, NULL, NULL},
	{"XCUP", ftpd_cmd_cdup, FTPD_LOGIN | FTPD_NONE, NULL, NULL},
	{"XPWD", ftpd_cmd_pwd, FTPD_LOGIN | FTPD_NONE, NULL, NULL},
	{"XMKD", ftpd_cmd_mkd, PATH_ARG, NULL, NULL},
	{"XRMD", ftpd_cmd_rmd, PATH_ARG, NULL, NULL},
	/* Of RFC 959, 2228 and 2640, and not offered. */
	{"SMNT", NULL, 0, NULL, NULL},
	{"ADAT", NULL, FTPD_SECRET, NULL, NULL},
	{"MIC", NULL, FTPD_SECRET, NULL, NULL},
	{"CONF", NULL, FTPD_SECRET, NULL, NULL},
	{"ENC", NULL, FTPD_SECRET, NULL, NULL},
	{"LANG", NULL, 0, NULL, NULL},
};

static const struct ftpd_verb site_verbs[] = {
	{"REGISTER", ftpd_site_register, FTPD_SOME | FTPD_SECRET, NULL, "NAME PASSWORD [INVITE]"},
	{"RMTREE", ftpd_site_rmtree, PATH_ARG | FTPD_KEEPS, NULL, "FOLDER"},
	{"DROP", ftpd_site_drop, PATH_ARG, NULL, "FILE"},
	{"HELP", ftpd_site_help, FTPD_KEEPS, NULL, ""},
};
/* clang-format on */

const struct ftpd_verb *ftpd_verbs(size_t *ret_count)
{
	*ret_count = sizeof(verbs) / sizeof(verbs[0]);
	return verbs;
}

const struct ftpd_verb *ftpd_site_verbs(size_t *ret_count)
{
	*ret_count = sizeof(site_verbs) / sizeof(site_verbs[0]);
	return site_verbs;
}

static const struct ftpd_verb *find(const struct ftpd_verb *table, size_t count, struct span name)
{
	for (size_t i = 0; i < count; i++)
		if (span_caseeq_str(name, table[i].name))
			return &table[i];
	return NULL;
}

bool ftpd_command_is_urgent(struct span line)
{
	struct ftp_command command;
	const struct ftpd_verb *verb;
	size_t count;

	if (ftp_command_parse(line, &command) < 0)
		return false;
	(void)ftpd_verbs(&count);
	verb = find(verbs, count, span_str(command.verb));
	return verb != NULL && (verb->flags & FTPD_URGENT) != 0;
}

void ftpd_forget(struct ftpd *f)
{
	f->rest_set = false;
	f->rest = 0;
	f->range = (struct ftpd_range){0};
	f->allo = 0;
	f->rename_from[0] = '\0';
	f->rmtree[0] = '\0';
}

int ftpd_resolve(struct ftpd *f, struct span argument, char ret[FTP_PATH_SIZE])
{
	const char *text;
	unsigned code;
	int r = ftp_path_resolve(f->cwd, argument, ret);

	if (r == 0)
		return 0;
	code = ftpd_error_code(r, &text);
	r = ftpd_reply(f, code, "No: %s.", text);
	return r < 0 ? r : 1;
}

/* What the peer did wrong, told and counted. */
static int refuse(struct ftpd *f, unsigned code, const char *text)
{
	f->bad++;
	return ftpd_reply(f, code, "%s", text);
}

static struct span skip_options(struct span argument)
{
	struct span word;

	while (argument.len > 0 && argument.p[0] == '-')
		(void)span_split(&argument, ' ', &word);
	return argument;
}

/* The argument as the row wants it. 0; 1: refused; negative: as conn. */
static int take_argument(struct ftpd_call *c, const struct ftpd_verb *verb)
{
	int r;

	if ((verb->flags & FTPD_OPTIONS) != 0)
		c->argument = skip_options(c->argument);
	if ((verb->flags & FTPD_NONE) != 0 && span_trim(c->argument).len > 0) {
		r = refuse(c->f, 501, "This takes no argument.");
		return r < 0 ? r : 1;
	}
	if ((verb->flags & FTPD_SOME) != 0 && span_trim(c->argument).len == 0) {
		r = refuse(c->f, 501, "This takes an argument; HELP tells which.");
		return r < 0 ? r : 1;
	}
	return (verb->flags & FTPD_PATH) != 0 ? ftpd_resolve(c->f, c->argument, c->path) : 0;
}

static void log_command(const struct ftpd_verb *verb, struct span argument)
{
	if ((verb->flags & FTPD_SECRET) != 0)
		argument = SPAN_LIT("...");
	log_event(LOG_LEVEL_DEBUG, "command",
		log_fields({"COMMAND", span_str(verb->name)}, {"ARGUMENT", argument}));
}

/* One row behind the gate; the same for SITE's own table. */
static int run(struct ftpd_call *c, const struct ftpd_verb *verb)
{
	struct ftpd *f = c->f;
	int r;

	log_command(verb, c->argument);
	if (verb->run == NULL)
		return refuse(f, 502, "This is not offered here.");
	if ((verb->flags & FTPD_LOGIN) != 0 && !f->logged_in)
		return refuse(f, 530, "Please log in first (USER and PASS).");
	r = take_argument(c, verb);
	if (r != 0)
		return r < 0 ? r : 0;
	f->bad = 0;
	r = verb->run(c);
	if ((verb->flags & FTPD_KEEPS) == 0)
		ftpd_forget(f);
	return r;
}

int ftpd_command(struct ftpd *f, struct span line)
{
	struct ftpd_call c = {.f = f};
	struct ftp_command command;
	const struct ftpd_verb *verb;
	size_t count;

	f->service->commands++;
	if (ftp_command_parse(line, &command) < 0)
		return refuse(f, 500, "That is no command; try HELP.");
	(void)ftpd_verbs(&count);
	verb = find(verbs, count, span_str(command.verb));
	if (verb == NULL)
		return refuse(f, 500, "Unknown command; try HELP.");
	c.argument = command.argument;
	return run(&c, verb);
}

int ftpd_cmd_site(struct ftpd_call *c)
{
	struct ftpd_call sub = {.f = c->f, .argument = c->argument};
	const struct ftpd_verb *verb;
	struct span word = {0};
	size_t count;

	(void)span_split(&sub.argument, ' ', &word);
	(void)ftpd_site_verbs(&count);
	verb = word.len <= VERB_MAX ? find(site_verbs, count, word) : NULL;
	if (verb == NULL)
		return refuse(c->f, 500, "Unknown SITE command; try HELP SITE.");
	return run(&sub, verb);
}
