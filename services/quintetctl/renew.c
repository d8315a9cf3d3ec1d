/*
 * quintetctl renew: the services' certificates at two thirds of their life, CRLs that are due, and
 * a word in time about what only a person with the root key can do. Run by quintet-renew.timer.
 */
#include "hostcert.h"

#include "base/timefmt.h"

#include <errno.h>

#define WARN_DAYS 180 /* before the root CRL or the issuing CA ends */
#define MISSING "it is missing" /* the service came with a newer version than init's */

const struct renewal house_credentials[RENEWALS] = {
	{.service = "daytimed",
		.name = "tls",
		.profile = PKI_HOST,
		.listeners = {"daytimed-wait.service", "daytimed-timestamp-wait.service"}},
	{.service = "daytimed",
		.name = "tsa",
		.profile = PKI_TSA,
		.listeners = {"daytimed-wait.service", "daytimed-timestamp-wait.service"}},
	{.service = "ftpd",
		.name = "tls",
		.profile = PKI_HOST,
		.listeners = {"ftpd-wait.service", "ftpd-explicit-wait.service"}},
	{.service = "chatd",
		.name = "tls",
		.profile = PKI_HOST,
		.listeners = {"chatd-wait.service"}},
	{.service = "maild",
		.name = "tls",
		.profile = PKI_HOST,
		.listeners = {"maild-wait.service", "maild-submission-wait.service"}},
	{.service = "cad", .name = "tls", .profile = PKI_HOST, .listeners = {"cad-wait.service"}},
};

/* -- is it due? ---------------------------------------------------------------------------------
 */

static int first_der(void *arg, struct span der)
{
	struct buf *ret = (struct buf *)arg;

	buf_add(ret, der);
	return 1;
}

static int load(const struct ctl *c, struct renewal *row)
{
	_cleanup_(buf_done) struct buf pem = BUF_INIT(65536), der = BUF_INIT(AUTHORITY_DER_MAX);
	char path[CTL_PATH_MAX];
	int r = path_join(
		path, "%s/credentials/%s/%s.pem", c->settings.conf, row->service, row->name);

	if (r == 0)
		r = service_read_file(path, &pem);
	if (r == 0)
		r = pki_cert_each_pem(buf_span(&pem), first_der, &der);
	if (r >= 0)
		r = pki_cert_read(buf_span(&der), &row->info);
	if (r == -ENOENT) {
		row->why = MISSING;
		return CTL_OK;
	}
	return r < 0 ? ctl_fail(r, "cannot read %s", path) : CTL_OK;
}

static bool has_host(const struct pki_cert_info *info, const char *host)
{
	size_t i;

	for (i = 0; i < info->host_count; i++)
		if (strcmp(info->hosts[i], host) == 0)
			return true;
	return false;
}

static const char *why_due(
	const struct ctl *c, const struct authority_list *l, const struct renewal *row, bool force)
{
	const struct pki_cert_info *info = &row->info;
	struct pki_cert_info issuer;
	uint32_t id;
	struct span current = authority_list_current(l, &id);
	int64_t life_us = info->not_after_us - info->not_before_us;

	if (force)
		return "asked for";
	if (time_now_us() >= info->not_before_us + life_us / 3 * 2)
		return "two thirds of its life are over";
	if (pki_cert_read(current, &issuer) == 0 && strcmp(issuer.ski_hex, info->aki_hex) != 0)
		return "a newer issuing CA signs now";
	if (row->profile == PKI_HOST && !has_host(info, c->settings.host))
		return "the host has another name now";
	return NULL;
}

/* -- making and putting in place ----------------------------------------------------------------
 */

/* The names it had (or, where it is new, another one of the house has), the host's present name
 * among them. */
static int hosts_of(const struct ctl *c, const struct pki_cert_info *info, char ret[4096])
{
	size_t len, i;
	int n;

	n = snprintf(ret, 4096, "%s", c->settings.host);
	for (i = 0; n >= 0 && i < info->host_count; i++) {
		if (strcmp(info->hosts[i], c->settings.host) == 0)
			continue;
		len = strlen(ret);
		n = snprintf(ret + len, 4096 - len, " %s", info->hosts[i]);
		if ((size_t)n >= 4096 - len)
			n = -1;
	}
	return n < 0 ? ctl_fail(-ENAMETOOLONG, "host names") : CTL_OK;
}

