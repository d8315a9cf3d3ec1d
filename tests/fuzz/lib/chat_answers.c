/*
 * What is true of all that chatd sends: whole lines of clean UTF-8 within IRC's limits, no empty
 * parameter but the last, and batches that are opened before they are used and closed in order.
 */
#include "tests/fuzz/lib/chat_world.h"

#include "base/text.h"
#include "proto/irc.h"

enum { DEPTH = 8 };

struct batches {
	struct span open[DEPTH];
	size_t count;
};

static bool is_open(const struct batches *b, struct span ref)
{
	for (size_t i = 0; i < b->count; i++)
		if (span_eq(b->open[i], ref))
			return true;
	return false;
}

static void check_batch(struct batches *b, const struct irc_message *m)
{
	struct span ref, inside;

	if (irc_tag_find(m->tags, "batch", &inside) == 0)
		require(is_open(b, inside));
	if (!irc_is(m->verb, "BATCH"))
		return;
	require(m->count >= 1 && m->params[0].len > 1);
	ref = span_of(m->params[0].p + 1, m->params[0].len - 1);
	if (m->params[0].p[0] == '+') {
		require(m->count >= 2 && b->count < DEPTH && !is_open(b, ref));
		b->open[b->count++] = ref;
		return;
	}
	require(m->params[0].p[0] == '-');
	require(b->count > 0 && span_eq(b->open[b->count - 1], ref));
	b->count--;
}

/* Two blanks in a row, before the last parameter, would be an empty one. */
static void check_blanks(struct span body)
{
	const unsigned char *last = memmem(body.p, body.len, " :", 2);
	size_t len = last != NULL ? (size_t)(last - body.p) + 1 : body.len;

	require(memmem(body.p, len, "  ", 2) == NULL);
}

static void check_line(struct batches *b, struct span line)
{
	struct span body = line, tags = {NULL, 0};
	struct irc_message m;

	require(memchr(line.p, '\0', line.len) == NULL && memchr(line.p, '\r', line.len) == NULL);
	require(text_is_utf8(line));
	if (line.p[0] == '@')
		require(span_split(&body, ' ', &tags));
	require(tags.len == 0 || tags.len + 1 <= 8191);
	require(body.len <= IRC_BODY_MAX);
	require(irc_parse(line, IRC_SERVER_TAGS_MAX, &m) == 0);
	check_blanks(body);
	check_batch(b, &m);
}

void chat_answers_check(struct span out)
{
	struct batches batches = {.count = 0};

	while (out.len > 0) {
		const unsigned char *end = memchr(out.p, '\n', out.len);
		size_t len = end != NULL ? (size_t)(end - out.p) : 0;

		require(len > 1 && out.p[len - 1] == '\r');
		check_line(&batches, span_of(out.p, len - 1));
		out = span_of(out.p + len + 1, out.len - len - 1);
	}
	require(batches.count == 0);
}
