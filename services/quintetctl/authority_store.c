/* The authority's rows in the store, and what is published of them. */
#include "authority.h"

#include "base/rec.h"
#include "base/timefmt.h"

#include <errno.h>
#include <inttypes.h>

int authority_put_cert(struct ctl *c, uint32_t ca_id, enum cert_profile profile, struct span der)
{
	struct cert row = {.account = CTL_HOUSE, .profile = profile, .ca_id = ca_id};
	struct cert_issued_args issued = {.der = der, .peer = CTL_BY, .proof = "admin"};
	struct pki_cert_info info;
	int r = pki_cert_read(der, &info);

	if (r == 0 && info.serial_len != CERT_SERIAL_LEN)
		r = -EBADMSG;
	if (r == 0) {
		memcpy(row.serial, info.serial, CERT_SERIAL_LEN);
		memcpy(issued.serial, info.serial, CERT_SERIAL_LEN);
		memcpy(row.spki_sha256, info.spki_sha256, sizeof(row.spki_sha256));
		row.state = CERT_INTENT;
		row.not_before_us = info.not_before_us;
		row.not_after_us = info.not_after_us;
		row.created_us = issued.now_us = time_now_us();
		r = store_call(c->store, STORE_OP_CERT_INTENT, &row, NULL);
	}
	if (r == 0)
		r = store_call(c->store, STORE_OP_CERT_ISSUED, &issued, NULL);
	return r < 0 ? ctl_fail(r, "cannot enter a certificate in the store") : CTL_OK;
}

int authority_put(struct ctl *c, const struct authority *a, uint64_t root_crl_number)
{
	struct ca root = {.id = 0, .der = buf_span(&a->root.der)};
	struct ca issuing = {.id = a->id, .der = buf_span(&a->issuing.der)};
	struct crl_put_args crl = {.ca_id = 0, .number = root_crl_number};
	struct pki_crl_info info;
	int r;

	issuing.ocsp_der = buf_span(&a->ocsp.der);
	issuing.cmp_der = buf_span(&a->cmp.der);
	crl.der = buf_span(&a->root_crl);
	r = pki_crl_read(crl.der, root.der, &info);
	if (r == 0) {
		crl.this_update_us = info.this_us;
		crl.next_update_us = info.next_us;
		r = store_call(c->store, STORE_OP_CA_PUT, &root, NULL);
	}
	if (r == 0)
		r = store_call(c->store, STORE_OP_CRL_PUT, &crl, NULL);
	if (r == 0)
		r = store_call(c->store, STORE_OP_CA_PUT, &issuing, NULL);
	if (r < 0)
		return ctl_fail(r, "cannot enter the authority in the store");
	r = authority_put_cert(c, a->id, CERT_PROFILE_OCSP, issuing.ocsp_der);
	if (r == CTL_OK)
		r = authority_put_cert(c, a->id, CERT_PROFILE_CMP, issuing.cmp_der);
	return r;
}

/* -- the list, handed from the administrator's part to the privileged one -----------------------
 */

static int list_one(void *arg, const struct ca *ca)
{
	struct buf *reply = (struct buf *)arg;

	buf_add_u32(reply, ca->id);
	buf_add_byte(reply, ca->retired);
	rec_put_bytes(reply, ca->der);
	rec_put_bytes(reply, ca->ocsp_der);
	rec_put_bytes(reply, ca->cmp_der);
	return 0;
}

static int list_part(struct ctl *c, void *arg, struct buf *reply)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(1u << 20);
	struct crl_info crl = {0};
	int r;

	(void)arg;
	r = store_open(c->settings.state, STORE_READ, &c->store);
	if (r == -ENOENT)
		return CTL_OK; /* an empty reply: no store yet */
	if (r < 0)
		return ctl_store(c, STORE_READ); /* which says why */
	r = crl_get(c->store, 0, &crl, &der);
	if (r < 0 && r != -ENOENT)
		return ctl_fail(r, "cannot read the root CRL");
	buf_add_u64(reply, crl.number);
	rec_put_i64(reply, crl.next_update_us);
	r = ca_each(c->store, list_one, reply);
	return r < 0 ? ctl_fail(r, "cannot read the authorities") : CTL_OK;
}

