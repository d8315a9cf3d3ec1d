/* Rows of live sessions and of the bells they listen to. */
#include "store/session.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "store/chat_i.h"
#include "store/mail_i.h"
#include "store/ops.h"
#include "store/row.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	SESSION_VERSION = 1,
	BELL_VERSION = 1,
	STAT_SIZE = 1024,
	STAT_START_FIELD = 22,
	STAT_AFTER_NAME = 3, /* the field behind the name in brackets */
};

int session_decode(struct span key, struct span value, struct session_row *ret)
{
	struct rec r = row_open(value, SESSION_VERSION);
	struct session_row s = {.id = rec_u64(&r)};
	struct key expected;

	s.pid = (int32_t)rec_u32(&r);
	s.start_ticks = rec_u64(&r);
	rec_str(&r, s.service, sizeof(s.service));
	rec_str(&r, s.peer, sizeof(s.peer));
	rec_str(&r, s.account, sizeof(s.account));
	s.since_us = rec_i64(&r);
	rec_str(&r, s.bell, sizeof(s.bell));
	s.bytes_in = rec_u64(&r);
	s.bytes_out = rec_u64(&r);
	expected = key_session_row(s.service, s.id);
	if (rec_end(&r) < 0 || !span_eq(key, key_span(&expected)))
		return -EBADMSG;
	*ret = s;
	return 0;
}

static int session_write(struct store_txn *txn, const struct session_row *s)
{
	struct key key;
	struct buf b;

	if (!row_is_text(s->service, sizeof(s->service)) || s->service[0] == '\0' ||
		!row_is_text(s->bell, sizeof(s->bell)) || strchr(s->bell, '/') != NULL)
		return -EINVAL;
	key = key_session_row(s->service, s->id);
	b = row_begin(SESSION_VERSION);
	buf_add_u64(&b, s->id);
	buf_add_u32(&b, (uint32_t)s->pid);
	buf_add_u64(&b, s->start_ticks);
	row_text(&b, s->service, sizeof(s->service));
	row_text(&b, s->peer, sizeof(s->peer));
	row_text(&b, s->account, sizeof(s->account));
	rec_put_i64(&b, s->since_us);
	row_text(&b, s->bell, sizeof(s->bell));
	buf_add_u64(&b, s->bytes_in);
	buf_add_u64(&b, s->bytes_out);
	return row_put(txn, &key, &b);
}

static int session_read(
	struct store_txn *txn, const char *service, uint64_t id, struct session_row *ret)
{
	struct key key = key_session_row(service, id);
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : session_decode(key_span(&key), value, ret);
}

int op_session_add(struct store_txn *txn, const void *args, void *result)
{
	struct session_row s = *(const struct session_row *)args;
	struct key counter = key_meta("session");
	int rc = row_counter(txn, &counter, &s.id);

	if (rc < 0)
		return rc;
	s.id++;
	rc = row_counter_put(txn, &counter, s.id);
	if (rc == 0)
		rc = session_write(txn, &s);
	if (rc == 0)
		memcpy(result, &s.id, sizeof(s.id));
	return rc;
}

int op_session_update(struct store_txn *txn, const void *args, void *result)
{
	const struct session_row *s = args;
	struct session_row old;
	int rc;

	(void)result;
	if (!row_is_text(s->service, sizeof(s->service)))
		return -EINVAL;
	rc = session_read(txn, s->service, s->id, &old);
	return rc < 0 ? rc : session_write(txn, s);
}

