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
/* Folder of former keys with their certificates, one pair a file: old mail is read by them. */
#define PROFILE_OLD "old"

struct profile {
	char name[PROFILE_NAME_MAX];
	int dir_fd; /* the profile's folder */
	char user[64];
	char host[254]; /* as the person typed it: what is connected to and verified */
	uint16_t ca_port;
	struct directory doors; /* what the server said it offers */
	struct buf root_pem, chain_pem;
	struct buf cert_pem, key_pem; /* both empty when they are missing or do not fit */
};

#define PROFILE_INIT                                     \
	((struct profile){.dir_fd = -1,                  \
		.root_pem = BUF_INIT(PROFILE_FILE_MAX),  \
		.chain_pem = BUF_INIT(PROFILE_FILE_MAX), \
		.cert_pem = BUF_INIT(PROFILE_FILE_MAX),  \
		.key_pem = BUF_INIT(PROFILE_FILE_MAX)})

void profile_done(struct profile *p);

/* Letters, digits, dot, dash and underscore, no dot in front, not "current", less than
 * PROFILE_NAME_MAX. */
bool profile_name_is_good(const char *name);

/*
 * Loads the one named, or the current one when name is NULL. -ENOENT: no such; -ENODATA: none is
 * current; -EINVAL: damaged; -EKEYREJECTED: loaded, but key and certificate do not fit each other
 * or others may read the key (cert_pem and key_pem are empty then).
 */
int profile_load(const char *name, struct profile *ret);

/* profile_load with the messages a person needs; an exit code, 0 when loaded. */
int profile_need(const struct client *c, struct profile *ret);

/* As above, and enrolled (certificate and key are there). */
int profile_need_cert(const struct client *c, struct profile *ret);

/* Writes "account" and "directory" from the struct; the caller holds the lock of the folder. */
int profile_save(const struct profile *p);

/*
 * A profile is made aside and published whole: until profile_publish() an older one of that name
 * stays as it is. profile_stage() opens an empty folder as ret->dir_fd; profile_unstage() drops it.
 * -EINVAL: the name; -EBUSY: somebody else is making it; -ENOENT: no folder for profiles is known.
 */
int profile_stage(const char *name, struct profile *ret);
int profile_publish(const struct profile *p);
void profile_unstage(const struct profile *p);

/* Choosing one, and the name of the one chosen. -ENOENT, -ENODATA. */
int profile_set_current(const char *name);
int profile_current(char ret[PROFILE_NAME_MAX]);

int profile_remove(const char *name);

/* In name order; nonzero from each() stops. */
int profile_each(int (*each)(void *arg, const char *name), void *arg);

/* The folder of profiles, made when it is missing. For the two files that implement this header. */
int profile_base_open(bool make, int *ret_fd);

#endif
