/*
 * The CMP door's judgement. What it lets through is bounded, its spans lie inside the message, and
 * OpenSSL's decoder can be given it.
 */
#include "base/buf.h"
#include "services/cad/signer/cmp_judge.h"

#include <openssl/cmp.h>
#include <openssl/err.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void require_inside(struct span part, struct span whole)
{
	require(part.len == 0 || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len));
}

static void decode(struct span message)
{
	BIO *bio = BIO_new_mem_buf(message.p, (int)message.len);
	OSSL_CMP_MSG *decoded = d2i_OSSL_CMP_MSG_bio(bio, NULL);

	OSSL_CMP_MSG_free(decoded);
	BIO_free(bio);
	ERR_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span message = span_of(data, size);
	struct cmp_judged judged;
	const char *reason = NULL;

	if (cmp_judge(message, &judged, &reason) < 0) {
		require(reason != NULL && reason[0] != '\0');
		return 0;
	}
	require(size <= CMP_MESSAGE_MAX);
	require(judged.protection != CMP_PROTECT_NONE);
	require(judged.protection != CMP_PROTECT_MAC || judged.sender_kid.len <= CMP_REFERENCE_MAX);
	require(judged.revocation_reason >= 0);
	require((judged.body == CMP_P10CR) == (judged.p10.len > 0));
	require_inside(judged.sender_kid, message);
	require_inside(judged.signer_cert, message);
	require_inside(judged.spki, message);
	require_inside(judged.p10, message);
	decode(message);
	return 0;
}
