/* The signer's messages, as records and over a socket. */
#include "base/timefmt.h"
#include "proto/signer.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct signer_request example = {
	.kind = SIGNER_ENROLL,
	.proof = SIGNER_PROOF_RENEW,
	.name = "ann",
	.secret = {(const unsigned char *)"secret", 6},
	.serial = {(const unsigned char *)"0123456789abcdef", 16},
	.csr = {(const unsigned char *)"\x30\x00", 2},
	.ca_id = 7,
	.profile = 3,
	.hosts = {(const unsigned char *)"a b", 3},
	.peer = "192.0.2.1",
	.bucket = {(const unsigned char *)"\xc0\x00\x02\x01", 4},
};

static void expect_example(const struct signer_request *r)
{
	assert_int_equal(r->kind, example.kind);
	assert_int_equal(r->proof, example.proof);
	assert_string_equal(r->name, example.name);
	assert_true(span_eq(r->secret, example.secret));
	assert_true(span_eq(r->serial, example.serial));
	assert_true(span_eq(r->csr, example.csr));
	assert_int_equal(r->ca_id, example.ca_id);
	assert_int_equal(r->profile, example.profile);
	assert_true(span_eq(r->hosts, example.hosts));
	assert_string_equal(r->peer, example.peer);
	assert_true(span_eq(r->bucket, example.bucket));
}

static void test_request(void **state)
{
	struct buf b = BUF_INIT(65536);
	struct signer_request r;
	struct span record;

	(void)state;
	assert_int_equal(signer_request_write(&b, &example), 0);
	record = span_of(b.p + 4, b.len - 4);
	assert_int_equal((size_t)b.p[2] << 8 | b.p[3], record.len);
	assert_int_equal(signer_request_read(record, &r), 0);
	expect_example(&r);
	for (size_t len = 0; len < record.len; len++)
		assert_int_equal(signer_request_read(span_of(record.p, len), &r), -EBADMSG);
	buf_add_byte(&b, 0);
	assert_int_equal(signer_request_read(span_of(b.p + 4, b.len - 4), &r), -EBADMSG);
	/* Another version, kinds and proofs that are none. */
	for (size_t at = 4; at < 7; at++) {
		unsigned char was = b.p[at];

		b.p[at] = 9;
		assert_int_equal(signer_request_read(span_of(b.p + 4, b.len - 5), &r), -EBADMSG);
		b.p[at] = was;
	}
	b.p[5] = 0;
	assert_int_equal(signer_request_read(span_of(b.p + 4, b.len - 5), &r), -EBADMSG);
	buf_done(&b);
}

static void test_limits(void **state)
{
	static unsigned char big[SIGNER_MESSAGE_MAX + 1];
	struct signer_request r = example;
	struct buf b = BUF_INIT(131072);

	(void)state;
	buf_add_str(&b, "before");
	r.csr = span_of(big, sizeof(big));
	assert_int_equal(signer_request_write(&b, &r), -EMSGSIZE);
	assert_string_equal(buf_str(&b), "before");
	buf_reset(&b);
	r = example;
	r.secret = span_of(big, 513);
	assert_int_equal(signer_request_write(&b, &r), 0);
	assert_int_equal(signer_request_read(span_of(b.p + 4, b.len - 4), &r), -EBADMSG);
	buf_done(&b);
}

static void test_answer(void **state)
{
	const struct signer_answer a = {.status = EBUSY,
		.wait_s = 12,
		.payload = {(const unsigned char *)"\x30\x00", 2},
		.reason = "too many failed tries"};
	struct buf b = BUF_INIT(65536);
	struct signer_answer r;

	(void)state;
	assert_int_equal(signer_answer_write(&b, &a), 0);
	assert_int_equal(signer_answer_read(span_of(b.p + 4, b.len - 4), &r), 0);
	assert_int_equal(r.status, EBUSY);
	assert_int_equal(r.wait_s, 12);
	assert_true(span_eq(r.payload, a.payload));
	assert_string_equal(r.reason, a.reason);
	for (size_t len = 0; len < b.len - 4; len++)
		assert_int_equal(signer_answer_read(span_of(b.p + 4, len), &r), -EBADMSG);
	b.p[4] = 2;
	assert_int_equal(signer_answer_read(span_of(b.p + 4, b.len - 4), &r), -EBADMSG);
	buf_done(&b);
}

