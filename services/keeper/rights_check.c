/*
 * The table of rights: each operation with those who need it, as the services call them, and where
 * the operation alone says too little, with what the arguments have to be. What stands in no row is
 * the administrator's.
 */
#include "services/keeper/rights.h"

#include "auth/name.h"
#include "base/timefmt.h"
#include "services/keeper/rights_i.h"
#include "store/audit.h"
#include "store/cert.h"
#include "store/chat.h"
#include "store/file.h"
#include "store/shape.h"
#include "store/throttle.h"

#include <errno.h>

/* A call may wait for its turn, and a clock may be set; an invite's end or a chat's time is not to
 * be moved by it. */
#define SLACK_US (INT64_C(600) * 1000000)
#define HOUSE "quintet" /* the account of the services' certificates */

enum {
	DAYTIMED = 1 << CALLER_DAYTIMED,
	FTPD = 1 << CALLER_FTPD,
	CHATD = 1 << CALLER_CHATD,
	MAILD = 1 << CALLER_MAILD,
	CAD = 1 << CALLER_CAD,
	SIGNER = 1 << CALLER_SIGNER,
	SERVICES = DAYTIMED | FTPD | CHATD | MAILD | CAD | SIGNER,
	LOG_INS = FTPD | CHATD | MAILD | CAD | SIGNER, /* check passwords and certificates */
	SIGN_UPS = FTPD | CHATD | CAD | SIGNER, /* make accounts */
};

struct asked {
	enum keeper_caller caller;
	const struct caller_row *who;
	pid_t pid;
	const void *args;
	const struct keeper_house *house;
};

/* -- accounts ---------------------------------------------------------------------------------- */

static bool is_own_name(const struct asked *a, const char *service)
{
	return strcmp(service, a->who->says) == 0;
}

/* What goes into the audit table as done by somebody was not done by the administrator. */
static bool is_no_admin(const char *by)
{
	return strcmp(by, rights_name(CALLER_ADMIN)) != 0;
}

/* A name that people may take: folded already, and no host's or the house's. */
static bool is_free_for_all(const struct asked *a, const char *name)
{
	char folded[ACCOUNT_NAME_SIZE];

	return name_fold(span_str(name), folded) == 0 && strcmp(name, folded) == 0 &&
		!name_is_reserved(name, a->house->domain);
}

/* An account's flags come from its invite alone. */
static bool may_create(const struct asked *a)
{
	const struct account_create_args *c = a->args;

	if (c->flags != 0 || c->admin_act || !is_own_name(a, c->service) || !is_no_admin(c->peer) ||
		!is_free_for_all(a, c->name))
		return false;
	return strcmp(a->house->sign_up, "open") == 0 ||
		(strcmp(a->house->sign_up, "invite") == 0 && c->need_invite);
}

/* The signer sees passwords, so it may keep one better, but gives nobody another. */
static bool may_set_password(const struct asked *a)
{
	const struct account_password_args *p = a->args;

	return is_own_name(a, p->service) && is_no_admin(p->peer) &&
		(a->caller == CALLER_CAD || p->only_rehash);
}

/* -- log-ins ----------------------------------------------------------------------------------- */

/* What else is written down, operations write down themselves. */
static bool may_audit(const struct asked *a)
{
	const struct audit_row *row = a->args;
	const size_t len = strlen(a->who->says);

	return strcmp(row->event, "login-refused") == 0 && is_no_admin(row->by) &&
		span_starts(span_str(row->detail), a->who->says) &&
		strncmp(row->detail + len, ": ", 2) == 0;
}

/* A source keeps its count; see auth_succeeded(). */
static bool may_clear(const struct asked *a)
{
	const struct throttle_args *t = a->args;

	for (size_t i = 0; i < t->count; i++)
		if (t->keys[i].kind != THROTTLE_ACCOUNT)
			return false;
	return true;
}

/* -- sessions ---------------------------------------------------------------------------------- */

