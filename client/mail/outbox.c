/* The outbox: what is in it, and what people do with it. Sending is outbox_send.c's. */
#include "client/mail/outbox_i.h"

#include "base/hash.h"
#include "base/num.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "client/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

enum { NAMES_MAX = 4 << 20, DIGITS = 20 };

/* -- adding ------------------------------------------------------------------------------------ */

static bool address_is_good(struct span a)
{
	if (a.len == 0 || a.len > MIME_ADDRESS_MAX || !text_is_clean(a) ||
		memchr(a.p, '@', a.len) == NULL)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (a.p[i] == '<' || a.p[i] == '>' || a.p[i] == ' ')
			return false;
	return true;
}

static bool letter_is_good(const struct outbox_letter *l)
{
	if (l->to_count == 0 || l->to_count > OUTBOX_TO_MAX || l->message.len == 0 ||
		(l->from[0] != '\0' && !address_is_good(span_str(l->from))))
		return false;
	for (size_t i = 0; i < l->to_count; i++)
		if (!address_is_good(l->to[i]))
			return false;
	return true;
}

/* The time in the newest name in that state, so that the order holds when the clock is put back. */
static int64_t newest_us(int dir_fd, enum outbox_state state)
{
	_cleanup_(buf_done) struct buf names = BUF_INIT(NAMES_MAX);
	const char *last = NULL;
	size_t count = 0;
	uint64_t at_us = 0;

	if (outbox_names(dir_fd, state, &names, &count) < 0 || count == 0)
		return 0;
	for (const char *p = buf_str(&names); count-- > 0; p += strlen(p) + 1)
		last = p;
	/* Leading zeros are no number's. */
	last += strspn(last, "0");
	(void)num_parse_u64(span_of(last, strcspn(last, "-")), 1, INT64_MAX, &at_us);
	return (int64_t)at_us;
}

static int name_new(int dir_fd, char ret[OUTBOX_NAME_SIZE])
{
	_cleanup_(buf_done) struct buf hex = BUF_INIT(32);
	int64_t at_us = time_now_us(), newest = newest_us(dir_fd, OUTBOX_WAITING);
	unsigned char random[4];
	int r = hash_random(random, sizeof random);

	if (r < 0)
		return r;
	if (at_us <= newest)
		at_us = newest + 1;
	text_hex(&hex, span_of(random, sizeof random));
	snprintf(ret, OUTBOX_NAME_SIZE, "%0*lld-%s", DIGITS, (long long)at_us, buf_str(&hex));
	return 0;
}

int outbox_add(const struct profile *p, const struct outbox_letter *l, char ret_name[64])
{
	_cleanup_(cleanup_close) int dir_fd = -1;
	int r = letter_is_good(l) ? outbox_open(p, &dir_fd) : -EINVAL;

	if (r < 0)
		return r;
	files_lock(dir_fd, true);
	r = name_new(dir_fd, ret_name);
	if (r == 0)
		r = outbox_write(dir_fd, ret_name, l);
	/* The folder itself may be new. */
	if (r == 0 && fsync(p->dir_fd) < 0)
		r = -errno;
	files_unlock(dir_fd);
	return r;
}

/* -- looking ----------------------------------------------------------------------------------- */

static int show(int dir_fd, const char *name, enum outbox_state state,
	int (*each)(void *arg, const struct outbox_entry *e), void *arg)
{
	static const char *const states[] = {"waiting", "sent", "refused"};
	_cleanup_(outbox_file_done) struct outbox_file f = {.to = NULL};
	_cleanup_(buf_done) struct buf why = BUF_INIT(4096), to = BUF_INIT(1 << 20);
	struct outbox_entry e = {.name = name, .state = states[state]};
	int r = outbox_read(dir_fd, name, state, &f);

	if (r == -ENOENT)
		return 0; /* it is gone meanwhile */
	if (r < 0 && r != -EBADMSG)
		return r;
	if (state == OUTBOX_REFUSED)
		outbox_why_read(dir_fd, name, &why);
	for (size_t i = 0; i < f.to_count; i++) {
		buf_add(&to, f.to[i]);
		buf_add_byte(&to, '\n');
	}
	e.why = r == 0 ? buf_str(&why) : "its file is damaged";
	e.message = f.message;
	e.recipients = buf_span(&to);
	return each(arg, &e);
}

int outbox_each(
	const struct profile *p, int (*each)(void *arg, const struct outbox_entry *e), void *arg)
{
	_cleanup_(cleanup_close) int dir_fd = -1;
	int r = outbox_open(p, &dir_fd);

	for (int state = OUTBOX_WAITING; r == 0 && state <= OUTBOX_REFUSED; state++) {
		_cleanup_(buf_done) struct buf names = BUF_INIT(NAMES_MAX);
		size_t count = 0;

		r = outbox_names(dir_fd, (enum outbox_state)state, &names, &count);
		for (const char *n = buf_str(&names); r == 0 && count > 0;
			count--, n += strlen(n) + 1)
			r = show(dir_fd, n, (enum outbox_state)state, each, arg);
	}
	return r;
}

/* -- changing ---------------------------------------------------------------------------------- */

int outbox_lock(int dir_fd, int *ret_fd)
{
	_cleanup_(cleanup_close) int fd =
		openat(dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

static int begin(const struct profile *p, const char *name, int *ret_dir_fd, int *ret_lock_fd)
{
	int r;

	if (name[0] == '\0' || strchr(name, '/') != NULL || strlen(name) >= OUTBOX_NAME_SIZE)
		return -ENOENT;
	r = outbox_open(p, ret_dir_fd);
	return r == 0 ? outbox_lock(*ret_dir_fd, ret_lock_fd) : r;
}

int outbox_remove(const struct profile *p, const char *name)
{
	_cleanup_(cleanup_close) int dir_fd = -1, lock_fd = -1;
	int r = begin(p, name, &dir_fd, &lock_fd);

	if (r == 0)
		r = outbox_drop(dir_fd, name, OUTBOX_WAITING);
	return r == -ENOENT && dir_fd >= 0 ? outbox_drop(dir_fd, name, OUTBOX_REFUSED) : r;
}

int outbox_retry(const struct profile *p, const char *name)
{
	_cleanup_(cleanup_close) int dir_fd = -1, lock_fd = -1;
	int r = begin(p, name, &dir_fd, &lock_fd);

	return r == 0 ? outbox_turn(dir_fd, name, OUTBOX_REFUSED, OUTBOX_WAITING) : r;
}
