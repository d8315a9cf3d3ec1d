/* quintetctl invite: one-time tokens for sign-up, and references with secrets for CMP clients. */
#include "ctl.h"

#include "auth/auth.h"
#include "auth/name.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "store/account.h"
#include "store/policy.h"

#include <errno.h>

#define DAY_US (INT64_C(86400) * TIME_S_US)

enum { OPT_NAME, OPT_DAYS, OPT_USES, OPT_ADMIN, OPT_CMP };
static const struct ctl_option create_options[] = {{"name", "NAME", false}, {"days", "DAYS", false},
	{"uses", "N", false}, {"admin", NULL, false}, {"cmp", "NAME", false}, {.name = NULL}};

/*
 * An invite makes no account under a reserved name; one that is there may well be given a
 * reference.
 */
static int check_reserved(struct ctl *c, const char *name, bool existing_will_do)
{
	struct account a;
	int r = -ENOENT;

	if (!name_is_reserved(name, c->settings.domain))
		return CTL_OK;
	if (existing_will_do)
		r = account_get(c->store, name, &a);
	if (r < 0 && r != -ENOENT)
		return ctl_fail(r, "cannot look for %s", name);
	if (r == 0) {
		explicit_bzero(a.password, sizeof(a.password));
		return CTL_OK;
	}
	ctl_warn("%s is a reserved name: only quintetctl user add makes its account", name);
	return CTL_REFUSED;
}

/* -- CMP -------------------------------------------------------------------------------------- */

/* 16 letters and digits that nobody mistakes for one another. */
static int new_reference(char *ret, size_t size)
{
	static const char alphabet[] = "abcdefghjkmnpqrstuvwxyz23456789"; /* 31 */
	unsigned char bytes[64];
	size_t i, done = 0;
	int r = hash_random(bytes, sizeof(bytes));

	if (r < 0)
		return r;
	for (i = 0; i < sizeof(bytes) && done < 16 && done + 1 < size; i++)
		if (bytes[i] < 31 * 8) /* every letter equally often */
			ret[done++] = alphabet[bytes[i] % 31];
	ret[done] = '\0';
	return done == 16 ? 0 : -EIO;
}

static int print_cmp(struct ctl *c, const struct cmp_ref *ref, struct span secret)
{
	static const struct ctl_column columns[] = {{"reference", CTL_TEXT}, {"secret", CTL_TEXT},
		{"name", CTL_TEXT}, {"expires", CTL_TEXT}};
	_cleanup_(ctl_table_done) struct ctl_table t = CTL_TABLE(columns);

	if (!c->json) {
		(void)printf("%s %.*s\n", ref->reference, (int)secret.len, (const char *)secret.p);
		return CTL_OK;
	}
	ctl_cell(&t, "%s", ref->reference);
	ctl_cell_span(&t, secret);
	ctl_cell(&t, "%s", ref->name);
	ctl_cell_time(&t, ref->expires_us);
	return ctl_table_record(c, &t);
}

static int create_cmp(struct ctl *c, const char *name, int64_t days)
{
	_cleanup_(buf_wipe) struct buf scratch = BUF_INIT(SIGNER_ANSWER_MAX + 16);
	struct signer_request ask = {.kind = SIGNER_CMP_SECRET, .peer = CTL_BY};
	struct cmp_ref ref = {.created_us = time_now_us()};
	struct signer_answer answer;
	int r = ctl_name(name, ref.name);

	if (r == CTL_OK)
		r = check_reserved(c, ref.name, true);
	if (r != CTL_OK)
		return r;
	ref.expires_us = ref.created_us + days * DAY_US;
	r = new_reference(ref.reference, sizeof(ref.reference));
	if (r < 0)
		return ctl_fail(r, "cannot make a reference");
	r = store_call(c->store, STORE_OP_CMP_CREATE, &ref, NULL);
	if (r < 0)
		return ctl_fail(r, "cannot store the reference");
	(void)snprintf(ask.name, sizeof(ask.name), "%s", ref.reference);
	r = ctl_signer(c, &ask, &scratch, &answer);
	return r == CTL_OK ? print_cmp(c, &ref, answer.payload) : r;
}

