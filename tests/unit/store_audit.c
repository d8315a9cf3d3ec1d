/* The audit chain: appended, cleaned, verified, and every kind of tampering seen. */
#include "store/blob.h"
#include "store/row.h"
#include "store/store_i.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void append(struct store *s, const char *event, const char *detail)
{
	struct audit_row a = {.at_us = FIXTURE_NOW, .account = "ada", .by = "192.0.2.1"};

	(void)snprintf(a.event, sizeof(a.event), "%s", event);
	(void)snprintf(a.detail, sizeof(a.detail), "%s", detail);
	assert_int_equal(store_call(s, STORE_OP_AUDIT_APPEND, &a, NULL), 0);
}

static void test_append(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	unsigned char head[32], again[32];
	struct audit_row row = {.at_us = 1};
	uint64_t seq = 7;

	assert_int_equal(audit_verify(s, &seq, head), 0);
	assert_int_equal(seq, 0);
	assert_int_equal(store_call(s, STORE_OP_AUDIT_APPEND, &row, NULL), -EINVAL); /* no event */
	append(s, "login-refused", "line\nbreak \x1b[31m");
	assert_int_equal(fixture_audit(s, &row), 1);
	assert_int_equal(row.seq, 1);
	assert_string_equal(row.detail, "line\\x0abreak \\x1b[31m");
	append(s, "login-refused", "gr\xc3\xbc\xc3\x9f");
	assert_int_equal(fixture_audit(s, &row), 2);
	assert_string_equal(row.detail, "gr\xc3\xbc\xc3\x9f");
	assert_int_equal(audit_verify(s, &seq, head), 0);
	assert_int_equal(seq, 2);
	assert_memory_equal(row.hash, head, 32);
	assert_int_equal(audit_verify(s, NULL, again), 0);
	assert_memory_equal(again, head, 32);
}

/* Text too long once escaped is cut at a character's end. */
static void test_cut(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	char detail[192];
	struct audit_row row;

	memset(detail, 1, sizeof(detail) - 1);
	detail[sizeof(detail) - 1] = '\0';
	append(s, "x", detail);
	assert_int_equal(fixture_audit(s, &row), 1);
	assert_int_equal(strlen(row.detail), 191);
	assert_int_equal(audit_verify(s, NULL, NULL), 0);
}

static void change(struct store *s, uint64_t seq, size_t offset, bool remove)
{
	struct key key = seq == 0 ? key_meta("audit") : key_audit(seq);
	struct store_txn *txn = NULL;
	struct buf copy = BUF_INIT(1024);
	struct span value;

	assert_int_equal(kv_begin(s->env, true, 0, &txn), 0);
	assert_int_equal(row_get(txn, &key, &value), 0);
	buf_add(&copy, value);
	copy.p[offset % copy.len] ^= 1;
	if (remove)
		assert_int_equal(row_del(txn, &key), 0);
	else
		assert_int_equal(kv_put(txn, key_span(&key), buf_span(&copy)), 0);
	assert_int_equal(kv_commit(txn), 0);
	buf_done(&copy);
}

static void test_tampering(void **state)
{
	struct store_fixture *f = *state;
	const size_t row_len =
		1 + 8 + 8 + 4 * 4 + 1 + 3 + 9 + 1 + 32; /* "e", "ada", "192.0.2.1", "n" */
	uint64_t seq = 0;

	for (int i = 0; i < 5; i++)
		append(f->s, "e", "n");
	for (size_t offset = 0; offset < row_len; offset++) {
		change(f->s, 3, offset, false);
		assert_int_equal(audit_verify(f->s, &seq, NULL), -EBADMSG);
		assert_int_equal(seq, 3);
		change(f->s, 3, offset, false); /* and back */
		assert_int_equal(audit_verify(f->s, &seq, NULL), 0);
	}
	change(f->s, 0, 1 + 8 + 5, false); /* the head's hash */
	assert_int_equal(audit_verify(f->s, &seq, NULL), -EBADMSG);
	change(f->s, 0, 1 + 8 + 5, false);
	change(f->s, 5, 0, true); /* the newest cut off */
	assert_int_equal(audit_verify(f->s, &seq, NULL), -EBADMSG);
	assert_int_equal(seq, 5);
	change(f->s, 2, 0, true); /* one out of the middle */
	assert_int_equal(audit_verify(f->s, &seq, NULL), -EBADMSG);
	assert_int_equal(seq, 2);
	assert_int_equal(store_check(f->s, NULL, NULL), -EBADMSG);
}

static int stop_at_two(void *arg, const struct audit_row *r)
{
	++*(unsigned *)arg;
	return r->seq == 4 ? 17 : 0;
}

static void test_from(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	unsigned count = 0;

	for (int i = 0; i < 5; i++)
		append(s, "e", "n");
	assert_int_equal(audit_each(s, 3, stop_at_two, &count), 17);
	assert_int_equal(count, 2);
	assert_int_equal(audit_each(s, 6, stop_at_two, &count), 0);
	assert_int_equal(count, 2);
}

/* -- closing ----------------------------------------------------------------------------------- */

static void append_at(struct store *s, int64_t at_us)
{
	struct audit_row a = {.at_us = at_us, .event = "e", .account = "ada"};

	assert_int_equal(store_call(s, STORE_OP_AUDIT_APPEND, &a, NULL), 0);
}

static struct audit_close_result close_at(struct store *s, int64_t now_us)
{
	const struct audit_close_args args = {.now_us = now_us};
	struct audit_close_result done;

