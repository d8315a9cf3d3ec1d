/* Shapes: accounts, invites, sessions, bells, settings, audit, throttle, blobs, the sweep. */
#include "store/account.h"
#include "store/audit.h"
#include "store/blob.h"
#include "store/keys.h"
#include "store/policy.h"
#include "store/session.h"
#include "store/shape_i.h"
#include "store/throttle.h"

enum {
	ACCOUNT_FLAGS = ACCOUNT_ADMIN | ACCOUNT_LOCKED | ACCOUNT_HOST | ACCOUNT_FTP_UNBOUND,
};

/* -- accounts ---------------------------------------------------------------------------------- */

static const struct shape_field create_fields[] = {
	TEXT(struct account_create_args, name),
	TEXT(struct account_create_args, password),
	BITS(struct account_create_args, flags, ACCOUNT_FLAGS),
	BOOL(struct account_create_args, need_invite),
	BOOL(struct account_create_args, admin_act),
	TEXT(struct account_create_args, invite),
	NOW(struct account_create_args, now_us),
	TEXT(struct account_create_args, peer),
	TEXT(struct account_create_args, service),
};
static const struct shape create = SHAPE(create, struct account_create_args);

static const struct shape_field password_fields[] = {
	TEXT(struct account_password_args, name),
	TEXT(struct account_password_args, password),
	TEXT(struct account_password_args, old),
	BOOL(struct account_password_args, only_rehash),
	NOW(struct account_password_args, now_us),
	TEXT(struct account_password_args, peer),
	TEXT(struct account_password_args, service),
};
static const struct shape password = SHAPE(password, struct account_password_args);

static const struct shape_field flags_fields[] = {
	TEXT(struct account_flags_args, name),
	BITS(struct account_flags_args, set, ACCOUNT_FLAGS),
	BITS(struct account_flags_args, clear, ACCOUNT_FLAGS),
	NOW(struct account_flags_args, now_us),
};
static const struct shape flags = SHAPE(flags, struct account_flags_args);

static const struct shape_field remove_fields[] = {
	TEXT(struct account_remove_args, name),
	BOOL(struct account_remove_args, keep_mail),
	NOW(struct account_remove_args, now_us),
};
static const struct shape remove_account = SHAPE(remove, struct account_remove_args);

static const struct shape_field invite_fields[] = {
	RAW(struct invite, hash),
	TEXT(struct invite, name),
	NOW(struct invite, created_us),
	NUMBER(struct invite, expires_us),
	NUMBER(struct invite, uses_left),
	BITS(struct invite, flags, ACCOUNT_FLAGS),
};
static const struct shape invite = SHAPE(invite, struct invite);

/* An operation whose argument is a digest and nothing around it. */
struct digest {
	unsigned char bytes[32];
};
_Static_assert(INVITE_HASH_LEN == sizeof(struct digest) && BLOB_ID_LEN == sizeof(struct digest),
	"digests are of one length");
static const struct shape_field digest_fields[] = {
	RAW(struct digest, bytes),
};
static const struct shape digest = SHAPE(digest, struct digest);

static const struct shape_field cmp_fields[] = {
	TEXT(struct cmp_ref, reference),
	TEXT(struct cmp_ref, name),
	NOW(struct cmp_ref, created_us),
	NUMBER(struct cmp_ref, expires_us),
};
static const struct shape cmp = SHAPE(cmp, struct cmp_ref);

static const struct shape_field consume_fields[] = {
	TEXT(struct cmp_consume_args, reference),
	NOW(struct cmp_consume_args, now_us),
};
static const struct shape consume = SHAPE(consume, struct cmp_consume_args);

/* -- audit, throttle, settings ----------------------------------------------------------------- */

static const struct shape_field audit_fields[] = {
	NUMBER(struct audit_row, seq),
	NOW(struct audit_row, at_us),
	TEXT(struct audit_row, event),
	TEXT(struct audit_row, account),
	TEXT(struct audit_row, by),
	TEXT(struct audit_row, detail),
	RAW(struct audit_row, hash),
};
static const struct shape audit = SHAPE(audit, struct audit_row);

static const struct shape_field close_fields[] = {
	NOW(struct audit_close_args, now_us),
};
static const struct shape close_audit = SHAPE(close, struct audit_close_args);

