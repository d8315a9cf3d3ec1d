/*
 * Log-in, sign-up and the identity of a session, for all five services. Works on the store; every
 * refusal looks and costs the same to the peer; the throttle is counted here and nowhere else.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "store/account.h"
#include "store/cert.h"

#include <stdint.h>

/* What the service knows about whoever tries. */
struct auth_source {
	struct span bucket; /* net_peer_bucket */
	const char *peer; /* text for the audit */
	const char *service; /* "cad" */
	const char *runtime; /* for password_check's cap */
	const char *domain;
};

enum auth_proof { AUTH_NONE, AUTH_PASSWORD, AUTH_CERTIFICATE };

struct auth_identity {
	enum auth_proof proof;
	struct account account;
	unsigned char serial[CERT_SERIAL_LEN]; /* AUTH_CERTIFICATE */
};

/*
 * Password log-in: throttle, account, yescrypt, rehash when outdated (in cad), audit of a refusal.
 * 0; -EACCES wrong (unknown, locked and wrong are not told apart); -EBUSY throttled, with the wait
 * in *ret_wait_s (may be NULL); -EAGAIN too many checks at once.
 */
int auth_password(struct store *s, const struct auth_source *from, struct span name,
	struct span password, struct auth_identity *ret, unsigned *ret_wait_s);

/*
 * Certificate identity: der is the peer's certificate that TLS verified to our authority (peer_ok).
 * Profile user, serial known, not revoked, account present and unlocked, CN equal to the account.
 * 0; -EKEYREJECTED with a reason for people (static text) in *ret_reason.
 */
int auth_certificate(struct store *s, const struct auth_source *from, struct span der,
	struct auth_identity *ret, const char **ret_reason);

/*
 * Does the identity still hold? 0, or -EACCES: revoked, locked, removed, no longer an
 * administrator, password changed (for password sessions). Called by the wake of a live session;
 * one view.
 */
int auth_still_valid(struct store *s, const struct auth_identity *who);

/*
 * Sign-up by policy: "closed", "invite" (the default), "open". token is empty where none was given.
 * 0; -EPERM closed; -EINVAL malformed or reserved name, or unacceptable password; -EEXIST taken;
 * -EKEYREJECTED invite missing or bad; -EBUSY throttled. *ret_reason: a sentence for people
 * (static). A password with p NULL makes an account without one (invite plus certificate); a
 * service that takes passwords gives a p that is not NULL.
 */
int auth_sign_up(struct store *s, const struct auth_source *from, struct span name,
	struct span password, struct span token, const char **ret_reason);

/* A token as handed out ("abcd-efgh-..."), its hash for the store. Case and dashes do not matter:
 * auth_token_read() makes what is hashed of it. -EINVAL: no token. */
int auth_token_new(char *ret_token, size_t size, unsigned char ret_hash[INVITE_HASH_LEN]);
int auth_token_read(struct span token, char ret[INVITE_TOKEN_SIZE]);
int auth_token_hash(struct span token, unsigned char ret_hash[INVITE_HASH_LEN]);

/* Count a failed or successful proof of another kind (invite, CMP, EXTERNAL) in the throttle. name
 * may be empty. */
int auth_throttle_wait_s(
	struct store *s, const struct auth_source *from, struct span name, unsigned *ret_wait_s);
void auth_failed(
	struct store *s, const struct auth_source *from, struct span name, const char *what);
void auth_succeeded(struct store *s, const struct auth_source *from, struct span name);

#endif
