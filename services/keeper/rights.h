/*
 * Who may have what done: each service's user its own operations, and of those only what that
 * service does in its right mind. A service that was taken over can change its own rows, not those
 * of others; the administrator's user may do everything.
 */
#ifndef KEEPER_RIGHTS_H
#define KEEPER_RIGHTS_H

#include "store/ops.h"

#include <sys/socket.h>

enum keeper_caller {
	CALLER_NOBODY, /* every operation is refused */
	CALLER_DAYTIMED,
	CALLER_FTPD,
	CALLER_CHATD,
	CALLER_MAILD,
	CALLER_CAD,
	CALLER_SIGNER,
	CALLER_ADMIN, /* quintetctl, root */
	CALLER_ALL, /* services and keeper have one user: make run, a container */
};

/* The users of the services, looked up once at the beginning (before files are closed to us). */
struct keeper_users {
	uid_t of[CALLER_ALL]; /* (uid_t)-1: there is no such user */
	bool one; /* no administrator's user is named: whoever has our user may do all */
};
/* admin: QUINTET_ADMIN_USER; "" as struct keeper_users.one says. */
void rights_users(const char *admin, struct keeper_users *ret);

/* 65534 is nobody: what a user namespace makes of all that it does not know. */
enum keeper_caller rights_caller(const struct keeper_users *u, const struct ucred *peer);
const char *rights_name(enum keeper_caller caller); /* for the log: "ftpd" */

/* What sign-ups are judged by: the policy as the store has it now, QUINTET_DOMAIN. */
struct keeper_house {
	const char *sign_up; /* "closed", "invite", "open" */
	const char *domain;
};

/*
 * 0, or -EPERM: that caller may not do that. Looks at arguments, too: whose service a session row
 * or a bell names and whose process; nothing in the administrator's name, no administrators, no
 * sign-up past the policy and no change of passwords by others than cad; and the time that a
 * service says it is has to be the time it is, but for some minutes.
 */
int rights_check(enum keeper_caller caller, pid_t pid, enum store_op op, const void *args,
	const struct keeper_house *house);

#endif
