/* The store in numbers: what there is of each kind is counted, and told apart. */
#include "store/stats.h"

#include "store/file_i.h"
#include "store/store_i.h"
#include "tests/unit/lib/mail_acts.h"
#include "tests/unit/lib/mail_boxes.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static struct store_stats stats_of(struct store *s)
{
	struct store_stats stats;

	assert_int_equal(store_stats(s, FIXTURE_NOW, 14 * FIXTURE_DAY, &stats), 0);
	return stats;
}

static void test_empty(void **state)
{
	const struct store_stats empty = {.service_count = 0};
	struct store_stats stats = stats_of(((struct store_fixture *)*state)->s);

	assert_memory_equal(&stats, &empty, sizeof(stats));
}

static void test_accounts(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct account_flags_args lock = {.name = "bob", .set = ACCOUNT_LOCKED};
	struct account_flags_args admin = {.name = "cyd", .set = ACCOUNT_ADMIN};
	struct account_flags_args host = {.name = "dan", .set = ACCOUNT_HOST};
	const char *const names[] = {"ada", "bob", "cyd", "dan"};
	struct store_stats stats;

	for (size_t i = 0; i < 4; i++)
		fixture_account(s, names[i]);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_FLAGS, &lock, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_FLAGS, &admin, NULL), 0);
	assert_int_equal(store_call(s, STORE_OP_ACCOUNT_FLAGS, &host, NULL), 0);
	stats = stats_of(s);
	assert_int_equal(stats.accounts.people, 3);
	assert_int_equal(stats.accounts.locked, 1);
	assert_int_equal(stats.accounts.admins, 1);
	assert_int_equal(stats.accounts.hosts, 1);
	assert_int_equal(stats.audit.rows, 7);
	assert_int_equal(stats.audit.newest, 7);
	assert_int_equal(stats.audit.oldest_us, FIXTURE_NOW);
}

static void test_certificates(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct cert_revoke_args revoke = {.now_us = FIXTURE_NOW, .by = "x"};
	struct store_stats stats;

	fixture_account(s, "ada");
	fixture_cert(s, "ada", 1, FIXTURE_NOW + 100 * FIXTURE_DAY);
	fixture_cert(s, "ada", 2, FIXTURE_NOW + 14 * FIXTURE_DAY); /* just soon */
	fixture_cert(s, "ada", 3, FIXTURE_NOW + 14 * FIXTURE_DAY + 1);
	fixture_cert(s, "ada", 4, FIXTURE_NOW);
	fixture_cert(s, "ada", 5, FIXTURE_NOW + FIXTURE_DAY);
	fixture_serial(5, revoke.serial);
	assert_int_equal(store_call(s, STORE_OP_CERT_REVOKE, &revoke, NULL), 0);
	stats = stats_of(s);
	assert_int_equal(stats.certs.valid, 3);
	assert_int_equal(stats.certs.expiring, 1);
	assert_int_equal(stats.certs.expired, 1);
	assert_int_equal(stats.certs.revoked, 1);
	assert_int_equal(stats.certs.intents, 0);
}

static void session(struct store *s, const char *service, bool alive)
{
	struct session_row row = {.pid = getpid(), .since_us = FIXTURE_NOW};
	uint64_t id;

	assert_int_equal(session_start_ticks(row.pid, &row.start_ticks), 0);
	row.start_ticks += !alive;
	(void)snprintf(row.service, sizeof(row.service), "%s", service);
	assert_int_equal(store_call(s, STORE_OP_SESSION_ADD, &row, &id), 0);
}

static void test_sessions(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct store_stats stats;
	char name[16];

	session(s, "ftpd", true);
	session(s, "cad", true);
	session(s, "ftpd", true);
	session(s, "ftpd", false);
	stats = stats_of(s);
	assert_int_equal(stats.service_count, 2);
	assert_string_equal(stats.services[0].name, "cad");
	assert_string_equal(stats.services[1].name, "ftpd");
	assert_int_equal(stats.services[0].live, 1);
	assert_int_equal(stats.services[1].live, 2);
	assert_int_equal(stats.services[1].dead, 1);
	/* More services than there can be are not counted, and do no harm. */
	for (unsigned i = 0; i < 2 * STATS_SERVICES; i++) {
		(void)snprintf(name, sizeof(name), "s%02u", i);
		session(s, name, true);
	}
	assert_int_equal(stats_of(s).service_count, STATS_SERVICES);
}

static void test_contents(void **state)
{
	struct store *s = ((struct store_fixture *)*state)->s;
	struct file_put_args put = {.path = SPAN_LIT("/shared/a")};
	struct partial_args partial = {.path = SPAN_LIT("/shared/b"), .now_us = FIXTURE_NOW};
	struct store_stats stats;
	struct mail_added added;

	fixture_account(s, "ada");
	assert_int_equal(boxes_open(s, "ada"), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(mail_acts_append(s, "ada", mail_acts_box(s, "ada", "INBOX").id,
					 "same", (struct mail_flag_names){.system = 0}, &added),
			0);
	(void)snprintf(put.row.owner, sizeof(put.row.owner), "ada");
	put.row.size = 1000;
	assert_int_equal(store_call(s, STORE_OP_FILE_PUT, &put, NULL), 0);
	(void)snprintf(partial.partial.account, sizeof(partial.partial.account), "ada");
	(void)snprintf(partial.partial.temp, sizeof(partial.partial.temp), FILE_TEMP_PREFIX "1");
	partial.partial.size = 20;
	assert_int_equal(store_call(s, STORE_OP_PARTIAL_PUT, &partial, NULL), 0);
	stats = stats_of(s);
	assert_int_equal(stats.mail.boxes, 6);
	assert_int_equal(stats.mail.messages, 3);
	assert_int_equal(stats.blobs.inlined, 1); /* one body of all three */
	assert_int_equal(stats.blobs.files, 0);
	assert_true(stats.mail.bytes == 3 * stats.blobs.bytes && stats.blobs.bytes > 0);
	assert_int_equal(stats.files.files, 1);
	assert_int_equal(stats.files.bytes, 1000);
	assert_int_equal(stats.files.owners, 1);
	assert_int_equal(stats.files.partials, 1);
	assert_int_equal(stats.files.partial_bytes, 20);
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_empty),
		with_store(test_accounts),
		with_store(test_certificates),
		with_store(test_sessions),
		with_store(test_contents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
