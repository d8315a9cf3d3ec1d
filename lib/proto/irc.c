/* IRC lines and their tags. */
#include "proto/irc.h"

#include "base/text.h"

#include <errno.h>

static bool is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* -- lines ------------------------------------------------------------------------------------- */

static void skip_blanks(struct span *s)
{
	while (s->len > 0 && *s->p == ' ')
		*s = span_of(s->p + 1, s->len - 1);
}

/* Up to the next blank or the end. */
static struct span take_word(struct span *s)
{
	struct span word;

	(void)irc_word(s, ' ', &word);
	return word;
}

/* With '_' it is no command that anybody knows, but may be told so. */
static bool verb_ok(struct span verb)
{
	bool letters = verb.len > 0, digits = verb.len == 3;

	for (size_t i = 0; i < verb.len; i++) {
		letters = letters && (is_letter(verb.p[i]) || (i > 0 && verb.p[i] == '_'));
		digits = digits && is_digit(verb.p[i]);
	}
	return letters || digits;
}

static void take_params(struct span rest, struct irc_message *m)
{
	for (skip_blanks(&rest); rest.len > 0; skip_blanks(&rest)) {
		m->trailing = *rest.p == ':';
		if (m->trailing)
			rest = span_of(rest.p + 1, rest.len - 1);
		if (m->trailing || m->count == IRC_PARAMS_MAX - 1) {
			m->params[m->count++] = rest;
			return;
		}
		m->params[m->count++] = take_word(&rest);
	}
}

static bool has_line_bytes(struct span line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.p[i] == '\0' || line.p[i] == '\r' || line.p[i] == '\n')
			return true;
	return false;
}

/* The word behind a mark ('@' of tags, ':' of a source); empty when it does not begin so. */
static struct span take_marked(struct span *rest, unsigned char mark)
{
	struct span word = {NULL, 0};

	if (rest->len == 0 || *rest->p != mark)
		return word;
	*rest = span_of(rest->p + 1, rest->len - 1);
	if (rest->len > 0 && *rest->p != ' ')
		word = take_word(rest);
	skip_blanks(rest);
	return word;
}

int irc_parse(struct span line, size_t tags_max, struct irc_message *ret)
{
	struct irc_message m = {.count = 0};
	struct span rest = line;

	if (has_line_bytes(line))
		return -EBADMSG;
	m.tags = take_marked(&rest, '@');
	if (m.tags.len > tags_max || rest.len > IRC_BODY_MAX)
		return -EMSGSIZE;
	skip_blanks(&rest);
	if (rest.len == 0)
		return line.len > 0 && *line.p == '@' ? -EBADMSG : -ENOMSG;
	m.source = take_marked(&rest, ':');
	m.verb = take_word(&rest);
	if (!verb_ok(m.verb))
		return -EBADMSG;
	take_params(rest, &m);
	*ret = m;
	return 0;
}

bool irc_is(struct span verb, const char *name)
{
	return span_caseeq_str(verb, name);
}

bool irc_word(struct span *rest, char sep, struct span *ret)
{
	size_t start = 0, end;

	while (start < rest->len && rest->p[start] == (unsigned char)sep)
		start++;
	end = start;
	while (end < rest->len && rest->p[end] != (unsigned char)sep)
		end++;
	*ret = span_of(rest->p + start, end - start);
	*rest = span_of(rest->p + end, rest->len - end);
	return ret->len > 0;
}

/* -- tags -------------------------------------------------------------------------------------- */

bool irc_tag_next(struct span *rest, struct span *ret_key, struct span *ret_value)
{
	struct span tag;

	if (!irc_word(rest, ';', &tag))
		return false;
	*ret_value = tag;
	(void)span_split(ret_value, '=', ret_key);
	return true;
}

int irc_tag_find(struct span tags, const char *key, struct span *ret_value)
{
	struct span k, value;
	int r = -ENOENT;

	while (irc_tag_next(&tags, &k, &value)) {
		if (!span_eq_str(k, key))
			continue;
		*ret_value = value;
		r = 0;
	}
	return r;
}

bool irc_tag_key_ok(struct span key)
{
	if (key.len > 0 && *key.p == '+')
		key = span_of(key.p + 1, key.len - 1);
	for (size_t i = 0; i < key.len; i++)
		if (!is_letter(key.p[i]) && !is_digit(key.p[i]) && key.p[i] != '-' &&
			key.p[i] != '.' && key.p[i] != '/')
			return false;
	return key.len > 0;
}

/* -- CTCP -------------------------------------------------------------------------------------- */

bool irc_ctcp(struct span text, struct span *ret_verb, struct span *ret_rest)
{
	struct span rest, verb;

	if (text.len < 2 || *text.p != '\001')
		return false;
	rest = span_of(text.p + 1, text.len - 1);
	if (rest.p[rest.len - 1] == '\001')
		rest.len--;
	if (rest.len == 0 || *rest.p == ' ')
		return false;
	(void)irc_word(&rest, ' ', &verb);
	if (rest.len > 0)
		rest = span_of(rest.p + 1, rest.len - 1);
	*ret_verb = verb;
	*ret_rest = rest;
	return true;
}
