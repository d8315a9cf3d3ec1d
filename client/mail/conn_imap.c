/* One IMAP connection: bytes into answers, without waiting. See imapc.h. */
#include "client/mail/imapc.h"

#include "base/num.h"
#include "base/text.h"

#include <errno.h>

int imapc_lose(struct imapc *m, int error)
{
	if (m->error == 0)
		m->error = error;
	return m->error;
}

void imapc_clean(struct span s, char *ret, size_t size)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(4 * size + 16);
	size_t n;

	if (s.len >= size)
		s.len = size - 1;
	if (text_is_clean(s))
		buf_add(&b, s);
	else
		text_escape(&b, s);
	n = b.len < size ? b.len : size - 1;
	/* Not in the middle of a character. */
	while (n > 0 && n < b.len && (b.p[n] & 0xc0) == 0x80)
		n--;
	if (n > 0)
		memcpy(ret, b.p, n);
	ret[n] = '\0';
}

bool imapc_u32(struct span s, uint32_t *ret)
{
	uint64_t n;

	if (num_parse_u64(s, 0, UINT32_MAX, &n) < 0)
		return false;
	*ret = (uint32_t)n;
	return true;
}

bool imapc_u64(struct span s, uint64_t *ret)
{
	return num_parse_u64(s, 0, UINT64_MAX, ret) == 0;
}

const struct imap_node *imapc_nth(const struct imap_answer *a, size_t n)
{
	const struct imap_node *node = a->count > 0 ? &a->nodes[0] : NULL;

	while (node != NULL && n-- > 0)
		node = node->next < a->count ? &a->nodes[node->next] : NULL;
	return node;
}

bool imapc_word(const struct imap_answer *a, size_t n, const char *name)
{
	const struct imap_node *node = imapc_nth(a, n);

	return node != NULL && node->value == IMAP_VALUE_ATOM && span_caseeq_str(node->text, name);
}

bool imapc_is_tag(const struct imap_answer *a, uint32_t *ret)
{
	return a->tag.len > 1 && a->tag.p[0] == 'q' &&
		imapc_u32(span_of(a->tag.p + 1, a->tag.len - 1), ret);
}

bool imapc_is_plus(const struct imap_answer *a)
{
	return span_eq_str(a->tag, "+");
}

/* -- what every answer tells ------------------------------------------------------------------- */

static void caps_take(struct imapc *m, struct span words)
{
	struct span word;

	m->caps_told = true;
	buf_reset(&m->caps);
	buf_add_byte(&m->caps, ' ');
	while (span_split(&words, ' ', &word)) {
		buf_add(&m->caps, word);
		buf_add_byte(&m->caps, ' ');
	}
}

static void caps_of_nodes(struct imapc *m)
{
	m->caps_told = true;
	buf_reset(&m->caps);
	buf_add_byte(&m->caps, ' ');
	for (const struct imap_node *n = imapc_nth(&m->answer, 1); n != NULL;
		n = n->next < m->answer.count ? &m->answer.nodes[n->next] : NULL) {
		buf_add(&m->caps, n->text);
		buf_add_byte(&m->caps, ' ');
	}
}

bool imapc_can(const struct imapc *m, const char *capability)
{
	struct span rest = buf_span(&m->caps), word;

	while (span_split(&rest, ' ', &word))
		if (span_caseeq_str(word, capability))
			return true;
	return false;
}

static void digest(struct imapc *m)
{
	const struct imap_answer *a = &m->answer;
	struct span code = a->code, name;

	if (code.len > 0 && span_split(&code, ' ', &name) && span_caseeq_str(name, "CAPABILITY"))
		caps_take(m, code);
	if (a->status.len == 0 && span_eq_str(a->tag, "*") && imapc_word(a, 0, "CAPABILITY"))
		caps_of_nodes(m);
	if (span_caseeq_str(a->status, "BYE")) {
		m->bye = true;
		imapc_clean(a->text, m->said, sizeof m->said);
	}
}

