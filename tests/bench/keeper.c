/*
 * Durable writes by many processes at once, each with one operation under way: directly, or through
 * the keeper. Prints one line: operations in all, seconds, then the waits' median, 99th hundredth
 * and longest in microseconds, and the fewest and most operations of one process.
 *
 *	keeper make STATE              the store, with people in it
 *	keeper audit|mail STATE SOCKET WRITERS SECONDS
 *
 * SOCKET "": directly. audit: a row of the audit table; mail: a message of 2 KiB to one mailbox.
 */
#include "base/hash.h"
#include "base/num.h"
#include "store/audit.h"
#include "store/mail.h"
#include "store/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PEOPLE = 64, WRITERS_MAX = 256, SECONDS_MAX = 60, BODY = 2048, STRUCTURE = 200 };
enum { WAITS_MAX = 1 << 17 }; /* of one process; more are not kept */

#define NOW_US INT64_C(1700000000000000)

/* What one process tells: in memory shared with its parent. */
struct tally {
	uint64_t count;
	uint32_t waits_us[WAITS_MAX];
};

struct writer {
	struct store *s;
	unsigned who;
	uint64_t number;
	unsigned char body[BODY], structure[STRUCTURE];
};

static void must(int rc, const char *what)
{
	if (rc == 0)
		return;
	(void)fprintf(stderr, "%s: %s %s\n", what, strerror(-rc), store_open_reason());
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void name_of(unsigned who, char ret[ACCOUNT_NAME_SIZE])
{
	(void)snprintf(ret, ACCOUNT_NAME_SIZE, "user%u", who % PEOPLE);
}

static void make(const char *state)
{
	struct policy_set_args p = {
		.name = "mail_quota", .value = "100G", .now_us = NOW_US, .by = "bench"};
	struct store *s = NULL;

	must(store_open(state, STORE_CREATE, &s), state);
	must(store_call(s, STORE_OP_POLICY_SET, &p, NULL), "quota");
	for (unsigned i = 0; i < PEOPLE; i++) {
		struct account_create_args a = {.admin_act = true, .now_us = NOW_US};
		struct mail_open_args o = {.now_us = NOW_US};

		name_of(i, a.name);
		name_of(i, o.account);
		must(store_call(s, STORE_OP_ACCOUNT_CREATE, &a, NULL), "account");
		must(store_call(s, STORE_OP_MAIL_OPEN, &o, NULL), "mail");
	}
	store_close(s);
}

/* -- one operation ----------------------------------------------------------------------------- */

static void append_audit(struct writer *w)
{
	struct audit_row row = {.at_us = NOW_US, .event = "bench", .by = "192.0.2.1"};

	name_of(w->who, row.account);
	must(store_call(w->s, STORE_OP_AUDIT_APPEND, &row, NULL), "audit");
}

static void deliver_mail(struct writer *w)
{
	char to[1][ACCOUNT_NAME_SIZE];
	struct mail_deliver_args a = {.sender = "user1",
		.recipients = (const char(*)[ACCOUNT_NAME_SIZE])to,
		.count = 1,
		.msgid = "<0123456789.abcdef@example.org>",
		.from = "user1@example.org",
		.subject = "A subject as people write them",
		.now_us = NOW_US};
	struct mail_deliver_result r;

	name_of(w->who, to[0]);
	w->number++;
	memcpy(w->body, &w->number, sizeof(w->number));
	memcpy(w->body + sizeof(w->number), &w->who, sizeof(w->who));
	a.body.structure = span_of(w->structure, sizeof(w->structure));
	a.body.blob.inline_bytes = span_of(w->body, sizeof(w->body));
	a.body.blob.size = sizeof(w->body);
	must(hash_sha256(a.body.blob.inline_bytes, a.body.blob.id), "digest");
	memcpy(a.key, a.body.blob.id, sizeof(a.key));
	must(store_call(w->s, STORE_OP_MAIL_DELIVER, &a, &r), "deliver");
}

static const struct {
	const char *name;
	void (*run)(struct writer *w);
} kinds[] = {{"audit", append_audit}, {"mail", deliver_mail}};

/* -- many processes ---------------------------------------------------------------------------- */

static void write_until(struct writer *w, void (*run)(struct writer *w), int64_t from_us,
	int64_t to_us, struct tally *t)
{
	int64_t began = now_us();

	while (began < to_us) {
		int64_t ended;

		run(w);
		ended = now_us();
		if (began >= from_us && t->count < WAITS_MAX)
			t->waits_us[t->count++] = (uint32_t)(ended - began);
		began = ended;
	}
}

static int compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void report(const struct tally *tallies, unsigned writers, unsigned seconds)
{
	uint64_t total = 0, fewest = UINT64_MAX, most = 0;
	uint32_t *all;
	size_t at = 0;

	for (unsigned i = 0; i < writers; i++) {
		uint64_t n = tallies[i].count;

		total += n;
		fewest = n < fewest ? n : fewest;
		most = n > most ? n : most;
	}
	all = calloc(total + 1, sizeof(*all));
	if (all == NULL || total == 0)
		must(-ENODATA, "no operations");
	for (unsigned i = 0; i < writers; i++) {
		memcpy(all + at, tallies[i].waits_us, tallies[i].count * sizeof(*all));
		at += tallies[i].count;
	}
	qsort(all, total, sizeof(*all), compare);
	printf("%ju %u %u %u %u %ju %ju\n", (uintmax_t)total, seconds, all[total / 2],
		all[total * 99 / 100], all[total - 1], (uintmax_t)fewest, (uintmax_t)most);
	free(all);
}

static void measure(const char *kind, char **argv, unsigned writers, unsigned seconds)
{
	struct tally *tallies = mmap(NULL, writers * sizeof(*tallies), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* The first moments are left out: everybody opens the store then. */
	const int64_t from_us = now_us() + 500000, to_us = from_us + (int64_t)seconds * 1000000;
	void (*run)(struct writer * w) = NULL;

	must(tallies == MAP_FAILED ? -errno : 0, "memory");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		run = strcmp(kinds[i].name, kind) == 0 ? kinds[i].run : run;
	must(run == NULL ? -EINVAL : 0, kind);
	for (unsigned i = 0; i < writers; i++) {
		static struct writer w;

		if (fork() != 0)
			continue;
		w.who = i;
		w.number = (uint64_t)from_us;
		must(*argv[1] != '\0' ? store_open_kept(argv[0], argv[1], &w.s)
				      : store_open(argv[0], STORE_WRITE, &w.s),
			argv[0]);
		write_until(&w, run, from_us, to_us, &tallies[i]);
		store_close(w.s);
		_exit(0);
	}
	while (wait(NULL) > 0)
		continue;
	report(tallies, writers, seconds);
}

int main(int argc, char **argv)
{
	uint64_t writers = 0, seconds = 0;

	if (argc == 3 && strcmp(argv[1], "make") == 0) {
		make(argv[2]);
		return 0;
	}
	if (argc != 6 || num_parse_u64(span_str(argv[4]), 1, WRITERS_MAX, &writers) < 0 ||
		num_parse_u64(span_str(argv[5]), 1, SECONDS_MAX, &seconds) < 0) {
		(void)fprintf(stderr,
			"usage: keeper make STATE\n"
			"       keeper audit|mail STATE SOCKET WRITERS SECONDS\n");
		return 100;
	}
	measure(argv[1], argv + 2, (unsigned)writers, (unsigned)seconds);
	return 0;
}
