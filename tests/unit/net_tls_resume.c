/*
 * Data connections that resume the control connection's session: ours against ours, and against
 * clients of plain OpenSSL that offer old tickets, never read, or come from elsewhere.
 */
#include "net/conn_internal.h"
#include "net/tls.h"
#include "tests/unit/lib/test_pair.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { TRANSFERS = 16, ROUNDS = 100, SESSIONS_MAX = 64 };

static struct test_world world;
static struct test_leaf alice;

static int make_world(void **state)
{
	static const struct test_leaf_spec spec = {
		"alice", "email:alice@example.org", "clientAuth", -TEST_HOUR_S, TEST_HOUR_S, 256};

	(void)state;
	test_world_make(&world);
	test_leaf_new(&alice, &world.issuing, &spec);
	return 0;
}

static int drop_world(void **state)
{
	(void)state;
	test_leaf_done(&alice);
	test_world_done(&world);
	return 0;
}

static struct tls_server *resumable_server(void)
{
	const struct tls_server_config config = {.key_pem = buf_span(&world.server.key_pem),
		.cert_pem = buf_span(&world.server_pem),
		.trust_pem = buf_span(&world.trust_pem),
		.resumable = true};
	struct tls_server *s = NULL;

	assert_int_equal(tls_server_new(&config, &s), 0);
	/* As in wait mode: what the parent warmed is no use to anyone. */
	tls_server_warm(s);
	assert_int_equal(tls_server_fresh(s), 0);
	return s;
}

/* The reply to a command, with a fresh ticket in front. */
static void reply(struct conn *from, struct conn *to)
{
	struct span some;

	assert_int_equal(conn_tls_ticket(from), 0);
	assert_int_equal(conn_write(from, SPAN_LIT("150")), 0);
	assert_int_equal(conn_flush(from), 0);
	if (to == NULL)
		return;
	assert_int_equal(conn_read_some(to, 10, &some), 3);
	assert_memory_equal(some.p, "150", 3);
}

static void drive(struct test_pair *p)
{
	for (int i = 0; i < ROUNDS; i++) {
		p->client_result = conn_step_handshake(p->client);
		p->server_result = conn_step_handshake(p->server);
		if (p->client_result != -EAGAIN && p->server_result != -EAGAIN)
			return;
	}
	fail_msg("the handshake does not end");
}

/* A data connection of our client; true when the server took it for the control's. */
static bool our_data(struct test_pair *control, struct tls_server *s, struct tls_client *c)
{
	struct test_pair p;
	bool bound;

	test_pair_plain(&p);
	assert_int_equal(conn_tls_begin_accept(p.server, s), 0);
	assert_int_equal(conn_tls_begin_resume(p.client, c, "localhost", control->client), 0);
	drive(&p);
	assert_int_equal(p.server_result, 0);
	assert_int_equal(p.client_result, 0);
	bound = conn_tls_resumed_from(p.server, control->server);
	assert_int_equal(conn_tls(p.server)->resumed, conn_tls(p.client)->resumed);
	assert_true(!bound || conn_tls(p.server)->resumed);
	if (bound) {
		assert_true(conn_tls(p.client)->peer_ok);
		assert_string_equal(conn_tls(p.client)->peer_subject, "CN=server");
	}
	test_pair_done(&p);
	return bound;
}

static void our_client_resumes(void **state)
{
	struct tls_server *s = resumable_server();
	struct tls_client *c = test_client(&world, NULL, NULL);
	struct test_pair control;

	(void)state;
	test_pair_plain(&control);
	test_pair_tls(&control, s, c, "localhost");
	assert_int_equal(control.server_result, 0);
	assert_string_equal(conn_tls(control.server)->cipher, "TLS_AES_128_GCM_SHA256");
	assert_false(conn_tls(control.server)->resumed);
	assert_false(conn_tls_resumed_from(control.server, control.server));
	/* Nothing read yet, so no ticket: a full handshake. */
	assert_false(our_data(&control, s, c));
	for (int i = 0; i < TRANSFERS; i++) {
		reply(control.server, control.client);
		assert_true(our_data(&control, s, c));
		/* A ticket is offered once. */
		if (i == 0)
			assert_false(our_data(&control, s, c));
	}
	test_pair_done(&control);
	tls_client_free(c);
	tls_server_free(s);
}

