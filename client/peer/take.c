/* Files that are received: the person is asked, a part is gone on with, the digest decides. */
#include "client/peer/peer_i.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/num.h"
#include "base/text.h"
#include "client/ftp/ui.h"

#include <errno.h>

enum take_state {
	TAKE_ASKED, /* the person */
	TAKE_HASHING, /* what is there already */
	TAKE_ACCEPTED, /* they have to begin */
	TAKE_TAKING,
};

struct take {
	struct take *next;
	struct call *call;
	uint32_t id;
	unsigned number; /* for people */
	enum take_state state;
	char name[WIRE_NAME_MAX + 1];
	uint64_t size, at, have;
	struct piece part;
	struct hash *hash; /* of all of it */
	struct hash *have_hash; /* of what was there */
	struct progress progress;
	bool whole; /* it is here */
};

static bool take_show(const struct take *t, bool over)
{
	return talk_file(t->call->peers->talk,
		&(struct talk_file){.id = t,
			.nick = t->call->nick,
			.name = t->name,
			.at = t->at,
			.size = t->size,
			.over = over,
			.whole = t->whole});
}

static void take_free(struct take *t, bool drop)
{
	struct take **at = &t->call->takes;

	if (t->state == TAKE_TAKING)
		(void)take_show(t, true);
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	talk_unask(t->call->peers->talk, t);
	piece_close(&t->part, drop);
	hash_free(t->hash);
	hash_free(t->have_hash);
	free(t);
}

void take_end(struct call *c)
{
	_cleanup_(buf_done) struct buf kept = BUF_INIT(64);

	while (c->takes != NULL) {
		const struct take *t = c->takes;

		buf_reset(&kept);
		progress_bytes(&kept, t->at);
		if (t->state == TAKE_TAKING && t->at > 0)
			call_note(c,
				"%s is not whole; the %s that came are kept, and gone on with "
				"when it is offered again",
				t->name, buf_str(&kept));
		take_free(c->takes, false);
	}
}

static struct take *take_find(const struct call *c, uint32_t id)
{
	struct take *t = c->takes;

	while (t != NULL && t->id != id)
		t = t->next;
	return t;
}

bool take_under_way(const struct call *c)
{
	for (const struct take *t = c->takes; t != NULL; t = t->next)
		if (t->state != TAKE_ASKED)
			return true;
	return false;
}

/* -- accepting --------------------------------------------------------------------------------- */

static void stop(struct take *t, const char *why, bool drop)
{
	const struct wire w = {.kind = WIRE_STOP, .id = t->id, .text = span_str(why)};

	call_note(t->call, "%s is not taken: %s", t->name, why);
	(void)call_send(t->call, &w);
	take_free(t, drop);
}

static const char *why_text(int error)
{
	switch (error) {
	case -EBUSY:
		return "another transfer of that name is under way";
	case -EEXIST:
		return "something else is in the place of its part";
	case -ENOSPC:
	case -EDQUOT:
		return "no room is left for it";
	default:
		return err_text(error);
	}
}

static int accept_now(struct take *t)
{
	struct wire w = {.kind = WIRE_ACCEPT, .id = t->id, .number = t->have};
	int r = 0;

	if (t->have > 0) {
		w.has_digest = true;
		r = hash_final(t->have_hash, w.digest);
	}
	t->state = TAKE_ACCEPTED;
	return r < 0 ? r : call_send(t->call, &w);
}

static int accept_begin(struct take *t)
{
	int r = piece_open(t->call->peers->downloads_fd, span_str(t->name), t->call->account,
		&t->part, &t->have);

	if (r == 0 && t->have > t->size) {
		t->have = 0;
		r = piece_reset(&t->part);
	}
	if (r == 0)
		r = hash_new(&t->hash);
	if (r < 0 || t->have == 0)
		return r < 0 ? r : accept_now(t);
	t->state = TAKE_HASHING;
	call_wake(t->call);
	return hash_new(&t->have_hash);
}

static void take_accept(struct take *t)
{
	int r = accept_begin(t);

	if (r < 0)
		stop(t, why_text(r), false);
}

static void take_decline(struct take *t)
{
	const struct wire w = {.kind = WIRE_DECLINE, .id = t->id};

	(void)call_send(t->call, &w);
	take_free(t, false);
}

static void answered(void *arg, bool yes)
{
	struct take *t = arg;

	if (yes)
		take_accept(t);
	else
		take_decline(t);
}

bool take_answer(struct call *c, const char *which, bool yes)
{
	struct take *found = NULL;
	uint64_t number = 0;

	(void)num_parse_u64(span_str(which), 1, UINT32_MAX, &number);
	/* The newest is the first. */
	for (struct take *t = c->takes; t != NULL; t = t->next)
		if (t->state == TAKE_ASKED &&
			(*which == '\0' || t->number == number || strcmp(t->name, which) == 0))
			found = t;
	if (found == NULL)
		return false;
	talk_unask(c->peers->talk, found);
	answered(found, yes);
	return true;
}

/* -- what they say ----------------------------------------------------------------------------- */

