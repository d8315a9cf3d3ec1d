/* See certs.h. */
#include "client/certs.h"

#include <errno.h>

void certs_done(struct certs *d)
{
	buf_done(&d->bytes);
}

static int take(void *arg, struct span der)
{
	struct certs *d = arg;

	if (d->count == CERTS_MAX)
		return -E2BIG;
	buf_add(&d->bytes, der);
	if (buf_error(&d->bytes) < 0)
		return -E2BIG;
	d->each[d->count++] = span_of(NULL, der.len);
	return 0;
}

/* While the buffer grows its bytes move: only now is it known where each one lies. */
static void place(struct certs *d)
{
	for (size_t i = 0, at = 0; i < d->count; at += d->each[i++].len)
		d->each[i].p = d->bytes.p + at;
}

int certs_read(struct span pem, struct certs *ret)
{
	int r = pki_cert_each_pem(pem, take, ret);

	place(ret);
	return r;
}

int certs_read_p7(struct span p7_der, struct certs *ret)
{
	int r = pki_certs_only_each(p7_der, take, ret);

	place(ret);
	return r;
}

static int take_first(void *arg, struct span der)
{
	buf_add(arg, der);
	return buf_error(arg) < 0 ? buf_error(arg) : 1;
}

int certs_first(struct span pem, struct buf *ret_der)
{
	int r = pki_cert_each_pem(pem, take_first, ret_der);

	if (r < 0)
		return r;
	return r == 1 ? 0 : -ENOENT;
}

int certs_issuer(struct span leaf_der, const struct certs *chain, struct span *ret)
{
	struct pki_cert_info info, issuer;
	int r = pki_cert_read(leaf_der, &info);

	if (r < 0)
		return r;
	for (size_t i = 0; i < chain->count && info.aki_hex[0] != '\0'; i++) {
		if (pki_cert_read(chain->each[i], &issuer) == 0 &&
			strcmp(info.aki_hex, issuer.ski_hex) == 0) {
			*ret = chain->each[i];
			return 0;
		}
	}
	return -ENOENT;
}
