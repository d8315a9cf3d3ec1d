/*
 * quintetctl ca: the authorities, and the roll-over to a new issuing CA. Order of a roll: the new
 * key is added to the signer's file (harmless while no row names it), then the store, then the
 * public chain, then the services' own certificates. Cut off anywhere, it can be run again.
 */
#include "hostcert.h"

#include "base/timefmt.h"

#include <errno.h>

/* -- show ---------------------------------------------------------------------------------------
 */

struct show {
	struct ctl *c;
	struct ctl_table table;
};

static const char *ca_state(const struct ca *ca, const struct pki_cert_info *info)
{
	if (info->not_after_us <= time_now_us())
		return "expired";
	if (ca->id == 0)
		return "root";
	return ca->retired ? "retired" : "current";
}

static int show_one(void *arg, const struct ca *ca)
{
	struct show *s = (struct show *)arg;
	_cleanup_(buf_done) struct buf der = BUF_INIT(16u << 20);
	struct crl_info crl = {0};
	struct pki_cert_info info;
	int r = pki_cert_read(ca->der, &info);

	if (r < 0)
		return r;
	r = crl_get(s->c->store, ca->id, &crl, &der);
	if (r < 0 && r != -ENOENT)
		return r;
	ctl_cell(&s->table, "%u", ca->id);
	ctl_cell(&s->table, "%s", info.cn);
	ctl_cell(&s->table, "%s", ca_state(ca, &info));
	ctl_cell_time(&s->table, info.not_before_us);
	ctl_cell_time(&s->table, info.not_after_us);
	ctl_cell(&s->table, "%llu", (unsigned long long)crl.number);
	ctl_cell_time(&s->table, crl.next_update_us);
	ctl_cell_hex(&s->table, info.sha256, sizeof(info.sha256));
	return 0;
}

static int run_show(struct ctl *c, const struct ctl_args *a)
{
	static const struct ctl_column columns[] = {{"id", CTL_NUMBER}, {"name", CTL_TEXT},
		{"state", CTL_TEXT}, {"not_before", CTL_TEXT}, {"not_after", CTL_TEXT},
		{"crl", CTL_NUMBER}, {"crl_next_update", CTL_TEXT}, {"sha256", CTL_TEXT}};
	struct show s = {.c = c, .table = CTL_TABLE(columns)};
	int r = ctl_store(c, STORE_READ);

	(void)a;
	if (r != CTL_OK)
		return r;
	r = ca_each(c->store, show_one, &s);
	if (r < 0) {
		ctl_table_done(&s.table);
		return ctl_fail(r, "cannot list the authorities");
	}
	return ctl_table_rows(c, &s.table);
}

/* -- roll ---------------------------------------------------------------------------------------
 */

static const struct ctl_option roll_options[] = {{"root-key", "FILE", false}, {.name = NULL}};

static int load_key(const char *path, struct pki_key **ret)
{
	_cleanup_(buf_wipe) struct buf pem = BUF_INIT(65536);
	int r = service_read_file(path, &pem);

	if (r == 0)
		r = pki_key_from_pem(buf_span(&pem), ret);
	return r < 0 ? ctl_fail(r, "cannot read the key %s", path) : CTL_OK;
}

static int load_credential(struct ctl *c, const char *name, struct pki_key **ret)
{
	char path[CTL_PATH_MAX];
	int r = path_join(path, "%s/credentials/cad-signer/%s", c->settings.conf, name);

	return r < 0 ? ctl_fail(r, "%s", name) : load_key(path, ret);
}

/* Is this the key of the root that everybody trusts? */
static int check_root(const struct authority_list *l, struct authority *a)
{
	_cleanup_(buf_done) struct buf ours = BUF_INIT(8192), given = BUF_INIT(8192);
	int r;

	if (l->count == 0 || l->ca[0].id != 0) {
		ctl_warn("there is no root in the store: run quintetctl init");
		return CTL_USAGE;
	}
	r = pki_cert_spki(l->ca[0].der, &ours);
	if (r == 0)
		r = pki_key_spki(a->root.key, &given);
	if (r < 0)
		return ctl_fail(r, "cannot compare the root's key");
	if (!span_eq(buf_span(&ours), buf_span(&given))) {
		ctl_warn("this is not the key of the root of this host");
		return CTL_REFUSED;
	}
	buf_add(&a->root.der, l->ca[0].der);
	return CTL_OK;
}

struct keep {
	const struct authority_list *l;
	struct buf *all;
};

/* Does an authority that has not expired sign its CRL and OCSP with this key? */
static bool still_needed(const struct authority_list *l, struct span spki)
{
	_cleanup_(buf_done) struct buf theirs = BUF_INIT(8192);
	struct pki_cert_info info;
	size_t i;

	for (i = 0; i < l->count; i++) {
		buf_reset(&theirs);
		if (l->ca[i].id > 0 && pki_cert_read(l->ca[i].der, &info) == 0 &&
			info.not_after_us > time_now_us() &&
			pki_cert_spki(l->ca[i].der, &theirs) == 0 &&
			span_eq(buf_span(&theirs), spki))
			return true;
	}
	return false;
}

