/* From frames to operations: rights, arguments, one commit, answers. */
#include "services/keeper/keeper.h"

#include "base/timefmt.h"
#include "store/policy.h"
#include "store/remote.h"

#include <errno.h>

enum { COMPLAIN_MS = 1000 };

void keeper_complain(struct keeper *k, const struct caller *c, const char *what, const char *op)
{
	int64_t now_ms = time_monotonic_ms();
	char pid[16], unsaid[16];

	if (k->complained_ms != 0 && now_ms - k->complained_ms < COMPLAIN_MS) {
		k->unsaid++;
		return;
	}
	(void)snprintf(pid, sizeof(pid), "%d", (int)c->pid);
	(void)snprintf(unsaid, sizeof(unsaid), "%u", k->unsaid);
	log_event(LOG_LEVEL_WARNING, what,
		log_fields({"CALLER", span_str(rights_name(c->kind))},
			{"CALLER_PID", span_str(pid)}, {"OPERATION", span_str(op)},
			{"UNSAID", span_str(unsaid)}));
	k->complained_ms = now_ms;
	k->unsaid = 0;
}

/* What the store says of sign-up now; it concerns one operation only. */
static int check_rights(
	const struct keeper *k, const struct caller *c, enum store_op op, const void *args)
{
	char sign_up[POLICY_VALUE_SIZE] = "closed";
	const struct keeper_house house = {.sign_up = sign_up, .domain = k->settings.domain};
	int rc = 0;

	if (op == STORE_OP_ACCOUNT_CREATE)
		rc = policy_text(k->store, "signup", sign_up);
	return rc < 0 ? rc : rights_check(c->kind, c->pid, op, args, &house);
}

/* Was it carried out before its caller lost us? 1: so, and item is the answer. */
static int look_back(
	struct keeper *k, const struct remote_call_head *head, struct store_batch_item *item)
{
	int rc = store_batch_answer(k->store, &head->ticket, head->op, item);

	k->stats.again++;
	if (rc == -ENOENT)
		return 0;
	return rc < 0 ? rc : 1;
}

/* Whoever rings and is not heard tries to bury the session, and need not know whose it was. */
static bool buries(enum store_op op)
{
	return op == STORE_OP_BELL_REMOVE || op == STORE_OP_SESSION_REMOVE;
}

/* 0: it is to be done. 1: item is the answer already. Negative: that is the answer. */
static int prepare(struct keeper *k, struct caller *c, const struct remote_call_head *head,
	struct store_batch_item *item)
{
	const struct op_def *def = op_find(head->op);
	void *args = NULL;
	int rc;

	if (head->version != shape_version())
		return -ESTALE;
	if (def == NULL)
		return -EINVAL;
	rc = shape_take(head->op, head->args, &k->batch->arena, &args);
	if (rc == 0)
		rc = check_rights(k, c, head->op, args);
	if (rc == -EPERM) {
		k->stats.refused++;
		if (!buries(head->op))
			keeper_complain(k, c, "a caller may not do that", def->name);
	}
	if (rc < 0)
		return rc;
	item->args = args;
	return head->again ? look_back(k, head, item) : 0;
}

/* A call joins the batch, or is answered at once. */
static void take(struct keeper *k, struct caller *c)
{
	struct keeper_batch *b = k->batch;
	struct store_batch_item *item = &b->items[b->count];
	struct remote_call_head head;
	int rc = remote_call_read(buf_span(&c->in), &head);

	if (rc < 0) {
		keeper_complain(k, c, "a caller broke the protocol", "");
		caller_drop(k, c);
		return;
	}
	k->stats.calls++;
	/* Answers that are remembered can be read in the store: nobody answers for another user's
	 * call before it is made. */
	head.ticket.caller[0] = (unsigned char)c->kind;
	item->op = head.op;
	item->ticket = head.ticket;
	rc = prepare(k, c, &head, item);
	if (rc == 0) {
		b->of[b->count++] = c;
		b->bytes += c->in.len;
		return;
	}
	item->rc = rc < 0 ? rc : 0;
	caller_answer(k, c, item);
}

static void gather(struct keeper *k)
{
	struct keeper_batch *b = k->batch;

	b->count = 0;
	b->bytes = 0;
	while (b->count < KEEPER_CALLS_MAX && b->bytes < KEEPER_BYTES_MAX) {
		struct caller *c = caller_next(k);

		if (c == NULL)
			return;
		take(k, c);
	}
}

/* One who asks for much makes those behind him wait once, not all of them for all like him. */
static void put_back(struct keeper *k, size_t done)
{
	struct keeper_batch *b = k->batch;

	k->stats.calls -= b->count - done;
	for (; b->count > done; b->count--)
		caller_put_back(k, b->of[b->count - 1]);
}

static void answer_all(struct keeper *k, int rc)
{
	struct keeper_batch *b = k->batch;

	for (size_t i = 0; i < b->count; i++) {
		if (rc < 0)
			b->items[i].rc = rc;
		caller_answer(k, b->of[i], &b->items[i]);
	}
}

int keeper_commit(struct keeper *k)
{
	struct keeper_batch *b = k->batch;
	size_t done;
	int rc = 0;

	gather(k);
	done = b->count;
	if (b->count > 0) {
		rc = store_batch_some(k->store, b->items, b->count, KEEPER_COMMIT_MS, &done);
		put_back(k, done);
		if (rc < 0)
			log_msg(LOG_LEVEL_ERR, "a commit failed: %s", err_text(rc));
		k->stats.batches++;
		k->stats.largest = b->count > k->stats.largest ? b->count : k->stats.largest;
		k->worked = true;
	}
	answer_all(k, rc);
	shape_done(&b->arena);
	/* The store was migrated meanwhile: another program is to be started. */
	return rc == -ESTALE ? rc : 0;
}
