/*
 * quintet enroll: the first contact. The root is accepted only when it has the fingerprint the
 * person gave or is the administrator's file; then everything else, password included, goes over a
 * connection verified by that root. The key is made here and never leaves.
 */
#include "client/ask.h"
#include "client/est.h"
#include "client/files.h"
#include "client/table.h"

#include "base/num.h"
#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>

#define DEFAULT_CA_PORT 8443

struct enroll_options {
	char host[254];
	uint16_t port;
	const char *user, *fingerprint, *root_file, *invite, *password_file, *profile;
	bool sign_up;
};

static bool host_is_good(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("/@?#[]\\\"", s.p[i]) != NULL)
			return false;
	return s.len > 0 && s.p[0] != '-';
}

/* HOST, HOST:PORT, [V6]:PORT, [V6], V6. */
static int target_parse(const char *text, struct enroll_options *o)
{
	struct span host, port = {NULL, 0};
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
		host = span_str(text);
	}
	if (port.p != NULL && num_parse_u64(port, 1, UINT16_MAX, &n) < 0)
		return -EINVAL;
	o->port = (uint16_t)n;
	return host_is_good(host) ? span_copy_str(host, o->host, sizeof o->host) : -EINVAL;
}

/* The rule of all services, said here before anything is asked or sent. */
static int user_parse(const char *text, char ret[64])
{
	size_t i;

	for (i = 0; text[i] != '\0'; i++) {
		char c = text[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (i >= 32 ||
			!((c >= 'a' && c <= 'z') ||
				(i > 0 && ((c >= '0' && c <= '9') || c == '_' || c == '-'))))
			return -EINVAL;
		ret[i] = c;
	}
	ret[i] = '\0';
	return i > 0 ? 0 : -EINVAL;
}

static int options_judge(struct client *c, const char *target, struct enroll_options *o)
{
	if (target_parse(target, o) < 0)
		return client_usage(c, "\"%s\" is no host, HOST:PORT or [IPV6]:PORT", target);
	if (o->user == NULL)
		return client_usage(c, "--user NAME is missing");
	if (o->fingerprint != NULL && o->root_file != NULL)
		return client_usage(c, "--fingerprint and --root exclude each other");
	/* An invite with a password makes an account that has one. */
	o->sign_up = o->sign_up || (o->invite != NULL && o->password_file != NULL);
	return CLIENT_OK;
}

static int options_parse(struct client *c, int argc, char **argv, struct enroll_options *o)
{
	const struct client_option options[] = {
		{"user", 'u', "NAME", &o->user, NULL, "the account's name"},
		{"fingerprint", 'f', "HEX", &o->fingerprint, NULL,
			"SHA-256 of the root certificate, from the administrator"},
		{"root", 'r', "FILE", &o->root_file, NULL,
			"the root certificate, from the administrator"},
		{"invite", 'i', "TOKEN", &o->invite, NULL, "one-time token for a new account"},
		{"sign-up", 's', NULL, NULL, &o->sign_up,
			"make the account first, with a new password"},
		{"password-file", 'P', "FILE", &o->password_file, NULL,
			"read the password from FILE; - is standard input"},
		{"as", 'a', "PROFILE", &o->profile, NULL,
			"name of the profile; by default the host"},
		{.name = NULL}};
	struct client_words w;
	int code = client_options(c, argc, argv, options, 1, &w);

	if (code >= 0)
		return code;
	if (w.count != 1)
		return client_usage(c, "which server?");
	code = options_judge(c, w.v[0], o);
	return code == CLIENT_OK ? -1 : code;
}

/* The administrator's file is the root itself: no first contact without verification is needed. */
static int root_from_file(const struct client *c, const char *path, struct buf *ret_pem)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf der = BUF_INIT(PROFILE_FILE_MAX);
	struct pki_cert_info info;
	int r = ask_file(c, path, &text);

	if (r < 0)
		return client_fail(r == -ECANCELED ? CLIENT_INTERRUPTED : ERR_EXIT_CONFIG, "%s: %s",
			path, err_text(r));
	if (pki_unarmor(buf_span(&text), "CERTIFICATE", &der) < 0 ||
		pki_cert_read(buf_span(&der), &info) < 0)
		return client_fail(ERR_EXIT_CONFIG, "%s: there is no certificate in it", path);
	if (!info.is_ca || strcmp(info.subject, info.issuer) != 0)
		return client_fail(
			ERR_EXIT_CONFIG, "%s: the certificate in it is not a root", path);
	r = pki_cert_to_pem(buf_span(&der), ret_pem);
	return r == 0 ? CLIENT_OK : client_fail(ERR_EXIT_TEMP, "%s: %s", path, err_text(r));
}

