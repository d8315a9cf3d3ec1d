/*
 * What mail costs in the store: deliveries to one and to many, appends one by one and many in a
 * commit, with the disk waited for; changes of flags and moves of one message and of whole
 * mailboxes; then reading mailboxes and their changes, and expunging. Prints a table.
 *
 *	mail_store FOLDER COMMITS BYTES
 *
 * FOLDER, which must not exist, gets the store; it stays. BYTES: of a message.
 */
#include "base/hash.h"
#include "base/num.h"
#include "store/mail.h"
#include "store/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PEOPLE = 50, COMMITS_MAX = 1000000, BYTES_MAX = BLOB_INLINE_MAX, STRUCTURE = 400 };

#define NOW_US INT64_C(1700000000000000)

struct bench {
	struct store *s;
	char names[PEOPLE][ACCOUNT_NAME_SIZE];
	uint64_t inbox, archive; /* of the first */
	unsigned char bytes[BYTES_MAX], structure[STRUCTURE];
	size_t size;
	uint64_t number; /* of bodies so far */
	uint32_t uids[MAIL_BATCH_MAX]; /* the first so many of the INBOX */
	size_t batch;
	double counted;
};

static void must(int rc, const char *what)
{
	if (rc == 0)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, strerror(-rc));
	exit(1);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void row(const char *what, double n, double took_s)
{
	printf("%-44s %12.0f /s %10.3f us\n", what, n / took_s, took_s / n * 1e6);
}

/* A body that was never there; its bytes are the bench's, until the next. */
static struct mail_body body(struct bench *b)
{
	struct mail_body ret = {.structure = span_of(b->structure, sizeof(b->structure))};

	b->number++;
	memcpy(b->bytes, &b->number, sizeof(b->number));
	ret.blob.inline_bytes = span_of(b->bytes, b->size);
	ret.blob.size = b->size;
	must(hash_sha256(ret.blob.inline_bytes, ret.blob.id), "digest");
	return ret;
}

/* -- what is there ----------------------------------------------------------------------------- */

static int find_boxes(struct store_txn *txn, void *arg)
{
	struct bench *b = arg;
	struct mail_box box;
	int rc = mail_box_find(txn, b->names[0], SPAN_LIT("INBOX"), &box);

	b->inbox = rc == 0 ? box.id : 0;
	if (rc == 0)
		rc = mail_box_find(txn, b->names[0], SPAN_LIT("Archive"), &box);
	b->archive = rc == 0 ? box.id : 0;
	return rc;
}

static void prepare(struct bench *b)
{
	struct policy_set_args p = {
		.name = "mail_quota", .value = "100G", .now_us = NOW_US, .by = "bench"};

	must(store_call(b->s, STORE_OP_POLICY_SET, &p, NULL), "quota");
	for (unsigned i = 0; i < PEOPLE; i++) {
		struct account_create_args a = {.admin_act = true, .now_us = NOW_US};
		struct mail_open_args o = {.now_us = NOW_US};

		(void)snprintf(b->names[i], sizeof(b->names[i]), "user%u", i);
		memcpy(a.name, b->names[i], sizeof(a.name));
		memcpy(o.account, b->names[i], sizeof(o.account));
		must(store_call(b->s, STORE_OP_ACCOUNT_CREATE, &a, NULL), "account");
		must(store_call(b->s, STORE_OP_MAIL_OPEN, &o, NULL), "mail");
	}
	must(store_view(b->s, find_boxes, b), "boxes");
}

/* -- adding ------------------------------------------------------------------------------------ */

static void deliver(struct bench *b, size_t recipients, bool track)
{
	struct mail_deliver_args a = {.sender = "user1",
		.recipients = (const char(*)[ACCOUNT_NAME_SIZE])b->names,
		.count = recipients,
		.track = track,
		.msgid = "<0123456789.abcdef@example.org>",
		.from = "user1@example.org",
		.subject = "A subject as people write them",
		.now_us = NOW_US};
	struct mail_deliver_result r;

	a.body = body(b);
	memcpy(a.key, a.body.blob.id, sizeof(a.key));
	must(store_call(b->s, STORE_OP_MAIL_DELIVER, &a, &r), "deliver");
}

static void append(struct bench *b, size_t count)
{
	static unsigned char copies[MAIL_APPEND_MAX][BYTES_MAX];
	struct mail_append_item items[MAIL_APPEND_MAX];
	struct mail_append_args a = {.account = "user0",
		.box = b->inbox,
		.items = items,
		.count = count,
		.now_us = NOW_US};
	struct mail_added r;

	for (size_t i = 0; i < count; i++) {
		items[i] = (struct mail_append_item){.body = body(b)};
		memcpy(copies[i], b->bytes, b->size);
		items[i].body.blob.inline_bytes.p = copies[i];
	}
	must(store_call(b->s, STORE_OP_MAIL_APPEND, &a, &r), "append");
}

static void measure_adding(struct bench *b, unsigned commits)
{
	const unsigned many = commits / 10 + 1;
	double began = now_s();

	for (unsigned i = 0; i < commits; i++)
		deliver(b, 1, false);
	row("deliveries to one", commits, now_s() - began);
	began = now_s();
	for (unsigned i = 0; i < commits; i++)
		deliver(b, 1, true);
	row("the same, and what was sent is noted", commits, now_s() - began);
	began = now_s();
	for (unsigned i = 0; i < many; i++)
		deliver(b, PEOPLE, false);
	row("deliveries to 50, each counted", (double)many * PEOPLE, now_s() - began);
	began = now_s();
	for (unsigned i = 0; i < commits; i++)
		append(b, 1);
	row("appends, each its own commit", commits, now_s() - began);
	began = now_s();
	for (unsigned i = 0; i < many; i++)
		append(b, MAIL_APPEND_MAX);
	row("appends, 64 in a commit", (double)many * MAIL_APPEND_MAX, now_s() - began);
}

