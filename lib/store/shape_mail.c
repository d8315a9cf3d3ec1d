/* Shapes: mail. */
#include "store/mail_i.h"
#include "store/shape_i.h"

enum {
	NAME_MAX_BYTES =
		1 << 16, /* of a mailbox, as asked for: the operation says what cannot be */
	FLAGS = 2 * MAIL_NOT_JUNK - 1,
};

/* -- mailboxes --------------------------------------------------------------------------------- */

static const struct shape_field open_fields[] = {
	TEXT(struct mail_open_args, account),
	NOW(struct mail_open_args, now_us),
};
static const struct shape open_mail = SHAPE(open, struct mail_open_args);

static const struct shape_field create_fields[] = {
	TEXT(struct mail_create_args, account),
	SPAN(struct mail_create_args, name, NAME_MAX_BYTES),
	BETWEEN(struct mail_create_args, use, MAIL_USE_NONE, MAIL_USE_ALL),
	NOW(struct mail_create_args, now_us),
};
static const struct shape create = SHAPE(create, struct mail_create_args);

static const struct shape_field delete_fields[] = {
	TEXT(struct mail_delete_args, account),
	SPAN(struct mail_delete_args, name, NAME_MAX_BYTES),
	NOW(struct mail_delete_args, now_us),
};
static const struct shape delete_box = SHAPE(delete, struct mail_delete_args);

static const struct shape_field rename_fields[] = {
	TEXT(struct mail_rename_args, account),
	SPAN(struct mail_rename_args, from, NAME_MAX_BYTES),
	SPAN(struct mail_rename_args, to, NAME_MAX_BYTES),
	NOW(struct mail_rename_args, now_us),
};
static const struct shape rename_box = SHAPE(rename, struct mail_rename_args);

static const struct shape_field subscribe_fields[] = {
	TEXT(struct mail_subscribe_args, account),
	SPAN(struct mail_subscribe_args, name, NAME_MAX_BYTES),
	BOOL(struct mail_subscribe_args, on),
};
static const struct shape subscribe = SHAPE(subscribe, struct mail_subscribe_args);

/* -- messages ---------------------------------------------------------------------------------- */

static const struct shape_field body_fields[] = {
	STRUCT(struct mail_body, blob, shape_blob_sealed),
	SPAN(struct mail_body, structure, MAIL_STRUCTURE_MAX),
	BOOL(struct mail_body, asks),
};
static const struct shape body = SHAPE(body, struct mail_body);

/* An element that is no struct of its own. */
struct recipient {
	char name[ACCOUNT_NAME_SIZE];
};
_Static_assert(sizeof(struct recipient) == sizeof(*SHAPE_OF(struct mail_deliver_args, recipients)),
	"a recipient is a name");
static const struct shape_field recipient_fields[] = {
	TEXT(struct recipient, name),
};
static const struct shape recipient = SHAPE(recipient, struct recipient);

static const struct shape_field answer_fields[] = {
	BOOL(struct mail_mdn, set),
	TEXT(struct mail_mdn, msgid),
	BOOL(struct mail_mdn, displayed),
	BOOL(struct mail_mdn, automatic),
};
static const struct shape answer = SHAPE(answer, struct mail_mdn);

static const struct shape_field deliver_fields[] = {
	TEXT(struct mail_deliver_args, sender),
	STRUCT(struct mail_deliver_args, body, body),
	LIST(struct mail_deliver_args, recipients, count, recipient, MAIL_RECIPIENTS_MAX),
	RAW(struct mail_deliver_args, key),
	BOOL(struct mail_deliver_args, track),
	TEXT(struct mail_deliver_args, msgid),
	TEXT(struct mail_deliver_args, from),
	TEXT(struct mail_deliver_args, subject),
	STRUCT(struct mail_deliver_args, mdn, answer),
	NOW(struct mail_deliver_args, now_us),
};
static const struct shape deliver = SHAPE(deliver, struct mail_deliver_args);

static const struct shape_field receipt_fields[] = {
	TEXT(struct mail_receipt_args, account),
	NUMBER(struct mail_receipt_args, due),
	STRUCT(struct mail_receipt_args, deliver, deliver),
};
static const struct shape receipt = SHAPE(receipt, struct mail_receipt_args);

static const struct shape_field keyword_fields[] = {
	{.name = "keyword",
		.kind = SHAPE_SPAN,
		.size = sizeof(struct span),
		.max = MAIL_KEYWORD_SIZE},
};
static const struct shape keyword = SHAPE(keyword, struct span);

static const struct shape_field names_fields[] = {
	BITS(struct mail_flag_names, system, FLAGS),
	LIST(struct mail_flag_names, keywords, count, keyword, MAIL_KEYWORDS_MAX),
};
static const struct shape names = SHAPE(names, struct mail_flag_names);

static const struct shape_field item_fields[] = {
	STRUCT(struct mail_append_item, body, body),
	STRUCT(struct mail_append_item, flags, names),
	NUMBER(struct mail_append_item, date_us),
	NUMBER(struct mail_append_item, date_offset_s),
};
static const struct shape item = SHAPE(item, struct mail_append_item);

