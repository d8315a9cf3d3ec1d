/* What tls*.c share. The only header of lib/net with OpenSSL types. */
#ifndef NET_TLS_INTERNAL_H
#define NET_TLS_INTERNAL_H

#include "net/conn_internal.h"
#include "net/tls.h"

#include <openssl/ssl.h>

#define TLS_ALPN_MAX 64
#define TLS_GATHER_MAX 262144 /* payload bytes whose records are sent together */
#define TLS_HELD_MAX (TLS_GATHER_MAX + 16384) /* with what records add, and a ticket or two */

struct tls_server {
	SSL_CTX *ctx;
	struct buf trust_pem; /* put into the context's store when a client first shows something */
	bool trust_loaded;
	unsigned char alpn[TLS_ALPN_MAX]; /* wire form: length, name, length, name */
	unsigned int alpn_len;
	bool resumable;
	bool has_control; /* the control connection was accepted */
	unsigned char secret[32]; /* in every ticket that proves where it comes from */
	unsigned char id_context[32];
};

struct tls_client {
	SSL_CTX *ctx;
	bool any; /* whoever it is, the caller judges */
	bool peers;
};

/* The TLS part of one connection. */
struct tls_conn {
	SSL *ssl;
	struct tls_server *server; /* one of the two */
	struct tls_client *client;
	struct tls_info info;
	bool have_info; /* the handshake is done, or failed on the peer's certificate */
	bool gather; /* records are held back for now */
	struct buf held; /* and where; those that the socket does not take stay for later */
	size_t held_sent;
	bool socket_ended; /* the socket gave end of file */
	X509 *peer; /* what the chain check was asked about; NULL: nothing was shown */
	unsigned char *der; /* what info.peer_der points to; OpenSSL's memory */
	int date_error; /* a date check's X509_V_ERR_*, 0 none */
	int check_error; /* any other's */
	char reason[96]; /* why the last call failed */
	bool control; /* its tickets carry the server's secret */
	SSL_SESSION
	*newest; /* client: what the server gave last; NULL: nothing, or it is used up */
};

/* Once per process: OpenSSL without configuration file and without algorithms nobody uses. */
int tls_init(void);

/* Fewer algorithms, where OpenSSL is linked in (tls_slim.c). */
void tls_slim(void);

/* Remembers OpenSSL's oldest queued error, or what, for tls_error_text(); returns error. */
int tls_fail(int error, const char *what);

/* The text of an OpenSSL error; the tables of texts are loaded when first needed. */
const char *tls_reason_text(unsigned long code);

/* Key and certificate chain into the context (tls_load.c). -EINVAL, -ENOMEM. */
int tls_load_identity(SSL_CTX *ctx, struct span key_pem, struct span cert_pem);

/*
 * Certificates into the context's trust store. anchors false: those that are self-signed are left
 * out, since in the store they would be anchors. -EINVAL: unreadable, or none at all.
 */
int tls_load_trust(SSL_CTX *ctx, struct span pem, bool anchors);

/* The callbacks of the chain check (tls_verify.c); arg is the tls_server or tls_client. */
int tls_verify_client_cert(X509_STORE_CTX *store, void *arg);
int tls_verify_server_cert(X509_STORE_CTX *store, void *arg);
int tls_verify_nothing(X509_STORE_CTX *store, void *arg); /* the caller will */

/* Names, purpose and strictness for a client's connection to host. -EINVAL, -ENOMEM. */
int tls_verify_expect_host(SSL *ssl, const char *host);

/* Tickets and sessions for a new context (tls_resume.c). -ENOMEM, -EIO. */
int tls_resume_server(struct tls_server *s);
void tls_resume_client(SSL_CTX *ctx);

/* At the beginning of a server's handshake. */
void tls_resume_begin(struct tls_conn *t);

/* The socket as OpenSSL sees it (tls_bio.c). NULL: no memory. */
BIO *tls_bio_new(struct conn *c);

/* From now on records are held back, until t->gather is false again; len: payload to come. */
void tls_bio_gather(struct conn *c, size_t len);

/* Sends what is held. 0: all; -EAGAIN; or the socket's error. */
int tls_bio_flush(struct conn *c);

/* Fills t->info after the handshake (done), or after one that failed on the certificate. */
void tls_info_fill(struct tls_conn *t, bool done);

#endif
