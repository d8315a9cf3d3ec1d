/* Time stamps (RFC 3161, RFC 5816) with OpenSSL's TS: query, answer, verification. */
#include "client/daytime.h"
#include "client/table.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "pki/key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ts.h>
#include <sys/stat.h>

#define TOKEN_MAX 65536

static void cleanup_ts_req(TS_REQ **r)
{
	TS_REQ_free(*r);
}

static void cleanup_ts_resp(TS_RESP **r)
{
	TS_RESP_free(*r);
}

static void cleanup_ts_verify(TS_VERIFY_CTX **v)
{
	TS_VERIFY_CTX_free(*v);
}

static int file_digest(const char *path, unsigned char ret[HASH_SHA256_LEN])
{
	_cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_(hash_freep) struct hash *h = NULL;
	unsigned char piece[16384];
	ssize_t n;
	int r;

	if (fd < 0)
		return -errno;
	r = hash_new(&h);
	while (r == 0 && (n = read(fd, piece, sizeof piece)) != 0)
		r = n < 0 ? -errno : hash_update(h, span_of(piece, (size_t)n));
	return r == 0 ? hash_final(h, ret) : r;
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

static TS_REQ *query_new(const unsigned char digest[HASH_SHA256_LEN])
{
	TS_REQ *req = TS_REQ_new();
	TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR *algo = X509_ALGOR_new();
	ASN1_INTEGER *nonce = nonce_new();
	unsigned char copy[HASH_SHA256_LEN];
	bool good = req != NULL && imprint != NULL && algo != NULL && nonce != NULL;

	memcpy(copy, digest, sizeof copy);
	good = good && X509_ALGOR_set0(algo, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
		TS_MSG_IMPRINT_set_algo(imprint, algo) == 1 &&
		TS_MSG_IMPRINT_set_msg(imprint, copy, sizeof copy) == 1 &&
		TS_REQ_set_version(req, 1) == 1 && TS_REQ_set_msg_imprint(req, imprint) == 1 &&
		TS_REQ_set_nonce(req, nonce) == 1 && TS_REQ_set_cert_req(req, 1) == 1;
	TS_MSG_IMPRINT_free(imprint);
	X509_ALGOR_free(algo);
	ASN1_INTEGER_free(nonce);
	if (!good) {
		TS_REQ_free(req);
		return NULL;
	}
	return req;
}

static int anchor_take(void *arg, struct span der)
{
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.len);
	int r = x != NULL && X509_STORE_add_cert(arg, x) == 1 ? 0 : -EBADMSG;

	X509_free(x);
	return r;
}

static int untrusted_take(void *arg, struct span der)
{
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.len);

	if (x == NULL || sk_X509_push(arg, x) == 0) {
		X509_free(x);
		return -EBADMSG;
	}
	return 0;
}

/*
 * The token is judged as of the time it names: a stamp outlives the certificate that signed it (its
 * genTime has to lie inside the certificate's life).
 */
static int trust_set(TS_VERIFY_CTX *v, const struct profile *p, int64_t at_us)
{
	X509_STORE *anchors = X509_STORE_new();
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509_VERIFY_PARAM *param = anchors != NULL ? X509_STORE_get0_param(anchors) : NULL;
	int r = param != NULL && chain != NULL ? 0 : -ENOMEM;

	if (r == 0)
		r = pki_cert_each_pem(buf_span(&p->root_pem), anchor_take, anchors);
	if (r == 0)
		r = pki_cert_each_pem(buf_span(&p->chain_pem), untrusted_take, chain);
	if (r < 0) {
		X509_STORE_free(anchors);
		sk_X509_pop_free(chain, X509_free);
		return r;
	}
	X509_VERIFY_PARAM_set_time(param, (time_t)(at_us / TIME_S_US));
	(void)TS_VERIFY_CTX_set_store(v, anchors);
	(void)TS_VERIFY_CTX_set_certs(v, chain);
	return 0;
}

/* genTime of a granted answer, whole seconds. */
static int token_time(TS_RESP *resp, int64_t *ret_us, struct buf *ret_serial)
{
	TS_TST_INFO *info = TS_RESP_get_tst_info(resp);
	struct tm tm;
	time_t at;
	BIGNUM *n;
	char *hex;

	if (info == NULL || ASN1_TIME_to_tm(TS_TST_INFO_get_time(info), &tm) != 1)
		return -EBADMSG;
	at = timegm(&tm);
	*ret_us = (int64_t)at * TIME_S_US;
	n = ASN1_INTEGER_to_BN(TS_TST_INFO_get_serial(info), NULL);
	hex = n != NULL ? BN_bn2hex(n) : NULL;
	if (hex != NULL)
		buf_add_str(ret_serial, hex);
	OPENSSL_free(hex);
	BN_free(n);
	return 0;
}

/* req is NULL when only the file's digest is known (a stored token). */
static int token_check(const struct profile *p, TS_RESP *resp, TS_REQ *req,
	const unsigned char digest[HASH_SHA256_LEN], int64_t at_us)
{
	_cleanup_(cleanup_ts_verify) TS_VERIFY_CTX *v =
		req != NULL ? TS_REQ_to_TS_VERIFY_CTX(req, NULL) : TS_VERIFY_CTX_new();
	unsigned char *imprint;
	int r;

	if (v == NULL)
		return -ENOMEM;
	if (req == NULL) {
		imprint = OPENSSL_memdup(digest, HASH_SHA256_LEN);
		if (imprint == NULL)
			return -ENOMEM;
		(void)TS_VERIFY_CTX_set_imprint(v, imprint, HASH_SHA256_LEN);
		TS_VERIFY_CTX_set_flags(v, TS_VFY_VERSION | TS_VFY_IMPRINT);
	}
	TS_VERIFY_CTX_add_flags(v, TS_VFY_SIGNATURE);
	r = trust_set(v, p, at_us);
	if (r < 0)
		return r;
	return TS_RESP_verify_response(v, resp) == 1 ? 0 : -EKEYREJECTED;
}

