/*
 * Inside lib/store only: the keys of all tables. A key is one byte for the table, then its parts;
 * integers are big-endian (signed ones with the top bit turned), names that are followed by
 * another part end in NUL, so that the order of keys is the order of the parts.
 */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include "base/span.h"
#include "store/kv.h"

#include <stdint.h>

enum key_table {
	KEY_META = 'M', /* name: "schema", "audit", "session" */
	KEY_ACCOUNT = 'A', /* name */
	KEY_TOMBSTONE = 'T', /* name */
	KEY_INVITE = 'I', /* hash */
	KEY_CMP_REF = 'R', /* reference */
	KEY_CERT = 'C', /* serial */
	KEY_CERT_ACCOUNT = 'a', /* account, not_after, serial */
	KEY_CERT_EXPIRY = 'e', /* not_after, serial */
	KEY_REVOKED = 'r', /* ca, serial */
	KEY_CA = 'Z', /* ca */
	KEY_CRL = 'L', /* ca */
	KEY_CRL_REVISION = 'v', /* ca */
	KEY_AUDIT = 'U', /* seq */
	KEY_THROTTLE = 'H', /* kind, bytes */
	KEY_SESSION = 's', /* service, id */
	KEY_BELL = 'b', /* topic, bell */
	KEY_BELL_SESSION = 'B', /* session id, topic, bell */
	KEY_POLICY = 'P', /* name */
	KEY_BLOB = 'O', /* SHA-256 */
	KEY_FILE = 'F', /* path */
	KEY_PARTIAL = 'f', /* path, account */
	KEY_USAGE = 'u', /* account */
	KEY_RESERVATION = 'k', /* account, id */

	/* chat: who is an account's name or '*' and a number; nicks, names and masks are folded */
	KEY_CHAT_USER = 'p', /* who */
	KEY_CHAT_NICK = 'n', /* nick; value: who. Of those who are present */
	KEY_CHAT_WHOWAS = 'W', /* nick, turned position: the newest first */
	KEY_CHAT_SESSION = 'S', /* who, id */
	KEY_CHAT_SESSION_ID = 'i', /* id; value: who */
	KEY_CHAT_CHANNEL = 'D', /* id */
	KEY_CHAT_NAME = 'N', /* name of a channel; value: a counter, its id */
	KEY_CHAT_MEMBER = 'm', /* channel, who */
	KEY_CHAT_JOINED = 'j', /* who, channel: the index of KEY_CHAT_MEMBER */
	KEY_CHAT_LIST = 'l', /* channel, letter, mask */
	KEY_CHAT_INVITE = 'V', /* who, channel */
	KEY_CHAT_INVITED = 'w', /* channel, who: the index of KEY_CHAT_INVITE */
	KEY_CHAT_EVENT = 'E', /* position */
	KEY_CHAT_LOG = 'G', /* target, position; value: one byte, the event's kind */
	KEY_CHAT_TALK = 't', /* who, peer: they have talked in private */
	KEY_CHAT_DEVICE = 'd', /* account, device */
	KEY_CHAT_MARK = 'K', /* who, a channel's name or a person */
	KEY_CHAT_META = 'x', /* channel or who, key */
	KEY_CHAT_FLOOD = 'g', /* kind, bytes */

	/* mail: boxes by their numbers, names with their levels kept together */
	KEY_MAIL_ACCOUNT = 'Y', /* account */
	KEY_MAIL_KEYWORDS = 'y', /* account */
	KEY_MAIL_BOX = 'X', /* account, id */
	KEY_MAIL_NAME = 'o', /* account, name; value: a counter, its id, 0: only subscribed to */
	KEY_MAIL_MESSAGE = 'q', /* box, UID */
	KEY_MAIL_CHANGE = 'c', /* box, modseq, UID */
	KEY_MAIL_GONE = 'Q', /* phase, time, box, UID: of what was expunged */
	KEY_MAIL_DEAD = 'h', /* box: deleted, its messages are to be swept */
	KEY_MAIL_BODY = 'J', /* SHA-256; value: a counter, how many messages refer to the blob */
	KEY_MAIL_STRUCTURE = 'z', /* SHA-256; value: as it was given */
	KEY_MAIL_SENT = '1', /* account, number */
	KEY_MAIL_SENT_ID = '2', /* account, digest of the Message-ID, number */
	KEY_MAIL_NOTICE = '3', /* account, id */
	KEY_MAIL_DUE = '4', /* account, id */
	KEY_MAIL_DONE = '5', /* day, account, digest: a submission that was delivered to it */
	KEY_SEEN = '6', /* account; value: when a session of it ended last */

