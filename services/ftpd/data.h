/*
 * The data connection: where it is awaited or goes to, and whose it is. One listener at a time, one
 * accept; only from the control connection's address; and TLS that resumed this very log-in's
 * session, or, where the account or site allows it (ACCOUNT_FTP_UNBOUND, policy ftp_unbound), a
 * full handshake with the same client certificate if the control connection showed one.
 */
#ifndef FTPD_DATA_H
#define FTPD_DATA_H

#include "services/ftpd/ftpd.h"

#include <poll.h>

int data_new(struct data **ret);
void data_free(struct data *d);
/* Closes listener and connection, forgets an active address; EPSV ALL stays. For REIN everything.
 */
void data_reset(struct data *d, bool all);

/* Is there a listener or an active address? A transfer without: 425 or 503. */
bool data_is_ready(const struct data *d);

/*
 * Towards a connection, without waiting: connect() or accept() first (data_connect), TLS and the
 * binding after the 150 was sent (data_secure), as clients begin TLS only then. 0 done; -EAGAIN:
 * await data_poll(); -ECONNREFUSED, -ETIMEDOUT, -EACCES: a foreign address came (it was closed; one
 * may still wait for the right one until the deadline) is not reported; -EKEYREJECTED: TLS did not
 * resume this log-in's session (*ret_conn is there, for a goodbye); -EPROTO and others: TLS failed.
 * *ret_conn belongs to the data.
 */
int data_connect(struct ftpd *f);
int data_secure(struct ftpd *f, struct conn **ret_conn);

/* What to poll for in these two stages. */
void data_poll(const struct data *d, struct pollfd *ret);

/* For STAT: was the last data connection resumed, and its cipher. "" before the first. */
const char *data_describe(const struct data *d);

#endif
