/*
 * Tasks by ucontext: one stack each, below it a page that may not be touched. A task runs until its
 * next wait, then main() does; main() alone polls, for all of them. AddressSanitizer is told of
 * each change of stacks.
 */
#include "client/task.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "net/wait.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define TASK_ASAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define TASK_ASAN 1
#endif

enum { STACK_BYTES = 512 << 10 };

struct task {
	const char *name;
	void (*run)(void *arg);
	void *arg;
	unsigned char *memory; /* mapped: the guard page, then the stack */
	size_t size, guard;
	ucontext_t context;
	void *fake_stack; /* the sanitizer's, while it does not run */
	bool over, cancelled, poked;

	/* Its present wait. */
	struct pollfd *fds; /* on its stack */
	size_t count;
	int64_t until_ms; /* 0: it goes on at once */
	bool pausing; /* pokes end it */
	int ready; /* how many of fds */
};

static struct {
	struct task *v[TASKS_MAX];
	size_t count;
	struct task *self;
	ucontext_t main;
	void *main_fake_stack;
	const void *main_stack; /* as the sanitizer knows it */
	size_t main_size;
	struct pollfd *fds; /* of one round */
	size_t size;
} all;

/* -- stacks ------------------------------------------------------------------------------------ */

#ifdef TASK_ASAN
void __sanitizer_start_switch_fiber(void **fake_stack_save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack_save, const void **bottom_old, size_t *size);

static void leave_for(void **fake_stack, const void *bottom, size_t size)
{
	__sanitizer_start_switch_fiber(fake_stack, bottom, size);
}

static void arrived(void *fake_stack, const void **from, size_t *from_size)
{
	__sanitizer_finish_switch_fiber(fake_stack, from, from_size);
}
#else
static void leave_for(void **fake_stack, const void *bottom, size_t size)
{
	(void)fake_stack;
	(void)bottom;
	(void)size;
}

static void arrived(void *fake_stack, const void **from, size_t *from_size)
{
	(void)fake_stack;
	(void)from;
	(void)from_size;
}
#endif

static void to_main(struct task *t)
{
	int error = errno;

	all.self = NULL;
	/* One that is over leaves nothing behind. */
	leave_for(t->over ? NULL : &t->fake_stack, all.main_stack, all.main_size);
	swapcontext(&t->context, &all.main);
	arrived(t->fake_stack, NULL, NULL);
	errno = error;
}

static void to_task(struct task *t)
{
	int error = errno;

	all.self = t;
	leave_for(&all.main_fake_stack, t->memory + t->guard, t->size - t->guard);
	swapcontext(&all.main, &t->context);
	arrived(all.main_fake_stack, NULL, NULL);
	errno = error;
}

static void task_main(void)
{
	struct task *t = all.self;

	arrived(NULL, &all.main_stack, &all.main_size);
	t->run(t->arg);
	t->over = true;
	to_main(t);
	abort(); /* nobody runs it again */
}

static void task_free(struct task *t)
{
	if (t != NULL && t->memory != NULL)
		(void)munmap(t->memory, t->size);
	free(t);
}

