/*
 * FTP's text (RFC 959, 2389, 2428, 3659, 7151): command lines, replies, paths, addresses, facts
 * and listings; both sides, pure. Sockets and files are elsewhere.
 */
#ifndef PROTO_FTP_H
#define PROTO_FTP_H

#include "base/buf.h"

#include <stdint.h>

#define FTP_LINE_MAX 4096 /* a command or reply line, without CR LF */
#define FTP_PATH_MAX 2048 /* bytes of a normalised path */
#define FTP_PATH_SIZE (FTP_PATH_MAX + 1)
#define FTP_NAME_MAX 255 /* bytes of one component */
#define FTP_VERB_SIZE 12

/* -- command lines ------------------------------------------------------------------------------
 */

struct ftp_command {
	char verb[FTP_VERB_SIZE]; /* upper case */
	bool has_argument; /* a space followed the verb, even if nothing followed that */
	struct span argument; /* all behind the first space, as it came; into the line */
};

/*
 * Telnet sequences before the verb (IAC IP, IAC DM: RFC 959 section 4.1.3, sent before ABOR) are
 * skipped. -EINVAL: no verb of 1 to 11 letters.
 */
int ftp_command_parse(struct span line, struct ftp_command *ret);

/* An HTTP or other foreign protocol's first word (GET, POST, HEAD, PUT with "HTTP/", EHLO, HELO,
 * CONNECT, OPTIONS, SSH-...)? The session is closed at once (ALPACA, request smuggling by
 * browsers).
 */
bool ftp_line_is_foreign(struct span line);

/* -- replies, the client's side -----------------------------------------------------------------
 */

/* One line of a reply: "226 text", "226-text" begins one of several, other lines are inside. */
struct ftp_reply_line {
	unsigned code; /* 100 to 699, 0: a line inside without code */
	bool more; /* "ddd-" */
	struct span text;
};
/* -EPROTO when the line cannot begin a reply and inside is 0. inside: the code of the reply that is
 * being read, 0 none. *ret_done: the reply ends with this line. */
int ftp_reply_parse(struct span line, unsigned inside, struct ftp_reply_line *ret, bool *ret_done);

/* -- paths --------------------------------------------------------------------------------------
 */

/*
 * cwd (normalised) and an argument give a normalised absolute path: "." and ".." taken lexically
 * (above "/" stays "/"), runs of slashes one, no slash at the end but "/" itself. -EINVAL: not
 * UTF-8, NUL or control character, or a component that begins with ".quintet-"; -ENAMETOOLONG: a
 * component over FTP_NAME_MAX or the whole over FTP_PATH_MAX. An empty argument is cwd.
 */
int ftp_path_resolve(const char *cwd, struct span argument, char ret[FTP_PATH_SIZE]);

/* Folder and last component of a normalised path: of "/" the name is "". The name points into path.
 */
const char *ftp_path_name(const char *path);
void ftp_path_folder(const char *path, char ret[FTP_PATH_SIZE]);
/* Is path the folder itself, or below it? */
bool ftp_path_below(const char *path, const char *folder);

/* Appends path in double quotes, inner quotes doubled (RFC 959, 257 replies), and reads it back
 * (-EPROTO). */
void ftp_quote(struct buf *b, const char *path);
int ftp_unquote(struct span text, char ret[FTP_PATH_SIZE]);

/* -- numbers and times --------------------------------------------------------------------------
 */

/* REST, ALLO: 0 to 2^63-1. ALLO may have " R n" behind it, which is skipped. -EINVAL, -ERANGE. */
int ftp_size_parse(struct span s, uint64_t *ret);
/* RANG "first last" (inclusive); "1 0" takes it back: *ret_set false (draft-bryan-ftp-range). */
int ftp_range_parse(struct span s, uint64_t *ret_first, uint64_t *ret_last, bool *ret_set);
/* "YYYYMMDDHHMMSS[.frac]" in UTC (RFC 3659 section 2.3), both ways; microseconds. -EINVAL, -ERANGE.
 */
int ftp_time_parse(struct span s, int64_t *ret_us);
void ftp_time_write(struct buf *b, int64_t at_us, bool fraction);

/* -- addresses ----------------------------------------------------------------------------------
 */

/* family: 1 IPv4, 2 IPv6 (RFC 2428). Host bytes in network order: 4 or 16 of them. */
struct ftp_address {
	unsigned family;
	unsigned char host[16];
	uint16_t port;
};
int ftp_port_parse(struct span s, struct ftp_address *ret); /* PORT: h1,h2,h3,h4,p1,p2. -EINVAL */
int ftp_eprt_parse(struct span s, struct ftp_address *ret); /* |1|132.235.1.2|6275|; -EINVAL,
							       -EAFNOSUPPORT: family not 1 or 2 */
/* "227 ... (h1,h2,h3,h4,p1,p2)" and "229 ... (|||6446|)", the texts behind the code. -EPROTO. */
int ftp_pasv_read(struct span text, struct ftp_address *ret);
int ftp_epsv_read(struct span text, uint16_t *ret_port);

/* -- facts and listings -------------------------------------------------------------------------
 */

enum ftp_fact {
	FTP_FACT_TYPE = 1,
	FTP_FACT_SIZE = 2,
	FTP_FACT_MODIFY = 4,
	FTP_FACT_PERM = 8,
	FTP_FACT_UNIQUE = 16,
	FTP_FACT_OWNER = 32, /* UNIX.ownername */
	FTP_FACT_DIGEST = 64, /* X.sha256, lower-case hexadecimal */
	FTP_FACT_ALL = 127
};

enum ftp_entry_type { FTP_ENTRY_FILE, FTP_ENTRY_FOLDER, FTP_ENTRY_SELF, FTP_ENTRY_PARENT };

struct ftp_entry {
	enum ftp_entry_type type;
	uint64_t size;
	int64_t modify_us;
	char perm[12]; /* RFC 3659 section 7.5.5 letters */
	uint64_t unique[2]; /* device and inode */
	char owner[33]; /* "" unknown */
	bool has_digest;
	unsigned char digest[32];
};

/* "type=file;size=1;... name" without CR LF; wanted is a set of enum ftp_fact. */
void ftp_facts_write(struct buf *b, const struct ftp_entry *e, unsigned wanted, const char *name);
/* *ret_name points into the line. Unknown facts are skipped. *ret_facts: which were there. -EPROTO.
 */
int ftp_facts_read(
	struct span line, struct ftp_entry *ret, unsigned *ret_facts, struct span *ret_name);

/* FEAT's "type*;size*;perm;" with a star at those that are on; and OPTS MLST's argument (unknown
 * names are skipped, RFC 3659 section 7.9). */
void ftp_facts_names(struct buf *b, unsigned on, bool stars);
unsigned ftp_facts_select(struct span argument);

/* "-rw-rw----   1 owner    quintet  123 Nov 21 06:45 name" for people and old clients (UTC; the
 * year in place of the time when older than half a year or in the future), without CR LF. */
void ftp_list_write(struct buf *b, const struct ftp_entry *e, int64_t now_us, const char *name);

/* "HASH" algorithms: "SHA-256" and "CRC32". */
enum ftp_hash { FTP_HASH_SHA256, FTP_HASH_CRC32, FTP_HASH_COUNT };
const char *ftp_hash_name(enum ftp_hash h);
int ftp_hash_find(struct span name, enum ftp_hash *ret); /* -EINVAL */
/* CRC-32 (IEEE 802.3), running: begin with 0. */
uint32_t ftp_crc32(uint32_t crc, struct span bytes);

#endif
