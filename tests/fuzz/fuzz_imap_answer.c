/* Answers of an IMAP server that means no good: the tree of words must be one. */
#include "proto/imap.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Every word but the first hangs in one place, behind what it hangs on. */
static void tree(const struct imap_answer *a)
{
	size_t links = a->count > 0 ? 1 : 0;

	for (size_t i = 0; i < a->count; i++) {
		const struct imap_node *n = &a->nodes[i];

		must(n->first == UINT32_MAX || (n->first == i + 1 && n->first < a->count));
		must(n->next == UINT32_MAX || (n->next > i && n->next < a->count));
		must(n->first == UINT32_MAX || n->value == IMAP_VALUE_LIST);
		links += n->first != UINT32_MAX;
		links += n->next != UINT32_MAX;
		if (i < 100) {
			(void)imap_answer_find(a, n, "UID");
			must((imap_answer_child(a, n, 0) != NULL) == (n->first != UINT32_MAX));
		}
	}
	must(links == a->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *p = malloc(size > 0 ? size : 1);
	struct imap_answer a;
	int r;

	if (p == NULL)
		return 0;
	if (size > 0)
		memcpy(p, data, size);
	r = imap_answer_parse(p, size, &a);
	must(r == 0 || r == -EBADMSG);
	if (r == 0) {
		must(a.tag.len > 0 && (a.status.len == 0 || a.count == 0));
		tree(&a);
		(void)imap_answer_find(&a, NULL, "FETCH");
		imap_answer_done(&a);
	}
	free(p);
	return 0;
}
