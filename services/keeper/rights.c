/* Who is asking: the users of the services, and whose a connection is. */
#include "services/keeper/rights.h"

#include "services/keeper/rights_i.h"

#include <errno.h>
#include <pwd.h>
#include <stddef.h>
#include <unistd.h>

enum { OVERFLOW_UID = 65534, LOOK_UP_SIZE = 16384 };

static const struct caller_row callers[] = {
	[CALLER_NOBODY] = {"nobody", NULL, NULL},
	[CALLER_DAYTIMED] = {"daytimed", "quintet-daytimed", "daytimed"},
	[CALLER_FTPD] = {"ftpd", "quintet-ftpd", "ftpd"},
	[CALLER_CHATD] = {"chatd", "quintet-chatd", "chatd"},
	[CALLER_MAILD] = {"maild", "quintet-maild", "maild"},
	[CALLER_CAD] = {"cad", "quintet-cad", "cad"},
	/* What it checks, it checks for cad, and says so. */
	[CALLER_SIGNER] = {"cad-signer", "quintet-signer", "cad"},
	[CALLER_ADMIN] = {"quintetctl", NULL, NULL},
	[CALLER_ALL] = {"all", NULL, NULL},
};

const struct caller_row *rights_row(enum keeper_caller caller)
{
	return (unsigned)caller <= CALLER_ALL ? &callers[caller] : &callers[CALLER_NOBODY];
}

const char *rights_name(enum keeper_caller caller)
{
	return rights_row(caller)->name;
}

/* (uid_t)-1: there is none. */
static uid_t look_up(const char *user)
{
	struct passwd entry, *found = NULL;
	char scratch[LOOK_UP_SIZE];

	if (getpwnam_r(user, &entry, scratch, sizeof(scratch), &found) != 0 || found == NULL)
		return (uid_t)-1;
	return found->pw_uid;
}

void rights_users(const char *admin, struct keeper_users *ret)
{
	struct keeper_users u = {.one = admin[0] == '\0'};

	for (enum keeper_caller c = CALLER_NOBODY; c < CALLER_ALL; c++)
		u.of[c] = callers[c].user != NULL ? look_up(callers[c].user) : (uid_t)-1;
	if (!u.one)
		u.of[CALLER_ADMIN] = look_up(admin);
	*ret = u;
}

enum keeper_caller rights_caller(const struct keeper_users *u, const struct ucred *peer)
{
	if (peer->uid == OVERFLOW_UID || peer->uid == (uid_t)-1 || peer->pid <= 0)
		return CALLER_NOBODY;
	if (u->one && peer->uid == geteuid())
		return CALLER_ALL;
	if (peer->uid == 0)
		return CALLER_ADMIN;
	for (enum keeper_caller c = CALLER_DAYTIMED; c <= CALLER_ADMIN; c++)
		if (peer->uid == u->of[c])
			return c;
	return CALLER_NOBODY;
}
