/*
 * Values of fields: words, parameters, addresses, dates, Message-IDs, subjects, encodings. The
 * first byte chooses; what is written again must read the same.
 */
#include "proto/mime.h"

#include "base/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static bool inside(struct span part, struct span whole)
{
	return part.len == 0 || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

static void words(struct span s)
{
	struct buf text = BUF_INIT(1 << 20), line = BUF_INIT(1 << 22), again = BUF_INIT(1 << 22);
	size_t column = 10;

	mime_words_decode(&text, s);
	must(buf_error(&text) < 0 || text_is_clean(buf_span(&text)));
	mime_words_encode(&line, buf_span(&text), false, &column);
	must(buf_error(&line) < 0 || text_is_print(buf_span(&line)) ||
		memmem(buf_str(&line), line.len, "\r\n", 2) != NULL);
	for (size_t i = 0; i + 2 < line.len; i++)
		must(line.p[i] != '\n' || line.p[i + 1] == ' ');
	mime_words_decode(&again, buf_span(&line));
	/* Long runs of blanks are cut; all else comes back. */
	if (buf_error(&line) == 0 &&
		memmem(buf_str(&text), text.len, "                    ", 20) == NULL)
		must(span_eq(buf_span(&again), span_trim(buf_span(&text))));
	buf_reset(&line);
	mime_words_encode(&line, s, true, &column);
	buf_done(&text);
	buf_done(&line);
	buf_done(&again);
}

static void type(struct span s)
{
	struct mime_type t;

	must(mime_type_parse(s, &t) == 0);
	must(t.type[0] != '\0' && t.params.count <= MIME_PARAMS_MAX);
	for (size_t i = 0; i < t.params.count; i++)
		must(text_is_utf8(span_str(t.params.list[i].value)));
	mime_type_done(&t);
}

static void addresses(struct span s)
{
	struct mime_addresses a;
	struct buf b = BUF_INIT(1 << 10);
	bool open = false;
	int r;

	must(mime_addresses_parse(s, s.len % 2 == 0, &a) == 0);
	must(a.count <= MIME_ADDRESSES_MAX);
	for (size_t i = 0; i < a.count; i++) {
		const struct mime_address *one = &a.list[i];
		struct span text = buf_span(&a.text);

		must(inside(one->name, text) && inside(one->local, text));
		must(inside(one->domain, text) && inside(one->route, text));
		must(!(one->group_begin && open) && (!one->group_end || open));
		open = one->group_begin || (open && !one->group_end);
	}
	must(!open);
	mime_addresses_done(&a);
	r = mime_address_typed(s, "home.test", &b);
	must(r == -EINVAL || (r == 0 && b.len <= MIME_ADDRESS_MAX && text_is_clean(buf_span(&b))));
	buf_done(&b);
}

static void dates(struct span s)
{
	int64_t at_us = 0;
	int32_t offset_s = 0;

	if (mime_date_parse(s, &at_us, &offset_s) == 0)
		must(offset_s > -86400 && offset_s < 86400);
}

static void msgids(struct span s)
{
	struct span rest = s, msgid;

	while (mime_msgid_next(&rest, &msgid)) {
		must(inside(msgid, s) && msgid.len > 2);
		must(msgid.p[0] == '<' && msgid.p[msgid.len - 1] == '>');
	}
}

static void subject(struct span s)
{
	struct buf a = BUF_INIT(1 << 22), b = BUF_INIT(1 << 22);
	bool reply;

	mime_base_subject(&a, s, &reply);
	must(buf_error(&a) < 0 || text_is_clean(buf_span(&a)));
	buf_reset(&a);
	mime_casefold(&a, s);
	mime_casefold(&b, buf_span(&a));
	must(span_eq(buf_span(&a), buf_span(&b)));
	buf_done(&a);
	buf_done(&b);
}

/* In one piece or in many: the same. */
static void decoding(struct span s)
{
	enum mime_encoding encoding = s.len > 0 && s.p[0] % 2 == 0 ? MIME_BASE64 : MIME_QP;
	struct mime_decoder whole = {.encoding = encoding}, pieces = {.encoding = encoding};
	struct buf a = BUF_INIT(1 << 20), b = BUF_INIT(1 << 20);
	size_t step = s.len > 1 ? 1 + s.p[1] % 7 : 1;

	(void)mime_decode(&whole, s, &a);
	(void)mime_decode_end(&whole, &a);
	for (size_t at = 0; at < s.len; at += step)
		(void)mime_decode(
			&pieces, span_of(s.p + at, at + step > s.len ? s.len - at : step), &b);
	(void)mime_decode_end(&pieces, &b);
	must(span_eq(buf_span(&a), buf_span(&b)) && whole.spoiled == pieces.spoiled);
	buf_done(&a);
	buf_done(&b);
}

static void charset(struct span s)
{
	struct buf b = BUF_INIT(1 << 20);
	struct span name = {NULL, 0};

	(void)span_split(&s, '\n', &name);
	must(mime_to_utf8(&b, name, s) < 0 || text_is_utf8(buf_span(&b)));
	buf_done(&b);
}

static void html(struct span s)
{
	struct buf b = BUF_INIT(1 << 20);

	mime_html_text(&b, s);
	must(buf_error(&b) < 0 || text_is_utf8(buf_span(&b)));
	must(b.len == 0 || b.p[b.len - 1] == '\n' || buf_error(&b) < 0);
	buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const each[])(struct span s) = {
		words, type, addresses, dates, msgids, subject, decoding, charset, html};

	if (size > 0)
		each[data[0] % (sizeof(each) / sizeof(each[0]))](span_of(data + 1, size - 1));
	return 0;
}
