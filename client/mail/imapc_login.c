/* The life of one IMAP connection: greeting, log-in, what is enabled, goodbye. */
#include "client/mail/imapc.h"

#include "base/text.h"

#include <errno.h>

enum { BYE_S = 2 };

int imapc_new(struct client *c, struct conn *conn, struct imapc **ret)
{
	struct imapc *m = calloc(1, sizeof *m);

	if (m == NULL) {
		conn_free(conn);
		return -ENOMEM;
	}
	m->client = c;
	m->link = LINK_INIT;
	m->conn = conn;
	m->timeout_s = c != NULL ? c->timeout_s : 30;
	m->caps = BUF_INIT(IMAPC_CAPS_MAX);
	m->in = BUF_INIT(IMAPC_ANSWER_MAX + 16);
	*ret = m;
	return 0;
}

void imapc_free(struct imapc *m)
{
	if (m == NULL)
		return;
	if (m->whole)
		imap_answer_done(&m->answer);
	buf_done(&m->in);
	buf_done(&m->caps);
	conn_free(m->conn);
	m->link.conn = NULL;
	link_done(&m->link);
	free(m);
}

void imapc_close(struct imapc *m)
{
	if (m == NULL)
		return;
	m->listen = NULL;
	if (m->error == 0) {
		m->timeout_s = BYE_S;
		conn_set_timeout_s(m->conn, BYE_S);
		if (imapc_runf(m, NULL, NULL, "LOGOUT") == 0)
			(void)conn_close(m->conn);
	}
	imapc_free(m);
}

void imapc_closep(struct imapc **m)
{
	imapc_close(*m);
	*m = NULL;
}

const char *imapc_code(const struct imapc *m)
{
	return m->code;
}

const char *imapc_said(const struct imapc *m)
{
	return m->said;
}

const char *imapc_why(const struct imapc *m, int error)
{
	bool words = error == -EREMOTEIO || error == -EACCES || (m->bye && error == -ECONNRESET);

	return words && m->said[0] != '\0' ? m->said : client_why(error);
}

/* -- log-in ------------------------------------------------------------------------------------ */

/* 0: log in; 1: the server knows who it is already. */
static int greeting(struct imapc *m)
{
	int r = imapc_next(m);

	if (r < 0)
		return r;
	if (span_caseeq_str(m->answer.status, "PREAUTH"))
		return 1;
	if (span_caseeq_str(m->answer.status, "BYE"))
		return -EACCES;
	return span_caseeq_str(m->answer.status, "OK") ? 0 : imapc_lose(m, -EPROTO);
}

/* The answer to the server's question, unless it went along with the command. */
static int sasl_answer(struct imapc *m, uint32_t tag, struct span answer)
{
	for (;;) {
		uint32_t got = 0;
		int r = imapc_next(m);

		if (r < 0)
			return r;
		if (imapc_is_plus(&m->answer)) {
			r = conn_write(m->conn, answer);
			if (r == 0)
				r = conn_printf(m->conn, "\r\n");
			/* Whoever asks twice gets "cancel". */
			answer = SPAN_LIT("*");
			if (r < 0)
				return imapc_lose(m, r);
		} else if (imapc_is_tag(&m->answer, &got) && got == tag) {
			return imapc_note(m) < 0 ? -EACCES : 0;
		}
	}
}

static int authenticate(struct imapc *m, const char *mechanism, struct span secret)
{
	_cleanup_(buf_wipe) struct buf words = BUF_INIT(16384), answer = BUF_INIT(12288);
	bool at_once = imapc_can(m, "SASL-IR");
	struct imapc_piece piece = {.literal = false};
	uint32_t tag;
	int r;

	text_base64(&answer, secret, 0);
	buf_addf(&words, "AUTHENTICATE %s", mechanism);
	if (at_once)
		buf_addf(&words, " %s", secret.len > 0 ? buf_str(&answer) : "=");
	if (buf_error(&answer) < 0 || buf_error(&words) < 0)
		return -EINVAL;
	piece.text = buf_span(&words);
	r = imapc_send(m, &piece, 1, &tag);
	if (r < 0)
		return r;
	return sasl_answer(m, tag, at_once ? SPAN_LIT("*") : buf_span(&answer));
}

