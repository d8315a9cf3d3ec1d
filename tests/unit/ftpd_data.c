/* Where data connections are awaited and go to: EPSV, PASV, EPRT, PORT, and who may come. */
#include "base/timefmt.h"
#include "services/ftpd/data_internal.h"
#include "tests/unit/lib/ftpd_pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* data_connect() until it is something else than -EAGAIN. */
static int connect_soon(struct ftpd_pair *p, int64_t patience_ms)
{
	int64_t until_ms = time_monotonic_ms() + patience_ms;
	int r = -EAGAIN;

	while (r == -EAGAIN && time_monotonic_ms() < until_ms) {
		struct pollfd fd;

		data_poll(p->f.data, &fd);
		assert_true(fd.fd >= 0);
		(void)poll(&fd, 1, 10);
		r = data_connect(&p->f);
	}
	return r;
}

/* Has whoever is at the other end been sent away? */
static bool is_closed(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;

	return poll(&p, 1, 2000) == 1 && recv(fd, &c, 1, 0) <= 0;
}

static void expect_accepted(struct ftpd_pair *p, uint16_t port)
{
	int fd = ftpd_pair_connect(p, port, NULL);

	assert_true(data_is_ready(p->f.data));
	assert_int_equal(connect_soon(p, 5000), 0);
	assert_int_equal(data_connect(&p->f), 0);
	data_reset(p->f.data, false);
	assert_false(data_is_ready(p->f.data));
	assert_true(is_closed(fd));
	(void)close(fd);
}

static void epsv_on_every_network(void **state)
{
	static const struct {
		enum ftpd_pair_network network;
		const char *own, *other, *advice;
	} rows[] = {
		{FTPD_PAIR_IPV4, "1", "2", "(1)"},
		{FTPD_PAIR_IPV6, "2", "1", "(2)"},
		{FTPD_PAIR_MAPPED, "1", "2", "(1)"},
	};
	struct ftpd_pair *p = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!ftpd_pair_open(p, rows[i].network, false))
			continue;
		expect_accepted(p, ftpd_pair_passive(p));
		ftpd_pair_call(p, ftpd_cmd_epsv, rows[i].own);
		assert_int_equal(ftpd_pair_reply(p), 229);
		ftpd_pair_call(p, ftpd_cmd_epsv, rows[i].other);
		assert_int_equal(ftpd_pair_reply(p), 522);
		assert_non_null(strstr(p->text, rows[i].advice));
		ftpd_pair_call(p, ftpd_cmd_epsv, "3");
		assert_int_equal(ftpd_pair_reply(p), 522);
		ftpd_pair_call(p, ftpd_cmd_epsv, "x");
		assert_int_equal(ftpd_pair_reply(p), 501);
	}
}

static void pasv_tells_an_address(void **state)
{
	struct ftpd_pair *p = *state;
	struct ftp_address told;

	for (int mapped = 0; mapped < 2; mapped++) {
		if (!ftpd_pair_open(p, mapped ? FTPD_PAIR_MAPPED : FTPD_PAIR_IPV4, false))
			continue;
		ftpd_pair_call(p, ftpd_cmd_pasv, "");
		assert_int_equal(ftpd_pair_reply(p), 227);
		assert_int_equal(ftp_pasv_read(span_str(p->text), &told), 0);
		assert_memory_equal(told.host, "\x7f\0\0\1", 4);
		expect_accepted(p, told.port);
	}
	(void)snprintf(p->service.settings.ftp_address, sizeof(p->service.settings.ftp_address),
		"192.0.2.77");
	ftpd_pair_call(p, ftpd_cmd_pasv, "");
	assert_int_equal(ftpd_pair_reply(p), 227);
	assert_int_equal(ftp_pasv_read(span_str(p->text), &told), 0);
	assert_memory_equal(told.host, "\xc0\0\2\x4d", 4);
	if (!ftpd_pair_open(p, FTPD_PAIR_IPV6, false))
		return;
	ftpd_pair_call(p, ftpd_cmd_pasv, "");
	assert_int_equal(ftpd_pair_reply(p), 522);
	assert_non_null(strstr(p->text, "EPSV"));
	assert_false(data_is_ready(p->f.data));
}

