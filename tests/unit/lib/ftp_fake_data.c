/* The fake server's data connections and what goes over them. */
#include "tests/unit/lib/ftp_fake_i.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>

static bool once(const struct ftp_fake *f, const char *what)
{
	bool is = ftp_fake_count(f, what) == 0;

	fake_count(f, what);
	return is;
}

/* -- data connections -------------------------------------------------------------------------- */

static void address_say(struct fake *s, bool old)
{
	char line[128];
	uint16_t port;

	cleanup_close(&s->listen_fd);
	port = fake_listen(&s->listen_fd);
	if (old)
		snprintf(line, sizeof line, "227 Here (192,0,2,77,%u,%u).", port >> 8, port & 255U);
	else
		snprintf(line, sizeof line, "229 Here (|||%u|)", (unsigned)port);
	fake_say(s, line);
}

/* Accepts, says 150, does TLS. */
static void data_open(struct fake *s)
{
	int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	fake_must(fd >= 0 && conn_new(fd, &s->data) == 0);
	cleanup_close(&s->listen_fd);
	conn_set_timeout_s(s->data, 20);
	fake_must(conn_tls_ticket(s->control) == 0);
	fake_say(s, "150 Here it comes.");
	if (conn_tls_accept(s->data, s->data_tls) < 0)
		conn_freep(&s->data);
	else if (s->data_tls == s->tls && !conn_tls_resumed_from(s->data, s->control))
		conn_freep(&s->data);
}

static void data_end(struct fake *s, const char *line)
{
	if (s->data != NULL)
		(void)conn_close(s->data);
	conn_freep(&s->data);
	fake_must(conn_tls_ticket(s->control) == 0);
	fake_say(s, line);
}

static void cut(struct fake *s)
{
	(void)conn_flush(s->data);
	_exit(0);
}

/* -- transfers --------------------------------------------------------------------------------- */

static void send_bytes(struct fake *s, struct span bytes)
{
	bool cuts = s->order.cut_down_at > 0 && once(s->f, "cut-down");
	uint64_t sent = 0;

	while (bytes.len > 0 || s->order.endless) {
		size_t len = bytes.len < CHUNK ? bytes.len : CHUNK;

		if (cuts && sent >= s->order.cut_down_at)
			cut(s);
		if (conn_write(s->data, len > 0 ? span_of(bytes.p, len) : SPAN_LIT("more")) < 0)
			return;
		sent += len;
		bytes = span_of(bytes.p + len, bytes.len - len);
	}
}

static void file_grow(const char *path)
{
	_cleanup_(cleanup_close) int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	fake_must(fd >= 0 && write(fd, "grown", 5) == 5);
}

void fake_retr(struct fake *s, const char *path)
{
	_cleanup_(buf_done) struct buf bytes = BUF_INIT(FILE_MAX);
	uint64_t at = s->rest;
	char real[400];

	fake_count(s->f, "RETR");
	s->rest = 0;
	if (s->order.silent)
		pause();
	if (s->order.transient && once(s->f, "transient")) {
		fake_say(s, "450 Come again.");
		return;
	}
	fake_path(s, path, "", real);
	if (s->order.changes && once(s->f, "changes"))
		file_grow(real);
	fake_must(fake_read(real, &bytes) && at <= bytes.len);
	if (s->order.wrong_bytes && bytes.len > 0)
		bytes.p[bytes.len - 1] ^= 1;
	data_open(s);
	if (s->data == NULL) {
		fake_say(s, "522 Not bound to this log-in.");
		return;
	}
	send_bytes(s, span_of(bytes.p + at, bytes.len - at));
	if (s->order.no_goodbye) {
		fake_must(conn_flush(s->data) == 0);
		conn_freep(&s->data);
	}
	data_end(s, "226 Sent.");
}

/* Into the partial; how the connection ended: 0 properly. */
static int receive(struct fake *s, int fd)
{
	bool cuts = s->order.cut_up_at > 0 && once(s->f, "cut-up");
	uint64_t got = 0;
	struct span some;
	int r;

	while ((r = conn_read_some(s->data, CHUNK, &some)) > 0) {
		fake_must(write(fd, some.p, some.len) == (ssize_t)some.len);
		got += some.len;
		if (cuts && got >= s->order.cut_up_at)
			_exit(0);
	}
	return r;
}

void fake_stor(struct fake *s, const char *path)
{
	_cleanup_(cleanup_close) int fd = -1;
	_cleanup_(buf_done) struct buf line = BUF_INIT(512);
	unsigned char digest[32];
	char real[400], part[400];

	fake_count(s->f, "STOR");
	fake_path(s, path, "", real);
	fake_path(s, path, ".part", part);
	fd = open(part, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	fake_must(fd >= 0 && ftruncate(fd, (off_t)s->rest) == 0);
	fake_must(lseek(fd, (off_t)s->rest, SEEK_SET) >= 0);
	s->rest = 0;
	data_open(s);
	if (s->data == NULL) {
		fake_say(s, "522 Not bound to this log-in.");
		return;
	}
	if (receive(s, fd) != 0) {
		data_end(s, "426 It was cut.");
		return;
	}
	fake_must(rename(part, real) == 0 && fake_digest(s, real, digest));
	buf_add_str(&line, "226 Stored");
	if (!s->order.no_facts) {
		buf_add_str(&line, ", SHA-256 ");
		text_hex(&line, span_of(digest, sizeof digest));
	}
	data_end(s, buf_str(&line));
}

void fake_mlsd(struct fake *s, const char *path)
{
	static const char evil[] = "type=file;size=1; ../escape\r\ntype=file;size=1; a/b\r\n"
				   "type=file;size=1; ..\r\ntype=file;size=1; \x1b[2Jclear\r\n"
				   "type=dir;; /etc\r\nnonsense\r\n";
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20);
	DIR *dir = opendir(s->f->dir);
	const struct dirent *d;
	char real[400];

	(void)path;
	fake_must(dir != NULL);
	while ((d = readdir(dir)) != NULL) {
		struct ftp_entry e;

		fake_path(s, d->d_name, "", real);
		if (d->d_name[0] == '.' || !fake_entry(s, real, &e))
			continue;
		ftp_facts_write(&text, &e, FTP_FACT_ALL, d->d_name);
		buf_add_str(&text, "\r\n");
	}
	closedir(dir);
	if (s->order.evil_names)
		buf_add_str(&text, evil);
	data_open(s);
	fake_must(s->data != NULL && conn_write(s->data, buf_span(&text)) == 0);
	data_end(s, "226 Listed.");
}

void fake_epsv(struct fake *s, const char *argument)
{
	(void)argument;
	if (s->order.foreign_pasv)
		fake_say(s, "500 What?");
	else
		address_say(s, false);
}

void fake_pasv(struct fake *s, const char *argument)
{
	(void)argument;
	address_say(s, true);
}
