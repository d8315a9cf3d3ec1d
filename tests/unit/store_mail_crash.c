/*
 * Who delivers and moves mail is killed at random moments, and what was not acknowledged is
 * submitted again: everything is there, for every recipient, once, and in one mailbox. The seed is
 * printed.
 */
#include "base/num.h"
#include "base/timefmt.h"
#include "tests/unit/lib/mail_acts.h"
#include "tests/unit/lib/store_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { WRITERS = 3, ROUNDS = 12, TEXT = 32, EACH_MAX = 400, MESSAGES_MAX = 20000 };

static const char *const names[WRITERS] = {"w0", "w1", "w2"};

struct crash {
	struct store_fixture *f;
	int acks_fd[WRITERS]; /* a byte for each delivery of the round that came back */
	uint64_t inbox[WRITERS], archive[WRITERS];
	unsigned sent[ROUNDS][WRITERS]; /* deliveries, the last perhaps after the kill */
	unsigned again, random;
};

struct job {
	struct crash *c;
	unsigned round, who;
};

static unsigned next_random(unsigned *random)
{
	*random = *random * 1103515245U + 12345U;
	return *random >> 8;
}

/* -- writers ----------------------------------------------------------------------------------- */

/* The same each time it is asked for: who gets the writer's message of that number. */
static bool goes_to(const struct job *j, unsigned number, unsigned recipient)
{
	unsigned random = j->round * 1000 + number;

	return recipient == j->who || (next_random(&random) >> recipient & 1) != 0;
}

static void text_of(const struct job *j, unsigned number, char ret[TEXT])
{
	(void)snprintf(ret, TEXT, "%u.%u.%u", j->round, j->who, number);
}

static int deliver(
	struct store *s, const struct job *j, unsigned number, struct mail_deliver_result *ret)
{
	struct mail_delivery d;
	char text[TEXT], to[TEXT] = "";

	for (unsigned i = 0; i < WRITERS; i++)
		if (goes_to(j, number, i))
			(void)snprintf(to + strlen(to), sizeof(to) - strlen(to), "%s%s",
				to[0] != '\0' ? " " : "", names[i]);
	text_of(j, number, text);
	mail_acts_delivery(&d, names[j->who], to, text);
	return mail_acts_send(s, &d, ret);
}

static int move(struct store *s, const struct job *j, unsigned number)
{
	const uint32_t uids[] = {1 + number, 3 + 2 * number};
	struct mail_copy_args a = {.from = j->c->inbox[j->who],
		.to = j->c->archive[j->who],
		.uids = uids,
		.count = 2,
		.now_us = FIXTURE_NOW};
	struct mail_move_result r;

	(void)snprintf(a.account, sizeof(a.account), "%s", names[j->who]);
	return store_call(s, STORE_OP_MAIL_MOVE, &a, &r);
}

static int flag(struct store *s, const struct job *j, unsigned number)
{
	struct mail_flags_result r;

	return mail_acts_flag(s,
		(struct mail_flagging){names[j->who], j->c->inbox[j->who], 1 + number * 2,
			MAIL_FLAGS_ADD, MAIL_SEEN | MAIL_DELETED, "word"},
		&r);
}

static int write_for_ever(struct store *s, void *arg)
{
	const struct job *j = arg;
	struct mail_deliver_result r;

	for (unsigned number = 0; number < EACH_MAX - 1; number++) {
		if (deliver(s, j, number, &r) < 0 || write(j->c->acks_fd[j->who], "x", 1) != 1)
			return 1;
		if (flag(s, j, number) < 0 || move(s, j, number + j->round) < 0)
			return 1;
	}
	for (;;)
		(void)pause();
}

/* -- a round ----------------------------------------------------------------------------------- */

/* What was acknowledged is not delivered again; what may have been, is if it was not, as a whole.
 */
static void submit_again(struct crash *c, const struct job *j)
{
	const off_t acks = lseek(c->acks_fd[j->who], 0, SEEK_END);
	struct mail_deliver_result r;
	unsigned count = 0;

	assert_in_range(acks, 0, EACH_MAX - 1);
	for (unsigned i = 0; i < WRITERS; i++)
		count += goes_to(j, (unsigned)acks, i);
	assert_int_equal(deliver(c->f->s, j, (unsigned)acks, &r), 0);
	assert_true(r.delivered == count || r.duplicates == count);
	c->again += r.duplicates == count;
	if (acks > 0) {
		assert_int_equal(deliver(c->f->s, j, (unsigned)acks - 1, &r), 0);
		assert_int_equal(r.delivered, 0);
	}
	c->sent[j->round][j->who] = (unsigned)acks + 1;
	assert_int_equal(ftruncate(c->acks_fd[j->who], 0), 0);
}

