/* Tasks: who runs when, waits with and without descriptors, pokes, the end by cancelling. */
#include "base/timefmt.h"
#include "client/task.h"
#include "net/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

struct one {
	int fds[2];
	int result, rounds;
	char text[64];
	struct task *task, *other;
};

static void begin(void)
{
	assert_int_equal(tasks_begin(), 0);
	assert_int_equal(tasks_begin(), -EALREADY);
}

static void end(void)
{
	assert_int_equal(tasks_round(NULL, 0, 0), 0);
	assert_int_equal(tasks_count(), 0);
	tasks_end();
}

static void run_reader(void *arg)
{
	struct one *o = arg;
	struct pollfd p = {.fd = o->fds[0], .events = POLLIN};

	assert_ptr_equal(task_self(), o->task);
	o->result = net_wait(&p, 1, -1);
	assert_int_equal(p.revents, POLLIN);
	assert_int_equal(read(o->fds[0], o->text, sizeof o->text), 5);
}

static void test_descriptor(void **state)
{
	struct one o = {.result = -7};

	(void)state;
	begin();
	assert_int_equal(pipe2(o.fds, O_CLOEXEC), 0);
	assert_int_equal(task_start("reader", run_reader, &o, &o.task), 0);
	assert_int_equal(tasks_round(NULL, 0, 0), 0);
	assert_int_equal(tasks_round(NULL, 0, 0), 0);
	assert_int_equal(o.result, -7);
	assert_null(task_self());
	assert_int_equal(write(o.fds[1], "hello", 5), 5);
	assert_int_equal(tasks_round(NULL, 0, 1000), 0);
	assert_int_equal(o.result, 1);
	assert_string_equal(o.text, "hello");
	end();
	close(o.fds[0]);
	close(o.fds[1]);
}

static void run_sleeper(void *arg)
{
	struct one *o = arg;

	o->result = net_wait(NULL, 0, 30);
}

static void test_time(void **state)
{
	struct one o = {.result = -7};
	int64_t from_ms = time_monotonic_ms();

	(void)state;
	begin();
	assert_int_equal(task_start("sleeper", run_sleeper, &o, NULL), 0);
	while (tasks_count() > 0)
		assert_int_equal(tasks_round(NULL, 0, -1), 0);
	assert_int_equal(o.result, 0);
	assert_in_range(time_monotonic_ms() - from_ms, 30, 2000);
	end();
}

static void run_worker(void *arg)
{
	struct one *o = arg;

	for (o->rounds = 0; o->rounds < 100; o->rounds++)
		if (task_yield() < 0)
			return;
}

/* Work without waits leaves the person's descriptor its turn in each round. */
static void test_yield(void **state)
{
	struct one a = {.rounds = 0}, b = {.rounds = 0};
	struct pollfd own = {.events = POLLIN};
	int fds[2], turns = 0;

	(void)state;
	begin();
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	own.fd = fds[0];
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(task_start("a", run_worker, &a, NULL), 0);
	assert_int_equal(task_start("b", run_worker, &b, NULL), 0);
	for (; tasks_count() > 0; turns++) {
		assert_int_equal(tasks_round(&own, 1, -1), 0);
		assert_int_equal(own.revents, POLLIN);
		assert_in_range(a.rounds - b.rounds + 1, 0, 2);
	}
	assert_in_range(turns, 100, 102);
	end();
	close(fds[0]);
	close(fds[1]);
}

static void run_pausing(void *arg)
{
	struct one *o = arg;

	assert_int_equal(task_pause(1), -ETIMEDOUT);
	o->rounds = 1;
	assert_int_equal(task_pause(-1), 0);
	o->rounds = 2;
	/* One that came while nobody paused. */
	assert_int_equal(task_yield(), 0);
	assert_int_equal(task_pause(-1), 0);
	o->rounds = 3;
	o->result = task_pause(-1);
}

static void test_pause(void **state)
{
	struct one o = {.rounds = 0};

	(void)state;
	begin();
	assert_int_equal(task_start("pausing", run_pausing, &o, &o.task), 0);
	while (o.rounds < 1)
		assert_int_equal(tasks_round(NULL, 0, -1), 0);
	assert_int_equal(tasks_round(NULL, 0, 0), 0);
	assert_int_equal(o.rounds, 1);
	task_poke(o.task);
	assert_int_equal(tasks_round(NULL, 0, -1), 0);
	assert_int_equal(o.rounds, 2);
	task_poke(o.task);
	assert_int_equal(tasks_round(NULL, 0, -1), 0);
	assert_int_equal(o.rounds, 3);
	task_cancel(o.task);
	assert_int_equal(tasks_round(NULL, 0, -1), 0);
	assert_int_equal(o.result, -ECANCELED);
	end();
}

static void run_stubborn(void *arg)
{
	struct one *o = arg;
	struct pollfd p = {.fd = o->fds[0], .events = POLLIN};

	while (net_wait(&p, 1, -1) >= 0)
		continue;
	o->result = -errno;
	assert_int_equal(net_wait(&p, 1, 1000), -1);
	assert_int_equal(errno, ECANCELED);
	assert_int_equal(task_yield(), -ECANCELED);
}

static void test_cancel(void **state)
{
	struct one o = {.result = 0};

	(void)state;
	begin();
	assert_int_equal(pipe2(o.fds, O_CLOEXEC), 0);
	assert_int_equal(task_start("stubborn", run_stubborn, &o, &o.task), 0);
	assert_int_equal(tasks_round(NULL, 0, 0), 0);
	task_cancel(o.task);
	assert_int_equal(tasks_round(NULL, 0, -1), 0);
	assert_int_equal(o.result, -ECANCELED);
	end();
	close(o.fds[0]);
	close(o.fds[1]);
}

static int deep(int levels)
{
	volatile char space[8192];

	for (size_t i = 0; i < sizeof space; i++)
		space[i] = (char)levels;
	if (levels == 0)
		return task_yield();
	return deep(levels - 1) + (space[0] == (char)levels ? 1 : 0);
}

static void run_starter(void *arg)
{
	struct one *o = arg;

	assert_int_equal(deep(30), 30);
	errno = EDOM;
	assert_int_equal(task_yield(), 0);
	assert_int_equal(errno, EDOM);
	if (o->rounds-- > 0)
		assert_int_equal(task_start("child", run_starter, o, &o->other), 0);
}

/* Stacks are deep enough, their contents stay, errno is each one's own; tasks start tasks. */
static void test_stacks(void **state)
{
	struct one o = {.rounds = 100};

	(void)state;
	begin();
	assert_int_equal(task_start("starter", run_starter, &o, NULL), 0);
	while (tasks_count() > 0) {
		errno = ENOENT;
		assert_int_equal(tasks_round(NULL, 0, -1), 0);
		assert_int_equal(errno, ENOENT);
	}
	assert_int_equal(o.rounds, -1);
	end();
}

static void test_full(void **state)
{
	struct one o[TASKS_MAX];
	struct task *more;

	(void)state;
	begin();
	for (size_t i = 0; i < TASKS_MAX; i++)
		assert_int_equal(task_start("worker", run_worker, &o[i], NULL), 0);
	assert_int_equal(task_start("more", run_worker, &o[0], &more), -ENOSPC);
	assert_int_equal(tasks_count(), TASKS_MAX);
	while (tasks_count() > 0)
		assert_int_equal(tasks_round(NULL, 0, -1), 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_yield),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
