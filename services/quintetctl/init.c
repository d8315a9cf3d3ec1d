/*
 * quintetctl init: root, issuing CA 1, the services' first certificates, the store. Order: secret
 * files, then the store, then the public files, of which root.pem comes last and says that all is
 * done; so an init that was cut off in the middle can be started again.
 */
#include "hostcert.h"

#include "base/hash.h"
#include "base/num.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "store/policy.h"

#include <errno.h>
#include <sys/stat.h>

enum { OPT_DOMAIN, OPT_HOST, OPT_PLAIN_URL, OPT_HOST_NAME };
static const struct ctl_option init_options[] = {{"domain", "D", false}, {"host", "H", false},
	{"plain-url", "URL", false}, {"host-name", "N", true}, {.name = NULL}};

struct house {
	struct authority a;
	struct pair leaf[RENEWALS]; /* of house_credentials */
	const char *hosts[PKI_MAX_HOSTS];
	size_t host_count;
};

static void house_done(struct house *h)
{
	size_t i;

	authority_done(&h->a);
	for (i = 0; i < RENEWALS; i++)
		pair_done(&h->leaf[i]);
}

/* -- settings -----------------------------------------------------------------------------------
 */

/* Options go before the environment; the rest of the settings follow from them. */
static int settings(struct ctl *c, const struct ctl_args *a)
{
	static const struct {
		int option;
		const char *name;
	} rows[] = {{OPT_DOMAIN, "QUINTET_DOMAIN"}, {OPT_HOST, "QUINTET_HOST"},
		{OPT_PLAIN_URL, "QUINTET_PLAIN_URL"}};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (a->option[rows[i].option] != NULL &&
			setenv(rows[i].name, a->option[rows[i].option], 1) != 0)
			return ctl_fail(-errno, "cannot set %s", rows[i].name);
	if (getenv("QUINTET_DOMAIN") == NULL || getenv("QUINTET_HOST") == NULL) {
		ctl_warn("init needs --domain (what stands behind the @ of names) and --host (the "
			 "name people connect to)");
		return CTL_USAGE;
	}
	return service_settings_read(CTL_BY, &c->settings) < 0 ? CTL_USAGE : CTL_OK;
}

static int host_names(const struct ctl *c, const struct ctl_args *a, struct house *h)
{
	size_t i, k;

	h->hosts[h->host_count++] = c->settings.host;
	for (i = 0; i < a->many_count; i++) {
		for (k = 0; k < h->host_count && strcmp(h->hosts[k], a->many[i]) != 0; k++)
			;
		if (k < h->host_count)
			continue;
		if (h->host_count == PKI_MAX_HOSTS) {
			ctl_warn("at most %d host names", PKI_MAX_HOSTS);
			return CTL_USAGE;
		}
		h->hosts[h->host_count++] = a->many[i];
	}
	return CTL_OK;
}

/* -- making -------------------------------------------------------------------------------------
 */

static int64_t host_cert_days(void)
{
	const struct policy_row *row = policy_find("host_cert_days");
	uint64_t days = 90;

	if (row != NULL)
		(void)num_parse_u64(span_str(row->standard), row->min, row->max, &days);
	return (int64_t)days;
}

static int make_leaf(struct house *h, size_t i)
{
	enum pki_profile profile = house_credentials[i].profile;

	return authority_host(&h->a, profile, h->hosts, profile == PKI_TSA ? 1 : h->host_count,
		host_cert_days(), &h->leaf[i]);
}

static int make(struct ctl *c, struct house *h)
{
	size_t i;
	int r;

	h->a.id = 1;
	h->a.now_us = time_now_us();
	h->a.settings = &c->settings;
	r = authority_root(&h->a);
	if (r == 0)
		r = authority_issuing(&h->a, 1);
	for (i = 0; r == 0 && i < RENEWALS; i++)
		r = make_leaf(h, i);
	if (r == -EINVAL) {
		ctl_warn("a host name is malformed, or the domain or the URL is too long");
		return CTL_USAGE;
	}
	return r < 0 ? ctl_fail(r, "cannot make the certificates") : CTL_OK;
}

/* -- writing ------------------------------------------------------------------------------------
 */

static int write_file(const struct ctl *c, const char *name, const struct buf *bytes, mode_t mode)
{
	char path[CTL_PATH_MAX];
	int r = path_join(path, "%s/%s", c->settings.conf, name);

	if (r == 0)
		r = buf_error(bytes);
	if (r == 0)
		r = file_write(path, buf_span(bytes), mode);
	return r < 0 ? ctl_fail(r, "cannot write %s/%s", c->settings.conf, name) : CTL_OK;
}

static int write_key(const struct ctl *c, const char *name, const struct pair *p)
{
	_cleanup_(buf_wipe) struct buf pem = BUF_INIT(65536);
	int r = pair_key_pem(p, &pem);

	return r < 0 ? ctl_fail(r, "cannot write %s", name) : write_file(c, name, &pem, 0600);
}

