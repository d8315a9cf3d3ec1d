/*
 * The header of a submitted message (RFC 6409 section 8): who may be its author, what is added on
 * top, and what nobody else may see. Pure.
 */
#include "services/maild/smtp/smtp.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>

enum {
	AUTHORS_MAX = 8192, /* bytes: longer, and a reader might not see them all */
	RESENT_MAX = 20, /* times that a message can have been sent on */
	FIELDS_KEPT_MAX = MIME_FIELDS_MAX - 10, /* some are added */
};

/* -- where it ends ----------------------------------------------------------------------------- */

/* A name of printing characters, blanks perhaps, a colon. */
static bool is_field(struct span line)
{
	size_t i = 0;

	while (i < line.len && line.p[i] > ' ' && line.p[i] < 0x7f && line.p[i] != ':')
		i++;
	if (i == 0)
		return false;
	while (i < line.len && (line.p[i] == ' ' || line.p[i] == '\t'))
		i++;
	return i < line.len && line.p[i] == ':';
}

static bool is_continued(struct span line)
{
	return line.len > 0 && (line.p[0] == ' ' || line.p[0] == '\t');
}

size_t smtp_header_length(struct span message)
{
	size_t at = 0;

	while (at < message.len) {
		const unsigned char *lf = memchr(message.p + at, '\n', message.len - at);
		size_t end = lf != NULL ? (size_t)(lf - message.p) + 1 : message.len;
		struct span line = span_of(message.p + at, end - at);

		if (line.p[0] == '\n' || (line.len >= 2 && line.p[0] == '\r' && line.p[1] == '\n'))
			return end;
		if (!is_field(line) && !(at > 0 && is_continued(line)))
			return at;
		at = end;
	}
	return at;
}

/* -- authors ----------------------------------------------------------------------------------- */

/* What stands behind the '+' is free, but not to look like somebody else's address. */
static bool has_specials(struct span local)
{
	for (size_t i = 0; i < local.len; i++)
		if (local.p[i] <= ' ' || local.p[i] >= 0x7f ||
			strchr("()<>[]:;@\\,\"", local.p[i]) != NULL)
			return true;
	return false;
}

static bool is_own(const struct mime_address *a, const struct smtp_house *house)
{
	struct smtp_path path = {.is_utf8 = false};
	char name[ACCOUNT_NAME_SIZE];
	struct span domain = a->domain.len > 0 ? a->domain : span_str(house->domain);

	if (has_specials(a->local) || span_copy_str(a->local, path.local, sizeof(path.local)) < 0 ||
		span_copy_str(domain, path.domain, sizeof(path.domain)) < 0)
		return false;
	return smtp_local_account(&path, house->domain, house->host, name, sizeof(name)) == 0 &&
		strcmp(name, house->account) == 0;
}

static int check_list(
	const struct mime_addresses *list, const struct smtp_house *house, struct buf *ret_who)
{
	size_t found = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct mime_address *a = &list->list[i];

		if (a->group_begin || a->group_end)
			continue;
		found++;
		if (is_own(a, house))
			continue;
		buf_add(ret_who, a->local);
		buf_add_byte(ret_who, '@');
		buf_add(ret_who, a->domain);
		return -EPERM;
	}
	return found > 0 ? 0 : -EBADMSG;
}

/* How long the quoted string or the comment is that s begins with; else 1. */
static size_t quiet_length(struct span s)
{
	size_t i = 0;
	int depth = 0;

	if (s.p[0] != '"' && s.p[0] != '(')
		return 1;
	do {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[0] == '"')
			depth = i == 0 || s.p[i] != '"';
		else
			depth += (s.p[i] == '(') - (s.p[i] == ')');
		i++;
	} while (depth > 0 && i < s.len);
	return i < s.len ? i : s.len;
}

/* "<ann@here> <bob@here>", "bob@here <ann@here>": other readers may see another one in it. */
static bool has_more(struct span value, const struct mime_addresses *list)
{
	size_t ats = 0, angles = 0, addresses = 0;

	for (size_t i = 0; i < list->count; i++)
		addresses += !list->list[i].group_begin && !list->list[i].group_end;
	for (size_t i = 0; i < value.len; i += quiet_length(span_of(value.p + i, value.len - i))) {
		ats += value.p[i] == '@';
		angles += value.p[i] == '<';
	}
	return ats > addresses || angles > addresses;
}

