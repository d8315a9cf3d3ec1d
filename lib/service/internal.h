/* What the files of lib/service share. */
#ifndef SERVICE_INTERNAL_H
#define SERVICE_INTERNAL_H

#include "service/service.h"

/* Logs "MESSAGE: TEXT OF THE ERROR" and marks the fault as the administrator's unless it is
 * temporary. Returns error. */
int service_fault(struct service *s, int error, const char *message);

/* From now on the connection's waits wake the session: registration after a second, then bells. */
void service_live_begin(struct service *s);

/* The session's row, bell and watch are removed. */
void service_live_end(struct service *s);

#ifdef QUINTET_TEST
/* Tries what the walls forbid, as the environment's QUINTET_TEST_WALLS says. -EPERM: one gave way.
 */
int service_test_walls(void);
#endif

#endif
