/*
 * IMAP commands' arguments: the first byte chooses what they are of, an odd one in its place sets
 * UTF8=ACCEPT. What can be written again must read the same; trees and sets must be sound.
 */
#include "proto/imap.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 1 << 20 };

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void sections_again(const struct imap_fetch *f)
{
	struct buf a = BUF_INIT(OUT_MAX), b = BUF_INIT(OUT_MAX), c = BUF_INIT(OUT_MAX);
	struct imap_fetch again;
	struct imap_in in;

	for (size_t i = 0; i < f->count; i++) {
		if (f->items[i].item != IMAP_ITEM_SECTION || f->items[i].partial)
			continue;
		buf_reset(&a);
		buf_reset(&b);
		imap_put_section(&a, &f->items[i]);
		buf_add(&b, buf_span(&a));
		in = (struct imap_in){.p = b.p, .len = b.len};
		must(imap_in_fetch(&in, &again) == 0 && again.count == 1);
		buf_reset(&c);
		imap_put_section(&c, &again.items[0]);
		must(span_eq(buf_span(&a), buf_span(&c)));
		imap_fetch_done(&again);
	}
	buf_done(&a);
	buf_done(&b);
	buf_done(&c);
}

static int fetch(struct imap_in *in)
{
	struct imap_fetch f;
	int r = imap_in_fetch(in, &f);

	if (r < 0)
		return r;
	must(f.count > 0 && f.count <= IMAP_ITEMS_MAX && (!f.vanished || f.changed));
	sections_again(&f);
	imap_fetch_done(&f);
	return r;
}

static void settled(struct imap_set *s)
{
	imap_set_settle(s, 1000);
	for (size_t i = 0; i < s->count; i++) {
		must(s->list[i].first > 0 && s->list[i].first <= s->list[i].last);
		must(i == 0 || s->list[i].first > s->list[i - 1].last + 1);
		must(imap_set_has(s, s->list[i].first) && imap_set_has(s, s->list[i].last));
		must(!imap_set_has(s, s->list[i].last + 1));
	}
}

/* Every node hangs in one place of the tree. */
static void tree(struct imap_search *s)
{
	size_t links = 1;

	must(s->count > 0 && s->count <= IMAP_SEARCH_MAX);
	for (size_t i = 0; i < s->count; i++) {
		const struct imap_search_node *n = &s->nodes[i];
		bool parent =
			n->key == IMAP_KEY_AND || n->key == IMAP_KEY_OR || n->key == IMAP_KEY_NOT;

		must(n->first == UINT32_MAX || (n->first > i && n->first < s->count));
		must(n->next == UINT32_MAX || (n->next > i && n->next < s->count));
		must(parent == (n->first != UINT32_MAX));
		must(n->key != IMAP_KEY_OR || s->nodes[n->first].next != UINT32_MAX);
		links += n->first != UINT32_MAX;
		links += n->next != UINT32_MAX;
		settled(&s->nodes[i].set);
	}
	must(links == s->count && s->nodes[0].key == IMAP_KEY_AND);
}

static int search(struct imap_in *in)
{
	struct imap_search s;
	int r = imap_in_search(in, &s);

	if (r < 0)
		return r;
	must(!s.extended || s.returns != 0);
	tree(&s);
	imap_search_done(&s);
	return r;
}

static int sort(struct imap_in *in)
{
	struct imap_sort s;
	int r = imap_in_sort(in, &s);

	if (r < 0)
		return r;
	must(s.count > 0);
	tree(&s.search);
	imap_search_done(&s.search);
	return r;
}

static int thread(struct imap_in *in)
{
	struct imap_thread_command t;
	int r = imap_in_thread(in, &t);

	if (r < 0)
		return r == -ENOTSUP ? -EBADMSG : r;
	tree(&t.search);
	imap_search_done(&t.search);
	return r;
}

