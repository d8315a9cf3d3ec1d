/*
 * The authority's own keys and certificates, made where the keys may be: in the privileged process
 * of `init` and `ca roll`. Nothing here touches the store; what was made is handed to the
 * administrator's part as certificates only.
 */
#ifndef QUINTETCTL_AUTHORITY_H
#define QUINTETCTL_AUTHORITY_H

#include "ctl.h"

#include "pki/cert.h"
#include "pki/crl.h"
#include "store/cert.h"

#define AUTHORITY_DAY_US (INT64_C(86400) * 1000000)
#define AUTHORITY_ROOT_DAYS 7305 /* 20 years */
#define AUTHORITY_ISSUING_DAYS 1826 /* 5 years */
#define AUTHORITY_DER_MAX CERT_DER_MAX

/* A key and the certificate over it. */
struct pair {
	struct pki_key *key;
	struct buf der;
};
#define PAIR_INIT ((struct pair){.der = {.max = AUTHORITY_DER_MAX}})
void pair_done(struct pair *p);

/* What one authority of the house consists of. key of ocsp and cmp stay the same for ever. */
struct authority {
	uint32_t id; /* of the issuing CA */
	int64_t now_us;
	const struct service_settings *settings;
	struct pair root, issuing, ocsp, cmp;
	struct buf root_crl;
};
void authority_done(struct authority *a);

/* The administrator's part starts as a copy of the privileged process: it wipes its keys first. */
void authority_forget_keys(struct authority *a);

/* Makes the root with a new key. */
int authority_root(struct authority *a);

/* Issuing CA number a->id under a->root, with a new key; certificates of the OCSP and the CMP
 * responder (new keys where they have none), and a root CRL of that number that outlives it. */
int authority_issuing(struct authority *a, uint64_t root_crl_number);

/* A service's certificate straight from the issuing key: at init, when no signer runs yet. */
int authority_host(const struct authority *a, enum pki_profile profile, const char *const *hosts,
	size_t count, int64_t days, struct pair *ret);

/* Key as PEM, to be wiped; a key file's content. */
int pair_key_pem(const struct pair *p, struct buf *ret);

/* -- what the store is told (authority_store.c); in the administrator's part only -------------- */

/* Intent and issued row of one of the house's own certificates. Says what is wrong. */
int authority_put_cert(struct ctl *c, uint32_t ca_id, enum cert_profile profile, struct span der);

/* The issuing CA of a, its responders' certificates and the root CRL. Says what is wrong. */
int authority_put(struct ctl *c, const struct authority *a, uint64_t root_crl_number);

/* The list of authorities as the administrator's part hands it over. */
#define AUTHORITY_CAS_MAX 32
struct authority_list {
	struct buf bytes; /* the reply; the rows point into it */
	size_t count;
	struct {
		uint32_t id;
		bool retired;
		struct span der, ocsp_der, cmp_der;
	} ca[AUTHORITY_CAS_MAX];
	uint64_t root_crl_number; /* 0 none */
	int64_t root_crl_next_us;
};
#define AUTHORITY_LIST_INIT ((struct authority_list){.bytes = {.max = 4u << 20}})
void authority_list_done(struct authority_list *l);

/* Reads it from the store through ctl_as_admin. Without a store: CTL_OK and count 0. */
int authority_list_get(struct ctl *c, struct authority_list *ret);
/* The issuing CA that signs now; NULL when there is none. */
struct span authority_list_current(const struct authority_list *l, uint32_t *ret_id);
/* The issuing certificate that signed this leaf; empty when none of ours did. */
struct span authority_list_issuer(const struct authority_list *l, struct span leaf_der);

/* CONF/pki/root.pem and chain.pem from the list. Says what is wrong. */
int authority_publish(struct ctl *c, const struct authority_list *l);

#endif
