/*
 * Each stage of a transfer aborted, timed out and cut off with its session; what is said meanwhile;
 * listings; and the same machine over memory, as the fuzzer drives it.
 */
#include "base/timefmt.h"
#include "services/ftpd/data_internal.h"
#include "services/ftpd/transfer_internal.h"
#include "tests/unit/lib/ftpd_pair.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { BIG = 24 * 1024 * 1024, SHORT_MS = 60 };

static unsigned char big[BIG];

static void list(struct ftpd_pair *p, enum transfer_form form, const char *path)
{
	struct tree_list *l = NULL;

	assert_int_equal(tree_list_open(p->f.tree, path, &l), 0);
	assert_int_equal(transfer_listing(&p->f, l, form, path), 0);
}

static void drop_in(struct ftpd_pair *p, const char *name, const void *bytes, size_t len)
{
	char path[500];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/files/shared/%s", p->store->state, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0660);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	assert_int_equal(close(fd), 0);
}

static int setup(void **state)
{
	int r = ftpd_pair_setup(state);

	drop_in(*state, "big", big, sizeof(big));
	return r;
}

/* -- stages ------------------------------------------------------------------------------------ */

/* How far a transfer is brought before something happens to it. */
enum point { BEFORE_CONNECT, BEFORE_TLS, IN_TLS, MOVING, POINTS };

static void shake(struct ftpd_pair *p)
{
	int64_t until_ms = time_monotonic_ms() + 20000;

	while (p->data.handshake == -EAGAIN) {
		assert_true(time_monotonic_ms() < until_ms);
		ftpd_pair_turn(p);
	}
	assert_int_equal(p->data.handshake, 0);
}

static void bring_to(struct ftpd_pair *p, bool upload, enum point at)
{
	uint16_t port = ftpd_pair_passive(p);
	int fd = at > BEFORE_CONNECT ? ftpd_pair_connect(p, port, NULL) : -1;

	if (upload)
		ftpd_pair_stor(p, "/shared/target");
	else
		ftpd_pair_retr(p, "/shared/big");
	ftpd_pair_turn(p);
	if (at == BEFORE_CONNECT)
		return;
	assert_int_equal(ftpd_pair_reply(p), 150);
	if (at == BEFORE_TLS) {
		assert_int_equal(conn_new(fd, &p->data.conn), 0);
		return;
	}
	ftpd_pair_secure(p, fd, true);
	(void)conn_step_handshake(p->data.conn);
	if (at == IN_TLS)
		return;
	shake(p);
	if (upload)
		assert_int_equal(conn_step_write(p->data.conn, span_of(big, 5000)), (ssize_t)5000);
	for (int i = 0; i < 1000 && p->f.transfer->moved == 0; i++)
		ftpd_pair_turn(p);
	assert_true(p->f.transfer->moved > 0);
}

/* The target was never there; a partial is, if bytes had come, and is taken away. */
static void expect_untouched(struct ftpd_pair *p, bool partial)
{
	struct ftp_entry e;
	uint64_t size;

	assert_int_equal(tree_stat(p->f.tree, "/shared/target", &e), -ENOENT);
	assert_int_equal(upload_partial(p->f.tree, "/shared/target", &size), partial ? 0 : -ENOENT);
	if (partial) {
		assert_int_equal(size, 5000);
		assert_int_equal(upload_drop(p->f.tree, "/shared/target"), 0);
	}
}

static void aborted_at_every_point(void **state)
{
	struct ftpd_pair *p = *state;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	for (int upload = 0; upload < 2; upload++)
		for (enum point at = BEFORE_CONNECT; at < POINTS; at++) {
			bring_to(p, upload, at);
			ftpd_pair_call(p, ftpd_cmd_abor, "");
			assert_null(p->f.transfer);
			assert_int_equal(ftpd_pair_reply(p), 426);
			assert_int_equal(ftpd_pair_reply(p), 226);
			assert_false(data_is_ready(p->f.data));
			expect_untouched(p, upload && at == MOVING);
			ftpd_pair_data_close(p);
		}
	ftpd_pair_call(p, ftpd_cmd_abor, "");
	assert_int_equal(ftpd_pair_reply(p), 226);
	(void)ftpd_pair_passive(p);
	ftpd_pair_call(p, ftpd_cmd_abor, "");
	assert_int_equal(ftpd_pair_reply(p), 226);
	assert_false(data_is_ready(p->f.data));
}

static void session_ends_at_every_point(void **state)
{
	struct ftpd_pair *p = *state;

	for (int upload = 0; upload < 2; upload++)
		for (enum point at = BEFORE_CONNECT; at < POINTS; at++) {
			assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
			bring_to(p, upload, at);
			assert_int_equal(transfer_abort(&p->f, false), 0);
			assert_null(p->f.transfer);
			expect_untouched(p, upload && at == MOVING);
		}
}

