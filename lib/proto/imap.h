/*
 * IMAP (RFC 3501, 9051 and the extensions that maild has) as pure parsers and writers, for maild
 *and the client. A command is parsed when all of it is there: literals stand in it as they came,
 *"{5}" CR LF and the bytes. Spans point into what was parsed; strings with escapes are unescaped in
 *place.
 *
 *	imap_in.c       words of a command: atoms, strings, numbers, lists; literals at a line's end
 *	imap_flag.c     flags
 *	imap_set.c      sequence sets
 *	imap_name.c     mailbox names: modified UTF-7, patterns of LIST
 *	imap_fetch.c    FETCH items      imap_search.c  SEARCH programs, RETURN options
 *	imap_sort.c     SORT keys        imap_list.c    LIST's options
 *	imap_notify.c   NOTIFY           imap_date.c    dates
 *	imap_out.c      answers: strings, sets, flags
 *	imap_answer.c   the client's side: answers taken apart
 */
#ifndef PROTO_IMAP_H
#define PROTO_IMAP_H

#include "base/buf.h"

#include <stdint.h>

enum {
	IMAP_LINE_MAX = 64 << 10, /* of a command, its literals not counted */
	IMAP_LITERAL_MAX = 64 << 10, /* of one that is no message */
	IMAP_COMMAND_MAX = 128 << 10, /* all together */
	IMAP_TAG_MAX = 100,
	IMAP_SET_MAX = 20000, /* ranges of one set */
	IMAP_DEPTH_MAX = 50, /* of parentheses */
	IMAP_SEARCH_MAX = 1000, /* nodes of one program */
	IMAP_ITEMS_MAX = 200, /* of one FETCH */
	IMAP_SECTION_MAX = 40, /* numbers of one section */
};

/* -- reading a command ---------------------------------------------------------------------------
 */

struct imap_in {
	unsigned char *p; /* the command, written into where strings are unescaped */
	size_t len, at;
	bool utf8; /* UTF8=ACCEPT or IMAP4rev2 is enabled: strings may hold UTF-8 */
};

/* A literal that ends the line: "{12}", "{12+}", "~{12}". 1 and what it is; 0: none ends there;
 * -EBADMSG: a number that cannot be. */
struct imap_literal {
	uint64_t size;
	bool plus; /* non-synchronizing */
	bool binary; /* literal8 */
	size_t prefix; /* where it begins in the line */
};
int imap_literal_end(struct span line, struct imap_literal *ret);

/* All of these: 0 and past it, or -EBADMSG and not moved. */
int imap_in_tag(struct imap_in *in, struct span *ret);
int imap_in_atom(struct imap_in *in, struct span *ret);
int imap_in_string(struct imap_in *in, struct span *ret); /* quoted or literal */
int imap_in_astring(struct imap_in *in, struct span *ret);
int imap_in_nstring(struct imap_in *in, struct span *ret, bool *ret_nil);
int imap_in_number(struct imap_in *in, uint64_t max, uint64_t *ret);
int imap_in_space(struct imap_in *in); /* exactly one */
bool imap_in_char(struct imap_in *in, char c); /* takes it if it is there */
bool imap_in_word(struct imap_in *in, const char *word); /* takes an atom of that name, any case */
bool imap_in_end(const struct imap_in *in); /* nothing is left */
/* A mailbox name as UTF-8 (of modified UTF-7, or as it is with in->utf8); INBOX in capitals.
 * -EINVAL and past it: a name that cannot be, to be answered NO. */
int imap_in_mailbox(struct imap_in *in, struct buf *ret);
/* "(\Seen $Label)", or without parentheses for STORE. Keywords in ret_keywords (at most max, else
 * -EBADMSG), system flags as bits of enum imap_flag; \Recent is refused. */
enum imap_flag { /* the bits of store/mail.h's mail_flag */
	IMAP_FLAG_ANSWERED = 1,
	IMAP_FLAG_FLAGGED = 2,
	IMAP_FLAG_DELETED = 4,
	IMAP_FLAG_SEEN = 8,
	IMAP_FLAG_DRAFT = 16,
	IMAP_FLAG_MDN_SENT = 32,
	IMAP_FLAG_FORWARDED = 64,
	IMAP_FLAG_JUNK = 128,
	IMAP_FLAG_NOT_JUNK = 256,
};
int imap_in_flags(struct imap_in *in, uint32_t *ret_system, struct span *ret_keywords, size_t max,
	size_t *ret_count);