static int list(struct imap_in *in)
{
	static const char *const names[] = {"INBOX", "INBOX/a/b", "a/b/c", "aaaaaaaaaaaaaaa"};
	struct imap_list l;
	int r = imap_in_list(in, &l);
	struct span rest, pattern;
	size_t count = 0;

	if (r < 0)
		return r;
	for (rest = buf_span(&l.patterns); rest.len > 0; count++) {
		must(span_split(&rest, '\0', &pattern));
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			(void)imap_pattern(pattern, span_str(names[i]));
	}
	must(count == l.pattern_count && count > 0);
	imap_list_done(&l);
	return r;
}

static int notify(struct imap_in *in)
{
	struct imap_notify n;
	int r = imap_in_notify(in, &n);

	if (r < 0)
		return r == -ENOTSUP || r == -EINVAL ? -EBADMSG : r;
	for (size_t i = 0; i < n.count; i++)
		must(n.groups[i].has_fetch == (n.groups[i].fetch.count > 0));
	imap_notify_done(&n);
	return r;
}

static int set(struct imap_in *in)
{
	struct imap_set s;
	int r = imap_in_set(in, &s);

	if (r < 0)
		return r;
	settled(&s);
	imap_set_done(&s);
	return r;
}

static int mailbox(struct imap_in *in)
{
	struct buf name = BUF_INIT(OUT_MAX), wire = BUF_INIT(OUT_MAX), again = BUF_INIT(OUT_MAX);
	bool utf8 = in->utf8;
	int r = imap_in_mailbox(in, &name);
	struct imap_in back;

	if (r == 0) {
		imap_put_mailbox(&wire, buf_span(&name), utf8);
		back = (struct imap_in){.p = wire.p, .len = wire.len, .utf8 = utf8};
		must(imap_in_mailbox(&back, &again) == 0 && imap_in_end(&back));
		must(span_eq(buf_span(&name), buf_span(&again)));
	}
	buf_done(&name);
	buf_done(&wire);
	buf_done(&again);
	return r == -EINVAL ? 0 : r;
}

static int date(struct imap_in *in)
{
	struct buf b = BUF_INIT(64);
	int64_t us, again;
	int32_t offset, zone;
	int r = imap_in_date_time(in, &us, &offset);
	struct imap_in back;

	if (r == 0) {
		imap_put_date_time(&b, us, offset);
		back = (struct imap_in){.p = b.p, .len = b.len};
		must(imap_in_date_time(&back, &again, &zone) == 0);
		must(again == us && zone == offset);
	}
	buf_done(&b);
	return r;
}

static int words(struct imap_in *in)
{
	struct imap_literal l;
	struct span keywords[4], s;
	uint32_t system;
	unsigned items;
	size_t count;
	uint64_t n;
	bool nil;

	if (imap_literal_end(span_of(in->p, in->len), &l) == 1)
		must(l.prefix < in->len && l.size <= INT64_MAX);
	(void)imap_in_status(in, &items);
	(void)imap_in_flags(in, &system, keywords, 4, &count);
	while (imap_in_tag(in, &s) == 0 || imap_in_nstring(in, &s, &nil) == 0 ||
		imap_in_astring(in, &s) == 0 || imap_in_number(in, INT64_MAX, &n) == 0 ||
		imap_in_space(in) == 0)
		;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const each[])(struct imap_in * in) = {
		fetch, search, sort, thread, list, notify, set, mailbox, date, words};
	size_t count = sizeof(each) / sizeof(each[0]);
	struct imap_in in = {.utf8 = size > 0 && data[0] / 16 % 2 == 1};
	int r;

	if (size == 0)
		return 0;
	in.len = size - 1;
	in.p = malloc(size);
	if (in.p == NULL)
		return 0;
	memcpy(in.p, data + 1, in.len);
	r = each[data[0] % 16 % count](&in);
	must(in.at <= in.len && (r == 0 || (r == -EBADMSG && in.at == 0)));
	free(in.p);
	return 0;
}