static const struct shape_field append_fields[] = {
	TEXT(struct mail_append_args, account),
	NUMBER(struct mail_append_args, box),
	LIST(struct mail_append_args, items, count, item, MAIL_APPEND_MAX),
	BOOL(struct mail_append_args, recent),
	NOW(struct mail_append_args, now_us),
};
static const struct shape append = SHAPE(append, struct mail_append_args);

/* A UID alone. */
static const struct shape_field uid_fields[] = {
	{.name = "uid", .kind = SHAPE_NUMBER, .size = sizeof(uint32_t)},
};
static const struct shape uid = SHAPE(uid, uint32_t);

static const struct shape_field copy_fields[] = {
	TEXT(struct mail_copy_args, account),
	NUMBER(struct mail_copy_args, from),
	NUMBER(struct mail_copy_args, to),
	LIST(struct mail_copy_args, uids, count, uid, MAIL_BATCH_MAX),
	NOW(struct mail_copy_args, now_us),
};
static const struct shape copy = SHAPE(copy, struct mail_copy_args);

static const struct shape_field flags_fields[] = {
	TEXT(struct mail_flags_args, account),
	NUMBER(struct mail_flags_args, box),
	LIST(struct mail_flags_args, uids, count, uid, MAIL_BATCH_MAX),
	BETWEEN(struct mail_flags_args, how, MAIL_FLAGS_SET, MAIL_FLAGS_REMOVE),
	STRUCT(struct mail_flags_args, flags, names),
	BOOL(struct mail_flags_args, conditional),
	NUMBER(struct mail_flags_args, unchanged_since),
	NOW(struct mail_flags_args, now_us),
};
static const struct shape flags = SHAPE(flags, struct mail_flags_args);

static const struct shape_field expunge_fields[] = {
	TEXT(struct mail_expunge_args, account),
	NUMBER(struct mail_expunge_args, box),
	LIST(struct mail_expunge_args, uids, count, uid, MAIL_BATCH_MAX),
	BOOL(struct mail_expunge_args, any_flags),
	NOW(struct mail_expunge_args, now_us),
};
static const struct shape expunge = SHAPE(expunge, struct mail_expunge_args);

static const struct shape_field recent_fields[] = {
	TEXT(struct mail_recent_args, account),
	NUMBER(struct mail_recent_args, box),
};
static const struct shape recent = SHAPE(recent, struct mail_recent_args);

/* -- notices, settings, the sweep -------------------------------------------------------------- */

static const struct shape_field shown_fields[] = {
	TEXT(struct mail_shown_args, account),
	NUMBER(struct mail_shown_args, id),
};
static const struct shape shown = SHAPE(shown, struct mail_shown_args);

static const struct shape_field choice_fields[] = {
	BETWEEN(struct mail_prefs, receipts, MAIL_RECEIPTS_ASK, MAIL_RECEIPTS_ALWAYS),
	BOOL(struct mail_prefs, hidden),
};
static const struct shape choice = SHAPE(choice, struct mail_prefs);

static const struct shape_field prefs_fields[] = {
	TEXT(struct mail_prefs_args, account),
	STRUCT(struct mail_prefs_args, prefs, choice),
};
static const struct shape prefs = SHAPE(prefs, struct mail_prefs_args);

static const struct shape_field sweep_fields[] = {
	NOW(struct mail_sweep, now_us),
	NUMBER(struct mail_sweep, stage),
	BOOL(struct mail_sweep, done),
	STRUCT(struct mail_sweep, from, shape_sweep_key),
	NUMBER(struct mail_sweep, rows),
};
static const struct shape sweep = SHAPE(sweep, struct mail_sweep);

/* -- the operations ---------------------------------------------------------------------------- */

static const struct shape_row rows[] = {
	{STORE_OP_MAIL_OPEN, &open_mail},
	{STORE_OP_MAIL_CREATE, &create},
	{STORE_OP_MAIL_DELETE, &delete_box},
	{STORE_OP_MAIL_RENAME, &rename_box},
	{STORE_OP_MAIL_SUBSCRIBE, &subscribe},
	{STORE_OP_MAIL_DELIVER, &deliver},
	{STORE_OP_MAIL_APPEND, &append},
	{STORE_OP_MAIL_COPY, &copy},
	{STORE_OP_MAIL_MOVE, &copy},
	{STORE_OP_MAIL_FLAGS, &flags},
	{STORE_OP_MAIL_EXPUNGE, &expunge},
	{STORE_OP_MAIL_RECENT, &recent},
	{STORE_OP_MAIL_RECEIPT, &receipt},
	{STORE_OP_MAIL_SHOWN, &shown},
	{STORE_OP_MAIL_PREFS, &prefs},
	{STORE_OP_MAIL_SWEEP, &sweep},
};

const struct shape_rows shape_rows_mail = {rows, sizeof(rows) / sizeof(rows[0])};
