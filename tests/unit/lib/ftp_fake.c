/* See ftp_fake.h. Failures end the server's process, which the test sees as a lost line. */
#include "tests/unit/lib/ftp_fake_i.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

void fake_say(struct fake *s, const char *line)
{
	fake_must(conn_printf(s->control, "%s\r\n", line) == 0 && conn_flush(s->control) == 0);
}

/* -- files ------------------------------------------------------------------------------------- */

void fake_path(const struct fake *s, const char *path, const char *suffix, char ret[400])
{
	const char *slash = strrchr(path, '/');

	snprintf(ret, 400, "%s/%s%s", s->f->dir, slash != NULL ? slash + 1 : path, suffix);
}

void fake_count(const struct ftp_fake *f, const char *what)
{
	char path[400];
	int fd;

	snprintf(path, sizeof path, "%s/.count-%s", f->dir, what);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	fake_must(write(fd, "x", 1) == 1);
	cleanup_close(&fd);
}

unsigned ftp_fake_count(const struct ftp_fake *f, const char *what)
{
	char path[400];
	struct stat st;

	snprintf(path, sizeof path, "%s/.count-%s", f->dir, what);
	return stat(path, &st) == 0 ? (unsigned)st.st_size : 0;
}

bool fake_read(const char *path, struct buf *ret)
{
	_cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	while (fd >= 0 && n > 0) {
		unsigned char *p = buf_reserve(ret, CHUNK);

		fake_must(p != NULL);
		n = read(fd, p, CHUNK);
		if (n > 0)
			buf_commit(ret, (size_t)n);
	}
	return fd >= 0 && n == 0;
}

bool fake_digest(const struct fake *s, const char *path, unsigned char ret[32])
{
	_cleanup_(buf_done) struct buf bytes = BUF_INIT(FILE_MAX);

	if (!fake_read(path, &bytes))
		return false;
	fake_must(hash_sha256(buf_span(&bytes), ret) == 0);
	if (s->order.wrong_digest)
		ret[0] ^= 1;
	return true;
}

uint16_t fake_listen(int *ret_fd)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	fake_must(fd >= 0 && bind(fd, (struct sockaddr *)&a, len) == 0 && listen(fd, 16) == 0);
	fake_must(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
	*ret_fd = fd;
	return ntohs(a.sin_port);
}

bool fake_entry(const struct fake *s, const char *real, struct ftp_entry *ret)
{
	struct stat st;

	if (stat(real, &st) < 0)
		return false;
	*ret = (struct ftp_entry){.type = S_ISDIR(st.st_mode) ? FTP_ENTRY_FOLDER : FTP_ENTRY_FILE,
		.size = (uint64_t)st.st_size,
		.modify_us = st.st_mtim.tv_sec * INT64_C(1000000)};
	ret->has_digest = S_ISREG(st.st_mode) && fake_digest(s, real, ret->digest);
	return true;
}

/* -- commands ---------------------------------------------------------------------------------- */

static void do_feat(struct fake *s, const char *argument)
{
	(void)argument;
	fake_say(s,
		s->order.no_facts ? "211-Features\r\n REST STREAM\r\n211 End"
				  : "211-Features\r\n MLST type*;size*;modify*;X.sha256*;\r\n"
				    " HASH SHA-256*;CRC32\r\n MFMT\r\n REST STREAM\r\n UTF8\r\n"
				    "211 End");
}

static void do_pass(struct fake *s, const char *argument)
{
	fake_count(s->f, "login");
	fake_say(s, strcmp(argument, FTP_FAKE_PASSWORD) == 0 ? "230 In." : "530 No.");
}

static void do_mlst(struct fake *s, const char *argument)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);
	struct ftp_entry e;
	char real[400];

	fake_path(s, argument, "", real);
	if (s->order.no_facts || !fake_entry(s, real, &e)) {
		fake_say(s, s->order.no_facts ? "500 What?" : "550 No such file.");
		return;
	}
	buf_add_str(&text, "250-Listing\r\n ");
	ftp_facts_write(&text, &e, FTP_FACT_ALL, argument);
	buf_add_str(&text, "\r\n250 End");
	fake_say(s, buf_str(&text));
}