/* The fingerprint that the root must have: given, or typed in. */
static int fingerprint_get(const struct client *c, const char *given, unsigned char ret[32])
{
	_cleanup_(buf_done) struct buf typed = BUF_INIT(256);
	_cleanup_(buf_done) struct buf bytes = BUF_INIT(64);
	struct span hex = span_str(given);
	const unsigned char *equals;
	int r;

	if (given == NULL) {
		r = ask_line(c,
			"SHA-256 fingerprint of the root certificate (from your administrator): ",
			false, &typed);
		if (r == -ECANCELED)
			return CLIENT_INTERRUPTED;
		if (r == -ENOTTY)
			return client_fail(ERR_EXIT_CONFIG,
				"give --fingerprint HEX or --root FILE: a server is never trusted blindly");
		hex = r == 0 ? buf_span(&typed) : SPAN_LIT("");
	}
	/* As openssl x509 -fingerprint prints it: "sha256 Fingerprint=AB:CD:..." */
	equals = hex.len > 0 ? memchr(hex.p, '=', hex.len) : NULL;
	if (equals != NULL)
		hex = span_of(equals + 1, hex.len - (size_t)(equals + 1 - hex.p));
	if (text_unhex(&bytes, span_trim(hex)) < 0 || bytes.len != 32)
		return client_fail(
			ERR_EXIT_CONFIG, "a fingerprint is 64 hexadecimal digits (SHA-256)");
	memcpy(ret, bytes.p, 32);
	return CLIENT_OK;
}

/* The first contact: the root from the server itself, judged by its fingerprint alone. */
static int root_from_server(struct client *c, const struct enroll_options *o, struct profile *p)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	unsigned char fingerprint[32];
	int r = fingerprint_get(c, o->fingerprint, fingerprint);

	if (r == CLIENT_OK)
		r = link_open_bootstrap(c, o->host, o->port, &l);
	if (r != CLIENT_OK)
		return r;
	r = est_cacerts(&l, fingerprint, &p->root_pem, &p->chain_pem);
	if (r < 0)
		return est_failed(&l, r);
	(void)conn_close(l.conn);
	return CLIENT_OK;
}

/* Over a verified connection, before anything secret is asked for: authorities and directory. */
static int server_verify(struct client *c, struct profile *p)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	int r = link_open(c, p, p->ca_port, "http/1.1", false, &l);

	if (r != CLIENT_OK)
		return r;
	r = est_refresh(&l, p);
	if (r < 0)
		return est_failed(&l, r);
	(void)conn_close(l.conn);
	return CLIENT_OK;
}

static int account_create(
	struct link *l, const struct enroll_options *o, const char *user, struct span password)
{
	_cleanup_(buf_wipe) struct buf form = BUF_INIT(8192);
	_cleanup_(buf_done) struct buf body = BUF_INIT(4096);

	form_add(&form, "name", span_str(user));
	form_add(&form, "password", password);
	if (o->invite != NULL)
		form_add(&form, "invite", span_str(o->invite));
	if (buf_error(&form) < 0)
		return client_fail(ERR_EXIT_CONFIG, "the invite is too long");
	const struct link_question q = {.method = "POST",
		.target = "/account/create",
		.content_type = LINK_FORM_TYPE,
		.body = buf_span(&form)};

	return link_ask_told(l, &q, &body);
}

static int cannot_write(int error)
{
	return client_fail(
		client_unwritten(error), "the profile cannot be written: %s", err_text(error));
}

/* All but the certificate: a full disk shows before an account or a certificate is made. */
static int files_prepare(const struct profile *p, const struct pki_key *key)
{
	_cleanup_(buf_wipe) struct buf pem = BUF_INIT(PROFILE_FILE_MAX);
	const struct {
		const char *file;
		const struct buf *from;
	} files[] = {{"key.pem", &pem}, {"root.pem", &p->root_pem}, {"chain.pem", &p->chain_pem}};
	int r = pki_key_to_pem(key, &pem);

	for (size_t i = 0; r == 0 && i < sizeof files / sizeof files[0]; i++)
		r = files_write(p->dir_fd, files[i].file, buf_span(files[i].from));
	if (r == 0)
		r = profile_save(p);
	return r == 0 ? CLIENT_OK : cannot_write(r);
}

/* The account if wanted, then the certificate, over one verified connection. */
static int certify(struct client *c, const struct enroll_options *o, struct profile *p,
	const struct est_request *q, const struct pki_key *key)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	int r = link_open(c, p, p->ca_port, "http/1.1", false, &l);

	if (r == CLIENT_OK && o->sign_up)
		r = account_create(&l, o, p->user, q->password);
	if (r != CLIENT_OK)
		return r;
	r = est_enroll(&l, p, q, key, &p->cert_pem);
	if (r == CLIENT_OK)
		(void)conn_close(l.conn);
	else if (o->sign_up)
		client_fail(r, "the account is made all the same: enroll again without --sign-up");
	return r;
}

static int enroll(
	struct client *c, const struct enroll_options *o, struct span secret, struct profile *p)
{
	_cleanup_(pki_key_freep) struct pki_key *key = NULL;
	_cleanup_(buf_done) struct buf csr = BUF_INIT(PKI_CSR_MAX);
	int r = pki_key_new(&key);

