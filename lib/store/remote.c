/*
 * The caller's side of the keeper's socket. In the common case a call is one send() and one recv()
 * on a connection that stays: both block, for a second at most at a time, so that a keeper that was
 * stopped is noticed without asking for the time more than once in a call.
 */
#include "store/remote.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/timefmt.h"
#include "store/shape.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

enum {
	SLICE_S = 1, /* one wait */
	PAUSE_MIN_MS = 2, /* between attempts, doubled each time */
	PAUSE_MAX_MS = 256,
	NOBODY_MS = 500, /* while nobody listens: the socket may just be made anew */
	NOBODY_SENT_MS = 5000, /* the same when it is not known whether the call was carried out */
	BROKEN_MAX = 16,
	ANSWER_HEAD_LEN = 4 + 8 + 4,
	FRAME_MAX = SHAPE_MESSAGE_MAX + REMOTE_HEAD_LEN,
	KEPT_BYTES = 65536, /* a larger buffer is given back after the call */
};

struct remote {
	struct sockaddr_un address;
	int fd; /* -1: not dialled */
	struct store_ticket ticket; /* of the last call */
	struct buf out;
	unsigned char in[ANSWER_HEAD_LEN + OP_RESULT_MAX];
};

/* One call under way. */
struct call {
	struct remote *r;
	enum store_op op;
	int64_t began_ms;
	bool sent; /* whole: it may have been carried out */
	unsigned broken; /* connections, behind it */
};

int remote_new(const char *path, struct remote **ret)
{
	struct remote *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return -ENOMEM;
	r->fd = -1;
	r->out = BUF_INIT(FRAME_MAX);
	r->address.sun_family = AF_UNIX;
	rc = span_copy_str(span_str(path), r->address.sun_path, sizeof(r->address.sun_path));
	if (rc < 0)
		rc = -ENAMETOOLONG;
	else
		rc = hash_random(r->ticket.caller, sizeof(r->ticket.caller));
	if (rc < 0) {
		remote_free(r);
		return rc;
	}
	*ret = r;
	return 0;
}

void remote_free(struct remote *r)
{
	if (r == NULL)
		return;
	cleanup_close(&r->fd);
	buf_wipe(&r->out);
	free(r);
}

/* How long a call may take; test builds can be made to wait less. */
static int64_t patience_ms(void)
{
	uint64_t ms = REMOTE_PATIENCE_MS;
#ifdef QUINTET_TEST
	const char *text = getenv("QUINTET_TEST_PATIENCE_MS");

	if (text != NULL)
		(void)num_parse_u64(span_str(text), 1, REMOTE_PATIENCE_MS, &ms);
#endif
	return (int64_t)ms;
}

static int64_t passed_ms(const struct call *c)
{
	return time_monotonic_ms() - c->began_ms;
}

/* -- one attempt ------------------------------------------------------------------------------- */

