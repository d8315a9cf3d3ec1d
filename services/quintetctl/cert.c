/* quintetctl cert: the inventory of certificates, revocation, and certificates for hosts. */
#include "hostcert.h"

#include "base/num.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "pki/csr.h"

#include <errno.h>

static const char *state_of(const struct cert *cert, int64_t now_us)
{
	if (cert->state == CERT_REVOKED)
		return "revoked";
	if (cert->state == CERT_INTENT)
		return "intent";
	return cert->not_after_us <= now_us ? "expired" : "valid";
}

static const char *profile_of(const struct cert *cert)
{
	static const char *const names[] = {
		[CERT_PROFILE_USER] = "user",
		[CERT_PROFILE_HOST] = "host",
		[CERT_PROFILE_TSA] = "tsa",
		[CERT_PROFILE_OCSP] = "ocsp",
		[CERT_PROFILE_CMP] = "cmp",
	};
	size_t i = (size_t)cert->profile;

	return i < sizeof(names) / sizeof(names[0]) && names[i] != NULL ? names[i] : "?";
}

/* RFC 5280 section 5.3.1; the two that need delta CRLs or attribute authorities are left out. */
static const struct {
	int code;
	const char *name;
} reasons[] = {{0, "unspecified"}, {1, "key-compromise"}, {2, "ca-compromise"},
	{3, "affiliation-changed"}, {4, "superseded"}, {5, "cessation-of-operation"},
	{9, "privilege-withdrawn"}};
#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

static const char *reason_name(int code)
{
	size_t i;

	for (i = 0; i < REASONS; i++)
		if (reasons[i].code == code)
			return reasons[i].name;
	return "?";
}

static int reason_code(const char *text, int *ret)
{
	size_t i;

	for (i = 0; i < REASONS; i++)
		if (strcmp(reasons[i].name, text) == 0) {
			*ret = reasons[i].code;
			return CTL_OK;
		}
	ctl_warn("there is no reason \"%s\"; one of:", text);
	for (i = 0; i < REASONS; i++)
		(void)fprintf(stderr, "  %s\n", reasons[i].name);
	return CTL_USAGE;
}

/* -- list
 * ------------------------------------------------------------------------------------------- */

enum { OPT_ACCOUNT, OPT_EXPIRES, OPT_STATE };
static const struct ctl_option list_options[] = {{"account", "NAME", false},
	{"expires-within", "SPAN", false}, {"state", "valid|expired|revoked|intent", false},
	{.name = NULL}};

struct list {
	struct ctl_table table;
	int64_t now_us;
	bool expiring; /* leave out what needs no renewal: revoked, expired, intents */
	const char *state; /* NULL: any */
};

static int list_one(void *arg, const struct cert *cert)
{
	struct list *l = (struct list *)arg;
	const char *state = state_of(cert, l->now_us);

	if ((l->expiring && strcmp(state, "valid") != 0) ||
		(l->state != NULL && strcmp(l->state, state) != 0))
		return 0;
	ctl_cell_hex(&l->table, cert->serial, CERT_SERIAL_LEN);
	ctl_cell(&l->table, "%s", cert->account);
	ctl_cell(&l->table, "%s", profile_of(cert));
	ctl_cell(&l->table, "%s", state);
	ctl_cell_time(&l->table, cert->not_before_us);
	ctl_cell_time(&l->table, cert->not_after_us);
	return 0;
}

static int state_read(const char *text)
{
	static const char *const states[] = {"valid", "expired", "revoked", "intent"};
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(text, states[i]) == 0)
			return CTL_OK;
	ctl_warn("--state: valid, expired, revoked or intent, not \"%s\"", text);
	return CTL_USAGE;
}

static int run_list(struct ctl *c, const struct ctl_args *a)
{
	static const struct ctl_column columns[] = {{"serial", CTL_TEXT}, {"account", CTL_TEXT},
		{"profile", CTL_TEXT}, {"state", CTL_TEXT}, {"not_before", CTL_TEXT},
		{"not_after", CTL_TEXT}};
	struct list l = {.table = CTL_TABLE(columns), .state = a->option[OPT_STATE]};
	char name[ACCOUNT_NAME_SIZE] = "";
	int64_t before_us = INT64_MAX;
	uint64_t within_s = 0;
	int r = CTL_OK;

	l.now_us = time_now_us();
	if (a->option[OPT_ACCOUNT] != NULL)
		r = ctl_name(a->option[OPT_ACCOUNT], name);
	if (r == CTL_OK && l.state != NULL)
		r = state_read(l.state);
	if (r == CTL_OK && a->option[OPT_EXPIRES] != NULL) {
		r = ctl_duration_s("--expires-within", a->option[OPT_EXPIRES], &within_s);
		before_us = l.now_us + (int64_t)within_s * TIME_S_US;
		l.expiring = true;
	}
	if (r == CTL_OK)
		r = ctl_store(c, STORE_READ);
	if (r != CTL_OK)
		return r;
	r = cert_each(c->store, name, before_us, list_one, &l);
	if (r < 0) {
		ctl_table_done(&l.table);
		return ctl_fail(r, "cannot list the certificates");
	}
	return ctl_table_rows(c, &l.table);
}

