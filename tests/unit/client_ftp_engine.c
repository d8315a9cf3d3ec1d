/*
 * The engine of quintet ftp against a server with faults to order: every task, lost lines in the
 * middle, wrong digests, data connections that are not this log-in's, names that lead elsewhere.
 */
#include "client/ftp/ftp.h"
#include "client/ftp/pool.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/timefmt.h"
#include "tests/unit/lib/ftp_fake.h"
#include "tests/unit/lib/pki_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { BIG = 3000000 };

struct scene {
	struct ftp_fake fake;
	struct client c;
	struct profile profile;
	struct ftp_options options;
	struct ftp_pool *pool;
	char here[64];
	int here_fd;
	struct buf big;
};

static void scene_start(struct scene *s, const struct ftp_fake_order *order)
{
	*s = (struct scene){.c = {.timeout_s = 10, .signal_fd = -1},
		.profile = PROFILE_INIT,
		.options = {.sessions = 1,
			.user = "ann",
			.password = SPAN_LIT(FTP_FAKE_PASSWORD),
			.want_digest = true,
			.retries = 3},
		.big = BUF_INIT(BIG)};
	fixture_folder(s->fake.dir);
	fixture_folder(s->here);
	s->here_fd = open(s->here, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(s->here_fd >= 0);
	ftp_fake_start(&s->fake, order);
	snprintf(s->profile.host, sizeof s->profile.host, "127.0.0.1");
	s->profile.doors.door_count = 1;
	snprintf(s->profile.doors.doors[0].name, sizeof s->profile.doors.doors[0].name, "ftps");
	snprintf(s->profile.doors.doors[0].protocol, sizeof s->profile.doors.doors[0].protocol,
		"ftps");
	s->profile.doors.doors[0].port = s->fake.port;
	buf_add(&s->profile.root_pem, buf_span(&s->fake.world.root.pem));
	for (size_t i = 0; i < BIG; i++)
		buf_add_byte(&s->big, (unsigned char)(i * 7 + (i >> 8) * 13 + (i >> 16)));
}

static void scene_open(struct scene *s)
{
	assert_int_equal(ftp_pool_open(&s->c, &s->profile, &s->options, &s->pool), CLIENT_OK);
}

static void scene_end(struct scene *s)
{
	ftp_pool_close(s->pool);
	ftp_fake_stop(&s->fake);
	ftp_fake_clean(s->fake.dir);
	ftp_fake_clean(s->here);
	cleanup_close(&s->here_fd);
	cleanup_close(&s->c.signal_fd);
	profile_done(&s->profile);
	buf_done(&s->big);
}

static struct ftp_task *task_new(
	struct scene *s, enum ftp_task_kind kind, const char *remote, const char *local)
{
	struct ftp_task *t = ftp_task_new(kind, remote);

	assert_non_null(t);
	t->local_dir_fd = s->here_fd;
	if (local != NULL)
		t->local = strdup(local);
	return t;
}

/* Does it; an exit code, with the task freed. */
static int run(struct scene *s, struct ftp_task *t)
{
	int code = ftp_pool_do(s->pool, t);

	ftp_task_free(t);
	return code;
}

static int get(struct scene *s, const char *remote, const char *local)
{
	return run(s, task_new(s, FTP_GET, remote, local));
}

static int put(struct scene *s, const char *local, const char *remote)
{
	return run(s, task_new(s, FTP_PUT, remote, local));
}

static void assert_file(const char *dir, const char *name, struct span bytes)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(512);
	_cleanup_(buf_done) struct buf have = BUF_INIT(BIG + 4096);
	int fd;
	ssize_t n = 1;

	buf_addf(&path, "%s/%s", dir, name);
	fd = open(buf_str(&path), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	while (n > 0) {
		unsigned char *p = buf_reserve(&have, 2048);

		assert_non_null(p);
		n = read(fd, p, 2048);
		buf_commit(&have, n > 0 ? (size_t)n : 0);
	}
	cleanup_close(&fd);
	assert_true(span_eq(buf_span(&have), bytes));
}

static bool is_there(const struct scene *s, const char *name)
{
	return faccessat(s->here_fd, name, F_OK, 0) == 0;
}

static void assert_no_parts(const struct scene *s, const char *name)
{
	char part[300];

	snprintf(part, sizeof part, ".%s.quintet-part", name);
	assert_false(is_there(s, part));
	snprintf(part, sizeof part, ".%s.quintet-from", name);
	assert_false(is_there(s, part));
}

/* -- what it is for ---------------------------------------------------------------------------- */

static void test_files_go_and_come(void **state)
{
	struct scene s;
	struct stat st;
	struct ftp_task *t;
	static const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){0});
	scene_open(&s);
	assert_string_equal(ftp_pool_home(s.pool), "/shared");
	fixture_write(s.here, "big", buf_span(&s.big));
	fixture_write(s.here, "empty", span_of("", 0));
	assert_int_equal(utimensat(s.here_fd, "big", times, 0), 0);
	t = task_new(&s, FTP_PUT, "/shared/big", "big");
	t->keep_time = true;
	assert_int_equal(run(&s, t), CLIENT_OK);
	assert_non_null(strstr(ftp_pool_security(s.pool), "data connections resumed"));
	assert_int_equal(put(&s, "empty", "/shared/empty"), CLIENT_OK);
	assert_file(s.fake.dir, "big", buf_span(&s.big));
	t = task_new(&s, FTP_GET, "/shared/big", "back");
	t->keep_time = true;
	assert_int_equal(run(&s, t), CLIENT_OK);
	assert_int_equal(get(&s, "/shared/empty", "back-empty"), CLIENT_OK);
	assert_file(s.here, "back", buf_span(&s.big));
	assert_file(s.here, "back-empty", span_of("", 0));
	assert_int_equal(fstatat(s.here_fd, "back", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	assert_no_parts(&s, "back");
	assert_no_parts(&s, "back-empty");
	/* Once more over what is there, and not where that is not wanted. */
	assert_int_equal(get(&s, "/shared/empty", "back"), CLIENT_OK);
	assert_file(s.here, "back", span_of("", 0));
	t = task_new(&s, FTP_GET, "/shared/big", "back");
	t->no_overwrite = true;
	assert_int_equal(run(&s, t), CLIENT_NO);
	assert_file(s.here, "back", span_of("", 0));
	scene_end(&s);
}

static void test_small_tasks(void **state)
{
	unsigned char digest[32];
	struct scene s;
	struct ftp_task *t;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){0});
	scene_open(&s);
	fixture_write(s.fake.dir, "f", SPAN_LIT("hello"));
	t = task_new(&s, FTP_STAT, "/shared/f", NULL);
	assert_int_equal(ftp_pool_do(s.pool, t), CLIENT_OK);
	assert_int_equal(t->entry.size, 5);
	ftp_task_free(t);
	t = task_new(&s, FTP_DIGEST, "/shared/f", NULL);
	assert_int_equal(ftp_pool_do(s.pool, t), CLIENT_OK);
	assert_int_equal(hash_sha256(SPAN_LIT("hello"), digest), 0);
	assert_memory_equal(t->digest, digest, sizeof digest);
	ftp_task_free(t);
	assert_int_equal(run(&s, task_new(&s, FTP_MKDIR, "/shared/d", NULL)), CLIENT_OK);
	assert_int_equal(run(&s, task_new(&s, FTP_RMDIR, "/shared/d", NULL)), CLIENT_OK);
	assert_int_equal(run(&s, task_new(&s, FTP_RMDIR, "/shared/d", NULL)), CLIENT_NO);
	t = task_new(&s, FTP_RENAME, "/shared/f", NULL);
	t->to = strdup("/shared/g");
	assert_int_equal(run(&s, t), CLIENT_OK);
	t = task_new(&s, FTP_TEXT, "/", NULL);
	t->line = strdup("STAT");
	assert_int_equal(ftp_pool_do(s.pool, t), CLIENT_OK);
	assert_string_equal(buf_str(&t->text), "Status\n fine\nEnd\n");
	ftp_task_free(t);
	t = task_new(&s, FTP_TEXT, "/", NULL);
	t->line = strdup("STAT\r\nDELE g");
	assert_int_equal(run(&s, t), ERR_EXIT_CONFIG);
	assert_int_equal(
		run(&s, task_new(&s, FTP_REMOVE, "/shared/g\r\nDELE x", NULL)), ERR_EXIT_CONFIG);
	assert_int_equal(run(&s, task_new(&s, FTP_REMOVE, "/shared/g", NULL)), CLIENT_OK);
	scene_end(&s);
}

