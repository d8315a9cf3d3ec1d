/*
 * Lines to the client: tags by its capabilities, the label of a command on what answers it (IRCv3
 * labeled-response), the limit of a line. The hot path of a busy channel ends here: nothing is
 * allocated per line, and times are written anew once a second.
 */
#include "services/chatd/chatd.h"

#include "base/timefmt.h"

#include <stdarg.h>
#include <stdio.h>

enum {
	TEXT_MAX = 1024, /* of a formatted line, before it is cut */
	MILLI_AT = 20, /* of IRC_TIME_SIZE's text: behind the dot */
};

static const char hex[] = "0123456789abcdef";

const char *chatd_nick(const struct chatd *c)
{
	return c->registered ? c->me.nick : "*";
}

/* -- tags -------------------------------------------------------------------------------------- */

static void add_tag(struct buf *b, const char *key, struct span value)
{
	if (b->len > 0)
		buf_add_byte(b, ';');
	buf_add_str(b, key);
	if (value.len == 0)
		return;
	buf_add_byte(b, '=');
	buf_add(b, value);
}

/* The text of the present second is kept: only its milliseconds change. */
static struct span time_of(struct chatd *c, int64_t at_us)
{
	int64_t second = at_us / TIME_S_US;
	unsigned ms = (unsigned)(at_us % TIME_S_US / 1000);

	if (second != c->time_second || c->time_text[0] == '\0') {
		irc_time_write(at_us, c->time_text);
		c->time_second = second;
	}
	c->time_text[MILLI_AT] = hex[ms / 100];
	c->time_text[MILLI_AT + 1] = hex[ms / 10 % 10];
	c->time_text[MILLI_AT + 2] = hex[ms % 10];
	return span_of(c->time_text, IRC_TIME_SIZE - 1);
}

/* All but label and batch of the answer. */
static void write_tags(struct chatd *c, const struct chatd_tags *tags)
{
	struct buf *b = &c->tags;

	buf_reset(b);
	if (chatd_has(c, CAP_SERVER_TIME))
		add_tag(b, "time", time_of(c, tags->at_us != 0 ? tags->at_us : time_now_us()));
	if (tags->account.len > 0 && chatd_has(c, CAP_ACCOUNT_TAG))
		add_tag(b, "account", tags->account);
	if (tags->more != NULL) {
		if (b->len > 0)
			buf_add_byte(b, ';');
		buf_add_str(b, tags->more);
	}
	if (!chatd_has(c, CAP_MESSAGE_TAGS))
		return;
	if (tags->msgid != NULL)
		add_tag(b, "msgid", span_str(tags->msgid));
	if (tags->bot)
		add_tag(b, "bot", span_of(NULL, 0));
	if (tags->client.len == 0)
		return;
	if (b->len > 0)
		buf_add_byte(b, ';');
	buf_add(b, tags->client);
}

/* -- lines ------------------------------------------------------------------------------------- */

static size_t cut_len(struct span line, size_t max)
{
	size_t len = line.len < max ? line.len : max;

	if (len == line.len)
		return len;
	while (len > 0 && (line.p[len] & 0xc0) == 0x80)
		len--;
	return len;
}

/* Line ends and NUL become blanks, what is too long is cut. */
static void add_body(struct buf *b, struct span body)
{
	size_t from = b->len;

	buf_add(b, span_of(body.p, cut_len(body, IRC_BODY_MAX)));
	for (size_t i = from; i < b->len; i++)
		if (b->p[i] == '\r' || b->p[i] == '\n' || b->p[i] == '\0')
			b->p[i] = ' ';
}

struct first_tags {
	const char *label, *batch; /* NULL or "": none */
};

