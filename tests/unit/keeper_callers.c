/* The keeper's callers and what they have together: places, and memory for large frames. */
#include "services/keeper/keeper.h"

#include "base/cleanup.h"
#include "store/remote.h"
#include "tests/unit/lib/keeper_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/un.h>

#include <cmocka.h>

enum { PLACES = 64, OWN = 20, NOBODYS = 16, LARGE = 4, WAITING = 3 };

/* A keeper that has callers and nothing else. */
struct house {
	struct keeper k;
	struct sockaddr_un at;
	char dir[64];
	int listener_fd;
};

static int setup(void **state)
{
	static struct house h;

	h = (struct house){.at.sun_family = AF_UNIX};
	scratch_make(h.dir, sizeof(h.dir));
	(void)snprintf(h.at.sun_path, sizeof(h.at.sun_path), "%s/k", h.dir);
	h.listener_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(h.listener_fd, (struct sockaddr *)&h.at, sizeof(h.at)), 0);
	assert_int_equal(listen(h.listener_fd, PLACES), 0);
	h.k.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	h.k.max = PLACES;
	for (size_t i = 0; i < KEEPER_KINDS; i++)
		h.k.queues[i].end = &h.k.queues[i].first;
	*state = &h;
	return 0;
}

static int teardown(void **state)
{
	struct house *h = *state;

	for (size_t i = 0; i < PLACES; i++)
		if (h->k.table[i] != NULL)
			caller_drop(&h->k, h->k.table[i]);
	(void)close(h->listener_fd);
	(void)close(h->k.epoll_fd);
	scratch_remove(h->dir);
	return 0;
}

/* Whoever comes now is of that kind. */
static void we_are(struct house *h, enum keeper_caller kind)
{
	for (size_t i = 0; i < CALLER_ALL; i++)
		h->k.users.of[i] = (uid_t)-1;
	if (kind != CALLER_NOBODY)
		h->k.users.of[kind] = geteuid();
}

static int come(struct house *h)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&h->at, sizeof(h->at)), 0);
	caller_accept(&h->k, h->listener_fd);
	return fd;
}

/* Those who may do nothing crowd out each other, not those who may. */
static void test_nobody(void **state)
{
	struct house *h = *state;
	int fds[OWN + 2 * NOBODYS];

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		we_are(h, i < OWN ? CALLER_FTPD : CALLER_NOBODY);
		fds[i] = come(h);
	}
	assert_int_equal(h->k.of_kind[CALLER_NOBODY], NOBODYS);
	assert_int_equal(h->k.of_kind[CALLER_FTPD], OWN);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		(void)close(fds[i]);
}

static struct caller *newest(struct house *h)
{
	struct caller *c = NULL;

	for (size_t i = 0; i < PLACES && h->k.table[i] != NULL; i++)
		c = h->k.table[i];
	assert_non_null(c);
	return c;
}

/* One who has sent the beginning of the largest frame there is. */
static struct caller *begin_large(struct house *h, int *ret_fd)
{
	static const unsigned char head[] = {0, 0x80, 0, 0};
	struct caller *c;

	*ret_fd = come(h);
	c = newest(h);
	assert_int_equal(send(*ret_fd, head, sizeof(head), 0), sizeof(head));
	caller_read(&h->k, c);
	return c;
}

/* Who waits for memory gets it, though one who got some before him went without having used it. */
static void test_waiting(void **state)
{
	struct house *h = *state;
	struct caller *c[LARGE + WAITING];
	int fds[LARGE + WAITING];

	we_are(h, CALLER_FTPD);
	for (size_t i = 0; i < LARGE + WAITING; i++) {
		c[i] = begin_large(h, &fds[i]);
		assert_int_equal(c[i]->paused, i >= LARGE);
	}
	for (size_t i = 0; i < WAITING; i++) {
		caller_drop(&h->k, c[i == 0 ? 0 : LARGE + i - 1]);
		assert_false(c[LARGE + i]->paused);
		assert_true(c[LARGE + i]->lent > 0);
		assert_int_equal(h->k.waiting[c[LARGE + i]->kind], WAITING - 1 - i);
	}
	for (size_t i = 0; i < LARGE + WAITING; i++)
		(void)close(fds[i]);
}

/* One whose call is whole. */
static struct caller *ask(struct house *h, enum keeper_caller kind, int *ret_fd)
{
	static const unsigned char call[] = {
		0, 0, 0, 12, 'w', 'h', 'a', 't', 'e', 'v', 'e', 'r', 1, 2, 3, 4};
	struct caller *c;

	we_are(h, kind);
	*ret_fd = come(h);
	c = newest(h);
	assert_int_equal(send(*ret_fd, call, sizeof(call), 0), sizeof(call));
	caller_read(&h->k, c);
	assert_true(c->queued);
	return c;
}

/* Services take turns, also when a commit had no time for all. */
static void test_turns(void **state)
{
	struct house *h = *state;
	struct caller *c[5];
	int fds[5];

	for (size_t i = 0; i < 3; i++)
		c[i] = ask(h, CALLER_FTPD, &fds[i]);
	c[3] = ask(h, CALLER_MAILD, &fds[3]);
	assert_ptr_equal(caller_next(&h->k), c[0]);
	assert_ptr_equal(caller_next(&h->k), c[3]);
	assert_ptr_equal(caller_next(&h->k), c[1]);
	caller_put_back(&h->k, c[1]);
	caller_put_back(&h->k, c[3]);
	assert_int_equal(h->k.queued, 3);
	c[4] = ask(h, CALLER_MAILD, &fds[4]);
	assert_ptr_equal(caller_next(&h->k), c[3]);
	assert_ptr_equal(caller_next(&h->k), c[1]);
	assert_ptr_equal(caller_next(&h->k), c[4]);
	assert_ptr_equal(caller_next(&h->k), c[2]);
	assert_null(caller_next(&h->k));
	for (size_t i = 0; i < 5; i++)
		(void)close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_turns, setup, teardown),
	};

	keeper_fixture_user();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
