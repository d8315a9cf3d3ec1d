/*
 * What the engine of quintet ftp must not believe or do: wrong digests and bytes, data connections
 * that are not this log-in's, other people's addresses, links in the way.
 */
#include "tests/unit/lib/ftp_scene.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

/* -- what must not be believed ----------------------------------------------------------------- */

static void expect_untrusted(const struct ftp_fake_order *order)
{
	struct scene s;

	scene_start(&s, order);
	s.options.retries = 1;
	scene_open(&s);
	fixture_write(s.fake.dir, "f", SPAN_LIT("hello"));
	fixture_write(s.here, "f", SPAN_LIT("as it was"));
	assert_int_equal(scene_get(&s, "/shared/f", "f"), CLIENT_UNTRUSTED);
	assert_file(s.here, "f", SPAN_LIT("as it was"));
	assert_no_parts(&s, "f");
	assert_int_equal(scene_put(&s, "f", "/shared/g"), CLIENT_UNTRUSTED);
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
	assert_int_equal(scene_get(&s, "/shared/f", "f"), CLIENT_UNTRUSTED);
	assert_false(scene_has(&s, "f"));
	assert_no_parts(&s, "f");
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	t = scene_task(&s, FTP_GET, "/shared/f", NULL);
	t->out_fd = pipes[1];
	assert_int_equal(scene_run(&s, t), CLIENT_UNTRUSTED);
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
	assert_int_not_equal(scene_get(&s, "/shared/f", "f"), CLIENT_OK);
	assert_false(scene_has(&s, "f"));
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
	assert_int_equal(scene_get(&s, "/shared/f", "f"), CLIENT_OK);
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
	assert_int_equal(scene_get(&s, "/shared/f", "f"), CLIENT_OK);
	assert_int_equal(ftp_fake_count(&s.fake, "RETR"), 1);
	scene_end(&s);
}

static void test_old_server(void **state)
{
	struct scene s;
	struct ftp_task *t;

	(void)state;
	scene_start(&s, &(struct ftp_fake_order){.no_facts = true, .foreign_pasv = true});
	scene_open(&s);
	fixture_write(s.fake.dir, "f", SPAN_LIT("hello"));
	t = scene_task(&s, FTP_GET, "/shared/f", "f");
	assert_int_equal(ftp_pool_do(s.pool, t), CLIENT_OK);
	assert_false(t->verified);
	ftp_task_free(t);
	assert_file(s.here, "f", SPAN_LIT("hello"));
	assert_int_equal(scene_put(&s, "f", "/shared/g"), CLIENT_OK);
	assert_file(s.fake.dir, "g", SPAN_LIT("hello"));
	t = scene_task(&s, FTP_STAT, "/shared/g", NULL);
	assert_int_equal(ftp_pool_do(s.pool, t), CLIENT_OK);
	assert_int_equal(t->entry.size, 5);
	ftp_task_free(t);
	assert_int_equal(scene_run(&s, scene_task(&s, FTP_STAT, "/shared/none", NULL)), CLIENT_NO);
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
	assert_int_not_equal(scene_get(&s, "/shared/f", "f"), CLIENT_OK);
	assert_file(s.here, "precious", SPAN_LIT("mine"));
	assert_int_equal(unlinkat(s.here_fd, ".f.quintet-part", 0), 0);
	assert_int_equal(symlinkat("precious", s.here_fd, "f"), 0);
	assert_int_equal(scene_get(&s, "/shared/f", "f"), CLIENT_OK);
	assert_file(s.here, "precious", SPAN_LIT("mine"));
	assert_file(s.here, "f", SPAN_LIT("hello"));
	assert_int_equal(mkdirat(s.here_fd, "d", 0700), 0);
	assert_int_not_equal(scene_get(&s, "/shared/f", "d"), CLIENT_OK);
	assert_int_not_equal(scene_get(&s, "/shared/f", "d/.."), CLIENT_OK);
	assert_int_equal(scene_get(&s, "/shared/f", "d/f"), CLIENT_OK);
	assert_int_not_equal(scene_put(&s, "d", "/shared/d"), CLIENT_OK);
	assert_int_not_equal(scene_put(&s, "none", "/shared/d"), CLIENT_OK);
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
		cmocka_unit_test(test_wrong_digest),
		cmocka_unit_test(test_unbound_data),
		cmocka_unit_test(test_other_certificate),
		cmocka_unit_test(test_wrong_bytes),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_changed_meanwhile),
		cmocka_unit_test(test_no_goodbye),
		cmocka_unit_test(test_old_server),
		cmocka_unit_test(test_links_are_not_followed),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
