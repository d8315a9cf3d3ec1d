/* quintet daytime --stamp and --verify: a file's digest out, a verified token in. */
#include "client/ask.h"
#include "client/daytime.h"
#include "client/table.h"
#include "client/task.h"
#include "client/token.h"

#include "base/timefmt.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static int digest_run(const struct client *c, int fd, unsigned char ret[HASH_SHA256_LEN])
{
	_cleanup_(hash_freep) struct hash *h = NULL;
	unsigned char piece[32768];
	ssize_t n = 1;
	int r = hash_new(&h);

	while (r == 0 && n > 0) {
		n = read(fd, piece, sizeof piece);
		r = n < 0 ? -errno : hash_update(h, span_of(piece, (size_t)n));
		/* A large file takes its time. */
		if (r == 0 && client_interrupted(c))
			r = -ECANCELED;
		if (r == 0 && task_self() != NULL)
			r = task_yield();
	}
	return r == 0 ? hash_final(h, ret) : r;
}

/* An exit code; failures are told. */
static int file_digest(const struct client *c, const char *path, unsigned char ret[HASH_SHA256_LEN])
{
	_cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return client_fail(ERR_EXIT_CONFIG, "%s: %s", path, err_text(-errno));
	if (!S_ISREG(st.st_mode))
		return client_fail(ERR_EXIT_CONFIG, "%s: not a regular file", path);
	r = digest_run(c, fd, ret);
	return r == 0 ? CLIENT_OK : client_fail(client_exit_of(r), "%s: %s", path, err_text(r));
}

static int token_tell(const struct client *c, const struct token_info *info, const char *path)
{
	_cleanup_(buf_done) struct buf at = BUF_INIT(64);

	time_rfc3339_utc(&at, info->at_us);
	const struct table_pair pairs[] = {{"stamped", buf_str(&at), NULL},
		{"serial", info->serial, NULL}, {"token", path, NULL}};

	table_print_pairs(pairs, sizeof pairs / sizeof pairs[0], c->json);
	return CLIENT_OK;
}

static int bad_token(int error, const char *reason)
{
	if (error != -EKEYREJECTED)
		return client_fail(
			client_exit_of(error), "the stamp cannot be verified: %s", err_text(error));
	return client_fail(CLIENT_UNTRUSTED, "the stamp does not verify: %s", reason);
}

/* A stamp that is there is proof of an earlier time: it is never written over. */
static int name_take(const char *temporary, const char *path)
{
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	/* Some file systems know only one of the two ways. */
	if (errno == EINVAL && link(temporary, path) == 0)
		return 0;
	return -errno;
}

static int token_store(const char *path, struct span bytes)
{
	_cleanup_(buf_done) struct buf temporary = BUF_INIT(4096);
	_cleanup_(cleanup_close) int fd = -1;
	ssize_t n;
	int r;

	buf_addf(&temporary, "%s.%d.new", path, (int)getpid());
	if (buf_error(&temporary) < 0)
		return -ENAMETOOLONG;
	fd = open(buf_str(&temporary), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	n = write(fd, bytes.p, bytes.len);
	r = n < 0 ? -errno : (size_t)n < bytes.len ? -ENOSPC : 0;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		r = name_take(buf_str(&temporary), path);
	(void)unlink(buf_str(&temporary));
	return r;
}

static int stamp_ask(
	struct client *c, const struct profile *p, const struct token_query *query, struct buf *ret)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	_cleanup_(buf_done) struct buf der = BUF_INIT(4096);
	int r = token_query_der(query, &der);

	if (r < 0)
		return client_fail(ERR_EXIT_BUG, "the query cannot be made: %s", err_text(r));
	const struct link_question q = {.method = "POST",
		.target = "/tsa",
		.content_type = "application/timestamp-query",
		.body = buf_span(&der)};
	r = link_open_door(c, p, "daytime", "http/1.1", false, &l);
	if (r == CLIENT_OK)
		r = link_ask_told(&l, &q, ret);
	if (r == CLIENT_OK)
		(void)conn_close(l.conn);
	return r;
}

static const char *token_name(const char *file, const char *token_path, struct buf *name)
{
	if (token_path != NULL)
		return token_path;
	buf_addf(name, "%s.tsr", file);
	return buf_str(name);
}

static struct token_trust trust_of(const struct profile *p)
{
	return (struct token_trust){buf_span(&p->root_pem), buf_span(&p->chain_pem)};
}

static int stamp_exists(const char *path)
{
	return client_fail(ERR_EXIT_CONFIG,
		"%s exists already and may prove an earlier time: name another file for the token",
		path);
}

int stamp_make(struct client *c, const struct profile *p, const char *file, const char *token_path)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(TOKEN_MAX);
	_cleanup_(buf_done) struct buf name = BUF_INIT(4096);
	_cleanup_(token_query_freep) struct token_query *query = NULL;
	const struct token_trust trust = trust_of(p);
	unsigned char digest[HASH_SHA256_LEN];
	struct token_info info;
	const char *reason = "";
	int r;

	token_path = token_name(file, token_path, &name);
	if (access(token_path, F_OK) == 0)
		return stamp_exists(token_path);
	r = file_digest(c, file, digest);
	if (r != CLIENT_OK)
		return r;
	r = token_query_new(digest, &query);
	if (r < 0)
		return client_fail(ERR_EXIT_BUG, "the query cannot be made: %s", err_text(r));
	r = stamp_ask(c, p, query, &body);
	if (r != CLIENT_OK)
		return r;
	r = token_check(buf_span(&body), &trust, query, digest, &info, &reason);
	if (r < 0)
		return bad_token(r, reason);
	r = token_store(token_path, buf_span(&body));
	if (r == -EEXIST)
		return stamp_exists(token_path);
	return r < 0 ? client_fail(client_unwritten(r), "%s cannot be written: %s", token_path,
			       err_text(r))
		     : token_tell(c, &info, token_path);
}

int stamp_verify(
	const struct client *c, const struct profile *p, const char *file, const char *token_path)
{
	_cleanup_(buf_done) struct buf token = BUF_INIT(TOKEN_MAX);
	_cleanup_(buf_done) struct buf name = BUF_INIT(4096);
	const struct token_trust trust = trust_of(p);
	unsigned char digest[HASH_SHA256_LEN];
	struct token_info info;
	const char *reason = "";
	int r = file_digest(c, file, digest);

	if (r != CLIENT_OK)
		return r;
	token_path = token_name(file, token_path, &name);
	r = ask_file(c, token_path, &token);
	if (r < 0)
		return client_fail(r == -ECANCELED ? CLIENT_INTERRUPTED : ERR_EXIT_CONFIG, "%s: %s",
			token_path, r == -ENOBUFS ? "too long for a stamp" : err_text(r));
	r = token_check(buf_span(&token), &trust, NULL, digest, &info, &reason);
	return r < 0 ? bad_token(r, reason) : token_tell(c, &info, token_path);
}
