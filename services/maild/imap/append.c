/*
 * APPEND (RFC 3501, 9051; MULTIAPPEND, BINARY, UTF8, APPENDLIMIT): each message is held whole until
 * it is parsed and sealed; all of them become visible in one commit.
 */
#include "services/maild/imap/imap.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct append {
	struct imap_call *c;
	struct buf name;
	struct mail_box box;
	struct mail_usage usage;
	struct maild_body bodies[MAIL_APPEND_MAX];
	struct mail_append_item items[MAIL_APPEND_MAX];
	size_t count; /* of both */
	size_t begun; /* bodies that have something to free */
	struct span *keywords[MAIL_APPEND_MAX]; /* owned, with their bytes behind */
	uint64_t bytes;
	bool utf8; /* the message stands in UTF8 (...) */
	const char *refusal; /* "NO" text once something stood in the way */
};

static void append_free(struct append *a)
{
	for (size_t i = 0; i < a->begun; i++)
		maild_body_done(&a->bodies[i]);
	for (size_t i = 0; i < MAIL_APPEND_MAX; i++)
		free(a->keywords[i]);
	buf_done(&a->name);
	free(a);
}

/* -- arguments --------------------------------------------------------------------------------- */

/* The names in the command's own memory do not stay: the next line takes their place. */
static int keep_keywords(struct append *a, const struct span *names, size_t count)
{
	struct mail_append_item *item = &a->items[a->count];
	size_t bytes = count * sizeof(*names);
	unsigned char *p;

	if (count == 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		bytes += names[i].len;
	a->keywords[a->count] = malloc(bytes);
	if (a->keywords[a->count] == NULL)
		return -ENOMEM;
	p = (unsigned char *)&a->keywords[a->count][count];
	for (size_t i = 0; i < count; i++) {
		memcpy(p, names[i].p, names[i].len);
		a->keywords[a->count][i] = span_of(p, names[i].len);
		p += names[i].len;
	}
	item->flags.keywords = a->keywords[a->count];
	item->flags.count = count;
	return 0;
}

/* "(flags) date UTF8 (" before the literal, each as it likes; in stands behind a blank. */
static int in_options(struct append *a, struct imap_in *in)
{
	struct mail_append_item *item = &a->items[a->count];
	struct span names[MAIL_KEYWORDS_MAX];
	size_t count = 0;
	int r = 0;

	*item = (struct mail_append_item){.date_us = 0};
	if (in->at < in->len && in->p[in->at] == '(') {
		r = imap_in_flags(in, &item->flags.system, names, MAIL_KEYWORDS_MAX, &count);
		if (r == 0)
			r = keep_keywords(a, names, count);
		if (r == 0)
			r = imap_in_space(in);
	}
	if (r == 0 && in->at < in->len && in->p[in->at] == '"') {
		r = imap_in_date_time(in, &item->date_us, &item->date_offset_s);
		if (r == 0)
			r = imap_in_space(in);
	}
	a->utf8 = r == 0 && imap_in_word(in, "UTF8");
	if (a->utf8 && (imap_in_space(in) < 0 || !imap_in_char(in, '(')))
		r = -EBADMSG;
	return r;
}

/* The literal that ends the line stands right here. */
static bool is_literal(const struct append *a, const struct imap_in *in)
{
	const struct imap_call *c = a->c;

	if (a->utf8 && (!c->literal.binary || !in->utf8))
		return false;
	return c->unread && in->at < in->len &&
		(in->p[in->at] == '{' || (in->p[in->at] == '~' && c->literal.binary)) &&
		memchr(in->p + in->at, '}', in->len - in->at) == in->p + in->len - 1;
}

/* -- the mailbox ------------------------------------------------------------------------------- */

static int find_box(struct store_txn *txn, void *arg)
{
	struct append *a = arg;
	const char *account = imap_account(a->c->s);
	int r = mail_usage_read(txn, account, &a->usage);

	return r < 0 ? r : mail_box_find(txn, account, buf_span(&a->name), &a->box);
}

/* What can be known before the message comes: asked for, it would be for nothing. */
static const char *early_refusal(struct append *a)
{
	const struct imap *s = a->c->s;
	uint64_t size = a->c->literal.size;

	if (size == 0)
		return "[CANNOT] An empty message is none";
	if (size > s->size_limit)
		return "[TOOBIG] The message is larger than is taken here";
	if (a->usage.limit > 0 &&
		(a->usage.bytes + a->bytes > a->usage.limit ||
			size > a->usage.limit - a->usage.bytes - a->bytes))
		return "[OVERQUOTA] Your quota does not leave room for that";
	return NULL;
}

/* -- messages ---------------------------------------------------------------------------------- */

/* Other commands tell every message as text. */
static int without_nuls(struct buf *bytes)
{
	struct buf wrapped = BUF_INIT(bytes->max * 2 + MIME_FIELD_MAX);
	struct mime m;
	int r;

	if (memchr(bytes->p, '\0', bytes->len) == NULL)
		return 0;
	r = mime_parse(buf_span(bytes), &m);
	if (r < 0)
		return r;
	r = mime_binary_wrap(&m, &wrapped);
	mime_done(&m);
	buf_done(bytes);
	*bytes = wrapped;
	return r;
}

/* The bytes of one message, ready to be referred to. */
static int take_message(struct append *a)
{
	struct imap_call *c = a->c;
	struct imap *s = c->s;
	_cleanup_(buf_done) struct buf bytes = BUF_INIT((size_t)c->literal.size + 1);
	struct maild_body *body = &a->bodies[a->count];
	int r;

	if (buf_reserve(&bytes, (size_t)c->literal.size) == NULL) {
		a->refusal = "[UNAVAILABLE] There is no memory for that at the moment";
		return 0;
	}
	if (!c->literal.plus)
		imap_write(s, SPAN_LIT("+ Go on\r\n"));
	c->unread = false;
	r = imap_read_bytes(s, c->literal.size, &bytes);
	if (r < 0)
		return r;
	if (!c->literal.binary && memchr(bytes.p, '\0', bytes.len) != NULL) {
		a->refusal = "[CANNOT] A NUL needs a literal8";
		return 0;
	}
	a->begun = a->count + 1;
	r = without_nuls(&bytes);
	if (r == 0)
		r = maild_body_make(s->service->store, buf_span(&bytes), body);
	if (r < 0) {
		a->begun = a->count;
		a->refusal = r == -ENOSPC ? "[UNAVAILABLE] There is no room left on this server"
					  : "[UNAVAILABLE] Not possible at the moment";
		return 0;
	}
	a->items[a->count].body = body->body;
	a->bytes += c->literal.size;
	a->count++;
	return 0;
}

/* The line behind a message: ")" of UTF8, then another message or the end. 1: another follows, in
 * stands before its options; 0: the end. */
static int read_rest(struct append *a, struct imap_in *in)
{
	struct imap_call *c = a->c;
	struct imap *s = c->s;
	struct span line;
	int r = imap_read_line(s, &line);

	if (r == 0)
		return -ECONNRESET;
	if (r < 0)
		return r == -EMSGSIZE || r == -EPROTO ? -EBADMSG : r;
	buf_reset(&s->command);
	buf_add(&s->command, line);
	if (buf_error(&s->command) != 0)
		return -EBADMSG;
	*in = (struct imap_in){.p = s->command.p, .len = s->command.len, .utf8 = in->utf8};
	r = imap_literal_end(line, &c->literal);
	c->unread = r == 1;
	if (r < 0 || (a->utf8 && !imap_in_char(in, ')')))
		return -EBADMSG;
	if (imap_in_end(in))
		return 0;
	return imap_in_space(in) < 0 ? -EBADMSG : 1;
}

/* All messages of the command. 0, with refusal perhaps; -EBADMSG; or what ended the session. */
static int take_all(struct append *a, struct imap_in *in)
{
	int r;

	do {
		/* Before anything of it is kept. */
		if (a->count >= MAIL_APPEND_MAX) {
			a->refusal = "[LIMIT] Too many messages at once";
			return 0;
		}
		r = in_options(a, in);
		if (r == 0 && !is_literal(a, in))
			r = -EBADMSG;
		if (r < 0)
			return r;
		a->refusal = early_refusal(a);
		if (a->refusal != NULL)
			return 0;
		r = take_message(a);
		if (r == 0 && !a->c->unread)
			r = read_rest(a, in);
	} while (r == 1 && a->refusal == NULL);
	return r < 0 ? r : 0;
}

/* -- the command ------------------------------------------------------------------------------- */

static int commit(struct append *a)
{
	struct imap *s = a->c->s;
	bool selected = s->state == IMAP_SELECTED && s->box.id == a->box.id;
	struct mail_append_args args = {.box = a->box.id,
		.items = a->items,
		.count = a->count,
		.recent = selected && !s->box.read_only && (s->enabled & IMAP_REV2) == 0,
		.now_us = time_now_us()};
	struct mail_added added = {.count = 0};
	struct buf set = BUF_INIT(64);
	int r;

	(void)span_copy_str(span_str(imap_account(s)), args.account, sizeof(args.account));
	r = store_call(s->service->store, STORE_OP_MAIL_APPEND, &args, &added);
	if (r == -ENOENT)
		return imap_no(a->c, "[TRYCREATE] There is no such mailbox any more");
	if (r < 0)
		return imap_failed(a->c, r);
	if (added.recent && selected)
		imap_add_recent(s, added.first_uid, added.first_uid + added.count);
	imap_changed(s);
	buf_addf(&set, "%" PRIu32, added.first_uid);
	if (added.count > 1)
		buf_addf(&set, ":%" PRIu32, added.first_uid + added.count - 1);
	r = imap_ok(a->c, "[APPENDUID %" PRIu32 " %s] Added", added.validity, buf_str(&set));
	buf_done(&set);
	return r;
}

static int run(struct append *a)
{
	struct imap_call *c = a->c;
	struct imap_in in = c->in;
	int r = store_view(c->s->service->store, find_box, a);

	if (r == -ENOENT)
		return imap_no(c, "[TRYCREATE] There is no such mailbox");
	if (r < 0)
		return imap_failed(c, r);
	r = take_all(a, &in);
	if (r == -EBADMSG)
		return imap_bad(c, "That is no APPEND");
	if (r == -ENOMEM)
		return imap_failed(c, r);
	if (r < 0)
		return r;
	if (a->refusal != NULL)
		return imap_no(c, "%s", a->refusal);
	return commit(a);
}

static int append(struct imap_call *c, struct append *a)
{
	int r = imap_in_space(&c->in);

	if (r == 0)
		r = imap_in_mailbox(&c->in, &a->name);
	if (r == -EBADMSG || imap_in_space(&c->in) < 0 || !c->unread)
		return imap_bad(c, "APPEND takes a mailbox and a message");
	if (r == -EINVAL)
		return imap_no(c, "[CANNOT] No mailbox can have that name");
	if (r < 0)
		return imap_failed(c, r);
	return run(a);
}

int imap_cmd_append(struct imap_call *c)
{
	struct append *a = calloc(1, sizeof(*a));
	int r;

	if (a == NULL)
		return imap_failed(c, -ENOMEM);
	a->c = c;
	a->name = BUF_INIT(IMAP_LITERAL_MAX);
	r = append(c, a);
	append_free(a);
	return r;
}
