/*
 * Several writers at once, then writers killed at random moments: what they acknowledged in a
 * journal outside the store is there afterwards, and the store is whole. The seed is printed.
 */
#include "base/hash.h"
#include "base/num.h"
#include "store/blob.h"
#include "store/session.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { WRITERS = 4, EACH = 25, ROUNDS = 10, SLOTS = 4, BODY = 70000, SERIALS = 65536 };

struct job {
	unsigned writer;
	int journal_fd;
};

static int make_accounts(struct store *s, void *arg)
{
	const struct job *j = arg;
	char name[ACCOUNT_NAME_SIZE];

	for (unsigned i = 0; i < EACH; i++) {
		(void)snprintf(name, sizeof(name), "w%u-%u", j->writer, i);
		fixture_account(s, name);
		fixture_cert(s, name, j->writer * EACH + i, FIXTURE_NOW + FIXTURE_DAY);
	}
	return 0;
}

static int count(void *arg, const struct account *a)
{
	(void)a;
	++*(unsigned *)arg;
	return 0;
}

static void test_concurrent(void **state)
{
	struct store_fixture *f = *state;
	struct job jobs[WRITERS];
	pid_t pids[WRITERS];
	struct audit_row row;
	unsigned n = 0;

	for (unsigned w = 0; w < WRITERS; w++) {
		jobs[w] = (struct job){.writer = w};
		pids[w] = fixture_fork(f, make_accounts, &jobs[w]);
	}
	for (unsigned w = 0; w < WRITERS; w++)
		assert_int_equal(fixture_wait(pids[w]), 0);
	assert_int_equal(account_each(f->s, "", count, &n), 0);
	assert_int_equal(n, WRITERS * EACH);
	assert_int_equal(fixture_audit(f->s, &row), 2 * WRITERS * EACH);
	assert_int_equal(row.seq, 2 * WRITERS * EACH);
	assert_int_equal(store_check(f->s, NULL, NULL), 0);
}

/* -- killed ------------------------------------------------------------------------------------ */

/* One line per acknowledged write: what, and which. */
static int journal(const struct job *j, char what, unsigned n)
{
	char line[32];
	int len = snprintf(line, sizeof(line), "%c %u\n", what, n);

	return write(j->journal_fd, line, (size_t)len) == len ? 0 : -EIO;
}

static int put_blob(struct store *s, unsigned n, unsigned char id[BLOB_ID_LEN])
{
	static unsigned char body[BODY];
	struct blob_writer *w = NULL;
	struct blob_sealed b = {.size = 0};
	int rc = blob_begin(s, BODY, &w);

	memcpy(body, &n, sizeof(n));
	if (rc == 0)
		rc = blob_write(w, span_of(body, n % 2 == 0 ? BODY : 3000));
	if (rc == 0)
		rc = blob_seal(w, &b);
	if (rc == 0)
		rc = store_call(s, STORE_OP_BLOB_PUT, &b, NULL);
	memcpy(id, b.id, BLOB_ID_LEN);
	blob_end(w);
	return rc;
}

/* Creates, issues, revokes, stores, each acknowledged; never ends by itself. */
static int write_for_ever(struct store *s, void *arg)
{
	const struct job *j = arg;
	struct cert_revoke_args v = {.by = "test"};
	unsigned char id[BLOB_ID_LEN];
	char name[ACCOUNT_NAME_SIZE];
	unsigned n;

	for (unsigned i = 0;; i++) {
		n = j->writer + i * SLOTS * ROUNDS;
		(void)snprintf(name, sizeof(name), "a%u", n);
		fixture_account(s, name);
		if (journal(j, 'A', n) < 0 || n >= SERIALS)
			return 1;
		fixture_cert(s, name, n, FIXTURE_NOW + FIXTURE_DAY);
		if (journal(j, 'C', n) < 0)
			return 1;
		fixture_serial(n, v.serial);
		if (i % 2 == 0 &&
			(store_call(s, STORE_OP_CERT_REVOKE, &v, NULL) < 0 ||
				journal(j, 'R', n) < 0))
			return 1;
		if (put_blob(s, n, id) < 0 || journal(j, 'B', n) < 0)
			return 1;
	}
}

static void expect_blob(struct store *s, unsigned n)
{
	static unsigned char body[BODY];
	unsigned char id[BLOB_ID_LEN];
	uint64_t size = 0, expected = n % 2 == 0 ? BODY : 3000;

	memset(body, 0, sizeof(body));
	memcpy(body, &n, sizeof(n));
	assert_int_equal(hash_sha256(span_of(body, (size_t)expected), id), 0);
	assert_int_equal(blob_size(s, id, &size), 0);
	assert_int_equal(size, expected);
}

static void expect_acknowledged(struct store *s, char what, unsigned n)
{
	unsigned char serial[CERT_SERIAL_LEN];
	char name[ACCOUNT_NAME_SIZE];
	struct account a;
	struct cert c;

	(void)snprintf(name, sizeof(name), "a%u", n);
	fixture_serial(n, serial);
	switch (what) {
	case 'A':
		assert_int_equal(account_get(s, name, &a), 0);
		break;
	case 'C':
		assert_int_equal(cert_get(s, serial, &c, NULL), 0);
		assert_true(c.state == CERT_ISSUED || c.state == CERT_REVOKED);
		break;
	case 'R':
		assert_int_equal(cert_get(s, serial, &c, NULL), 0);
		assert_int_equal(c.state, CERT_REVOKED);
		break;
	default:
		assert_int_equal(what, 'B');
		expect_blob(s, n);
	}
}

/* Every line of the journal against the store. */
static unsigned read_journal(struct store *s, const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned lines = 0;
	uint64_t n = 0;
	char line[32];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		assert_int_equal(
			num_parse_u64(span_of(line + 2, strlen(line) - 3), 0, UINT32_MAX, &n), 0);
		expect_acknowledged(s, line[0], (unsigned)n);
		lines++;
	}
	(void)fclose(file);
	return lines;
}

static void kill_some(struct store_fixture *f, struct job *jobs, unsigned round, unsigned *random)
{
	pid_t pids[SLOTS];

	for (unsigned w = 0; w < SLOTS; w++) {
		jobs[w].writer = round * SLOTS + w;
		pids[w] = fixture_fork(f, write_for_ever, &jobs[w]);
	}
	/* The journal's file is inherited, so it is opened once in the parent. */
	for (unsigned w = 0; w < SLOTS; w++) {
		*random = *random * 1103515245U + 12345U;
		(void)usleep(2000 + (*random >> 8) % 30000);
		assert_int_equal(kill(pids[w], SIGKILL), 0);
		assert_int_equal(fixture_wait(pids[w]), -SIGKILL);
	}
}

static void test_killed(void **state)
{
	struct store_fixture *f = *state;
	struct job jobs[SLOTS];
	char path[128];
	unsigned seed = 0, lines = 0;
	int fd;

	assert_int_equal(hash_random(&seed, sizeof(seed)), 0);
	print_message("seed %u\n", seed);
	(void)snprintf(path, sizeof(path), "%s/journal", f->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	for (unsigned w = 0; w < SLOTS; w++)
		jobs[w].journal_fd = fd;
	for (unsigned round = 0; round < ROUNDS; round++) {
		kill_some(f, jobs, round, &seed);
		lines = read_journal(f->s, path);
		assert_int_equal(store_check(f->s, NULL, NULL), 0);
	}
	print_message("%d kills, %u acknowledged writes\n", ROUNDS * SLOTS, lines);
	assert_true(lines > ROUNDS);
	(void)close(fd);
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_concurrent),
		with_store(test_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
