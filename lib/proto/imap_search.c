/*
 * SEARCH programs as a tree in one array (RFC 3501 section 6.4.4, 5032, 7162, 8474, 8514). NEW, OLD
 * and the UN... keys are made of the others, so that whoever runs the program has few kinds to
 * know.
 */
#include "proto/imap_i.h"

#include <errno.h>
#include <stdlib.h>

enum { NEST_MAX = 200 }; /* of NOT, OR and parentheses in one another */

enum arg {
	ARG_NONE,
	ARG_TEXT, /* of the header field that the row names, or of the body */
	ARG_HEADER,
	ARG_KEYWORD,
	ARG_DATE,
	ARG_NUMBER,
	ARG_POSITIVE,
	ARG_MODSEQ,
	ARG_SET,
	ARG_ID,
	ARG_NOT,
	ARG_OR,
	ARG_NEW,
};

struct key_row {
	const char *name;
	enum imap_key key;
	enum arg arg;
	bool negated;
	uint32_t flag;
	const char *field;
};
static const struct key_row rows[] = {
	{"ALL", IMAP_KEY_ALL, ARG_NONE, false, 0, NULL},
	{"ANSWERED", IMAP_KEY_FLAG, ARG_NONE, false, IMAP_FLAG_ANSWERED, NULL},
	{"BCC", IMAP_KEY_HEADER, ARG_TEXT, false, 0, "Bcc"},
	{"BEFORE", IMAP_KEY_BEFORE, ARG_DATE, false, 0, NULL},
	{"BODY", IMAP_KEY_BODY, ARG_TEXT, false, 0, NULL},
	{"CC", IMAP_KEY_HEADER, ARG_TEXT, false, 0, "Cc"},
	{"DELETED", IMAP_KEY_FLAG, ARG_NONE, false, IMAP_FLAG_DELETED, NULL},
	{"DRAFT", IMAP_KEY_FLAG, ARG_NONE, false, IMAP_FLAG_DRAFT, NULL},
	{"EMAILID", IMAP_KEY_EMAILID, ARG_ID, false, 0, NULL},
	{"FLAGGED", IMAP_KEY_FLAG, ARG_NONE, false, IMAP_FLAG_FLAGGED, NULL},
	{"FROM", IMAP_KEY_HEADER, ARG_TEXT, false, 0, "From"},
	{"HEADER", IMAP_KEY_HEADER, ARG_HEADER, false, 0, NULL},
	{"KEYWORD", IMAP_KEY_FLAG, ARG_KEYWORD, false, 0, NULL},
	{"LARGER", IMAP_KEY_LARGER, ARG_NUMBER, false, 0, NULL},
	{"MODSEQ", IMAP_KEY_MODSEQ, ARG_MODSEQ, false, 0, NULL},
	{"NEW", IMAP_KEY_AND, ARG_NEW, false, 0, NULL},
	{"NOT", IMAP_KEY_NOT, ARG_NOT, false, 0, NULL},
	{"OLD", IMAP_KEY_RECENT, ARG_NONE, true, 0, NULL},
	{"OLDER", IMAP_KEY_OLDER, ARG_POSITIVE, false, 0, NULL},
	{"ON", IMAP_KEY_ON, ARG_DATE, false, 0, NULL},
	{"OR", IMAP_KEY_OR, ARG_OR, false, 0, NULL},
	{"RECENT", IMAP_KEY_RECENT, ARG_NONE, false, 0, NULL},
	{"SAVEDATESUPPORTED", IMAP_KEY_ALL, ARG_NONE, false, 0, NULL},
	{"SAVEDBEFORE", IMAP_KEY_SAVED_BEFORE, ARG_DATE, false, 0, NULL},
	{"SAVEDON", IMAP_KEY_SAVED_ON, ARG_DATE, false, 0, NULL},
	{"SAVEDSINCE", IMAP_KEY_SAVED_SINCE, ARG_DATE, false, 0, NULL},
	{"SEEN", IMAP_KEY_FLAG, ARG_NONE, false, IMAP_FLAG_SEEN, NULL},
	{"SENTBEFORE", IMAP_KEY_SENT_BEFORE, ARG_DATE, false, 0, NULL},
	{"SENTON", IMAP_KEY_SENT_ON, ARG_DATE, false, 0, NULL},
	{"SENTSINCE", IMAP_KEY_SENT_SINCE, ARG_DATE, false, 0, NULL},
	{"SINCE", IMAP_KEY_SINCE, ARG_DATE, false, 0, NULL},
	{"SMALLER", IMAP_KEY_SMALLER, ARG_NUMBER, false, 0, NULL},
	{"SUBJECT", IMAP_KEY_HEADER, ARG_TEXT, false, 0, "Subject"},
	{"TEXT", IMAP_KEY_TEXT, ARG_TEXT, false, 0, NULL},
	{"THREADID", IMAP_KEY_THREADID, ARG_ID, false, 0, NULL},
	{"TO", IMAP_KEY_HEADER, ARG_TEXT, false, 0, "To"},
	{"UID", IMAP_KEY_UID, ARG_SET, false, 0, NULL},
	{"UNANSWERED", IMAP_KEY_FLAG, ARG_NONE, true, IMAP_FLAG_ANSWERED, NULL},
	{"UNDELETED", IMAP_KEY_FLAG, ARG_NONE, true, IMAP_FLAG_DELETED, NULL},
	{"UNDRAFT", IMAP_KEY_FLAG, ARG_NONE, true, IMAP_FLAG_DRAFT, NULL},
	{"UNFLAGGED", IMAP_KEY_FLAG, ARG_NONE, true, IMAP_FLAG_FLAGGED, NULL},
	{"UNKEYWORD", IMAP_KEY_FLAG, ARG_KEYWORD, true, 0, NULL},
	{"UNSEEN", IMAP_KEY_FLAG, ARG_NONE, true, IMAP_FLAG_SEEN, NULL},
	{"YOUNGER", IMAP_KEY_YOUNGER, ARG_POSITIVE, false, 0, NULL},
};