static void times_out_at_every_point(void **state)
{
	static const unsigned codes[POINTS] = {425, 425, 425, 426};
	const struct transfer_patience usual = transfer_patience;
	struct ftpd_pair *p = *state;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	transfer_patience = (struct transfer_patience){
		.connect_ms = SHORT_MS, .secure_ms = 500, .stall_ms = 300, .goodbye_ms = 300};
	for (int upload = 0; upload < 2; upload++)
		for (enum point at = BEFORE_CONNECT; at < POINTS; at++) {
			int64_t began_ms;

			bring_to(p, upload, at);
			began_ms = time_monotonic_ms();
			/* The client stops where it is. */
			p->data.handshake = 0;
			assert_int_equal(ftpd_pair_reply(p), codes[at]);
			assert_true(time_monotonic_ms() - began_ms < 5000);
			assert_null(p->f.transfer);
			expect_untouched(p, upload && at == MOVING);
			ftpd_pair_data_close(p);
		}
	transfer_patience = usual;
}

/* Bytes that come in time keep the stall away, however slow they are. */
static void slow_is_not_stalled(void **state)
{
	const struct transfer_patience usual = transfer_patience;
	struct ftpd_pair *p = *state;
	int64_t began_ms;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	transfer_patience.stall_ms = 250;
	bring_to(p, true, MOVING);
	began_ms = time_monotonic_ms();
	while (time_monotonic_ms() - began_ms < 750) {
		assert_int_equal(conn_step_write(p->data.conn, SPAN_LIT("x")), 1);
		(void)usleep(50000);
		ftpd_pair_turn(p);
		assert_non_null(p->f.transfer);
	}
	assert_int_equal(conn_step_bye(p->data.conn), 0);
	assert_int_equal(ftpd_pair_reply(p), 226);
	assert_int_equal(tree_remove_file(p->f.tree, "/shared/target"), 0);
	transfer_patience = usual;
}

/* 226 of a download means that it has arrived: who does not read is not told so. */
static void unread_is_not_done(void **state)
{
	const struct transfer_patience usual = transfer_patience;
	struct ftpd_pair *p = *state;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	transfer_patience.stall_ms = 300;
	bring_to(p, false, MOVING);
	assert_int_equal(ftpd_pair_reply(p), 426);
	transfer_patience = usual;
}

/* A client that never closes its side gets its 226 all the same, after a moment. */
static void unclosed_is_done(void **state)
{
	const struct transfer_patience usual = transfer_patience;
	struct ftpd_pair *p = *state;
	unsigned char some[100];
	int64_t began_ms;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	transfer_patience.goodbye_ms = 100;
	drop_in(p, "small", "small", 5);
	ftpd_pair_data(p, true);
	ftpd_pair_retr(p, "/shared/small");
	assert_int_equal(ftpd_pair_reply(p), 150);
	shake(p);
	began_ms = time_monotonic_ms();
	assert_int_equal(ftpd_pair_reply(p), 226);
	assert_true(time_monotonic_ms() - began_ms >= 90);
	assert_int_equal(conn_step_read(p->data.conn, some, sizeof(some)), 5);
	assert_int_equal(conn_step_read(p->data.conn, some, sizeof(some)), 0);
	ftpd_pair_data_close(p);
	transfer_patience = usual;
}

static void described(void **state)
{
	struct ftpd_pair *p = *state;
	struct buf b = BUF_INIT(1000);

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	bring_to(p, true, MOVING);
	transfer_describe(&p->f, &b);
	assert_string_equal(buf_str(&b), "STOR /shared/target: 5000 bytes in 0 s");
	buf_reset(&b);
	ftpd_pair_call(p, ftpd_cmd_abor, "");
	assert_int_equal(ftpd_pair_reply(p), 426);
	assert_int_equal(ftpd_pair_reply(p), 226);
	expect_untouched(p, true);
	ftpd_pair_data_close(p);
	bring_to(p, false, IN_TLS);
	transfer_describe(&p->f, &b);
	assert_string_equal(buf_str(&b), "RETR /shared/big: 0 bytes in 0 s, 25165824 to come");
	buf_done(&b);
}

/* What poll() is asked for in each stage; never nothing for ever. */
static void polls(void **state)
{
	struct ftpd_pair *p = *state;
	struct pollfd fd;
	int64_t until_ms;
	bool now;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	for (int upload = 0; upload < 2; upload++)
		for (enum point at = BEFORE_CONNECT; at < POINTS; at++) {
			bring_to(p, upload, at);
			transfer_poll(&p->f, &fd, &until_ms, &now);
			assert_true(now || (fd.fd >= 0 && fd.events != 0));
			assert_true(until_ms < INT64_MAX);
			if (at < MOVING)
				assert_false(now);
			if (upload && at == MOVING)
				assert_int_equal(fd.events, POLLIN);
			assert_int_equal(transfer_abort(&p->f, false), 0);
			expect_untouched(p, upload && at == MOVING);
			ftpd_pair_data_close(p);
		}
}

