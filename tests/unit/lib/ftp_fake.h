/*
 * An FTPS server for tests of the client: a process with a folder, implicit TLS, one process per
 * connection, and faults to order. It is no model of a server: it says what the test wants said.
 */
#ifndef TESTS_UNIT_FTP_FAKE_H
#define TESTS_UNIT_FTP_FAKE_H

#include "tests/unit/lib/test_pair.h"

#include <stdint.h>
#include <sys/types.h>

struct ftp_fake_order {
	/* once: the first time only */
	uint64_t cut_down_at; /* both connections are cut after that many bytes of a RETR, once */
	uint64_t cut_up_at; /* and of a STOR */
	bool transient; /* the first RETR gets 450 */
	bool changes; /* the file grows before the first RETR */
	/* always */
	bool wrong_digest; /* MLST and HASH tell another */
	bool wrong_bytes; /* RETR sends others */
	bool no_facts; /* no MLST, MLSD, HASH: an old server */
	bool foreign_pasv; /* no EPSV, and PASV names an address elsewhere */
	bool unbound; /* the data connection does not resume */
	bool other_cert; /* and shows another certificate */
	bool no_goodbye; /* a RETR ends with a bare FIN, but 226 */
	bool endless; /* RETR goes on and on */
	bool silent; /* RETR is never answered */
	bool evil_names; /* in listings */
	unsigned sessions; /* so many at once, then 421; 0: any number */
};

#define FTP_FAKE_PASSWORD "correct horse"

struct ftp_fake {
	struct test_world world;
	struct test_leaf stranger; /* another certificate of the same authority */
	char dir[64]; /* the files: made and removed by the caller */
	uint16_t port;
	pid_t pid;
	int fd;
};

void ftp_fake_start(struct ftp_fake *f, const struct ftp_fake_order *order);
void ftp_fake_stop(struct ftp_fake *f);

/* Removes a folder with all in it. */
void ftp_fake_clean(const char *folder);

/* How often the server did something: "RETR", "STOR", "login", "session", "REST". */
unsigned ftp_fake_count(const struct ftp_fake *f, const char *what);

#endif
