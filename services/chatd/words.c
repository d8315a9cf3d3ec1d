/* What clients said, made fit to be said again: in the midst of a line, or within a limit. */
#include "services/chatd/chatd.h"

static bool inside_character(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

struct span chatd_cut(struct span text, size_t max)
{
	if (text.len <= max)
		return text;
	while (max > 0 && inside_character(text.p[max]))
		max--;
	return span_of(text.p, max);
}

struct chatd_word chatd_word(struct span param)
{
	struct chatd_word w = {"*"};
	struct span word;

	if (!irc_word(&param, ' ', &word) || *word.p == ':')
		return w;
	word = chatd_cut(word, sizeof(w.text) - 1);
	memcpy(w.text, word.p, word.len);
	w.text[word.len] = '\0';
	return w;
}