/* A signer for one connection: answers every request with a payload of size bytes. */
static pid_t serve(int fd, int other_fd, size_t size)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	struct buf scratch = BUF_INIT(65536), out = BUF_INIT(SIGNER_ANSWER_MAX + 64);
	unsigned char *payload = calloc(1, size + 1);
	struct signer_answer a = {.status = 0, .payload = span_of(payload, size)};
	struct signer_request r;
	int result;

	(void)close(other_fd);
	while ((result = signer_receive(fd, 5000, &scratch, &r)) == 1) {
		buf_reset(&out);
		a.wait_s = r.ca_id;
		if (signer_answer_write(&out, &a) < 0 || signer_send(fd, buf_span(&out), 5000) < 0)
			_exit(3);
	}
	free(payload);
	buf_done(&scratch);
	buf_done(&out);
	_exit(result == 0 ? 0 : 4);
}

static void test_exchange(void **state)
{
	static const size_t sizes[] = {0, 1000, 3000000};
	struct buf scratch = BUF_INIT(SIGNER_ANSWER_MAX);
	struct signer_answer a;
	int ends[2], status;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
		pid_t pid = serve(ends[1], ends[0], sizes[i]);

		(void)close(ends[1]);
		for (unsigned n = 0; n < 3; n++) {
			assert_int_equal(signer_call(ends[0], &example, 10000, &scratch, &a), 0);
			assert_int_equal(a.payload.len, sizes[i]);
			assert_int_equal(a.wait_s, example.ca_id);
		}
		(void)close(ends[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	buf_done(&scratch);
}

/* What a broken peer sends, and what comes of it on our side. */
static int receive_bytes(struct span bytes, bool keep_open)
{
	struct buf scratch = BUF_INIT(SIGNER_MESSAGE_MAX);
	struct signer_request r;
	int ends[2], result;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(send(ends[0], bytes.p, bytes.len, 0), (ssize_t)bytes.len);
	if (!keep_open)
		(void)close(ends[0]);
	result = signer_receive(ends[1], 100, &scratch, &r);
	if (keep_open)
		(void)close(ends[0]);
	(void)close(ends[1]);
	buf_wipe(&scratch);
	return result;
}

static void test_broken_peers(void **state)
{
	struct buf b = BUF_INIT(65536), scratch = BUF_INIT(SIGNER_ANSWER_MAX);
	struct signer_answer a;
	int ends[2];

	(void)state;
	assert_int_equal(signer_request_write(&b, &example), 0);
	assert_int_equal(receive_bytes(buf_span(&b), true), 1);
	assert_int_equal(receive_bytes(SPAN_LIT("\0\0\0\0"), true), -EBADMSG);
	assert_int_equal(receive_bytes(SPAN_LIT("\0\0\x80\x01"), true), -EBADMSG);
	assert_int_equal(receive_bytes(SPAN_LIT("\xff\xff\xff\xff"), true), -EBADMSG);
	assert_int_equal(receive_bytes(SPAN_LIT("\0\0\0\2ab"), true), -EBADMSG);
	for (size_t len = 1; len < b.len; len += 7) {
		assert_int_equal(receive_bytes(span_of(b.p, len), false), -EPIPE);
		if (len % 5 == 0)
			assert_int_equal(receive_bytes(span_of(b.p, len), true), -ETIMEDOUT);
	}
	/* A signer that goes away, and one that says nothing. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(signer_call(ends[0], &example, 100, &scratch, &a), -ETIMEDOUT);
	(void)close(ends[1]);
	assert_int_equal(signer_call(ends[0], &example, 100, &scratch, &a), -EPIPE);
	(void)close(ends[0]);
	buf_done(&b);
	buf_done(&scratch);
}

static void test_connect(void **state)
{
	char path[96], long_path[200];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = -1, listener;

	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/quintet-signer-%d", (int)getpid());
	assert_int_equal(signer_connect(path, &fd), -ENOENT);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(signer_connect(path, &fd), -ECONNREFUSED);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(signer_connect(path, &fd), 0);
	(void)close(fd);
	(void)close(listener);
	assert_int_equal(unlink(path), 0);
	memset(long_path, 'x', sizeof(long_path));
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(signer_connect(long_path, &fd), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_broken_peers),
		cmocka_unit_test(test_connect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
