/*
 * Whoever comes to the listener: plain text, no ALPN, silence, somebody else's certificate, another
 * line's exporter. The listener goes on until the right one has come.
 */
#include "tests/unit/lib/peer_scene.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct scene s;
static struct talk *ann, *bob;
static uint16_t port; /* bob's listener */
static char token[DCC_TOKEN_SIZE];

/* ann calls, bob has said yes and listens; ann does not know yet. */
static int set_up(void **state)
{
	(void)state;
	scene_make(&s);
	ann = scene_person(&s, "ann", NULL);
	bob = scene_person(&s, "bob", NULL);
	scene_command(ann, "", "call", "bob");
	scene_asked(&s, bob, "ann calls");
	s.held = true;
	scene_answer(&s, bob, true);
	port = scene_port(bob, token);
	assert_int_not_equal(port, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scene_done(&s);
	return 0;
}

static int dial(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

/* The handshake of a client of our own making. */
static struct conn *shake(struct tls_client *c)
{
	int64_t end_ms = time_monotonic_ms() + 10000;
	struct conn *conn = NULL;
	int r;

	assert_int_equal(conn_new(dial(), &conn), 0);
	assert_int_equal(conn_tls_begin_connect(conn, c, ""), 0);
	while ((r = conn_step_handshake(conn)) == -EAGAIN) {
		assert_true(time_monotonic_ms() < end_ms);
		scene_round(&s, 5);
	}
	assert_int_equal(r, 0);
	return conn;
}

static struct tls_client *client_of(const struct profile *p, const char *alpn)
{
	const struct tls_client_config config = {.peers = true,
		.key_pem = buf_span(&p->key_pem),
		.cert_pem = buf_span(&p->cert_pem),
		.alpn = alpn};
	struct tls_client *c = NULL;

	assert_int_equal(tls_client_new(&config, &c), 0);
	return c;
}

/* The right one comes all the same. */
static void ann_comes(void)
{
	s.held = false;
	scene_expect(&s, ann, "call with bob, who is bob");
	scene_expect(&s, bob, "call with ann, who is ann");
	peer_calls.say(ann->calls, "=bob", SPAN_LIT("here I am"));
	scene_said(&s, bob, "<ann> here I am");
}

static void plain_text(void **state)
{
	int fd = dial();

	(void)state;
	assert_int_equal(send(fd, "hello\r\n", 7, 0), 7);
	scene_expect(&s, bob,
		"somebody at 127.0.0.1 does not speak TLS but plain text. Turned away; still "
		"waiting for ann");
	cleanup_close(&fd);
	ann_comes();
}

static void no_alpn(void **state)
{
	struct tls_client *c = client_of(&ann->profile, NULL);
	struct conn *conn;

	(void)state;
	conn = shake(c);
	/* It has shown ann's key, so nobody better will come. */
	scene_expect(&s, bob,
		"does not come about: ann does not speak the protocol of calls (no ALPN name "
		"quintet-call/1)");
	conn_free(conn);
	tls_client_free(c);
}

static void foreign_alpn(void **state)
{
	struct tls_client *c = client_of(&ann->profile, "irc");
	struct conn *conn = NULL;

	(void)state;
	assert_int_equal(conn_new(dial(), &conn), 0);
	assert_int_equal(conn_tls_begin_connect(conn, c, ""), 0);
	(void)conn_step_handshake(conn);
	scene_expect(&s, bob, "somebody at 127.0.0.1 could not agree on TLS: ");
	conn_free(conn);
	tls_client_free(c);
	ann_comes();
}

/* Somebody of ours, but not the one who was asked, comes first. */
static void a_third_party(void **state)
{
	struct talk *eve = scene_person(&s, "eve", NULL);
	struct tls_client *c = client_of(&eve->profile, WIRE_ALPN);
	struct conn *conn;

	(void)state;
	conn = shake(c);
	scene_expect(&s, bob,
		"somebody at 127.0.0.1 shows the certificate of another account: it is of eve, "
		"not of ann. Turned away; still waiting for ann");
	conn_free(conn);
	tls_client_free(c);
	ann_comes();
}

static void a_foreign_third_party(void **state)
{
	struct fixture_cert cert;
	struct talk *eve;
	struct tls_client *c;
	struct conn *conn;

	(void)state;
	scene_cert(&s.other, "ann", -3600, 3600, &cert);
	eve = scene_person(&s, "eve", &cert);
	c = client_of(&eve->profile, WIRE_ALPN);
	conn = shake(c);
	scene_expect(&s, bob,
		"somebody at 127.0.0.1 shows a certificate that this profile's authority has not "
		"issued");
	conn_free(conn);
	tls_client_free(c);
	fixture_cert_free(&cert);
	ann_comes();
}

/* Silent ones fill all places: they are turned away in time, and ann gets one. */
static void silent_ones(void **state)
{
	int fds[AT_ONCE + 2];

	(void)state;
	for (size_t i = 0; i < AT_ONCE + 2; i++) {
		fds[i] = dial();
		scene_round(&s, 5);
	}
	for (int i = 0; i < 10; i++)
		scene_round(&s, 5);
	assert_int_equal(attempts_of(&bob->calls->attempts, bob->calls->offers), AT_ONCE);
	ann_comes();
	assert_true(scene_told(bob, "somebody at 127.0.0.1 did not finish the handshake in time"));
	for (size_t i = 0; i < AT_ONCE + 2; i++)
		cleanup_close(&fds[i]);
}

/* ann's own certificate over another line than agreed: somebody forwards. */
static void another_exporter(void **state)
{
	struct tls_client *c = client_of(&ann->profile, WIRE_ALPN);
	static const char hello[] =
		"HELLO 1 0000000000000000000000000000000000000000000000000000000000000000\r\n";
	struct conn *conn;

	(void)state;
	conn = shake(c);
	assert_int_equal(conn_write(conn, span_str(hello)), 0);
	assert_int_equal(conn_step_flush(conn), 0);
	scene_expect(&s, bob,
		"ann speaks over another line than the one that was agreed on: somebody may be "
		"in between");
	assert_true(peer_is_idle(bob->calls));
	conn_free(conn);
	tls_client_free(c);
}

static void wrong_words(const char *words)
{
	struct tls_client *c = client_of(&ann->profile, WIRE_ALPN);
	struct conn *conn = shake(c);

	assert_int_equal(conn_write(conn, span_str(words)), 0);
	assert_int_equal(conn_step_flush(conn), 0);
	scene_expect(&s, bob, "ann breaks the rules of the protocol");
	conn_free(conn);
	tls_client_free(c);
}

static void talk_before_hello(void **state)
{
	(void)state;
	wrong_words("SAY let me in\r\n");
}

static void no_words_at_all(void **state)
{
	(void)state;
	wrong_words("\001\002\003\r\n");
}

/* A certificate is a must. */
static void nobody(void **state)
{
	const struct tls_client_config config = {.peers = true, .alpn = WIRE_ALPN};
	struct tls_client *c = NULL;
	struct conn *conn;

	(void)state;
	assert_int_equal(tls_client_new(&config, &c), 0);
	conn = shake(c);
	scene_expect(&s, bob, "somebody at 127.0.0.1 could not agree on TLS: ");
	conn_free(conn);
	tls_client_free(c);
	ann_comes();
}

/* The caller is sent to somebody who speaks no TLS. */
static void plain_listener(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), peer;
	char answer[128];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(answer, sizeof answer, "SCHAT chat 2130706433 %u %s", ntohs(at.sin_port), token);
	scene_request(ann, "bob", "bob", bob->key, answer);
	peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(peer >= 0);
	assert_int_equal(send(peer, "220 hello\r\n", 11, 0), 11);
	scene_expect(&s, ann, "bob does not speak TLS but plain text");
	cleanup_close(&peer);
	cleanup_close(&fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(plain_text),
		TEST(no_alpn),
		TEST(foreign_alpn),
		TEST(a_third_party),
		TEST(a_foreign_third_party),
		TEST(silent_ones),
		TEST(another_exporter),
		TEST(talk_before_hello),
		TEST(no_words_at_all),
		TEST(nobody),
		TEST(plain_listener),
	};

	return cmocka_run_group_tests_name("client_peer_stranger", tests, NULL, NULL);
}
