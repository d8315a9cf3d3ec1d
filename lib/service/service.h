/*
 * The start and end of every service, in the order of DESIGN section 3. A service's main() reads:
 *
 *	service_start()       name, options, settings, log, signals, umask; refuses uid 0
 *	service_credentials() key and certificate, TLS context, before any byte from the network
 *	service_connection()  connected: that one; listening: the accept loop, returns in each child
 *	service_handshake()   TLS with its deadline; identity from a client certificate
 *	service_store()       the store, the sandbox's last stage
 *	NAME_run()            the session
 *	service_finish()      close_notify, summary line, exit status
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "auth/auth.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "net/activate.h"
#include "net/conn.h"
#include "net/http.h"
#include "net/peer.h"
#include "net/sandbox.h"
#include "net/tls.h"
#include "store/session.h"

#include <signal.h>
#include <stdint.h>

#define SERVICE_PEM_MAX 65536 /* a key, or certificates in one file */

struct service_settings {
	char domain[254]; /* QUINTET_DOMAIN, default "localhost" */
	char host[254]; /* QUINTET_HOST, default the domain */
	char state[200]; /* QUINTET_STATE, default /var/lib/quintet */
	char runtime[200]; /* QUINTET_RUNTIME, default /run/quintet */
	char conf[200]; /* QUINTET_CONF, default /etc/quintet */
	char credentials[200]; /* CREDENTIALS_DIRECTORY, else QUINTET_CREDENTIALS, else
				  CONF/credentials/NAME */
	char plain_url[254]; /* QUINTET_PLAIN_URL: where CRL, OCSP and caIssuers are:
				"http://HOST:8080" */
	uint16_t port_daytime, port_timestamp, port_ca,
		port_ca_plain; /* QUINTET_PORT_DAYTIME 13, _TIMESTAMP 318, _CA 8443, _CA_PLAIN 8080
				*/
	uint16_t port_ftps, port_ftp; /* QUINTET_PORT_FTPS 990 (implicit TLS), _FTP 21 (AUTH TLS) */
	uint16_t port_irc; /* QUINTET_PORT_IRC 6697 */
	uint16_t port_imaps, port_submissions; /* QUINTET_PORT_IMAPS 993, _SUBMISSIONS 465 */
	uint16_t ftp_passive_first, ftp_passive_last; /* QUINTET_FTP_PASSIVE "FIRST-LAST", default
							 49152-65534 */
	char ftp_address[16]; /* QUINTET_FTP_ADDRESS: the IPv4 address that PASV tells; "": the
				 control connection's own */
	char keeper[220]; /* QUINTET_KEEPER: the keeper's socket, default RUNTIME/keeper.sock; "":
			     none, each process writes for itself (QUINTET_KEEPER=none) */
	char admin_user[33]; /* QUINTET_ADMIN_USER, default quintet-admin; "" none (make run) */
};

/* One door of a service: what --door=NAME chooses. */
struct service_door {
	const char *name;
	bool tls;
	const char *const *alpn; /* NULL-ended or NULL */
	unsigned idle_s; /* between requests */
	unsigned login_s; /* until logged in; 0: no log-in stage */
	bool starttls; /* the connection begins in clear; service_handshake() comes when asked for
			*/
	bool resumable; /* TLS with tickets, fresh in each session (tls_server_config.resumable) */
};

struct service_def {
	const char *name;
	const struct service_door *doors; /* the first is the default; ended by a NULL name */
	enum sandbox_profile sandbox;
	const struct sandbox_path *extra_paths; /* ended by a NULL path; may be NULL */
	bool client_certs; /* ask for one */
	bool passwords; /* checks some: reaches the lock files of their cap */
	bool blobs; /* reads or writes bodies of the store */
	bool files; /* ftpd: reaches STATE/files */
	bool bell; /* chatd: every session has a bell, and is told that it was rung; the topic of
		    * the service's name is rung when a dead session was reaped */
	unsigned tcp; /* enum sandbox_tcp: what Landlock leaves of TCP */
	unsigned max_total, max_per_source,
		idle_exit_s; /* wait mode defaults: --max=, --per-source=, --idle-exit= */
};

/* What live.c remembers of the session it keeps visible and mortal. */
struct service_live {
	char account[ACCOUNT_NAME_SIZE]; /* whose bell is registered; "" none */
	int64_t updated_ms; /* when the row's byte counts were last written */
	uint64_t updated_bytes;
	bool warned; /* that it cannot be registered: said once */
	bool revoked; /* what ended the session was not the peer's doing nor an error of ours */
	bool rung; /* since service_rung() was asked the last time */
	uint64_t watched; /* whose process watch_fd is; 0: nobody's */
	bool died; /* that process has ended */
	int64_t looked_ms; /* when neighbour and account were last looked at */
	bool look_due; /* it rang since then */
};

