/* SORT and UID SORT. */
#include "services/maild/imap/sort.h"
#include "services/maild/imap/search.h"

#include "base/cleanup.h"

#include <errno.h>

static int add(void *arg, const struct gathered *g)
{
	return sort_add(arg, g);
}

static int run(struct imap_call *c, const struct imap_sort *sort)
{
	_cleanup_(imap_picks_done) struct imap_picks picks = {0};
	_cleanup_(sort_done) struct sort_list list = {0};
	struct search_found found = {.command = "SORT"};
	int r = imap_search_run(c->s, &sort->search, &picks, &found.modseq);

	if (r == 0)
		r = sort_begin(sort, &list);
	if (r == 0)
		r = gather_each(c->s, &picks, sort_needs_record(sort), add, &list);
	if (r == 0)
		r = sort_order(&list);
	if (r < 0)
		return search_failed(c, &sort->search, r);
	found.at = list.at;
	found.count = list.count;
	return search_answer(c, &sort->search, &found);
}

int imap_cmd_sort(struct imap_call *c)
{
	struct imap_sort sort = {0};
	int r = imap_in_space(&c->in);

	if (r == 0)
		r = imap_in_sort(&c->in, &sort);
	if (r == -EBADMSG)
		return imap_bad(c, "How is it to be sorted?");
	if (r < 0)
		return imap_failed(c, r);
	if (!search_refused(c, &sort.search, &r))
		r = run(c, &sort);
	imap_search_done(&sort.search);
	return r;
}
