/* Windows and what was said in them. */
#include "client/chat/model.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>

/* -- windows ----------------------------------------------------------------------------------- */

static void window_free(struct model *m, struct window *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->items[i]);
	free((void *)w->items);
	free(w->topic);
	m->member_count -= w->members.count;
	members_done(&w->members);
	explicit_bzero(w->key, sizeof w->key);
	free(w);
}

void windows_done(struct model *m)
{
	for (size_t i = 0; i < m->count; i++)
		window_free(m, m->windows[i]);
	free((void *)m->windows);
	*m = (struct model){.windows = NULL};
}

struct window *windows_find(const struct model *m, struct span name)
{
	for (size_t i = 1; i < m->count; i++)
		if (irc_eq(name, span_str(m->windows[i]->name)))
			return m->windows[i];
	return NULL;
}

struct window *windows_number(const struct model *m, unsigned number)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->windows[i]->number == number)
			return m->windows[i];
	return NULL;
}

static bool name_is_good(struct span name)
{
	return name.len > 0 && name.len <= MODEL_NAME_MAX && text_is_clean(name) &&
		memchr(name.p, ' ', name.len) == NULL && memchr(name.p, ',', name.len) == NULL;
}

void windows_close(struct model *m, struct window *w)
{
	for (size_t i = 1; i < m->count; i++) {
		if (m->windows[i] != w)
			continue;
		m->count--;
		memmove((void *)(m->windows + i), (void *)(m->windows + i + 1),
			(m->count - i) * sizeof(struct window *));
		window_free(m, w);
		return;
	}
}

/* Strangers can open windows by writing: those of people with nothing unread go first. */
static void room_make(struct model *m, const struct window *keep)
{
	struct window *victim = NULL;

	for (size_t i = 1; i < m->count; i++) {
		struct window *w = m->windows[i];

		if (w->kind != WINDOW_PERSON || w == keep || w->filling)
			continue;
		if (victim == NULL || (w->unread == 0 && victim->unread > 0))
			victim = w;
	}
	if (victim == NULL)
		return;
	if (m->closing != NULL)
		m->closing(m->closing_arg, victim);
	windows_close(m, victim);
}

/* The lowest number that is free: what one types stays short. */
static unsigned number_next(const struct model *m)
{
	for (unsigned n = 0;; n++)
		if (windows_number(m, n) == NULL)
			return n;
}

static struct window *window_add(struct model *m, enum window_kind kind, struct span name)
{
	struct window *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	if (m->count == m->size) {
		size_t size = m->size > 0 ? 2 * m->size : 8;
		struct window **windows =
			realloc((void *)m->windows, size * sizeof(struct window *));

		if (windows == NULL) {
			free(w);
			return NULL;
		}
		m->windows = windows;
		m->size = size;
	}
	w->kind = kind;
	w->number = number_next(m);
	memcpy(w->name, name.p, name.len);
	m->windows[m->count++] = w;
	return w;
}

int windows_begin(struct model *m)
{
	*m = (struct model){.windows = NULL};
	return window_add(m, WINDOW_SERVER, SPAN_LIT("*")) != NULL ? 0 : -ENOMEM;
}

struct window *windows_open(
	struct model *m, enum window_kind kind, struct span name, const struct window *keep)
{
	struct window *w = windows_find(m, name);

	if (w != NULL)
		return w;
	if (!name_is_good(name))
		return NULL;
	if (m->count >= MODEL_WINDOWS_MAX)
		room_make(m, keep);
	return m->count >= MODEL_WINDOWS_MAX ? NULL : window_add(m, kind, name);
}

void windows_rename(struct window *w, struct span name)
{
	if (!name_is_good(name))
		return;
	memcpy(w->name, name.p, name.len);
	w->name[name.len] = '\0';
}

void windows_topic(struct window *w, struct span text)
{
	free(w->topic);
	w->topic = strndup(text.len > 0 ? (const char *)text.p : "", text.len);
}

/* -- items ------------------------------------------------------------------------------------- */

static bool counts(const struct window *w, const struct item *i)
{
	return w->kind != WINDOW_SERVER && item_is_message(i) && !i->own && !i->redacted &&
		i->at_us > w->read_us;
}

static void count_again(struct window *w)
{
	w->unread = 0;
	w->called = false;
	for (size_t i = 0; i < w->count; i++) {
		if (!counts(w, w->items[i]))
			continue;
		w->unread++;
		w->called = w->called || w->items[i]->to_me;
	}
}

static void oldest_drop(struct window *w)
{
	struct item *i = w->items[0];

	w->count--;
	memmove((void *)w->items, (void *)(w->items + 1), w->count * sizeof(struct item *));
	w->bytes -= i->size;
	w->old_end = false;
	if (counts(w, i) && w->unread > 0)
		w->unread--;
	free(i);
}

