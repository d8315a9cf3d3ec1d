/*
 * Text out of HTML: one walk forwards, nothing is looked at twice. Tags decide only where lines and
 * paragraphs end, what is skipped, and where a link leads; nothing else of HTML is needed to read.
 */
#include "base/cleanup.h"
#include "proto/mime_i.h"

enum { LINK_MAX = 500 };

enum action {
	LINE, /* begins on a line of its own */
	PARAGRAPH, /* with an empty line around */
	BREAK,
	RULE,
	ITEM,
	CELL,
	PRE,
	LINK,
	PICTURE,
	SKIP /* with all inside */
};

struct html {
	struct buf *out;
	struct span rest;
	size_t start; /* of ours in out */
	unsigned newlines; /* owed before the next character */
	bool blank; /* owed as well */
	unsigned pre;
	bool no_quote[2]; /* no further ' or " is there */
	struct buf link; /* target of the link that is open */
	size_t link_start;
};

static const struct {
	const char *name;
	enum action action;
} tags[] = {
	{"p", PARAGRAPH},
	{"div", LINE},
	{"br", BREAK},
	{"hr", RULE},
	{"li", ITEM},
	{"dt", LINE},
	{"dd", LINE},
	{"ul", LINE},
	{"ol", LINE},
	{"dl", LINE},
	{"tr", LINE},
	{"table", LINE},
	{"td", CELL},
	{"th", CELL},
	{"h1", PARAGRAPH},
	{"h2", PARAGRAPH},
	{"h3", PARAGRAPH},
	{"h4", PARAGRAPH},
	{"h5", PARAGRAPH},
	{"h6", PARAGRAPH},
	{"blockquote", PARAGRAPH},
	{"section", LINE},
	{"article", LINE},
	{"header", LINE},
	{"footer", LINE},
	{"address", LINE},
	{"center", LINE},
	{"form", LINE},
	{"pre", PRE},
	{"a", LINK},
	{"img", PICTURE},
	{"script", SKIP},
	{"style", SKIP},
	{"title", SKIP},
	{"template", SKIP},
	{"object", SKIP},
	{"svg", SKIP},
};

/* -- output ------------------------------------------------------------------------------------ */

static void owe_lines(struct html *h, unsigned count)
{
	if (h->newlines < count)
		h->newlines = count;
	h->blank = false;
}

static void pay(struct html *h)
{
	if (h->out->len > h->start)
		for (; h->newlines > 0; h->newlines--)
			buf_add_byte(h->out, '\n');
	if (h->blank && h->out->len > h->start && h->out->p[h->out->len - 1] != '\n')
		buf_add_byte(h->out, ' ');
	h->newlines = 0;
	h->blank = false;
}

/* Between <pre> and </pre> blanks and lines are as they are. */
static void put_pre_blank(struct html *h, uint32_t cp)
{
	if (cp == '\n') {
		owe_lines(h, h->newlines + 1);
	} else if (cp != '\r') {
		pay(h);
		buf_add_byte(h->out, ' ');
	}
}

static void put_cp(struct html *h, uint32_t cp)
{
	bool blank = cp == ' ' || cp == '\t' || cp == '\n' || cp == '\r' || cp == '\f' ||
		(cp >= 0x2000 && cp <= 0x200a) || cp == 0xa0;

	if (blank && h->pre > 0) {
		put_pre_blank(h, cp);
	} else if (blank) {
		h->blank = true;
	} else if (cp >= 0x20 && (cp < 0x7f || cp > 0x9f) && !mime_is_hidden(cp)) {
		pay(h);
		mime_utf8_put(h->out, cp);
	}
}

static void put_str(struct html *h, const char *s)
{
	for (; *s != '\0'; s++)
		put_cp(h, (unsigned char)*s);
}

static void put_char(struct html *h)
{
	uint32_t cp = 0;
	size_t len = 0;
	bool bad;

	if (h->rest.p[0] == '&')
		cp = mime_entity(h->rest, &len);
	if (cp != 0)
		h->rest = mime_skip(h->rest, len);
	else
		(void)mime_utf8_next(&h->rest, &cp, &bad);
	put_cp(h, cp);
}

static void put_all(struct html *h, struct span s)
{
	struct span rest = h->rest;

	h->rest = s;
	while (h->rest.len > 0)
		put_char(h);
	h->rest = rest;
}

/* -- inside a tag ------------------------------------------------------------------------------ */

static bool name_is(struct span s, const char *name)
{
	return span_caseeq_str(s, name);
}

/* How long a quoted value is; 1 when its quote stands alone. */
static size_t quoted(struct html *h, struct span s)
{
	bool *none = &h->no_quote[s.p[0] == '"'];
	const unsigned char *end = *none ? NULL : memchr(s.p + 1, s.p[0], s.len - 1);

	*none = *none || end == NULL;
	MIME_WORK(end != NULL ? (size_t)(end - s.p) : 1);
	return end != NULL ? (size_t)(end - s.p) + 1 : 1;
}

/* Takes the tag that rest begins with. */
static struct span take_tag(struct html *h)
{
	struct span all = h->rest;
	size_t i = 1;

	while (i < all.len && all.p[i] != '>') {
		if ((all.p[i] == '"' || all.p[i] == '\'') && all.p[i - 1] == '=')
			i += quoted(h, span_of(all.p + i, all.len - i));
		else
			i++;
	}
	MIME_WORK(i);
	h->rest = mime_skip(all, i + 1);
	return span_of(all.p + 1, i - 1);
}

static struct span take_name(struct span *tag)
{
	struct span all = *tag;
	size_t n = 0;

	while (n < all.len && !mime_is_blank(all.p[n]) && all.p[n] != '/' && all.p[n] != '=')
		n++;
	*tag = mime_skip(all, n);
	return span_of(all.p, n);
}

