/*
 * The exchange with the signer over its Unix socket, each with one deadline for the whole message.
 * The descriptor may be blocking or not: MSG_DONTWAIT and poll() decide here.
 */
#include "base/cleanup.h"
#include "base/timefmt.h"
#include "proto/signer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

enum { CONNECT_TIMEOUT_S = 5 };

/* Waits for events until the deadline. 0 or a negative errno. */
static int wait_for(int fd, short events, int64_t until_ms)
{
	struct pollfd p = {.fd = fd, .events = events};

	for (;;) {
		int64_t left_ms = until_ms - time_monotonic_ms();
		int n;

		if (left_ms <= 0)
			return -ETIMEDOUT;
		n = poll(&p, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

/* What a failed send or recv means: 0 for "wait and try again". */
static int io_error(int error)
{
	if (error == EAGAIN || error == EINTR)
		return 0;
	return error == ECONNRESET || error == EPIPE ? -EPIPE : -error;
}

int signer_send(int fd, struct span bytes, int timeout_ms)
{
	int64_t until_ms = time_monotonic_ms() + timeout_ms;

	while (bytes.len > 0) {
		ssize_t n = send(fd, bytes.p, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
		int r;

		if (n > 0) {
			bytes = span_of(bytes.p + n, bytes.len - (size_t)n);
			continue;
		}
		r = n < 0 ? io_error(errno) : 0;
		if (r == 0)
			r = wait_for(fd, POLLOUT, until_ms);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Exactly len bytes behind what b holds. 1; 0 at an end before the first byte; -EPIPE inside. */
static int read_exactly(int fd, struct buf *b, size_t len, int64_t until_ms)
{
	size_t start = b->len;
	unsigned char *p = buf_reserve(b, len);

	if (p == NULL && len > 0)
		return buf_error(b);
	while (b->len - start < len) {
		size_t done = b->len - start;
		ssize_t n = recv(fd, p + done, len - done, MSG_DONTWAIT);
		int r;

		if (n > 0) {
			buf_commit(b, (size_t)n);
			continue;
		}
		if (n == 0)
			return done == 0 ? 0 : -EPIPE;
		r = io_error(errno);
		if (r == 0)
			r = wait_for(fd, POLLIN, until_ms);
		if (r < 0)
			return r;
	}
	return 1;
}

/* One record, without its length, into scratch. 1, or 0 at the end. */
static int receive(int fd, int timeout_ms, size_t max, struct buf *scratch)
{
	int64_t until_ms = time_monotonic_ms() + timeout_ms;
	struct rec head;
	uint32_t len;
	int r;

	buf_reset(scratch);
	r = read_exactly(fd, scratch, 4, until_ms);
	if (r <= 0)
		return r;
	head = rec_of(buf_span(scratch));
	len = rec_u32(&head);
	if (len == 0 || len > max)
		return -EBADMSG;
	buf_reset(scratch);
	r = read_exactly(fd, scratch, len, until_ms);
	return r == 0 ? -EPIPE : r;
}

int signer_receive(int fd, int timeout_ms, struct buf *scratch, struct signer_request *ret)
{
	int r = receive(fd, timeout_ms, SIGNER_MESSAGE_MAX, scratch);

	if (r <= 0)
		return r;
	r = signer_request_read(buf_span(scratch), ret);
	return r < 0 ? r : 1;
}

int signer_call(int fd, const struct signer_request *r, int timeout_ms, struct buf *scratch,
	struct signer_answer *ret)
{
	_cleanup_(buf_wipe) struct buf request = BUF_INIT(SIGNER_MESSAGE_MAX + 4);
	int64_t until_ms = time_monotonic_ms() + timeout_ms;
	int error = signer_request_write(&request, r);

	if (error == 0)
		error = signer_send(fd, buf_span(&request), timeout_ms);
	if (error < 0)
		return error;
	error = receive(fd, (int)(until_ms - time_monotonic_ms()), SIGNER_ANSWER_MAX, scratch);
	if (error <= 0)
		return error == 0 ? -EPIPE : error;
	return signer_answer_read(buf_span(scratch), ret);
}

int signer_connect(const char *path, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = CONNECT_TIMEOUT_S};
	_cleanup_(cleanup_close) int fd = -1;

	if (span_copy_str(span_str(path), address.sun_path, sizeof(address.sun_path)) < 0)
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* It bounds connect() too, which blocks while the listener's queue is full. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}