/* Removes the registrations of a session's bells, from both tables. */
static int drop_bells(struct store_txn *txn, uint64_t id)
{
	struct key prefix = key_bell_session(id);
	struct key mine, theirs;
	struct span key, value;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&prefix), &key, &value)) == 0) {
		mine = key_copy(key);
		theirs = key_table(KEY_BELL);
		/* What follows the session's number is the other table's key. */
		memcpy(theirs.p + 1, mine.p + prefix.len, mine.len - prefix.len);
		theirs.len = 1 + mine.len - prefix.len;
		rc = row_del(txn, &theirs);
		if (rc == 0 || rc == -ENOENT)
			rc = row_del(txn, &mine);
		if (rc < 0)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

int session_drop(struct store_txn *txn, const char *service, uint64_t id)
{
	struct key key = key_session_row(service, id);
	struct session_row s;
	int rc = session_read(txn, service, id, &s);

	if (rc == 0 && s.account[0] != '\0')
		rc = mail_seen_note(txn, s.account, kv_now_us(txn));
	if (rc == 0 || rc == -EBADMSG) /* a damaged row goes as well */
		rc = row_del(txn, &key);
	if (rc == 0 && strcmp(service, CHAT_SERVICE) == 0)
		rc = chat_session_gone(txn, id, kv_now_us(txn));
	return rc < 0 ? rc : drop_bells(txn, id);
}

int op_session_remove(struct store_txn *txn, const void *args, void *result)
{
	const struct session_remove_args *r = args;

	(void)result;
	if (!row_is_text(r->service, sizeof(r->service)))
		return -EINVAL;
	return session_drop(txn, r->service, r->id);
}

/* -- bells ------------------------------------------------------------------------------------- */

int bell_decode(struct span key, struct span value, struct bell_args *ret)
{
	struct rec r = row_open(value, BELL_VERSION);
	struct bell_args b = {.session_id = rec_u64(&r)};
	struct key expected;

	rec_str(&r, b.service, sizeof(b.service));
	rec_str(&r, b.topic, sizeof(b.topic));
	rec_str(&r, b.bell, sizeof(b.bell));
	expected = key_bell_row(b.topic, b.bell);
	if (rec_end(&r) < 0 || !span_eq(key, key_span(&expected)))
		return -EBADMSG;
	*ret = b;
	return 0;
}

static bool bad_bell(const struct bell_args *b)
{
	return !row_is_text(b->topic, sizeof(b->topic)) || b->topic[0] == '\0' ||
		!row_is_text(b->bell, sizeof(b->bell)) || b->bell[0] == '\0' ||
		strchr(b->bell, '/') != NULL || !row_is_text(b->service, sizeof(b->service));
}

/* Who registered this bell for this topic. -ENOENT. */
static int bell_read(struct store_txn *txn, const struct bell_args *b, struct bell_args *ret)
{
	struct key key = key_bell_row(b->topic, b->bell);
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : bell_decode(key_span(&key), value, ret);
}

static bool is_same_session(const struct bell_args *a, const struct bell_args *b)
{
	return a->session_id == b->session_id && strcmp(a->service, b->service) == 0;
}

int op_bell_add(struct store_txn *txn, const void *args, void *result)
{
	const struct bell_args *b = args;
	struct bell_args there;
	struct session_row s;
	struct key key, index;
	struct buf row;
	int rc;

	(void)result;
	if (bad_bell(b))
		return -EINVAL;
	rc = session_read(txn, b->service, b->session_id, &s);
	if (rc < 0)
		return rc;
	rc = bell_read(txn, b, &there);
	if (rc == 0 && !is_same_session(&there, b))
		return -EEXIST;
	if (rc < 0 && rc != -ENOENT)
		return rc;
	key = key_bell_row(b->topic, b->bell);
	index = key_bell_session_row(b->session_id, b->topic, b->bell);
	row = row_begin(BELL_VERSION);
	buf_add_u64(&row, b->session_id);
	row_text(&row, b->service, sizeof(b->service));
	row_text(&row, b->topic, sizeof(b->topic));
	row_text(&row, b->bell, sizeof(b->bell));
	rc = row_put(txn, &key, &row);
	return rc < 0 ? rc : row_mark(txn, &index);
}

int op_bell_remove(struct store_txn *txn, const void *args, void *result)
{
	const struct bell_args *b = args;
	struct bell_args there;
	struct key key, index;
	int rc;

	(void)result;
	if (bad_bell(b))
		return -EINVAL;
	rc = bell_read(txn, b, &there);
	if (rc == 0 && !is_same_session(&there, b))
		rc = -ENOENT;
	if (rc < 0)
		return rc;
	key = key_bell_row(b->topic, b->bell);
	index = key_bell_session_row(b->session_id, b->topic, b->bell);
	rc = row_del(txn, &key);
	return rc < 0 ? rc : row_del(txn, &index);
}

/* -- reading ----------------------------------------------------------------------------------- */

struct each_args {
	struct key prefix;
	int (*each)(void *arg, const struct session_row *r);
	void *arg;
};

static int each_view(struct store_txn *txn, void *arg)
{
	const struct each_args *e = arg;
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct session_row s;
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&e->prefix), key_span(&e->prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = session_decode(key, value, &s);
		if (rc == 0)
			rc = e->each(e->arg, &s);
	}
	return rc;
}

