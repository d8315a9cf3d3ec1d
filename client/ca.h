/* The parts of quintet ca. */
#ifndef CLIENT_CA_H
#define CLIENT_CA_H

#include "client/link.h"
#include "client/table.h"

/* The verified revocation list of the authority that issued this device's certificate. */
int ca_crl(struct client *c, const struct profile *p);

/* OCSP about the certificate in file, or without one about this device's. Exit codes. */
int ca_check(struct client *c, const struct profile *p, const char *file);

/* "serial state not-before not-after profile" lines into rows. -EBADMSG. */
int ca_list_read(struct span text, struct table *ret);

#endif
