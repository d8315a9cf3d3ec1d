/* Crash points of test builds; see fault.h. Empty in releases. */
#include "base/fault.h"

#ifdef QUINTET_TEST
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic int *counters;

/* Before main, for later the walls are up. */
__attribute__((constructor)) static void fault_map(void)
{
	const char *path = getenv("QUINTET_TEST_FAULTS");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *p;

	if (fd < 0)
		return;
	p = mmap(NULL, FAULT_POINTS * sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		counters = p;
	close(fd);
}

void fault_at(enum fault_point point)
{
	if (counters == NULL || atomic_load(&counters[point]) <= 0)
		return;
	if (atomic_fetch_sub(&counters[point], 1) == 1)
		(void)kill(getpid(), SIGKILL);
}

/* LMDB flushes its pages by this one call: ours stands in front of the C library's. */
int fdatasync(int fd)
{
	long r;

	fault_at(FAULT_COMMIT_FLUSH);
	r = syscall(SYS_fdatasync, fd);
	fault_at(FAULT_COMMIT_META);
	return (int)r;
}
#endif