static int check_value(struct span value, const struct smtp_house *house, struct buf *ret_who)
{
	struct mime_addresses list = {.count = 0};
	int r;

	if (value.len > AUTHORS_MAX)
		return -EBADMSG;
	r = mime_addresses_parse(value, false, &list);
	if (r < 0)
		return r;
	r = check_list(&list, house, ret_who);
	if (r == 0 && has_more(value, &list))
		r = -EBADMSG;
	mime_addresses_done(&list);
	return r;
}

/* Each field of that name; 0 where there is none. */
static int check_fields(
	struct span header, const char *name, const struct smtp_house *house, struct buf *ret_who)
{
	struct mime_field field;
	int r = 0;

	for (size_t n = 0; r == 0 && mime_field(header, name, n, &field) == 0; n++)
		r = n < RESENT_MAX ? check_value(field.value, house, ret_who) : -EBADMSG;
	return r;
}

static int check_field(
	struct span header, const char *name, const struct smtp_house *house, struct buf *ret_who)
{
	struct mime_field field;

	if (mime_field(header, name, 1, &field) == 0)
		return -EBADMSG;
	return check_fields(header, name, house, ret_who);
}

int smtp_header_authors(struct span header, const struct smtp_house *house, struct buf *ret_who)
{
	int r = check_field(header, "From", house, ret_who);

	if (r == 0)
		r = check_field(header, "Sender", house, ret_who);
	if (r == 0)
		r = check_fields(header, "Resent-From", house, ret_who);
	return r == 0 ? check_fields(header, "Resent-Sender", house, ret_who) : r;
}

/* -- what is kept ------------------------------------------------------------------------------ */

static bool has_field(struct span header, const char *name)
{
	struct mime_field field;

	return mime_field(header, name, 0, &field) == 0;
}

/* Says who was logged in and how, and not from where. */
static void put_received(struct buf *b, const struct smtp_stamp *stamp)
{
	static const char *const protocols[2][2] = {
		{"SMTPSA", "ESMTPSA"}, {"UTF8SMTPSA", "UTF8SMTPSA"}};
	struct time_parts at;

	buf_addf(b, "Received: from authenticated %s (%s)\r\n\tby %s with %s id %s;\r\n\t",
		stamp->house.account, stamp->tls, stamp->house.host,
		protocols[stamp->is_utf8][stamp->extended], stamp->id);
	if (time_utc(stamp->now_us, &at) == 0)
		time_rfc5322(b, &at);
	buf_add_str(b, "\r\n");
}

static int put_missing(struct buf *b, struct span header, const struct smtp_stamp *stamp)
{
	struct time_parts at;
	int r = 0;

	if (!has_field(header, "Date") && time_utc(stamp->now_us, &at) == 0) {
		buf_add_str(b, "Date: ");
		time_rfc5322(b, &at);
		buf_add_str(b, "\r\n");
	}
	if (!has_field(header, "Message-ID")) {
		buf_add_str(b, "Message-ID: ");
		r = mime_msgid_new(stamp->house.domain, b);
		buf_add_str(b, "\r\n");
	}
	if (!has_field(header, "From"))
		buf_addf(b, "From: %s@%s\r\n", stamp->house.account, stamp->house.domain);
	return r;
}

static bool is_dropped(struct span name)
{
	static const char *const names[] = {"Bcc", "Resent-Bcc", "Return-Path"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_caseeq_str(name, names[i]))
			return true;
	return false;
}

int smtp_header_write(struct buf *b, struct span header, const struct smtp_stamp *stamp)
{
	struct span rest = header;
	struct mime_field field;
	size_t count = 0;
	int r;

	buf_addf(b, "Return-Path: <%s>\r\n", stamp->sender);
	put_received(b, stamp);
	r = put_missing(b, header, stamp);
	while (r == 0 && mime_field_next(&rest, &field)) {
		/* What nobody looks at might say who sent it. */
		if (++count > FIELDS_KEPT_MAX)
			return -ENOBUFS;
		if (is_dropped(field.name))
			continue;
		buf_add(b, field.whole);
		/* The last line of a message may lack its end. */
		if (field.whole.len > 0 && field.whole.p[field.whole.len - 1] != '\n')
			buf_add_str(b, "\r\n");
	}
	buf_add_str(b, "\r\n");
	return r < 0 ? r : buf_error(b);
}
