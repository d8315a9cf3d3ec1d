/*
 * ftpd: FTP over TLS (RFC 959, 2228, 2389, 2428, 3659, 4217, 7151). What its files share.
 *
 *	ftpd.c      main: doors, order of steps
 *	clear.c     the door "ftp" before AUTH TLS
 *	session.c   the one poll loop: control lines, transfer, job, deadlines
 *	commands.c  the command table and its gate (login, arguments, mid-transfer)
 *	login.c     USER PASS ACCT HOST REIN SITE REGISTER, PBSZ PROT CCC AUTH
 *	about.c     FEAT OPTS HELP SYST STAT NOOP CLNT TYPE MODE STRU QUIT
 *	names.c     CWD CDUP PWD SIZE MDTM MFMT MLST DELE RNFR RNTO MKD RMD AVBL ALLO REST RANG
 *	reply.c     replies: lines, paths, errors in words
 *	move.c      STOR STOU APPE RETR LIST NLST MLSD HASH XSHA256 XCRC SITE RMTREE: starts of what
 *		    takes time
 *	data.c      data.h: EPSV PASV EPRT PORT, accepting and binding a data connection
 *	transfer.c  transfer.h: one transfer's state machine; download.c, listing.c its sources
 *	upload.c    upload.h: temporaries, partials, commit; quota.c reservations
 *	tree.c      tree.h: the file tree below one descriptor; rights.c who may do what
 *	job.c       job.h: long work in slices: digests, RMTREE
 */
#ifndef FTPD_H
#define FTPD_H

#include "proto/ftp.h"
#include "service/service.h"
#include "store/file.h"

struct tree;
struct data;
struct transfer;
struct job;

enum {
	FTPD_BAD_MAX = 10, /* bad commands in a row until the session is ended */
	FTPD_REPLY_MAX = 8192,
};

#define FTPD_SYSTEM "UNIX Type: L8" /* SYST's answer, which clients look for */

struct ftpd_range {
	bool set;
	uint64_t first, last; /* inclusive */
};

struct ftpd {
	struct service *service;
	struct conn *control; /* service->conn */
	int end_fd; /* readable when the process is told to end; -1 */
	struct tree *tree;

	/* who */
	char user[ACCOUNT_NAME_SIZE]; /* given by USER; "" none */
	bool logged_in;
	bool admin;
	unsigned log_ins; /* refused ones */

	/* where and how */
	char cwd[FTP_PATH_SIZE];
	unsigned facts; /* of MLST and MLSD */
	enum ftp_hash hash;
	bool prot_private; /* PROT P was said, or the door is implicit */
	bool pbsz;

	/* for the next command only */
	bool rest_set;
	uint64_t rest;
	struct ftpd_range range;
	uint64_t allo; /* 0: not said */
	char rename_from[FTP_PATH_SIZE]; /* "" none */
	char rmtree[FTP_PATH_SIZE]; /* asked once; "" none */
	char partial_shown[FTP_PATH_SIZE]; /* SIZE told a partial's size of this path; "" none */

	struct data *data; /* never NULL */
	struct transfer *transfer; /* NULL: none under way */
	struct job *job; /* NULL: none */

	unsigned bad; /* in a row */
	uint64_t lines_at; /* bytes of the control connection when the last whole line came */
	bool quit; /* the session ends when everything is sent */
	int64_t last_ms; /* of the last command, monotonic */
	int64_t login_until_ms; /* to be logged in by then */
	struct auth_identity certificate; /* what the handshake proved; AUTH_NONE: nothing */
};

/* Of PROT P: implied on the implicit door. */
bool ftpd_is_implicit(const struct service *s);

/* Policy ftp_active: may data connections be made to the client (EPRT, PORT)? */
bool ftpd_active_allowed(const struct ftpd *f);

/* -- session.c --------------------------------------------------------------------------------- */

/* The session of a connection with TLS and walls. 0 or negative as conn; service->end_reason. */
int ftpd_run(struct service *s, struct tree *tree);

