/*
 * Installs the seccomp filter of a profile. The filters are made at build time by
 * lib/net/gen/seccomp.c, where the lists and their reasons are; here only the own process id is
 * put in its place, so that abort() works and no other process can be signalled.
 */
#include "net/sandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "build/gen/sandbox_filters.h"

#define ROWS(f) (sizeof(f) / sizeof((f)[0]))
#define ROWS_MAX 1024

static const struct {
	const struct sock_filter *rows;
	size_t count;
} filters[SANDBOX_PROFILES] = {
	[SANDBOX_SESSION] = {filter_session, ROWS(filter_session)},
	[SANDBOX_SESSION_IP] = {filter_session_ip, ROWS(filter_session_ip)},
	[SANDBOX_SESSION_TIME] = {filter_session_time, ROWS(filter_session_time)},
	[SANDBOX_SIGNER] = {filter_signer, ROWS(filter_signer)},
	[SANDBOX_KEEPER] = {filter_keeper, ROWS(filter_keeper)},
};

_Static_assert(ROWS(filter_session_ip) <= ROWS_MAX, "the longest filter fits");

#ifdef QUINTET_TEST
static int sandboxed;

/* The leak check clones itself and traces its parent: both are walls. It runs elsewhere. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return sandboxed;
}
#endif

int sandbox_calls(enum sandbox_profile profile)
{
	struct sock_filter rows[ROWS_MAX];
	struct sock_fprog program = {.filter = rows};

	if ((unsigned)profile >= SANDBOX_PROFILES || filters[profile].count > ROWS_MAX)
		return -EINVAL;
	program.len = (unsigned short)filters[profile].count;
	for (size_t i = 0; i < program.len; i++) {
		rows[i] = filters[profile].rows[i];
		if (rows[i].k == FILTER_OWN_PID_MARK)
			rows[i].k = (uint32_t)getpid();
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return -errno;
#ifdef QUINTET_TEST
	sandboxed = 1;
#endif
	return 0;
}
