/*
 * For test builds only: tries from inside a real session what its walls forbid. The tests start a
 * service with QUINTET_TEST_WALLS=open, write, store (where there is a keeper), connect or exec,
 * and see the log line, or the process killed by the filter (SIGSYS) before it could write one.
 */
#ifdef QUINTET_TEST
#include "base/cleanup.h"
#include "service/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

static int try_open(void)
{
	_cleanup_(cleanup_close) int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : 0;
}

static int try_write(void)
{
	_cleanup_(cleanup_close) int fd = open("walls-test", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : 0;
}

/* Whoever its owner is: the keeper writes it. The tests' folder is the current one. */
static int try_store(void)
{
	_cleanup_(cleanup_close) int fd = open("state/store/data.mdb", O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : 0;
}

/* Any port will do: that the socket can be made at all is the breach. */
static int try_connect(void)
{
	const struct sockaddr_in there = {.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	_cleanup_(cleanup_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	(void)connect(fd, (const struct sockaddr *)&there, sizeof(there));
	return 0;
}

static int try_exec(void)
{
	char *const argv[] = {(char[]){"true"}, NULL};

	(void)execve("/bin/true", argv, argv + 1);
	return -errno;
}

static const struct attempt {
	const char *name;
	int (*run)(void);
} attempts[] = {
	{"open", try_open},
	{"write", try_write},
	{"store", try_store},
	{"connect", try_connect},
	{"exec", try_exec},
};

static int run_attempt(const struct attempt *a)
{
	int r = a->run();

	log_event(r == 0 ? LOG_LEVEL_ERR : LOG_LEVEL_INFO, r == 0 ? "wall breached" : "wall held",
		log_fields({"WALL", span_str(a->name)}, {"ERROR", span_str(err_text(r))}));
	return r == 0 ? -EPERM : 0;
}

int service_test_walls(void)
{
	const char *which = getenv("QUINTET_TEST_WALLS");
	int r = 0;

	if (which == NULL)
		return 0;
	for (size_t i = 0; r == 0 && i < sizeof(attempts) / sizeof(attempts[0]); i++)
		if (strcmp(which, "1") == 0 || strcmp(which, attempts[i].name) == 0)
			r = run_attempt(&attempts[i]);
	return r;
}
#else
/* ISO C forbids an empty translation unit. */
extern int service_walls_are_for_test_builds;
#endif
