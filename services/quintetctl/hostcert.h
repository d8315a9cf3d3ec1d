/*
 * Certificates of hosts and services: the key is made here, in the process of the caller; the
 * signer makes the certificate when the administrator asks for it.
 */
#ifndef QUINTETCTL_HOSTCERT_H
#define QUINTETCTL_HOSTCERT_H

#include "authority.h"

/* From a ready request (DER) to the certificate: the administrator's part asks the signer. hosts:
 * names separated by blanks. Says what is wrong. */
int hostcert_sign(struct ctl *c, enum pki_profile profile, const char *hosts, struct span csr,
	struct buf *ret_der);

/* A new key, its request, its certificate. ret is empty before. */
int hostcert_new(struct ctl *c, enum pki_profile profile, const char *hosts, struct pair *ret);

/* What a service reads: the leaf, then the issuing certificate that signed it. */
int hostcert_chain(const struct authority_list *l, struct span leaf_der, struct buf *ret_pem);

/* A credential of the house, how renew judges it, and what became of it. */
struct renewal {
	const char *service, *name; /* "daytimed", "tls" */
	enum pki_profile profile;
	const char *listeners[3]; /* units that read it at their start only; NULL-ended */
	struct pki_cert_info info; /* of the certificate there is, later of the new one */
	const char *why; /* why it is due; NULL: it is not */
	bool failed;
};

/* What init makes and renew renews. */
#define RENEWALS 6
extern const struct renewal house_credentials[RENEWALS];

/* Renews what is due (all with force), makes what is missing, and gives a row per credential. The
 * worst status. */
int renew_services(
	struct ctl *c, const struct authority_list *l, bool force, struct renewal ret[RENEWALS]);
int renew_print(const struct ctl *c, const struct renewal rows[RENEWALS]);

/* Asks systemd to restart those of the units (NULL-ended) that run: they have read their
 * credentials at their start. False where systemd is not there or we are not root. */
bool units_restart(const char *const *units);

/* systemd asked: -EACCES and the like where it does not answer us. */
struct units;
int units_open(struct units **ret);
void units_close(struct units *u);
/* "active", "inactive", "failed" ...; -ENOENT: there is no such unit. */
int units_state(struct units *u, const char *unit, char ret[32]);
/* Those of ours that have failed. */
int units_failed(struct units *u, void (*each)(void *arg, const char *unit), void *arg);

#endif
