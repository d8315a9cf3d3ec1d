/* Sessions, their successors, and bells: rung, not heard, dead. */
#include "store/session.h"

#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct session_row row_of(const char *service)
{
	struct session_row r = {
		.pid = getpid(), .peer = "192.0.2.1", .account = "ada", .since_us = FIXTURE_NOW};

	(void)snprintf(r.service, sizeof(r.service), "%s", service);
	assert_int_equal(session_start_ticks(r.pid, &r.start_ticks), 0);
	return r;
}

static uint64_t add(struct store *s, const char *service)
{
	struct session_row r = row_of(service);
	uint64_t id = 0;

	assert_int_equal(store_call(s, STORE_OP_SESSION_ADD, &r, &id), 0);
	return id;
}

static int count(void *arg, const struct session_row *r)
{
	(void)r;
	++*(unsigned *)arg;
	return 0;
}

static unsigned sessions(struct store *s, const char *service)
{
	unsigned n = 0;

	assert_int_equal(session_each(s, service, count, &n), 0);
	return n;
}

static void test_rows(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct session_remove_args gone = {.service = "cad"};
	struct session_row r = row_of("cad");
	uint64_t a, b, c;

	a = add(s, "cad");
	b = add(s, "daytimed");
	c = add(s, "cad");
	assert_true(a < b && b < c);
	assert_int_equal(sessions(s, NULL), 3);
	assert_int_equal(sessions(s, "cad"), 2);
	assert_int_equal(sessions(s, "ca"), 0);
	r.id = b;
	assert_int_equal(store_call(s, STORE_OP_SESSION_UPDATE, &r, NULL), -ENOENT);
	r.id = c;
	r.bytes_in = 77;
	assert_int_equal(store_call(s, STORE_OP_SESSION_UPDATE, &r, NULL), 0);
	assert_int_equal(session_successor(s, "cad", a, &r), 0);
	assert_int_equal(r.id, c);
	assert_int_equal(r.bytes_in, 77);
	assert_int_equal(r.pid, getpid());
	assert_string_equal(r.peer, "192.0.2.1");
	assert_int_equal(session_successor(s, "cad", c, &r), 0); /* wraps */
	assert_int_equal(r.id, a);
	assert_int_equal(session_successor(s, "daytimed", b, &r), -ENOENT); /* itself */
	assert_int_equal(session_successor(s, "ftpd", 1, &r), -ENOENT);
	gone.id = a;
	assert_int_equal(store_call(s, STORE_OP_SESSION_REMOVE, &gone, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_SESSION_REMOVE, &gone, NULL), -ENOENT);
	assert_int_equal(sessions(s, "cad"), 1);
	r = row_of("");
	assert_int_equal(store_call(s, STORE_OP_SESSION_ADD, &r, &a), -EINVAL);
	r = row_of("cad");
	(void)snprintf(r.bell, sizeof(r.bell), "../b");
	assert_int_equal(store_call(s, STORE_OP_SESSION_ADD, &r, &a), -EINVAL);
}

static void test_alive(void **state)
{
	struct session_row r = row_of("cad");
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	assert_true(session_alive(&r));
	r.start_ticks++; /* the number was given to another process */
	assert_false(session_alive(&r));
	r.pid = pid;
	assert_int_equal(fixture_wait(pid), 0);
	assert_false(session_alive(&r));
	r.pid = 0;
	assert_false(session_alive(&r));
	assert_int_equal(session_start_ticks(pid, &r.start_ticks), -ENOENT);
}

/* -- bells ------------------------------------------------------------------------------------- */