int imapc_note(struct imapc *m)
{
	imapc_clean(m->answer.code, m->code, sizeof m->code);
	imapc_clean(m->answer.text, m->said, sizeof m->said);
	return span_caseeq_str(m->answer.status, "OK") ? 0 : -EREMOTEIO;
}

/* -- reading ----------------------------------------------------------------------------------- */

/* Free text may end in what looks like a literal. */
static bool is_status(struct span line)
{
	static const char *const words[] = {"* OK", "* NO", "* BAD", "* BYE", "* PREAUTH"};

	if (line.len < 2 || line.p[0] != '*')
		return true;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t len = strlen(words[i]);

		if (line.len >= len && span_caseeq_str(span_of(line.p, len), words[i]) &&
			(line.len == len || line.p[len] == ' '))
			return true;
	}
	return false;
}

/* A line is there, its end included: 1 when the answer is whole. */
static int line_end(struct imapc *m)
{
	struct span line = span_of(m->in.p + m->line, m->in.len - m->line);
	struct imap_literal literal;
	int r;

	line.len--;
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	if (m->line == 0 && is_status(line))
		return 1;
	r = imap_literal_end(line, &literal);
	if (r <= 0)
		return r < 0 ? r : 1;
	if (literal.size > MAIL_MESSAGE_MAX || m->in.len + literal.size > IMAPC_ANSWER_MAX)
		return -EMSGSIZE;
	m->literal = literal.size;
	m->line = m->in.len + (size_t)literal.size;
	return 0;
}

static int gather_literal(struct imapc *m, struct span have)
{
	struct span taken;
	size_t n = have.len < m->literal ? have.len : (size_t)m->literal;

	(void)conn_read_some(m->conn, n, &taken);
	buf_add(&m->in, taken);
	m->literal -= taken.len;
	return buf_error(&m->in);
}

static int gather_line(struct imapc *m, struct span have)
{
	const unsigned char *lf = memchr(have.p, '\n', have.len);
	struct span taken;

	(void)conn_read_some(m->conn, lf != NULL ? (size_t)(lf - have.p) + 1 : have.len, &taken);
	m->text += taken.len;
	if (m->text > IMAPC_LINE_MAX)
		return -EMSGSIZE;
	buf_add(&m->in, taken);
	if (buf_error(&m->in) < 0)
		return buf_error(&m->in);
	return lf != NULL ? line_end(m) : 0;
}

/* 1: the answer is whole. 0: more bytes are needed. */
static int gather(struct imapc *m)
{
	int r = 0;

	while (r == 0) {
		struct span have = conn_pending(m->conn);

		if (have.len == 0)
			return 0;
		r = m->literal > 0 ? gather_literal(m, have) : gather_line(m, have);
	}
	return r;
}

static void forget(struct imapc *m)
{
	if (!m->whole)
		return;
	imap_answer_done(&m->answer);
	/* What was long is given back. */
	if (m->in.cap > CONN_IN_MAX)
		buf_done(&m->in);
	else
		buf_reset(&m->in);
	m->line = m->text = 0;
	m->whole = false;
}

static int parse(struct imapc *m)
{
	int r = imap_answer_parse(m->in.p, m->in.len, &m->answer);

	if (r < 0)
		return r;
	m->whole = true;
	digest(m);
	return 1;
}

static int read_answer(struct imapc *m)
{
	for (;;) {
		int r = gather(m);

		if (r != 0)
			return r < 0 ? r : parse(m);
		r = conn_step_fill(m->conn);
		if (r == -EAGAIN)
			return 0;
		if (r <= 0 && r != -ENOBUFS)
			return r < 0 ? r : -ECONNRESET;
	}
}

int imapc_step(struct imapc *m)
{
	int r;

	if (m->error < 0)
		return m->error;
	forget(m);
	r = conn_step_flush(m->conn);
	if (r == 0 || r == -EAGAIN)
		r = read_answer(m);
	return r < 0 ? imapc_lose(m, r) : r;
}
