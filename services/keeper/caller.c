/* The callers: coming, sending, being answered, going. Each can cost only itself: one call at a
 * time, little memory, none of it for long, and a share of the places for each service. */
#include "services/keeper/keeper.h"

#include "base/cleanup.h"
#include "store/remote.h"

#include <errno.h>
#include <sys/epoll.h>

enum {
	FIRST_CALLER = NET_ACTIVATE_MAX + 1, /* as in loop.c */
	ACCEPTS = 64, /* in one go */
	ACCEPT_PAUSE_US = 10000,
	IDLE_TICKS = 5,
	STUCK_TICKS = 10, /* half a frame */
	FRAME_MAX = REMOTE_HEAD_LEN + SHAPE_MESSAGE_MAX,
	SMALL_BYTES = 16384, /* what each may have without asking */
	READ_BYTES = 4096,
	LARGE_BYTES = 4 * FRAME_MAX, /* what callers of one kind may have together beyond that */
	SHARE = 4, /* no kind has more than all but one in so many places */
	NOBODYS = 16, /* places for those who are only told that they may do nothing */
	ANYBODY = KEEPER_KINDS,
};

/* -- coming and going -------------------------------------------------------------------------- */

static int watch(const struct keeper *k, const struct caller *c, int how, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.u64 = FIRST_CALLER + c->slot};

	return epoll_ctl(k->epoll_fd, how, c->fd, &e) < 0 ? -errno : 0;
}

static void unqueue(struct keeper *k, struct caller *c)
{
	struct keeper_queue *q = &k->queues[c->kind];
	struct caller **at = &q->first;

	while (*at != NULL && *at != c)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = c->next;
	if (q->end == &c->next)
		q->end = at;
	c->queued = false;
	k->queued--;
}

static bool can_lend(const struct keeper *k, const struct caller *c)
{
	return k->lent[c->kind] + c->need <= LARGE_BYTES;
}

static void lend(struct keeper *k, struct caller *c)
{
	c->lent = c->need;
	k->lent[c->kind] += c->need;
}

/* What was given back is lent again here: whoever waits longer need not rely on one who may be gone
 * before he asks. */
static void resume(struct keeper *k, enum keeper_caller kind)
{
	for (size_t i = 0; i < k->max && k->waiting[kind] > 0; i++) {
		struct caller *c = k->table[i];

		if (c == NULL || !c->paused || c->kind != kind || !can_lend(k, c))
			continue;
		c->paused = false;
		k->waiting[kind]--;
		lend(k, c);
		if (watch(k, c, EPOLL_CTL_MOD, EPOLLIN) < 0)
			caller_drop(k, c);
	}
}

static void give_back(struct keeper *k, struct caller *c)
{
	if (c->in.cap > SMALL_BYTES)
		buf_wipe(&c->in);
	buf_reset(&c->in);
	c->need = 0;
	if (c->lent == 0)
		return;
	k->lent[c->kind] -= c->lent;
	c->lent = 0;
	resume(k, c->kind);
}

void caller_drop(struct keeper *k, struct caller *c)
{
	if (c->queued)
		unqueue(k, c);
	if (c->paused)
		k->waiting[c->kind]--;
	c->paused = false;
	k->table[c->slot] = NULL;
	k->callers--;
	k->of_kind[c->kind]--;
	cleanup_close(&c->fd);
	give_back(k, c);
	buf_wipe(&c->in);
	free(c);
}

/* The one that has been idle longest, of that kind or of ANYBODY's. */
static struct caller *idlest(const struct keeper *k, unsigned kind)
{
	struct caller *found = NULL;

	for (size_t i = 0; i < k->max; i++) {
		struct caller *c = k->table[i];

		if (c == NULL || c->in.len > 0 || (kind != ANYBODY && c->kind != kind))
			continue;
		if (found == NULL || c->ticks > found->ticks)
			found = c;
	}
	return found;
}

static size_t share_of(const struct keeper *k, enum keeper_caller kind)
{
	if (kind == CALLER_NOBODY)
		return k->max < NOBODYS ? k->max : NOBODYS;
	return kind == CALLER_ADMIN || kind == CALLER_ALL ? k->max : k->max - k->max / SHARE;
}

/* Whoever is idle comes again by himself when he has something to ask. */
static bool make_place(struct keeper *k, enum keeper_caller kind)
{
	struct caller *victim;

	if (k->of_kind[kind] >= share_of(k, kind))
		victim = idlest(k, kind);
	else if (k->callers >= k->max)
		victim = idlest(k, ANYBODY);
	else
		return true;
	if (victim != NULL)
		caller_drop(k, victim);
	return victim != NULL;
}

static struct caller **free_place(struct keeper *k)
{
	for (size_t i = 0; i < k->max; i++)
		if (k->table[i] == NULL)
			return &k->table[i];
	return NULL;
}

static enum keeper_caller kind_of(const struct keeper *k, int fd, pid_t *ret_pid)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return CALLER_NOBODY;
	*ret_pid = peer.pid;
	return rights_caller(&k->users, &peer);
}

