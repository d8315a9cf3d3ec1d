/*
 * quintet enroll: the first contact. The root is accepted only when it has the fingerprint the
 * person gave or is the administrator's file; then everything else, password included, goes over a
 * connection verified by that root. The key is made here and never leaves.
 */
#include "client/est.h"
#include "client/pair.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>

#define DEFAULT_CA_PORT 8443

struct enroll_options {
	char host[254];
	uint16_t port;
	const char *user, *fingerprint, *root_file, *invite, *password_file, *profile;
	bool sign_up;
};

/* HOST, HOST:PORT, [V6]:PORT, V6. */
static int target_parse(const char *text, struct enroll_options *o)
{
	struct span s = span_str(text), host, port = {NULL, 0};
	const char *colon = strrchr(text, ':');
	const char *bracket = strchr(text, ']');
	uint64_t n = DEFAULT_CA_PORT;

	if (text[0] == '[' && bracket != NULL) {
		host = span_of(text + 1, (size_t)(bracket - text - 1));
		if (bracket[1] == ':')
			port = span_str(bracket + 2);
		else if (bracket[1] != '\0')
			return -EINVAL;
	} else if (colon != NULL && strchr(text, ':') == colon) {
		host = span_of(text, (size_t)(colon - text));
		port = span_str(colon + 1);
	} else {
		host = s;
	}
	if (port.p != NULL && num_parse_u64(port, 1, UINT16_MAX, &n) < 0)
		return -EINVAL;
	o->port = (uint16_t)n;
	return host.len == 0 ? -EINVAL : span_copy_str(host, o->host, sizeof o->host);
}

static int options_parse(int argc, char **argv, struct enroll_options *o)
{
	static const struct option longs[] = {{"user", required_argument, NULL, 'u'},
		{"fingerprint", required_argument, NULL, 'f'},
		{"root", required_argument, NULL, 'r'}, {"invite", required_argument, NULL, 'i'},
		{"sign-up", no_argument, NULL, 's'},
		{"password-file", required_argument, NULL, 'p'},
		{"as", required_argument, NULL, 'a'}, {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "u:f:r:i:sp:a:", longs, NULL)) >= 0) {
		const char **to = c == 'u' ? &o->user
			: c == 'f'         ? &o->fingerprint
			: c == 'r'         ? &o->root_file
			: c == 'i'         ? &o->invite
			: c == 'p'         ? &o->password_file
			: c == 'a'         ? &o->profile
					   : NULL;

		if (c == 's')
			o->sign_up = true;
		else if (to != NULL)
			*to = optarg;
		else
			return -EINVAL;
	}
	if (optind != argc - 1 || o->user == NULL ||
		(o->fingerprint != NULL && o->root_file != NULL))
		return -EINVAL;
	return target_parse(argv[optind], o);
}

static int root_from_file(const char *path, unsigned char ret[32])
{
	_cleanup_(cleanup_fclose) FILE *f = fopen(path, "re");
	_cleanup_(buf_done) struct buf pem = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf der = BUF_INIT(PROFILE_FILE_MAX);
	char line[256];

	if (f == NULL)
		return -errno;
	while (fgets(line, sizeof line, f) != NULL)
		buf_add_str(&pem, line);
	if (pki_unarmor(buf_span(&pem), "CERTIFICATE", &der) < 0)
		return -EINVAL;
	return hash_sha256(buf_span(&der), ret);
}

