/*
 * FETCH: macros, items, sections, modifiers (RFC 3501, 9051, 3516, 7162, 8474, 8514, 8970, 9394);
 * a section as it stands in the answer.
 */
#include "proto/imap_i.h"

#include <errno.h>
#include <stdlib.h>

struct item_row {
	const char *name;
	enum imap_item item;
	bool peek;
	enum imap_section section;
	const char *old_name; /* also: no brackets follow */
};
static const struct item_row rows[] = {
	{"UID", IMAP_ITEM_UID, true, IMAP_WHOLE, NULL},
	{"FLAGS", IMAP_ITEM_FLAGS, true, IMAP_WHOLE, NULL},
	{"INTERNALDATE", IMAP_ITEM_INTERNALDATE, true, IMAP_WHOLE, NULL},
	{"RFC822.SIZE", IMAP_ITEM_SIZE, true, IMAP_WHOLE, NULL},
	{"ENVELOPE", IMAP_ITEM_ENVELOPE, true, IMAP_WHOLE, NULL},
	{"BODYSTRUCTURE", IMAP_ITEM_BODYSTRUCTURE, true, IMAP_WHOLE, NULL},
	{"BODY", IMAP_ITEM_BODY, false, IMAP_WHOLE, NULL},
	{"BODY.PEEK", IMAP_ITEM_BODY, true, IMAP_WHOLE, NULL},
	{"RFC822", IMAP_ITEM_SECTION, false, IMAP_WHOLE, "RFC822"},
	{"RFC822.HEADER", IMAP_ITEM_SECTION, true, IMAP_HEADER, "RFC822.HEADER"},
	{"RFC822.TEXT", IMAP_ITEM_SECTION, false, IMAP_TEXT, "RFC822.TEXT"},
	{"BINARY", IMAP_ITEM_BINARY, false, IMAP_WHOLE, NULL},
	{"BINARY.PEEK", IMAP_ITEM_BINARY, true, IMAP_WHOLE, NULL},
	{"BINARY.SIZE", IMAP_ITEM_BINARY_SIZE, true, IMAP_WHOLE, NULL},
	{"MODSEQ", IMAP_ITEM_MODSEQ, true, IMAP_WHOLE, NULL},
	{"EMAILID", IMAP_ITEM_EMAILID, true, IMAP_WHOLE, NULL},
	{"THREADID", IMAP_ITEM_THREADID, true, IMAP_WHOLE, NULL},
	{"SAVEDATE", IMAP_ITEM_SAVEDATE, true, IMAP_WHOLE, NULL},
	{"PREVIEW", IMAP_ITEM_PREVIEW, true, IMAP_WHOLE, NULL},
};

struct section_row {
	const char *name;
	enum imap_section section;
};
static const struct section_row sections[] = {
	{"HEADER", IMAP_HEADER},
	{"HEADER.FIELDS", IMAP_FIELDS},
	{"HEADER.FIELDS.NOT", IMAP_FIELDS_NOT},
	{"TEXT", IMAP_TEXT},
	{"MIME", IMAP_MIME},
};

static void item_done(struct imap_fetch_item *item)
{
	free(item->fields);
	item->fields = NULL;
}

void imap_fetch_done(struct imap_fetch *f)
{
	for (size_t i = 0; i < f->count; i++)
		item_done(&f->items[i]);
	free(f->items);
	*f = (struct imap_fetch){.items = NULL};
}

static struct imap_fetch_item *add_item(struct imap_fetch *f, enum imap_item item)
{
	struct imap_fetch_item *more;

	/* Grown by eights: the elements are large and mostly few. */
	if (f->count % 8 == 0) {
		more = reallocarray(f->items, f->count + 8, sizeof(*more));
		if (more == NULL)
			return NULL;
		f->items = more;
	}
	more = &f->items[f->count++];
	*more = (struct imap_fetch_item){.item = item, .peek = true};
	return more;
}

static int take_field(struct imap_in *in, void *data)
{
	struct imap_fetch_item *item = data;
	struct span name, *more;
	int r = imap_in_astring(in, &name);

	if (r < 0)
		return r;
	if (item->field_count % 8 == 0) {
		more = reallocarray(item->fields, item->field_count + 8, sizeof(*more));
		if (more == NULL)
			return -ENOMEM;
		item->fields = more;
	}
	item->fields[item->field_count++] = name;
	return 0;
}

static bool number_follows(const struct imap_in *in)
{
	return imap_is_digit(imap_in_peek(in));
}

