/*
 * Inside lib/store only: what the operations on people share. Steps return 0 to go on, a negative
 * errno, or a refusal: what of enum chat_answer is more than CHAT_DONE.
 */
#ifndef STORE_CHAT_PEOPLE_I_H
#define STORE_CHAT_PEOPLE_I_H

#include "store/chat_i.h"

enum { CHAT_WHOWAS_MAX = 10 /* rows of one nick */ };

/* Removes a row of KEY_CHAT_USER, out of the counts too. */
int chat_user_remove(struct store_txn *txn, const char *who);

/* An event of kind by u, in the channels whose ids those are. It points into both. */
struct chat_event chat_user_event(
	enum chat_kind kind, const struct chat_user *u, const struct buf *channels);

/* -- chat_nick.c: who has which nick ----------------------------------------------------------- */

/* May who have it? CHAT_NICK_USED, CHAT_NICK_RESERVED; -EINVAL for what is no nick at all. */
int chat_nick_judge(struct store_txn *txn, struct span nick, const char *who);
/* Is it the name of an account, whether that has ever chatted or not, and not of who? 1, 0 or
 * negative. */
int chat_nick_reserved(struct store_txn *txn, struct span nick, const char *who);
/* The row of the nick is who's from here on, whosever it was. */
int chat_nick_claim(struct store_txn *txn, const char *nick, const char *who);
/* Removes the row if it is still who's. */
int chat_nick_release(struct store_txn *txn, const char *nick, const char *who);
/* "guest" and the first number, from that of who on, that is free: for whoever loses a nick. */
int chat_nick_spare(struct store_txn *txn, const char *who, char ret[CHAT_NICK_SIZE]);
/* The person has this nick, which was found good, from here on: event and rows. */
int chat_nick_change(struct store_txn *txn, const struct chat_actor *by, const struct chat_user *u,
	const char *nick, struct chat_result *r);
/* Whoever else holds the name of this account as nick gets another, with its event: an account its
 * own name, a guest a spare one. The row of the nick is left to who claims it. */
int chat_nick_free(
	struct store_txn *txn, const char *account, int64_t now_us, struct chat_result *r);
/* The person was known by its present nick up to that position. */
int chat_whowas_note(
	struct store_txn *txn, const struct chat_user *u, uint64_t seq, int64_t now_us);

/* -- chat_attach.c: coming and going ----------------------------------------------------------- */

/* Adds a session to a person and counts it in u, whose row is left to the caller. */
int chat_session_add(struct store_txn *txn, struct chat_user *u, const struct chat_session *s);
int chat_session_delete(struct store_txn *txn, const struct chat_session *s);
/* The last session is gone: QUIT, and what follows from it. u->sessions is 0 already. */
int chat_depart(struct store_txn *txn, struct chat_user *u, uint64_t session, struct span text,
	int64_t now_us, struct chat_result *r);
/* A guest's row and all that hangs on it; its memberships are gone already. */
int chat_guest_forget(struct store_txn *txn, const struct chat_user *u);
/* A person leaves all channels whose ids those are: rows only. */
int chat_leave_all(
	struct store_txn *txn, const char *who, const struct buf *channels, int64_t now_us);
/* The number of a new guest, as who. */
int chat_guest_make(struct store_txn *txn, char ret_who[CHAT_WHO_SIZE]);
/* Is it an account that may chat? -ENOENT: there is none, or a host's. */
int chat_account_read(struct store_txn *txn, const char *name, struct account *ret);

/* Rows of a prefix, all of them. */
int chat_remove_prefix(struct store_txn *txn, const struct key *prefix);

#endif
