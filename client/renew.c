/* quintet renew: a new certificate for this device, proven by the old key. */
#include "client/renew.h"

#include "client/certs.h"
#include "client/est.h"
#include "client/files.h"
#include "client/pair.h"
#include "client/table.h"

#include "base/timefmt.h"
#include "net/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

enum { LOCK_LOOK_MS = 200 };

int64_t renew_due_us(const struct pki_cert_info *info)
{
	return info->not_before_us + (info->not_after_us - info->not_before_us) / 3 * 2;
}

int renew_leaf(const struct profile *p, struct pki_cert_info *ret)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(PROFILE_FILE_MAX);
	int r = certs_first(buf_span(&p->cert_pem), &der);

	return r == 0 ? pki_cert_read(buf_span(&der), ret) : r;
}

/* Chain and directory may have changed since (roll-over, new services). */
static int refresh(struct link *l, struct profile *p)
{
	int r = est_refresh(l, p);

	if (r < 0)
		return est_failed(l, r);
	files_lock(p->dir_fd, true);
	r = files_write(p->dir_fd, "chain.pem", buf_span(&p->chain_pem));
	if (r == 0)
		r = profile_save(p);
	files_unlock(p->dir_fd);
	return r == 0 ? CLIENT_OK
		      : client_fail(client_unwritten(r), "the profile cannot be written: %s",
				err_text(r));
}

/* Subject and alternative name have to be those of the present certificate (RFC 7030, 4.2.2). */
static int request_send(struct link *l, const struct profile *p, const struct pki_cert_info *now,
	const struct pki_key *old, const struct pki_key *key)
{
	_cleanup_(buf_done) struct buf csr = BUF_INIT(PKI_CSR_MAX);
	_cleanup_(buf_done) struct buf pem = BUF_INIT(PROFILE_FILE_MAX);
	int r = pki_csr_new(key, now->cn, now->email, key == old ? NULL : old, &csr);

	if (r < 0)
		return client_fail(ERR_EXIT_BUG, "the request cannot be made: %s", err_text(r));
	const struct est_request q = {.operation = "simplereenroll", .csr = buf_span(&csr)};
	r = est_enroll(l, p, &q, key, &pem);
	if (r != CLIENT_OK)
		return r;
	r = pair_write(p, key, buf_span(&pem));
	return r == 0 ? CLIENT_OK
		      : client_fail(client_unwritten(r), "the profile cannot be written: %s",
				err_text(r));
}

static int renew(struct client *c, struct profile *p, const struct pki_cert_info *now, bool new_key)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	_cleanup_(pki_key_freep) struct pki_key *old = NULL;
	_cleanup_(pki_key_freep) struct pki_key *fresh = NULL;
	int r = link_open(c, p, p->ca_port, "http/1.1", true, &l);

	if (r == CLIENT_OK)
		r = refresh(&l, p);
	if (r != CLIENT_OK)
		return r;
	r = pki_key_from_pem(buf_span(&p->key_pem), &old);
	if (r == 0 && new_key)
		r = pki_key_new(&fresh);
	if (r < 0)
		return client_fail(ERR_EXIT_BUG, "a key cannot be made: %s", err_text(r));
	r = request_send(&l, p, now, old, fresh != NULL ? fresh : old);
	if (r == CLIENT_NO)
		client_fail(r, "the present certificate does not do: run quintet enroll again");
	if (r == CLIENT_OK)
		(void)conn_close(l.conn);
	return r;
}

/* Held across the network, so it is not the folder's: that of a file that stays. While somebody
 * else renews, that is awaited. */
static int renewal_lock(const struct client *c, const struct profile *p, int *ret_fd)
{
	_cleanup_(cleanup_close) int fd =
		openat(p->dir_fd, "root.pem", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int64_t until_ms = time_monotonic_ms() + INT64_C(3000) * c->timeout_s;

	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		struct pollfd wait = {.fd = c->signal_fd, .events = POLLIN};

		/* A file system without locks goes without, as everywhere. */
		if (errno != EWOULDBLOCK)
			break;
		if (time_monotonic_ms() >= until_ms)
			return -EBUSY;
		if (net_wait(&wait, 1, LOCK_LOOK_MS) != 0)
			return -ECANCELED;
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

int renew_run(
	struct client *c, const char *name, bool if_due, bool new_key, struct profile *ret_now)
{
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	_cleanup_(cleanup_close) int lock_fd = -1;
	const struct client named = {.profile = name};
	struct pki_cert_info info = {0};
	int r = profile_need_cert(&named, &p);

	if (r != CLIENT_OK)
		return r;
	r = renewal_lock(c, &p, &lock_fd);
	if (r < 0)
		return client_fail(client_exit_of(r), "the certificate cannot be renewed: %s",
			r == -EBUSY ? "another quintet is at it" : err_text(r));
	/* Whoever had the lock may have done it. */
	profile_done(&p);
	p = PROFILE_INIT;
	r = profile_need_cert(&named, &p);
	if (r == CLIENT_OK && renew_leaf(&p, &info) < 0)
		r = client_fail(ERR_EXIT_CONFIG, "the certificate of profile \"%s\" cannot be read",
			p.name);
	if (r == CLIENT_OK && (!if_due || time_now_us() >= renew_due_us(&info)))
		r = renew(c, &p, &info, new_key);
	if (r != CLIENT_OK)
		return r;
	return profile_need_cert(&named, ret_now);
}

static int renewed_tell(const struct client *c, const struct profile *p, bool renewed)
{
	_cleanup_(buf_done) struct buf until = BUF_INIT(64);
	struct pki_cert_info info;

	if (renew_leaf(p, &info) == 0)
		time_rfc3339_utc(&until, info.not_after_us);
	const struct table_pair pairs[] = {{"renewed", renewed ? "yes" : "no", NULL},
		{"user", p->user, NULL}, {"server", p->host, NULL},
		{"valid until", buf_str(&until), NULL}};

	/* A daily job has nothing to say on most days. */
	if (!renewed && !c->json)
		return CLIENT_OK;
	return client_done(c, pairs, sizeof pairs / sizeof pairs[0],
		"the certificate of %s at %s is renewed until %s", p->user, p->host,
		buf_str(&until));
}

int cmd_renew(struct client *c, int argc, char **argv)
{
	_cleanup_(profile_done) struct profile p = PROFILE_INIT, now = PROFILE_INIT;
	bool if_due = false, new_key = false;
	const struct client_option options[] = {
		{"if-due", 'd', NULL, NULL, &if_due,
			"only when two thirds of its life have passed"},
		{"new-key", 'k', NULL, NULL, &new_key, "replace the key as well"}, {.name = NULL}};
	struct client_words w;
	int r = client_options(c, argc, argv, options, 0, &w);

	if (r >= 0)
		return r;
	r = profile_need_cert(c, &p);
	if (r == CLIENT_OK)
		r = renew_run(c, p.name, if_due, new_key, &now);
	if (r != CLIENT_OK)
		return r;
	return renewed_tell(c, &now, !span_eq(buf_span(&p.cert_pem), buf_span(&now.cert_pem)));
}