/* -- clear.c ----------------------------------------------------------------------------------- */

/* The door "ftp" before TLS: FEAT, AUTH, QUIT, HELP, NOOP, SYST. 0: AUTH TLS was answered with 234,
 * the handshake is next; 1: the session is over; negative as conn. */
int ftpd_clear(struct service *s);

/* -- commands.c -------------------------------------------------------------------------------- */

/* Runs one command line. 0, or negative: the session cannot go on (the control connection). What
 * the peer does wrong is a reply. */
int ftpd_command(struct ftpd *f, struct span line);

/* May this line be run while a transfer or job is under way (ABOR, STAT, NOOP)? Others wait. */
bool ftpd_command_is_urgent(struct span line);

/* A handler's arguments: the resolved path where the table says so. */
struct ftpd_call {
	struct ftpd *f;
	struct span argument;
	char path[FTP_PATH_SIZE]; /* of the argument, or of cwd without one */
};

enum ftpd_verb_flag {
	FTPD_LOGIN = 1, /* only after log-in, else 530 */
	FTPD_URGENT = 2, /* run in mid-transfer too */
	FTPD_KEEPS = 4, /* REST, RANG, ALLO, RNFR and the first SITE RMTREE outlive it */
	FTPD_SECRET = 8, /* the argument is never logged */
	FTPD_NONE = 16, /* takes no argument */
	FTPD_SOME = 32, /* must have one */
	FTPD_PATH = 64, /* it is a path, resolved into call->path */
	FTPD_OPTIONS = 128, /* words that begin with "-" before it are skipped (LIST -a) */
};

/* A row of the command table; what FEAT and HELP say is made of these. */
struct ftpd_verb {
	const char *name;
	int (*run)(struct ftpd_call *c); /* NULL: known, not offered: 502 */
	unsigned flags;
	const char *feature; /* FEAT's line; NULL: none */
	const char *syntax; /* what HELP shows behind the name; NULL: HELP leaves it out */
};
const struct ftpd_verb *ftpd_verbs(size_t *ret_count);
const struct ftpd_verb *ftpd_site_verbs(size_t *ret_count);

/* FEAT's and HELP's lines, each ended by LF. f NULL: before TLS, where nothing is chosen yet. */
void ftpd_features_write(struct buf *b, const struct ftpd *f);
void ftpd_help_write(struct buf *b, const struct ftpd_verb *verbs, size_t count);

/* The argument, or a part of it, as a path of the tree in ret. 0, or 1: it was refused by a reply;
 * negative: as ftpd_command(). */
int ftpd_resolve(struct ftpd *f, struct span argument, char ret[FTP_PATH_SIZE]);

/* What is kept for the next command is forgotten. */
void ftpd_forget(struct ftpd *f);

/* -- replies (reply.c) ------------------------------------------------------------------------- */

