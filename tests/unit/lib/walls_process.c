/* Attempts on processes, memory and time. */
#include "base/cleanup.h"
#include "tests/unit/lib/walls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int code(long r)
{
	return r < 0 ? errno : 0;
}

int attempt_fork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(0);
	return code(waitpid(pid, NULL, 0));
}

int attempt_clone3(void)
{
	return code(syscall(SYS_clone3, NULL, (size_t)0));
}

int attempt_ptrace(void)
{
	return code(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

int attempt_process_vm(void)
{
	char byte;
	struct iovec iov = {&byte, 1};

	return code(process_vm_readv(getppid(), &iov, 1, &iov, 1, 0));
}

int attempt_unshare(void)
{
	return code(unshare(CLONE_NEWUSER));
}

int attempt_mount(void)
{
	return code(mount("none", "read", "tmpfs", 0, NULL));
}

int attempt_bpf(void)
{
	return code(syscall(SYS_bpf, 0, NULL, 0));
}

int attempt_io_uring(void)
{
	return code(syscall(SYS_io_uring_setup, 1, NULL));
}

int attempt_setuid(void)
{
	return code(setuid(getuid()));
}

int attempt_mmap_exec(void)
{
	return code(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
				MAP_FAILED
			? -1
			: 0);
}

int attempt_mprotect_exec(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 98;
	return code(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

int attempt_tiocsti(void)
{
	return code(ioctl(0, TIOCSTI, "x"));
}

int attempt_setrlimit(void)
{
	struct rlimit limit = {0, 0};

	return code(setrlimit(RLIMIT_CORE, &limit));
}

int attempt_getrlimit(void)
{
	struct rlimit limit;

	return code(getrlimit(RLIMIT_NOFILE, &limit));
}

int attempt_signal_parent(void)
{
	return code(kill(getppid(), SIGCONT));
}

int attempt_signal_zero(void)
{
	return code(kill(getppid(), 0));
}

int attempt_seccomp(void)
{
	return code(prctl(PR_SET_SECCOMP, 2, NULL));
}

int attempt_dumpable(void)
{
	return code(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

int attempt_abort(void)
{
	abort();
}

int attempt_locks(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	_cleanup_(cleanup_close) int fd = open("one-file", O_RDWR | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno;
	r = fcntl(fd, F_SETLK, &lock) | fcntl(fd, F_GETLK, &lock);
	lock = (struct flock){.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 4, .l_len = 1};
	r |= fcntl(fd, F_OFD_SETLK, &lock) | fcntl(fd, F_OFD_GETLK, &lock);
	r |= flock(fd, LOCK_EX | LOCK_NB) | fcntl(fd, F_SETFD, FD_CLOEXEC);
	return code(r);
}

/* The allocator's calls: a large block, grown, given back; and the heap itself. */
int attempt_memory(void)
{
	char *p = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p, 1 << 20, PROT_READ | PROT_WRITE) < 0)
		return errno;
	p[0] = 'x';
	p = mremap(p, 1 << 20, 2 << 20, MREMAP_MAYMOVE);
	if (p == MAP_FAILED || madvise(p, 2 << 20, MADV_DONTNEED) < 0 || munmap(p, 2 << 20) < 0)
		return errno;
	p = malloc(300000);
	if (p == NULL)
		return ENOMEM;
	p[299999] = 'x';
	free(p);
	return 0;
}

/* The kind of lock that LMDB's writers share. */
int attempt_mutex(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t *m =
		mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		return errno;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(m, &attr);
	if (pthread_mutex_lock(m) != 0)
		return 98;
	return pthread_mutex_unlock(m) == 0 ? 0 : 98;
}

int attempt_waiting(void)
{
	struct itimerspec at = {.it_value.tv_nsec = 1000000};
	struct epoll_event ev = {.events = EPOLLIN};
	_cleanup_(cleanup_close) int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	_cleanup_(cleanup_close) int timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	_cleanup_(cleanup_close) int event_fd = eventfd(0, EFD_CLOEXEC);
	struct pollfd p = {.fd = epoll_fd, .events = POLLIN};
	struct timespec nap = {.tv_nsec = 1000};

	if (epoll_fd < 0 || timer_fd < 0 || event_fd < 0)
		return errno;
	if (timerfd_settime(timer_fd, 0, &at, NULL) < 0 ||
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &ev) < 0)
		return errno;
	if (poll(&p, 1, 1000) != 1 || epoll_wait(epoll_fd, &ev, 1, 1000) != 1)
		return errno ? errno : ETIMEDOUT;
	return code(nanosleep(&nap, NULL));
}

int attempt_random_clocks(void)
{
	struct timespec ts;
	char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return errno;
	return code(syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts) | syscall(SYS_getpid) * 0);
}

int attempt_pidfd(void)
{
	_cleanup_(cleanup_close) int fd = (int)syscall(SYS_pidfd_open, getppid(), 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return fd < 0 ? errno : code(poll(&p, 1, 0));
}

int attempt_adjtimex(void)
{
	struct timex t = {0};

	return code(adjtimex(&t));
}

int attempt_set_clock(void)
{
	struct timespec never = {.tv_sec = -1};

	return code(clock_settime(CLOCK_REALTIME, &never));
}