static bool may_keep_session(const struct asked *a)
{
	const struct session_row *row = a->args;

	return strcmp(row->service, a->who->name) == 0 && row->pid == a->pid &&
		row->since_us >= 0 && row->since_us <= time_now_us() + SLACK_US;
}

/* Sessions of one service bury each other. */
static bool may_end_session(const struct asked *a)
{
	const struct session_remove_args *r = a->args;

	return strcmp(r->service, a->who->name) == 0;
}

static bool may_bell(const struct asked *a)
{
	const struct bell_args *b = a->args;

	return strcmp(b->service, a->who->name) == 0;
}

/* -- certificates ------------------------------------------------------------------------------ */

/* Those of an account that has asked for it; of any is the administrator's, and so are those that
 * the services show: without them nobody comes in. */
static bool may_revoke(const struct asked *a)
{
	const struct cert_revoke_args *r = a->args;

	return r->account[0] != '\0' && strcmp(r->account, HOUSE) != 0 && is_no_admin(r->by);
}

/* -- files, chat ------------------------------------------------------------------------------- */

/* A dead process's may be released, see file_reservations_reap(). */
static bool may_reserve(const struct asked *a)
{
	const struct file_reserve_args *r = a->args;

	return r->bytes == 0 || r->pid == a->pid;
}

#define BY_FIRST(type) _Static_assert(offsetof(type, by) == 0, "who acts comes first")
BY_FIRST(struct chat_attach_args);
BY_FIRST(struct chat_detach_args);
BY_FIRST(struct chat_seen_args);
BY_FIRST(struct chat_login_args);
BY_FIRST(struct chat_nick_args);
BY_FIRST(struct chat_user_args);
BY_FIRST(struct chat_join_args);
BY_FIRST(struct chat_part_args);
BY_FIRST(struct chat_kick_args);
BY_FIRST(struct chat_invite_args);
BY_FIRST(struct chat_topic_args);
BY_FIRST(struct chat_rename_args);
BY_FIRST(struct chat_mode_args);
BY_FIRST(struct chat_post_args);
BY_FIRST(struct chat_redact_args);
BY_FIRST(struct chat_mark_args);
BY_FIRST(struct chat_meta_args);
BY_FIRST(struct chat_announce_args);

/* Some session's act; the house's own hand is the administrator's. */
static bool may_chat(const struct asked *a)
{
	const struct chat_actor *by = a->args;

	return by->session != 0;
}

/* -- the table --------------------------------------------------------------------------------- */

struct right {
	unsigned callers; /* 0: nobody but the administrator */
	bool (*may)(const struct asked *a); /* NULL: whatever the arguments are */
};

