/* The limits of a process: what it may not become, and how much it may have. */
#include "net/sandbox.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static int set_limit(__rlimit_resource_t what, rlim_t value)
{
	struct rlimit limit = {value, value};

	return setrlimit(what, &limit) == 0 ? 0 : -errno;
}

/* Never above what the activator allows. */
static int limit_files(unsigned nofile)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) < 0)
		return -errno;
	return set_limit(RLIMIT_NOFILE, nofile < now.rlim_max ? nofile : now.rlim_max);
}

int sandbox_limits(unsigned nofile, bool session)
{
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	r = set_limit(RLIMIT_CORE, 0);
	if (r == 0)
		r = limit_files(nofile);
	if (r == 0 && session)
		r = set_limit(RLIMIT_NPROC, 0);
	return r;
}
