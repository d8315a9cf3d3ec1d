/*
 * COPY and MOVE (RFC 3501, 6851) with COPYUID (RFC 4315). A COPY is whole or not at all: where it
 * needs several operations and one fails, what the others added goes again.
 */
#include "services/maild/imap/imap.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { SETS_MAX = 4 << 20 };

struct copying {
	struct imap *s;
	struct imap_set set;
	struct imap_picks picks;
	struct buf name;
	struct mail_box to;
	uint32_t *uids; /* owned: of picks */
	uint32_t *sources, *targets; /* owned: what was copied, and as what */
	size_t count; /* of both */
};

static void copying_done(struct copying *y)
{
	imap_set_done(&y->set);
	imap_picks_done(&y->picks);
	buf_done(&y->name);
	free(y->uids);
	free(y->sources);
	free(y->targets);
}

static int in_copy(struct imap_in *in, struct copying *y)
{
	int r = imap_in_space(in);

	if (r == 0)
		r = imap_in_set(in, &y->set);
	if (r == 0)
		r = imap_in_space(in);
	if (r == 0)
		r = imap_in_mailbox(in, &y->name);
	return (r == 0 || r == -EINVAL) && !imap_in_end(in) ? -EBADMSG : r;
}

static int find_box(struct store_txn *txn, void *arg)
{
	struct copying *y = arg;

	return mail_box_find(txn, imap_account(y->s), buf_span(&y->name), &y->to);
}

static int make_lists(struct copying *y)
{
	size_t room = y->picks.count > 0 ? y->picks.count : 1;

	y->uids = imap_pick_uids(y->s, &y->picks);
	y->sources = reallocarray(NULL, room, sizeof(*y->sources));
	y->targets = reallocarray(NULL, room, sizeof(*y->targets));
	return y->uids != NULL && y->sources != NULL && y->targets != NULL ? 0 : -ENOMEM;
}

static struct mail_copy_args args_of(const struct copying *y, size_t from)
{
	size_t left = y->picks.count - from;
	struct mail_copy_args args = {.from = y->s->box.id,
		.to = y->to.id,
		.uids = y->uids + from,
		.count = left < MAIL_BATCH_MAX ? left : MAIL_BATCH_MAX,
		.now_us = time_now_us()};

	(void)span_copy_str(span_str(imap_account(y->s)), args.account, sizeof(args.account));
	return args;
}

static void note(struct copying *y, uint32_t source, uint32_t target)
{
	y->sources[y->count] = source;
	y->targets[y->count++] = target;
}

/* -- COPY -------------------------------------------------------------------------------------- */

/* Nobody can have been told of more than of any message that comes and goes. */
static void take_back(struct copying *y)
{
	struct mail_expunge_args args = {
		.box = y->to.id, .any_flags = true, .now_us = time_now_us()};
	struct mail_expunge_result result;

	(void)span_copy_str(span_str(imap_account(y->s)), args.account, sizeof(args.account));
	for (size_t from = 0; from < y->count; from += MAIL_BATCH_MAX) {
		result = (struct mail_expunge_result){.more = false};
		args.uids = y->targets + from;
		args.count = y->count - from < MAIL_BATCH_MAX ? y->count - from : MAIL_BATCH_MAX;
		(void)store_call(y->s->service->store, STORE_OP_MAIL_EXPUNGE, &args, &result);
	}
}

static int copy_all(struct copying *y)
{
	int r = 0;

	for (size_t from = 0; r == 0 && from < y->picks.count; from += MAIL_BATCH_MAX) {
		struct mail_copy_args args = args_of(y, from);
		struct mail_added added = {.count = 0};

		r = store_call(y->s->service->store, STORE_OP_MAIL_COPY, &args, &added);
		for (size_t i = 0; r == 0 && i < args.count; i++)
			note(y, args.uids[i], added.first_uid + (uint32_t)i);
		if (r == 0)
			y->to.validity = added.validity;
	}
	if (r < 0)
		take_back(y);
	return r;
}

/* -- MOVE -------------------------------------------------------------------------------------- */

static int move_batch(struct copying *y, const struct mail_copy_args *args)
{
	_cleanup_(cleanup_free) struct mail_move_result *result = calloc(1, sizeof(*result));
	uint32_t next;
	int r;

	if (result == NULL)
		return -ENOMEM;
	r = store_call(y->s->service->store, STORE_OP_MAIL_MOVE, args, result);
	if (r < 0)
		return r;
	next = result->added.first_uid;
	y->to.validity = result->added.count > 0 ? result->added.validity : y->to.validity;
	for (size_t i = 0; i < args->count; i++)
		if ((result->moved[i / 8] & 1U << i % 8) != 0)
			note(y, args->uids[i], next++);
	return 0;
}