/* -- show and revoke
 * -------------------------------------------------------------------------------- */

static int read_serial(const char *text, unsigned char ret[CERT_SERIAL_LEN])
{
	_cleanup_(buf_done) struct buf bytes = BUF_INIT(CERT_SERIAL_LEN);

	if (text_unhex(&bytes, span_str(text)) == 0 && bytes.len == CERT_SERIAL_LEN) {
		memcpy(ret, bytes.p, CERT_SERIAL_LEN);
		return CTL_OK;
	}
	ctl_warn("a serial number is %d hexadecimal digits, not \"%s\"", 2 * CERT_SERIAL_LEN, text);
	return CTL_USAGE;
}

/* The row and, in der, its certificate. Says what is wrong. */
static int load(struct ctl *c, const char *text, struct cert *ret, unsigned char der[CERT_DER_MAX])
{
	unsigned char serial[CERT_SERIAL_LEN];
	int r = read_serial(text, serial);

	if (r == CTL_OK)
		r = ctl_store(c, STORE_READ);
	if (r != CTL_OK)
		return r;
	r = cert_get(c->store, serial, ret, der);
	if (r == -ENOENT) {
		ctl_warn("there is no certificate %s", text);
		return CTL_REFUSED;
	}
	return r < 0 ? ctl_fail(r, "cannot read certificate %s", text) : CTL_OK;
}

static void names_cell(struct ctl_table *t, const struct pki_cert_info *info)
{
	_cleanup_(buf_done) struct buf names = BUF_INIT(8192);
	size_t i;

	buf_add_str(&names, info->email);
	for (i = 0; i < info->host_count; i++) {
		buf_add_str(&names, names.len > 0 ? " " : "");
		buf_add_str(&names, info->hosts[i]);
	}
	ctl_cell_span(t, buf_span(&names));
}

static int print_cert(struct ctl *c, const struct cert *cert)
{
	static const struct ctl_column columns[] = {{"serial", CTL_TEXT}, {"account", CTL_TEXT},
		{"profile", CTL_TEXT}, {"state", CTL_TEXT}, {"subject", CTL_TEXT},
		{"issuer", CTL_TEXT}, {"ca", CTL_NUMBER}, {"names", CTL_TEXT},
		{"not_before", CTL_TEXT}, {"not_after", CTL_TEXT}, {"revoked", CTL_TEXT},
		{"reason", CTL_TEXT}, {"sha256", CTL_TEXT}};
	_cleanup_(ctl_table_done) struct ctl_table t = CTL_TABLE(columns);
	struct pki_cert_info info = {0};
	bool revoked = cert->state == CERT_REVOKED;

	if (cert->der.len > 0 && pki_cert_read(cert->der, &info) < 0)
		ctl_warn("the stored certificate does not decode");
	ctl_cell_hex(&t, cert->serial, CERT_SERIAL_LEN);
	ctl_cell(&t, "%s", cert->account);
	ctl_cell(&t, "%s", profile_of(cert));
	ctl_cell(&t, "%s", state_of(cert, time_now_us()));
	ctl_cell(&t, "%s", info.subject);
	ctl_cell(&t, "%s", info.issuer);
	ctl_cell(&t, "%u", cert->ca_id);
	names_cell(&t, &info);
	ctl_cell_time(&t, cert->not_before_us);
	ctl_cell_time(&t, cert->not_after_us);
	ctl_cell_time(&t, revoked ? cert->revoked_us : 0);
	ctl_cell(&t, "%s", revoked ? reason_name(cert->reason) : "-");
	ctl_cell_hex(&t, info.sha256, cert->der.len > 0 ? sizeof(info.sha256) : 0);
	return ctl_table_record(c, &t);
}

static const struct ctl_option show_options[] = {{"pem", NULL, false}, {.name = NULL}};

static int run_show(struct ctl *c, const struct ctl_args *a)
{
	_cleanup_(buf_done) struct buf pem = BUF_INIT(16384);
	unsigned char der[CERT_DER_MAX];
	struct cert cert;
	int r = load(c, a->word[0], &cert, der);

	if (r != CTL_OK)
		return r;
	if (a->option[0] == NULL)
		return print_cert(c, &cert);
	r = cert.der.len > 0 ? pki_cert_to_pem(cert.der, &pem) : -ENOENT;
	if (r < 0)
		return ctl_fail(r, "cannot show the certificate");
	(void)fputs(buf_str(&pem), stdout);
	return CTL_OK;
}

static const struct ctl_option revoke_options[] = {{"reason", "REASON", false}, {.name = NULL}};

