/*
 * Profiles: one folder per server under ~/.config/quintet (or QUINTET_CLIENT_DIR), holding key.pem,
 * cert.pem, root.pem, chain.pem and the files "account" and "directory" (text). Folder 0700, key
 * 0600.
 */
#ifndef CLIENT_PROFILE_H
#define CLIENT_PROFILE_H

#include "client/client.h"
#include "proto/form.h"

#define PROFILE_NAME_MAX 64
#define PROFILE_FILE_MAX 65536

struct profile {
	char name[PROFILE_NAME_MAX];
	int dir_fd; /* the profile's folder */
	char user[64];
	char host[254]; /* as the person typed it: what is connected to and verified */
	uint16_t ca_port;
	struct directory doors; /* what the server said it offers */
	struct buf root_pem, chain_pem, cert_pem, key_pem; /* cert and key empty before enrolment */
};

#define PROFILE_INIT                                     \
	((struct profile){.dir_fd = -1,                  \
		.root_pem = BUF_INIT(PROFILE_FILE_MAX),  \
		.chain_pem = BUF_INIT(PROFILE_FILE_MAX), \
		.cert_pem = BUF_INIT(PROFILE_FILE_MAX),  \
		.key_pem = BUF_INIT(PROFILE_FILE_MAX)})

void profile_done(struct profile *p);

/* Loads the one named, or the current one when name is NULL. -ENOENT: none yet. -EINVAL: damaged.
 */
int profile_load(const char *name, struct profile *ret);

/* Makes the folder (-EEXIST is fine) and opens it; the name must be [A-Za-z0-9._-]+. */
int profile_create(const char *name, struct profile *ret);

/* Writes one file of the profile: temporary, flush, rename, flush of the folder. */
int profile_write(const struct profile *p, const char *file, struct span bytes);

/* Appends a file of the profile; a missing one appends nothing. Removing a missing one is fine. */
int profile_read(const struct profile *p, const char *file, struct buf *ret);
int profile_remove(const struct profile *p, const char *file);

/* Writes "account" and "directory" from the struct. */
int profile_save(const struct profile *p);

int profile_set_current(const char *name);

/* The name of the current profile. -ENOENT. */
int profile_current(char ret[PROFILE_NAME_MAX]);

/* In name order; nonzero from each() stops. */
int profile_each(int (*each)(void *arg, const char *name), void *arg);

/* profile_load with the messages a person needs; an exit code, 0 when loaded. */
int profile_need(const struct client *c, struct profile *ret);

/* As above, and enrolled (certificate and key are there). */
int profile_need_cert(const struct client *c, struct profile *ret);

#endif
