/*
 * Writers to one log that are killed at random moments, while others read it: what was acknowledged
 * is there, nothing is there twice, a commit is there as a whole or not at all, what was read once
 * stays as it was, and the histories tell the same. The seed is printed.
 */
#include "base/num.h"
#include "base/timefmt.h"
#include "tests/unit/lib/chat_acts.h"
#include "tests/unit/lib/chat_fixture.h"
#include "tests/unit/lib/chat_say.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { WRITERS = 3, READERS = 2, ROUNDS = 12, BATCH = 8, LINE = 64 };

struct crash {
	struct store_fixture *f;
	struct chat_actor people[WRITERS];
	int written_fd; /* what was acknowledged: "position text" */
	int read_fd[READERS]; /* what was read, likewise */
	char written[96], read[READERS][96], stop[96];
	unsigned random;
};

/* One process's part in it. */
struct job {
	struct crash *c;
	unsigned round, who;
};

static unsigned next_random(unsigned *random)
{
	*random = *random * 1103515245U + 12345U;
	return *random >> 8;
}

static int note(int fd, uint64_t seq, struct span text)
{
	char line[LINE];
	int len = snprintf(line, sizeof(line), "%ju %.*s\n", (uintmax_t)seq, (int)text.len,
		(const char *)text.p);

	return write(fd, line, (size_t)len) == len ? 0 : -EIO;
}

/* -- writers and readers ----------------------------------------------------------------------- */

/* "ROUND.WRITER.NUMBER.PLACE/COUNT": the place in its commit of count messages. */
static int write_one(struct store *s, const struct job *j, unsigned number, unsigned *random)
{
	static const char *const targets[] = {"#c", "#c", "w0", "w1"};
	size_t count = 1 + next_random(random) % BATCH;
	struct chat_post posts[BATCH];
	char texts[BATCH][LINE];
	struct chat_post_args a = {.by = j->c->people[j->who], .posts = posts, .count = count};
	struct chat_post_result r;
	int rc;

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "%u.%u.%u.%zu/%zu", j->round, j->who,
			number, i, count);
		posts[i] = say_message(targets[next_random(random) % 4], texts[i]);
	}
	a.by.now_us = time_now_us();
	rc = store_call(s, STORE_OP_CHAT_POST, &a, &r);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = r.each[i] == CHAT_DONE ? note(j->c->written_fd, r.seq[i], posts[i].text)
					    : -EPERM;
	return rc;
}

static int write_for_ever(struct store *s, void *arg)
{
	const struct job *j = arg;
	unsigned random = j->c->random + j->round * WRITERS + j->who;

	for (unsigned number = 0;; number++)
		if (write_one(s, j, number, &random) < 0)
			return 1;
}

struct reading {
	const struct job *job;
	uint64_t seq;
};

static int read_one(void *arg, const struct chat_event *e)
{
	struct reading *r = arg;

	if (e->seq != r->seq + 1)
		return -EILSEQ;
	r->seq = e->seq;
	return note(r->job->c->read_fd[r->job->who], e->seq, e->text);
}

static int read_new(struct store_txn *txn, void *arg)
{
	struct reading *r = arg;

	return chat_events_each(txn, r->seq, read_one, r);
}

/* Until told to stop, and then to the end. */
static int read_all(struct store *s, void *arg)
{
	struct reading r = {.job = arg};
	bool last = false;

	for (;;) {
		bool stop = access(r.job->c->stop, F_OK) == 0;

		if (store_view(s, read_new, &r) < 0)
			return 1;
		if (last)
			return 0;
		last = stop;
		(void)usleep(500);
	}
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
		(void)usleep(2000 + next_random(&c->random) % 20000);
		assert_int_equal(kill(pids[w], SIGKILL), 0);
		assert_int_equal(fixture_wait(pids[w]), -SIGKILL);
	}
}

/* -- afterwards -------------------------------------------------------------------------------- */

struct line {
	uint64_t seq;
	struct span text;
};

/* Calls check for each line; their count. */
static unsigned each_line(const char *path, void (*check)(void *arg, struct line line), void *arg)
{
	FILE *file = fopen(path, "re");
	char text[LINE];
	unsigned lines = 0;

	assert_non_null(file);
	while (fgets(text, sizeof(text), file) != NULL) {
		struct span rest = span_of(text, strlen(text) - 1), number;
		struct line line;

		assert_true(span_split(&rest, ' ', &number));
		assert_int_equal(num_parse_u64(number, 1, UINT64_MAX, &line.seq), 0);
		line.text = rest;
		check(arg, line);
		lines++;
	}
	(void)fclose(file);
	return lines;
}

static void expect_event(void *arg, struct line line)
{
	struct said k = say_event(arg, line.seq);

	assert_true(span_eq_str(line.text, k.text));
}

struct order {
	uint64_t seq;
	int64_t at_us;
	unsigned next[ROUNDS][WRITERS]; /* number of the next commit of each writer */
	size_t place, count; /* of the one message behind which a commit goes on */
	unsigned messages;
};

static uint64_t part_of(struct span *rest, unsigned char end)
{
	struct span part;
	uint64_t n;

	assert_true(span_split(rest, end, &part));
	assert_int_equal(num_parse_u64(part, 0, UINT32_MAX, &n), 0);
	return n;
}

