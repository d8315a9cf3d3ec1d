/*
 * Who is being served. A few thousand entries at most, so a look through all of them is cheaper
 * than a fork by far.
 */
#include "net/listener_internal.h"

#include "base/num.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

int listener_table_init(struct listener_table *t, size_t max)
{
	*t = (struct listener_table){.max = max};
	t->children = calloc(max, sizeof(*t->children));
	return t->children != NULL ? 0 : -ENOMEM;
}

void listener_table_done(struct listener_table *t)
{
	free(t->children);
	*t = (struct listener_table){0};
}

size_t listener_table_of(const struct listener_table *t, struct span bucket)
{
	size_t found = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct listener_child *child = &t->children[i];

		if (span_eq(span_of(child->bucket, child->bucket_len), bucket))
			found++;
	}
	return found;
}

void listener_table_add(struct listener_table *t, pid_t pid, struct span bucket)
{
	struct listener_child *child = &t->children[t->count];

	if (t->count >= t->max || bucket.len > sizeof(child->bucket))
		return;
	child->pid = pid;
	child->bucket_len = bucket.len;
	if (bucket.len > 0)
		memcpy(child->bucket, bucket.p, bucket.len);
	t->count++;
}

bool listener_table_remove(struct listener_table *t, pid_t pid)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->children[i].pid != pid)
			continue;
		t->count--;
		t->children[i] = t->children[t->count];
		return true;
	}
	return false;
}

/* "PID HEX;PID HEX;" */
void listener_table_save(const struct listener_table *t, struct buf *ret)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct listener_child *child = &t->children[i];

		buf_addf(ret, "%jd ", (intmax_t)child->pid);
		text_hex(ret, span_of(child->bucket, child->bucket_len));
		buf_add_byte(ret, ';');
	}
}

void listener_table_load(struct listener_table *t, struct span text)
{
	struct buf bucket = BUF_INIT(NET_PEER_BUCKET_MAX);
	struct span one, pid_text;
	uint64_t pid = 0;

	while (span_split(&text, ';', &one)) {
		buf_reset(&bucket);
		if (t->count < t->max && span_split(&one, ' ', &pid_text) &&
			num_parse_u64(pid_text, 1, INT_MAX, &pid) == 0 &&
			text_unhex(&bucket, one) == 0)
			listener_table_add(t, (pid_t)pid, buf_span(&bucket));
	}
	buf_done(&bucket);
}