	assert_int_equal(store_call(s, STORE_OP_AUDIT_CLOSE, &args, &done), 0);
	return done;
}

#define KEEP (730 * FIXTURE_DAY)

static void test_close(void **state)
{
	struct store_fixture *f = *state;
	struct audit_closed closed;
	struct audit_row row = {.event = AUDIT_CLOSE_EVENT};
	uint64_t seq = 0;

	/* Nobody else closes; nothing is old, or there is nothing. */
	assert_int_equal(store_call(f->s, STORE_OP_AUDIT_APPEND, &row, NULL), -EINVAL);
	assert_int_equal(close_at(f->s, FIXTURE_NOW + KEEP).rows, 0);
	for (int day = 0; day < 5; day++)
		append_at(f->s, FIXTURE_NOW + day * FIXTURE_DAY);
	assert_int_equal(close_at(f->s, FIXTURE_NOW + KEEP).rows, 0);
	assert_int_equal(audit_closed_get(f->s, &closed), 0);
	assert_int_equal(closed.seq, 0);

	assert_int_equal(close_at(f->s, FIXTURE_NOW + 2 * FIXTURE_DAY + KEEP).rows, 2);
	assert_int_equal(audit_verify(f->s, &seq, NULL), 0);
	assert_int_equal(seq, 6);
	assert_int_equal(fixture_audit(f->s, &row), 4);
	assert_string_equal(row.event, AUDIT_CLOSE_EVENT);
	assert_int_equal(audit_closed_get(f->s, &closed), 0);
	assert_int_equal(closed.seq, 2);
	assert_int_equal(closed.at_us, FIXTURE_NOW + 2 * FIXTURE_DAY + KEEP);

	/* Once a day; and never the newest row. */
	assert_int_equal(close_at(f->s, closed.at_us + FIXTURE_DAY / 2).rows, 0);
	assert_int_equal(close_at(f->s, FIXTURE_NOW + 20 * KEEP).rows, 3);
	assert_int_equal(fixture_audit(f->s, &row), 2);
	append_at(f->s, FIXTURE_NOW);
	assert_int_equal(audit_verify(f->s, &seq, NULL), 0);
	assert_int_equal(seq, 8);
	assert_int_equal(store_check(f->s, NULL, NULL), 0);
}

static void flip(struct store *s, const struct key *key, size_t offset, bool remove)
{
	struct store_txn *txn = NULL;
	struct buf copy = BUF_INIT(1024);
	struct span value;

	assert_int_equal(kv_begin(s->env, true, 0, &txn), 0);
	assert_int_equal(row_get(txn, key, &value), 0);
	buf_add(&copy, value);
	copy.p[offset] ^= 1;
	assert_int_equal(
		remove ? row_del(txn, key) : kv_put(txn, key_span(key), buf_span(&copy)), 0);
	assert_int_equal(kv_commit(txn), 0);
	buf_done(&copy);
}

static void test_close_tampering(void **state)
{
	struct store_fixture *f = *state;
	struct key anchor = key_meta("audit-closed"), oldest = key_audit(3);
	uint64_t seq = 0;

	for (int i = 0; i < 4; i++)
		append_at(f->s, FIXTURE_NOW + (i > 1) * FIXTURE_DAY);
	assert_int_equal(close_at(f->s, FIXTURE_NOW + FIXTURE_DAY + KEEP).rows, 2);
	assert_int_equal(audit_verify(f->s, &seq, NULL), 0);
	for (size_t at = 0; at < 1 + 8 + 8 + 32; at++) {
		flip(f->s, &anchor, at, false);
		if (at >= 1 + 8 && at < 1 + 8 + 8) /* the time is only told */
			assert_int_equal(audit_verify(f->s, &seq, NULL), 0);
		else
			assert_int_equal(audit_verify(f->s, &seq, NULL), -EBADMSG);
		flip(f->s, &anchor, at, false);
	}
	flip(f->s, &oldest, 0, true); /* a row more than was closed */
	assert_int_equal(audit_verify(f->s, &seq, NULL), -EBADMSG);
	assert_int_equal(seq, 3);
}

static void test_close_in_pieces(void **state)
{
	struct store_fixture *f = *state;
	const struct sweep_args sweep = {.now_us = FIXTURE_NOW + KEEP + FIXTURE_DAY};
	struct store_txn *txn = NULL;
	struct sweep_result done;
	struct audit_row row;
	uint64_t seq = 0;

	assert_int_equal(kv_begin(f->s->env, true, 0, &txn), 0);
	for (int i = 0; i < 4500; i++) {
		const struct audit_note note = {FIXTURE_NOW, "e", "ada", "x"};

		assert_int_equal(audit_note(txn, &note, "%d", i), 0);
	}
	assert_int_equal(kv_commit(txn), 0);
	assert_int_equal(store_call(f->s, STORE_OP_SWEEP, &sweep, &done), 0);
	assert_int_equal(done.rows, 4499 + 1); /* the newest went once there was a newer one */
	assert_int_equal(audit_verify(f->s, &seq, NULL), 0);
	assert_true(fixture_audit(f->s, &row) <= 3);
	assert_int_equal(store_check(f->s, NULL, NULL), 0);
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_append),
		with_store(test_cut),
		with_store(test_tampering),
		with_store(test_from),
		with_store(test_close),
		with_store(test_close_tampering),
		with_store(test_close_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
