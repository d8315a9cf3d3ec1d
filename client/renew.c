/* quintet renew: a new certificate for this device, proven by the old key. */
#include "client/est.h"
#include "client/pair.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>
#include <getopt.h>

static int first_take(void *arg, struct span der)
{
	buf_add(arg, der);
	return 1;
}

/* At two thirds of its life a certificate is due. */
static bool is_due(const struct pki_cert_info *info, int64_t now_us)
{
	return now_us >= info->not_before_us + (info->not_after_us - info->not_before_us) / 3 * 2;
}

/* Chain and directory may have changed since (roll-over, new services): both are fetched anew. */
static int refresh(struct link *l, struct profile *p)
{
	_cleanup_(buf_done) struct buf root = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf der = BUF_INIT(PROFILE_FILE_MAX);
	struct pki_cert_info info;
	int r = pki_unarmor(buf_span(&p->root_pem), "CERTIFICATE", &der);

	if (r == 0)
		r = pki_cert_read(buf_span(&der), &info);
	if (r == 0)
		r = est_cacerts(l, info.sha256, &root, &p->chain_pem);
	if (r == 0)
		r = est_directory(l, &p->doors);
	if (r == 0)
		r = profile_write(p, "chain.pem", buf_span(&p->chain_pem));
	return r == 0 ? profile_save(p) : r;
}

static int renew_request(
	struct link *l, const struct profile *p, const struct pki_key *old, struct pki_key *key)
{
	_cleanup_(buf_done) struct buf csr = BUF_INIT(PKI_CSR_MAX);
	_cleanup_(buf_done) struct buf cert = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf pem = BUF_INIT(PROFILE_FILE_MAX);
	const char *reason = "";
	int r = pki_csr_new(key, p->user, NULL, key == old ? NULL : old, &csr);

	if (r < 0)
		return client_fail(ERR_EXIT_BUG, "cannot make the request: %s", err_text(r));
	const struct est_request q = {.operation = "simplereenroll", .csr = buf_span(&csr)};
	r = est_enroll(l, &q, &cert);
	if (r != CLIENT_OK)
		return r;
	r = est_accept(p, buf_span(&cert), key, &pem, &reason);
	if (r < 0)
		return client_fail(CLIENT_UNTRUSTED,
			"the certificate that came is not acceptable: %s",
			*reason != '\0' ? reason : err_text(r));
	r = pair_write(p, key, buf_span(&pem));
	return r == 0 ? CLIENT_OK
		      : client_fail(ERR_EXIT_TEMP, "cannot write the profile: %s", err_text(r));
}

static int renew(struct client *c, struct profile *p, bool new_key)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	_cleanup_(pki_key_freep) struct pki_key *old = NULL;
	_cleanup_(pki_key_freep) struct pki_key *fresh = NULL;
	int r = link_open(c, p, p->ca_port, "http/1.1", true, &l);

	if (r != CLIENT_OK)
		return r;
	r = refresh(&l, p);
	if (r == 0)
		r = pki_key_from_pem(buf_span(&p->key_pem), &old);
	if (r == 0 && new_key)
		r = pki_key_new(&fresh);
	if (r < 0)
		return client_fail(client_exit_of(r), "cannot renew: %s", err_text(r));
	return renew_request(&l, p, old, fresh != NULL ? fresh : old);
}

int cmd_renew(struct client *c, int argc, char **argv)
{
	static const struct option longs[] = {{"if-due", no_argument, NULL, 'd'},
		{"new-key", no_argument, NULL, 'k'}, {NULL, 0, NULL, 0}};
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	_cleanup_(buf_done) struct buf der = BUF_INIT(PROFILE_FILE_MAX);
	struct pki_cert_info info;
	bool if_due = false, new_key = false;
	int o, r;

	while ((o = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		if (o == '?')
			return client_usage("renew");
		if_due = if_due || o == 'd';
		new_key = new_key || o == 'k';
	}
	if (optind != argc)
		return client_usage("renew");
	r = profile_need_cert(c, &p);
	if (r != CLIENT_OK)
		return r;
	r = pki_cert_each_pem(buf_span(&p.cert_pem), first_take, &der);
	if (r < 0 || pki_cert_read(buf_span(&der), &info) < 0)
		return client_fail(ERR_EXIT_CONFIG, "the profile's certificate cannot be read");
	if (if_due && !is_due(&info, time_now_us()))
		return CLIENT_OK;
	r = renew(c, &p, new_key);
	if (r == CLIENT_OK)
		printf("renewed the certificate of %s at %s\n", p.user, p.host);
	return r;
}