/* What is moved stays moved, even when the rest cannot be. */
static int move_all(struct copying *y)
{
	int r = 0;

	for (size_t from = 0; r == 0 && from < y->picks.count; from += MAIL_BATCH_MAX) {
		struct mail_copy_args args = args_of(y, from);

		r = move_batch(y, &args);
	}
	return r;
}

/* -- answers ----------------------------------------------------------------------------------- */

/* "COPYUID validity sources targets" */
static void put_copyuid(const struct copying *y, struct buf *b)
{
	buf_addf(b, "COPYUID %" PRIu32 " ", y->to.validity);
	imap_put_set(b, y->sources, y->count);
	buf_add_byte(b, ' ');
	imap_put_set(b, y->targets, y->count);
}

static int end_copy(struct imap_call *c, struct copying *y)
{
	_cleanup_(buf_done) struct buf code = BUF_INIT(SETS_MAX);

	if (y->count == 0)
		return imap_ok(c, "There was nothing to copy");
	put_copyuid(y, &code);
	return imap_ok(c, "[%s] Copied", buf_str(&code));
}

/* COPYUID comes before the expunges (RFC 6851 section 4.3). */
static int end_move(struct imap_call *c, struct copying *y, int error)
{
	struct imap *s = c->s;
	int r = 0;

	if (y->count > 0) {
		buf_reset(&s->out);
		buf_add_str(&s->out, "* OK [");
		put_copyuid(y, &s->out);
		buf_add_str(&s->out, "] Moved\r\n");
		imap_write(s, buf_span(&s->out));
		r = imap_sync(s, false);
	}
	if (r < 0)
		return r;
	if (error < 0)
		return imap_failed(c, error);
	if (y->count == 0)
		return imap_ok(c, "There was nothing to move");
	if ((s->enabled & IMAP_CONDSTORE) != 0)
		return imap_ok(c, "[HIGHESTMODSEQ %" PRIu64 "] Done", s->box.modseq);
	return imap_ok(c, "Done");
}

/* -- commands ---------------------------------------------------------------------------------- */

static int find_target(struct imap_call *c, struct copying *y, bool *ret_found)
{
	int r = store_view(c->s->service->store, find_box, y);

	*ret_found = r == 0;
	if (r == -ENOENT)
		return imap_no(c, "[TRYCREATE] There is no such mailbox");
	return r < 0 ? imap_failed(c, r) : 0;
}

static int run(struct imap_call *c, struct copying *y, bool move)
{
	bool found;
	int r = imap_pick(c->s, &y->set, c->uid, &y->picks);

	if (r == -EBADMSG)
		return imap_bad(c, "There is no message of that number");
	if (r == 0)
		r = make_lists(y);
	if (r < 0)
		return imap_failed(c, r);
	r = find_target(c, y, &found);
	if (r < 0 || !found)
		return r;
	r = move ? move_all(y) : copy_all(y);
	if (y->count > 0 && (r == 0 || move))
		imap_changed(c->s);
	if (move)
		return end_move(c, y, r);
	if (r == -ENOENT)
		return imap_no(c, "[EXPUNGEISSUED] Some of the messages are gone");
	return r < 0 ? imap_failed(c, r) : end_copy(c, y);
}

static int copy_or_move(struct imap_call *c, bool move)
{
	_cleanup_(copying_done) struct copying y = {.s = c->s, .name = BUF_INIT(IMAP_LITERAL_MAX)};
	int r = in_copy(&c->in, &y);

	if (r == -EBADMSG)
		return imap_bad(c, "%s takes messages and a mailbox", c->command->name);
	if (r == -EINVAL)
		return imap_no(c, "[CANNOT] No mailbox can have that name");
	if (r < 0)
		return imap_failed(c, r);
	if (move && c->s->box.read_only)
		return imap_no(c, "[READ-ONLY] The mailbox is open for reading only");
	return run(c, &y, move);
}

int imap_cmd_copy(struct imap_call *c)
{
	return copy_or_move(c, false);
}

int imap_cmd_move(struct imap_call *c)
{
	return copy_or_move(c, true);
}