static int run_revoke(struct ctl *c, const struct ctl_args *a)
{
	struct cert_revoke_args args = {.by = CTL_BY, .now_us = time_now_us()};
	unsigned char der[CERT_DER_MAX];
	struct cert cert;
	int r = CTL_OK;

	if (a->option[0] != NULL)
		r = reason_code(a->option[0], &args.reason);
	if (r == CTL_OK)
		r = load(c, a->word[0], &cert, der);
	if (r != CTL_OK)
		return r;
	memcpy(args.serial, cert.serial, CERT_SERIAL_LEN);
	r = store_call(c->store, STORE_OP_CERT_REVOKE, &args, NULL);
	if (r == -EALREADY || r == -ENOENT) {
		ctl_warn(r == -EALREADY ? "certificate %s is revoked already"
					: "certificate %s was never issued",
			a->word[0]);
		return CTL_REFUSED;
	}
	if (r < 0)
		return ctl_fail(r, "cannot revoke");
	ctl_ring(c, cert.account);
	ctl_say(c, "Certificate of %s revoked; its sessions end now.", cert.account);
	return CTL_OK;
}

/* -- issue
 * ------------------------------------------------------------------------------------------ */

enum { OPT_OUT, OPT_CSR };
static const struct ctl_option issue_options[] = {
	{"out", "PREFIX", false}, {"csr", "FILE", false}, {.name = NULL}};

static int join_hosts(const struct ctl_args *a, char ret[2048])
{
	size_t i, len = 0;

	ret[0] = '\0';
	for (i = 1; i < a->words; i++) {
		int n = snprintf(ret + len, 2048 - len, "%s%s", i > 1 ? " " : "", a->word[i]);

		if (n < 0 || (size_t)n >= 2048 - len || strchr(a->word[i], ' ') != NULL ||
			*a->word[i] == '\0') {
			ctl_warn("\"%s\" is no host name", a->word[i]);
			return CTL_USAGE;
		}
		len += (size_t)n;
	}
	return CTL_OK;
}

/* Somebody else's key: their request is all we get. */
static int sign_file(struct ctl *c, enum pki_profile profile, const char *hosts, const char *path,
	struct pair *ret)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(65536), der = BUF_INIT(PKI_CSR_MAX);
	int r = service_read_file(path, &text);

	if (r == 0)
		r = pki_unarmor(buf_span(&text), "CERTIFICATE REQUEST", &der);
	if (r < 0)
		return ctl_fail(r, "cannot read the request %s", path);
	return hostcert_sign(c, profile, hosts, buf_span(&der), &ret->der);
}

static int write_result(struct ctl *c, const char *prefix, const struct pair *p)
{
	_cleanup_(authority_list_done) struct authority_list l = AUTHORITY_LIST_INIT;
	_cleanup_(buf_wipe) struct buf key = BUF_INIT(65536), pem = BUF_INIT(65536);
	char path[CTL_PATH_MAX];
	int r = authority_list_get(c, &l);

	if (r == CTL_OK)
		r = hostcert_chain(&l, buf_span(&p->der), &pem);
	if (r != CTL_OK)
		return r;
	r = p->key != NULL ? pair_key_pem(p, &key) : 0;
	if (r == 0)
		r = path_join(path, "%s.key", prefix);
	if (r == 0 && p->key != NULL)
		r = file_write(path, buf_span(&key), 0600);
	if (r == 0)
		r = path_join(path, "%s.pem", prefix);
	if (r == 0)
		r = file_write(path, buf_span(&pem), 0644);
	if (r < 0)
		return ctl_fail(r, "cannot write %s", path);
	ctl_say(c, "Written: %s%s%s.pem.", p->key != NULL ? prefix : "",
		p->key != NULL ? ".key and " : "", prefix);
	return CTL_OK;
}

static int run_issue(struct ctl *c, const struct ctl_args *a)
{
	_cleanup_(pair_done) struct pair p = PAIR_INIT;
	const char *prefix = a->option[OPT_OUT] != NULL ? a->option[OPT_OUT] : a->word[1];
	enum pki_profile profile = PKI_HOST;
	char hosts[2048];
	int r = join_hosts(a, hosts);

	if (r == CTL_OK && strcmp(a->word[0], "tsa") == 0) {
		profile = PKI_TSA;
	} else if (r == CTL_OK && strcmp(a->word[0], "host") != 0) {
		ctl_warn("issue: \"host\" or \"tsa\", not \"%s\"", a->word[0]);
		r = CTL_USAGE;
	}
	if (r == CTL_OK && a->option[OPT_CSR] != NULL)
		r = sign_file(c, profile, hosts, a->option[OPT_CSR], &p);
	else if (r == CTL_OK)
		r = hostcert_new(c, profile, hosts, &p);
	return r == CTL_OK ? write_result(c, prefix, &p) : r;
}

const struct ctl_command ctl_cert_commands[] = {
	{"cert", "list", "", 0, 0, list_options, CTL_AS_ADMIN, run_list, "list the certificates"},
	{"cert", "show", "SERIAL", 1, 1, show_options, CTL_AS_ADMIN, run_show,
		"show one certificate"},
	{"cert", "revoke", "SERIAL", 1, 1, revoke_options, CTL_AS_ADMIN, run_revoke,
		"revoke one and end the sessions it opened"},
	{"cert", "issue", "host|tsa NAME...", 2, CTL_WORDS_MAX - 1, issue_options, CTL_AS_ROOT,
		run_issue, "key and certificate for a host or a time-stamp authority"},
	{.noun = NULL}};
