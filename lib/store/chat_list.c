/* A channel's lists of masks: bans, exceptions from them, who needs no invitation. */
#include "store/chat_room_i.h"

#include "base/match.h"
#include "base/text.h"

#include <errno.h>

int chat_list_each(struct store_txn *txn, uint64_t channel, enum chat_list list,
	int (*each)(void *arg, const struct chat_list_entry *e), void *arg)
{
	const struct key prefix = key_chat_list_of(channel, (char)list);
	_cleanup_(kv_iter_done) struct kv_iter it = {.cursor = NULL};
	struct span key, value;
	struct chat_list_entry e;
	int rc = kv_iter_open(txn, key_span(&prefix), span_of(NULL, 0), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = chat_list_decode(key, value, &e);
		rc = rc < 0 ? rc : each(arg, &e);
	}
	return rc;
}

/* -- matching ---------------------------------------------------------------------------------- */

struct person {
	char mask[CHAT_MASK_SIZE];
	const char *account; /* "" a guest */
	bool mute;
};

/* "m:" or "~m:" in front, which is taken off. */
static bool take_prefix(struct span *mask, unsigned char letter)
{
	const size_t at = mask->len > 0 && mask->p[0] == '~' ? 1 : 0;

	if (mask->len < at + 2 || mask->p[at] != letter || mask->p[at + 1] != ':')
		return false;
	*mask = span_of(mask->p + at + 2, mask->len - at - 2);
	return true;
}

static int entry_matches(void *arg, const struct chat_list_entry *e)
{
	const struct person *p = arg;
	struct span mask = span_str(e->mask);

	if (take_prefix(&mask, 'm') && !p->mute)
		return 0;
	if (take_prefix(&mask, 'a'))
		return p->account[0] != '\0' && match_mask(mask, span_str(p->account));
	return match_mask(mask, span_str(p->mask));
}

int chat_list_matches(struct store_txn *txn, uint64_t channel, enum chat_list list,
	const struct chat_user *u, bool mute)
{
	struct person p = {.account = chat_is_guest(u->who) ? "" : u->who, .mute = mute};

	chat_mask_of(u, p.mask);
	return chat_list_each(txn, channel, list, entry_matches, &p);
}

/* -- changes ----------------------------------------------------------------------------------- */

static int read_entry(struct store_txn *txn, uint64_t channel, enum chat_list list,
	struct span mask, struct chat_list_entry *ret)
{
	struct key key = key_chat_list_row(channel, (char)list, mask);
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : chat_list_decode(key_span(&key), value, ret);
}

static bool mask_ok(struct span mask)
{
	return mask.len > 0 && mask.len < CHAT_MASK_SIZE && text_is_clean(mask) &&
		memchr(mask.p, ' ', mask.len) == NULL;
}

static int count_entry(void *arg, const struct chat_list_entry *e)
{
	size_t *count = arg;

	(void)e;
	(*count)++;
	return 0;
}

int chat_list_add(struct store_txn *txn, uint64_t channel, enum chat_list list,
	const struct chat_list_entry *e)
{
	struct chat_list_entry old;
	size_t count = 0;
	int rc;

	if (!mask_ok(span_str(e->mask)))
		return CHAT_FORBIDDEN;
	rc = read_entry(txn, channel, list, span_str(e->mask), &old);
	if (rc == 0)
		return CHAT_NOTHING;
	if (rc == -ENOENT)
		rc = chat_list_each(txn, channel, list, count_entry, &count);
	if (rc < 0)
		return rc;
	return count < CHAT_LISTS_MAX ? chat_list_write(txn, channel, list, e) : CHAT_TOO_MANY;
}

int chat_list_take(struct store_txn *txn, uint64_t channel, enum chat_list list, struct span mask,
	struct chat_list_entry *ret)
{
	struct key key;
	int rc;

	if (!mask_ok(mask))
		return CHAT_NOTHING;
	rc = read_entry(txn, channel, list, mask, ret);
	if (rc < 0)
		return rc == -ENOENT ? CHAT_NOTHING : rc;
	key = key_chat_list_row(channel, (char)list, mask);
	return row_del(txn, &key);
}

int chat_lists_remove(struct store_txn *txn, uint64_t channel)
{
	const struct key prefix = key_chat_list(channel);
	struct span key, value;
	struct key row;
	int rc;

	while ((rc = kv_seek(txn, key_span(&prefix), key_span(&prefix), &key, &value)) == 0) {
		row = key_copy(key);
		rc = row_del(txn, &row);
		if (rc < 0)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}