static const struct shape_field key_fields[] = {
	BETWEEN(struct throttle_key, kind, THROTTLE_SOURCE, THROTTLE_ACCOUNT),
	RAW(struct throttle_key, key),
	UPTO(struct throttle_key, len, THROTTLE_KEY_MAX),
};
static const struct shape throttle_key = SHAPE(key, struct throttle_key);

static const struct shape_field throttle_fields[] = {
	ARRAY(struct throttle_args, keys, count, throttle_key),
	NOW(struct throttle_args, now_us),
};
static const struct shape throttle = SHAPE(throttle, struct throttle_args);

static const struct shape_field policy_fields[] = {
	TEXT(struct policy_set_args, name),
	TEXT(struct policy_set_args, value),
	NOW(struct policy_set_args, now_us),
	TEXT(struct policy_set_args, by),
};
static const struct shape policy = SHAPE(policy, struct policy_set_args);

/* -- sessions and bells ------------------------------------------------------------------------ */

static const struct shape_field session_fields[] = {
	NUMBER(struct session_row, id),
	NUMBER(struct session_row, pid),
	NUMBER(struct session_row, start_ticks),
	TEXT(struct session_row, service),
	TEXT(struct session_row, peer),
	TEXT(struct session_row, account),
	NUMBER(struct session_row, since_us),
	TEXT(struct session_row, bell),
	NUMBER(struct session_row, bytes_in),
	NUMBER(struct session_row, bytes_out),
};
static const struct shape session = SHAPE(session, struct session_row);

static const struct shape_field leave_fields[] = {
	NUMBER(struct session_remove_args, id),
	TEXT(struct session_remove_args, service),
};
static const struct shape leave = SHAPE(leave, struct session_remove_args);

static const struct shape_field bell_fields[] = {
	TEXT(struct bell_args, topic),
	TEXT(struct bell_args, bell),
	NUMBER(struct bell_args, session_id),
	TEXT(struct bell_args, service),
};
static const struct shape bell = SHAPE(bell, struct bell_args);

/* -- blobs, the sweep -------------------------------------------------------------------------- */

static const struct shape_field blob_fields[] = {
	RAW(struct blob_sealed, id),
	NUMBER(struct blob_sealed, size),
	SPAN(struct blob_sealed, inline_bytes, BLOB_INLINE_MAX),
};
const struct shape shape_blob_sealed = SHAPE(blob, struct blob_sealed);

static const struct shape_field sweep_fields[] = {
	NOW(struct sweep_args, now_us),
};
static const struct shape sweep = SHAPE(sweep, struct sweep_args);

/* Where a sweep goes on: what the operation before it answered. */
static const struct shape_field at_fields[] = {
	RAW(struct key, p),
	UPTO(struct key, len, KV_KEY_MAX),
	BOOL(struct key, bad),
};
const struct shape shape_sweep_key = SHAPE(at, struct key);

/* -- the operations ---------------------------------------------------------------------------- */

static const struct shape_row rows[] = {
	{STORE_OP_ACCOUNT_CREATE, &create},
	{STORE_OP_ACCOUNT_PASSWORD, &password},
	{STORE_OP_ACCOUNT_FLAGS, &flags},
	{STORE_OP_ACCOUNT_REMOVE, &remove_account},
	{STORE_OP_INVITE_CREATE, &invite},
	{STORE_OP_INVITE_REMOVE, &digest},
	{STORE_OP_CMP_CREATE, &cmp},
	{STORE_OP_CMP_CONSUME, &consume},
	{STORE_OP_AUDIT_APPEND, &audit},
	{STORE_OP_AUDIT_CLOSE, &close_audit},
	{STORE_OP_THROTTLE_FAIL, &throttle},
	{STORE_OP_THROTTLE_CLEAR, &throttle},
	{STORE_OP_SESSION_ADD, &session},
	{STORE_OP_SESSION_UPDATE, &session},
	{STORE_OP_SESSION_REMOVE, &leave},
	{STORE_OP_BELL_ADD, &bell},
	{STORE_OP_BELL_REMOVE, &bell},
	{STORE_OP_POLICY_SET, &policy},
	{STORE_OP_BLOB_PUT, &shape_blob_sealed},
	{STORE_OP_BLOB_UNREF, &digest},
	{STORE_OP_SWEEP, &sweep},
};

const struct shape_rows shape_rows_base = {rows, sizeof(rows) / sizeof(rows[0])};