/* "1.2.3" with a '.' behind it when words follow. */
static int in_numbers(struct imap_in *in, struct imap_fetch_item *item)
{
	uint64_t n;

	while (number_follows(in)) {
		if (item->number_count >= IMAP_SECTION_MAX ||
			imap_in_number(in, UINT32_MAX, &n) < 0 || n == 0)
			return -EBADMSG;
		item->numbers[item->number_count++] = (uint32_t)n;
		if (!imap_in_char(in, '.'))
			return imap_in_peek(in) == ']' ? 0 : -EBADMSG;
		if (imap_in_peek(in) == ']')
			return -EBADMSG;
	}
	return 0;
}

static int in_section_word(struct imap_in *in, struct imap_fetch_item *item)
{
	struct span name = imap_in_name(in);
	size_t i = 0, count = sizeof(sections) / sizeof(sections[0]);

	while (i < count && !span_caseeq_str(name, sections[i].name))
		i++;
	if (i == count)
		return -EBADMSG;
	item->section = sections[i].section;
	if (item->section == IMAP_MIME && item->number_count == 0)
		return -EBADMSG;
	if (item->section != IMAP_FIELDS && item->section != IMAP_FIELDS_NOT)
		return 0;
	if (imap_in_space(in) < 0)
		return -EBADMSG;
	return imap_in_list_of(in, false, take_field, item);
}

/* Behind '[', to the ']' and past it. BINARY takes words too, as Dovecot does: RFC 3516 has numbers
 * only. */
static int in_section(struct imap_in *in, struct imap_fetch_item *item)
{
	int r = in_numbers(in, item);

	if (r < 0)
		return r;
	if (imap_in_peek(in) != ']') {
		r = in_section_word(in, item);
		if (r < 0)
			return r;
	}
	return imap_in_char(in, ']') ? 0 : -EBADMSG;
}

/* "<0.2048>" */
static int in_range(struct imap_in *in, struct imap_fetch_item *item)
{
	if (!imap_in_char(in, '<'))
		return 0;
	if (item->item == IMAP_ITEM_BINARY_SIZE ||
		imap_in_number(in, INT64_MAX, &item->offset) < 0 || !imap_in_char(in, '.') ||
		imap_in_number(in, INT64_MAX, &item->length) < 0 || item->length == 0 ||
		!imap_in_char(in, '>'))
		return -EBADMSG;
	item->partial = true;
	return 0;
}

static int in_bracketed(struct imap_in *in, struct imap_fetch_item *item)
{
	bool open = imap_in_char(in, '[');
	int r;

	if (item->item == IMAP_ITEM_BODY && open)
		item->item = IMAP_ITEM_SECTION;
	else if (item->item == IMAP_ITEM_BODY)
		return 0;
	else if (!open)
		return -EBADMSG;
	r = in_section(in, item);
	return r < 0 ? r : in_range(in, item);
}

/* "PREVIEW (LAZY)": behind PREVIEW. */
static int in_lazy(struct imap_in *in, struct imap_fetch_item *item)
{
	if (in->len - in->at < 2 || in->p[in->at] != ' ' || in->p[in->at + 1] != '(')
		return 0;
	in->at += 2;
	item->lazy = imap_in_word(in, "LAZY");
	return item->lazy && imap_in_char(in, ')') ? 0 : -EBADMSG;
}

int imap_in_fetch_item(struct imap_in *in, struct imap_fetch *f)
{
	struct span name = imap_in_name(in);
	size_t i = 0, count = sizeof(rows) / sizeof(rows[0]);
	struct imap_fetch_item *item;

	while (i < count && !span_caseeq_str(name, rows[i].name))
		i++;
	if (i == count || f->count >= IMAP_ITEMS_MAX)
		return -EBADMSG;
	item = add_item(f, rows[i].item);
	if (item == NULL)
		return -ENOMEM;
	item->peek = rows[i].peek;
	item->section = rows[i].section;
	item->old_name = rows[i].old_name;
	if (item->item == IMAP_ITEM_PREVIEW)
		return in_lazy(in, item);
	if (item->item == IMAP_ITEM_BODY && item->peek && imap_in_peek(in) != '[')
		return -EBADMSG;
	if (item->item == IMAP_ITEM_BODY || item->item == IMAP_ITEM_BINARY ||
		item->item == IMAP_ITEM_BINARY_SIZE)
		return in_bracketed(in, item);
	return 0;
}

