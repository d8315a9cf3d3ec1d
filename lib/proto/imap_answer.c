/*
 * A server's answer taken apart, for the client: the status ones into their pieces, all others into
 * a tree of words in one array. The server is not trusted: whatever it sends is read in one pass
 * and in memory that its length bounds.
 */
#include "proto/imap_i.h"

#include <errno.h>
#include <stdlib.h>

enum { NODES_MAX = 1 << 20 };

/* Lists that are open, the innermost last. */
struct parser {
	struct imap_in in;
	struct imap_answer *a;
	size_t room, depth;
	uint32_t parents[IMAP_DEPTH_MAX]; /* lists */
	uint32_t last[IMAP_DEPTH_MAX + 1]; /* the newest word of each level */
};

static int add_node(struct parser *p, enum imap_value value, struct span text)
{
	struct imap_node *n;
	uint32_t at, last = p->last[p->depth];

	if (p->a->count >= NODES_MAX)
		return -EBADMSG;
	n = imap_grow((void **)&p->a->nodes, &p->a->count, &p->room, sizeof(*n));
	if (n == NULL)
		return -ENOMEM;
	*n = (struct imap_node){
		.value = value, .text = text, .first = IMAP_NONE, .next = IMAP_NONE};
	at = (uint32_t)(p->a->count - 1);
	if (last != IMAP_NONE)
		p->a->nodes[last].next = at;
	else if (p->depth > 0)
		p->a->nodes[p->parents[p->depth - 1]].first = at;
	p->last[p->depth] = at;
	return 0;
}

static int open_list(struct parser *p)
{
	int r;

	p->in.at++;
	if (p->depth >= IMAP_DEPTH_MAX)
		return -EBADMSG;
	r = add_node(p, IMAP_VALUE_LIST, span_of(NULL, 0));
	if (r < 0)
		return r;
	p->parents[p->depth++] = (uint32_t)(p->a->count - 1);
	p->last[p->depth] = IMAP_NONE;
	return 0;
}

static int close_list(struct parser *p)
{
	p->in.at++;
	if (p->depth == 0)
		return -EBADMSG;
	p->depth--;
	return 0;
}

static bool is_word(unsigned char c)
{
	return c > ' ' && c != '(' && c != ')' && c != '"' && c != 0x7f;
}

/* "BODY[HEADER.FIELDS (From)]<0>" is one word. */
static bool has_section(struct span word)
{
	static const char *const names[] = {"BODY[", "BINARY[", "BINARY.SIZE[", "BODY.PEEK["};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (word.len >= strlen(names[i]) &&
			span_caseeq_str(span_of(word.p, strlen(names[i])), names[i]))
			return true;
	return false;
}

static int add_word(struct parser *p)
{
	struct imap_in *in = &p->in;
	size_t from = in->at;
	const unsigned char *end;
	struct span word;

	while (in->at < in->len && is_word(in->p[in->at]))
		in->at++;
	word = span_of(in->p + from, in->at - from);
	if (word.len == 0)
		return -EBADMSG;
	if (has_section(word) && memchr(word.p, ']', word.len) == NULL) {
		end = memchr(in->p + in->at, ']', in->len - in->at);
		if (end == NULL)
			return -EBADMSG;
		in->at = (size_t)(end - in->p) + 1;
		while (in->at < in->len && is_word(in->p[in->at]))
			in->at++;
		word.len = in->at - from;
	}
	return add_node(p, span_caseeq_str(word, "NIL") ? IMAP_VALUE_NIL : IMAP_VALUE_ATOM, word);
}

static int add_string(struct parser *p)
{
	struct span text;
	int r;

	(void)imap_in_char(&p->in, '~');
	if (imap_in_peek(&p->in) == '{')
		r = imap_in_literal(&p->in, true, &text);
	else
		r = imap_in_string(&p->in, &text);
	return r < 0 ? r : add_node(p, IMAP_VALUE_STRING, text);
}

static bool literal_begins(const struct imap_in *in)
{
	size_t at = in->at + (in->p[in->at] == '~' ? 1 : 0);

	return at + 1 < in->len && in->p[at] == '{' && imap_is_digit(in->p[at + 1]);
}

static int add_next(struct parser *p)
{
	switch (imap_in_peek(&p->in)) {
	case '(':
		return open_list(p);
	case ')':
		return close_list(p);
	case '"':
		return add_string(p);
	default:
		return literal_begins(&p->in) ? add_string(p) : add_word(p);
	}
}

