/*
 * Transfers over real sockets with TLS, the client's end in the same process: what arrives, what is
 * bound, and how each stage is aborted and timed out.
 */
#include "base/hash.h"
#include "base/timefmt.h"
#include "services/ftpd/transfer_internal.h"
#include "tests/unit/lib/ftpd_pair.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000, BIG = 3 * 1024 * 1024 + 17 };

static unsigned char big[BIG];

static int fill_big(void **state)
{
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(big); i++) {
		x = x * 1664525 + 1013904223;
		big[i] = (unsigned char)(x >> 24);
	}
	return ftpd_pair_setup(state);
}

static int64_t patience(void)
{
	return time_monotonic_ms() + PATIENCE_MS;
}

/* -- the client -------------------------------------------------------------------------------- */

static void shake(struct ftpd_pair *p)
{
	int64_t until_ms = patience();

	while (p->data.handshake == -EAGAIN && time_monotonic_ms() < until_ms)
		ftpd_pair_turn(p);
	assert_int_equal(p->data.handshake, 0);
}

static void send_bytes(struct ftpd_pair *p, struct span bytes)
{
	int64_t until_ms = patience();

	shake(p);
	while (bytes.len > 0) {
		ssize_t n = conn_step_write(p->data.conn, bytes);

		assert_true(time_monotonic_ms() < until_ms);
		assert_true(n > 0 || n == -EAGAIN);
		if (n > 0)
			bytes = span_of(bytes.p + n, bytes.len - (size_t)n);
		else
			ftpd_pair_turn(p);
	}
}

/* Everything up to the end; how it ended: 0 well, -ECONNRESET cut. */
static int receive(struct ftpd_pair *p, struct buf *b)
{
	int64_t until_ms = patience();
	ssize_t n = -EAGAIN;

	shake(p);
	while (n > 0 || n == -EAGAIN) {
		unsigned char *at = buf_reserve(b, 65536);

		assert_non_null(at);
		assert_true(time_monotonic_ms() < until_ms);
		n = conn_step_read(p->data.conn, at, 65536);
		if (n > 0)
			buf_commit(b, (size_t)n);
		else
			ftpd_pair_turn(p);
	}
	return (int)n;
}

/* An upload from begin to end. */
static void put(struct ftpd_pair *p, const char *path, struct span bytes)
{
	ftpd_pair_data(p, true);
	ftpd_pair_stor(p, path);
	assert_int_equal(ftpd_pair_reply(p), 150);
	send_bytes(p, bytes);
	assert_int_equal(conn_step_bye(p->data.conn), 0);
	assert_int_equal(ftpd_pair_reply(p), 226);
	assert_null(p->f.transfer);
	ftpd_pair_data_close(p);
}

static void expect_got(struct ftpd_pair *p, const char *path, struct span bytes)
{
	struct buf b = BUF_INIT(BIG + 65536);

	ftpd_pair_data(p, true);
	ftpd_pair_retr(p, path);
	assert_int_equal(ftpd_pair_reply(p), 150);
	assert_int_equal(receive(p, &b), 0);
	ftpd_pair_data_close(p);
	assert_int_equal(ftpd_pair_reply(p), 226);
	assert_true(span_eq(buf_span(&b), bytes));
	buf_done(&b);
}

static bool is_there(struct ftpd_pair *p, const char *path)
{
	struct ftp_entry e;

	return tree_stat(p->f.tree, path, &e) == 0;
}

/* The client's end of a data connection goes without a word. */
static void cut(struct ftpd_pair *p)
{
	ftpd_pair_data_close(p);
}

/* -- both ways --------------------------------------------------------------------------------- */

/* Five of each in one session, as no client's ticket serves twice. */
static void up_and_down(void **state)
{
	static const size_t lens[] = {0, 1, 16384, 262144, BIG};
	struct ftpd_pair *p = *state;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		uint64_t in = p->service.data_in, out = p->service.data_out;
		struct span bytes = span_of(big, lens[i]);

		put(p, "/shared/up", bytes);
		assert_int_equal(p->service.data_in - in, lens[i]);
		assert_non_null(strstr(data_describe(p->f.data), ", resumed"));
		expect_got(p, "/shared/up", bytes);
		assert_int_equal(p->service.data_out - out, lens[i]);
	}
}

