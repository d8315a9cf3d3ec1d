/* OCSP requests, judged as cad does; what passes is answered by a responder as the signer does. */
#include "pki/crl.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct pki_key *issuer_key, *signer_key;
static struct buf issuer_der = {.max = 4096}, signer_der = {.max = 4096};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void issue(struct pki_template *t, const struct pki_key *key, struct buf *ret_der)
{
	struct buf spki = BUF_INIT(512);

	must(pki_key_spki(key, &spki) == 0 && pki_serial_new(t->serial) == 0);
	t->spki = buf_span(&spki);
	t->not_before_us = time_now_us() - 60 * TIME_S_US;
	t->not_after_us = time_now_us() + 86400 * TIME_S_US;
	must(pki_issue(t, t->profile == PKI_ROOT ? span_of(NULL, 0) : buf_span(&issuer_der),
		     issuer_key, ret_der) == 0);
	buf_done(&spki);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct pki_template root = {.profile = PKI_ROOT, .cn = "root"};
	struct pki_template ocsp = {.profile = PKI_OCSP, .cn = "ocsp"};

	(void)argc;
	(void)argv;
	must(pki_key_new(&issuer_key) == 0 && pki_key_new(&signer_key) == 0);
	issue(&root, issuer_key, &issuer_der);
	issue(&ocsp, signer_key, &signer_der);
	return 0;
}

static int look(void *arg, const struct pki_ocsp_id *id, struct pki_ocsp_answer *ret)
{
	(void)arg;
	must(id->serial_len <= sizeof(id->serial));
	ret->status = id->serial_len % 2 == 0 ? PKI_OCSP_GOOD : PKI_OCSP_REVOKED;
	ret->revoked_us = TIME_S_US;
	return pki_ocsp_names_issuer(id, buf_span(&issuer_der)) || id->serial_len > 2 ? 0 : -2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pki_ocsp_responder us = {.issuer_der = buf_span(&issuer_der),
		.signer_der = buf_span(&signer_der),
		.signer_key = signer_key,
		.now_us = time_now_us(),
		.next_us = time_now_us() + 60 * TIME_S_US,
		.look = look};
	struct buf answer = BUF_INIT(65536);
	struct pki_ocsp_request request;
	struct span der = span_of(data, size);
	bool good = pki_ocsp_request_read(der, &request) == 0;

	if (good)
		must(request.count > 0 && request.count <= PKI_OCSP_MAX_IDS);
	if (size <= PKI_OCSP_MAX_REQUEST)
		must((pki_ocsp_respond(der, &us, &answer) == 0) == good);
	buf_done(&answer);
	return 0;
}
