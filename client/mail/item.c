/* A FETCH answer as a line of a list. The server is not trusted: texts are decoded, cleaned, cut.
 */
#include "client/mail/cache.h"

#include "client/mail/imapc.h"

#include <errno.h>

enum { ADDRESSES_MAX = 50, KEYWORDS_MAX = 1000, DEPTH_MAX = 32, RAW_MAX = 4 * ITEM_TEXT_MAX };

void item_news_done(struct item_news *n)
{
	item_done(&n->item);
}

static const struct imap_node *child(
	const struct imap_answer *a, const struct imap_node *list, size_t n)
{
	return list != NULL && list->value == IMAP_VALUE_LIST ? imap_answer_child(a, list, n)
							      : NULL;
}

static struct span text_of(const struct imap_node *n)
{
	return n != NULL && (n->value == IMAP_VALUE_STRING || n->value == IMAP_VALUE_ATOM)
		? n->text
		: span_of(NULL, 0);
}

/* A copy of what is in b, cut at a character. */
static char *text_take(const struct buf *b)
{
	size_t n = b->len < ITEM_TEXT_MAX ? b->len : ITEM_TEXT_MAX;

	while (n > 0 && n < b->len && (b->p[n] & 0xc0) == 0x80)
		n--;
	return strndup(n > 0 ? (const char *)b->p : "", n);
}

static char *words_take(struct span raw)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(65536);

	if (raw.len > RAW_MAX)
		raw.len = RAW_MAX;
	mime_words_decode(&b, raw);
	return text_take(&b);
}

/* -- flags ------------------------------------------------------------------------------------- */

static int flags_take(
	const struct imap_answer *a, const struct imap_node *list, struct mail_item *i)
{
	_cleanup_(buf_done) struct buf words = BUF_INIT(KEYWORDS_MAX);
	const struct imap_node *n = child(a, list, 0);

	for (; n != NULL; n = n->next < a->count ? &a->nodes[n->next] : NULL) {
		char word[64];
		uint32_t bit = imap_flag_find(n->text);

		i->flags |= bit;
		if (bit != 0 || n->text.len == 0 || n->text.p[0] == '\\' ||
			n->text.len >= sizeof word)
			continue;
		imapc_clean(n->text, word, sizeof word);
		buf_addf(&words, "%s%s", words.len > 0 ? " " : "", word);
	}
	i->keywords = strdup(buf_error(&words) == 0 ? buf_str(&words) : "");
	return i->keywords != NULL ? 0 : -ENOMEM;
}

/* -- ENVELOPE ---------------------------------------------------------------------------------- */

static void address_add(struct buf *b, const struct imap_answer *a, const struct imap_node *n)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(65536);
	struct span raw = text_of(child(a, n, 0));
	struct span local = text_of(child(a, n, 2)), domain = text_of(child(a, n, 3));
	char address[MIME_ADDRESS_MAX + 2], l[MIME_ADDRESS_MAX], d[MIME_ADDRESS_MAX];

	/* Beginning or end of a group. */
	if (local.len == 0 || domain.len == 0)
		return;
	if (raw.len > ITEM_TEXT_MAX)
		raw.len = ITEM_TEXT_MAX;
	mime_words_decode(&name, raw);
	imapc_clean(local, l, sizeof l);
	imapc_clean(domain, d, sizeof d);
	if (snprintf(address, sizeof address, "%s@%s", l, d) >= (int)sizeof address)
		return;
	buf_addf(b, "%s", b->len > 0 ? ", " : "");
	if (name.len > 0)
		buf_addf(b, "%s <%s>", buf_str(&name), address);
	else
		buf_add_str(b, address);
}

static char *addresses_take(const struct imap_answer *a, const struct imap_node *list)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);
	const struct imap_node *n = child(a, list, 0);

	for (size_t i = 0; n != NULL && i < ADDRESSES_MAX && b.len < ITEM_TEXT_MAX; i++) {
		address_add(&b, a, n);
		n = n->next < a->count ? &a->nodes[n->next] : NULL;
	}
	return text_take(&b);
}

static int envelope_take(
	const struct imap_answer *a, const struct imap_node *envelope, struct mail_item *i)
{
	struct span rest = text_of(child(a, envelope, 9)), msgid = {NULL, 0};
	int32_t offset_s;
	char clean[256] = "";

	if (mime_date_parse(text_of(child(a, envelope, 0)), &i->sent_us, &offset_s) < 0)
		i->sent_us = INT64_MIN;
	i->subject = words_take(text_of(child(a, envelope, 1)));
	i->from = addresses_take(a, child(a, envelope, 2));
	i->to = addresses_take(a, child(a, envelope, 5));
	i->cc = addresses_take(a, child(a, envelope, 6));
	if (mime_msgid_next(&rest, &msgid) && msgid.len < sizeof clean)
		imapc_clean(msgid, clean, sizeof clean);
	i->msgid = strdup(clean);
	return i->subject != NULL && i->from != NULL && i->to != NULL && i->cc != NULL &&
			i->msgid != NULL
		? 0
		: -ENOMEM;
}

/* -- BODYSTRUCTURE ----------------------------------------------------------------------------- */

static bool is_word(const struct imap_node *n, const char *word)
{
	return span_caseeq_str(text_of(n), word);
}

static bool is_signature(struct span subtype)
{
	return span_caseeq_str(subtype, "pkcs7-signature") ||
		span_caseeq_str(subtype, "x-pkcs7-signature") ||
		span_caseeq_str(subtype, "pgp-signature");
}

