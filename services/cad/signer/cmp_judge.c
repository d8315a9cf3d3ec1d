/*
 * Reads the outside of a CMP message: which body, how protected, by whom. Every length and count
 * is bounded here, before OpenSSL sees a byte.
 */
#include "services/cad/signer/cmp_judge.h"

#include "pki/der.h"

#include <errno.h>

enum {
	TAG_INTEGER = 0x02,
	TAG_BIT_STRING = 0x03,
	TAG_OCTETS = 0x04,
	TAG_OID = 0x06,
	TAG_ENUMERATED = 0x0a,
	TAG_SEQUENCE = 0x30,
	TAG_CONTEXT = 0xa0, /* constructed */
	CLASS_MASK = 0xe0,
	NUMBER_MASK = 0x1f,
	GENERAL_MAX = 8, /* general messages in one genm */
};

/* id-PasswordBasedMac, RFC 4211 section 4.4; id-ce-cRLReasons, RFC 5280 section 5.3.1 */
static const unsigned char oid_mac[] = {0x2a, 0x86, 0x48, 0x86, 0xf6, 0x7d, 0x07, 0x42, 0x0d};
static const unsigned char oid_reason[] = {0x55, 0x1d, 0x15};

/* The next value when it has the tag. 1, 0 when it is another or there is none, -EBADMSG. */
static int take(struct span *rest, unsigned char tag, struct der_tlv *ret)
{
	struct span copy = *rest;
	int r;

	if (rest->len == 0 || rest->p[0] != tag)
		return 0;
	r = der_next(&copy, ret);
	if (r < 0)
		return r;
	*rest = copy;
	return 1;
}

static int need(struct span *rest, unsigned char tag, struct der_tlv *ret)
{
	return take(rest, tag, ret) == 1 ? 0 : -EBADMSG;
}

/* A number of at most 24 bits. -EBADMSG when it is negative or larger. */
static int small_number(struct span value)
{
	int n = 0;

	if (value.len == 0 || value.len > 3 || value.p[0] >= 0x80)
		return -EBADMSG;
	for (size_t i = 0; i < value.len; i++)
		n = n << 8 | value.p[i];
	return n;
}

/* The one value inside a SEQUENCE OF that must hold one. */
static int only_one(struct span list, unsigned char tag, struct der_tlv *ret)
{
	return need(&list, tag, ret) < 0 || list.len > 0 ? -EBADMSG : 0;
}

static int judge_mac(struct span algorithm, const char **ret_reason)
{
	struct der_tlv parameters, value;
	struct span rest;
	int iterations;

	*ret_reason = "the password-based MAC's parameters are malformed";
	if (need(&algorithm, TAG_SEQUENCE, &parameters) < 0)
		return -EBADMSG;
	rest = parameters.value;
	if (need(&rest, TAG_OCTETS, &value) < 0 || value.value.len > CMP_NONCE_MAX ||
		need(&rest, TAG_SEQUENCE, &value) < 0 || need(&rest, TAG_INTEGER, &value) < 0)
		return -EBADMSG;
	iterations = small_number(value.value);
	if (iterations >= 1 && iterations <= CMP_ITERATIONS_MAX)
		return 0;
	*ret_reason = "the password-based MAC asks for too many iterations";
	return -EBADMSG;
}

static int judge_algorithm(struct span field, struct cmp_judged *ret, const char **ret_reason)
{
	struct der_tlv algorithm, oid;
	struct span rest;

	if (only_one(field, TAG_SEQUENCE, &algorithm) < 0)
		return -EBADMSG;
	rest = algorithm.value;
	if (need(&rest, TAG_OID, &oid) < 0)
		return -EBADMSG;
	ret->protection = CMP_PROTECT_SIGNATURE;
	if (!span_eq(oid.value, span_of(oid_mac, sizeof(oid_mac))))
		return 0;
	ret->protection = CMP_PROTECT_MAC;
	return judge_mac(rest, ret_reason);
}

/* An octet string inside an explicit tag, of at most max bytes. */
static int bounded_octets(struct span field, size_t max, struct span *ret)
{
	struct der_tlv value;

	if (only_one(field, TAG_OCTETS, &value) < 0 || value.value.len > max)
		return -EBADMSG;
	*ret = value.value;
	return 0;
}

static int judge_header_field(
	const struct der_tlv *field, struct cmp_judged *ret, const char **ret_reason)
{
	struct span ignored;

	switch (field->tag) {
	case TAG_CONTEXT + 1:
		return judge_algorithm(field->value, ret, ret_reason);
	case TAG_CONTEXT + 2:
		return bounded_octets(field->value, CMP_NONCE_MAX, &ret->sender_kid);
	case TAG_CONTEXT + 4:
	case TAG_CONTEXT + 5:
	case TAG_CONTEXT + 6:
		return bounded_octets(field->value, CMP_NONCE_MAX, &ignored);
	default:
		return (field->tag & CLASS_MASK) == TAG_CONTEXT ? 0 : -EBADMSG;
	}
}

