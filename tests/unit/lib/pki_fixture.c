#include "tests/unit/lib/pki_fixture.h"

#include "base/timefmt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DER_MAX = 8192 };

void fixture_key(struct fixture_cert *c)
{
	*c = (struct fixture_cert){
		.der = BUF_INIT(DER_MAX), .spki = BUF_INIT(DER_MAX), .pem = BUF_INIT(DER_MAX)};
	assert_int_equal(pki_key_new(&c->key), 0);
	assert_int_equal(pki_key_spki(c->key, &c->spki), 0);
}

void fixture_cert_free(struct fixture_cert *c)
{
	pki_key_freep(&c->key);
	buf_done(&c->der);
	buf_done(&c->spki);
	buf_done(&c->pem);
}

struct pki_template fixture_template(
	const struct fixture_ca *ca, enum pki_profile profile, struct fixture_cert *c)
{
	static const char *const names[] = {"Test Root", "Test Issuing CA", "ann", "localhost",
		"Test TSA", "Test OCSP", "Test CMP"};
	struct pki_template t = {
		.profile = profile,
		.cn = names[profile],
		.not_before_us = ca->now_us - 3600 * TIME_S_US,
		.not_after_us = ca->now_us + INT64_C(30) * 86400 * TIME_S_US,
		.spki = buf_span(&c->spki),
	};

	if (profile == PKI_USER)
		t.email = "ann@example.org";
	if (profile == PKI_HOST) {
		t.hosts[t.host_count++] = "localhost";
		t.hosts[t.host_count++] = "127.0.0.1";
		t.hosts[t.host_count++] = "::1";
	}
	if (profile == PKI_ROOT || profile == PKI_ISSUING)
		t.not_after_us = ca->now_us + INT64_C(3650) * 86400 * TIME_S_US;
	if (profile != PKI_ROOT) {
		t.crl_url = FIXTURE_CRL_URL;
		t.ocsp_url = profile == PKI_ISSUING ? NULL : FIXTURE_OCSP_URL;
		t.issuer_url = FIXTURE_ISSUER_URL;
	}
	assert_int_equal(pki_serial_new(t.serial), 0);
	memcpy(c->serial, t.serial, sizeof(c->serial));
	return t;
}

void fixture_issue(
	const struct fixture_ca *ca, const struct pki_template *t, struct fixture_cert *c)
{
	const struct fixture_cert *issuer = t->profile == PKI_ISSUING ? &ca->root : &ca->issuing;
	bool self = t->profile == PKI_ROOT;

	buf_reset(&c->der);
	buf_reset(&c->pem);
	assert_int_equal(pki_issue(t, self ? (struct span){0} : buf_span(&issuer->der),
				 self ? c->key : issuer->key, &c->der),
		0);
	assert_int_equal(pki_cert_to_pem(buf_span(&c->der), &c->pem), 0);
}

void fixture_leaf(const struct fixture_ca *ca, enum pki_profile profile, struct fixture_cert *c)
{
	struct pki_template t;

	fixture_key(c);
	t = fixture_template(ca, profile, c);
	fixture_issue(ca, &t, c);
}

void fixture_ca_make(struct fixture_ca *ca)
{
	*ca = (struct fixture_ca){.now_us = time_now_us()};
	fixture_leaf(ca, PKI_ROOT, &ca->root);
	fixture_leaf(ca, PKI_ISSUING, &ca->issuing);
	fixture_leaf(ca, PKI_OCSP, &ca->ocsp);
}

void fixture_ca_free(struct fixture_ca *ca)
{
	fixture_cert_free(&ca->root);
	fixture_cert_free(&ca->issuing);
	fixture_cert_free(&ca->ocsp);
}

void fixture_folder(char ret[64])
{
	(void)snprintf(ret, 64, "/tmp/quintet-test-XXXXXX");
	assert_non_null(mkdtemp(ret));
}

void fixture_write(const char *folder, const char *name, struct span bytes)
{
	char path[192];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.p, bytes.len), (ssize_t)bytes.len);
	(void)close(fd);
}

void fixture_remove(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.')
			assert_int_equal(unlinkat(dirfd(dir), e->d_name, 0), 0);
	(void)closedir(dir);
	assert_int_equal(rmdir(folder), 0);
}

int fixture_run(const char *const *argv, struct buf *out)
{
	int ends[2], status;
	unsigned char bytes[4096];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(ends[1], 1);
		(void)dup2(ends[1], 2);
		(void)close(ends[0]);
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	(void)close(ends[1]);
	while ((n = read(ends[0], bytes, sizeof(bytes))) > 0)
		buf_add(out, span_of(bytes, (size_t)n));
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
