/* quintet ca: what the authority publishes, this account's certificates, revocation, OCSP. */
#include "client/est.h"
#include "client/table.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "pki/crl.h"

#include <errno.h>
#include <fcntl.h>

#define ANSWER_MAX (1024 * 1024)

/* Certificates of a PEM text, kept as DER one after the other. */
struct ders {
	struct buf bytes;
	struct span each[8];
	size_t count;
};

#define DERS_INIT ((struct ders){.bytes = BUF_INIT(PROFILE_FILE_MAX)})

static void ders_done(struct ders *d)
{
	buf_done(&d->bytes);
}

static int ders_take(void *arg, struct span der)
{
	struct ders *d = arg;

	if (d->count == sizeof d->each / sizeof d->each[0])
		return 0;
	d->each[d->count++] = span_of(NULL, der.len);
	buf_add(&d->bytes, der);
	return buf_error(&d->bytes);
}

/* While the buffer grows its bytes move: offsets are turned into pointers at the end. */
static int ders_read(struct span pem, struct ders *d)
{
	int r = pki_cert_each_pem(pem, ders_take, d);

	for (size_t i = 0, at = 0; i < d->count; at += d->each[i++].len)
		d->each[i].p = d->bytes.p + at;
	return r;
}

static int ask(
	struct client *c, const struct profile *p, const struct link_question *q, struct buf *body)
{
	_cleanup_(link_done) struct link l = LINK_INIT;
	unsigned status;
	int r = link_open(c, p, p->ca_port, "http/1.1", true, &l);

	if (r != CLIENT_OK)
		return r;
	r = link_ask(&l, q, &status, body);
	if (r < 0)
		return client_fail(client_exit_of(r), "no answer: %s", err_text(r));
	return status / 100 == 2 ? CLIENT_OK : link_refused(status, buf_span(body));
}

static void cert_row(struct table *t, struct span der, const char *role)
{
	_cleanup_(buf_done) struct buf until = BUF_INIT(64);
	_cleanup_(buf_done) struct buf digest = BUF_INIT(128);
	struct pki_cert_info info;

	if (pki_cert_read(der, &info) < 0)
		return;
	time_rfc3339_utc(&until, info.not_after_us);
	text_hex(&digest, span_of(info.sha256, sizeof info.sha256));
	table_add(t, (const char *const[]){role, info.subject, buf_str(&until), buf_str(&digest)});
}

static int ca_show(struct client *c, struct profile *p, int argc, char **argv)
{
	static const char *const columns[] = {"ROLE", "SUBJECT", "VALID UNTIL", "SHA-256", NULL};
	_cleanup_(ders_done) struct ders root = DERS_INIT;
	_cleanup_(ders_done) struct ders chain = DERS_INIT;
	struct table t;
	int r = ders_read(buf_span(&p->root_pem), &root);

	(void)argv;
	if (argc != 0)
		return client_usage("ca");
	if (r >= 0)
		r = ders_read(buf_span(&p->chain_pem), &chain);
	if (r < 0)
		return client_fail(ERR_EXIT_CONFIG, "the profile's certificates cannot be read");
	table_init(&t, columns);
	for (size_t i = 0; i < root.count; i++)
		cert_row(&t, root.each[i], "root");
	for (size_t i = 0; i < chain.count; i++)
		cert_row(&t, chain.each[i], "issuing");
	r = table_print(&t, c->json);
	table_done(&t);
	return client_exit_of(r);
}

/* "serial state not-before not-after profile" lines become rows. */
static int ca_list(struct client *c, struct profile *p, int argc, char **argv)
{
	static const char *const columns[] = {
		"SERIAL", "STATE", "VALID FROM", "VALID UNTIL", "PROFILE", NULL};
	_cleanup_(buf_done) struct buf body = BUF_INIT(ANSWER_MAX);
	const struct link_question q = {.method = "GET", .target = "/account/certificates"};
	struct span rest, line;
	struct table t;
	int r;

	(void)argv;
	if (argc != 0)
		return client_usage("ca");
	r = ask(c, p, &q, &body);
	if (r != CLIENT_OK)
		return r;
	table_init(&t, columns);
	rest = buf_span(&body);
	while (span_split(&rest, '\n', &line)) {
		char cells[5][64] = {{0}};
		size_t n = 0;
		struct span word;

		line = span_trim(line);
		while (n < 5 && span_split(&line, ' ', &word) && text_is_print(word) &&
			span_copy_str(word, cells[n], sizeof cells[n]) == 0)
			n++;
		if (n == 5)
			table_add(&t,
				(const char *const[]){
					cells[0], cells[1], cells[2], cells[3], cells[4]});
	}
	r = table_print(&t, c->json);
	table_done(&t);
	return client_exit_of(r);
}

