/*
 * What the server says about itself and the session: FEAT, OPTS, HELP, STAT, SYST; and the commands
 * that choose what there is no choice of (TYPE, MODE, STRU).
 */
#include "services/ftpd/data.h"
#include "services/ftpd/transfer.h"
#include "services/ftpd/tree.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "store/policy.h"

#include <errno.h>

enum {
	TEXT_MAX = FTPD_REPLY_MAX,
	STAT_ENTRIES_MAX = 500, /* of a listing over the control connection */
	STAT_BYTES_MAX = 196608,
};

/* -- features and help -------------------------------------------------------------------------
 */

bool ftpd_active_allowed(const struct ftpd *f)
{
	char value[POLICY_VALUE_SIZE];

	return policy_text(f->service->store, "ftp_active", value) == 0 &&
		strcmp(value, "yes") == 0;
}

static void write_hashes(struct buf *b, enum ftp_hash chosen)
{
	for (enum ftp_hash h = 0; h < FTP_HASH_COUNT; h++)
		buf_addf(b, "%s%s%s", h > 0 ? ";" : "", ftp_hash_name(h), h == chosen ? "*" : "");
}

/* The lines of some rows depend on what was chosen or allowed. */
static void write_feature(struct buf *b, const struct ftpd_verb *verb, const struct ftpd *f)
{
	if (strcmp(verb->name, "EPRT") == 0 && (f == NULL || !ftpd_active_allowed(f)))
		return;
	buf_add_str(b, verb->feature);
	if (strcmp(verb->name, "MLST") == 0) {
		buf_add_byte(b, ' ');
		ftp_facts_names(b, f != NULL ? f->facts : FTP_FACT_ALL, true);
	}
	if (strcmp(verb->name, "HASH") == 0) {
		buf_add_byte(b, ' ');
		write_hashes(b, f != NULL ? f->hash : FTP_HASH_SHA256);
	}
	buf_add_byte(b, '\n');
}

void ftpd_features_write(struct buf *b, const struct ftpd *f)
{
	size_t count;
	const struct ftpd_verb *verbs = ftpd_verbs(&count);

	for (size_t i = 0; i < count; i++)
		if (verbs[i].feature != NULL)
			write_feature(b, &verbs[i], f);
}

static int say_lines(struct ftpd *f, unsigned code, const char *first, const struct buf *lines)
{
	if (buf_error(lines) != 0)
		return ftpd_reply(f, 451, "Not possible at the moment; try again later.");
	return ftpd_reply_lines(f, code, first, buf_span(lines), "End");
}

int ftpd_cmd_feat(struct ftpd_call *c)
{
	_cleanup_(buf_done) struct buf lines = BUF_INIT(TEXT_MAX);

	ftpd_features_write(&lines, c->f);
	return say_lines(c->f, 211, "Features:", &lines);
}

void ftpd_help_write(struct buf *b, const struct ftpd_verb *verbs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (verbs[i].syntax != NULL)
			buf_addf(b, "%s%s%s\n", verbs[i].name, *verbs[i].syntax != '\0' ? " " : "",
				verbs[i].syntax);
}

static int help_with(struct ftpd *f, struct span name)
{
	size_t count;
	const struct ftpd_verb *verbs = ftpd_verbs(&count);

	for (size_t i = 0; i < count; i++)
		if (span_caseeq_str(name, verbs[i].name) && verbs[i].run != NULL)
			return ftpd_reply(f, 214, "%s %s", verbs[i].name,
				verbs[i].syntax != NULL ? verbs[i].syntax : "");
	return ftpd_reply(f, 504, "There is no such command.");
}

/* HELP, HELP COMMAND, HELP SITE; and SITE HELP, whose argument is empty as well. */
static int help(struct ftpd *f, bool site)
{
	_cleanup_(buf_done) struct buf lines = BUF_INIT(TEXT_MAX);
	size_t count;
	const struct ftpd_verb *verbs = site ? ftpd_site_verbs(&count) : ftpd_verbs(&count);

	ftpd_help_write(&lines, verbs, count);
	return say_lines(f, 214, site ? "SITE takes:" : "Commands:", &lines);
}

