/* See trust.h. */
#include "client/peer/trust.h"

#include "base/timefmt.h"
#include "pki/cert.h"

#include <errno.h>

/* now_us 0: at whatever time. */
static bool chain_ok(const struct profile *p, struct span der, int64_t now_us, const char **ret_why)
{
	const struct pki_verify v = {.root_pem = buf_span(&p->root_pem),
		.extra_pem = buf_span(&p->chain_pem),
		.at_us = now_us,
		.profile = PKI_USER,
		.chain_only = true,
		.any_time = now_us == 0};

	return pki_cert_verify(der, &v, ret_why) == 0;
}

/* The chain is not good now. Is it only that the leaf's time is over, or is still to come? */
static enum fault why_not(const struct profile *p, struct span der,
	const struct pki_cert_info *info, int64_t now_us, char *ret_why)
{
	_cleanup_(buf_done) struct buf at = BUF_INIT(64);
	const char *reason = "", *other;
	bool over = now_us > info->not_after_us, early = now_us < info->not_before_us;

	(void)chain_ok(p, der, now_us, &reason);
	if ((over || early) && chain_ok(p, der, 0, &other)) {
		time_rfc3339_utc(&at, over ? info->not_after_us : info->not_before_us);
		snprintf(ret_why, 256, "valid %s %s", over ? "until" : "from", buf_str(&at));
		return over ? FAULT_EXPIRED : FAULT_EARLY;
	}
	snprintf(ret_why, 256, "%s", reason);
	return FAULT_CA;
}

static enum fault judge_chain(const struct profile *p, struct span der,
	const struct pki_cert_info *info, int64_t now_us, char *ret_why)
{
	const struct pki_verify v = {.root_pem = buf_span(&p->root_pem),
		.extra_pem = buf_span(&p->chain_pem),
		.at_us = now_us,
		.profile = PKI_USER};
	const char *reason = "";
	int r;

	if (!chain_ok(p, der, now_us, &reason))
		return why_not(p, der, info, now_us, ret_why);
	r = pki_cert_verify(der, &v, &reason);
	if (r == 0 && info->eku_peer)
		return FAULT_NONE;
	if (r < 0 && r != -EKEYREJECTED)
		return FAULT_MEMORY;
	snprintf(ret_why, 256, "it is of %s", info->subject);
	return FAULT_PURPOSE;
}

enum fault trust_judge(const struct profile *p, struct span leaf_der,
	const struct trust_expect *expect, int64_t now_us, char ret_why[256])
{
	struct pki_cert_info info;
	enum fault f;

	ret_why[0] = '\0';
	if (pki_cert_read(leaf_der, &info) < 0)
		return FAULT_CA;
	f = judge_chain(p, leaf_der, &info, now_us, ret_why);
	if (f != FAULT_NONE)
		return f;
	if (strcmp(info.cn, expect->account) != 0) {
		snprintf(ret_why, 256, "it is of %.64s, not of %s", info.cn, expect->account);
		return FAULT_ACCOUNT;
	}
	if (memcmp(info.spki_sha256, expect->spki_sha256, sizeof info.spki_sha256) != 0)
		return FAULT_KEY;
	return FAULT_NONE;
}

bool trust_has_key(struct span leaf_der, const struct trust_expect *expect)
{
	struct pki_cert_info info;

	return pki_cert_read(leaf_der, &info) == 0 &&
		memcmp(info.spki_sha256, expect->spki_sha256, sizeof info.spki_sha256) == 0;
}
