/* Two connections in one process. */
#include "tests/unit/lib/test_pair.h"

#include "base/timefmt.h"
#include "net/conn_internal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { PATIENCE_S = 20 };

void test_world_make(struct test_world *w)
{
	static const struct test_leaf_spec server = {.cn = "server",
		.san = "DNS:localhost,IP:127.0.0.1,IP:::1",
		.eku = "serverAuth",
		.from_s = -TEST_HOUR_S,
		.to_s = TEST_HOUR_S};

	test_ca_root(&w->root, "Test Root");
	test_ca_issuing(&w->issuing, &w->root, "Test Issuing");
	test_leaf_new(&w->server, &w->issuing, &server);
	test_pem_join(&w->server_pem, &w->server.cert_pem, &w->issuing.pem);
	test_pem_join(&w->trust_pem, &w->root.pem, &w->issuing.pem);
}

void test_world_done(struct test_world *w)
{
	buf_done(&w->server_pem);
	buf_done(&w->trust_pem);
	test_leaf_done(&w->server);
	test_ca_done(&w->issuing);
	test_ca_done(&w->root);
}

void test_pair_plain(struct test_pair *p)
{
	int fds[2];

	*p = (struct test_pair){0};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(conn_new(fds[0], &p->server), 0);
	assert_int_equal(conn_new(fds[1], &p->client), 0);
	conn_set_timeout_s(p->server, PATIENCE_S);
	conn_set_timeout_s(p->client, PATIENCE_S);
}

void test_pair_tls(
	struct test_pair *p, struct tls_server *s, struct tls_client *c, const char *host)
{
	int64_t until_ms = time_monotonic_ms() + PATIENCE_S * 1000;

	assert_int_equal(conn_tls_begin_accept(p->server, s), 0);
	assert_int_equal(conn_tls_begin_connect(p->client, c, host), 0);
	do {
		p->client_result = conn_step_handshake(p->client);
		p->server_result = conn_step_handshake(p->server);
		/* Who failed is gone, as in life: the other must not wait. */
		if (p->client_result < 0 && p->client_result != -EAGAIN)
			(void)shutdown(conn_fd(p->client), SHUT_WR);
		if (p->server_result < 0 && p->server_result != -EAGAIN)
			(void)shutdown(conn_fd(p->server), SHUT_WR);
		assert_true(time_monotonic_ms() < until_ms);
	} while (p->client_result == -EAGAIN || p->server_result == -EAGAIN);
}

void test_pair_done(struct test_pair *p)
{
	conn_freep(&p->server);
	conn_freep(&p->client);
}

struct tls_server *test_server(const struct test_world *w, const char *const *alpn)
{
	const struct tls_server_config config = {.key_pem = buf_span(&w->server.key_pem),
		.cert_pem = buf_span(&w->server_pem),
		.trust_pem = buf_span(&w->trust_pem),
		.alpn = alpn};
	struct tls_server *s = NULL;

	assert_int_equal(tls_server_new(&config, &s), 0);
	return s;
}

struct tls_client *test_client(
	const struct test_world *w, const struct test_leaf *client, const char *alpn)
{
	struct tls_client_config config = {.root_pem = buf_span(&w->root.pem), .alpn = alpn};
	struct tls_client *c = NULL;

	if (client != NULL) {
		config.key_pem = buf_span(&client->key_pem);
		config.cert_pem = buf_span(&client->cert_pem);
	}
	assert_int_equal(tls_client_new(&config, &c), 0);
	return c;
}
