/* A mailbox: selected from what the cache knows, brought up to date, and read. */
#include "client/mail/mailbox_i.h"

#include <errno.h>

bool mailbox_is_selected(const struct mailbox *b)
{
	return b->m->listen_arg == b;
}

int mailbox_ready(const struct mailbox *b)
{
	if (b->m->error < 0)
		return b->m->error;
	return mailbox_is_selected(b) ? 0 : -ENOTCONN;
}

const char *mailbox_name(const struct mailbox *b)
{
	return b->name;
}

struct imapc *mailbox_line(const struct mailbox *b)
{
	return b->m;
}

const struct mail_item *mailbox_items(const struct mailbox *b, size_t *ret_count)
{
	*ret_count = b->items.count;
	return b->items.list;
}

const struct mail_item *mailbox_item(const struct mailbox *b, uint32_t uid)
{
	return items_find(&b->items, uid);
}

/* -- getting up to date ------------------------------------------------------------------------ */

/* The next UID that is not known. */
static uint32_t next_uid(const struct mailbox *b)
{
	uint32_t last = b->items.count > 0 ? b->items.list[b->items.count - 1].uid : 0;
	uint32_t next = last < UINT32_MAX ? last + 1 : last;

	return next > b->cache.uid_next ? next : b->cache.uid_next;
}

static int fetch_new(struct mailbox *b)
{
	return imapc_runf(b->m, NULL, NULL, "UID FETCH %u:* " ITEM_DETAILS, next_uid(b));
}

