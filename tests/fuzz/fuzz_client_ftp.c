/*
 * quintet ftp against a hostile server: log-in, replies, listings, downloads, uploads. The first
 * byte chooses the task, the second in what pieces the server's words arrive, the next two how many
 * of the bytes are said on the control connection; the rest comes over the data connection. The
 * outcome must not depend on the pieces, and nothing is written but the file asked for.
 */
#include "client/ftp/session.h"
#include "client/ftp/work.h"

#include "base/file.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
	STORY_MAX = 8 << 20,
	STEPS_MAX = 2000,
	SOURCE_SMALL = 1000,
	SOURCE_LARGE = (int)WORK_SMALL + 1000,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* -- the client's own folder ------------------------------------------------------------------- */

static char folder[64];
static int folder_fd = -1;

static void file_make(const char *name, size_t size)
{
	int fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	must(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
	cleanup_close(&fd);
}

static void folder_remove(void)
{
	must(unlinkat(folder_fd, "small", 0) == 0 && unlinkat(folder_fd, "large", 0) == 0);
	must(rmdir(folder) == 0);
	cleanup_close(&folder_fd);
}

static void folder_need(void)
{
	snprintf(folder, sizeof folder, "/dev/shm/fuzz_client_ftp.XXXXXX");
	must(mkdtemp(folder) != NULL);
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(folder_fd >= 0);
	file_make("small", SOURCE_SMALL);
	file_make("large", SOURCE_LARGE);
}

/* Nothing else is there; and what was made is told and removed. */
static void folder_check(struct buf *story)
{
	static const char *const made[] = {"t", ".t.quintet-part", ".t.quintet-from"};
	int fd = dup(folder_fd);
	DIR *dir = fdopendir(fd);
	unsigned others = 0;

	must(dir != NULL);
	for (size_t i = 0; i < 3; i++)
		if (unlinkat(folder_fd, made[i], 0) == 0)
			buf_add_str(story, made[i]);
	rewinddir(dir);
	while (readdir(dir) != NULL)
		others++;
	must(others == 4);
	closedir(dir);
}

/* -- one conversation -------------------------------------------------------------------------- */

struct talk {
	struct client c;
	struct profile profile;
	struct ftp_pool pool;
	struct session *s;
	struct buf said, sent; /* over both connections */
};

static void talk_begin(struct talk *t, const struct span in[2], size_t step)
{
	*t = (struct talk){.c = {.timeout_s = 3600, .signal_fd = -1},
		.profile = PROFILE_INIT,
		.said = BUF_INIT(STORY_MAX),
		.sent = BUF_INIT(STORY_MAX)};
	t->pool = (struct ftp_pool){.c = &t->c,
		.profile = &t->profile,
		.options = {.sessions = 1, .want_digest = true, .password = SPAN_LIT("secret")},
		.limit = 1,
		.scripted = true,
		.user = "ann"};
	must(session_new(&t->pool, &t->s) == 0);
	must(conn_new_memory(in[0], step, &t->said, &t->s->conn) == 0);
	must(conn_new_memory(in[1], step, &t->sent, &t->s->data.conn) == 0);
	t->pool.sessions[0] = t->s;
}

static void talk_run(struct talk *t, struct ftp_task *task)
{
	t->s->task = task;
	must(session_login(t->s) == 0);
	for (int i = 0; i < STEPS_MAX && t->pool.sessions[0] != NULL && t->s->task != NULL; i++) {
		session_step(t->s);
		pool_sweep(&t->pool);
	}
	if (t->pool.sessions[0] != NULL && t->s->task != NULL) {
		session_lose(t->s, -ETIMEDOUT);
		pool_sweep(&t->pool);
	}
	must(ftp_pool_take(&t->pool) == task);
}

static void talk_end(struct talk *t)
{
	session_free(t->pool.sessions[0]);
	buf_done(&t->said);
	buf_done(&t->sent);
}

/* -- what has to hold -------------------------------------------------------------------------- */

static void check_commands(const struct talk *t)
{
	struct span rest = buf_span(&t->said), line;

	while (span_split(&rest, '\n', &line)) {
		must(line.len > 1 && line.p[line.len - 1] == '\r');
		must(text_is_clean(span_of(line.p, line.len - 1)));
	}
}

static void check_listing(const struct ftp_task *task)
{
	struct span rest = buf_span(&task->text), line, name;
	struct ftp_entry e;
	unsigned facts;

	while (span_split(&rest, '\n', &line)) {
		must(ftp_facts_read(line, &e, &facts, &name) == 0);
		must(text_is_clean(name) && memchr(name.p, '/', name.len) == NULL);
		must(!span_eq_str(name, ".") && !span_eq_str(name, ".."));
	}
}

static void check_download(const struct ftp_task *task, int fd, struct buf *story)
{
	unsigned char digest[HASH_SHA256_LEN];
	off_t len = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	unsigned char *p = len > 0 ? malloc((size_t)len) : NULL;

	if (task->state == FTP_DONE)
		must(len >= 0 && (uint64_t)len == task->entry.size);
	if (len > 0) {
		must(pread(fd, p, (size_t)len, 0) == len);
		buf_add(story, span_of(p, (size_t)len));
	}
	if (task->state == FTP_DONE && task->entry.has_digest) {
		must(hash_sha256(span_of(p, len > 0 ? (size_t)len : 0), digest) == 0);
		must(memcmp(digest, task->entry.digest, sizeof digest) == 0);
	}
	free(p);
}

static void tell(const struct ftp_task *task, const struct talk *t, struct buf *story)
{
	must(task->state == FTP_DONE || task->state == FTP_FAILED);
	must((task->error == 0) == (task->state == FTP_DONE));
	must(text_is_clean(span_str(task->reason)));
	must(t->pool.home[0] == '\0' || t->pool.home[0] == '/');
	buf_addf(story, "%d %u %s %llu %s\n", task->error, task->code, task->reason,
		(unsigned long long)task->at, t->pool.home);
	buf_add(story, buf_span(&task->text));
	buf_add(story, buf_span(&t->said));
	buf_add(story, buf_span(&t->sent));
}

static struct ftp_task *task_make(unsigned choice, int out_fd)
{
	static const enum ftp_task_kind kinds[] = {FTP_LIST, FTP_STAT, FTP_GET, FTP_GET, FTP_PUT,
		FTP_PUT, FTP_REMOVE, FTP_RENAME, FTP_RMTREE, FTP_DIGEST, FTP_SET_TIME, FTP_TEXT};
	size_t n = (choice & 127) % (sizeof kinds / sizeof kinds[0]);
	struct ftp_task *t = ftp_task_new(kinds[n], "/shared/t");

	must(t != NULL);
	t->keep_time = true;
	t->no_overwrite = (choice & 128) != 0;
	t->to = strdup("/shared/u");
	t->line = strdup("STAT");
	t->local = strdup(n == 2 || n == 3 ? "t" : n == 4 ? "small" : "large");
	t->local_dir_fd = folder_fd;
	t->out_fd = n == 3 ? out_fd : -1;
	return t;
}

static void play(const uint8_t *data, const struct span in[2], size_t step, struct buf *story)
{
	int out_fd = memfd_create("out", MFD_CLOEXEC);
	struct ftp_task *task = task_make(data[0], out_fd);
	struct talk t;
	int fd;

	must(out_fd >= 0);
	talk_begin(&t, in, step);
	talk_run(&t, task);
	tell(task, &t, story);
	check_commands(&t);
	if (task->kind == FTP_LIST)
		check_listing(task);
	fd = task->out_fd >= 0 ? dup(out_fd) : openat(folder_fd, "t", O_RDONLY | O_CLOEXEC);
	if (task->kind == FTP_GET)
		check_download(task, fd, story);
	cleanup_close(&fd);
	folder_check(story);
	ftp_task_free(task);
	talk_end(&t);
	cleanup_close(&out_fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(STORY_MAX * 3), pieces = BUF_INIT(STORY_MAX * 3);
	struct span in[2];
	size_t said;

	if (size < 4)
		return 0;
	folder_need();
	said = (size_t)data[2] << 8 | data[3];
	if (said > size - 4)
		said = size - 4;
	in[0] = span_of(data + 4, said);
	in[1] = span_of(data + 4 + said, size - 4 - said);
	play(data, in, 0, &whole);
	play(data, in, 1U + data[1] % 32, &pieces);
	must(span_eq(buf_span(&whole), buf_span(&pieces)));
	folder_remove();
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}