	if (r == 0)
		r = pki_csr_new(key, p->user, NULL, NULL, &csr);
	if (r < 0)
		return client_fail(ERR_EXIT_BUG, "a key cannot be made: %s", err_text(r));
	const struct est_request q = {"simpleenroll", p->user, secret, buf_span(&csr)};
	r = files_prepare(p, key);
	if (r == CLIENT_OK)
		r = certify(c, o, p, &q, key);
	if (r != CLIENT_OK)
		return r;
	r = files_write(p->dir_fd, "cert.pem", buf_span(&p->cert_pem));
	if (r == 0)
		r = profile_publish(p);
	if (r == 0)
		r = profile_set_current(p->name);
	return r == 0 ? CLIENT_OK : cannot_write(r);
}

static int secret_get(const struct client *c, const struct enroll_options *o, struct buf *ret)
{
	if (o->invite == NULL || o->sign_up)
		return ask_password(c, o->password_file, o->sign_up, ret);
	buf_add_str(ret, o->invite);
	return buf_error(ret) == 0 ? CLIENT_OK
				   : client_fail(ERR_EXIT_CONFIG, "the invite is too long");
}

/* Somebody else's profile is not written over. */
static int profile_is_free(const char *name, const struct profile *p)
{
	_cleanup_(profile_done) struct profile old = PROFILE_INIT;
	int r = profile_load(name, &old);

	if ((r != 0 && r != -EKEYREJECTED) ||
		(strcmp(old.user, p->user) == 0 && strcmp(old.host, p->host) == 0 &&
			old.ca_port == p->ca_port))
		return CLIENT_OK;
	return client_fail(ERR_EXIT_CONFIG,
		"profile \"%s\" is that of %s at %s:%u; give --as NAME to make another", name,
		old.user, old.host, (unsigned)old.ca_port);
}

/* Opens the place for the new profile, so that a disk that takes nothing is known early. */
static int profile_start(const struct enroll_options *o, const char *name, struct profile *p)
{
	char folded[sizeof o->host];
	int r;

	/* An IPv6 address as host: its colons are no part of a folder's name. */
	snprintf(folded, sizeof folded, "%s", name);
	for (char *colon = folded; name == o->host && (colon = strchr(colon, ':')) != NULL;)
		*colon = '_';
	if (!profile_name_is_good(folded))
		return client_fail(ERR_EXIT_CONFIG,
			"\"%s\" cannot be a profile's name; give --as NAME (letters, digits, dot, dash, "
			"underscore; %d at most)",
			folded, PROFILE_NAME_MAX - 1);
	r = profile_is_free(folded, p);
	if (r != CLIENT_OK)
		return r;
	r = profile_stage(folded, p);
	if (r == -EBUSY)
		return client_fail(
			ERR_EXIT_TEMP, "profile \"%s\" is being made at this moment", folded);
	if (r == -ENOENT)
		return client_fail(ERR_EXIT_CONFIG,
			"there is no place for profiles: set HOME or QUINTET_CLIENT_DIR");
	return r == 0 ? CLIENT_OK
		      : client_fail(client_unwritten(r), "profile \"%s\" cannot be written: %s",
				folded, err_text(r));
}

static int enrolled_tell(const struct client *c, const struct profile *p)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf until = BUF_INIT(64);
	struct pki_cert_info info;

	if (pki_unarmor(buf_span(&p->cert_pem), "CERTIFICATE", &der) == 0 &&
		pki_cert_read(buf_span(&der), &info) == 0)
		time_rfc3339_utc(&until, info.not_after_us);
	const struct table_pair pairs[] = {{"user", p->user, NULL}, {"server", p->host, NULL},
		{"profile", p->name, NULL}, {"valid until", buf_str(&until), NULL}};

	return client_done(c, pairs, sizeof pairs / sizeof pairs[0],
		"enrolled as %s at %s until %s; profile \"%s\"", p->user, p->host, buf_str(&until),
		p->name);
}

int cmd_enroll(struct client *c, int argc, char **argv)
{
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	_cleanup_(buf_wipe) struct buf secret = BUF_INIT(ASK_SECRET_MAX);
	struct enroll_options o = {.port = DEFAULT_CA_PORT};
	int r = options_parse(c, argc, argv, &o);

	if (r >= 0)
		return r;
	if (user_parse(o.user, p.user) < 0)
		return client_usage(c,
			"\"%s\" is no account's name: a letter, then letters, digits, - and _, 32 at most",
			o.user);
	snprintf(p.host, sizeof p.host, "%s", o.host);
	p.ca_port = o.port;
	if (o.profile == NULL)
		o.profile = c->profile != NULL ? c->profile : o.host;
	r = profile_start(&o, o.profile, &p);
	if (r == CLIENT_OK)
		r = o.root_file != NULL ? root_from_file(c, o.root_file, &p.root_pem)
					: root_from_server(c, &o, &p);
	if (r == CLIENT_OK)
		r = server_verify(c, &p);
	if (r == CLIENT_OK)
		r = secret_get(c, &o, &secret);
	if (r == CLIENT_OK)
		r = enroll(c, &o, buf_span(&secret), &p);
	if (r != CLIENT_OK) {
		profile_unstage(&p);
		return r;
	}
	return enrolled_tell(c, &p);
}