/* Takes fd over, whatever comes of it. */
static void welcome(struct keeper *k, int taken_fd)
{
	_cleanup_(cleanup_close) int fd = taken_fd;
	pid_t pid = 0;
	enum keeper_caller kind = kind_of(k, fd, &pid);
	struct caller **place = make_place(k, kind) ? free_place(k) : NULL;
	struct caller *c;

	if (place == NULL) {
		k->stats.dropped++;
		return;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return;
	*place = c;
	*c = (struct caller){.fd = take_fd(&fd),
		.slot = (size_t)(place - k->table),
		.kind = kind,
		.pid = pid,
		.in = BUF_INIT(FRAME_MAX)};
	k->callers++;
	k->of_kind[kind]++;
	k->stats.callers++;
	if (watch(k, c, EPOLL_CTL_ADD, EPOLLIN) < 0)
		caller_drop(k, c);
}

void caller_accept(struct keeper *k, int listener_fd)
{
	for (unsigned i = 0; i < ACCEPTS; i++) {
		int fd = accept4(listener_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			welcome(k, fd);
			continue;
		}
		/* Nothing that passes at once: the system is short of something. */
		if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
			(void)usleep(ACCEPT_PAUSE_US);
		return;
	}
}

/* -- reading ----------------------------------------------------------------------------------- */

static void enqueue(struct keeper *k, struct caller *c)
{
	struct keeper_queue *q = &k->queues[c->kind];

	c->queued = true;
	c->next = NULL;
	c->ticks = 0;
	*q->end = c;
	q->end = &c->next;
	k->queued++;
}

struct caller *caller_next(struct keeper *k)
{
	for (unsigned i = 0; i < KEEPER_KINDS; i++) {
		unsigned kind = (k->turn + i) % KEEPER_KINDS;
		struct caller *c = k->queues[kind].first;

		if (c == NULL)
			continue;
		k->turn = kind + 1;
		unqueue(k, c);
		return c;
	}
	return NULL;
}

void caller_put_back(struct keeper *k, struct caller *c)
{
	struct keeper_queue *q = &k->queues[c->kind];

	c->queued = true;
	c->next = q->first;
	if (q->first == NULL)
		q->end = &c->next;
	q->first = c;
	k->queued++;
	k->turn = c->kind;
}

/* A large frame needs memory that all of a kind share. -EAGAIN: the caller is not read for now. */
static int borrow(struct keeper *k, struct caller *c)
{
	int rc;

	if (c->need <= SMALL_BYTES || c->lent > 0)
		return 0;
	if (can_lend(k, c)) {
		lend(k, c);
		return 0;
	}
	rc = watch(k, c, EPOLL_CTL_MOD, 0);
	if (rc < 0)
		return rc;
	c->paused = true;
	k->waiting[c->kind]++;
	return -EAGAIN;
}

/* What a frame that has begun says of itself. 0, or it will never be one. */
static int look(struct keeper *k, struct caller *c)
{
	size_t need = 0;
	int rc = remote_frame(buf_span(&c->in), &need);

	if (rc < 0)
		return rc;
	c->need = need;
	if (rc == 0)
		return borrow(k, c);
	/* One call at a time: nothing may follow before the answer. */
	if (c->in.len > need)
		return -EPROTO;
	enqueue(k, c);
	return 0;
}

/* Room for what the frame still needs, and for one byte that must not come. */
static size_t room(const struct caller *c)
{
	size_t left = c->need > c->in.len ? c->need - c->in.len : 0;

	if (left > READ_BYTES)
		return left;
	return READ_BYTES < FRAME_MAX - c->in.len ? READ_BYTES : FRAME_MAX - c->in.len;
}

static void complain_of_frame(struct keeper *k, const struct caller *c)
{
	keeper_complain(k, c, "a caller broke the protocol", "");
}

void caller_read(struct keeper *k, struct caller *c)
{
	int rc = 0;

	/* Bytes behind a call are a fault, an end means that nobody waits for the answer; one that
	 * is not read can do no more than end. */
	if (c->queued || c->paused) {
		caller_drop(k, c);
		return;
	}
	while (rc == 0 && !c->queued) {
		size_t want = room(c);
		unsigned char *p = buf_reserve(&c->in, want);
		ssize_t n = p != NULL ? recv(c->fd, p, want, MSG_DONTWAIT) : 0;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			caller_drop(k, c);
			return;
		}
		buf_commit(&c->in, (size_t)n);
		rc = look(k, c);
		if (rc == 0 && (size_t)n < want)
			return;
	}
	if (rc < 0 && rc != -EAGAIN) {
		complain_of_frame(k, c);
		caller_drop(k, c);
	}
}

/* -- answering, and time ----------------------------------------------------------------------- */

void caller_answer(struct keeper *k, struct caller *c, const struct store_batch_item *item)
{
	ssize_t n = -1;

	give_back(k, c);
	buf_reset(&k->out);
	if (remote_answer_write(&k->out, item) == 0)
		n = send(c->fd, k->out.p, k->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* One who does not read his answers: there is room for many of them. */
	if (n < 0 || (size_t)n != k->out.len)
		caller_drop(k, c);
}

void caller_tick(struct keeper *k)
{
	for (size_t i = 0; i < k->max; i++) {
		struct caller *c = k->table[i];

		if (c == NULL || c->queued || c->paused)
			continue;
		if (++c->ticks > (c->in.len > 0 ? STUCK_TICKS : IDLE_TICKS))
			caller_drop(k, c);
	}
}
