/*
 * Who quintetctl is. Started as root it opens no part of the store before it has become the
 * administrator's account, which writes through the keeper; or, where no keeper answers and for
 * the store as a whole, the keeper's own user, who owns the store. Commands that write files of
 * root do so in the parent and leave the store and the signer to a child that has given root up.
 */
#include "ctl.h"

#include "base/text.h"
#include "base/timefmt.h"
#include "store/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define REPLY_MAX (4u << 20)

/* NAME=VALUE, blank lines and comments; one pair of quotes around a value is taken off. */
static void take_setting(struct span line)
{
	char name[64], value[1024];
	struct span head;

	line = span_trim(line);
	if (line.len == 0 || line.p[0] == '#' || !span_starts(line, "QUINTET_"))
		return;
	if (memchr(line.p, '=', line.len) == NULL || !span_split(&line, '=', &head))
		return;
	if (line.len >= 2 && (line.p[0] == '"' || line.p[0] == '\'') &&
		line.p[line.len - 1] == line.p[0])
		line = span_of(line.p + 1, line.len - 2);
	if (span_copy_str(head, name, sizeof(name)) == 0 &&
		span_copy_str(line, value, sizeof(value)) == 0)
		(void)setenv(name, value, 0);
}

static int read_environment_file(void)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(65536);
	const char *conf = getenv("QUINTET_CONF");
	char path[CTL_PATH_MAX];
	struct span rest, line;
	int r;

	r = path_join(path, "%s/quintet.env", conf != NULL ? conf : "/etc/quintet");
	if (r == 0)
		r = service_read_file(path, &text);
	if (r == -ENOENT)
		return CTL_OK;
	if (r < 0) {
		(void)ctl_fail(r, "cannot read %s", path);
		return CTL_USAGE;
	}
	rest = buf_span(&text);
	while (span_split(&rest, '\n', &line))
		take_setting(line);
	return CTL_OK;
}

/* Before init, and while the sockets are not enabled, nobody listens. */
static bool keeper_answers(const struct ctl *c)
{
	_cleanup_(cleanup_close) int fd = -1;

	return c->settings.keeper[0] != '\0' && signer_connect(c->settings.keeper, &fd) == 0;
}

int ctl_settings(struct ctl *c)
{
	int r = read_environment_file();

	if (r != CTL_OK)
		return r;
	if (service_settings_read(CTL_BY, &c->settings) < 0)
		return CTL_USAGE; /* it named the variable */
	c->drops = geteuid() == 0 && c->settings.admin_user[0] != '\0';
	c->direct = c->direct || !keeper_answers(c);
	(void)umask(0007);
	return CTL_OK;
}

static int take_ids(const struct passwd *pw)
{
	if (initgroups(pw->pw_name, pw->pw_gid) != 0 ||
		setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
		setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
		return -errno;
	return setuid(0) == 0 ? -EPERM : 0; /* root must not be one call away */
}

static const char *user_to_become(const struct ctl *c)
{
	return c->direct && c->settings.keeper[0] != '\0' ? CTL_KEEPER : c->settings.admin_user;
}

const char *ctl_owner(const struct ctl *c)
{
	if (!c->drops)
		return NULL;
	return c->settings.keeper[0] != '\0' ? CTL_KEEPER : c->settings.admin_user;
}

int ctl_become_admin(struct ctl *c)
{
	const char *user = user_to_become(c);
	const struct passwd *pw;
	int r;

	if (!c->drops)
		return CTL_OK;
	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL || pw->pw_uid == 0) {
		ctl_warn("there is no account %s to become (it comes with the package's sysusers; "
			 "%s)",
			user,
			user == c->settings.admin_user ? "QUINTET_ADMIN_USER names another"
						       : "QUINTET_KEEPER=none does without it");
		return CTL_USAGE;
	}
	r = take_ids(pw);
	if (r < 0)
		return ctl_fail(r, "cannot become %s", user);
	c->drops = false;
	return CTL_OK;
}

