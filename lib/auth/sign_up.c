/* Sign-up by policy. What costs much (the hash) comes after everything that can refuse cheaply. */
#include "auth/auth.h"
#include "auth/name.h"
#include "auth/password.h"
#include "base/timefmt.h"
#include "store/policy.h"

#include <errno.h>

/* What the peer said. */
struct wish {
	struct span name, password, token;
};

static int refuse(const char **ret_reason, int error, const char *reason)
{
	*ret_reason = reason;
	return error;
}

/* Does the policy let anybody in here, and does it want a token? */
static int ask_policy(struct store *s, bool *ret_need_token, const char **ret_reason)
{
	char policy[POLICY_VALUE_SIZE];
	int r = policy_text(s, "signup", policy);

	if (r < 0)
		return refuse(ret_reason, r, "the sign-up policy cannot be read");
	if (strcmp(policy, "open") != 0 && strcmp(policy, "invite") != 0)
		return refuse(ret_reason, -EPERM, "sign-up is closed; ask the administrator");
	*ret_need_token = strcmp(policy, "open") != 0;
	return 0;
}

static int check_name(const struct auth_source *from, struct span name, char ret[ACCOUNT_NAME_SIZE],
	const char **ret_reason)
{
	char folded[ACCOUNT_NAME_SIZE];

	if (name_fold(name, folded) < 0)
		return refuse(ret_reason, -EINVAL,
			"a name is 1 to 32 letters, digits, '_' or '-', and begins with a letter");
	if (name_is_reserved(folded, from->domain))
		return refuse(ret_reason, -EINVAL, "this name is reserved");
	memcpy(ret, folded, sizeof(folded));
	return 0;
}

/* A first look; the operation itself decides. */
static int check_token(struct store *s, struct span token, struct account_create_args *args,
	const char **ret_reason)
{
	unsigned char hash[INVITE_HASH_LEN];
	struct invite invite;
	int r = auth_token_read(token, args->invite);

	if (r == 0)
		r = auth_token_hash(token, hash);
	if (r == 0)
		r = invite_get(s, hash, &invite);
	if (r == 0 &&
		(invite.uses_left == 0 || invite.expires_us <= args->now_us ||
			(invite.name[0] != '\0' && strcmp(invite.name, args->name) != 0)))
		r = -EKEYREJECTED;
	if (r == -EINVAL || r == -ENOENT || r == -EKEYREJECTED)
		return refuse(ret_reason, -EKEYREJECTED,
			"the invite is unknown, used up, expired or for another name");
	args->need_invite = r == 0;
	return r < 0 ? refuse(ret_reason, r, "the invite cannot be checked now") : 0;
}

static int check_free(struct store *s, const char *name, const char **ret_reason)
{
	struct account account;
	int r = account_get(s, name, &account);

	if (r == 0)
		return refuse(ret_reason, -EEXIST, "this name is taken");
	return r == -ENOENT ? 0 : refuse(ret_reason, r, "the store cannot be read now");
}

static int hash_password(const struct auth_source *from, struct span password,
	struct account_create_args *args, const char **ret_reason)
{
	int r;

	if (password.p == NULL)
		return 0;
	r = password_acceptable(password, args->name, ret_reason);
	if (r < 0)
		return r;
	r = password_hash(password, from->runtime, args->password);
	return r < 0 ? refuse(ret_reason, r, "too many log-ins at once; try again") : 0;
}

static int create(struct store *s, const struct account_create_args *args, const char **ret_reason)
{
	int r = store_call(s, STORE_OP_ACCOUNT_CREATE, args, NULL);

	if (r == -EEXIST)
		return refuse(ret_reason, r, "this name is taken");
	if (r == -EKEYREJECTED)
		return refuse(ret_reason, r,
			"the invite is unknown, used up, expired or for another name");
	return r < 0 ? refuse(ret_reason, r, "the account cannot be made now; try again") : 0;
}

/* Everything behind the throttle. */
static int sign_up(struct store *s, const struct auth_source *from, const struct wish *asked,
	struct account_create_args *args, const char **ret_reason)
{
	int r = check_name(from, asked->name, args->name, ret_reason);

	if (r == 0 && asked->token.len > 0)
		r = check_token(s, asked->token, args, ret_reason);
	if (r == 0)
		r = check_free(s, args->name, ret_reason);
	if (r == 0)
		r = hash_password(from, asked->password, args, ret_reason);
	return r == 0 ? create(s, args, ret_reason) : r;
}

int auth_sign_up(struct store *s, const struct auth_source *from, struct span name,
	struct span password, struct span token, const char **ret_reason)
{
	struct wish asked = {name, password, token};
	struct account_create_args args = {.now_us = time_now_us()};
	const struct span nobody = {NULL, 0};
	bool need_token = true;
	unsigned wait_s = 0;
	int r = ask_policy(s, &need_token, ret_reason);

	if (r == 0)
		r = auth_throttle_wait_s(s, from, nobody, &wait_s);
	if (r < 0)
		return r;
	if (wait_s > 0)
		return refuse(ret_reason, -EBUSY, "too many failed tries; wait");
	if (need_token && token.len == 0)
		return refuse(ret_reason, -EKEYREJECTED, "sign-up needs an invite");
	(void)snprintf(args.peer, sizeof(args.peer), "%s", from->peer != NULL ? from->peer : "");
	(void)snprintf(args.service, sizeof(args.service), "%s",
		from->service != NULL ? from->service : "");
	r = sign_up(s, from, &asked, &args, ret_reason);
	/* Guessing invites and listing names are what the throttle is for. */
	if (r == -EKEYREJECTED || r == -EEXIST)
		auth_failed(s, from, nobody,
			r == -EEXIST ? "sign-up under a taken name" : "sign-up with a bad invite");
	explicit_bzero(args.password, sizeof(args.password));
	explicit_bzero(args.invite, sizeof(args.invite));
	return r;
}
