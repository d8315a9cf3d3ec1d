/*
 * What cad and quintetctl say to cad-signer over its Unix socket: length (u32, big-endian), then a
 * record. Requests: kind and the fields of that kind. Pure encoding and decoding.
 */
#ifndef PROTO_SIGNER_H
#define PROTO_SIGNER_H

#include "base/rec.h"

#define SIGNER_MESSAGE_MAX 32768 /* a request's record */
#define SIGNER_ANSWER_MAX (4U << 20) /* an answer's: CRLs grow, 40 bytes for each revoked */
#define SIGNER_TEXT_MAX 256

enum signer_kind {
	SIGNER_ENROLL = 1, /* csr + a proof -> certificate */
	SIGNER_OCSP = 2, /* OCSP request DER -> response DER */
	SIGNER_CRL =
		3, /* ca_id -> current CRL DER (made anew when due or when something was revoked) */
	SIGNER_CMP = 4, /* CMP message DER -> CMP message DER; one conversation per connection */
	SIGNER_HOST = 5, /* csr + profile + host names -> certificate; callers: the administrator's
			    uid only */
	SIGNER_CMP_SECRET = 6, /* reference -> the one-time secret; administrator's uid only */
};

enum signer_proof {
	SIGNER_PROOF_PASSWORD = 1, /* name + password */
	SIGNER_PROOF_INVITE = 2, /* name + token: makes the account */
	SIGNER_PROOF_RENEW = 3, /* serial of the certificate to renew; the csr proves the old key */
};

struct signer_request {
	uint8_t kind;
	uint8_t proof;
	char name[64]; /* as the peer gave it */
	struct span secret; /* password or token */
	struct span serial; /* PROOF_RENEW: 16 bytes */
	struct span csr; /* DER; or the OCSP, CMP message */
	uint32_t ca_id; /* CRL */
	uint8_t profile; /* HOST: enum pki_profile PKI_HOST or PKI_TSA */
	struct span hosts; /* HOST: names separated by blanks */
	char peer[64]; /* for audit and throttle: peer text */
	struct span bucket; /* and throttle bucket */
};

/*
 * status: 0, or a positive errno: EACCES wrong proof, EBUSY throttled (wait_s), EKEYREJECTED
 * request refused, EINVAL malformed, EEXIST name taken, EPERM caller not allowed, EAGAIN temporary,
 * EIO.
 */
struct signer_answer {
	uint32_t status;
	uint32_t wait_s;
	struct span payload; /* certificate, response, CRL, CMP message, secret */
	char reason[SIGNER_TEXT_MAX]; /* for people */
};

/* Appends length and record. -EMSGSIZE beyond the maxima above (nothing is appended then). The
 * request may hold a password: wipe the buffer. */
int signer_request_write(struct buf *b, const struct signer_request *r);
int signer_answer_write(struct buf *b, const struct signer_answer *a);

/* Decode a record (without its length). Spans point into it. -EBADMSG. */
int signer_request_read(struct span record, struct signer_request *ret);
int signer_answer_read(struct span record, struct signer_answer *ret);

/* Blocking exchange on a connected SOCK_STREAM fd: answer's spans live in scratch, which is reset
 * first and whose max must allow for the answers expected. -EPIPE, -EBADMSG, -ETIMEDOUT. */
int signer_call(int fd, const struct signer_request *r, int timeout_ms, struct buf *scratch,
	struct signer_answer *ret);
/* The server's side: 1 and the record in scratch (to be wiped), 0 at the end. -EPIPE, -EBADMSG,
 * -ETIMEDOUT. */
int signer_receive(int fd, int timeout_ms, struct buf *scratch, struct signer_request *ret);
/* All of the bytes (an encoded answer) within the time. -EPIPE, -ETIMEDOUT. */
int signer_send(int fd, struct span bytes, int timeout_ms);
/* -ENOENT, -ECONNREFUSED, -EACCES, -ENAMETOOLONG, -ETIMEDOUT. */
int signer_connect(const char *path, int *ret_fd);

#endif