/* One flag by its name: its bit; 0: a keyword of one's own. */
uint32_t imap_flag_find(struct span name);
/* Appends the names of the bits, each behind a blank if b does not end in '('. */
void imap_put_flags(struct buf *b, uint32_t system);
int imap_in_date_time(struct imap_in *in, int64_t *ret_us, int32_t *ret_offset_s); /* quoted */
int imap_in_date(struct imap_in *in, int64_t *ret_us); /* "1-Feb-1994", midnight UTC */

/* -- sets ----------------------------------------------------------------------------------------
 */

#define IMAP_STAR UINT32_MAX
struct imap_range {
	uint32_t first, last; /* first <= last but for IMAP_STAR, which is the highest there is */
};
struct imap_set { /* owned */
	struct imap_range *list;
	size_t count;
	bool saved; /* "$": the result that was saved (RFC 5182) */
};
int imap_in_set(struct imap_in *in, struct imap_set *ret); /* -ENOMEM too */
/* With '*' replaced by highest (0, for nothing is there: by 1), ascending and merged. 4294967295
 * is never a UID and stands in the set as 4294967294. */
void imap_set_settle(struct imap_set *s, uint32_t highest);
bool imap_set_has(const struct imap_set *settled, uint32_t n);
void imap_set_done(struct imap_set *s);
/* "1:3,7" of ascending numbers. */
void imap_put_set(struct buf *b, const uint32_t *numbers, size_t count);

/* -- mailbox names -------------------------------------------------------------------------------
 */

int imap_name_decode(struct span mutf7, struct buf *ret); /* -EINVAL */
void imap_name_encode(struct buf *b, struct span utf8);
/* As an astring for the wire. */
void imap_put_mailbox(struct buf *b, struct span utf8, bool utf8_ok);
/* Does a name match LIST's pattern ('*', '%' up to the next '/')? INBOX in any case. */
bool imap_pattern(struct span pattern, struct span name);

/* -- FETCH ---------------------------------------------------------------------------------------
 */

enum imap_item {
	IMAP_ITEM_UID,
	IMAP_ITEM_FLAGS,
	IMAP_ITEM_INTERNALDATE,
	IMAP_ITEM_SIZE, /* RFC822.SIZE */
	IMAP_ITEM_ENVELOPE,
	IMAP_ITEM_BODY, /* the structure without extension data */
	IMAP_ITEM_BODYSTRUCTURE,
	IMAP_ITEM_SECTION, /* BODY[...], BODY.PEEK[...], RFC822, .HEADER, .TEXT */
	IMAP_ITEM_BINARY,
	IMAP_ITEM_BINARY_SIZE,
	IMAP_ITEM_MODSEQ,
	IMAP_ITEM_EMAILID,
	IMAP_ITEM_THREADID,
	IMAP_ITEM_SAVEDATE,
	IMAP_ITEM_PREVIEW,
};
enum imap_section { IMAP_WHOLE, IMAP_HEADER, IMAP_FIELDS, IMAP_FIELDS_NOT, IMAP_TEXT, IMAP_MIME };

struct imap_fetch_item {
	enum imap_item item;
	bool peek;
	const char *old_name; /* "RFC822.HEADER" as it was asked for; NULL */
	uint32_t numbers[IMAP_SECTION_MAX];
	size_t number_count;
	enum imap_section section;
	struct span *fields; /* owned */
	size_t field_count;
	bool partial;
	uint64_t offset, length;
	bool lazy; /* PREVIEW (LAZY) */
};
struct imap_fetch { /* owned */
	struct imap_fetch_item *items;
	size_t count;
	bool changed; /* CHANGEDSINCE */
	uint64_t changed_since;
	bool vanished;
	bool partial; /* PARTIAL (RFC 9394), with UID FETCH only */
	int64_t partial_first, partial_last; /* as in struct imap_search */
};
/* Behind the set and its blank, to the end: items or macro, then modifiers. VANISHED stands with
 * CHANGEDSINCE only. -ENOMEM too. */
int imap_in_fetch(struct imap_in *in, struct imap_fetch *ret);
void imap_fetch_done(struct imap_fetch *f);
/* "BODY[1.HEADER.FIELDS (From)]<0>" as it stands in the answer. */
void imap_put_section(struct buf *b, const struct imap_fetch_item *item);

