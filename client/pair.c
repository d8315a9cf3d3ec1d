/* See pair.h. */
#include "client/pair.h"

#include "pki/cert.h"

#include <errno.h>

#define KEY_ASIDE "key.next"

int pair_write(const struct profile *p, const struct pki_key *key, struct span cert_pem)
{
	_cleanup_(buf_wipe) struct buf pem = BUF_INIT(PROFILE_FILE_MAX);
	int r = pki_key_to_pem(key, &pem);

	if (r == 0)
		r = profile_write(p, KEY_ASIDE, buf_span(&pem));
	if (r == 0)
		r = profile_write(p, "cert.pem", cert_pem);
	if (r == 0)
		r = profile_write(p, "key.pem", buf_span(&pem));
	return r == 0 ? profile_remove(p, KEY_ASIDE) : r;
}

static int leaf_spki(void *arg, struct span der)
{
	int r = pki_cert_spki(der, arg);

	return r < 0 ? r : 1;
}

static bool fits(struct span key_pem, struct span spki)
{
	_cleanup_(pki_key_freep) struct pki_key *key = NULL;
	_cleanup_(buf_done) struct buf own = BUF_INIT(4096);

	return key_pem.len > 0 && pki_key_from_pem(key_pem, &key) == 0 &&
		pki_key_spki(key, &own) == 0 && span_eq(buf_span(&own), spki);
}

int pair_recover(struct profile *p)
{
	_cleanup_(buf_done) struct buf spki = BUF_INIT(4096);
	_cleanup_(buf_wipe) struct buf aside = BUF_INIT(PROFILE_FILE_MAX);
	int r;

	if (p->cert_pem.len == 0)
		return 0;
	r = pki_cert_each_pem(buf_span(&p->cert_pem), leaf_spki, &spki);
	if (r < 0)
		return -EINVAL;
	if (fits(buf_span(&p->key_pem), buf_span(&spki)))
		return 0;
	r = profile_read(p, KEY_ASIDE, &aside);
	if (r < 0)
		return r;
	if (!fits(buf_span(&aside), buf_span(&spki)))
		return -EINVAL;
	r = profile_write(p, "key.pem", buf_span(&aside));
	if (r < 0)
		return r;
	buf_wipe(&p->key_pem);
	buf_add(&p->key_pem, buf_span(&aside));
	return buf_error(&p->key_pem);
}