struct item *windows_item(const struct window *w, struct span msgid)
{
	uint64_t seq;
	unsigned check;

	if (msgid.len == 0 || irc_msgid_parse(msgid, &seq, &check) < 0)
		seq = 0;
	for (size_t i = w->count; msgid.len > 0 && i-- > 0;) {
		struct item *item = w->items[i];

		if (span_eq_str(msgid, item->msgid))
			return item;
		/* They stand in order. */
		if (seq != 0 && item->seq != 0 && item->seq < seq)
			break;
	}
	return NULL;
}

/* Where it belongs: behind all that do not come after it. What has no position stays where it was
 * put, at its time. */
static size_t place_of(const struct window *w, const struct item *i)
{
	size_t at = w->count;

	if (i->seq == 0)
		return at;
	for (; at > 0; at--) {
		const struct item *before = w->items[at - 1];

		if (before->seq != 0 ? before->seq <= i->seq : before->at_us <= i->at_us)
			break;
	}
	return at;
}

static bool items_grow(struct window *w)
{
	size_t size = w->size > 0 ? 2 * w->size : 64;
	struct item **items;

	if (w->count < w->size)
		return true;
	items = realloc((void *)w->items, size * sizeof(struct item *));
	if (items == NULL)
		return false;
	w->items = items;
	w->size = size;
	return true;
}

int windows_add(struct window *w, struct item *i, struct item **ret_kept)
{
	struct item *old = windows_item(w, span_str(i->msgid));
	size_t at = place_of(w, i);
	bool full = w->count >= MODEL_ITEMS_MAX || w->bytes + i->size > MODEL_BYTES_MAX;

	if (old != NULL || (full && at == 0) || !items_grow(w)) {
		free(i);
		if (old != NULL && ret_kept != NULL)
			*ret_kept = old;
		return old != NULL ? 0 : -ENOBUFS;
	}
	while (w->count > 0 &&
		(w->count >= MODEL_ITEMS_MAX || w->bytes + i->size > MODEL_BYTES_MAX)) {
		oldest_drop(w);
		at -= at > 0;
	}
	memmove((void *)(w->items + at + 1), (void *)(w->items + at),
		(w->count - at) * sizeof(struct item *));
	w->items[at] = i;
	w->count++;
	w->bytes += i->size;
	if (counts(w, i)) {
		w->unread++;
		w->called = w->called || i->to_me;
	}
	if (ret_kept != NULL)
		*ret_kept = i;
	return 1;
}

void windows_redact(struct window *w, struct item *i)
{
	/* The words go, their place stays. */
	explicit_bzero((char *)(i + 1) + (i->text - (char *)(i + 1)), strlen(i->text));
	i->redacted = true;
	count_again(w);
}

void windows_read(struct window *w, int64_t at_us)
{
	if (at_us <= w->read_us)
		return;
	w->read_us = at_us;
	count_again(w);
}

int64_t windows_newest_us(const struct window *w)
{
	for (size_t i = w->count; i-- > 0;)
		if (item_is_message(w->items[i]))
			return w->items[i]->at_us;
	return 0;
}

/* -- members ----------------------------------------------------------------------------------- */

void windows_nick(struct model *m, struct span from, struct span to)
{
	for (size_t i = 1; i < m->count; i++) {
		struct window *w = m->windows[i];
		size_t before = w->members.count;

		(void)members_rename(&w->members, from, to);
		m->member_count -= before - w->members.count;
		if (w->kind == WINDOW_PERSON && irc_eq(from, span_str(w->name)) &&
			(irc_eq(from, to) || windows_find(m, to) == NULL))
			windows_rename(w, to);
	}
}

int windows_member_set(struct model *m, struct window *w, struct span nick, const char *prefix)
{
	int r;

	if (m->member_count >= MODEL_MEMBERS_ALL && members_find(&w->members, nick) == NULL)
		return -ENOSPC;
	r = members_set(&w->members, nick, prefix);
	m->member_count += r == 1;
	return r;
}

bool windows_member_remove(struct model *m, struct window *w, struct span nick)
{
	bool removed = members_remove(&w->members, nick);

	m->member_count -= removed;
	return removed;
}

void windows_members_clear(struct model *m, struct window *w)
{
	m->member_count -= w->members.count;
	members_done(&w->members);
}

static bool in_word(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		c == '_' || c == '-' || c >= 0x80;
}

bool windows_names(struct span text, struct span nick)
{
	for (size_t i = 0; nick.len > 0 && i + nick.len <= text.len; i++) {
		bool begins = i == 0 || !in_word(text.p[i - 1]);
		size_t end = i + nick.len;

		if (begins && irc_eq(span_of(text.p + i, nick.len), nick) &&
			(end == text.len || !in_word(text.p[end])))
			return true;
	}
	return false;
}