	KEY_ANSWER = '7', /* life of a keeper, part: what its last batch answered */
};

/*
 * A path stands whole in a key up to this length; a longer one with its first bytes, the byte 0xff,
 * which UTF-8 has nowhere, and its SHA-256: the row's value holds it then. Rows below a folder so
 * share a prefix, and what else has that prefix is told apart by the whole path.
 */
#define KEY_PATH_WHOLE 160
#define KEY_PATH_PREFIX (KEY_PATH_WHOLE - 1 - 32)

struct key {
	unsigned char p[KV_KEY_MAX];
	size_t len;
	bool bad; /* a part did not fit: the key is empty then and no row has it */
};

static inline struct span key_span(const struct key *k)
{
	return span_of(k->p, k->len);
}

struct key key_table(enum key_table table); /* the prefix of all its rows */
struct key key_meta(const char *name);
struct key key_account(const char *name);
struct key key_tombstone(const char *name);
struct key key_invite(const unsigned char *hash);
struct key key_cmp_ref(const char *reference);
struct key key_cert(const unsigned char *serial);
struct key key_cert_account(const char *account); /* prefix */
struct key key_cert_account_row(
	const char *account, int64_t not_after_us, const unsigned char *serial);
struct key key_cert_expiry(int64_t not_after_us, const unsigned char *serial);
struct key key_revoked(uint32_t ca_id); /* prefix */
struct key key_revoked_row(uint32_t ca_id, const unsigned char *serial);
struct key key_ca(uint32_t ca_id);
struct key key_crl(uint32_t ca_id);
struct key key_crl_revision(uint32_t ca_id);
struct key key_audit(uint64_t seq);
struct key key_throttle(uint8_t kind, struct span bytes);
struct key key_session(const char *service); /* prefix */
struct key key_session_row(const char *service, uint64_t id);
struct key key_bell(const char *topic); /* prefix */
struct key key_bell_row(const char *topic, const char *bell);
struct key key_bell_session(uint64_t session_id); /* prefix */
struct key key_bell_session_row(uint64_t session_id, const char *topic, const char *bell);
struct key key_policy(const char *name);
struct key key_blob(const unsigned char *id);
struct key key_file(struct span path);
struct key key_partial(struct span path); /* prefix */
struct key key_partial_row(struct span path, const char *account);
/* The prefix that all rows below a folder have in KEY_FILE or KEY_PARTIAL; "": all rows. */
struct key key_below(enum key_table table, struct span folder);
struct key key_usage(const char *account);
struct key key_answer(uint64_t life, uint16_t part);
struct key key_reservation(const char *account); /* prefix */
struct key key_reservation_row(const char *account, uint64_t id);

/* -- chat (keys_chat.c) ------------------------------------------------------------------------ */