static int keep_key(void *arg, struct pki_key *taken)
{
	const struct keep *k = (const struct keep *)arg;
	_cleanup_(pki_key_freep) struct pki_key *key = taken;
	_cleanup_(buf_done) struct buf spki = BUF_INIT(8192);
	_cleanup_(buf_wipe) struct buf pem = BUF_INIT(65536);
	int r = pki_key_spki(key, &spki);

	if (r < 0 || !still_needed(k->l, buf_span(&spki)))
		return r;
	r = pki_key_to_pem(key, &pem);
	buf_add(k->all, buf_span(&pem));
	return r;
}

/* The new key in front of those that are still needed. */
static int add_issuing_key(struct ctl *c, const struct authority_list *l, const struct authority *a)
{
	_cleanup_(buf_wipe) struct buf old = BUF_INIT(1u << 20);
	_cleanup_(buf_wipe) struct buf all = BUF_INIT(1u << 20);
	struct keep k = {.l = l, .all = &all};
	char path[CTL_PATH_MAX];
	int r = path_join(path, "%s/credentials/cad-signer/issuing.pem", c->settings.conf);

	if (r == 0)
		r = service_read_file(path, &old);
	if (r == 0)
		r = pair_key_pem(&a->issuing, &all);
	if (r == 0)
		r = pki_key_each_pem(buf_span(&old), keep_key, &k);
	if (r == 0)
		r = buf_error(&all);
	if (r == 0)
		r = file_write(path, buf_span(&all), 0600);
	return r < 0 ? ctl_fail(r, "cannot add the new key to %s", path) : CTL_OK;
}

struct roll_job {
	struct authority *a;
	uint64_t crl_number;
};

static int roll_part(struct ctl *c, void *arg, struct buf *reply)
{
	const struct roll_job *j = (const struct roll_job *)arg;
	char detail[64];
	int r;

	(void)reply;
	authority_forget_keys(j->a);
	r = ctl_store(c, STORE_WRITE);
	if (r == CTL_OK)
		r = authority_put(c, j->a, j->crl_number);
	(void)snprintf(detail, sizeof(detail), "issuing CA %u", j->a->id);
	return r == CTL_OK ? ctl_audit(c, "ca-roll", "", detail) : r;
}

static int make(
	struct ctl *c, const struct authority_list *l, const char *key_path, struct authority *a)
{
	int r = load_key(key_path, &a->root.key);

	if (r == CTL_OK)
		r = check_root(l, a);
	if (r == CTL_OK)
		r = load_credential(c, "ocsp.key", &a->ocsp.key);
	if (r == CTL_OK)
		r = load_credential(c, "cmp.key", &a->cmp.key);
	if (r != CTL_OK)
		return r;
	r = authority_issuing(a, l->root_crl_number + 1);
	return r < 0 ? ctl_fail(r, "cannot make issuing CA %u", a->id) : CTL_OK;
}

/* Behind the point of no return: what fails here is done by the next `renew`. */
static int after_roll(struct ctl *c, uint32_t id, bool restarted)
{
	_cleanup_(authority_list_done) struct authority_list now = AUTHORITY_LIST_INIT;
	struct renewal rows[RENEWALS];
	int r = authority_list_get(c, &now);

	if (r == CTL_OK)
		r = authority_publish(c, &now);
	if (r != CTL_OK)
		return r;
	ctl_say(c, "Issuing CA %u signs from now on; the one before signs its CRL and OCSP only.\n",
		id);
	r = renew_services(c, &now, true, rows);
	if (r != CTL_OK && restarted) {
		(void)sleep(2); /* a signer that is about to end has answered */
		r = renew_services(c, &now, true, rows);
	}
	(void)renew_print(c, rows);
	if (r == CTL_OK)
		return CTL_OK;
	ctl_warn("the authority was rolled over, the services' certificates were not: restart "
		 "cad-signer if it is a process that stays, then run quintetctl renew");
	return CTL_TEMP;
}

static int run_roll(struct ctl *c, const struct ctl_args *a)
{
	_cleanup_(authority_list_done) struct authority_list l = AUTHORITY_LIST_INIT;
	_cleanup_(authority_done) struct authority auth = {.root = PAIR_INIT,
		.issuing = PAIR_INIT,
		.ocsp = PAIR_INIT,
		.cmp = PAIR_INIT,
		.root_crl = {.max = 65536}};
	static const char *const signer[] = {"cad-signer-wait.service", NULL};
	struct roll_job j = {.a = &auth};
	int r;

	if (a->option[0] == NULL) {
		ctl_warn("roll needs --root-key FILE: only the root may sign an issuing CA");
		return CTL_USAGE;
	}
	auth.now_us = time_now_us();
	auth.settings = &c->settings;
	r = authority_list_get(c, &l);
	if (r == CTL_OK && l.count > 0)
		auth.id = l.ca[l.count - 1].id + 1;
	if (r == CTL_OK)
		r = make(c, &l, a->option[0], &auth);
	if (r == CTL_OK)
		r = add_issuing_key(c, &l, &auth);
	j.crl_number = l.root_crl_number + 1;
	if (r == CTL_OK)
		r = ctl_as_admin(c, roll_part, &j, NULL);
	if (r != CTL_OK)
		return r;
	return after_roll(c, auth.id, units_restart(signer));
}

const struct ctl_command ctl_ca_commands[] = {
	{"ca", "show", "", 0, 0, NULL, CTL_AS_ADMIN, run_show, "list the root and the issuing CAs"},
	{"ca", "roll", "", 0, 0, roll_options, CTL_AS_ROOT, run_roll,
		"a new issuing CA, signed by the root key"},
	{.noun = NULL}};