static void epsv_all_shuts_the_rest(void **state)
{
	struct ftpd_pair *p = *state;

	ftpd_pair_policy(p, "ftp_active", "yes");
	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, false));
	ftpd_pair_call(p, ftpd_cmd_epsv, "all");
	assert_int_equal(ftpd_pair_reply(p), 200);
	ftpd_pair_call(p, ftpd_cmd_pasv, "");
	assert_int_equal(ftpd_pair_reply(p), 501);
	ftpd_pair_call(p, ftpd_cmd_port, "127,0,0,1,200,1");
	assert_int_equal(ftpd_pair_reply(p), 501);
	ftpd_pair_call(p, ftpd_cmd_eprt, "|1|127.0.0.1|51201|");
	assert_int_equal(ftpd_pair_reply(p), 501);
	assert_false(data_is_ready(p->f.data));
	/* A transfer's end does not take it back; a new log-in does. */
	data_reset(p->f.data, false);
	ftpd_pair_call(p, ftpd_cmd_pasv, "");
	assert_int_equal(ftpd_pair_reply(p), 501);
	data_reset(p->f.data, true);
	ftpd_pair_call(p, ftpd_cmd_pasv, "");
	assert_int_equal(ftpd_pair_reply(p), 227);
}

/* A foreign address is sent away, and the right one may still come. */
static void only_the_control_peer_may_come(void **state)
{
	struct ftpd_pair *p = *state;

	for (int mapped = 0; mapped < 2; mapped++) {
		uint16_t port;
		int foreign[3], own;

		if (!ftpd_pair_open(p, mapped ? FTPD_PAIR_MAPPED : FTPD_PAIR_IPV4, false))
			continue;
		port = ftpd_pair_passive(p);
		for (int i = 0; i < 3; i++)
			foreign[i] = ftpd_pair_connect(p, port, "127.0.0.2");
		assert_int_equal(connect_soon(p, 100), -EAGAIN);
		for (int i = 0; i < 3; i++) {
			assert_true(is_closed(foreign[i]));
			(void)close(foreign[i]);
		}
		own = ftpd_pair_connect(p, port, NULL);
		assert_int_equal(connect_soon(p, 5000), 0);
		(void)close(own);
	}
}

/* With the one that counts the port is closed. */
static void one_accept(void **state)
{
	struct ftpd_pair *p = *state;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int first, second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint16_t port;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, false));
	port = ftpd_pair_passive(p);
	first = ftpd_pair_connect(p, port, NULL);
	assert_int_equal(connect_soon(p, 5000), 0);
	at.sin_port = htons(port);
	assert_int_equal(connect(second, (const struct sockaddr *)&at, sizeof(at)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	(void)close(second);
	(void)close(first);
}

/* A new EPSV ends the wait at the old port. */
static void one_listener(void **state)
{
	struct ftpd_pair *p = *state;
	uint16_t ports[2];
	int stale;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, false));
	ports[0] = ftpd_pair_passive(p);
	stale = ftpd_pair_connect(p, ports[0], NULL);
	ports[1] = ftpd_pair_passive(p);
	assert_true(ports[0] != ports[1]);
	assert_true(is_closed(stale));
	(void)close(stale);
	expect_accepted(p, ports[1]);
}

