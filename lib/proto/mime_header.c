/* Header fields: lines, names, unfolding, picking some of them. */
#include "proto/mime_i.h"

#include <errno.h>

#ifdef QUINTET_TEST
uint64_t mime_work;
#endif

struct span mime_trim(struct span s)
{
	while (s.len > 0 && mime_is_blank(s.p[s.len - 1]))
		s.len--;
	while (s.len > 0 && mime_is_blank(s.p[0]))
		s = mime_skip(s, 1);
	return s;
}

int mime_hex(unsigned char c)
{
	if (mime_is_digit(c))
		return c - '0';
	c = mime_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool mime_line_next(struct span *rest, struct span *ret)
{
	const unsigned char *end;
	size_t len;

	if (rest->len == 0)
		return false;
	end = memchr(rest->p, '\n', rest->len);
	len = end != NULL ? (size_t)(end - rest->p) + 1 : rest->len;
	MIME_WORK(len);
	*ret = span_of(rest->p, len);
	*rest = mime_skip(*rest, len);
	return true;
}

/* Where the colon is behind the name; 0: the line begins no field. */
static size_t find_colon(struct span line, size_t *ret_name_len)
{
	size_t i = 0;

	while (i < line.len && line.p[i] > ' ' && line.p[i] < 0x7f && line.p[i] != ':')
		i++;
	*ret_name_len = i;
	while (i < line.len && (line.p[i] == ' ' || line.p[i] == '\t'))
		i++;
	return *ret_name_len > 0 && i < line.len && line.p[i] == ':' ? i : 0;
}

static void take_continuations(struct span *rest, struct span *whole)
{
	struct span line;

	while (rest->len > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t')) {
		(void)mime_line_next(rest, &line);
		whole->len += line.len;
	}
}

bool mime_field_next(struct span *rest, struct mime_field *ret)
{
	struct span line;

	while (mime_line_next(rest, &line)) {
		size_t name_len, colon;

		if (mime_is_separator(line))
			break;
		colon = find_colon(line, &name_len);
		if (colon == 0)
			continue;
		take_continuations(rest, &line);
		ret->whole = line;
		ret->name = span_of(line.p, name_len);
		ret->value = span_of(line.p + colon + 1, line.len - colon - 1);
		if (ret->value.len > MIME_FIELD_MAX)
			ret->value.len = MIME_FIELD_MAX;
		return true;
	}
	*rest = span_of(NULL, 0);
	return false;
}

bool mime_field_named(
	struct span *rest, const char *name, size_t *seen, struct mime_field *ret_field)
{
	while (*seen < MIME_FIELDS_MAX && mime_field_next(rest, ret_field)) {
		(*seen)++;
		if (span_caseeq_str(ret_field->name, name))
			return true;
	}
	return false;
}

int mime_field(struct span header, const char *name, size_t n, struct mime_field *ret)
{
	struct mime_field field;
	size_t seen = 0;

	while (mime_field_named(&header, name, &seen, &field)) {
		if (n-- > 0)
			continue;
		*ret = field;
		return 0;
	}
	return -ENOENT;
}

void mime_unfold(struct buf *b, struct span value)
{
	size_t start = 0;

	value = mime_trim(value);
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] != '\r' && value.p[i] != '\n')
			continue;
		buf_add(b, span_of(value.p + start, i - start));
		start = i + 1;
	}
	buf_add(b, mime_skip(value, start));
}

static bool is_named(struct span name, const struct span *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t k = 0;

		if (names[i].len != name.len)
			continue;
		while (k < name.len && mime_lower(name.p[k]) == mime_lower(names[i].p[k]))
			k++;
		if (k == name.len)
			return true;
	}
	return false;
}

void mime_header_pick(
	struct buf *b, struct span header, const struct span *names, size_t count, bool except)
{
	struct mime_field field;

	for (size_t seen = 0; seen < MIME_FIELDS_MAX && mime_field_next(&header, &field); seen++) {
		if (is_named(field.name, names, count) == except)
			continue;
		buf_add(b, field.whole);
		if (field.whole.p[field.whole.len - 1] != '\n')
			buf_add_str(b, "\r\n");
	}
	buf_add_str(b, "\r\n");
}

/* -- lexical pieces ---------------------------------------------------------------------------- */

/* A comment that rest begins with; one that never ends goes to the end. */
static struct span take_comment(struct span *rest)
{
	struct span all = *rest;
	size_t depth = 0, i;

	for (i = 0; i < all.len; i++) {
		MIME_WORK(1);
		if (all.p[i] == '\\' && i + 1 < all.len)
			i++;
		else if (all.p[i] == '(')
			depth++;
		else if (all.p[i] == ')' && --depth == 0)
			break;
	}
	*rest = mime_skip(all, i + 1);
	return i > 1 ? span_of(all.p + 1, i - 1) : span_of(NULL, 0);
}

bool mime_skip_comments(struct span *rest, struct span *ret_comment)
{
	size_t before = rest->len;

	while (rest->len > 0) {
		if (mime_is_blank(rest->p[0])) {
			*rest = mime_skip(*rest, 1);
		} else if (rest->p[0] == '(') {
			struct span comment = take_comment(rest);

			if (ret_comment != NULL)
				*ret_comment = comment;
		} else {
			break;
		}
	}
	return rest->len != before;
}

void mime_take_quoted(struct span *rest, struct buf *b)
{
	size_t i;

	for (i = 1; i < rest->len && rest->p[i] != '"'; i++) {
		if (rest->p[i] == '\\' && i + 1 < rest->len)
			i++;
		if (rest->p[i] != '\r' && rest->p[i] != '\n')
			buf_add_byte(b, rest->p[i]);
	}
	*rest = mime_skip(*rest, i + 1);
}