/* The child's side: never comes back. */
static _Noreturn void admin_child(struct ctl *c,
	int (*fn)(struct ctl *c, void *arg, struct buf *reply), void *arg, int out_fd)
{
	_cleanup_(buf_wipe) struct buf reply = BUF_INIT(REPLY_MAX);
	int status = ctl_become_admin(c);
	size_t done = 0;

	if (status == CTL_OK)
		status = fn(c, arg, &reply);
	store_closep(&c->store);
	(void)fflush(stdout);
	while (done < reply.len) {
		ssize_t n = write(out_fd, reply.p + done, reply.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(CTL_TEMP);
		done += (size_t)n;
	}
	_exit(buf_error(&reply) != 0 ? CTL_TEMP : status);
}

static int collect(int in_fd, struct buf *reply)
{
	unsigned char bytes[4096];
	ssize_t n;

	for (;;) {
		n = read(in_fd, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf_add(reply, span_of(bytes, (size_t)n));
	}
	explicit_bzero(bytes, sizeof(bytes));
	return n < 0 ? -errno : buf_error(reply);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return ctl_fail(-errno, "cannot wait for the administrator's part");
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	ctl_warn("the administrator's part was killed by signal %d", WTERMSIG(status));
	return CTL_TEMP;
}

int ctl_as_admin(struct ctl *c, int (*fn)(struct ctl *c, void *arg, struct buf *reply), void *arg,
	struct buf *reply)
{
	_cleanup_(buf_wipe) struct buf unread = BUF_INIT(REPLY_MAX);
	_cleanup_(cleanup_close) int in_fd = -1;
	_cleanup_(cleanup_close) int out_fd = -1;
	int fds[2], r, status;
	pid_t pid;

	(void)fflush(NULL);
	if (pipe2(fds, O_CLOEXEC) != 0)
		return ctl_fail(-errno, "cannot make a pipe");
	in_fd = fds[0];
	out_fd = fds[1];
	pid = fork();
	if (pid < 0)
		return ctl_fail(-errno, "cannot fork");
	if (pid == 0)
		admin_child(c, fn, arg, out_fd);
	cleanup_close(&out_fd);
	out_fd = -1;
	r = collect(in_fd, reply != NULL ? reply : &unread);
	status = wait_for(pid);
	if (status == CTL_OK && r < 0)
		return ctl_fail(r, "cannot read what the administrator's part answered");
	return status;
}

int ctl_store_modes(struct ctl *c)
{
	int r = 0;

	if (c->settings.keeper[0] != '\0')
		r = store_modes(c->settings.state, true);
	return r < 0 ? ctl_fail(r, "cannot set the modes of %s/store", c->settings.state) : CTL_OK;
}

int ctl_store(struct ctl *c, enum store_mode mode)
{
	int r;

	if (c->store != NULL)
		return CTL_OK;
	if (c->direct)
		r = store_open(c->settings.state, mode, &c->store);
	else
		r = store_open_kept(c->settings.state, c->settings.keeper, &c->store);
	if (r == 0)
		return CTL_OK;
	if (r == -ENOENT)
		ctl_warn("there is no store in %s yet: run quintetctl init", c->settings.state);
	else if (store_open_reason()[0] != '\0')
		ctl_warn("cannot open the store in %s: %s", c->settings.state, store_open_reason());
	else
		(void)ctl_fail(r, "cannot open the store in %s", c->settings.state);
	return err_exit_status(r) == CTL_TEMP ? CTL_TEMP : CTL_USAGE;
}

int ctl_audit(struct ctl *c, const char *event, const char *account, const char *detail)
{
	struct audit_row row = {.at_us = time_now_us(), .by = CTL_BY};
	int r;

	(void)snprintf(row.event, sizeof(row.event), "%s", event);
	(void)snprintf(row.account, sizeof(row.account), "%s", account);
	(void)snprintf(row.detail, sizeof(row.detail), "%s", detail);
	r = store_call(c->store, STORE_OP_AUDIT_APPEND, &row, NULL);
	return r < 0 ? ctl_fail(r, "cannot write the audit row of %s", event) : CTL_OK;
}

void ctl_ring(struct ctl *c, const char *account)
{
	int r = service_ring_account(c->store, c->settings.runtime, account);

	if (r < 0)
		(void)ctl_fail(
			r, "live sessions of %s notice within 15 s only: cannot ring", account);
}