/* Three free ports, found whatever the random start; also those that just served (TIME_WAIT). */
static void range_is_kept_and_runs_out(void **state)
{
	struct ftpd_pair *p = *state;
	struct data *more[4] = {NULL}, *own = p->f.data;
	uint16_t first = 0;
	unsigned seen = 0;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, false));
	/* The kernel's choice is free, and most often its neighbours are too. */
	for (int tries = 0; tries < 100 && seen < 3; tries++) {
		first = ftpd_pair_passive(p);
		data_reset(p->f.data, false);
		if (first > 65000)
			continue;
		p->service.settings.ftp_passive_first = first;
		p->service.settings.ftp_passive_last = (uint16_t)(first + 2);
		for (seen = 0; seen < 3; seen++) {
			assert_int_equal(data_new(&more[seen]), 0);
			p->f.data = more[seen];
			ftpd_pair_call(p, ftpd_cmd_epsv, "");
			if (ftpd_pair_reply(p) != 229)
				break;
		}
		p->f.data = own;
		for (unsigned i = 0; seen < 3 && i <= seen; i++)
			data_free(more[i]);
	}
	assert_int_equal(seen, 3);
	ftpd_pair_call(p, ftpd_cmd_epsv, "");
	assert_int_equal(ftpd_pair_reply(p), 425);
	ftpd_pair_call(p, ftpd_cmd_pasv, "");
	assert_int_equal(ftpd_pair_reply(p), 425);
	assert_false(data_is_ready(p->f.data));
	data_free(more[1]);
	for (int i = 0; i < 3; i++) {
		uint16_t port = ftpd_pair_passive(p);
		int fd = ftpd_pair_connect(p, port, NULL);

		assert_true(port >= first && port <= first + 2);
		assert_int_equal(connect_soon(p, 5000), 0);
		/* The server closes first, so its side of the port stays in TIME_WAIT. */
		data_reset(p->f.data, false);
		assert_true(is_closed(fd));
		(void)close(fd);
	}
	data_free(more[0]);
	data_free(more[2]);
	memset(&p->service.settings, 0, sizeof(p->service.settings));
}

static void ports_are_not_a_sequence(void **state)
{
	struct ftpd_pair *p = *state;
	unsigned steps = 0;
	uint16_t last = 0;

	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, false));
	p->service.settings.ftp_passive_first = 20000;
	p->service.settings.ftp_passive_last = 29999;
	for (int i = 0; i < 20; i++) {
		uint16_t port = ftpd_pair_passive(p);

		assert_in_range(port, 20000, 29999);
		if (port > last && port - last < 10)
			steps++;
		last = port;
	}
	memset(&p->service.settings, 0, sizeof(p->service.settings));
	assert_true(steps < 5);
}

static void unix_peers_have_no_data(void **state)
{
	struct ftpd_pair *p = *state;

	ftpd_pair_policy(p, "ftp_active", "yes");
	assert_true(ftpd_pair_open(p, FTPD_PAIR_UNIX, false));
	ftpd_pair_call(p, ftpd_cmd_epsv, "");
	assert_int_equal(ftpd_pair_reply(p), 425);
	ftpd_pair_call(p, ftpd_cmd_pasv, "");
	assert_int_equal(ftpd_pair_reply(p), 425);
	ftpd_pair_call(p, ftpd_cmd_port, "127,0,0,1,200,1");
	assert_int_equal(ftpd_pair_reply(p), 425);
	assert_false(data_is_ready(p->f.data));
}

/* -- active mode ------------------------------------------------------------------------------- */

static void active_is_off(void **state)
{
	struct ftpd_pair *p = *state;

	ftpd_pair_policy(p, "ftp_active", "");
	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, false));
	ftpd_pair_call(p, ftpd_cmd_port, "127,0,0,1,200,1");
	assert_int_equal(ftpd_pair_reply(p), 502);
	ftpd_pair_call(p, ftpd_cmd_eprt, "|1|127.0.0.1|51201|");
	assert_int_equal(ftpd_pair_reply(p), 502);
	assert_false(data_is_ready(p->f.data));
}

static void active_refuses_to_bounce(void **state)
{
	static const struct {
		int (*run)(struct ftpd_call *c);
		const char *argument;
		unsigned code;
	} rows[] = {
		{ftpd_cmd_port, "127,0,0,2,200,1", 504},
		{ftpd_cmd_port, "192,0,2,1,200,1", 504},
		{ftpd_cmd_port, "127,0,0,1,0,25", 504},
		{ftpd_cmd_port, "127,0,0,1,3,255", 504},
		{ftpd_cmd_port, "127,0,0,1,200", 501},
		{ftpd_cmd_port, "127,0,0,1,256,1", 501},
		{ftpd_cmd_eprt, "|1|127.0.0.2|51201|", 504},
		{ftpd_cmd_eprt, "|1|127.0.0.1|1023|", 504},
		{ftpd_cmd_eprt, "|2|::1|51201|", 504},
		{ftpd_cmd_eprt, "|2|::ffff:127.0.0.1|51201|", 504},
		{ftpd_cmd_eprt, "|3|x|51201|", 522},
		{ftpd_cmd_eprt, "|1|127.0.0.1|", 501},
		{ftpd_cmd_eprt, "", 501},
	};
	struct ftpd_pair *p = *state;

	ftpd_pair_policy(p, "ftp_active", "yes");
	for (int mapped = 0; mapped < 2; mapped++) {
		if (!ftpd_pair_open(p, mapped ? FTPD_PAIR_MAPPED : FTPD_PAIR_IPV4, false))
			continue;
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			ftpd_pair_call(p, rows[i].run, rows[i].argument);
			if (ftpd_pair_reply(p) != rows[i].code)
				fail_msg("%s: %s", rows[i].argument, p->text);
			assert_false(data_is_ready(p->f.data));
		}
	}
}