static int dial(struct remote *r)
{
	const struct timeval slice = {.tv_sec = SLICE_S};
	_cleanup_(cleanup_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/* The first bounds connect(), too, which waits while the listener's queue is full. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &slice, sizeof(slice)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &slice, sizeof(slice)) < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&r->address, sizeof(r->address)) < 0)
		return -errno;
	r->fd = take_fd(&fd);
	return 0;
}

/* After a send() or recv() that gave nothing: 0 to go on, or what ends the attempt. -EPIPE: the
 * connection is gone. */
static int judge(const struct call *c, ssize_t n)
{
	if (n == 0 || errno == EPIPE || errno == ECONNRESET)
		return -EPIPE;
	if (errno != EAGAIN && errno != EINTR)
		return -errno;
	return passed_ms(c) < patience_ms() ? 0 : -ETIMEDOUT;
}

static int send_call(const struct call *c)
{
	struct span rest = buf_span(&c->r->out);
	int rc = 0;

	while (rc == 0 && rest.len > 0) {
		ssize_t n = send(c->r->fd, rest.p, rest.len, MSG_NOSIGNAL);

		if (n > 0)
			rest = span_of(rest.p + n, rest.len - (size_t)n);
		else
			rc = judge(c, n);
	}
	return rc;
}

static int receive(const struct call *c, struct remote_answer *ret)
{
	struct remote *r = c->r;
	size_t have = 0;
	int rc = 0;

	while (rc == 0) {
		ssize_t n = recv(r->fd, r->in + have, sizeof(r->in) - have, 0);
		size_t len = 0;

		if (n <= 0) {
			rc = judge(c, n);
			continue;
		}
		have += (size_t)n;
		rc = remote_frame(span_of(r->in, have), &len);
		if (rc == 0 && len > sizeof(r->in))
			rc = -EMSGSIZE;
		if (rc == 1 && len != have)
			rc = -EBADMSG;
	}
	if (rc == 1)
		rc = remote_answer_read(span_of(r->in, have), c->op, ret);
	if (rc == 0 && ret->number != r->ticket.number)
		rc = -EBADMSG;
	return rc == -EBADMSG || rc == -EMSGSIZE ? -EIO : rc;
}

static int attempt(struct call *c, struct remote_answer *ret)
{
	int rc = c->r->fd < 0 ? dial(c->r) : 0;

	if (rc == 0)
		rc = send_call(c);
	if (rc == 0) {
		c->sent = true;
		rc = receive(c, ret);
		c->broken += rc == -EPIPE;
	}
	/* An answer that comes later must not be taken for the next one's. */
	if (rc < 0)
		cleanup_close(&c->r->fd);
	return rc;
}

/* -- the call ---------------------------------------------------------------------------------- */

static bool is_nobody(int rc)
{
	return rc == -ECONNREFUSED || rc == -ENOENT || rc == -ENOTDIR;
}

/* What a failed attempt means: 0 to try again. */
static int after_failure(const struct call *c, int rc)
{
	int64_t ms = passed_ms(c);

	if (is_nobody(rc) && ms >= (c->sent ? NOBODY_SENT_MS : NOBODY_MS))
		return -EHOSTDOWN;
	/* EAGAIN: the listener's queue is full. */
	if (!is_nobody(rc) && rc != -EPIPE && rc != -EAGAIN && rc != -EINTR)
		return rc;
	/* Perhaps it is what the keeper dies of. */
	if (ms < patience_ms() && c->broken <= BROKEN_MAX)
		return 0;
	return c->sent ? -ETIMEDOUT : -EHOSTDOWN;
}

static void pause_ms(unsigned ms)
{
	const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	(void)nanosleep(&t, NULL);
}

static int write_call(const struct call *c, const void *args)
{
	buf_reset(&c->r->out);
	return remote_call_write(&c->r->out, c->op, args, &c->r->ticket, c->sent);
}

/* What went out may have been a password's hash. */
static void forget_call(struct remote *r)
{
	if (r->out.cap > KEPT_BYTES)
		buf_wipe(&r->out);
	else if (r->out.p != NULL)
		explicit_bzero(r->out.p, r->out.len);
	buf_reset(&r->out);
}

static int persist(struct call *c, const void *args, struct remote_answer *ret)
{
	unsigned pause = 0;
	int rc;

	for (;;) {
		bool fresh = c->r->fd < 0;

		rc = write_call(c, args);
		if (rc < 0)
			return rc;
		rc = attempt(c, ret);
		if (rc == 0)
			return 0;
		rc = after_failure(c, rc);
		if (rc < 0)
			return rc;
		if (!fresh) /* the keeper had closed it while it was idle */
			continue;
		pause = pause == 0 ? PAUSE_MIN_MS : pause * 2;
		pause = pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
		pause_ms(pause);
	}
}

int remote_call(struct remote *r, enum store_op op, const void *args, void *result)
{
	struct call c = {.r = r, .op = op, .began_ms = time_monotonic_ms()};
	struct remote_answer answer;
	int rc;

	r->ticket.number++;
	rc = persist(&c, args, &answer);
	forget_call(r);
	if (rc < 0)
		return rc;
	if (answer.result.len > 0)
		memcpy(result, answer.result.p, answer.result.len);
	return answer.rc;
}
