/* See ftp_scene.h. */
#include "tests/unit/lib/ftp_scene.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

void scene_start(struct scene *s, const struct ftp_fake_order *order)
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

void scene_open(struct scene *s)
{
	assert_int_equal(ftp_pool_open(&s->c, &s->profile, &s->options, &s->pool), CLIENT_OK);
}

void scene_end(struct scene *s)
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

struct ftp_task *scene_task(
	struct scene *s, enum ftp_task_kind kind, const char *remote, const char *local)
{
	struct ftp_task *t = ftp_task_new(kind, remote);

	assert_non_null(t);
	t->local_dir_fd = s->here_fd;
	if (local != NULL)
		t->local = strdup(local);
	return t;
}

int scene_run(struct scene *s, struct ftp_task *t)
{
	int code = ftp_pool_do(s->pool, t);

	ftp_task_free(t);
	return code;
}

int scene_get(struct scene *s, const char *remote, const char *local)
{
	return scene_run(s, scene_task(s, FTP_GET, remote, local));
}

int scene_put(struct scene *s, const char *local, const char *remote)
{
	return scene_run(s, scene_task(s, FTP_PUT, remote, local));
}

void assert_file(const char *dir, const char *name, struct span bytes)
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

bool scene_has(const struct scene *s, const char *name)
{
	return faccessat(s->here_fd, name, F_OK, 0) == 0;
}

void assert_no_parts(const struct scene *s, const char *name)
{
	char part[300];

	snprintf(part, sizeof part, ".%s.quintet-part", name);
	assert_false(scene_has(s, part));
	snprintf(part, sizeof part, ".%s.quintet-from", name);
	assert_false(scene_has(s, part));
}
