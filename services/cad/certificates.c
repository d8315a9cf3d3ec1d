/* The valid certificates of an account, for whoever wants to write to it. */
#include "services/cad/cad.h"

#include "auth/name.h"
#include "base/cleanup.h"
#include "base/timefmt.h"
#include "pki/key.h"
#include "store/cert.h"

#include <errno.h>

enum { PEM_MAX = 1 << 20 };

struct list {
	int64_t now_us;
	struct buf pem;
};

static int add(void *arg, const struct cert *c)
{
	struct list *l = arg;

	if (c->state != CERT_ISSUED || c->profile != CERT_PROFILE_USER ||
		c->not_before_us > l->now_us || c->not_after_us <= l->now_us)
		return 0;
	return pki_cert_to_pem(c->der, &l->pem);
}

/* -ENOENT: there is no such account, or nobody can log in to it. */
static int gather(struct store *s, const char *name, struct list *ret)
{
	struct account account;
	int r = account_get(s, name, &account);

	if (r == 0 && (account.flags & ACCOUNT_LOCKED) != 0)
		r = -ENOENT;
	return r == 0 ? cert_each(s, name, INT64_MAX, add, ret) : r;
}

int cad_certificates(struct cad_exchange *x)
{
	_cleanup_(buf_done) struct buf pem = BUF_INIT(PEM_MAX);
	struct list l = {.now_us = time_now_us(), .pem = pem};
	char name[ACCOUNT_NAME_SIZE];
	int r = name_fold(x->rest, name) < 0 ? -ENOENT : gather(x->cad->s->store, name, &l);

	pem = l.pem;
	if (r == -ENOENT || (r == 0 && pem.len == 0))
		return cad_text(x, 404, "there are no certificates of that name");
	if (r < 0)
		return cad_unavailable(x, r);
	return cad_reply(x, "application/pem-certificate-chain", buf_span(&pem));
}
