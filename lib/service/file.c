/* Small files, read whole. */
#include "base/cleanup.h"
#include "service/service.h"

#include <errno.h>
#include <fcntl.h>

enum { READ_PIECE = 16384 };

int service_read_file(const char *path, struct buf *b)
{
	_cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		size_t room = b->max - b->len < READ_PIECE ? b->max - b->len : READ_PIECE;
		unsigned char *at = buf_reserve(b, room > 0 ? room : 1);

		/* A full buffer takes a file that ends just there. */
		if (at == NULL && buf_error(b) == -ENOBUFS) {
			unsigned char more;

			b->error = 0;
			return read(fd, &more, 1) == 0 ? 0 : -EFBIG;
		}
		if (at == NULL)
			return buf_error(b);
		n = read(fd, at, room);
		if (n > 0)
			buf_commit(b, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : 0;
}