/* -- tokens ----------------------------------------------------------------------------------- */

static int print_token(struct ctl *c, const char *token, const struct invite *i)
{
	static const struct ctl_column columns[] = {{"token", CTL_TEXT}, {"name", CTL_TEXT},
		{"uses", CTL_NUMBER}, {"expires", CTL_TEXT}};
	_cleanup_(ctl_table_done) struct ctl_table t = CTL_TABLE(columns);

	ctl_cell(&t, "%s", token);
	ctl_cell(&t, "%s", i->name);
	ctl_cell(&t, "%u", i->uses_left);
	ctl_cell_time(&t, i->expires_us);
	return ctl_table_record(c, &t);
}

/* A token makes an account; where one is, the token would only be refused. */
static int check_free(struct ctl *c, const char *name)
{
	struct account a;
	int r = *name != '\0' ? account_get(c->store, name, &a) : -ENOENT;

	if (r == -ENOENT)
		return CTL_OK;
	if (r < 0)
		return ctl_fail(r, "cannot look for %s", name);
	explicit_bzero(a.password, sizeof(a.password));
	ctl_warn("there is an account %s already: give it a new password (user password) or a "
		 "reference (invite --cmp)",
		name);
	return CTL_REFUSED;
}

static int create_token(struct ctl *c, const struct ctl_args *a, int64_t days, uint32_t uses)
{
	struct invite i = {.created_us = time_now_us(), .uses_left = uses};
	char token[64];
	int r = CTL_OK;

	if (a->option[OPT_NAME] != NULL)
		r = ctl_name(a->option[OPT_NAME], i.name);
	if (r == CTL_OK)
		r = check_reserved(c, i.name, false);
	if (r == CTL_OK)
		r = check_free(c, i.name);
	if (r != CTL_OK)
		return r;
	i.expires_us = i.created_us + days * DAY_US;
	i.flags = a->option[OPT_ADMIN] != NULL ? ACCOUNT_ADMIN : 0;
	r = auth_token_new(token, sizeof(token), i.hash);
	if (r == 0)
		r = store_call(c->store, STORE_OP_INVITE_CREATE, &i, NULL);
	if (r < 0)
		return ctl_fail(r, "cannot make the invite");
	r = print_token(c, token, &i);
	explicit_bzero(token, sizeof(token));
	return r;
}

static int run_create(struct ctl *c, const struct ctl_args *a)
{
	uint64_t days = 0, uses = 1;
	int r = CTL_OK;

	if (a->option[OPT_DAYS] != NULL)
		r = ctl_number("--days", a->option[OPT_DAYS], 1, 3650, &days);
	if (r == CTL_OK && a->option[OPT_USES] != NULL)
		r = ctl_number("--uses", a->option[OPT_USES], 1, 100000, &uses);
	if (r == CTL_OK && a->option[OPT_CMP] != NULL &&
		(a->option[OPT_NAME] != NULL || a->option[OPT_USES] != NULL ||
			a->option[OPT_ADMIN] != NULL)) {
		ctl_warn("--cmp goes with --days only: a reference is for one name and one use");
		r = CTL_USAGE;
	}
	if (r == CTL_OK)
		r = ctl_store(c, STORE_WRITE);
	if (r != CTL_OK)
		return r;
	if (days == 0 && policy_number(c->store, "invite_days", &days) < 0)
		days = 7;
	if (a->option[OPT_CMP] != NULL)
		return create_cmp(c, a->option[OPT_CMP], (int64_t)days);
	return create_token(c, a, (int64_t)days, (uint32_t)uses);
}

/* -- list and remove
 * -------------------------------------------------------------------------------- */

