/*
 * The engine of quintet ftp at work: every task, several sessions, lines lost in the middle, parts
 * of other runs, signals.
 */
#include "tests/unit/lib/ftp_scene.h"

#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <cmocka.h>

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
	t = scene_task(&s, FTP_PUT, "/shared/big", "big");
	t->keep_time = true;
	assert_int_equal(scene_run(&s, t), CLIENT_OK);
	assert_non_null(strstr(ftp_pool_security(s.pool), "data connections resumed"));
	assert_int_equal(scene_put(&s, "empty", "/shared/empty"), CLIENT_OK);
	assert_file(s.fake.dir, "big", buf_span(&s.big));
	t = scene_task(&s, FTP_GET, "/shared/big", "back");
	t->keep_time = true;
	assert_int_equal(scene_run(&s, t), CLIENT_OK);
	assert_int_equal(scene_get(&s, "/shared/empty", "back-empty"), CLIENT_OK);
	assert_file(s.here, "back", buf_span(&s.big));
	assert_file(s.here, "back-empty", span_of("", 0));
	assert_int_equal(fstatat(s.here_fd, "back", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	assert_no_parts(&s, "back");
	assert_no_parts(&s, "back-empty");
	/* Once more over what is there, and not where that is not wanted. */
	assert_int_equal(scene_get(&s, "/shared/empty", "back"), CLIENT_OK);
	assert_file(s.here, "back", span_of("", 0));
	t = scene_task(&s, FTP_GET, "/shared/big", "back");
	t->no_overwrite = true;
	assert_int_equal(scene_run(&s, t), CLIENT_NO);
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
	t = scene_task(&s, FTP_STAT, "/shared/f", NULL);
	assert_int_equal(ftp_pool_do(s.pool, t), CLIENT_OK);
	assert_int_equal(t->entry.size, 5);
	ftp_task_free(t);
	t = scene_task(&s, FTP_DIGEST, "/shared/f", NULL);
	assert_int_equal(ftp_pool_do(s.pool, t), CLIENT_OK);
	assert_int_equal(hash_sha256(SPAN_LIT("hello"), digest), 0);
	assert_memory_equal(t->digest, digest, sizeof digest);
	ftp_task_free(t);
	assert_int_equal(scene_run(&s, scene_task(&s, FTP_MKDIR, "/shared/d", NULL)), CLIENT_OK);
	assert_int_equal(scene_run(&s, scene_task(&s, FTP_RMDIR, "/shared/d", NULL)), CLIENT_OK);
	assert_int_equal(scene_run(&s, scene_task(&s, FTP_RMDIR, "/shared/d", NULL)), CLIENT_NO);
	t = scene_task(&s, FTP_RENAME, "/shared/f", NULL);
	t->to = strdup("/shared/g");
	assert_int_equal(scene_run(&s, t), CLIENT_OK);
	t = scene_task(&s, FTP_TEXT, "/", NULL);
	t->line = strdup("STAT");
	assert_int_equal(ftp_pool_do(s.pool, t), CLIENT_OK);
	assert_string_equal(buf_str(&t->text), "Status\n fine\nEnd\n");
	ftp_task_free(t);
	t = scene_task(&s, FTP_TEXT, "/", NULL);
	t->line = strdup("STAT\r\nDELE g");
	assert_int_equal(scene_run(&s, t), ERR_EXIT_CONFIG);
	assert_int_equal(scene_run(&s, scene_task(&s, FTP_REMOVE, "/shared/g\r\nDELE x", NULL)),
		ERR_EXIT_CONFIG);
	assert_int_equal(scene_run(&s, scene_task(&s, FTP_REMOVE, "/shared/g", NULL)), CLIENT_OK);
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
	t = scene_task(&s, FTP_LIST, "/shared", NULL);
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
		ftp_pool_add(s.pool, scene_task(&s, FTP_PUT, remote, name));
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
	t = scene_task(&s, FTP_GET, "/shared/big", "big");
	assert_int_equal(ftp_pool_do(s.pool, t), CLIENT_OK);
	assert_int_equal(t->attempts, 1);
	assert_true(t->verified);
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
	assert_int_equal(scene_put(&s, "big", "/shared/big"), CLIENT_OK);
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
	assert_int_equal(scene_get(&s, "/shared/big", "big"), ERR_EXIT_TEMP);
	assert_false(scene_has(&s, "big"));
	assert_true(scene_has(&s, ".big.quintet-part"));
	ftp_pool_close(s.pool);
	scene_open(&s);
	assert_int_equal(scene_get(&s, "/shared/big", "big"), CLIENT_OK);
	assert_int_equal(ftp_fake_count(&s.fake, "REST"), 1);
	assert_file(s.here, "big", buf_span(&s.big));
	assert_no_parts(&s, "big");
	fixture_write(s.here, ".big.quintet-part", SPAN_LIT("something else"));
	fixture_write(s.here, ".big.quintet-from", SPAN_LIT("quintet-part 1\n3000000 0 -\n"));
	assert_int_equal(scene_get(&s, "/shared/big", "big"), CLIENT_OK);
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
	assert_int_equal(scene_get(&s, "/shared/big", "big"), ERR_EXIT_TEMP);
	buf_add(&wrong, span_of(s.big.p, BIG / 3));
	wrong.p[0] ^= 1;
	fixture_write(s.here, ".big.quintet-part", buf_span(&wrong));
	assert_int_equal(scene_get(&s, "/shared/big", "big"), CLIENT_OK);
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
	assert_int_equal(scene_get(&s, "/shared/f", "f"), CLIENT_OK);
	assert_int_equal(scene_get(&s, "/shared/none", "f"), CLIENT_NO);
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
	assert_int_equal(scene_get(&s, "/shared/f", "f"), ERR_EXIT_TEMP);
	assert_no_parts(&s, "f");
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
	ftp_pool_add(s.pool, scene_task(&s, FTP_GET, "/shared/f", "f"));
	ftp_pool_add(s.pool, scene_task(&s, FTP_GET, "/shared/f", "g"));
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
	t = scene_task(&s, FTP_STAT, "/shared/f", NULL);
	assert_int_equal(scene_run(&s, t), CLIENT_OK);
	scene_end(&s);
}

/* One is given up, the other one goes on; the part stays. */
static void test_drop(void **state)
{
	struct scene s;
	struct ftp_task *first, *second, *t;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.silent = true});
	scene_open(&s);
	fixture_write(s.fake.dir, "f", SPAN_LIT("hello"));
	first = scene_task(&s, FTP_GET, "/shared/f", "f");
	second = scene_task(&s, FTP_GET, "/shared/f", "g");
	ftp_pool_add(s.pool, first);
	ftp_pool_add(s.pool, second);
	assert_int_equal(ftp_pool_run(s.pool, 200, -1), 2);
	assert_true(ftp_pool_is_alive(s.pool));
	ftp_pool_drop(s.pool, first);
	t = ftp_pool_take(s.pool);
	assert_ptr_equal(t, first);
	assert_int_equal(t->error, -ECANCELED);
	assert_null(ftp_pool_take(s.pool));
	ftp_task_free(t);
	assert_int_not_equal(second->state, FTP_FAILED);
	ftp_pool_drop(s.pool, second);
	t = ftp_pool_take(s.pool);
	assert_ptr_equal(t, second);
	ftp_task_free(t);
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
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
