/*
 * What chat costs in the store: messages to one channel, each in a commit of its own and many in
 * one, with the disk waited for; then reading them: all events from a position, and pages of a
 * channel's history. Prints a table.
 *
 *	chat_store FOLDER MEMBERS COMMITS
 *
 * FOLDER, which must not exist, gets the store; it stays.
 */
#include "base/num.h"
#include "store/chat.h"
#include "store/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = CHAT_POSTS_MAX,
	MEMBERS_MAX = 1000,
	COMMITS_MAX = 1000000,
	PAGE = 100,
	PAGES = 2000
};

#define NOW_US INT64_C(1700000000000000)

struct bench {
	struct store *s;
	struct chat_actor by; /* the first guest */
	char who[CHAT_WHO_SIZE];
	uint64_t channel;
	uint64_t head;
	uint64_t counted, bytes;
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

/* -- what is there ----------------------------------------------------------------------------- */

static void policy(struct bench *b, const char *name, const char *value)
{
	struct policy_set_args a = {.now_us = NOW_US, .by = "bench"};

	(void)snprintf(a.name, sizeof(a.name), "%s", name);
	(void)snprintf(a.value, sizeof(a.value), "%s", value);
	must(store_call(b->s, STORE_OP_POLICY_SET, &a, NULL), name);
}

static void arrive(struct bench *b, unsigned n)
{
	struct session_row row = {.pid = (int32_t)getpid(), .service = "chatd"};
	struct chat_attach_result r = {.arrived = false};
	char nick[CHAT_NICK_SIZE], bell[64];
	struct chat_attach_args a = {.account = "", .bell = bell};
	struct chat_join_args join = {.channel = SPAN_LIT("#bench")};
	struct chat_join_result joined = {.channel = 0};
	uint64_t id = 0;

	(void)snprintf(nick, sizeof(nick), "guest%u", n);
	(void)snprintf(bell, sizeof(bell), "bell%u", n);
	must(store_call(b->s, STORE_OP_SESSION_ADD, &row, &id), "session");
	a.by = (struct chat_actor){.session = id, .who = "", .now_us = NOW_US};
	a.nick = span_str(nick);
	a.ident = SPAN_LIT("user");
	a.host = SPAN_LIT("guest/0123abcd");
	a.realname = SPAN_LIT("A guest");
	must(store_call(b->s, STORE_OP_CHAT_ATTACH, &a, &r), "attach");
	join.by = (struct chat_actor){.session = id, .who = r.user.who, .now_us = NOW_US};
	must(store_call(b->s, STORE_OP_CHAT_JOIN, &join, &joined), "join");
	b->channel = joined.channel;
	if (n > 0)
		return;
	memcpy(b->who, r.user.who, sizeof(b->who));
	b->by = (struct chat_actor){.session = id, .who = b->who, .now_us = NOW_US};
}

/* -- posting ----------------------------------------------------------------------------------- */

static void post(struct bench *b, size_t count)
{
	static const char text[] =
		"sixty-four bytes of a message, as people write them all day long";
	struct chat_post posts[BATCH];
	struct chat_post_args a = {.by = b->by, .posts = posts, .count = count};
	struct chat_post_result r;

	for (size_t i = 0; i < count; i++)
		posts[i] = (struct chat_post){
			.kind = CHAT_PRIVMSG, .target = SPAN_LIT("#bench"), .text = span_str(text)};
	must(store_call(b->s, STORE_OP_CHAT_POST, &a, &r), "post");
	must(r.each[count - 1] == CHAT_DONE ? 0 : -EPERM, "post");
	b->head = r.result.head;
	b->by.now_us += 1000;
}

static void row(const char *what, double n, double took_s)
{
	printf("%-36s %12.0f /s %10.3f us\n", what, n / took_s, took_s / n * 1e6);
}

static void measure_posts(struct bench *b, unsigned commits)
{
	double began = now_s();

	for (unsigned i = 0; i < commits; i++)
		post(b, 1);
	row("messages, each its own commit", commits, now_s() - began);
	began = now_s();
	for (unsigned i = 0; i < commits; i++)
		post(b, BATCH);
	row("messages, 64 in a commit", (double)commits * BATCH, now_s() - began);
}

/* -- reading ----------------------------------------------------------------------------------- */

static int count_one(void *arg, const struct chat_event *e)
{
	struct bench *b = arg;

	b->counted++;
	b->bytes += e->text.len;
	return 0;
}

static int read_all(struct store_txn *txn, void *arg)
{
	return chat_events_each(txn, 0, count_one, arg);
}

static int read_pages(struct store_txn *txn, void *arg)
{
	struct bench *b = arg;
	const struct chat_target target = {.channel = b->channel};
	struct chat_range range = {.max = PAGE, .newest = true, .messages_only = true};
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < PAGES; i++) {
		range.before = PAGE + (uint64_t)i * 7919 % b->head;
		rc = chat_log_each(txn, &target, &range, count_one, b);
	}
	return rc;
}

static int find_times(struct store_txn *txn, void *arg)
{
	struct bench *b = arg;
	const struct chat_target target = {.channel = b->channel};
	uint64_t seq;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < PAGES; i++)
		rc = chat_log_at(txn, &target, NOW_US + (int64_t)i * 1000, &seq);
	b->counted += PAGES;
	return rc;
}

static void measure(
	struct bench *b, const char *what, int (*view)(struct store_txn *txn, void *arg))
{
	double began = now_s();

	b->counted = 0;
	must(store_view(b->s, view, b), what);
	row(what, (double)b->counted, now_s() - began);
}

int main(int argc, char **argv)
{
	uint64_t members = 0, commits = 0;
	struct bench b = {.s = NULL};

	if (argc != 4 || num_parse_u64(span_str(argv[2]), 1, MEMBERS_MAX, &members) < 0 ||
		num_parse_u64(span_str(argv[3]), 1, COMMITS_MAX, &commits) < 0) {
		(void)fprintf(stderr, "usage: chat_store FOLDER MEMBERS COMMITS\n");
		return 100;
	}
	must(store_open(argv[1], STORE_CREATE, &b.s), argv[1]);
	policy(&b, "chat_flood_rate", "0");
	policy(&b, "chat_quota_day", "0");
	for (unsigned i = 0; i < members; i++)
		arrive(&b, i);
	printf("%ju members\n", (uintmax_t)members);
	measure_posts(&b, (unsigned)commits);
	policy(&b, "chat_flood_rate", "100000");
	policy(&b, "chat_flood_burst", "100000");
	policy(&b, "chat_quota_day", "1G");
	printf("the same, counted for flood and quota\n");
	measure_posts(&b, (unsigned)commits);
	measure(&b, "events read in order", read_all);
	measure(&b, "events read in pages of history", read_pages);
	measure(&b, "times found in a history", find_times);
	store_close(b.s);
	return 0;
}
