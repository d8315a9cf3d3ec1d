/*
 * TLS by DESIGN section 5: 1.3, and 1.2 with ECDHE and AEAD only; no tickets, renegotiation,
 * compression or early data; no OpenSSL configuration file. (Tickets: only where .resumable is
 * set.) OpenSSL stays inside tls*.c; the rest of the project sees bytes, numbers and text. Contexts
 * are made once and survive fork.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/buf.h"

#include <stdint.h>

struct tls_server;
struct tls_client;

struct tls_server_config {
	struct span key_pem; /* the private key; the caller wipes its copy afterwards */
	struct span cert_pem; /* leaf first, then the issuing CA */
	struct span
		trust_pem; /* root and issuing CAs for client certificates; empty: ask for none */
	const char *const
		*alpn; /* NULL-ended, in order of preference; NULL: no ALPN. A client that
			* offers only others is refused; one that offers none is served. */
	/*
	 * ftpd: data connections resume the control connection's session (RFC 4217 section 10.2).
	 * Stateless tickets for 1.3, the in-process cache and tickets for 1.2. Nothing is shared
	 * between processes: see tls_server_fresh().
	 */
	bool resumable;
	/* Calls between people: TLS 1.3, and a certificate is a must, which the caller judges after
	 * the handshake (any is let through, peer_ok is false), as it does the ALPN name. */
	bool peers;
};

/* -EINVAL: key or certificate unusable (tls_error_text tells); -ENOMEM. */
int tls_server_new(const struct tls_server_config *config, struct tls_server **ret);
/*
 * Before forks: sets up what OpenSSL otherwise makes on first use, so that sessions share it (80 kB
 * less in each). Costs about one connection. Failing does no harm.
 */
void tls_server_warm(struct tls_server *s);
/*
 * In the process of one connection, before its handshake, where .resumable: new ticket keys, a new
 * session id context and a new secret that every ticket of this process carries, so that a session
 * of any other process, or from before this call, is never resumed. Called again after a REIN
 * (a 1.2 session of the control connection is then of no use either). The first connection that is
 * accepted is the control connection: only its sessions and tickets are good for resuming, not
 * those that a stranger's full handshake on a data connection gives. -EIO.
 */
int tls_server_fresh(struct tls_server *s);
void tls_server_free(struct tls_server *s);
void tls_server_freep(struct tls_server **s);

struct tls_client_config {
	bool bootstrap; /* accept any server: only for fetching public things that are then checked
			 * against a fingerprint the person gave; no trust anchor is needed */
	bool peers; /* the other side of tls_server_config.peers: no trust anchor, no host */
	struct span root_pem; /* the only trust anchor */
	struct span extra_pem; /* issuing CAs, for servers that send only a leaf; may be empty */
	struct span key_pem; /* client certificate; both empty: none */
	struct span cert_pem; /* leaf, then issuing */
	const char *alpn; /* one protocol or NULL */
};

int tls_client_new(const struct tls_client_config *config, struct tls_client **ret);
void tls_client_free(struct tls_client *c);
void tls_client_freep(struct tls_client **c);

/* Of a connection after its handshake. */
struct tls_info {
	const char *protocol; /* "TLSv1.3" */
	const char *cipher; /* "TLS_AES_256_GCM_SHA384" */
	const char *group; /* "X25519", or "" */
	bool resumed; /* the handshake went on with an earlier session */
	char alpn[32]; /* "" when none */
	/*
	 * The peer's certificate: DER and what the chain check said. On the server side a bad
	 * certificate does not end the handshake: identity exists only when peer_ok.
	 */
	struct span peer_der;
	bool peer_ok;
	char peer_reason[96]; /* empty when peer_ok or none was shown */
	/* The client's view of the server: */
	char peer_subject[128]; /* escaped text */
	char peer_issuer[128];
	int64_t peer_not_after_us; /* of the leaf */
	int64_t chain_not_after_us; /* the earliest end in the verified chain */
	unsigned char peer_sha256[32];
	bool clock_suspect; /* verification failed only on dates: the local clock may be the wrong
			       one */
	char server_name[128]; /* SNI, server side; "" when none */
};

/*
 * Keying material bound to this connection (RFC 5705, RFC 9266 "EXPORTER-Channel-Binding").
 * -ENOTCONN when not TLS.
 */
struct conn;
int tls_exporter(const struct conn *c, const char *label, unsigned char *ret, size_t len);

/* Text of the last failure of tls_*_new in this thread; static memory. */
const char *tls_error_text(void);

#endif