struct service {
	const struct service_def *def;
	const struct service_door *door;
	struct service_settings settings;
	unsigned max_total, max_per_source, idle_exit_s; /* as def says or the options changed it */
	bool tls_begun; /* service_handshake() tried */
	bool misconfigured; /* what failed is the administrator's to mend: exit 100 */
	struct net_activation sockets;
	struct net_peer peer;
	struct tls_server *tls;
	struct conn *conn;
	struct store *store; /* opened by service_store, or lazily by service_need_store */
	struct auth_source source; /* filled by service_connection */
	struct auth_identity who; /* proof AUTH_NONE until logged in */
	char cert_reason[96]; /* why a certificate that was shown gave no identity; "" else */
	struct bell *bell;
	uint64_t session_id; /* 0 until registered */
	int watch_fd; /* pidfd of the successor, -1 none */
	int epoll_fd; /* bell and pidfd together: the wake of conn; -1 none */
	struct service_live live;
	int64_t started_ms;
	unsigned commands;
	uint64_t data_in, data_out; /* bytes that went past conn: counted in rows and summary */
	const char *end_reason; /* for the summary line; lives as long as the connection */
	char *const *argv;
};

#define SERVICE_INIT ((struct service){.watch_fd = -1, .epoll_fd = -1})

/* Settings from the environment alone; for quintetctl too. -EINVAL names the variable in the log.
 */
int service_settings_read(const char *name, struct service_settings *ret);

/*
 * Each of these logs what went wrong, with what is needed to mend it; the caller passes the result
 * to service_finish(). service_start: 0; 1: --help or --version was answered. service_credentials:
 * 0, with s->tls NULL on a door without TLS.
 */
int service_start(struct service *s, const struct service_def *def, int argc, char **argv);
int service_credentials(struct service *s);

/* Appends a file (of the service's credentials) to b. -EFBIG over b->max. Silent. */
int service_read_file(const char *path, struct buf *b);
int service_read_credential(const struct service *s, const char *name, struct buf *b);

/* 1: a connection is there (s->conn, s->peer); 0: the listener ended well; negative errno. */
int service_connection(struct service *s);
/* 0; 1: the peer's fault, which service_finish() tells. */
int service_handshake(struct service *s);

/*
 * Last stage: Landlock and seccomp are installed; the store is opened when open_now or when a
 * verified client certificate was shown (whose identity goes to s->who, or the reason why not to
 * s->cert_reason). Afterwards the session watches over itself, see service_register().
 */
int service_store(struct service *s, bool open_now);

/* Opens the store if it is not yet, writing through the keeper if the settings name one; nothing is
 * dialled before the first write. 0 or negative errno (the caller answers "temporarily
 * unavailable"). */
int service_need_store(struct service *s);

/*
 * Makes the session visible and mortal: session row, bell on topic "account/NAME", successor
 * watched, conn's wake set so that revocation ends any wait with -EACCES. It happens by itself once
 * the session has lasted a second, so that a short question costs no commit; it then looks whether
 * the identity still holds, so a revocation takes effect within a second before and after. To be
 * called where a session wants it sooner. Again after it worked: nothing happens. -EACCES: revoked
 * meanwhile.
 */
int service_register(struct service *s);

/* For a service with .bell: was the session's bell rung, or is it time to look anyhow, since this
 * was asked last? conn_poll() returns early, with 0, when it is. */
bool service_rung(struct service *s);

/* After a log-in in the protocol: remembers who, adds log context; a registered session's row and
 * bell change with it. */
int service_logged_in(struct service *s, const struct auth_identity *who);

/* result: 0, or what ended the session. Returns the exit status for main. */
int service_finish(struct service *s, int result);
void service_done(struct service *s); /* cleanup attribute */

/*
 * The machine goes down, or an administrator stops the session: SIGTERM no longer ends the process
 * but makes *ret_fd readable, so that the loop can put things in order first. The end of watching
 * takes what came and closes it; old is what the first call gave.
 */
int service_watch_end(sigset_t *ret_old, int *ret_fd);
void service_unwatch_end(const sigset_t *old, int *fd);

/* Rings the bell of an account after its revocation, lock or password change. */
int service_ring_account(struct store *st, const char *runtime, const char *account);

#endif
