/* Shapes: certificates, the authority's own, CRLs. */
#include "store/cert.h"
#include "store/shape_i.h"

static const struct shape_field cert_fields[] = {
	RAW(struct cert, serial),
	TEXT(struct cert, account),
	UPTO(struct cert, state, CERT_REVOKED),
	BETWEEN(struct cert, profile, CERT_PROFILE_USER, CERT_PROFILE_CMP),
	NUMBER(struct cert, ca_id),
	NOW(struct cert, created_us),
	NUMBER(struct cert, not_before_us),
	NUMBER(struct cert, not_after_us),
	NUMBER(struct cert, revoked_us),
	NUMBER(struct cert, reason),
	RAW(struct cert, spki_sha256),
	SPAN(struct cert, der, CERT_DER_MAX),
};
static const struct shape cert = SHAPE(cert, struct cert);

static const struct shape_field issued_fields[] = {
	RAW(struct cert_issued_args, serial),
	SPAN(struct cert_issued_args, der, CERT_DER_MAX),
	NOW(struct cert_issued_args, now_us),
	TEXT(struct cert_issued_args, peer),
	TEXT(struct cert_issued_args, proof),
};
static const struct shape issued = SHAPE(issued, struct cert_issued_args);

static const struct shape_field revoke_fields[] = {
	RAW(struct cert_revoke_args, serial),
	TEXT(struct cert_revoke_args, account),
	NUMBER(struct cert_revoke_args, reason),
	NOW(struct cert_revoke_args, now_us),
	TEXT(struct cert_revoke_args, by),
};
static const struct shape revoke = SHAPE(revoke, struct cert_revoke_args);

static const struct shape_field ca_fields[] = {
	NUMBER(struct ca, id),
	BOOL(struct ca, retired),
	SPAN(struct ca, der, CERT_DER_MAX),
	SPAN(struct ca, ocsp_der, CERT_DER_MAX),
	SPAN(struct ca, cmp_der, CERT_DER_MAX),
};
static const struct shape ca = SHAPE(ca, struct ca);

static const struct shape_field crl_fields[] = {
	NUMBER(struct crl_put_args, ca_id),
	NUMBER(struct crl_put_args, number),
	NUMBER(struct crl_put_args, this_update_us),
	NUMBER(struct crl_put_args, next_update_us),
	NUMBER(struct crl_put_args, revision),
	SPAN(struct crl_put_args, der, SHAPE_MESSAGE_MAX),
};
static const struct shape crl = SHAPE(crl, struct crl_put_args);

static const struct shape_row rows[] = {
	{STORE_OP_CERT_INTENT, &cert},
	{STORE_OP_CERT_ISSUED, &issued},
	{STORE_OP_CERT_REVOKE, &revoke},
	{STORE_OP_CA_PUT, &ca},
	{STORE_OP_CRL_PUT, &crl},
};

const struct shape_rows shape_rows_cert = {rows, sizeof(rows) / sizeof(rows[0])};