struct parser {
	struct imap_in *in;
	struct imap_search *s;
	size_t room;
	unsigned depth, open; /* keys in keys; parentheses among them */
};

/* Nodes are named by number: the array moves when it grows. */
static int add_node(struct parser *p, enum imap_key key, uint32_t *ret)
{
	struct imap_search_node *n;

	if (p->s->count >= IMAP_SEARCH_MAX)
		return -EBADMSG;
	n = imap_grow((void **)&p->s->nodes, &p->s->count, &p->room, sizeof(*n));
	if (n == NULL)
		return -ENOMEM;
	n->key = key;
	n->first = n->next = IMAP_NONE;
	*ret = (uint32_t)(p->s->count - 1);
	return 0;
}

static int in_key(struct parser *p, uint32_t *ret);

/* Takes a key and hangs it behind *last, or as the first child of parent. */
static int in_child(struct parser *p, uint32_t parent, uint32_t *last)
{
	uint32_t child;
	int r = in_key(p, &child);

	if (r < 0)
		return r;
	if (*last == IMAP_NONE)
		p->s->nodes[parent].first = child;
	else
		p->s->nodes[*last].next = child;
	*last = child;
	return 0;
}

static int in_children(struct parser *p, uint32_t parent)
{
	uint32_t last = IMAP_NONE;
	int r;

	do {
		r = in_child(p, parent, &last);
		if (r < 0)
			return r;
	} while (imap_in_char(p->in, ' '));
	return 0;
}

/* [SP entry-name SP entry-type] SP number: all flags have one MODSEQ here. */
static int in_modseq(struct parser *p, struct imap_search_node *n)
{
	struct span entry;

	p->s->uses_modseq = true;
	if (imap_in_peek(p->in) == '"') {
		if (imap_in_string(p->in, &entry) < 0 || imap_in_space(p->in) < 0)
			return -EBADMSG;
		if (!imap_in_word(p->in, "priv") && !imap_in_word(p->in, "shared") &&
			!imap_in_word(p->in, "all"))
			return -EBADMSG;
		if (imap_in_space(p->in) < 0)
			return -EBADMSG;
	}
	return imap_in_number(p->in, INT64_MAX, &n->number);
}

static int in_header(struct parser *p, struct imap_search_node *n)
{
	int r = imap_in_astring(p->in, &n->name);

	if (r < 0)
		return r;
	r = imap_in_space(p->in);
	return r < 0 ? r : imap_in_astring(p->in, &n->text);
}

static int in_keyword(struct parser *p, struct imap_search_node *n)
{
	int r = imap_in_atom(p->in, &n->text);

	if (r == 0)
		n->flag = imap_flag_find(n->text);
	return r;
}

/* What stands behind the name of a key that has no children. */
static int in_argument(struct parser *p, const struct key_row *row, struct imap_search_node *n)
{
	int r;

	n->flag = row->flag;
	n->name = span_str(row->field);
	if (row->arg == ARG_NONE)
		return 0;
	if (imap_in_space(p->in) < 0)
		return -EBADMSG;
	switch (row->arg) {
	case ARG_TEXT:
		return imap_in_astring(p->in, &n->text);
	case ARG_HEADER:
		return in_header(p, n);
	case ARG_KEYWORD:
		return in_keyword(p, n);
	case ARG_DATE:
		return imap_in_date(p->in, &n->day_us);
	case ARG_MODSEQ:
		return in_modseq(p, n);
	case ARG_SET:
		return imap_in_set(p->in, &n->set);
	case ARG_ID:
		return imap_in_astring(p->in, &n->text);
	case ARG_POSITIVE:
		r = imap_in_number(p->in, UINT32_MAX, &n->number);
		return r == 0 && n->number == 0 ? -EBADMSG : r;
	default:
		return imap_in_number(p->in, INT64_MAX, &n->number);
	}
}

