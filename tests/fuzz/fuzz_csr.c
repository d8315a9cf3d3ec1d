/*
 * Requests in every dress that people send them in, judged; and the old-key proof checked against a
 * key that is not theirs. What is accepted has a key of an allowed kind and nothing longer than its
 * field.
 */
#include "pki/csr.h"

#include "base/cleanup.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct buf other_spki = {.max = 512};

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	_cleanup_(pki_key_freep) struct pki_key *key = NULL;

	(void)argc;
	(void)argv;
	must(pki_key_new(&key) == 0 && pki_key_spki(key, &other_spki) == 0);
	return 0;
}

static void judge(struct span der)
{
	struct buf spki = BUF_INIT(PKI_CSR_MAX);
	struct pki_csr_info info;
	const char *reason = NULL;
	int r = pki_csr_read(der, &info, &spki, &reason);

	if (r == 0) {
		must(memchr(info.cn, 0, sizeof(info.cn)) != NULL);
		must(info.host_count <= PKI_MAX_HOSTS && spki.len > 0);
		must(pki_spki_check(buf_span(&spki), &reason) == 0);
	} else {
		must(reason != NULL && spki.len == 0);
	}
	(void)pki_csr_check_old_proof(der, buf_span(&other_spki));
	buf_done(&spki);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf der = BUF_INIT(PKI_CSR_MAX);
	const char *reason = NULL;

	if (pki_unarmor(span_of(data, size), "CERTIFICATE REQUEST", &der) == 0)
		judge(buf_span(&der));
	(void)pki_spki_check(span_of(data, size), &reason);
	buf_done(&der);
	return 0;
}
