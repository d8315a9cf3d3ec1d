/*
 * The caller's side of the keeper's socket, against keepers of every kind: none, a good one, one
 * that leaves at the wrong moment, one that answers nonsense, one that was stopped. And a store
 * that may only be read.
 */
#include "store/remote.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "store/session.h"
#include "store/shape.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

enum { SOMEBODY = 61234, PATIENCE_MS = 700, FRAME_MAX = 4096 };

struct scene {
	char dir[64], sock[80];
	int listener_fd;
	pid_t keeper;
	struct remote *r;
	struct session_row row;
};

static int setup(void **state)
{
	struct scene *x = calloc(1, sizeof(*x));
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	assert_non_null(x);
	assert_int_equal(setenv("QUINTET_TEST_PATIENCE_MS", "700", 1), 0);
	scratch_make(x->dir, sizeof(x->dir));
	(void)snprintf(x->sock, sizeof(x->sock), "%s/sock", x->dir);
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", x->sock);
	x->listener_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(x->listener_fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(x->listener_fd, 8), 0);
	assert_int_equal(remote_new(x->sock, &x->r), 0);
	x->row = (struct session_row){.pid = 1, .service = "chatd"};
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct scene *x = *state;

	remote_free(x->r);
	cleanup_close(&x->listener_fd);
	scratch_remove(x->dir);
	free(x);
	return 0;
}

static int call(struct scene *x, uint64_t *ret)
{
	unsigned char result[OP_RESULT_MAX] = {0};
	int rc = remote_call(x->r, STORE_OP_SESSION_ADD, &x->row, result);

	memcpy(ret, result, sizeof(*ret));
	return rc;
}

/* -- keepers, each a child; their exit status tells whether they saw what they should ------------
 */

static void as_keeper(struct scene *x, int (*run)(int listener_fd))
{
	x->keeper = fork();
	assert_true(x->keeper >= 0);
	if (x->keeper == 0)
		_exit(run(x->listener_fd));
}

static int take_call(int fd, struct remote_call_head *ret)
{
	static unsigned char bytes[FRAME_MAX];
	size_t have = 0, len = 0;

	while (remote_frame(span_of(bytes, have), &len) == 0) {
		ssize_t n = recv(fd, bytes + have, sizeof(bytes) - have, 0);

		if (n <= 0)
			return -EPIPE;
		have += (size_t)n;
	}
	return remote_call_read(span_of(bytes, len), ret);
}

static int answer(int fd, const struct remote_call_head *head, int rc, uint64_t id)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(FRAME_MAX);
	static struct store_batch_item item;

	item.op = head->op;
	item.ticket = head->ticket;
	item.rc = rc;
	memcpy(item.result, &id, sizeof(id));
	if (remote_answer_write(&b, &item) < 0)
		return 1;
	return send(fd, b.p, b.len, MSG_NOSIGNAL) == (ssize_t)b.len ? 0 : 1;
}

static int serve_two(int listener_fd)
{
	_cleanup_(cleanup_close) int fd = accept(listener_fd, NULL, NULL);
	struct remote_call_head first, second;
	int rc = take_call(fd, &first);

	if (rc < 0 || first.version != shape_version() || first.again ||
		first.op != STORE_OP_SESSION_ADD || answer(fd, &first, 0, 7) != 0)
		return 1;
	if (take_call(fd, &second) < 0 || second.ticket.number != first.ticket.number + 1 ||
		memcmp(second.ticket.caller, first.ticket.caller, STORE_CALLER_ID_LEN) != 0)
		return 2;
	return answer(fd, &second, -EDQUOT, 0);
}

static void test_answers(void **state)
{
	struct scene *x = *state;
	uint64_t id = 0;

	as_keeper(x, serve_two);
	assert_int_equal(call(x, &id), 0);
	assert_int_equal(id, 7);
	assert_int_equal(call(x, &id), -EDQUOT);
	assert_int_equal(id, 0);
	assert_int_equal(fixture_wait(x->keeper), 0);
}

/* Closes after each answer; and breaks once when the call is whole: it comes again as the same. */
static int leave_often(int listener_fd)
{
	struct remote_call_head head, broken;

	for (uint64_t id = 1; id <= 3; id++) {
		_cleanup_(cleanup_close) int fd = accept(listener_fd, NULL, NULL);

		/* Whether this one comes as sent before depends on who was quicker. */
		if (take_call(fd, &head) < 0 || answer(fd, &head, 0, id) != 0)
			return 1;
	}
	for (unsigned i = 0; i < 3; i++) {
		_cleanup_(cleanup_close) int fd = accept(listener_fd, NULL, NULL);

		if (take_call(fd, &broken) < 0)
			return 2;
		if (i > 0 && (!broken.again || broken.ticket.number != head.ticket.number))
			return 3;
		head = broken;
		if (i == 2)
			return answer(fd, &broken, 0, 4);
	}
	return 4;
}

static void test_broken(void **state)
{
	struct scene *x = *state;
	uint64_t id = 0;

	as_keeper(x, leave_often);
	for (uint64_t i = 1; i <= 4; i++) {
		assert_int_equal(call(x, &id), 0);
		assert_int_equal(id, i);
	}
	assert_int_equal(fixture_wait(x->keeper), 0);
}

