/* The cleanup functions that are more than one call. */
#include "base/cleanup.h"

#include <errno.h>

void cleanup_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

void cleanup_fclose(FILE **file)
{
	int saved = errno;

	if (*file != NULL)
		(void)fclose(*file);
	errno = saved;
}