static int add_words(struct parser *p)
{
	int r;

	p->last[0] = IMAP_NONE;
	while (!imap_in_end(&p->in)) {
		if (imap_in_char(&p->in, ' '))
			continue;
		r = add_next(p);
		if (r < 0)
			return r;
	}
	return p->depth == 0 ? 0 : -EBADMSG;
}

static struct span rest_of(const struct imap_in *in)
{
	return span_of(in->p + in->at, in->len - in->at);
}

/* The end of "[code", where strings may hold ']'; the first ']' if the quotes do not match. */
static const unsigned char *code_end(struct span s)
{
	bool quoted = false;

	for (size_t i = 0; i < s.len; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (s.p[i] == ']' && !quoted)
			return s.p + i;
	}
	return s.len > 0 ? memchr(s.p, ']', s.len) : NULL;
}

static void take_text(struct imap_answer *a, struct span s)
{
	const unsigned char *end = NULL;

	if (s.len > 0 && s.p[0] == '[')
		end = code_end(s);
	if (end != NULL) {
		a->code = span_of(s.p + 1, (size_t)(end - s.p) - 1);
		s = span_of(end + 1, s.len - (size_t)(end - s.p) - 1);
		if (s.len > 0 && s.p[0] == ' ')
			s = span_of(s.p + 1, s.len - 1);
	}
	a->text = s;
}

/* "OK" and the like, with what is behind it. */
static bool take_status(struct imap_in *in, struct imap_answer *a)
{
	static const char *const words[] = {"OK", "NO", "BAD", "BYE", "PREAUTH"};
	struct span rest = rest_of(in), word = {NULL, 0};

	(void)span_split(&rest, ' ', &word);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!span_caseeq_str(word, words[i]))
			continue;
		a->status = word;
		take_text(a, rest);
		return true;
	}
	return false;
}

static int in_tag(struct imap_in *in, struct span *ret)
{
	if (imap_in_peek(in) == '*' || imap_in_peek(in) == '+') {
		*ret = span_of(in->p + in->at++, 1);
		return 0;
	}
	return imap_in_tag(in, ret);
}

static int parse(struct parser *p)
{
	struct imap_answer *a = p->a;
	int r = in_tag(&p->in, &a->tag);

	if (r < 0)
		return r;
	if (!imap_in_char(&p->in, ' ') && !imap_in_end(&p->in))
		return -EBADMSG;
	if (span_eq_str(a->tag, "+")) {
		take_text(a, rest_of(&p->in));
		return 0;
	}
	if (take_status(&p->in, a))
		return 0;
	return span_eq_str(a->tag, "*") ? add_words(p) : -EBADMSG;
}

int imap_answer_parse(unsigned char *p, size_t len, struct imap_answer *ret)
{
	struct imap_answer a = {.nodes = NULL};
	struct parser parser = {.in = {.p = p, .len = len}, .a = &a};
	int r;

	if (len > 0 && p[len - 1] == '\n')
		parser.in.len--;
	if (parser.in.len > 0 && p[parser.in.len - 1] == '\r')
		parser.in.len--;
	r = parse(&parser);
	if (r < 0) {
		imap_answer_done(&a);
		return r;
	}
	*ret = a;
	return 0;
}

void imap_answer_done(struct imap_answer *a)
{
	free(a->nodes);
	*a = (struct imap_answer){.nodes = NULL};
}

static const struct imap_node *node_at(const struct imap_answer *a, uint32_t at)
{
	return at < a->count ? &a->nodes[at] : NULL;
}

/* The first word of a list; of the answer itself without one. */
static const struct imap_node *first_of(const struct imap_answer *a, const struct imap_node *list)
{
	if (list == NULL)
		return node_at(a, 0);
	return list->value == IMAP_VALUE_LIST ? node_at(a, list->first) : NULL;
}

const struct imap_node *imap_answer_find(
	const struct imap_answer *a, const struct imap_node *list, const char *name)
{
	const struct imap_node *n = first_of(a, list), *value;

	for (; n != NULL; n = node_at(a, value->next)) {
		value = node_at(a, n->next);
		if (value == NULL)
			return NULL;
		if (n->value != IMAP_VALUE_LIST && span_caseeq_str(n->text, name))
			return value;
	}
	return NULL;
}

const struct imap_node *imap_answer_child(
	const struct imap_answer *a, const struct imap_node *list, size_t n)
{
	const struct imap_node *child = first_of(a, list);

	for (; child != NULL && n > 0; n--)
		child = node_at(a, child->next);
	return child;
}
