/* Whose names a request asks for, and whose certificate it comes with. */
#include "services/cad/signer/sign.h"

#include "auth/name.h"
#include "base/timefmt.h"

#include <errno.h>

/* name@domain, the name folded as everywhere, the domain without regard to case. */
static bool is_own_address(const struct sign *g, const char *account, const char *text)
{
	const char *at = strrchr(text, '@');
	char name[ACCOUNT_NAME_SIZE];

	return at != NULL && name_fold(span_of(text, (size_t)(at - text)), name) == 0 &&
		strcmp(name, account) == 0 &&
		span_caseeq_str(span_str(at + 1), g->s->settings.domain);
}

bool sign_names_are_own(
	const struct sign *g, const char *account, const char *cn, const char *email)
{
	char name[ACCOUNT_NAME_SIZE];

	if (cn[0] != '\0' && !is_own_address(g, account, cn) &&
		(name_fold(span_str(cn), name) < 0 || strcmp(name, account) != 0))
		return false;
	return email[0] == '\0' || is_own_address(g, account, email);
}

/* What keeps the certificate from standing for its account; NULL nothing. */
static const char *old_trouble(const struct cert *row, const struct account *account)
{
	if (row->profile != CERT_PROFILE_USER)
		return "this is not a user's certificate";
	if (row->state == CERT_REVOKED)
		return "the certificate is revoked";
	if (row->state != CERT_ISSUED)
		return "the certificate was never issued";
	if (time_now_us() >= row->not_after_us)
		return "the certificate has expired";
	if ((account->flags & ACCOUNT_LOCKED) != 0)
		return "the account is locked";
	return NULL;
}

int sign_old_find(struct sign *g, struct span serial, struct sign_old *ret, const char **ret_reason)
{
	struct cert row;
	int r = -ENOENT;

	if (serial.len == CERT_SERIAL_LEN)
		r = cert_get(g->s->store, serial.p, &row, ret->der);
	if (r == -ENOENT) {
		*ret_reason = "the certificate is not one of ours";
		return -EKEYREJECTED;
	}
	if (r == 0)
		r = account_get(g->s->store, row.account, &ret->account);
	if (r == -ENOENT) {
		*ret_reason = "the certificate's account is gone";
		return -EKEYREJECTED;
	}
	if (r < 0)
		return r;
	memcpy(ret->serial, row.serial, sizeof(ret->serial));
	memcpy(ret->spki_sha256, row.spki_sha256, sizeof(ret->spki_sha256));
	ret->der_len = row.der.len;
	*ret_reason = old_trouble(&row, &ret->account);
	return *ret_reason == NULL ? 0 : -EKEYREJECTED;
}
