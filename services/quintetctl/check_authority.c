/* Checks of the authorities, their revocation lists, and the services' certificates. */
#include "check.h"
#include "hostcert.h"

#include "base/timefmt.h"

#include <errno.h>

#define SOON_DAYS 180 /* for what needs the root key */
#define ROLL "quintetctl ca roll --root-key FILE"
#define RENEW "quintetctl renew; systemctl enable --now quintet-renew.timer"

void check_ahead(struct check_report *r, const char *what, const char *remedy, int64_t end_us,
	int64_t care_us)
{
	_cleanup_(buf_done) struct buf left = BUF_INIT(64);
	int64_t span_us = end_us - r->now_us;
	enum check_verdict v = span_us < care_us ? CHECK_CARE : CHECK_GOOD;

	if (span_us < 0)
		v = CHECK_BAD;
	time_span_text(&left, (span_us < 0 ? -span_us : span_us) / TIME_S_US);
	check_say(r, v, what, v == CHECK_GOOD ? NULL : remedy,
		span_us < 0 ? "ended %s ago" : "for another %s", buf_str(&left));
}

/* -- authorities --------------------------------------------------------------------------------
 */

static void crl_line(struct check_report *r, const struct ca *ca)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(16u << 20);
	struct crl_info crl;
	char what[32];
	int error = crl_get(r->c->store, ca->id, &crl, &der);

	(void)snprintf(what, sizeof(what), "CRL of CA %u", ca->id);
	if (error == -ENOENT)
		check_say(r, CHECK_GOOD, what, NULL, "made when it is first asked for");
	else if (error < 0)
		check_say(r, CHECK_BAD, what, "quintetctl check", "%s", err_text(error));
	else if (ca->id > 0 && crl.next_update_us < r->now_us)
		check_say(r, CHECK_CARE, what, "quintetctl renew",
			"is out of date; it is made anew when asked for");
	else
		check_ahead(r, what, ROLL, crl.next_update_us,
			ca->id == 0 ? SOON_DAYS * AUTHORITY_DAY_US : 0);
}

static int ca_line(void *arg, const struct ca *ca)
{
	struct check_report *r = (struct check_report *)arg;
	struct pki_cert_info info;
	char what[32];

	(void)snprintf(what, sizeof(what), ca->id == 0 ? "root" : "issuing CA %u", ca->id);
	if (pki_cert_read(ca->der, &info) < 0) {
		check_say(r, CHECK_BAD, what, "quintetctl restore of a backup",
			"its certificate does not decode");
		return 0;
	}
	if (ca->retired && info.not_after_us < r->now_us)
		return 0; /* as it should be */
	check_ahead(r, what, ca->id == 0 ? "a new authority: quintetctl init on a new host" : ROLL,
		info.not_after_us, ca->retired ? 0 : SOON_DAYS * AUTHORITY_DAY_US);
	crl_line(r, ca);
	return 0;
}

void check_authorities(struct check_report *r)
{
	int error = ca_each(r->c->store, ca_line, r);

	if (error < 0)
		check_say(r, CHECK_BAD, "authorities", "quintetctl check", "%s", err_text(error));
}

/* -- the house's own certificates ---------------------------------------------------------------
 */

struct newest {
	int64_t host_us, tsa_us;
	int64_t made_us, host_begin_us;
};

static int newest_one(void *arg, const struct cert *cert)
{
	struct newest *n = (struct newest *)arg;

	if (cert->state != CERT_ISSUED)
		return 0;
	if (cert->created_us > n->made_us)
		n->made_us = cert->created_us;
	if (cert->profile == CERT_PROFILE_HOST && cert->not_after_us > n->host_us) {
		n->host_us = cert->not_after_us;
		n->host_begin_us = cert->not_before_us;
	}
	if (cert->profile == CERT_PROFILE_TSA && cert->not_after_us > n->tsa_us)
		n->tsa_us = cert->not_after_us;
	return 0;
}

/* Renewal comes at two thirds of a certificate's life; a day later it has not come. */
static void renewal_line(struct check_report *r, const struct newest *n)
{
	_cleanup_(buf_done) struct buf ago = BUF_INIT(64);
	const int64_t due_us = n->host_begin_us + (n->host_us - n->host_begin_us) / 3 * 2;
	const bool late = r->now_us > due_us + AUTHORITY_DAY_US;

	if (n->made_us == 0)
		return;
	time_span_text(&ago, (r->now_us - n->made_us) / TIME_S_US);
	check_say(r, late ? CHECK_CARE : CHECK_GOOD, "last renewal", late ? RENEW : NULL,
		"%s ago%s", buf_str(&ago), late ? ", overdue" : "");
}

void check_services(struct check_report *r)
{
	struct newest n = {0};
	int error = cert_each(r->c->store, CTL_HOUSE, INT64_MAX, newest_one, &n);
	const int64_t care_us = 14 * AUTHORITY_DAY_US;

	if (error < 0) {
		check_say(r, CHECK_BAD, "service certificates", "quintetctl check", "%s",
			err_text(error));
		return;
	}
	check_ahead(r, "newest TLS certificate", RENEW, n.host_us, care_us);
	check_ahead(r, "newest TSA certificate", RENEW, n.tsa_us, care_us);
	renewal_line(r, &n);
}
