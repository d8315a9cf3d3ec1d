/*
 * keeper: writes the store for all services, many operations in one commit, over a Unix socket that
 * systemd (or whoever starts it) owns. See keeper(8).
 */
#include "services/keeper/keeper.h"

int main(int argc, char **argv)
{
	static struct keeper k;
	int r = keeper_start(&k, argc, argv);
	int status;

	if (r == 0)
		r = keeper_run(&k);
	status = keeper_finish(&k, r);
	keeper_done(&k);
	return status;
}