static int talk_nonsense(int listener_fd)
{
	struct remote_call_head head;

	for (unsigned i = 0; i < 4; i++) {
		_cleanup_(cleanup_close) int fd = accept(listener_fd, NULL, NULL);
		static const unsigned char odd[2048] = {0, 0, 0, 5, 1};
		size_t len = sizeof(odd);

		if (take_call(fd, &head) < 0)
			return 1;
		if (i < 2) {
			len = i == 0 ? 9 : len; /* too short for an answer; and too long for one */
			(void)send(fd, odd, len, MSG_NOSIGNAL);
		} else {
			head.ticket.number += i == 2; /* another's answer */
			head.op = i == 2 ? head.op : STORE_OP_AUDIT_APPEND; /* of another length */
			(void)answer(fd, &head, 0, 1);
		}
	}
	return 0;
}

static void test_nonsense(void **state)
{
	struct scene *x = *state;
	uint64_t id = 0;

	as_keeper(x, talk_nonsense);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(call(x, &id), -EIO);
	assert_int_equal(fixture_wait(x->keeper), 0);
}

/* Nobody takes the call from the queue, or somebody does and never answers. */
static void test_stopped(void **state)
{
	struct scene *x = *state;
	int64_t began_ms = time_monotonic_ms(), took_ms;
	uint64_t id = 0;

	assert_int_equal(call(x, &id), -ETIMEDOUT);
	took_ms = time_monotonic_ms() - began_ms;
	assert_true(took_ms >= PATIENCE_MS && took_ms < 10 * PATIENCE_MS);
}

static void test_nobody(void **state)
{
	struct scene *x = *state;
	uint64_t id = 0;

	cleanup_close(&x->listener_fd); /* its socket stays behind */
	assert_int_equal(call(x, &id), -EHOSTDOWN);
	assert_int_equal(unlink(x->sock), 0);
	assert_int_equal(call(x, &id), -EHOSTDOWN);
}

static int die_with_it(int listener_fd)
{
	_cleanup_(cleanup_close) int fd = accept(listener_fd, NULL, NULL);
	struct remote_call_head head;

	return take_call(fd, &head) < 0;
}

/* It cannot be known whether it was carried out. */
static void test_gone(void **state)
{
	struct scene *x = *state;
	uint64_t id = 0;
	int rc;

	as_keeper(x, die_with_it);
	cleanup_close(&x->listener_fd);
	rc = call(x, &id);
	assert_true(rc == -EHOSTDOWN || rc == -ETIMEDOUT);
	assert_int_equal(fixture_wait(x->keeper), 0);
}

static void test_names(void **state)
{
	char longest[200];
	struct remote *r = NULL;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(remote_new(longest, &r), -ENAMETOOLONG);
}

/* -- a store that may only be read ---------------------------------------------------------------
 */

static int look(struct store_txn *txn, void *arg)
{
	(void)arg;
	return txn != NULL ? 0 : -EINVAL;
}

/* As a service beside a keeper: of the group, not the owner. 0 when all is as it should be. */
static int be_service(const struct store_fixture *f)
{
	struct account_remove_args gone = {.name = "ada"};
	struct store *s = NULL;
	struct account a;
	char path[128];

	if (setgroups(0, NULL) < 0 || setgid(SOMEBODY) < 0 || setuid(SOMEBODY) < 0)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/store/data.mdb", f->state);
	if (open(path, O_RDWR | O_CLOEXEC) >= 0 || errno != EACCES || unlink(path) == 0)
		return 2;
	if (store_open_kept(f->state, "nobody-there", &s) < 0)
		return 3;
	if (store_view(s, look, NULL) < 0 || account_get(s, "ada", &a) < 0)
		return 4;
	if (store_call(s, STORE_OP_ACCOUNT_REMOVE, &gone, NULL) != -EHOSTDOWN)
		return 5;
	store_close(s);
	if (store_open(f->state, STORE_WRITE, &s) == 0)
		return 6;
	return 0;
}

static void test_read_only(void **state)
{
	struct store_fixture *f = *state;
	char path[128];
	pid_t pid;

	if (geteuid() != 0) {
		print_message("skipped: only root can be two users\n");
		return;
	}
	fixture_account(f->s, "ada");
	store_close(f->s);
	f->s = NULL;
	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(chmod(f->state, 0755), 0);
	assert_int_equal(store_modes(f->state, true), 0);
	for (unsigned i = 0; i < 5; i++) {
		static const char *const names[] = {"", "data.mdb", "lock.mdb", "guard", "settled"};

		(void)snprintf(path, sizeof(path), "%s/store/%s", f->state, names[i]);
		assert_int_equal(chown(path, 0, SOMEBODY), 0);
	}
	assert_int_equal(store_modes(f->state, true), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(be_service(f));
	assert_int_equal(fixture_wait(pid), 0);
}

#define scene(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene(test_answers),
		scene(test_broken),
		scene(test_nonsense),
		scene(test_stopped),
		scene(test_nobody),
		scene(test_gone),
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(
			test_read_only, store_fixture_setup, store_fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
