/*
 * The local copy of a mailbox: an index of its items by UIDVALIDITY and HIGHESTMODSEQ, and bodies,
 * each a file. A folder "mail/HEX" of the profile per mailbox. Whatever is damaged is dropped: the
 * server has it all.
 */
#ifndef CLIENT_MAIL_CACHE_H
#define CLIENT_MAIL_CACHE_H

#include "client/mail/mail.h"

enum {
	ITEMS_MAX = 2000000, /* of one mailbox */
	ITEM_TEXT_MAX = 2000, /* bytes of one of an item's texts */
	ITEMS_BYTES_MAX = 512 << 20, /* of all texts of one mailbox */
	CACHE_BODIES_MAX = 512 << 20, /* bytes of bodies kept of one mailbox */
};

/* -- items, ascending by UID (items.c) --------------------------------------------------------- */

struct items {
	struct mail_item *list;
	size_t count, room;
	size_t bytes; /* of their texts */
};
void item_done(struct mail_item *i);
/* The index of uid, or of the first one above it. */
size_t items_at(const struct items *s, uint32_t uid);
struct mail_item *items_find(const struct items *s, uint32_t uid); /* NULL */
/* Takes what i owns (in a failure too); one with that uid is replaced. -ENOMEM, -E2BIG. */
int items_put(struct items *s, struct mail_item *i);
void items_remove(struct items *s, size_t at);
/* Removes those that are not to be kept. *ret_any: there were some. */
void items_keep(struct items *s, bool (*keep)(void *arg, uint32_t uid), void *arg, bool *ret_any);
/* Other keywords for one of them: taken in a success. -E2BIG. */
int items_keywords(struct items *s, struct mail_item *i, char **keywords);
void items_clear(struct items *s);

/* -- what a FETCH answer says of one (item.c) -------------------------------------------------- */

struct item_news {
	bool has_flags, has_details; /* both: the whole item */
	struct mail_item item; /* owned */
};
/* -ENOENT: it names no message. -ENOMEM. Malformed pieces are left out. */
int item_of_fetch(const struct imap_answer *a, struct item_news *ret);
void item_news_done(struct item_news *n);
/* What has to be asked for. */
#define ITEM_DETAILS                                                                           \
	"(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (" \
	"Disposition-Notification-To)])"

/* -- on disk ----------------------------------------------------------------------------------- */

struct cache {
	int dir_fd; /* -1: none is kept */
	uint32_t validity, uid_next;
	uint64_t modseq;
};
#define CACHE_INIT ((struct cache){.dir_fd = -1})

/* The folder is made when it is missing. Negative errno: go without. */
int cache_open(const struct profile *p, const char *mailbox, struct cache *ret);
void cache_done(struct cache *c);

/* True and the items when the index is whole, else nothing is known. */
bool cache_load(struct cache *c, const char *mailbox, struct items *ret);
int cache_save(const struct cache *c, const char *mailbox, const struct items *items);

/* Bodies (cache_file.c): by UIDVALIDITY and UID; only one of exactly that size is believed. */
int cache_body_read(const struct cache *c, uint32_t uid, uint64_t size, struct buf *ret);
void cache_body_write(const struct cache *c, uint32_t uid, struct span body);
/* Removes bodies of messages that are gone, and the oldest beyond CACHE_BODIES_MAX. */
void cache_sweep(const struct cache *c, const struct items *items);

#endif