/* A listener of the client's; its port. */
static int client_listens(const struct ftpd_pair *p, uint16_t *ret_port)
{
	struct data_address at = {.len = sizeof(at.v4)};
	int fd;

	at.v4.sin_family = AF_INET;
	at.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (p->network == FTPD_PAIR_IPV6) {
		at.len = sizeof(at.v6);
		at.v6 = (struct sockaddr_in6){
			.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	}
	fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, &at.any, at.len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(data_address_local(fd, &at), 0);
	*ret_port = data_address_port(&at);
	return fd;
}

static void expect_active(struct ftpd_pair *p, bool extended)
{
	char argument[64];
	uint16_t port;
	int listener = client_listens(p, &port), fd, r;

	if (extended)
		(void)snprintf(argument, sizeof(argument), "|%d|%s|%u|",
			p->network == FTPD_PAIR_IPV6 ? 2 : 1,
			p->network == FTPD_PAIR_IPV6 ? "::1" : "127.0.0.1", port);
	else
		(void)snprintf(
			argument, sizeof(argument), "127,0,0,1,%d,%d", port >> 8, port & 0xff);
	ftpd_pair_call(p, extended ? ftpd_cmd_eprt : ftpd_cmd_port, argument);
	assert_int_equal(ftpd_pair_reply(p), 200);
	assert_true(data_is_ready(p->f.data));
	r = data_connect(&p->f);
	assert_int_equal(r == -EAGAIN ? connect_soon(p, 5000) : r, 0);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	data_reset(p->f.data, false);
	assert_true(is_closed(fd));
	(void)close(fd);
	(void)close(listener);
}

static void active_goes_to_the_peer(void **state)
{
	struct ftpd_pair *p = *state;

	ftpd_pair_policy(p, "ftp_active", "yes");
	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, false));
	expect_active(p, false);
	expect_active(p, true);
	if (ftpd_pair_open(p, FTPD_PAIR_MAPPED, false))
		expect_active(p, true);
	if (ftpd_pair_open(p, FTPD_PAIR_IPV6, false))
		expect_active(p, true);
}

static void active_to_nobody(void **state)
{
	struct ftpd_pair *p = *state;
	char argument[64];
	uint16_t port;
	int listener, r;

	ftpd_pair_policy(p, "ftp_active", "yes");
	assert_true(ftpd_pair_open(p, FTPD_PAIR_IPV4, false));
	listener = client_listens(p, &port);
	(void)close(listener);
	(void)snprintf(argument, sizeof(argument), "|1|127.0.0.1|%u|", port);
	ftpd_pair_call(p, ftpd_cmd_eprt, argument);
	assert_int_equal(ftpd_pair_reply(p), 200);
	r = data_connect(&p->f);
	assert_int_equal(r == -EAGAIN ? connect_soon(p, 5000) : r, -ECONNREFUSED);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(epsv_on_every_network),
		cmocka_unit_test(pasv_tells_an_address),
		cmocka_unit_test(epsv_all_shuts_the_rest),
		cmocka_unit_test(only_the_control_peer_may_come),
		cmocka_unit_test(one_accept),
		cmocka_unit_test(one_listener),
		cmocka_unit_test(range_is_kept_and_runs_out),
		cmocka_unit_test(ports_are_not_a_sequence),
		cmocka_unit_test(unix_peers_have_no_data),
		cmocka_unit_test(active_is_off),
		cmocka_unit_test(active_refuses_to_bounce),
		cmocka_unit_test(active_goes_to_the_peer),
		cmocka_unit_test(active_to_nobody),
	};

	return cmocka_run_group_tests(tests, ftpd_pair_setup, ftpd_pair_teardown);
}
