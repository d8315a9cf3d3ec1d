/* Issued certificates, revocation, the authority's own certificates, stored CRLs. */
#ifndef STORE_CERT_H
#define STORE_CERT_H

#include "store/account.h"

#define CERT_SERIAL_LEN 16 /* our serials: 16 random bytes, top bit clear, first byte not 0 */
#define CERT_DER_MAX 4096

enum cert_state {
	CERT_INTENT = 1, /* about to be signed; never seen by anyone unless it became ISSUED */
	CERT_ISSUED = 2,
	CERT_REVOKED = 3,
};

enum cert_profile {
	CERT_PROFILE_USER = 1,
	CERT_PROFILE_HOST = 2,
	CERT_PROFILE_TSA = 3,
	CERT_PROFILE_OCSP = 4,
	CERT_PROFILE_CMP = 5
};

struct cert {
	unsigned char serial[CERT_SERIAL_LEN];
	char account[ACCOUNT_NAME_SIZE]; /* for hosts the account of the host name's first label, or
					    "quintet" */
	enum cert_state state;
	enum cert_profile profile;
	uint32_t ca_id;
	int64_t created_us, not_before_us, not_after_us;
	int64_t revoked_us;
	int reason; /* CRLReason, RFC 5280 section 5.3.1 */
	unsigned char spki_sha256[32];
	struct span der; /* empty for an intent; valid inside the view or each() only */
};

/* -ENOENT. der copied to der_buf (CERT_DER_MAX) when not NULL, and ret->der points there. */
int cert_get(struct store *s, const unsigned char serial[CERT_SERIAL_LEN], struct cert *ret,
	unsigned char *der_buf);

/* What a session asks: is this serial issued and not revoked, its account present and unlocked?
 * 0 and the account; -ENOENT unknown serial; -EKEYREVOKED; -EACCES locked or gone. */
int cert_check(struct store *s, const unsigned char serial[CERT_SERIAL_LEN], struct account *ret);

/* All of an account ("" for all accounts) whose not_after lies before before_us (INT64_MAX: all).
 */
int cert_each(struct store *s, const char *account, int64_t before_us,
	int (*each)(void *arg, const struct cert *c), void *arg);

/* All revoked of one CA in serial order, expired ones left out: for CRLs. */
int cert_each_revoked(struct store *s, uint32_t ca_id, int64_t now_us,
	int (*each)(void *arg, const struct cert *c), void *arg);

/* STORE_OP_CERT_INTENT takes a struct cert without der. -EEXIST (serial), -ENOENT / -EACCES
 * (account). */
/* STORE_OP_CERT_ISSUED. -ENOENT: no such intent. Refused (-EACCES) when the account was locked
 * since. */
struct cert_issued_args {
	unsigned char serial[CERT_SERIAL_LEN];
	struct span der;
	int64_t now_us;
	char peer[64];
	char proof[24]; /* "password", "invite", "certificate", "cmp", "admin": for the audit row */
};

/* STORE_OP_CERT_REVOKE. -ENOENT; -EALREADY; -EINVAL: a reason that no CRL can carry (7, 8, over
 * 10). An intent can be revoked too: it is never issued then. by: who asked, for the audit row. */
struct cert_revoke_args {
	unsigned char serial[CERT_SERIAL_LEN];
	char account[ACCOUNT_NAME_SIZE]; /* must own it; "" for an administrator */
	int reason;
	int64_t now_us;
	char by[64];
};

/* The authority: id 0 is the root, 1.. are issuing CAs in order; the highest unretired is current.
 */
struct ca {
	uint32_t id;
	bool retired; /* signs nothing new; still signs its CRL and OCSP */
	struct span der; /* its certificate */
	struct span ocsp_der; /* delegated responder's certificate; empty for the root */
	struct span cmp_der; /* protects CMP answers; empty for the root */
};

/* STORE_OP_CA_PUT takes a struct ca: adds or replaces. With id = current + 1 the former current
 * retires. -EINVAL: ids have no gaps; no certificate, or one above CERT_DER_MAX. */
int ca_each(struct store *s, int (*each)(void *arg, const struct ca *c), void *arg);

/* STORE_OP_CRL_PUT: der is kept as newest of its CA if number is higher (-EEXIST else). */
struct crl_put_args {
	uint32_t ca_id;
	uint64_t number;
	int64_t this_update_us, next_update_us;
	uint64_t revision; /* of the revocations it was made from (crl_revision) */
	struct span der;
};
struct crl_info {
	uint64_t number;
	int64_t this_update_us, next_update_us;
	uint64_t revision;
};
/* Newest CRL of a CA appended to der. -ENOENT when none was made. */
struct buf;
int crl_get(struct store *s, uint32_t ca_id, struct crl_info *ret, struct buf *der);

/* Bumped by every revocation of that CA: a CRL made from an older one is out of date. */
int crl_revision(struct store *s, uint32_t ca_id, uint64_t *ret);

#endif
