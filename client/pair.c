/* See pair.h. */
#include "client/pair.h"

#include "client/certs.h"
#include "client/files.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define KEY_ASIDE "key.next"

static bool fits(struct span key_pem, struct span spki)
{
	_cleanup_(pki_key_freep) struct pki_key *key = NULL;
	_cleanup_(buf_done) struct buf own = BUF_INIT(4096);

	return key_pem.len > 0 && pki_key_from_pem(key_pem, &key) == 0 &&
		pki_key_spki(key, &own) == 0 && span_eq(buf_span(&own), spki);
}

/*
 * A key aside that is the only one to fit the certificate must not be overwritten: what an
 * interrupted change left is finished first.
 */
static int finish_last(const struct profile *p)
{
	_cleanup_(profile_done) struct profile now = PROFILE_INIT;
	int r = files_read(p->dir_fd, "cert.pem", &now.cert_pem);

	if (r == 0)
		r = files_read(p->dir_fd, "key.pem", &now.key_pem);
	if (r < 0)
		return r;
	now.dir_fd = p->dir_fd;
	/* When no key fits there is nothing to lose. */
	if (pair_recover(&now) == 0 && now.key_pem.len > 0)
		r = files_write(p->dir_fd, "key.pem", buf_span(&now.key_pem));
	now.dir_fd = -1;
	return r;
}

static int keep_write(int profile_fd, const char *name, struct span pem)
{
	_cleanup_(cleanup_close) int fd = -1;

	if (mkdirat(profile_fd, PROFILE_OLD, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(profile_fd, PROFILE_OLD, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : files_write(fd, name, pem);
}

int pair_keep(int profile_fd, struct span key_pem, struct span cert_pem)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(PROFILE_FILE_MAX), spki = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf name = BUF_INIT(80);
	_cleanup_(buf_wipe) struct buf pem = BUF_INIT(2UL * PROFILE_FILE_MAX);
	struct pki_cert_info info;

	if (cert_pem.len == 0 || certs_first(cert_pem, &der) < 0 ||
		pki_cert_read(buf_span(&der), &info) < 0 ||
		pki_cert_spki(buf_span(&der), &spki) < 0 || !fits(key_pem, buf_span(&spki)))
		return 0;
	text_hex(&name, span_of(info.serial, info.serial_len));
	buf_add_str(&name, ".pem");
	buf_add(&pem, key_pem);
	buf_add(&pem, cert_pem);
	if (buf_error(&pem) < 0 || buf_error(&name) < 0)
		return -ENOMEM;
	return keep_write(profile_fd, buf_str(&name), buf_span(&pem));
}

/* The pair that is about to be replaced. */
static int keep_present(const struct profile *p)
{
	_cleanup_(buf_done) struct buf cert = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_wipe) struct buf key = BUF_INIT(PROFILE_FILE_MAX);
	int r = files_read(p->dir_fd, "cert.pem", &cert);

	if (r == 0)
		r = files_read(p->dir_fd, "key.pem", &key);
	return r == 0 ? pair_keep(p->dir_fd, buf_span(&key), buf_span(&cert)) : r;
}

static int pair_replace(const struct profile *p, struct span key_pem, struct span cert_pem)
{
	int r = finish_last(p);

	if (r == 0)
		r = keep_present(p);
	if (r == 0)
		r = files_write(p->dir_fd, KEY_ASIDE, key_pem);
	if (r == 0)
		r = files_write(p->dir_fd, "cert.pem", cert_pem);
	if (r == 0)
		r = files_write(p->dir_fd, "key.pem", key_pem);
	return r == 0 ? files_remove(p->dir_fd, KEY_ASIDE) : r;
}

int pair_write(const struct profile *p, const struct pki_key *key, struct span cert_pem)
{
	_cleanup_(buf_wipe) struct buf pem = BUF_INIT(PROFILE_FILE_MAX);
	int r = pki_key_to_pem(key, &pem);

	if (r < 0)
		return r;
	files_lock(p->dir_fd, true);
	r = pair_replace(p, buf_span(&pem), cert_pem);
	files_unlock(p->dir_fd);
	return r;
}

int pair_recover(struct profile *p)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf spki = BUF_INIT(4096);
	_cleanup_(buf_wipe) struct buf aside = BUF_INIT(PROFILE_FILE_MAX);
	int r;

	if (p->cert_pem.len == 0)
		return 0;
	if (certs_first(buf_span(&p->cert_pem), &der) < 0 ||
		pki_cert_spki(buf_span(&der), &spki) < 0)
		return -EKEYREJECTED;
	if (fits(buf_span(&p->key_pem), buf_span(&spki)))
		return 0;
	r = files_read(p->dir_fd, KEY_ASIDE, &aside);
	if (r < 0)
		return r;
	if (!fits(buf_span(&aside), buf_span(&spki)))
		return -EKEYREJECTED;
	buf_wipe(&p->key_pem);
	buf_add(&p->key_pem, buf_span(&aside));
	return buf_error(&p->key_pem);
}
