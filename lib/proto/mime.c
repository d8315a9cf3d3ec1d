/*
 * The tree of parts, in one walk over the message's lines. A line is looked at once, and compared
 * with no more boundaries than MIME_DEPTH_MAX, so that no message costs more than its length.
 */
#include "proto/mime.h"

#include "proto/mime_i.h"

#include <errno.h>

enum { BOUNDARY_MAX = 250, PARTS_FIRST = 4 };

/* A part that is not yet at its end; those of kind MIME_MULTIPART have a boundary until the last
 * delimiter came. */
struct open_part {
	uint32_t part, last_child;
	uint32_t first_line; /* lines before the body */
	bool in_header;
	bool digest;
	size_t boundary_len;
	unsigned char boundary[BOUNDARY_MAX];
};

struct walk {
	struct mime *m;
	size_t cap;
	struct open_part open[MIME_DEPTH_MAX + 1];
	size_t depth; /* of open: the innermost is open[depth - 1] */
	uint64_t at; /* where the line begins */
	uint32_t lines; /* before it */
};

void mime_done(struct mime *m)
{
	free(m->parts);
	*m = (struct mime){.count = 0};
}

static struct open_part *innermost(struct walk *w)
{
	return &w->open[w->depth - 1];
}

/* -- opening ----------------------------------------------------------------------------------- */

static int grow(struct walk *w)
{
	size_t cap = w->cap == 0 ? PARTS_FIRST : w->cap * 2;
	struct mime_part *parts = realloc(w->m->parts, cap * sizeof(*parts));

	if (parts == NULL)
		return -ENOMEM;
	w->m->parts = parts;
	w->cap = cap;
	return 0;
}

/* A part begins at the offset, with its header; it is a child of the innermost one. */
static int open_part(struct walk *w, uint64_t offset)
{
	struct mime_part part = {.parent = MIME_NONE, .first = MIME_NONE, .next = MIME_NONE};
	uint32_t index = (uint32_t)w->m->count;

	if (w->m->count == w->cap && grow(w) < 0)
		return -ENOMEM;
	if (w->depth > 0) {
		struct open_part *parent = innermost(w);

		part.parent = parent->part;
		part.depth = (uint32_t)w->depth;
		part.in_digest = parent->digest;
		if (parent->last_child == MIME_NONE)
			w->m->parts[parent->part].first = index;
		else
			w->m->parts[parent->last_child].next = index;
		parent->last_child = index;
	}
	part.header = offset;
	w->m->parts[w->m->count++] = part;
	w->open[w->depth++] = (struct open_part){
		.part = index,
		.last_child = MIME_NONE,
		.in_header = true,
	};
	return 0;
}

static enum mime_encoding encoding_of(struct span header)
{
	static const struct {
		const char *name;
		enum mime_encoding encoding;
	} rows[] = {
		{"7bit", MIME_IDENTITY},
		{"8bit", MIME_IDENTITY},
		{"binary", MIME_IDENTITY},
		{"base64", MIME_BASE64},
		{"quoted-printable", MIME_QP},
	};
	struct mime_raw raw;
	struct mime_field field;
	enum mime_encoding encoding = MIME_OTHER;

	if (mime_field(header, "Content-Transfer-Encoding", 0, &field) < 0)
		return MIME_IDENTITY;
	field.value.len = field.value.len < BOUNDARY_MAX ? field.value.len : BOUNDARY_MAX;
	for (size_t i = 0; i < field.value.len; i++)
		if (field.value.p[i] == ';')
			field.value.len = i;
	if (mime_raw_parse(field.value, &raw) < 0 || raw.type.len == 0)
		return MIME_IDENTITY;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_caseeq_str(raw.type, rows[i].name))
			encoding = rows[i].encoding;
	return encoding;
}

static void set_boundary(struct open_part *o, const struct mime_raw *raw)
{
	const struct mime_raw_param *param = mime_raw_find(raw, "boundary");
	struct span s = param != NULL ? param->value : span_of(NULL, 0);

	while (s.len > 0 && mime_is_blank(s.p[s.len - 1]))
		s.len--;
	if (s.len == 0 || s.len > BOUNDARY_MAX)
		return;
	memcpy(o->boundary, s.p, s.len);
	o->boundary_len = s.len;
}

/* A message inside may be looked into only as it stands: an encoded one is a leaf. */
static void set_kind(struct open_part *o, struct mime_part *part, const struct mime_raw *raw)
{
	if (part->depth >= MIME_DEPTH_MAX)
		return;
	if (mime_raw_is(raw, "multipart", NULL)) {
		part->kind = MIME_MULTIPART;
		o->digest = mime_raw_is(raw, "multipart", "digest");
		set_boundary(o, raw);
	} else if (part->encoding != MIME_BASE64 && part->encoding != MIME_QP &&
		(mime_raw_is(raw, "message", "rfc822") || mime_raw_is(raw, "message", "global"))) {
		part->kind = MIME_MESSAGE;
	}
}

