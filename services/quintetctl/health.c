/* quintetctl health: one table of what needs care; exit status 1 when something does. */
#include "hostcert.h"
#include "mail.h"

#include "base/timefmt.h"
#include "store/file.h"
#include "store/policy.h"
#include "store/session.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/statvfs.h>

#define SOON_DAYS 180 /* for what needs the root key */

struct report {
	struct ctl *c;
	struct ctl_table table;
	int64_t now_us;
	bool bad;
};

enum verdict { GOOD, CARE, BAD };

__attribute__((format(printf, 4, 5))) static void say(
	struct report *r, enum verdict v, const char *what, const char *format, ...)
{
	static const char *const words[] = {"ok", "warning", "FAILED"};
	char text[256];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	ctl_cell(&r->table, "%s", what);
	ctl_cell(&r->table, "%s", words[v]);
	ctl_cell(&r->table, "%s", text);
	r->bad |= v == BAD;
}

static void store_line(struct report *r)
{
	struct store_health h;
	int error = store_health(r->c->store, &h);
	unsigned percent;
	enum verdict v;

	if (error < 0) {
		say(r, BAD, "store", "%s", err_text(error));
		return;
	}
	percent = h.map_bytes > 0 ? (unsigned)(h.used_bytes * 100 / h.map_bytes) : 0;
	v = percent >= 80 ? CARE : GOOD;
	say(r, percent >= 95 ? BAD : v, "store",
		"%llu MiB of %llu in use (%u%%), %llu MiB free for reuse, schema %u",
		(unsigned long long)(h.used_bytes >> 20), (unsigned long long)(h.map_bytes >> 20),
		percent, (unsigned long long)(h.free_bytes >> 20), h.schema);
	say(r, h.readers * 10 > h.readers_max * 9 ? CARE : GOOD, "readers", "%u of %u", h.readers,
		h.readers_max);
}

/* A point in time that should lie ahead. */
static void ahead(struct report *r, const char *what, int64_t end_us, int64_t care_us)
{
	_cleanup_(buf_done) struct buf left = BUF_INIT(64);
	int64_t span_us = end_us - r->now_us;
	enum verdict v = span_us < care_us ? CARE : GOOD;

	time_span_text(&left, (span_us < 0 ? -span_us : span_us) / TIME_S_US);
	say(r, span_us < 0 ? BAD : v, what, span_us < 0 ? "ended %s ago" : "for another %s",
		buf_str(&left));
}

/* -- files ------------------------------------------------------------------------------------- */

static int add_usage(void *arg, const char *account, const struct file_usage *u)
{
	struct file_usage *sum = (struct file_usage *)arg;

	(void)account;
	sum->files += u->files;
	sum->bytes += u->bytes;
	sum->partial_bytes += u->partial_bytes;
	return 0;
}

/* Uploads are refused when no more room is left than files_keep_free says. */
static void room_line(struct report *r)
{
	char path[CTL_PATH_MAX] = "";
	uint64_t keep_free = 0, room;
	struct statvfs fs = {.f_bavail = 0};
	enum verdict v;
	int error = path_join(path, "%s/files", r->c->settings.state);

	if (error == 0)
		error = policy_number(r->c->store, "files_keep_free", &keep_free);
	if (error == 0 && statvfs(path, &fs) != 0)
		error = -errno;
	if (error < 0) {
		say(r, CARE, "room for files", "%s: %s", path, err_text(error));
		return;
	}
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	v = room / 2 < keep_free || fs.f_bavail < fs.f_blocks / 20 ? CARE : GOOD;
	say(r, room <= keep_free ? BAD : v, "room for files",
		"%llu MiB free, of which uploads leave %llu", (unsigned long long)(room >> 20),
		(unsigned long long)(keep_free >> 20));
}

static void file_lines(struct report *r)
{
	struct file_usage sum = {0};
	int error = file_usage_each(r->c->store, add_usage, &sum);

	if (error < 0)
		say(r, BAD, "files", "%s", err_text(error));
	else
		say(r, GOOD, "files", "%llu with an owner, %llu MiB; interrupted uploads %llu MiB",
			(unsigned long long)sum.files, (unsigned long long)(sum.bytes >> 20),
			(unsigned long long)(sum.partial_bytes >> 20));
	room_line(r);
}

static void mail_line(struct report *r)
{
	struct mail_totals sum = {0};
	int error = mail_count(r->c, NULL, &sum);

	if (error < 0)
		say(r, BAD, "mail", "%s", err_text(error));
	else
		say(r, GOOD, "mail",
			"%llu messages in %llu mailboxes, %llu MiB as their owners count",
			(unsigned long long)sum.messages, (unsigned long long)sum.boxes,
			(unsigned long long)(sum.bytes >> 20));
}

/* -- authorities and their CRLs
 * --------------------------------------------------------------------- */