/* The leaf and the issuing certificate that signed it. */
static int write_chain(
	const struct ctl *c, const char *name, const struct pair *leaf, const struct pair *issuing)
{
	_cleanup_(buf_done) struct buf pem = BUF_INIT(65536);
	int r = pki_cert_to_pem(buf_span(&leaf->der), &pem);

	if (r == 0)
		r = pki_cert_to_pem(buf_span(&issuing->der), &pem);
	return r < 0 ? ctl_fail(r, "cannot write %s", name) : write_file(c, name, &pem, 0600);
}

static int write_cmp_secret(const struct ctl *c)
{
	_cleanup_(buf_wipe) struct buf text = BUF_INIT(256);
	unsigned char bytes[32];
	int r = hash_random(bytes, sizeof(bytes));

	if (r < 0)
		return ctl_fail(r, "cannot make the CMP secret");
	text_hex(&text, span_of(bytes, sizeof(bytes)));
	explicit_bzero(bytes, sizeof(bytes));
	buf_add_byte(&text, '\n');
	return write_file(c, "credentials/cad-signer/cmp.secret", &text, 0600);
}

/* What a service reads: CONF/credentials/SERVICE/NAME.key and .pem. */
static int write_leaf(const struct ctl *c, const struct house *h, size_t i)
{
	const struct renewal *row = &house_credentials[i];
	char key[CTL_PATH_MAX], chain[CTL_PATH_MAX];
	int r;

	if (path_join(key, "credentials/%s/%s.key", row->service, row->name) < 0 ||
		path_join(chain, "credentials/%s/%s.pem", row->service, row->name) < 0)
		return ctl_fail(-ENAMETOOLONG, "cannot write the credentials");
	r = write_key(c, key, &h->leaf[i]);
	return r == CTL_OK ? write_chain(c, chain, &h->leaf[i], &h->a.issuing) : r;
}

static int write_secrets(const struct ctl *c, const struct house *h)
{
	const struct {
		const char *name;
		const struct pair *pair;
	} keys[] = {
		{"root.key", &h->a.root},
		{"credentials/cad-signer/issuing.pem", &h->a.issuing},
		{"credentials/cad-signer/ocsp.key", &h->a.ocsp},
		{"credentials/cad-signer/cmp.key", &h->a.cmp},
	};
	int r = write_cmp_secret(c);
	size_t i;

	for (i = 0; r == CTL_OK && i < sizeof(keys) / sizeof(keys[0]); i++)
		r = write_key(c, keys[i].name, keys[i].pair);
	for (i = 0; r == CTL_OK && i < RENEWALS; i++)
		r = write_leaf(c, h, i);
	return r;
}

/* What differs from the defaults, for systemd's EnvironmentFile= and for quintetctl itself. */
static int write_environment(const struct ctl *c)
{
	static const char *const names[] = {"QUINTET_STATE", "QUINTET_RUNTIME", "QUINTET_CONF",
		"QUINTET_PORT_DAYTIME", "QUINTET_PORT_TIMESTAMP", "QUINTET_PORT_CA",
		"QUINTET_PORT_CA_PLAIN", "QUINTET_PORT_FTPS", "QUINTET_PORT_FTP",
		"QUINTET_PORT_IRC", "QUINTET_PORT_IMAPS", "QUINTET_PORT_SUBMISSIONS",
		"QUINTET_FTP_PASSIVE", "QUINTET_FTP_ADDRESS", "QUINTET_KEEPER",
		"QUINTET_ADMIN_USER"};
	_cleanup_(buf_done) struct buf text = BUF_INIT(65536);
	char path[CTL_PATH_MAX];
	struct stat st;
	size_t i;

	if (path_join(path, "%s/quintet.env", c->settings.conf) == 0 && stat(path, &st) == 0)
		return CTL_OK; /* the administrator's own */
	buf_add_str(&text, "# Settings of all Quintet services: see quintet(7).\n");
	buf_addf(&text, "QUINTET_DOMAIN=%s\nQUINTET_HOST=%s\nQUINTET_PLAIN_URL=%s\n",
		c->settings.domain, c->settings.host, c->settings.plain_url);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (getenv(names[i]) != NULL)
			buf_addf(&text, "%s=%s\n", names[i], getenv(names[i]));
	return write_file(c, "quintet.env", &text, 0644);
}

/* -- the store ----------------------------------------------------------------------------------
 */

static int put_house_account(struct ctl *c)
{
	struct account_create_args args = {.name = CTL_HOUSE,
		.flags = ACCOUNT_HOST,
		.admin_act = true,
		.now_us = time_now_us(),
		.peer = CTL_BY,
		.service = CTL_BY};
	int r = store_call(c->store, STORE_OP_ACCOUNT_CREATE, &args, NULL);

	return r < 0 && r != -EEXIST ? ctl_fail(r, "cannot make the account " CTL_HOUSE) : CTL_OK;
}