int session_each(struct store *s, const char *service,
	int (*each)(void *arg, const struct session_row *r), void *arg)
{
	struct each_args e = {.each = each, .arg = arg};

	e.prefix = service != NULL ? key_session(service) : key_table(KEY_SESSION);
	return store_view(s, each_view, &e);
}

struct successor_args {
	const char *service;
	uint64_t id;
	struct session_row *ret;
};

static int successor_view(struct store_txn *txn, void *arg)
{
	const struct successor_args *a = arg;
	struct key prefix = key_session(a->service);
	struct key from = key_session_row(a->service, a->id + 1);
	struct session_row s;
	struct span key, value;
	int rc = a->id < UINT64_MAX ? kv_seek(txn, key_span(&prefix), key_span(&from), &key, &value)
				    : -ENOENT;

	if (rc == -ENOENT)
		rc = kv_seek(txn, key_span(&prefix), key_span(&prefix), &key, &value);
	if (rc == 0)
		rc = session_decode(key, value, &s);
	if (rc == 0 && s.id == a->id)
		rc = -ENOENT;
	if (rc == 0)
		*a->ret = s;
	return rc;
}

int session_successor(struct store *s, const char *service, uint64_t id, struct session_row *ret)
{
	struct successor_args a = {service, id, ret};

	return store_view(s, successor_view, &a);
}

/* -- processes --------------------------------------------------------------------------------- */

/* The field of /proc/PID/stat; the name in brackets before it may hold blanks and brackets. */
static int parse_start(struct span text, uint64_t *ret)
{
	struct span field;
	size_t i = text.len;

	while (i > 0 && text.p[i - 1] != ')')
		i--;
	if (i == 0 || i + 1 >= text.len)
		return -EBADMSG;
	text = span_of(text.p + i + 1, text.len - i - 1);
	for (int n = STAT_AFTER_NAME; span_split(&text, ' ', &field); n++)
		if (n == STAT_START_FIELD)
			return num_parse_u64(field, 0, UINT64_MAX, ret);
	return -EBADMSG;
}

int session_start_ticks(int32_t pid, uint64_t *ret)
{
	_cleanup_(cleanup_close) int fd = -1;
	char path[32], text[STAT_SIZE];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text));
	if (n < 0)
		return -errno;
	return parse_start(span_of(text, (size_t)n), ret);
}

/*
 * Whether there is such a process is asked with pidfd_open(), which works where /proc hides other
 * users' processes or is out of the sandbox's reach; there a reused pid counts as alive.
 */
bool session_alive(const struct session_row *r)
{
	_cleanup_(cleanup_close) int fd = -1;
	uint64_t ticks = 0;

	if (r->pid <= 0)
		return false;
	fd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	if (fd < 0 && (errno == ESRCH || errno == EINVAL)) /* EINVAL: now some thread's number */
		return false;
	if (session_start_ticks(r->pid, &ticks) < 0)
		return true;
	return ticks == r->start_ticks;
}