static void do_size(struct fake *s, const char *argument)
{
	char part[400], real[400], line[64];
	struct stat st;

	fake_path(s, argument, ".part", part);
	fake_path(s, argument, "", real);
	if (stat(part, &st) < 0 && stat(real, &st) < 0) {
		fake_say(s, "550 No such file.");
		return;
	}
	snprintf(line, sizeof line, "213 %lld", (long long)st.st_size);
	fake_say(s, line);
}

static void do_rest(struct fake *s, const char *argument)
{
	fake_count(s->f, "REST");
	fake_must(ftp_size_parse(span_str(argument), &s->rest) == 0);
	fake_say(s, "350 From there.");
}

static void do_hash(struct fake *s, const char *argument)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(1024);
	unsigned char digest[32];
	char real[400];

	fake_path(s, argument, "", real);
	if (s->order.no_facts || !fake_digest(s, real, digest)) {
		fake_say(s, "550 No.");
		return;
	}
	buf_add_str(&line, "213 SHA-256 0-1 ");
	text_hex(&line, span_of(digest, sizeof digest));
	buf_addf(&line, " %s", argument);
	fake_say(s, buf_str(&line));
}

static void do_mfmt(struct fake *s, const char *argument)
{
	struct span path = span_str(argument), when;
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0}};
	char real[400];
	int64_t us;

	fake_must(span_split(&path, ' ', &when) && ftp_time_parse(when, &us) == 0);
	fake_path(s, (const char *)path.p, "", real);
	times[1].tv_sec = us / 1000000;
	fake_say(s, utimensat(AT_FDCWD, real, times, 0) == 0 ? "213 Set." : "550 No.");
}

static void path_do(struct fake *s, const char *argument, int (*act)(const char *path))
{
	char real[400];

	fake_path(s, argument, "", real);
	fake_say(s, act(real) == 0 ? "250 Done." : "550 No.");
}

static int act_mkdir(const char *path)
{
	return mkdir(path, 0700);
}

static void do_dele(struct fake *s, const char *argument)
{
	path_do(s, argument, unlink);
}

static void do_mkd(struct fake *s, const char *argument)
{
	path_do(s, argument, act_mkdir);
}

static void do_rmd(struct fake *s, const char *argument)
{
	path_do(s, argument, rmdir);
}

static void do_rnfr(struct fake *s, const char *argument)
{
	snprintf(s->from, sizeof s->from, "%s", argument);
	fake_say(s, "350 To?");
}

static void do_rnto(struct fake *s, const char *argument)
{
	char from[400], to[400];

	fake_path(s, s->from, "", from);
	fake_path(s, argument, "", to);
	fake_say(s, rename(from, to) == 0 ? "250 Done." : "550 No.");
}

static void do_quit(struct fake *s, const char *argument)
{
	(void)argument;
	fake_say(s, "221 Bye.");
	(void)conn_close(s->control);
	_exit(0);
}

static const struct {
	const char *verb;
	void (*act)(struct fake *s, const char *argument);
	const char *reply;
} verbs[] = {
	{"USER", NULL, "331 Password?"},
	{"PASS", do_pass, NULL},
	{"FEAT", do_feat, NULL},
	{"OPTS", NULL, "200 Fine."},
	{"PBSZ", NULL, "200 PBSZ=0"},
	{"PROT", NULL, "200 Protected."},
	{"TYPE", NULL, "200 Binary."},
	{"PWD", NULL, "257 \"/shared\" is here."},
	{"EPSV", fake_epsv, NULL},
	{"PASV", fake_pasv, NULL},
	{"REST", do_rest, NULL},
	{"RETR", fake_retr, NULL},
	{"STOR", fake_stor, NULL},
	{"MLSD", fake_mlsd, NULL},
	{"MLST", do_mlst, NULL},
	{"SIZE", do_size, NULL},
	{"MDTM", NULL, "213 20260102030405"},
	{"HASH", do_hash, NULL},
	{"MFMT", do_mfmt, NULL},
	{"DELE", do_dele, NULL},
	{"MKD", do_mkd, NULL},
	{"RMD", do_rmd, NULL},
	{"RNFR", do_rnfr, NULL},
	{"RNTO", do_rnto, NULL},
	{"ALLO", NULL, "200 There is room."},
	{"STAT", NULL, "211-Status\r\n fine\r\n211 End"},
	{"SITE", NULL, "350 Say it again."},
	{"QUIT", do_quit, NULL},
};

