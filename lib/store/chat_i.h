/* Inside lib/store only: what the files of chat share. All run inside a transaction. */
#ifndef STORE_CHAT_I_H
#define STORE_CHAT_I_H

#include "store/chat.h"
#include "store/ops.h"
#include "store/policy.h"
#include "store/row.h"

/* -- chat_account.c, chat_sweep.c ---------------------------------------------------------------
 */

/* An account is being removed: what it has in chat goes, see there. */
int chat_account_gone(struct store_txn *txn, const char *account, int64_t now_us);

/* One commit's worth of sweeping, and where the next goes on. */
struct chat_sweep {
	int64_t now_us;
	unsigned stage;
	bool done;
	struct key from;
	uint64_t rows; /* removed by this one */
};
int op_chat_sweep(struct store_txn *txn, const void *args, void *result);
/* All of it; adds to *rows what it removed. */
int chat_sweep(struct store *s, int64_t now_us, uint64_t *rows);

/* The service whose sessions attach, and counters beside those of other files. */
#define CHAT_SERVICE "chatd"
#define CHAT_META_GUEST "chat-guest"
#define CHAT_META_SWEPT "chat-swept"

/* -- chat_row.c: records; each read is -ENOENT, -EBADMSG ----------------------------------------
 */

int chat_user_decode(struct span key, struct span value, struct chat_user *ret);
int chat_session_decode(struct span key, struct span value, struct chat_session *ret);
int chat_channel_decode(struct span key, struct span value, struct chat_channel *ret);
int chat_member_decode(struct span key, struct span value, struct chat_member *ret);
int chat_list_decode(struct span key, struct span value, struct chat_list_entry *ret);
int chat_event_decode(struct span key, struct span value, struct chat_event *ret);
int chat_whowas_decode(struct span key, struct span value, struct chat_whowas *ret);

/* Counts who is present, too (chat_count()). */
int chat_user_write(struct store_txn *txn, const struct chat_user *u);
int chat_session_write(struct store_txn *txn, const struct chat_session *s); /* and by its id */
int chat_session_read(struct store_txn *txn, uint64_t id, struct chat_session *ret);
int chat_whowas_write(struct store_txn *txn, const struct chat_whowas *w, uint64_t seq);
int chat_list_write(struct store_txn *txn, uint64_t channel, enum chat_list list,
	const struct chat_list_entry *e);
int chat_channel_write(struct store_txn *txn, const struct chat_channel *c);
int chat_member_write(
	struct store_txn *txn, const struct chat_member *m); /* and its index by who */
int chat_member_delete(struct store_txn *txn, uint64_t channel, const char *who);

/* -- chat_event.c -------------------------------------------------------------------------------
 */

/*
 * Appends the event: seq and at_us are set by it (now_us, or the time of the event before if that
 * is later); its target's history, and that of each of its channels, gets its mark unless it is
 * PASSING or of a kind that no history shows. r->head and r->first follow. ret_seq may be NULL.
 */
int chat_append(struct store_txn *txn, int64_t now_us, const struct chat_event *e,
	struct chat_result *r, uint64_t *ret_seq);

/* r->head from the log, for an operation that may append nothing. */
int chat_result_open(struct store_txn *txn, struct chat_result *r);

/* The newest event. Of an empty log: 0, and before all times. */
#define CHAT_META_HEAD "chat-head"
struct chat_head {
	uint64_t seq;
	int64_t at_us;
};
int chat_head_decode(struct span value, struct chat_head *ret);

/* The source's fields of e from the person's row; the spans point into u, which must outlive e. */
void chat_event_source(struct chat_event *e, const struct chat_user *u);

/* A change of a stored event: redaction. */
int chat_event_rewrite(struct store_txn *txn, const struct chat_event *e);
/* Is it in any history? 1, 0 or negative. */
int chat_event_is_marked(struct store_txn *txn, const struct chat_event *e);
/* Removes an event and its marks. */
int chat_event_remove(struct store_txn *txn, uint64_t seq);

