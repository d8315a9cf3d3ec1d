/*
 * What a chat client knows: windows with what was said in them, members, topics, what was read.
 * Pure: no sockets, no terminal. Memory is bounded whatever a server sends.
 *
 *	item.c     one thing that was said or done
 *	model.c    windows and their items
 *	member.c   who is in a channel
 */
#ifndef CLIENT_CHAT_MODEL_H
#define CLIENT_CHAT_MODEL_H

#include "proto/irc.h"

enum {
	MODEL_NAME_MAX = 200, /* bytes of a nick or a channel */
	MODEL_NAME_SIZE = MODEL_NAME_MAX + 1,
	MODEL_TEXT_MAX = 16384, /* of one item */
	MODEL_WINDOWS_MAX = 256,
	MODEL_ITEMS_MAX = 2000, /* of one window */
	MODEL_BYTES_MAX = 1 << 20, /* of one window's items */
	MODEL_MEMBERS_MAX = 20000, /* of one channel */
	MODEL_MEMBERS_ALL = 100000,
};

/* -- items ------------------------------------------------------------------------------------- */

enum item_kind {
	ITEM_MESSAGE,
	ITEM_NOTICE,
	ITEM_ACTION,
	ITEM_JOIN,
	ITEM_PART, /* text: why */
	ITEM_QUIT,
	ITEM_KICK, /* subject: whom */
	ITEM_NICK, /* subject: the new one */
	ITEM_TOPIC, /* text */
	ITEM_MODE, /* text: as IRC shows it */
	ITEM_INVITE, /* subject: whom */
	ITEM_RENAME, /* subject: the new name */
	ITEM_NOTE, /* the client's or the server's own words */
	ITEM_ERROR,
};

/* Strings are UTF-8 or whatever was sent, with a NUL behind (and none inside): not yet safe to be
 * shown. */
struct item {
	enum item_kind kind;
	int64_t at_us;
	uint64_t seq; /* position of its msgid; 0: unknown */
	char msgid[64]; /* "" none */
	bool own;
	bool shown; /* the view has had it */
	bool redacted;
	bool to_me; /* names one's own nick, or was said in private */
	const char *from, *account, *subject, *text; /* never NULL; inside this allocation */
	size_t size; /* of it */
};

struct item_fields {
	enum item_kind kind;
	int64_t at_us;
	struct span msgid, from, account, subject, text; /* cut at their maxima */
	bool own;
};
/* NULL: no memory. */
struct item *item_new(const struct item_fields *f);
/* Is it something said, which counts as unread? */
bool item_is_message(const struct item *i);
const char *item_kind_name(enum item_kind kind); /* for JSON: "message", "join" ... */

/* -- members ----------------------------------------------------------------------------------- */

struct member {
	char *nick;
	char prefix[5]; /* "@+": highest first */
	bool away;
};

struct members {
	struct member *v; /* sorted by folded nick */
	size_t count, size;
};
void members_done(struct members *m);
struct member *members_find(const struct members *m, struct span nick); /* NULL */
/* 1: added, 0: was there (prefix NULL: stays as it is), -ENOSPC, -ENOMEM. */
int members_set(struct members *m, struct span nick, const char *prefix);
bool members_remove(struct members *m, struct span nick);
/* The same member under another nick; false when it was not there. */
bool members_rename(struct members *m, struct span from, struct span to);
/* Gives or takes a prefix character; order is that of all ("@%+"). */
void member_prefix(struct member *m, char prefix, bool set, const char *all);

/* -- windows ----------------------------------------------------------------------------------- */

enum window_kind { WINDOW_SERVER, WINDOW_CHANNEL, WINDOW_PERSON, WINDOW_CALL };

struct window {
	enum window_kind kind;
	char name[MODEL_NAME_SIZE];
	unsigned number; /* for /win; stays */
	bool joined; /* a channel that we are in now */
	bool was_joined; /* before the line was lost */
	bool filling; /* history is on its way: what comes meanwhile waits to be shown */
	bool names_open; /* NAMES is being told */
	bool gap; /* the line was lost since what is sure */
	bool latest; /* the newest was asked for at the beginning */
	bool old_end; /* history has nothing older */
	char *topic; /* NULL: none known */
	char key[64]; /* of a channel, to join it again */

	struct item **items; /* by seq where known, else as they came */
	size_t count, size, bytes;

	int64_t read_us; /* everything up to here was read; 0: not known */
	int64_t marker_sent_us;
	size_t unread; /* messages behind read_us among the items */
	bool called; /* one of them is to_me */

	/* The newest that is known for certain to have no gap before it: where filling goes on. */
	uint64_t sure_seq;
	char sure_msgid[64]; /* "" none */
	int64_t sure_us; /* when there is no msgid: nothing before this time is missing; 0 */

	struct members members;
	uint64_t top_seq; /* the view's: the oldest that the person has seen; 0 none */
};

struct model {
	struct window **windows; /* windows[0] is the server's */
	size_t count, size;
	size_t member_count; /* of all */
	unsigned numbers;
	/* Told before a window makes room for another; NULL. */
	void (*closing)(void *arg, struct window *w);
	void *closing_arg;
};

int windows_begin(struct model *m); /* -ENOMEM */
void windows_done(struct model *m);

struct window *windows_find(const struct model *m, struct span name); /* case folded; NULL */
struct window *windows_number(const struct model *m, unsigned number);
/* Finds or opens. NULL: the name is no good (empty, too long, control bytes, blanks), too many
 * windows (one of a person without unread messages is closed to make room, never keep), no memory.
 */
struct window *windows_open(
	struct model *m, enum window_kind kind, struct span name, const struct window *keep);
void windows_close(struct model *m, struct window *w); /* not the server's */
void windows_rename(struct window *w, struct span name);
void windows_topic(struct window *w, struct span text);

/*
 * Puts an item in its place and owns it from then on. 1: it is new; 0: the window had it already
 * (*ret_old is that one; the other is freed); -ENOBUFS: older than what is kept, freed. The oldest
 * make room. what: the item's place in the window, NULL allowed.
 */
int windows_add(struct window *w, struct item *i, struct item **ret_kept);
struct item *windows_item(const struct window *w, struct span msgid); /* NULL */
void windows_redact(struct window *w, struct item *i);

/* Everything up to at_us was read: counts anew. Never goes back. */
void windows_read(struct window *w, int64_t at_us);
/* When the newest message was; 0: none. */
int64_t windows_newest_us(const struct window *w);

/* A nick in all windows. */
void windows_nick(struct model *m, struct span from, struct span to);
/* Members added and removed by this, so that the sum stays bounded. */
int windows_member_set(struct model *m, struct window *w, struct span nick, const char *prefix);
bool windows_member_remove(struct model *m, struct window *w, struct span nick);
void windows_members_clear(struct model *m, struct window *w);

/* Does the text name the nick, as a word of its own? */
bool windows_names(struct span text, struct span nick);

#endif
