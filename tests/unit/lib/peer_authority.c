/* See peer_authority.h. */
#include "tests/unit/lib/peer_authority.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "net/http.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

/* With the process that answers. */
struct shared {
	int status;
	unsigned char revoked[PKI_SERIAL_LEN];
};

struct scene_authority {
	const struct fixture_ca *ca;
	struct tls_server *tls;
	int listener;
	uint16_t port;
	pid_t pid;
	struct shared *shared;
};

static int look(void *arg, const struct pki_ocsp_id *id, struct pki_ocsp_answer *ret)
{
	const struct scene_authority *a = arg;

	struct span revoked = span_of(a->shared->revoked, sizeof a->shared->revoked);

	*ret = (struct pki_ocsp_answer){.status = PKI_OCSP_GOOD};
	if (a->shared->status == SCENE_UNKNOWN)
		return -ENOENT;
	if (span_eq(revoked, span_of(id->serial, id->serial_len)))
		*ret = (struct pki_ocsp_answer){.status = PKI_OCSP_REVOKED,
			.revoked_us = a->ca->now_us - TIME_S_US,
			.reason = 1};
	return 0;
}

static void answer(struct scene_authority *a, struct conn *conn)
{
	_cleanup_(buf_done) struct buf head = BUF_INIT(HTTP_HEAD_MAX);
	_cleanup_(buf_done) struct buf body = BUF_INIT(HTTP_BODY_MAX);
	_cleanup_(buf_done) struct buf der = BUF_INIT(HTTP_BODY_MAX);
	const struct pki_ocsp_responder us = {.issuer_der = buf_span(&a->ca->issuing.der),
		.signer_der = buf_span(&a->ca->ocsp.der),
		.signer_key = a->ca->ocsp.key,
		.now_us = time_now_us(),
		.next_us = time_now_us() + 3600 * TIME_S_US,
		.look = look,
		.arg = a};
	struct http_response response = {
		.status = 200, .content_type = "application/ocsp-response", .keep_alive = false};
	struct http_request request;

	if (http_read_request(conn, &head, &request, &body) != 1 ||
		!span_eq_str(request.method, "POST") || !span_eq_str(request.target, "/ocsp") ||
		pki_ocsp_respond(buf_span(&body), &us, &der) < 0)
		return;
	response.body = buf_span(&der);
	(void)http_write_response(conn, &response);
	(void)conn_close(conn);
}

static void serve(struct scene_authority *a)
{
	for (;;) {
		int fd = accept4(a->listener, NULL, NULL, SOCK_CLOEXEC);
		struct conn *conn = NULL;

		if (fd < 0 || conn_new(fd, &conn) < 0)
			_exit(1);
		conn_set_timeout_s(conn, 5);
		/* Silent: closed at once. */
		if (a->shared->status != SCENE_SILENT && conn_tls_accept(conn, a->tls) == 0)
			answer(a, conn);
		conn_free(conn);
	}
}

static void listen_anywhere(struct scene_authority *a)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;

	a->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(a->listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(a->listener, 32), 0);
	assert_int_equal(getsockname(a->listener, (struct sockaddr *)&at, &len), 0);
	a->port = ntohs(at.sin_port);
}

static void tls_make(struct scene_authority *a)
{
	static const char *const alpn[] = {"http/1.1", NULL};
	struct fixture_cert host;
	struct buf key = BUF_INIT(8192);

	fixture_leaf(a->ca, PKI_HOST, &host);
	assert_int_equal(pki_key_to_pem(host.key, &key), 0);
	const struct tls_server_config config = {
		.key_pem = buf_span(&key), .cert_pem = buf_span(&host.pem), .alpn = alpn};

	assert_int_equal(tls_server_new(&config, &a->tls), 0);
	buf_wipe(&key);
	fixture_cert_free(&host);
}

struct scene_authority *authority_start(const struct fixture_ca *ca)
{
	struct scene_authority *a = calloc(1, sizeof *a);

	assert_non_null(a);
	a->ca = ca;
	a->shared = mmap(
		NULL, sizeof *a->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(a->shared != MAP_FAILED);
	listen_anywhere(a);
	tls_make(a);
	a->pid = fork();
	assert_true(a->pid >= 0);
	if (a->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(a);
	}
	return a;
}

void authority_stop(struct scene_authority *a)
{
	(void)kill(a->pid, SIGKILL);
	(void)waitpid(a->pid, NULL, 0);
	tls_server_free(a->tls);
	cleanup_close(&a->listener);
	(void)munmap(a->shared, sizeof *a->shared);
	free(a);
}

uint16_t authority_port(const struct scene_authority *a)
{
	return a->port;
}

void authority_status(struct scene_authority *a, enum scene_status status)
{
	a->shared->status = (int)status;
}

void authority_revoke(struct scene_authority *a, const unsigned char serial[PKI_SERIAL_LEN])
{
	memcpy(a->shared->revoked, serial, PKI_SERIAL_LEN);
}

void scene_folder_remove(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			assert_int_equal(unlinkat(dirfd(dir), e->d_name, 0), 0);
	(void)closedir(dir);
	assert_int_equal(rmdir(folder), 0);
}
