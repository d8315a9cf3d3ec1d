/*
 * The decisions of the CMP door. OpenSSL calls these once a message's protection was verified;
 * whether that proof is enough for what is asked is decided here: a reference and its secret give
 * one certificate, a signature by a living certificate gives more for the same account, and only
 * one's own certificates are revoked.
 */
#include "services/cad/signer/cmp_talk.h"

#include "auth/name.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/timefmt.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

enum { REASON_CESSATION = 5 };

static OSSL_CMP_PKISI *refuse(int failure, const char *text)
{
	return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_rejection, 1 << failure, text);
}

static struct cmp_talk *talk_of(OSSL_CMP_SRV_CTX *server)
{
	struct cmp_talk *t = OSSL_CMP_SRV_CTX_get0_custom_ctx(server);

	t->verified = true;
	return t;
}

static bool under_mac(const struct cmp_talk *t)
{
	return t->judged.protection == CMP_PROTECT_MAC;
}

/* What is asked for, in the terms of the rules: names and key. */
struct wish {
	char cn[65];
	char email[PKI_NAME_MAX + 1];
	bool foreign_names; /* names of kinds that no user certificate carries */
	struct buf spki;
};

static void copy_entry(const X509_NAME *name, int nid, char *ret, size_t size, bool *ret_foreign)
{
	int i = X509_NAME_get_index_by_NID(name, nid, -1);
	const ASN1_STRING *s;

	if (i < 0)
		return;
	s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i));
	if (span_copy_str(span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)), ret,
		    size) < 0 ||
		X509_NAME_get_index_by_NID(name, nid, i) >= 0)
		*ret_foreign = true;
}

static void read_alt_names(const OSSL_CRMF_CERTTEMPLATE *template, struct wish *ret)
{
	GENERAL_NAMES *names = X509V3_get_d2i(
		OSSL_CRMF_CERTTEMPLATE_get0_extensions(template), NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		int type;
		const ASN1_STRING *s =
			GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

		if (type != GEN_EMAIL || ret->email[0] != '\0' ||
			span_copy_str(
				span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)),
				ret->email, sizeof(ret->email)) < 0)
			ret->foreign_names = true;
	}
	GENERAL_NAMES_free(names);
}

/* The template's key as OpenSSL 3.0 does not give it: its value with a SEQUENCE's tag before it. */
static void add_spki(struct buf *b, struct span value)
{
	buf_add_byte(b, 0x30);
	if (value.len >= 0x100) {
		buf_add_byte(b, 0x82);
		buf_add_u16(b, (uint16_t)value.len);
	} else {
		if (value.len >= 0x80)
			buf_add_byte(b, 0x81);
		buf_add_byte(b, (unsigned char)value.len);
	}
	buf_add(b, value);
}

static int read_template(
	struct cmp_talk *t, const OSSL_CRMF_MSG *crm, struct wish *ret, const char **ret_reason)
{
	const OSSL_CRMF_CERTTEMPLATE *template = OSSL_CRMF_MSG_get0_tmpl(crm);
	const X509_NAME *subject = OSSL_CRMF_CERTTEMPLATE_get0_subject(template);

	if (subject != NULL)
		copy_entry(subject, NID_commonName, ret->cn, sizeof(ret->cn), &ret->foreign_names);
	read_alt_names(template, ret);
	add_spki(&ret->spki, t->judged.spki);
	return pki_spki_check(buf_span(&ret->spki), ret_reason);
}

static int read_p10(struct cmp_talk *t, struct wish *ret, const char **ret_reason)
{
	struct pki_csr_info csr;
	int r = pki_csr_read(t->judged.p10, &csr, &ret->spki, ret_reason);

	if (r < 0)
		return r;
	memcpy(ret->cn, csr.cn, sizeof(ret->cn));
	memcpy(ret->email, csr.email, sizeof(ret->email));
	ret->foreign_names = csr.host_count > 0;
	return 0;
}

/* Finds out whose transaction this is. NULL, or a refusal. */
static OSSL_CMP_PKISI *find_account(struct cmp_talk *t)
{
	struct cmp_ref ref;

	if (under_mac(t)) {
		if (cmp_ref_get(t->g->s->store, t->reference, &ref) < 0)
			return refuse(OSSL_CMP_PKIFAILUREINFO_notAuthorized,
				"the reference is unknown, used up or expired");
		memcpy(t->account, ref.name, sizeof(t->account));
		return NULL;
	}
	if (!t->has_signer || t->signer_trouble != NULL)
		return refuse(OSSL_CMP_PKIFAILUREINFO_signerNotTrusted,
			t->signer_trouble != NULL ? t->signer_trouble : "the signer is unknown");
	memcpy(t->account, t->signer.account.name, sizeof(t->account));
	return NULL;
}