static const struct right rights[STORE_OP_COUNT] = {
	[STORE_OP_ACCOUNT_CREATE] = {SIGN_UPS, may_create},
	[STORE_OP_ACCOUNT_PASSWORD] = {CAD | SIGNER, may_set_password},
	[STORE_OP_CMP_CONSUME] = {SIGNER, NULL},
	[STORE_OP_CERT_INTENT] = {SIGNER, NULL},
	[STORE_OP_CERT_ISSUED] = {SIGNER, NULL},
	[STORE_OP_CERT_REVOKE] = {CAD | SIGNER, may_revoke},
	[STORE_OP_CRL_PUT] = {SIGNER, NULL},
	[STORE_OP_AUDIT_APPEND] = {LOG_INS, may_audit},
	[STORE_OP_THROTTLE_FAIL] = {LOG_INS, NULL},
	[STORE_OP_THROTTLE_CLEAR] = {LOG_INS, may_clear},
	[STORE_OP_SESSION_ADD] = {SERVICES, may_keep_session},
	[STORE_OP_SESSION_UPDATE] = {SERVICES, may_keep_session},
	[STORE_OP_SESSION_REMOVE] = {SERVICES, may_end_session},
	[STORE_OP_BELL_ADD] = {SERVICES, may_bell},
	[STORE_OP_BELL_REMOVE] = {SERVICES, may_bell},
	[STORE_OP_FILE_PUT] = {FTPD, NULL},
	[STORE_OP_FILE_REMOVE] = {FTPD, NULL},
	[STORE_OP_FILE_RENAME] = {FTPD, NULL},
	[STORE_OP_FILE_NOTE] = {FTPD, NULL},
	[STORE_OP_FILE_RESERVE] = {FTPD, may_reserve},
	[STORE_OP_PARTIAL_PUT] = {FTPD, NULL},
	[STORE_OP_PARTIAL_REMOVE] = {FTPD, NULL},
	[STORE_OP_CHAT_ATTACH] = {CHATD, may_chat},
	[STORE_OP_CHAT_DETACH] = {CHATD, may_chat},
	[STORE_OP_CHAT_SEEN] = {CHATD, may_chat},
	[STORE_OP_CHAT_LOGIN] = {CHATD, may_chat},
	[STORE_OP_CHAT_NICK] = {CHATD, may_chat},
	[STORE_OP_CHAT_USER] = {CHATD, may_chat},
	[STORE_OP_CHAT_JOIN] = {CHATD, may_chat},
	[STORE_OP_CHAT_PART] = {CHATD, may_chat},
	[STORE_OP_CHAT_KICK] = {CHATD, may_chat},
	[STORE_OP_CHAT_INVITE] = {CHATD, may_chat},
	[STORE_OP_CHAT_TOPIC] = {CHATD, may_chat},
	[STORE_OP_CHAT_RENAME] = {CHATD, may_chat},
	[STORE_OP_CHAT_MODE] = {CHATD, may_chat},
	[STORE_OP_CHAT_POST] = {CHATD, may_chat},
	[STORE_OP_CHAT_REDACT] = {CHATD, may_chat},
	[STORE_OP_CHAT_MARK] = {CHATD, may_chat},
	[STORE_OP_CHAT_META] = {CHATD, may_chat},
	[STORE_OP_CHAT_ANNOUNCE] = {CHATD, may_chat},
	[STORE_OP_MAIL_OPEN] = {MAILD, NULL},
	[STORE_OP_MAIL_CREATE] = {MAILD, NULL},
	[STORE_OP_MAIL_DELETE] = {MAILD, NULL},
	[STORE_OP_MAIL_RENAME] = {MAILD, NULL},
	[STORE_OP_MAIL_SUBSCRIBE] = {MAILD, NULL},
	[STORE_OP_MAIL_DELIVER] = {MAILD, NULL},
	[STORE_OP_MAIL_APPEND] = {MAILD, NULL},
	[STORE_OP_MAIL_COPY] = {MAILD, NULL},
	[STORE_OP_MAIL_MOVE] = {MAILD, NULL},
	[STORE_OP_MAIL_FLAGS] = {MAILD, NULL},
	[STORE_OP_MAIL_EXPUNGE] = {MAILD, NULL},
	[STORE_OP_MAIL_RECENT] = {MAILD, NULL},
	[STORE_OP_MAIL_RECEIPT] = {MAILD, NULL},
	[STORE_OP_MAIL_SHOWN] = {MAILD, NULL},
	[STORE_OP_MAIL_PREFS] = {MAILD, NULL},
};

int rights_check(enum keeper_caller caller, pid_t pid, enum store_op op, const void *args,
	const struct keeper_house *house)
{
	const struct asked asked = {caller, rights_row(caller), pid, args, house};
	const struct right *right;

	if (caller == CALLER_NOBODY || (unsigned)caller > CALLER_ALL ||
		(unsigned)op >= STORE_OP_COUNT)
		return -EPERM;
	if (caller == CALLER_ADMIN || caller == CALLER_ALL)
		return 0;
	right = &rights[op];
	if ((right->callers & 1U << caller) == 0 ||
		!shape_is_timely(op, args, time_now_us(), SLACK_US))
		return -EPERM;
	return right->may == NULL || right->may(&asked) ? 0 : -EPERM;
}