static int judge_header(struct span header, struct cmp_judged *ret, const char **ret_reason)
{
	struct der_tlv value;

	*ret_reason = "the CMP header is malformed";
	if (need(&header, TAG_INTEGER, &value) < 0 || small_number(value.value) < 0 ||
		der_next(&header, &value) < 0 || der_next(&header, &value) < 0)
		return -EBADMSG;
	while (header.len > 0)
		if (der_next(&header, &value) < 0 ||
			judge_header_field(&value, ret, ret_reason) < 0)
			return -EBADMSG;
	return 0;
}

/* ir, cr, kur: one CertReqMsg with a public key in its template (RFC 4211 section 5). */
static int judge_certreq(struct span body, struct cmp_judged *ret, const char **ret_reason)
{
	struct der_tlv list, message, request, template, field;

	*ret_reason = "exactly one certificate can be asked for at a time";
	if (only_one(body, TAG_SEQUENCE, &list) < 0 ||
		only_one(list.value, TAG_SEQUENCE, &message) < 0)
		return -EBADMSG;
	*ret_reason = "the certificate request is malformed";
	if (need(&message.value, TAG_SEQUENCE, &request) < 0 ||
		need(&request.value, TAG_INTEGER, &field) < 0 ||
		need(&request.value, TAG_SEQUENCE, &template) < 0)
		return -EBADMSG;
	while (template.value.len > 0) {
		if (der_next(&template.value, &field) < 0)
			return -EBADMSG;
		if (field.tag == TAG_CONTEXT + 6)
			ret->spki = field.value;
	}
	*ret_reason = "the certificate request has no public key";
	return ret->spki.len > 0 ? 0 : -EBADMSG;
}

static int judge_p10(struct span body, struct cmp_judged *ret, const char **ret_reason)
{
	struct der_tlv request;

	*ret_reason = "the PKCS#10 request is malformed";
	if (only_one(body, TAG_SEQUENCE, &request) < 0)
		return -EBADMSG;
	ret->p10 = request.whole;
	return 0;
}

static int judge_reason(struct span extension, struct cmp_judged *ret)
{
	struct der_tlv oid, octets, value;

	if (need(&extension, TAG_OID, &oid) < 0)
		return -EBADMSG;
	if (!span_eq(oid.value, span_of(oid_reason, sizeof(oid_reason))))
		return 0;
	if (extension.len > 0 && extension.p[0] != TAG_OCTETS && der_next(&extension, &value) < 0)
		return -EBADMSG;
	if (need(&extension, TAG_OCTETS, &octets) < 0 ||
		only_one(octets.value, TAG_ENUMERATED, &value) < 0)
		return -EBADMSG;
	ret->revocation_reason = small_number(value.value);
	return ret->revocation_reason < 0 ? -EBADMSG : 0;
}

static int judge_revocation(struct span body, struct cmp_judged *ret, const char **ret_reason)
{
	struct der_tlv list, details, value, extension;

	*ret_reason = "exactly one certificate can be revoked at a time";
	if (only_one(body, TAG_SEQUENCE, &list) < 0 ||
		only_one(list.value, TAG_SEQUENCE, &details) < 0)
		return -EBADMSG;
	*ret_reason = "the revocation request is malformed";
	if (need(&details.value, TAG_SEQUENCE, &value) < 0)
		return -EBADMSG;
	if (details.value.len == 0)
		return 0;
	if (only_one(details.value, TAG_SEQUENCE, &value) < 0)
		return -EBADMSG;
	while (value.value.len > 0)
		if (need(&value.value, TAG_SEQUENCE, &extension) < 0 ||
			judge_reason(extension.value, ret) < 0)
			return -EBADMSG;
	return 0;
}

/* Status 0 is accepted, 1 granted with modifications; an empty list refuses everything. */
static int judge_confirmation(struct span body, struct cmp_judged *ret, const char **ret_reason)
{
	struct der_tlv list, status, value, info;

	*ret_reason = "the confirmation is malformed";
	if (only_one(body, TAG_SEQUENCE, &list) < 0)
		return -EBADMSG;
	ret->certificate_refused = list.value.len == 0;
	if (list.value.len == 0)
		return 0;
	if (only_one(list.value, TAG_SEQUENCE, &status) < 0 ||
		need(&status.value, TAG_OCTETS, &value) < 0 || value.value.len > CMP_NONCE_MAX ||
		need(&status.value, TAG_INTEGER, &value) < 0)
		return -EBADMSG;
	if (take(&status.value, TAG_SEQUENCE, &info) != 1)
		return 0;
	if (need(&info.value, TAG_INTEGER, &value) < 0)
		return -EBADMSG;
	ret->certificate_refused = small_number(value.value) != 0 && small_number(value.value) != 1;
	return 0;
}