static int stack_make(struct task *t)
{
	void *p;

	t->guard = (size_t)sysconf(_SC_PAGESIZE);
	t->size = STACK_BYTES + t->guard;
	p = mmap(NULL, t->size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return -ENOMEM;
	t->memory = p;
	return mprotect(p, t->guard, PROT_NONE) == 0 ? 0 : -errno;
}

/* -- what tasks call --------------------------------------------------------------------------- */

static int64_t until(int timeout_ms)
{
	if (timeout_ms < 0)
		return INT64_MAX;
	return timeout_ms == 0 ? 0 : time_monotonic_ms() + timeout_ms;
}

static int task_wait(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	struct task *t = all.self;

	if (t == NULL)
		return poll(fds, count, timeout_ms);
	if (!t->cancelled) {
		t->fds = fds;
		t->count = count;
		t->until_ms = until(timeout_ms);
		t->ready = 0;
		to_main(t);
		t->fds = NULL;
		t->count = 0;
	}
	if (!t->cancelled)
		return t->ready;
	errno = ECANCELED;
	return -1;
}

struct task *task_self(void)
{
	return all.self;
}

int task_pause(int timeout_ms)
{
	struct task *t = all.self;
	int r = 0;

	if (!t->poked) {
		t->pausing = true;
		r = task_wait(NULL, 0, timeout_ms);
		t->pausing = false;
	}
	if (r < 0 || t->cancelled)
		return -ECANCELED;
	if (!t->poked)
		return -ETIMEDOUT;
	t->poked = false;
	return 0;
}

int task_yield(void)
{
	return task_wait(NULL, 0, 0) < 0 ? -ECANCELED : 0;
}

/* -- what main() calls ------------------------------------------------------------------------- */

int tasks_begin(void)
{
	if (net_wait == task_wait)
		return -EALREADY;
	net_wait = task_wait;
	return 0;
}

void tasks_end(void)
{
	for (size_t i = 0; i < all.count; i++)
		task_free(all.v[i]);
	free(all.fds);
	all.fds = NULL;
	all.count = all.size = 0;
	net_wait = poll;
}

int task_start(const char *name, void (*run)(void *arg), void *arg, struct task **ret)
{
	struct task *t;
	int r;

	if (all.count == TASKS_MAX)
		return -ENOSPC;
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return -ENOMEM;
	t->name = name;
	t->run = run;
	t->arg = arg;
	r = stack_make(t);
	if (r < 0 || getcontext(&t->context) < 0) {
		task_free(t);
		return -ENOMEM;
	}
	t->context.uc_stack.ss_sp = t->memory + t->guard;
	t->context.uc_stack.ss_size = t->size - t->guard;
	t->context.uc_link = NULL;
	makecontext(&t->context, task_main, 0);
	all.v[all.count++] = t;
	if (ret != NULL)
		*ret = t;
	return 0;
}

const char *task_name(const struct task *t)
{
	return t->name;
}

void task_cancel(struct task *t)
{
	t->cancelled = true;
}

void tasks_cancel(void)
{
	for (size_t i = 0; i < all.count; i++)
		task_cancel(all.v[i]);
}

void task_poke(struct task *t)
{
	t->poked = true;
}

size_t tasks_count(void)
{
	size_t n = 0;

	for (size_t i = 0; i < all.count; i++)
		n += all.v[i]->over ? 0 : 1;
	return n;
}

static void bury(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < all.count; i++)
		if (all.v[i]->over)
			task_free(all.v[i]);
		else
			all.v[kept++] = all.v[i];
	all.count = kept;
}

/* Must not wait for a descriptor. */
static bool is_due(const struct task *t, int64_t now_ms)
{
	return t->cancelled || (t->pausing && t->poked) || t->until_ms <= now_ms;
}

static int round_ms(int timeout_ms)
{
	int64_t now_ms = time_monotonic_ms();
	int64_t end_ms = timeout_ms < 0 ? INT64_MAX : now_ms + timeout_ms;

	for (size_t i = 0; i < all.count; i++) {
		if (is_due(all.v[i], now_ms))
			return 0;
		if (all.v[i]->until_ms < end_ms)
			end_ms = all.v[i]->until_ms;
	}
	if (end_ms == INT64_MAX)
		return -1;
	return end_ms - now_ms > INT32_MAX ? INT32_MAX : (int)(end_ms - now_ms);
}

/* All that anybody waits for, behind each other. */
static int gather(const struct pollfd *own, size_t count, size_t *ret)
{
	size_t n = count;

	for (size_t i = 0; i < all.count; i++)
		n += all.v[i]->count;
	if (n > all.size) {
		void *p = reallocarray(all.fds, n, sizeof(struct pollfd));

		if (p == NULL)
			return -ENOMEM;
		all.fds = p;
		all.size = n;
	}
	n = 0;
	if (count > 0)
		memcpy(all.fds, own, count * sizeof *own);
	n += count;
	for (size_t i = 0; i < all.count; n += all.v[i++]->count)
		if (all.v[i]->count > 0)
			memcpy(all.fds + n, all.v[i]->fds, all.v[i]->count * sizeof *own);
	*ret = n;
	return 0;
}

static int answers_take(const struct pollfd *from, size_t count, struct pollfd *to)
{
	int ready = 0;

	for (size_t i = 0; i < count; i++) {
		to[i].revents = from[i].revents;
		ready += from[i].revents != 0 ? 1 : 0;
	}
	return ready;
}

/* Each that can go on does, once; who is started or poked meanwhile has its turn next. */
static void run_due(void)
{
	int64_t now_ms = time_monotonic_ms();
	bool due[TASKS_MAX];
	size_t count = all.count;

	for (size_t i = 0; i < count; i++)
		due[i] = all.v[i]->ready > 0 || is_due(all.v[i], now_ms);
	for (size_t i = 0; i < count; i++)
		if (due[i])
			to_task(all.v[i]);
}

int tasks_round(struct pollfd *own, size_t count, int timeout_ms)
{
	size_t total = 0, at = count;
	int r;

	bury();
	r = gather(own, count, &total);
	if (r < 0)
		return r;
	if (poll(all.fds, total, round_ms(timeout_ms)) < 0) {
		if (errno != EINTR)
			return -errno;
		for (size_t i = 0; i < total; i++)
			all.fds[i].revents = 0;
	}
	(void)answers_take(all.fds, count, own);
	for (size_t i = 0; i < all.count; i++) {
		struct task *t = all.v[i];

		t->ready = answers_take(all.fds + at, t->count, t->fds);
		at += t->count;
	}
	run_due();
	return 0;
}
