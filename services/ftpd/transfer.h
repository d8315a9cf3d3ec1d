/*
 * One transfer as a state machine that session.c steps: prepare (slices of work before), connect,
 * 150, secure, move, close (close_notify both ways), finish, reply. At most one per session. Before
 * each 150 and each final reply a fresh TLS ticket goes out on the control connection, because
 * clients use a ticket once.
 */
#ifndef FTPD_TRANSFER_H
#define FTPD_TRANSFER_H

#include "services/ftpd/ftpd.h"
#include "services/ftpd/tree.h"
#include "services/ftpd/upload.h"

#include <poll.h>

/* Each takes over what it is given, in every case; replies by itself when it cannot begin (no data
 * address, PROT missing), and sets f->transfer when it did. Results as ftpd_command(). */
int transfer_upload(struct ftpd *f, struct upload *u);
int transfer_download(struct ftpd *f, int fd, uint64_t first, uint64_t length, const char *path);

/* path: what the list is of. NLST's lines are usable as they are (RFC 1123 section 4.1.2.7): names
 * below cwd, else absolute ones. */
enum transfer_form { TRANSFER_LIST, TRANSFER_NLST, TRANSFER_MLSD };
int transfer_listing(
	struct ftpd *f, struct tree_list *list, enum transfer_form form, const char *path);

/* What the transfer waits for (at most one descriptor; fd -1: none) and until when. *ret_now: do
 * not wait, there is work. */
void transfer_poll(const struct ftpd *f, struct pollfd *ret, int64_t *ret_until_ms, bool *ret_now);

/* Goes on as far as it can; at the end it has replied and f->transfer is NULL. Results as
 * ftpd_command(). */
int transfer_step(struct ftpd *f);

/* Ends it: 426 and, for ABOR, the 226 that RFC 959 wants behind it. With a dead control connection
 * (reply false) silently. An upload's bytes stay as its partial. */
int transfer_abort(struct ftpd *f, bool reply);

/* For STAT in mid-transfer: "STOR /shared/x: 1234567 bytes in 3 s". */
void transfer_describe(const struct ftpd *f, struct buf *b);

#endif