/* -- SEARCH, SORT, THREAD ------------------------------------------------------------------------
 */

enum imap_key {
	IMAP_KEY_ALL,
	IMAP_KEY_AND, /* children */
	IMAP_KEY_OR, /* two children */
	IMAP_KEY_NOT, /* one child */
	IMAP_KEY_SEQ,
	IMAP_KEY_UID,
	IMAP_KEY_FLAG, /* system bit set or keyword set */
	IMAP_KEY_RECENT,
	IMAP_KEY_HEADER, /* name, text (empty: the field is there); FROM, TO, CC, BCC, SUBJECT too
			  */
	IMAP_KEY_BODY,
	IMAP_KEY_TEXT,
	IMAP_KEY_BEFORE, /* INTERNALDATE's day */
	IMAP_KEY_ON,
	IMAP_KEY_SINCE,
	IMAP_KEY_SENT_BEFORE,
	IMAP_KEY_SENT_ON,
	IMAP_KEY_SENT_SINCE,
	IMAP_KEY_SAVED_BEFORE,
	IMAP_KEY_SAVED_ON,
	IMAP_KEY_SAVED_SINCE,
	IMAP_KEY_LARGER,
	IMAP_KEY_SMALLER,
	IMAP_KEY_YOUNGER, /* seconds */
	IMAP_KEY_OLDER,
	IMAP_KEY_MODSEQ,
	IMAP_KEY_EMAILID,
	IMAP_KEY_THREADID,
};
struct imap_search_node {
	enum imap_key key;
	uint32_t first, next; /* children; UINT32_MAX */
	struct imap_set set;
	uint32_t flag; /* IMAP_KEY_FLAG: bit; 0: keyword in text. UNSEEN and the like are NOT of it
			*/
	struct span name, text; /* text as it came, in the program's charset */
	uint64_t number; /* sizes, seconds, modseq */
	int64_t day_us;
};
enum imap_return {
	IMAP_RETURN_MIN = 1,
	IMAP_RETURN_MAX = 2,
	IMAP_RETURN_ALL = 4,
	IMAP_RETURN_COUNT = 8,
	IMAP_RETURN_SAVE = 16,
	IMAP_RETURN_PARTIAL = 32,
};
struct imap_search { /* owned */
	bool extended; /* RETURN was there: the answer is ESEARCH */
	unsigned returns; /* enum imap_return; RETURN () is ALL */
	/* RFC 9394: 1 is the first, -1 the last; the one nearer to its end comes first */
	int64_t partial_first, partial_last;
	struct span charset; /* empty: none was named */
	struct imap_search_node *nodes; /* nodes[0]: the program */
	size_t count;
	bool uses_modseq;
};
/* Behind "SEARCH ": RETURN options, CHARSET, keys. */
int imap_in_search(struct imap_in *in, struct imap_search *ret);
void imap_search_done(struct imap_search *s);

enum imap_sort_key {
	IMAP_SORT_ARRIVAL,
	IMAP_SORT_CC,
	IMAP_SORT_DATE,
	IMAP_SORT_FROM,
	IMAP_SORT_SIZE,
	IMAP_SORT_SUBJECT,
	IMAP_SORT_TO,
	IMAP_SORT_DISPLAYFROM,
	IMAP_SORT_DISPLAYTO,
};
struct imap_sort {
	struct {
		enum imap_sort_key key;
		bool reverse;
	} keys[16];
	size_t count;
	struct imap_search search; /* owned */
};
int imap_in_sort(struct imap_in *in, struct imap_sort *ret); /* behind "SORT " */
enum imap_thread { IMAP_THREAD_REFERENCES, IMAP_THREAD_ORDEREDSUBJECT };
struct imap_thread_command {
	enum imap_thread how;
	struct imap_search search; /* owned */
};
int imap_in_thread(struct imap_in *in, struct imap_thread_command *ret); /* -ENOTSUP: another way */

/* -- LIST, STATUS, NOTIFY ------------------------------------------------------------------------
 */

enum imap_status_item {
	IMAP_STATUS_MESSAGES = 1,
	IMAP_STATUS_RECENT = 2,
	IMAP_STATUS_UIDNEXT = 4,
	IMAP_STATUS_UIDVALIDITY = 8,
	IMAP_STATUS_UNSEEN = 16,
	IMAP_STATUS_HIGHESTMODSEQ = 32,
	IMAP_STATUS_SIZE = 64,
	IMAP_STATUS_APPENDLIMIT = 128,
	IMAP_STATUS_MAILBOXID = 256,
	IMAP_STATUS_DELETED = 512,
	IMAP_STATUS_DELETED_STORAGE = 1024,
};
int imap_in_status(struct imap_in *in, unsigned *ret_items); /* "(MESSAGES ...)" */

