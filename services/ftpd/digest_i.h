/* A digest of a part of a file, in slices. Inside job.c and digest.c. */
#ifndef FTPD_DIGEST_I_H
#define FTPD_DIGEST_I_H

#include "base/buf.h"
#include "proto/ftp.h"

struct digest;

/* fd is taken over, in every case. */
int digest_new(int fd, enum ftp_hash hash, uint64_t first, uint64_t length, struct digest **ret);
void digest_free(struct digest *d);

/* 1: more; 0: done. -EIO also when the file has become shorter. */
int digest_step(struct digest *d);

/* When done: SHA-256 is 32 bytes, CRC-32 4 (big-endian). *ret_len bytes of ret. */
int digest_result(struct digest *d, unsigned char ret[32], size_t *ret_len);

int digest_fd(const struct digest *d);

#endif