static void test_listing_drops_evil_names(void **state)
{
	struct scene s;
	struct ftp_task *t;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.evil_names = true});
	scene_open(&s);
	fixture_write(s.fake.dir, "a b", SPAN_LIT("hello"));
	t = task_new(&s, FTP_LIST, "/shared", NULL);
	assert_int_equal(ftp_pool_do(s.pool, t), CLIENT_OK);
	assert_non_null(strstr(buf_str(&t->text), "size=5;"));
	assert_non_null(strstr(buf_str(&t->text), " a b\n"));
	assert_null(strstr(buf_str(&t->text), "escape"));
	assert_null(strstr(buf_str(&t->text), "clear"));
	assert_null(strchr(buf_str(&t->text), '/'));
	assert_null(strstr(buf_str(&t->text), "nonsense"));
	ftp_task_free(t);
	scene_end(&s);
}

static void test_many_over_several_sessions(void **state)
{
	struct scene s;
	unsigned done = 0;
	struct ftp_task *t;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.sessions = 3});
	s.options.sessions = 8;
	scene_open(&s);
	for (int i = 0; i < 20; i++) {
		char name[16], remote[32];

		snprintf(name, sizeof name, "f%d", i);
		snprintf(remote, sizeof remote, "/shared/%s", name);
		fixture_write(s.here, name, span_of(s.big.p, (size_t)i * 1000));
		ftp_pool_add(s.pool, task_new(&s, FTP_PUT, remote, name));
	}
	while (ftp_pool_run(s.pool, 0, -1) == 1)
		while ((t = ftp_pool_take(s.pool)) != NULL) {
			assert_int_equal(ftp_task_told(t), CLIENT_OK);
			ftp_task_free(t);
			done++;
		}
	assert_int_equal(done, 20);
	for (int i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof name, "f%d", i);
		assert_file(s.fake.dir, name, span_of(s.big.p, (size_t)i * 1000));
	}
	/* More than one was used, and the refusal of the fourth was no failure. */
	assert_int_equal(ftp_fake_count(&s.fake, "login"), 3);
	scene_end(&s);
}

