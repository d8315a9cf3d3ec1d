/* Sending what waits in the outbox: in order, each once, then into Sent. */
#include "client/mail/outbox_i.h"

#include "client/mail/submit.h"
#include "net/wait.h"

#include <errno.h>

enum {
	SEALED_MAX = 2 * MAIL_MESSAGE_MAX,
	NAMES_MAX = 4 << 20,
	ATTEMPTS = 2,
	LOCK_TRIES = 50,
	LOCK_MS = 100
};

struct sending {
	struct client *c;
	const struct profile *p;
	const struct mail_login *login;
	int dir_fd;
	struct submit *line;
	struct imapc *m, *own; /* own: opened here */
	char sent_box[MAIL_NAME_MAX];
	struct outbox_result *ret;
	unsigned others; /* that wait for another account */
	int code; /* of what failed; CLIENT_OK */
};

static void why(struct sending *s, const char *text)
{
	snprintf(s->ret->why, sizeof s->ret->why, "%s", text);
}

/* -- one letter -------------------------------------------------------------------------------- */

static int refuse(struct sending *s, const char *name, const char *words)
{
	int r = outbox_why_write(s->dir_fd, name, words);

	if (r == 0)
		r = outbox_turn(s->dir_fd, name, OUTBOX_WAITING, OUTBOX_REFUSED);
	why(s, words);
	if (r == 0)
		s->ret->refused++;
	return r;
}

/* The server has it. Whatever happens from here on, it is not sent again. */
static int done(struct sending *s, const char *name, bool keep)
{
	s->ret->sent++;
	return keep ? outbox_turn(s->dir_fd, name, OUTBOX_WAITING, OUTBOX_SENT)
		    : outbox_drop(s->dir_fd, name, OUTBOX_WAITING);
}

/* Over the line that is there, or another one when that is lost: the server knows a letter that it
 * has already. */
static int give(struct sending *s, const struct outbox_file *f)
{
	const struct submit_letter letter = {f->from, f->to, f->to_count, f->message};
	int r = -ECONNRESET;

	for (int i = 0; i < ATTEMPTS; i++) {
		if (s->line == NULL) {
			s->code = submit_open(s->c, s->p, s->login, &s->line);
			if (s->code != CLIENT_OK)
				return -ENOTCONN;
		}
		r = submit_send(s->line, &letter);
		if (r == 0 || r == -EREMOTEIO || r == -EBUSY || r == -EINVAL)
			return r;
		submit_closep(&s->line);
		if (r == -ECANCELED)
			break;
	}
	return r;
}

static int wait_more(struct sending *s, int r, const char *words)
{
	why(s, words);
	if (s->code == CLIENT_OK)
		s->code = client_exit_of(r);
	return r;
}

/* Nobody could be asked for certificates when it was written. What is sealed is on disk before it
 * goes: the server knows a retry by its bytes. 1: it was refused. */
static int seal(struct sending *s, const char *name, struct outbox_file *f)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT(SEALED_MAX);
	const struct smime_letter open = {
		.message = f->message, .to = f->to, .to_count = f->to_count, .how = f->how};
	char missing[256] = "", words[320];
	bool encrypted;
	int r = smime_protect(s->c, s->p, &open, &sealed, &encrypted, missing);
	const struct outbox_letter l = {.from = f->from,
		.to = f->to,
		.to_count = f->to_count,
		.keep = f->keep,
		.message = buf_span(&sealed)};

	if (r == -ENOENT) {
		snprintf(words, sizeof words, "it cannot be encrypted: %s has no certificate",
			missing);
		r = refuse(s, name, words);
		return r < 0 ? r : 1;
	}
	if (r < 0)
		return wait_more(s, r, "nobody can be asked for certificates");
	r = outbox_write(s->dir_fd, name, &l);
	if (r < 0)
		return r;
	outbox_file_done(f);
	return outbox_read(s->dir_fd, name, OUTBOX_WAITING, f);
}

/* A letter of another account that this profile is used for too: it waits for its own log-in. */
static bool is_of_another(const struct sending *s, const struct outbox_file *f)
{
	char own[320];

	mail_own_address(s->p, s->login->user, own);
	return f->from[0] != '\0' && strcmp(f->from, own) != 0;
}

/* 0: the next one; negative: the rest has to wait. */
static int send_one(struct sending *s, const char *name)
{
	_cleanup_(outbox_file_done) struct outbox_file f = {.to = NULL};
	int r = outbox_read(s->dir_fd, name, OUTBOX_WAITING, &f);

	if (r == -ENOENT)
		return 0;
	if (r == -EBADMSG)
		return refuse(s, name, "its file is damaged");
	if (r == 0 && is_of_another(s, &f)) {
		s->others++;
		return 0;
	}
	if (r == 0 && f.how != SMIME_PLAIN)
		r = seal(s, name, &f);
	if (r != 0)
		return r < 0 ? r : 0;
	r = give(s, &f);
	if (r == 0)
		return done(s, name, f.keep);
	if (r == -EREMOTEIO)
		return refuse(s, name, submit_said(s->line));
	if (r == -EINVAL)
		return refuse(s, name, "it has no recipients");
	return wait_more(s, r,
		r == -EBUSY              ? submit_said(s->line)
			: r == -ENOTCONN ? "the server cannot be reached"
					 : client_why(r));
}

