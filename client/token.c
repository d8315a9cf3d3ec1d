/* See token.h. */
#include "client/token.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "pki/key.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ts.h>

struct token_query {
	TS_REQ *req;
};

static void ts_resp_freep(TS_RESP **r)
{
	TS_RESP_free(*r);
}

static void ts_verify_freep(TS_VERIFY_CTX **v)
{
	TS_VERIFY_CTX_free(*v);
}

static void errors_clear(int *unused)
{
	(void)unused;
	ERR_clear_error();
}

static ASN1_INTEGER *nonce_new(void)
{
	unsigned char bytes[16];
	BIGNUM *n;
	ASN1_INTEGER *ret = NULL;

	if (hash_random(bytes, sizeof bytes) < 0)
		return NULL;
	bytes[0] |= 1;
	n = BN_bin2bn(bytes, sizeof bytes, NULL);
	if (n != NULL)
		ret = BN_to_ASN1_INTEGER(n, NULL);
	BN_free(n);
	return ret;
}

static TS_MSG_IMPRINT *imprint_new(const unsigned char digest[HASH_SHA256_LEN])
{
	TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR *algo = X509_ALGOR_new();
	unsigned char copy[HASH_SHA256_LEN];
	bool good = imprint != NULL && algo != NULL;

	memcpy(copy, digest, sizeof copy);
	good = good && X509_ALGOR_set0(algo, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
		TS_MSG_IMPRINT_set_algo(imprint, algo) == 1 &&
		TS_MSG_IMPRINT_set_msg(imprint, copy, sizeof copy) == 1;
	X509_ALGOR_free(algo);
	if (good)
		return imprint;
	TS_MSG_IMPRINT_free(imprint);
	return NULL;
}

int token_query_new(const unsigned char digest[HASH_SHA256_LEN], struct token_query **ret)
{
	struct token_query *q = calloc(1, sizeof *q);
	TS_MSG_IMPRINT *imprint = imprint_new(digest);
	ASN1_INTEGER *nonce = nonce_new();
	bool good;

	if (q != NULL)
		q->req = TS_REQ_new();
	good = q != NULL && q->req != NULL && imprint != NULL && nonce != NULL &&
		TS_REQ_set_version(q->req, 1) == 1 &&
		TS_REQ_set_msg_imprint(q->req, imprint) == 1 &&
		TS_REQ_set_nonce(q->req, nonce) == 1 && TS_REQ_set_cert_req(q->req, 1) == 1;
	TS_MSG_IMPRINT_free(imprint);
	ASN1_INTEGER_free(nonce);
	if (!good) {
		token_query_freep(&q);
		return -ENOMEM;
	}
	*ret = q;
	return 0;
}

int token_query_der(const struct token_query *q, struct buf *ret)
{
	unsigned char *der = NULL;
	int len = i2d_TS_REQ(q->req, &der);

	if (len <= 0)
		return -ENOMEM;
	buf_add(ret, span_of(der, (size_t)len));
	OPENSSL_free(der);
	return buf_error(ret);
}

void token_query_freep(struct token_query **q)
{
	if (*q == NULL)
		return;
	TS_REQ_free((*q)->req);
	free(*q);
	*q = NULL;
}

static X509 *x509_of(struct span der)
{
	const unsigned char *p = der.p;

	return der.len <= LONG_MAX ? d2i_X509(NULL, &p, (long)der.len) : NULL;
}

static int anchor_take(void *arg, struct span der)
{
	X509 *x = x509_of(der);
	int r = x != NULL && X509_STORE_add_cert(arg, x) == 1 ? 0 : -EBADMSG;

	X509_free(x);
	return r;
}

static int untrusted_take(void *arg, struct span der)
{
	X509 *x = x509_of(der);

	if (x == NULL || sk_X509_push(arg, x) <= 0) {
		X509_free(x);
		return -EBADMSG;
	}
	return 0;
}

/* The store and the stack are the context's own afterwards. */
static int trust_set(TS_VERIFY_CTX *v, const struct token_trust *trust, int64_t at_us)
{
	X509_STORE *anchors = X509_STORE_new();
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509_VERIFY_PARAM *param = anchors != NULL ? X509_STORE_get0_param(anchors) : NULL;
	int r = param != NULL && chain != NULL ? 0 : -ENOMEM;

	if (r == 0)
		r = pki_cert_each_pem(trust->root_pem, anchor_take, anchors);
	if (r == 0)
		r = pki_cert_each_pem(trust->chain_pem, untrusted_take, chain);
	if (r < 0) {
		X509_STORE_free(anchors);
		sk_X509_pop_free(chain, X509_free);
		return r;
	}
	X509_VERIFY_PARAM_set_time(param, (time_t)(at_us / TIME_S_US));
	(void)X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
	(void)TS_VERIFY_CTX_set_store(v, anchors);
	(void)TS_VERIFY_CTX_set_certs(v, chain);
	return 0;
}

static int serial_show(const ASN1_INTEGER *serial, char *ret, size_t size)
{
	BIGNUM *n = ASN1_INTEGER_to_BN(serial, NULL);
	char *hex = n != NULL ? BN_bn2hex(n) : NULL;
	int r = hex == NULL ? -ENOMEM : strlen(hex) >= size ? -EBADMSG : 0;

	if (r == 0)
		snprintf(ret, size, "%s", hex);
	OPENSSL_free(hex);
	BN_free(n);
	return r;
}

static int info_read(TS_RESP *resp, struct token_info *ret)
{
	TS_TST_INFO *info = TS_RESP_get_tst_info(resp);
	struct time_parts parts;
	struct tm tm;

	if (info == NULL || ASN1_TIME_to_tm(TS_TST_INFO_get_time(info), &tm) != 1)
		return -EBADMSG;
	parts = (struct time_parts){.year = tm.tm_year + 1900,
		.month = tm.tm_mon + 1,
		.day = tm.tm_mday,
		.hour = tm.tm_hour,
		.minute = tm.tm_min,
		.second = tm.tm_sec};
	if (time_from_parts(&parts, &ret->at_us) < 0)
		return -EBADMSG;
	return serial_show(TS_TST_INFO_get_serial(info), ret->serial, sizeof ret->serial);
}

static bool digest_is_sha256(TS_RESP *resp)
{
	TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(TS_RESP_get_tst_info(resp));
	X509_ALGOR *algo = TS_MSG_IMPRINT_get_algo(imprint);
	const ASN1_OBJECT *oid = NULL;

	X509_ALGOR_get0(&oid, NULL, NULL, algo);
	return OBJ_obj2nid(oid) == NID_sha256;
}

static TS_VERIFY_CTX *verify_new(
	const struct token_query *query, const unsigned char digest[HASH_SHA256_LEN])
{
	TS_VERIFY_CTX *v =
		query != NULL ? TS_REQ_to_TS_VERIFY_CTX(query->req, NULL) : TS_VERIFY_CTX_new();
	unsigned char *imprint;

	if (v == NULL)
		return NULL;
	if (query == NULL) {
		imprint = OPENSSL_memdup(digest, HASH_SHA256_LEN);
		if (imprint == NULL) {
			TS_VERIFY_CTX_free(v);
			return NULL;
		}
		(void)TS_VERIFY_CTX_set_imprint(v, imprint, HASH_SHA256_LEN);
		(void)TS_VERIFY_CTX_set_flags(v, TS_VFY_VERSION | TS_VFY_IMPRINT);
	}
	(void)TS_VERIFY_CTX_add_flags(v, TS_VFY_SIGNATURE);
	return v;
}

static const char *reason_of(unsigned long code)
{
	const char *text;

	if (ERR_GET_LIB(code) == ERR_LIB_TS &&
		ERR_GET_REASON(code) == TS_R_MESSAGE_IMPRINT_MISMATCH)
		return "it is the stamp of other content";
	text = ERR_reason_error_string(code);
	return text != NULL ? text : "it is malformed";
}

int token_check(struct span answer, const struct token_trust *trust,
	const struct token_query *query, const unsigned char digest[HASH_SHA256_LEN],
	struct token_info *ret, const char **ret_reason)
{
	_cleanup_(errors_clear) int edge = 0;
	_cleanup_(ts_resp_freep) TS_RESP *resp = NULL;
	_cleanup_(ts_verify_freep) TS_VERIFY_CTX *v = NULL;
	const unsigned char *p = answer.p;
	struct token_info info = {0};
	int r;

	(void)edge;
	ERR_clear_error();
	*ret_reason = "it is malformed";
	resp = answer.len <= LONG_MAX ? d2i_TS_RESP(NULL, &p, (long)answer.len) : NULL;
	if (resp == NULL || p != answer.p + answer.len)
		return -EKEYREJECTED;
	if (TS_RESP_get_token(resp) == NULL) {
		*ret_reason = "the server refused to stamp";
		return -EKEYREJECTED;
	}
	if (info_read(resp, &info) < 0)
		return -EKEYREJECTED;
	if (!digest_is_sha256(resp)) {
		*ret_reason = "it is not about a SHA-256 digest";
		return -EKEYREJECTED;
	}
	v = verify_new(query, digest);
	r = v == NULL ? -ENOMEM : trust_set(v, trust, info.at_us);
	if (r < 0)
		return r;
	if (TS_RESP_verify_response(v, resp) != 1) {
		*ret_reason = reason_of(ERR_peek_last_error());
		return -EKEYREJECTED;
	}
	*ret = info;
	return 0;
}
