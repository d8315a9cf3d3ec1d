/* SEARCH: single keys, of one message. */
#include "services/maild/imap/search.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/timefmt.h"

#define DAY_US (86400 * TIME_S_US)

static bool in_set(const struct search *x, const struct imap_search_node *n)
{
	const struct imap_box *box = &x->s->box;

	if (n->set.saved) {
		size_t low = 0, high = x->s->saved_count;

		while (low < high) {
			size_t middle = low + (high - low) / 2;

			if (x->s->saved[middle] < box->uids[x->at])
				low = middle + 1;
			else
				high = middle;
		}
		return low < x->s->saved_count && x->s->saved[low] == box->uids[x->at];
	}
	return imap_set_has(
		&n->set, n->key == IMAP_KEY_UID ? box->uids[x->at] : (uint32_t)x->at + 1);
}

static bool has_flag(const struct search *x, uint32_t node)
{
	const struct imap_search_node *n = &x->program->nodes[node];

	if (n->flag != 0)
		return (x->m.flags.system & n->flag) != 0;
	return (x->m.flags.keywords & x->keys[node].keyword) != 0;
}

/* Days as they were where the time was told: the zone is not looked at. */
static int compare_day(int64_t at_us, int32_t offset_s, int64_t day_us)
{
	int64_t local = at_us + offset_s * TIME_S_US;

	return local < day_us ? -1 : local >= day_us + DAY_US;
}

static bool by_day(enum imap_key key, enum imap_key before, int order)
{
	if (key == before)
		return order < 0;
	return (int)key == (int)before + 1 ? order == 0 : order >= 0;
}

static bool by_date(const struct search *x, const struct imap_search_node *n)
{
	return by_day(
		n->key, IMAP_KEY_BEFORE, compare_day(x->m.date_us, x->m.date_offset_s, n->day_us));
}

static bool by_saved_date(const struct search *x, const struct imap_search_node *n)
{
	return by_day(n->key, IMAP_KEY_SAVED_BEFORE, compare_day(x->m.saved_us, 0, n->day_us));
}

static bool by_sent_date(const struct search *x, const struct imap_search_node *n)
{
	if (x->record.date_us == INT64_MIN)
		return false;
	return by_day(n->key, IMAP_KEY_SENT_BEFORE,
		compare_day(x->record.date_us, x->record.date_offset_s, n->day_us));
}

static bool by_age(const struct search *x, const struct imap_search_node *n)
{
	int64_t limit_us;

	if (n->number > UINT32_MAX)
		return n->key == IMAP_KEY_YOUNGER;
	limit_us = x->now_us - (int64_t)n->number * TIME_S_US;
	return n->key == IMAP_KEY_YOUNGER ? x->m.date_us >= limit_us : x->m.date_us <= limit_us;
}

/* "M" and the first half of the blob's id. */
static bool has_email_id(const struct search *x, const struct imap_search_node *n)
{
	_cleanup_(buf_done) struct buf id = BUF_INIT(40);

	buf_add_byte(&id, 'M');
	text_hex(&id, span_of(x->m.blob, 16));
	return span_eq(buf_span(&id), n->text);
}

static bool by_number(const struct search *x, const struct imap_search_node *n)
{
	if (n->key == IMAP_KEY_LARGER)
		return x->m.size > n->number;
	return n->key == IMAP_KEY_SMALLER ? x->m.size < n->number : x->m.modseq >= n->number;
}

const enum search_level search_levels[] = {
	[IMAP_KEY_ALL] = SEARCH_PLACE,
	[IMAP_KEY_AND] = SEARCH_PLACE,
	[IMAP_KEY_OR] = SEARCH_PLACE,
	[IMAP_KEY_NOT] = SEARCH_PLACE,
	[IMAP_KEY_SEQ] = SEARCH_PLACE,
	[IMAP_KEY_UID] = SEARCH_PLACE,
	[IMAP_KEY_FLAG] = SEARCH_ROW,
	[IMAP_KEY_RECENT] = SEARCH_PLACE,
	[IMAP_KEY_HEADER] = SEARCH_HEADER,
	[IMAP_KEY_BODY] = SEARCH_BODY,
	[IMAP_KEY_TEXT] = SEARCH_BODY,
	[IMAP_KEY_BEFORE] = SEARCH_ROW,
	[IMAP_KEY_ON] = SEARCH_ROW,
	[IMAP_KEY_SINCE] = SEARCH_ROW,
	[IMAP_KEY_SENT_BEFORE] = SEARCH_RECORD,
	[IMAP_KEY_SENT_ON] = SEARCH_RECORD,
	[IMAP_KEY_SENT_SINCE] = SEARCH_RECORD,
	[IMAP_KEY_SAVED_BEFORE] = SEARCH_ROW,
	[IMAP_KEY_SAVED_ON] = SEARCH_ROW,
	[IMAP_KEY_SAVED_SINCE] = SEARCH_ROW,
	[IMAP_KEY_LARGER] = SEARCH_ROW,
	[IMAP_KEY_SMALLER] = SEARCH_ROW,
	[IMAP_KEY_YOUNGER] = SEARCH_ROW,
	[IMAP_KEY_OLDER] = SEARCH_ROW,
	[IMAP_KEY_MODSEQ] = SEARCH_ROW,
	[IMAP_KEY_EMAILID] = SEARCH_ROW,
	[IMAP_KEY_THREADID] = SEARCH_PLACE,
};

bool search_judge(struct search *x, uint32_t node)
{
	const struct imap_search_node *n = &x->program->nodes[node];

	switch (n->key) {
	case IMAP_KEY_ALL:
		return true;
	case IMAP_KEY_SEQ:
	case IMAP_KEY_UID:
		return in_set(x, n);
	case IMAP_KEY_RECENT:
		return imap_is_recent(x->s, x->s->box.uids[x->at]);
	case IMAP_KEY_FLAG:
		return has_flag(x, node);
	case IMAP_KEY_HEADER:
		return search_header(x, node);
	case IMAP_KEY_BODY:
	case IMAP_KEY_TEXT:
		return search_body(x, node, n->key == IMAP_KEY_TEXT);
	case IMAP_KEY_BEFORE:
	case IMAP_KEY_ON:
	case IMAP_KEY_SINCE:
		return by_date(x, n);
	case IMAP_KEY_SENT_BEFORE:
	case IMAP_KEY_SENT_ON:
	case IMAP_KEY_SENT_SINCE:
		return by_sent_date(x, n);
	case IMAP_KEY_SAVED_BEFORE:
	case IMAP_KEY_SAVED_ON:
	case IMAP_KEY_SAVED_SINCE:
		return by_saved_date(x, n);
	case IMAP_KEY_YOUNGER:
	case IMAP_KEY_OLDER:
		return by_age(x, n);
	case IMAP_KEY_LARGER:
	case IMAP_KEY_SMALLER:
	case IMAP_KEY_MODSEQ:
		return by_number(x, n);
	case IMAP_KEY_EMAILID:
		return has_email_id(x, n);
	default: /* no message has a THREADID */
		return false;
	}
}