static int each(
	struct sending *s, enum outbox_state state, int (*one)(struct sending *, const char *))
{
	_cleanup_(buf_done) struct buf names = BUF_INIT(NAMES_MAX);
	size_t count = 0;
	int r = outbox_names(s->dir_fd, state, &names, &count);

	for (const char *n = buf_str(&names); r == 0 && count > 0; count--, n += strlen(n) + 1)
		r = one(s, n);
	return r;
}

/* -- into Sent --------------------------------------------------------------------------------- */

static int sent_line(struct sending *s)
{
	struct mail_folder *list = NULL;
	const struct mail_folder *sent;
	size_t count = 0;
	int r = 0;

	if (s->m == NULL) {
		if (imapc_open(s->c, s->p, s->login, &s->own) != CLIENT_OK)
			return -ENOTCONN;
		s->m = s->own;
	}
	if (s->sent_box[0] != '\0')
		return 0;
	r = mail_folders(s->m, &list, &count);
	if (r < 0)
		return r;
	sent = mail_folder_find(list, count, "\\Sent", "Sent");
	snprintf(s->sent_box, sizeof s->sent_box, "%s", sent != NULL ? sent->name : "Sent");
	mail_folders_free(list, count);
	return 0;
}

static int keep_one(struct sending *s, const char *name)
{
	_cleanup_(outbox_file_done) struct outbox_file f = {.to = NULL};
	int r = outbox_read(s->dir_fd, name, OUTBOX_SENT, &f);

	if (r == -ENOENT || (r == 0 && is_of_another(s, &f)))
		return 0;
	if (r == 0)
		r = sent_line(s);
	if (r == 0)
		r = mailbox_append(s->m, s->sent_box, f.copy, IMAP_FLAG_SEEN);
	if (r == 0 || r == -EBADMSG)
		return outbox_drop(s->dir_fd, name, OUTBOX_SENT);
	if (s->ret->why[0] == '\0')
		snprintf(s->ret->why, sizeof s->ret->why,
			"it was sent, but is not in Sent yet: %.400s",
			s->m != NULL ? imapc_why(s->m, r) : client_why(r));
	return r;
}

/* -- all --------------------------------------------------------------------------------------- */

/* Another process may be sending: a little patience. */
static int lock(struct sending *s, int *ret_fd)
{
	int r = outbox_lock(s->dir_fd, ret_fd);

	for (int i = 0; r == -EBUSY && i < LOCK_TRIES; i++) {
		struct pollfd p = {.fd = s->c->signal_fd, .events = POLLIN};

		if (net_wait(&p, 1, LOCK_MS) != 0)
			return -ECANCELED;
		r = outbox_lock(s->dir_fd, ret_fd);
	}
	return r;
}

static unsigned count_of(const struct sending *s, enum outbox_state state)
{
	_cleanup_(buf_done) struct buf names = BUF_INIT(NAMES_MAX);
	size_t count = 0;

	return outbox_names(s->dir_fd, state, &names, &count) == 0 ? (unsigned)count : 0;
}

static int send_all(struct sending *s)
{
	int r = each(s, OUTBOX_WAITING, send_one), kept;

	submit_closep(&s->line);
	kept = r == -ECANCELED ? r : each(s, OUTBOX_SENT, keep_one);
	imapc_closep(&s->own);
	s->ret->left = count_of(s, OUTBOX_WAITING) - s->others;
	if (s->code != CLIENT_OK)
		return s->code;
	if (r < 0)
		return r == -EBUSY ? ERR_EXIT_TEMP : client_exit_of(r);
	if (s->ret->refused > 0)
		return CLIENT_NO;
	return kept < 0 ? ERR_EXIT_TEMP : CLIENT_OK;
}

int outbox_send(struct client *c, const struct profile *p, const struct mail_login *login,
	struct imapc *m, struct outbox_result *ret)
{
	_cleanup_(cleanup_close) int dir_fd = -1, lock_fd = -1;
	struct sending s = {.c = c, .p = p, .login = login, .m = m, .ret = ret};
	int r;

	*ret = (struct outbox_result){.sent = 0};
	r = outbox_open(p, &dir_fd);
	if (r < 0)
		return client_fail(
			client_unwritten(r), "the outbox cannot be opened: %s", err_text(r));
	s.dir_fd = dir_fd;
	r = lock(&s, &lock_fd);
	if (r < 0) {
		ret->left = count_of(&s, OUTBOX_WAITING);
		why(&s, r == -EBUSY ? "another quintet is sending" : client_why(r));
		return r == -EBUSY ? ERR_EXIT_TEMP : client_exit_of(r);
	}
	return send_all(&s);
}
