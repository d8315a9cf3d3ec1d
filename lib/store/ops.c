/* The table of operations. */
#include "store/ops.h"

#include "store/account.h"
#include "store/audit.h"
#include "store/blob.h"
#include "store/cert.h"
#include "store/chat_i.h"
#include "store/file.h"
#include "store/mail_i.h"
#include "store/policy.h"
#include "store/session.h"
#include "store/throttle.h"

static const struct op_def ops[STORE_OP_COUNT] = {
	[STORE_OP_ACCOUNT_CREATE] = {"account-create", op_account_create,
		sizeof(struct account_create_args), 0, 0, NULL},
	[STORE_OP_ACCOUNT_PASSWORD] = {"account-password", op_account_password,
		sizeof(struct account_password_args), 0, OP_SECURES, NULL},
	[STORE_OP_ACCOUNT_FLAGS] = {"account-flags", op_account_flags,
		sizeof(struct account_flags_args), 0, OP_SECURES, NULL},
	[STORE_OP_ACCOUNT_REMOVE] = {"account-remove", op_account_remove,
		sizeof(struct account_remove_args), sizeof(struct account_remove_result),
		OP_FREES | OP_SECURES, NULL},
	[STORE_OP_INVITE_CREATE] = {"invite-create", op_invite_create, sizeof(struct invite), 0, 0,
		NULL},
	[STORE_OP_INVITE_REMOVE] = {"invite-remove", op_invite_remove, INVITE_HASH_LEN, 0,
		OP_FREES | OP_SECURES, NULL},
	[STORE_OP_CMP_CREATE] = {"cmp-create", op_cmp_create, sizeof(struct cmp_ref), 0, 0, NULL},
	[STORE_OP_CMP_CONSUME] = {"cmp-consume", op_cmp_consume, sizeof(struct cmp_consume_args), 0,
		0, NULL},
	[STORE_OP_CERT_INTENT] = {"cert-intent", op_cert_intent, sizeof(struct cert), 0, 0, NULL},
	[STORE_OP_CERT_ISSUED] = {"cert-issued", op_cert_issued, sizeof(struct cert_issued_args), 0,
		0, NULL},
	[STORE_OP_CERT_REVOKE] = {"cert-revoke", op_cert_revoke, sizeof(struct cert_revoke_args), 0,
		OP_SECURES, NULL},
	[STORE_OP_CA_PUT] = {"ca-put", op_ca_put, sizeof(struct ca), 0, OP_SECURES, NULL},
	[STORE_OP_CRL_PUT] = {"crl-put", op_crl_put, sizeof(struct crl_put_args), 0, OP_SECURES,
		NULL},
	[STORE_OP_AUDIT_APPEND] = {"audit-append", op_audit_append, sizeof(struct audit_row), 0, 0,
		NULL},
	[STORE_OP_AUDIT_CLOSE] = {"audit-close", op_audit_close, sizeof(struct audit_close_args),
		sizeof(struct audit_close_result), OP_FREES, NULL},
	[STORE_OP_THROTTLE_FAIL] = {"throttle-fail", op_throttle_fail, sizeof(struct throttle_args),
		0, OP_SECURES, NULL},
	[STORE_OP_THROTTLE_CLEAR] = {"throttle-clear", op_throttle_clear,
		sizeof(struct throttle_args), 0, OP_FREES | OP_SECURES, NULL},
	[STORE_OP_SESSION_ADD] = {"session-add", op_session_add, sizeof(struct session_row),
		sizeof(uint64_t), OP_SECURES, NULL},
	[STORE_OP_SESSION_UPDATE] = {"session-update", op_session_update,
		sizeof(struct session_row), 0, OP_SECURES, NULL},
	[STORE_OP_SESSION_REMOVE] = {"session-remove", op_session_remove,
		sizeof(struct session_remove_args), 0, OP_FREES | OP_SECURES, NULL},
	[STORE_OP_BELL_ADD] = {"bell-add", op_bell_add, sizeof(struct bell_args), 0, OP_SECURES,
		NULL},
	[STORE_OP_BELL_REMOVE] = {"bell-remove", op_bell_remove, sizeof(struct bell_args), 0,
		OP_FREES | OP_SECURES, NULL},
	[STORE_OP_POLICY_SET] = {"policy-set", op_policy_set, sizeof(struct policy_set_args), 0,
		OP_SECURES, NULL},
	[STORE_OP_BLOB_PUT] = {"blob-put", op_blob_put, sizeof(struct blob_sealed), 0, 0, NULL},
	[STORE_OP_BLOB_UNREF] = {"blob-unref", op_blob_unref, BLOB_ID_LEN, 0, OP_FREES, NULL},
	[STORE_OP_FILE_PUT] = {"file-put", op_file_put, sizeof(struct file_put_args), 0, 0, NULL},
	[STORE_OP_FILE_REMOVE] = {"file-remove", op_file_remove, sizeof(struct file_remove_args), 0,
		OP_FREES, NULL},
	[STORE_OP_FILE_RENAME] = {"file-rename", op_file_rename, sizeof(struct file_rename_args), 0,
		0, NULL},
	[STORE_OP_FILE_NOTE] = {"file-note", op_file_note, sizeof(struct file_note_args), 0, 0,
		NULL},
	/* Releasing is one use of it, and there are no more rows than uploads under way. */
	[STORE_OP_FILE_RESERVE] = {"file-reserve", op_file_reserve,
		sizeof(struct file_reserve_args), 0, OP_FREES, NULL},
	[STORE_OP_PARTIAL_PUT] = {"partial-put", op_partial_put, sizeof(struct partial_args), 0, 0,
		NULL},
	[STORE_OP_PARTIAL_REMOVE] = {"partial-remove", op_partial_remove,
		sizeof(struct partial_args), 0, OP_FREES, NULL},
	[STORE_OP_CHAT_ATTACH] = {"chat-attach", op_chat_attach, sizeof(struct chat_attach_args),
		sizeof(struct chat_attach_result), OP_SECURES, NULL},
	[STORE_OP_CHAT_DETACH] = {"chat-detach", op_chat_detach, sizeof(struct chat_detach_args),
		sizeof(struct chat_result), OP_FREES | OP_SECURES, NULL},
	[STORE_OP_CHAT_SEEN] = {"chat-seen", op_chat_seen, sizeof(struct chat_seen_args),
		sizeof(struct chat_result), 0, NULL},
	[STORE_OP_CHAT_LOGIN] = {"chat-login", op_chat_login, sizeof(struct chat_login_args),
		sizeof(struct chat_attach_result), OP_SECURES, NULL},
	[STORE_OP_CHAT_NICK] = {"chat-nick", op_chat_nick, sizeof(struct chat_nick_args),
		sizeof(struct chat_result), 0, NULL},
	[STORE_OP_CHAT_USER] = {"chat-user", op_chat_user, sizeof(struct chat_user_args),
		sizeof(struct chat_result), 0, NULL},
	[STORE_OP_CHAT_JOIN] = {"chat-join", op_chat_join, sizeof(struct chat_join_args),
		sizeof(struct chat_join_result), 0, NULL},
	[STORE_OP_CHAT_PART] = {"chat-part", op_chat_part, sizeof(struct chat_part_args),
		sizeof(struct chat_result), OP_FREES, NULL},
	[STORE_OP_CHAT_KICK] = {"chat-kick", op_chat_kick, sizeof(struct chat_kick_args),
		sizeof(struct chat_result), OP_SECURES, NULL},
	[STORE_OP_CHAT_INVITE] = {"chat-invite", op_chat_invite, sizeof(struct chat_invite_args),
		sizeof(struct chat_result), 0, NULL},
	[STORE_OP_CHAT_TOPIC] = {"chat-topic", op_chat_topic, sizeof(struct chat_topic_args),
		sizeof(struct chat_result), 0, NULL},
	[STORE_OP_CHAT_RENAME] = {"chat-rename", op_chat_rename, sizeof(struct chat_rename_args),
		sizeof(struct chat_result), 0, NULL},
	[STORE_OP_CHAT_MODE] = {"chat-mode", op_chat_mode, sizeof(struct chat_mode_args),
		sizeof(struct chat_mode_result), OP_SECURES, NULL},
	[STORE_OP_CHAT_POST] = {"chat-post", op_chat_post, sizeof(struct chat_post_args),
		sizeof(struct chat_post_result), 0, NULL},
	[STORE_OP_CHAT_REDACT] = {"chat-redact", op_chat_redact, sizeof(struct chat_redact_args),
		sizeof(struct chat_result), OP_SECURES, NULL},
	[STORE_OP_CHAT_MARK] = {"chat-mark", op_chat_mark, sizeof(struct chat_mark_args),
		sizeof(struct chat_mark_result), 0, NULL},
	[STORE_OP_CHAT_META] = {"chat-meta", op_chat_meta, sizeof(struct chat_meta_args),
		sizeof(struct chat_result), 0, NULL},
	[STORE_OP_CHAT_ANNOUNCE] = {"chat-announce", op_chat_announce,
		sizeof(struct chat_announce_args), sizeof(struct chat_result), OP_SECURES, NULL},
	[STORE_OP_CHAT_DROP] = {"chat-drop", op_chat_drop, sizeof(struct chat_drop_args),
		sizeof(struct chat_result), OP_FREES, NULL},
	[STORE_OP_CHAT_SWEEP] = {"chat-sweep", op_chat_sweep, sizeof(struct chat_sweep),
		sizeof(struct chat_sweep), OP_FREES, NULL},
	[STORE_OP_MAIL_OPEN] = {"mail-open", op_mail_open, sizeof(struct mail_open_args), 0,
		OP_SECURES, NULL},
	[STORE_OP_MAIL_CREATE] = {"mail-create", op_mail_create, sizeof(struct mail_create_args),
		sizeof(struct mail_box_result), 0, NULL},
	[STORE_OP_MAIL_DELETE] = {"mail-delete", op_mail_delete, sizeof(struct mail_delete_args),
		sizeof(struct mail_box_result), OP_FREES, NULL},
	[STORE_OP_MAIL_RENAME] = {"mail-rename", op_mail_rename, sizeof(struct mail_rename_args),
		sizeof(struct mail_box_result), 0, NULL},
	[STORE_OP_MAIL_SUBSCRIBE] = {"mail-subscribe", op_mail_subscribe,
		sizeof(struct mail_subscribe_args), sizeof(struct mail_box_result), 0, NULL},
	[STORE_OP_MAIL_DELIVER] = {"mail-deliver", op_mail_deliver,
		sizeof(struct mail_deliver_args), sizeof(struct mail_deliver_result), OP_TELLS,
		NULL},
	[STORE_OP_MAIL_APPEND] = {"mail-append", op_mail_append, sizeof(struct mail_append_args),
		sizeof(struct mail_added), 0, NULL},
	[STORE_OP_MAIL_COPY] = {"mail-copy", op_mail_copy, sizeof(struct mail_copy_args),
		sizeof(struct mail_added), 0, NULL},
	[STORE_OP_MAIL_MOVE] = {"mail-move", op_mail_move, sizeof(struct mail_copy_args),
		sizeof(struct mail_move_result), 0, NULL},
	/* Who wants to make room marks with \Deleted and expunges. */
	[STORE_OP_MAIL_FLAGS] = {"mail-flags", op_mail_flags, sizeof(struct mail_flags_args),
		sizeof(struct mail_flags_result), OP_FREES, NULL},
	[STORE_OP_MAIL_EXPUNGE] = {"mail-expunge", op_mail_expunge,
		sizeof(struct mail_expunge_args), sizeof(struct mail_expunge_result), OP_FREES,
		NULL},
	[STORE_OP_MAIL_RECENT] = {"mail-recent", op_mail_recent, sizeof(struct mail_recent_args),
		sizeof(struct mail_recent_result), OP_SECURES, NULL},
	[STORE_OP_MAIL_RECEIPT] = {"mail-receipt", op_mail_receipt,
		sizeof(struct mail_receipt_args), sizeof(struct mail_deliver_result), OP_TELLS,
		NULL},
	[STORE_OP_MAIL_SHOWN] = {"mail-shown", op_mail_shown, sizeof(struct mail_shown_args), 0,
		OP_FREES, NULL},
	[STORE_OP_MAIL_PREFS] = {"mail-prefs", op_mail_prefs, sizeof(struct mail_prefs_args), 0,
		OP_SECURES, NULL},
	[STORE_OP_MAIL_SWEEP] = {"mail-sweep", op_mail_sweep, sizeof(struct mail_sweep),
		sizeof(struct mail_sweep), OP_FREES, NULL},
	[STORE_OP_SWEEP] = {"sweep", op_sweep, sizeof(struct sweep_args),
		sizeof(struct sweep_result), OP_FREES, sweep_after},
};

#ifdef QUINTET_TEST
const struct op_def *op_override;
#endif

const struct op_def *op_find(enum store_op op)
{
#ifdef QUINTET_TEST
	if (op_override != NULL)
		return op_override;
#endif
	if ((unsigned)op >= STORE_OP_COUNT)
		return NULL;
	return &ops[op];
}