/* What was said by certificate at log-in is said on the data connection too. */
static void identity_is_kept(void **state)
{
	struct tls_server *s = resumable_server();
	struct tls_client *c = test_client(&world, &alice, NULL);
	struct test_pair control, p;
	const struct tls_info *a, *b;

	(void)state;
	test_pair_plain(&control);
	test_pair_tls(&control, s, c, "localhost");
	reply(control.server, control.client);
	test_pair_plain(&p);
	assert_int_equal(conn_tls_begin_accept(p.server, s), 0);
	assert_int_equal(conn_tls_begin_resume(p.client, c, "localhost", control.client), 0);
	drive(&p);
	a = conn_tls(control.server);
	b = conn_tls(p.server);
	assert_true(b->resumed);
	assert_true(a->peer_ok && b->peer_ok);
	assert_int_equal(a->peer_der.len, b->peer_der.len);
	assert_memory_equal(a->peer_der.p, b->peer_der.p, a->peer_der.len);
	assert_true(conn_tls_resumed_from(p.server, control.server));
	test_pair_done(&p);
	test_pair_done(&control);
	tls_client_free(c);
	tls_server_free(s);
}

/* After REIN nothing older is good; what is given from then on is. */
static void fresh_forgets(void **state)
{
	struct tls_server *s = resumable_server();
	struct tls_client *c = test_client(&world, NULL, NULL);
	struct test_pair control;

	(void)state;
	test_pair_plain(&control);
	test_pair_tls(&control, s, c, "localhost");
	reply(control.server, control.client);
	assert_int_equal(tls_server_fresh(s), 0);
	assert_false(our_data(&control, s, c));
	reply(control.server, control.client);
	assert_true(our_data(&control, s, c));
	test_pair_done(&control);
	tls_client_free(c);
	tls_server_free(s);
}

/* Another log-in's ticket: of a process that was forked from the same one. */
static void other_log_ins_are_refused(void **state)
{
	struct tls_server *mine = resumable_server(), *theirs = resumable_server();
	struct tls_client *c = test_client(&world, NULL, NULL);
	struct test_pair control, other, mixed;

	(void)state;
	test_pair_plain(&control);
	test_pair_tls(&control, mine, c, "localhost");
	test_pair_plain(&other);
	test_pair_tls(&other, theirs, c, "localhost");
	reply(control.server, control.client);
	reply(other.server, other.client);
	mixed = (struct test_pair){.server = control.server, .client = other.client};
	assert_false(our_data(&mixed, mine, c));
	assert_true(our_data(&control, mine, c));
	test_pair_done(&other);
	test_pair_done(&control);
	tls_client_free(c);
	tls_server_free(mine);
	tls_server_free(theirs);
}

/* -- clients of plain OpenSSL ------------------------------------------------------------------ */

struct foreign {
	SSL_CTX *ctx;
	SSL_SESSION *sessions[SESSIONS_MAX]; /* in the order they were given */
	int count;
};

struct line {
	struct conn *conn; /* the server's end */
	SSL *ssl;
	int fd;
};

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct foreign *f = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	assert_true(f->count < SESSIONS_MAX);
	f->sessions[f->count++] = session;
	return 1;
}

