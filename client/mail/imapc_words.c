/* An IMAP command in the making: text, strings, mailboxes, sets. */
#include "client/mail/imapc.h"

#include "base/text.h"

#include <errno.h>
#include <stdarg.h>

enum { WORDS_MAX = 4 << 20 };

void imapc_words_begin(const struct imapc *m, struct imapc_words *w)
{
	memset(w, 0, sizeof *w);
	w->utf8 = m->utf8;
	w->text = BUF_INIT(WORDS_MAX);
}

void imapc_words_done(struct imapc_words *w)
{
	buf_done(&w->text);
}

/* What was appended since before belongs to a piece of that kind. */
static void cut(struct imapc_words *w, size_t before, bool literal)
{
	size_t len = w->text.len - before;

	if (w->count > 0 && !literal && !w->cuts[w->count - 1].literal) {
		w->cuts[w->count - 1].len += len;
	} else if (w->count == IMAPC_PIECES) {
		w->error = -E2BIG;
	} else {
		w->cuts[w->count].len = len;
		w->cuts[w->count++].literal = literal;
	}
}

void imapc_say(struct imapc_words *w, const char *format, ...)
{
	size_t before = w->text.len;
	char *words = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&words, format, ap);
	va_end(ap);
	if (n < 0) {
		w->error = -ENOMEM;
		return;
	}
	buf_add(&w->text, span_of(words, (size_t)n));
	free(words);
	cut(w, before, false);
}

void imapc_say_string(struct imapc_words *w, struct span s)
{
	size_t before = w->text.len;

	if (s.len > 0 && memchr(s.p, '\0', s.len) != NULL) {
		w->error = -EINVAL;
		return;
	}
	if (s.len > 1000 || !(text_is_print(s) || (w->utf8 && text_is_clean(s)))) {
		buf_add(&w->text, s);
		cut(w, before, true);
		return;
	}
	buf_add_byte(&w->text, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_add_byte(&w->text, '\\');
		buf_add_byte(&w->text, s.p[i]);
	}
	buf_add_byte(&w->text, '"');
	cut(w, before, false);
}

void imapc_say_mailbox(struct imapc_words *w, struct span utf8_name)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(4UL * MAIL_NAME_MAX);

	if (w->utf8)
		buf_add(&name, utf8_name);
	else
		imap_name_encode(&name, utf8_name);
	if (buf_error(&name) < 0)
		w->error = -EINVAL;
	else
		imapc_say_string(w, buf_span(&name));
}

void imapc_say_set(struct imapc_words *w, const uint32_t *numbers, size_t count)
{
	size_t before = w->text.len;

	imap_put_set(&w->text, numbers, count);
	cut(w, before, false);
}

int imapc_say_pieces(const struct imapc_words *w, struct imapc_piece *ret, size_t *ret_count)
{
	size_t at = 0;

	if (w->error < 0 || buf_error(&w->text) < 0)
		return w->error < 0 ? w->error : -E2BIG;
	for (size_t i = 0; i < w->count; at += w->cuts[i++].len)
		ret[i] = (struct imapc_piece){
			span_of(w->text.p + at, w->cuts[i].len), w->cuts[i].literal};
	*ret_count = w->count;
	return 0;
}

int imapc_say_send(struct imapc *m, struct imapc_words *w, uint32_t *ret_tag)
{
	struct imapc_piece pieces[IMAPC_PIECES];
	size_t count = 0;
	int r = imapc_say_pieces(w, pieces, &count);

	return r == 0 ? imapc_send(m, pieces, count, ret_tag) : r;
}

int imapc_say_run(struct imapc *m, struct imapc_words *w, imapc_heard heard, void *arg)
{
	uint32_t tag;
	int r = imapc_say_send(m, w, &tag);

	return r == 0 ? imapc_wait(m, tag, heard, arg) : r;
}