/* Carries at most max bytes from one socket to the other, without waiting. */
static void carry(int from_fd, int to_fd, size_t max)
{
	unsigned char bytes[32768];
	ssize_t n = recv(from_fd, bytes, max < sizeof(bytes) ? max : sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		assert_int_equal(send(to_fd, bytes, (size_t)n, MSG_NOSIGNAL), n);
}

/* Half a record is held by TLS, but is nothing to work on: that would be a busy loop. */
static void half_a_record_waits(void **state)
{
	struct ftpd_pair *p = *state;
	int64_t until_ms = time_monotonic_ms() + 20000;
	struct pollfd fd;
	bool now = true;
	int tcp, pair[2];

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, true));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	tcp = ftpd_pair_connect(p, ftpd_pair_passive(p), NULL);
	ftpd_pair_stor(p, "/shared/target");
	assert_int_equal(ftpd_pair_reply(p), 150);
	ftpd_pair_secure(p, pair[0], true);
	while (p->data.handshake == -EAGAIN || p->f.transfer->stage != TRANSFER_MOVE) {
		assert_true(time_monotonic_ms() < until_ms);
		carry(pair[1], tcp, SIZE_MAX);
		carry(tcp, pair[1], SIZE_MAX);
		ftpd_pair_turn(p);
	}
	assert_int_equal(conn_step_write(p->data.conn, span_of(big, 5000)), 5000);
	carry(pair[1], tcp, 2500);
	(void)usleep(50000);
	ftpd_pair_turn(p);
	transfer_poll(&p->f, &fd, &until_ms, &now);
	assert_false(now);
	assert_int_equal(poll(&fd, 1, 50), 0);
	assert_int_equal(p->f.transfer->moved, 0);
	carry(pair[1], tcp, SIZE_MAX);
	assert_int_equal(poll(&fd, 1, 5000), 1);
	ftpd_pair_turn(p);
	assert_int_equal(p->f.transfer->moved, 5000);
	assert_int_equal(transfer_abort(&p->f, false), 0);
	expect_untouched(p, true);
	(void)close(pair[1]);
	(void)close(tcp);
}

/* -- listings, over memory --------------------------------------------------------------------- */

struct script {
	struct span in;
	size_t step;
	struct buf out;
	int connect, open; /* what they return */
};

static int script_connect(void *arg)
{
	const struct script *s = arg;

	return s->connect;
}

static int script_open(void *arg, struct conn **ret)
{
	struct script *s = arg;

	return s->open < 0 ? s->open : conn_new_memory(s->in, s->step, &s->out, ret);
}

static void hook(struct script *s)
{
	data_hook = (struct data_hook){.connect = script_connect, .open = script_open, .arg = s};
}

static void unhook(void)
{
	data_hook = (struct data_hook){0};
}

/* The listing as one text, to be freed with buf_done. */
static struct buf listing(struct ftpd_pair *p, enum transfer_form form, const char *path)
{
	struct script s = {.out = BUF_INIT(1 << 20)};

	hook(&s);
	ftpd_pair_call(p, ftpd_cmd_epsv, "");
	assert_int_equal(ftpd_pair_reply(p), 229);
	list(p, form, path);
	assert_int_equal(ftpd_pair_reply(p), 150);
	assert_int_equal(ftpd_pair_reply(p), 226);
	unhook();
	return s.out;
}

static void expect_listing(struct ftpd_pair *p, const char *path, const char *expected)
{
	struct buf b = listing(p, TRANSFER_NLST, path);

	assert_string_equal(buf_str(&b), expected);
	buf_done(&b);
}

static void names_as_they_are_asked_for(void **state)
{
	struct ftpd_pair *p = *state;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_UNIX, false));
	assert_int_equal(tree_make_folder(p->f.tree, "/shared/sub dir"), 0);
	drop_in(p, "sub dir/gr\xc3\xbc\xc3\x9f", "x", 1);
	/* These two nobody could ask for. */
	drop_in(p, "sub dir/bad\nname", "x", 1);
	drop_in(p, "sub dir/bad\xff", "x", 1);
	expect_listing(p, "/shared/sub dir", "sub dir/gr\xc3\xbc\xc3\x9f\r\n");
	expect_listing(p, "/shared/sub dir/gr\xc3\xbc\xc3\x9f", "sub dir/gr\xc3\xbc\xc3\x9f\r\n");
	expect_listing(p, "/home", "/home/ann\r\n");
	expect_listing(p, "/home/ann", "");
	(void)snprintf(p->f.cwd, sizeof(p->f.cwd), "/shared/sub dir");
	expect_listing(p, "/shared/sub dir", "gr\xc3\xbc\xc3\x9f\r\n");
	(void)snprintf(p->f.cwd, sizeof(p->f.cwd), "/");
	expect_listing(p, "/shared/sub dir", "shared/sub dir/gr\xc3\xbc\xc3\x9f\r\n");
	(void)snprintf(p->f.cwd, sizeof(p->f.cwd), "/home/ann");
	expect_listing(p, "/shared/sub dir", "/shared/sub dir/gr\xc3\xbc\xc3\x9f\r\n");
	(void)snprintf(p->f.cwd, sizeof(p->f.cwd), "/shared");
}

