/* The certificate: how long it lives, and its renewal at two thirds of that, without being asked.
 */
#include "client/console/console.h"

#include "base/timefmt.h"
#include "client/renew.h"

#include <errno.h>

enum {
	LOOK_MS = 3600000,
	PATIENT_LOSSES = 4, /* from then on: */
	PATIENT_MS = 300000,
};

static void view_set(struct console *c)
{
	struct part *part = &c->parts[PART_IDENTITY];
	_cleanup_(buf_done) struct buf until = BUF_INIT(64);
	struct pki_cert_info info;

	c->certificate.known = renew_leaf(&c->profile, &info) == 0;
	console_changed(c);
	if (!c->certificate.known)
		return;
	c->certificate.from_us = info.not_before_us;
	c->certificate.until_us = info.not_after_us;
	time_rfc3339_utc(&until, info.not_after_us);
	snprintf(part->text, sizeof part->text, "valid until %s", buf_str(&until));
}

static void buf_swap(struct buf *a, struct buf *b)
{
	struct buf c = *a;

	*a = *b;
	*b = c;
}

/* What parts read of the profile when they connect. The folder stays open as it is. */
static void profile_take(struct console *c, struct profile *fresh)
{
	struct profile *p = &c->profile;
	bool other = !span_eq(buf_span(&p->cert_pem), buf_span(&fresh->cert_pem)) ||
		!span_eq(buf_span(&p->key_pem), buf_span(&fresh->key_pem));

	if (fresh->cert_pem.len == 0)
		return;
	buf_swap(&p->root_pem, &fresh->root_pem);
	buf_swap(&p->chain_pem, &fresh->chain_pem);
	buf_swap(&p->cert_pem, &fresh->cert_pem);
	buf_swap(&p->key_pem, &fresh->key_pem);
	p->doors = fresh->doors;
	if (other)
		c->identities++;
	view_set(c);
}

/* Another process may have renewed it. */
static void look(struct console *c)
{
	_cleanup_(profile_done) struct profile fresh = PROFILE_INIT;

	if (profile_load(c->profile.name, &fresh) == 0)
		profile_take(c, &fresh);
}

static bool is_due(const struct console *c)
{
	struct pki_cert_info info;

	return renew_leaf(&c->profile, &info) == 0 && time_now_us() >= renew_due_us(&info);
}

/* An exit code. */
static int renew(struct console *c, bool if_due)
{
	_cleanup_(profile_done) struct profile fresh = PROFILE_INIT;
	unsigned before = c->identities;
	int code;

	part_trying(c, PART_IDENTITY);
	c->certificate.renewing = true;
	code = renew_run(c->client, c->profile.name, if_due, false, &fresh);
	c->certificate.renewing = false;
	if (code == CLIENT_OK) {
		profile_take(c, &fresh);
		c->certificate.why[0] = '\0';
	}
	if (c->identities != before)
		console_say(c, "the certificate is renewed: %s", c->parts[PART_IDENTITY].text);
	console_changed(c);
	return code;
}

static int lost(struct console *c)
{
	struct part *part = &c->parts[PART_IDENTITY];

	snprintf(c->certificate.why, sizeof c->certificate.why, "%s", part->why);
	part_lost(c, PART_IDENTITY, "%s", c->certificate.why);
	/* There is a third of its life left for it. */
	if (part->losses >= PATIENT_LOSSES)
		part->retry_ms = time_monotonic_ms() + PATIENT_MS;
	return part_wait(c, PART_IDENTITY);
}

static void identity_task(void *arg)
{
	struct console *c = arg;
	struct part *part = &c->parts[PART_IDENTITY];
	int r = 0;

	while (!c->leaving && r != -ECANCELED) {
		bool asked = part->busy > 0;

		look(c);
		if ((asked || is_due(c)) && renew(c, !asked) != CLIENT_OK) {
			if (asked && part->losses > 0)
				console_error(c, "certificate not renewed: %s", part->why);
			part->busy = 0;
			r = c->leaving ? -ECANCELED : lost(c);
			continue;
		}
		if (asked)
			part->busy = 0;
		part_up(c, PART_IDENTITY);
		r = task_pause(LOOK_MS);
	}
}

int part_identity_begin(struct console *c)
{
	view_set(c);
	return task_start("certificate", identity_task, c, &c->parts[PART_IDENTITY].task);
}