/* The key of a target's history: its prefix, a mark in it. -EINVAL for two who have none. */
int chat_log_key(const struct chat_target *target, struct key *ret);
struct key chat_log_mark(const struct key *target, uint64_t seq);

/* -- chat_user.c --------------------------------------------------------------------------------
 */

/* What chat_count() tells but for the channels; they follow the rows of people. */
#define CHAT_META_COUNTS "chat-counts"
int chat_counts_decode(struct span value, struct chat_counts *ret);
/* Somebody's row is about to become after (NULL: to go). */
int chat_counts_change(struct store_txn *txn, const char *who, const struct chat_user *after);

/* Who acts, with the row: -EINVAL for a session that is not who's. */
int chat_actor_read(struct store_txn *txn, const struct chat_actor *by, struct chat_user *ret);

/* The ids of the channels that a person has joined, for chat_event.channels. */
int chat_channel_ids(struct store_txn *txn, const char *who, struct buf *ret);

/* "nick!ident@host". */
void chat_mask_of(const struct chat_user *u, char ret[CHAT_MASK_SIZE]);

/* The account's name as it was spelled, if that is the same name. */
void chat_spell(struct chat_user *u, const char *account, struct span spelled);

/* A session is gone, for whatever reason; session_drop() calls it for those of "chatd". Nothing
 * happens when it was detached before. */
int chat_session_gone(struct store_txn *txn, uint64_t session, int64_t now_us);

/* The result's ring: all, the members of a channel, or people. */
void chat_ring_all(struct chat_result *r);
void chat_ring_channel(struct chat_result *r, uint64_t channel, const char *also);
void chat_ring_people(struct chat_result *r, const char *one, const char *other);

/* -- channels (chat_room_i.h has what only their own files share) -------------------------------
 */

/* The newest channel's number. */
#define CHAT_META_CHANNEL "chat-channel"

/* A member leaves without an event (its PART, KICK or QUIT was appended): rows, counts, roles kept
 * for accounts; the channel goes when nobody is left and nobody founded it (what was said in it
 * goes with its time: others may still have to read how it ended). Whether the one counts as
 * present is read from the person's row. */
int chat_leave(struct store_txn *txn, uint64_t channel, const char *who, int64_t now_us);
/* present counts of all channels of a person: +1 who came, -1 who went. */
int chat_presence(struct store_txn *txn, const char *who, int change);
/* The person's rows in all channels, and a guest's invitations, get another name (who logs in or
 * out). Where both are members one is left; presence stays as it was counted. */
int chat_members_rename(struct store_txn *txn, const char *who, const char *to);
/* Everything of a channel, and what was said in it. */
int chat_channel_drop(struct store_txn *txn, const struct chat_channel *c);
/* Open invitations: to a channel (who ""), or of a person who goes (channel 0). */
int chat_invites_remove(struct store_txn *txn, uint64_t channel, const char *who);
int chat_invite_decode(struct span value, int64_t *ret_at_us);

/* Does an entry of the list match this person? Extended ones, also behind "~": "a:ACCOUNT" by
 * account; "m:MASK" mutes only, and matches only where mute is asked for. 1, 0 or negative. */
int chat_list_matches(struct store_txn *txn, uint64_t channel, enum chat_list list,
	const struct chat_user *u, bool mute);
int chat_lists_remove(struct store_txn *txn, uint64_t channel);

/* -- chat_flood.c: what a person, and all of a source, may post ---------------------------------
 */

enum chat_flood_kind { CHAT_FLOOD_PERSON = 1, CHAT_FLOOD_SOURCE = 2 };

struct chat_bucket {
	uint64_t level_milli; /* thousandths of a message, at at_us */
	int64_t at_us;
	uint64_t day, bytes; /* since 1970; posted on it */
};
int chat_bucket_decode(struct span value, struct chat_bucket *ret);
/* Does the row say no more than none would? For the sweep; rate: of the policy. */
bool chat_bucket_empty(const struct chat_bucket *b, uint64_t rate, int64_t now_us);

