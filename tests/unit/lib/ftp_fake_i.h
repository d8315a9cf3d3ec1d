/* The inside of the fake server: one connection's process. */
#ifndef TESTS_UNIT_FTP_FAKE_I_H
#define TESTS_UNIT_FTP_FAKE_I_H

#include "proto/ftp.h"
#include "tests/unit/lib/ftp_fake.h"

#include <unistd.h>

enum { FILE_MAX = 64 << 20, CHUNK = 60000 };

struct fake {
	const struct ftp_fake *f;
	struct ftp_fake_order order;
	struct tls_server *tls, *data_tls;
	struct conn *control, *data;
	int listen_fd;
	uint64_t rest;
	char from[300];
};

static inline void fake_must(bool ok)
{
	if (!ok)
		_exit(3);
}

void fake_say(struct fake *s, const char *line);

/* The name of a path, in the folder, with a suffix. */
void fake_path(const struct fake *s, const char *path, const char *suffix, char ret[400]);
void fake_count(const struct ftp_fake *f, const char *what);
/* Appends the whole file. */
bool fake_read(const char *path, struct buf *ret);
bool fake_digest(const struct fake *s, const char *path, unsigned char ret[32]);
bool fake_entry(const struct fake *s, const char *real, struct ftp_entry *ret);
uint16_t fake_listen(int *ret_fd);

/* Commands with a data connection (ftp_fake_data.c). */
void fake_epsv(struct fake *s, const char *argument);
void fake_pasv(struct fake *s, const char *argument);
void fake_retr(struct fake *s, const char *path);
void fake_stor(struct fake *s, const char *path);
void fake_mlsd(struct fake *s, const char *path);

#endif