/* The fingerprint that the root must have: given, from a file, or typed in by the person. */
static int fingerprint_get(
	const struct client *c, const struct enroll_options *o, unsigned char ret[32])
{
	_cleanup_(buf_done) struct buf typed = BUF_INIT(256);
	_cleanup_(buf_done) struct buf bytes = BUF_INIT(33);
	int r;

	if (o->root_file != NULL) {
		r = root_from_file(o->root_file, ret);
		return r == 0 ? CLIENT_OK
			      : client_fail(ERR_EXIT_CONFIG, "%s: %s", o->root_file,
					r == -EINVAL ? "not one certificate in PEM" : err_text(r));
	}
	if (o->fingerprint != NULL) {
		buf_add_str(&typed, o->fingerprint);
	} else {
		r = client_ask(c,
			"Fingerprint of the root certificate (ask your administrator): ", false,
			&typed);
		if (r == -ECANCELED)
			return CLIENT_INTERRUPTED;
		if (r < 0)
			return client_fail(ERR_EXIT_CONFIG,
				"give --fingerprint HEX or --root FILE: a server is never trusted blindly");
	}
	if (text_unhex(&bytes, span_trim(buf_span(&typed))) < 0 || bytes.len != 32)
		return client_fail(
			ERR_EXIT_CONFIG, "a fingerprint is 64 hexadecimal digits (SHA-256)");
	memcpy(ret, bytes.p, 32);
	return CLIENT_OK;
}

/* Fills root and chain of the profile from the server, checked against the fingerprint. */
static int anchors_fetch(struct client *c, const struct enroll_options *o,
	const unsigned char fp[32], struct profile *p)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	int r = link_open_bootstrap(c, o->host, o->port, &l);

	if (r != 0)
		return r;
	r = est_cacerts(&l, fp, &p->root_pem, &p->chain_pem);
	if (r == -EKEYREJECTED)
		return client_fail(CLIENT_UNTRUSTED,
			"%s does not belong to the root with that fingerprint: nothing was sent to it",
			o->host);
	if (r < 0)
		return client_fail(client_exit_of(r),
			"%s does not answer as a certificate authority: %s", o->host, err_text(r));
	return CLIENT_OK;
}

/* Password or invite, from the option, a file or the terminal. */
static int secret_get(const struct client *c, const struct enroll_options *o, struct buf *ret)
{
	_cleanup_(buf_wipe) struct buf again = BUF_INIT(1024);
	int r;

	if (o->invite != NULL && !o->sign_up) {
		buf_add_str(ret, o->invite);
		return CLIENT_OK;
	}
	if (o->password_file != NULL) {
		r = client_read_secret(o->password_file, ret);
		return r == 0
			? CLIENT_OK
			: client_fail(ERR_EXIT_CONFIG, "%s: %s", o->password_file, err_text(r));
	}
	r = client_ask(c, o->sign_up ? "New password: " : "Password: ", true, ret);
	if (r == 0 && o->sign_up) {
		r = client_ask(c, "Again: ", true, &again);
		if (r == 0 && !span_eq(buf_span(ret), buf_span(&again)))
			return client_fail(ERR_EXIT_CONFIG, "the two passwords differ");
	}
	if (r == -ECANCELED)
		return CLIENT_INTERRUPTED;
	return r == 0 ? CLIENT_OK
		      : client_fail(ERR_EXIT_CONFIG,
				"no terminal to ask on: give --password-file or --invite");
}

static int account_create(struct link *l, const struct enroll_options *o, struct span password)
{
	_cleanup_(buf_wipe) struct buf form = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf body = BUF_INIT(4096);
	unsigned status;
	int r;

	form_add(&form, "name", span_str(o->user));
	form_add(&form, "password", password);
	if (o->invite != NULL)
		form_add(&form, "invite", span_str(o->invite));
	const struct link_question q = {.method = "POST",
		.target = "/account/create",
		.content_type = "application/x-www-form-urlencoded",
		.body = buf_span(&form)};
	r = buf_error(&form) < 0 ? buf_error(&form) : link_ask(l, &q, &status, &body);
	if (r < 0)
		return client_fail(client_exit_of(r), "sign-up failed: %s", err_text(r));
	return status / 100 == 2 ? CLIENT_OK : link_refused(status, buf_span(&body));
}

static int files_write(const struct profile *p, const struct pki_key *key, struct span cert_pem)
{
	int r = pair_write(p, key, cert_pem);

	if (r == 0)
		r = profile_write(p, "root.pem", buf_span(&p->root_pem));
	if (r == 0)
		r = profile_write(p, "chain.pem", buf_span(&p->chain_pem));
	return r == 0 ? profile_save(p) : r;
}