int ftpd_cmd_help(struct ftpd_call *c)
{
	struct span name = span_trim(c->argument);

	if (span_caseeq_str(name, "SITE"))
		return help(c->f, true);
	return name.len > 0 ? help_with(c->f, name) : help(c->f, false);
}

int ftpd_site_help(struct ftpd_call *c)
{
	return help(c->f, true);
}

/* -- options -----------------------------------------------------------------------------------
 */

static int opts_utf8(struct ftpd *f, struct span argument)
{
	if (argument.len > 0 && !span_caseeq_str(argument, "ON"))
		return ftpd_reply(f, 504, "Names are UTF-8 here, always.");
	return ftpd_reply(f, 200, "Names are UTF-8.");
}

static int opts_mlst(struct ftpd *f, struct span argument)
{
	_cleanup_(buf_done) struct buf names = BUF_INIT(TEXT_MAX);

	f->facts = ftp_facts_select(argument);
	ftp_facts_names(&names, f->facts, false);
	return ftpd_reply(f, 200, "MLST OPTS%s%s", names.len > 0 ? " " : "", buf_str(&names));
}

static int opts_hash(struct ftpd *f, struct span argument)
{
	if (argument.len > 0 && ftp_hash_find(argument, &f->hash) < 0)
		return ftpd_reply(f, 501, "There is no such algorithm; FEAT tells which.");
	return ftpd_reply(f, 200, "%s", ftp_hash_name(f->hash));
}

int ftpd_cmd_opts(struct ftpd_call *c)
{
	static const struct {
		const char *name;
		int (*run)(struct ftpd *f, struct span argument);
	} rows[] = {
		{"UTF8", opts_utf8},
		{"UTF-8", opts_utf8},
		{"MLST", opts_mlst},
		{"HASH", opts_hash},
	};
	struct span rest = span_trim(c->argument), name = {0};

	(void)span_split(&rest, ' ', &name);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_caseeq_str(name, rows[i].name))
			return rows[i].run(c->f, span_trim(rest));
	return ftpd_reply(c->f, 501, "This has no options.");
}

/* -- STAT --------------------------------------------------------------------------------------
 */

static void describe_tls(const struct ftpd *f, struct buf *b)
{
	const struct tls_info *tls = conn_tls(f->control);
	const char *data = data_describe(f->data);

	if (tls == NULL)
		buf_add_str(b, "Commands: no TLS\n");
	else
		buf_addf(b, "Commands: %s, %s%s%s\n", tls->protocol, tls->cipher,
			*tls->group != '\0' ? ", " : "", tls->group);
	if (!f->prot_private)
		buf_add_str(b, "Data: nothing before PROT P\n");
	else
		buf_addf(b, "Data: %s%s\n", *data != '\0' ? "last by " : "over TLS", data);
}

static void describe_account(const struct ftpd *f, struct buf *b)
{
	const struct service *s = f->service;

	if (f->logged_in)
		buf_addf(b, "Logged in as %s by %s%s\n", f->user,
			s->who.proof == AUTH_CERTIFICATE ? "certificate" : "password",
			f->admin ? ", an administrator" : "");
	else
		buf_add_str(b, "Not logged in\n");
	if (s->cert_reason[0] != '\0')
		buf_addf(b, "Certificate not taken: %s\n", s->cert_reason);
	buf_addf(b, "In %s\n", f->cwd);
}

static void describe_work(const struct ftpd *f, struct buf *b)
{
	if (f->transfer != NULL) {
		transfer_describe(f, b);
		buf_add_byte(b, '\n');
	} else {
		buf_add_str(b, f->job != NULL ? "At work\n" : "No transfer under way\n");
	}
}

