/* What a client says, and what it may say next. */
#include "tests/fuzz/lib/mail_client.h"

#include <ctype.h>

/* -- lines ------------------------------------------------------------------------------------- */

static struct span without_end(struct span line)
{
	if (line.len > 0 && line.p[line.len - 1] == '\n')
		line.len--;
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

static bool has_end(struct span line)
{
	return line.len > 0 && line.p[line.len - 1] == '\n';
}

/* A line that cannot be: what its end says is not looked at. */
static bool is_faulty(struct span line)
{
	return memchr(line.p, '\0', line.len) != NULL || memchr(line.p, '\r', line.len) != NULL;
}

static struct span next_line(const struct mail_client *c)
{
	const unsigned char *end = memchr(c->rest.p, '\n', c->rest.len);

	return span_of(c->rest.p, end != NULL ? (size_t)(end - c->rest.p) + 1 : c->rest.len);
}

static void pass(struct mail_client *c, size_t len)
{
	c->rest = span_of(c->rest.p + len, c->rest.len - len);
}

/* What others do, where the input has it. */
static void let_others(struct mail_client *c)
{
	while (c->between != NULL && c->rest.len > 0) {
		struct span line = next_line(c);

		if (!c->between(without_end(line)))
			return;
		pass(c, line.len);
		/* As the bell would. */
		c->service->live.rung = true;
	}
}

/* -- commands ---------------------------------------------------------------------------------- */

static void take_word(struct imap_in *in, char *ret, size_t size)
{
	struct span word;

	*ret = '\0';
	if (imap_in_space(in) < 0 || imap_in_atom(in, &word) < 0 ||
		span_copy_str(word, ret, size) < 0)
		return;
	for (; *ret != '\0'; ret++)
		*ret = (char)toupper((unsigned char)*ret);
}

static bool has_word(struct span line, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= line.len; i++)
		if (span_caseeq_str(span_of(line.p + i, len), word))
			return true;
	return false;
}

static void begin_command(struct mail_client *c, struct span line)
{
	struct buf copy = BUF_INIT(1 << 17);
	struct imap_in in;
	struct span tag = {NULL, 0};

	buf_add(&copy, line);
	in = (struct imap_in){.p = copy.p, .len = copy.len};
	c->busy = true;
	c->answered = c->skipping = false;
	c->asked = 0;
	c->tag[0] = c->name[0] = '\0';
	c->uid = false;
	if (imap_in_tag(&in, &tag) == 0)
		(void)span_copy_str(tag, c->tag, sizeof(c->tag));
	take_word(&in, c->name, sizeof(c->name));
	if (strcmp(c->name, "UID") == 0) {
		c->uid = true;
		take_word(&in, c->name, sizeof(c->name));
	}
	c->notify = c->notify || strcmp(c->name, "NOTIFY") == 0;
	c->silent = has_word(line, "SILENT");
	buf_done(&copy);
}

/* -- what comes after a line ------------------------------------------------------------------- */

/* The server wants more, so it has done with the line: what may come? */
static void line_done(struct mail_client *c)
{
	struct span line = without_end(c->line);
	struct imap_literal literal = {.size = 0};
	bool follows = !c->plain && !is_faulty(line) && imap_literal_end(line, &literal) == 1;

	c->line = span_of(NULL, 0);
	if (!c->busy)
		return;
	if (c->answered) {
		c->skipping = follows && literal.plus;
		c->busy = c->skipping;
		c->literal = c->skipping ? literal.size : 0;
		return;
	}
	if (!follows) {
		require(c->continued);
		return;
	}
	c->literal = literal.size;
	if (literal.plus)
		return;
	/* It may be said only when the server waits. */
	if (c->continued)
		c->continued = false;
	else
		c->asked++;
}

static bool begin_line(struct mail_client *c)
{
	struct span line;

	let_others(c);
	if (c->rest.len == 0)
		return false;
	line = next_line(c);
	pass(c, line.len);
	c->piece = c->line = line;
	c->plain = c->continued;
	c->continued = false;
	if (!c->busy && without_end(line).len > 0)
		begin_command(c, without_end(line));
	return true;
}

static bool begin_literal(struct mail_client *c)
{
	let_others(c);
	if (c->rest.len == 0)
		return false;
	c->piece = c->rest;
	if (c->literal < c->piece.len)
		c->piece.len = (size_t)c->literal;
	c->literal -= c->piece.len;
	pass(c, c->piece.len);
	return true;
}

static struct span give(struct mail_client *c)
{
	struct span all = c->piece, now = all;

	if (c->step > 0 && now.len > c->step)
		now.len = c->step;
	c->piece = span_of(all.p + now.len, all.len - now.len);
	return now;
}

struct span mail_client_next(void *client)
{
	struct mail_client *c = client;

	/* A socket would have had it before anybody waits. */
	(void)conn_flush(c->service->conn);
	mail_client_hear(c);
	if (c->piece.len > 0)
		return give(c);
	if (c->bye || c->over || (c->line.p != NULL && !has_end(c->line)))
		return span_of(NULL, 0);
	if (c->line.p != NULL)
		line_done(c);
	c->over = c->literal > 0 ? !begin_literal(c) : !begin_line(c);
	return c->over ? span_of(NULL, 0) : give(c);
}

void mail_client_end(struct mail_client *c)
{
	/* The last line was run, though nobody asked for another. */
	mail_client_hear(c);
	require(c->read == c->out.len);
	if (c->line.p != NULL && has_end(c->line) && c->busy && c->piece.len == 0 && !c->bye)
		require(c->answered || c->continued ||
			imap_literal_end(without_end(c->line), &(struct imap_literal){0}) == 1);
	mail_seen_forget(c);
	buf_done(&c->out);
}
