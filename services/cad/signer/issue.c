/*
 * Issuing: the certificate is built from the account record and the public key alone. The intent
 * row is on disk before the key signs, the certificate after, so that a crash between leaves a
 * record of what may exist.
 */
#include "services/cad/signer/sign.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "store/policy.h"

#include <errno.h>

enum { URL_SIZE = 300, MAIL_SIZE = 320, SERIAL_TRIES = 3 };

/* A peer whose clock is somewhat behind shall be able to use its certificate at once. */
#define BACKDATE_US (300 * TIME_S_US)
#define DAY_US (86400 * TIME_S_US)

static const struct issue_rule {
	enum pki_profile profile;
	enum cert_profile row;
	const char *days; /* policy setting */
} rules[] = {
	{PKI_USER, CERT_PROFILE_USER, "cert_days"},
	{PKI_HOST, CERT_PROFILE_HOST, "host_cert_days"},
	{PKI_TSA, CERT_PROFILE_TSA, "host_cert_days"},
};

struct issue_urls {
	char crl[URL_SIZE], ocsp[URL_SIZE], issuer[URL_SIZE];
};

static const struct issue_rule *find_rule(enum pki_profile profile)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].profile == profile)
			return &rules[i];
	return NULL;
}

static void fill_urls(const struct sign *g, uint32_t ca_id, struct issue_urls *ret)
{
	const char *base = g->s->settings.plain_url;

	(void)snprintf(ret->crl, sizeof(ret->crl), "%s/ca/%u.crl", base, (unsigned)ca_id);
	(void)snprintf(ret->ocsp, sizeof(ret->ocsp), "%s/ocsp", base);
	(void)snprintf(ret->issuer, sizeof(ret->issuer), "%s/ca/%u.cer", base, (unsigned)ca_id);
}

static int fill_validity(
	struct sign *g, const struct issue_rule *rule, const struct sign_ca *ca, struct cert *row)
{
	struct pki_cert_info issuer = {0};
	uint64_t days = 0;
	int r = policy_number(g->s->store, rule->days, &days);

	if (r == 0)
		r = pki_cert_read(buf_span(&ca->der), &issuer);
	if (r < 0)
		return r;
	row->created_us = time_now_us();
	row->not_before_us = row->created_us - BACKDATE_US;
	if (row->not_before_us < issuer.not_before_us)
		row->not_before_us = issuer.not_before_us;
	row->not_after_us = row->created_us + (int64_t)days * DAY_US;
	if (row->not_after_us > issuer.not_after_us)
		row->not_after_us = issuer.not_after_us;
	row->not_before_us -= row->not_before_us % TIME_S_US;
	row->not_after_us -= row->not_after_us % TIME_S_US;
	return row->not_after_us > row->created_us ? 0 : -EKEYREJECTED;
}

/* The intent row under a serial number that is free. */
static int store_intent(struct sign *g, struct cert *row)
{
	int r = -EEXIST;

	for (unsigned i = 0; i < SERIAL_TRIES && r == -EEXIST; i++) {
		r = pki_serial_new(row->serial);
		if (r == 0)
			r = store_call(g->s->store, STORE_OP_CERT_INTENT, row, NULL);
	}
	return r;
}

static int store_issued(
	struct sign *g, const struct sign_order *o, const struct cert *row, struct span der)
{
	struct cert_issued_args args = {.der = der, .now_us = time_now_us()};

	memcpy(args.serial, row->serial, sizeof(args.serial));
	(void)snprintf(args.peer, sizeof(args.peer), "%s", o->peer);
	(void)snprintf(args.proof, sizeof(args.proof), "%s", o->proof);
	return store_call(g->s->store, STORE_OP_CERT_ISSUED, &args, NULL);
}

static int build(struct sign *g, const struct sign_order *o, const struct sign_ca *ca,
	const struct cert *row, struct buf *ret_der)
{
	struct issue_urls urls = {0};
	char mail[MAIL_SIZE];
	struct pki_template t = {
		.profile = o->profile,
		.cn = o->cn,
		.email = o->profile == PKI_USER ? mail : NULL,
		.host_count = o->host_count,
		.not_before_us = row->not_before_us,
		.not_after_us = row->not_after_us,
		.crl_url = urls.crl,
		.ocsp_url = urls.ocsp,
		.issuer_url = urls.issuer,
		.spki = o->spki,
	};

	fill_urls(g, ca->id, &urls);
	(void)snprintf(mail, sizeof(mail), "%s@%s", o->cn, g->s->settings.domain);
	for (size_t i = 0; i < o->host_count; i++)
		t.hosts[i] = o->hosts[i];
	memcpy(t.serial, row->serial, sizeof(t.serial));
	return pki_issue(&t, buf_span(&ca->der), ca->key, ret_der);
}

/* What a refusal of the store or of the profile means to people. */
static int explain(int error, struct sign_reply *reply)
{
	switch (error) {
	case -EACCES:
		return sign_refuse(reply, EKEYREJECTED, "the account is locked");
	case -ENOENT:
		return sign_refuse(reply, EKEYREJECTED, "there is no such account");
	case -EINVAL:
		return sign_refuse(reply, EKEYREJECTED, "the profile does not allow these names");
	case -EKEYREJECTED:
		return sign_refuse(reply, EKEYREJECTED, "the issuing authority has expired");
	default:
		return error;
	}
}

static void log_issued(const struct sign_order *o, const struct cert *row)
{
	_cleanup_(buf_done) struct buf serial = BUF_INIT(64);

	text_hex(&serial, span_of(row->serial, sizeof(row->serial)));
	log_event(LOG_LEVEL_NOTICE, "certificate issued",
		log_fields({"ACCOUNT", span_str(o->account)}, {"SERIAL", buf_span(&serial)},
			{"PROOF", span_str(o->proof)}, {"FOR", span_str(o->peer)}));
}

int sign_refuse_for_now(struct sign_reply *reply)
{
	return sign_refuse(reply, EAGAIN, "the signer has not loaded the newest issuing key yet");
}

int sign_issue(struct sign *g, const struct sign_order *o, struct sign_reply *reply)
{
	const struct issue_rule *rule = find_rule(o->profile);
	const struct sign_ca *ca = sign_ca_current(g);
	struct cert row = {.state = CERT_INTENT};
	int r;

	if (rule == NULL || o->host_count > PKI_MAX_HOSTS)
		return -EINVAL;
	if (ca == NULL)
		return sign_refuse_for_now(reply);
	row.profile = rule->row;
	row.ca_id = ca->id;
	(void)snprintf(row.account, sizeof(row.account), "%s", o->account);
	r = hash_sha256(o->spki, row.spki_sha256);
	if (r == 0)
		r = fill_validity(g, rule, ca, &row);
	if (r == 0)
		r = store_intent(g, &row);
	fault_at(FAULT_INTENT_STORED);
	if (r == 0)
		r = build(g, o, ca, &row, &reply->payload);
	fault_at(FAULT_SIGNED);
	if (r == 0)
		r = store_issued(g, o, &row, buf_span(&reply->payload));
	if (r < 0)
		return explain(r, reply);
	log_issued(o, &row);
	return 0;
}