#define ID_BYTES 8 /* of the hash: enough to tell invites apart, nothing to sign up with */

static int list_one(void *arg, const struct invite *i)
{
	struct ctl_table *t = (struct ctl_table *)arg;

	ctl_cell_hex(t, i->hash, ID_BYTES);
	ctl_cell(t, "%s", i->name);
	ctl_cell(t, "%s", i->flags & ACCOUNT_ADMIN ? "admin" : "user");
	ctl_cell(t, "%u", i->uses_left);
	ctl_cell_time(t, i->created_us);
	ctl_cell_time(t, i->expires_us);
	return 0;
}

static int run_list(struct ctl *c, const struct ctl_args *a)
{
	static const struct ctl_column columns[] = {{"id", CTL_TEXT}, {"name", CTL_TEXT},
		{"role", CTL_TEXT}, {"uses_left", CTL_NUMBER}, {"created", CTL_TEXT},
		{"expires", CTL_TEXT}};
	_cleanup_(ctl_table_done) struct ctl_table t = CTL_TABLE(columns);
	int r = ctl_store(c, STORE_READ);

	(void)a;
	if (r != CTL_OK)
		return r;
	r = invite_each(c->store, list_one, &t);
	return r < 0 ? ctl_fail(r, "cannot list the invites") : ctl_table_rows(c, &t);
}

struct search {
	struct span prefix;
	unsigned char hash[INVITE_HASH_LEN];
	unsigned found;
};

static int match_one(void *arg, const struct invite *i)
{
	struct search *s = (struct search *)arg;

	if (span_eq(span_of(i->hash, s->prefix.len), s->prefix)) {
		memcpy(s->hash, i->hash, sizeof(s->hash));
		s->found++;
	}
	return 0;
}

/* By the id of the list, or by the token itself. */
static int find(struct ctl *c, const char *text, unsigned char ret[INVITE_HASH_LEN])
{
	_cleanup_(buf_done) struct buf id = BUF_INIT(INVITE_HASH_LEN);
	struct search s = {.found = 0};
	struct invite i;

	if (strlen(text) == 2 * (size_t)ID_BYTES && text_unhex(&id, span_str(text)) == 0) {
		s.prefix = buf_span(&id);
		if (invite_each(c->store, match_one, &s) == 0 && s.found == 1) {
			memcpy(ret, s.hash, INVITE_HASH_LEN);
			return 0;
		}
	}
	return auth_token_hash(span_str(text), ret) == 0 && invite_get(c->store, ret, &i) == 0
		? 0
		: -ENOENT;
}

static int run_remove(struct ctl *c, const struct ctl_args *a)
{
	unsigned char hash[INVITE_HASH_LEN];
	int r = ctl_store(c, STORE_WRITE);

	if (r != CTL_OK)
		return r;
	r = find(c, a->word[0], hash);
	if (r == 0)
		r = store_call(c->store, STORE_OP_INVITE_REMOVE, hash, NULL);
	if (r == -ENOENT) {
		ctl_warn("there is no such invite");
		return CTL_REFUSED;
	}
	if (r < 0)
		return ctl_fail(r, "cannot remove the invite");
	ctl_say(c, "Invite removed.");
	return CTL_OK;
}

const struct ctl_command ctl_invite_commands[] = {
	{"invite", "create", "", 0, 0, create_options, CTL_AS_ADMIN, run_create,
		"make a sign-up token, or with --cmp NAME a CMP reference and secret"},
	{"invite", "list", "", 0, 0, NULL, CTL_AS_ADMIN, run_list, "list the open invites"},
	{"invite", "remove", "ID|TOKEN", 1, 1, NULL, CTL_AS_ADMIN, run_remove, "take one back"},
	{"invite", NULL, "", 0, 0, create_options, CTL_AS_ADMIN, run_create,
		"the same as invite create"},
	{.noun = NULL}};
