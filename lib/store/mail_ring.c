/* The topic that an account's sessions listen to, and its bell. */
#include "store/mail_i.h"

#include <stdio.h>

enum { TOPIC_SIZE = 64 };

void mail_topic(const char *account, char ret[TOPIC_SIZE])
{
	(void)snprintf(ret, TOPIC_SIZE, "mail/%.*s", ACCOUNT_NAME_SIZE - 1, account);
}

int mail_ring(struct store *s, const char *runtime, const char *account)
{
	char topic[TOPIC_SIZE];

	mail_topic(account, topic);
	return bell_ring(s, runtime, topic, NULL, NULL);
}