static int ca_revoke(struct client *c, struct profile *p, int argc, char **argv)
{
	_cleanup_(buf_done) struct buf form = BUF_INIT(1024);
	_cleanup_(buf_done) struct buf body = BUF_INIT(4096);
	int r;

	if (argc < 1 || argc > 2)
		return client_usage("ca");
	form_add(&form, "serial", span_str(argv[0]));
	if (argc == 2)
		form_add(&form, "reason", span_str(argv[1]));
	const struct link_question q = {.method = "POST",
		.target = "/account/revoke",
		.content_type = "application/x-www-form-urlencoded",
		.body = buf_span(&form)};
	r = ask(c, p, &q, &body);
	if (r == CLIENT_OK)
		printf("revoked %s\n", argv[0]);
	return r;
}

static int crl_row(void *arg, struct span serial, int64_t revoked_us, int reason)
{
	_cleanup_(buf_done) struct buf hex = BUF_INIT(64);
	_cleanup_(buf_done) struct buf at = BUF_INIT(64);
	char reason_text[16];

	text_hex(&hex, serial);
	time_rfc3339_utc(&at, revoked_us);
	snprintf(reason_text, sizeof reason_text, "%d", reason);
	table_add(arg, (const char *const[]){buf_str(&hex), buf_str(&at), reason_text});
	return 0;
}

static int pem_file_read(const char *path, struct buf *ret)
{
	_cleanup_(cleanup_fclose) FILE *f = fopen(path, "re");
	char piece[1024];
	size_t n;

	if (f == NULL)
		return -errno;
	while ((n = fread(piece, 1, sizeof piece, f)) > 0)
		buf_add(ret, span_of(piece, n));
	return ferror(f) != 0 ? -EIO : buf_error(ret);
}

/* The issuing certificate that names itself as the leaf's issuer by key identifier. */
static int issuer_of(struct span leaf, const struct ders *chain, struct span *ret)
{
	struct pki_cert_info info, issuer;

	if (pki_cert_read(leaf, &info) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < chain->count; i++) {
		if (pki_cert_read(chain->each[i], &issuer) == 0 &&
			strcmp(info.aki_hex, issuer.ski_hex) == 0) {
			*ret = chain->each[i];
			return 0;
		}
	}
	return -ENOENT;
}

static int ca_crl(struct client *c, struct profile *p, int argc, char **argv)
{
	static const char *const columns[] = {"SERIAL", "REVOKED", "REASON", NULL};
	_cleanup_(buf_done) struct buf der = BUF_INIT(ANSWER_MAX);
	_cleanup_(ders_done) struct ders chain = DERS_INIT;
	_cleanup_(ders_done) struct ders leaf = DERS_INIT;
	struct link_question q = {.method = "GET"};
	struct pki_cert_info mine;
	struct pki_crl_info info;
	struct span issuer;
	struct table t;
	int r;

	(void)argv;
	if (argc != 0)
		return client_usage("ca");
	if (ders_read(buf_span(&p->cert_pem), &leaf) < 0 || leaf.count == 0 ||
		pki_cert_read(leaf.each[0], &mine) < 0 ||
		ders_read(buf_span(&p->chain_pem), &chain) < 0 ||
		issuer_of(leaf.each[0], &chain, &issuer) < 0)
		return client_fail(ERR_EXIT_CONFIG, "the profile's certificates cannot be read");
	/* The same list stands on the TLS door: only the pointer's path is used. */
	q.target = strstr(mine.crl_url, "/ca/");
	if (q.target == NULL)
		return client_fail(CLIENT_NO, "the certificate names no revocation list");
	r = ask(c, p, &q, &der);
	if (r != CLIENT_OK)
		return r;
	if (pki_crl_read(buf_span(&der), issuer, &info) < 0)
		return client_fail(CLIENT_UNTRUSTED,
			"the CRL is not signed by this profile's authority (quintet renew fetches a new chain)");
	if (info.next_us < time_now_us())
		return client_fail(CLIENT_UNTRUSTED, "the CRL is out of date");
	table_init(&t, columns);
	r = pki_crl_each(buf_span(&der), crl_row, &t);
	if (r >= 0)
		r = table_print(&t, c->json);
	table_done(&t);
	return client_exit_of(r);
}