struct key key_chat_user(const char *who);
struct key key_chat_nick(struct span nick);
struct key key_chat_whowas(struct span nick); /* prefix */
struct key key_chat_whowas_row(struct span nick, uint64_t seq);
struct key key_chat_session(const char *who); /* prefix */
struct key key_chat_session_row(const char *who, uint64_t id);
struct key key_chat_session_id(uint64_t id);
struct key key_chat_channel(uint64_t id);
struct key key_chat_name(struct span name);
struct key key_chat_member(uint64_t channel); /* prefix */
struct key key_chat_member_row(uint64_t channel, const char *who);
struct key key_chat_joined(const char *who); /* prefix */
struct key key_chat_joined_row(const char *who, uint64_t channel);
struct key key_chat_list(uint64_t channel); /* prefix: all its lists */
struct key key_chat_list_of(uint64_t channel, char letter); /* prefix */
struct key key_chat_list_row(uint64_t channel, char letter, struct span mask);
struct key key_chat_invite(const char *who); /* prefix */
struct key key_chat_invite_row(const char *who, uint64_t channel);
struct key key_chat_invited(uint64_t channel); /* prefix */
struct key key_chat_invited_row(uint64_t channel, const char *who);
struct key key_chat_event(uint64_t seq);
/* A target's history: a channel's, or (channel 0) that of two, whose order does not matter. */
struct key key_chat_log(uint64_t channel, const char *a, const char *b); /* prefix */
struct key key_chat_log_row(const struct key *log, uint64_t seq);
struct key key_chat_talk(const char *who); /* prefix */
struct key key_chat_talk_row(const char *who, const char *peer);
struct key key_chat_device(const char *account); /* prefix */
struct key key_chat_device_row(const char *account, struct span device);
struct key key_chat_mark(const char *who); /* prefix */
struct key key_chat_mark_row(const char *who, struct span target); /* name or who */
struct key key_chat_meta(uint64_t channel, const char *who); /* prefix; who: when channel is 0 */
struct key key_chat_meta_row(uint64_t channel, const char *who, struct span key);
struct key key_chat_flood(uint8_t kind, struct span bytes);

/* -- mail (keys_mail.c) ------------------------------------------------------------------------ */

struct key key_mail_account(const char *account);
struct key key_mail_keywords(const char *account);
struct key key_mail_box(const char *account); /* prefix */
struct key key_mail_box_row(const char *account, uint64_t id);
/* In the order of names a mailbox is followed by those below it: '/' stands in keys as the byte 1.
 */
struct key key_mail_name(const char *account); /* prefix */
struct key key_mail_name_row(const char *account, struct span name);
struct key key_mail_message(uint64_t box); /* prefix */
struct key key_mail_message_row(uint64_t box, uint32_t uid);
struct key key_mail_change(uint64_t box); /* prefix */
struct key key_mail_change_row(uint64_t box, uint64_t modseq, uint32_t uid);
struct key key_mail_gone(uint8_t phase); /* prefix */
struct key key_mail_gone_row(uint8_t phase, int64_t at_us, uint64_t box, uint32_t uid);
struct key key_mail_dead(uint64_t box);
struct key key_mail_body(const unsigned char *blob);
struct key key_mail_structure(const unsigned char *blob);
struct key key_mail_sent(const char *account); /* prefix */
struct key key_mail_sent_row(const char *account, uint64_t number);
struct key key_mail_sent_id(const char *account, struct span msgid); /* prefix */
struct key key_mail_sent_id_row(const char *account, struct span msgid, uint64_t number);
struct key key_mail_notice(const char *account); /* prefix */
struct key key_mail_notice_row(const char *account, uint64_t id);
struct key key_mail_due(const char *account); /* prefix */
struct key key_mail_due_row(const char *account, uint64_t id);
struct key key_mail_done(uint16_t day, const char *account, const unsigned char *digest);
struct key key_seen(const char *account);

/* ASCII letters to lower case. */
unsigned char key_fold(unsigned char c);

/* -- parts ------------------------------------------------------------------------------------- */

/* Appending a part: bytes, a big-endian integer of size bytes, a name with its NUL (more parts
 * follow). What does not fit makes the key bad. */
void key_add(struct key *k, const void *p, size_t len);
void key_add_number(struct key *k, uint64_t v, size_t size);
void key_add_time(struct key *k, int64_t at_us);
void key_add_name(struct key *k, const char *name);

/* A copy of a key that points into the map, to be kept over a write. */
struct key key_copy(struct span key);

/* Reading a key's parts: what is left behind the table byte. The last len bytes (an index's
 * serial); empty when it is shorter. */
struct span key_tail(struct span key, size_t len);

/* The eight bytes of an unsigned part. */
uint64_t key_number(struct span eight);

/* Microseconds out of the eight bytes of a signed part. */
int64_t key_time(struct span eight);

#endif
