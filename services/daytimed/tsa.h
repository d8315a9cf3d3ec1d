/* RFC 3161 time stamps (with RFC 5816's ESSCertIDv2): one query in, one reply out. */
#ifndef DAYTIMED_TSA_H
#define DAYTIMED_TSA_H

#include "services/daytimed/clock.h"

#include "base/buf.h"

#define TSA_QUERY_MAX 8192
#define TSA_REPLY_MAX 32768

/* Our policy, under 2.25 (a UUID's arc): time of this host's clock, accuracy as the kernel gives it
 * and none claimed while nobody disciplines the clock. */
#define TSA_POLICY "2.25.132906405372895640573218495710364829157"

struct tsa;

/* The key and its certificate, followed by the issuing CA's. -EINVAL: not a pair, or not a
 * certificate for time stamping and nothing else; -ENOMEM. */
int tsa_new(struct span key_pem, struct span cert_pem, struct tsa **ret);
void tsa_free(struct tsa *t);
void tsa_freep(struct tsa **t);

/*
 * Appends the reply, which for an unacceptable query is a rejection with its reason (RFC 3161
 * section 2.4.2). ret_serial_hex gets the token's serial, or "" for a rejection. -EIO, -ENOMEM.
 */
#define TSA_SERIAL_SIZE 41
int tsa_answer(const struct tsa *t, const struct clock_state *clock, struct span query,
	struct buf *ret_der, char ret_serial_hex[TSA_SERIAL_SIZE]);

#endif