static void tells_size_and_digest(void **state)
{
	struct ftpd_pair *p = *state;
	unsigned char digest[HASH_SHA256_LEN];
	struct buf hex = BUF_INIT(100);

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	put(p, "/shared/d", span_of(big, 1000));
	assert_int_equal(hash_sha256(span_of(big, 1000), digest), 0);
	for (size_t i = 0; i < sizeof(digest); i++)
		buf_addf(&hex, "%02x", digest[i]);
	assert_non_null(strstr(p->text, "1000 bytes"));
	assert_non_null(strstr(p->text, buf_str(&hex)));
	ftpd_pair_data(p, true);
	ftpd_pair_retr(p, "/shared/d");
	assert_int_equal(ftpd_pair_reply(p), 150);
	assert_non_null(strstr(p->text, "(1000 bytes)"));
	ftpd_pair_call(p, ftpd_cmd_abor, "");
	assert_int_equal(ftpd_pair_reply(p), 426);
	assert_int_equal(ftpd_pair_reply(p), 226);
	buf_done(&hex);
}

/* A client that never reads its data connection and closes it at once: had anything been sent to it
 * there, its close would be a reset and destroy what it had sent. */
static void lazy_uploader_loses_nothing(void **state)
{
	struct ftpd_pair *p = *state;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	for (int i = 0; i < 5; i++) {
		ftpd_pair_data(p, true);
		ftpd_pair_stor(p, "/shared/lazy");
		assert_int_equal(ftpd_pair_reply(p), 150);
		send_bytes(p, span_of(big, BIG));
		assert_int_equal(conn_step_bye(p->data.conn), 0);
		ftpd_pair_data_close(p);
		assert_int_equal(ftpd_pair_reply(p), 226);
		expect_got(p, "/shared/lazy", span_of(big, BIG));
	}
}

/* A step is bounded, so that the control connection is heard in between. */
static void steps_are_bounded(void **state)
{
	struct ftpd_pair *p = *state;
	uint64_t most = 0;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	put(p, "/shared/b", span_of(big, BIG));
	ftpd_pair_data(p, true);
	ftpd_pair_retr(p, "/shared/b");
	assert_int_equal(ftpd_pair_reply(p), 150);
	shake(p);
	while (p->service.data_out == 0 || p->f.transfer->moved == 0)
		ftpd_pair_turn(p);
	for (int i = 0; i < 10; i++) {
		uint64_t before = p->f.transfer->moved;

		assert_int_equal(transfer_step(&p->f), 0);
		if (p->f.transfer->moved - before > most)
			most = p->f.transfer->moved - before;
	}
	assert_true(most <= TRANSFER_STEP_MAX + TRANSFER_CHUNK);
}

static void reader_sees_the_old_file(void **state)
{
	struct ftpd_pair *p = *state;
	struct buf b = BUF_INIT(BIG + 65536);
	struct ftp_entry e;
	char to[200], from[200];
	int fd = -1;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	put(p, "/shared/new", span_of(big, 10));
	put(p, "/shared/old", span_of(big, BIG));
	ftpd_pair_data(p, true);
	assert_int_equal(tree_open_file(p->f.tree, "/shared/old", &fd, &e), 0);
	assert_int_equal(transfer_download(&p->f, fd, 0, e.size, "/shared/old"), 0);
	assert_int_equal(ftpd_pair_reply(p), 150);
	shake(p);
	(void)snprintf(from, sizeof(from), "%s/files/shared/new", p->store->state);
	(void)snprintf(to, sizeof(to), "%s/files/shared/old", p->store->state);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(receive(p, &b), 0);
	assert_true(span_eq(buf_span(&b), span_of(big, BIG)));
	ftpd_pair_data_close(p);
	assert_int_equal(ftpd_pair_reply(p), 226);
	buf_done(&b);
}

/* Nothing is made up, and the client's TLS sees a cut. */
static void shrunk_file_is_told(void **state)
{
	struct ftpd_pair *p = *state;
	struct buf b = BUF_INIT(BIG + 65536);
	char path[200];

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	put(p, "/shared/s", span_of(big, BIG));
	ftpd_pair_data(p, true);
	ftpd_pair_retr(p, "/shared/s");
	assert_int_equal(ftpd_pair_reply(p), 150);
	(void)snprintf(path, sizeof(path), "%s/files/shared/s", p->store->state);
	assert_int_equal(truncate(path, 1000), 0);
	assert_int_equal(receive(p, &b), -ECONNRESET);
	assert_true(b.len < BIG);
	assert_int_equal(ftpd_pair_reply(p), 451);
	assert_int_equal(unlink(path), 0);
	buf_done(&b);
}