/* The innermost part's header ends where the walk is. */
static int end_header(struct walk *w)
{
	struct open_part *o = innermost(w);
	struct mime_part *part = &w->m->parts[o->part];
	struct mime_raw raw;
	int r;

	o->in_header = false;
	o->first_line = w->lines;
	part->header_len = w->at - part->header;
	part->body = w->at;
	r = mime_raw_type(mime_header(w->m, part), part->in_digest, &raw);
	if (r < 0)
		return r;
	part->encoding = encoding_of(mime_header(w->m, part));
	set_kind(o, part, &raw);
	mime_raw_done(&raw);
	if (part->kind != MIME_MESSAGE)
		return 0;
	if (w->m->count < MIME_PARTS_MAX)
		return open_part(w, w->at);
	part->kind = MIME_LEAF;
	return 0;
}

/* -- closing ----------------------------------------------------------------------------------- */

/* The line end before a delimiter belongs to the delimiter. */
static uint64_t before_line_end(const struct walk *w, uint64_t from)
{
	uint64_t end = w->at;

	if (end > from && w->m->bytes.p[end - 1] == '\n') {
		end--;
		if (end > from && w->m->bytes.p[end - 1] == '\r')
			end--;
	}
	return end;
}

static int close_innermost(struct walk *w, bool at_delimiter)
{
	int r = 0;

	if (innermost(w)->in_header)
		r = end_header(w);
	if (r < 0)
		return r;

	/* A message inside may have been opened by that, without a byte of its own. */
	while (innermost(w)->in_header)
		if ((r = end_header(w)) < 0)
			return r;

	struct open_part *o = innermost(w);
	struct mime_part *part = &w->m->parts[o->part];
	uint64_t end = at_delimiter ? before_line_end(w, part->body) : w->at;

	part->body_len = end - part->body;
	part->body_lines = w->lines - o->first_line;
	if (end < w->at)
		part->body_lines--;
	w->depth--;
	return 0;
}

static int close_to(struct walk *w, size_t depth, bool at_delimiter)
{
	while (w->depth > depth) {
		int r = close_innermost(w, at_delimiter);

		if (r < 0)
			return r;
	}
	return 0;
}

/* -- delimiters -------------------------------------------------------------------------------- */

struct delimiter {
	size_t level; /* of open */
	size_t len; /* of its boundary */
	bool last;
};

/* What is behind the boundary: nothing, "--", or (then it is a worse match) something else. */
static bool is_whole(struct span behind, bool *ret_last)
{
	*ret_last = span_starts(behind, "--");
	if (*ret_last)
		behind = mime_skip(behind, 2);
	return mime_trim(behind).len == 0;
}

/*
 * RFC 2046 section 5.1.1 lets a line be a delimiter when it begins like one. A line that is one as
 * a whole comes first, so that a boundary may begin with another; else the longest one wins.
 */
static bool find_delimiter(const struct walk *w, struct span line, struct delimiter *ret)
{
	struct span text = mime_skip(line, 2);
	bool found = false;

	for (size_t level = w->depth; level-- > 0;) {
		const struct open_part *o = &w->open[level];
		bool last, whole;

		MIME_WORK(o->boundary_len + 1);
		if (o->boundary_len == 0 || o->boundary_len > text.len ||
			memcmp(text.p, o->boundary, o->boundary_len) != 0)
			continue;
		whole = is_whole(mime_skip(text, o->boundary_len), &last);
		if (whole || !found || o->boundary_len > ret->len)
			*ret = (struct delimiter){level, o->boundary_len, last};
		found = true;
		if (whole)
			break;
	}
	return found;
}

/* Past the most parts only ends are looked for: what is between belongs to the last part. */
static int take_delimiter(struct walk *w, struct span line, bool *ret_taken)
{
	struct delimiter d = {.level = 0};
	int r;

	*ret_taken = false;
	if (!span_starts(line, "--") || !find_delimiter(w, line, &d))
		return 0;
	if (!d.last && w->m->count == MIME_PARTS_MAX)
		return 0;
	*ret_taken = true;
	r = close_to(w, d.level + 1, true);
	if (r == 0 && d.last)
		w->open[d.level].boundary_len = 0;
	return r;
}

static int take_line(struct walk *w, struct span line)
{
	bool delimiter, opens;
	int r = take_delimiter(w, line, &delimiter);

	if (r < 0)
		return r;
	opens = delimiter && innermost(w)->boundary_len > 0;
	w->at += line.len;
	w->lines += line.p[line.len - 1] == '\n';
	if (opens)
		return open_part(w, w->at);
	if (!delimiter && innermost(w)->in_header && mime_is_separator(line))
		return end_header(w);
	return 0;
}

static int walk(struct walk *w)
{
	struct span rest = w->m->bytes, line;
	int r = open_part(w, 0);

	while (r == 0 && mime_line_next(&rest, &line))
		r = take_line(w, line);
	return r < 0 ? r : close_to(w, 0, false);
}

int mime_parse(struct span message, struct mime *ret)
{
	struct mime m = {.bytes = message};
	struct walk *w = calloc(1, sizeof(*w));
	int r;

	if (w == NULL)
		return -ENOMEM;
	w->m = &m;
	r = walk(w);
	free(w);
	if (r < 0)
		mime_done(&m);
	else
		*ret = m;
	return r;
}
