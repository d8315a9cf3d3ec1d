/*
 * Sessions in the store: registration, a revocation that ends a wait, log-in in mid-session, dead
 * neighbours, and what a session's end leaves behind. And how results become exit statuses.
 */
#include "base/timefmt.h"
#include "service/service.h"
#include "tests/unit/lib/auth_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct service_door door = {.name = "test", .idle_s = 5};
static const struct service_def definition = {.name = "test"};
static const struct frame_rule rule = {.max = 100};

static int quiet(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERR - 1);
	return 0;
}

/* A session of the account ("" for nobody) over a socket whose other end is *ret_peer. */
static struct service begin(struct auth_fixture *f, const char *account, int *ret_peer)
{
	struct service s = SERVICE_INIT;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(conn_new(fds[0], &s.conn), 0);
	conn_set_timeout_s(s.conn, 10);
	s.def = &definition;
	s.door = &door;
	s.store = f->s;
	s.started_ms = time_monotonic_ms();
	(void)snprintf(s.peer.text, sizeof(s.peer.text), "192.0.2.1");
	(void)snprintf(s.settings.runtime, sizeof(s.settings.runtime), "%s", f->store->dir);
	if (*account != '\0') {
		s.who.proof = AUTH_PASSWORD;
		assert_int_equal(account_get(f->s, account, &s.who.account), 0);
	}
	*ret_peer = fds[1];
	return s;
}

/* The store is the fixture's to close. */
static void end(struct service *s, int peer_fd)
{
	(void)service_finish(s, 0);
	s->store = NULL;
	service_done(s);
	(void)close(peer_fd);
}

struct rows {
	unsigned count;
	struct session_row last;
};

static int count_row(void *arg, const struct session_row *row)
{
	struct rows *rows = arg;

	rows->count++;
	rows->last = *row;
	return 0;
}

static struct rows rows_of(struct auth_fixture *f)
{
	struct rows rows = {0};

	assert_int_equal(session_each(f->s, "test", count_row, &rows), 0);
	return rows;
}

static unsigned bells_in(const struct auth_fixture *f)
{
	char path[128];
	unsigned count = 0;
	struct dirent *entry;
	DIR *folder;

	(void)snprintf(path, sizeof(path), "%s/bells", f->store->dir);
	folder = opendir(path);
	if (folder == NULL)
		return 0;
	while ((entry = readdir(folder)) != NULL)
		count += entry->d_name[0] != '.';
	(void)closedir(folder);
	return count;
}

static void test_registration(void **state)
{
	struct auth_fixture *f = *state;
	int peer_fd;
	struct service s = begin(f, "ann", &peer_fd);
	struct rows rows;

	assert_int_equal(service_register(&s), 0);
	assert_int_equal(service_register(&s), 0);
	rows = rows_of(f);
	assert_int_equal(rows.count, 1);
	assert_int_equal(rows.last.pid, getpid());
	assert_string_equal(rows.last.account, "ann");
	assert_string_equal(rows.last.peer, "192.0.2.1");
	assert_true(session_alive(&rows.last));
	assert_int_equal(bells_in(f), 1);
	end(&s, peer_fd);
	assert_int_equal(rows_of(f).count, 0);
	assert_int_equal(bells_in(f), 0);
}

/* What went past the connection, as file transfers do, is told in the row. */
static void test_data_is_counted(void **state)
{
	struct auth_fixture *f = *state;
	int peer_fd;
	struct service s = begin(f, "ann", &peer_fd);
	struct rows rows;

	s.data_in = 1000;
	s.data_out = 70000;
	assert_int_equal(service_register(&s), 0);
	rows = rows_of(f);
	assert_int_equal(rows.last.bytes_in, 1000);
	assert_int_equal(rows.last.bytes_out, 70000);
	end(&s, peer_fd);
}

static void test_nobody_has_no_bell(void **state)
{
	struct auth_fixture *f = *state;
	int peer_fd;
	struct service s = begin(f, "", &peer_fd);

	assert_int_equal(service_register(&s), 0);
	assert_int_equal(rows_of(f).count, 1);
	assert_int_equal(bells_in(f), 0);
	end(&s, peer_fd);
}

static int64_t wait_for_revocation(struct service *s)
{
	int64_t start_ms = time_monotonic_ms();
	struct span line;

	assert_int_equal(conn_read_line(s->conn, &rule, &line), -EACCES);
	assert_string_equal(s->end_reason, "revoked");
	return time_monotonic_ms() - start_ms;
}

static void test_bell_ends_a_wait(void **state)
{
	struct auth_fixture *f = *state;
	int peer_fd, other_fd;
	struct service s = begin(f, "ann", &peer_fd), other = begin(f, "bob", &other_fd);

	assert_int_equal(service_register(&s), 0);
	assert_int_equal(service_register(&other), 0);
	auth_fixture_flags(f, "ann", ACCOUNT_LOCKED, 0);
	assert_int_equal(service_ring_account(f->s, f->store->dir, "ann"), 0);
	assert_true(wait_for_revocation(&s) < 500);
	/* A ring for nothing, and one for somebody else, end nobody. */
	assert_int_equal(service_ring_account(f->s, f->store->dir, "bob"), 0);
	assert_int_equal(write(other_fd, "x\r\n", 3), 3);
	struct span line;

	assert_int_equal(conn_read_line(other.conn, &rule, &line), 1);
	assert_int_equal(service_finish(&s, -EACCES), ERR_EXIT_OK);
	end(&s, peer_fd);
	end(&other, other_fd);
}