/* -- changing ---------------------------------------------------------------------------------- */

static void flag(struct bench *b, const uint32_t *uids, size_t count, enum mail_flags_how how)
{
	struct mail_flags_args a = {.account = "user0",
		.box = b->inbox,
		.uids = uids,
		.count = count,
		.how = how,
		.flags = {.system = MAIL_SEEN},
		.now_us = NOW_US};
	struct mail_flags_result r;

	must(store_call(b->s, STORE_OP_MAIL_FLAGS, &a, &r), "flags");
	must(r.modseq != 0 ? 0 : -ENOENT, "flags");
}

static void transfer(struct bench *b, enum store_op op, uint64_t to, size_t count)
{
	struct mail_copy_args a = {.account = "user0",
		.from = b->inbox,
		.to = to,
		.uids = b->uids,
		.count = count,
		.now_us = NOW_US};
	struct mail_move_result r;

	must(store_call(b->s, op, &a, &r), "copy");
}

static void measure_changing(struct bench *b, unsigned commits)
{
	const size_t batch = b->batch;
	double began = now_s();

	for (unsigned i = 0; i < commits; i++)
		flag(b, &b->uids[i % batch], 1,
			i / batch % 2 == 0 ? MAIL_FLAGS_ADD : MAIL_FLAGS_REMOVE);
	row("flag changes, each its own commit", commits, now_s() - began);
	began = now_s();
	for (unsigned i = 0; i < 8; i++) {
		flag(b, b->uids, batch, MAIL_FLAGS_ADD);
		flag(b, b->uids, batch, MAIL_FLAGS_REMOVE);
	}
	row("flag changes, a batch in a commit", 16.0 * (double)batch, now_s() - began);
	began = now_s();
	for (unsigned i = 0; i < 4; i++)
		transfer(b, STORE_OP_MAIL_COPY, b->archive, batch);
	row("copies, a batch in a commit", 4.0 * (double)batch, now_s() - began);
	began = now_s();
	transfer(b, STORE_OP_MAIL_MOVE, b->archive, batch);
	row("moves, a batch in a commit", (double)batch, now_s() - began);
}

static void measure_expunging(struct bench *b)
{
	struct mail_expunge_args a = {
		.account = "user0", .box = b->archive, .any_flags = true, .now_us = NOW_US};
	struct mail_expunge_result r = {.more = true};
	double began = now_s(), count = 0;

	while (r.more) {
		must(store_call(b->s, STORE_OP_MAIL_EXPUNGE, &a, &r), "expunge");
		count += r.count;
	}
	row("expunges, a batch in a commit", count, now_s() - began);
}

/* -- reading ----------------------------------------------------------------------------------- */

static int count_message(void *arg, const struct mail_message *m)
{
	struct bench *b = arg;

	b->counted += m->uid > 0;
	return 0;
}

static int count_change(void *arg, const struct mail_change *c)
{
	struct bench *b = arg;

	b->counted += c->uid > 0;
	return 0;
}

static int read_messages(struct store_txn *txn, void *arg)
{
	const struct bench *b = arg;

	return mail_messages_each(txn, b->inbox, 1, count_message, arg);
}

static int read_changes(struct store_txn *txn, void *arg)
{
	const struct bench *b = arg;

	return mail_changes_each(txn, b->inbox, 0, count_change, arg);
}

static int read_box(struct store_txn *txn, void *arg)
{
	struct bench *b = arg;
	struct mail_box box;

	b->counted++;
	return mail_box_read(txn, b->names[0], b->inbox, &box);
}

static void measure(struct bench *b, const char *what, unsigned times,
	int (*view)(struct store_txn *txn, void *arg))
{
	double began = now_s();

	b->counted = 0;
	for (unsigned i = 0; i < times; i++)
		must(store_view(b->s, view, b), what);
	row(what, b->counted, now_s() - began);
}

static int gather_uid(void *arg, const struct mail_message *m)
{
	struct bench *b = arg;

	b->uids[b->batch++] = m->uid;
	return b->batch == MAIL_BATCH_MAX;
}

static int gather(struct store_txn *txn, void *arg)
{
	struct bench *b = arg;
	int rc = mail_messages_each(txn, b->inbox, 1, gather_uid, b);

	return rc < 0 ? rc : 0;
}

int main(int argc, char **argv)
{
	static struct bench b;
	uint64_t commits = 0, size = 0;

	if (argc != 4 || num_parse_u64(span_str(argv[2]), 1, COMMITS_MAX, &commits) < 0 ||
		num_parse_u64(span_str(argv[3]), sizeof(b.number), BYTES_MAX, &size) < 0) {
		(void)fprintf(stderr, "usage: mail_store FOLDER COMMITS BYTES\n");
		return 100;
	}
	b.size = (size_t)size;
	must(store_open(argv[1], STORE_CREATE, &b.s), argv[1]);
	prepare(&b);
	measure_adding(&b, (unsigned)commits);
	must(store_view(b.s, gather, &b), "uids");
	measure(&b, "messages read in order", 4, read_messages);
	measure(&b, "changes read in order", 4, read_changes);
	measure(&b, "views of a mailbox's row", 100000, read_box);
	measure_changing(&b, (unsigned)commits);
	measure_expunging(&b);
	store_close(b.s);
	return 0;
}