static int token_tell(const struct client *c, int64_t at_us, const char *serial, const char *path)
{
	_cleanup_(buf_done) struct buf at = BUF_INIT(64);

	time_rfc3339_utc(&at, at_us);
	const struct table_pair pairs[] = {
		{"stamped", buf_str(&at)}, {"serial", serial}, {"token", path}};

	table_print_pairs(pairs, 3, c->json);
	return CLIENT_OK;
}

static int bad_token(void)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	return client_fail(CLIENT_UNTRUSTED, "the stamp does not verify: %s",
		why != NULL ? why : "not granted");
}

static int file_write(const char *path, struct span bytes)
{
	_cleanup_(buf_done) struct buf temporary = BUF_INIT(4096);
	_cleanup_(cleanup_close) int fd = -1;
	ssize_t n;

	buf_addf(&temporary, "%s.%d.part", path, (int)getpid());
	if (buf_error(&temporary) < 0)
		return -ENAMETOOLONG;
	fd = open(buf_str(&temporary), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	n = write(fd, bytes.p, bytes.len);
	if (n == (ssize_t)bytes.len && fsync(fd) == 0 && rename(buf_str(&temporary), path) == 0)
		return 0;
	int r = n >= 0 && n < (ssize_t)bytes.len ? -ENOSPC : -errno;

	(void)unlink(buf_str(&temporary));
	return r;
}

static int stamp_ask(struct client *c, const struct profile *p, TS_REQ *req, struct buf *ret)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	unsigned char *der = NULL;
	int len = i2d_TS_REQ(req, &der);
	unsigned status = 0;
	int r;

	if (len <= 0)
		return client_fail(ERR_EXIT_BUG, "cannot make the query");
	const struct link_question q = {.method = "POST",
		.target = "/tsa",
		.content_type = "application/timestamp-query",
		.body = span_of(der, (size_t)len)};
	r = link_open_door(c, p, "daytime", "http/1.1", false, &l);
	if (r == CLIENT_OK) {
		r = link_ask(&l, &q, &status, ret);
		if (r < 0)
			r = client_fail(client_exit_of(r), "no answer: %s", err_text(r));
		else if (status != 200)
			r = link_refused(status, buf_span(ret));
	}
	OPENSSL_free(der);
	return r;
}

static const char *token_name(const char *file, const char *token_path, struct buf *name)
{
	if (token_path != NULL)
		return token_path;
	buf_addf(name, "%s.tsr", file);
	return buf_str(name);
}

int stamp_make(struct client *c, const struct profile *p, const char *file, const char *token_path)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(TOKEN_MAX);
	_cleanup_(buf_done) struct buf name = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf serial = BUF_INIT(128);
	_cleanup_(cleanup_ts_req) TS_REQ *req = NULL;
	_cleanup_(cleanup_ts_resp) TS_RESP *resp = NULL;
	unsigned char digest[HASH_SHA256_LEN];
	const unsigned char *der;
	int64_t at_us = 0;
	int r = file_digest(file, digest);

	if (r < 0)
		return client_fail(ERR_EXIT_CONFIG, "%s: %s", file, err_text(r));
	req = query_new(digest);
	if (req == NULL)
		return client_fail(ERR_EXIT_BUG, "cannot make the query");
	r = stamp_ask(c, p, req, &body);
	if (r != CLIENT_OK)
		return r;
	der = body.p;
	resp = d2i_TS_RESP(NULL, &der, (long)body.len);
	if (resp == NULL || token_time(resp, &at_us, &serial) < 0 ||
		token_check(p, resp, req, digest, at_us) < 0)
		return bad_token();
	token_path = token_name(file, token_path, &name);
	r = file_write(token_path, buf_span(&body));
	return r < 0 ? client_fail(ERR_EXIT_TEMP, "%s: %s", token_path, err_text(r))
		     : token_tell(c, at_us, buf_str(&serial), token_path);
}

static int token_read(const char *path, struct buf *ret)
{
	_cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	while (n > 0) {
		unsigned char *p = buf_reserve(ret, 4096);

		if (p == NULL)
			return -EMSGSIZE;
		n = read(fd, p, 4096);
		if (n < 0)
			return -errno;
		buf_commit(ret, (size_t)n);
	}
	return 0;
}

int stamp_verify(
	const struct client *c, const struct profile *p, const char *file, const char *token_path)
{
	_cleanup_(buf_done) struct buf token = BUF_INIT(TOKEN_MAX);
	_cleanup_(buf_done) struct buf name = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf serial = BUF_INIT(128);
	_cleanup_(cleanup_ts_resp) TS_RESP *resp = NULL;
	unsigned char digest[HASH_SHA256_LEN];
	const unsigned char *der;
	int64_t at_us = 0;
	int r = file_digest(file, digest);

	if (r < 0)
		return client_fail(ERR_EXIT_CONFIG, "%s: %s", file, err_text(r));
	token_path = token_name(file, token_path, &name);
	r = token_read(token_path, &token);
	if (r < 0)
		return client_fail(ERR_EXIT_CONFIG, "%s: %s", token_path, err_text(r));
	der = token.p;
	resp = d2i_TS_RESP(NULL, &der, (long)token.len);
	if (resp == NULL || token_time(resp, &at_us, &serial) < 0 ||
		token_check(p, resp, NULL, digest, at_us) < 0)
		return bad_token();
	return token_tell(c, at_us, buf_str(&serial), token_path);
}
