/* TLS over a socket pair: what is negotiated, who is believed, and how failures are told. */
#include "net/conn_internal.h"
#include "net/tls.h"
#include "tests/unit/lib/test_pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct test_world world;

static int make_world(void **state)
{
	(void)state;
	test_world_make(&world);
	return 0;
}

static int drop_world(void **state)
{
	(void)state;
	test_world_done(&world);
	return 0;
}

/* A handshake between a fresh server and client. */
static void shake(struct test_pair *p, struct tls_server *s, struct tls_client *c, const char *host)
{
	test_pair_plain(p);
	test_pair_tls(p, s, c, host);
}

static void negotiates(void **state)
{
	static const char *const alpn[] = {"one", "two", NULL};
	struct tls_server *s = test_server(&world, alpn);
	struct tls_client *c = test_client(&world, NULL, "two");
	unsigned char a[32], b[32];
	struct test_pair p;
	const struct tls_info *i;

	(void)state;
	shake(&p, s, c, "localhost");
	assert_int_equal(p.server_result, 0);
	assert_int_equal(p.client_result, 0);
	i = conn_tls(p.server);
	assert_string_equal(i->protocol, "TLSv1.3");
	assert_string_equal(i->alpn, "two");
	assert_string_equal(i->server_name, "localhost");
	assert_int_equal(i->peer_der.len, 0);
	assert_false(i->peer_ok);
	assert_string_equal(i->peer_reason, "");
	assert_non_null(strstr(i->cipher, "TLS_"));
	assert_true(i->group[0] != '\0');
	i = conn_tls(p.client);
	assert_true(i->peer_ok);
	assert_string_equal(i->alpn, "two");
	assert_string_equal(i->peer_subject, "CN=server");
	assert_string_equal(i->peer_issuer, "CN=Test Issuing");
	assert_true(i->peer_der.len > 100);
	assert_true(i->peer_not_after_us > 0);
	assert_true(i->chain_not_after_us == i->peer_not_after_us);
	assert_false(i->clock_suspect);
	assert_int_equal(tls_exporter(p.server, "EXPORTER-Channel-Binding", a, sizeof(a)), 0);
	assert_int_equal(tls_exporter(p.client, "EXPORTER-Channel-Binding", b, sizeof(b)), 0);
	assert_memory_equal(a, b, sizeof(a));
	assert_int_equal(tls_exporter(p.client, "EXPORTER-other", b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	test_pair_done(&p);
	tls_server_free(s);
	tls_client_free(c);
}

static void refuses_foreign_alpn_only(void **state)
{
	static const char *const alpn[] = {"one", NULL};
	struct tls_server *s = test_server(&world, alpn);
	struct tls_client *foreign = test_client(&world, NULL, "other");
	struct tls_client *silent = test_client(&world, NULL, NULL);
	struct test_pair p;

	(void)state;
	shake(&p, s, foreign, "localhost");
	assert_int_equal(p.server_result, -EPROTO);
	assert_int_equal(p.client_result, -EPROTO);
	assert_non_null(strstr(conn_tls_reason(p.client), "no application protocol"));
	assert_null(conn_tls(p.server));
	test_pair_done(&p);
	shake(&p, s, silent, "localhost");
	assert_int_equal(p.server_result, 0);
	assert_string_equal(conn_tls(p.server)->alpn, "");
	test_pair_done(&p);
	tls_client_free(foreign);
	tls_client_free(silent);
	tls_server_free(s);
}

/* One byte each way, so that the connection is shown to be usable. */
static void talk(const struct test_pair *p)
{
	struct span some;

	assert_int_equal(conn_write(p->client, SPAN_LIT("?")), 0);
	assert_int_equal(conn_flush(p->client), 0);
	assert_int_equal(conn_read_some(p->server, 10, &some), 1);
	assert_int_equal(conn_write(p->server, SPAN_LIT("!")), 0);
	assert_int_equal(conn_flush(p->server), 0);
	assert_int_equal(conn_read_some(p->client, 10, &some), 1);
	assert_int_equal(some.p[0], '!');
}

struct client_case {
	const char *what;
	bool foreign; /* issued by somebody else's CA */
	struct test_leaf_spec spec;
	bool ok;
};

#define H TEST_HOUR_S

static const struct client_case client_cases[] = {
	{"good", false, {"alice", "email:alice@example.org", "clientAuth", -H, H, 256}, true},
	{"other curve", false, {"alice", "email:a@example.org", "clientAuth", -H, H, 384}, true},
	{"expired", false, {"alice", "email:a@example.org", "clientAuth", -2 * H, -H, 256}, false},
	{"not yet", false, {"alice", "email:a@example.org", "clientAuth", H, 2 * H, 256}, false},
	{"wrong purpose", false, {"alice", "DNS:alice", "serverAuth", -H, H, 256}, false},
	{"foreign", true, {"alice", "email:a@example.org", "clientAuth", -H, H, 256}, false},
};

static void run_client_case(
	const struct client_case *t, struct tls_server *s, const struct test_ca *other)
{
	struct test_leaf leaf;
	struct tls_client *c;
	struct test_pair p;
	const struct tls_info *i;

	test_leaf_new(&leaf, t->foreign ? other : &world.issuing, &t->spec);
	c = test_client(&world, &leaf, NULL);
	shake(&p, s, c, "localhost");
	assert_int_equal(p.server_result, 0);
	assert_int_equal(p.client_result, 0);
	i = conn_tls(p.server);
	assert_true(i->peer_der.len > 0);
	if (i->peer_ok != t->ok)
		fail_msg("%s: %s", t->what, i->peer_reason);
	assert_int_equal(i->peer_reason[0] == '\0', t->ok);
	talk(&p);
	test_pair_done(&p);
	tls_client_free(c);
	test_leaf_done(&leaf);
}

static void judges_client_certificates(void **state)
{
	struct tls_server *s = test_server(&world, NULL);
	struct test_ca other;

	(void)state;
	test_ca_root(&other, "Other Root");
	for (size_t i = 0; i < sizeof(client_cases) / sizeof(client_cases[0]); i++)
		run_client_case(&client_cases[i], s, &other);
	test_ca_done(&other);
	tls_server_free(s);
}

struct server_case {
	const char *what;
	struct test_leaf_spec spec;
	const char *host;
	int result; /* the client's */
	bool clock_suspect;
};

static const struct server_case server_cases[] = {
	{"good", {"x", "DNS:localhost", "serverAuth", -H, H, 256}, "localhost", 0, false},
	{"IPv4", {"x", "IP:127.0.0.1", "serverAuth", -H, H, 256}, "127.0.0.1", 0, false},
	{"IPv6", {"x", "IP:::1", "serverAuth", -H, H, 256}, "::1", 0, false},
	{"wildcard", {"x", "DNS:*.example.org", "serverAuth", -H, H, 256}, "a.example.org", 0,
		false},
	{"half wildcard", {"x", "DNS:a*.example.org", "serverAuth", -H, H, 256}, "ab.example.org",
		-EKEYREJECTED, false},
	{"expired", {"x", "DNS:localhost", "serverAuth", -2 * H, -H, 256}, "localhost",
		-EKEYREJECTED, true},
	{"not yet", {"x", "DNS:localhost", "serverAuth", H, 2 * H, 256}, "localhost", -EKEYREJECTED,
		true},
	{"other name", {"x", "DNS:elsewhere", "serverAuth", -H, H, 256}, "localhost", -EKEYREJECTED,
		false},
	{"expired and other name", {"x", "DNS:elsewhere", "serverAuth", -2 * H, -H, 256},
		"localhost", -EKEYREJECTED, false},
	{"name in CN only", {"localhost", "email:a@b.example", "serverAuth", -H, H, 256},
		"localhost", -EKEYREJECTED, false},
	{"address as name", {"x", "DNS:127.0.0.1", "serverAuth", -H, H, 256}, "127.0.0.1",
		-EKEYREJECTED, false},
	{"a user's", {"x", "DNS:localhost", "clientAuth", -H, H, 256}, "localhost", -EKEYREJECTED,
		false},
};

static struct tls_server *server_with(const struct test_leaf *leaf, struct span issuing_pem)
{
	struct buf chain = BUF_INIT(TEST_PKI_PEM_MAX);
	struct tls_server *s = NULL;
	struct tls_server_config config = {.key_pem = buf_span(&leaf->key_pem)};

	buf_add(&chain, buf_span(&leaf->cert_pem));
	buf_add(&chain, issuing_pem);
	config.cert_pem = buf_span(&chain);
	assert_int_equal(tls_server_new(&config, &s), 0);
	buf_done(&chain);
	return s;
}

static void run_server_case(const struct server_case *t, struct tls_client *c)
{
	struct test_leaf leaf;
	struct tls_server *s;
	struct test_pair p;

	test_leaf_new(&leaf, &world.issuing, &t->spec);
	s = server_with(&leaf, buf_span(&world.issuing.pem));
	shake(&p, s, c, t->host);
	if (p.client_result != t->result)
		fail_msg("%s: %d %s", t->what, p.client_result, conn_tls_reason(p.client));
	assert_int_equal(conn_tls(p.client)->peer_ok, t->result == 0);
	assert_int_equal(conn_tls(p.client)->clock_suspect, t->clock_suspect);
	if (t->result < 0) {
		assert_true(conn_tls_reason(p.client)[0] != '\0');
		assert_true(conn_tls(p.client)->peer_der.len > 0);
		assert_true(conn_tls(p.client)->peer_not_after_us != 0);
		assert_int_not_equal(p.server_result, 0);
		assert_non_null(strstr(conn_tls_reason(p.server), "peer refused: "));
	}
	test_pair_done(&p);
	tls_server_free(s);
	test_leaf_done(&leaf);
}

static void judges_servers(void **state)
{
	struct tls_client *c = test_client(&world, NULL, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(server_cases) / sizeof(server_cases[0]); i++)
		run_server_case(&server_cases[i], c);
	tls_client_free(c);
}

static void needs_the_root_and_only_the_root(void **state)
{
	struct test_ca other;
	struct test_pair p;
	struct tls_client *c = NULL;
	struct tls_server *leaf_only = server_with(&world.server, span_of(NULL, 0));
	struct tls_server *whole = test_server(&world, NULL);
	struct tls_client_config config = {0};

	(void)state;
	test_ca_root(&other, "Other Root");
	/* An extra certificate that is self-signed is no anchor. */
	config.root_pem = buf_span(&other.pem);
	config.extra_pem = buf_span(&world.trust_pem);
	assert_int_equal(tls_client_new(&config, &c), 0);
	shake(&p, whole, c, "localhost");
	assert_int_equal(p.client_result, -EKEYREJECTED);
	assert_false(conn_tls(p.client)->clock_suspect);
	test_pair_done(&p);
	tls_client_freep(&c);
	/* An issuing CA alone is none either. */
	config.root_pem = buf_span(&world.issuing.pem);
	config.extra_pem = span_of(NULL, 0);
	assert_int_equal(tls_client_new(&config, &c), 0);
	shake(&p, whole, c, "localhost");
	assert_int_equal(p.client_result, -EKEYREJECTED);
	test_pair_done(&p);
	tls_client_freep(&c);
	/* A server that sends only its leaf is helped by the extra issuing CA. */
	config.root_pem = buf_span(&world.root.pem);
	assert_int_equal(tls_client_new(&config, &c), 0);
	shake(&p, leaf_only, c, "localhost");
	assert_int_equal(p.client_result, -EKEYREJECTED);
	test_pair_done(&p);
	tls_client_freep(&c);
	config.extra_pem = buf_span(&world.issuing.pem);
	assert_int_equal(tls_client_new(&config, &c), 0);
	shake(&p, leaf_only, c, "localhost");
	assert_int_equal(p.client_result, 0);
	test_pair_done(&p);
	tls_client_freep(&c);
	tls_server_free(leaf_only);
	tls_server_free(whole);
	test_ca_done(&other);
}

static void bootstrap_believes_nothing(void **state)
{
	struct tls_client_config config = {.bootstrap = true};
	struct tls_server *s = test_server(&world, NULL);
	struct tls_client *c = NULL;
	struct test_pair p;

	(void)state;
	assert_int_equal(tls_client_new(&config, &c), 0);
	shake(&p, s, c, "elsewhere");
	assert_int_equal(p.client_result, 0);
	assert_false(conn_tls(p.client)->peer_ok);
	assert_string_equal(conn_tls(p.client)->peer_reason, "not checked");
	talk(&p);
	test_pair_done(&p);
	tls_client_free(c);
	tls_server_free(s);
}

static void refuses_bad_configurations(void **state)
{
	struct tls_server_config config = {.key_pem = buf_span(&world.server.key_pem),
		.cert_pem = buf_span(&world.issuing.pem)};
	struct tls_client_config no_root = {.root_pem = SPAN_LIT("no PEM here")};
	struct tls_server *s = NULL;
	struct tls_client *c = NULL;

	(void)state;
	assert_int_equal(tls_server_new(&config, &s), -EINVAL);
	assert_non_null(strstr(tls_error_text(), "private key"));
	config.cert_pem =
		SPAN_LIT("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	assert_int_equal(tls_server_new(&config, &s), -EINVAL);
	assert_non_null(strstr(tls_error_text(), "certificate"));
	config.cert_pem = buf_span(&world.server_pem);
	config.key_pem = SPAN_LIT("");
	assert_int_equal(tls_server_new(&config, &s), -EINVAL);
	assert_null(s);
	assert_int_equal(tls_client_new(&no_root, &c), -EINVAL);
	assert_null(c);
}

/* A server that has shaken hands with itself before is as good as new. */
static void warm_is_as_good(void **state)
{
	static const struct test_leaf_spec alice = {
		"alice", "email:alice@example.org", "clientAuth", -H, H, 256};
	struct tls_server *s = test_server(&world, NULL);
	struct test_leaf leaf;
	struct tls_client *c;
	struct test_pair p;

	(void)state;
	test_leaf_new(&leaf, &world.issuing, &alice);
	c = test_client(&world, &leaf, NULL);
	tls_server_warm(s);
	shake(&p, s, c, "localhost");
	assert_int_equal(p.server_result, 0);
	assert_int_equal(p.client_result, 0);
	assert_true(conn_tls(p.server)->peer_ok);
	assert_int_equal(tls_exporter(p.server, "EXPORTER-test", (unsigned char[32]){0}, 32), 0);
	test_pair_done(&p);
	tls_server_free(s);
	tls_client_free(c);
	test_leaf_done(&leaf);
}

static void silence_times_out(void **state)
{
	struct tls_server *s = test_server(&world, NULL);
	struct test_pair p;

	(void)state;
	test_pair_plain(&p);
	conn_set_timeout_s(p.server, 0);
	assert_int_equal(conn_tls_accept(p.server, s), -ETIMEDOUT);
	assert_null(conn_tls(p.server));
	(void)conn_close(p.server);
	test_pair_done(&p);
	tls_server_free(s);
}

static void clear_text_is_refused(void **state)
{
	struct tls_server *s = test_server(&world, NULL);
	struct test_pair p;
	struct span line;
	struct frame_rule rule = {.max = 100};

	(void)state;
	test_pair_plain(&p);
	assert_int_equal(conn_write(p.client, SPAN_LIT("GET / HTTP/1.1\r\n\r\n")), 0);
	assert_int_equal(conn_flush(p.client), 0);
	assert_int_equal(conn_tls_accept(p.server, s), -EPROTO);
	assert_true(conn_tls_reason(p.server)[0] != '\0');
	test_pair_done(&p);
	/* STARTTLS with a command smuggled in behind it. */
	test_pair_plain(&p);
	assert_int_equal(conn_write(p.client, SPAN_LIT("STARTTLS\r\nEVIL\r\n")), 0);
	assert_int_equal(conn_flush(p.client), 0);
	assert_int_equal(conn_read_line(p.server, &rule, &line), 1);
	assert_int_equal(conn_tls_accept(p.server, s), -EPROTO);
	test_pair_done(&p);
	tls_server_free(s);
}

static void tells_cut_from_clean(void **state)
{
	struct tls_server *s = test_server(&world, NULL);
	struct tls_client *c = test_client(&world, NULL, NULL);
	struct test_pair p;
	struct span some;

	(void)state;
	shake(&p, s, c, "localhost");
	conn_freep(&p.client);
	assert_int_equal(conn_read_some(p.server, 10, &some), -ECONNRESET);
	assert_string_equal(conn_tls_reason(p.server), "peer closed");
	assert_int_equal(conn_read_some(p.server, 10, &some), -ECONNRESET);
	test_pair_done(&p);
	shake(&p, s, c, "localhost");
	assert_int_equal(conn_write(p.client, SPAN_LIT("last words")), 0);
	conn_set_deadline(p.client, 0); /* sends what it can, waits for nothing */
	(void)conn_close(p.client);
	assert_int_equal(conn_read_some(p.server, 100, &some), 10);
	assert_int_equal(conn_read_some(p.server, 100, &some), 0);
	/* Half closed: the other direction still works. */
	assert_int_equal(conn_write(p.server, SPAN_LIT("bye")), 0);
	assert_int_equal(conn_close(p.server), 0);
	test_pair_done(&p);
	/* Gone in the middle of the handshake. */
	test_pair_plain(&p);
	assert_int_equal(shutdown(conn_fd(p.client), SHUT_WR), 0);
	assert_int_equal(conn_tls_accept(p.server, s), -ECONNRESET);
	test_pair_done(&p);
	tls_server_free(s);
	tls_client_free(c);
}

static void records_do_not_matter(void **state)
{
	static const char text[] = "first\r\nsecond\r\n\r\nfourth\r\n";
	struct frame_rule rule = {.max = 6};
	struct tls_server *s = test_server(&world, NULL);
	struct tls_client *c = test_client(&world, NULL, NULL);
	struct test_pair p;
	struct span line;

	(void)state;
	shake(&p, s, c, "localhost");
	for (size_t step = 1; step < sizeof(text); step++) {
		for (size_t at = 0; at < sizeof(text) - 1; at += step) {
			size_t rest = sizeof(text) - 1 - at;

			assert_int_equal(
				conn_write(p.client, span_of(text + at, rest < step ? rest : step)),
				0);
			assert_int_equal(conn_flush(p.client), 0);
		}
		assert_int_equal(conn_read_line(p.server, &rule, &line), 1);
		assert_true(span_eq_str(line, "first"));
		assert_int_equal(conn_read_line(p.server, &rule, &line), 1);
		assert_true(span_eq_str(line, "second"));
		assert_int_equal(conn_read_line(p.server, &rule, &line), 1);
		assert_int_equal(line.len, 0);
		assert_int_equal(conn_read_line(p.server, &rule, &line), 1);
		assert_true(span_eq_str(line, "fourth"));
	}
	test_pair_done(&p);
	tls_server_free(s);
	tls_client_free(c);
}

/* Far more than the socket, a record or a buffer holds, in both directions at once. */
static void carries_much(void **state)
{
	enum { TOTAL = 3000000 };
	struct tls_server *s = test_server(&world, NULL);
	struct tls_client *c = test_client(&world, NULL, NULL);
	unsigned char block[5000];
	size_t sent = 0, seen = 0;
	struct test_pair p;

	(void)state;
	shake(&p, s, c, "localhost");
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (unsigned char)(i % 251);
	while (seen < TOTAL) {
		struct span have;
		int r;

		while (sent < TOTAL && conn_step_flush(p.client) == 0) {
			assert_int_equal(conn_write(p.client, span_of(block, sizeof(block))), 0);
			sent += sizeof(block);
		}
		(void)conn_step_flush(p.client);
		r = conn_step_fill(p.server);
		assert_true(r > 0 || r == -EAGAIN);
		while (conn_pending(p.server).len > 0) {
			assert_true(conn_read_some(p.server, 1000, &have) > 0);
			for (size_t i = 0; i < have.len; i++)
				assert_int_equal(have.p[i], (seen + i) % sizeof(block) % 251);
			seen += have.len;
		}
	}
	assert_int_equal(conn_bytes_in(p.server), TOTAL);
	assert_int_equal(conn_bytes_out(p.client), TOTAL);
	test_pair_done(&p);
	tls_server_free(s);
	tls_client_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(negotiates),
		cmocka_unit_test(refuses_foreign_alpn_only),
		cmocka_unit_test(judges_client_certificates),
		cmocka_unit_test(judges_servers),
		cmocka_unit_test(needs_the_root_and_only_the_root),
		cmocka_unit_test(bootstrap_believes_nothing),
		cmocka_unit_test(refuses_bad_configurations),
		cmocka_unit_test(warm_is_as_good),
		cmocka_unit_test(silence_times_out),
		cmocka_unit_test(clear_text_is_refused),
		cmocka_unit_test(tells_cut_from_clean),
		cmocka_unit_test(records_do_not_matter),
		cmocka_unit_test(carries_much),
	};

	return cmocka_run_group_tests(tests, make_world, drop_world);
}