static int log_in(struct imapc *m, const char *user, struct span password)
{
	_cleanup_(buf_wipe) struct buf plain = BUF_INIT(4096);

	if (password.len == 0)
		return imapc_can(m, "AUTH=EXTERNAL") ? authenticate(m, "EXTERNAL", SPAN_LIT(""))
						     : -ENOTSUP;
	if (!imapc_can(m, "AUTH=PLAIN"))
		return -ENOTSUP;
	buf_add_byte(&plain, '\0');
	buf_add_str(&plain, user);
	buf_add_byte(&plain, '\0');
	buf_add(&plain, password);
	return buf_error(&plain) < 0 ? -EINVAL : authenticate(m, "PLAIN", buf_span(&plain));
}

static int enabled_heard(void *arg, const struct imap_answer *a)
{
	struct imapc *m = arg;

	if (a->status.len > 0 || !imapc_word(a, 0, "ENABLED"))
		return 0;
	for (size_t i = 1; imapc_nth(a, i) != NULL; i++) {
		m->qresync |= imapc_word(a, i, "QRESYNC");
		m->condstore |= imapc_word(a, i, "CONDSTORE");
		m->utf8 |= imapc_word(a, i, "UTF8=ACCEPT") || imapc_word(a, i, "IMAP4rev2");
	}
	m->condstore |= m->qresync;
	return 0;
}

static int enable(struct imapc *m)
{
	const char *sync = imapc_can(m, "QRESYNC") ? " QRESYNC"
		: imapc_can(m, "CONDSTORE")        ? " CONDSTORE"
						   : "";
	const char *utf8 = imapc_can(m, "UTF8=ACCEPT") ? " UTF8=ACCEPT" : "";
	int r;

	if (!imapc_can(m, "ENABLE") || (*sync == '\0' && *utf8 == '\0'))
		return 0;
	r = imapc_runf(m, enabled_heard, m, "ENABLE%s%s", sync, utf8);
	return r == -EREMOTEIO ? 0 : r;
}

int imapc_login(struct imapc *m, const char *user, struct span password)
{
	int r = greeting(m);

	if (r == 0 && m->caps.len == 0)
		r = imapc_runf(m, NULL, NULL, "CAPABILITY");
	if (r == 0) {
		m->caps_told = false;
		r = log_in(m, user, password);
		/* What a session can may be more than what a stranger was told. */
		if (r == 0 && !m->caps_told)
			r = imapc_runf(m, NULL, NULL, "CAPABILITY");
	}
	if (r == 1 && m->caps.len == 0)
		r = imapc_runf(m, NULL, NULL, "CAPABILITY");
	return r < 0 ? r : enable(m);
}

static int login_failed(const struct imapc *m, int error)
{
	const char *host = m->link.host;

	if (error == -EACCES)
		return client_fail(CLIENT_NO, "%s refuses the log-in: %s", host, m->said);
	if (error == -ENOTSUP)
		return client_fail(
			CLIENT_NO, "%s offers no way to log in that is known here", host);
	return client_fail(
		client_exit_of(error), "%s: the log-in failed: %s", host, imapc_why(m, error));
}

int imapc_open(struct client *c, const struct profile *p, const struct mail_login *login,
	struct imapc **ret)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	bool by_password = login != NULL && login->password.len > 0;
	const char *user = login != NULL && login->user != NULL ? login->user : p->user;
	struct imapc *m = NULL;
	int r = link_open_door(c, p, "imaps", "imap", !by_password, &l);

	if (r != CLIENT_OK)
		return r;
	r = imapc_new(c, l.conn, &m);
	l.conn = NULL;
	if (r < 0)
		return client_fail(ERR_EXIT_TEMP, "%s", err_text(r));
	/* The connection is freed by m, its TLS context by the link that m holds. */
	m->link = l;
	l = LINK_INIT;
	conn_set_deadline(m->conn, INT64_MAX);
	r = imapc_login(m, user, by_password ? login->password : SPAN_LIT(""));
	if (r < 0) {
		r = login_failed(m, r);
		imapc_free(m);
		return r;
	}
	*ret = m;
	return CLIENT_OK;
}