/* "CODE text"; control bytes and line ends in it become question marks. */
int ftpd_reply(struct ftpd *f, unsigned code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* CODE "path" text: the path quoted, its quotes doubled. */
int ftpd_reply_path(struct ftpd *f, unsigned code, const char *path, const char *text);

/* Several lines: "CODE-first", each of lines (split at LF) behind a blank, "CODE last". */
int ftpd_reply_lines(
	struct ftpd *f, unsigned code, const char *first, struct span lines, const char *last);

/*
 * The reply to a failed act on a path, by errno, for people: -ENOENT 550 no such file, -EACCES 550
 * not yours, -EEXIST 553, -EDQUOT 552, -ENOSPC 452, -EISDIR 550, -ENOTDIR 550, -ENOTEMPTY 550,
 * -ENAMETOOLONG and -EINVAL 553, -ELOOP 550 (a symbolic link), -EBUSY 450, temporary ones 451.
 */
int ftpd_reply_error(struct ftpd *f, int error, const char *path);

/* The reply to -ENOENT where the path was to be made: it names what is missing, the folder. */
int ftpd_reply_no_folder(struct ftpd *f, const char *path);

/* The code and text of the above, for replies that are made elsewhere. Static memory. */
unsigned ftpd_error_code(int error, const char **ret_text);

/* -- handlers, one per command; results as ftpd_command()
 * ------------------------------------------
 */
int ftpd_cmd_user(struct ftpd_call *c);
int ftpd_cmd_pass(struct ftpd_call *c);
int ftpd_cmd_acct(struct ftpd_call *c);
int ftpd_cmd_host(struct ftpd_call *c);
int ftpd_cmd_rein(struct ftpd_call *c);
int ftpd_cmd_auth(struct ftpd_call *c);
int ftpd_cmd_pbsz(struct ftpd_call *c);
int ftpd_cmd_prot(struct ftpd_call *c);
int ftpd_cmd_ccc(struct ftpd_call *c);
int ftpd_cmd_site(struct ftpd_call *c); /* REGISTER, RMTREE, DROP, HELP: a table of its own */
int ftpd_cmd_feat(struct ftpd_call *c);
int ftpd_cmd_opts(struct ftpd_call *c);
int ftpd_cmd_help(struct ftpd_call *c);
int ftpd_cmd_syst(struct ftpd_call *c);
int ftpd_cmd_stat(struct ftpd_call *c);
int ftpd_cmd_noop(struct ftpd_call *c);
int ftpd_cmd_clnt(struct ftpd_call *c);
int ftpd_cmd_type(struct ftpd_call *c);
int ftpd_cmd_mode(struct ftpd_call *c);
int ftpd_cmd_stru(struct ftpd_call *c);
int ftpd_cmd_quit(struct ftpd_call *c);
int ftpd_cmd_cwd(struct ftpd_call *c);
int ftpd_cmd_cdup(struct ftpd_call *c);
int ftpd_cmd_pwd(struct ftpd_call *c);
int ftpd_cmd_size(struct ftpd_call *c);
int ftpd_cmd_mdtm(struct ftpd_call *c);
int ftpd_cmd_mfmt(struct ftpd_call *c);
int ftpd_cmd_mlst(struct ftpd_call *c);
int ftpd_cmd_dele(struct ftpd_call *c);
int ftpd_cmd_rnfr(struct ftpd_call *c);
int ftpd_cmd_rnto(struct ftpd_call *c);
int ftpd_cmd_mkd(struct ftpd_call *c);
int ftpd_cmd_rmd(struct ftpd_call *c);
int ftpd_cmd_avbl(struct ftpd_call *c);
int ftpd_cmd_allo(struct ftpd_call *c);
int ftpd_cmd_rest(struct ftpd_call *c);
int ftpd_cmd_rang(struct ftpd_call *c);
int ftpd_cmd_epsv(struct ftpd_call *c); /* data.c, as the next three */
int ftpd_cmd_pasv(struct ftpd_call *c);
int ftpd_cmd_eprt(struct ftpd_call *c);
int ftpd_cmd_port(struct ftpd_call *c);
int ftpd_cmd_abor(struct ftpd_call *c); /* transfer.c */
int ftpd_cmd_stor(struct ftpd_call *c); /* move.c, as the rest */
int ftpd_cmd_stou(struct ftpd_call *c);
int ftpd_cmd_appe(struct ftpd_call *c);
int ftpd_cmd_retr(struct ftpd_call *c);
int ftpd_cmd_list(struct ftpd_call *c);
int ftpd_cmd_nlst(struct ftpd_call *c);
int ftpd_cmd_mlsd(struct ftpd_call *c);
int ftpd_cmd_hash(struct ftpd_call *c);
int ftpd_cmd_xsha256(struct ftpd_call *c);
int ftpd_cmd_xcrc(struct ftpd_call *c);
int ftpd_site_register(struct ftpd_call *c); /* login.c */
int ftpd_site_help(struct ftpd_call *c); /* about.c */
int ftpd_site_rmtree(struct ftpd_call *c); /* move.c */
int ftpd_site_drop(struct ftpd_call *c); /* names.c: one's own partial of a path */

#endif
