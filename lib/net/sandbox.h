/*
 * The walls inside the process (DESIGN section 7): always on, under every activator.
 * Order: sandbox_limits (before the first network byte is read), sandbox_paths (Landlock) once the
 * paths are known, sandbox_calls (seccomp) last.
 */
#ifndef NET_SANDBOX_H
#define NET_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/* no_new_privs, RLIMIT_CORE 0, RLIMIT_NOFILE nofile, and in sessions RLIMIT_NPROC 0. */
int sandbox_limits(unsigned nofile, bool session);

enum sandbox_tcp { SANDBOX_TCP_BIND = 1, SANDBOX_TCP_CONNECT = 2 };

enum sandbox_access {
	SANDBOX_READ = 1, /* read files and list folders */
	SANDBOX_WRITE = 2, /* and write, make, remove, rename; make and connect sockets */
	SANDBOX_EXECUTE =
		4, /* run programs (shared objects need READ only, before sandbox_calls) */
};

struct sandbox_path {
	const char *path; /* a missing one is skipped */
	unsigned access;
};

/*
 * Landlock: nothing but the given paths from now on; ABI probed, TCP bind and connect denied where
 * the kernel can, except what tcp allows. 0; 1 when the kernel has no Landlock (ENOSYS, EOPNOTSUPP:
 * the caller logs it once); -EPERM when something in between forbids it.
 */
int sandbox_paths(const struct sandbox_path *paths, size_t count, unsigned tcp);

enum sandbox_profile {
	SANDBOX_SESSION, /* serve one connection: store, bells, no new sockets but Unix ones */
	SANDBOX_SESSION_IP, /* ftpd: and TCP sockets, cloned files */
	SANDBOX_SESSION_TIME, /* daytimed: and adjtimex (read) */
	SANDBOX_SIGNER, /* cad-signer: makes no files */
	SANDBOX_KEEPER, /* accepts, and connects to nobody; makes no files */
	SANDBOX_PROFILES
};

/*
 * Seccomp allow-list (the lists: lib/net/gen/calls.h); what is not on it fails with EPERM, and
 * exec, ptrace, new address families and the like kill the process. Nothing can be mapped as code,
 * no process started, no other process signalled from then on. Cannot be undone.
 */
int sandbox_calls(enum sandbox_profile profile);

#endif
