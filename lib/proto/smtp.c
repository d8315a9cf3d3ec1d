/* SMTP's lines: commands, paths, parameters, replies (RFC 5321 section 4.1.2, 6531, 2034). */
#include "proto/smtp.h"

#include "base/num.h"
#include "base/text.h"

#include <errno.h>

enum { VERB_MAX = 12, NAME_MAX_LEN = 32, CODE_MIN = 200, CODE_MAX = 599, STATUS_MAX = 999 };

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(unsigned char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct span skip(struct span s, size_t len)
{
	return span_of(s.p + len, s.len - len);
}

static struct span skip_blanks(struct span s)
{
	while (s.len > 0 && s.p[0] == ' ')
		s = skip(s, 1);
	return s;
}

static bool take(struct span *s, char c)
{
	if (s->len == 0 || s->p[0] != (unsigned char)c)
		return false;
	*s = skip(*s, 1);
	return true;
}

int smtp_parse(struct span line, struct smtp_command *ret)
{
	size_t len = 0;

	for (size_t i = 0; i < line.len; i++)
		if ((line.p[i] < ' ' && line.p[i] != '\t') || line.p[i] == 0x7f)
			return -EBADMSG;
	while (len < line.len && is_alnum(line.p[len]))
		len++;
	if (len == 0 || len > VERB_MAX || (len < line.len && line.p[len] != ' '))
		return -EBADMSG;
	ret->verb = span_of(line.p, len);
	ret->rest = span_trim(skip(line, len));
	return 0;
}

/* -- paths ------------------------------------------------------------------------------------- */

struct writer {
	char *p;
	size_t len, room; /* room for the NUL too */
};

static int put(struct writer *w, unsigned char c)
{
	if (w->len + 1 >= w->room)
		return -EBADMSG;
	w->p[w->len++] = (char)c;
	w->p[w->len] = '\0';
	return 0;
}

static bool is_atext(unsigned char c)
{
	return is_alnum(c) || c >= 0x80 || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Words of letters with single dots between them. */
static int take_dotted(struct span *s, bool (*is)(unsigned char), struct writer *w)
{
	bool dot = true;

	for (; s->len > 0 && (is(s->p[0]) || s->p[0] == '.'); *s = skip(*s, 1)) {
		if (s->p[0] == '.' && dot)
			return -EBADMSG;
		dot = s->p[0] == '.';
		if (put(w, s->p[0]) < 0)
			return -EBADMSG;
	}
	return dot ? -EBADMSG : 0;
}

static int take_quoted(struct span *s, struct writer *w)
{
	(void)take(s, '"');
	while (s->len > 0 && s->p[0] != '"') {
		if (s->p[0] == '\\')
			*s = skip(*s, 1);
		if (s->len == 0 || s->p[0] < ' ' || s->p[0] == 0x7f || put(w, s->p[0]) < 0)
			return -EBADMSG;
		*s = skip(*s, 1);
	}
	return w->len > 0 && take(s, '"') ? 0 : -EBADMSG;
}

static bool is_label(unsigned char c)
{
	return is_alnum(c) || c == '-' || c >= 0x80;
}

static bool is_literal(unsigned char c)
{
	return is_alnum(c) || c == ':' || c == '-';
}

static int take_domain(struct span *s, struct writer *w)
{
	int r;

	if (s->len == 0 || s->p[0] != '[')
		return take_dotted(s, is_label, w);
	*s = skip(*s, 1);
	if (put(w, '[') < 0)
		return -EBADMSG;
	r = take_dotted(s, is_literal, w);
	return r < 0 ? r : take(s, ']') && put(w, ']') == 0 ? 0 : -EBADMSG;
}

/* "@a,@b:" in front of the mailbox, which means nothing any more (RFC 5321 appendix C). */
static int skip_route(struct span *s)
{
	char domain[255];

	if (s->len == 0 || s->p[0] != '@')
		return 0;
	do {
		struct writer w = {.p = domain, .room = sizeof(domain)};

		if (!take(s, '@') || take_domain(s, &w) < 0)
			return -EBADMSG;
	} while (take(s, ','));
	return take(s, ':') ? 0 : -EBADMSG;
}

static int take_mailbox(struct span *s, struct smtp_path *p)
{
	struct writer local = {.p = p->local, .room = sizeof(p->local)};
	struct writer domain = {.p = p->domain, .room = sizeof(p->domain)};
	int r;

	if (s->len > 0 && s->p[0] == '"')
		r = take_quoted(s, &local);
	else
		r = take_dotted(s, is_atext, &local);
	if (r < 0 || !take(s, '@'))
		return r;
	r = take_domain(s, &domain);
	return r == 0 && local.len + 1 + domain.len > SMTP_PATH_MAX ? -EBADMSG : r;
}

static int take_path(struct span *s, struct smtp_path *p)
{
	int r;

	if (!take(s, '<'))
		return -EBADMSG;
	if (take(s, '>'))
		return 0;
	r = skip_route(s);
	if (r == 0)
		r = take_mailbox(s, p);
	return r < 0 ? r : take(s, '>') ? 0 : -EBADMSG;
}

static bool has_eight(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return true;
	return false;
}

int smtp_path(struct span rest, const char *word, struct smtp_path *ret, struct span *ret_params)
{
	struct smtp_path p = {.is_utf8 = false};
	size_t len = strlen(word);

	if (rest.len <= len || !span_caseeq_str(span_of(rest.p, len), word))
		return -EBADMSG;
	rest = skip(rest, len);
	if (!take(&rest, ':'))
		return -EBADMSG;
	rest = skip_blanks(rest);
	if (take_path(&rest, &p) < 0 || (rest.len > 0 && rest.p[0] != ' '))
		return -EBADMSG;
	p.is_utf8 = has_eight(p.local) || has_eight(p.domain);
	if (!text_is_clean(span_str(p.local)) || !text_is_clean(span_str(p.domain)))
		return -EBADMSG;
	*ret = p;
	*ret_params = skip_blanks(rest);
	return 0;
}

bool smtp_param_next(
	struct span *rest, struct span *ret_name, struct span *ret_value, int *ret_error)
{
	struct span s = skip_blanks(*rest), word = {NULL, 0}, name = {NULL, 0};

	*ret_error = 0;
	if (!span_split(&s, ' ', &word))
		return false;
	*rest = s;
	s = word;
	(void)span_split(&s, '=', &name);
	*ret_error = -EBADMSG;
	for (size_t i = 0; i < name.len; i++)
		if (!is_alnum(name.p[i]) && (name.p[i] != '-' || i == 0))
			return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '!' || s.p[i] == 0x7f)
			return false;
	/* A '=' with nothing behind it is none of the grammar's. */
	if (name.len == 0 || (name.len < word.len && s.len == 0))
		return false;
	*ret_error = 0;
	*ret_name = name;
	*ret_value = s;
	return true;
}

/* -- replies ----------------------------------------------------------------------------------- */

/* "2.1.5 " in front of the text, of the code's own class. */
static void take_status(struct smtp_reply *r)
{
	struct span s = r->text, word = {NULL, 0}, part = {NULL, 0};
	uint64_t numbers[3];

	if (!span_split(&s, ' ', &word))
		return;
	for (size_t i = 0; i < 3; i++)
		if (!span_split(&word, '.', &part) ||
			num_parse_u64(part, 0, STATUS_MAX, &numbers[i]) < 0)
			return;
	if (word.len > 0 || numbers[0] != r->code / 100)
		return;
	r->class = (unsigned)numbers[0];
	r->subject = (unsigned)numbers[1];
	r->detail = (unsigned)numbers[2];
	r->text = s;
}

int smtp_reply_parse(struct span line, struct smtp_reply *ret)
{
	struct smtp_reply r = {.more = line.len > 3 && line.p[3] == '-'};
	uint64_t code;

	if (line.len < 3 || num_parse_u64(span_of(line.p, 3), CODE_MIN, CODE_MAX, &code) < 0)
		return -EBADMSG;
	if (line.len > 3 && line.p[3] != ' ' && !r.more)
		return -EBADMSG;
	r.code = (unsigned)code;
	r.text = skip(line, line.len > 3 ? 4 : 3);
	take_status(&r);
	*ret = r;
	return 0;
}

/* -- names ------------------------------------------------------------------------------------- */

static bool is_here(const char *domain, const char *name)
{
	return name != NULL && *name != '\0' && span_caseeq_str(span_str(domain), name);
}

int smtp_local_account(
	const struct smtp_path *p, const char *domain, const char *host, char *ret, size_t size)
{
	char name[NAME_MAX_LEN + 1];
	size_t len = 0;

	if (p->domain[0] != '\0' && !is_here(p->domain, domain) && !is_here(p->domain, host))
		return -ENOENT;
	for (; p->local[len] != '\0' && p->local[len] != '+'; len++) {
		char c = p->local[len];

		if (len >= NAME_MAX_LEN)
			return -EINVAL;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + ('a' - 'A'));
		if (!(c >= 'a' && c <= 'z') &&
			(len == 0 || (!is_digit((unsigned char)c) && c != '_' && c != '-')))
			return -EINVAL;
		name[len] = c;
	}
	if (len == 0 || len >= size)
		return -EINVAL;
	memcpy(ret, name, len);
	ret[len] = '\0';
	return 0;
}