static int by_uid(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

struct seen {
	const uint32_t *list;
	size_t count;
};

static bool was_seen(void *arg, uint32_t uid)
{
	const struct seen *s = arg;

	return s->count > 0 && bsearch(&uid, s->list, s->count, sizeof uid, by_uid) != NULL;
}

/* Removes the items that are not in seen, and asks for those that are not known. */
static int compare(struct mailbox *b, uint32_t *seen, size_t count)
{
	_cleanup_(imapc_words_done) struct imapc_words w;
	struct seen all = {seen, count};
	size_t missing = 0;
	bool any = false;

	if (count > 0)
		qsort(seen, count, sizeof *seen, by_uid);
	items_keep(&b->items, was_seen, &all, &any);
	b->gone |= any;
	b->changed |= any;
	for (size_t i = 0; i < count; i++)
		if (items_find(&b->items, seen[i]) == NULL &&
			(missing == 0 || seen[missing - 1] != seen[i]))
			seen[missing++] = seen[i];
	imapc_words_begin(b->m, &w);
	if (missing == 0)
		return 0;
	imapc_say(&w, "UID FETCH ");
	imapc_say_set(&w, seen, missing);
	imapc_say(&w, " " ITEM_DETAILS);
	return imapc_say_run(b->m, &w, NULL, NULL);
}

/* All UIDs with their flags: for servers without QRESYNC, and when numbers do not fit. */
static int compare_all(struct mailbox *b)
{
	_cleanup_(buf_done) struct buf seen = BUF_INIT(ITEMS_MAX * sizeof(uint32_t));
	int r = 0;

	b->lost_count = false;
	if (b->exists > 0) {
		b->seen = &seen;
		r = imapc_runf(b->m, NULL, NULL, "UID FETCH 1:* (UID FLAGS)");
		b->seen = NULL;
	}
	/* A buffer's memory is malloc's: good for numbers. */
	return r == 0 ? compare(b, (uint32_t *)(void *)seen.p, seen.len / sizeof(uint32_t)) : r;
}

static void take_over(struct mailbox *b)
{
	uint32_t next = next_uid(b);
	const char *code = imapc_code(b->m);
	struct span rest = span_str(code), name;
	uint64_t modseq = 0;

	if (b->uid_next > next)
		next = b->uid_next;
	if (span_split(&rest, ' ', &name) && span_caseeq_str(name, "HIGHESTMODSEQ") &&
		imapc_u64(rest, &modseq) && modseq > b->highest)
		b->highest = modseq;
	b->changed |= b->cache.uid_next != next || b->cache.modseq != b->highest;
	b->cache.uid_next = next;
	b->cache.modseq = b->highest;
}

int mailbox_settle(struct mailbox *b)
{
	int r = 0;

	if (!b->lost_count && b->exists > b->items.count)
		r = fetch_new(b);
	if (r == 0 && (b->lost_count || b->exists != b->items.count))
		r = compare_all(b);
	if (r == 0)
		take_over(b);
	return r;
}

/* -- selecting --------------------------------------------------------------------------------- */

static int send_select(struct mailbox *b, uint32_t *ret_tag)
{
	_cleanup_(imapc_words_done) struct imapc_words w;
	bool known = b->m->qresync && b->cache.validity != 0 && b->cache.modseq != 0;

	imapc_words_begin(b->m, &w);
	imapc_say(&w, "%s ", b->read_only ? "EXAMINE" : "SELECT");
	imapc_say_mailbox(&w, span_str(b->name));
	if (known)
		imapc_say(&w, " (QRESYNC (%u %llu))", b->cache.validity,
			(unsigned long long)b->cache.modseq);
	else if (b->m->condstore)
		imapc_say(&w, " (CONDSTORE)");
	return imapc_say_send(b->m, &w, ret_tag);
}

/* What is new is asked for along with it: one round trip. */
static int send_news(struct mailbox *b, uint32_t *ret_tag)
{
	char text[160];
	const struct imapc_piece piece = {
		.text = span_of(text,
			(size_t)snprintf(
				text, sizeof text, "UID FETCH %u:* " ITEM_DETAILS, next_uid(b)))};

	return imapc_send(b->m, &piece, 1, ret_tag);
}

int mailbox_select(struct mailbox *b)
{
	struct imapc *m = b->m;
	bool known = b->cache.validity != 0;
	uint32_t tag = 0, news_tag = 0;
	int r = m->error;

	if (r < 0)
		return r;
	b->closing = m->qresync && m->listen != NULL;
	m->listen = mailbox_hear;
	m->listen_arg = b;
	b->exists = 0;
	r = send_select(b, &tag);
	if (r == 0 && known)
		r = send_news(b, &news_tag);
	if (r == 0) {
		int told;

		r = imapc_wait(m, tag, NULL, NULL);
		b->closing = false;
		/* Of no interest when nothing is selected, or when there is nothing. */
		told = news_tag != 0 && m->error == 0 ? imapc_wait_quiet(m, news_tag) : 0;
		if (r == 0 && told < 0 && told != -EREMOTEIO)
			r = told;
	}
	if (r < 0) {
		m->listen = NULL;
		m->listen_arg = NULL;
		return r;
	}
	/* Flags of what is known come by QRESYNC only. */
	if (known && !m->qresync)
		b->lost_count = true;
	return mailbox_settle(b);
}

int mailbox_open(struct imapc *m, const struct profile *p, const char *name, bool read_only,
	struct mailbox **ret)
{
	struct mailbox *b = calloc(1, sizeof *b);
	int r;

	if (b == NULL)
		return -ENOMEM;
	b->m = m;
	b->cache = CACHE_INIT;
	b->read_only = read_only;
	r = span_copy_str(span_str(name), b->name, sizeof b->name) < 0 ? -EINVAL : 0;
	/* Without a folder it goes without. */
	if (r == 0 && p != NULL && cache_open(p, name, &b->cache) == 0)
		(void)cache_load(&b->cache, name, &b->items);
	if (r == 0)
		r = mailbox_select(b);
	if (r < 0) {
		b->changed = false;
		mailbox_close(b);
		return r;
	}
	*ret = b;
	return 0;
}

void mailbox_close(struct mailbox *b)
{
	if (b == NULL)
		return;
	if (mailbox_is_selected(b)) {
		/* It stays selected there; nobody listens. */
		b->m->listen = imapc_ignore;
		b->m->listen_arg = NULL;
	}
	if (b->changed)
		(void)cache_save(&b->cache, b->name, &b->items);
	if (b->gone)
		cache_sweep(&b->cache, &b->items);
	cache_done(&b->cache);
	items_clear(&b->items);
	free(b);
}

void mailbox_closep(struct mailbox **b)
{
	mailbox_close(*b);
	*b = NULL;
}

int mailbox_refresh(struct mailbox *b)
{
	int r = mailbox_ready(b);

	if (r == 0)
		r = imapc_runf(b->m, NULL, NULL, "NOOP");
	return r == 0 ? mailbox_settle(b) : r;
}

int mailbox_idle(struct mailbox *b, unsigned every_ms, int watch_fd)
{
	int r = mailbox_ready(b), settled;

	if (r == 0)
		r = imapc_idle(b->m, every_ms, watch_fd, NULL, NULL);
	if (r < 0)
		return r;
	settled = mailbox_settle(b);
	return settled < 0 ? settled : r;
}

/* -- a message --------------------------------------------------------------------------------- */

struct body_wanted {
	uint32_t uid;
	struct buf *ret;
	bool found;
};

static int body_heard(void *arg, const struct imap_answer *a)
{
	struct body_wanted *w = arg;
	const struct imap_node *pairs = imapc_nth(a, 2), *uid, *body;
	uint32_t n = 0;

	if (a->status.len > 0 || !imapc_word(a, 1, "FETCH") || pairs == NULL ||
		pairs->value != IMAP_VALUE_LIST || w->found)
		return 0;
	uid = imap_answer_find(a, pairs, "UID");
	body = imap_answer_find(a, pairs, "BODY[]");
	if (uid == NULL || body == NULL || !imapc_u32(uid->text, &n) || n != w->uid ||
		body->value == IMAP_VALUE_LIST || body->value == IMAP_VALUE_NIL)
		return 0;
	buf_add(w->ret, body->text);
	w->found = true;
	return buf_error(w->ret);
}

int mailbox_message(struct mailbox *b, uint32_t uid, struct buf *ret)
{
	const struct mail_item *i = items_find(&b->items, uid);
	struct body_wanted w = {.uid = uid, .ret = ret};
	size_t before = ret->len;
	int r;

	if (i == NULL)
		return -ENOENT;
	if (cache_body_read(&b->cache, uid, i->size, ret) == 0)
		return 0;
	r = mailbox_ready(b);
	if (r == 0)
		r = imapc_runf(b->m, body_heard, &w, "UID FETCH %u (UID BODY.PEEK[])", uid);
	if (r < 0)
		return r;
	if (!w.found)
		return -ENOENT;
	i = items_find(&b->items, uid);
	if (i != NULL && ret->len - before == i->size)
		cache_body_write(&b->cache, uid, span_of(ret->p + before, ret->len - before));
	return 0;
}
