/* What the files of lib/pki share about OpenSSL. No other module includes this. */
#ifndef PKI_OSSL_H
#define PKI_OSSL_H

#include "base/cleanup.h"
#include "pki/cert.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

struct pki_key {
	EVP_PKEY *pkey;
};

#define PKI_FREEP(name, type, fn)          \
	static inline void name(type **pp) \
	{                                  \
		fn(*pp);                   \
	}
PKI_FREEP(pki_bio_freep, BIO, BIO_free_all)
PKI_FREEP(pki_pkey_freep, EVP_PKEY, EVP_PKEY_free)
PKI_FREEP(pki_pkey_ctx_freep, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
PKI_FREEP(pki_md_ctx_freep, EVP_MD_CTX, EVP_MD_CTX_free)
PKI_FREEP(pki_x509_freep, X509, X509_free)
PKI_FREEP(pki_x509_req_freep, X509_REQ, X509_REQ_free)
PKI_FREEP(pki_x509_crl_freep, X509_CRL, X509_CRL_free)
PKI_FREEP(pki_pubkey_freep, X509_PUBKEY, X509_PUBKEY_free)
PKI_FREEP(pki_object_freep, ASN1_OBJECT, ASN1_OBJECT_free)
PKI_FREEP(pki_octets_freep, ASN1_OCTET_STRING, ASN1_OCTET_STRING_free)
PKI_FREEP(pki_integer_freep, ASN1_INTEGER, ASN1_INTEGER_free)
PKI_FREEP(pki_time_freep, ASN1_TIME, ASN1_TIME_free)
PKI_FREEP(pki_bn_freep, BIGNUM, BN_free)
PKI_FREEP(pki_names_freep, GENERAL_NAMES, GENERAL_NAMES_free)
PKI_FREEP(pki_eku_freep, EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)
PKI_FREEP(pki_pkcs7_freep, PKCS7, PKCS7_free)

static inline void pki_x509s_freep(STACK_OF(X509) * *certs)
{
	sk_X509_pop_free(*certs, X509_free);
}

/*
 * The edge: every public function begins with PKI_EDGE, so that nothing it did stays in the error
 * queue, where TLS would take it for its own.
 */
#define PKI_EDGE _cleanup_(pki_leave) __attribute__((unused)) int edge = pki_enter()
int pki_enter(void);
void pki_leave(int *edge);

/* -ENOMEM when the queue says so, else -EIO. */
int pki_error(void);

/* Appends what i2d_*(x, &der) with der NULL made, and frees it. */
int pki_add_der(struct buf *ret, unsigned char *der, int len);
int pki_add_bio(struct buf *ret, BIO *bio);

/* Makes a key of ours of it, which owns it from then on, on failure too. NULL: pki_error(). */
int pki_key_take(EVP_PKEY *pkey, struct pki_key **ret);

/* One certificate in DER, nothing behind it, extensions well-formed; NULL otherwise. */
X509 *pki_x509_of(struct span der);

/* Appends to *certs (made when NULL) from DER or PEM text. -EBADMSG, -ENOMEM. */
int pki_x509s_add(STACK_OF(X509) * *certs, struct span der_or_pem);

/* The one CN, or "". -EBADMSG: several, not text, too long. */
int pki_subject_cn(const X509_NAME *name, char *ret, size_t size);
int pki_x509_spki(const X509 *x, struct buf *ret);

/* A store that trusts the certificates of the PEM text (or one DER). */
int pki_store_new(struct span root_pem, X509_STORE **ret);

/* Seconds of a point in time, rounded down. */
time_t pki_seconds(int64_t at_us);
/* -EBADMSG. */
int pki_time_us(const ASN1_TIME *t, int64_t *ret_us);

/* Copies a string value as clean UTF-8. -EBADMSG: not text, control characters, does not fit. */
int pki_text(const ASN1_STRING *s, char *ret, size_t size);

/* Calls each() with the DER of every PEM block of that label ("NEW " in front is taken too). */
int pki_pem_each(
	struct span pem, const char *label, int (*each)(void *arg, struct span der), void *arg);

enum pki_key_kind { PKI_KIND_EC = 1, PKI_KIND_RSA, PKI_KIND_ED25519 };

/* The rules for keys (csr.h). The kind, or -EKEYREJECTED with a static reason. */
int pki_judge_key(X509_PUBKEY *spki, const char **ret_reason);

/* Any e-mail address, DNS name or IP address of names, in order, as text. */
struct pki_names {
	char email[PKI_NAME_MAX + 1];
	char hosts[PKI_MAX_HOSTS][PKI_NAME_MAX + 1];
	size_t host_count, email_count, other_count;
};
/* -EBADMSG: text that is not clean ASCII, too long, too many. */
int pki_names_read(const GENERAL_NAMES *names, struct pki_names *ret);

/* Letters, digits, '-' in labels of 1 to 63 bytes, 253 in all; a last dot is refused. */
bool pki_is_dns_name(struct span s);
/* local@domain of a profile: clean ASCII, one '@', domain a DNS name. */
bool pki_is_email(struct span s);

#endif