/* Each writer's commits one after the other, each whole and in one piece. */
static int expect_order(void *arg, const struct chat_event *e)
{
	struct order *o = arg;
	struct span rest = e->text;
	uint64_t round, who, number;

	assert_int_equal(e->seq, ++o->seq);
	assert_true(e->at_us >= o->at_us);
	o->at_us = e->at_us;
	if (e->kind != CHAT_PRIVMSG)
		return 0;
	round = part_of(&rest, '.');
	who = part_of(&rest, '.');
	number = part_of(&rest, '.');
	assert_true(round < ROUNDS && who < WRITERS);
	assert_int_equal(number, o->next[round][who]);
	assert_int_equal(part_of(&rest, '/'), o->place);
	o->count = (size_t)part_of(&rest, '/');
	if (++o->place == o->count) {
		o->place = 0;
		o->next[round][who]++;
	}
	o->messages++;
	return 0;
}

static int read_order(struct store_txn *txn, void *arg)
{
	return chat_events_each(txn, 0, expect_order, arg);
}

struct comparing {
	struct chat_target target;
	uint64_t seqs_sum;
	unsigned count;
};

static int sum_one(void *arg, const struct chat_event *e)
{
	struct comparing *c = arg;

	c->seqs_sum = c->seqs_sum * 31 + e->seq;
	c->count++;
	return 0;
}

static int sum_if_its(void *arg, const struct chat_event *e)
{
	struct comparing *c = arg;
	const struct chat_target *t = &c->target;
	bool its = t->channel != 0 ? e->channel == t->channel
				   : (span_eq_str(e->who, t->a) && span_eq_str(e->peer, t->b)) ||
			(span_eq_str(e->who, t->b) && span_eq_str(e->peer, t->a));

	return e->kind == CHAT_PRIVMSG && its ? sum_one(c, e) : 0;
}

/* A history is what the log says of it. */
static int compare(struct store_txn *txn, void *arg)
{
	const struct chat_range all = {.max = SIZE_MAX, .messages_only = true};
	struct comparing *from_log = arg, history = {.target = from_log->target};
	int rc = chat_events_each(txn, 0, sum_if_its, from_log);

	if (rc == 0)
		rc = chat_log_each(txn, &history.target, &all, sum_one, &history);
	assert_int_equal(history.count, from_log->count);
	assert_int_equal(history.seqs_sum, from_log->seqs_sum);
	return rc;
}

static void expect_histories(struct store *s)
{
	struct comparing c = {.target = {.channel = acts_channel(s, "#c").id}};
	unsigned talks = 0;

	assert_int_equal(store_view(s, compare, &c), 0);
	assert_true(c.count > 0);
	for (unsigned a = 0; a < WRITERS; a++) {
		for (unsigned b = 0; b <= a; b++) {
			c = (struct comparing){.count = 0};
			(void)snprintf(c.target.a, sizeof(c.target.a), "w%u", a);
			(void)snprintf(c.target.b, sizeof(c.target.b), "w%u", b);
			assert_int_equal(store_view(s, compare, &c), 0);
			talks += c.count > 0;
		}
	}
	assert_true(talks > 1);
}

/* -- all of it --------------------------------------------------------------------------------- */

static int open_journal(const struct crash *c, const char *name, char ret_path[96])
{
	int fd;

	(void)snprintf(ret_path, 96, "%s/%s", c->f->dir, name);
	fd = open(ret_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static void prepare(struct crash *c)
{
	char name[16];

	say_policy(c->f->s, "chat_flood_rate", "0");
	say_policy(c->f->s, "chat_quota_day", "0");
	for (unsigned w = 0; w < WRITERS; w++) {
		(void)snprintf(name, sizeof(name), "w%u", w);
		c->people[w] = chat_fixture_person(c->f->s, name, name);
		assert_int_equal(acts_enter(c->f->s, c->people[w], "#c"), CHAT_DONE);
	}
	c->written_fd = open_journal(c, "written", c->written);
	for (unsigned r = 0; r < READERS; r++) {
		(void)snprintf(name, sizeof(name), "read%u", r);
		c->read_fd[r] = open_journal(c, name, c->read[r]);
	}
	(void)snprintf(c->stop, sizeof(c->stop), "%s/stop", c->f->dir);
}

static void expect_all(struct crash *c)
{
	struct order o = {.at_us = INT64_MIN};
	struct store *s = c->f->s;

	assert_int_equal(store_view(s, read_order, &o), 0);
	assert_int_equal(o.place, 0);
	assert_true(each_line(c->written, expect_event, s) <= o.messages);
	for (unsigned r = 0; r < READERS; r++)
		assert_int_equal(each_line(c->read[r], expect_event, s), o.seq);
	expect_histories(s);
	assert_int_equal(store_check(s, NULL, NULL), 0);
	print_message("%u messages\n", o.messages);
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
	struct job readers[READERS];
	pid_t pids[READERS];
	char path[96];

	print_message("QUINTET_TEST_SEED=%u\n", c.random);
	prepare(&c);
	for (unsigned r = 0; r < READERS; r++) {
		readers[r] = (struct job){.c = &c, .who = r};
		pids[r] = fixture_fork(c.f, read_all, &readers[r]);
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		run(&c, round);
	(void)close(open_journal(&c, "stop", path));
	for (unsigned r = 0; r < READERS; r++)
		assert_int_equal(fixture_wait(pids[r]), 0);
	expect_all(&c);
	(void)close(c.written_fd);
	for (unsigned r = 0; r < READERS; r++)
		(void)close(c.read_fd[r]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_killed)};

	return cmocka_run_group_tests(tests, store_fixture_setup, store_fixture_teardown);
}
