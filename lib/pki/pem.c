/* PEM in and out, and what people send as "a request". */
#include "base/text.h"
#include "pki/csr.h"
#include "pki/ossl.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>

struct block {
	char *name, *header;
	unsigned char *data;
	long len;
};

static void block_free(struct block *b)
{
	OPENSSL_free(b->name);
	OPENSSL_free(b->header);
	if (b->data != NULL)
		OPENSSL_clear_free(b->data, (size_t)b->len);
	*b = (struct block){0};
}

static bool is_labelled(const struct block *b, const char *label)
{
	return strcmp(b->name, label) == 0 ||
		(strncmp(b->name, "NEW ", 4) == 0 && strcmp(b->name + 4, label) == 0);
}

/* 1 and a block, 0 at the end, -EBADMSG. */
static int next_block(BIO *bio, struct block *ret)
{
	if (PEM_read_bio(bio, &ret->name, &ret->header, &ret->data, &ret->len) == 1)
		return 1;
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? 0 : -EBADMSG;
}

int pki_pem_each(
	struct span pem, const char *label, int (*each)(void *arg, struct span der), void *arg)
{
	PKI_EDGE;
	_cleanup_(pki_bio_freep) BIO *bio = NULL;
	int r;

	if (pem.len == 0)
		return 0;
	if (pem.len > INT_MAX)
		return -EBADMSG;
	bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	if (bio == NULL)
		return -ENOMEM;
	for (;;) {
		_cleanup_(block_free) struct block b = {0};

		r = next_block(bio, &b);
		if (r <= 0)
			return r;
		if (!is_labelled(&b, label))
			continue;
		/* A header means encryption, and there is nobody to ask for a passphrase. */
		if (b.header != NULL && b.header[0] != '\0')
			return -EBADMSG;
		r = each(arg, span_of(b.data, (size_t)b.len));
		if (r != 0)
			return r;
	}
}

int pki_cert_each_pem(struct span pem, int (*each)(void *arg, struct span der), void *arg)
{
	return pki_pem_each(pem, "CERTIFICATE", each, arg);
}

static int to_pem(struct span der, const char *label, struct buf *ret)
{
	buf_addf(ret, "-----BEGIN %s-----\n", label);
	text_base64(ret, der, 64);
	buf_addf(ret, "-----END %s-----\n", label);
	return buf_error(ret);
}

int pki_cert_to_pem(struct span der, struct buf *ret)
{
	return to_pem(der, "CERTIFICATE", ret);
}

int pki_crl_to_pem(struct span der, struct buf *ret)
{
	return to_pem(der, "X509 CRL", ret);
}

static int add_first(void *arg, struct span der)
{
	struct buf *ret = arg;

	buf_add(ret, der);
	return buf_error(ret) < 0 ? -EBADMSG : 1;
}

int pki_unarmor(struct span body, const char *pem_label, struct buf *ret_der)
{
	static const char armour[] = "-----BEGIN ";
	int r;

	if (body.len == 0)
		return -EBADMSG;
	/* A SEQUENCE. Base64 of one begins with 'M', so a '0' is never text. */
	if (body.p[0] == 0x30) {
		buf_add(ret_der, body);
		return buf_error(ret_der) < 0 ? -EBADMSG : 0;
	}
	if (memmem(body.p, body.len, armour, sizeof(armour) - 1) != NULL) {
		r = pki_pem_each(body, pem_label, add_first, ret_der);
		return r == 1 ? 0 : -EBADMSG;
	}
	return text_unbase64(ret_der, body) < 0 ? -EBADMSG : 0;
}