static int stat_session(struct ftpd *f)
{
	_cleanup_(buf_done) struct buf lines = BUF_INIT(TEXT_MAX);

	buf_addf(&lines, "From %s\n", f->service->peer.text);
	describe_tls(f, &lines);
	describe_account(f, &lines);
	describe_work(f, &lines);
	return say_lines(f, 211, "Quintet files:", &lines);
}

struct stat_listing {
	struct buf lines;
	int64_t now_us;
};

static int add_entry(void *arg, const char *name, const struct ftp_entry *e)
{
	struct stat_listing *l = arg;

	/* Such a name was dropped in by the administrator, and would break the lines. */
	if (!text_is_clean(span_str(name)))
		return 0;
	ftp_list_write(&l->lines, e, l->now_us, name);
	buf_add_byte(&l->lines, '\n');
	return 0;
}

static int stat_path(struct ftpd *f, const char *path)
{
	struct stat_listing l = {.lines = BUF_INIT(STAT_BYTES_MAX), .now_us = time_now_us()};
	struct tree_list *list = NULL;
	int more, r = tree_list_open(f->tree, path, &list);

	if (r < 0)
		return ftpd_reply_error(f, r, path);
	more = tree_list_next(list, STAT_ENTRIES_MAX, add_entry, &l);
	tree_list_free(list);
	if (more < 0)
		r = ftpd_reply_error(f, more, path);
	else if (buf_error(&l.lines) != 0)
		r = ftpd_reply(f, 451, "There is too much in it for this; LIST shows it.");
	else
		r = ftpd_reply_lines(f, 213, "Files:", buf_span(&l.lines),
			more > 0 ? "That is not all; LIST shows the rest." : "End");
	buf_done(&l.lines);
	return r;
}

int ftpd_cmd_stat(struct ftpd_call *c)
{
	if (span_trim(c->argument).len == 0)
		return stat_session(c->f);
	if (!c->f->logged_in)
		return ftpd_reply(c->f, 530, "Please log in first (USER and PASS).");
	return stat_path(c->f, c->path);
}

/* -- small ones --------------------------------------------------------------------------------
 */

int ftpd_cmd_syst(struct ftpd_call *c)
{
	return ftpd_reply(c->f, 215, FTPD_SYSTEM);
}

int ftpd_cmd_noop(struct ftpd_call *c)
{
	return ftpd_reply(c->f, 200, "Still here.");
}

int ftpd_cmd_clnt(struct ftpd_call *c)
{
	return ftpd_reply(c->f, 200, "Good to know.");
}

int ftpd_cmd_quit(struct ftpd_call *c)
{
	c->f->quit = true;
	return ftpd_reply(c->f, 221, "Goodbye.");
}

/* -- no choice ---------------------------------------------------------------------------------
 */

struct choice {
	const char *value; /* NULL ends the table: anything else */
	unsigned code;
	const char *text;
};

static int choose(struct ftpd_call *c, const struct choice *row)
{
	while (row->value != NULL && !span_caseeq_str(span_trim(c->argument), row->value))
		row++;
	return ftpd_reply(c->f, row->code, "%s", row->text);
}

int ftpd_cmd_type(struct ftpd_call *c)
{
	static const struct choice types[] = {
		{"I", 200, "Bytes go unchanged."},
		{"L 8", 200, "Bytes go unchanged."},
		{"A", 200, "Text, whose bytes go unchanged as well."},
		{"A N", 200, "Text, whose bytes go unchanged as well."},
		{NULL, 504, "Only TYPE I, A and L 8."},
	};

	return choose(c, types);
}

int ftpd_cmd_mode(struct ftpd_call *c)
{
	static const struct choice modes[] = {
		{"S", 200, "A stream of bytes."},
		{NULL, 504, "Only MODE S, a stream of bytes."},
	};

	return choose(c, modes);
}

int ftpd_cmd_stru(struct ftpd_call *c)
{
	static const struct choice structures[] = {
		{"F", 200, "Files, as they are."},
		{NULL, 504, "Only STRU F, files as they are."},
	};

	return choose(c, structures);
}
