/* Programs of the person's own choice: editor and pager. */
#include "client/mail/ui.h"

#include "net/wait.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Ctrl-C there was meant for the program. */
static void interrupts_drop(void)
{
	const struct timespec now = {0, 0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	while (sigtimedwait(&set, NULL, &now) > 0)
		continue;
}

/* With the signals as a program expects them. */
static int spawn(char *const *argv, int input_fd, pid_t *ret)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, usual;
	int r;

	if (posix_spawnattr_init(&attr) != 0)
		return -ENOMEM;
	if (posix_spawn_file_actions_init(&files) != 0) {
		posix_spawnattr_destroy(&attr);
		return -ENOMEM;
	}
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &usual);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = input_fd >= 0 ? posix_spawn_file_actions_adddup2(&files, input_fd, STDIN_FILENO) : 0;
	if (r == 0)
		r = posix_spawn(ret, argv[0], &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return -r;
}

/* Where other things are under way they go on meanwhile. */
static int wait_for(pid_t pid)
{
	struct pollfd p = {.fd = pidfd_open(pid, 0), .events = POLLIN};
	int status = 0;

	if (p.fd >= 0) {
		while (net_wait(&p, 1, -1) < 0 && errno == EINTR)
			continue;
		close(p.fd);
	}

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

/* It may have options of its own, and quotes in them, so a shell takes it apart. */
int mailui_run(const char *program, const char *path, int input_fd)
{
	char shell[] = "/bin/sh", option[] = "-c", with[] = "eval \"exec $0 \\\"\\$1\\\"\"",
	     alone[] = "eval \"exec $0\"";
	char *name = strdup(program), *file = strdup(path != NULL ? path : "");
	char *const argv[] = {
		shell, option, path != NULL ? with : alone, name, path != NULL ? file : NULL, NULL};
	pid_t pid = 0;
	int r = name != NULL && file != NULL ? spawn(argv, input_fd, &pid) : -ENOMEM;

	if (r == 0)
		r = wait_for(pid);
	interrupts_drop();
	free(name);
	free(file);
	return r;
}