static unsigned count_lines(const struct buf *b, const char *with)
{
	struct span rest = buf_span(b), line;
	unsigned n = 0;

	while (span_split(&rest, '\n', &line)) {
		assert_true(line.len > 1 && line.p[line.len - 1] == '\r');
		n += memmem(line.p, line.len, with, strlen(with)) != NULL;
	}
	return n;
}

/* More than fits one slice, in each form. */
static void long_listings(void **state)
{
	enum { MANY = 300 };
	struct ftpd_pair *p = *state;
	char name[300];
	struct buf b;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_UNIX, false));
	assert_int_equal(tree_make_folder(p->f.tree, "/shared/many"), 0);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "many/%0240d", i);
		drop_in(p, name, "abc", 3);
	}
	b = listing(p, TRANSFER_LIST, "/shared/many");
	assert_int_equal(count_lines(&b, "-r"), MANY);
	assert_int_equal(count_lines(&b, ""), MANY);
	buf_done(&b);
	b = listing(p, TRANSFER_NLST, "/shared/many");
	assert_int_equal(count_lines(&b, "many/0000"), MANY);
	buf_done(&b);
	b = listing(p, TRANSFER_MLSD, "/shared/many");
	assert_int_equal(count_lines(&b, "type=file;size=3;"), MANY);
	assert_int_equal(count_lines(&b, "type=cdir;"), 1);
	assert_int_equal(count_lines(&b, "type=pdir;"), 1);
	assert_int_equal(count_lines(&b, ""), MANY + 2);
	buf_done(&b);
	p->f.facts = FTP_FACT_TYPE;
	b = listing(p, TRANSFER_MLSD, "/");
	assert_int_equal(count_lines(&b, "type=pdir;"), 0);
	assert_int_equal(count_lines(&b, "type=dir; shared"), 1);
	assert_int_equal(count_lines(&b, "size="), 0);
	buf_done(&b);
	p->f.facts = FTP_FACT_ALL;
}

static void scripted_data(void **state)
{
	struct ftpd_pair *p = *state;
	struct script s = {.in = SPAN_LIT("hello"), .step = 2, .out = BUF_INIT(100)};

	assert_true(ftpd_pair_open(p, FTPD_PAIR_UNIX, false));
	hook(&s);
	ftpd_pair_call(p, ftpd_cmd_pasv, "");
	assert_int_equal(ftpd_pair_reply(p), 227);
	ftpd_pair_stor(p, "/shared/target");
	assert_int_equal(ftpd_pair_reply(p), 150);
	assert_int_equal(ftpd_pair_reply(p), 226);
	assert_non_null(strstr(p->text, "5 bytes"));
	assert_int_equal(tree_remove_file(p->f.tree, "/shared/target"), 0);
	s.connect = -ECONNREFUSED;
	ftpd_pair_call(p, ftpd_cmd_epsv, "");
	assert_int_equal(ftpd_pair_reply(p), 229);
	ftpd_pair_stor(p, "/shared/target");
	assert_int_equal(ftpd_pair_reply(p), 425);
	s.connect = 0;
	s.open = -EKEYREJECTED;
	ftpd_pair_call(p, ftpd_cmd_epsv, "");
	assert_int_equal(ftpd_pair_reply(p), 229);
	ftpd_pair_stor(p, "/shared/target");
	assert_int_equal(ftpd_pair_reply(p), 150);
	assert_int_equal(ftpd_pair_reply(p), 522);
	unhook();
	expect_untouched(p, false);
	buf_done(&s.out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(aborted_at_every_point),
		cmocka_unit_test(session_ends_at_every_point),
		cmocka_unit_test(times_out_at_every_point),
		cmocka_unit_test(slow_is_not_stalled),
		cmocka_unit_test(unread_is_not_done),
		cmocka_unit_test(unclosed_is_done),
		cmocka_unit_test(described),
		cmocka_unit_test(polls),
		cmocka_unit_test(half_a_record_waits),
		cmocka_unit_test(names_as_they_are_asked_for),
		cmocka_unit_test(long_listings),
		cmocka_unit_test(scripted_data),
	};

	return cmocka_run_group_tests(tests, setup, ftpd_pair_teardown);
}