/* Errors of the connection are sticky: the loop sees them. */
static void put(struct chatd *c, struct first_tags first, struct span tags, struct span body)
{
	struct buf *b = &c->line;

	buf_reset(b);
	buf_add_byte(b, '@');
	if (first.label != NULL && first.label[0] != '\0') {
		buf_add_str(b, "label=");
		buf_add_str(b, first.label);
	}
	if (first.batch != NULL && first.batch[0] != '\0') {
		buf_add_str(b, b->len > 1 ? ";batch=" : "batch=");
		buf_add_str(b, first.batch);
	}
	if (tags.len > 0 && b->len > 1)
		buf_add_byte(b, ';');
	buf_add(b, tags);
	if (b->len == 1)
		buf_reset(b);
	else
		buf_add_byte(b, ' ');
	add_body(b, body);
	buf_add_str(b, "\r\n");
	c->unsent += b->len;
	(void)conn_write(c->conn, buf_span(b));
}

/* -- the answer to a labeled command ------------------------------------------------------------
 */

static bool is_labeled(const struct chatd *c)
{
	const struct chatd_answering *a = &c->answering;

	return a->label[0] != '\0' && !a->aside && !a->whole;
}

static void new_ref(struct chatd *c, char ret_ref[16])
{
	(void)snprintf(ret_ref, 16, "%x", ++c->batches);
}

