/* The cleanup attribute and the two ways of handing over what a local owns. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

/* Closes *fd unless it is negative, and makes it -1; errno is kept. */
void cleanup_close(int *fd);

/* Closes *file unless it is NULL; what must be checked on closing is checked before. */
void cleanup_fclose(FILE **file);

/* Gives the value away and leaves "nothing" behind for the cleanup function. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define take_ptr(pp)                              \
	__extension__({                           \
		__typeof__(*(pp)) taken_ = *(pp); \
		*(pp) = NULL;                     \
		taken_;                           \
	})

#endif
