/*
 * Threads of messages (RFC 5256), apart from store and session: messages go in, in the order of
 * their numbers, and the text of the answer comes out. No step needs a stack as deep as a thread.
 */
#ifndef MAILD_IMAP_THREAD_H
#define MAILD_IMAP_THREAD_H

#include "proto/imap.h"
#include "proto/mime.h"

enum {
	THREAD_NODES_MAX = 4 << 20, /* messages, and messages that others refer to */
	THREAD_TEXT_MAX = 256 << 20, /* Message-IDs and subjects */
	THREAD_STEPS_MAX = 64 << 20, /* looking for loops: references behind it are not followed */
};
#define THREAD_NONE UINT32_MAX

struct thread_message {
	uint32_t number; /* as it is told; not 0 */
	int64_t sent_us;
	struct span subject; /* base subject, folded */
	bool reply; /* it was a reply or forward */
	struct span msgid; /* empty: none */
	struct span references; /* mime_record_reference() */
};

struct thread_node {
	uint32_t number; /* 0: a dummy */
	uint32_t parent, first, last, next; /* children in a list with its end */
	int64_t sent_us;
	size_t id, id_len, subject, subject_len; /* in text */
	bool reply;
	bool linked; /* has or had children */
};

struct threads { /* owned */
	enum imap_thread how;
	struct thread_node *nodes;
	size_t count, room;
	struct buf text;
	uint32_t *table; /* of Message-IDs: nodes, THREAD_NONE where there is none */
	size_t table_size, table_count;
	uint64_t seed;
	uint64_t steps;
	uint32_t *roots;
	size_t root_count;
};

int thread_begin(enum imap_thread how, struct threads *ret);
void thread_done(struct threads *t);
/* Copies. -ENOMEM, -ENOBUFS: over one of the limits. */
int thread_add(struct threads *t, const struct thread_message *m);
/* When all are in: puts the threads in order. */
int thread_finish(struct threads *t);
/* "(1 2)(3 (4)(5))" of the thread that begins with roots[i], appended. -ENOMEM. */
int thread_put(const struct threads *t, size_t i, struct buf *ret);

/* Between its files. */
struct thread_node *thread_node_new(struct threads *t, uint32_t *ret);
uint64_t thread_hash(const struct threads *t, struct span s);
static inline struct span thread_subject(const struct threads *t, const struct thread_node *n)
{
	return span_of(t->text.p + n->subject, n->subject_len);
}
/* By sent date, then number; a dummy is as its first child. */
int thread_compare(const struct threads *t, uint32_t a, uint32_t b);
void thread_append(struct threads *t, uint32_t parent, uint32_t child);
/* thread_subject.c: steps 5 of REFERENCES. */
int thread_merge_subjects(struct threads *t);

#endif