static int in_plain(struct parser *p, const struct key_row *row, uint32_t at)
{
	struct imap_search_node n = p->s->nodes[at];
	int r = in_argument(p, row, &n);

	p->s->nodes[at] = n;
	return r;
}

/* RECENT UNSEEN */
static int add_new(struct parser *p, uint32_t parent)
{
	uint32_t recent, unless, seen;
	int r = add_node(p, IMAP_KEY_RECENT, &recent);

	if (r == 0)
		r = add_node(p, IMAP_KEY_NOT, &unless);
	if (r == 0)
		r = add_node(p, IMAP_KEY_FLAG, &seen);
	if (r < 0)
		return r;
	p->s->nodes[parent].first = recent;
	p->s->nodes[recent].next = unless;
	p->s->nodes[unless].first = seen;
	p->s->nodes[seen].flag = IMAP_FLAG_SEEN;
	return 0;
}

/* One key behind NOT, two behind OR. */
static int in_operands(struct parser *p, uint32_t parent, unsigned count)
{
	uint32_t last = IMAP_NONE;
	int r;

	for (unsigned i = 0; i < count; i++) {
		if (imap_in_space(p->in) < 0)
			return -EBADMSG;
		r = in_child(p, parent, &last);
		if (r < 0)
			return r;
	}
	return 0;
}

static int in_row(struct parser *p, const struct key_row *row, uint32_t at)
{
	switch (row->arg) {
	case ARG_NOT:
		return in_operands(p, at, 1);
	case ARG_OR:
		return in_operands(p, at, 2);
	case ARG_NEW:
		return add_new(p, at);
	default:
		return in_plain(p, row, at);
	}
}

static const struct key_row *find_row(struct span name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_caseeq_str(name, rows[i].name))
			return &rows[i];
	return NULL;
}

static int in_named(struct parser *p, uint32_t *ret)
{
	const struct key_row *row = find_row(imap_in_name(p->in));
	uint32_t top = 0, at;
	int r;

	if (row == NULL)
		return -EBADMSG;
	r = add_node(p, row->negated ? IMAP_KEY_NOT : row->key, &top);
	at = top;
	if (r == 0 && row->negated)
		r = add_node(p, row->key, &at);
	if (r < 0)
		return r;
	if (row->negated)
		p->s->nodes[top].first = at;
	r = in_row(p, row, at);
	*ret = top;
	return r;
}

static int in_parentheses(struct parser *p, uint32_t *ret)
{
	int r = p->open < IMAP_DEPTH_MAX ? add_node(p, IMAP_KEY_AND, ret) : -EBADMSG;

	p->open++;
	(void)imap_in_char(p->in, '(');
	if (r == 0)
		r = in_children(p, *ret);
	if (r < 0)
		return r;
	p->open--;
	return imap_in_char(p->in, ')') ? 0 : -EBADMSG;
}

static int in_sequence(struct parser *p, uint32_t *ret)
{
	struct imap_set set;
	int r = add_node(p, IMAP_KEY_SEQ, ret);

	if (r == 0)
		r = imap_in_set(p->in, &set);
	if (r == 0)
		p->s->nodes[*ret].set = set;
	return r;
}

static int in_key(struct parser *p, uint32_t *ret)
{
	unsigned char c = imap_in_peek(p->in);
	int r;

	if (p->depth >= NEST_MAX)
		return -EBADMSG;
	p->depth++;
	if (c == '(')
		r = in_parentheses(p, ret);
	else if (imap_is_digit(c) || c == '*' || c == '$')
		r = in_sequence(p, ret);
	else
		r = in_named(p, ret);
	p->depth--;
	return r;
}

int imap_search_keys(struct imap_in *in, struct imap_search *s)
{
	struct parser p = {.in = in, .s = s};
	uint32_t top;
	int r = add_node(&p, IMAP_KEY_AND, &top);

	if (r == 0)
		r = in_children(&p, top);
	return r < 0 ? r : imap_in_end(in) ? 0 : -EBADMSG;
}

static int in_program(struct imap_in *in, struct imap_search *s)
{
	int r = imap_search_returns(in, s);

	if (r < 0)
		return r;
	if (imap_in_word(in, "CHARSET")) {
		if (imap_in_space(in) < 0 || imap_in_astring(in, &s->charset) < 0 ||
			imap_in_space(in) < 0)
			return -EBADMSG;
	}
	return imap_search_keys(in, s);
}

int imap_in_search(struct imap_in *in, struct imap_search *ret)
{
	struct imap_search s = {.nodes = NULL};
	size_t from = in->at;
	int r = in_program(in, &s);

	if (r < 0) {
		in->at = from;
		imap_search_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}

void imap_search_done(struct imap_search *s)
{
	for (size_t i = 0; i < s->count; i++)
		imap_set_done(&s->nodes[i].set);
	free(s->nodes);
	*s = (struct imap_search){.nodes = NULL};
}
