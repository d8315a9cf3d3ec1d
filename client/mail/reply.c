/* A message out of another: quoted text and addressees of a reply or a forward. */
#include "client/mail/mail.h"

#include <errno.h>

enum {
	TEXT_MAX = 16 << 20,
	NAMES_MAX = 1 << 20,
	SUBJECT_MAX = 4000,
	REFERENCES_MAX = 4000, /* then the oldest go, but for the first */
	FILES_BYTES_MAX = MAIL_MESSAGE_MAX,
	ADDRESSEES_MAX = 1000,
};

void mail_answer_done(struct mail_answer *a)
{
	free(a->to);
	free(a->cc);
	free(a->attachments);
	free(a->types);
	buf_done(&a->subject);
	buf_done(&a->text);
	buf_done(&a->in_reply_to);
	buf_done(&a->references);
	buf_done(&a->names);
	buf_done(&a->files);
	*a = (struct mail_answer){.to = NULL};
}

/* -- addressees -------------------------------------------------------------------------------- */

struct source {
	struct mail_answer *a;
	struct span header;
	const char *own;
	struct buf seen; /* addresses in lower case, each ended by LF */
};

static bool seen_before(struct source *s, struct span address)
{
	_cleanup_(buf_done) struct buf low = BUF_INIT(1024);
	bool seen;

	buf_add_byte(&low, '\n');
	mime_casefold(&low, address);
	buf_add_byte(&low, '\n');
	seen = buf_error(&low) < 0 ||
		(s->seen.len > 0 && memmem(s->seen.p, s->seen.len, low.p, low.len) != NULL);
	if (!seen)
		buf_add(&s->seen, buf_span(&low));
	return seen;
}

static int add_one(
	struct source *s, const struct mime_address *m, struct mime_mailbox **list, size_t *count)
{
	_cleanup_(buf_done) struct buf address = BUF_INIT(1024);
	struct mime_mailbox *more;

	if (m->group_begin || m->group_end || m->local.len == 0 || m->domain.len == 0 ||
		*count >= ADDRESSEES_MAX)
		return 0;
	buf_add(&address, m->local);
	buf_add_byte(&address, '@');
	buf_add(&address, m->domain);
	if (buf_error(&address) < 0 || seen_before(s, buf_span(&address)))
		return 0;
	more = reallocarray(*list, *count + 1, sizeof **list);
	if (more == NULL)
		return -ENOMEM;
	*list = more;
	more[(*count)++] =
		(struct mime_mailbox){span_of(NULL, m->name.len), span_of(NULL, address.len)};
	buf_add(&s->a->names, m->name);
	buf_add(&s->a->names, buf_span(&address));
	return buf_error(&s->a->names);
}

/* Those of a field who are not there yet. */
static int add_field(struct source *s, const char *field, struct mime_mailbox **list, size_t *count)
{
	_cleanup_(mime_addresses_done) struct mime_addresses a = {.list = NULL};
	struct mime_field f;
	int r;

	if (mime_field(s->header, field, 0, &f) < 0)
		return 0;
	r = mime_addresses_parse(f.value, false, &a);
	for (size_t i = 0; r == 0 && i < a.count; i++)
		r = add_one(s, &a.list[i], list, count);
	return r;
}

static void place(struct mail_answer *a)
{
	const unsigned char *at = a->names.p;

	for (size_t i = 0; i < a->to_count + a->cc_count; i++) {
		struct mime_mailbox *m = i < a->to_count ? &a->to[i] : &a->cc[i - a->to_count];

		m->name.p = at;
		at += m->name.len;
		m->address.p = at;
		at += m->address.len;
	}
}

static int sender(struct source *s)
{
	int r = add_field(s, "Reply-To", &s->a->to, &s->a->to_count);

	if (r == 0 && s->a->to_count == 0)
		r = add_field(s, "From", &s->a->to, &s->a->to_count);
	return r;
}

/* One's own message is answered to those it went to. */
static int addressees(struct source *s, enum mail_answer_kind kind)
{
	struct mail_answer *a = s->a;
	int r;

	(void)seen_before(s, span_str(s->own));
	r = sender(s);
	if (r == 0 && (kind == MAIL_REPLY_ALL || a->to_count == 0))
		r = add_field(s, "To", &a->to, &a->to_count);
	if (r == 0 && kind == MAIL_REPLY_ALL)
		r = add_field(s, "Cc", &a->cc, &a->cc_count);
	if (r == 0 && a->to_count + a->cc_count == 0) {
		buf_reset(&s->seen);
		r = sender(s);
	}
	place(a);
	return r;
}

/* -- header and text --------------------------------------------------------------------------- */

static bool starts_with(struct span s, const char *word)
{
	size_t len = strlen(word);

	return s.len >= len && span_caseeq_str(span_of(s.p, len), word);
}

