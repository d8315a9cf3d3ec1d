/* quintet ftp's engine with a fake server, a folder on either side, and a profile. */
#ifndef TESTS_UNIT_FTP_SCENE_H
#define TESTS_UNIT_FTP_SCENE_H

#include "client/ftp/ftp.h"
#include "tests/unit/lib/ftp_fake.h"
#include "tests/unit/lib/pki_fixture.h"

enum { BIG = 3000000 };

struct scene {
	struct ftp_fake fake;
	struct client c;
	struct profile profile;
	struct ftp_options options;
	struct ftp_pool *pool;
	char here[64]; /* the client's folder */
	int here_fd;
	struct buf big; /* BIG bytes, no two parts alike */
};

/* One session, three retries, digests wanted; the pool is opened later. */
void scene_start(struct scene *s, const struct ftp_fake_order *order);
void scene_open(struct scene *s);
void scene_end(struct scene *s);

struct ftp_task *scene_task(
	struct scene *s, enum ftp_task_kind kind, const char *remote, const char *local);

/* Does it; an exit code, with the task freed. */
int scene_run(struct scene *s, struct ftp_task *t);
int scene_get(struct scene *s, const char *remote, const char *local);
int scene_put(struct scene *s, const char *local, const char *remote);

void assert_file(const char *dir, const char *name, struct span bytes);
void assert_no_parts(const struct scene *s, const char *name);
bool scene_has(const struct scene *s, const char *name);

#endif
