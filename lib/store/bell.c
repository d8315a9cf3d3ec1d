/*
 * Bells: a Unix datagram socket per listener, a datagram per ring. The address is
 * RUNTIME/bells/NAME where that fits sun_path, else /proc/self/fd/N/NAME with the folder open as N.
 */
#include "store/bell_i.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "store/row.h"
#include "store/store_i.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	NAME_BYTES = 12,
	NAME_SIZE = 2 * NAME_BYTES + 1,
	BIND_TRIES = 4,
	SOCKET_MODE = 0660,
	DRAIN_SIZE = 64,
};

struct bell {
	int fd;
	int dir_fd;
	char name[NAME_SIZE];
};

static int open_folder(const char *runtime, bool make, int *ret_fd)
{
	char path[STORE_PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/bells", runtime);
	int fd, rc;

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && make) {
		rc = env_make_dir(path);
		if (rc < 0)
			return rc;
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* The address of a bell; the folder's path is used where it is short enough. */
static int address(const char *runtime, int dir_fd, const char *name, struct sockaddr_un *ret)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/bells/%s", runtime, name);

	if (n < 0 || (size_t)n >= sizeof(a.sun_path))
		n = snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", dir_fd, name);
	if (n < 0 || (size_t)n >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	*ret = a;
	return 0;
}

static int random_name(char ret[NAME_SIZE])
{
	unsigned char bytes[NAME_BYTES];
	int rc = hash_random(bytes, sizeof(bytes));

	for (size_t i = 0; rc == 0 && i < sizeof(bytes); i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
	return rc;
}

static int bind_new(struct bell *b, const char *runtime)
{
	struct sockaddr_un a;
	int rc = random_name(b->name);

	if (rc == 0)
		rc = address(runtime, b->dir_fd, b->name, &a);
	if (rc < 0)
		return rc;
	if (bind(b->fd, (const struct sockaddr *)&a, sizeof(a)) < 0) {
		b->name[0] = '\0'; /* not ours to remove */
		return -errno;
	}
	return fchmodat(b->dir_fd, b->name, SOCKET_MODE, 0) < 0 ? -errno : 0;
}

static int set_up(struct bell *b, const char *runtime)
{
	int rc = open_folder(runtime, true, &b->dir_fd);

	if (rc < 0)
		return rc;
	b->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (b->fd < 0)
		return -errno;
	rc = -EADDRINUSE;
	for (int i = 0; i < BIND_TRIES && rc == -EADDRINUSE; i++)
		rc = bind_new(b, runtime);
	return rc;
}

int bell_open(const char *runtime, struct bell **ret)
{
	struct bell *b = calloc(1, sizeof(*b));
	int rc;

	if (b == NULL)
		return -ENOMEM;
	b->fd = -1;
	b->dir_fd = -1;
	rc = set_up(b, runtime);
	if (rc < 0) {
		bell_close(b);
		return rc;
	}
	*ret = b;
	return 0;
}

void bell_close(struct bell *b)
{
	if (b == NULL)
		return;
	if (b->name[0] != '\0')
		(void)unlinkat(b->dir_fd, b->name, 0);
	cleanup_close(&b->fd);
	cleanup_close(&b->dir_fd);
	free(b);
}

void bell_closep(struct bell **b)
{
	bell_close(*b);
}

int bell_fd(const struct bell *b)
{
	return b->fd;
}

const char *bell_name(const struct bell *b)
{
	return b->name;
}

unsigned bell_drain(struct bell *b)
{
	char bytes[DRAIN_SIZE];
	unsigned count = 0;

	while (recv(b->fd, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0)
		count++;
	return count;
}

/* -- ringing ----------------------------------------------------------------------------------- */

void bell_listeners_done(struct bell_listeners *l)
{
	free(l->list);
}

int bell_listeners_add(struct bell_listeners *l, const struct bell_args *b)
{
	size_t room = l->room == 0 ? 16 : 2 * l->room;
	struct bell_args *list;

	if (l->count == l->room) {
		list = reallocarray(l->list, room, sizeof(*list));
		if (list == NULL)
			return -ENOMEM;
		l->list = list;
		l->room = room;
	}
	l->list[l->count++] = *b;
	return 0;
}

int bell_listeners_topic(struct store_txn *txn, const char *topic, struct bell_listeners *l)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_bell(topic);
	struct bell_args b;
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = bell_decode(key, value, &b);
		if (rc == 0)
			rc = bell_listeners_add(l, &b);
	}
	return rc;
}

struct gather {
	const char *topic;
	struct bell_listeners *listeners;
};

static int gather_view(struct store_txn *txn, void *arg)
{
	const struct gather *g = arg;

	return bell_listeners_topic(txn, g->topic, g->listeners);
}

struct ringer {
	struct store *store;
	const char *runtime;
	int fd, dir_fd;
	void (*dead)(void *arg, const struct session_row *r);
	void *arg;
	char reaped[16]; /* the service of which a session was removed; "" none */
};

struct find_args {
	uint64_t id;
	struct session_row *ret;
};

static int find_session(void *arg, const struct session_row *r)
{
	struct find_args *f = arg;

	if (r->id != f->id)
		return 0;
	*f->ret = *r;
	return 1;
}

/*
 * A bell that nobody hears: its socket and rows go. The whole session goes only if its process is
 * gone too; it may merely have closed this bell.
 */
static void reap(struct ringer *g, const struct bell_args *b)
{
	struct session_row row = {.id = b->session_id};
	struct find_args f = {b->session_id, &row};
	struct session_remove_args gone = {.id = b->session_id};

	(void)unlinkat(g->dir_fd, b->bell, 0);
	memcpy(gone.service, b->service, sizeof(gone.service));
	if (session_each(g->store, b->service, find_session, &f) != 1) {
		(void)store_call(g->store, STORE_OP_BELL_REMOVE, b, NULL);
		return;
	}
	if (g->dead != NULL)
		g->dead(g->arg, &row);
	(void)store_call(g->store, STORE_OP_BELL_REMOVE, b, NULL);
	if (session_alive(&row))
		return;
	if (store_call(g->store, STORE_OP_SESSION_REMOVE, &gone, NULL) == 0)
		memcpy(g->reaped, gone.service, sizeof(g->reaped));
}

/* 1 rung, 0 dead or not reachable. */
static int ring_one(struct ringer *g, const struct bell_args *b)
{
	struct sockaddr_un a;

	if (address(g->runtime, g->dir_fd, b->bell, &a) < 0)
		return 0;
	if (sendto(g->fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&a,
		    sizeof(a)) >= 0)
		return 1;
	if (errno == EAGAIN || errno == ENOBUFS) /* has not read the ring before this one yet */
		return 1;
	if (errno == ECONNREFUSED || errno == ENOENT)
		reap(g, b);
	return 0;
}

static int ring_all(struct ringer *g, const struct bell_listeners *l)
{
	_cleanup_(cleanup_close) int fd = -1;
	_cleanup_(cleanup_close) int dir_fd = -1;
	int rung = 0;
	int rc = open_folder(g->runtime, false, &dir_fd);

	if (rc < 0 && rc != -ENOENT) /* without the folder, as after a reboot, all are dead */
		return rc;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	g->fd = fd;
	g->dir_fd = dir_fd;
	for (size_t i = 0; i < l->count; i++)
		rung += ring_one(g, &l->list[i]);
	return rung;
}

/* Each round with a death ends with fewer sessions than it began with, so there is a last one. */
int bell_ring_listeners(struct store *s, const char *runtime, const struct bell_listeners *l,
	const struct bell_dead *d)
{
	struct ringer g = {.store = s, .runtime = runtime};
	int rung = 0;

	if (d != NULL) {
		g.dead = d->dead;
		g.arg = d->arg;
	}
	if (l->count > 0)
		rung = ring_all(&g, l);
	if (rung >= 0 && g.reaped[0] != '\0')
		(void)bell_ring(s, runtime, g.reaped, NULL, NULL);
	return rung;
}

int bell_ring(struct store *s, const char *runtime, const char *topic,
	void (*dead)(void *arg, const struct session_row *r), void *arg)
{
	_cleanup_(bell_listeners_done) struct bell_listeners l = {.list = NULL};
	const struct bell_dead d = {dead, arg};
	struct gather g = {topic, &l};
	int rc = store_view(s, gather_view, &g);

	return rc < 0 ? rc : bell_ring_listeners(s, runtime, &l, &d);
}
