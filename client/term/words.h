/* Command lines to words, quoting, and the word that is being typed. */
#ifndef CLIENT_TERM_WORDS_H
#define CLIENT_TERM_WORDS_H

#include "base/buf.h"

#define WORDS_LINE_MAX 65536U

struct words {
	struct buf bytes;
	char **v; /* into bytes; one NULL behind the last */
	size_t count;
};
#define WORDS_INIT ((struct words){.bytes = BUF_INIT(2 * (size_t)WORDS_LINE_MAX)})

/*
 * Blank-separated words; '...' is taken as it is, in "..." and outside a backslash makes the next
 * character plain. Pattern characters that were quoted, and backslashes, come out with a backslash
 * in front: see word_plain(). -EINVAL: a quote is not closed; -ENOMEM, -ENOBUFS.
 */
int words_split(const char *line, struct words *ret);
void words_done(struct words *w);

/* Has it *, ? or [ that is not behind a backslash? */
bool word_is_pattern(const char *word);
/* Appends the word without those backslashes. */
void word_plain(struct buf *b, const char *word);
/* Appends a name so that words_split() and word_plain() give it back. */
void word_quote(struct buf *b, struct span name);

/* The word that ends at the cursor: where it begins, what it says so far, its place in the line. */
struct words_last {
	size_t start;
	size_t index; /* 0: the command */
	struct buf plain;
	char command[16]; /* the first word, lower case */
};
int words_last(const char *line, size_t cursor, struct words_last *ret);

#endif