/* Over the verified connection: directory, account if wanted, request, certificate, files. */
static int enroll_verified(
	struct link *l, const struct enroll_options *o, struct span secret, struct profile *p)
{
	_cleanup_(pki_key_freep) struct pki_key *key = NULL;
	_cleanup_(buf_done) struct buf csr = BUF_INIT(PKI_CSR_MAX);
	_cleanup_(buf_done) struct buf cert = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf pem = BUF_INIT(PROFILE_FILE_MAX);
	const char *reason = "";
	int r = est_directory(l, &p->doors);

	if (r < 0)
		return client_fail(client_exit_of(r), "no service directory: %s", err_text(r));
	if (o->sign_up) {
		r = account_create(l, o, secret);
		if (r != CLIENT_OK)
			return r;
	}
	r = pki_key_new(&key);
	if (r == 0)
		r = pki_csr_new(key, p->user, NULL, NULL, &csr);
	if (r < 0)
		return client_fail(ERR_EXIT_BUG, "cannot make a key: %s", err_text(r));
	const struct est_request q = {"simpleenroll", p->user, secret, buf_span(&csr)};
	r = est_enroll(l, &q, &cert);
	if (r != CLIENT_OK)
		return r;
	r = est_accept(p, buf_span(&cert), key, &pem, &reason);
	if (r < 0)
		return client_fail(CLIENT_UNTRUSTED,
			"the certificate that came is not acceptable: %s",
			*reason != '\0' ? reason : err_text(r));
	r = files_write(p, key, buf_span(&pem));
	if (r < 0)
		return client_fail(ERR_EXIT_TEMP, "cannot write the profile: %s", err_text(r));
	return CLIENT_OK;
}

static int profile_start(const struct enroll_options *o, struct profile *p)
{
	const char *name = o->profile != NULL ? o->profile : o->host;
	char folded[PROFILE_NAME_MAX];
	size_t i;
	int r;

	/* An IPv6 address as host: its colons are no part of a folder's name. */
	for (i = 0; name[i] != '\0' && i < sizeof folded - 1; i++)
		folded[i] = name[i] == ':' && o->profile == NULL ? '-' : name[i];
	folded[i] = '\0';
	r = profile_create(folded, p);
	if (r < 0)
		return client_fail(ERR_EXIT_CONFIG, "profile \"%s\": %s", folded,
			r == -EINVAL ? "letters, digits, dot, dash and underscore only"
				     : err_text(r));
	if (span_copy_str(span_str(o->user), p->user, sizeof p->user) < 0)
		return client_fail(ERR_EXIT_CONFIG, "the name is too long");
	for (char *u = p->user; *u != '\0'; u++)
		if (*u >= 'A' && *u <= 'Z')
			*u = (char)(*u - 'A' + 'a');
	snprintf(p->host, sizeof p->host, "%s", o->host);
	p->ca_port = o->port;
	return CLIENT_OK;
}

int cmd_enroll(struct client *c, int argc, char **argv)
{
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	_cleanup_(link_done) struct link l = LINK_INIT;
	_cleanup_(buf_wipe) struct buf secret = BUF_INIT(2048);
	struct enroll_options o = {0};
	unsigned char fingerprint[32];
	int r;

	if (options_parse(argc, argv, &o) < 0)
		return client_usage("enroll");
	if (o.profile == NULL)
		o.profile = c->profile;
	r = fingerprint_get(c, &o, fingerprint);
	if (r == CLIENT_OK)
		r = profile_start(&o, &p);
	if (r == CLIENT_OK)
		r = anchors_fetch(c, &o, fingerprint, &p);
	if (r == CLIENT_OK)
		r = secret_get(c, &o, &secret);
	if (r == CLIENT_OK)
		r = link_open(c, &p, p.ca_port, "http/1.1", false, &l);
	if (r == CLIENT_OK)
		r = enroll_verified(&l, &o, buf_span(&secret), &p);
	if (r != CLIENT_OK)
		return r;
	r = profile_set_current(p.name);
	if (r < 0)
		return client_fail(
			ERR_EXIT_TEMP, "cannot make the profile the current one: %s", err_text(r));
	printf("enrolled as %s at %s; profile \"%s\"\n", p.user, p.host, p.name);
	return CLIENT_OK;
}
