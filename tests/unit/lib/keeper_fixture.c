/* A keeper in a child. */
#include "tests/unit/lib/keeper_fixture.h"

#include "services/keeper/keeper.h"

#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

enum { SOMEBODY = 61234, BACKLOG = 512 };

void keeper_fixture_user(void)
{
	if (geteuid() != 0)
		return;
	if (setgroups(0, NULL) < 0 || setgid(SOMEBODY) < 0 || setuid(SOMEBODY) < 0)
		abort();
}

static struct sockaddr_un address(const struct keeper_fixture *f)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", f->sock);
	return a;
}

static void listen_there(struct keeper_fixture *f)
{
	const struct sockaddr_un a = address(f);

	f->listener_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(f->listener_fd >= 0);
	assert_int_equal(bind(f->listener_fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(f->listener_fd, BACKLOG), 0);
}

/* The parent's death is its own. */
static void be_keeper(const struct keeper_fixture *f, const char *option)
{
	static struct keeper k;
	char name[] = "keeper", text[32] = "";
	char *argv[] = {name, text, NULL};
	int log_fd = open(f->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int r;

	if (option != NULL)
		(void)snprintf(text, sizeof(text), "%s", option);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || setenv("QUINTET_STATE", f->state, 1) < 0 ||
		setenv("QUINTET_ADMIN_USER", "", 1) < 0 || setenv("QUINTET_LOG", "stderr", 1) < 0 ||
		dup2(f->listener_fd, STDIN_FILENO) < 0 || log_fd < 0 ||
		dup2(log_fd, STDERR_FILENO) < 0)
		_exit(99);
	r = keeper_start(&k, option != NULL ? 2 : 1, argv);
	if (r == 0)
		r = keeper_run(&k);
	r = keeper_finish(&k, r);
	keeper_done(&k);
	_exit(r);
}

void keeper_fixture_start(struct keeper_fixture *f, const char *option)
{
	sigset_t end, old;

	/* That it may be asked to leave before it has begun to listen for that. */
	(void)sigemptyset(&end);
	(void)sigaddset(&end, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &end, &old), 0);
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (f->pid == 0)
		be_keeper(f, option);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}

int keeper_fixture_stop(struct keeper_fixture *f)
{
	int status;

	assert_int_equal(kill(f->pid, SIGTERM), 0);
	status = fixture_wait(f->pid);
	f->pid = 0;
	return status;
}

int keeper_fixture_setup(void **state)
{
	struct keeper_fixture *f = calloc(1, sizeof(*f));
	struct store *s = NULL;

	assert_non_null(f);
	scratch_make(f->dir, sizeof(f->dir));
	(void)snprintf(f->state, sizeof(f->state), "%s/state", f->dir);
	(void)snprintf(f->sock, sizeof(f->sock), "%s/keeper.sock", f->dir);
	(void)snprintf(f->log, sizeof(f->log), "%s/log", f->dir);
	assert_int_equal(store_open(f->state, STORE_CREATE, &s), 0);
	store_close(s);
	listen_there(f);
	keeper_fixture_start(f, NULL);
	*state = f;
	return 0;
}

int keeper_fixture_teardown(void **state)
{
	struct keeper_fixture *f = *state;

	if (f->pid != 0)
		assert_int_equal(keeper_fixture_stop(f), 0);
	(void)close(f->listener_fd);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

struct store *keeper_fixture_open(const struct keeper_fixture *f)
{
	struct store *s = NULL;

	assert_int_equal(store_open_kept(f->state, f->sock, &s), 0);
	return s;
}

int keeper_fixture_dial(const struct keeper_fixture *f)
{
	const struct sockaddr_un a = address(f);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}
