/* A new certificate for the old one: `quintet renew`, and the console by itself. */
#ifndef CLIENT_RENEW_H
#define CLIENT_RENEW_H

#include "client/profile.h"
#include "pki/cert.h"

/* The profile's own certificate. Negative errno: it cannot be read. */
int renew_leaf(const struct profile *p, struct pki_cert_info *ret);
/* When it is to be renewed: at two thirds of its life. */
int64_t renew_due_us(const struct pki_cert_info *info);

/*
 * Renews the certificate of the profile of that name (if_due: if it is due), and loads the profile
 * as it is then into *ret_now (PROFILE_INIT). Waits while another process does the same, whose
 * certificate then is the one looked at. An exit code; failures are told.
 */
int renew_run(
	struct client *c, const char *name, bool if_due, bool new_key, struct profile *ret_now);

#endif