static int judge_general(struct span body, struct cmp_judged *ret, const char **ret_reason)
{
	struct der_tlv list, value;
	unsigned count = 0;

	(void)ret;
	*ret_reason = "the general message is malformed or too long";
	if (only_one(body, TAG_SEQUENCE, &list) < 0)
		return -EBADMSG;
	while (list.value.len > 0)
		if (need(&list.value, TAG_SEQUENCE, &value) < 0 || ++count > GENERAL_MAX)
			return -EBADMSG;
	return 0;
}

static int judge_error(struct span body, struct cmp_judged *ret, const char **ret_reason)
{
	struct der_tlv value;

	(void)ret;
	*ret_reason = "the error message is malformed";
	return only_one(body, TAG_SEQUENCE, &value);
}

static const struct body_rule {
	enum cmp_body body;
	int (*judge)(struct span body, struct cmp_judged *ret, const char **ret_reason);
} body_rules[] = {
	{CMP_IR, judge_certreq},
	{CMP_CR, judge_certreq},
	{CMP_P10CR, judge_p10},
	{CMP_KUR, judge_certreq},
	{CMP_RR, judge_revocation},
	{CMP_GENM, judge_general},
	{CMP_ERROR, judge_error},
	{CMP_CERTCONF, judge_confirmation},
};

static int judge_body(const struct der_tlv *body, struct cmp_judged *ret, const char **ret_reason)
{
	*ret_reason = "this kind of CMP message is not served";
	if ((body->tag & CLASS_MASK) != TAG_CONTEXT)
		return -EBADMSG;
	for (size_t i = 0; i < sizeof(body_rules) / sizeof(body_rules[0]); i++) {
		if ((body->tag & NUMBER_MASK) != (unsigned char)body_rules[i].body)
			continue;
		ret->body = body_rules[i].body;
		return body_rules[i].judge(body->value, ret, ret_reason);
	}
	return -EBADMSG;
}

static int judge_extra_certs(struct span field, struct cmp_judged *ret)
{
	struct der_tlv list, cert;
	unsigned count = 0;

	if (only_one(field, TAG_SEQUENCE, &list) < 0)
		return -EBADMSG;
	while (list.value.len > 0) {
		if (need(&list.value, TAG_SEQUENCE, &cert) < 0 || ++count > CMP_EXTRA_CERTS_MAX)
			return -EBADMSG;
		if (count == 1)
			ret->signer_cert = cert.whole;
	}
	return 0;
}

/* What follows the body: the protection and the extra certificates. */
static int judge_tail(struct span rest, struct cmp_judged *ret, const char **ret_reason)
{
	struct der_tlv value, bits;
	int protected_by = take(&rest, TAG_CONTEXT + 0, &value);

	*ret_reason = "the message is not protected";
	if (protected_by != 1 || ret->protection == CMP_PROTECT_NONE)
		return -EBADMSG;
	*ret_reason = "the message's protection or extra certificates are malformed";
	if (only_one(value.value, TAG_BIT_STRING, &bits) < 0)
		return -EBADMSG;
	if (take(&rest, TAG_CONTEXT + 1, &value) == 1 && judge_extra_certs(value.value, ret) < 0)
		return -EBADMSG;
	return rest.len == 0 ? 0 : -EBADMSG;
}

int cmp_judge(struct span message, struct cmp_judged *ret, const char **ret_reason)
{
	struct cmp_judged judged = {.protection = CMP_PROTECT_NONE};
	struct der_tlv outer, header, body;
	struct span rest;

	*ret_reason = "not a CMP message, or one that is too long";
	if (message.len == 0 || message.len > CMP_MESSAGE_MAX || der_check(message) < 0 ||
		only_one(message, TAG_SEQUENCE, &outer) < 0)
		return -EBADMSG;
	rest = outer.value;
	if (need(&rest, TAG_SEQUENCE, &header) < 0 || der_next(&rest, &body) < 0)
		return -EBADMSG;
	if (judge_header(header.value, &judged, ret_reason) < 0 ||
		judge_body(&body, &judged, ret_reason) < 0 ||
		judge_tail(rest, &judged, ret_reason) < 0)
		return -EBADMSG;
	if (judged.protection == CMP_PROTECT_MAC && judged.sender_kid.len > CMP_REFERENCE_MAX) {
		*ret_reason = "the reference is too long";
		return -EBADMSG;
	}
	*ret = judged;
	return 0;
}
