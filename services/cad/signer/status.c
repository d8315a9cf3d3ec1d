/*
 * What says whether a certificate is good: OCSP answers from the store's rows by the delegated
 * responder, and CRLs, made anew when something was revoked or when half their life is over.
 */
#include "services/cad/signer/sign.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "services/cad/crl_due.h"
#include "store/policy.h"

#include <errno.h>

enum { CRL_TRIES = 3 };

struct look_up {
	struct sign *g;
	const struct sign_ca *ca;
};

static int look(void *arg, const struct pki_ocsp_id *id, struct pki_ocsp_answer *ret)
{
	struct look_up *l = arg;
	struct cert row;
	int r = -ENOENT;

	if (!pki_ocsp_names_issuer(id, buf_span(&l->ca->der)))
		return -ENOENT;
	if (id->serial_len == CERT_SERIAL_LEN)
		r = cert_get(l->g->s->store, id->serial, &row, NULL);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret = (struct pki_ocsp_answer){.status = PKI_OCSP_UNKNOWN};
	if (r == -ENOENT || row.state == CERT_INTENT || row.ca_id != l->ca->id)
		return 0;
	ret->status = row.state == CERT_REVOKED ? PKI_OCSP_REVOKED : PKI_OCSP_GOOD;
	ret->revoked_us = row.revoked_us;
	ret->reason = row.reason;
	return 0;
}

/* The authority that the first id names, if it has a responder here. */
static const struct sign_ca *find_responder(
	const struct sign *g, const struct pki_ocsp_request *request)
{
	for (size_t i = 0; i < g->ca_count; i++) {
		const struct sign_ca *ca = &g->cas[i];

		if (ca->ocsp_der.len > 0 &&
			pki_ocsp_names_issuer(&request->ids[0], buf_span(&ca->der)))
			return ca;
	}
	return NULL;
}

static int respond(const struct sign *g, struct look_up *l, struct span request, uint64_t minutes,
	struct buf *ret_der)
{
	const int64_t now_us = time_now_us();
	const struct pki_ocsp_responder responder = {
		.issuer_der = buf_span(&l->ca->der),
		.signer_der = buf_span(&l->ca->ocsp_der),
		.signer_key = g->keys.ocsp,
		.now_us = now_us,
		.next_us = now_us + (int64_t)minutes * 60 * TIME_S_US,
		.look = look,
		.arg = l,
	};

	return pki_ocsp_respond(request, &responder, ret_der);
}

int sign_ocsp(struct sign *g, const struct signer_request *r, struct sign_reply *reply)
{
	struct pki_ocsp_request request;
	struct look_up l = {.g = g};
	uint64_t minutes = 0;
	int error;

	if (r->csr.len > PKI_OCSP_MAX_REQUEST || pki_ocsp_request_read(r->csr, &request) < 0 ||
		request.count == 0)
		return pki_ocsp_error(1, &reply->payload);
	l.ca = find_responder(g, &request);
	if (l.ca == NULL)
		return pki_ocsp_error(6, &reply->payload);
	error = policy_number(g->s->store, "ocsp_minutes", &minutes);
	if (error == 0)
		error = respond(g, &l, r->csr, minutes, &reply->payload);
	if (error == 0)
		return 0;
	log_msg(LOG_LEVEL_ERR, "ocsp: %s", err_text(error));
	buf_reset(&reply->payload);
	return pki_ocsp_error(err_is_temporary(error) ? 3 : 2, &reply->payload);
}

static int add_revoked(void *arg, const struct cert *row)
{
	return pki_crl_add(arg, row->serial, sizeof(row->serial), row->revoked_us, row->reason);
}

static int make_crl(
	struct sign *g, const struct sign_ca *ca, struct crl_put_args *args, struct buf *ret_der)
{
	_cleanup_(pki_crl_freep) struct pki_crl *crl = NULL;
	struct pki_crl_info head;
	uint64_t hours = 0;
	int r = policy_number(g->s->store, "crl_hours", &hours);

	if (r == 0)
		r = pki_crl_begin(&crl);
	if (r == 0)
		r = cert_each_revoked(g->s->store, ca->id, args->this_update_us, add_revoked, crl);
	if (r < 0)
		return r;
	args->next_update_us = args->this_update_us + (int64_t)hours * 3600 * TIME_S_US;
	head = (struct pki_crl_info){.number = args->number,
		.this_us = args->this_update_us,
		.next_us = args->next_update_us};
	return pki_crl_sign(crl, buf_span(&ca->der), ca->key, &head, ret_der);
}

/* One try: the stored one when it is current or cannot be made anew; -EEXIST: another process was
 * faster. */
static int current_crl(struct sign *g, const struct sign_ca *ca, struct buf *ret_der)
{
	struct crl_info stored = {0};
	struct crl_put_args args = {.ca_id = ca->id, .this_update_us = time_now_us()};
	int found = crl_get(g->s->store, ca->id, &stored, ret_der);
	int r = crl_revision(g->s->store, ca->id, &args.revision);

	if (found < 0 && found != -ENOENT)
		return found;
	if (r < 0)
		return r;
	if (ca->key == NULL ||
		(found == 0 && !crl_is_due(&stored, args.revision, args.this_update_us)))
		return found;
	buf_reset(ret_der);
	args.number = stored.number + 1;
	r = make_crl(g, ca, &args, ret_der);
	if (r < 0)
		return r;
	args.der = buf_span(ret_der);
	r = store_call(g->s->store, STORE_OP_CRL_PUT, &args, NULL);
	if (r == -EEXIST)
		buf_reset(ret_der);
	return r;
}

int sign_crl(struct sign *g, const struct signer_request *r, struct sign_reply *reply)
{
	const struct sign_ca *ca = sign_ca_find(g, r->ca_id);
	int error = -EEXIST;

	if (ca == NULL)
		return sign_refuse(reply, EINVAL, "there is no such authority");
	for (unsigned i = 0; i < CRL_TRIES && error == -EEXIST; i++)
		error = current_crl(g, ca, &reply->payload);
	if (error == -ENOENT)
		return sign_refuse(reply, EINVAL, "this authority has no revocation list here");
	return error == -EEXIST ? -EAGAIN : error;
}
