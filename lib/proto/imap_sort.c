/* RETURN options (RFC 4731, 5182, 9394), SORT (RFC 5256, 5957, 5267) and THREAD. */
#include "proto/imap_i.h"

#include <errno.h>

static int in_partial_end(struct imap_in *in, bool *ret_from_end, int64_t *ret)
{
	uint64_t n;

	*ret_from_end = imap_in_char(in, '-');
	if (imap_in_number(in, UINT32_MAX, &n) < 0 || n == 0)
		return -EBADMSG;
	*ret = *ret_from_end ? -(int64_t)n : (int64_t)n;
	return 0;
}

int imap_in_partial(struct imap_in *in, int64_t *ret_first, int64_t *ret_last)
{
	int64_t a, b;
	bool a_from_end, b_from_end, swap;

	if (in_partial_end(in, &a_from_end, &a) < 0 || !imap_in_char(in, ':') ||
		in_partial_end(in, &b_from_end, &b) < 0 || a_from_end != b_from_end)
		return -EBADMSG;
	swap = a_from_end ? a < b : a > b;
	*ret_first = swap ? b : a;
	*ret_last = swap ? a : b;
	return 0;
}

struct return_row {
	const char *name;
	unsigned bit;
};
static const struct return_row returns[] = {
	{"MIN", IMAP_RETURN_MIN},
	{"MAX", IMAP_RETURN_MAX},
	{"ALL", IMAP_RETURN_ALL},
	{"COUNT", IMAP_RETURN_COUNT},
	{"SAVE", IMAP_RETURN_SAVE},
	{"PARTIAL", IMAP_RETURN_PARTIAL},
};

static int take_return(struct imap_in *in, void *data)
{
	struct imap_search *s = data;
	struct span word = imap_in_name(in);

	for (size_t i = 0; i < sizeof(returns) / sizeof(returns[0]); i++) {
		if (!span_caseeq_str(word, returns[i].name))
			continue;
		if (returns[i].bit == IMAP_RETURN_PARTIAL) {
			if ((s->returns & IMAP_RETURN_PARTIAL) != 0 || imap_in_space(in) < 0 ||
				imap_in_partial(in, &s->partial_first, &s->partial_last) < 0)
				return -EBADMSG;
		}
		s->returns |= returns[i].bit;
		return 0;
	}
	return -EBADMSG;
}

int imap_search_returns(struct imap_in *in, struct imap_search *s)
{
	int r;

	if (!imap_in_word(in, "RETURN"))
		return 0;
	if (imap_in_space(in) < 0)
		return -EBADMSG;
	s->extended = true;
	r = imap_in_list_of(in, true, take_return, s);
	if (r < 0)
		return r;
	/* RFC 9394 section 3.1 */
	if ((s->returns & IMAP_RETURN_PARTIAL) != 0 && (s->returns & IMAP_RETURN_ALL) != 0)
		return -EBADMSG;
	if (s->returns == 0)
		s->returns = IMAP_RETURN_ALL;
	return imap_in_space(in);
}

struct sort_row {
	const char *name;
	enum imap_sort_key key;
};
static const struct sort_row keys[] = {
	{"ARRIVAL", IMAP_SORT_ARRIVAL},
	{"CC", IMAP_SORT_CC},
	{"DATE", IMAP_SORT_DATE},
	{"FROM", IMAP_SORT_FROM},
	{"SIZE", IMAP_SORT_SIZE},
	{"SUBJECT", IMAP_SORT_SUBJECT},
	{"TO", IMAP_SORT_TO},
	{"DISPLAYFROM", IMAP_SORT_DISPLAYFROM},
	{"DISPLAYTO", IMAP_SORT_DISPLAYTO},
};

static int take_key(struct imap_in *in, void *data)
{
	struct imap_sort *s = data;
	bool reverse = imap_in_word(in, "REVERSE");
	struct span word;

	if (reverse && imap_in_space(in) < 0)
		return -EBADMSG;
	word = imap_in_name(in);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!span_caseeq_str(word, keys[i].name))
			continue;
		if (s->count >= sizeof(s->keys) / sizeof(s->keys[0]))
			return -EBADMSG;
		s->keys[s->count].key = keys[i].key;
		s->keys[s->count++].reverse = reverse;
		return 0;
	}
	return -EBADMSG;
}

/* charset SP keys, as SORT and THREAD end. */
static int in_rest(struct imap_in *in, struct imap_search *s)
{
	if (imap_in_astring(in, &s->charset) < 0 || imap_in_space(in) < 0)
		return -EBADMSG;
	return imap_search_keys(in, s);
}

static int in_sort(struct imap_in *in, struct imap_sort *s)
{
	int r = imap_search_returns(in, &s->search);

	if (r < 0)
		return r;
	r = imap_in_list_of(in, false, take_key, s);
	if (r < 0)
		return r;
	r = imap_in_space(in);
	return r < 0 ? r : in_rest(in, &s->search);
}

int imap_in_sort(struct imap_in *in, struct imap_sort *ret)
{
	struct imap_sort s = {.count = 0};
	size_t from = in->at;
	int r = in_sort(in, &s);

	if (r < 0) {
		in->at = from;
		imap_search_done(&s.search);
		return r;
	}
	*ret = s;
	return 0;
}

static int in_thread(struct imap_in *in, struct imap_thread_command *t)
{
	struct span how;
	int r = imap_in_atom(in, &how);

	if (r < 0)
		return r;
	if (span_caseeq_str(how, "REFERENCES"))
		t->how = IMAP_THREAD_REFERENCES;
	else if (span_caseeq_str(how, "ORDEREDSUBJECT"))
		t->how = IMAP_THREAD_ORDEREDSUBJECT;
	else
		return -ENOTSUP;
	r = imap_in_space(in);
	return r < 0 ? r : in_rest(in, &t->search);
}

int imap_in_thread(struct imap_in *in, struct imap_thread_command *ret)
{
	struct imap_thread_command t = {.how = IMAP_THREAD_REFERENCES};
	size_t from = in->at;
	int r = in_thread(in, &t);

	if (r < 0) {
		in->at = from;
		imap_search_done(&t.search);
		return r;
	}
	*ret = t;
	return 0;
}
