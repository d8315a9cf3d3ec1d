/* Writing everything: more than a pipe holds, and onto a disk that is full. */
#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { MUCH = 300000 };

static unsigned char bytes[MUCH];

/* Exits 0 when exactly the bytes come out of the pipe. */
static void read_slowly(int fd)
{
	unsigned char piece[1000];
	size_t at = 0;
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		if (at + (size_t)n > MUCH || memcmp(bytes + at, piece, (size_t)n) != 0)
			_exit(1);
		at += (size_t)n;
	}
	_exit(n == 0 && at == MUCH ? 0 : 2);
}

static void test_more_than_a_pipe_holds(void **state)
{
	int fds[2], status;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < MUCH; i++)
		bytes[i] = (unsigned char)(i * 31 >> 3);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[1]);
		read_slowly(fds[0]);
	}
	close(fds[0]);
	assert_int_equal(file_write_all(fds[1], span_of(bytes, MUCH)), 0);
	assert_int_equal(file_write_all(fds[1], span_of(NULL, 0)), 0);
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_failures_are_told(void **state)
{
	_cleanup_(cleanup_close) int full_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	_cleanup_(cleanup_close) int read_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(file_write_all(full_fd, SPAN_LIT("x")), -ENOSPC);
	assert_int_equal(file_write_all(read_fd, SPAN_LIT("x")), -EBADF);
	assert_int_equal(file_write_all(full_fd, SPAN_LIT("")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_more_than_a_pipe_holds),
		cmocka_unit_test(test_failures_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