static void a_part_of_a_file(void **state)
{
	struct ftpd_pair *p = *state;
	struct buf b = BUF_INIT(BIG);
	struct ftp_entry e;
	int fd = -1;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	put(p, "/shared/part", span_of(big, 5000));
	ftpd_pair_data(p, true);
	assert_int_equal(tree_open_file(p->f.tree, "/shared/part", &fd, &e), 0);
	assert_int_equal(transfer_download(&p->f, fd, 1000, 250, "/shared/part"), 0);
	assert_int_equal(ftpd_pair_reply(p), 150);
	assert_non_null(strstr(p->text, "(250 bytes)"));
	assert_int_equal(receive(p, &b), 0);
	assert_true(span_eq(buf_span(&b), span_of(big + 1000, 250)));
	ftpd_pair_data_close(p);
	assert_int_equal(ftpd_pair_reply(p), 226);
	buf_done(&b);
}

/* -- cuts and refusals ------------------------------------------------------------------------- */

static void cut_upload_is_kept_apart(void **state)
{
	struct ftpd_pair *p = *state;
	uint64_t size = 0;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	put(p, "/shared/c", span_of(big, 100));
	ftpd_pair_data(p, true);
	ftpd_pair_stor(p, "/shared/c");
	assert_int_equal(ftpd_pair_reply(p), 150);
	send_bytes(p, span_of(big + 1, 70000));
	cut(p);
	assert_int_equal(ftpd_pair_reply(p), 426);
	assert_non_null(strstr(p->text, "at byte 70000"));
	assert_int_equal(upload_partial(p->f.tree, "/shared/c", &size), 0);
	assert_int_equal(size, 70000);
	assert_int_equal(upload_drop(p->f.tree, "/shared/c"), 0);
	expect_got(p, "/shared/c", span_of(big, 100));
	/* Cut before a first byte: nothing is left. */
	ftpd_pair_data(p, true);
	ftpd_pair_stor(p, "/shared/never");
	assert_int_equal(ftpd_pair_reply(p), 150);
	shake(p);
	cut(p);
	assert_int_equal(ftpd_pair_reply(p), 426);
	assert_false(is_there(p, "/shared/never"));
	assert_int_equal(upload_partial(p->f.tree, "/shared/never", &size), -ENOENT);
}

static void cut_download_is_told(void **state)
{
	struct ftpd_pair *p = *state;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	put(p, "/shared/x", span_of(big, BIG));
	ftpd_pair_data(p, true);
	ftpd_pair_retr(p, "/shared/x");
	assert_int_equal(ftpd_pair_reply(p), 150);
	shake(p);
	cut(p);
	assert_int_equal(ftpd_pair_reply(p), 426);
}

static void over_quota_leaves_nothing(void **state)
{
	struct ftpd_pair *p = *state;
	uint64_t size = 0;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	ftpd_pair_data(p, true);
	ftpd_pair_stor(p, "/shared/q");
	assert_int_equal(ftpd_pair_reply(p), 150);
	ftpd_pair_policy(p, "files_quota", "1M");
	/* The rest is dropped for a moment, so this can be sent to its end. */
	send_bytes(p, span_of(big, BIG));
	assert_int_equal(conn_step_bye(p->data.conn), 0);
	assert_int_equal(ftpd_pair_reply(p), 552);
	assert_false(is_there(p, "/shared/q"));
	assert_int_equal(upload_partial(p->f.tree, "/shared/q", &size), -ENOENT);
	ftpd_pair_policy(p, "files_quota", "");
}

static void needs_address_and_protection(void **state)
{
	struct ftpd_pair *p = *state;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	ftpd_pair_stor(p, "/shared/n");
	assert_int_equal(ftpd_pair_reply(p), 425);
	assert_null(p->f.transfer);
	put(p, "/shared/n", SPAN_LIT("n"));
	ftpd_pair_retr(p, "/shared/n");
	assert_int_equal(ftpd_pair_reply(p), 425);
	p->f.prot_private = false;
	(void)ftpd_pair_passive(p);
	ftpd_pair_retr(p, "/shared/n");
	assert_int_equal(ftpd_pair_reply(p), 521);
	assert_null(p->f.transfer);
}

