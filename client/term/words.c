/* Command lines to words, and names back to words. */
#include "client/term/words.h"

#include <errno.h>

/* Reading a line, byte by byte. */
struct reading {
	const char *p, *end;
	char quote; /* ' or " when inside one */
};

enum piece { PIECE_END, PIECE_BLANK, PIECE_BYTE, PIECE_QUOTED, PIECE_MARK };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A backslash: the next character is plain; in "..." only where it would mean something. */
static enum piece backslash(struct reading *r, char *ret)
{
	if (r->p < r->end && (r->quote == 0 || *r->p == '"' || *r->p == '\\'))
		*ret = *r->p++;
	else
		*ret = '\\';
	return PIECE_QUOTED;
}

/* The next byte and how it is meant. PIECE_MARK: a quote began or ended. */
static enum piece next(struct reading *r, char *ret)
{
	char c;

	if (r->p >= r->end)
		return PIECE_END;
	c = *r->p++;
	if (c == '\\' && r->quote != '\'')
		return backslash(r, ret);
	if (r->quote == 0 && (c == '\'' || c == '"')) {
		r->quote = c;
		return PIECE_MARK;
	}
	if (r->quote != 0 && c == r->quote) {
		r->quote = 0;
		return PIECE_MARK;
	}
	*ret = c;
	if (r->quote != 0)
		return PIECE_QUOTED;
	return is_blank(c) ? PIECE_BLANK : PIECE_BYTE;
}

static bool is_special(char c)
{
	return c == '*' || c == '?' || c == '[' || c == ']' || c == '\\';
}

static int vector_make(struct words *w)
{
	char *p = (char *)w->bytes.p;

	w->v = calloc(w->count + 1, sizeof *w->v);
	if (w->v == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < w->count; i++) {
		w->v[i] = p;
		p += strlen(p) + 1;
	}
	return 0;
}

int words_split(const char *line, struct words *ret)
{
	struct reading r = {line, line + strlen(line), 0};
	bool inside = false;
	enum piece piece;
	char c = 0;

	do {
		piece = next(&r, &c);
		if (piece == PIECE_BLANK || piece == PIECE_END) {
			if (inside) {
				buf_add_byte(&ret->bytes, 0);
				ret->count++;
			}
			inside = false;
			continue;
		}
		inside = true;
		if (piece == PIECE_QUOTED && is_special(c))
			buf_add_byte(&ret->bytes, '\\');
		if (piece != PIECE_MARK)
			buf_add_byte(&ret->bytes, (unsigned char)c);
	} while (piece != PIECE_END);
	if (r.quote != 0)
		return -EINVAL;
	return buf_error(&ret->bytes) < 0 ? buf_error(&ret->bytes) : vector_make(ret);
}

void words_done(struct words *w)
{
	buf_done(&w->bytes);
	free(w->v);
	w->v = NULL;
	w->count = 0;
}

bool word_is_pattern(const char *word)
{
	for (; *word != '\0'; word++) {
		if (*word == '\\' && word[1] != '\0')
			word++;
		else if (*word == '*' || *word == '?' || *word == '[')
			return true;
	}
	return false;
}

void word_plain(struct buf *b, const char *word)
{
	for (; *word != '\0'; word++) {
		if (*word == '\\' && word[1] != '\0')
			word++;
		buf_add_byte(b, (unsigned char)*word);
	}
}

void word_quote(struct buf *b, struct span name)
{
	static const char careful[] = " \t'\"\\*?[]";

	for (size_t i = 0; i < name.len; i++) {
		if (name.p[i] != 0 && strchr(careful, name.p[i]) != NULL)
			buf_add_byte(b, '\\');
		buf_add_byte(b, name.p[i]);
	}
}

static void command_keep(struct words_last *ret)
{
	size_t i = 0;

	for (; i < ret->plain.len && i + 1 < sizeof ret->command; i++) {
		unsigned char c = ret->plain.p[i];

		ret->command[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20U : c);
	}
	ret->command[i] = '\0';
}

int words_last(const char *line, size_t cursor, struct words_last *ret)
{
	struct reading r = {line, line + cursor, 0};
	bool inside = false;

	*ret = (struct words_last){.start = cursor, .plain = BUF_INIT(WORDS_LINE_MAX)};
	for (;;) {
		size_t at = (size_t)(r.p - line);
		char c = 0;
		enum piece piece = next(&r, &c);

		if (piece == PIECE_END)
			break;
		if (piece == PIECE_BLANK) {
			if (inside && ret->index++ == 0)
				command_keep(ret);
			inside = false;
			buf_reset(&ret->plain);
			continue;
		}
		if (!inside)
			ret->start = at;
		inside = true;
		if (piece != PIECE_MARK)
			buf_add_byte(&ret->plain, (unsigned char)c);
	}
	if (!inside)
		ret->start = cursor;
	return buf_error(&ret->plain);
}
