/*
 * SEARCH: what its files share. A program is judged message by message, by what costs least first:
 * positions, then rows, then the stored record, then the header, then bodies; whatever decides ends
 * it. Messages whose bytes lie inline in the store are judged in the view, others outside of it.
 */
#ifndef MAILD_IMAP_SEARCH_H
#define MAILD_IMAP_SEARCH_H

#include "services/maild/imap/imap.h"

enum {
	SEARCH_WORK_MAX = 20000, /* of one view: messages, and 64 bytes of text each */
	SEARCH_HEADER_MAX = 4 << 20, /* of a header that is looked at */
	SEARCH_PIECE = 64 << 10, /* of a body that is read at once */
	SEARCH_HTML_MAX = 1 << 20, /* more is searched as it is written */
	SEARCH_TEXT_MAX = 4 << 20, /* bounds of scratch buffers */
	SEARCH_FOLDED_MAX = 16 << 20, /* decomposed letters are longer */
	SEARCH_WORDS_MAX = 1 << 20, /* of all words of one program, folded */
};

enum search_level { SEARCH_PLACE, SEARCH_ROW, SEARCH_RECORD, SEARCH_HEADER, SEARCH_BODY };
enum search_verdict { SEARCH_UNKNOWN, SEARCH_NO, SEARCH_YES };

/* What a node is looked for by, made once. */
struct search_key {
	size_t word, word_len; /* in words: folded UTF-8 */
	uint64_t keyword; /* its bit; 0: nobody has it */
};

struct search { /* owned */
	struct imap *s;
	const struct imap_search *program;
	struct search_key *keys; /* of each node */
	unsigned char *known; /* enum search_verdict of each node, for this message */
	struct buf words;
	unsigned levels; /* bits of those that the program needs */
	enum search_level level; /* what is there of this message */
	int64_t now_us;
	size_t at; /* this message: its position */
	struct mail_message m;
	bool has_row, has_record, has_header;
	struct mime_record record;
	struct buf structure; /* a copy of the record's bytes, outside of views */
	struct buf header, plain, text, folded; /* scratch */
	bool late; /* waits for the end of the view */
	bool outside; /* of a view: there may be a pause in the midst of the message */
	int64_t at_ms; /* of the last pause */
	uint64_t work;
	int error;
	unsigned lost; /* messages whose bytes are damaged: they are not found */
	struct imap_picks *picks;
	size_t room;
	uint64_t modseq; /* the highest of those found */
};

static inline struct span search_word(const struct search *x, uint32_t node)
{
	return span_of(x->words.p + x->keys[node].word, x->keys[node].word_len);
}

/* search_key.c: what a key needs to be there, and whether the message meets it. */
extern const enum search_level search_levels[];
bool search_judge(struct search *x, uint32_t node);

/* search_text.c: HEADER; BODY, or TEXT with the message's own header. Errors stick in x->error. */
bool search_header(struct search *x, uint32_t node);
bool search_body(struct search *x, uint32_t node, bool with_header);
/* The message's header is in x->header. */
int search_need_header(struct search *x);

/* search_answer.c: what has been found, in its order: positions. */
struct search_found {
	const char *command; /* "SEARCH", "SORT" */
	const uint32_t *at;
	size_t count;
	uint64_t modseq; /* 0: not to be told */
};
/* Tells it, saves it if that is asked for, and ends the command. */
int search_answer(
	struct imap_call *c, const struct imap_search *program, const struct search_found *found);
/* What is wrong with a program for this session: said, with *ret_result; false: go on. */
bool search_refused(struct imap_call *c, const struct imap_search *program, int *ret_result);
/* The command cannot be done: "$" is empty then (RFC 5182 section 2.1). */
int search_failed(struct imap_call *c, const struct imap_search *program, int error);

#endif
