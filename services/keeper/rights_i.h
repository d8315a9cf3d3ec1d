/* Inside the keeper's rights only: what a caller is called, and by whom. */
#ifndef KEEPER_RIGHTS_I_H
#define KEEPER_RIGHTS_I_H

#include "services/keeper/rights.h"

struct caller_row {
	const char *name; /* of its sessions, and for the log */
	const char *user; /* NULL: it has none of its own */
	const char *says; /* the service that its log-ins and sign-ups name */
};

/* Never NULL. */
const struct caller_row *rights_row(enum keeper_caller caller);

#endif
