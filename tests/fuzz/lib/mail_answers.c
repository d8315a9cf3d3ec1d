/* Answers as they come: whole, well formed, in their place. */
#include "tests/fuzz/lib/mail_client.h"

#include "base/num.h"
#include "base/text.h"

enum { ANSWER_MAX = 1 << 26 };

static bool is_waiting(const struct mail_client *c)
{
	return c->busy && !c->answered;
}

bool mail_client_is(const struct mail_client *c, const char *name)
{
	return is_waiting(c) && strcmp(c->name, name) == 0;
}

/* -- untagged ones ----------------------------------------------------------------------------- */

/* RFC 3501 section 7.4.1. */
static bool may_expunge(const struct mail_client *c)
{
	static const char *const never[] = {"FETCH", "STORE", "SEARCH", "SORT", "THREAD"};

	if (!is_waiting(c))
		return c->notify;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (!c->uid && strcmp(c->name, never[i]) == 0)
			return false;
	return true;
}

/* Of what is told in numbers. */
static void hear_number(struct mail_client *c, uint64_t number, const struct imap_answer *a)
{
	const struct imap_node *word = imap_answer_child(a, NULL, 1);

	require(word != NULL && word->value == IMAP_VALUE_ATOM);
	if (span_caseeq_str(word->text, "EXISTS")) {
		mail_seen_exists(c, number);
	} else if (span_caseeq_str(word->text, "EXPUNGE")) {
		require(may_expunge(c));
		mail_seen_expunge(c, number);
	} else if (span_caseeq_str(word->text, "FETCH")) {
		mail_seen_fetch(c, number, a, imap_answer_child(a, NULL, 2));
	} else {
		require(span_caseeq_str(word->text, "RECENT") && number <= c->count);
	}
}

static void hear_vanished(struct mail_client *c, const struct imap_answer *a)
{
	const struct imap_node *n = imap_answer_child(a, NULL, 1);

	require(n != NULL);
	if (n->value == IMAP_VALUE_LIST)
		return;
	require(may_expunge(c));
	mail_seen_vanished(c, n->text);
}

/* Numbers of messages that there are. */
static void hear_found(const struct mail_client *c, const struct imap_answer *a)
{
	uint64_t number;

	for (size_t i = 1; !c->uid && i < a->count; i++) {
		if (a->nodes[i].value == IMAP_VALUE_LIST) {
			if (strcmp(c->name, "THREAD") != 0)
				return;
			continue;
		}
		require(num_parse_u64(a->nodes[i].text, 1, c->count, &number) == 0);
	}
}

static void hear_enabled(struct mail_client *c, const struct imap_answer *a)
{
	const struct imap_node *n;

	for (size_t i = 1; (n = imap_answer_child(a, NULL, i)) != NULL; i++)
		if (span_caseeq_str(n->text, "UTF8=ACCEPT") ||
			span_caseeq_str(n->text, "IMAP4rev2"))
			c->utf8 = true;
}

static void hear_data(struct mail_client *c, const struct imap_answer *a)
{
	const struct imap_node *first = imap_answer_child(a, NULL, 0);
	uint64_t number;

	require(is_waiting(c) || c->notify);
	require(first != NULL && first->value == IMAP_VALUE_ATOM);
	if (num_parse_u64(first->text, 0, UINT32_MAX - 1, &number) == 0)
		hear_number(c, number, a);
	else if (span_caseeq_str(first->text, "VANISHED"))
		hear_vanished(c, a);
	else if (span_caseeq_str(first->text, "SEARCH") || span_caseeq_str(first->text, "SORT") ||
		span_caseeq_str(first->text, "THREAD"))
		hear_found(c, a);
	else if (span_caseeq_str(first->text, "ENABLED"))
		hear_enabled(c, a);
}

static void hear_status(struct mail_client *c, const struct imap_answer *a)
{
	struct span code = a->code;
	uint64_t id;

	if (span_caseeq_str(a->status, "BYE"))
		c->bye = true;
	else if (span_caseeq_str(a->status, "BAD")) {
		require(is_waiting(c));
		c->answered = true;
	} else if (span_caseeq_str(code, "CLOSED")) {
		mail_seen_forget(c);
	} else if (span_starts(code, "MAILBOXID (F") &&
		(mail_client_is(c, "SELECT") || mail_client_is(c, "EXAMINE"))) {
		code = span_of(code.p + 12, code.len - 13);
		require(num_parse_u64(code, 1, UINT64_MAX, &id) == 0);
		c->box = id;
	}
}

/* -- the tagged one ---------------------------------------------------------------------------- */

static void hear_end(struct mail_client *c, const struct imap_answer *a)
{
	static const char *const never[] = {"LOGOUT", "CLOSE", "UNSELECT"};
	bool ok = span_eq_str(a->status, "OK"), no = span_eq_str(a->status, "NO"), quiet = false;

	require(is_waiting(c) && span_eq_str(a->tag, c->tag));
	require(ok || no || span_eq_str(a->status, "BAD"));
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		quiet = quiet || strcmp(c->name, never[i]) == 0;
	if (ok && quiet)
		mail_seen_forget(c);
	if (no && (mail_client_is(c, "SELECT") || mail_client_is(c, "EXAMINE")))
		mail_seen_forget(c);
	if (c->silent)
		mail_seen_silence(c);
	if ((ok || no) && !quiet && may_expunge(c))
		mail_seen_compare(c);
	c->answered = true;
}

static void hear_answer(struct mail_client *c, struct span answer)
{
	struct imap_answer a;
	struct buf copy = BUF_INIT(ANSWER_MAX);

	require(!c->bye || strcmp(c->name, "LOGOUT") == 0);
	buf_add(&copy, answer);
	require(imap_answer_parse(copy.p, copy.len, &a) == 0);
	if (span_eq_str(a.tag, "+")) {
		require(is_waiting(c));
		if (c->asked > 0)
			c->asked--;
		else
			c->continued = true;
	} else if (!span_eq_str(a.tag, "*")) {
		hear_end(c, &a);
	} else if (a.status.len > 0) {
		hear_status(c, &a);
	} else {
		hear_data(c, &a);
	}
	imap_answer_done(&a);
	buf_done(&copy);
}

/* -- bytes ------------------------------------------------------------------------------------- */

static void check_line(const struct mail_client *c, struct span line)
{
	require(memchr(line.p, '\0', line.len) == NULL && memchr(line.p, '\r', line.len) == NULL);
	require(text_is_utf8(line));
	for (size_t i = 0; !c->utf8 && i < line.len; i++)
		require(line.p[i] < 0x80);
}

/* The length of the answer that begins there; 0: it is not whole. */
static size_t answer_length(const struct mail_client *c, struct span have)
{
	size_t at = 0;

	for (;;) {
		const unsigned char *end = memchr(have.p + at, '\n', have.len - at);
		struct imap_literal literal;
		struct span line;

		if (end == NULL)
			return 0;
		line = span_of(have.p + at, (size_t)(end - have.p) - at);
		require(line.len > 0 && line.p[line.len - 1] == '\r');
		line.len--;
		check_line(c, line);
		at += line.len + 2;
		if (imap_literal_end(line, &literal) != 1)
			return at;
		require(!literal.plus);
		if (literal.size >= have.len - at)
			return 0;
		at += (size_t)literal.size;
	}
}

void mail_client_hear(struct mail_client *c)
{
	while (c->read < c->out.len) {
		struct span have = span_of(c->out.p + c->read, c->out.len - c->read);
		size_t len = answer_length(c, have);

		if (len == 0)
			return;
		c->read += len;
		hear_answer(c, span_of(have.p, len));
	}
}