/* -- lost lines -------------------------------------------------------------------------------- */

static void test_download_goes_on(void **state)
{
	struct scene s;
	struct ftp_task *t;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.cut_down_at = BIG / 2});
	scene_open(&s);
	fixture_write(s.fake.dir, "big", buf_span(&s.big));
	t = task_new(&s, FTP_GET, "/shared/big", "big");
	assert_int_equal(ftp_pool_do(s.pool, t), CLIENT_OK);
	assert_int_equal(t->attempts, 1);
	ftp_task_free(t);
	assert_file(s.here, "big", buf_span(&s.big));
	assert_int_equal(ftp_fake_count(&s.fake, "RETR"), 2);
	assert_int_equal(ftp_fake_count(&s.fake, "REST"), 1);
	scene_end(&s);
}

static void test_upload_goes_on(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.cut_up_at = BIG / 2});
	scene_open(&s);
	fixture_write(s.here, "big", buf_span(&s.big));
	assert_int_equal(put(&s, "big", "/shared/big"), CLIENT_OK);
	assert_file(s.fake.dir, "big", buf_span(&s.big));
	assert_int_equal(ftp_fake_count(&s.fake, "STOR"), 2);
	assert_int_equal(ftp_fake_count(&s.fake, "REST"), 1);
	scene_end(&s);
}

/* Another run of the program goes on with a part, but only if it is one of this very file. */
static void test_part_of_another_run(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.cut_down_at = BIG / 2});
	s.options.retries = 0;
	scene_open(&s);
	fixture_write(s.fake.dir, "big", buf_span(&s.big));
	assert_int_equal(get(&s, "/shared/big", "big"), ERR_EXIT_TEMP);
	assert_false(is_there(&s, "big"));
	assert_true(is_there(&s, ".big.quintet-part"));
	ftp_pool_close(s.pool);
	scene_open(&s);
	assert_int_equal(get(&s, "/shared/big", "big"), CLIENT_OK);
	assert_int_equal(ftp_fake_count(&s.fake, "REST"), 1);
	assert_file(s.here, "big", buf_span(&s.big));
	assert_no_parts(&s, "big");
	fixture_write(s.here, ".big.quintet-part", SPAN_LIT("something else"));
	fixture_write(s.here, ".big.quintet-from", SPAN_LIT("quintet-part 1\n3000000 0 -\n"));
	assert_int_equal(get(&s, "/shared/big", "big"), CLIENT_OK);
	assert_int_equal(ftp_fake_count(&s.fake, "REST"), 1);
	assert_file(s.here, "big", buf_span(&s.big));
	scene_end(&s);
}

/* The note fits, the bytes do not: the digest shows it, and it is fetched anew. */
static void test_wrong_part(void **state)
{
	_cleanup_(buf_done) struct buf wrong = BUF_INIT(BIG);
	struct scene s;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.cut_down_at = BIG / 2});
	s.options.retries = 0;
	scene_open(&s);
	fixture_write(s.fake.dir, "big", buf_span(&s.big));
	assert_int_equal(get(&s, "/shared/big", "big"), ERR_EXIT_TEMP);
	buf_add(&wrong, span_of(s.big.p, BIG / 3));
	wrong.p[0] ^= 1;
	fixture_write(s.here, ".big.quintet-part", buf_span(&wrong));
	assert_int_equal(get(&s, "/shared/big", "big"), CLIENT_OK);
	assert_int_equal(ftp_fake_count(&s.fake, "RETR"), 3);
	assert_file(s.here, "big", buf_span(&s.big));
	scene_end(&s);
}