static bool is_signers_serial(const struct cmp_talk *t, const ASN1_INTEGER *serial)
{
	return serial != NULL &&
		span_eq(span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)),
			span_of(t->signer.serial, sizeof(t->signer.serial)));
}

/* An update is asked for by the very certificate that is updated. */
static OSSL_CMP_PKISI *check_update(const struct cmp_talk *t, const OSSL_CRMF_MSG *crm)
{
	const OSSL_CRMF_CERTID *old = OSSL_CRMF_MSG_get0_regCtrl_oldCertID(crm);

	if (under_mac(t))
		return refuse(OSSL_CMP_PKIFAILUREINFO_wrongIntegrity,
			"an update must be signed by the certificate that is updated");
	if (old != NULL && !is_signers_serial(t, OSSL_CRMF_CERTID_get0_serialNumber(old)))
		return refuse(OSSL_CMP_PKIFAILUREINFO_badCertId,
			"an update must be signed by the certificate that is updated");
	return NULL;
}

static OSSL_CMP_PKISI *consume_reference(struct cmp_talk *t)
{
	struct cmp_consume_args args = {.now_us = time_now_us()};
	int r;

	if (!under_mac(t))
		return NULL;
	/* Nothing is used up for a certificate that cannot be made now. */
	if (sign_ca_current(t->g) == NULL)
		return refuse(OSSL_CMP_PKIFAILUREINFO_systemUnavail, "temporarily unavailable");
	memcpy(args.reference, t->reference, sizeof(args.reference));
	r = store_call(t->g->s->store, STORE_OP_CMP_CONSUME, &args, NULL);
	if (r == 0)
		return NULL;
	if (r == -ENOENT)
		return refuse(OSSL_CMP_PKIFAILUREINFO_notAuthorized,
			"the reference is unknown, used up or expired");
	return refuse(OSSL_CMP_PKIFAILUREINFO_systemUnavail, "temporarily unavailable");
}

static int certs_of(const struct sign_ca *ca, STACK_OF(X509) * *ret)
{
	X509 *cert = ca != NULL ? cmp_x509(buf_span(&ca->der)) : NULL;

	*ret = sk_X509_new_null();
	if (cert != NULL && *ret != NULL && sk_X509_push(*ret, cert) > 0)
		return 0;
	X509_free(cert);
	return -ENOMEM;
}

/* Intent, signature, row; then everything the answer carries. */
static OSSL_CMP_PKISI *issue(struct cmp_talk *t, const struct wish *wish, X509 **ret_cert,
	STACK_OF(X509) * *ret_chain, STACK_OF(X509) * *ret_roots)
{
	struct sign_reply reply = SIGN_REPLY_INIT;
	struct sign_order order = {
		.profile = PKI_USER,
		.account = t->account,
		.cn = t->account,
		.spki = buf_span(&wish->spki),
		.peer = t->r->peer,
		.proof = under_mac(t) ? "cmp" : "certificate",
	};
	struct pki_cert_info info;
	OSSL_CMP_PKISI *status = NULL;
	int r = sign_issue(t->g, &order, &reply);

	if (r == 0 && reply.status != 0)
		status = refuse(OSSL_CMP_PKIFAILUREINFO_badCertTemplate, reply.reason);
	else if (r == 0 && pki_cert_read(buf_span(&reply.payload), &info) == 0 &&
		(*ret_cert = cmp_x509(buf_span(&reply.payload))) != NULL &&
		certs_of(sign_ca_current(t->g), ret_chain) == 0 &&
		(!under_mac(t) || certs_of(sign_ca_find(t->g, 0), ret_roots) == 0)) {
		memcpy(t->issued_serial, info.serial, sizeof(t->issued_serial));
		memcpy(t->issued_sha256, info.sha256, sizeof(t->issued_sha256));
		t->has_issued = true;
		status = OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_accepted, 0, NULL);
	}
	buf_done(&reply.payload);
	return status != NULL
		? status
		: refuse(OSSL_CMP_PKIFAILUREINFO_systemUnavail, "temporarily unavailable");
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are OpenSSL's */
OSSL_CMP_PKISI *cmp_decide_request(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message, int id,
	const OSSL_CRMF_MSG *crm, const X509_REQ *p10, X509 **ret_cert, STACK_OF(X509) * *ret_chain,
	STACK_OF(X509) * *ret_roots)
{
	struct cmp_talk *t = talk_of(server);
	struct wish wish = {.spki = BUF_INIT(PKI_CSR_MAX)};
	const char *reason = "the request is malformed";
	OSSL_CMP_PKISI *status = find_account(t);
	int r;

	(void)message;
	(void)id;
	if (status == NULL && t->judged.body == CMP_KUR)
		status = check_update(t, crm);
	if (status != NULL)
		return status;
	r = p10 != NULL ? read_p10(t, &wish, &reason) : read_template(t, crm, &wish, &reason);
	if (r < 0)
		status = refuse(OSSL_CMP_PKIFAILUREINFO_badCertTemplate, reason);
	else if (wish.foreign_names || !sign_names_are_own(t->g, t->account, wish.cn, wish.email))
		status = refuse(OSSL_CMP_PKIFAILUREINFO_badCertTemplate,
			"only the account's own name and address are certified");
	else
		status = consume_reference(t);
	if (status == NULL)
		status = issue(t, &wish, ret_cert, ret_chain, ret_roots);
	buf_done(&wish.spki);
	return status;
}

