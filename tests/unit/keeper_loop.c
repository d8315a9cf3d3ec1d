/*
 * The keeper as its callers see it: many at once, ill-mannered ones, large frames, its comings and
 * goings.
 */
#include "services/keeper/keeper.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "store/audit.h"
#include "store/blob.h"
#include "store/mail.h"
#include "store/remote.h"
#include "store/session.h"
#include "tests/unit/lib/keeper_fixture.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { CALLERS = 12, EACH = 30, FRAME_MAX = REMOTE_HEAD_LEN + SHAPE_MESSAGE_MAX };

static void expect_rows(const struct keeper_fixture *f, unsigned count)
{
	struct store *s = keeper_fixture_open(f);
	struct audit_row last;

	assert_int_equal(fixture_audit(s, &last), count);
	assert_int_equal(store_check(s, NULL, NULL), 0);
	store_close(s);
}

static int append_some(const struct keeper_fixture *f)
{
	struct audit_row row = {.event = "test", .at_us = FIXTURE_NOW};
	struct store *s = keeper_fixture_open(f);
	int bad = 0;

	for (unsigned i = 0; i < EACH; i++)
		bad += store_call(s, STORE_OP_AUDIT_APPEND, &row, NULL) != 0;
	store_close(s);
	return bad;
}

static void append_beside(const struct keeper_fixture *f)
{
	pid_t pids[CALLERS];

	for (unsigned i = 0; i < CALLERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(append_some(f));
	}
	for (unsigned i = 0; i < CALLERS; i++)
		assert_int_equal(fixture_wait(pids[i]), 0);
}

static void test_many(void **state)
{
	struct keeper_fixture *f = *state;

	append_beside(f);
	expect_rows(f, CALLERS * EACH);
}

/* Results and refusals are those of the operation. */
static void test_results(void **state)
{
	struct keeper_fixture *f = *state;
	struct store *s = keeper_fixture_open(f);
	struct account_create_args again = {.name = "ada", .admin_act = true};
	struct session_row row = {.pid = getpid(), .service = "chatd"};
	struct account_remove_args gone = {.name = "ada"};
	struct account_remove_result result;
	uint64_t first = 0, second = 0;

	fixture_account(s, "ada");
	fixture_cert(s, "ada", 1, FIXTURE_NOW + FIXTURE_DAY);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_CREATE, &again, NULL), -EEXIST);
	assert_int_equal(store_call(s, STORE_OP_SESSION_ADD, &row, &first), 0);
	assert_int_equal(store_call(s, STORE_OP_SESSION_ADD, &row, &second), 0);
	assert_int_equal(second, first + 1);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_REMOVE, &gone, &result), 0);
	assert_int_equal(result.revoked, 1);
	store_close(s);
}

/* -- ill-mannered callers ---------------------------------------------------------------------- */

static void frame(struct buf *b, uint64_t number)
{
	struct audit_row row = {.event = "test", .at_us = FIXTURE_NOW};
	const struct store_ticket t = {.caller = "me", .number = number};

	assert_int_equal(remote_call_write(b, STORE_OP_AUDIT_APPEND, &row, &t, false), 0);
}

static void send_all(int fd, struct span bytes)
{
	assert_int_equal(send(fd, bytes.p, bytes.len, MSG_NOSIGNAL), bytes.len);
}

