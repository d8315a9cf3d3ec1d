/*
 * From an answered request to a call: one side listens, the other connects; when that fails, the
 * other way round. The listener goes on until the one who is expected has come: strangers are told
 * of, and turned away.
 */
#include "client/peer/peer_i.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

enum { STRANGERS_TOLD = 5, CROWD_MS = 200 };

void meet_end(struct offer *o)
{
	attempts_drop(&o->peers->attempts, o);
	talk_source_remove(o->peers->talk, &o->listener);
	cleanup_close(&o->listener.fd);
}

static void fail(struct offer *o, const char *why)
{
	talk_note(o->peers->talk, NULL, "the call with %s does not come about: %s", o->nick, why);
	offer_end(o, TOKEN_USED);
}

/* The same where the other side does not know of it yet. */
static void fail_told(struct offer *o, const char *why)
{
	struct dcc d = {.kind = DCC_REJECT, .of = o->file ? DCC_SSEND : DCC_SCHAT};

	memcpy(d.name, o->name, sizeof d.name);
	memcpy(d.token, o->token, sizeof d.token);
	(void)peers_send(o->peers, o->nick, &d, true);
	fail(o, why);
}

/* -- who came ---------------------------------------------------------------------------------- */

static void fail_fault(struct offer *o, enum fault f, const char *why)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(900);

	fault_text(&text, f, o->nick, why);
	fail(o, buf_str(&text));
}

static void stranger(struct offer *o, const struct attempt *a, enum fault f, const char *why)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(900);
	char where[DCC_ADDRESS_SIZE + 10], who[DCC_ADDRESS_SIZE + 40];

	if (o->strangers++ >= STRANGERS_TOLD)
		return;
	attempt_where(a, where);
	snprintf(who, sizeof who, "somebody at %s", where);
	fault_text(&text, f, who, why);
	talk_note(o->peers->talk, NULL, "%s. Turned away; still waiting for %s", buf_str(&text),
		o->nick);
}

static void turn(struct offer *o);

static void done(void *arg, struct attempt *a, enum fault f, const char *why)
{
	struct offer *o = arg;
	struct conn *conn;

	if (f == FAULT_NONE) {
		conn = attempt_take(a);
		call_begin(o, conn);
		offer_end(o, TOKEN_USED);
	} else if (f == FAULT_UNREACHABLE) {
		turn(o);
	} else if (o->listener.fd >= 0 && !attempt_is_expected(a)) {
		stranger(o, a, f, why);
		o->listener.until_ms = 0;
	} else {
		fail_fault(o, f, why);
	}
}

static void setup(struct offer *o, bool listening, struct attempt_setup *ret)
{
	struct peers *p = o->peers;

	*ret = (struct attempt_setup){.talk = p->talk,
		.list = &p->attempts,
		.server = listening ? p->server : NULL,
		.client = listening ? NULL : p->client,
		.expect = o->expect,
		.caller = o->ours,
		.authority = o->authority,
		.done = done,
		.arg = o};
	memcpy(ret->token, o->token, sizeof ret->token);
}

/* -- listening --------------------------------------------------------------------------------- */

static bool has_room(const struct offer *o)
{
	const struct attempts *list = &o->peers->attempts;

	return attempts_of(list, o) < AT_ONCE && list->count < ATTEMPTS_MAX;
}

/* Whoever comes when all places are taken waits in the kernel's queue. */
static void step_listen(void *arg, short revents)
{
	struct offer *o = arg;
	struct attempt_setup s;

	(void)revents;
	setup(o, true, &s);
	o->listener.events = POLLIN;
	o->listener.until_ms = INT64_MAX;
	while (has_room(o)) {
		_cleanup_(cleanup_close) int fd =
			accept4(o->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		if (attempt_accept(&s, fd) < 0)
			break;
		(void)take_fd(&fd);
	}
	o->listener.events = 0;
	o->listener.until_ms = time_monotonic_ms() + CROWD_MS;
}

/* Listens, and tells where. */
static int listen_and_tell(struct offer *o)
{
	struct peers *p = o->peers;
	struct dcc d = {.kind = o->file ? DCC_SSEND : DCC_SCHAT, .size = o->size};
	int r = place_listen(p->talk, &o->listener.fd, &d.port);

	if (r < 0)
		return r;
	if (!place_own(p->talk, d.address))
		return -ENOTCONN;
	memcpy(d.name, o->name, sizeof d.name);
	memcpy(d.token, o->token, sizeof d.token);
	o->listener.events = POLLIN;
	o->listener.step = step_listen;
	o->listener.arg = o;
	r = talk_source_add(p->talk, &o->listener);
	if (r == 0)
		r = peers_send(p, o->nick, &d, false);
	o->state = OFFER_MEETING;
	o->until_ms = time_monotonic_ms() + MEET_MS;
	peers_arm(p);
	return r;
}

void meet_listen(struct offer *o)
{
	int r = peers_ready(o->peers) ? listen_and_tell(o) : -ENOTCONN;

	if (r < 0)
		fail_told(o, client_why(r));
	else
		talk_note(o->peers->talk, NULL, "waiting for %s to connect", o->nick);
}

/* -- connecting -------------------------------------------------------------------------------- */

void meet_connect(struct offer *o)
{
	struct attempt_setup s;
	int r;

	o->state = OFFER_MEETING;
	o->until_ms = time_monotonic_ms() + MEET_MS;
	peers_arm(o->peers);
	setup(o, false, &s);
	talk_note(o->peers->talk, NULL, "connecting to %s", o->nick);
	r = attempt_connect(&s, o->address, o->port);
	if (r < 0)
		turn(o);
}

/* They cannot be reached. The caller tries it the other way round, once; an answerer, who has come
 * here by that, has nothing left to try but to go on listening. */
static void turn(struct offer *o)
{
	int r;

	if (!o->ours) {
		talk_note(o->peers->talk, NULL,
			"%s cannot be reached directly either; still waiting for it", o->nick);
		return;
	}
	if (o->turned) {
		fail_told(o, "neither side can reach the other directly");
		return;
	}
	o->turned = true;
	talk_note(o->peers->talk, NULL,
		"%s cannot be reached at %s: waiting for it to connect here instead", o->nick,
		o->address);
	r = listen_and_tell(o);
	if (r < 0)
		fail_told(o, client_why(r));
}