static void take_ask(struct take *t)
{
	_cleanup_(buf_done) struct buf size = BUF_INIT(64);
	char text[512];

	progress_bytes(&size, t->size);
	snprintf(text, sizeof text, "%s offers file %u, %s (%s): take it?", t->call->nick,
		t->number, t->name, buf_str(&size));
	if (talk_ask(t->call->peers->talk, text, answered, t) < 0) {
		call_note(t->call, "%s is declined: too many questions are open", t->name);
		take_decline(t);
	}
}

/* Was it agreed on with the call? Once. */
static bool is_awaited(struct call *c, const struct wire *w)
{
	bool is =
		c->awaited && c->awaited_size == w->number && span_eq_str(w->text, c->awaited_name);

	c->awaited = false;
	return is;
}

static int decline_unseen(struct call *c, uint32_t id)
{
	const struct wire w = {.kind = WIRE_DECLINE, .id = id};

	return call_send(c, &w);
}

static int on_offer(struct call *c, const struct wire *w)
{
	struct take *t;
	size_t n = 0;

	for (t = c->takes; t != NULL; t = t->next)
		if (n++, t->id == w->id)
			return -EBADMSG;
	if (n >= FILES_MAX)
		return decline_unseen(c, w->id);
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return decline_unseen(c, w->id);
	*t = (struct take){.next = c->takes,
		.call = c,
		.id = w->id,
		.number = ++c->take_numbers,
		.size = w->number,
		.part = PIECE_INIT};
	piece_name(w->text, t->name);
	c->takes = t;
	if (is_awaited(c, w))
		take_accept(t);
	else
		take_ask(t);
	return 0;
}

static int on_begin(struct take *t, const struct wire *w)
{
	int r = 0;

	if (t->state != TAKE_ACCEPTED || (w->number != 0 && w->number != t->have))
		return -EBADMSG;
	t->state = TAKE_TAKING;
	t->at = w->number;
	if (t->have > 0 && w->number == 0) {
		call_note(t->call, "what was there of %s is not of this file: from the beginning",
			t->name);
		hash_freep(&t->hash);
		r = hash_new(&t->hash);
		if (r == 0)
			r = piece_reset(&t->part);
	} else if (lseek(t->part.fd, (off_t)t->at, SEEK_SET) < 0) {
		r = -errno;
	}
	if (r < 0)
		stop(t, why_text(r), false);
	return 0;
}

static int on_data(struct take *t, struct span bytes)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(128);
	int r;

	if (t->state != TAKE_TAKING || bytes.len > t->size - t->at)
		return -EBADMSG;
	r = file_write_all(t->part.fd, bytes);
	if (r == 0)
		r = hash_update(t->hash, bytes);
	if (r < 0) {
		stop(t, why_text(r), false);
		return 0;
	}
	t->at += bytes.len;
	if (!take_show(t, false) && progress_due(&t->progress, t->at, t->size, &text))
		call_note(t->call, "taking %s: %s", t->name, buf_str(&text));
	return 0;
}

static int on_done(struct take *t, const struct wire *w)
{
	const struct wire stored = {.kind = WIRE_STORED, .id = t->id};
	unsigned char digest[HASH_SHA256_LEN];
	char name[WIRE_NAME_MAX + 16];
	int r;

	if (t->state != TAKE_TAKING || t->at != t->size)
		return -EBADMSG;
	r = hash_final(t->hash, digest);
	if (r < 0 || memcmp(digest, w->digest, sizeof digest) != 0) {
		stop(t, "its SHA-256 is wrong, so what came is thrown away", true);
		return 0;
	}
	r = piece_store(&t->part, name);
	if (r < 0) {
		stop(t, why_text(r), false);
		return 0;
	}
	t->whole = true;
	call_note(t->call, "%s is here, whole (SHA-256 checked)%s%s", t->name,
		strcmp(name, t->part.name) != 0 ? ", as " : "",
		strcmp(name, t->part.name) != 0 ? name : "");
	r = call_send(t->call, &stored);
	take_free(t, false);
	return r;
}

static int on_fail(struct take *t, const struct wire *w)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1024);

	text_escape(&text, span_of(w->text.p, w->text.len < 200 ? w->text.len : 200));
	call_note(t->call, "%s does not send %s on: %s", t->call->nick, t->name, buf_str(&text));
	take_free(t, false);
	return 0;
}

int take_handle(struct call *c, const struct wire *w)
{
	struct take *t = take_find(c, w->id);

	if (w->kind == WIRE_OFFER)
		return on_offer(c, w);
	/* One that we have given up: what is on its way is dropped. */
	if (t == NULL)
		return 0;
	switch (w->kind) {
	case WIRE_BEGIN:
		return on_begin(t, w);
	case WIRE_DATA:
		return on_data(t, w->text);
	case WIRE_DONE:
		return on_done(t, w);
	default:
		return on_fail(t, w);
	}
}

/* -- work -------------------------------------------------------------------------------------- */

bool take_work(struct call *c)
{
	struct take *t = c->takes;
	int r;

	while (t != NULL && t->state != TAKE_HASHING)
		t = t->next;
	if (t == NULL)
		return false;
	r = piece_hash(t->part.fd, &t->at, t->have, t->hash, t->have_hash);
	if (r == 0 && t->at == t->have)
		r = accept_now(t);
	if (r < 0)
		stop(t, why_text(r), false);
	return true;
}
