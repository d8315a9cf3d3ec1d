/* The typed key builders of mail. */
#include "store/keys.h"

#include "base/hash.h"
#include "store/blob.h"

enum { LEVEL = 1 /* '/' in keys: in front of all that a name may hold */, MSGID_PART = 16 };

static struct key of_name(enum key_table table, const char *name)
{
	struct key k = key_table(table);

	key_add_name(&k, name);
	return k;
}

static struct key of_text(enum key_table table, const char *name)
{
	struct key k = key_table(table);

	key_add(&k, name, strlen(name));
	return k;
}

static struct key of_number(enum key_table table, uint64_t v)
{
	struct key k = key_table(table);

	key_add_number(&k, v, sizeof(v));
	return k;
}

static struct key of_blob(enum key_table table, const unsigned char *blob)
{
	struct key k = key_table(table);

	key_add(&k, blob, BLOB_ID_LEN);
	return k;
}

static struct key name_and_number(enum key_table table, const char *name, uint64_t v)
{
	struct key k = of_name(table, name);

	key_add_number(&k, v, sizeof(v));
	return k;
}

struct key key_mail_account(const char *account)
{
	return of_text(KEY_MAIL_ACCOUNT, account);
}

struct key key_mail_keywords(const char *account)
{
	return of_text(KEY_MAIL_KEYWORDS, account);
}

struct key key_mail_box(const char *account)
{
	return of_name(KEY_MAIL_BOX, account);
}

struct key key_mail_box_row(const char *account, uint64_t id)
{
	return name_and_number(KEY_MAIL_BOX, account, id);
}

struct key key_mail_name(const char *account)
{
	return of_name(KEY_MAIL_NAME, account);
}

struct key key_mail_name_row(const char *account, struct span name)
{
	struct key k = key_mail_name(account);

	for (size_t i = 0; i < name.len; i++)
		key_add_number(&k, name.p[i] == '/' ? LEVEL : name.p[i], 1);
	return k;
}

struct key key_mail_message(uint64_t box)
{
	return of_number(KEY_MAIL_MESSAGE, box);
}

struct key key_mail_message_row(uint64_t box, uint32_t uid)
{
	struct key k = key_mail_message(box);

	key_add_number(&k, uid, sizeof(uid));
	return k;
}

struct key key_mail_change(uint64_t box)
{
	return of_number(KEY_MAIL_CHANGE, box);
}

struct key key_mail_change_row(uint64_t box, uint64_t modseq, uint32_t uid)
{
	struct key k = key_mail_change(box);

	key_add_number(&k, modseq, sizeof(modseq));
	key_add_number(&k, uid, sizeof(uid));
	return k;
}

struct key key_mail_gone(uint8_t phase)
{
	struct key k = key_table(KEY_MAIL_GONE);

	key_add_number(&k, phase, 1);
	return k;
}

struct key key_mail_gone_row(uint8_t phase, int64_t at_us, uint64_t box, uint32_t uid)
{
	struct key k = key_mail_gone(phase);

	key_add_time(&k, at_us);
	key_add_number(&k, box, sizeof(box));
	key_add_number(&k, uid, sizeof(uid));
	return k;
}

struct key key_mail_dead(uint64_t box)
{
	return of_number(KEY_MAIL_DEAD, box);
}

struct key key_mail_body(const unsigned char *blob)
{
	return of_blob(KEY_MAIL_BODY, blob);
}

struct key key_mail_structure(const unsigned char *blob)
{
	return of_blob(KEY_MAIL_STRUCTURE, blob);
}

struct key key_mail_sent(const char *account)
{
	return of_name(KEY_MAIL_SENT, account);
}

struct key key_mail_sent_row(const char *account, uint64_t number)
{
	return name_and_number(KEY_MAIL_SENT, account, number);
}

/* A Message-ID is too long for a key: its digest. The row has the whole. */
struct key key_mail_sent_id(const char *account, struct span msgid)
{
	struct key k = of_name(KEY_MAIL_SENT_ID, account);
	unsigned char digest[HASH_SHA256_LEN];

	if (hash_sha256(msgid, digest) < 0) {
		k.bad = true;
		k.len = 0;
		return k;
	}
	key_add(&k, digest, MSGID_PART);
	return k;
}

struct key key_mail_sent_id_row(const char *account, struct span msgid, uint64_t number)
{
	struct key k = key_mail_sent_id(account, msgid);

	key_add_number(&k, number, sizeof(number));
	return k;
}

struct key key_mail_notice(const char *account)
{
	return of_name(KEY_MAIL_NOTICE, account);
}

struct key key_mail_notice_row(const char *account, uint64_t id)
{
	return name_and_number(KEY_MAIL_NOTICE, account, id);
}

struct key key_mail_due(const char *account)
{
	return of_name(KEY_MAIL_DUE, account);
}

struct key key_mail_due_row(const char *account, uint64_t id)
{
	return name_and_number(KEY_MAIL_DUE, account, id);
}

struct key key_mail_done(uint16_t day, const char *account, const unsigned char *digest)
{
	struct key k = key_table(KEY_MAIL_DONE);

	key_add_number(&k, day, sizeof(day));
	key_add_name(&k, account);
	key_add(&k, digest, HASH_SHA256_LEN);
	return k;
}

struct key key_seen(const char *account)
{
	return of_text(KEY_SEEN, account);
}
