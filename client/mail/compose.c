/* A message out of its parts (RFC 5322, MIME), and addresses as people type them. */
#include "client/mail/mail.h"

#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>

enum { TYPED_MAX = 65536, PEOPLE_MAX = 1000, FIELD_MAX = 16000 };

void mail_own_address(const struct profile *p, const char *user, char ret[320])
{
	snprintf(ret, 320, "%s@%s", user != NULL ? user : p->user, p->doors.domain);
}

/* local@domain that can stand in a header and in an envelope. */
static bool address_is_good(struct span a)
{
	const unsigned char *at = a.len > 0 ? memrchr(a.p, '@', a.len) : NULL;

	if (at == NULL || at == a.p || at + 1 == a.p + a.len || a.len > MIME_ADDRESS_MAX ||
		!text_is_clean(a))
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (strchr(" <>,;", a.p[i]) != NULL)
			return false;
	return true;
}

static bool all_good(const struct mime_mailbox *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!address_is_good(list[i].address))
			return false;
	return true;
}

/* -- a message --------------------------------------------------------------------------------- */

static void put_header(struct buf *b, const struct mail_draft *d, const char *msgid)
{
	const struct mime_mailbox from = {d->from_name, d->from_address};

	mime_put_date(b, time_now_us());
	mime_put_addresses(b, "From", &from, 1);
	if (d->to_count > 0)
		mime_put_addresses(b, "To", d->to, d->to_count);
	if (d->cc_count > 0)
		mime_put_addresses(b, "Cc", d->cc, d->cc_count);
	/* Who is only in Bcc must not look like nobody. */
	if (d->to_count + d->cc_count == 0)
		buf_add_str(b, "To: undisclosed-recipients:;\r\n");
	mime_put_field(b, "Subject", d->subject);
	buf_addf(b, "Message-ID: %s\r\n", msgid);
	if (d->in_reply_to.len > 0)
		mime_put_field(b, "In-Reply-To", d->in_reply_to);
	if (d->references.len > 0)
		mime_put_field(b, "References", d->references);
	if (d->want_receipt)
		mime_put_addresses(b, "Disposition-Notification-To", &from, 1);
	buf_add_str(b, "MIME-Version: 1.0\r\n");
}

static int put_parts(struct buf *b, const struct mail_draft *d)
{
	_cleanup_(buf_done) struct buf boundary = BUF_INIT(128);
	int r = mime_boundary_new(&boundary);

	if (r < 0)
		return r;
	buf_addf(b, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n--%s\r\n",
		buf_str(&boundary), buf_str(&boundary));
	mime_put_text(b, d->text, "plain");
	for (size_t i = 0; i < d->attachment_count; i++) {
		buf_addf(b, "\r\n--%s\r\n", buf_str(&boundary));
		mime_put_attachment(b, &d->attachments[i]);
	}
	buf_addf(b, "\r\n--%s--\r\n", buf_str(&boundary));
	return 0;
}

int mail_compose(const struct mail_draft *d, struct buf *ret, char ret_msgid[256])
{
	_cleanup_(buf_done) struct buf msgid = BUF_INIT(256);
	const unsigned char *at = d->from_address.len > 0
		? memrchr(d->from_address.p, '@', d->from_address.len)
		: NULL;
	char domain[256];
	int r;

	if (d->to_count + d->cc_count + d->bcc_count == 0 || at == NULL ||
		!address_is_good(d->from_address) || !all_good(d->to, d->to_count) ||
		!all_good(d->cc, d->cc_count) || !all_good(d->bcc, d->bcc_count) ||
		d->in_reply_to.len > FIELD_MAX || d->references.len > FIELD_MAX)
		return -EINVAL;
	r = span_copy_str(
		span_of(at + 1, (size_t)(d->from_address.p + d->from_address.len - at - 1)), domain,
		sizeof domain);
	if (r == 0)
		r = mime_msgid_new(domain, &msgid);
	if (r < 0)
		return r;
	put_header(ret, d, buf_str(&msgid));
	if (d->attachment_count > 0)
		r = put_parts(ret, d);
	else
		mime_put_text(ret, d->text, "plain");
	if (r == 0)
		r = buf_error(ret);
	return r == 0 ? span_copy_str(buf_span(&msgid), ret_msgid, 256) : r;
}

/* -- addresses as they are typed --------------------------------------------------------------- */

void mail_people_done(struct mail_people *p)
{
	free(p->list);
	buf_done(&p->text);
	*p = (struct mail_people){.list = NULL};
}

/* Up to the next comma or semicolon that stands for itself. False: nothing is left. */
static bool typed_next(struct span *rest, struct span *ret)
{
	bool quoted = false, angle = false;
	size_t i = 0;

	if (rest->len == 0)
		return false;
	for (; i < rest->len; i++) {
		unsigned char c = rest->p[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '<' || c == '>'))
			angle = c == '<';
		else if (!quoted && !angle && (c == ',' || c == ';'))
			break;
	}
	if (i > rest->len)
		i = rest->len;
	*ret = span_trim(span_of(rest->p, i));
	i = i < rest->len ? i + 1 : i;
	*rest = span_of(rest->p + i, rest->len - i);
	return true;
}

/* One of them: name and address behind one another, their lengths in *ret. */
static int typed_add(
	struct span typed, const char *domain, struct buf *text, struct mime_mailbox *ret)
{
	_cleanup_(buf_done) struct buf address = BUF_INIT(4096);
	_cleanup_(mime_addresses_done) struct mime_addresses a = {.list = NULL};
	int r = typed.len > 2000 ? -EINVAL : mime_address_typed(typed, domain, &address);

	if (r == 0)
		r = mime_addresses_parse(typed, false, &a);
	if (r < 0)
		return r;
	if (a.count != 1 || a.list[0].group_begin || !address_is_good(buf_span(&address)))
		return -EINVAL;
	buf_add(text, a.list[0].name);
	buf_add(text, buf_span(&address));
	*ret = (struct mime_mailbox){span_of(NULL, a.list[0].name.len), span_of(NULL, address.len)};
	return buf_error(text);
}

static int list_grow(struct mail_people *p)
{
	struct mime_mailbox *list;

	if (p->count >= PEOPLE_MAX)
		return -E2BIG;
	list = reallocarray(p->list, p->count + 1, sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	p->list = list;
	return 0;
}

int mail_people_parse(
	struct span typed, const char *domain, struct mail_people *ret, char ret_bad[128])
{
	struct mail_people p = {.text = BUF_INIT(TYPED_MAX)};
	struct span one;
	size_t at = 0;
	int r = 0;

	ret_bad[0] = '\0';
	while (r == 0 && typed_next(&typed, &one)) {
		if (one.len == 0)
			continue;
		r = list_grow(&p);
		if (r == 0)
			r = typed_add(one, domain, &p.text, &p.list[p.count]);
		if (r == 0)
			p.count++;
		else
			snprintf(ret_bad, 128, "%.*s", (int)(one.len < 100 ? one.len : 100),
				(const char *)one.p);
	}
	if (r < 0) {
		mail_people_done(&p);
		return r;
	}
	/* While the text grows its bytes move: only now is it known where each one lies. */
	for (size_t i = 0; i < p.count; i++) {
		p.list[i].name.p = p.text.p + at;
		at += p.list[i].name.len;
		p.list[i].address.p = p.text.p + at;
		at += p.list[i].address.len;
	}
	*ret = p;
	return 0;
}