static int take_item(struct imap_in *in, void *data)
{
	return imap_in_fetch_item(in, data);
}

struct macro_row {
	const char *name;
	size_t count;
};
static const struct macro_row macros[] = {{"FAST", 3}, {"ALL", 4}, {"FULL", 5}};

/* Each macro has all of the one before it. 1: it was one; 0. */
static int in_macro(struct imap_in *in, struct imap_fetch *f)
{
	static const enum imap_item of_full[] = {IMAP_ITEM_FLAGS, IMAP_ITEM_INTERNALDATE,
		IMAP_ITEM_SIZE, IMAP_ITEM_ENVELOPE, IMAP_ITEM_BODY};

	for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
		if (!imap_in_word(in, macros[i].name))
			continue;
		for (size_t j = 0; j < macros[i].count; j++)
			if (add_item(f, of_full[j]) == NULL)
				return -ENOMEM;
		return 1;
	}
	return 0;
}

static int take_modifier(struct imap_in *in, void *data)
{
	struct imap_fetch *f = data;

	if (imap_in_word(in, "VANISHED")) {
		f->vanished = true;
		return 0;
	}
	if (imap_in_word(in, "PARTIAL")) {
		if (f->partial || imap_in_space(in) < 0)
			return -EBADMSG;
		f->partial = true;
		return imap_in_partial(in, &f->partial_first, &f->partial_last);
	}
	if (!imap_in_word(in, "CHANGEDSINCE") || imap_in_space(in) < 0)
		return -EBADMSG;
	f->changed = true;
	return imap_in_number(in, INT64_MAX, &f->changed_since);
}

static int in_modifiers(struct imap_in *in, struct imap_fetch *f)
{
	int r;

	if (imap_in_end(in))
		return 0;
	if (imap_in_space(in) < 0)
		return -EBADMSG;
	r = imap_in_list_of(in, false, take_modifier, f);
	if (r < 0)
		return r;
	/* RFC 7162 section 3.2.6 */
	return f->vanished && !f->changed ? -EBADMSG : 0;
}

static int in_items(struct imap_in *in, struct imap_fetch *f)
{
	int r = in_macro(in, f);

	if (r != 0)
		return r < 0 ? r : 0;
	if (imap_in_peek(in) == '(')
		return imap_in_list_of(in, false, take_item, f);
	return imap_in_fetch_item(in, f);
}

int imap_in_fetch(struct imap_in *in, struct imap_fetch *ret)
{
	struct imap_fetch f = {.items = NULL};
	size_t from = in->at;
	int r = in_items(in, &f);

	if (r == 0)
		r = in_modifiers(in, &f);
	if (r == 0 && !imap_in_end(in))
		r = -EBADMSG;
	if (r < 0) {
		in->at = from;
		imap_fetch_done(&f);
		return r;
	}
	*ret = f;
	return 0;
}

static void put_fields(struct buf *b, const struct imap_fetch_item *item)
{
	bool bare;

	buf_add_str(b, " (");
	for (size_t i = 0; i < item->field_count; i++) {
		struct span s = item->fields[i];

		bare = s.len > 0;
		for (size_t j = 0; j < s.len; j++)
			bare = bare && imap_is_atom(s.p[j]);
		if (i > 0)
			buf_add_byte(b, ' ');
		if (bare)
			buf_add(b, s);
		else
			imap_put_string(b, s, false);
	}
	buf_add_byte(b, ')');
}

void imap_put_section(struct buf *b, const struct imap_fetch_item *item)
{
	const char *name = item->item == IMAP_ITEM_BINARY ? "BINARY"
		: item->item == IMAP_ITEM_BINARY_SIZE     ? "BINARY.SIZE"
							  : "BODY";

	if (item->old_name != NULL) {
		buf_add_str(b, item->old_name);
		return;
	}
	buf_addf(b, "%s[", name);
	for (size_t i = 0; i < item->number_count; i++)
		buf_addf(b, "%s%u", i > 0 ? "." : "", item->numbers[i]);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (item->section == sections[i].section)
			buf_addf(b, "%s%s", item->number_count > 0 ? "." : "", sections[i].name);
	if (item->section == IMAP_FIELDS || item->section == IMAP_FIELDS_NOT)
		put_fields(b, item);
	buf_add_byte(b, ']');
	if (item->partial)
		buf_addf(b, "<%llu>", (unsigned long long)item->offset);
}