static bool ready_in(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

static int answer_of(int fd, enum store_op op)
{
	unsigned char bytes[2048];
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
	struct remote_answer a;

	if (n <= 0)
		return -EPIPE;
	assert_int_equal(remote_answer_read(span_of(bytes, (size_t)n), op, &a), 0);
	return a.rc;
}

/* Only who does it is put out, and at once. */
static void expect_out(const struct keeper_fixture *f, struct span bytes)
{
	int fd = keeper_fixture_dial(f);
	unsigned char byte;

	send_all(fd, bytes);
	assert_true(ready_in(fd, 20000));
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	(void)close(fd);
}

static void test_protocol(void **state)
{
	struct keeper_fixture *f = *state;
	_cleanup_(buf_done) struct buf one = BUF_INIT(FRAME_MAX), b = BUF_INIT(FRAME_MAX);
	int good = keeper_fixture_dial(f);

	frame(&one, 1);
	expect_out(f, span_str("GET / HTTP/1.1\r\n\r\n"));
	/* Too long, too short, two at once, one with half of the next. */
	buf_add_u32(&b, UINT32_MAX);
	expect_out(f, buf_span(&b));
	buf_reset(&b);
	buf_add_u32(&b, 3);
	buf_add(&b, span_str("abc"));
	expect_out(f, buf_span(&b));
	buf_reset(&b);
	frame(&b, 2);
	frame(&b, 3);
	expect_out(f, buf_span(&b));
	b.len -= 10;
	expect_out(f, buf_span(&b));
	send_all(good, buf_span(&one));
	assert_int_equal(answer_of(good, STORE_OP_AUDIT_APPEND), 0);
	(void)close(good);
	expect_rows(f, 1);
}

static void test_answers(void **state)
{
	struct keeper_fixture *f = *state;
	_cleanup_(buf_done) struct buf b = BUF_INIT(FRAME_MAX);
	int fd = keeper_fixture_dial(f);

	frame(&b, 1);
	b.p[4] ^= 1; /* another version */
	send_all(fd, buf_span(&b));
	assert_int_equal(answer_of(fd, STORE_OP_AUDIT_APPEND), -ESTALE);
	b.p[4] ^= 1;
	b.p[12] = 0xff; /* no such operation */
	send_all(fd, buf_span(&b));
	assert_int_equal(answer_of(fd, STORE_OP_COUNT), -EINVAL);
	b.p[12] = 0;
	memset(b.p + REMOTE_HEAD_LEN, 0xff, b.len - REMOTE_HEAD_LEN); /* no such arguments */
	send_all(fd, buf_span(&b));
	assert_int_equal(answer_of(fd, STORE_OP_AUDIT_APPEND), -EBADMSG);
	/* In pieces. */
	buf_reset(&b);
	frame(&b, 2);
	for (size_t i = 0; i < b.len; i += 30) {
		send_all(fd, span_of(b.p + i, b.len - i < 30 ? b.len - i : 30));
		(void)usleep(1000);
	}
	assert_int_equal(answer_of(fd, STORE_OP_AUDIT_APPEND), 0);
	/* Again, after its answer was lost: it is not done twice. */
	b.p[14] = 1;
	send_all(fd, buf_span(&b));
	assert_int_equal(answer_of(fd, STORE_OP_AUDIT_APPEND), 0);
	(void)close(fd);
	expect_rows(f, 1);
}

/* Those who send nothing, or half of something, are not kept; who comes again is not harmed. */
static void test_idle(void **state)
{
	struct keeper_fixture *f = *state;
	_cleanup_(buf_done) struct buf b = BUF_INIT(FRAME_MAX);
	struct audit_row row = {.event = "test", .at_us = FIXTURE_NOW};
	struct store *s = keeper_fixture_open(f);
	int silent = keeper_fixture_dial(f), half = keeper_fixture_dial(f);
	int64_t began_ms = time_monotonic_ms();

	frame(&b, 1);
	send_all(half, span_of(b.p, b.len / 2));
	assert_int_equal(store_call(s, STORE_OP_AUDIT_APPEND, &row, NULL), 0);
	assert_true(ready_in(silent, 20000));
	assert_false(ready_in(half, 0));
	assert_true(ready_in(half, 20000));
	assert_true(time_monotonic_ms() - began_ms > 500);
	assert_int_equal(store_call(s, STORE_OP_AUDIT_APPEND, &row, NULL), 0);
	(void)close(silent);
	(void)close(half);
	store_close(s);
	expect_rows(f, 2);
}

/* -- large ones -------------------------------------------------------------------------------- */

/* The beginnings of so many large frames that no more may have memory: others are served, and the
 * next large one as soon as the first are put out for their half frames. */
static void test_large(void **state)
{
	struct keeper_fixture *f = *state;
	struct store *s = keeper_fixture_open(f);
	static unsigned char der[3 << 20];
	struct crl_put_args crl = {.ca_id = 1, .number = 1, .der = span_of(der, sizeof(der))};
	struct audit_row row = {.event = "test", .at_us = FIXTURE_NOW};
	_cleanup_(buf_done) struct buf b = BUF_INIT(64);
	int fds[8];

	assert_int_equal(store_call(s, STORE_OP_CRL_PUT, &crl, NULL), 0);
	buf_add_u32(&b, SHAPE_MESSAGE_MAX);
	for (unsigned i = 0; i < 8; i++) {
		fds[i] = keeper_fixture_dial(f);
		send_all(fds[i], buf_span(&b));
	}
	(void)close(fds[7]); /* one of those who wait for memory */
	assert_int_equal(store_call(s, STORE_OP_AUDIT_APPEND, &row, NULL), 0);
	crl.number++;
	assert_int_equal(store_call(s, STORE_OP_CRL_PUT, &crl, NULL), 0);
	for (unsigned i = 0; i < 7; i++)
		(void)close(fds[i]);
	store_close(s);
}

/* -- coming and going -------------------------------------------------------------------------- */

/* Asked to leave in the middle of work, it answers first; callers find the next one. */
static void test_leaves(void **state)
{
	struct keeper_fixture *f = *state;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(append_some(f));
	for (unsigned i = 0; i < 5; i++) {
		(void)usleep(20000);
		assert_int_equal(keeper_fixture_stop(f), 0);
		keeper_fixture_start(f, NULL);
	}
	assert_int_equal(fixture_wait(pid), 0);
	expect_rows(f, EACH);
}

static void test_idle_exit(void **state)
{
	struct keeper_fixture *f = *state;

	assert_int_equal(keeper_fixture_stop(f), 0);
	keeper_fixture_start(f, "--idle-exit=1");
	assert_int_equal(fixture_wait(f->pid), 0);
	keeper_fixture_start(f, "--idle-exit=1");
	append_beside(f);
	assert_int_equal(fixture_wait(f->pid), 0);
	f->pid = 0;
	expect_rows(f, CALLERS * EACH);
}

/* More callers than there are places: the idle ones go. */
static void test_places(void **state)
{
	struct keeper_fixture *f = *state;
	int fds[10];

	assert_int_equal(keeper_fixture_stop(f), 0);
	keeper_fixture_start(f, "--max=4");
	for (unsigned i = 0; i < 10; i++)
		fds[i] = keeper_fixture_dial(f);
	assert_int_equal(append_some(f), 0);
	append_beside(f);
	for (unsigned i = 0; i < 10; i++)
		(void)close(fds[i]);
	expect_rows(f, EACH + CALLERS * EACH);
}

static void test_options(void **state)
{
	struct keeper_fixture *f = *state;

	assert_int_equal(keeper_fixture_stop(f), 0);
	keeper_fixture_start(f, "--max=0");
	assert_int_equal(fixture_wait(f->pid), ERR_EXIT_CONFIG);
	f->pid = 0;
}

#define with_keeper(t) \
	cmocka_unit_test_setup_teardown(t, keeper_fixture_setup, keeper_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_keeper(test_many),
		with_keeper(test_results),
		with_keeper(test_protocol),
		with_keeper(test_answers),
		with_keeper(test_idle),
		with_keeper(test_large),
		with_keeper(test_leaves),
		with_keeper(test_idle_exit),
		with_keeper(test_places),
		with_keeper(test_options),
	};

	keeper_fixture_user();
	/* Its seconds are tenths of one. */
	assert_int_equal(setenv("QUINTET_TEST_TICK_MS", "100", 1), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