/* -- whose connection it is -------------------------------------------------------------------- */

static void expect_put(struct ftpd_pair *p, bool resume, unsigned code)
{
	int64_t until_ms = patience();

	ftpd_pair_data(p, resume);
	ftpd_pair_stor(p, "/shared/bound");
	assert_int_equal(ftpd_pair_reply(p), 150);
	while (p->data.handshake == -EAGAIN && time_monotonic_ms() < until_ms)
		ftpd_pair_turn(p);
	if (p->data.handshake == 0)
		(void)conn_step_bye(p->data.conn);
	assert_int_equal(ftpd_pair_reply(p), code);
	ftpd_pair_data_close(p);
	assert_int_equal(is_there(p, "/shared/bound"), code == 226);
	if (code == 226)
		assert_int_equal(tree_remove_file(p->f.tree, "/shared/bound"), 0);
}

static void only_this_log_in(void **state)
{
	struct ftpd_pair *p = *state;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	expect_put(p, false, 522);
	expect_put(p, true, 226);
	ftpd_pair_policy(p, "ftp_unbound", "yes");
	expect_put(p, false, 226);
	ftpd_pair_policy(p, "ftp_unbound", "");
	expect_put(p, false, 522);
	p->service.who.account.flags = ACCOUNT_FTP_UNBOUND;
	expect_put(p, false, 226);
	p->service.who.account.flags = 0;
}

static void unbound_shows_the_same_certificate(void **state)
{
	static const struct test_leaf_spec ann = {
		"ann", "email:ann@example.org", "clientAuth", -TEST_HOUR_S, TEST_HOUR_S, 256};
	struct ftpd_pair *p = *state;
	struct tls_client *plain = p->tls, *with;
	struct test_leaf leaf;

	ftpd_pair_policy(p, "ftp_unbound", "yes");
	test_leaf_new(&leaf, &p->world.issuing, &ann);
	with = test_client(&p->world, &leaf, NULL);
	p->tls = with;
	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	expect_put(p, false, 226);
	p->tls = plain;
	expect_put(p, false, 522);
	p->tls = with;
	expect_put(p, true, 226);
	p->tls = plain;
	ftpd_pair_close(p);
	tls_client_free(with);
	test_leaf_done(&leaf);
	ftpd_pair_policy(p, "ftp_unbound", "");
}

/* The client's control connection of an older log-in still holds a ticket. */
static void another_log_ins_ticket(void **state)
{
	struct ftpd_pair *p = *state;
	struct ftpd_pair other;
	int fd;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	put(p, "/shared/t", SPAN_LIT("t"));
	other = *p;
	p->client = NULL;
	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	fd = ftpd_pair_connect(p, ftpd_pair_passive(p), NULL);
	assert_int_equal(conn_new(fd, &p->data.conn), 0);
	assert_int_equal(conn_tls_begin_resume(p->data.conn, p->tls, "localhost", other.client), 0);
	p->data.handshake = -EAGAIN;
	ftpd_pair_retr(p, "/shared/t");
	assert_int_equal(ftpd_pair_reply(p), 150);
	assert_int_equal(ftpd_pair_reply(p), 522);
	conn_free(other.client);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_and_down),
		cmocka_unit_test(tells_size_and_digest),
		cmocka_unit_test(lazy_uploader_loses_nothing),
		cmocka_unit_test(steps_are_bounded),
		cmocka_unit_test(reader_sees_the_old_file),
		cmocka_unit_test(shrunk_file_is_told),
		cmocka_unit_test(a_part_of_a_file),
		cmocka_unit_test(cut_upload_is_kept_apart),
		cmocka_unit_test(cut_download_is_told),
		cmocka_unit_test(over_quota_leaves_nothing),
		cmocka_unit_test(needs_address_and_protection),
		cmocka_unit_test(only_this_log_in),
		cmocka_unit_test(unbound_shows_the_same_certificate),
		cmocka_unit_test(another_log_ins_ticket),
	};

	return cmocka_run_group_tests(tests, fill_big, ftpd_pair_teardown);
}