static void test_patience(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.transient = true});
	scene_open(&s);
	fixture_write(s.fake.dir, "f", SPAN_LIT("hello"));
	assert_int_equal(get(&s, "/shared/f", "f"), CLIENT_OK);
	assert_int_equal(get(&s, "/shared/none", "f"), CLIENT_NO);
	assert_file(s.here, "f", SPAN_LIT("hello"));
	scene_end(&s);
}

static void test_silence_ends(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.silent = true});
	s.c.timeout_s = 1;
	s.options.retries = 0;
	scene_open(&s);
	fixture_write(s.fake.dir, "f", SPAN_LIT("hello"));
	assert_int_equal(get(&s, "/shared/f", "f"), ERR_EXIT_TEMP);
	assert_no_parts(&s, "f");
	scene_end(&s);
}

/* -- what must not be believed ----------------------------------------------------------------- */

static void expect_untrusted(const struct ftp_fake_order *order)
{
	struct scene s;

	scene_start(&s, order);
	s.options.retries = 1;
	scene_open(&s);
	fixture_write(s.fake.dir, "f", SPAN_LIT("hello"));
	fixture_write(s.here, "f", SPAN_LIT("as it was"));
	assert_int_equal(get(&s, "/shared/f", "f"), CLIENT_UNTRUSTED);
	assert_file(s.here, "f", SPAN_LIT("as it was"));
	assert_no_parts(&s, "f");
	assert_int_equal(put(&s, "f", "/shared/g"), CLIENT_UNTRUSTED);
	scene_end(&s);
}

static void test_wrong_digest(void **state)
{
	(void)state;
	expect_untrusted(&(struct ftp_fake_order){.wrong_digest = true});
}

static void test_unbound_data(void **state)
{
	(void)state;
	expect_untrusted(&(struct ftp_fake_order){.unbound = true});
}

static void test_other_certificate(void **state)
{
	(void)state;
	expect_untrusted(&(struct ftp_fake_order){.other_cert = true});
}

static void test_wrong_bytes(void **state)
{
	struct scene s;
	struct ftp_task *t;
	int pipes[2];

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.wrong_bytes = true});
	scene_open(&s);
	fixture_write(s.fake.dir, "f", SPAN_LIT("hello"));
	assert_int_equal(get(&s, "/shared/f", "f"), CLIENT_UNTRUSTED);
	assert_false(is_there(&s, "f"));
	assert_no_parts(&s, "f");
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	t = task_new(&s, FTP_GET, "/shared/f", NULL);
	t->out_fd = pipes[1];
	assert_int_equal(run(&s, t), CLIENT_UNTRUSTED);
	cleanup_close(&pipes[0]);
	cleanup_close(&pipes[1]);
	scene_end(&s);
}

static void test_too_much(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.endless = true});
	scene_open(&s);
	fixture_write(s.fake.dir, "f", SPAN_LIT("hello"));
	assert_int_not_equal(get(&s, "/shared/f", "f"), CLIENT_OK);
	assert_false(is_there(&s, "f"));
	assert_no_parts(&s, "f");
	scene_end(&s);
}

/* A file that is another by now is fetched as it is now. */
static void test_changed_meanwhile(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.changes = true});
	scene_open(&s);
	fixture_write(s.fake.dir, "f", SPAN_LIT("hello"));
	assert_int_equal(get(&s, "/shared/f", "f"), CLIENT_OK);
	assert_file(s.here, "f", SPAN_LIT("hellogrown"));
	scene_end(&s);
}

/* Without the server's goodbye it is taken for cut, and what is there is compared. */
static void test_no_goodbye(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.no_goodbye = true});
	scene_open(&s);
	fixture_write(s.fake.dir, "f", SPAN_LIT("hello"));
	assert_int_equal(get(&s, "/shared/f", "f"), CLIENT_OK);
	assert_int_equal(ftp_fake_count(&s.fake, "RETR"), 1);
	scene_end(&s);
}