struct chat_flood {
	uint64_t rate, burst, quota; /* 0: no limit */
	int64_t now_us;
	struct {
		struct key key;
		struct chat_bucket bucket;
		uint64_t share; /* of how many people */
		bool used, quota;
	} of[2];
};
int chat_flood_open(struct store_txn *txn, const struct chat_actor *by, struct span source,
	struct chat_flood *ret);
/* CHAT_DONE: counted; CHAT_FLOOD with what to wait; CHAT_QUOTA. */
enum chat_answer chat_flood_take(struct chat_flood *f, size_t bytes, uint32_t *ret_wait_ms);
int chat_flood_close(struct store_txn *txn, const struct chat_flood *f);

/* An operation that is no message, counted as one; orderly: whatever was said on the day. */
int chat_flood_run(struct store_txn *txn, const void *args, void *result, bool orderly,
	int (*op)(struct store_txn *txn, const void *args, void *result));

/* -- chat_note.c, chat_mark.c, chat_meta.c, chat_seen.c: what is noted beside the log ------------
 */

/* What a guest (channel 0), or a channel that goes, leaves behind. */
int chat_notes_remove(struct store_txn *txn, uint64_t channel, const char *who);

/* Markers are kept by a channel's name: they live longer than it. When it is renamed, those of its
 * members come along. */
int chat_marks_rename(struct store_txn *txn, uint64_t channel, const char *from, const char *to);
int chat_mark_decode(struct span value, int64_t *ret_at_us);

int chat_meta_decode(struct span key, struct span value, struct chat_meta_row *ret);

struct chat_device {
	uint64_t seq; /* what it has been sent for certain */
	int64_t at_us; /* when that was noted */
};
int chat_device_decode(struct span value, struct chat_device *ret);
/* 0: it is new. Guests have none. */
int chat_seen_read(struct store_txn *txn, const char *who, const char *device, uint64_t *ret_seq);
/* Never back; beyond CHAT_DEVICES_MAX the device unused for longest is forgotten. */
int chat_seen_note(
	struct store_txn *txn, const struct chat_session *s, uint64_t seq, int64_t now_us);

/* Two have talked in private: for chat_peers_each(). */
int chat_peers_note(struct store_txn *txn, const char *from, const char *to);
/* Has one ever written to the other? 1, 0 or negative. */
int chat_peers_wrote(struct store_txn *txn, const char *from, const char *to);
int chat_talk_decode(struct span value, bool *ret_wrote);

/* -- the operations -----------------------------------------------------------------------------
 */

int op_chat_attach(struct store_txn *txn, const void *args, void *result); /* chat_user.c ... */
int op_chat_detach(struct store_txn *txn, const void *args, void *result);
int op_chat_login(struct store_txn *txn, const void *args, void *result);
int op_chat_nick(struct store_txn *txn, const void *args, void *result);
int op_chat_user(struct store_txn *txn, const void *args, void *result);
int op_chat_announce(struct store_txn *txn, const void *args, void *result);
int op_chat_join(struct store_txn *txn, const void *args, void *result); /* chat_join.c ... */
int op_chat_part(struct store_txn *txn, const void *args, void *result);
int op_chat_kick(struct store_txn *txn, const void *args, void *result);
int op_chat_invite(struct store_txn *txn, const void *args, void *result);
int op_chat_rename(struct store_txn *txn, const void *args, void *result);
int op_chat_drop(struct store_txn *txn, const void *args, void *result);
int op_chat_topic(struct store_txn *txn, const void *args, void *result); /* chat_mode.c */
int op_chat_mode(struct store_txn *txn, const void *args, void *result);
int op_chat_post(struct store_txn *txn, const void *args, void *result); /* chat_post.c */
int op_chat_redact(struct store_txn *txn, const void *args, void *result);
int op_chat_mark(struct store_txn *txn, const void *args, void *result); /* chat_note.c */
int op_chat_meta(struct store_txn *txn, const void *args, void *result);
int op_chat_seen(struct store_txn *txn, const void *args, void *result);

#endif