static void test_registration_looks_for_what_it_missed(void **state)
{
	struct auth_fixture *f = *state;
	int peer_fd;
	struct service s = begin(f, "ann", &peer_fd);

	auth_fixture_flags(f, "ann", ACCOUNT_LOCKED, 0);
	assert_int_equal(service_register(&s), -EACCES);
	assert_true(s.live.revoked);
	end(&s, peer_fd);
	assert_int_equal(rows_of(f).count, 0);
}

static void test_log_in_after_registration(void **state)
{
	struct auth_fixture *f = *state;
	int peer_fd;
	struct service s = begin(f, "", &peer_fd);
	struct auth_identity who = {.proof = AUTH_PASSWORD};

	assert_int_equal(service_register(&s), 0);
	assert_int_equal(account_get(f->s, "bob", &who.account), 0);
	assert_int_equal(service_logged_in(&s, &who), 0);
	assert_string_equal(rows_of(f).last.account, "bob");
	assert_int_equal(bells_in(f), 1);
	/* As another account: the old one's bell is nothing to it any more. */
	assert_int_equal(account_get(f->s, "ann", &who.account), 0);
	assert_int_equal(service_logged_in(&s, &who), 0);
	assert_string_equal(rows_of(f).last.account, "ann");
	assert_int_equal(bell_ring(f->s, f->store->dir, "account/bob", NULL, NULL), 0);
	assert_int_equal(bell_ring(f->s, f->store->dir, "account/ann", NULL, NULL), 1);
	auth_fixture_password(f, "ann", "another password");
	assert_int_equal(service_ring_account(f->s, f->store->dir, "ann"), 0);
	assert_true(wait_for_revocation(&s) < 500);
	end(&s, peer_fd);
}

/* A row whose process is gone already: nobody rings for it. */
static void test_dead_neighbour_is_buried(void **state)
{
	struct auth_fixture *f = *state;
	int peer_fd;
	struct service s = begin(f, "", &peer_fd);
	struct session_row dead = {.service = "test", .peer = "192.0.2.9", .start_ticks = 1};
	pid_t pid = fork();
	uint64_t id;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	dead.pid = pid;
	assert_int_equal(store_call(f->s, STORE_OP_SESSION_ADD, &dead, &id), 0);
	assert_int_equal(store_call(f->s, STORE_OP_SESSION_ADD, &dead, &id), 0);
	assert_int_equal(service_register(&s), 0);
	assert_int_equal(rows_of(f).count, 1);
	assert_string_equal(rows_of(f).last.peer, "192.0.2.1");
	end(&s, peer_fd);
}

static int finish_with(bool misconfigured, int result)
{
	struct service s = SERVICE_INIT;
	struct buf out = BUF_INIT(1000);
	int status;

	s.def = &definition;
	s.door = &door;
	s.misconfigured = misconfigured;
	assert_int_equal(conn_new_memory(SPAN_LIT(""), 0, &out, &s.conn), 0);
	status = service_finish(&s, result);
	service_done(&s);
	buf_done(&out);
	return status;
}

static void test_exit_statuses(void **state)
{
	(void)state;
	assert_int_equal(finish_with(false, 0), ERR_EXIT_OK);
	assert_int_equal(finish_with(false, 1), ERR_EXIT_OK);
	assert_int_equal(finish_with(false, -ETIMEDOUT), ERR_EXIT_OK);
	assert_int_equal(finish_with(false, -ECONNRESET), ERR_EXIT_OK);
	assert_int_equal(finish_with(false, -ENOMEM), ERR_EXIT_TEMP);
	assert_int_equal(finish_with(false, -ENOSPC), ERR_EXIT_TEMP);
	assert_int_equal(finish_with(false, -EDOM), ERR_EXIT_BUG);
	assert_int_equal(finish_with(true, -EDOM), ERR_EXIT_CONFIG);
	assert_int_equal(finish_with(true, 0), ERR_EXIT_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_registration, auth_fixture_setup, auth_fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_data_is_counted, auth_fixture_setup, auth_fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_nobody_has_no_bell, auth_fixture_setup, auth_fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_bell_ends_a_wait, auth_fixture_setup, auth_fixture_teardown),
		cmocka_unit_test_setup_teardown(test_registration_looks_for_what_it_missed,
			auth_fixture_setup, auth_fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_log_in_after_registration, auth_fixture_setup, auth_fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_dead_neighbour_is_buried, auth_fixture_setup, auth_fixture_teardown),
		cmocka_unit_test(test_exit_statuses),
	};

	return cmocka_run_group_tests(tests, quiet, NULL);
}
