/* The index of a mailbox's local copy: one file, replaced as a whole. See cache.h. */
#include "client/mail/cache.h"

#include "base/hash.h"
#include "base/rec.h"
#include "base/text.h"
#include "client/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define INDEX "index"
#define MAGIC "quintet mailbox 1"

enum { INDEX_MAX = 1 << 30, KEY_LEN = 16 };

enum item_bit { BIT_ENCRYPTED = 1, BIT_SIGNED = 2, BIT_ATTACHMENTS = 4, BIT_ASKS = 8 };

/* -- the folder -------------------------------------------------------------------------------- */

static int folder_open(int parent_fd, const char *name, int *ret_fd)
{
	int fd;

	if (mkdirat(parent_fd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int cache_open(const struct profile *p, const char *mailbox, struct cache *ret)
{
	_cleanup_(cleanup_close) int mail_fd = -1;
	_cleanup_(buf_done) struct buf key = BUF_INIT(MAIL_NAME_MAX + 128);
	_cleanup_(buf_done) struct buf name = BUF_INIT(4UL * KEY_LEN);
	unsigned char digest[HASH_SHA256_LEN];
	int r;

	buf_add_str(&key, p->user);
	buf_add_byte(&key, 0);
	buf_add_str(&key, mailbox);
	r = buf_error(&key) < 0 ? -EINVAL : hash_sha256(buf_span(&key), digest);
	if (r < 0)
		return r;
	text_hex(&name, span_of(digest, KEY_LEN));
	r = folder_open(p->dir_fd, "mail", &mail_fd);
	return r == 0 ? folder_open(mail_fd, buf_str(&name), &ret->dir_fd) : r;
}

void cache_done(struct cache *c)
{
	cleanup_close(&c->dir_fd);
}

/* -- writing ----------------------------------------------------------------------------------- */

static void put_item(struct buf *b, const struct mail_item *i)
{
	buf_add_u32(b, i->uid);
	buf_add_u64(b, i->modseq);
	buf_add_u32(b, i->flags);
	rec_put_i64(b, i->date_us);
	rec_put_i64(b, i->sent_us);
	buf_add_u64(b, i->size);
	buf_add_byte(b,
		(unsigned char)((i->encrypted ? BIT_ENCRYPTED : 0) |
			(i->is_signed ? BIT_SIGNED : 0) | (i->attachments ? BIT_ATTACHMENTS : 0) |
			(i->asks ? BIT_ASKS : 0)));
	rec_put_str(b, i->keywords);
	rec_put_str(b, i->from);
	rec_put_str(b, i->to);
	rec_put_str(b, i->cc);
	rec_put_str(b, i->subject);
	rec_put_str(b, i->msgid);
}

int cache_save(const struct cache *c, const char *mailbox, const struct items *items)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(INDEX_MAX);
	unsigned char digest[HASH_SHA256_LEN];
	int r;

	if (c->dir_fd < 0)
		return 0;
	rec_put_str(&b, MAGIC);
	rec_put_str(&b, mailbox);
	buf_add_u32(&b, c->validity);
	buf_add_u32(&b, c->uid_next);
	buf_add_u64(&b, c->modseq);
	buf_add_u32(&b, (uint32_t)items->count);
	for (size_t i = 0; i < items->count; i++)
		put_item(&b, &items->list[i]);
	r = buf_error(&b) < 0 ? buf_error(&b) : hash_sha256(buf_span(&b), digest);
	if (r < 0)
		return r;
	buf_add(&b, span_of(digest, sizeof digest));
	files_lock(c->dir_fd, true);
	r = buf_error(&b) < 0 ? buf_error(&b) : files_write(c->dir_fd, INDEX, buf_span(&b));
	files_unlock(c->dir_fd);
	return r;
}

/* -- reading ----------------------------------------------------------------------------------- */

static char *text_read(struct rec *r)
{
	struct span s = rec_bytes(r, ITEM_TEXT_MAX + 1);

	return strndup(s.len > 0 ? (const char *)s.p : "", s.len);
}

static int item_read(struct rec *r, struct items *ret)
{
	struct mail_item i = {.uid = rec_u32(r)};
	unsigned bits;

	i.modseq = rec_u64(r);
	i.flags = rec_u32(r);
	i.date_us = rec_i64(r);
	i.sent_us = rec_i64(r);
	i.size = rec_u64(r);
	bits = rec_u8(r);
	i.encrypted = (bits & BIT_ENCRYPTED) != 0;
	i.is_signed = (bits & BIT_SIGNED) != 0;
	i.attachments = (bits & BIT_ATTACHMENTS) != 0;
	i.asks = (bits & BIT_ASKS) != 0;
	i.keywords = text_read(r);
	i.from = text_read(r);
	i.to = text_read(r);
	i.cc = text_read(r);
	i.subject = text_read(r);
	i.msgid = text_read(r);
	if (i.keywords == NULL || i.from == NULL || i.to == NULL || i.cc == NULL ||
		i.subject == NULL || i.msgid == NULL || r->error < 0) {
		item_done(&i);
		return r->error < 0 ? r->error : -ENOMEM;
	}
	return items_put(ret, &i);
}

static int index_read(struct span all, const char *mailbox, struct cache *c, struct items *ret)
{
	unsigned char digest[HASH_SHA256_LEN];
	struct rec r;
	uint32_t count;
	int e;

	if (all.len < sizeof digest)
		return -EBADMSG;
	all.len -= sizeof digest;
	if (hash_sha256(all, digest) < 0 || memcmp(digest, all.p + all.len, sizeof digest) != 0)
		return -EBADMSG;
	r = rec_of(all);
	if (!span_eq_str(rec_bytes(&r, 64), MAGIC) ||
		!span_eq_str(rec_bytes(&r, MAIL_NAME_MAX), mailbox))
		return -EBADMSG;
	c->validity = rec_u32(&r);
	c->uid_next = rec_u32(&r);
	c->modseq = rec_u64(&r);
	count = rec_u32(&r);
	for (uint32_t i = 0; i < count; i++) {
		e = item_read(&r, ret);
		if (e < 0)
			return e;
	}
	return rec_end(&r);
}

bool cache_load(struct cache *c, const char *mailbox, struct items *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(INDEX_MAX);
	struct items items = {.list = NULL};

	if (c->dir_fd < 0 || files_read(c->dir_fd, INDEX, &b) < 0 || b.len == 0)
		return false;
	if (index_read(buf_span(&b), mailbox, c, &items) < 0) {
		items_clear(&items);
		c->validity = c->uid_next = 0;
		c->modseq = 0;
		return false;
	}
	*ret = items;
	return true;
}