static int list_decode(struct authority_list *l)
{
	struct rec rec = rec_of(buf_span(&l->bytes));

	l->count = 0;
	if (rec.rest.len == 0)
		return 0;
	l->root_crl_number = rec_u64(&rec);
	l->root_crl_next_us = rec_i64(&rec);
	while (rec.rest.len > 0 && rec.error == 0) {
		if (l->count == AUTHORITY_CAS_MAX)
			return -EBADMSG;
		l->ca[l->count].id = rec_u32(&rec);
		l->ca[l->count].retired = rec_u8(&rec) != 0;
		l->ca[l->count].der = rec_bytes(&rec, AUTHORITY_DER_MAX);
		l->ca[l->count].ocsp_der = rec_bytes(&rec, AUTHORITY_DER_MAX);
		l->ca[l->count].cmp_der = rec_bytes(&rec, AUTHORITY_DER_MAX);
		l->count++;
	}
	return rec_end(&rec);
}

void authority_list_done(struct authority_list *l)
{
	buf_done(&l->bytes);
}

int authority_list_get(struct ctl *c, struct authority_list *ret)
{
	int r;

	buf_reset(&ret->bytes);
	r = ctl_as_admin(c, list_part, NULL, &ret->bytes);
	if (r != CTL_OK)
		return r;
	r = list_decode(ret);
	return r < 0 ? ctl_fail(r, "cannot understand the list of authorities") : CTL_OK;
}

struct span authority_list_current(const struct authority_list *l, uint32_t *ret_id)
{
	struct span der = {NULL, 0};
	size_t i;

	for (i = 0; i < l->count; i++)
		if (l->ca[i].id > 0 && !l->ca[i].retired) {
			der = l->ca[i].der;
			*ret_id = l->ca[i].id;
		}
	return der;
}

struct span authority_list_issuer(const struct authority_list *l, struct span leaf_der)
{
	struct pki_cert_info leaf, issuer;
	size_t i;

	if (pki_cert_read(leaf_der, &leaf) == 0)
		for (i = 0; i < l->count; i++)
			if (l->ca[i].id > 0 && pki_cert_read(l->ca[i].der, &issuer) == 0 &&
				strcmp(issuer.ski_hex, leaf.aki_hex) == 0)
				return l->ca[i].der;
	return span_of(NULL, 0);
}

static bool expired(struct span der, int64_t now_us)
{
	struct pki_cert_info info;

	return pki_cert_read(der, &info) < 0 || info.not_after_us <= now_us;
}

static int publish(
	const char *conf, const struct authority_list *l, struct buf *root, struct buf *chain)
{
	char path[CTL_PATH_MAX];
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < l->count; i++) {
		if (l->ca[i].id == 0)
			r = pki_cert_to_pem(l->ca[i].der, root);
		else if (!expired(l->ca[i].der, time_now_us()))
			r = pki_cert_to_pem(l->ca[i].der, chain);
	}
	if (r == 0)
		r = path_join(path, "%s/pki/chain.pem", conf);
	if (r == 0)
		r = file_write(path, buf_span(chain), 0644);
	if (r == 0)
		r = path_join(path, "%s/pki/root.pem", conf); /* last: it says that init was done */
	if (r == 0)
		r = file_write(path, buf_span(root), 0644);
	return r;
}

int authority_publish(struct ctl *c, const struct authority_list *l)
{
	_cleanup_(buf_done) struct buf root = BUF_INIT(65536), chain = BUF_INIT(1u << 20);
	int r = publish(c->settings.conf, l, &root, &chain);

	return r < 0 ? ctl_fail(r, "cannot write %s/pki", c->settings.conf) : CTL_OK;
}
