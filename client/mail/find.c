/*
 * Searching: the server searches what it can read; what is encrypted it cannot, so of that the
 * newest messages are opened here.
 */
#include "client/mail/ui.h"

#include "net/wait.h"

#include <errno.h>

enum {
	OPENED_MAX = 256 << 10, /* bytes of a message that is opened */
	OPENED_COUNT = 500,
	TEXT_MAX = 4 << 20,
	CRITERIA_MAX = 65536,
};

static int by_uid(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* All words, wherever each stands. */
static bool has_words(const struct mail_view *v, char *const *words, size_t count)
{
	const char *const heads[] = {v->from, v->to, v->cc, v->subject};
	_cleanup_(buf_done) struct buf text = BUF_INIT((size_t)TEXT_MAX);
	bool all = true;

	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		mime_casefold(&text, span_str(heads[i]));
		buf_add_byte(&text, '\n');
	}
	mime_casefold(&text, buf_span(&v->text));
	for (size_t i = 0; i < count && all; i++) {
		_cleanup_(buf_done) struct buf word = BUF_INIT((size_t)CRITERIA_MAX);

		mime_casefold(&word, span_str(words[i]));
		all = buf_error(&word) == 0 && text.len > 0 &&
			memmem(text.p, text.len, buf_str(&word), word.len) != NULL;
	}
	return all;
}

static bool is_match(
	struct mailui *u, struct mailbox *b, uint32_t uid, char *const *words, size_t count)
{
	_cleanup_(buf_done) struct buf raw = BUF_INIT((size_t)OPENED_MAX),
				       readable = BUF_INIT(2 * (size_t)OPENED_MAX);
	struct smime_verdict verdict;
	struct mail_view view;
	bool found;

	if (mailbox_message(b, uid, &raw) < 0 ||
		smime_open(NULL, &u->profile, buf_span(&raw), &readable, &verdict) < 0 ||
		mail_view_make(buf_span(&readable), &view) < 0)
		return false;
	found = has_words(&view, words, count);
	mail_view_done(&view);
	return found;
}

/* The newest that are encrypted and not too long; the list is the caller's. */
static uint32_t *secrets(const struct mailbox *b, size_t *ret_count)
{
	uint32_t *list = calloc(OPENED_COUNT, sizeof *list);
	size_t count, n = 0;
	const struct mail_item *items = mailbox_items(b, &count);

	for (size_t i = count; list != NULL && i > 0 && n < OPENED_COUNT; i--)
		if (items[i - 1].encrypted && items[i - 1].size <= OPENED_MAX)
			list[n++] = items[i - 1].uid;
	*ret_count = n;
	return list;
}

static int find_secret(
	struct mailui *u, struct mailbox *b, char *const *words, size_t count, struct buf *ret_uids)
{
	size_t n = 0;
	uint32_t *list = secrets(b, &n);
	int r = list != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (is_match(u, b, list[i], words, count))
			buf_add(ret_uids, span_of(&list[i], sizeof list[i]));
		r = client_interrupted(u->client) ? -ECANCELED : buf_error(ret_uids);
		/* Whatever else is under way has its turn. */
		(void)net_wait(NULL, 0, 0);
	}
	free(list);
	return r;
}

int mailui_find(
	struct mailui *u, struct mailbox *b, char *const *words, size_t count, struct buf *ret_uids)
{
	_cleanup_(buf_done) struct buf criteria = BUF_INIT((size_t)CRITERIA_MAX);
	int r;

	mailbox_criteria(&criteria, words, count);
	r = buf_error(&criteria);
	if (r == 0)
		r = mailbox_search(b, buf_span(&criteria), ret_uids);
	if (r == 0)
		r = find_secret(u, b, words, count, ret_uids);
	/* A head of encrypted mail may match on the server too: whoever reads the list takes it
	 * once. */
	if (r == 0 && ret_uids->len > 0)
		qsort(ret_uids->p, ret_uids->len / sizeof(uint32_t), sizeof(uint32_t), by_uid);
	return r;
}
