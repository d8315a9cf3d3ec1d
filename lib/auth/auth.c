/*
 * Log-in by password and by certificate. The order in auth_password() is what keeps it even: the
 * throttle is asked before and after the hash, the hash runs whatever the name is, and only then is
 * it looked at who it was.
 */
#include "auth/auth.h"

#include "auth/name.h"
#include "auth/password.h"
#include "auth/throttle_i.h"
#include "base/hash.h"
#include "base/timefmt.h"
#include "pki/cert.h"

#include <errno.h>
#include <limits.h>

/* The account of that name; found false, and an empty account, when there is none. */
static int look_up(struct store *s, struct span name, struct account *ret, bool *ret_found)
{
	struct account account = {0};
	char folded[ACCOUNT_NAME_SIZE];
	int r = name_fold(name, folded);

	if (r < 0)
		/* The look-up of a name that cannot exist, for the same cost. */
		memcpy(folded, "-", 2);
	r = account_get(s, folded, &account);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_found = r == 0;
	*ret = account;
	return 0;
}

/* 0; -EBUSY and the wait. */
static int ask_throttle(
	struct store *s, const struct auth_source *from, struct span name, unsigned *ret_wait_s)
{
	unsigned wait_s = 0;
	int r = auth_throttle_wait_s(s, from, name, &wait_s);

	if (r < 0)
		return r;
	if (wait_s > 0 && ret_wait_s != NULL)
		*ret_wait_s = wait_s;
	return wait_s > 0 ? -EBUSY : 0;
}

/*
 * A stronger hash of the same password, when the stored one is of former days. Passwords are
 * cad's to write (keeper(8)): the others leave it to the next log-in there.
 */
static void rehash(struct store *s, const struct auth_source *from, const struct account *account,
	struct span password)
{
	struct account_password_args args = {.only_rehash = true, .now_us = time_now_us()};

	if (from->service == NULL || strcmp(from->service, "cad") != 0)
		return;
	if (!password_is_outdated(account->password) ||
		password_hash(password, from->runtime, args.password) < 0)
		return;
	memcpy(args.name, account->name, sizeof(args.name));
	memcpy(args.old, account->password, sizeof(args.old));
	(void)snprintf(args.peer, sizeof(args.peer), "%s", from->peer != NULL ? from->peer : "");
	(void)snprintf(args.service, sizeof(args.service), "%s", from->service);
	/* Somebody else changed it meanwhile, or the disk is full: the next log-in tries again. */
	(void)store_call(s, STORE_OP_ACCOUNT_PASSWORD, &args, NULL);
}

static const char *judge(bool found, const struct account *account, int checked)
{
	if (!found)
		return "unknown name";
	if ((account->flags & (ACCOUNT_LOCKED | ACCOUNT_HOST)) != 0)
		return checked == 0 ? "account locked" : "account locked, wrong password";
	return checked == 0 ? NULL : "wrong password";
}

int auth_password(struct store *s, const struct auth_source *from, struct span name,
	struct span password, struct auth_identity *ret, unsigned *ret_wait_s)
{
	struct throttle_key keys[2];
	struct refusal refusal = {.keys = keys, .count = throttle_keys(from, name, keys)};
	struct account account;
	bool found = false;
	int r, checked;

	r = ask_throttle(s, from, name, ret_wait_s);
	if (r == 0)
		r = look_up(s, name, &account, &found);
	if (r < 0)
		return r;
	checked = password_check(password, found ? account.password : NULL, from->runtime);
	if (checked < 0 && checked != -EACCES)
		return checked;
	refusal.what = judge(found, &account, checked);
	refusal.account = found ? account.name : NULL;
	/* Guesses that all began before the first failed learn nothing beyond the limit. */
	r = ask_throttle(s, from, name, ret_wait_s);
	if (refusal.what != NULL)
		throttle_refuse(s, from, &refusal);
	if (r < 0)
		return r;
	if (refusal.what != NULL)
		return -EACCES;
	rehash(s, from, &account, password);
	auth_succeeded(s, from, name);
	*ret = (struct auth_identity){.proof = AUTH_PASSWORD, .account = account};
	return 0;
}