static struct span take_value(struct span *tag)
{
	struct span all = *tag;
	const unsigned char *end;
	size_t n = 0;

	if (all.len > 0 && (all.p[0] == '"' || all.p[0] == '\'')) {
		end = memchr(all.p + 1, all.p[0], all.len - 1);
		n = end != NULL ? (size_t)(end - all.p) : all.len;
		*tag = mime_skip(all, n + 1);
		return span_of(all.p + 1, n - 1);
	}
	while (n < all.len && !mime_is_blank(all.p[n]))
		n++;
	*tag = mime_skip(all, n);
	return span_of(all.p, n);
}

static struct span attribute(struct span tag, const char *wanted)
{
	while (tag.len > 0) {
		struct span name, value = {NULL, 0};

		tag = mime_trim(tag);
		name = take_name(&tag);
		tag = mime_trim(tag);
		if (tag.len > 0 && tag.p[0] == '=') {
			tag = mime_trim(mime_skip(tag, 1));
			value = take_value(&tag);
		} else if (name.len == 0) {
			tag = mime_skip(tag, 1);
		}
		if (name.len > 0 && name_is(name, wanted))
			return value;
	}
	return span_of(NULL, 0);
}

/* -- tags -------------------------------------------------------------------------------------- */

static void open_link(struct html *h, struct span tag)
{
	struct span to = mime_trim(attribute(tag, "href"));
	struct html target = {.out = &h->link, .link = BUF_INIT(0)};

	buf_reset(&h->link);
	h->link_start = h->out->len;
	if (to.len > LINK_MAX ||
		!(name_is(span_of(to.p, to.len < 4 ? to.len : 4), "http") ||
			name_is(span_of(to.p, to.len < 7 ? to.len : 7), "mailto:")))
		return;
	put_all(&target, to);
}

/* Where it leads is said, unless the text says it. */
static void close_link(struct html *h)
{
	struct span to = buf_span(&h->link);
	struct span text = mime_trim(mime_skip(buf_span(h->out), h->link_start));

	if (span_starts(to, "mailto:"))
		to = mime_skip(to, 7);
	if (to.len > 0 && text.len > 0 && !span_eq(text, to)) {
		put_str(h, " <");
		for (size_t i = 0; i < to.len; i++)
			if (to.p[i] > ' ')
				buf_add_byte(h->out, to.p[i]);
		put_str(h, ">");
	}
	buf_reset(&h->link);
}

/* "</name" */
static bool ends(struct span s, struct span name)
{
	return s.len >= name.len + 2 && s.p[1] == '/' &&
		strncasecmp((const char *)s.p + 2, (const char *)name.p, name.len) == 0;
}

/* To behind the end of what the name began. */
static void skip_inside(struct html *h, struct span name)
{
	struct span rest = h->rest;

	while (rest.len > 0 && !(rest.p[0] == '<' && ends(rest, name))) {
		const unsigned char *at = memchr(rest.p + 1, '<', rest.len - 1);

		rest = mime_skip(rest, at != NULL ? (size_t)(at - rest.p) : rest.len);
	}
	h->rest = rest;
	if (rest.len > 0)
		(void)take_tag(h);
}

static void act(struct html *h, enum action action, struct span name, struct span tag, bool end)
{
	switch (action) {
	case LINE:
		owe_lines(h, 1);
		break;
	case PARAGRAPH:
		owe_lines(h, 2);
		break;
	case BREAK:
		owe_lines(h, h->newlines < 2 ? h->newlines + 1 : 2);
		break;
	case RULE:
		owe_lines(h, 1);
		put_str(h, "----");
		owe_lines(h, 1);
		break;
	case ITEM:
		owe_lines(h, 1);
		if (!end)
			put_str(h, "* ");
		break;
	case CELL:
		h->blank = h->newlines == 0;
		break;
	case PRE:
		owe_lines(h, 2);
		h->pre = end ? h->pre - (h->pre > 0) : h->pre + 1;
		break;
	case LINK:
		if (h->link.len > 0)
			close_link(h);
		if (!end)
			open_link(h, tag);
		break;
	case PICTURE:
		put_all(h, attribute(tag, "alt"));
		break;
	case SKIP:
		if (!end)
			skip_inside(h, name);
		break;
	}
}

static void take_element(struct html *h)
{
	struct span tag = take_tag(h), name;
	bool end = tag.len > 0 && tag.p[0] == '/';

	if (end)
		tag = mime_skip(tag, 1);
	name = take_name(&tag);
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (name_is(name, tags[i].name)) {
			act(h, tags[i].action, name, tag, end);
			return;
		}
}

static void skip_comment(struct html *h)
{
	const unsigned char *end = memmem(h->rest.p + 4, h->rest.len - 4, "-->", 3);

	h->rest = mime_skip(h->rest, end != NULL ? (size_t)(end - h->rest.p) + 3 : h->rest.len);
}

/* What stands behind a '<' that begins a tag. */
static bool is_tag(struct span s)
{
	unsigned char c = s.len > 1 ? mime_lower(s.p[1]) : 0;

	return (c >= 'a' && c <= 'z') || c == '/' || c == '!' || c == '?';
}

void mime_html_text(struct buf *b, struct span html)
{
	struct html h = {
		.out = b, .rest = html, .start = b->len, .link = BUF_INIT((size_t)LINK_MAX * 4)};

	while (h.rest.len > 0 && buf_error(b) == 0) {
		if (h.rest.p[0] != '<' || !is_tag(h.rest))
			put_char(&h);
		else if (span_starts(h.rest, "<!--"))
			skip_comment(&h);
		else
			take_element(&h);
	}
	if (b->len > h.start)
		buf_add_byte(b, '\n');
	buf_done(&h.link);
}
