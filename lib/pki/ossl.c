/* The edge between OpenSSL and the rest: errors, memory, times and text. */
#include "pki/ossl.h"

#include "base/text.h"
#include "base/timefmt.h"
#include "pki/der.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>

int pki_enter(void)
{
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	return ERR_set_mark();
}

void pki_leave(int *edge)
{
	/* Without a mark (an empty queue had none to set) everything is ours to drop. */
	if (*edge != 1)
		ERR_clear_error();
	else
		(void)ERR_pop_to_mark();
}

int pki_error(void)
{
	return ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE ? -ENOMEM : -EIO;
}

int pki_add_der(struct buf *ret, unsigned char *der, int len)
{
	if (der == NULL || len < 0)
		return pki_error();
	buf_add(ret, span_of(der, (size_t)len));
	OPENSSL_free(der);
	return buf_error(ret);
}

int pki_add_bio(struct buf *ret, BIO *bio)
{
	char *p = NULL;
	long len = BIO_get_mem_data(bio, &p);

	if (len < 0 || p == NULL)
		return pki_error();
	buf_add(ret, span_of(p, (size_t)len));
	return buf_error(ret);
}

X509 *pki_x509_of(struct span der)
{
	const unsigned char *p = der.p;
	X509 *x;

	if (der.len > LONG_MAX || der_check(der) < 0)
		return NULL;
	x = d2i_X509(NULL, &p, (long)der.len);
	if (x == NULL)
		return NULL;
	/* The first look at the extensions decodes and keeps them. */
	if (p != der.p + der.len || (X509_get_extension_flags(x) & EXFLAG_INVALID) != 0) {
		X509_free(x);
		return NULL;
	}
	return x;
}

static int add_one(void *arg, struct span der)
{
	STACK_OF(X509) *certs = arg;
	X509 *x = pki_x509_of(der);

	if (x == NULL)
		return -EBADMSG;
	if (sk_X509_push(certs, x) <= 0) {
		X509_free(x);
		return -ENOMEM;
	}
	return 0;
}

int pki_x509s_add(STACK_OF(X509) * *certs, struct span der_or_pem)
{
	if (*certs == NULL)
		*certs = sk_X509_new_null();
	if (*certs == NULL)
		return -ENOMEM;
	if (der_or_pem.len == 0)
		return 0;
	if (der_or_pem.p[0] == 0x30)
		return add_one(*certs, der_or_pem);
	return pki_pem_each(der_or_pem, "CERTIFICATE", add_one, *certs);
}

time_t pki_seconds(int64_t at_us)
{
	int64_t s = at_us / TIME_S_US;

	return (time_t)(at_us % TIME_S_US < 0 ? s - 1 : s);
}

int pki_time_us(const ASN1_TIME *t, int64_t *ret_us)
{
	struct tm tm;
	struct time_parts parts;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return -EBADMSG;
	parts = (struct time_parts){
		.year = tm.tm_year + 1900,
		.month = tm.tm_mon + 1,
		.day = tm.tm_mday,
		.hour = tm.tm_hour,
		.minute = tm.tm_min,
		.second = tm.tm_sec,
	};
	return time_from_parts(&parts, ret_us) < 0 ? -EBADMSG : 0;
}

int pki_text(const ASN1_STRING *s, char *ret, size_t size)
{
	unsigned char *utf8 = NULL;
	int len = s != NULL ? ASN1_STRING_to_UTF8(&utf8, s) : -1;
	int r = -EBADMSG;

	if (len < 0)
		return r;
	if (text_is_clean(span_of(utf8, (size_t)len)) &&
		span_copy_str(span_of(utf8, (size_t)len), ret, size) == 0)
		r = 0;
	OPENSSL_free(utf8);
	return r;
}
