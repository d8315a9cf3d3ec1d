/* A session of ftpd and its client in one process, driven in turns. */
#include "tests/unit/lib/ftpd_pair.h"

#include "base/timefmt.h"
#include "services/ftpd/data.h"
#include "services/ftpd/transfer.h"
#include "services/ftpd/tree.h"
#include "store/policy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000 };

static const struct frame_rule rule = {.max = FTP_LINE_MAX};

int ftpd_pair_setup(void **state)
{
	struct ftpd_pair *p = calloc(1, sizeof(*p));
	void *store = NULL;

	assert_non_null(p);
	assert_int_equal(store_fixture_setup(&store), 0);
	p->store = store;
	test_world_make(&p->world);
	p->tls = test_client(&p->world, NULL, NULL);
	p->service = SERVICE_INIT;
	p->service.store = p->store->s;
	(void)snprintf(p->service.who.account.name, sizeof(p->service.who.account.name), "ann");
	p->f.service = &p->service;
	p->f.logged_in = true;
	(void)snprintf(p->f.user, sizeof(p->f.user), "ann");
	(void)snprintf(p->f.cwd, sizeof(p->f.cwd), "/shared");
	p->f.facts = FTP_FACT_ALL;
	assert_int_equal(data_new(&p->f.data), 0);
	fixture_account(p->store->s, "ann");
	assert_int_equal(tree_open(p->store->state, &p->f.tree), 0);
	assert_int_equal(tree_log_in(p->f.tree, p->store->s, "ann", false), 0);
	log_set_level(LOG_LEVEL_ERR);
	*state = p;
	return 0;
}

int ftpd_pair_teardown(void **state)
{
	struct ftpd_pair *p = *state;
	void *store = p->store;

	ftpd_pair_close(p);
	data_free(p->f.data);
	tree_free(p->f.tree);
	tls_client_free(p->tls);
	tls_server_free(p->server);
	test_world_done(&p->world);
	assert_int_equal(store_fixture_teardown(&store), 0);
	free(p);
	return 0;
}

/* As in life: a context that serves one log-in. */
static void make_server(struct ftpd_pair *p)
{
	const struct tls_server_config config = {.key_pem = buf_span(&p->world.server.key_pem),
		.cert_pem = buf_span(&p->world.server_pem),
		.trust_pem = buf_span(&p->world.trust_pem),
		.resumable = true};

	tls_server_free(p->server);
	p->server = NULL;
	assert_int_equal(tls_server_new(&config, &p->server), 0);
	assert_int_equal(tls_server_fresh(p->server), 0);
	p->service.tls = p->server;
}

void ftpd_pair_policy(struct ftpd_pair *p, const char *name, const char *value)
{
	struct policy_set_args args = {.now_us = time_now_us(), .by = "test"};

	(void)snprintf(args.name, sizeof(args.name), "%s", name);
	(void)snprintf(args.value, sizeof(args.value), "%s", value);
	assert_int_equal(store_call(p->store->s, STORE_OP_POLICY_SET, &args, NULL), 0);
}

/* -- connections ------------------------------------------------------------------------------- */

struct place {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t len;
};

static struct place place_of(const char *host, uint16_t port)
{
	struct place at = {.len = sizeof(at.v4)};

	if (strchr(host, ':') == NULL) {
		at.v4.sin_family = AF_INET;
		at.v4.sin_port = htons(port);
		assert_int_equal(inet_pton(AF_INET, host, &at.v4.sin_addr), 1);
	} else {
		at.len = sizeof(at.v6);
		at.v6.sin6_family = AF_INET6;
		at.v6.sin6_port = htons(port);
		assert_int_equal(inet_pton(AF_INET6, host, &at.v6.sin6_addr), 1);
	}
	return at;
}

static const char *const server_hosts[] = {[FTPD_PAIR_IPV4] = "127.0.0.1",
	[FTPD_PAIR_IPV6] = "::1",
	[FTPD_PAIR_MAPPED] = "::ffff:127.0.0.1"};

static int connect_to(const char *host, uint16_t port, const char *from)
{
	struct place to = place_of(host, port);
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (from != NULL) {
		struct place own = place_of(from, 0);

		assert_int_equal(bind(fd, &own.any, own.len), 0);
	}
	assert_int_equal(connect(fd, &to.any, to.len), 0);
	return fd;
}

int ftpd_pair_connect(const struct ftpd_pair *p, uint16_t port, const char *from)
{
	return connect_to(p->network == FTPD_PAIR_IPV6 ? "::1" : "127.0.0.1", port, from);
}

/* fds: the server's and the client's end. */
static bool make_sockets(enum ftpd_pair_network network, int fds[2])
{
	struct place at;
	int listener;

	if (network == FTPD_PAIR_UNIX)
		return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0;
	at = place_of(server_hosts[network], 0);
	listener = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, &at.any, at.len) < 0) {
		(void)close(listener);
		return false;
	}
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, &at.any, &at.len), 0);
	fds[1] = connect_to(network == FTPD_PAIR_IPV6 ? "::1" : "127.0.0.1",
		ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port), NULL);
	fds[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fds[0] >= 0);
	(void)close(listener);
	return true;
}