static int ocsp_tell(const struct client *c, const struct pki_ocsp_answer *a)
{
	static const char *const words[] = {"good", "revoked", "unknown"};
	_cleanup_(buf_done) struct buf at = BUF_INIT(64);

	if (a->status == PKI_OCSP_REVOKED)
		time_rfc3339_utc(&at, a->revoked_us);
	const struct table_pair pairs[] = {{"status", words[a->status]},
		{"revoked", a->status == PKI_OCSP_REVOKED ? buf_str(&at) : NULL}};

	table_print_pairs(pairs, 2, c->json);
	return a->status == PKI_OCSP_GOOD ? CLIENT_OK : CLIENT_NO;
}

/* Without a file: this profile's own certificate. */
static int ca_check(struct client *c, struct profile *p, int argc, char **argv)
{
	_cleanup_(buf_done) struct buf pem = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(buf_done) struct buf request = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
	_cleanup_(ders_done) struct ders leaf = DERS_INIT;
	_cleanup_(ders_done) struct ders chain = DERS_INIT;
	struct pki_ocsp_answer a;
	unsigned char nonce[32];
	const char *reason = "";
	struct span issuer;
	int r = 0;

	if (argc > 1)
		return client_usage("ca");
	if (argc == 1)
		r = pem_file_read(argv[0], &pem);
	else
		buf_add(&pem, buf_span(&p->cert_pem));
	if (r == 0)
		r = ders_read(buf_span(&pem), &leaf);
	if (r < 0 || leaf.count == 0)
		return client_fail(ERR_EXIT_CONFIG, "%s: no certificate in PEM",
			argc == 1 ? argv[0] : p->name);
	if (ders_read(buf_span(&p->chain_pem), &chain) < 0 ||
		issuer_of(leaf.each[0], &chain, &issuer) < 0)
		return client_fail(
			CLIENT_UNTRUSTED, "the certificate is not of this profile's authority");
	r = pki_ocsp_request_new(leaf.each[0], issuer, &request, nonce);
	if (r < 0)
		return client_fail(ERR_EXIT_BUG, "cannot make the request: %s", err_text(r));
	const struct link_question q = {.method = "POST",
		.target = "/ocsp",
		.content_type = "application/ocsp-request",
		.body = buf_span(&request)};
	r = ask(c, p, &q, &answer);
	if (r != CLIENT_OK)
		return r;
	r = pki_ocsp_response_read(buf_span(&answer), leaf.each[0], issuer, buf_span(&p->root_pem),
		nonce, &a, &reason);
	return r < 0 ? client_fail(CLIENT_UNTRUSTED, "the answer is not acceptable: %s", reason)
		     : ocsp_tell(c, &a);
}

int cmd_ca(struct client *c, int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(struct client *c, struct profile *p, int argc, char **argv);
		bool need_cert;
	} table[] = {{"show", ca_show, false}, {"list", ca_list, true}, {"revoke", ca_revoke, true},
		{"crl", ca_crl, true}, {"check", ca_check, false}};
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	const char *name = argc > 1 ? argv[1] : "show";
	int r;

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (strcmp(name, table[i].name) != 0)
			continue;
		r = table[i].need_cert ? profile_need_cert(c, &p) : profile_need(c, &p);
		if (r != CLIENT_OK)
			return r;
		return table[i].run(c, &p, argc > 2 ? argc - 2 : 0, argv + 2);
	}
	return client_usage("ca");
}
