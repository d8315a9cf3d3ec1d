/* A message made ready for sending: signed, and encrypted to everybody's devices when all have
 * certificates. */
#include "client/mail/smime.h"

#include "base/rec.h"

#include <errno.h>

enum { CERT_BYTES_MAX = 16 << 20, CERT_MAX = 65536 };

struct circle {
	struct client *c;
	const struct profile *p;
	struct link l; /* to the authority; opened when the first is asked for */
	struct buf certs; /* each behind its length */
	struct buf missing;
};

static void circle_done(struct circle *o)
{
	link_done(&o->l);
	buf_done(&o->certs);
	buf_done(&o->missing);
}

/* The account behind an address of ours. -ENOENT: it is elsewhere. */
static int account_of(const struct profile *p, struct span address, char ret[65])
{
	struct span rest = address, local = {NULL, 0}, name = {NULL, 0};

	if (!span_split(&rest, '@', &local) ||
		(!span_caseeq_str(rest, p->doors.domain) && !span_caseeq_str(rest, p->doors.host)))
		return -ENOENT;
	(void)span_split(&local, '+', &name);
	if (name.len == 0 || name.len > 64 || span_copy_str(name, ret, 65) < 0)
		return -ENOENT;
	for (char *c = ret; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return 0;
}

static int ask(struct circle *o, const char *account)
{
	if (o->l.conn == NULL &&
		link_open(o->c, o->p, o->p->ca_port, "http/1.1", true, &o->l) != CLIENT_OK)
		return -ENOTCONN;
	return trust_certificates(&o->l, o->p, account, &o->certs);
}

/* 0 also when there are none: then the address is missing. */
static int add(struct circle *o, struct span address)
{
	char account[65];
	int r = account_of(o->p, address, account);

	if (r == 0)
		r = ask(o, account);
	if (r != -ENOENT)
		return r;
	if (o->missing.len > 0)
		buf_add_str(&o->missing, ", ");
	buf_add(&o->missing, address);
	return 0;
}

static int gather(struct circle *o, const struct smime_letter *l)
{
	char own[320];
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->to_count; i++) {
		bool twice = false;

		for (size_t k = 0; k < i && !twice; k++)
			twice = span_eq(l->to[i], l->to[k]);
		if (!twice)
			r = add(o, l->to[i]);
	}
	mail_own_address(o->p, NULL, own);
	return r == 0 ? add(o, span_str(own)) : r;
}

static int encrypt(const struct circle *o, struct span message, struct buf *ret)
{
	struct span *list = calloc(SMIME_RECIPIENTS_MAX, sizeof *list);
	struct rec r = rec_of(buf_span(&o->certs));
	size_t count = 0;
	int e;

	if (list == NULL)
		return -ENOMEM;
	while (r.rest.len > 0 && r.error == 0 && count < SMIME_RECIPIENTS_MAX)
		list[count++] = rec_bytes(&r, CERT_MAX);
	e = rec_end(&r) < 0 ? -E2BIG : smime_encrypt(list, count, message, ret);
	free(list);
	return e;
}

static bool wants_secrecy(const struct smime_letter *l)
{
	return l->how == SMIME_AUTO || l->how == SMIME_ENCRYPT;
}

static int plain(const struct smime_letter *l, struct buf *ret)
{
	buf_add(ret, l->message);
	return buf_error(ret);
}

int smime_protect(struct client *c, const struct profile *p, const struct smime_letter *l,
	struct buf *ret, bool *ret_encrypted, char ret_missing[256])
{
	_cleanup_(circle_done) struct circle o = {.c = c,
		.p = p,
		.l = LINK_INIT,
		.certs = BUF_INIT(CERT_BYTES_MAX),
		.missing = BUF_INIT(65536)};
	_cleanup_(buf_done) struct buf sealed = BUF_INIT(SMIME_BYTES_MAX);
	int r = 0;

	*ret_encrypted = false;
	ret_missing[0] = '\0';
	if (l->how == SMIME_PLAIN || (l->how == SMIME_AUTO && p->cert_pem.len == 0))
		return plain(l, ret);
	if (wants_secrecy(l))
		r = gather(&o, l);
	if (r < 0)
		return r;
	snprintf(ret_missing, 256, "%.255s", buf_str(&o.missing));
	if (l->how == SMIME_ENCRYPT && o.missing.len > 0)
		return -ENOENT;
	r = smime_sign(c, p, l->message, &sealed);
	if (r < 0)
		return r;
	if (!wants_secrecy(l) || o.missing.len > 0) {
		buf_add(ret, buf_span(&sealed));
		return buf_error(ret);
	}
	r = encrypt(&o, buf_span(&sealed), ret);
	*ret_encrypted = r == 0;
	return r;
}
