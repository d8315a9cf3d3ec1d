/*
 * ENROLL: the request is judged first (it costs the peer nothing to get that right), then the
 * proof is verified here, whatever cad may have found, and then the certificate is issued.
 */
#include "services/cad/signer/sign.h"

#include "auth/name.h"
#include "base/cleanup.h"
#include "store/policy.h"

#include <errno.h>

struct enrolment {
	const struct signer_request *r;
	struct pki_csr_info csr;
	struct buf spki;
};

static int issue_for(struct sign *g, const struct enrolment *e, const char *account,
	const char *proof, struct sign_reply *reply)
{
	struct sign_order order = {
		.profile = PKI_USER,
		.account = account,
		.cn = account,
		.spki = buf_span(&e->spki),
		.peer = e->r->peer,
		.proof = proof,
	};

	return sign_issue(g, &order, reply);
}

static bool names_are_own(const struct sign *g, const struct enrolment *e, const char *account)
{
	return e->csr.host_count == 0 && sign_names_are_own(g, account, e->csr.cn, e->csr.email);
}

static int refuse_names(struct sign_reply *reply)
{
	return sign_refuse(reply, EKEYREJECTED,
		"the request names somebody else: only the account's own name and address are "
		"certified");
}

static int by_password(struct sign *g, const struct enrolment *e, struct sign_reply *reply)
{
	struct auth_source from = sign_source(g, e->r);
	struct auth_identity who = {0};
	char name[ACCOUNT_NAME_SIZE];
	unsigned wait_s = 0;
	int r;

	if (name_fold(span_str(e->r->name), name) == 0 && !names_are_own(g, e, name))
		return refuse_names(reply);
	r = auth_password(g->s->store, &from, span_str(e->r->name), e->r->secret, &who, &wait_s);
	if (r == -EACCES)
		return sign_refuse(reply, EACCES, "name or password is wrong");
	if (r == -EBUSY) {
		reply->wait_s = wait_s;
		return sign_refuse(reply, EBUSY, "too many failures, try again later");
	}
	if (r == 0)
		r = issue_for(g, e, who.account.name, "password", reply);
	explicit_bzero(&who, sizeof(who));
	return r;
}

static int refuse_sign_up(struct sign *g, const struct enrolment *e, int error, const char *reason,
	struct sign_reply *reply)
{
	struct auth_source from = sign_source(g, e->r);

	switch (error) {
	case -EKEYREJECTED:
		return sign_refuse(reply, EACCES, reason);
	case -EPERM:
	case -EINVAL:
	case -EEXIST:
		return sign_refuse(reply, -error, reason);
	case -EBUSY:
		(void)auth_throttle_wait_s(
			g->s->store, &from, span_str(e->r->name), &reply->wait_s);
		return sign_refuse(reply, EBUSY, reason);
	default:
		return error;
	}
}

static int by_invite(struct sign *g, const struct enrolment *e, struct sign_reply *reply)
{
	struct auth_source from = sign_source(g, e->r);
	const char *reason = NULL;
	char name[ACCOUNT_NAME_SIZE];
	int r;

	if (name_fold(span_str(e->r->name), name) < 0)
		return sign_refuse(reply, EINVAL, "the name is malformed");
	if (!names_are_own(g, e, name))
		return refuse_names(reply);
	/* Nothing is used up for a certificate that cannot be made now. */
	if (sign_ca_current(g) == NULL)
		return sign_refuse_for_now(reply);
	r = auth_sign_up(
		g->s->store, &from, span_str(name), span_of(NULL, 0), e->r->secret, &reason);
	if (r < 0)
		return refuse_sign_up(g, e, r, reason, reply);
	return issue_for(g, e, name, "invite", reply);
}

/* Is the holder of the old key the one who asks? The same key, or the old key's signature. */
static int check_old_key(struct sign *g, const struct enrolment *e, const struct sign_old *old)
{
	_cleanup_(buf_done) struct buf old_spki = BUF_INIT(4096);
	char rule[POLICY_VALUE_SIZE];
	int r;

	if (memcmp(old->spki_sha256, e->csr.spki_sha256, sizeof(old->spki_sha256)) == 0)
		return 0;
	r = pki_cert_spki(span_of(old->der, old->der_len), &old_spki);
	if (r < 0)
		return r;
	if (e->csr.has_old_proof)
		return pki_csr_check_old_proof(e->r->csr, buf_span(&old_spki));
	r = policy_text(g->s->store, "rekey_proof", rule);
	if (r < 0)
		return r;
	return strcmp(rule, "tls") == 0 ? 0 : -EKEYREJECTED;
}

static int by_renewal(struct sign *g, const struct enrolment *e, struct sign_reply *reply)
{
	struct sign_old old = {0};
	const char *reason = NULL;
	int r = sign_old_find(g, e->r->serial, &old, &reason);

	if (r == -EKEYREJECTED)
		return sign_refuse(reply, EKEYREJECTED, reason);
	if (r < 0)
		return r;
	if (!names_are_own(g, e, old.account.name))
		return refuse_names(reply);
	r = check_old_key(g, e, &old);
	if (r == -EKEYREJECTED)
		return sign_refuse(reply, EKEYREJECTED,
			"the request has a new key without a proof by the old one: ask with the "
			"same key, or add the proof");
	return r < 0 ? r : issue_for(g, e, old.account.name, "certificate", reply);
}

int sign_enroll(struct sign *g, const struct signer_request *r, struct sign_reply *reply)
{
	static int (*const proofs[])(
		struct sign * g, const struct enrolment *e, struct sign_reply *reply) = {
		[SIGNER_PROOF_PASSWORD] = by_password,
		[SIGNER_PROOF_INVITE] = by_invite,
		[SIGNER_PROOF_RENEW] = by_renewal,
	};
	struct enrolment e = {.r = r, .spki = BUF_INIT(PKI_CSR_MAX)};
	const char *reason = "the request is malformed";
	int error;

	if (r->proof >= sizeof(proofs) / sizeof(proofs[0]) || proofs[r->proof] == NULL)
		return sign_refuse(reply, EINVAL, "no such proof");
	if (r->csr.len == 0 || r->csr.len > PKI_CSR_MAX)
		return sign_refuse(reply, EINVAL, "the request is too long or empty");
	error = pki_csr_read(r->csr, &e.csr, &e.spki, &reason);
	if (error == -EBADMSG)
		sign_refuse(reply, EINVAL, reason);
	else if (error == -EKEYREJECTED)
		sign_refuse(reply, EKEYREJECTED, reason);
	else if (error == 0)
		error = proofs[r->proof](g, &e, reply);
	buf_done(&e.spki);
	return error == -EBADMSG || error == -EKEYREJECTED ? 0 : error;
}