/* Does the certificate look like one of our users', now? NULL or the reason why not. */
static const char *judge_certificate(const struct pki_cert_info *info)
{
	int64_t now_us = time_now_us();

	if (info->is_ca || !info->eku_client || !info->eku_peer || info->eku_server)
		return "the certificate is not a user's";
	if (info->serial_len != CERT_SERIAL_LEN)
		return "the certificate is not one of this authority";
	if (now_us < info->not_before_us)
		return "the certificate is not valid yet";
	return now_us > info->not_after_us ? "the certificate has expired" : NULL;
}

static const char *refusal_text(int error)
{
	switch (error) {
	case -ENOENT:
		return "the certificate is not one of this authority";
	case -EKEYREVOKED:
		return "the certificate was revoked";
	case -EACCES:
		return "the account is locked or gone";
	default:
		return NULL;
	}
}

/*
 * The failure counts for this certificate alone and only bounds its audit rows: a bad certificate
 * never stands in the way of a password, of its owner's or of a neighbour's.
 */
static int refuse_certificate(struct store *s, const struct auth_source *from,
	const struct pki_cert_info *info, const char **ret_reason, const char *reason)
{
	struct throttle_key key = {.kind = THROTTLE_ACCOUNT, .len = sizeof(info->sha256)};
	struct refusal refusal = {.keys = &key, .count = 1, .what = reason};

	memcpy(key.key, info->sha256, sizeof(info->sha256));
	throttle_refuse(s, from, &refusal);
	*ret_reason = reason;
	return -EKEYREJECTED;
}

int auth_certificate(struct store *s, const struct auth_source *from, struct span der,
	struct auth_identity *ret, const char **ret_reason)
{
	struct auth_identity who = {.proof = AUTH_CERTIFICATE};
	struct pki_cert_info info;
	const char *reason;
	int r = pki_cert_read(der, &info);

	if (r < 0) {
		*ret_reason = "the certificate cannot be read";
		return r == -ENOMEM ? r : -EKEYREJECTED;
	}
	reason = judge_certificate(&info);
	if (reason != NULL)
		return refuse_certificate(s, from, &info, ret_reason, reason);
	memcpy(who.serial, info.serial, sizeof(who.serial));
	r = cert_check(s, who.serial, &who.account);
	if (r < 0) {
		reason = refusal_text(r);
		return reason != NULL ? refuse_certificate(s, from, &info, ret_reason, reason) : r;
	}
	if (strcmp(who.account.name, info.cn) != 0)
		return refuse_certificate(
			s, from, &info, ret_reason, "the certificate is not the account's");
	if ((who.account.flags & ACCOUNT_HOST) != 0)
		return refuse_certificate(
			s, from, &info, ret_reason, "a host's account does not log in");
	*ret = who;
	return 0;
}

int auth_still_valid(struct store *s, const struct auth_identity *who)
{
	struct account now;
	int r;

	if (who->proof == AUTH_CERTIFICATE)
		r = cert_check(s, who->serial, &now);
	else
		r = account_get(s, who->account.name, &now);
	if (r == -ENOENT || r == -EKEYREVOKED || r == -EACCES)
		return -EACCES;
	if (r < 0)
		return r;
	if ((now.flags & ACCOUNT_LOCKED) != 0 || now.account_gen != who->account.account_gen ||
		strcmp(now.name, who->account.name) != 0)
		return -EACCES;
	/* A session acts by the role that it began with. */
	if ((who->account.flags & ~now.flags & ACCOUNT_ADMIN) != 0)
		return -EACCES;
	if (who->proof == AUTH_PASSWORD && now.password_gen != who->account.password_gen)
		return -EACCES;
	return 0;
}