static void test_old_server(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.no_facts = true, .foreign_pasv = true});
	scene_open(&s);
	fixture_write(s.fake.dir, "f", SPAN_LIT("hello"));
	assert_int_equal(get(&s, "/shared/f", "f"), CLIENT_OK);
	assert_file(s.here, "f", SPAN_LIT("hello"));
	assert_int_equal(put(&s, "f", "/shared/g"), CLIENT_OK);
	assert_file(s.fake.dir, "g", SPAN_LIT("hello"));
	scene_end(&s);
}

/* -- the local side ---------------------------------------------------------------------------- */

static void test_links_are_not_followed(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){0});
	scene_open(&s);
	fixture_write(s.fake.dir, "f", SPAN_LIT("hello"));
	fixture_write(s.here, "precious", SPAN_LIT("mine"));
	assert_int_equal(symlinkat("precious", s.here_fd, ".f.quintet-part"), 0);
	assert_int_not_equal(get(&s, "/shared/f", "f"), CLIENT_OK);
	assert_file(s.here, "precious", SPAN_LIT("mine"));
	assert_int_equal(unlinkat(s.here_fd, ".f.quintet-part", 0), 0);
	assert_int_equal(symlinkat("precious", s.here_fd, "f"), 0);
	assert_int_equal(get(&s, "/shared/f", "f"), CLIENT_OK);
	assert_file(s.here, "precious", SPAN_LIT("mine"));
	assert_file(s.here, "f", SPAN_LIT("hello"));
	assert_int_equal(mkdirat(s.here_fd, "d", 0700), 0);
	assert_int_not_equal(get(&s, "/shared/f", "d"), CLIENT_OK);
	assert_int_not_equal(get(&s, "/shared/f", "d/.."), CLIENT_OK);
	assert_int_equal(get(&s, "/shared/f", "d/f"), CLIENT_OK);
	assert_int_not_equal(put(&s, "d", "/shared/d"), CLIENT_OK);
	assert_int_not_equal(put(&s, "none", "/shared/d"), CLIENT_OK);
	scene_end(&s);
}

static void test_signal(void **state)
{
	struct scene s;
	struct ftp_task *t;
	sigset_t set;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.silent = true});
	scene_open(&s);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	s.c.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	assert_true(s.c.signal_fd >= 0);
	fixture_write(s.fake.dir, "f", SPAN_LIT("hello"));
	ftp_pool_add(s.pool, task_new(&s, FTP_GET, "/shared/f", "f"));
	ftp_pool_add(s.pool, task_new(&s, FTP_GET, "/shared/f", "g"));
	assert_int_equal(ftp_pool_run(s.pool, 200, -1), 2);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(ftp_pool_run(s.pool, 0, -1), -ECANCELED);
	for (int i = 0; i < 2; i++) {
		t = ftp_pool_take(s.pool);
		assert_non_null(t);
		assert_int_equal(ftp_task_told(t), CLIENT_INTERRUPTED);
		ftp_task_free(t);
	}
	assert_null(ftp_pool_take(s.pool));
	/* And on with it. */
	cleanup_close(&s.c.signal_fd);
	t = task_new(&s, FTP_STAT, "/shared/f", NULL);
	assert_int_equal(run(&s, t), CLIENT_OK);
	scene_end(&s);
}

static void test_refused(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){0});
	s.options.password = SPAN_LIT("wrong");
	assert_int_equal(ftp_pool_open(&s.c, &s.profile, &s.options, &s.pool), CLIENT_NO);
	s.options.password = SPAN_LIT(FTP_FAKE_PASSWORD);
	buf_done(&s.profile.root_pem);
	buf_add(&s.profile.root_pem, buf_span(&s.fake.world.server.cert_pem));
	assert_int_equal(ftp_pool_open(&s.c, &s.profile, &s.options, &s.pool), CLIENT_UNTRUSTED);
	s.profile.doors.door_count = 0;
	assert_int_equal(ftp_pool_open(&s.c, &s.profile, &s.options, &s.pool), CLIENT_NO);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_go_and_come),
		cmocka_unit_test(test_small_tasks),
		cmocka_unit_test(test_listing_drops_evil_names),
		cmocka_unit_test(test_many_over_several_sessions),
		cmocka_unit_test(test_download_goes_on),
		cmocka_unit_test(test_upload_goes_on),
		cmocka_unit_test(test_part_of_another_run),
		cmocka_unit_test(test_wrong_part),
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_silence_ends),
		cmocka_unit_test(test_wrong_digest),
		cmocka_unit_test(test_unbound_data),
		cmocka_unit_test(test_other_certificate),
		cmocka_unit_test(test_wrong_bytes),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_changed_meanwhile),
		cmocka_unit_test(test_no_goodbye),
		cmocka_unit_test(test_old_server),
		cmocka_unit_test(test_links_are_not_followed),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