static void crl_line(struct report *r, const struct ca *ca)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(16u << 20);
	struct crl_info crl;
	char what[32];
	int error = crl_get(r->c->store, ca->id, &crl, &der);

	(void)snprintf(what, sizeof(what), "CRL of CA %u", ca->id);
	if (error == -ENOENT)
		say(r, GOOD, what, "made when it is first asked for");
	else if (error < 0)
		say(r, BAD, what, "%s", err_text(error));
	else if (ca->id > 0 && crl.next_update_us < r->now_us)
		say(r, CARE, what, "is out of date; it is made anew when asked for");
	else
		ahead(r, what, crl.next_update_us, ca->id == 0 ? SOON_DAYS * AUTHORITY_DAY_US : 0);
}

static int ca_line(void *arg, const struct ca *ca)
{
	struct report *r = (struct report *)arg;
	struct pki_cert_info info;
	char what[32];

	(void)snprintf(what, sizeof(what), ca->id == 0 ? "root" : "issuing CA %u", ca->id);
	if (pki_cert_read(ca->der, &info) < 0) {
		say(r, BAD, what, "its certificate does not decode");
		return 0;
	}
	if (ca->retired && info.not_after_us < r->now_us)
		return 0; /* as it should be */
	ahead(r, what, info.not_after_us, ca->retired ? 0 : SOON_DAYS * AUTHORITY_DAY_US);
	crl_line(r, ca);
	return 0;
}

/* -- the house's own certificates
 * ------------------------------------------------------------------- */

struct newest {
	int64_t host_us, tsa_us;
};

static int newest_one(void *arg, const struct cert *cert)
{
	struct newest *n = (struct newest *)arg;

	if (cert->state != CERT_ISSUED)
		return 0;
	if (cert->profile == CERT_PROFILE_HOST && cert->not_after_us > n->host_us)
		n->host_us = cert->not_after_us;
	if (cert->profile == CERT_PROFILE_TSA && cert->not_after_us > n->tsa_us)
		n->tsa_us = cert->not_after_us;
	return 0;
}

static void service_lines(struct report *r)
{
	struct newest n = {0};
	int error = cert_each(r->c->store, CTL_HOUSE, INT64_MAX, newest_one, &n);
	const int64_t care_us = 14 * AUTHORITY_DAY_US;

	if (error < 0) {
		say(r, BAD, "service certificates", "%s", err_text(error));
		return;
	}
	ahead(r, "newest TLS certificate", n.host_us, care_us);
	ahead(r, "newest TSA certificate", n.tsa_us, care_us);
}

/* -- sessions and signer
 * ---------------------------------------------------------------------------- */

struct census {
	unsigned live, dead;
};

static int census_one(void *arg, const struct session_row *row)
{
	struct census *n = (struct census *)arg;

	if (session_alive(row))
		n->live++;
	else
		n->dead++;
	return 0;
}

static void session_line(struct report *r)
{
	struct census n = {0};
	int error = session_each(r->c->store, NULL, census_one, &n);

	if (error < 0)
		say(r, BAD, "sessions", "%s", err_text(error));
	else
		say(r, GOOD, "sessions", "%u live, %u rows of dead ones", n.live, n.dead);
}

static void signer_line(struct report *r)
{
	_cleanup_(cleanup_close) int fd = -1;
	char path[CTL_PATH_MAX] = "";
	int error = path_join(path, "%s/signer.sock", r->c->settings.runtime);

	if (error == 0)
		error = signer_connect(path, &fd);
	if (error < 0)
		say(r, BAD, "signer", "cannot be reached at %s: %s", path, err_text(error));
	else
		say(r, GOOD, "signer", "takes connections");
}

static int run_health(struct ctl *c, const struct ctl_args *a)
{
	static const struct ctl_column columns[] = {
		{"what", CTL_TEXT}, {"state", CTL_TEXT}, {"detail", CTL_TEXT}};
	struct report r = {.c = c, .table = CTL_TABLE(columns), .now_us = time_now_us()};
	int status = ctl_store(c, STORE_READ), error;

	(void)a;
	if (status != CTL_OK)
		return status;
	store_line(&r);
	file_lines(&r);
	mail_line(&r);
	error = ca_each(c->store, ca_line, &r);
	if (error < 0)
		say(&r, BAD, "authorities", "%s", err_text(error));
	service_lines(&r);
	session_line(&r);
	signer_line(&r);
	status = ctl_table_rows(c, &r.table);
	return status == CTL_OK && r.bad ? CTL_REFUSED : status;
}

const struct ctl_command ctl_health_commands[] = {
	{"health", NULL, "", 0, 0, NULL, CTL_AS_ADMIN, run_health,
		"what needs care: store, files, mail, authorities, certificates, signer"},
	{.noun = NULL}};