static int store_part(struct ctl *c, void *arg, struct buf *reply)
{
	struct house *h = (struct house *)arg;
	size_t i;
	int r;

	(void)reply;
	authority_forget_keys(&h->a);
	for (i = 0; i < RENEWALS; i++)
		pki_key_freep(&h->leaf[i].key);
	r = ctl_store(c, STORE_CREATE);
	if (r == CTL_OK)
		r = ctl_store_modes(c);
	if (r == CTL_OK)
		r = put_house_account(c);
	if (r == CTL_OK)
		r = authority_put(c, &h->a, 1);
	for (i = 0; r == CTL_OK && i < RENEWALS; i++)
		r = authority_put_cert(c, 1,
			house_credentials[i].profile == PKI_TSA ? CERT_PROFILE_TSA
								: CERT_PROFILE_HOST,
			buf_span(&h->leaf[i].der));
	if (r == CTL_OK)
		r = ctl_audit(c, "init", "", c->settings.domain);
	return r;
}

/* -- the whole ----------------------------------------------------------------------------------
 */

static int report(const struct ctl *c, const struct authority_list *l)
{
	static const struct ctl_column columns[] = {{"domain", CTL_TEXT}, {"host", CTL_TEXT},
		{"root_sha256", CTL_TEXT}, {"root", CTL_TEXT}};
	struct ctl_table t = CTL_TABLE(columns);
	struct pki_cert_info info;

	if (l->count == 0 || pki_cert_read(l->ca[0].der, &info) < 0)
		return ctl_fail(-EBADMSG, "cannot read the root back");
	ctl_cell(&t, "%s", c->settings.domain);
	ctl_cell(&t, "%s", c->settings.host);
	ctl_cell_hex(&t, info.sha256, sizeof(info.sha256));
	ctl_cell(&t, "%s/pki/root.pem", c->settings.conf);
	return ctl_table_record(c, &t);
}

static int publish(struct ctl *c)
{
	_cleanup_(authority_list_done) struct authority_list now = AUTHORITY_LIST_INIT;
	int r = authority_list_get(c, &now);

	if (r == CTL_OK)
		r = authority_publish(c, &now);
	if (r == CTL_OK)
		r = report(c, &now);
	if (r == CTL_OK)
		ctl_say(c,
			"\nPeople check the root by this fingerprint when they enrol.\n"
			"Now take %s/root.key off line: copy it to a safe place and remove it here.\n"
			"It is needed again for \"quintetctl ca roll\" only, within five years.",
			c->settings.conf);
	return r;
}

static bool has_root_file(const struct ctl *c)
{
	char path[CTL_PATH_MAX];
	struct stat st;

	return path_join(path, "%s/pki/root.pem", c->settings.conf) == 0 && stat(path, &st) == 0;
}

static int build(struct ctl *c, struct house *h)
{
	int r = make(c, h);

	if (r == CTL_OK)
		r = ctl_house_folders(c);
	if (r == CTL_OK)
		r = write_secrets(c, h);
	if (r == CTL_OK)
		r = write_environment(c);
	if (r == CTL_OK)
		r = ctl_as_admin(c, store_part, h, NULL);
	return r == CTL_OK ? publish(c) : r;
}

static int run_init(struct ctl *c, const struct ctl_args *a)
{
	_cleanup_(authority_list_done) struct authority_list before = AUTHORITY_LIST_INIT;
	_cleanup_(house_done) struct house h = {.a = {.root = PAIR_INIT,
							.issuing = PAIR_INIT,
							.ocsp = PAIR_INIT,
							.cmp = PAIR_INIT,
							.root_crl = {.max = 65536}}};
	size_t i;
	int r = settings(c, a);

	c->direct = true;
	for (i = 0; i < RENEWALS; i++)
		h.leaf[i] = PAIR_INIT;
	if (r == CTL_OK)
		r = host_names(c, a, &h);
	if (r == CTL_OK)
		r = authority_list_get(c, &before);
	if (r != CTL_OK)
		return r;
	if (has_root_file(c)) {
		ctl_warn("%s/pki/root.pem is there: this host was initialised before, and nothing "
			 "is overwritten",
			c->settings.conf);
		return CTL_REFUSED;
	}
	if (before.count > 0) {
		ctl_say(c, "An earlier init was cut off: its public files are written now.\n");
		return publish(c);
	}
	return build(c, &h);
}

const struct ctl_command ctl_init_commands[] = {
	{"init", NULL, "", 0, 0, init_options, CTL_AS_ROOT, run_init,
		"make the authority, the services' certificates and the store"},
	{.noun = NULL}};
