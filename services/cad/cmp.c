/* CMP over HTTP (RFC 6712): the message goes to the signer as it is, over the connection that
 * keeps its transaction. */
#include "services/cad/cad.h"

#include "base/cleanup.h"

#define CMP_TYPE "application/pkixcmp"

int cad_cmp(struct cad_exchange *x)
{
	_cleanup_(buf_done) struct buf scratch = BUF_INIT(SIGNER_ANSWER_MAX);
	struct signer_request request = cad_request_of(x->cad, SIGNER_CMP);
	struct signer_answer answer = {0};
	int r = cad_body_is(x, CMP_TYPE);

	if (r <= 0)
		return r;
	if (x->body.len == 0 || x->body.len > SIGNER_MESSAGE_MAX / 2)
		return cad_text(x, 413, "the CMP message is empty or too long");
	request.csr = x->body;
	r = x->cad->ask(x->cad, &request, &scratch, &answer);
	if (r < 0)
		return cad_unavailable(x, r);
	if (answer.status != 0)
		return cad_refused(x, &answer);
	return cad_reply(x, CMP_TYPE, answer.payload);
}
