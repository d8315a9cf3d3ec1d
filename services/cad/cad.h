/*
 * cad: the certificate authority's face to the network. EST, CMP, OCSP, CRL, accounts and the
 * directory over HTTP. It never holds the issuing key: what has to be signed goes to cad-signer,
 * which verifies every proof itself.
 */
#ifndef CAD_CAD_H
#define CAD_CAD_H

#include "proto/signer.h"
#include "service/service.h"

/* Doors, as bits of a route's mask. */
enum cad_door { CAD_DOOR_CA = 1, CAD_DOOR_PLAIN = 2 };

struct cad {
	struct service *s;
	unsigned door; /* the one of enum cad_door that this session came through */
	int signer_fd; /* -1: not connected yet */
	/* Asks the signer; cad_ask_signer, or what a test puts in its place. */
	int (*ask)(struct cad *c, const struct signer_request *r, struct buf *scratch,
		struct signer_answer *ret);
	void *ask_arg;
};

/* What a route asks of whoever comes. */
enum cad_auth {
	CAD_AUTH_NONE,
	CAD_AUTH_BASIC, /* name and secret given; whether they are right the signer decides */
	CAD_AUTH_CERTIFICATE, /* a client certificate that stands for its account */
	CAD_AUTH_ACCOUNT, /* certificate, or name and password */
};

#define CAD_USER_SIZE 64

/* One request on its way to its answer. */
struct cad_exchange {
	struct cad *cad;
	const struct http_request *request;
	struct span body;
	struct span rest; /* of the path, behind a route that ends in '/' */
	char user[CAD_USER_SIZE]; /* CAD_AUTH_BASIC */
	struct buf secret;
	struct auth_identity who; /* CAD_AUTH_CERTIFICATE, CAD_AUTH_ACCOUNT */
	bool head_only;
	bool keep_alive;
};

/* Serves requests until the connection ends. 0, or what ended it. */
int cad_run(struct cad *c);

/* Finds the route, sees to the proof it needs and calls its handler (routes.c). */
int cad_dispatch(struct cad_exchange *x);

/* Sees to what a route needs: 1 when it is there, 0 when a refusal was written, or negative. */
int cad_authorize(struct cad_exchange *x, enum cad_auth need);

/* Answers (reply.c). 0 or a negative errno of the connection. */
int cad_reply(struct cad_exchange *x, const char *content_type, struct span body);
int cad_reply_base64(struct cad_exchange *x, const char *content_type, struct span der);
int cad_text(struct cad_exchange *x, unsigned status, const char *text);
int cad_text_wait(struct cad_exchange *x, unsigned status, unsigned wait_s, const char *text);
int cad_wrong_method(struct cad_exchange *x, const char *allow);
int cad_challenge(struct cad_exchange *x, const char *text);
/* A failure of the store or of the way to the signer. */
int cad_unavailable(struct cad_exchange *x, int error);
/* What the signer refused. */
int cad_refused(struct cad_exchange *x, const struct signer_answer *a);

/* Is the body of this media type? Else 415 is answered: 1, 0 or negative. */
int cad_body_is(struct cad_exchange *x, const char *media_type);

/* The persistent connection to the signer (signer_link.c). Errors as signer_call and connect(). */
int cad_ask_signer(struct cad *c, const struct signer_request *r, struct buf *scratch,
	struct signer_answer *ret);
void cad_signer_close(struct cad *c);
/* A request of this kind in the name of the session's peer. */
struct signer_request cad_request_of(const struct cad *c, enum signer_kind kind);

/* The handlers. */
int cad_est_cacerts(struct cad_exchange *x);
int cad_est_enroll(struct cad_exchange *x);
int cad_est_reenroll(struct cad_exchange *x);
int cad_est_csrattrs(struct cad_exchange *x);
int cad_cmp(struct cad_exchange *x);
int cad_ocsp_post(struct cad_exchange *x);
int cad_ocsp_get(struct cad_exchange *x);
int cad_authority_file(struct cad_exchange *x);
int cad_account_create(struct cad_exchange *x);
int cad_account_password(struct cad_exchange *x);
int cad_account_show(struct cad_exchange *x);
int cad_account_certificates(struct cad_exchange *x);
int cad_account_revoke(struct cad_exchange *x);
int cad_certificates(struct cad_exchange *x);
int cad_directory(struct cad_exchange *x);

#endif
