/* TLS of calls between people: both show a certificate, whoever's it is; nothing older than 1.3. */
#include "net/tls.h"
#include "tests/unit/lib/test_pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define ALPN "call/1"

static struct test_world world;
static struct test_leaf ann, bob;

static int make_world(void **state)
{
	struct test_leaf_spec spec = {
		.cn = "ann", .eku = "clientAuth", .from_s = -TEST_HOUR_S, .to_s = TEST_HOUR_S};

	(void)state;
	test_world_make(&world);
	test_leaf_new(&ann, &world.issuing, &spec);
	/* Expired, and of nobody that is known: that is for the caller to judge. */
	spec.cn = "bob";
	spec.to_s = -TEST_HOUR_S / 2;
	test_leaf_new(&bob, &world.root, &spec);
	return 0;
}

static int drop_world(void **state)
{
	(void)state;
	test_leaf_done(&ann);
	test_leaf_done(&bob);
	test_world_done(&world);
	return 0;
}

static struct tls_server *listener(const struct test_leaf *leaf)
{
	static const char *const alpn[] = {ALPN, NULL};
	const struct tls_server_config config = {.key_pem = buf_span(&leaf->key_pem),
		.cert_pem = buf_span(&leaf->cert_pem),
		.alpn = alpn,
		.peers = true};
	struct tls_server *s = NULL;

	assert_int_equal(tls_server_new(&config, &s), 0);
	return s;
}

static struct tls_client *caller(const struct test_leaf *leaf, const char *alpn, bool peers)
{
	struct tls_client_config config = {.peers = peers, .bootstrap = !peers, .alpn = alpn};
	struct tls_client *c = NULL;

	if (leaf != NULL) {
		config.key_pem = buf_span(&leaf->key_pem);
		config.cert_pem = buf_span(&leaf->cert_pem);
	}
	assert_int_equal(tls_client_new(&config, &c), 0);
	return c;
}

static void shake(struct test_pair *p, struct tls_server *s, struct tls_client *c)
{
	test_pair_plain(p);
	test_pair_tls(p, s, c, "localhost");
}

static void both_show_theirs(void **state)
{
	struct tls_server *s = listener(&ann);
	struct tls_client *c = caller(&bob, ALPN, true);
	unsigned char here[32], there[32];
	struct test_pair p;

	(void)state;
	shake(&p, s, c);
	assert_int_equal(p.server_result, 0);
	assert_int_equal(p.client_result, 0);
	assert_string_equal(conn_tls(p.server)->protocol, "TLSv1.3");
	assert_string_equal(conn_tls(p.server)->alpn, ALPN);
	assert_string_equal(conn_tls(p.client)->alpn, ALPN);
	assert_true(conn_tls(p.server)->peer_der.len > 0);
	assert_true(conn_tls(p.client)->peer_der.len > 0);
	assert_false(conn_tls(p.server)->peer_ok);
	assert_false(conn_tls(p.client)->peer_ok);
	assert_string_equal(conn_tls(p.server)->peer_reason, "not checked");
	assert_string_equal(conn_tls(p.server)->server_name, "");
	assert_int_equal(tls_exporter(p.server, "x", here, sizeof(here)), 0);
	assert_int_equal(tls_exporter(p.client, "x", there, sizeof(there)), 0);
	assert_memory_equal(here, there, sizeof(here));
	test_pair_done(&p);
	tls_server_free(s);
	tls_client_free(c);
}

static void nobody_without_a_certificate(void **state)
{
	struct tls_server *s = listener(&ann);
	struct tls_client *c = caller(NULL, ALPN, true);
	struct test_pair p;

	(void)state;
	shake(&p, s, c);
	assert_int_equal(p.server_result, -EPROTO);
	assert_null(conn_tls(p.server));
	test_pair_done(&p);
	tls_server_free(s);
	tls_client_free(c);
}

/* A foreign name ends the handshake; none at all is seen by whoever asks. */
static void the_name_is_told(void **state)
{
	struct tls_server *s = listener(&ann);
	struct tls_client *foreign = caller(&bob, "irc", true), *none = caller(&bob, NULL, true);
	struct test_pair p;

	(void)state;
	shake(&p, s, foreign);
	assert_int_equal(p.server_result, -EPROTO);
	test_pair_done(&p);
	shake(&p, s, none);
	assert_int_equal(p.server_result, 0);
	assert_string_equal(conn_tls(p.server)->alpn, "");
	test_pair_done(&p);
	tls_client_free(foreign);
	tls_client_free(none);
	tls_server_free(s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_show_theirs),
		cmocka_unit_test(nobody_without_a_certificate),
		cmocka_unit_test(the_name_is_told),
	};

	return cmocka_run_group_tests_name("net_tls_peers", tests, make_world, drop_world);
}