bool ftpd_pair_open(struct ftpd_pair *p, enum ftpd_pair_network network, bool tls)
{
	struct test_pair pair = {0};
	int fds[2];

	ftpd_pair_close(p);
	if (!make_sockets(network, fds))
		return false;
	p->network = network;
	assert_int_equal(conn_new(fds[0], &pair.server), 0);
	assert_int_equal(conn_new(fds[1], &pair.client), 0);
	conn_set_timeout_s(pair.server, PATIENCE_MS / 1000);
	conn_set_timeout_s(pair.client, PATIENCE_MS / 1000);
	if (tls) {
		make_server(p);
		test_pair_tls(&pair, p->server, p->tls, "localhost");
		assert_int_equal(pair.server_result, 0);
		assert_int_equal(pair.client_result, 0);
	}
	p->service.conn = p->f.control = pair.server;
	p->client = pair.client;
	p->f.prot_private = true;
	return true;
}

void ftpd_pair_data_close(struct ftpd_pair *p)
{
	conn_freep(&p->data.conn);
	p->data.handshake = 0;
}

void ftpd_pair_close(struct ftpd_pair *p)
{
	if (p->f.transfer != NULL)
		assert_int_equal(transfer_abort(&p->f, false), 0);
	data_reset(p->f.data, true);
	ftpd_pair_data_close(p);
	conn_freep(&p->client);
	conn_freep(&p->f.control);
	p->service.conn = NULL;
}

/* -- turns ------------------------------------------------------------------------------------- */

void ftpd_pair_call(struct ftpd_pair *p, int (*run)(struct ftpd_call *c), const char *argument)
{
	struct ftpd_call c = {.f = &p->f, .argument = span_str(argument)};

	assert_int_equal(run(&c), 0);
}

void ftpd_pair_turn(struct ftpd_pair *p)
{
	int r;

	if (p->f.transfer != NULL)
		assert_int_equal(transfer_step(&p->f), 0);
	r = conn_step_flush(p->f.control);
	assert_true(r == 0 || r == -EAGAIN);
	if (p->data.handshake == -EAGAIN)
		p->data.handshake = conn_step_handshake(p->data.conn);
	(void)conn_step_fill(p->client);
}

unsigned ftpd_pair_reply(struct ftpd_pair *p)
{
	int64_t until_ms = time_monotonic_ms() + PATIENCE_MS;
	struct ftp_reply_line reply;
	struct span line;
	bool done = false;
	int r = -EAGAIN;

	while (r == -EAGAIN) {
		assert_true(time_monotonic_ms() < until_ms);
		ftpd_pair_turn(p);
		r = conn_step_line(p->client, &rule, &line);
	}
	assert_int_equal(r, 1);
	assert_int_equal(ftp_reply_parse(line, 0, &reply, &done), 0);
	assert_true(done);
	assert_int_equal(span_copy_str(reply.text, p->text, sizeof(p->text)), 0);
	return reply.code;
}

uint16_t ftpd_pair_passive(struct ftpd_pair *p)
{
	uint16_t port = 0;

	ftpd_pair_call(p, ftpd_cmd_epsv, "");
	assert_int_equal(ftpd_pair_reply(p), 229);
	assert_int_equal(ftp_epsv_read(span_str(p->text), &port), 0);
	return port;
}

void ftpd_pair_secure(struct ftpd_pair *p, int fd, bool resume)
{
	int r;

	ftpd_pair_data_close(p);
	assert_int_equal(conn_new(fd, &p->data.conn), 0);
	if (resume)
		r = conn_tls_begin_resume(p->data.conn, p->tls, "localhost", p->client);
	else
		r = conn_tls_begin_connect(p->data.conn, p->tls, "localhost");
	assert_int_equal(r, 0);
	p->data.handshake = -EAGAIN;
}

void ftpd_pair_data(struct ftpd_pair *p, bool resume)
{
	ftpd_pair_secure(p, ftpd_pair_connect(p, ftpd_pair_passive(p), NULL), resume);
}

/* -- transfers -------------------------------------------------------------------------------- */

void ftpd_pair_stor(struct ftpd_pair *p, const char *path)
{
	const struct upload_request request = {.how = UPLOAD_REPLACE, .path = path};
	struct upload *u = NULL;

	assert_int_equal(upload_new(p->f.tree, &request, &u), 0);
	assert_int_equal(transfer_upload(&p->f, u), 0);
}

void ftpd_pair_retr(struct ftpd_pair *p, const char *path)
{
	struct ftp_entry e;
	int fd = -1;

	assert_int_equal(tree_open_file(p->f.tree, path, &fd, &e), 0);
	assert_int_equal(transfer_download(&p->f, fd, 0, e.size, path), 0);
}