static void subject(struct mail_answer *a, const struct mail_view *v, enum mail_answer_kind kind)
{
	struct span old = span_str(v->subject);
	bool forward = kind == MAIL_FORWARD;

	if (old.len > SUBJECT_MAX - 16)
		old.len = SUBJECT_MAX - 16;
	if (!starts_with(old, forward ? "fwd:" : "re:"))
		buf_add_str(&a->subject, forward ? "Fwd: " : "Re: ");
	buf_add(&a->subject, old);
}

static void references(struct mail_answer *a, struct span header, const struct mail_view *v)
{
	struct span rest = span_str(v->msgid), id, own = {NULL, 0}, all;
	struct mime_field f = {.value = {NULL, 0}};
	bool first = true;

	if (!mime_msgid_next(&rest, &own) || own.len > 250)
		return;
	buf_add(&a->in_reply_to, own);
	if (mime_field(header, "References", 0, &f) < 0)
		(void)mime_field(header, "In-Reply-To", 0, &f);
	all = f.value;
	while (mime_msgid_next(&all, &id)) {
		/* The first, and then the newest. */
		if (!first && all.len + id.len > REFERENCES_MAX - 600)
			continue;
		if (id.len <= 250 && !span_eq(id, own)) {
			buf_add(&a->references, id);
			buf_add_byte(&a->references, ' ');
		}
		first = false;
	}
	buf_add(&a->references, own);
}

static void quote(struct mail_answer *a, const struct mail_view *v)
{
	struct span rest = buf_span(&v->text), line;

	buf_addf(&a->text, "On %s, %s wrote:\n", v->date, v->from);
	while (span_split(&rest, '\n', &line)) {
		/* The signature's mark ends what is quoted. */
		if (span_eq_str(line, "-- "))
			break;
		buf_add_str(&a->text, line.len > 0 && line.p[0] == '>' ? ">" : "> ");
		buf_add(&a->text, line);
		buf_add_byte(&a->text, '\n');
	}
}

static void forward(struct mail_answer *a, const struct mail_view *v)
{
	buf_addf(&a->text,
		"\n---------- Forwarded message ----------\nFrom: %s\nDate: %s\n"
		"Subject: %s\nTo: %s\n",
		v->from, v->date, v->subject, v->to);
	if (v->cc[0] != '\0')
		buf_addf(&a->text, "Cc: %s\n", v->cc);
	buf_add_byte(&a->text, '\n');
	buf_add(&a->text, buf_span(&v->text));
}

/* -- files of what is forwarded ---------------------------------------------------------------- */

static int files(struct mail_answer *a, const struct mail_view *v)
{
	size_t at = 0;

	if (v->file_count == 0)
		return 0;
	a->attachments = calloc(v->file_count, sizeof *a->attachments);
	a->types = calloc(v->file_count, sizeof *a->types);
	if (a->attachments == NULL || a->types == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < v->file_count; i++) {
		struct mime_attachment *f = &a->attachments[i];
		size_t before = a->files.len;
		int r;

		buf_add_str(&a->files, v->files[i].name);
		f->filename.len = a->files.len - before;
		r = mail_view_file(v, i, &a->files);
		if (r < 0 || buf_error(&a->files) < 0)
			return r < 0 ? r : buf_error(&a->files);
		f->bytes.len = a->files.len - before - f->filename.len;
		memcpy(a->types[i], v->files[i].type, sizeof a->types[i]);
		f->type = a->types[i];
		a->attachment_count++;
	}
	for (size_t i = 0; i < a->attachment_count; i++) {
		a->attachments[i].filename.p = a->files.p + at;
		at += a->attachments[i].filename.len;
		a->attachments[i].bytes.p = a->files.p + at;
		at += a->attachments[i].bytes.len;
	}
	return 0;
}

static int make(struct mail_answer *a, const struct mail_view *v, enum mail_answer_kind kind,
	const char *own)
{
	struct source s = {.a = a, .own = own, .seen = BUF_INIT(NAMES_MAX)};
	int r = 0;

	s.header = mime_header(&v->mime, &v->mime.parts[0]);
	subject(a, v, kind);
	references(a, s.header, v);
	if (kind == MAIL_FORWARD) {
		forward(a, v);
		/* A new talk. */
		buf_reset(&a->in_reply_to);
		r = files(a, v);
	} else {
		quote(a, v);
		r = addressees(&s, kind);
	}
	buf_done(&s.seen);
	return r;
}

int mail_answer_make(
	struct span message, enum mail_answer_kind kind, const char *own, struct mail_answer *ret)
{
	_cleanup_(mail_view_done) struct mail_view v = {.files = NULL};
	struct mail_answer a = {.subject = BUF_INIT(SUBJECT_MAX),
		.text = BUF_INIT(TEXT_MAX),
		.in_reply_to = BUF_INIT(512),
		.references = BUF_INIT(REFERENCES_MAX),
		.names = BUF_INIT(NAMES_MAX),
		.files = BUF_INIT(FILES_BYTES_MAX)};
	int r = mail_view_make(message, &v);

	if (r == 0)
		r = make(&a, &v, kind, own);
	if (r < 0) {
		mail_answer_done(&a);
		return r;
	}
	*ret = a;
	return 0;
}