static bool leaf_is_attached(const struct imap_answer *a, const struct imap_node *body)
{
	const struct imap_node *n = child(a, body, 0);

	if (is_signature(text_of(child(a, body, 1))))
		return false;
	if (imap_answer_find(a, child(a, body, 2), "NAME") != NULL && !is_word(n, "text"))
		return true;
	for (; n != NULL; n = n->next < a->count ? &a->nodes[n->next] : NULL)
		if (n->value == IMAP_VALUE_LIST && is_word(child(a, n, 0), "attachment"))
			return true;
	return false;
}

/* The parts are walked in the order of the array, which is the order of the text: no recursion. */
static bool has_attachments(const struct imap_answer *a, const struct imap_node *body)
{
	const struct imap_node *stack[DEPTH_MAX];
	size_t depth = 0;
	const struct imap_node *n = body;

	while (n != NULL || depth > 0) {
		if (n == NULL || n->value != IMAP_VALUE_LIST) {
			/* Behind the parts of a multipart stands its subtype. */
			if (depth == 0)
				break;
			n = stack[--depth];
		} else if (child(a, n, 0) != NULL && child(a, n, 0)->value == IMAP_VALUE_LIST &&
			depth < DEPTH_MAX) {
			stack[depth++] = n;
			n = child(a, n, 0);
			continue;
		} else if (leaf_is_attached(a, n)) {
			return true;
		}
		n = depth > 0 && n->next < a->count ? &a->nodes[n->next] : NULL;
	}
	return false;
}

static const struct imap_node *last_string(
	const struct imap_answer *a, const struct imap_node *body)
{
	const struct imap_node *n = child(a, body, 0);

	while (n != NULL && n->value == IMAP_VALUE_LIST)
		n = n->next < a->count ? &a->nodes[n->next] : NULL;
	return n;
}

static void structure_take(
	const struct imap_answer *a, const struct imap_node *body, struct mail_item *i)
{
	const struct imap_node *first = child(a, body, 0), *how;
	struct span subtype = text_of(child(a, body, 1));

	if (first != NULL && first->value == IMAP_VALUE_LIST) {
		i->is_signed = is_word(last_string(a, body), "signed");
	} else if (is_word(first, "application") &&
		(span_caseeq_str(subtype, "pkcs7-mime") ||
			span_caseeq_str(subtype, "x-pkcs7-mime"))) {
		how = imap_answer_find(a, child(a, body, 2), "SMIME-TYPE");
		i->is_signed = how != NULL && is_word(how, "signed-data");
		i->encrypted = !i->is_signed;
		return;
	}
	i->attachments = has_attachments(a, body);
}

/* -- the whole --------------------------------------------------------------------------------- */

static int64_t date_of(const struct imap_node *n)
{
	unsigned char quoted[64];
	struct span s = text_of(n);
	struct imap_in in = {.p = quoted};
	int64_t at_us = 0;
	int32_t offset_s;

	if (s.len == 0 || s.len + 2 > sizeof quoted)
		return 0;
	quoted[0] = '"';
	memcpy(quoted + 1, s.p, s.len);
	quoted[s.len + 1] = '"';
	in.len = s.len + 2;
	return imap_in_date_time(&in, &at_us, &offset_s) == 0 ? at_us : 0;
}

/* The header fields that were asked for: is there one? */
static bool asks(const struct imap_answer *a, const struct imap_node *pairs)
{
	static const char name[] = "BODY[HEADER.FIELDS";
	const struct imap_node *n = child(a, pairs, 0);

	for (; n != NULL; n = n->next < a->count ? &a->nodes[n->next] : NULL) {
		struct span fields;

		if (n->value != IMAP_VALUE_ATOM || n->next >= a->count ||
			n->text.len < sizeof name - 1 ||
			!span_caseeq_str(span_of(n->text.p, sizeof name - 1), name))
			continue;
		fields = text_of(&a->nodes[n->next]);
		return fields.len > 0 && memchr(fields.p, ':', fields.len) != NULL;
	}
	return false;
}

static int details_take(
	const struct imap_answer *a, const struct imap_node *pairs, struct mail_item *i)
{
	const struct imap_node *envelope = imap_answer_find(a, pairs, "ENVELOPE");
	const struct imap_node *body = imap_answer_find(a, pairs, "BODYSTRUCTURE");
	uint64_t size = 0;
	int r = envelope_take(a, envelope, i);

	if (body != NULL)
		structure_take(a, body, i);
	(void)imapc_u64(text_of(imap_answer_find(a, pairs, "RFC822.SIZE")), &size);
	i->size = size;
	i->date_us = date_of(imap_answer_find(a, pairs, "INTERNALDATE"));
	i->asks = asks(a, pairs);
	return r;
}

int item_of_fetch(const struct imap_answer *a, struct item_news *ret)
{
	const struct imap_node *pairs = imapc_nth(a, 2);
	const struct imap_node *flags, *modseq;
	struct item_news n = {.has_flags = false};
	int r = 0;

	if (pairs == NULL || pairs->value != IMAP_VALUE_LIST ||
		!imapc_u32(text_of(imap_answer_find(a, pairs, "UID")), &n.item.uid) ||
		n.item.uid == 0)
		return -ENOENT;
	modseq = imap_answer_find(a, pairs, "MODSEQ");
	if (modseq != NULL)
		(void)imapc_u64(text_of(child(a, modseq, 0)), &n.item.modseq);
	flags = imap_answer_find(a, pairs, "FLAGS");
	n.has_flags = flags != NULL && flags->value == IMAP_VALUE_LIST;
	n.has_details = imap_answer_find(a, pairs, "ENVELOPE") != NULL;
	if (n.has_flags)
		r = flags_take(a, flags, &n.item);
	if (r == 0 && n.has_details)
		r = details_take(a, pairs, &n.item);
	if (r < 0) {
		item_news_done(&n);
		return r;
	}
	*ret = n;
	return 0;
}
