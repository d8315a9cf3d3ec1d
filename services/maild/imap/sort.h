/* The keys of SORT (RFC 5256, 5957), and messages in their order. */
#ifndef MAILD_IMAP_SORT_H
#define MAILD_IMAP_SORT_H

#include "services/maild/imap/gather.h"

struct sort_value {
	int64_t number; /* of text: its length, with the bytes at text */
	size_t text;
};

struct sort_list { /* owned */
	const struct imap_sort *sort;
	uint32_t *at; /* positions, in the order of adding */
	struct sort_value *values; /* sort->count of each */
	size_t count, room;
	struct buf text;
};

int sort_begin(const struct imap_sort *sort, struct sort_list *ret);
void sort_done(struct sort_list *l);
/* Does any key need the record? */
bool sort_needs_record(const struct imap_sort *sort);
/* -ENOMEM, -ENOBUFS: too much text. */
int sort_add(struct sort_list *l, const struct gathered *g);
/* Puts at in order; what is equal stays in the order of positions. The list is spent then. */
int sort_order(struct sort_list *l);

#endif
