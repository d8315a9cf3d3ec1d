/* Telling the live sessions of an account that something about it has changed. By itself, for
 * programs that do not serve. */
#include "service/service.h"

#include <stdio.h>

int service_ring_account(struct store *st, const char *runtime, const char *account)
{
	char topic[64];
	int r;

	(void)snprintf(topic, sizeof(topic), "account/%s", account);
	r = bell_ring(st, runtime, topic, NULL, NULL);
	return r < 0 ? r : 0;
}
