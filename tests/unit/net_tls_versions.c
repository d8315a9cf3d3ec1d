/* What the server takes from a client that is not ours: versions, suites, groups, resumption. */
#include "net/conn_internal.h"
#include "net/tls.h"
#include "tests/unit/lib/test_pair.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROUNDS = 100 };

static struct test_world world;
static struct tls_server *server;

static int begin(void **state)
{
	(void)state;
	test_world_make(&world);
	server = test_server(&world, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	tls_server_free(server);
	test_world_done(&world);
	return 0;
}

struct foreign {
	const char *what;
	int version; /* the only one it speaks */
	const char *ciphers; /* up to 1.2; NULL: its own choice */
	const char *groups;
	bool taken;
	const char *cipher; /* what comes out, where that is settled */
};

static const struct foreign foreigners[] = {
	{"1.3", TLS1_3_VERSION, NULL, NULL, true, NULL},
	{"1.2", TLS1_2_VERSION, NULL, NULL, true, NULL},
	{"1.2 strongSwan", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", "P-256", true,
		"ECDHE-ECDSA-AES128-GCM-SHA256"},
	{"1.2 AES-256", TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384", NULL, true,
		"ECDHE-ECDSA-AES256-GCM-SHA384"},
	{"1.2 ChaCha", TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", NULL, true,
		"ECDHE-ECDSA-CHACHA20-POLY1305"},
	{"1.2 CBC", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA", NULL, false,
		NULL},
	{"1.2 CCM", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-CCM", NULL, false, NULL},
	{"1.2 static RSA", TLS1_2_VERSION, "AES128-GCM-SHA256", NULL, false, NULL},
	{"1.1", TLS1_1_VERSION, "ALL:@SECLEVEL=0", NULL, false, NULL},
	{"P-256", TLS1_3_VERSION, NULL, "P-256", true, NULL},
	{"X25519", TLS1_3_VERSION, NULL, "X25519", true, NULL},
	{"P-521", TLS1_3_VERSION, NULL, "P-521", false, NULL},
};

/* A client of plain OpenSSL on the client's end of the pair. */
static SSL *foreign_client(SSL_CTX *ctx, const struct foreign *f, int fd)
{
	SSL *ssl = SSL_new(ctx);
	char groups[64] = "";

	assert_non_null(ssl);
	assert_int_equal(SSL_set_min_proto_version(ssl, f->version), 1);
	assert_int_equal(SSL_set_max_proto_version(ssl, f->version), 1);
	if (f->ciphers != NULL)
		assert_int_equal(SSL_set_cipher_list(ssl, f->ciphers), 1);
	if (f->groups != NULL) {
		(void)snprintf(groups, sizeof(groups), "%s", f->groups);
		assert_int_equal(SSL_set1_groups_list(ssl, groups), 1);
	}
	assert_int_equal(SSL_set_fd(ssl, fd), 1);
	SSL_set_connect_state(ssl);
	return ssl;
}

/* Drives both; true when both are content. */
static bool shake(struct conn *c, SSL *ssl)
{
	int ours = -EAGAIN, theirs = 0;

	for (int i = 0; i < ROUNDS && (ours == -EAGAIN || theirs != 1); i++) {
		theirs = SSL_do_handshake(ssl);
		ours = conn_step_handshake(c);
		if (theirs != 1 && SSL_get_error(ssl, theirs) != SSL_ERROR_WANT_READ)
			break;
		if (ours < 0 && ours != -EAGAIN)
			break;
	}
	ERR_clear_error();
	return ours == 0 && theirs == 1;
}

struct meeting {
	struct conn *conn;
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
};

static bool meet(struct meeting *m, const struct foreign *f, SSL_SESSION *resume)
{
	int fds[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(conn_new(fds[0], &m->conn), 0);
	conn_set_timeout_s(m->conn, 10);
	m->fd = fds[1];
	m->ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(m->ctx);
	m->ssl = foreign_client(m->ctx, f, m->fd);
	if (resume != NULL)
		assert_int_equal(SSL_set_session(m->ssl, resume), 1);
	assert_int_equal(conn_tls_begin_accept(m->conn, server), 0);
	return shake(m->conn, m->ssl);
}

static void part(struct meeting *m)
{
	SSL_free(m->ssl);
	SSL_CTX_free(m->ctx);
	conn_free(m->conn);
	(void)close(m->fd);
}

static void chooses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(foreigners) / sizeof(foreigners[0]); i++) {
		const struct foreign *f = &foreigners[i];
		struct meeting m;

		if (meet(&m, f, NULL) != f->taken)
			fail_msg("%s: %s", f->what, conn_tls_reason(m.conn));
		if (f->taken && f->cipher != NULL)
			assert_string_equal(conn_tls(m.conn)->cipher, f->cipher);
		if (f->taken)
			assert_null(SSL_get_current_compression(m.ssl));
		part(&m);
	}
}

/* Neither ticket nor session: every connection proves itself anew. */
static void resumes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct meeting m, again;
		SSL_SESSION *session;
		char byte;

		assert_true(meet(&m, &foreigners[i], NULL));
		assert_int_equal(conn_write(m.conn, SPAN_LIT("x")), 0);
		assert_int_equal(conn_flush(m.conn), 0);
		assert_int_equal(SSL_read(m.ssl, &byte, 1), 1);
		session = SSL_get1_session(m.ssl);
		assert_non_null(session);
		assert_int_equal(SSL_SESSION_has_ticket(session), 0);
		part(&m);
		assert_true(meet(&again, &foreigners[i], session));
		assert_int_equal(SSL_session_reused(again.ssl), 0);
		part(&again);
		SSL_SESSION_free(session);
	}
}

static void never_renegotiates(void **state)
{
	struct meeting m;
	int r;

	(void)state;
	assert_true(meet(&m, &foreigners[1], NULL));
	assert_int_equal(SSL_renegotiate(m.ssl), 1);
	r = SSL_do_handshake(m.ssl);
	assert_int_equal(SSL_get_error(m.ssl, r), SSL_ERROR_WANT_READ);
	assert_int_equal(conn_step_fill(m.conn), -EAGAIN);
	/* The refusal is an alert; for OpenSSL's client it is the end. */
	r = SSL_do_handshake(m.ssl);
	assert_int_equal(SSL_get_error(m.ssl, r), SSL_ERROR_SSL);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
	ERR_clear_error();
	part(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses),
		cmocka_unit_test(resumes_nothing),
		cmocka_unit_test(never_renegotiates),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