static void run(struct crash *c, unsigned round)
{
	struct job jobs[WRITERS];
	pid_t pids[WRITERS];

	for (unsigned w = 0; w < WRITERS; w++) {
		jobs[w] = (struct job){.c = c, .round = round, .who = w};
		pids[w] = fixture_fork(c->f, write_for_ever, &jobs[w]);
	}
	for (unsigned w = 0; w < WRITERS; w++) {
		(void)usleep(4000 + next_random(&c->random) % 30000);
		assert_int_equal(kill(pids[w], SIGKILL), 0);
		assert_int_equal(fixture_wait(pids[w]), -SIGKILL);
	}
	for (unsigned w = 0; w < WRITERS; w++)
		submit_again(c, &jobs[w]);
}

/* -- afterwards -------------------------------------------------------------------------------- */

struct found {
	unsigned count;
	uint64_t boxes[2];
	unsigned char blobs[MESSAGES_MAX][BLOB_ID_LEN];
};

static int find_one(void *arg, const struct mail_message *m)
{
	struct found *f = arg;

	assert_true(f->count < MESSAGES_MAX);
	memcpy(f->blobs[f->count++], m->blob, BLOB_ID_LEN);
	return 0;
}

static int find_all(struct store_txn *txn, void *arg)
{
	struct found *f = arg;
	int rc = mail_messages_each(txn, f->boxes[0], 1, find_one, f);

	return rc < 0 ? rc : mail_messages_each(txn, f->boxes[1], 1, find_one, f);
}

/* How often the recipient has it: it goes out of the list. */
static unsigned take(struct found *f, const struct job *j, unsigned number)
{
	char text[TEXT];
	struct mail_body body;
	unsigned times = 0;

	text_of(j, number, text);
	body = mail_acts_body(text);
	for (unsigned i = 0; i < f->count; i++) {
		if (memcmp(f->blobs[i], body.blob.id, BLOB_ID_LEN) != 0)
			continue;
		memcpy(f->blobs[i--], f->blobs[--f->count], BLOB_ID_LEN);
		times++;
	}
	return times;
}

static unsigned expect_all_of(struct crash *c, unsigned recipient)
{
	struct found *f = calloc(1, sizeof(*f));
	unsigned total;

	assert_non_null(f);
	f->boxes[0] = c->inbox[recipient];
	f->boxes[1] = c->archive[recipient];
	assert_int_equal(store_view(c->f->s, find_all, f), 0);
	total = f->count;
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned who = 0; who < WRITERS; who++) {
			const struct job j = {.c = c, .round = round, .who = who};

			for (unsigned n = 0; n < c->sent[round][who]; n++)
				assert_int_equal(take(f, &j, n), goes_to(&j, n, recipient));
		}
	}
	assert_int_equal(f->count, 0);
	free(f);
	return total;
}

static void prepare(struct crash *c)
{
	struct mail_open_args o = {.now_us = FIXTURE_NOW};
	char path[96];

	for (unsigned w = 0; w < WRITERS; w++) {
		fixture_account(c->f->s, names[w]);
		(void)snprintf(o.account, sizeof(o.account), "%s", names[w]);
		assert_int_equal(store_call(c->f->s, STORE_OP_MAIL_OPEN, &o, NULL), 0);
		c->inbox[w] = mail_acts_box(c->f->s, names[w], "INBOX").id;
		c->archive[w] = mail_acts_box(c->f->s, names[w], "Archive").id;
		(void)snprintf(path, sizeof(path), "%s/acks%u", c->f->dir, w);
		c->acks_fd[w] = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		assert_true(c->acks_fd[w] >= 0);
	}
}

static unsigned seed(void)
{
	const char *text = getenv("QUINTET_TEST_SEED");
	uint64_t ret = (uint64_t)time_now_us() % UINT32_MAX;

	if (text != NULL)
		(void)num_parse_u64(span_str(text), 0, UINT32_MAX, &ret);
	return (unsigned)ret;
}

static void test_killed(void **state)
{
	struct crash c = {.f = *state, .random = seed()};
	unsigned archived = 0;

	print_message("QUINTET_TEST_SEED=%u\n", c.random);
	prepare(&c);
	for (unsigned round = 0; round < ROUNDS; round++)
		run(&c, round);
	for (unsigned w = 0; w < WRITERS; w++) {
		print_message("%u messages\n", expect_all_of(&c, w));
		archived += mail_acts_box(c.f->s, names[w], "Archive").messages;
		(void)close(c.acks_fd[w]);
	}
	print_message("%u moved, %u were there although nobody was told\n", archived, c.again);
	assert_true(archived > 0);
	mail_acts_check(c.f->s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_killed)};

	return cmocka_run_group_tests(tests, store_fixture_setup, store_fixture_teardown);
}