static void command(struct fake *s, struct span line)
{
	struct ftp_command c;
	char argument[300] = "";

	fake_must(ftp_command_parse(line, &c) == 0);
	fake_must(span_copy_str(c.argument, argument, sizeof argument) == 0);
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(verbs[i].verb, c.verb) == 0) {
			if (verbs[i].act != NULL)
				verbs[i].act(s, argument);
			else
				fake_say(s, verbs[i].reply);
			return;
		}
	fake_say(s, "502 Not here.");
}

/* -- processes --------------------------------------------------------------------------------- */

static struct tls_server *context(
	const struct ftp_fake *f, const struct test_leaf *leaf, bool again)
{
	_cleanup_(buf_done) struct buf chain = BUF_INIT(TEST_PKI_PEM_MAX);
	struct tls_server_config config = {.key_pem = buf_span(&leaf->key_pem), .resumable = again};
	struct tls_server *ret = NULL;

	buf_add(&chain, buf_span(&leaf->cert_pem));
	buf_add(&chain, buf_span(&f->world.issuing.pem));
	config.cert_pem = buf_span(&chain);
	fake_must(tls_server_new(&config, &ret) == 0);
	return ret;
}

static void session(const struct ftp_fake *f, const struct ftp_fake_order *order, int fd)
{
	static const struct frame_rule rule = {.max = FTP_LINE_MAX};
	struct fake s = {.f = f, .order = *order, .listen_fd = -1};
	struct span line;

	s.tls = s.data_tls = context(f, &f->world.server, true);
	if (order->unbound || order->other_cert)
		s.data_tls = context(f, order->other_cert ? &f->stranger : &f->world.server, false);
	fake_must(tls_server_fresh(s.tls) == 0 && conn_new(fd, &s.control) == 0);
	conn_set_timeout_s(s.control, 30);
	fake_must(conn_tls_accept(s.control, s.tls) == 0);
	fake_count(f, "session");
	if (order->sessions > 0 && ftp_fake_count(f, "session") > order->sessions) {
		fake_say(&s, "421 Too many.");
		_exit(0);
	}
	fake_say(&s, "220-A fake\r\n220 ready");
	while (conn_read_line(s.control, &rule, &line) == 1)
		command(&s, line);
	_exit(0);
}

static void end_with_parent(void)
{
	fake_must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
}

static void serve(const struct ftp_fake *f, const struct ftp_fake_order *order, int listen_fd)
{
	(void)signal(SIGCHLD, SIG_IGN);
	end_with_parent();
	for (;;) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0 && fork() == 0) {
			end_with_parent();
			session(f, order, fd);
		}
		cleanup_close(&fd);
	}
}

void ftp_fake_start(struct ftp_fake *f, const struct ftp_fake_order *order)
{
	static const struct test_leaf_spec other = {.cn = "other",
		.san = "DNS:localhost,IP:127.0.0.1",
		.eku = "serverAuth",
		.from_s = -TEST_HOUR_S,
		.to_s = TEST_HOUR_S};

	test_world_make(&f->world);
	test_leaf_new(&f->stranger, &f->world.issuing, &other);
	f->port = fake_listen(&f->fd);
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (f->pid == 0)
		serve(f, order, f->fd);
	cleanup_close(&f->fd);
}

static void folder_remove(int parent_fd, const char *name)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fdopendir(fd);
	const struct dirent *d;

	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, d->d_name, 0) < 0)
			folder_remove(fd, d->d_name);
	}
	closedir(dir);
	assert_int_equal(unlinkat(parent_fd, name, AT_REMOVEDIR), 0);
}

void ftp_fake_clean(const char *folder)
{
	folder_remove(AT_FDCWD, folder);
}

void ftp_fake_stop(struct ftp_fake *f)
{
	assert_int_equal(kill(f->pid, SIGKILL), 0);
	assert_int_equal(waitpid(f->pid, NULL, 0), f->pid);
	test_leaf_done(&f->stranger);
	test_world_done(&f->world);
}