static bool rung(const struct bell *b)
{
	struct pollfd p = {.fd = bell_fd(b), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void listen_to(struct store *s, const struct bell *b, const char *topic, uint64_t id)
{
	struct bell_args a = {.session_id = id, .service = "cad"};

	(void)snprintf(a.topic, sizeof(a.topic), "%s", topic);
	(void)snprintf(a.bell, sizeof(a.bell), "%s", bell_name(b));
	assert_int_equal(store_call(s, STORE_OP_BELL_ADD, &a, NULL), 0);
}

static bool socket_exists(const char *runtime, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/bells/%s", runtime, name);
	return access(path, F_OK) == 0;
}

/* Whatever the folder's path is: short, or too long for sun_path. */
static void ring_in(struct store *s, const char *runtime)
{
	struct session_remove_args gone = {.service = "cad"};
	struct bell *b = NULL;
	char path[256];
	struct stat st;
	uint64_t id = add(s, "cad");

	gone.id = id;
	assert_int_equal(bell_open(runtime, &b), 0);
	(void)snprintf(path, sizeof(path), "%s/bells/%s", runtime, bell_name(b));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(bell_ring(s, runtime, "account/ada", NULL, NULL), 0);
	listen_to(s, b, "account/ada", id);
	listen_to(s, b, "account/ada2", id);
	assert_false(rung(b));
	assert_int_equal(bell_ring(s, runtime, "account/ad", NULL, NULL), 0);
	assert_int_equal(bell_ring(s, runtime, "account/ada", NULL, NULL), 1);
	assert_true(rung(b));
	(void)bell_drain(b);
	assert_false(rung(b));
	/* A listener that does not read blocks nobody. */
	for (int i = 0; i < 2000; i++)
		assert_int_equal(bell_ring(s, runtime, "account/ada", NULL, NULL), 1);
	(void)bell_drain(b);
	assert_false(rung(b));
	assert_int_equal(store_call(s, STORE_OP_SESSION_REMOVE, &gone, NULL), 0);
	assert_int_equal(bell_ring(s, runtime, "account/ada", NULL, NULL), 0);
	assert_int_equal(bell_ring(s, runtime, "account/ada2", NULL, NULL), 0);
	assert_false(rung(b));
	assert_int_equal(store_check(s, NULL, NULL), 0);
	bell_close(b);
	assert_int_not_equal(stat(path, &st), 0);
}

static void test_ring(void **state)
{
	struct store_fixture *f = *state;
	char deep[200];
	int n;

	ring_in(f->s, f->dir);
	n = snprintf(deep, sizeof(deep), "%s/%0100d", f->dir, 0);
	assert_true(n > 108 && (size_t)n < sizeof(deep));
	assert_int_equal(mkdir(deep, 0700), 0);
	ring_in(f->s, deep);
	assert_int_equal(chdir(f->dir), 0); /* a relative path, as make run has it */
	ring_in(f->s, ".");
}

struct dead_args {
	unsigned count;
	uint64_t id;
};

static void note_dead(void *arg, const struct session_row *r)
{
	struct dead_args *d = arg;

	d->count++;
	d->id = r->id;
}

struct child_args {
	const char *runtime;
	int ready_fd;
	bool close_bell; /* and live on */
};

static int listener(struct store *s, void *arg)
{
	const struct child_args *c = arg;
	struct bell *b = NULL;
	uint64_t id = add(s, "cad");

	if (bell_open(c->runtime, &b) < 0)
		return 1;
	listen_to(s, b, "account/ada", id);
	if (write(c->ready_fd, bell_name(b), strlen(bell_name(b))) < 0)
		return 1;
	if (c->close_bell)
		bell_close(b);
	for (;;)
		(void)pause();
}

static pid_t start_listener(struct store_fixture *f, bool close_bell, char *ret_name, size_t size)
{
	struct child_args c = {.runtime = f->dir, .close_bell = close_bell};
	int fds[2];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	c.ready_fd = fds[1];
	pid = fixture_fork(f, listener, &c);
	n = read(fds[0], ret_name, size - 1);
	assert_true(n > 0);
	ret_name[n] = '\0';
	(void)close(fds[0]);
	(void)close(fds[1]);
	return pid;
}

static void test_dead(void **state)
{
	struct store_fixture *f = *state;
	struct dead_args d = {0};
	char name[64];
	pid_t pid = start_listener(f, false, name, sizeof(name));

	assert_int_equal(bell_ring(f->s, f->dir, "account/ada", note_dead, &d), 1);
	assert_int_equal(d.count, 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(fixture_wait(pid), -SIGKILL);
	assert_true(socket_exists(f->dir, name));
	assert_int_equal(sessions(f->s, "cad"), 1);
	assert_int_equal(bell_ring(f->s, f->dir, "account/ada", note_dead, &d), 0);
	assert_int_equal(d.count, 1);
	assert_false(socket_exists(f->dir, name));
	assert_int_equal(sessions(f->s, "cad"), 0);
	assert_int_equal(bell_ring(f->s, f->dir, "account/ada", note_dead, &d), 0);
	assert_int_equal(d.count, 1);
	assert_int_equal(store_check(f->s, NULL, NULL), 0);
}

/* After a reboot the rows are still there and the folder of bells is not. */
static void test_no_folder(void **state)
{
	struct store_fixture *f = *state;
	struct bell_args a = {.topic = "account/ada", .bell = "b", .service = "cad"};
	struct session_row r = row_of("cad");

	r.start_ticks++;
	assert_int_equal(store_call(f->s, STORE_OP_SESSION_ADD, &r, &a.session_id), 0);
	assert_int_equal(store_call(f->s, STORE_OP_BELL_ADD, &a, NULL), 0);
	assert_int_equal(bell_ring(f->s, "/nonexistent", "account/ada", NULL, NULL), 0);
	assert_int_equal(sessions(f->s, NULL), 0);
	assert_int_equal(store_check(f->s, NULL, NULL), 0);
}

/* A live session whose bell is gone keeps its row. */
static void test_closed(void **state)
{
	struct store_fixture *f = *state;
	char name[64];
	pid_t pid = start_listener(f, true, name, sizeof(name));

	for (int i = 0; i < 200 && socket_exists(f->dir, name); i++)
		(void)usleep(10000);
	assert_int_equal(bell_ring(f->s, f->dir, "account/ada", NULL, NULL), 0);
	assert_int_equal(sessions(f->s, "cad"), 1);
	assert_int_equal(store_check(f->s, NULL, NULL), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(fixture_wait(pid), -SIGKILL);
}

static void test_bell_refusals(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct bell_args a = {.topic = "t", .bell = "b", .session_id = 1, .service = "cad"};
	struct bell *b = NULL;
	uint64_t id;

	assert_int_equal(store_call(s, STORE_OP_BELL_ADD, &a, NULL), -ENOENT); /* no session */
	id = add(s, "cad");
	a.session_id = id;
	assert_int_equal(store_call(s, STORE_OP_BELL_ADD, &a, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_BELL_REMOVE, &a, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_BELL_REMOVE, &a, NULL), -ENOENT);
	(void)snprintf(a.bell, sizeof(a.bell), "../b");
	assert_int_equal(store_call(s, STORE_OP_BELL_ADD, &a, NULL), -EINVAL);
	(void)snprintf(a.bell, sizeof(a.bell), "b");
	a.topic[0] = '\0';
	assert_int_equal(store_call(s, STORE_OP_BELL_ADD, &a, NULL), -EINVAL);
	assert_int_equal(bell_open("/nonexistent", &b), -ENOENT);
}

/* What one session has registered, no other takes or takes away, whatever service it says it is. */
static void test_bell_of_another(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct bell_args a = {.topic = "t", .bell = "b", .service = "cad"};
	struct bell_args other = {.topic = "t", .bell = "b", .service = "ftpd"};

	a.session_id = add(s, "cad");
	assert_int_equal(store_call(s, STORE_OP_BELL_ADD, &a, NULL), 0);
	other.session_id = add(s, "ftpd");
	assert_int_equal(store_call(s, STORE_OP_BELL_ADD, &other, NULL), -EEXIST);
	assert_int_equal(store_call(s, STORE_OP_BELL_REMOVE, &other, NULL), -ENOENT);
	other.session_id = a.session_id;
	assert_int_equal(store_call(s, STORE_OP_BELL_ADD, &other, NULL), -ENOENT);
	assert_int_equal(store_call(s, STORE_OP_BELL_REMOVE, &other, NULL), -ENOENT);
	assert_int_equal(store_call(s, STORE_OP_BELL_ADD, &a, NULL), 0); /* as it was */
	assert_int_equal(store_check(s, NULL, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_BELL_REMOVE, &a, NULL), 0);
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_rows),
		cmocka_unit_test(test_alive),
		with_store(test_ring),
		with_store(test_dead),
		with_store(test_closed),
		with_store(test_no_folder),
		with_store(test_bell_refusals),
		with_store(test_bell_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