static void put_batch(struct chatd *c, struct first_tags first, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void put_batch(struct chatd *c, struct first_tags first, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;
	int len = snprintf(text, sizeof(text), ":%s BATCH ", c->service->settings.host);

	va_start(args, format);
	(void)vsnprintf(text + len, sizeof(text) - (size_t)len, format, args);
	va_end(args);
	put(c, first, span_of(NULL, 0), span_str(text));
}

static void put_first(struct chatd *c, const char *label, const char *batch)
{
	struct chatd_answering *a = &c->answering;
	struct span held = buf_span(&a->first);

	put(c, (struct first_tags){label, a->first_batched ? NULL : batch},
		span_of(held.p, a->first_tags),
		span_of(held.p + a->first_tags, held.len - a->first_tags));
	buf_done(&a->first);
}

/* The first line waits whether there is another; with the second a batch is begun around both. */
static void answer(struct chatd *c, struct span tags, struct span body, bool batched)
{
	struct chatd_answering *a = &c->answering;

	a->lines++;
	if (a->lines == 1) {
		a->first = BUF_INIT(IRC_LINE_MAX + IRC_BODY_MAX);
		buf_add(&a->first, tags);
		a->first_tags = a->first.len;
		buf_add(&a->first, body);
		a->first_batched = batched;
		return;
	}
	if (a->lines == 2) {
		new_ref(c, a->batch);
		put_batch(c, (struct first_tags){a->label, NULL}, "+%s labeled-response", a->batch);
		put_first(c, NULL, a->batch);
	}
	put(c, (struct first_tags){NULL, batched ? NULL : a->batch}, tags, body);
}

static void send_tagged(struct chatd *c, const char *batch, struct span body)
{
	bool batched = batch != NULL && batch[0] != '\0';

	if (is_labeled(c) && batched) {
		struct buf *b = &c->tags;

		add_tag(b, "batch", span_str(batch));
		answer(c, buf_span(b), body, true);
	} else if (is_labeled(c)) {
		answer(c, buf_span(&c->tags), body, false);
	} else {
		put(c, (struct first_tags){NULL, batch}, buf_span(&c->tags), body);
	}
}

void chatd_send(struct chatd *c, const struct chatd_tags *tags, struct span line)
{
	write_tags(c, tags);
	send_tagged(c, tags->batch, line);
}

void chatd_answer_begin(struct chatd *c, struct span label)
{
	struct chatd_answering *a = &c->answering;

	buf_done(&a->first);
	*a = (struct chatd_answering){.first = BUF_INIT(IRC_LINE_MAX + IRC_BODY_MAX)};
	if (chatd_has(c, CAP_LABELED_RESPONSE) && chatd_has(c, CAP_BATCH))
		(void)span_copy_str(label, a->label, sizeof(a->label));
}

void chatd_answer_end(struct chatd *c)
{
	struct chatd_answering *a = &c->answering;
	char ack[sizeof(c->service->settings.host) + 8];

	if (is_labeled(c) && a->lines == 0) {
		(void)snprintf(ack, sizeof(ack), ":%s ACK", c->service->settings.host);
		put(c, (struct first_tags){a->label, NULL}, span_of(NULL, 0), span_str(ack));
	} else if (is_labeled(c) && a->lines == 1) {
		put_first(c, a->label, NULL);
	} else if (a->batch[0] != '\0') {
		put_batch(c, (struct first_tags){NULL, NULL}, "-%s", a->batch);
	}
	buf_done(&a->first);
	*a = (struct chatd_answering){.first = BUF_INIT(IRC_LINE_MAX + IRC_BODY_MAX)};
}

/* -- batches ----------------------------------------------------------------------------------- */

/* An answer that begins with a batch is that batch: the label goes on it. */
void chatd_batch_open(struct chatd *c, const struct chatd_tags *tags,
	const struct chatd_batch *batch, char ret_ref[16])
{
	struct span source =
		batch->source.len > 0 ? batch->source : span_str(c->service->settings.host);
	char text[TEXT_MAX];

	ret_ref[0] = '\0';
	if (!chatd_has(c, CAP_BATCH))
		return;
	new_ref(c, ret_ref);
	(void)snprintf(text, sizeof(text), ":%.*s BATCH +%s %s%s%.*s", CHATD_SPAN(source), ret_ref,
		batch->type, batch->params.len > 0 ? " " : "", CHATD_SPAN(batch->params));
	write_tags(c, tags);
	if (is_labeled(c) && c->answering.lines == 0 && tags->batch == NULL) {
		c->answering.whole = true;
		put(c, (struct first_tags){c->answering.label, NULL}, buf_span(&c->tags),
			span_str(text));
	} else {
		send_tagged(c, tags->batch, span_str(text));
	}
}

void chatd_batch_begin(struct chatd *c, const char *type, const char *params, char ret_ref[16])
{
	const struct chatd_batch batch = {.type = type, .params = span_str(params)};

	chatd_batch_open(c, &(struct chatd_tags){.at_us = 0}, &batch, ret_ref);
}

void chatd_batch_end(struct chatd *c, const char *ref)
{
	if (ref[0] != '\0')
		chatd_server(c, "BATCH -%s", ref);
}

/* -- formatted --------------------------------------------------------------------------------- */

static void send_text(struct chatd *c, const char *text)
{
	static const struct chatd_tags none = {.at_us = 0};

	chatd_send(c, &none, span_str(text));
}

static void append(char *text, int at, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

static void append(char *text, int at, const char *format, va_list args)
{
	if (at >= 0 && at < TEXT_MAX)
		(void)vsnprintf(text + at, TEXT_MAX - (size_t)at, format, args);
}

void chatd_numeric(struct chatd *c, unsigned number, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	append(text,
		snprintf(text, sizeof(text), ":%s %03u %s ", c->service->settings.host, number,
			chatd_nick(c)),
		format, args);
	va_end(args);
	send_text(c, text);
}

void chatd_server(struct chatd *c, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	append(text, snprintf(text, sizeof(text), ":%s ", c->service->settings.host), format, args);
	va_end(args);
	send_text(c, text);
}

void chatd_notice(struct chatd *c, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	append(text,
		snprintf(text, sizeof(text), ":%s NOTICE %s :", c->service->settings.host,
			chatd_nick(c)),
		format, args);
	va_end(args);
	send_text(c, text);
}

void chatd_standard(struct chatd *c, const char *type, const char *verb, const char *code,
	const char *context, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	append(text,
		snprintf(text, sizeof(text), ":%s %s %s %s%s%s :", c->service->settings.host, type,
			verb, code, context[0] != '\0' ? " " : "", context),
		format, args);
	va_end(args);
	send_text(c, text);
}
