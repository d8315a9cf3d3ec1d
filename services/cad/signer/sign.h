/*
 * cad-signer: the process that alone holds the issuing, OCSP and CMP keys. It answers requests over
 * a Unix socket (proto/signer.h), believes nothing of what cad claims but verifies every proof
 * itself, and builds each certificate from the account record and the public key.
 */
#ifndef CAD_SIGNER_SIGN_H
#define CAD_SIGNER_SIGN_H

#include "pki/crl.h"
#include "pki/csr.h"
#include "proto/signer.h"
#include "service/service.h"

#define SIGN_MAX_CAS 16
#define SIGN_CMP_SECRET_LEN 32
#define SIGN_CMP_PASSWORD_SIZE 25 /* 24 characters and NUL */
#define SIGN_UID_NOBODY 65534 /* what every foreign user reads as inside a user namespace */

/* What CREDENTIALS holds; read at start, before any byte from the network. */
struct sign_keys {
	struct pki_key *issuing[SIGN_MAX_CAS]; /* current and retired, in the file's order */
	size_t issuing_count;
	struct pki_key *ocsp;
	struct buf cmp_pem;
	unsigned char cmp_secret[SIGN_CMP_SECRET_LEN];
};

/* 0, or a negative errno with the file's name and the trouble in the log. */
int sign_keys_load(const struct service *s, struct sign_keys *ret);
void sign_keys_done(struct sign_keys *k);

/* One authority: its row in the store and the key that belongs to it. */
struct sign_ca {
	uint32_t id;
	bool retired;
	struct buf der, ocsp_der, cmp_der;
	const struct pki_key *key; /* NULL: its key is not here (the root) */
};

struct cmp_talk;

struct sign {
	struct service *s;
	struct sign_keys keys;
	struct sign_ca cas[SIGN_MAX_CAS];
	size_t ca_count;
	bool has_admin_uid;
	uid_t admin_uid;
	struct cmp_talk *cmp; /* the CMP transaction of this connection; NULL none */
};

void sign_done(struct sign *g);

/* Reads the authorities from the store and finds each one's key. */
int sign_authorities_load(struct sign *g);
const struct sign_ca *sign_ca_find(const struct sign *g, uint32_t id);
/* The one that signs new certificates; NULL when its key is not here. */
const struct sign_ca *sign_ca_current(const struct sign *g);

/* Who may ask: uid 65534 never; administrator's requests only from the administrator. */
int sign_admin_find(struct sign *g);
bool sign_caller_allowed(const struct net_peer *peer);
bool sign_caller_is_admin(const struct sign *g, const struct net_peer *peer);

struct sign_reply {
	struct buf payload;
	uint32_t status; /* positive errno as in struct signer_answer */
	uint32_t wait_s;
	const char *reason; /* static text */
};
#define SIGN_REPLY_INIT ((struct sign_reply){.payload = BUF_INIT(SIGNER_ANSWER_MAX - 1024)})

/* Sets a refusal; returns 0, so that handlers can end with it. */
int sign_refuse(struct sign_reply *reply, int status, const char *reason);

/* Serves one request: refusals and failures are in *reply. */
void sign_serve(struct sign *g, const struct signer_request *r, struct sign_reply *reply);

/* The connection's loop. 0 at its end, or a negative errno. */
int sign_run(struct sign *g);

/* Whose throttle and audit rows a request counts for. */
struct auth_source sign_source(const struct sign *g, const struct signer_request *r);

/* The handlers. 0 (answered or refused) or a negative errno, which becomes a temporary failure. */
int sign_enroll(struct sign *g, const struct signer_request *r, struct sign_reply *reply);
int sign_ocsp(struct sign *g, const struct signer_request *r, struct sign_reply *reply);
int sign_crl(struct sign *g, const struct signer_request *r, struct sign_reply *reply);
int sign_cmp(struct sign *g, const struct signer_request *r, struct sign_reply *reply);
int sign_host(struct sign *g, const struct signer_request *r, struct sign_reply *reply);
int sign_cmp_secret(struct sign *g, const struct signer_request *r, struct sign_reply *reply);

/* What is to be issued, its proof already verified. */
struct sign_order {
	enum pki_profile profile;
	const char *account;
	const char *cn;
	const char *const *hosts;
	size_t host_count;
	struct span spki;
	const char *peer;
	const char *proof; /* for the audit row */
};

/* While there is no current authority with its key: after a roll-over, until the listener was
 * started again. */
int sign_refuse_for_now(struct sign_reply *reply);

/* Intent row, signature, certificate row. The DER goes to reply->payload. */
int sign_issue(struct sign *g, const struct sign_order *o, struct sign_reply *reply);

/* Are these the account's own names? "" stands for a name that was not asked for. */
bool sign_names_are_own(
	const struct sign *g, const char *account, const char *cn, const char *email);

/* A user certificate that somebody wants to renew or act with. */
struct sign_old {
	unsigned char serial[CERT_SERIAL_LEN];
	struct account account;
	unsigned char der[CERT_DER_MAX];
	size_t der_len;
	unsigned char spki_sha256[32];
};

/*
 * Looks it up: issued by us, for a user, not revoked, not expired, its account present and
 * unlocked. -EKEYREJECTED with static text in *ret_reason; then *ret holds what is known.
 */
int sign_old_find(
	struct sign *g, struct span serial, struct sign_old *ret, const char **ret_reason);

/* The one-time secret of a CMP reference: HMAC under the signer's credential, never stored. */
int sign_cmp_derive(
	const struct sign_keys *k, const char *reference, char ret[SIGN_CMP_PASSWORD_SIZE]);

#endif
