/*
 * What certificates point to: OCSP (RFC 6960, appendix A), the authorities' certificates and their
 * revocation lists. On both doors, since a relying party may not speak TLS yet.
 */
#include "services/cad/cad.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "pki/crl.h"
#include "services/cad/crl_due.h"

#include <errno.h>

#define OCSP_TYPE "application/ocsp-response"

enum { OCSP_MALFORMED = 1, OCSP_TRY_LATER = 3 };

static int ocsp_error(struct cad_exchange *x, unsigned code)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(64);
	int r = pki_ocsp_error(code, &der);

	return r < 0 ? cad_unavailable(x, r) : cad_reply(x, OCSP_TYPE, buf_span(&der));
}

/* Malformed requests never reach the signer. */
static int answer_ocsp(struct cad_exchange *x, struct span der)
{
	_cleanup_(buf_done) struct buf scratch = BUF_INIT(SIGNER_ANSWER_MAX);
	struct signer_request request = cad_request_of(x->cad, SIGNER_OCSP);
	struct pki_ocsp_request parsed;
	struct signer_answer answer = {0};

	if (der.len > PKI_OCSP_MAX_REQUEST || pki_ocsp_request_read(der, &parsed) < 0)
		return ocsp_error(x, OCSP_MALFORMED);
	request.csr = der;
	if (x->cad->ask(x->cad, &request, &scratch, &answer) < 0 || answer.status != 0)
		return ocsp_error(x, OCSP_TRY_LATER);
	return cad_reply(x, OCSP_TYPE, answer.payload);
}

int cad_ocsp_post(struct cad_exchange *x)
{
	int r = cad_body_is(x, "application/ocsp-request");

	return r <= 0 ? r : answer_ocsp(x, x->body);
}

/* GET: the request in base64, percent-encoded, behind the path. */
int cad_ocsp_get(struct cad_exchange *x)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(HTTP_HEAD_MAX);
	_cleanup_(buf_done) struct buf der = BUF_INIT(PKI_OCSP_MAX_REQUEST);

	if (text_percent_decode(&text, x->rest, false) < 0 ||
		text_unbase64(&der, buf_span(&text)) < 0)
		return ocsp_error(x, OCSP_MALFORMED);
	return answer_ocsp(x, buf_span(&der));
}

struct ca_wanted {
	uint32_t id;
	struct buf der;
};

static int take_wanted(void *arg, const struct ca *ca)
{
	struct ca_wanted *w = arg;

	if (ca->id != w->id)
		return 0;
	buf_add(&w->der, ca->der);
	return buf_error(&w->der) < 0 ? buf_error(&w->der) : 1;
}

static int answer_certificate(struct cad_exchange *x, uint32_t id)
{
	struct ca_wanted wanted = {.id = id, .der = BUF_INIT(CERT_DER_MAX)};
	int r = ca_each(x->cad->s->store, take_wanted, &wanted);

	if (r == 1)
		r = cad_reply(x, "application/pkix-cert", buf_span(&wanted.der));
	else if (r == 0)
		r = cad_text(x, 404, "there is no such authority");
	else
		r = cad_unavailable(x, r);
	buf_done(&wanted.der);
	return r;
}

/* The stored one while it is current: 1 when it is in ret. */
static int stored_crl(struct cad_exchange *x, uint32_t id, struct buf *ret)
{
	struct crl_info info;
	uint64_t revision = 0;
	int r = crl_get(x->cad->s->store, id, &info, ret);

	if (r == 0)
		r = crl_revision(x->cad->s->store, id, &revision);
	if (r < 0)
		return r;
	return id == 0 || !crl_is_due(&info, revision, time_now_us());
}

static int ask_crl(
	struct cad_exchange *x, uint32_t id, struct signer_answer *ret, struct buf *scratch)
{
	struct signer_request request = cad_request_of(x->cad, SIGNER_CRL);

	request.ca_id = id;
	return x->cad->ask(x->cad, &request, scratch, ret);
}

/* Where the signer is away, an older list is better than none: its own nextUpdate tells. */
static int answer_crl(struct cad_exchange *x, uint32_t id)
{
	_cleanup_(buf_done) struct buf stored = BUF_INIT(SIGNER_ANSWER_MAX);
	_cleanup_(buf_done) struct buf scratch = BUF_INIT(SIGNER_ANSWER_MAX);
	struct signer_answer answer = {0};
	int found = stored_crl(x, id, &stored);
	int r;

	if (found < 0 && found != -ENOENT)
		return cad_unavailable(x, found);
	if (found == 1)
		return cad_reply(x, "application/pkix-crl", buf_span(&stored));
	r = ask_crl(x, id, &answer, &scratch);
	if (r == 0 && answer.status == 0)
		return cad_reply(x, "application/pkix-crl", answer.payload);
	if (found == 0)
		return cad_reply(x, "application/pkix-crl", buf_span(&stored));
	if (r == 0 && answer.status == EINVAL)
		return cad_text(x, 404, answer.reason);
	return cad_unavailable(x, r < 0 ? r : -EAGAIN);
}

int cad_authority_file(struct cad_exchange *x)
{
	struct span kind = x->rest, number;
	uint64_t id = 0;
	int r;

	if (!span_split(&kind, '.', &number) || num_parse_u64(number, 0, UINT32_MAX, &id) < 0 ||
		(!span_eq_str(kind, "crl") && !span_eq_str(kind, "cer")))
		return cad_text(x, 404, "there is nothing here");
	r = service_need_store(x->cad->s);
	if (r < 0)
		return cad_unavailable(x, r);
	return span_eq_str(kind, "crl") ? answer_crl(x, (uint32_t)id)
					: answer_certificate(x, (uint32_t)id);
}
