/* The order of SORT: keys are gathered message by message, then put in order at once. */
#include "services/maild/imap/sort.h"

#include <errno.h>
#include <stdlib.h>

enum { SORT_TEXT_MAX = 256 << 20 };

/* -- keys -------------------------------------------------------------------------------------- */

int sort_begin(const struct imap_sort *sort, struct sort_list *ret)
{
	*ret = (struct sort_list){.sort = sort, .text = BUF_INIT(SORT_TEXT_MAX)};
	return sort->count > 0 ? 0 : -EINVAL;
}

void sort_done(struct sort_list *l)
{
	free(l->at);
	free(l->values);
	buf_done(&l->text);
	l->at = NULL;
	l->values = NULL;
	l->count = l->room = 0;
}

bool sort_needs_record(const struct imap_sort *sort)
{
	for (size_t i = 0; i < sort->count; i++)
		if (sort->keys[i].key != IMAP_SORT_ARRIVAL && sort->keys[i].key != IMAP_SORT_SIZE)
			return true;
	return false;
}

static struct span text_of(enum imap_sort_key key, const struct mime_record *r)
{
	switch (key) {
	case IMAP_SORT_CC:
		return r->cc;
	case IMAP_SORT_FROM:
		return r->from;
	case IMAP_SORT_TO:
		return r->to;
	case IMAP_SORT_DISPLAYFROM:
		return r->from_display;
	case IMAP_SORT_DISPLAYTO:
		return r->to_display;
	default:
		return r->subject;
	}
}

static bool is_text(enum imap_sort_key key)
{
	return key != IMAP_SORT_ARRIVAL && key != IMAP_SORT_SIZE && key != IMAP_SORT_DATE;
}

/* i;unicode-casemap (RFC 5051) compares capitals, by which "[" and "_" stand behind the letters. */
static void put_text(struct buf *b, struct span text)
{
	unsigned char *p = buf_reserve(b, text.len);

	if (p == NULL)
		return;
	for (size_t i = 0; i < text.len; i++)
		p[i] = text.p[i] >= 'a' && text.p[i] <= 'z' ? (unsigned char)(text.p[i] - 'a' + 'A')
							    : text.p[i];
	buf_commit(b, text.len);
}

static void put_value(
	struct sort_list *l, enum imap_sort_key key, const struct gathered *g, struct sort_value *v)
{
	*v = (struct sort_value){.number = 0};
	if (key == IMAP_SORT_ARRIVAL) {
		v->number = g->message->date_us;
	} else if (key == IMAP_SORT_SIZE) {
		v->number = (int64_t)g->message->size;
	} else if (key == IMAP_SORT_DATE) {
		v->number = gathered_sent_us(g);
	} else if (g->record != NULL) {
		struct span text = text_of(key, g->record);

		v->text = l->text.len;
		v->number = (int64_t)text.len;
		put_text(&l->text, text);
	}
}

static int make_room(struct sort_list *l)
{
	size_t room = l->room > 0 ? l->room * 2 : 64;
	uint32_t *at = reallocarray(l->at, room, sizeof(*at));
	struct sort_value *values;

	if (at == NULL)
		return -ENOMEM;
	l->at = at;
	values = reallocarray(l->values, room, l->sort->count * sizeof(*values));
	if (values == NULL)
		return -ENOMEM;
	l->values = values;
	l->room = room;
	return 0;
}

int sort_add(struct sort_list *l, const struct gathered *g)
{
	int r = l->count == l->room ? make_room(l) : 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < l->sort->count; i++)
		put_value(l, l->sort->keys[i].key, g, &l->values[l->count * l->sort->count + i]);
	l->at[l->count++] = g->at;
	return buf_error(&l->text);
}

/* -- order ------------------------------------------------------------------------------------- */

static int compare_text(
	const struct sort_list *l, const struct sort_value *a, const struct sort_value *b)
{
	size_t a_len = (size_t)a->number, b_len = (size_t)b->number;
	size_t len = a_len < b_len ? a_len : b_len;
	int r = len > 0 ? memcmp(l->text.p + a->text, l->text.p + b->text, len) : 0;

	return r != 0 ? r : (a_len > b_len) - (a_len < b_len);
}

/* Of two numbers in the order of adding. */
static int compare(const void *left, const void *right, void *arg)
{
	const struct sort_list *l = arg;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	size_t count = l->sort->count;

	for (size_t i = 0; i < count; i++) {
		const struct sort_value *x = &l->values[a * count + i];
		const struct sort_value *y = &l->values[b * count + i];
		int r = is_text(l->sort->keys[i].key)
			? compare_text(l, x, y)
			: (x->number > y->number) - (x->number < y->number);

		if (r != 0)
			return l->sort->keys[i].reverse ? -r : r;
	}
	return (l->at[a] > l->at[b]) - (l->at[a] < l->at[b]);
}

int sort_order(struct sort_list *l)
{
	uint32_t *order = l->count > 0 ? calloc(l->count, sizeof(*order)) : NULL;

	if (l->count == 0)
		return 0;
	if (order == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < l->count; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, l->count, sizeof(*order), compare, l);
	for (size_t i = 0; i < l->count; i++)
		order[i] = l->at[order[i]];
	free(l->at);
	l->at = order;
	return 0;
}
