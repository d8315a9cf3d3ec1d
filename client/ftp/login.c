/*
 * From the greeting to a session that is ready: by certificate (232) or password, what the server
 * can, protection of the data connections, binary, the folder where one is.
 */
#include "client/ftp/session.h"
#include "net/tls.h"

#include <errno.h>

static int refused(struct session *s, const struct reply *r, int error)
{
	session_note(s, r);
	s->error = error;
	return error;
}

/* Until a data connection says more. */
static void security_note(struct session *s)
{
	const struct tls_info *t = conn_tls(s->conn);

	if (t != NULL && s->pool->security[0] == '\0')
		snprintf(s->pool->security, sizeof s->pool->security, "%s, %s", t->protocol,
			t->cipher);
}

/* The last of the commands that prepare a session; it begins with the task it was opened for. */
static int told_folder(struct session *s, const struct reply *r)
{
	struct ftp_pool *p = s->pool;
	char path[FTP_PATH_SIZE];

	if (r->code < 200)
		return 0;
	if (p->home[0] == '\0' && r->code == 257 && ftp_unquote(r->text, path) == 0 &&
		path[0] == '/')
		snprintf(p->home, sizeof p->home, "%s", path);
	security_note(s);
	s->state = SESSION_READY;
	s->was_ready = true;
	return s->task != NULL ? task_begin(s) : 0;
}

/* Commands that have to succeed, and such that need not. */
static int must_succeed(struct session *s, const struct reply *r)
{
	return r->code >= 300 ? refused(s, r, -EREMOTEIO) : 0;
}

static int may_fail(struct session *s, const struct reply *r)
{
	(void)s;
	(void)r;
	return 0;
}

static bool has_word(struct span list, const char *word, bool *ret_star)
{
	struct span item;

	while (span_split(&list, ';', &item)) {
		bool star = item.len > 0 && item.p[item.len - 1] == '*';

		if (star)
			item.len--;
		if (span_caseeq_str(item, word)) {
			*ret_star = star;
			return true;
		}
	}
	return false;
}

static unsigned feature_of(struct span line)
{
	static const struct {
		const char *name;
		unsigned feature;
	} plain[] = {{"MLST", SESSION_HAS_MLST}, {"MFMT", SESSION_HAS_MFMT},
		{"UTF8", SESSION_HAS_UTF8}, {"RANG", SESSION_HAS_RANGE}};
	bool star = false;
	struct span word;

	line = span_trim(line);
	if (!span_split(&line, ' ', &word))
		return 0;
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
		if (span_caseeq_str(word, plain[i].name))
			return plain[i].feature;
	if (!span_caseeq_str(word, "HASH") || !has_word(line, "SHA-256", &star))
		return 0;
	return SESSION_HAS_HASH | (star ? 0 : SESSION_HASH_OTHER);
}

/* In one go: the server answers them in order. */
static int prepare(struct session *s)
{
	int r = 0;

	if ((s->features & SESSION_HAS_UTF8) != 0)
		r = session_ask(s, may_fail, "OPTS UTF8 ON");
	if (r == 0 && (s->features & SESSION_HAS_MLST) != 0)
		r = session_ask(s, may_fail,
			"OPTS MLST type;size;modify;perm;unique;UNIX.ownername;X.sha256;");
	if (r == 0 && (s->features & SESSION_HASH_OTHER) != 0)
		r = session_ask(s, may_fail, "OPTS HASH SHA-256");
	if (r == 0)
		r = session_ask(s, must_succeed, "PBSZ 0");
	if (r == 0)
		r = session_ask(s, must_succeed, "PROT P");
	if (r == 0)
		r = session_ask(s, must_succeed, "TYPE I");
	return r == 0 ? session_ask(s, told_folder, "PWD") : r;
}

static int told_features(struct session *s, const struct reply *r)
{
	struct span rest = r->lines, line;

	if (r->code < 200)
		return 0;
	while (r->code == 211 && span_split(&rest, '\n', &line))
		s->features |= feature_of(line);
	return prepare(s);
}

static int logged_in(struct session *s)
{
	return session_ask(s, told_features, "FEAT");
}

static int told_pass(struct session *s, const struct reply *r)
{
	if (r->code < 200)
		return 0;
	if (r->code >= 400 && r->code < 500)
		return refused(s, r, -EREMOTEIO);
	return r->code < 300 ? logged_in(s) : refused(s, r, -EACCES);
}

static int told_user(struct session *s, const struct reply *r)
{
	struct span password = s->pool->options.password;

	if (r->code < 200)
		return 0;
	if (r->code < 300)
		return logged_in(s);
	if (r->code == 331 && password.len > 0 && memchr(password.p, '\0', password.len) == NULL)
		return session_ask(
			s, told_pass, "PASS %.*s", (int)password.len, (const char *)password.p);
	if (r->code >= 400 && r->code < 500)
		return refused(s, r, -EREMOTEIO);
	return refused(s, r, -EACCES);
}

static int greeted(struct session *s, const struct reply *r)
{
	if (r->code < 200)
		return 0;
	if (r->code != 220)
		return refused(s, r, -EREMOTEIO);
	return session_ask(s, told_user, "USER %s", s->pool->user);
}

int session_login(struct session *s)
{
	s->state = SESSION_LOGIN;
	s->asked[s->asked_count++] = greeted;
	session_wait(s);
	return 0;
}
