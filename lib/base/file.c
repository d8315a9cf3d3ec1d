/* See file.h. */
#include "base/file.h"

#include <errno.h>
#include <unistd.h>

int file_write_all(int fd, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.p, bytes.len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			bytes = span_of(bytes.p + n, bytes.len - (size_t)n);
	}
	return 0;
}