enum imap_list_option {
	IMAP_LIST_SUBSCRIBED = 1,
	IMAP_LIST_REMOTE = 2,
	IMAP_LIST_RECURSIVEMATCH = 4,
	IMAP_LIST_SPECIAL_USE = 8,
	IMAP_RETURN_SUBSCRIBED = 16,
	IMAP_RETURN_CHILDREN = 32,
	IMAP_RETURN_SPECIAL_USE = 64,
	IMAP_RETURN_STATUS = 128,
};
struct imap_list { /* owned */
	bool extended; /* selection options, several patterns or RETURN */
	unsigned options;
	unsigned status; /* enum imap_status_item */
	struct buf reference;
	struct buf patterns; /* UTF-8, each ended by NUL; malformed names stay, and match none */
	size_t pattern_count;
};
int imap_in_list(struct imap_in *in, struct imap_list *ret);
void imap_list_done(struct imap_list *l);

enum imap_event {
	IMAP_EVENT_NEW = 1,
	IMAP_EVENT_EXPUNGE = 2,
	IMAP_EVENT_FLAGS = 4,
	IMAP_EVENT_NAME = 8,
	IMAP_EVENT_SUBSCRIPTION = 16,
};
enum imap_filter {
	IMAP_FILTER_SELECTED,
	IMAP_FILTER_SELECTED_DELAYED,
	IMAP_FILTER_INBOXES,
	IMAP_FILTER_PERSONAL,
	IMAP_FILTER_SUBSCRIBED,
	IMAP_FILTER_SUBTREE,
	IMAP_FILTER_MAILBOXES,
};
struct imap_notify_group {
	enum imap_filter filter;
	struct buf names; /* UTF-8, each ended by NUL */
	unsigned events;
	bool has_fetch;
	struct imap_fetch fetch; /* of MessageNew on the selected one */
};
struct imap_notify { /* owned; count 0: NONE */
	bool status;
	struct imap_notify_group groups[16];
	size_t count;
};
/* -ENOTSUP: an event that is not known (BADEVENT). */
int imap_in_notify(struct imap_in *in, struct imap_notify *ret);
void imap_notify_done(struct imap_notify *n);

/* -- answers -------------------------------------------------------------------------------------
 */

/* quoted if it can be, else a literal; with utf8_ok UTF-8 may be quoted. */
void imap_put_string(struct buf *b, struct span s, bool utf8_ok);
void imap_put_date_time(struct buf *b, int64_t at_us, int32_t offset_s); /* quoted */

/* -- the client's side (imap_answer.c) ------------------------------------------------------------
 */

/* An answer, literals in it: a tree of values in one array. */
enum imap_value { IMAP_VALUE_ATOM, IMAP_VALUE_STRING, IMAP_VALUE_NIL, IMAP_VALUE_LIST };
struct imap_node {
	enum imap_value value;
	struct span text; /* atoms (with their brackets: "BODY[]<0>"), numbers, strings */
	uint32_t first, next; /* of a list */
};
struct imap_answer { /* owned */
	struct span tag; /* "*", "+" or a tag */
	struct span status; /* "OK", "NO", "BAD", "BYE", "PREAUTH" or empty */
	struct span code; /* of "[CODE args]": code and args, without brackets */
	struct span text; /* behind it: for people */
	struct imap_node *nodes; /* the words of what is no status, chained from nodes[0] */
	size_t count;
};
/* p is written into; the line's end may be there or not. -EBADMSG, -ENOMEM. */
int imap_answer_parse(unsigned char *p, size_t len, struct imap_answer *ret);
void imap_answer_done(struct imap_answer *a);
/* The value behind a name in a list of pairs (FETCH's, STATUS's); NULL. Here and below, list NULL
 * means the answer's own words, and what is no list has no values. */
const struct imap_node *imap_answer_find(
	const struct imap_answer *a, const struct imap_node *list, const char *name);
const struct imap_node *imap_answer_child(
	const struct imap_answer *a, const struct imap_node *list, size_t n);

#endif