static int revoke_serial(struct cmp_talk *t, struct span serial, int reason)
{
	struct cert_revoke_args args = {.reason = reason, .now_us = time_now_us()};
	int r;

	if (serial.len != sizeof(args.serial))
		return -ENOENT;
	memcpy(args.serial, serial.p, sizeof(args.serial));
	memcpy(args.account, t->account, sizeof(args.account));
	(void)snprintf(args.by, sizeof(args.by), "%s", t->account);
	r = store_call(t->g->s->store, STORE_OP_CERT_REVOKE, &args, NULL);
	if (r == 0)
		(void)service_ring_account(t->g->s->store, t->g->s->settings.runtime, t->account);
	return r;
}

static bool is_issuer(const struct sign *g, const X509_NAME *name)
{
	for (size_t i = 0; i < g->ca_count; i++) {
		X509 *cert = cmp_x509(buf_span(&g->cas[i].der));
		bool same = cert != NULL && X509_NAME_cmp(X509_get_subject_name(cert), name) == 0;

		X509_free(cert);
		if (same)
			return true;
	}
	return false;
}

OSSL_CMP_PKISI *cmp_decide_revocation(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message,
	const X509_NAME *issuer, const ASN1_INTEGER *serial)
{
	struct cmp_talk *t = talk_of(server);
	OSSL_CMP_PKISI *status;
	int r;

	(void)message;
	if (under_mac(t))
		return refuse(OSSL_CMP_PKIFAILUREINFO_wrongIntegrity,
			"a revocation must be signed by a certificate of the account");
	status = find_account(t);
	if (status != NULL)
		return status;
	if (issuer == NULL || serial == NULL || !is_issuer(t->g, issuer))
		return refuse(OSSL_CMP_PKIFAILUREINFO_badCertId, "that is not one of ours");
	r = revoke_serial(t,
		span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)),
		t->judged.revocation_reason);
	if (r == 0)
		return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_accepted, 0, NULL);
	if (r == -EINVAL)
		return refuse(OSSL_CMP_PKIFAILUREINFO_badRequest, "no such reason");
	if (r == -EALREADY)
		return refuse(OSSL_CMP_PKIFAILUREINFO_certRevoked, "it is revoked already");
	if (r == -ENOENT || r == -EACCES)
		return refuse(
			OSSL_CMP_PKIFAILUREINFO_badCertId, "the account has no such certificate");
	return refuse(OSSL_CMP_PKIFAILUREINFO_systemUnavail, "temporarily unavailable");
}

int cmp_revoke_issued(struct cmp_talk *t)
{
	int r;

	if (!t->has_issued)
		return 0;
	t->has_issued = false;
	r = revoke_serial(t, span_of(t->issued_serial, sizeof(t->issued_serial)), REASON_CESSATION);
	return r == -EALREADY ? 0 : r;
}

/* Nothing is offered under general messages: an empty answer says so. */
int cmp_decide_general(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message,
	const STACK_OF(OSSL_CMP_ITAV) * in, STACK_OF(OSSL_CMP_ITAV) * *ret_out)
{
	(void)talk_of(server);
	(void)message;
	(void)in;
	*ret_out = NULL;
	return 1;
}

void cmp_decide_error(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message,
	const OSSL_CMP_PKISI *status, const ASN1_INTEGER *code, const OSSL_CMP_PKIFREETEXT *details)
{
	struct cmp_talk *t = talk_of(server);

	(void)message;
	(void)status;
	(void)code;
	(void)details;
	log_event(LOG_LEVEL_NOTICE, "the CMP client reports an error",
		log_fields({"ACCOUNT", span_str(t->account)}));
}

int cmp_decide_confirmation(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message, int id,
	const ASN1_OCTET_STRING *hash, const OSSL_CMP_PKISI *status)
{
	struct cmp_talk *t = talk_of(server);

	(void)message;
	(void)id;
	(void)status;
	if (t->has_issued && hash != NULL &&
		span_eq(span_of(ASN1_STRING_get0_data(hash), (size_t)ASN1_STRING_length(hash)),
			span_of(t->issued_sha256, sizeof(t->issued_sha256))))
		return 1;
	ERR_raise(ERR_LIB_CMP, CMP_R_CERTHASH_UNMATCHED);
	return 0;
}