static int credentials_folder(const struct ctl *c, const char *service)
{
	char path[CTL_PATH_MAX];
	int r = path_join(path, "%s/credentials/%s", c->settings.conf, service);

	return r == 0 ? folder_make(path, 0700) : r;
}

/*
 * A service reads key and certificate one after the other when it starts. Both files are made
 * complete first and then renamed one right after the other; a start that falls between the two
 * finds a pair that does not fit, leaves, and the next connection starts another.
 */
static int put(const struct ctl *c, const struct renewal *row, struct span key, struct span chain)
{
	char path[CTL_PATH_MAX], key_path[CTL_PATH_MAX], chain_path[CTL_PATH_MAX];
	char key_next[CTL_PATH_MAX], chain_next[CTL_PATH_MAX];
	int r = path_join(path, "%s/credentials/%s/%s", c->settings.conf, row->service, row->name);

	if (r == 0)
		r = credentials_folder(c, row->service);
	if (r < 0)
		return r;
	if (path_join(key_path, "%s.key", path) < 0 || path_join(chain_path, "%s.pem", path) < 0 ||
		path_join(key_next, "%s.next-key", path) < 0 ||
		path_join(chain_next, "%s.next-pem", path) < 0)
		return -ENAMETOOLONG;
	r = file_write(key_next, key, 0600);
	if (r == 0)
		r = file_write(chain_next, chain, 0600);
	if (r == 0 && (rename(key_next, key_path) != 0 || rename(chain_next, chain_path) != 0))
		r = -errno;
	return r == 0 ? folder_flush_of(chain_path) : r;
}

/* names: of whom the new certificate takes its host names. */
static int renew_one(struct ctl *c, const struct authority_list *l,
	const struct pki_cert_info *names, struct renewal *row)
{
	_cleanup_(pair_done) struct pair p = PAIR_INIT;
	_cleanup_(buf_wipe) struct buf key = BUF_INIT(65536), chain = BUF_INIT(65536);
	char hosts[4096];
	int r = hosts_of(c, names, hosts);

	if (r == CTL_OK)
		r = hostcert_new(c, row->profile, hosts, &p);
	if (r == CTL_OK)
		r = hostcert_chain(l, buf_span(&p.der), &chain);
	if (r != CTL_OK)
		return r;
	r = pair_key_pem(&p, &key);
	if (r == 0)
		r = put(c, row, buf_span(&key), buf_span(&chain));
	if (r == 0)
		r = pki_cert_read(buf_span(&p.der), &row->info);
	return r < 0 ? ctl_fail(r, "cannot put %s of %s in place", row->name, row->service)
		     : CTL_OK;
}

/* -- listeners that hold the old certificate ----------------------------------------------------
 */

static bool changed(const struct renewal *row)
{
	return row->why != NULL && !row->failed;
}

static void restart_listeners(const struct renewal rows[RENEWALS])
{
	size_t i;

	for (i = 0; i < RENEWALS; i++)
		/* two credentials of one service stand side by side: once is enough */
		if (changed(&rows[i]) &&
			(i == 0 || !changed(&rows[i - 1]) ||
				strcmp(rows[i - 1].service, rows[i].service) != 0))
			(void)units_restart(rows[i].listeners);
}

static const struct pki_cert_info *names_of(
	const struct renewal rows[RENEWALS], const struct renewal *row)
{
	size_t i;

	for (i = 0; row->info.host_count == 0 && i < RENEWALS; i++)
		if (rows[i].profile == row->profile && rows[i].info.host_count > 0)
			return &rows[i].info;
	return &row->info;
}

int renew_services(
	struct ctl *c, const struct authority_list *l, bool force, struct renewal ret[RENEWALS])
{
	int worst = CTL_OK, r;
	size_t i;

	memcpy(ret, house_credentials, sizeof(house_credentials));
	for (i = 0; i < RENEWALS; i++) {
		r = load(c, &ret[i]);
		if (r == CTL_OK && ret[i].why == NULL)
			ret[i].why = why_due(c, l, &ret[i], force);
		if (r == CTL_OK && ret[i].why != NULL)
			r = renew_one(c, l, names_of(ret, &ret[i]), &ret[i]);
		ret[i].failed = r != CTL_OK;
		if (r != CTL_OK)
			worst = r;
	}
	restart_listeners(ret);
	return worst;
}

