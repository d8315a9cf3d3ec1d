/*
 * Inside lib/store only: what the operations on channels share. Their steps return 0 to go on, a
 * negative errno, or a refusal: what of enum chat_answer is more than CHAT_DONE.
 */
#ifndef STORE_CHAT_ROOM_I_H
#define STORE_CHAT_ROOM_I_H

#include "store/chat_i.h"

/* Who stands above whom in a channel. */
enum chat_rank {
	CHAT_RANK_NONE,
	CHAT_RANK_VOICE,
	CHAT_RANK_HALFOP,
	CHAT_RANK_OP,
	CHAT_RANK_FOUNDER,
	CHAT_RANK_HOUSE, /* its operators, where they override */
};

/* Somebody acts in a channel. */
struct chat_room {
	const struct chat_actor *by;
	struct chat_user me;
	struct chat_channel channel;
	struct chat_member member; /* of me; joined false: not in it, which override allows */
	enum chat_rank rank; /* of me */
};

/* CHAT_NO_SUCH_CHANNEL, CHAT_NOT_JOINED. */
int chat_room_open(struct store_txn *txn, const struct chat_actor *by, struct span name,
	bool override, struct chat_room *ret);

/* The rank of a member, by the role that its row keeps. */
enum chat_rank chat_rank_of(const struct chat_channel *c, const struct chat_member *m);

/* An event of me (server: of the server) in the channel; it points into room. */
struct chat_event chat_room_event(
	const struct chat_room *room, enum chat_kind kind, bool by_server);

/* Ends an operation: the answer is rc when that is not negative, and head is set. */
int chat_room_done(struct store_txn *txn, struct chat_result *r, int rc);

/* '#' and more, UTF-8 without blank, comma, colon, BEL and control characters, not too long. */
bool chat_channel_name_ok(struct span name);

/* As much of the text as fits, not cut inside a character. */
void chat_text_fit(struct span text, char *ret, size_t size);

/* -- chat_member.c ----------------------------------------------------------------------------- */

/* Somebody's row in a channel; when there is none: one who has not joined and has no role. */
int chat_member_get(
	struct store_txn *txn, uint64_t channel, const char *who, struct chat_member *ret);
/* Writes the row, or removes it when it says nothing: not joined, and no role of an account. */
int chat_member_keep(struct store_txn *txn, const struct chat_member *m);
/* All rows of a person: of channels joined, and of those where only a role is kept. */
int chat_rows_each(struct store_txn *txn, const char *who,
	int (*each)(void *arg, const struct chat_member *m, const struct chat_channel *c),
	void *arg);

/* -- chat_channel.c ---------------------------------------------------------------------------- */

/* A channel without its id and name is given both; CHAT_TOO_MANY for an account that founded as
 * many as the policy allows. */
int chat_channel_make(struct store_txn *txn, const struct chat_actor *by, struct span name,
	struct chat_channel *ret);
/* Everything of a channel but what was said: that is out of reach then, and goes with its time. */
int chat_channel_vanish(struct store_txn *txn, const struct chat_channel *c);

/* -- chat_invite.c ----------------------------------------------------------------------------- */

int chat_invite_take(struct store_txn *txn, uint64_t channel, const char *who); /* -ENOENT */
bool chat_invite_open(struct store_txn *txn, uint64_t channel, const char *who);
int chat_invites_rename(struct store_txn *txn, const char *who, const char *to);

/* -- chat_list.c ------------------------------------------------------------------------------- */

/* CHAT_NOTHING: there is one that differs in case at most; CHAT_TOO_MANY; CHAT_FORBIDDEN: that is
 * no mask. */
int chat_list_add(struct store_txn *txn, uint64_t channel, enum chat_list list,
	const struct chat_list_entry *e);
/* The entry as it was set; CHAT_NOTHING. */
int chat_list_take(struct store_txn *txn, uint64_t channel, enum chat_list list, struct span mask,
	struct chat_list_entry *ret);

/* -- chat_mode_line.c: changes of modes as IRC shows them -------------------------------------- */

/* A line of IRC has room for this much of them behind the longest source and channel. */
#define CHAT_MODE_LINE_MAX 320

struct chat_mode_line {
	char sign; /* of the last change; 0: none yet */
	struct buf letters, words; /* "+ov-b", " ada bob *!*@x" */
};

#define CHAT_MODE_LINE_INIT       \
	((struct chat_mode_line){ \
		.letters = {.max = CHAT_MODE_LINE_MAX}, .words = {.max = CHAT_MODE_LINE_MAX}})

/* Would it still be no longer than the maximum? */
bool chat_mode_line_fits(const struct chat_mode_line *l, struct span word);
/* word empty: the mode has none. */
void chat_mode_line_add(struct chat_mode_line *l, bool set, char letter, struct span word);
/* "+o" or "-o" for each role, with the nick. */
void chat_mode_line_roles(struct chat_mode_line *l, bool set, unsigned roles, const char *nick);
/* Appends the event, by me or by the server, and empties the line; nothing when it is empty. */
int chat_mode_line_append(struct store_txn *txn, struct chat_mode_line *l,
	const struct chat_room *room, bool by_server, struct chat_result *r);
void chat_mode_line_done(struct chat_mode_line *l); /* for the cleanup attribute */

#endif