static void foreign_begin(struct foreign *f, int version, bool tickets)
{
	*f = (struct foreign){.ctx = SSL_CTX_new(TLS_client_method())};
	assert_non_null(f->ctx);
	assert_int_equal(SSL_CTX_set_max_proto_version(f->ctx, version), 1);
	if (!tickets)
		(void)SSL_CTX_set_options(f->ctx, SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_session_cache_mode(f->ctx, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(f->ctx, keep_session);
	SSL_CTX_set_app_data(f->ctx, f);
}

static void foreign_end(struct foreign *f)
{
	for (int i = 0; i < f->count; i++)
		SSL_SESSION_free(f->sessions[i]);
	SSL_CTX_free(f->ctx);
}

static void line_open(struct line *l, struct foreign *f, struct tls_server *s, SSL_SESSION *resume)
{
	int fds[2], ours = -EAGAIN, theirs = 0;

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(conn_new(fds[0], &l->conn), 0);
	conn_set_timeout_s(l->conn, 10);
	l->fd = fds[1];
	l->ssl = SSL_new(f->ctx);
	assert_int_equal(SSL_set_fd(l->ssl, l->fd), 1);
	if (resume != NULL)
		assert_int_equal(SSL_set_session(l->ssl, resume), 1);
	SSL_set_connect_state(l->ssl);
	assert_int_equal(conn_tls_begin_accept(l->conn, s), 0);
	for (int i = 0; i < ROUNDS && (ours != 0 || theirs != 1); i++) {
		theirs = SSL_do_handshake(l->ssl);
		ours = conn_step_handshake(l->conn);
	}
	assert_int_equal(theirs, 1);
	assert_int_equal(ours, 0);
	ERR_clear_error();
}

/* Rudely: nothing is said and nothing was read. */
static void line_cut(struct line *l)
{
	SSL_set_shutdown(l->ssl, SSL_SENT_SHUTDOWN);
	SSL_free(l->ssl);
	conn_free(l->conn);
	(void)close(l->fd);
}

static void foreign_reply(struct line *l)
{
	char some[10];

	reply(l->conn, NULL);
	assert_int_equal(SSL_read(l->ssl, some, sizeof(some)), 3);
}

static bool foreign_data(
	struct line *control, struct foreign *f, struct tls_server *s, SSL_SESSION *session)
{
	struct line data;
	bool bound;

	line_open(&data, f, s, session);
	bound = conn_tls_resumed_from(data.conn, control->conn);
	line_cut(&data);
	return bound;
}

struct foreign_case {
	const char *what;
	int version;
	bool tickets; /* it takes them */
	bool oldest; /* it offers the oldest it has not used; else the newest */
};

static const struct foreign_case foreign_cases[] = {
	{"1.3 newest", TLS1_3_VERSION, true, false},
	{"1.3 oldest", TLS1_3_VERSION, true, true},
	{"1.2 tickets", TLS1_2_VERSION, true, false},
	{"1.2 session ids", TLS1_2_VERSION, false, false},
};

static SSL_SESSION *pick(const struct foreign *f, const struct foreign_case *t, int used)
{
	assert_true(f->count > (t->oldest ? used : 0));
	return f->sessions[t->oldest ? used : f->count - 1];
}

/* Many transfers, none of which the client reads to its end. */
static void foreign_clients_resume(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(foreign_cases) / sizeof(foreign_cases[0]); i++) {
		const struct foreign_case *t = &foreign_cases[i];
		struct tls_server *s = resumable_server();
		struct foreign f;
		struct line control;

		foreign_begin(&f, t->version, t->tickets);
		line_open(&control, &f, s, NULL);
		for (int k = 0; k < TRANSFERS; k++) {
			foreign_reply(&control);
			if (!foreign_data(&control, &f, s, pick(&f, t, k)))
				fail_msg("%s: transfer %d is not bound", t->what, k);
		}
		line_cut(&control);
		foreign_end(&f);
		tls_server_free(s);
	}
}

/* Somebody reaches the data port first and shakes hands: what he gets there proves nothing. */
static void strangers_stay_strangers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(foreign_cases) / sizeof(foreign_cases[0]); i++) {
		const struct foreign_case *t = &foreign_cases[i];
		struct tls_server *s = resumable_server();
		struct foreign owner, stranger;
		struct line control, first;
		char byte;

		foreign_begin(&owner, t->version, t->tickets);
		foreign_begin(&stranger, t->version, t->tickets);
		line_open(&control, &owner, s, NULL);
		line_open(&first, &stranger, s, NULL);
		assert_false(conn_tls_resumed_from(first.conn, control.conn));
		(void)SSL_read(first.ssl, &byte, 1);
		/* In 1.3 nothing at all. */
		assert_int_equal(stranger.count > 0, t->version < TLS1_3_VERSION);
		line_cut(&first);
		for (int k = stranger.count - 1; k >= 0; k--)
			assert_false(foreign_data(&control, &stranger, s, stranger.sessions[k]));
		line_cut(&control);
		foreign_end(&owner);
		foreign_end(&stranger);
		tls_server_free(s);
	}
}

static void tickets_need_a_handshake(void **state)
{
	struct tls_server *s = resumable_server(), *plain = test_server(&world, NULL);
	struct tls_client *c = test_client(&world, NULL, NULL);
	struct test_pair p;

	(void)state;
	test_pair_plain(&p);
	assert_int_equal(conn_tls_ticket(p.server), -ENOTCONN);
	assert_false(conn_tls_resumed_from(p.server, p.server));
	assert_int_equal(conn_tls_begin_accept(p.server, s), 0);
	assert_int_equal(conn_tls_ticket(p.server), -ENOTCONN);
	test_pair_done(&p);
	/* Where tickets are not wanted, none is made: what comes is the reply alone. */
	test_pair_plain(&p);
	test_pair_tls(&p, plain, c, "localhost");
	assert_int_equal(conn_tls_ticket(p.client), -ENOTCONN);
	reply(p.server, p.client);
	assert_false(our_data(&p, plain, c));
	assert_int_equal(tls_server_fresh(plain), 0);
	test_pair_done(&p);
	tls_client_free(c);
	tls_server_free(s);
	tls_server_free(plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_client_resumes),
		cmocka_unit_test(identity_is_kept),
		cmocka_unit_test(fresh_forgets),
		cmocka_unit_test(other_log_ins_are_refused),
		cmocka_unit_test(foreign_clients_resume),
		cmocka_unit_test(strangers_stay_strangers),
		cmocka_unit_test(tickets_need_a_handshake),
	};

	return cmocka_run_group_tests(tests, make_world, drop_world);
}