int renew_print(const struct ctl *c, const struct renewal rows[RENEWALS])
{
	static const struct ctl_column columns[] = {{"service", CTL_TEXT}, {"credential", CTL_TEXT},
		{"what", CTL_TEXT}, {"not_after", CTL_TEXT}, {"why", CTL_TEXT}};
	struct ctl_table t = CTL_TABLE(columns);
	size_t i;

	for (i = 0; i < RENEWALS; i++) {
		const char *done = rows[i].why != NULL ? "renewed" : "kept";

		ctl_cell(&t, "%s", rows[i].service);
		ctl_cell(&t, "%s", rows[i].name);
		ctl_cell(&t, "%s", rows[i].failed ? "failed" : done);
		ctl_cell_time(&t, rows[i].info.not_after_us);
		ctl_cell(&t, "%s", rows[i].why != NULL ? rows[i].why : "-");
	}
	return ctl_table_rows(c, &t);
}

/* -- revocation lists ---------------------------------------------------------------------------
 */

/* The signer makes a CRL anew by itself when it is asked and one is due. */
static int crl_part(struct ctl *c, void *arg, struct buf *reply)
{
	const struct authority_list *l = (const struct authority_list *)arg;
	int worst = CTL_OK, r;
	size_t i;

	(void)reply;
	for (i = 0; i < l->count; i++) {
		_cleanup_(buf_done) struct buf scratch = BUF_INIT(SIGNER_ANSWER_MAX + 16);
		struct signer_request ask = {.kind = SIGNER_CRL, .peer = CTL_BY};
		struct signer_answer answer;
		struct pki_cert_info info;

		if (l->ca[i].id == 0 || pki_cert_read(l->ca[i].der, &info) < 0 ||
			info.not_after_us <= time_now_us())
			continue;
		ask.ca_id = l->ca[i].id;
		r = ctl_signer(c, &ask, &scratch, &answer);
		if (r != CTL_OK)
			worst = r;
	}
	return worst;
}

static void warn_about(const char *what, int64_t end_us)
{
	int64_t days = (end_us - time_now_us()) / AUTHORITY_DAY_US;

	if (days < WARN_DAYS)
		ctl_warn("warning: %s %s in %lld days: get the root key and run "
			 "quintetctl ca roll --root-key FILE",
			what, days < 0 ? "has ended" : "ends", (long long)(days < 0 ? 0 : days));
}

static void warn_in_time(const struct authority_list *l)
{
	struct pki_cert_info info;
	uint32_t id;

	warn_about("the root CRL", l->root_crl_next_us);
	if (pki_cert_read(authority_list_current(l, &id), &info) == 0)
		warn_about("the issuing CA", info.not_after_us);
}

enum { OPT_FORCE };
static const struct ctl_option renew_options[] = {{"force", NULL, false}, {.name = NULL}};

static int run_renew(struct ctl *c, const struct ctl_args *a)
{
	_cleanup_(authority_list_done) struct authority_list l = AUTHORITY_LIST_INIT;
	struct renewal rows[RENEWALS];
	int r = authority_list_get(c, &l), crl;

	if (r != CTL_OK)
		return r;
	if (l.count == 0) {
		ctl_warn("there is no authority yet: run quintetctl init");
		return CTL_USAGE;
	}
	/* what an interrupted roll-over left out */
	r = authority_publish(c, &l);
	if (r != CTL_OK)
		return r;
	r = renew_services(c, &l, a->option[OPT_FORCE] != NULL, rows);
	crl = ctl_as_admin(c, crl_part, &l, NULL);
	(void)renew_print(c, rows);
	warn_in_time(&l);
	return r != CTL_OK ? r : crl;
}

const struct ctl_command ctl_renew_commands[] = {
	{"renew", NULL, "", 0, 0, renew_options, CTL_AS_ROOT, run_renew,
		"services' certificates at two thirds of their life, and CRLs that are due"},
	{.noun = NULL}};
